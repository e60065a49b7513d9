"""Certificate, key and CA files that are replaced under a running client."""

from __future__ import annotations

import threading

import certs
import pytest
from scripted import HOLD, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.dynamic import DynamicClient
from dynkube.errors import ConfigError, ConnectionLostError, TLSError
from dynkube.observers import Observer
from dynkube.rest import RESTClient
from dynkube.schema import GroupVersionResource
from dynkube.transport import Transport, tlsfiles
from dynkube.wire.messages import Request

GET = Request("GET", "/api")
WATCH = Request("GET", "/api/v1/pods", (("watch", "1"),), verb="watch")
CLIENTS = certs.authority("clients").certificate


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Rotations(Observer):
    def __init__(self):
        self.seen = []

    def on_rotation(self, rotation):
        self.seen.append(rotation.what)
        self.host = rotation.host


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rotations():
    return Rotations()


@pytest.fixture
def server():
    with ScriptedServer(tls=True, client_ca=CLIENTS) as server:
        server.on(lambda request: json_response({}))
        yield server


@pytest.fixture
def files(tmp_path, server):
    paths = {name: tmp_path / name for name in ("ca", "cert", "key")}
    paths["ca"].write_bytes(server.ca_data)

    def identify(user):
        pair = certs.client(user)
        paths["cert"].write_bytes(pair.certificate)
        paths["key"].write_bytes(pair.key)

    identify("jane")
    paths["identify"] = identify
    return paths


@pytest.fixture
def transport(server, files, clock, rotations):
    tls = TLSConfig(ca_file=files["ca"], cert_file=files["cert"], key_file=files["key"])
    with Transport(RESTConfig(host=server.url, tls=tls, observers=(rotations,)), clock=clock) as transport:
        yield transport


def users(server):
    return [request.peer.removeprefix("CN=") for request in server.requests]


@pytest.mark.behaviour("2.1.4")
def test_a_new_client_certificate_is_shown_a_second_later(server, files, transport, clock, rotations):
    transport.send(GET)
    files["identify"]("john")
    transport.send(GET)
    assert users(server) == ["jane", "jane"]  # not looked at again yet
    clock.now += 1.1
    transport.send(GET)
    assert users(server) == ["jane", "jane", "john"]
    assert server.connection_count == 2
    assert rotations.seen == ["client certificate"]
    assert rotations.host == f"127.0.0.1:{server.port}"


@pytest.mark.behaviour("2.1.4")
def test_files_that_are_written_again_unchanged_close_nothing(server, files, transport, clock, rotations):
    transport.send(GET)
    files["identify"]("jane")
    clock.now += 100
    transport.send(GET)
    assert server.connection_count == 1
    assert rotations.seen == []


@pytest.mark.behaviour("2.1.4")
def test_a_new_client_certificate_ends_the_streams_of_the_old_one(server, files, transport, clock):
    server.stream(b"one", HOLD)
    with transport.stream(GET) as stream:
        assert stream.read() == b"one"
        files["identify"]("john")
        clock.now += 1.1
        transport.send(GET)
        with pytest.raises(ConnectionLostError):
            stream.read()
    assert users(server) == ["jane", "john"]


@pytest.mark.behaviour("2.1.4")
def test_a_call_under_way_is_not_cut(server, files, transport, clock, in_thread):
    gate = threading.Event()
    server.reply(gate, json_response({"late": True}))
    late = in_thread(transport.send, Request("POST", "/api", body=b"{}"))
    server.wait_for_requests(1)
    files["identify"]("john")
    clock.now += 1.1
    transport.send(GET)
    gate.set()
    assert late().body == b'{"late": true}'
    transport.send(GET)
    assert users(server) == ["jane", "john", "john"]
    server.wait_for_ends(1)  # the connection that showed the old one is not kept


@pytest.mark.behaviour("2.1.4")
def test_a_watch_goes_on_by_itself(server, files, clock):
    tls = TLSConfig(ca_file=files["ca"], cert_file=files["cert"], key_file=files["key"])
    config = RESTConfig(host=server.url, tls=tls)
    transport = Transport(config, clock=clock)
    with RESTClient(config, transport=transport) as rest, DynamicClient(config, rest=rest) as client:

        def event(name, version):
            metadata = f'{{"name":"{name}","namespace":"a","uid":"{name}","resourceVersion":"{version}"}}'
            return f'{{"type":"ADDED","object":{{"kind":"Pod","apiVersion":"v1","metadata":{metadata}}}}}\n'.encode()

        pods = client.resource(GroupVersionResource("", "v1", "pods"))
        server.stream(event("a", 2), HOLD)
        server.stream(event("b", 3), HOLD)
        with pods.watch(resource_version="1") as events:
            assert next(events).object["metadata"]["name"] == "a"
            files["identify"]("john")
            clock.now += tlsfiles.POLL
            transport._rotation.refresh()  # what the poller does
            assert next(events).object["metadata"]["name"] == "b"
    assert users(server) == ["jane", "john"]


