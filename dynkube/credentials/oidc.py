"""The ``oidc`` auth-provider: an id-token out of the kubeconfig, renewed at its issuer and written back.

As client-go does it (CG/plugin/pkg/client/auth/oidc/oidc.go), and a little further: before a refresh it looks whether
somebody else, kubectl say, has written newer tokens, since a refresh token is often good for one use only.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from cachetools import LRUCache

from dynkube import codec
from dynkube.config.kubeconfig import Kubeconfig, load_file
from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.config.write import modify_config
from dynkube.credentials.renewal import Lease, Renewal
from dynkube.errors import ConfigError, CredentialError, DecodeError, InvalidRequestError, TransportError
from dynkube.forks import renew_in_child
from dynkube.transport import CallScope, Credential, Transport
from dynkube.wire.messages import Request, Response

__all__ = ["OIDCProvider", "oidc_provider"]

_log = logging.getLogger("dynkube.credentials")

ISSUER, CLIENT_ID, CLIENT_SECRET = "idp-issuer-url", "client-id", "client-secret"
ID_TOKEN, REFRESH_TOKEN = "id-token", "refresh-token"
CA_FILE, CA_DATA = "idp-certificate-authority", "idp-certificate-authority-data"

LEEWAY = 10.0
"""Seconds before its end in which an id-token is not used any more."""
LOCKED_FOR = 2.0
"""Seconds to wait for somebody else who is changing the kubeconfig."""

# Nothing else may get into a header.
_JWT = re.compile(r"[\w-]+\.([\w-]+)\.[\w-]*", re.ASCII)
_DISCOVERY = "/.well-known/openid-configuration"
_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The two tokens; neither shows."""

    id_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> _Tokens:
        return cls(settings.get(ID_TOKEN, ""), settings.get(REFRESH_TOKEN, ""))

    def expires(self) -> float:
        """When the id-token expires (seconds since 1970); minus infinity when it is none."""
        return _expiry(self.id_token)


