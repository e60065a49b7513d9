"""Who sent a request: client certificate, static token, service account token, or nobody (anonymous).

As kube-apiserver with ``--client-ca-file``, ``--token-auth-file``, service account keys and anonymous
requests allowed (its default) tries them (KUBE/pkg/kubeapiserver/authenticator/config.go): the first
that knows the sender wins; a credential that is no good is a 401; no credential at all is
``system:anonymous``. Basic authentication is no credential. The real server keeps what it found for
ten seconds, so that a token may outlive its account by that much; this one looks each time.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dynkube import quantities
from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import identities
from dynkube.testing.apiserver.access.decisions import quoted_list
from dynkube.testing.apiserver.access.objects import NODES, PODS, SECRETS, SERVICE_ACCOUNTS, Objects
from dynkube.testing.apiserver.access.rbac import aggregated
from dynkube.testing.apiserver.access.tokens import TokenError, TokenIssuer
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Headers, Request, UserInfo
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Authentication", "Authenticator", "bearer_warnings"]

_ANONYMOUS = UserInfo(identities.ANONYMOUS, (identities.UNAUTHENTICATED,))
_LEEWAY = timedelta(minutes=1)
_INVALID = "invalid bearer token"
_INVALIDATED = "service account token has been invalidated"
_WEBSOCKET_TOKEN = "base64url.bearer.authorization.k8s.io."  # noqa: S105 - a prefix, no secret
_EXTRA_SPACE = "the provided Authorization header contains extra space before the bearer token, and is ignored"


@dataclass(frozen=True, slots=True)
class Authentication:
    """Who it is, and for which audiences that holds."""

    user: UserInfo
    audiences: Sequence[str]


class Authenticator:
    """Knows senders by their credentials.

    Args:
        objects: For service accounts, and what their tokens are bound to.
        issuer: Of service account tokens.
        tokens: Static tokens, and whose they are; read at each request.
        now: The server's clock.
    """

    def __init__(
        self, objects: Objects, issuer: TokenIssuer, tokens: Mapping[str, UserInfo], now: Callable[[], datetime]
    ) -> None:
        self._objects = objects
        self._issuer = issuer
        self._tokens = tokens
        self._now = now

    def authenticate(self, request: Request, audiences: Sequence[str] = ()) -> Authentication:
        """Who sent a request.

        Args:
            request: Only its headers and ``certificate_user`` matter.
            audiences: Whom a token has to be for; by default the API server itself.

        Raises:
            TokenError: Its credentials are no good.
        """
        wanted = audiences or (self._issuer.issuer,)
        if request.certificate_user is not None:
            return Authentication(_authenticated(request.certificate_user), wanted)
        token = _bearer_token(request.headers) or _websocket_token(request.headers)
        if not token:
            return Authentication(_ANONYMOUS, wanted)
        found = self._of_token(token, wanted)
        return replace(found, user=_authenticated(found.user))

    def _of_token(self, token: str, wanted: Sequence[str]) -> Authentication:
        user = self._tokens.get(token)
        if user is not None:
            accepted = [each for each in wanted if each == self._issuer.issuer]
            if accepted:
                return Authentication(user, accepted)
        try:
            claims = self._issuer.verify(token)
            if claims is not None:
                return self._of_claims(claims, wanted)
        except TokenError as error:
            raise TokenError(aggregated([_INVALID, str(error)])) from None
        raise TokenError(_INVALID)

    def _of_claims(self, claims: Mapping[str, Any], wanted: Sequence[str]) -> Authentication:
        named = claims.get("aud") or (self._issuer.issuer,)
        intended = (named,) if isinstance(named, str) else tuple(named)
        audiences = [each for each in wanted if each in intended]
        if not audiences:
            raise TokenError(
                f"token audiences {quoted_list(intended)} is invalid for the target audiences {quoted_list(wanted)}"
            )
        self._check_times(claims)
        about = claims.get("kubernetes.io") or {}
        namespace, account = about.get("namespace", ""), about.get("serviceaccount") or {}
        self._check_account(namespace, account)
        self._check_bound(namespace, about)
        extra = _extra(claims.get("jti", ""), about)
        name = identities.service_account_user(namespace, account["name"])
        groups = identities.service_account_groups(namespace)
        return Authentication(UserInfo(name, groups, account["uid"], extra), audiences)

    # KUBE/pkg/serviceaccount/claims.go, Validate

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._now()
        if now + _LEEWAY < _time(claims.get("nbf", 0)):
            raise TokenError("service account token is not valid yet")
        if now - _LEEWAY > _time(claims.get("exp", 0)):
            raise TokenError("service account token has expired")
        if now + _LEEWAY < _time(claims.get("iat", 0)):
            raise TokenError("service account token is issued in the future")

    def _check_account(self, namespace: str, reference: Mapping[str, str]) -> None:
        name, uid = reference.get("name", ""), reference.get("uid", "")
        account = self._objects.get(SERVICE_ACCOUNTS, namespace, name)
        if account is None:
            raise TokenError(str(statuses.not_found(SERVICE_ACCOUNTS, name)))
        actual = account["metadata"]["uid"]
        if actual != uid:
            raise TokenError(f"service account UID ({actual}) does not match claim ({uid})")
        if self._is_gone(account):
            raise TokenError(f"service account {namespace}/{name} has been deleted")

    def _check_bound(self, namespace: str, about: Mapping[str, Any]) -> None:
        if "secret" in about:
            self._check_reference(SECRETS, namespace, about["secret"], "secret")
        if "pod" in about:
            self._check_reference(PODS, namespace, about["pod"], "pod")
        elif "node" in about:
            self._check_reference(NODES, "", about["node"], "node")

    def _check_reference(
        self, resource: GroupResource, namespace: str, reference: Mapping[str, str], word: str
    ) -> None:
        obj = self._objects.get(resource, namespace, reference.get("name", ""))
        if obj is None:
            raise TokenError(_INVALIDATED)
        actual, uid = obj["metadata"]["uid"], reference.get("uid", "")
        if actual != uid:
            raise TokenError(f"{word} UID ({actual}) does not match service account {word} ref claim ({uid})")
        if self._is_gone(obj):
            raise TokenError(_INVALIDATED)

    def _is_gone(self, obj: Object) -> bool:
        deleted = obj["metadata"].get("deletionTimestamp")
        return deleted is not None and quantities.parse_time(deleted) < self._now() - _LEEWAY


def bearer_warnings(request: Request) -> Sequence[str]:
    """What the server warns of in an Authorization header: a token that nobody reads."""
    parts = (request.headers.get("Authorization") or "").strip().split(" ", 2)
    is_empty = len(parts) == 3 and parts[0].lower() == "bearer" and not parts[1]
    return (_EXTRA_SPACE,) if is_empty and request.certificate_user is None else ()


def _bearer_token(headers: Headers) -> str:
    # AS/authentication/request/bearertoken: cut at single spaces, so that two make an empty token.
    parts = (headers.get("Authorization") or "").strip().split(" ", 2)
    return parts[1] if len(parts) > 1 and parts[0].lower() == "bearer" else ""


def _websocket_token(headers: Headers) -> str:
    """A token among the subprotocols of a WebSocket, which browsers cannot send as a header."""
    upgrades = (headers.get("Connection") or "").lower(), (headers.get("Upgrade") or "").lower()
    if "upgrade" not in upgrades[0] or upgrades[1] != "websocket":
        return ""
    protocols = [each.strip() for line in headers.get_all("Sec-WebSocket-Protocol") for each in line.split(",")]
    tokens = [each.removeprefix(_WEBSOCKET_TOKEN) for each in protocols if each.startswith(_WEBSOCKET_TOKEN)]
    if not tokens:
        return ""
    if len(tokens) > 1:
        raise TokenError("multiple base64.bearer.authorization tokens specified")
    try:
        token = base64.b64decode(tokens[0] + "=" * (-len(tokens[0]) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise TokenError("invalid base64.bearer.authorization token encoding") from None
    if token and len(protocols) == 1:
        raise TokenError("missing additional subprotocol")
    return token


def _authenticated(user: UserInfo) -> UserInfo:
    """With the group of all who are known (AuthenticatedGroupAdder)."""
    known = user.name == identities.ANONYMOUS or {identities.AUTHENTICATED, identities.UNAUTHENTICATED} & {*user.groups}
    return user if known else replace(user, groups=(*user.groups, identities.AUTHENTICATED))


def _extra(token_id: str, about: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What a token says of itself, its pod and its node (ServiceAccountInfo.UserInfo)."""
    pod, node = about.get("pod") or {}, about.get("node") or {}
    extra = {
        identities.POD_NAME: pod.get("name") if pod.get("uid") else "",
        identities.POD_UID: pod.get("uid"),
        identities.CREDENTIAL_ID: f"JTI={token_id}" if token_id else "",
        identities.NODE_NAME: node.get("name"),
        identities.NODE_UID: node.get("uid"),
    }
    return {key: (value,) for key, value in extra.items() if value}


def _time(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds if isinstance(seconds, int | float) else 0, UTC)
