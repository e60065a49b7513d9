"""What strategies of built-in kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupKind, GroupVersion
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Errors, same
from dynkube.testing.apiserver.builtin.sent import keep_empties
from dynkube.testing.apiserver.decoding.gotypes import gotypes
from dynkube.testing.apiserver.words.fielderrors import FieldError
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["NativeStrategy", "copied", "keep", "keep_metadata", "null_for_empty"]


class NativeStrategy(Strategy):
    """A kind that Go's types and defaults say everything about: stored as it is sent.

    Subclasses answer `judge_new`, `judge_change` and `judge_status`; metadata is the registry's to judge.
    """

    zero_status: ClassVar[Mapping[str, Any]] = {}
    """How the status of a new object is encoded."""
    generation_follows: ClassVar[Sequence[str]] = ("spec",)
    """The fields a change of which raises metadata.generation."""

    def __init__(self, group_kind: GroupKind) -> None:
        self.group_kind = group_kind

    def normalize(self, obj: Object, group_version: GroupVersion) -> list[str]:
        """See `Strategy`: by the kind's Go type."""
        types = gotypes()
        record = types.kind(group_version.api_version, self.group_kind.kind)
        return [] if record is None else types.normalize(obj, record.definition)

    def arranged(self, obj: Object) -> Object:
        """See `Strategy`: by the kind's Go type."""
        types = gotypes()
        record = types.kind(obj["apiVersion"], self.group_kind.kind)
        return obj if record is None else types.arranged(obj, record.definition)

    # ------------------------------------------------------------------ preparation

    def default(self, obj: Object, group_version: GroupVersion) -> None:
        """See `Strategy`: `complete` does it."""
        keep_empties()
        self.complete(obj, group_version)

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """Fill in what a client may leave out, in place (SetDefaults_*)."""

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        if self.has_status:
            obj["status"] = copied(self.zero_status)
        if self.has_generation:
            obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        if subresource == "status":
            self.keep_all_but_status(obj, old)
        elif subresource == "":
            if self.has_status:
                keep(obj, old, "status")
            self.count_change(obj, old)

    def keep_all_but_status(self, obj: Object, old: Object) -> None:
        """Put back what a write of the status may not change, in place."""
        keep(obj, old, "spec")

    def count_change(self, obj: Object, old: Object) -> None:
        """Raise metadata.generation, in place, where something changed that it counts."""
        if self.has_generation and any(not same(obj.get(name), old.get(name)) for name in self.generation_follows):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def allocate(self, obj: Object, old: Object | None, lookup: Lookup, *, dry_run: bool) -> None:
        """Take what there is only so much of, in place, before all preparation (BeginCreate, BeginUpdate).

        Raises:
            StatusError: It is taken.
        """

    # ------------------------------------------------------------------ validation

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """See `Strategy`."""
        return list(self.judge_new(obj))

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """See `Strategy`."""
        judge: Callable[[Object, Object], Errors]
        judge = self.judge_status if subresource == "status" else self.judge_change
        return list(judge(obj, old))

    def judge_new(self, obj: Object) -> Errors:
        """What is wrong with a new object."""
        return iter(())

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """What is wrong with a changed object, by default what is wrong with a new one."""
        return self.judge_new(obj)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """What is wrong with a written status."""
        return iter(())


def keep(obj: Object, old: Object, name: str) -> None:
    """Put back a field as it was, in place."""
    if name in old:
        obj[name] = old[name]
    else:
        obj.pop(name, None)


def keep_metadata(obj: Object, old: Object) -> None:
    """Put back the metadata that a write of the status may not change, in place (ResetObjectMetaForStatus)."""
    for name in ("labels", "annotations", "finalizers", "ownerReferences"):
        keep(obj["metadata"], old["metadata"], name)


def null_for_empty(owner: Object | None, name: str) -> None:
    """An empty list that is always written is stored as none at all, in place: protobuf knows no difference."""
    if owner is not None and owner.get(name) == []:
        owner[name] = None


def copied(value: Any) -> Any:
    """A copy of JSON data."""
    if isinstance(value, Mapping):
        return {name: copied(each) for name, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value
