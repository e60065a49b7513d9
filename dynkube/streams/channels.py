"""The channels of exec, attach and port-forward in a WebSocket, as values: no socket here.

Each binary message is a byte that names its channel, and data. See AM/util/remotecommand/constants.go and
CG/tools/remotecommand/websocket.go (8.1.2-8.1.6 in docs/reference/parity).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.errors import APIStatusError, DecodeError, InvalidRequestError, status_error_class

__all__ = [
    "CLOSE",
    "ERROR",
    "PROTOCOLS",
    "RESIZE",
    "STDERR",
    "STDIN",
    "STDOUT",
    "V4",
    "V5",
    "exit_code_of",
    "resize_message",
    "stream_query",
]

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
CLOSE = 255
"""Its data is the channel that its sender will write no more to; v5 only."""

V5 = "v5.channel.k8s.io"
V4 = "v4.channel.k8s.io"
PROTOCOLS = (V5, V4)
"""What we offer, best first. v4, for servers before 1.29, has no end of stdin."""


def resize_message(width: int, height: int) -> bytes:
    """A terminal's size.

    >>> resize_message(80, 24)
    b'{"Width":80,"Height":24}'
    """
    for name, value in (("width", width), ("height", height)):
        if type(value) is not int or not 0 < value < 1 << 16:
            raise InvalidRequestError(f"{name}: want a number of characters from 1 to 65535, got {value!r}")
    return json.dumps({"Width": width, "Height": height}, separators=(",", ":")).encode()


def exit_code_of(message: bytes, *, method: str = "GET", path: str = "") -> int:
    """What the error channel says at the end: the exit code of the command.

    Args:
        message: one JSON ``Status``.
        method: of the request, for the error.
        path: likewise.

    Raises:
        APIStatusError: the command was not run to its end; the server's own words.
        DecodeError: it is no Status.

    >>> exit_code_of(b'{"status":"Success"}')
    0
    >>> exit_code_of(b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode",'
    ...              b'"message":"7"}]}}')
    7
    """
    try:
        status = json.loads(message)
    except ValueError as error:
        raise DecodeError(f"error channel: want a Status in JSON, got {message[:100]!r}") from error
    if not isinstance(status, dict):
        raise DecodeError(f"error channel: want a Status in JSON, got {message[:100]!r}")
    if status.get("status") == "Success":
        return 0
    if status.get("reason") == "NonZeroExitCode":
        return _exit_code(status)
    said = APIStatusError(status)
    kind = status_error_class(said.reason, said.code)
    raise kind(status, http_status=200, method=method, path=path, hint=_hint(status))


def _exit_code(status: Mapping[str, Any]) -> int:
    for cause in APIStatusError(status).causes:
        if cause.reason == "ExitCode":
            try:
                return int(cause.message)
            except ValueError:
                break
    raise DecodeError(f"error channel: NonZeroExitCode without the code: {status!r}")


def _hint(status: Mapping[str, Any]) -> str:
    message = str(status.get("message"))
    if "executable file not found" in message or "no such file or directory" in message:
        return "is the command in the container's image, and on its PATH?"
    return ""


def stream_query(
    *, container: str, command: Sequence[str] = (), stdin: bool, stdout: bool, stderr: bool, tty: bool
) -> tuple[tuple[str, str], ...]:
    """The parameters of an exec or attach request, in the order in which Go writes them.

    Raises:
        InvalidRequestError: none of the three streams is wanted.
    """
    if not (stdin or stdout or stderr):
        raise InvalidRequestError("stdin, stdout, stderr: want at least one of them (the server would refuse none)")
    flags = {"stdin": stdin, "stdout": stdout, "stderr": stderr and not tty, "tty": tty}
    pairs = [("command", each) for each in command]
    pairs.append(("container", container))
    pairs += [(name, "true") for name, wanted in flags.items() if wanted]
    return tuple(sorted(pairs, key=lambda pair: pair[0]))
