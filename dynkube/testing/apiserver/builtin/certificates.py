"""CertificateSigningRequests (pkg/apis/certificates/validation, pkg/registry/certificates).

Who asks is written into spec by an admission plugin, `subresources.CertificateChecks`, and conditions are written
through subresources, `subresources.certificates`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.builtin.keypairs import pem_blocks
from dynkube.testing.apiserver.builtin.native import NativeStrategy, keep
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping, word
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    not_supported,
    quoted,
    required,
    too_long,
)
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["CertificateSigningRequestStrategy", "request_change", "signing_request"]

_CONDITIONS = "status.conditions"
_LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
_SHORTEST = 600
_FINAL = ("Approved", "Denied", "Failed")
_USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
_LONGEST_DOMAIN = 253
_LONGEST_SIGNER = 253 + 63 + 1 + _LONGEST_DOMAIN + 1


class CertificateSigningRequestStrategy(NativeStrategy):
    """CertificateSigningRequests: what is asked for never changes."""

    has_status = True

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`: any name."""
        return ()

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """See `Strategy`."""
        return (("spec",), ("status",))

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        keep(obj, old, "spec")
        keep(obj, old, "status")

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _whole(obj, {})

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return request_change(obj, old)

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"spec.signerName": mapping(obj, "spec").get("signerName", "")}


def request_change(obj: Json, old: Json, *, approves: bool = False, signs: bool = False) -> Errors:
    """A changed request.

    Args:
        obj: As it would be.
        old: As it was.
        approves: Whether Approved and Denied may come.
        signs: Whether a certificate may come.
    """
    yield from _whole(obj, old)
    for kind in _FINAL:
        if _count(obj, kind) < _count(old, kind):
            yield forbidden(_CONDITIONS, f"updates may not remove a condition of type {quoted(kind)}")
    for kind in () if approves else ("Approved", "Denied"):
        if _count(obj, kind) > _count(old, kind):
            yield forbidden(_CONDITIONS, f"updates may not add a condition of type {quoted(kind)}")
    certificate, before = _certificate(obj), _certificate(old)
    if certificate != before and not signs:
        yield forbidden("status.certificate", "updates may not set certificate content")
    elif certificate != before and before:
        yield forbidden("status.certificate", "updates may not modify existing certificate content")


def _count(obj: Json, kind: str) -> int:
    return sum(condition.get("type") == kind for condition in _conditions(obj))


def _conditions(obj: Json) -> Sequence[Json]:
    return listed(mapping(obj, "status"), "conditions")


def _certificate(obj: Json) -> str:
    return mapping(obj, "status").get("certificate") or ""


def _whole(obj: Json, old: Json) -> Errors:
    """What was wrong before may stay wrong. What is asked for cannot change: it is judged once."""
    if not old:
        yield from _spec(mapping(obj, "spec"))
    yield from _condition_errors(_conditions(obj), _conditions(old))
    certificate, before = _certificate(obj), _certificate(old)
    if certificate != before and not _certificate_problem(before):
        problem = _certificate_problem(certificate)
        if problem:
            yield invalid("status.certificate", "<certificate data>", problem)


# ------------------------------------------------------------------ what is asked for


def _spec(spec: Json) -> Errors:
    request = spec.get("request")
    problem = _request_problem(request or "")
    if problem:
        yield invalid("spec.request", request, problem)
    usages, field = listed(spec, "usages"), "spec.usages"
    if not usages:
        yield required(field)
    for number, usage in enumerate(usages):
        if usage not in _USAGES:
            yield not_supported(index(field, number), word(usage), _USAGES)
    for number, usage in enumerate(usages):
        if usage in usages[:number]:
            yield duplicate(index(field, number), word(usage))
    yield from _signer_name(spec.get("signerName", ""), "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST:
        problem = "may not specify a duration less than 600 seconds (10 minutes)"
        yield invalid("spec.expirationSeconds", seconds, problem)


def signing_request(encoded: str) -> Any:
    """A PKCS #10 request, parsed; ``encoded`` is the base64 of its PEM.

    Raises:
        ValueError: It is none.
    """
    from cryptography import x509

    blocks = pem_blocks(base64.b64decode(encoded))
    if not blocks or blocks[0][0] != "CERTIFICATE REQUEST":
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        return x509.load_der_x509_csr(blocks[0][1])
    except ValueError:
        raise ValueError("asn1: structure error: malformed certificate request") from None


def _request_problem(encoded: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        request = signing_request(encoded)
        if request.is_signature_valid:
            return ""
    except UnsupportedAlgorithm:
        return "x509: cannot verify signature: algorithm unimplemented"
    except ValueError as error:
        return str(error)
    key = type(request.public_key()).__name__
    if "RSA" in key:
        return "crypto/rsa: verification error"
    return f"x509: {'Ed25519' if 'Ed25519' in key else 'ECDSA'} verification failure"


def _signer_name(name: str, field: str) -> Errors:
    if name == _LEGACY_SIGNER:
        yield invalid(field, name, "the legacy signerName is not allowed via this API version")
        return
    if not name:
        yield required(field)
        return
    segments = name.split("/")
    if len(segments) != 2:
        problem = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(field, name, problem)
        return
    domain, path = segments
    if len(domain) > _LONGEST_DOMAIN:
        yield too_long(field, _LONGEST_DOMAIN)
    labels = domain.split(".")
    yield from _label_errors(domain, ((label, names.dns1123_label(label)) for label in labels), field)
    if len(labels) < 2:
        yield invalid(field, domain, "should be a domain with at least two segments separated by dots")
    yield from _label_errors(path, ((label, names.dns1123_subdomain(label)) for label in path.split(".")), field)
    if len(name) > _LONGEST_SIGNER:
        yield too_long(field, _LONGEST_SIGNER)


def _label_errors(segment: str, judged: Iterable[tuple[str, Sequence[str]]], field: str) -> Errors:
    """Of the first label that is wrong."""
    label, problems = next(((label, problems) for label, problems in judged if problems), ("", ()))
    for problem in problems:
        yield invalid(field, segment, f"validating label {quoted(label)}: {problem}")


# ------------------------------------------------------------------ what is answered


def _condition_errors(conditions: Sequence[Json], old: Sequence[Json]) -> Errors:
    before = [condition.get("type", "") for condition in old]
    seen: set[str] = set()
    for number, condition in enumerate(conditions):
        field, kind = index(_CONDITIONS, number), condition.get("type", "")
        if not kind and "" not in before:
            yield required(child(field, "type"))
        yield from _status_errors(condition, kind, child(field, "status"))
        is_both = {"Approved", "Denied"} == {kind, *seen & {"Approved", "Denied"}}
        if is_both and not {"Approved", "Denied"} <= set(before):
            yield invalid(_CONDITIONS, word(kind), "Approved and Denied conditions are mutually exclusive")
        if kind in seen and len(before) == len(set(before)):
            yield duplicate(child(field, "type"), word(kind))
        seen.add(kind)


def _status_errors(condition: Json, kind: str, field: str) -> Errors:
    status = condition.get("status", "")
    allowed = ["True"] if kind in _FINAL else ["False", "True", "Unknown"]
    if not status:
        yield required(field)
    elif status not in allowed:
        yield not_supported(field, word(status), allowed)


def _certificate_problem(encoded: str) -> str:
    from cryptography import x509

    if not encoded:
        return ""
    blocks = pem_blocks(base64.b64decode(encoded))
    for kind, data in blocks:
        if kind != "CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {quoted(kind)}"
        try:
            x509.load_der_x509_certificate(data)
        except ValueError:
            return "x509: malformed certificate"
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"
