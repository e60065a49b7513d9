"""WebSockets against a server that says anything: handshakes, frames, the older protocol, silence."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from plugins import Plugins, credential
from scripted import CLOSE, HALF_CLOSE, HOLD, RESET, Request, ScriptedServer, Step, json_response

import dynkube
from dynkube import streams
from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import (
    BadRequestError,
    ConfigError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    DynkubeError,
    ForbiddenError,
    FrameTooLargeError,
    RequestTimeoutError,
    UpgradeError,
)
from dynkube.streams import podconnections, websocket

POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c"}]},
    "status": {"phase": "Running"},
}
SUCCESS = b'\x03{"status":"Success"}'
GOODBYE = b"\x88\x02\x03\xe8"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload: bytes, opcode: int = 2, *, final: bool = True) -> bytes:
    first = (0x80 if final else 0) | opcode
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    return bytes((first, 126)) + struct.pack("!H", len(payload)) + payload


def switch(request: Request, protocol: str = V5, **changed: str) -> bytes:
    key = request.header("Sec-WebSocket-Key")[0].encode()
    accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode()
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accept,
        "Sec-WebSocket-Protocol": protocol,
    }
    headers.update({name.replace("_", "-"): value for name, value in changed.items()})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(tls=True) as server:
        yield server


@pytest.fixture
def pods(server: ScriptedServer) -> Iterator[dynkube.ResourceHandle]:
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), bearer_token="secret-token")
    with dynkube.DynamicClient(config) as client:
        yield client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace("n")


def answering(server: ScriptedServer, *steps: Step, protocol: str = V5, **changed: str) -> None:
    """The pod for whoever reads it, and these steps after the handshake."""

    def answer(request: Request) -> object:
        if "/exec?" not in request.target:
            return json_response(POD)
        return [switch(request, protocol, **changed), *steps]

    server.on(answer)


def run(pods: dynkube.ResourceHandle, timeout: float = 30, **options: object) -> streams.ExecResult:
    return streams.exec_command(pods, "p", ["x"], timeout=timeout, **options)


# ---------------------------------------------------------------------- the handshake


@pytest.mark.behaviour("8.1.1")
def test_both_protocols_are_offered_with_our_credentials(server, pods):
    answering(server, frame(SUCCESS), GOODBYE)
    assert run(pods).exit_code == 0
    asked = server.requests[-1]
    assert asked.target == "/api/v1/namespaces/n/pods/p/exec?command=x&container=c&stderr=true&stdout=true"
    assert asked.header("Sec-WebSocket-Protocol") == ["v5.channel.k8s.io, v4.channel.k8s.io"]
    assert (asked.header("Upgrade"), asked.header("Sec-WebSocket-Version")) == (["websocket"], ["13"])
    assert asked.header("Authorization") == ["Bearer secret-token"]
    assert asked.header("User-Agent")[0].startswith("dynkube/")
    assert asked.connection == 2  # never one that was used before


@pytest.mark.behaviour("8.1.1", "8.1.9")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Sec_WebSocket_Accept": "bm9uc2Vuc2U="}, "another protocol than WebSocket"),
        ({"Upgrade": "SPDY/3.1"}, "another protocol than WebSocket"),
        ({"Sec_WebSocket_Protocol": ""}, "chose the subprotocol ''"),
        ({"Sec_WebSocket_Protocol": "channel.k8s.io"}, "chose the subprotocol 'channel.k8s.io'"),
    ],
)
def test_a_handshake_that_is_none_is_told(server, pods, changed, words):
    answering(server, HOLD, **changed)
    with pytest.raises(UpgradeError, match=words):
        run(pods)


@pytest.mark.behaviour("8.1.8")
def test_a_refused_upgrade_is_the_servers_own_status(server, pods):
    refusal = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "not you"}
    server.on(lambda request: json_response(refusal, status=403) if "/exec?" in request.target else json_response(POD))
    with pytest.raises(ForbiddenError, match=r"not you.*the role must allow create"):
        run(pods)
    server.on(lambda request: json_response(POD))
    with pytest.raises(UpgradeError, match="answered 200 instead of switching protocols"):
        run(pods)


def test_what_is_wrong_is_told_before_anything_is_sent(server, pods):
    for command in ([], "ls -l", [""], [1]):
        with pytest.raises(dynkube.InvalidRequestError, match="command: want a list of words"):
            streams.exec_command(pods, "p", command)
    with pytest.raises(dynkube.InvalidRequestError, match="not both"):
        run(pods, input=b"", stdin=io.BytesIO())
    with pytest.raises(dynkube.InvalidRequestError, match="at least one of them"):
        streams.exec_process(pods, "p", ["x"], stdout=False, stderr=False)
    with pytest.raises(dynkube.InvalidRequestError, match=r"no namespace; say which: .namespace"):
        streams.exec_command(pods.namespace(""), "p", ["x"])
    assert not server.requests


def test_a_missing_extra_is_named(server, pods, monkeypatch):
    monkeypatch.setitem(sys.modules, "websocket", None)
    for call in (lambda: run(pods), lambda: streams.port_forward(pods, "p", 1), lambda: streams.attach(pods, "p")):
        with pytest.raises(ConfigError, match=r"pip install 'dynkube\[exec\]'"):
            call()
    assert not server.requests


def test_a_refused_token_of_a_plugin_is_renewed_for_the_upgrade_too(server, tmp_path):
    plugin = Plugins(tmp_path).make("token").gives(credential(token="old"))

    def answer(request: Request) -> object:
        if "/exec?" not in request.target:
            return json_response(POD)
        if request.header("Authorization") != ["Bearer new"]:
            plugin.gives(credential(token="new"))
            return json_response({"kind": "Status", "status": "Failure", "reason": "Unauthorized", "code": 401}, 401)
        return [switch(request), frame(SUCCESS), GOODBYE]

    server.on(answer)
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), exec=plugin.exec())
    with dynkube.DynamicClient(config) as client:
        pods = client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace("n")
        assert run(pods).exit_code == 0
    assert [each.header("Authorization")[0] for each in server.requests] == ["Bearer old", "Bearer old", "Bearer new"]


# ---------------------------------------------------------------------- frames


@pytest.mark.behaviour("8.1.2", "8.1.7")
def test_empty_fragmented_and_unknown_messages_are_taken_as_they_come(server, pods):
    answering(
        server,
        frame(b"\x01") + frame(b"\x02"),
        frame(b"\x01on", final=False) + frame(b"e ", 0, final=False) + frame(b"two", 0),
        frame(b"\x09unknown") + frame(b""),
        frame(b"?", 9) + frame(b"!", 10),
        frame(b"\x02err"),
        frame(SUCCESS) + GOODBYE,
    )
    result = run(pods)
    assert (result.stdout, result.stderr, result.exit_code) == (b"one two", b"err", 0)


@pytest.mark.parametrize(
    ("steps", "error", "words"),
    [
        ([b"\xf2\x01\x01"], DecodeError, "not a WebSocket's frame"),
        ([b"\x82\x7f\x00\x00\x00\xff\x00\x00\x00\x00"], FrameTooLargeError, "above the limit"),
        ([frame(b"\x03nonsense"), GOODBYE], DecodeError, "error channel: want a Status"),
        ([frame(b"\x01out"), GOODBYE], ConnectionLostError, "without a word how"),
        ([frame(b"\x01out"), frame(struct.pack("!H", 1011) + b"tired", 8)], ConnectionLostError, "how: tired"),
        ([frame(b"\x01out"), CLOSE], ConnectionLostError, "the server closed the connection"),
        ([frame(b"\x01out"), frame(b"\x01more")[:1], CLOSE], ConnectionLostError, "the server closed the connection"),
        ([frame(b"\x01out"), frame(b"\x01more")[:4], RESET], ConnectionLostError, "connection"),
        ([frame(b"\x01out"), frame(b"\x01more")[:4], HALF_CLOSE], ConnectionLostError, "closed the connection"),
    ],
)
@pytest.mark.behaviour("8.1.4")
def test_what_ends_badly_is_a_typed_error_with_the_output_so_far(server, pods, steps, error, words):
    answering(server, *steps)
    with pytest.raises(error, match=words) as caught:
        run(pods)
    assert caught.value.partial.stdout in {b"", b"out"}


def test_once_the_status_is_there_a_lost_connection_is_no_error(server, pods):
    answering(server, frame(SUCCESS), CLOSE)
    assert run(pods).exit_code == 0


@pytest.mark.behaviour("8.1.7")
def test_a_server_that_answers_no_ping_is_given_up(server, pods, monkeypatch):
    monkeypatch.setattr(websocket, "PING_EVERY", 0.05)
    monkeypatch.setattr(websocket, "PONG_WITHIN", 0.2)
    answering(server, frame(b"\x01out"), HOLD)
    with pytest.raises(RequestTimeoutError, match="answered no ping") as caught:
        run(pods)
    assert caught.value.partial.stdout == b"out"


# ---------------------------------------------------------------------- the older protocol


@pytest.mark.behaviour("8.1.1", "8.1.3")
def test_the_older_protocol_has_no_end_of_stdin(server, pods, caplog, monkeypatch):
    said = threading.Event()
    answering(server, said, frame(SUCCESS), GOODBYE, protocol=V4)
    monkeypatch.setattr(caplog.handler, "emit", _then(caplog.handler.emit, said.set))
    assert run(pods, input=b"data").exit_code == 0
    assert "has no end of stdin" in caplog.text


def _then(first: Callable[..., None], then: Callable[[], None]) -> Callable[..., None]:
    def both(record: object) -> None:
        first(record)
        then()

    return both


def test_any_bytes_after_the_handshake_are_frames_or_an_error_of_ours(server, pods):
    for noise in (
        b"\x00" * 50,
        b"\xff" * 50,
        bytes(range(100)),
        b"HTTP/1.1 500 Oops\r\n\r\n",
        b"\x82\x05\x03{}",
        b"\x88\x01\x00",
    ):
        answering(server, noise, CLOSE)
        with pytest.raises(DynkubeError):
            run(pods)


def test_a_status_in_pieces_is_put_together(server, pods):
    status = json.dumps({"status": "Failure", "reason": "BadRequest", "code": 400, "message": "no"}).encode()
    answering(server, frame(b"\x03" + status[:10]), frame(b"\x03" + status[10:]), GOODBYE)
    with pytest.raises(BadRequestError, match="no"):
        run(pods)


def test_the_deadline_holds_while_the_handshake_is_waited_for(server, pods):
    server.on(lambda request: [HOLD] if "/exec?" in request.target else json_response(POD))
    with pytest.raises(DeadlineExceededError):
        run(pods, timeout=1)


# ---------------------------------------------------------------------- forwarded ports over the older channels


def forwarding(server: ScriptedServer, *steps: Step) -> None:
    def answer(request: Request) -> object:
        if "/portforward" not in request.target:
            return json_response(POD)
        if "v4.channel" not in request.header("Sec-WebSocket-Protocol")[0]:  # the tunnel in advance
            return json_response({"kind": "Status", "status": "Failure", "code": 403}, status=403)
        return [switch(request, V4), frame(b"\x00\x50"), frame(b"\x00\x00"), frame(b"\x01\x50\x00"), *steps]

    server.on(answer)


def said_by(forward: streams.PortForward) -> bytes:
    with socket.create_connection(("127.0.0.1", forward.local_port), timeout=30) as local:
        local.shutdown(socket.SHUT_WR)
        found = b""
        while data := local.recv(100):
            found += data
    return found


@pytest.mark.behaviour("8.2.4")
def test_each_channel_begins_with_its_port(server, pods):
    forwarding(server, frame(b"\x00hel"), frame(b"\x00lo"), GOODBYE)
    with streams.port_forward(pods, "p", 80, timeout=30) as forward:
        assert said_by(forward) == b"hello"
    asked = [each for each in server.requests if "?ports=80" in each.target]
    assert asked[0].header("Sec-WebSocket-Protocol") == ["SPDY/3.1+portforward.k8s.io, v4.channel.k8s.io"]


@pytest.mark.behaviour("8.2.4", "8.2.5")
def test_what_the_second_channel_says_is_the_error(server, pods):
    told: list[Exception] = []
    forwarding(server, frame(b"\x01nobody "), frame(b"\x01there"), GOODBYE)
    with streams.port_forward(pods, "p", 80, timeout=30, on_error=told.append) as forward:
        assert said_by(forward) == b""
    assert [str(each) for each in told] == ["nobody there"]


@pytest.mark.behaviour("8.2.4")
def test_silence_after_the_end_of_our_side_ends_a_connection_over_channels(server, pods, monkeypatch):
    monkeypatch.setattr(podconnections, "QUIET_AFTER_END", 0.1)
    forwarding(server, frame(b"\x00last words"), HOLD)
    with streams.port_forward(pods, "p", 80, timeout=30) as forward:
        assert said_by(forward) == b"last words"
