"""APIs in groups of the Kubernetes community want to be approved of (AE/apihelpers/helpers.go)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from dynkube.testing.apiserver.customresources.addresses import is_request_uri
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["APPROVAL_ANNOTATION", "Approval", "ApprovalState", "approval"]

APPROVAL_ANNOTATION = "api-approved.kubernetes.io"
_PROTECTED = ("k8s.io", "kubernetes.io")
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
_MUST = f'protected groups must have approval annotation "{APPROVAL_ANNOTATION}"'


class ApprovalState(Enum):
    """What the annotation says."""

    APPROVED = auto()
    """Where the approval is written down: a URL."""
    BYPASSED = auto()
    """That there is none: ``unapproved, ...``."""
    INVALID = auto()
    MISSING = auto()


@dataclass(frozen=True, slots=True)
class Approval:
    """What the annotation says, and the words for it."""

    state: ApprovalState
    text: str


def approval(group: str, annotation: str) -> Approval | None:
    """What the annotation of a CRD says; None for a group that needs none."""
    if not any(group == each or group.endswith(f".{each}") for each in _PROTECTED):
        return None
    if not annotation:
        return Approval(ApprovalState.MISSING, f"{_MUST}, {_SEE}")
    if annotation.startswith("unapproved"):
        return Approval(ApprovalState.BYPASSED, f"not approved: {quoted(annotation)}")
    _, separator, rest = annotation.partition("://")
    if separator and rest[:1] not in ("", "/", "?") and is_request_uri(annotation):
        return Approval(ApprovalState.APPROVED, f"approved in {annotation}")
    text = f'{_MUST} with either a URL or a reason starting with "unapproved", {_SEE}'
    return Approval(ApprovalState.INVALID, text)
