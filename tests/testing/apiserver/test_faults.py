"""Faults on demand, on a running server, seen by a plain HTTP client."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from plain import Client

from dynkube.codec import FrameSplitter
from dynkube.errors import FrameTooLargeError, InvalidRequestError
from dynkube.testing import APIServer, ServerFault

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def _server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def server(_server: APIServer) -> Iterator[APIServer]:
    yield _server
    _server.reset()


@pytest.fixture
def client(server: APIServer) -> Client:
    return Client(server)


def config_map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": {"a": "1" * 1000}}


class TestMatching:
    def test_a_fault_happens_once_unless_told_otherwise(self, server: APIServer, client: Client) -> None:
        injection = server.faults.inject(ServerFault.answer(503), verb="list")
        assert [client.get(CONFIGMAPS).status for _ in range(3)] == [503, 200, 200]
        assert injection.fired == 1
        assert not injection.active

    def test_so_often(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(503), times=2)
        assert [client.get(CONFIGMAPS).status for _ in range(3)] == [503, 503, 200]

    def test_always_until_it_is_removed(self, server: APIServer, client: Client) -> None:
        with server.faults.inject(ServerFault.answer(503), times=None) as injection:
            assert [client.get(CONFIGMAPS).status for _ in range(3)] == [503] * 3
        assert client.get(CONFIGMAPS).status == 200
        assert injection.fired == 3

    @pytest.mark.parametrize(
        "matching",
        [
            {"verb": "get"},
            {"method": "get", "name": "x"},
            {"resource": "configmaps", "namespace": "default"},
            {"group": "", "subresource": "", "verb": "get"},
            {"path": f"{CONFIGMAPS}/"},
            {"path": re.compile("/x$")},
            {"when": lambda request: request.parameter("pretty") == "true"},
        ],
    )
    def test_only_requests_that_fit(self, server: APIServer, client: Client, matching: dict[str, Any]) -> None:
        server.faults.inject(ServerFault.answer(418), times=None, **matching)
        assert client.get("/api/v1/namespaces").status == 200
        assert client.post("/api/v1/namespaces/default/secrets", config_map("y") | {"data": {}}).status == 201
        assert client.get("/apis/apps/v1/deployments").status == 200
        assert client.get(f"{CONFIGMAPS}/x?pretty=true").status == 418

    def test_the_first_that_fits_happens(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(429))
        server.faults.inject(ServerFault.answer(503))
        assert [client.get(CONFIGMAPS).status for _ in range(3)] == [429, 503, 200]

    def test_clear_removes_all(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(503), times=None)
        assert len(list(server.faults)) == 1
        server.faults.clear()
        assert client.get(CONFIGMAPS).status == 200
        assert not list(server.faults)

    def test_waiting_for_one(self, server: APIServer, client: Client) -> None:
        injection = server.faults.inject(ServerFault.answer(503), times=2)
        asking = threading.Thread(target=lambda: [client.get(CONFIGMAPS) for _ in range(2)])
        asking.start()
        injection.wait(5, times=2)
        asking.join()
        with pytest.raises(TimeoutError, match=r"ServerFault.answer\(503\) has happened 2 times in 0 s, not 3"):
            injection.wait(0, times=3)

    def test_the_audit_names_it(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(503, retry_after=1))
        client.get(CONFIGMAPS)
        client.get(CONFIGMAPS)
        assert [(each.status, each.fault) for each in server.requests] == [
            (503, "ServerFault.answer(503, retry_after=1)"), (200, ""),
        ]  # fmt: skip


class TestRefusals:
    @pytest.mark.parametrize(
        ("make", "problem"),
        [
            (lambda: ServerFault.answer(200), "status=200: give the HTTP status of a failure"),
            (lambda: ServerFault.delay(-1), "seconds=-1"),
            (lambda: ServerFault.cut(at="response", after_body_bytes=3), "a fault has one moment"),
            (lambda: ServerFault.cut(at="end"), "at='end': give 'request' or 'response'"),  # type: ignore[arg-type]
            (lambda: ServerFault.cut(after_body_bytes=-1), "after_body_bytes=-1"),
            (lambda: ServerFault.content_type("a\r\nb: c"), "cannot be sent as a header"),
            (lambda: ServerFault.oversized_frame(1), "a frame has at least"),
        ],
    )
    def test_of_faults_that_make_no_sense(self, make: Any, problem: str) -> None:
        with pytest.raises(InvalidRequestError, match=re.escape(problem)):
            make()

    def test_of_what_is_no_fault(self, server: APIServer) -> None:
        with pytest.raises(InvalidRequestError, match="make one by ServerFault"):
            server.faults.inject(503)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError, match="times=0"):
            server.faults.inject(ServerFault.hang(), times=0)

    def test_faults_are_values(self) -> None:
        assert ServerFault.answer(503) == ServerFault.answer(503)
        assert ServerFault.delay(0.5) == ServerFault.delay(0.5)
        assert repr(ServerFault.html().after(0.5)) == "ServerFault.html().after(0.5)"


class TestAnswers:
    def test_are_a_status_with_retry_after(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(429, retry_after=7))
        answer = client.post(CONFIGMAPS, config_map("a"))
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert answer.json() == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "the server has received too many requests and has asked us to try again later",
            "reason": "TooManyRequests",
            "details": {"retryAfterSeconds": 7},
            "code": 429,
        }
        assert client.get(f"{CONFIGMAPS}/a").status == 404

    def test_may_have_words_of_their_own(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(500, reason="Odd", message="no"))
        status = client.get(CONFIGMAPS).json()
        assert (status["reason"], status["message"]) == ("Odd", "no")

    def test_html(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.html())
        answer = client.get(CONFIGMAPS)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")
        assert answer.body.startswith(b"<!DOCTYPE html>")

    def test_empty(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.empty())
        assert client.get(CONFIGMAPS).body == b""


class TestSpoiltAnswers:
    def test_late(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.delay(0.1))
        begin = time.monotonic()
        assert client.get(CONFIGMAPS).status == 200
        assert time.monotonic() - begin >= 0.1
        assert client.get(CONFIGMAPS).status == 200
        assert time.monotonic() - begin < 5

    def test_others_are_served_meanwhile(self, server: APIServer, client: Client) -> None:
        with server.faults.inject(ServerFault.hang(), name="held") as injection:
            held: list[Any] = []

            def hold() -> None:
                try:
                    held.append(Client(server).get(f"{CONFIGMAPS}/held"))
                except (OSError, http.client.HTTPException) as error:
                    held.append(error)

            waiting = threading.Thread(target=hold)
            waiting.start()
            injection.wait(5)
            assert client.get(CONFIGMAPS).status == 200
            assert not held
        waiting.join(5)
        assert isinstance(held[0], (OSError, http.client.HTTPException))

    def test_cut_amid_the_body(self, server: APIServer, client: Client) -> None:
        client.post(CONFIGMAPS, config_map("a"))
        server.faults.inject(ServerFault.cut(after_body_bytes=100))
        with pytest.raises(http.client.IncompleteRead) as caught:
            client.get(f"{CONFIGMAPS}/a")
        assert len(caught.value.partial) == 100

    def test_cut_when_the_write_is_done(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.cut())
        with pytest.raises((http.client.RemoteDisconnected, OSError)):
            client.post(CONFIGMAPS, config_map("a"))
        assert client.get(f"{CONFIGMAPS}/a").status == 200

    def test_cut_before_it(self, server: APIServer, client: Client) -> None:
        for fault in (ServerFault.cut(at="request"), ServerFault.reset(at="request")):
            server.faults.inject(fault)
            with pytest.raises((http.client.RemoteDisconnected, OSError)):
                client.post(CONFIGMAPS, config_map("b"))
        assert client.get(f"{CONFIGMAPS}/b").status == 404
        assert [each.status for each in server.requests] == [0, 0, 404]

    def test_a_reset(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.reset())
        with pytest.raises(ConnectionResetError):
            client.get(CONFIGMAPS)

    def test_a_wrong_content_type(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.content_type("text/plain"))
        answer = client.get(CONFIGMAPS)
        assert answer.headers.get_all("Content-Type") == ["text/plain"]
        assert answer.json()["kind"] == "ConfigMapList"

    def test_json_that_breaks_off(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.garbage())
        answer = client.get(CONFIGMAPS)
        assert answer.status == 200
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            answer.json()

    def test_gzip_that_cannot_be_unpacked(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.corrupt_gzip())
        answer = client.get(CONFIGMAPS)
        assert answer.headers["Content-Encoding"] == "gzip"
        with pytest.raises((OSError, zlib.error, EOFError)):
            gzip.decompress(answer.body)


class TestWatches:
    WATCH = f"{CONFIGMAPS}?watch=1&timeoutSeconds=1"

    def test_cut_amid_a_chunk(self, server: APIServer, client: Client) -> None:
        client.post(CONFIGMAPS, config_map("a"))
        injection = server.faults.inject(ServerFault.cut(after_body_bytes=50), verb="watch")
        with pytest.raises(http.client.IncompleteRead) as caught:
            client.get(self.WATCH)
        assert len(caught.value.partial) <= 50
        assert injection.fired == 1

    def test_a_line_that_breaks_off(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.garbage(), verb="watch")
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(client.get(self.WATCH).body.splitlines()[0])

    def test_a_frame_that_is_too_large_before_the_others(self, server: APIServer, client: Client) -> None:
        client.post(CONFIGMAPS, config_map("a"))
        server.faults.inject(ServerFault.oversized_frame())
        assert client.get(CONFIGMAPS).status == 200
        body = client.get(self.WATCH).body
        large, *others = body.splitlines()
        assert len(large) + 1 == 17 * 2**20
        assert json.loads(large)["type"] == "MODIFIED"
        assert "a" in [json.loads(line)["object"]["metadata"]["name"] for line in others]
        with pytest.raises(FrameTooLargeError):
            FrameSplitter().feed(body)

    def test_corrupt_gzip(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.corrupt_gzip(), verb="watch")
        answer = client.get(self.WATCH)
        assert answer.headers["Content-Encoding"] == "gzip"

    def test_a_refused_watch_then_a_good_one(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.answer(503), verb="watch")
        assert client.get(self.WATCH).status == 503
        assert client.get(self.WATCH).status == 200

    def test_a_stream_that_a_fault_drops_is_closed(self, server: APIServer, client: Client) -> None:
        server.faults.inject(ServerFault.cut(), verb="watch")
        with closing(client.connect()) as connection, pytest.raises((OSError, http.client.HTTPException)):
            connection.request("GET", self.WATCH)
            connection.getresponse()
