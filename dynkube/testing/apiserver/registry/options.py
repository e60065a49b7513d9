"""What a client may ask of a write, beside the object: values of metav1's options."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLAIN_DELETE", "PLAIN_WRITE", "DeleteOptions", "WriteOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """Of a create, an update or a patch (CreateOptions, UpdateOptions, PatchOptions)."""

    dry_run: bool = False
    manager: str = ""
    """Who owns the fields: ``fieldManager``, or what begins the User-Agent; "" tracks nothing."""
    field_validation: str = "Warn"
    """``Ignore``, ``Warn`` or ``Strict``: unknown and duplicate fields."""
    force: bool = False
    """Of an apply: take over what others manage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """Of a deletion, as sent."""

    dry_run: bool = False
    grace_period_seconds: int | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    """``Background``, ``Foreground`` or ``Orphan``."""
    uid: str | None = None
    """A precondition."""
    resource_version: str | None = None
    """A precondition."""


PLAIN_WRITE = WriteOptions()
PLAIN_DELETE = DeleteOptions()
