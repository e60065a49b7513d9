"""The sockets of the embedded server, before a handler of the test's own; answers as net/http words them."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, suppress

import pytest

from dynkube.testing.apiserver.edge.http import HTTPServer
from dynkube.testing.apiserver.edge.loops import LoopThread
from dynkube.testing.apiserver.edge.tls import server_context
from dynkube.testing.apiserver.words.messages import MAX_BODY_BYTES, ConnectionCut, Request, Response, UserInfo
from dynkube.testing.pki import Authority, KeyPair

HOST = "127.0.0.1"
BIG = json.dumps({"data": ["some text"] * 20_000}).encode()


async def counting(log: list[str]) -> AsyncIterator[bytes]:
    """Chunks until the client goes."""
    try:
        number = 0
        while True:
            yield b"%d\n" % number
            number += 1
            await asyncio.sleep(0.005)
    finally:
        log.append("closed")


async def three() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"frame %d\n" % number
        await asyncio.sleep(0)


async def breaking(cut: Exception) -> AsyncIterator[bytes]:
    yield b"begun\n"
    raise cut


class Site:
    """A server in a thread, and what its handler saw."""

    def __init__(self, authority: Authority | None = None) -> None:
        self.seen: list[Request] = []
        self.log: list[str] = []
        self.release = threading.Event()
        tls = server_context(authority, [HOST]) if authority else None
        self.loop = LoopThread("site")
        self.server = HTTPServer(self.handle, host=HOST, port=0, tls=tls)
        self.loop.call(self.server.listen)

    async def handle(self, request: Request) -> Response:
        self.seen.append(request)
        name = request.path.strip("/")
        return {
            "big": lambda: Response(status=200, headers=[("Content-Type", "application/json")], body=BIG),
            "openapi": lambda: Response(status=200, body=BIG, compressible=False),
            "empty": lambda: Response(status=204),
            "crash": self.crash,
            "three": lambda: Response(status=200, body=three()),
            "sized": lambda: Response(status=200, headers=[("Content-Length", "24")], body=three()),
            "forever": lambda: Response(status=200, body=counting(self.log)),
            "cut": lambda: Response(status=200, body=breaking(ConnectionCut(b"par"))),
            "reset": lambda: Response(status=200, body=breaking(ConnectionCut(reset=True))),
            "broken": lambda: Response(status=200, body=breaking(ValueError("a bug"))),
            "nothing": self.nothing,
        }.get(name, lambda: Response(status=200, headers=[("Content-Type", "text/plain")], body=b"ok"))()

    def crash(self) -> Response:
        raise KeyError("secret")

    def nothing(self) -> Response:
        raise ConnectionCut

    @property
    def port(self) -> int:
        return self.server.address[1]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(HOST, self.port, timeout=10)

    def close(self) -> None:
        self.loop.run(self.server.close())
        self.loop.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def talk(site: Site, data: bytes, *, until: Callable[[bytes], bool] | None = None) -> bytes:
    """What comes for these bytes, up to the end of the connection or to a condition."""
    with closing(socket.create_connection((HOST, site.port), timeout=5)) as sock:
        sock.sendall(data)
        received = b""
        with suppress(ConnectionResetError):
            while not (until and until(received)) and (piece := sock.recv(65536)):
                received += piece
        return received


def get(site: Site, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = site.connect()
    with closing(connection):
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response, response.read()


class TestAnswers:
    def test_have_the_headers_of_the_api_server(self, site: Site) -> None:
        response, body = get(site, "/")
        assert body == b"ok"
        names = [name for name, _ in response.getheaders()]
        assert names == ["Audit-Id", "Cache-Control", "Content-Type", "Date", "Content-Length"]
        assert response.headers["Cache-Control"] == "no-cache, private"

    def test_repeat_the_audit_id_of_the_request(self, site: Site) -> None:
        assert get(site, "/", Audit_Id="mine")[0].headers["Audit-Id"] == "mine"
        assert get(site, "/")[0].headers["Audit-Id"] != get(site, "/")[0].headers["Audit-Id"]

    def test_keep_the_connection(self, site: Site) -> None:
        with closing(site.connect()) as connection:
            for _ in range(3):
                connection.request("POST", "/", b"x" * 1000)
                assert connection.getresponse().read() == b"ok"
            assert connection.sock is not None

    def test_to_head_have_no_body(self, site: Site) -> None:
        response, body = get(site, "/big", "HEAD")
        assert (body, response.headers["Content-Length"]) == (b"", str(len(BIG)))

    def test_without_content_say_no_length(self, site: Site) -> None:
        assert get(site, "/empty")[0].headers["Content-Length"] is None

    def test_close_for_who_asks_for_it(self, site: Site) -> None:
        answer = talk(site, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(b"ok")

    def test_of_http_1_0_end_with_the_connection(self, site: Site) -> None:
        answer = talk(site, b"GET /three HTTP/1.0\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"chunked" not in answer
        assert answer.endswith(b"frame 0\nframe 1\nframe 2\n")


class TestRequests:
    def test_paths_are_as_they_were_sent_and_queries_decoded(self, site: Site) -> None:
        get(site, "/api/v1/namespaces/a%2Fb/../c//d?labelSelector=a%3Db&limit=5&limit=6&watch&x=a+b&bad=%zz&y=1;z=2")
        request = site.seen[-1]
        assert request.path == "/api/v1/namespaces/a%2Fb/../c//d"
        assert request.query == (
            ("labelSelector", "a=b"), ("limit", "5"), ("limit", "6"), ("watch", ""), ("x", "a b"),
        )  # fmt: skip
        assert request.parameter("limit") == "5"

    def test_headers_come_whatever_their_case(self, site: Site) -> None:
        talk(
            site,
            b"GET / HTTP/1.1\r\nHOST: x\r\naCCept: a\r\nAccept: b\r\nConnection: close\r\n\r\n",
        )
        assert site.seen[-1].headers.get_all("Accept") == ["a", "b"]

    @pytest.mark.parametrize("size", [0, 1, 70_000, MAX_BODY_BYTES])
    def test_bodies_come_whole(self, site: Site, size: int) -> None:
        with closing(site.connect()) as connection:
            connection.request("POST", "/", b"x" * size)
            assert connection.getresponse().status == 200
        assert len(site.seen[-1].body) == size
        assert not site.seen[-1].is_too_large

    def test_chunked_bodies_come_whole(self, site: Site) -> None:
        with closing(site.connect()) as connection:
            connection.request("POST", "/", iter([b"ab", b"c" * 5000]), encode_chunked=True)
            assert connection.getresponse().status == 200
        assert site.seen[-1].body == b"ab" + b"c" * 5000

    def test_of_a_body_that_is_too_large_only_so_much_is_read(self, site: Site) -> None:
        with closing(site.connect()) as connection:
            connection.request("POST", "/", b"x" * (MAX_BODY_BYTES + 2_000_000))
            response = connection.getresponse()
            assert response.headers["Connection"] == "close"
            assert response.read() == b"ok"
        assert site.seen[-1].is_too_large
        assert len(site.seen[-1].body) < MAX_BODY_BYTES + 2_000_000

    def test_who_waits_to_send_a_body_is_told_to_go_on(self, site: Site) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        with closing(socket.create_connection((HOST, site.port), timeout=5)) as sock:
            sock.sendall(head)
            assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(b"{}")
            received = b""
            while piece := sock.recv(1000):
                received += piece
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert site.seen[-1].body == b"{}"

    @pytest.mark.parametrize(
        "data",
        [b"GARBAGE\r\n\r\n", b"GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET no-path HTTP/1.1\r\nHost: x\r\n\r\n"],
    )
    def test_what_is_no_request_gets_a_bare_400(self, site: Site, data: bytes) -> None:
        answer = talk(site, data)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answer.endswith(b"\r\n\r\n400 Bad Request")
        assert b"Connection: close" in answer
        assert get(site, "/")[1] == b"ok"

    def test_any_word_is_a_method(self, site: Site) -> None:
        answer = talk(site, b"FOO /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y: z\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Connection: close" in answer
        request = site.seen[-1]
        assert (request.method, request.path, request.query) == ("FOO", "/a", (("b", "c"),))
        assert request.headers.get("x-y") == "z"


class TestGzip:
    def test_from_128_kib_on_for_who_accepts_it(self, site: Site) -> None:
        response, body = get(site, "/big", Accept_Encoding="deflate, gzip")
        assert (response.headers["Content-Encoding"], response.headers["Vary"]) == ("gzip", "Accept-Encoding")
        assert len(body) < len(BIG) / 10
        assert gzip.decompress(body) == BIG

    def test_not_for_others_nor_for_less(self, site: Site) -> None:
        for path, accepted in [("/big", "identity"), ("/", "gzip"), ("/openapi", "gzip")]:
            response, _ = get(site, path, Accept_Encoding=accepted)
            assert response.headers["Content-Encoding"] is None

    def test_never_of_streams(self, site: Site) -> None:
        assert get(site, "/three", Accept_Encoding="gzip")[0].headers["Content-Encoding"] is None


class TestStreams:
    def test_come_in_chunks(self, site: Site) -> None:
        answer = talk(site, b"GET /three HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        body = answer.partition(b"\r\n\r\n")[2]
        assert body == b"8\r\nframe 0\n\r\n8\r\nframe 1\n\r\n8\r\nframe 2\n\r\n0\r\n\r\n"

    def test_are_plain_where_their_length_is_known(self, site: Site) -> None:
        response, body = get(site, "/sized")
        assert response.headers["Transfer-Encoding"] is None
        assert body == b"frame 0\nframe 1\nframe 2\n"

    def test_the_head_comes_before_the_first_chunk(self) -> None:
        held = threading.Event()

        async def waiting() -> AsyncIterator[bytes]:
            while not held.is_set():
                await asyncio.sleep(0.001)
            yield b"late"

        class Waiting(Site):
            async def handle(self, request: Request) -> Response:
                return Response(status=200, body=waiting())

        site = Waiting()
        try:
            with closing(site.connect()) as connection:
                connection.request("GET", "/")
                response = connection.getresponse()
                assert response.status == 200
                held.set()
                assert response.read() == b"late"
        finally:
            held.set()
            site.close()

    def test_are_closed_when_the_client_goes(self, site: Site) -> None:
        talk(site, b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n", until=lambda data: b"3\n" in data)
        wait_until(lambda: site.log == ["closed"])

    def test_of_a_slow_reader_stop_until_it_reads(self) -> None:
        made: list[int] = []

        async def flood() -> AsyncIterator[bytes]:
            while True:
                made.append(1)
                yield b"x" * 100_000
                await asyncio.sleep(0)

        class Flood(Site):
            async def handle(self, request: Request) -> Response:
                return Response(status=200, body=flood())

        site = Flood()
        try:
            with closing(socket.create_connection((HOST, site.port))) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                sock.recv(10)
                wait_until(lambda: len(made) > 3)
                wait_until(lambda: still(made))
                assert len(made) < 200
        finally:
            site.close()


class TestCuts:
    def test_amid_a_chunk(self, site: Site) -> None:
        answer = talk(site, b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.endswith(b"begun\n\r\n403\r\npar")

    def test_by_a_reset(self, site: Site) -> None:
        with closing(socket.create_connection((HOST, site.port), timeout=5)) as sock:
            sock.sendall(b"GET /reset HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                while sock.recv(1000):
                    pass

    def test_before_any_answer(self, site: Site) -> None:
        assert talk(site, b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n") == b""


class TestBugs:
    def test_of_a_handler_are_a_500_that_shows_nothing(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        response, body = get(site, "/crash")
        assert response.status == 500
        status = json.loads(body)
        assert (status["reason"], status["code"]) == ("InternalError", 500)
        assert b"secret" not in body
        assert "Traceback" not in body.decode()
        assert "GET /crash: the server failed" in caplog.text
        assert get(site, "/")[1] == b"ok"

    def test_of_a_stream_end_it_without_a_last_chunk(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        answer = talk(site, b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.endswith(b"begun\n\r\n")
        assert "GET /broken: the stream failed" in caplog.text


class TestLife:
    def test_refused_while_nobody_listens_and_back_on_the_same_port(self, site: Site) -> None:
        port = site.port

        async def kill() -> None:
            site.server.refuse()
            await site.server.abort()

        with closing(site.connect()) as connection:
            connection.request("GET", "/forever")
            response = connection.getresponse()
            site.loop.run(kill())
            with pytest.raises(http.client.IncompleteRead):
                response.read()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port))
        with closing(socket.socket()) as other, pytest.raises(OSError, match="in use"):
            other.bind((HOST, port))
        site.loop.call(site.server.listen)
        assert get(site, "/")[1] == b"ok"

    def test_draining_gives_streams_their_last_chunk_and_requests_their_answers(self, site: Site) -> None:
        with closing(site.connect()) as connection:
            connection.request("GET", "/forever")
            response = connection.getresponse()
            site.loop.run(site.server.drain(1))
            assert response.read().startswith(b"0\n1\n" if response.length else b"")
        assert site.log == ["closed"]

    def test_a_connection_that_says_nothing_does_not_keep_it(self) -> None:
        site = Site(Authority("ca"))
        with closing(socket.create_connection((HOST, site.port))):
            wait_until(lambda: bool(site.server._arrivals))
            begin = time.monotonic()
            site.close()
            assert time.monotonic() - begin < 0.5

    def test_many_lives_leave_no_thread_and_no_descriptor(self) -> None:
        authority = Authority("ca")

        def live() -> None:
            site = Site(authority)
            with suppress(OSError), closing(socket.create_connection((HOST, site.port), timeout=5)) as sock:
                client(authority).wrap_socket(sock, server_hostname=HOST).close()
            with closing(http.client.HTTPSConnection(HOST, site.port, context=client(authority))) as connection:
                connection.request("GET", "/forever")
                connection.getresponse().read(2)
                site.close()

        live()
        descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for _ in range(20):
            live()
        assert len(os.listdir("/proc/self/fd")) == descriptors
        assert threading.active_count() == threads


class TestTLS:
    def test_the_certificate_names_the_user(self) -> None:
        authority = Authority("ca")
        site = Site(authority)
        try:
            pair = authority.client("alice", ("devs", "ops"))
            with closing(http.client.HTTPSConnection(HOST, site.port, context=client(authority, pair))) as connection:
                for _ in range(2):
                    connection.request("GET", "/")
                    assert connection.getresponse().read() == b"ok"
            user = site.seen[-1].certificate_user
            assert isinstance(user, UserInfo)
            assert (user.name, set(user.groups)) == ("alice", {"devs", "ops"})
            [credential] = user.extra["authentication.kubernetes.io/credential-id"]
            assert credential.startswith("X509SHA256=")
        finally:
            site.close()

    def test_without_a_certificate_there_is_none(self) -> None:
        authority = Authority("ca")
        site = Site(authority)
        try:
            with closing(http.client.HTTPSConnection(HOST, site.port, context=client(authority))) as connection:
                connection.request("GET", "/")
                assert connection.getresponse().status == 200
            assert site.seen[-1].certificate_user is None
        finally:
            site.close()

    def test_a_stranger_that_speaks_no_tls_harms_nobody(self) -> None:
        authority = Authority("ca")
        site = Site(authority)
        try:
            talk(site, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with closing(http.client.HTTPSConnection(HOST, site.port, context=client(authority))) as connection:
                connection.request("GET", "/")
                assert connection.getresponse().status == 200
        finally:
            site.close()


def client(authority: Authority, pair: KeyPair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    if pair is not None:
        import tempfile

        with tempfile.NamedTemporaryFile() as file:
            file.write(pair.key + pair.certificate)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def still(made: list[int]) -> bool:
    before = len(made)
    time.sleep(0.05)
    return len(made) == before


def wait_until(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.005)
