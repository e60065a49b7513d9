"""Who sends a request, by its credentials; the words of a TokenReview are those of kube-apiserver 1.36.3."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from access_support import NOW, Objects, access, request

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Access, TokenError, TokenIssuer
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.statuses import StatusError

ISSUER = "https://kubernetes.default.svc.cluster.local"
ACCOUNTS, PODS, SECRETS, NODES = (GroupResource("", each) for each in ("serviceaccounts", "pods", "secrets", "nodes"))
START = int(NOW.timestamp())


class Server:
    """An access room with a service account, a clock and an issuer."""

    def __init__(self) -> None:
        self.now = NOW
        self.objects = Objects()
        self.account = self.objects.put(ACCOUNTS, {"metadata": {"name": "robot", "namespace": "shop", "uid": "u1"}})
        self.issuer = TokenIssuer()
        self.access = access(self.objects, self._clock, issuer=self.issuer, tokens={"secret": TOKEN_USER})

    def _clock(self) -> datetime:
        return self.now

    def token(self, **changes: Any) -> str:
        about = {"namespace": "shop", "serviceaccount": {"name": "robot", "uid": "u1"}} | changes.pop("about", {})
        claims = {
            "aud": [ISSUER],
            "exp": START + 3600,
            "iat": START,
            "jti": "7",
            "kubernetes.io": about,
            "nbf": START,
            "sub": "system:serviceaccount:shop:robot",
        }
        return self.issuer.sign(claims | changes)

    def problem(self, token: str, audiences: tuple[str, ...] = ()) -> str:
        with pytest.raises(TokenError) as caught:
            self.access.review_token(bearer(token), audiences)
        return str(caught.value)


TOKEN_USER = UserInfo("token-user", ("developers",), "token-user-uid")


@pytest.fixture
def server() -> Server:
    return Server()


def bearer(token: str):  # type: ignore[no-untyped-def]
    return request("/", ("Authorization", f"Bearer {token}"))


def refused(gate: Access, *headers: tuple[str, str]) -> int:
    with pytest.raises(StatusError) as caught:
        gate.authenticate(request("/", *headers))
    return caught.value.code


def name(gate: Access, *headers: tuple[str, str], **options: Any) -> str:
    return gate.authenticate(request("/", *headers, **options)).name


# ------------------------------------------------------------------ which credential counts


def test_without_credentials_one_is_anonymous(server: Server) -> None:
    assert server.access.authenticate(request()) == UserInfo("system:anonymous", ("system:unauthenticated",))


@pytest.mark.parametrize("value", ["Basic eDp5", "bearer", "Bearer", "Negotiate abc", "", "token secret"])
def test_what_is_no_bearer_token_is_no_credential(server: Server, value: str) -> None:
    assert name(server.access, ("Authorization", value)) == "system:anonymous"


@pytest.mark.parametrize(
    "value", ["Bearer secret", "bearer secret", "BEARER secret", "  Bearer secret  ", "Bearer secret x"]
)
def test_a_static_token(server: Server, value: str) -> None:
    user = server.access.authenticate(request("/", ("Authorization", value)))
    assert user == UserInfo("token-user", ("developers", "system:authenticated"), "token-user-uid")


def test_a_wrong_token_is_unauthorized(server: Server) -> None:
    assert refused(server.access, ("Authorization", "Bearer wrong")) == 401


def test_an_extra_space_hides_the_token_and_is_warned_of(server: Server) -> None:
    sent = request("/", ("Authorization", "Bearer  secret"))
    assert server.access.authenticate(sent).name == "system:anonymous"
    assert server.access.warnings(sent) == (
        "the provided Authorization header contains extra space before the bearer token, and is ignored",
    )


def test_a_token_is_not_warned_of(server: Server) -> None:
    assert server.access.warnings(bearer("secret")) == ()


def test_a_certificate_counts_before_a_token(server: Server) -> None:
    alice = UserInfo("alice", ("developers",))
    assert name(server.access, ("Authorization", "Bearer wrong"), certificate_user=alice) == "alice"


def test_who_is_known_is_in_a_group_of_all_who_are(server: Server) -> None:
    user = server.access.authenticate(request(certificate_user=UserInfo("alice", ("developers",))))
    assert user.groups == ("developers", "system:authenticated")


def test_a_certificate_may_say_it_is_nobody(server: Server) -> None:
    user = server.access.authenticate(request(certificate_user=UserInfo("system:anonymous")))
    assert user.groups == ()


# ------------------------------------------------------------------ tokens in WebSockets

UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
HIDDEN = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(b"secret").decode().rstrip("=")


def test_a_token_among_the_subprotocols_of_a_websocket(server: Server) -> None:
    assert name(server.access, *UPGRADE, ("Sec-WebSocket-Protocol", f"{HIDDEN}, v5.channel.k8s.io")) == "token-user"


def test_subprotocols_count_only_in_a_websocket(server: Server) -> None:
    assert name(server.access, ("Sec-WebSocket-Protocol", f"{HIDDEN}, other")) == "system:anonymous"


@pytest.mark.parametrize(
    "protocols", [HIDDEN, f"{HIDDEN}, {HIDDEN}, other", "base64url.bearer.authorization.k8s.io.!!, a"]
)
def test_a_token_that_cannot_be_taken_out_of_the_subprotocols(server: Server, protocols: str) -> None:
    assert refused(server.access, *UPGRADE, ("Sec-WebSocket-Protocol", protocols)) == 401


# ------------------------------------------------------------------ service accounts


def test_a_service_account_has_its_groups_and_its_tokens_id(server: Server) -> None:
    user = server.access.authenticate(bearer(server.token()))
    assert user == UserInfo(
        "system:serviceaccount:shop:robot",
        ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"),
        "u1",
        {"authentication.kubernetes.io/credential-id": ("JTI=7",)},
    )


def test_a_token_of_a_pod_says_which_pod_and_node(server: Server) -> None:
    server.objects.put(PODS, {"metadata": {"name": "web", "namespace": "shop", "uid": "p1"}})
    token = server.token(about={"pod": {"name": "web", "uid": "p1"}, "node": {"name": "n1", "uid": "n"}})
    extra = server.access.authenticate(bearer(token)).extra
    assert {key.rpartition("/")[2]: value for key, value in extra.items()} == {
        "pod-name": ("web",),
        "pod-uid": ("p1",),
        "credential-id": ("JTI=7",),
        "node-name": ("n1",),
        "node-uid": ("n",),
    }


def test_a_token_ends_a_minute_after_it_says(server: Server) -> None:
    token = server.token()
    server.now += timedelta(seconds=3660)
    assert name(server.access, ("Authorization", f"Bearer {token}")).endswith(":robot")
    server.now += timedelta(seconds=1)
    assert server.problem(token) == "[invalid bearer token, service account token has expired]"


def test_a_token_of_the_future(server: Server) -> None:
    assert server.problem(server.token(nbf=START + 61)).endswith("service account token is not valid yet]")
    assert server.problem(server.token(iat=START + 61)).endswith("service account token is issued in the future]")


def test_a_token_for_others_is_none_for_the_server(server: Server) -> None:
    assert server.problem(server.token(aud=["x", "y"])) == (
        f'[invalid bearer token, token audiences ["x" "y"] is invalid for the target audiences ["{ISSUER}"]]'
    )


def test_a_review_for_others_gets_the_audiences_that_fit(server: Server) -> None:
    found = server.access.review_token(bearer(server.token(aud=["x", "y"])), ("y", "x", "z"))
    assert found.audiences == ["y", "x"]


def test_a_static_token_is_for_the_server_only(server: Server) -> None:
    assert server.problem("secret", ("x",)) == "invalid bearer token"


def test_a_token_ends_with_its_account(server: Server) -> None:
    token = server.token()
    server.objects.remove(ACCOUNTS, "shop", "robot")
    assert server.problem(token) == '[invalid bearer token, serviceaccounts "robot" not found]'


def test_a_token_does_not_outlive_its_account_in_a_namesake(server: Server) -> None:
    token = server.token()
    server.objects.put(ACCOUNTS, {"metadata": {"name": "robot", "namespace": "shop", "uid": "u2"}})
    assert server.problem(token) == ("[invalid bearer token, service account UID (u2) does not match claim (u1)]")


@pytest.mark.parametrize(
    ("field", "resource", "place"), [("pod", PODS, "shop"), ("secret", SECRETS, "shop"), ("node", NODES, "")]
)
def test_a_token_ends_with_what_it_is_bound_to(server: Server, field: str, resource: GroupResource, place: str) -> None:
    token = server.token(about={field: {"name": "bound", "uid": "b1"}})
    assert server.problem(token) == "[invalid bearer token, service account token has been invalidated]"
    metadata = {"name": "bound", "uid": "b2"} | ({"namespace": place} if place else {})
    server.objects.put(resource, {"metadata": metadata})
    assert server.problem(token) == (
        f"[invalid bearer token, {field} UID (b2) does not match service account {field} ref claim (b1)]"
    )


def test_what_ends_ends_a_token_a_minute_later(server: Server) -> None:
    pod = {"name": "web", "namespace": "shop", "uid": "p1", "deletionTimestamp": "2026-01-01T12:00:00Z"}
    server.objects.put(PODS, {"metadata": pod})
    token = server.token(about={"pod": {"name": "web", "uid": "p1"}})
    server.now += timedelta(seconds=60)
    assert name(server.access, ("Authorization", f"Bearer {token}")).endswith(":robot")
    server.now += timedelta(seconds=1)
    assert server.problem(token).endswith("service account token has been invalidated]")


# ------------------------------------------------------------------ forgeries


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forged(server: Server, header: str = "", claims: str = "", signature: str | None = None) -> str:
    parts = server.token().split(".")
    return ".".join((header or parts[0], claims or parts[1], parts[2] if signature is None else signature))


CRYPTOGRAPHIC = "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"signature": ""}, CRYPTOGRAPHIC),
        ({"signature": "aaaa"}, CRYPTOGRAPHIC),
        ({"signature": "A" * 86}, CRYPTOGRAPHIC),
        ({"signature": "!!"}, "invalid bearer token"),
        ({"header": "AA"}, "invalid bearer token"),
        ({"header": encoded({"alg": "none"})}, CRYPTOGRAPHIC),
        (
            {"header": encoded({"alg": "ES256", "kid": "zz"})},
            "[invalid bearer token, invalid signature, no keys found]",
        ),
        ({"claims": encoded({"iss": "foo"})}, "invalid bearer token"),
        ({"claims": encoded({"iss": "kubernetes/serviceaccount"})}, CRYPTOGRAPHIC),
        ({"claims": encoded({"iss": ISSUER, "sub": "system:admin"})}, CRYPTOGRAPHIC),
        ({"claims": "AAAA"}, "invalid bearer token"),
    ],
)
def test_a_forged_token(server: Server, changes: dict[str, str], problem: str) -> None:
    assert server.problem(forged(server, **changes)) == problem


@pytest.mark.parametrize("token", ["bad", "a.b", "a.b.c.d", "..", "a.b.c"])
def test_what_is_no_token_at_all(server: Server, token: str) -> None:
    assert server.problem(token) == "invalid bearer token"


def test_another_servers_token(server: Server) -> None:
    assert server.problem(Server().token()) == "[invalid bearer token, invalid signature, no keys found]"


def test_the_public_key_is_told(server: Server) -> None:
    key = server.issuer.json_web_key
    assert (key["kid"], key["kty"], key["crv"], key["alg"], key["use"]) == (
        server.issuer.key_id,
        "EC",
        "P-256",
        "ES256",
        "sig",
    )
