"""The files of a TLS configuration, read again as they are replaced (CG/transport/{cert,ca}_rotation.go)."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Protocol

from dynkube.config.model import TLSConfig
from dynkube.errors import ConfigError
from dynkube.forks import renew_in_child
from dynkube.transport.tls import file_contents

__all__ = ["POLL", "Refreshable", "TLSFiles", "poll", "stop_polling"]

_log = logging.getLogger("dynkube.transport")

POLL = 50.0
"""Seconds between two looks at the files while nothing is sent, so that streams notice, too."""


class TLSFiles:
    """What the files of ``tls`` hold.

    Args:
        tls: The configuration; fields with data have no file.
        clock: Seconds, only ever rising.

    Raises:
        ConfigError: One of them cannot be read; names it.
    """

    KEEP = 1.0
    """Seconds before they are read again."""

    def __init__(self, tls: TLSConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tls = tls
        self._clock = clock
        self.contents: Mapping[str, bytes] = file_contents(tls)
        """Path to content, as it was when it was last good."""
        self._refused: Mapping[str, bytes] | str = ""
        self._read_again_at = clock() + self.KEEP

    @property
    def due(self) -> bool:
        """Whether it is time to look again."""
        return bool(self.contents) and self._clock() >= self._read_again_at

    def changed(self) -> Mapping[str, bytes] | None:
        """The contents now, where they are others than `contents`; what cannot be read is logged, once."""
        self._read_again_at = self._clock() + self.KEEP
        try:
            found = file_contents(self._tls)
        except ConfigError as error:
            self.refuse(str(error), error)
            return None
        if found == self.contents:
            self._refused = ""
            return None
        return found

    def accept(self, contents: Mapping[str, bytes]) -> bool:
        """Take ``contents`` for good: whether the client certificate or its key is among what has changed."""
        before, self.contents = self.contents, contents
        self._refused = ""
        identity = (self._tls.cert_file, self._tls.key_file)
        return any(before.get(path) != contents.get(path) for path in identity if path in contents)

    def refuse(self, contents: Mapping[str, bytes] | str, error: ConfigError) -> None:
        """They cannot be used; those of before stay in use, and each next look tries again."""
        if contents != self._refused:
            self._refused = contents
            _log.error("changed certificate files cannot be used, the last good ones stay in use: %s", error)


# --------------------------------------------------------------------------- looking while nothing is sent


class Refreshable(Protocol):
    """What looks at its files when it is told to."""

    def refresh(self) -> None:
        """Look, and act on what has changed."""


class _Poller:
    """One daemon thread for all files of the process; it ends when nobody is left to be told."""

    def __init__(self) -> None:
        self._watched: weakref.WeakSet[Refreshable] = weakref.WeakSet()
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """In a forked child there is no thread yet; the next request starts it."""
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def add(self, watched: Refreshable) -> None:
        if self._thread is not None and watched in self._watched:
            return
        with self._changed:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dynkube-files", daemon=True)
                self._thread.start()

    def discard(self, watched: Refreshable) -> None:
        with self._changed:
            self._watched.discard(watched)
            if not self._watched:
                self._changed.notify_all()

    def _run(self) -> None:
        while self._look():
            pass

    def _look(self) -> bool:
        """Wait, then tell everyone; in a frame of its own, which keeps nobody alive while it waits."""
        with self._changed:
            if self._watched:
                self._changed.wait(POLL)
            watched = list(self._watched)
            if not watched:
                self._thread = None
                return False
        for each in watched:
            try:
                each.refresh()
            except Exception:  # noqa: BLE001 - the others want to be told, too
                _log.exception("looking at certificate files failed")
        return True


_POLLER = _Poller()
renew_in_child(_POLLER)


def poll(watched: Refreshable) -> None:
    """Have ``watched.refresh`` called every `POLL` seconds, for as long as it lives."""
    _POLLER.add(watched)


def stop_polling(watched: Refreshable) -> None:
    """No more of that."""
    _POLLER.discard(watched)