@pytest.mark.behaviour("2.1.4")
def test_the_poller_notices_while_nothing_is_sent(server, files, monkeypatch):
    monkeypatch.setattr(tlsfiles, "POLL", 0.05)
    monkeypatch.setattr(tlsfiles, "_POLLER", tlsfiles._Poller())  # no thread that waits for longer already
    tls = TLSConfig(ca_file=files["ca"], cert_file=files["cert"], key_file=files["key"])
    with Transport(RESTConfig(host=server.url, tls=tls)) as transport:
        monkeypatch.setattr(transport._rotation._files, "KEEP", 0.0)
        transport._rotation._files._read_again_at = 0.0
        server.stream(b"one", HOLD)
        with transport.stream(GET) as stream:
            assert stream.read() == b"one"
            files["identify"]("john")
            with pytest.raises(ConnectionLostError):
                stream.read()


def test_the_pollers_thread_ends_with_the_last_transport(server, files, monkeypatch):
    poller = tlsfiles._Poller()
    monkeypatch.setattr(tlsfiles, "_POLLER", poller)
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_file=files["ca"]))
    data = config.copy(tls=TLSConfig(ca_data=server.ca_data))
    with Transport(data):
        assert poller._thread is None  # nothing to look at
    one, other = Transport(config), Transport(config)
    thread = poller._thread
    one.close()
    assert thread.is_alive()
    other.close()
    thread.join(10)
    assert not thread.is_alive()
    with Transport(config):
        assert poller._thread is not thread


@pytest.mark.behaviour("2.1.4", "2.1.5")
@pytest.mark.parametrize("broken", ["half", "garbage", "empty", "gone"])
def test_broken_files_leave_the_last_good_ones_in_use(server, files, transport, clock, caplog, broken):
    transport.send(GET)
    good = files["key"].read_bytes()
    match broken:
        case "half":  # the certificate is new, and the key is not yet
            files["cert"].write_bytes(certs.client("john").certificate)
        case "garbage":
            files["key"].write_bytes(b"no PEM")
        case "empty":
            files["ca"].write_bytes(b"")
        case "gone":
            files["key"].unlink()
    for _ in range(3):
        clock.now += 2
        transport.send(GET)
    assert users(server) == ["jane"] * 4
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    assert "the last good ones stay in use" in caplog.text
    assert good.decode().splitlines()[1] not in caplog.text
    files["ca"].write_bytes(server.ca_data)
    files["identify"]("john")
    clock.now += 2
    transport.send(GET)
    assert users(server)[-1] == "john"


def test_broken_files_are_an_error_at_the_start(server, files):
    files["key"].write_bytes(b"no PEM")
    tls = TLSConfig(ca_file=files["ca"], cert_file=files["cert"], key_file=files["key"])
    with pytest.raises(ConfigError, match=str(files["key"])):
        Transport(RESTConfig(host=server.url, tls=tls))


def test_files_that_a_plain_http_server_has_no_use_for_are_not_read(tmp_path):
    with ScriptedServer() as server:
        server.on(lambda request: json_response({}))
        with Transport(RESTConfig(host=server.url, tls=TLSConfig(ca_file=tmp_path / "gone"))) as transport:
            assert transport.send(GET).status == 200


@pytest.mark.behaviour("2.1.5")
def test_a_new_ca_is_trusted_and_the_old_one_is_not(tmp_path, clock, rotations):
    path = tmp_path / "ca"
    path.write_bytes(certs.authority("somebody else").certificate)
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({}))
        config = RESTConfig(host=server.url, tls=TLSConfig(ca_file=path), observers=(rotations,))
        with Transport(config, clock=clock) as transport:
            with pytest.raises(TLSError):
                transport.send(GET)
            path.write_bytes(server.ca_data)
            clock.now += 1.1
            assert transport.send(GET).status == 200
            path.write_bytes(certs.authority("somebody else").certificate)
            clock.now += 1.1
            with pytest.raises(TLSError):
                transport.send(GET)
    assert rotations.seen == ["certificate authority"] * 2


@pytest.mark.behaviour("2.1.5")
def test_a_new_ca_leaves_streams_alone_and_drops_idle_connections(tmp_path, clock):
    path = tmp_path / "ca"
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({}))
        path.write_bytes(server.ca_data)
        with Transport(RESTConfig(host=server.url, tls=TLSConfig(ca_file=path)), clock=clock) as transport:
            gate = threading.Event()
            server.stream(b"one", gate, b"two", HOLD)
            with transport.stream(GET) as stream:
                assert stream.read() == b"one"
                transport.send(GET)
                path.write_bytes(server.ca_data + certs.authority("somebody else").certificate)
                clock.now += 1.1
                transport.send(GET)
                assert server.connection_count == 3
                gate.set()
                assert stream.read() == b"two"


@pytest.mark.behaviour("2.2.6")
def test_a_token_file_is_read_again_within_a_minute(tmp_path, clock):
    path = tmp_path / "token"
    path.write_text("one\n")
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({}))
        tls = TLSConfig(ca_data=server.ca_data)
        with Transport(RESTConfig(host=server.url, tls=tls, bearer_token_file=path), clock=clock) as transport:
            for text, seconds in (("one", 0), ("two", 51), ("", 51), ("three", 1)):
                path.write_text(text)
                clock.now += seconds
                transport.send(GET)
        sent = [request.header("Authorization")[0] for request in server.requests]
    assert sent == ["Bearer one", "Bearer two", "Bearer two", "Bearer three"]
