"""Certificates: who asks for one, who approves, who signs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from both import Both
from identities import acting_as, grant

from dynkube.testing.pki import Authority

CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
NOTHING = "cGVtLCBhcyBpdCBpcyBub3Q="


def message(answer: Any) -> str:
    return str(answer.json()["message"])


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signing_request(group: str = "") -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    named = [(x509.NameOID.COMMON_NAME, "bob"), *([(x509.NameOID.ORGANIZATION_NAME, group)] if group else [])]
    subject = x509.Name([x509.NameAttribute(*each) for each in named])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return encoded(made.public_bytes(serialization.Encoding.PEM))


def forged() -> str:
    """A request whose signature is another's."""
    lines = [base64.b64decode(signing_request()).decode().splitlines()[1:-1] for _ in range(2)]
    one, other = (base64.b64decode("".join(each)) for each in lines)
    data = base64.encodebytes(one[:-60] + other[-60:] if len(one) == len(other) else one[:-1] + b"?").decode()
    return encoded(f"-----BEGIN CERTIFICATE REQUEST-----\n{data}-----END CERTIFICATE REQUEST-----\n".encode())


def asking(both: Both, **spec: Any) -> dict[str, Any]:
    asked = {"request": signing_request(), "signerName": "example.com/x", "usages": ["client auth"], **spec}
    return {"metadata": {"name": both.unique}, "spec": {name: value for name, value in asked.items() if value}}


@pytest.fixture
def csr(both: Both) -> str:
    body = asking(both, username="zz", groups=["a"])
    body["status"] = {"certificate": NOTHING, "conditions": [condition("Approved")]}
    both.post(CSRS, body, mask=without_fingerprint)
    return f"{CSRS}/{body['metadata']['name']}"


def without_fingerprint(document: Any) -> Any:
    """The credentials' id, which each server makes of its own certificate."""
    document.get("spec", {}).pop("extra", None)
    return document


def condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, **more}


# ------------------------------------------------------------------ asking


def test_who_asks_is_written_down(both: Both, csr: str) -> None:
    found = both.get(csr, mask=without_fingerprint).json()
    assert found["spec"]["username"] not in ("", "zz")
    assert found["status"] == {}


def issued(name: str = "a") -> str:
    return encoded(Authority(name).certificate)


@pytest.mark.parametrize("make", [lambda: None, lambda: NOTHING, issued], ids=["none", "text", "certificate"])
def test_requests_that_are_none(both: Both, make: Callable[[], str | None]) -> None:
    assert both.post(CSRS, asking(both, request=make())).status == 422


def test_a_forged_request(both: Both) -> None:
    assert message(both.post(CSRS, asking(both, request=forged()))).endswith("x509: ECDSA verification failure")


@pytest.mark.parametrize(
    "spec",
    [
        {"usages": None},
        {"usages": ["foo", "client auth", "foo", 'a"b']},
        {"expirationSeconds": 599},
        *({"signerName": name} for name in (None, "x", "a.b/c/d", "kubernetes.io/legacy-unknown", "one/x", "Up.com/x")),
        *({"signerName": name} for name in ("a.b/X..y", "a.b/", "/x", f"{'a.' * 127}b/c", f"a.b/{'c' * 320}")),
    ],
)
def test_what_nobody_can_ask_for(both: Both, spec: dict[str, Any]) -> None:
    assert both.post(CSRS, asking(both, **spec)).status == 422


def test_names_of_requests(both: Both) -> None:
    for name in (f"{both.unique}:UP per", "a/b"):
        both.post(CSRS, asking(both) | {"metadata": {"name": name}}, mask=without_fingerprint)


def test_nobody_asks_to_be_everything(both: Both) -> None:
    body = asking(both, request=signing_request("system:masters"), signerName="kubernetes.io/kube-apiserver-client")
    refused = both.post(CSRS, body)
    assert message(refused).endswith("signer with system:masters group is not allowed")
    body["spec"]["signerName"] = "example.com/y"
    assert both.post(CSRS, body, mask=without_fingerprint).status == 201


def test_what_was_asked_stays(both: Both, csr: str) -> None:
    patch = {"metadata": {"labels": {"a": "b"}}, "spec": {"signerName": "q/w"}, "status": {"certificate": "aGk="}}
    changed = both.patch(f"{csr}?fieldManager=m", patch, mask=without_fingerprint).json()
    assert (changed["spec"]["signerName"], changed["status"]) == ("example.com/x", {})


# ------------------------------------------------------------------ approving


