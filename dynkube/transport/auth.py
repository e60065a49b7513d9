"""Static credentials and the other headers that a config puts on every request."""

from __future__ import annotations

import base64
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path

from urllib3 import HTTPHeaderDict

from dynkube._version import __version__
from dynkube.config.model import RESTConfig
from dynkube.errors import ConfigError, InvalidRequestError
from dynkube.forks import renew_in_child
from dynkube.transport.wirelog import masked

__all__ = ["Credentials", "TokenFile", "default_user_agent"]

_log = logging.getLogger("dynkube.transport")

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def default_user_agent() -> str:
    """``dynkube/<version> (<os>/<arch>) python/<version>``, os and arch in Go's words."""
    machine = os.uname().machine if hasattr(os, "uname") else "unknown"
    architecture = _ARCHITECTURES.get(machine, machine)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"dynkube/{__version__} ({sys.platform}/{architecture}) python/{python}"


class RequestHeaders(HTTPHeaderDict):
    """The headers of a request, for urllib3; a traceback that prints local variables shows no credential of them."""

    def __repr__(self) -> str:
        return f"RequestHeaders({[(name, masked(name, value)) for name, value in self.iteritems()]})"


class TokenFile:
    """A bearer token in a file that is replaced from time to time (client-go transport/token_source.go).

    Args:
        path: The file; white space around the token is no part of it.
        initial: The token to use while the file cannot be read.
        clock: Seconds, only ever rising.

    Raises:
        ConfigError: There is no initial token and the file cannot be read, or is empty.
    """

    KEEP = 50.0
    """Seconds before the file is read again: client-go keeps a token 60 s, with 10 s of leeway."""

    def __init__(self, path: str, *, initial: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._token = initial
        self._read_again_at = 0.0
        renew_in_child(self)
        try:
            self._read()
        except ConfigError:
            if not initial:
                raise

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def token(self) -> str:
        """The token now. A file that cannot be read leaves the last good one in use, and is tried each time."""
        if self._clock() < self._read_again_at:
            return self._token
        with self._lock:
            if self._clock() >= self._read_again_at:
                try:
                    self._read()
                except ConfigError as error:
                    _log.error("cannot renew the token, the last one stays in use: %s", error)
            return self._token

    def _read(self) -> None:
        try:
            text = Path(self._path).read_text(encoding="utf-8").strip()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(f"tokenFile {self._path}: {reason}; name a readable file that holds the token") from None
        except UnicodeDecodeError:
            raise ConfigError(f"tokenFile {self._path}: not text; want the token and nothing else") from None
        if not text:
            raise ConfigError(f"tokenFile {self._path}: empty; want the token and nothing else")
        self._token = _header_safe(text, f"tokenFile {self._path}")
        self._read_again_at = self._clock() + self.KEEP

    def __repr__(self) -> str:
        return f"TokenFile({self._path!r})"


class Credentials:
    """Puts a config's headers on requests: impersonation, User-Agent, Authorization (2.2.1's order).

    Each is left out where the request has it already. Credentials stay off plain http, unless the config
    allows it.
    """

    def __init__(self, config: RESTConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._user_agent = _header_safe(config.user_agent or default_user_agent(), "user_agent")
        self._compress = not config.disable_compression
        # One line for each group and each extra value: a comma would be part of the name of one group.
        self._impersonation = tuple((name, _wire_text(value)) for name, value in config.impersonate.headers())
        self._authorization = ""
        self._token_file: TokenFile | None = None
        if config.is_tls or config.allow_plain_http_credentials:
            self._take_credentials(config, clock)

    def _take_credentials(self, config: RESTConfig, clock: Callable[[], float]) -> None:
        if config.bearer_token_file:
            token = _header_safe(config.bearer_token, "token")
            self._token_file = TokenFile(config.bearer_token_file, initial=token, clock=clock)
        elif config.bearer_token:
            self._authorization = "Bearer " + _header_safe(config.bearer_token, "token")
        elif config.username:
            pair = f"{config.username}:{config.password}".encode()
            self._authorization = "Basic " + base64.b64encode(pair).decode("ascii")

    def headers(self, given: tuple[tuple[str, str], ...]) -> HTTPHeaderDict:
        """``given``, repeated lines and all, and what the config adds to every request.

        Raises:
            InvalidRequestError: A header of ``given`` is none.
        """
        headers = RequestHeaders()
        for name, value in given:
            if not _TOKEN.fullmatch(name) or _CONTROL.search(value):
                # http.client would refuse it too, with the value in the message.
                raise InvalidRequestError(
                    f"header {name!r}: the name or the value holds a character that none can carry"
                )
            headers.add(name, _wire_text(value))
        if self._impersonation and "Impersonate-User" not in headers:
            for name, value in self._impersonation:
                headers.add(name, value)
        headers.setdefault("User-Agent", self._user_agent)
        if self._compress:
            headers.setdefault("Accept-Encoding", "gzip")
        return headers

    def authorize(self, headers: MutableMapping[str, str]) -> None:
        """Add the Authorization header, unless there is one.

        Separate from `headers`, so that a user's auth class can come between the two.
        """
        if self._token_file is not None:
            if "Authorization" not in headers:
                headers["Authorization"] = f"Bearer {self._token_file.token()}"
        elif self._authorization:
            headers.setdefault("Authorization", self._authorization)

    def __repr__(self) -> str:
        return "Credentials()"


def _header_safe(value: str, name: str) -> str:
    if _CONTROL.search(value):
        raise ConfigError(f"{name}: holds a control character, which no header can carry")
    return _wire_text(value)


def _wire_text(value: str) -> str:
    # http.client encodes header values as Latin-1; the API server reads UTF-8, as Go sends it.
    return value if value.isascii() else value.encode().decode("latin-1")