class OIDCProvider(Renewal):
    """Gives the id-token of one user, and renews it.

    Args:
        settings: The ``config`` of the user's ``auth-provider``.
        kubeconfig: The file that it is from, to write new tokens to; empty for none.
        user: The user's name in there.
        clock: Seconds since 1970.

    Raises:
        ConfigError: Settings that are missing, or that can never work.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        *,
        kubeconfig: str = "",
        user: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(f"oidc provider {settings.get(ISSUER, '')}", clock=clock)
        self._issuer = _need(settings, ISSUER).removesuffix("/")
        self._client_id = _need(settings, CLIENT_ID)
        self._secret = _Secret(settings.get(CLIENT_SECRET, ""))
        if not self._issuer.startswith("https://"):
            raise ConfigError(f"oidc: {ISSUER} {self._issuer!r}: tokens go there, so it must be an https:// URL")
        self._tls = _trust(settings)
        self._kubeconfig = kubeconfig
        self._user = user
        self._tokens = _Tokens.of(settings)
        self._known = {self._tokens.id_token}

    def offer(self, settings: Mapping[str, str]) -> None:
        """The tokens of a config that was loaded later: after another login they are new, and count from now on."""
        tokens = _Tokens.of(settings)
        with self._lock:
            if tokens.id_token and tokens.id_token not in self._known:
                self._known.add(tokens.id_token)
                self._tokens = tokens
                self._held = None

    # ------------------------------------------------------------- one renewal

    def _fetch(self, rejected: Credential | None, scope: CallScope) -> Lease:
        refused = rejected.token if rejected is not None else ""
        for tokens in (self._tokens, self._written()):
            if tokens is not None and tokens.id_token != refused and self._is_good(tokens):
                return self._lease(tokens)
        tried = self._written() or self._tokens
        renewed = self._refresh(tried, scope)
        if isinstance(renewed, str):
            # Whoever used the refresh token first has written what came of it.
            written = self._written()
            if written is None or written.refresh_token == tried.refresh_token:
                raise CredentialError(f"getting credentials: oidc: {renewed}{self._place()}")
            renewed = written if self._is_good(written) else self._refresh(written, scope)
            if isinstance(renewed, str):
                raise CredentialError(f"getting credentials: oidc: {renewed}{self._place()}")
        self._write(renewed, scope)
        return self._lease(renewed)

    def _is_good(self, tokens: _Tokens) -> bool:
        return self._clock() + LEEWAY < tokens.expires()

    def _lease(self, tokens: _Tokens) -> Lease:
        with self._lock:
            self._tokens = tokens
            self._known.add(tokens.id_token)
        expires = tokens.expires()
        return Lease(Credential(tokens.id_token), expires - LEEWAY, expires)

    def _place(self) -> str:
        return f" (user {self._user!r} in {self._kubeconfig})" if self._kubeconfig else ""

    # ------------------------------------------------------------- the issuer

    def _refresh(self, tokens: _Tokens, scope: CallScope) -> _Tokens | str:
        """New tokens, or what is wrong."""
        if not tokens.refresh_token:
            return "No valid id-token, and cannot refresh without refresh-token; log in again"
        metadata = self._metadata(scope)
        if isinstance(metadata, str):
            return metadata
        endpoint = metadata.get("token_endpoint")
        if not isinstance(endpoint, str) or not endpoint:
            return f"the discovery document of {self._issuer} doesn't contain a token_endpoint"
        if not endpoint.startswith("https://"):
            return f"the token_endpoint of {self._issuer} is no https:// URL, and no token goes there"
        methods = metadata.get("token_endpoint_auth_methods_supported")
        in_header = not isinstance(methods, list) or "client_secret_basic" in methods
        answer = self._ask(endpoint, scope, post=_Secret(tokens.refresh_token), in_header=in_header)
        return self._renewed(answer, tokens)

    def _metadata(self, scope: CallScope) -> dict[str, Any] | str:
        answer = self._ask(self._issuer + _DISCOVERY, scope)
        if isinstance(answer, str):
            return answer
        if answer.status != 200:
            return f"failed to query metadata endpoint {self._issuer}{_DISCOVERY}: HTTP {answer.status}"
        document = _object(answer.body)
        if document is None:
            return f"failed to decode provider discovery object of {self._issuer}: no JSON object"
        issuer = document.get("issuer")
        if isinstance(issuer, str) and issuer.removesuffix("/") != self._issuer:
            return (
                f"{self._issuer} says that it is the issuer {issuer[:_EXCERPT]!r}; set {ISSUER} to that, if it is yours"
            )
        return document

    def _renewed(self, answer: Response | str, tokens: _Tokens) -> _Tokens | str:
        if isinstance(answer, str):
            return answer
        document = _object(answer.body)
        if answer.status != 200 or document is None:
            return f"failed to refresh token: {_refusal(answer.status, document)}"
        id_token, refresh_token = document.get("id_token"), document.get("refresh_token")
        if not isinstance(id_token, str) or not id_token:
            return (
                'token response did not contain an id_token, either the scope "openid" wasn\'t requested upon login, '
                "or the provider doesn't support id_tokens as part of the refresh response"
            )
        renewed = _Tokens(id_token, refresh_token if isinstance(refresh_token, str) else "")
        if renewed.expires() == float("-inf"):
            return "ID Token is not a valid JWT"
        return renewed if renewed.refresh_token else replace(renewed, refresh_token=tokens.refresh_token)

    def _ask(
        self, url: str, scope: CallScope, *, post: _Secret | None = None, in_header: bool = False
    ) -> Response | str:
        """Ask the identity provider: a GET, or a POST of a refresh token."""
        problem = ""
        try:
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            config = RESTConfig(host=f"https://{parts.netloc}", tls=self._tls)
            request = Request("GET", target) if post is None else self._refresh_request(target, post, in_header)
            with Transport(config) as transport:
                return transport.send(request, scope=scope)
        except ValueError:  # urlsplit
            problem = f"{url[:_EXCERPT]!r} is no URL"
        except (TransportError, ConfigError, DecodeError) as error:
            problem = f"{url.partition('?')[0]}: {error}"
        return problem

    def _refresh_request(self, target: str, token: _Secret, in_header: bool) -> Request:
        form = {"grant_type": "refresh_token", "refresh_token": token.text}
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
        if self._secret.text and in_header:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret.text)}"  # RFC 6749, 2.3.1
            headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        else:
            form |= {"client_id": self._client_id}
            form |= {"client_secret": self._secret.text} if self._secret.text else {}
        return Request("POST", target, headers=tuple(headers), body=urlencode(form).encode())

    # ------------------------------------------------------------- the kubeconfig

    def _written(self) -> _Tokens | None:
        """The tokens that are in the kubeconfig now; None when they are not there."""
        if not self._kubeconfig:
            return None
        try:
            settings = self._stanza(load_file(self._kubeconfig))
        except ConfigError:
            return None
        return None if settings is None else _Tokens.of(settings)

    def _stanza(self, config: Kubeconfig) -> Mapping[str, str] | None:
        user = config.users.get(self._user)
        provider = user.auth_provider if user is not None else None
        if provider is None or provider.name != "oidc":
            return None
        mine = self._issuer, self._client_id
        found = provider.config.get(ISSUER, "").removesuffix("/"), provider.config.get(CLIENT_ID)
        return provider.config if found == mine else None

    def _write(self, tokens: _Tokens, scope: CallScope) -> None:
        """Put new tokens into the kubeconfig; where that fails, they are good all the same, and it is logged."""
        if not self._kubeconfig:
            return
        give_up_at = time.monotonic() + LOCKED_FOR
        while True:
            try:
                modify_config(lambda config: self._with(config, tokens), kubeconfig=self._kubeconfig)
            except (ConfigError, InvalidRequestError) as error:
                if time.monotonic() >= give_up_at:
                    _log.error("could not persist new tokens%s: %s", self._place(), error)
                    return
            else:
                return
            scope.sleep(0.1)  # somebody else has it locked

    def _with(self, config: Kubeconfig, tokens: _Tokens) -> Kubeconfig:
        user, settings = config.users.get(self._user), self._stanza(config)
        if user is None or settings is None or user.auth_provider is None:
            return config
        changed = {**settings, ID_TOKEN: tokens.id_token, REFRESH_TOKEN: tokens.refresh_token}
        provider = replace(user.auth_provider, config=changed)
        return config.copy(users={**config.users, self._user: user.copy(auth_provider=provider)})


class _Secret:
    """A text that does not show."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "REDACTED"


