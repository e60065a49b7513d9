"""A little OpenID Connect issuer over https on loopback: discovery, keys, and a token endpoint for refresh tokens.

::

    with Issuer() as issuer:
        settings = issuer.login("jane", life=60)      # the config of an auth-provider, with tokens
        issuer.refreshes                              # how often tokens were renewed

Refresh tokens are good for one use, as with the stricter providers; each refresh gives the next one.
"""

from __future__ import annotations

import base64
import itertools
import json
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus

import certs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT_ID, CLIENT_SECRET = "kubernetes", "hunter2 client+secret"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to the issuer."""

    method: str
    path: str
    form: dict[str, str]
    authorization: str


class Issuer:
    """See the module.

    Args:
        path: What the issuer's URL ends with.
        life: Seconds that the id-tokens of a refresh are good for.
    """

    def __init__(self, *, path: str = "/realms/tests", life: float = 3600) -> None:
        self.path = path
        self.life = life
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], tuple[int, Any] | None] = lambda _asked: None
        """Asked first for what to answer, so that a test can break the issuer."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._refresh_tokens: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.metadata: dict[str, Any] = {}

    # ------------------------------------------------------------------ life

    def __enter__(self) -> Self:
        identity = certs.good()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "pair.pem"
            pem.write_bytes(identity.pair.key + identity.pair.certificate)
            context.load_cert_chain(pem)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.issuer = self
        self._server.context = context
        self.ca_data = identity.ca_data
        self.url = f"https://127.0.0.1:{self._server.server_port}{self.path}"
        self.metadata = {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    # ------------------------------------------------------------------ tokens

    def login(self, user: str, *groups: str, life: float | None = None, **settings: str) -> dict[str, str]:
        """The settings of an auth-provider whose user has just logged in."""
        return {
            "idp-issuer-url": self.url,
            "client-id": CLIENT_ID,
            "client-secret": CLIENT_SECRET,
            "id-token": self.id_token(user, *groups, life=life),
            "refresh-token": self.refresh_token(user, *groups),
            "idp-certificate-authority-data": base64.b64encode(self.ca_data).decode(),
            **settings,
        }

    def id_token(self, user: str, *groups: str, life: float | None = None) -> str:
        """A signed id-token; each is another one."""
        now = time.time()
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": user,
            "groups": list(groups),
            "iat": int(now),
            "exp": int(now + (self.life if life is None else life)),
            "jti": str(next(self._numbers)),
        }
        head = {"alg": "ES256", "kid": "one", "typ": "JWT"}
        signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def refresh_token(self, user: str, *groups: str) -> str:
        """A refresh token that is good for one use."""
        with self._lock:
            token = f"hunter2-refresh-{next(self._numbers)}"
            self._refresh_tokens[token] = {"user": user, "groups": groups}
        return token

    @property
    def refreshes(self) -> int:
        return sum(asked.path == f"{self.path}/token" for asked in self.asked)

    # ------------------------------------------------------------------ answers

    def respond(self, asked: Asked) -> tuple[int, Any]:
        self.asked.append(asked)
        answer = self.answer(asked)
        if answer is not None:
            return answer
        match asked.method, asked.path.removeprefix(self.path):
            case "GET", "/.well-known/openid-configuration":
                return 200, self.metadata
            case "GET", "/keys":
                return 200, {"keys": [self._public_key()]}
            case "POST", "/token":
                return self._refresh(asked)
        return 404, {}

    def _refresh(self, asked: Asked) -> tuple[int, Any]:
        if self._client(asked) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if asked.form.get("grant_type") != "refresh_token":
            return 400, {"error": "unsupported_grant_type"}
        with self._lock:
            found = self._refresh_tokens.pop(asked.form.get("refresh_token", ""), None)
        if found is None:
            return 400, {"error": "invalid_grant", "error_description": "the refresh token was used before"}
        next_token = self.refresh_token(found["user"], *found["groups"])
        id_token = self.id_token(found["user"], *found["groups"])
        return 200, {"id_token": id_token, "refresh_token": next_token, "token_type": "Bearer", "access_token": "a"}

    @staticmethod
    def _client(asked: Asked) -> tuple[str, str]:
        if asked.authorization.startswith("Basic "):
            user, _, password = base64.b64decode(asked.authorization[6:]).decode().partition(":")
            return unquote_plus(user), unquote_plus(password)
        return asked.form.get("client_id", ""), asked.form.get("client_secret", "")

    def _public_key(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        point = {name: _encoded(getattr(numbers, name).to_bytes(32, "big")) for name in ("x", "y")}
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", **point}


class _Server(ThreadingHTTPServer):
    issuer: Issuer
    context: ssl.SSLContext
    daemon_threads = True

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            with self.context.wrap_socket(request, server_side=True) as sock:
                super().finish_request(sock, client_address)  # type: ignore[arg-type]
        except OSError:
            pass  # who does not trust us hangs up


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        self._do("GET")

    def do_POST(self) -> None:
        self._do("POST")

    def _do(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = Asked(method, self.path, form, self.headers.get("Authorization", ""))
        status, answer = self.server.issuer.respond(asked)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the test sees `Issuer.asked`."""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
