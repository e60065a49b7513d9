"""Middleware around the sending of requests."""

from __future__ import annotations

import pytest
import requests
from scripted import HOLD, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import ConfigError, NotFoundError, RequestTimeoutError
from dynkube.rest import RESTClient
from dynkube.transport import Transport
from dynkube.wire.messages import Request

GET = Request("GET", "/api")


@pytest.fixture
def server():
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({}))
        yield server


@pytest.fixture
def config(server):
    return RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), bearer_token="abc")


def noting(notes, name):
    def wrap(send):
        def noted(request):
            notes.append(f"{name} asks")
            answer = send(request)
            notes.append(f"{name} has {answer.status_code}")
            return answer

        return noted

    return wrap


@pytest.mark.behaviour("2.11.2")
def test_the_last_wrapper_is_the_outermost(config):
    notes = []
    config = config.wrap(noting(notes, "inner")).wrap(noting(notes, "outer"))
    with Transport(config) as transport:
        transport.send(GET)
    assert notes == ["outer asks", "inner asks", "inner has 200", "outer has 200"]


@pytest.mark.behaviour("2.11.2", "2.2.1")
def test_wrappers_come_after_the_credentials_and_may_change_headers(server, config):
    seen = []

    def wrap(send):
        def tagged(request):
            seen.append(request.headers["Authorization"])
            request.headers["X-Trace"] = "7"
            return send(request)

        return tagged

    with Transport(config.wrap(wrap)) as transport:
        transport.send(GET)
    assert seen == ["Bearer abc"]
    assert server.requests[0].header("X-Trace") == ["7"]


@pytest.mark.behaviour("2.11.2")
def test_copies_keep_the_wrappers_and_the_first_configuration_does_not_get_them(server, config):
    notes = []
    wrapped = config.wrap(noting(notes, "w"))
    with RESTClient(wrapped.copy(namespace="shop")) as client, RESTClient(config) as bare:
        bare.execute(GET)
        assert notes == []
        client.execute(GET)
    assert notes == ["w asks", "w has 200"]


def test_a_wrapper_may_answer_by_itself_or_change_the_answer(server, config):
    def wrap(send):
        def answer(request):
            if request.url.endswith("/mine"):
                mine = requests.Response()
                mine.status_code, mine._content, mine.request = 200, b'{"kind":"Mine"}', request
                return mine
            response = send(request)
            assert response.json() == {}
            response.status_code = 404
            return response

        return answer

    with RESTClient(config.wrap(wrap)) as client:
        assert client.get().abs_path("/mine").do_raw() == b'{"kind":"Mine"}'
        with pytest.raises(NotFoundError):
            client.execute(GET)


def test_a_wrapper_may_send_a_copy_and_more_than_once(server, config):
    def wrap(send):
        def twice(request):
            send(request).close()
            return send(request.copy())

        return twice

    with Transport(config.wrap(wrap)) as transport:
        assert transport.send(GET).body == b"{}"
    assert len(server.requests) == 2


def test_timeouts_count_behind_wrappers(server, config):
    server.reply(HOLD)
    with Transport(config.wrap(lambda send: send)) as transport, pytest.raises(RequestTimeoutError):
        transport.send(GET, read_timeout=0.2)


def test_streams_go_through_wrappers(server, config):
    notes = []
    server.stream(b"one", b"two")
    with Transport(config.wrap(noting(notes, "w"))) as transport, transport.stream(GET) as stream:
        assert stream.read_all() == b"onetwo"
    assert notes == ["w asks", "w has 200"]


def test_what_a_wrapper_raises_comes_out_as_it_is(config):
    def wrap(send):
        def broken(request):
            raise LookupError("mine")

        return broken

    with Transport(config.wrap(wrap)) as transport, pytest.raises(LookupError, match="mine"):
        transport.send(GET)


def test_what_is_no_wrapper(config):
    with pytest.raises(ConfigError, match="wrappers must be a function"):
        config.wrap("wrapper")
