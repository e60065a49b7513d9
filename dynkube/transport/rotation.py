"""The connections to one server, while the client certificate that they show and the CAs that they trust may change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from dynkube.config.model import TLSConfig
from dynkube.errors import ConfigError
from dynkube.forks import renew_in_child
from dynkube.transport.adapter import ServerAdapter
from dynkube.transport.sharing import lease, release
from dynkube.transport.source import Credential
from dynkube.transport.tlsfiles import TLSFiles, poll, stop_polling

__all__ = ["Make", "Rotation"]

Make = Callable[[TLSConfig, Mapping[str, bytes]], ServerAdapter]
"""An adapter for a `TLSConfig` whose files hold this."""


def _untold(_what: str) -> None:
    """Nobody wants to know."""


class Rotation:
    """The adapter that a transport sends through now.

    Args:
        tls: The trust, and the client certificate to begin with. Its files are read again as they change.
        place: Where the connections lead to, and how; with the certificates, what transports have in common that share
            them.
        make: An adapter for such a `TLSConfig`.
        retire: Told of each adapter whose client certificate is not shown any more; its idle connections are closed.
        told: Told what kind of file has changed.
        clock: Seconds, only ever rising.
    """

    def __init__(
        self,
        tls: TLSConfig,
        place: tuple[str, ...],
        make: Make,
        retire: Callable[[ServerAdapter], object],
        *,
        told: Callable[[str], object] = _untold,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tls = tls
        self._place = place
        self._make = make
        self._retire = retire
        self._told = told
        self._lock = threading.Lock()
        self._files = TLSFiles(tls, clock=clock)
        self._shown = Credential()
        self._closed = False
        self.rotated = False
        """Whether the client certificate has ever been another than that of the config."""
        self.adapter = self._lease(self._shown, self._files.contents)
        """Read it once for each request: another thread may replace it."""
        renew_in_child(self)
        if self._files.contents:
            poll(self)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Look at the files, once a second at most, and go by what they hold now.

        A new client certificate ends the connections that showed the old one, as `show` does; of new CAs only idle
        connections are closed. Files that are broken, or half written, leave the last good ones in use.
        """
        if not self._files.due:
            return
        with self._lock:
            if self._closed or not self._files.due:
                return
            contents = self._files.changed()
            if contents is None:
                return
            try:
                adapter = self._lease(self._shown, contents)
            except ConfigError as error:
                self._files.refuse(contents, error)
                return
            identity = self._files.accept(contents)
            before, self.adapter = self.adapter, adapter
        self._replaced(before, adapter, ends_streams=identity)
        self._told("client certificate" if identity else "certificate authority")

    def keep_polling(self) -> None:
        """A stream begins: in a forked child, nobody may be looking at the files."""
        if self._files.contents:
            poll(self)

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
            adapter = self._lease(credential, self._files.contents)
            self._shown = credential
            self.rotated = True
            before, self.adapter = self.adapter, adapter
        self._replaced(before, adapter, ends_streams=True)

    def close(self) -> None:
        """Close the idle connections, unless others use them, too; those in use are closed when they come back."""
        with self._lock:
            self._closed = True
        stop_polling(self)
        release(self.adapter, self)

    def _replaced(self, before: ServerAdapter, now: ServerAdapter, *, ends_streams: bool) -> None:
        if before is now:
            return
        release(before, self)
        if ends_streams:
            self._retire(before)

    def _lease(self, credential: Credential, contents: Mapping[str, bytes]) -> ServerAdapter:
        tls = self._with(credential)
        key = (self._place, tls, tuple(sorted(contents.items())))
        return lease(key, self, lambda: self._make(tls, contents))

    def _with(self, credential: Credential) -> TLSConfig:
        if not credential.cert_data:
            return self._tls
        return replace(self._tls, cert_data=credential.cert_data, key_data=credential.key_data)
