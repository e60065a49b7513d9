"""Who may approve: KUBE/plugin/pkg/admission/certificates/approval."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.fielderrors import quoted
from dynkube.testing.apiserver.messages import RequestInfo, UserInfo
from dynkube.testing.apiserver.registry import Attributes

__all__ = ["ApprovalCheck"]

_REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")


class ApprovalCheck:
    """An admission plugin: who approves a CertificateSigningRequest must be allowed to approve for its signer."""

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
        attributes.obj["status"] = {}

    def validate(self, attributes: Attributes) -> None:
        """Judge an approval.

        Raises:
            StatusError: 403.
        """
        if attributes.about != _REQUESTS or attributes.subresource != "approval" or attributes.old is None:
            return
        signer = attributes.old["spec"].get("signerName", "")
        if not self._may_approve(attributes.user, signer):
            raise attributes.refuse(f"user not permitted to approve requests with signerName {quoted(signer)}")

    def _may_approve(self, user: UserInfo, signer: str) -> bool:
        """For this signer, or for all of its domain (IsAuthorizedForSignerName)."""
        domain = signer.split("/", maxsplit=1)[0]
        return any(self._access.decide(user, _approving(name)).allowed for name in (signer, f"{domain}/*"))


def _approving(name: str) -> RequestInfo:
    return RequestInfo(
        verb="approve",
        path="",
        is_resource=True,
        group="certificates.k8s.io",
        version="*",
        resource="signers",
        name=name,
    )
