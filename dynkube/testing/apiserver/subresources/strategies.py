"""Strategies of the subresources that write the object itself; each narrows the kind's own.

Those of pods (resize, ephemeralcontainers) are in the kind's own strategy, which knows containers.
"""

# A strategy answers every question that is asked of a kind; few of the answers need every argument.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.words.fielderrors import FieldError, index, invalid
from dynkube.testing.apiserver.words.names import label_key
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["FinalizeStrategy", "Narrowed", "ScaleStrategy", "restore"]

_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


class Narrowed(Strategy):
    """The strategy of a kind, for writes through one of its subresources. What is not said here is the kind's."""

    def __init__(self, kind: Strategy) -> None:
        self.kind = kind
        self.allows_unconditional_update = kind.allows_unconditional_update
        self.has_status = kind.has_status
        self.has_generation = kind.has_generation

    def normalize(self, obj: Object, group_version: GroupVersion) -> list[str]:
        """As the kind does."""
        return self.kind.normalize(obj, group_version)

    def default(self, obj: Object, group_version: GroupVersion) -> None:
        """As the kind does."""
        self.kind.default(obj, group_version)

    def convert(self, obj: Object, to: GroupVersion) -> Object:
        """As the kind does."""
        return self.kind.convert(obj, to)

    def restore(self, obj: Object) -> None:
        """As the kind does."""
        self.kind.restore(obj)

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """As the kind does."""
        return self.kind.validate_name(name, prefix=prefix)

    def warnings_of_refusal(self) -> Sequence[str]:
        """As the kind does."""
        return self.kind.warnings_of_refusal()

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """As the kind does."""
        return self.kind.selectable_fields(obj)

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """None, unless one says so."""
        return ()


def restore(obj: Object, old: Object, *fields: str) -> None:
    """Let fields of an object be what they were, in place."""
    for field in fields:
        if field in old:
            obj[field] = deepcopy(old[field])
        else:
            obj.pop(field, None)


# ------------------------------------------------------------------ scale


class ScaleStrategy(Narrowed):
    """A write of a scale is one of the whole object, and judged like that."""

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """As an update of the object."""
        self.kind.prepare_for_update(obj, old, "")

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """As an update of the object."""
        return self.kind.validate_update(obj, old, "")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """As of an update of the object."""
        return self.kind.warnings(obj, old, "")


# ------------------------------------------------------------------ namespaces/finalize


class FinalizeStrategy(Narrowed):
    """Who ends a namespace takes away its finalizers, in spec (KUBE/pkg/registry/core/namespace/strategy.go)."""

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """Status."""
        return (("status",),)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep status."""
        restore(obj, old, "status")

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """Finalizers are qualified names."""
        finalizers = (obj.get("spec") or {}).get("finalizers") or ()
        return [error for number, each in enumerate(finalizers) for error in _finalizer_errors(each, number)]


def _finalizer_errors(finalizer: str, number: int) -> Iterator[FieldError]:
    # KUBE/pkg/apis/core/validation, validateFinalizerName
    path = index("spec.finalizers", number)
    yield from (invalid(path, finalizer, problem) for problem in label_key(finalizer))
    if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        yield invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")
