"""Clients of one server share connections, and closing one leaves the others alone."""

from __future__ import annotations

import gc

import certs
import pytest
from scripted import HOLD, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import ClosedError
from dynkube.transport import Transport
from dynkube.wire.messages import Request

GET = Request("GET", "/api")


@pytest.fixture
def server():
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({}))
        yield server


@pytest.mark.behaviour("2.1.6")
def test_clients_of_one_configuration_send_over_the_same_connection(server, connect):
    for token in ("one", "one", "two"):
        connect(server, bearer_token=token).send(GET)
    assert server.connection_count == 1
    assert [request.header("Authorization") for request in server.requests] == [
        ["Bearer one"],
        ["Bearer one"],
        ["Bearer two"],
    ]


@pytest.mark.behaviour("2.1.6")
def test_other_certificates_names_and_trust_have_connections_of_their_own(server, connect):
    jane = certs.client("jane")
    for tls in (
        {},
        {"server_name": "localhost"},
        {"cert_data": jane.certificate, "key_data": jane.key},
        {"ca_data": server.ca_data + certs.authority("other").certificate},
    ):
        connect(server, tls=TLSConfig(**{"ca_data": server.ca_data, **tls})).send(GET)
    connect(server, tls=TLSConfig(insecure=True)).send(GET)
    assert server.connection_count == 5


@pytest.mark.behaviour("2.1.6")
def test_a_closed_client_leaves_those_who_share_its_connections_alone(server, connect):
    one, other = connect(server), connect(server)
    one.send(GET)
    one.close()
    with pytest.raises(ClosedError):
        one.send(GET)
    other.send(GET)
    one.close()
    other.send(GET)
    assert server.connection_count == 1
    other.close()
    server.wait_for_ends(1)


@pytest.mark.behaviour("2.1.6")
def test_closing_ends_ones_own_streams_only(server, connect):
    one, other = connect(server), connect(server)
    for _ in range(2):
        server.stream(b"x", HOLD)
    own, others = one.stream(GET), other.stream(GET)
    assert own.read() == others.read() == b"x"
    one.close()
    with pytest.raises(ClosedError):
        own.read()
    server.wait_for_ends(1)
    other.send(GET)
    assert server.connection_count == 3
    others.close()


def test_a_closed_client_closes_everything(server, connect):
    transport = connect(server)
    server.stream(b"x", HOLD)
    stream = transport.stream(GET)
    stream.read()
    transport.send(GET)
    sockets = [conn.sock for conn in transport._rotation.adapter.pool.made]
    assert len(sockets) == 2
    transport.close()
    server.wait_for_ends(2)
    with pytest.raises(ClosedError):
        stream.read()
    assert [sock.fileno() for sock in sockets] == [-1, -1]


def test_a_client_that_is_dropped_keeps_nothing_from_being_closed(server):
    config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data))
    dropped, other = Transport(config), Transport(config)
    dropped.send(GET)
    del dropped
    gc.collect()
    other.close()
    server.wait_for_ends(1)


def test_a_client_after_the_last_one_was_closed_begins_anew(server, connect):
    for number in (1, 2):
        transport = connect(server)
        transport.send(GET)
        transport.close()
        server.wait_for_ends(number)
    assert server.connection_count == 2


def test_insecure_is_warned_of_once(server, connect, caplog):
    for _ in range(3):
        connect(server, tls=TLSConfig(insecure=True)).send(GET)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("dynkube.transport", "WARNING")
    assert "insecure-skip-tls-verify" in record.message


@pytest.mark.behaviour("1.6.5")
@pytest.mark.parametrize("compress", [True, False])
def test_disable_compression_asks_for_none(server, connect, compress):
    connect(server, disable_compression=not compress).send(GET)
    assert server.requests[0].header("Accept-Encoding") == (["gzip"] if compress else [])
