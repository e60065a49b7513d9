"""What has to be made anew in a forked child: locks that threads of the parent may have held, and sockets.

A forked child has the memory of its parent, but only the thread that forked. A lock that another thread held stays
locked there for ever, and a connection would be spoken over by two processes.
"""

from __future__ import annotations

import logging
import os
import weakref
from typing import Protocol

__all__ = ["Renewable", "renew_in_child"]

_log = logging.getLogger("dynkube.forks")


class Renewable(Protocol):
    """What knows how to begin anew in a forked child."""

    def renew_after_fork(self) -> None:
        """Make new locks, and let go of what belongs to the parent. No other thread runs yet."""


_renewables: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_in_child(renewable: Renewable) -> None:
    """Have ``renewable.renew_after_fork`` called in each forked child, for as long as it lives."""
    _renewables.add(renewable)


def _after_fork() -> None:
    for renewable in list(_renewables):
        try:
            renewable.renew_after_fork()
        except Exception:  # noqa: BLE001 - the others still want their turn
            _log.exception("%s could not begin anew in the forked child", type(renewable).__name__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
