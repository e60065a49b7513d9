"""WebSocket by hand, so that a case can look past every client at the frames: RFC 6455, the client's side."""

from __future__ import annotations

import base64
import json
import os
import ssl
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from raw import RawClient

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Handshake:
    """What a server answered to the wish to speak WebSocket."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def protocol(self) -> str:
        """The subprotocol that was chosen; "" for none."""
        return self.headers.get("sec-websocket-protocol", "")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Conversation:
    """All that a server said until it closed."""

    channels: dict[int, bytes] = field(default_factory=dict)
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    close_code: int | None = None

    @property
    def stdout(self) -> bytes:
        return self.channels.get(1, b"")

    @property
    def stderr(self) -> bytes:
        return self.channels.get(2, b"")

    @property
    def status(self) -> Any:
        """The Status of the error channel, decoded."""
        return json.loads(self.channels[3])


class RawSocket:
    """One WebSocket connection, made with the credentials of a `RawClient`; ``handshake`` tells how it went."""

    def __init__(
        self, client: RawClient, path: str, protocols: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self._socket = client.dial()
        self._read = bytearray()
        fields = {
            "Host": "localhost",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        if protocols:
            fields["Sec-WebSocket-Protocol"] = ", ".join(protocols)
        fields |= {**client.credentials, **(headers or {})}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.handshake = self._answer()

    def __enter__(self) -> RawSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    # ------------------------------------------------------------------ messages

    def send(self, channel: int, data: bytes = b"", opcode: int = BINARY) -> None:
        """One message to a channel."""
        self.frame(opcode, bytes([channel]) + data)

    def close_channel(self, channel: int) -> None:
        """The half-close of v5."""
        self.frame(BINARY, bytes([255, channel]))

    def frame(self, opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True) -> None:
        """One frame, as it is."""
        size, bit = len(payload), 0x80 if masked else 0
        head = bytes([(0x80 if final else 0) | opcode])
        if size < 126:
            head += bytes([bit | size])
        elif size < 2**16:
            head += bytes([bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", size)
        self._socket.sendall(head + (bytes(4) if masked else b"") + payload)

    def receive(self) -> tuple[int, bytes] | None:
        """The next frame: opcode and payload; None at the end of the connection."""
        head = self._take(2)
        if head is None:
            return None
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self._take(2) or b"")
        elif size == 127:
            (size,) = struct.unpack(">Q", self._take(8) or b"")
        payload = self._take(size)
        return None if payload is None else (head[0] & 0x0F, payload)

    def conversation(self) -> Conversation:
        """Read until the server closes; each message's first byte is its channel."""
        told = Conversation()
        while True:
            frame = self.receive()
            if frame is None:
                return told
            opcode, payload = frame
            if opcode == CLOSE:
                # The reason comes first; that the connection is closed then, is told too.
                told.close_code = told.close_code or (struct.unpack(">H", payload[:2])[0] if payload else None)
            elif opcode in (TEXT, BINARY):
                told.messages.append((opcode, payload))
                if payload:
                    told.channels[payload[0]] = told.channels.get(payload[0], b"") + payload[1:]

    def until(self, channel: int, wanted: bytes) -> bytes:
        """What a channel says until it has said ``wanted``."""
        said = b""
        while wanted not in said:
            frame = self.receive()
            assert frame, f"the server closed after {said!r}"
            assert frame[0] != CLOSE, f"the server closed after {said!r}"
            if frame[1][:1] == bytes([channel]):
                said += frame[1][1:]
        return said

    # ------------------------------------------------------------------ bytes

    def _take(self, count: int) -> bytes | None:
        while len(self._read) < count:
            try:
                more = self._socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not more:
                return None
            self._read += more
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def _answer(self) -> Handshake:
        while b"\r\n\r\n" not in self._read:
            more = self._socket.recv(65536)
            assert more, "the server closed amid the handshake"
            self._read += more
        head, _, rest = bytes(self._read).partition(b"\r\n\r\n")
        self._read[:] = rest
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split()[1])
        fields = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        return Handshake(status, headers, b"" if status == 101 else self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "content-length" in headers:
            return self._take(int(headers["content-length"])) or b""
        while True:
            try:
                more = self._socket.recv(65536)
            except (ConnectionError, ssl.SSLError, TimeoutError):
                break
            if not more:
                break
            self._read += more
        return bytes(self._read)
