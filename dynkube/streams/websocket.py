"""A WebSocket with channels, over the transport's connections and websocket-client's frames."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from dynkube.errors import (
    ConfigError,
    ConnectionLostError,
    DecodeError,
    DynkubeError,
    FrameTooLargeError,
    RequestTimeoutError,
    UpgradeError,
)
from dynkube.rest import RESTClient
from dynkube.streams.channels import CLOSE
from dynkube.transport import CallScope, Upgraded
from dynkube.wire.messages import Request

__all__ = ["PIECE", "WebSocket", "open_websocket", "require_extra"]

PIECE = 65527
"""Bytes to send in one message at best: with channel, mask and header they are four records of TLS."""
PING_EVERY = 5.0
"""Seconds of silence after which we ask whether the server is there (CG/tools/remotecommand/websocket.go)."""
PONG_WITHIN = 60.0
"""Seconds of silence after an unanswered ping that mean it is not."""
_MAX_FRAME = 64 * 2**20
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


def require_extra() -> Any:
    """The module ``websocket``.

    Raises:
        ConfigError: websocket-client is not installed.
    """
    try:
        import websocket
    except ImportError:
        raise ConfigError(
            "exec, attach, cp and port-forward need websocket-client; install it: pip install 'dynkube[exec]'"
        ) from None
    return websocket


def open_websocket(
    rest: RESTClient,
    path: str,
    query: Sequence[tuple[str, str]],
    protocols: Sequence[str],
    *,
    scope: CallScope | None = None,
) -> WebSocket:
    """Open a WebSocket to a path of the server, with the client's credentials, proxy and trust.

    Args:
        rest: who asks.
        path: absolute, escaped.
        query: names and values.
        protocols: the subprotocols that we speak, best first.
        scope: the deadline by which it must be closed again, and the token that ends it.

    Raises:
        APIStatusError: the server refused; its own Status.
        UpgradeError: what answered speaks none of the protocols.
        ConfigError: websocket-client is not installed.
    """
    module = require_extra()
    key = base64.b64encode(os.urandom(16)).decode()
    headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Protocol", ", ".join(protocols)),
    )
    connection = rest.upgrade(Request("GET", path, tuple(query), headers, verb="get"), scope=scope)
    try:
        return WebSocket(module, connection, _negotiated(connection, key, protocols))
    except BaseException:
        connection.close()
        raise


def _negotiated(connection: Upgraded, key: str, protocols: Sequence[str]) -> str:
    headers, request = connection.headers, connection.request
    wanted = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest()).decode()
    if (headers.get("Upgrade") or "").lower() != "websocket" or headers.get("Sec-WebSocket-Accept") != wanted:
        raise UpgradeError(
            "the server switched to another protocol than WebSocket; is something in between?",
            method=request.method,
            url=request.path,
        )
    chosen = headers.get("Sec-WebSocket-Protocol") or ""
    if chosen not in protocols:
        raise UpgradeError(
            f"the server chose the subprotocol {chosen!r}, we offered {', '.join(protocols)}; is it older than "
            "Kubernetes 1.29?",
            method=request.method,
            url=request.path,
        )
    return chosen


class WebSocket:
    """An open WebSocket whose binary messages begin with a channel.

    One thread receives at a time, any number may send, any thread may close.

    Attributes:
        protocol: the subprotocol that the server chose.
        request: what was asked.
        close_reason: what the server said as it closed; empty for nothing.
    """

    def __init__(self, module: Any, connection: Upgraded, protocol: str) -> None:
        self.protocol = protocol
        self.request = connection.request
        self.close_reason = ""
        self._connection = connection
        self._make_frame = module.ABNF.create_frame
        self._masks: list[tuple[bytes, int]] = []
        self._frames = _frames(module, self._recv)
        self._protocol_error: type[Exception] = module.WebSocketException
        self._buffer = b""
        self._offset = 0
        self._channel: int | None = None
        self._last_heard = time.monotonic()
        self._pinged = False
        self._ended = False

    # ------------------------------------------------------------- sending

    def send(self, channel: int, data: bytes | memoryview = b"") -> None:
        """Send one message on a channel; waits for as long as the other side takes to read.

        Raises:
            TransportError: the connection was lost.
            ClosedError: it is closed.
        """
        payload = bytes((channel,)) + data
        if len(payload) == PIECE + 1:
            self._connection.write(self._full_frame(payload))
        else:
            self._send(_BINARY, payload)

    def _full_frame(self, payload: bytes) -> bytes:
        """A frame of the one size that bulk data comes in.

        To expand a key to this length takes twice as long as to apply it. So the keys of a connection are a handful of
        random ones, of which each frame gets any: a mask is to keep a browser's scripts from choosing what is on the
        wire (RFC 6455, 10.3), and here it is below TLS.
        """
        size = PIECE + 1
        number = os.urandom(1)[0] % _KEYS
        if number >= len(self._masks):
            key = os.urandom(4)
            self._masks.append((key, int.from_bytes(key * (size // 4), "little")))
            number = -1
        key, mask = self._masks[number]
        masked = (int.from_bytes(payload, "little") ^ mask).to_bytes(size, "little")
        return b"\x82\xfe%b%b%b" % (size.to_bytes(2, "big"), key, masked)

    def send_bytes(self, data: bytes) -> None:
        """Send a message as it is, for protocols without channels."""
        self._send(_BINARY, data)

    def try_send_bytes(self, data: bytes) -> bool:
        """`send_bytes` of a few bytes, if that is possible at once: for the thread that receives."""
        return self._try_send(_BINARY, data)

    def end_channel(self, channel: int) -> None:
        """Say that nothing more comes on a channel (v5)."""
        self._send(_BINARY, bytes((CLOSE, channel)))

    def _send(self, opcode: int, data: bytes) -> None:
        self._connection.write(self._make_frame(data, opcode).format())

    def _try_send(self, opcode: int, data: bytes) -> bool:
        # Never wait here: we are the thread that reads, and the server may be waiting for us to do so.
        return self._connection.try_write(self._make_frame(data, opcode).format())

    # ------------------------------------------------------------- receiving

    def receive(self) -> tuple[int, bytes] | None:
        """The next channel and its data, which may be empty; None when the server has closed.

        Raises:
            ConnectionLostError: the connection broke.
            RequestTimeoutError: the server answers no pings any more.
            DeadlineExceededError: the deadline passed.
            CancelledError: the call was cancelled.
            ClosedError: it is closed.
            DecodeError: what came is no WebSocket's frame.
        """
        while (frame := self._next_frame()) is not None:
            data: bytes = frame.data
            if frame.opcode != _CONTINUATION:
                self._channel, data = (data[0], data[1:]) if data else (None, b"")
            if self._channel is not None:
                return self._channel, data
        return None

    def receive_bytes(self) -> bytes | None:
        """The next data, wherever messages begin and end; for protocols without channels. Errors as `receive`."""
        frame = self._next_frame()
        return None if frame is None else bytes(frame.data)

    def _next_frame(self) -> Any:
        """The next frame with data; None when the server has closed."""
        while not self._ended:
            try:
                frame = self._frames.recv_frame()
            except self._protocol_error as error:
                raise DecodeError(f"{self.request.path}: not a WebSocket's frame: {error}") from None
            if frame.opcode == _PING:
                self._try_send(_PONG, frame.data)
            elif frame.opcode == _CLOSING:
                self._ended = True
                self.close_reason = _close_reason(frame.data)
            elif frame.opcode in {_BINARY, _TEXT, _CONTINUATION}:
                return frame
        return None

    def _recv(self, size: int) -> bytes:
        """Up to ``size`` bytes, for the frames."""
        if self._offset >= len(self._buffer):
            self._buffer, self._offset = self._heard(), 0
        data = self._buffer[self._offset : self._offset + size]
        self._offset += len(data)
        return data

    def _heard(self) -> bytes:
        while True:
            data = self._connection.read(timeout=PING_EVERY)
            if data:
                self._last_heard, self._pinged = time.monotonic(), False
                return data
            if data is not None:
                raise ConnectionLostError(
                    "the server closed the connection without a word",
                    method=self.request.method,
                    url=self.request.path,
                    response_started=True,
                )
            self._ask()

    def _ask(self) -> None:
        silent = time.monotonic() - self._last_heard
        if self._pinged and silent > PONG_WITHIN:
            raise RequestTimeoutError(
                f"the server has answered no ping for {silent:.0f} s; is it, or the network to it, still up?",
                method=self.request.method,
                url=self.request.path,
            )
        if self._try_send(_PING, b""):
            self._pinged = True

    # ------------------------------------------------------------- life

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._connection.closed

    def is_quiet(self) -> bool:
        """Whether the connection stands, as far as can be seen without waiting, and nothing has come since."""
        if self._ended or self.closed or self._offset < len(self._buffer):
            return False
        try:
            return self._connection.read(timeout=0) is None
        except DynkubeError:
            return False

    def close(self) -> None:
        """Close the connection, from any thread and any number of times."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<WebSocket {self.protocol} {self.request.path} {'closed' if self.closed else 'open'}>"


_KEYS = 8
_CONTINUATION, _TEXT, _BINARY, _CLOSING, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA  # RFC 6455 11.8


def _close_reason(data: bytes) -> str:
    if len(data) < 2:
        return ""
    code = struct.unpack("!H", data[:2])[0]
    said = data[2:].decode("utf-8", "replace")
    return said or ("" if code == 1000 else f"close code {code}")


def _frames(module: Any, recv: Any) -> Any:
    """websocket-client's reader of frames, with a limit to what one may announce."""
    frames = module.frame_buffer(recv, True)  # no check of UTF-8: the data is bytes
    read_length = frames.recv_length

    def recv_length() -> None:
        read_length()
        if frames.length > _MAX_FRAME:
            raise FrameTooLargeError(f"a WebSocket's frame of {frames.length} bytes is above the limit of {_MAX_FRAME}")

    frames.recv_length = recv_length
    return frames
