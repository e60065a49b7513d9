"""exec and attach over WebSocket, as kube-apiserver and a kubelet together serve them.

v5 ends at the API server, which translates (AS/util/proxy/streamtranslator.go, websocket.go); all older dialects go
through to the kubelet (cri-streaming/pkg/streaming/remotecommand). So their refusals and statuses differ.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from dynkube.testing.apiserver.streaming.channels import Channels, Sink
from dynkube.testing.apiserver.streaming.handlers import Pods
from dynkube.testing.apiserver.streaming.handshakes import (
    Handshake,
    is_websocket,
    plain_refusal,
    protocols_of,
    shake_hands,
)
from dynkube.testing.apiserver.streaming.pipes import Inlet, Outlet, in_thread
from dynkube.testing.apiserver.streaming.sessions import CommandHandler, ContainerSession, Output
from dynkube.testing.apiserver.words.messages import Request, Response, Wire

__all__ = ["CommandOptions", "serve_command"]

_logger = logging.getLogger("dynkube.testing.apiserver")

_V5: Final = "v5.channel.k8s.io"
_V4: Final = frozenset({"v4.channel.k8s.io", "v4.base64.channel.k8s.io"})
_OLDER: Final = frozenset({"", "channel.k8s.io", "base64.channel.k8s.io", *_V4})
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE = range(5)
_CHANNELS: Final = 5
# 128 + SIGKILL.
_KILLED: Final = 137
_NO_STREAMS: Final = "you must specify at least 1 of stdin, stdout, stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOptions:
    """What an exec or attach asks for (PodExecOptions, PodAttachOptions), and where."""

    subresource: str
    namespace: str
    pod: str
    container: str
    user: str
    command: Sequence[str] = ()
    streams: frozenset[str] = frozenset()
    tty: bool = False


def serve_command(request: Request, options: CommandOptions, handler: CommandHandler | None, pods: Pods) -> Response:
    """Answer a request that wants to upgrade.

    Args:
        request: The request.
        options: What it asks for.
        handler: Does it; None where the container does not run.
        pods: Tells when the pod goes.
    """
    is_v5 = is_websocket(request) and _V5 in protocols_of(request)
    if not is_v5:
        refusal = _kubelet_refusal(request, options, handler)
        if refusal is not None:
            return refusal
    agreed = shake_hands(request, {_V5} if is_v5 else _OLDER)
    if isinstance(agreed, Response):
        return agreed

    async def serve(wire: Wire) -> None:
        with pods.lifetime(options.namespace, options.pod) as gone:
            await _Command(wire, agreed, options).serve(handler, gone)

    return agreed.answer(serve)


def _kubelet_refusal(request: Request, options: CommandOptions, handler: CommandHandler | None) -> Response | None:
    """What the kubelet says before it upgrades."""
    if handler is None:
        return plain_refusal(404, _not_found(options))
    if not options.streams:
        return plain_refusal(400, _NO_STREAMS)
    if is_websocket(request):
        return None
    if not request.headers.get("X-Stream-Protocol-Version"):
        # As the kubelet gets it: whom it is forwarded for is added, and a User-Agent where there is none.
        names = {name.lower() for name, _ in request.headers} - {"host", "content-length", "authorization"}
        count = len(names | {"x-forwarded-for", "user-agent"})
        missing = f"header X-Stream-Protocol-Version does not exist in request with {count} headers"
        return plain_refusal(400, f"unable to upgrade: {missing}")
    return plain_refusal(400, "unable to upgrade: the embedded API server speaks WebSocket, and no SPDY")


def _not_found(options: CommandOptions) -> str:
    # KUBE/pkg/kubelet/kubelet_pods.go, GetExec
    return f'container not found ("{options.container}")'


class _Command:
    """One connection.

    Args:
        wire: The upgraded connection.
        agreed: How it was upgraded.
        options: What is asked for.
    """

    def __init__(self, wire: Wire, agreed: Handshake, options: CommandOptions) -> None:
        self._protocol = agreed.protocol
        self._options = options
        self._stdin = Inlet()
        self._sizes = ""
        sinks: dict[int, Sink] = {}
        if "stdin" in options.streams:
            sinks[_STDIN] = self._stdin.feed
        else:
            self._stdin.end()
        if options.tty:
            sinks[_RESIZE] = self._resize
        self._channels = Channels(wire, agreed.protocol, sinks, count=_CHANNELS)
        self._session = self._make_session()

    def _make_session(self) -> ContainerSession:
        options = self._options
        stdout = self._outlet("stdout", _STDOUT)
        return ContainerSession(
            namespace=options.namespace,
            pod=options.pod,
            container=options.container,
            command=options.command,
            user=options.user,
            streams=options.streams,
            tty=options.tty,
            stdin=cast("BinaryIO", io.BufferedReader(self._stdin)),
            stdout=stdout,
            # A terminal has one output.
            stderr=stdout if options.tty else self._outlet("stderr", _STDERR),
        )

    def _outlet(self, stream: str, channel: int) -> Output:
        if stream not in self._options.streams:
            return Outlet(_nowhere)
        return Outlet(lambda data: self._channels.send(channel, data))

    async def _resize(self, data: bytes) -> None:
        """Sizes come as JSON documents, one after the other."""
        self._sizes += data.decode("utf-8", "replace")
        decoder = json.JSONDecoder()
        while rest := self._sizes.lstrip():
            try:
                size, end = decoder.raw_decode(rest)
            except ValueError:
                return  # its rest is to come
            self._sizes = rest[end:]
            if isinstance(size, dict):
                self._session.resize(_number(size, "Width"), _number(size, "Height"))

    async def serve(self, handler: CommandHandler | None, gone: asyncio.Future[None]) -> None:
        """Run the handler, and tell how it went; ``gone`` is done when the pod goes."""
        streams = self._options.streams
        lowest = _STDOUT if "stdout" in streams else _STDERR if "stderr" in streams else _ERROR
        await self._channels.send(lowest, b"")
        problem = _NO_STREAMS if not streams else _not_found(self._options) if handler is None else ""
        receiving = asyncio.ensure_future(self._channels.receive())
        try:
            if problem or handler is None:
                await self._tell(_internal_error(f"unable to upgrade connection: {problem}"))
            else:
                await self._run(handler, receiving, gone)
            await self._channels.close()
        finally:
            receiving.cancel()
            self._stdin.end()
            self._session.hang_up()

    async def _run(self, handler: CommandHandler, *ends: asyncio.Future[Any]) -> None:
        name = f"{self._options.subresource} {self._options.pod}"
        running: asyncio.Future[Any] = in_thread(lambda: handler(self._session), name)
        await asyncio.wait({running, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await self._tell(self._outcome(running))
            return
        # The pod or the client has gone; nobody is told how the handler ends.
        _, gone = ends
        if gone.done():
            await self._tell(_exited(_KILLED) if self._options.subresource == "exec" else {"status": "Success"})

    def _outcome(self, running: asyncio.Future[int | None]) -> dict[str, Any]:
        error = running.exception()
        if error is None:
            code = running.result() if self._options.subresource == "exec" else 0
            return _exited(code) if code else {"status": "Success"}
        # What a runtime could say is meant so; anything else is a mistake that its author wants to see.
        level = logging.DEBUG if isinstance(error, (RuntimeError, OSError)) else logging.WARNING
        _logger.log(level, "%r: the handler failed", self._session, exc_info=error)
        doing = "executing command in" if self._options.subresource == "exec" else "attaching to"
        problem = f"error {doing} container: {str(error) or type(error).__name__}"
        status = _internal_error(problem)
        if self._protocol != _V5:
            del status["details"]
            return status
        # The API server makes one of its own of it.
        return _internal_error(status["message"])

    async def _tell(self, status: dict[str, Any]) -> None:
        if self._protocol == _V5:
            text = _compact({"metadata": {}, **status})
        elif self._protocol in _V4:
            text = _compact(status)
        else:
            text = status.get("message", "")
        if text:
            await self._channels.send(_ERROR, text.encode())


async def _nowhere(_: bytes) -> None:
    """For output that was not asked for."""


def _number(size: dict[str, Any], name: str) -> int:
    value = size.get(name, 0)
    return value if isinstance(value, int) else 0


_compact: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _exited(code: int) -> dict[str, Any]:
    return {
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _internal_error(problem: str) -> dict[str, Any]:
    return {
        "status": "Failure",
        "message": f"Internal error occurred: {problem}",
        "reason": "InternalError",
        "details": {"causes": [{"message": problem}]},
        "code": 500,
    }
