"""The connections to one server, while the client certificate that they show may change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from dynkube.config.model import TLSConfig
from dynkube.transport.adapter import ServerAdapter
from dynkube.transport.source import Credential

__all__ = ["Rotation"]


class Rotation:
    """The adapter that a transport sends through now.

    Args:
        tls: The trust, and the client certificate to begin with.
        make: An adapter for such a `TLSConfig`.
        retire: Told of each adapter that another one has replaced, when its idle connections are closed.
    """

    def __init__(
        self, tls: TLSConfig, make: Callable[[TLSConfig], ServerAdapter], retire: Callable[[ServerAdapter], object]
    ) -> None:
        self._tls = tls
        self._make = make
        self._retire = retire
        self._lock = threading.Lock()
        self._shown = Credential()
        self._closed = False
        self.rotated = False
        """Whether the client certificate has ever been another than that of the config."""
        self.adapter = make(tls)
        """Read it once for each request: another thread may replace it."""

    def show(self, credential: Credential) -> None:
        """Have new connections show the credential's client certificate; those that showed another one are closed.

        Idle ones at once, streams as if the server had hung up, and the others when their response has been read:
        client-go cuts those off as well, in the middle of a write.
        """
        if credential is self._shown:
            return
        with self._lock:
            if self._closed or credential.serial < self._shown.serial:
                return  # another thread has shown a newer one already
            if credential.same_certificate(self._shown):
                self._shown = credential
                return
            adapter = self._make(self._with(credential))
            self._shown = credential
            self.rotated = True
            before, self.adapter = self.adapter, adapter
        before.close()
        self._retire(before)

    def close(self) -> None:
        """Close the idle connections; those in use are closed when they come back."""
        with self._lock:
            self._closed = True
            self.adapter.close()

    def _with(self, credential: Credential) -> TLSConfig:
        if not credential.cert_data:
            return self._tls
        return replace(self._tls, cert_data=credential.cert_data, key_data=credential.key_data)
