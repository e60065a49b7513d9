"""The API on a local port, without credentials of the caller, as ``kubectl proxy``: `proxy`.

See KC/proxy/proxy_server.go.
"""

from __future__ import annotations

import contextlib
import logging
import math
import mimetypes
import os
import posixpath
import re
import shutil
import socket
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from dynkube.dynamic import DynamicClient
from dynkube.errors import DynkubeError, InvalidRequestError
from dynkube.rest import RESTClient
from dynkube.streams.acceptor import Acceptor, listen, shut_down
from dynkube.transport import CallScope, CancelToken, Stream, Upgraded
from dynkube.wire.messages import Request

__all__ = ["APIProxy", "RequestFilter", "proxy"]

_log = logging.getLogger("dynkube.streams")

_PIECE = 1 << 16
_HELD_BODY = 8 * 2**20  # bytes of a request's body that are read before anything is sent
# RFC 9110 7.6.1; and what the caller has no business to say: the credentials are ours.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings"}
)
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
_OURS = frozenset({"host", "content-length", "accept-encoding", "expect"})


class APIProxy:
    """A server on the loopback that speaks to the API server with our credentials. Use it in a ``with``."""

    def __init__(self, listener: socket.socket, site: _Site) -> None:
        self._address: tuple[Any, ...] = listener.getsockname()
        self._site = site
        self._acceptor = Acceptor([(listener, 0)], site.serve, site.stop, "dynkube-proxy")
        self._finalizer = weakref.finalize(self, site.stop.cancel)

    @property
    def port(self) -> int:
        """The local port."""
        return int(self._address[1])

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>`` and the prefix, without a slash at its end."""
        host = f"[{self._address[0]}]" if ":" in self._address[0] else self._address[0]
        return f"http://{host}:{self.port}{self._site.prefix}"

    def close(self) -> None:
        """Stop listening and end every connection, from any thread and any number of times."""
        self._site.stop.cancel()
        self._acceptor.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<APIProxy {self.url}>"


def proxy(
    client: DynamicClient | RESTClient,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    api_prefix: str = "/",
    accept_hosts: str = r"^localhost$,^127\.0\.0\.1$,^\[::1\]$",
    accept_paths: str = "^.*",
    reject_paths: str = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
    reject_methods: str = "^$",
    disable_filter: bool = False,
    www: str | os.PathLike[str] | None = None,
    www_prefix: str = "/static/",
) -> APIProxy:
    """Serve the API server on a local port, with this client's credentials.

    Whoever can connect to the port can do what the client may do: keep it on the loopback. What a caller sends as
    credentials is dropped. WebSockets and other upgrades pass through.

    Args:
        client: whose credentials are used; it must stay open.
        port: the local port; 0 for a free one.
        address: the local address.
        api_prefix: the path under which the API is served.
        accept_hosts: regular expressions, separated by commas: Host headers that are served (against DNS rebinding).
        accept_paths: likewise: paths that are served.
        reject_paths: likewise: paths that are not, whatever ``accept_paths`` says.
        reject_methods: likewise: methods that are not.
        disable_filter: serve everybody everything.
        www: a folder of static files to serve, too.
        www_prefix: under which path.

    Returns:
        The running proxy; close it.

    Raises:
        InvalidRequestError: one of the expressions is none.
        PortForwardError: the port is in use.
        FileNotFoundError: ``www`` is no folder.

    Example::

        with proxy(client) as running:
            requests.get(f"{running.url}/api/v1/namespaces/shop/pods").json()
    """
    rest = client.rest if isinstance(client, DynamicClient) else client
    prefix = "/" + api_prefix.strip("/")
    folder = None if www is None else Path(os.fspath(www)).resolve(strict=True)
    checks = RequestFilter(
        accept_hosts=_expressions("accept_hosts", accept_hosts),
        accept_paths=_expressions("accept_paths", accept_paths),
        reject_paths=_expressions("reject_paths", reject_paths),
        reject_methods=_expressions("reject_methods", reject_methods),
    )
    site = _Site(
        rest=rest,
        prefix=prefix.rstrip("/"),
        checks=None if disable_filter else checks,
        www=folder,
        www_prefix="/" + www_prefix.strip("/") + "/",
    )
    return APIProxy(listen(address, port), site)


# --------------------------------------------------------------------------- who is served

_Expressions = tuple[re.Pattern[str], ...]


def _expressions(argument: str, text: str) -> _Expressions:
    found = []
    for each in text.split(","):
        try:
            found.append(re.compile(each))
        except re.error as error:
            raise InvalidRequestError(f"{argument}: {each!r} is no regular expression: {error}") from None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests are served (KC/proxy/proxy_server.go, FilterServer).

    >>> expressions = [(re.compile(each),) for each in ("^localhost$", "^.*", "^/a", "^$")]
    >>> checks = RequestFilter(*expressions)
    >>> checks.accepts("GET", "/b", "localhost:80"), checks.accepts("GET", "/%61", "localhost")
    (True, False)
    """

    accept_hosts: _Expressions
    accept_paths: _Expressions
    reject_paths: _Expressions
    reject_methods: _Expressions

    def accepts(self, method: str, target: str, host: str) -> bool:
        """Whether to serve a request of this method, for this target, with this Host header."""
        path = _path_of(target)
        served = _match(self.accept_paths, path) and _match(self.accept_hosts, _host_of(host))
        return served and not _match(self.reject_methods, method) and not self.rejects(target)

    def rejects(self, target: str) -> bool:
        """Whether no request for this target is served."""
        path = _path_of(target)
        tidy = posixpath.normpath("/" + path.lstrip("/"))  # what a server may take it for
        return any(_match(self.reject_paths, each) for each in (path, tidy))


