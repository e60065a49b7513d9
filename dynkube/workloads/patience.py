"""How long a server that nobody reaches is borne by what waits for hours."""

from __future__ import annotations

import logging
import time

from dynkube.errors import CredentialError, DynkubeError, TLSError, TransportError

__all__ = ["Patience"]

_log = logging.getLogger("dynkube.workloads")

_SECONDS = 60.0


class Patience:
    """Bears a server that is not there for a minute in a row: what waits outlives its restart.

    kubectl ends at the first request that nobody answers.
    """

    def __init__(self) -> None:
        self._since: float | None = None

    def bears(self, error: DynkubeError) -> bool:
        """Whether to ask again: nobody answered, and that is not for long."""
        if not isinstance(error, TransportError) or isinstance(error, TLSError | CredentialError):
            self.end()
            return False
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        _log.warning("waiting on: %s", error)
        return now - self._since < _SECONDS

    def end(self) -> None:
        """Somebody answered."""
        self._since = None
