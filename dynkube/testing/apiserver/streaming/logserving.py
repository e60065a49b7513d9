"""pods/log, as kube-apiserver and a kubelet together serve it: a text that may go on, over HTTP or WebSocket.

AS/registry/generic/rest/streamer.go, AS/endpoints/handlers/responsewriters/writers.go (StreamObject).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress

from dynkube.testing.apiserver.streaming.containerlogs import ContainerLog, read, text_log
from dynkube.testing.apiserver.streaming.frames import BINARY, TEXT, FrameError, encode_frame
from dynkube.testing.apiserver.streaming.handshakes import is_websocket, shake_hands
from dynkube.testing.apiserver.streaming.pipes import in_thread
from dynkube.testing.apiserver.streaming.sessions import LogHandler, LogRequest
from dynkube.testing.apiserver.streaming.websockets import close, messages
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Request, Response, Wire

__all__ = ["serve_log"]

_PROTOCOLS = frozenset({"", "binary.k8s.io", "base64.binary.k8s.io"})


def serve_log(request: Request, wanted: LogRequest, source: ContainerLog | LogHandler) -> Response:
    """Answer, in time: a function may take its own.

    Raises:
        StatusError: 400, there is no earlier run.
    """
    if isinstance(source, ContainerLog):
        run = source.run(previous=wanted.previous)
        if run is None:
            problem = f'previous terminated container "{wanted.container}" in pod "{wanted.pod}" not found'
            raise statuses.bad_request(problem)
        return _response(request, read(run, wanted))
    handler = source

    async def later() -> Response:
        return _response(request, await _handled(handler, wanted))

    return Response(status=0, deferred=later)


def _response(request: Request, pieces: AsyncIterator[bytes]) -> Response:
    if not is_websocket(request):
        headers = [("Content-Type", "text/plain")]
        return Response(status=200, headers=headers, body=pieces, compressible=False)
    agreed = shake_hands(request, _PROTOCOLS)
    if isinstance(agreed, Response):
        return agreed
    return agreed.answer(lambda wire: _over_websocket(wire, pieces, is_base64="base64" in agreed.protocol))


async def _handled(handler: LogHandler, wanted: LogRequest) -> AsyncIterator[bytes]:
    """What a function gives.

    Raises:
        StatusError: 500, it failed.
    """
    name = f"log {wanted.pod}"
    try:
        found = await in_thread(lambda: handler(wanted), name)
    except Exception as error:
        raise statuses.internal_error(str(error) or type(error).__name__) from error
    if isinstance(found, (str, bytes)):
        return read(text_log(found), wanted)
    return _iterated(iter(found), name)


async def _iterated(pieces: Iterator[str | bytes], name: str) -> AsyncIterator[bytes]:
    """What an iterable gives, one by one: the next is asked for when the client has taken the last."""
    end = object()
    try:
        while (piece := await in_thread(lambda: next(pieces, end), name)) is not end:
            if piece:
                yield piece.encode() if isinstance(piece, str) else piece  # type: ignore[misc]
    finally:
        _close(pieces)


def _close(pieces: Iterable[str | bytes]) -> None:
    closing: Callable[[], None] | None = getattr(pieces, "close", None)
    if closing is not None:
        with suppress(ValueError):  # a generator that is at work in its thread; its end closes it
            closing()


async def _over_websocket(wire: Wire, pieces: AsyncIterator[bytes], *, is_base64: bool) -> None:
    """Each piece is a message; an empty one comes first, so that the client knows that it is connected."""

    async def send(data: bytes) -> None:
        frame = encode_frame(TEXT, base64.b64encode(data)) if is_base64 else encode_frame(BINARY, data)
        await wire.write(frame)

    async def copy() -> None:
        await send(b"")
        async for piece in pieces:
            await send(piece)

    copying, leaving = asyncio.ensure_future(copy()), asyncio.ensure_future(_until_closed(wire))
    try:
        await asyncio.wait({copying, leaving}, return_when=asyncio.FIRST_COMPLETED)
        await close(wire)
    finally:
        copying.cancel()
        leaving.cancel()


async def _until_closed(wire: Wire) -> None:
    """Return when the client has closed; what it sends else does not count."""
    with suppress(FrameError):
        async for _ in messages(wire):
            pass
