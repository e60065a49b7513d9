"""How patches are refused."""

from __future__ import annotations

from dynkube.schema import GroupKind
from dynkube.testing.apiserver.words import fielderrors
from dynkube.testing.apiserver.words.statuses import StatusError, invalid, status

__all__ = ["invalid_patch", "patch_rejected"]


def patch_rejected() -> StatusError:
    """422 for what cannot be applied: the server says no more than this (NewGenericServerResponse)."""
    return StatusError(status(422, "Invalid", "the server rejected our request due to an error in our request", {}))


def invalid_patch(shown: str, problem: str) -> StatusError:
    """422 for a patch whose outcome is no object of its kind; the outcome is shown, or the patch."""
    return invalid(GroupKind("", ""), "", [fielderrors.invalid("patch", shown, problem)])