def test_an_approval(both: Both, csr: str) -> None:
    patch = {
        "spec": {"signerName": "q/w"},
        "status": {"certificate": "aGk=", "conditions": [condition("Approved", reason="r", message="m")]},
    }
    approved = both.patch(f"{csr}/approval?fieldManager=a", patch, mask=without_fingerprint).json()
    assert approved["spec"]["signerName"] == "example.com/x"
    assert [each["type"] for each in approved["status"]["conditions"]] == ["Approved"]
    assert both.get(f"{csr}/approval", mask=without_fingerprint).status == 200


@pytest.mark.parametrize(
    "conditions",
    [
        [condition("Denied")],
        [condition("Approved"), condition("Approved")],
        [condition("Approved"), condition("Denied")],
        [condition("Approved", "False")],
        [condition("Foo", "Bar"), condition("", "")],
        [],
    ],
)
def test_approvals_that_are_refused(both: Both, csr: str, conditions: list[dict[str, Any]]) -> None:
    both.patch(f"{csr}/approval", {"status": {"conditions": [condition("Approved")]}}, mask=without_fingerprint)
    assert both.patch(f"{csr}/approval", {"status": {"conditions": conditions}}).status == 422


def test_who_may_not_approve(both: Both, csr: str) -> None:
    user = both.unique
    resources = ["certificatesigningrequests", "certificatesigningrequests/approval"]
    grant(both, user, {"verbs": ["*"], "apiGroups": ["certificates.k8s.io"], "resources": resources})
    patch = {"status": {"conditions": [condition("Approved")]}}
    refused = both.patch(f"{csr}/approval", patch, headers=acting_as(user))
    assert message(refused).endswith('user not permitted to approve requests with signerName "example.com/x"')
    rule = {
        "verbs": ["approve"],
        "apiGroups": ["certificates.k8s.io"],
        "resources": ["signers"],
        "resourceNames": ["example.com/*"],
    }
    grant(both, user, rule)
    assert both.patch(f"{csr}/approval", patch, headers=acting_as(user), mask=without_fingerprint).status == 200


# ------------------------------------------------------------------ signing


def test_a_certificate_comes_once(both: Both, csr: str) -> None:
    path, certificate = f"{csr}/status?fieldManager=s", issued()
    patch = {"spec": {"signerName": "q/w"}, "status": {"certificate": certificate}}
    signed = both.patch(path, patch, mask=without_fingerprint).json()
    assert (signed["spec"]["signerName"], signed["status"]["certificate"]) == ("example.com/x", certificate)
    assert both.patch(path, {"status": {"certificate": issued()}}).status == 422
    assert both.patch(path, {"status": {"certificate": None}}).status == 422


@pytest.mark.parametrize("make", [lambda: NOTHING, signing_request], ids=["text", "request"])
def test_what_is_no_certificate(both: Both, csr: str, make: Callable[[], str]) -> None:
    assert both.patch(f"{csr}/status", {"status": {"certificate": make()}}).status == 422


@pytest.mark.parametrize("kind", ["Approved", "Denied"])
def test_nothing_is_approved_by_the_way(both: Both, csr: str, kind: str) -> None:
    refused = both.patch(f"{csr}/status", {"status": {"conditions": [condition(kind)]}})
    assert f'updates may not add a condition of type "{kind}"' in message(refused)


def test_conditions_of_the_signing(both: Both, csr: str) -> None:
    both.patch(f"{csr}/approval", {"status": {"conditions": [condition("Approved", message="m")]}}, compare=False)
    conditions = [condition("Approved", reason="other"), condition("Failed", reason="r"), condition("Mine", "Unknown")]
    patch = {"status": {"conditions": conditions}}
    told = both.patch(f"{csr}/status?fieldManager=s", patch, mask=without_fingerprint).json()["status"]["conditions"]
    assert [(each["type"], each.get("message"), each.get("reason")) for each in told] == [
        ("Approved", "m", None),
        ("Failed", None, "r"),
        ("Mine", None, None),
    ]
    assert both.patch(f"{csr}/status", {"status": {"conditions": []}}).status == 422


def test_who_may_not_sign(both: Both, csr: str) -> None:
    user = both.unique
    resources = ["certificatesigningrequests", "certificatesigningrequests/status"]
    grant(both, user, {"verbs": ["*"], "apiGroups": ["certificates.k8s.io"], "resources": resources})
    patch = {"status": {"certificate": issued()}}
    refused = both.patch(f"{csr}/status", patch, headers=acting_as(user))
    assert message(refused).endswith('user not permitted to sign requests with signerName "example.com/x"')
    assert both.patch(f"{csr}/status", {}, headers=acting_as(user), mask=without_fingerprint).status == 200
