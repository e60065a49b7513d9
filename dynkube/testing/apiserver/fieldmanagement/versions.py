"""What field management needs to know of one version of a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dynkube.testing.apiserver.fieldmanagement.comparison import Comparison, compare
from dynkube.testing.apiserver.fieldmanagement.fieldsets import FieldSet
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType, merge_type
from dynkube.testing.apiserver.fieldmanagement.validation import check
from dynkube.testing.apiserver.fieldmanagement.values import field_set
from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.schemas import Schema

__all__ = ["Version", "Versions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a kind, built in or custom."""

    api_version: str
    kind: str
    load_schema: Callable[[], Schema]
    """The schema of the kind in this version; asked for when it is needed."""
    convert: Callable[[Object], Object]
    """An object of this kind, of whatever version, in this one. May raise `ProblemError`."""
    empty: Object
    """An object that sets nothing: of a custom kind apiVersion and kind; of a built-in one what its zero
    value in Go is as JSON (``spec: {containers: null}``), which is what normalizing the former makes."""
    is_custom: bool = False
    """Whether objects may be of other types than the schema says, and have to be looked at: Go's types do
    that for built-in kinds."""

    @property
    def type(self) -> MergeType:
        """How objects of it merge."""
        return merge_type(self.load_schema())

    def of(self, obj: Object) -> Object:
        """An object in this version."""
        return obj if obj.get("apiVersion") == self.api_version else self.convert(obj)

    def check(self, obj: Object, *, duplicates_allowed: bool = True) -> None:
        """Pass an object of its type.

        Raises:
            ProblemError: It is not.
        """
        if self.is_custom:
            check(obj, self.type, duplicates_allowed=duplicates_allowed)

    def compare(self, old: Object, new: Object) -> Comparison:
        """What changed between two objects of this version."""
        return compare(old, new, self.type)

    def fields(self, obj: Object) -> FieldSet:
        """What an object of this version sets."""
        return field_set(obj, self.type)


Versions = Callable[[str], Version | None]
"""Finds a version of the kind by its apiVersion; None where there is no such version (its managers go)."""
