"""What is served: a `Resource` for each group, version and plural, and the `Strategy` of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynkube.schema import GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import FieldError
from dynkube.testing.apiserver.words.schemas import Schema

__all__ = ["Object", "Resource", "Strategy", "Subresource"]

Object = dict[str, Any]
"""An object as plain JSON data, with apiVersion, kind and metadata."""


class Strategy:
    """How objects of one kind are defaulted, prepared and judged: apiserver's ``registry/rest`` strategies.

    This one stores what it is sent. A kind with rules of its own overrides what it needs
    (`builtin`, `customresources`). Methods change ``obj`` in place, never ``old``. Objects come in
    the version that they are stored in, but for `default`, which gets the request's.

    ``subresource`` is "" for the object itself, else ``status``, ``scale``, ``resize``, ...
    """

    allows_create_on_update = False
    """Whether PUT of an absent object creates it."""
    allows_unconditional_update = True
    """Whether an update may leave metadata.resourceVersion out."""
    has_status = False
    """Whether a create drops status and an update keeps the old one (``status`` is a subresource)."""
    has_generation = False
    """Whether metadata.generation starts at 1 and rises with each change of spec."""

    def normalize(self, obj: Object, group_version: GroupVersion) -> list[str]:
        """Make of decoded JSON what the kind's own type holds, in place, right after decoding.

        A built-in kind goes through its Go type: unknown fields go, zero values that are omitted when
        empty go, quantities and times get their canonical form. A custom one is pruned.

        Returns:
            What strict field validation complains of: ``unknown field "spec.x"``.

        Raises:
            StatusError: 400, a value is of a wrong type.
        """
        return []

    def default(self, obj: Object, group_version: GroupVersion) -> None:
        """Fill in what a client may leave out (SetDefaults_*), right after decoding."""

    def convert(self, obj: Object, to: GroupVersion) -> Object:
        """The object in another version of its group: a new dict, or the same if nothing but apiVersion changes."""
        return obj if obj["apiVersion"] == to.api_version else {**obj, "apiVersion": to.api_version}

    def restore(self, obj: Object) -> None:
        """What reading a stored object does to it, in place, where its definition has changed since it was written."""

    def allocate(self, obj: Object, old: Object | None, lookup: Any, *, dry_run: bool) -> None:
        """Take what there is only so much of, in place, before all preparation (BeginCreate, BeginUpdate).

        ``lookup`` reads other objects (`builtin.lookup.Lookup`). Asked for writes of the object itself only.

        Raises:
            StatusError: It is taken.
        """

    def prepare_for_create(self, obj: Object) -> None:
        """Drop what clients may not set, fill what the server does (PrepareForCreate). After field management."""

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep what an update may not change (PrepareForUpdate)."""

    def arranged(self, obj: Object) -> Object:
        """The object with its fields in the order in which the server writes them: a new dict, or the same.

        Go writes the fields of a struct as they are declared and the keys of a map sorted; of a
        custom resource all keys are sorted.
        """
        return obj

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """What is wrong with a name (texts), or with a generateName prefix. A DNS subdomain by default."""
        return names.dns1123_subdomain(name, prefix=prefix)

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """What is wrong with a new object; metadata is judged elsewhere."""
        return ()

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """What is wrong with a changed object, or with the change."""
        return ()

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """Texts for Warning headers, of a create (``old`` is None) or an update."""
        return ()

    def warnings_of_refusal(self) -> Sequence[str]:
        """What the write that was just judged warns of, though it is refused; not for creates of custom resources."""
        return ()

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """Paths that a write through this endpoint does not own, since it cannot change them (GetResetFields)."""
        if not self.has_status:
            return ()
        return (("status",),) if subresource == "" else (("spec",),) if subresource == "status" else ()

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """What a field selector may ask for, beside metadata.name and metadata.namespace."""
        return {}

    def grace_period(self, obj: Object, requested: int | None) -> int:
        """Seconds between deletionTimestamp and the end; 0 for kinds that go at once (CheckGracefulDelete)."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subresource:
    """One subresource of a resource, as discovery lists it."""

    name: str
    kind: GroupVersionKind
    """Of its body: ``autoscaling/v1 Scale`` for a scale."""
    verbs: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """One resource in one version. All versions of a resource share ``strategy`` and storage."""

    gvr: GroupVersionResource
    kind: str
    singular: str
    namespaced: bool
    verbs: Sequence[str]
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    storage_version: str
    """The version that objects are stored in, of this group or of `storage_group`."""
    storage_group: str | None = None
    """Where it is not the group itself: events of ``events.k8s.io`` are stored as, and with, the core group's."""
    strategy: Strategy
    is_custom: bool = False
    list_kind: str = ""
    load_schema: Callable[[], Schema]
    """The schema of the kind in this version; the first call may read a file."""
    warning: str = ""
    """The deprecation warning that every request to this version gets."""
    unserved: Mapping[str, Callable[[], Schema]] = field(default_factory=dict)
    """Schemas of versions that the kind has and nobody is served: managers of fields may still speak them."""
    group_resource: GroupResource = field(init=False)
    """What it is called in messages."""
    storage_resource: GroupResource = field(init=False)
    """The key of its storage."""
    storage_group_version: GroupVersion = field(init=False)
    """What its objects are stored as."""
    group_kind: GroupKind = field(init=False)
    """What its kind is called in messages."""
    group_version: GroupVersion = field(init=False)
    """Of requests to it."""

    @property
    def gvk(self) -> GroupVersionKind:
        """Of its objects."""
        return GroupVersionKind(self.gvr.group, self.gvr.version, self.kind)

    def __post_init__(self) -> None:
        """Name it in all the ways in which each request needs it."""
        group, version, plural = self.gvr.group, self.gvr.version, self.gvr.resource
        stored = group if self.storage_group is None else self.storage_group
        names = {
            "group_resource": GroupResource(group, plural),
            "storage_resource": GroupResource(stored, plural),
            "storage_group_version": GroupVersion(stored, self.storage_version),
            "group_kind": GroupKind(group, self.kind),
            "group_version": GroupVersion(group, version),
        }
        for name, value in names.items():
            object.__setattr__(self, name, value)

    @property
    def schema(self) -> Schema:
        """Of its objects."""
        return self.load_schema()
