"""The admission plugins of CertificateSigningRequests (KUBE/plugin/pkg/admission/certificates), in one."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.builtin.certificates import signing_request
from dynkube.testing.apiserver.registry import Attributes
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.messages import RequestInfo, UserInfo

__all__ = ["CertificateChecks"]

_REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_VERBS = {"approval": "approve", "status": "sign"}


class CertificateChecks:
    """An admission plugin: who asks is written down, and who answers must be allowed to, for that signer."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def admit(self, attributes: Attributes) -> None:
        """Who asks for a certificate is written down: nobody asks for somebody else.

        KUBE/pkg/registry/certificates/certificates/strategy.go, PrepareForCreate.
        """
        if attributes.about != _REQUESTS or attributes.old is not None or attributes.obj is None:
            return
        spec, user = attributes.obj.setdefault("spec", {}), attributes.user
        asks = {
            "username": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {key: list(values) for key, values in user.extra.items()},
        }
        for field, value in asks.items():
            spec.pop(field, None)
            if value:
                spec[field] = value

    def validate(self, attributes: Attributes) -> None:
        """Judge a request, an approval or a signature.

        Raises:
            StatusError: 403.
        """
        if attributes.about != _REQUESTS or attributes.obj is None:
            return
        if attributes.old is None:
            self._check_subject(attributes)
        elif attributes.subresource == "approval" or _is_signed(attributes):
            self._check_signer(attributes, _VERBS[attributes.subresource])

    def _check_subject(self, attributes: Attributes) -> None:
        spec = (attributes.obj or {})["spec"]
        if spec.get("signerName") == _CLIENT_SIGNER and _asks_for_everything(spec["request"]):
            raise attributes.refuse(f"use of {_CLIENT_SIGNER} signer with system:masters group is not allowed")

    def _check_signer(self, attributes: Attributes, verb: str) -> None:
        signer = (attributes.old or {})["spec"].get("signerName", "")
        if not self._may(attributes.user, verb, signer):
            raise attributes.refuse(f"user not permitted to {verb} requests with signerName {quoted(signer)}")

    def _may(self, user: UserInfo, verb: str, signer: str) -> bool:
        """For this signer, or for all of its domain (IsAuthorizedForSignerName)."""
        domain = signer.split("/", maxsplit=1)[0]
        return any(self._access.decide(user, _answering(verb, name)).allowed for name in (signer, f"{domain}/*"))


def _is_signed(attributes: Attributes) -> bool:
    if attributes.subresource != "status":
        return False
    now, before = ((each or {}).get("status") or {} for each in (attributes.obj, attributes.old))
    return any((now.get(field) or None) != (before.get(field) or None) for field in ("certificate", "conditions"))


def _asks_for_everything(request: str) -> bool:
    from cryptography.x509 import NameOID

    subject = signing_request(request).subject
    return any(each.value == "system:masters" for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))


def _answering(verb: str, name: str) -> RequestInfo:
    return RequestInfo(
        verb=verb,
        path="",
        is_resource=True,
        group="certificates.k8s.io",
        version="*",
        resource="signers",
        name=name,
    )
