"""One side of a proxied connection: a non-blocking socket, with TLS on it or not.

asyncio's own TLS transports hide the socket: they cannot end a connection without a
close_notify, close one direction, or hold a byte back. TLS over memory buffers can.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct

_READ_SIZE = 1 << 18
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Link:
    """A connected socket, owned by one event loop; one reader and one writer at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._sending = asyncio.Lock()

    async def start_tls(self, context: ssl.SSLContext, *, server_side: bool, server_name: str | None = None) -> None:
        """Do the handshake.

        Raises:
            OSError: It failed (`ssl.SSLError`) or the peer went away.
        """
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError:
                await self._flush()  # the alert, so that the peer knows why
                raise
            else:
                await self._flush()
                return

    async def read(self) -> bytes:
        """Some bytes; ``b""`` when the peer has sent its last."""
        loop = asyncio.get_running_loop()
        if self._tls is None:
            return await loop.sock_recv(self._sock, _READ_SIZE)
        while True:
            data = self._decrypted(self._tls)
            if data is not None:
                return data
            await self._flush()
            await self._fill()

    async def drain(self) -> None:
        """Take what comes, encrypted or not, until the peer has closed."""
        while await asyncio.get_running_loop().sock_recv(self._sock, _READ_SIZE):
            pass

    @staticmethod
    def _decrypted(tls: ssl.SSLObject) -> bytes | None:
        """All plaintext there is, ``b""`` at the end of the stream, None when more must come in first."""
        records: list[bytes] = []
        try:
            while record := tls.read(_READ_SIZE):
                records.append(record)
        except ssl.SSLWantReadError:
            return b"".join(records) if records else None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass  # with a close_notify, or without
        return b"".join(records)

    async def write(self, data: bytes) -> None:
        """Send everything."""
        if self._tls is None:
            async with self._sending:
                await asyncio.get_running_loop().sock_sendall(self._sock, data)
            return
        self._tls.write(data)
        await self._flush()

    async def _fill(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self._sock, _READ_SIZE)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        async with self._sending:  # records leave in the order in which they were made
            if data := self._outgoing.read():
                await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def finish(self) -> None:
        """Say that nothing more will be sent, as a peer in good health does: close_notify and FIN."""
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError, OSError):
                self._tls.unwrap()
            with contextlib.suppress(OSError):
                await self._flush()
        self.shut()

    def shut(self) -> None:
        """A bare FIN; reading goes on."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """A bare FIN, and no reading any more: what a process leaves that dies."""
        self.shut()
        # Closing with unread bytes would send an RST instead.
        with contextlib.suppress(OSError):
            while self._sock.recv(_READ_SIZE):
                pass
        self._sock.close()

    def reset(self) -> None:
        """An RST."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._sock.close()

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._sock.close()