def _need(settings: Mapping[str, str], name: str) -> str:
    value = settings.get(name, "")
    if not value:
        raise ConfigError(f"oidc: Must provide {name} in the auth-provider's config")
    return value


def _trust(settings: Mapping[str, str]) -> TLSConfig:
    problem = f"oidc: {CA_DATA} is not valid base64: it must be the base64 form of a PEM file's bytes"
    try:
        data = base64.b64decode("".join(settings.get(CA_DATA, "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(problem) from None
    return TLSConfig(ca_file=settings.get(CA_FILE, ""), ca_data=data or None)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = codec.decode(body)
    except DecodeError:
        return None
    return found if isinstance(found, dict) else None


def _refusal(status: int, document: dict[str, Any] | None) -> str:
    """What a token endpoint said (RFC 6749, 5.2), cut short."""
    said = [document.get(each) for each in ("error", "error_description")] if document is not None else []
    text = ": ".join(each[:_EXCERPT] for each in said if isinstance(each, str) and each)
    shown = "".join(char if char.isprintable() else "�" for char in text)
    more = "; log in again" if said and said[0] == "invalid_grant" else ""
    return f"HTTP {status}{f' {shown}' if shown else ''}{more}"


def _expiry(id_token: str) -> float:
    found = _JWT.fullmatch(id_token)
    if found is None:
        return float("-inf")
    try:
        payload = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except (binascii.Error, ValueError):
        return float("-inf")
    claims = _object(payload) or {}
    exp = claims.get("exp")
    return float(exp) if isinstance(exp, int | float) and not isinstance(exp, bool) else float("-inf")


# --------------------------------------------------------------------------- one for the whole process


class _Providers:
    """One provider for each user, so that clients do not refresh against each other."""

    KEPT = 256

    def __init__(self) -> None:
        self._providers: LRUCache[Any, OIDCProvider] = LRUCache(self.KEPT)
        self.renew_after_fork()
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """In a forked child: a thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def get(self, config: RESTConfig) -> OIDCProvider:
        provider = config.auth_provider
        settings: dict[str, str] = dict(provider.config) if provider is not None else {}
        tokens = (ID_TOKEN, REFRESH_TOKEN) if config.source else ()
        same = tuple(sorted(item for item in settings.items() if item[0] not in tokens))
        key = (config.base_url, config.source, config.user, same)
        with self._lock:
            found = self._providers.get(key)
            if found is None:
                found = OIDCProvider(settings, kubeconfig=config.source, user=config.user)
                self._providers[key] = found
            found.offer(settings)
            return found


_providers = _Providers()


def oidc_provider(config: RESTConfig) -> OIDCProvider:
    """The provider of a configuration's user: one for each, in the whole process.

    Raises:
        ConfigError: The auth-provider's settings cannot be used.
    """
    return _providers.get(config)