def _path_of(target: str) -> str:
    return unquote(target.partition("?")[0])


def _match(expressions: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(each.search(text) for each in expressions)


def _host_of(header: str) -> str:
    host, colon, port = header.rpartition(":")
    return host if colon and port.isdecimal() else header


# --------------------------------------------------------------------------- one connection


@dataclass(frozen=True, slots=True)
class _Site:
    """What every connection needs to know."""

    rest: RESTClient
    prefix: str
    checks: RequestFilter | None
    www: Path | None
    www_prefix: str
    stop: CancelToken = field(default_factory=CancelToken)

    def serve(self, connection: socket.socket, _tag: int) -> None:
        try:
            _Handler(connection, connection.getpeername(), self)  # type: ignore[arg-type]  # it asks nothing of a server
        except (OSError, DynkubeError) as error:
            _log.debug("proxy: a connection ended: %s", error)


class _Handler(BaseHTTPRequestHandler):
    """Requests of one connection. The standard library reads them, `Transport` passes them on."""

    protocol_version = "HTTP/1.1"
    server_version = "dynkube"
    sys_version = ""
    server: Any

    def handle_one_request(self) -> None:
        """Read a request and serve it, whatever its method."""
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        if not self.raw_requestline:
            self.close_connection = True
            return
        if self.parse_request():  # it has answered where not
            self._serve()
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the method that this replaces
        """To our log."""
        _log.debug("proxy: " + format, *args)

    def _serve(self) -> None:
        site: _Site = self.server
        host = self.headers.get("Host", "")
        if not self.path.startswith("/") or "#" in self.path:
            self._say(HTTPStatus.BAD_REQUEST, "want a path as the target of the request")
        elif site.checks is not None and not site.checks.accepts(self.command, self.path, host):
            self._say(HTTPStatus.FORBIDDEN, "Forbidden")
        elif site.www is not None and self.path.startswith(site.www_prefix):
            self._serve_file(site.www, unquote(urlsplit(self.path).path[len(site.www_prefix) :]))
        elif self.path.startswith(site.prefix + "/") or self.path == site.prefix:
            target = self.path[len(site.prefix) :] or "/"
            if site.checks is not None and site.checks.rejects(target):  # the prefix is no way around
                self._say(HTTPStatus.FORBIDDEN, "Forbidden")
            else:
                self._pass_on(site, target)
        else:
            self._say(HTTPStatus.NOT_FOUND, f"the API is under {site.prefix}/")

    def _say(self, status: HTTPStatus, text: str) -> None:
        """An answer of our own; what is left of the request is not read."""
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    # ------------------------------------------------------------- the API

    def _pass_on(self, site: _Site, target: str) -> None:
        upgrade = "upgrade" in self.headers.get("Connection", "").lower() and "Upgrade" in self.headers
        try:
            headers = tuple(self._headers(upgrade=upgrade))
            request = Request(self.command, target, (), headers, self._body(), self.command.lower())
            scope = CallScope(cancel=site.stop)
            transport = site.rest.transport
            if upgrade:
                answer = transport.upgrade(request, scope=scope)
            else:
                answer = transport.stream(request, scope=scope, read_timeout=math.inf)
        except (DynkubeError, ValueError) as error:
            invalid = isinstance(error, ValueError)
            self._say(HTTPStatus.BAD_REQUEST if invalid else HTTPStatus.BAD_GATEWAY, str(error))
            return
        with answer:
            if isinstance(answer, Upgraded):
                self._join(answer)
            else:
                self._relay(answer)

    def _headers(self, *, upgrade: bool) -> Iterator[tuple[str, str]]:
        named = {each.strip().lower() for each in self.headers.get("Connection", "").split(",")}
        dropped = _HOP_BY_HOP | _CREDENTIALS | _OURS | named
        for name, value in self.headers.items():
            if name.lower() not in dropped:
                yield name, value
        yield "Accept-Encoding", "identity"  # else the bytes would be unpacked and packed on the way
        if upgrade:
            yield "Connection", "Upgrade"
            yield "Upgrade", self.headers["Upgrade"]

    def _body(self) -> bytes | Iterator[bytes] | None:
        length = self.headers.get("Content-Length")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            if length is not None:
                raise InvalidRequestError("want Content-Length or Transfer-Encoding, not both")
            return self._chunks()
        if length is None:
            return None
        if not length.isascii() or not length.isdecimal():
            raise InvalidRequestError("Content-Length: want a number")
        if int(length) <= _HELD_BODY:
            return self.rfile.read(int(length))
        return self._pieces(int(length))

    def _pieces(self, left: int) -> Iterator[bytes]:
        while left:
            data = self.rfile.read(min(_PIECE, left))
            if not data:
                raise ConnectionResetError("the caller has hung up")
            left -= len(data)
            yield data

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            yield from self._pieces(size)
            self.rfile.readline(64)
        while self.rfile.readline(65537).strip():
            pass

    def _relay(self, answer: Stream) -> None:
        length = answer.headers.get("Content-Length")
        bare = self.command == "HEAD" or answer.status in {204, 304} or answer.status < 200
        chunked = not bare and length is None and self.request_version != "HTTP/1.0"
        self.send_response_only(answer.status)
        for name, value in _lines(answer):
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not bare and length is None:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            while not bare and (data := answer.read(_PIECE)):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        except DynkubeError as error:
            _log.debug("proxy: %s %s was cut: %s", self.command, self.path, error)
            self.close_connection = True  # without the last chunk: the caller must see that something is missing
            return
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _join(self, answer: Upgraded) -> None:
        """After a 101: bytes both ways, until either side ends."""
        self.close_connection = True
        self.send_response_only(101)
        for name, value in _lines(answer):
            self.send_header(name, value)
        self.end_headers()
        sender = threading.Thread(target=self._send_up, args=(answer,), name="dynkube-proxy-up", daemon=True)
        sender.start()
        try:
            with contextlib.suppress(DynkubeError):
                while data := answer.read():
                    self.wfile.write(data)
        finally:
            answer.close()
            shut_down(self.connection)
            sender.join()

    def _send_up(self, answer: Upgraded) -> None:
        reader: Any = self.rfile
        with contextlib.suppress(OSError, DynkubeError, ValueError):
            while data := reader.read1(_PIECE):
                answer.write(data)
        answer.close()

    # ------------------------------------------------------------- files

    def _serve_file(self, folder: Path, name: str) -> None:
        path = (folder / name).resolve() if "\0" not in name else folder
        if path.is_dir():
            path /= "index.html"
        if self.command not in {"GET", "HEAD"}:
            self._say(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD")
        elif not path.is_relative_to(folder) or not path.is_file():
            self._say(HTTPStatus.NOT_FOUND, "404 page not found")
        else:
            self._send_file(path)

    def _send_file(self, path: Path) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", mimetypes.guess_type(path.name)[0] or "application/octet-stream")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if self.command == "GET":
                shutil.copyfileobj(file, self.wfile)


def _lines(answer: Stream | Upgraded) -> Iterator[tuple[str, str]]:
    headers: Any = answer.headers  # repeated lines stay apart
    return iter(getattr(headers, "iteritems", headers.items)())
