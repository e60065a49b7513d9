"""Helpers for objects as plain dicts: nested fields, metadata, lists.

Objects are dicts, nothing wraps them; these are functions over them. A missing key on the way is "not
found"; a value of another type than asked for is an `InvalidRequestError` that names the path. See
AM/apis/meta/v1/unstructured/helpers.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar, overload

from dynkube.errors import DecodeError, InvalidRequestError

__all__ = [
    "UnstructuredList",
    "annotations_of",
    "compare_resource_version",
    "controller_of",
    "creation_timestamp_of",
    "deletion_timestamp_of",
    "each_list_item",
    "finalizers_of",
    "generation_of",
    "is_controlled_by",
    "is_list",
    "labels_of",
    "managed_fields_of",
    "name_of",
    "namespace_of",
    "nested_bool",
    "nested_field",
    "nested_field_no_copy",
    "nested_float",
    "nested_int",
    "nested_map",
    "nested_slice",
    "nested_string",
    "nested_string_map",
    "nested_string_slice",
    "object_reference",
    "owner_reference",
    "owner_references_of",
    "remove_nested_field",
    "resource_version_of",
    "set_annotations",
    "set_finalizers",
    "set_labels",
    "set_nested_field",
    "set_owner_references",
    "uid_of",
]

_T = TypeVar("_T")


# --------------------------------------------------------------------------- nested fields


def nested_field_no_copy(obj: Mapping[str, Any], *path: str) -> tuple[Any, bool]:
    """The value at a path, shared with the object.

    Args:
        obj: the object.
        path: the keys that lead there.

    Returns:
        The value and True, or None and False where a key is missing or null on the way.

    Raises:
        InvalidRequestError: something on the way is no map.

    Example:
        >>> nested_field_no_copy({"spec": {"replicas": 3}}, "spec", "replicas")
        (3, True)
        >>> nested_field_no_copy({"spec": None}, "spec", "replicas")
        (None, False)
    """
    value: Any = obj
    for depth, key in enumerate(path):
        if value is None:
            return None, False
        if not isinstance(value, Mapping):
            raise _wrong_type(path[:depth], value, "a map")
        if key not in value:
            return None, False
        value = value[key]
    return value, True


def nested_field(obj: Mapping[str, Any], *path: str) -> tuple[Any, bool]:
    """The value at a path, copied deeply. Otherwise as `nested_field_no_copy`."""
    value, found = nested_field_no_copy(obj, *path)
    return deepcopy(value), found


def nested_string(obj: Mapping[str, Any], *path: str) -> tuple[str, bool]:
    """The string at a path, or ``""`` and False.

    Raises:
        InvalidRequestError: there is something else.
    """
    return _typed(obj, path, "", lambda value: isinstance(value, str), "a string")


def nested_bool(obj: Mapping[str, Any], *path: str) -> tuple[bool, bool]:
    """The boolean at a path, or False and False.

    Raises:
        InvalidRequestError: there is something else.
    """
    return _typed(obj, path, False, lambda value: isinstance(value, bool), "a bool")


def nested_int(obj: Mapping[str, Any], *path: str) -> tuple[int, bool]:
    """The integer at a path, or 0 and False. Neither a float nor a bool is one.

    Raises:
        InvalidRequestError: there is something else.

    Example:
        >>> nested_int({"spec": {"replicas": True}}, "spec", "replicas")
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: .spec.replicas accessor error: True is of the type bool, expected an int
    """
    return _typed(obj, path, 0, lambda value: isinstance(value, int) and not isinstance(value, bool), "an int")


def nested_float(obj: Mapping[str, Any], *path: str) -> tuple[float, bool]:
    """The float at a path, or 0.0 and False. An int is none.

    Raises:
        InvalidRequestError: there is something else.
    """
    return _typed(obj, path, 0.0, lambda value: isinstance(value, float), "a float")


def nested_map(obj: Mapping[str, Any], *path: str) -> tuple[dict[str, Any], bool]:
    """A deep copy of the map at a path, or an empty one and False.

    Raises:
        InvalidRequestError: there is something else.
    """
    fields: dict[str, Any] = {}
    value, found = _typed(obj, path, fields, lambda value: isinstance(value, dict), "a map")
    return deepcopy(value), found


def nested_slice(obj: Mapping[str, Any], *path: str) -> tuple[list[Any], bool]:
    """A deep copy of the list at a path, or an empty one and False.

    Raises:
        InvalidRequestError: there is something else.
    """
    items: list[Any] = []
    value, found = _typed(obj, path, items, lambda value: isinstance(value, list), "a list")
    return deepcopy(value), found


def nested_string_slice(obj: Mapping[str, Any], *path: str) -> tuple[list[str], bool]:
    """A copy of the list of strings at a path, or an empty one and False.

    Raises:
        InvalidRequestError: there is something else, or an element that is no string.
    """
    items: list[Any] = []
    values, found = _typed(obj, path, items, lambda value: isinstance(value, list), "a list")
    for index, value in enumerate(values):
        if not isinstance(value, str):
            raise _wrong_type((*path[:-1], f"{path[-1]}[{index}]"), value, "a string")
    return list(values), found


def nested_string_map(obj: Mapping[str, Any], *path: str, null_is_empty: bool = False) -> tuple[dict[str, str], bool]:
    """A copy of the map of strings at a path, or an empty one and False.

    Args:
        obj: the object.
        path: the keys that lead there.
        null_is_empty: take a null map as an empty one that is there, and null values as ``""``.

    Raises:
        InvalidRequestError: there is something else, or a value that is no string.
    """
    if null_is_empty:
        value, found = nested_field_no_copy(obj, *path)
        if found and value is None:
            return {}, True
    fields: dict[str, Any] = {}
    values, found = _typed(obj, path, fields, lambda value: isinstance(value, dict), "a map")
    result: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, str):
            result[key] = value
        elif null_is_empty and value is None:
            result[key] = ""
        else:
            raise _wrong_type((*path, key), value, "a string")
    return result, found


def set_nested_field(obj: MutableMapping[str, Any], value: Any, *path: str) -> None:
    """Set the value at a path to a deep copy; maps on the way are made.

    Raises:
        InvalidRequestError: something on the way is no map, or there is no path.

    Example:
        >>> pod = {}
        >>> set_nested_field(pod, "api", "metadata", "labels", "app")
        >>> pod
        {'metadata': {'labels': {'app': 'api'}}}
    """
    if not path:
        raise InvalidRequestError("path: name at least one field to set")
    parent: MutableMapping[str, Any] = obj
    value = deepcopy(value)  # first, so that a value that cannot be copied changes nothing
    for depth, key in enumerate(path[:-1], 1):
        child = parent.get(key)
        if child is None:
            child = parent[key] = {}
        if not isinstance(child, MutableMapping):
            raise _wrong_type(path[:depth], child, "a map")
        parent = child
    parent[path[-1]] = value


def remove_nested_field(obj: MutableMapping[str, Any], *path: str) -> None:
    """Remove the field at a path; nothing happens where it is not there."""
    parent: Any = obj
    for key in path[:-1]:
        parent = parent.get(key) if isinstance(parent, MutableMapping) else None
    if isinstance(parent, MutableMapping) and path:
        parent.pop(path[-1], None)


def _typed(
    obj: Mapping[str, Any], path: Sequence[str], default: _T, fits: Callable[[Any], bool], expected: str
) -> tuple[_T, bool]:
    value, found = nested_field_no_copy(obj, *path)
    if not found:
        return default, False
    if not fits(value):
        raise _wrong_type(path, value, expected)
    return value, True


def _wrong_type(path: Sequence[str], value: object, expected: str) -> InvalidRequestError:
    where = "".join(f".{key}" for key in path) or "object"
    # Text is left out: it may be a Secret's, and it may be long.
    shown = repr(value) if isinstance(value, int | float | None) else "..."
    return InvalidRequestError(
        f"{where} accessor error: {shown} is of the type {type(value).__name__}, expected {expected}"
    )


# --------------------------------------------------------------------------- metadata


def _metadata(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = obj.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def name_of(obj: Mapping[str, Any]) -> str:
    """``metadata.name``, ``""`` without one."""
    return _metadata(obj).get("name") or ""


def namespace_of(obj: Mapping[str, Any]) -> str:
    """``metadata.namespace``, ``""`` without one."""
    return _metadata(obj).get("namespace") or ""


def uid_of(obj: Mapping[str, Any]) -> str:
    """``metadata.uid``, ``""`` without one."""
    return _metadata(obj).get("uid") or ""


def resource_version_of(obj: Mapping[str, Any]) -> str:
    """``metadata.resourceVersion``, ``""`` without one."""
    return _metadata(obj).get("resourceVersion") or ""


def generation_of(obj: Mapping[str, Any]) -> int:
    """``metadata.generation``, 0 without one."""
    return _metadata(obj).get("generation") or 0


def creation_timestamp_of(obj: Mapping[str, Any]) -> str:
    """``metadata.creationTimestamp`` (RFC 3339), ``""`` where it is missing or null."""
    return _metadata(obj).get("creationTimestamp") or ""


def deletion_timestamp_of(obj: Mapping[str, Any]) -> str:
    """``metadata.deletionTimestamp`` (RFC 3339), ``""`` for an object that is not being deleted."""
    return _metadata(obj).get("deletionTimestamp") or ""


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """A copy of ``metadata.labels``, empty without any."""
    return _copied_map(obj, "labels")


def annotations_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """A copy of ``metadata.annotations``, empty without any."""
    return _copied_map(obj, "annotations")


def finalizers_of(obj: Mapping[str, Any]) -> list[str]:
    """A copy of ``metadata.finalizers``, empty without any."""
    return _copied_list(obj, "finalizers")


def owner_references_of(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A deep copy of ``metadata.ownerReferences``, empty without any."""
    return _copied_list(obj, "ownerReferences")


def managed_fields_of(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A deep copy of ``metadata.managedFields``, empty without any."""
    return _copied_list(obj, "managedFields")


def _copied_map(obj: Mapping[str, Any], field: str) -> dict[str, Any]:
    value = _metadata(obj).get(field)
    return dict(value) if isinstance(value, Mapping) else {}


def _copied_list(obj: Mapping[str, Any], field: str) -> list[Any]:
    value = _metadata(obj).get(field)
    return deepcopy(value) if isinstance(value, list) else []


def controller_of(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """The owner reference that is marked as controller, None without one."""
    return next((each for each in owner_references_of(obj) if each.get("controller")), None)


def is_controlled_by(obj: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Whether ``owner`` is the controller of an object: by uid (IsControlledBy)."""
    reference = controller_of(obj)
    return reference is not None and bool(uid_of(owner)) and reference.get("uid") == uid_of(owner)


def set_labels(obj: MutableMapping[str, Any], labels: Mapping[str, str] | None) -> None:
    """Set ``metadata.labels``; none removes the field."""
    _set_metadata(obj, "labels", dict(labels or {}))


def set_annotations(obj: MutableMapping[str, Any], annotations: Mapping[str, str] | None) -> None:
    """Set ``metadata.annotations``; none removes the field."""
    _set_metadata(obj, "annotations", dict(annotations or {}))


def set_finalizers(obj: MutableMapping[str, Any], finalizers: Sequence[str] | None) -> None:
    """Set ``metadata.finalizers``; none removes the field."""
    _set_metadata(obj, "finalizers", list(finalizers or ()))


def set_owner_references(obj: MutableMapping[str, Any], references: Sequence[Mapping[str, Any]] | None) -> None:
    """Set ``metadata.ownerReferences``; none removes the field."""
    _set_metadata(obj, "ownerReferences", [dict(each) for each in references or ()])


def _set_metadata(obj: MutableMapping[str, Any], field: str, value: Any) -> None:
    if value:
        set_nested_field(obj, value, "metadata", field)
    else:
        remove_nested_field(obj, "metadata", field)


def owner_reference(
    owner: Mapping[str, Any], *, controller: bool = False, block_owner_deletion: bool = False
) -> dict[str, Any]:
    """The owner reference to put into an object that ``owner`` owns.

    Args:
        owner: an object from the server.
        controller: mark it as the controller: at most one reference may be.
        block_owner_deletion: let a foreground deletion of the owner wait for the object.

    Raises:
        InvalidRequestError: the owner is no object, lacks apiVersion, kind, name or uid, or is metadata only.
    """
    reference = object_reference(owner, "apiVersion", "kind", "name", "uid")
    if controller:
        reference["controller"] = True
    if block_owner_deletion:
        reference["blockOwnerDeletion"] = True
    return reference


def object_reference(
    obj: Mapping[str, Any],
    *fields: str,
) -> dict[str, Any]:
    """An ``ObjectReference`` to an object (CG/tools/reference/ref.go).

    Args:
        obj: an object from the server.
        fields: the fields to take; all of an ObjectReference by default.

    Raises:
        InvalidRequestError: it is no object, apiVersion, kind, or a field that was named, is missing, or the object is
            metadata only: it does not say of what kind it is.
    """
    if not isinstance(obj, Mapping):
        raise InvalidRequestError(f"want an object as a dict, got {obj!r}: it cannot be referred to")
    if obj.get("kind") == "PartialObjectMetadata":
        raise InvalidRequestError(
            "the object was read as metadata only (kind PartialObjectMetadata), and cannot be referred to: "
            "give it its own apiVersion and kind, as {**obj, 'apiVersion': 'v1', 'kind': 'ConfigMap'}"
        )
    values = {**_metadata(obj), "apiVersion": obj.get("apiVersion"), "kind": obj.get("kind")}
    wanted = fields or ("apiVersion", "kind", "namespace", "name", "uid", "resourceVersion")
    missing = [each for each in fields or ("apiVersion", "kind") if not values.get(each)]
    if missing:
        raise InvalidRequestError(f"the object has no {' and no '.join(missing)}: it cannot be referred to")
    return {each: values[each] for each in wanted if values.get(each)}


_VERSION = re.compile(r"[1-9][0-9]*")


def compare_resource_version(one: str, other: str) -> int:
    """Compare two resourceVersions of the same resource (KEP-5504).

    Args:
        one: a resourceVersion.
        other: another of the same resource on the same server.

    Returns:
        -1, 0 or 1: whether ``one`` is older, equal or newer.

    Raises:
        InvalidRequestError: one of them is no positive decimal number.

    Example:
        >>> compare_resource_version("99", "100")
        -1
    """
    given: tuple[object, object] = (one, other)
    for version in given:
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            raise InvalidRequestError(
                f"resourceVersion {str(version)[:40]!r} is no positive decimal number in a string: it has no order"
            )
    a, b = (len(one), one), (len(other), other)
    return (a > b) - (a < b)


# --------------------------------------------------------------------------- lists


def is_list(obj: Mapping[str, Any]) -> bool:
    """Whether an object is a list: it has ``items``, and they are a list."""
    return isinstance(obj.get("items"), list)


def each_list_item(obj: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a list object, as they are (EachListItem).

    Raises:
        InvalidRequestError: it is no list, or an item is no object.
    """
    items = obj.get("items")
    if not isinstance(items, list):
        raise InvalidRequestError(f"items: want a list, got {type(items).__name__}: this object is no list")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise InvalidRequestError(f"items[{index}]: want a dict, got {type(item).__name__}")
        yield item


_TYPE_FIRST = {"apiVersion": "", "kind": ""}


class UnstructuredList(Sequence[dict[str, Any]]):
    """A list from the server: a sequence of objects with the list's own metadata.

    Attributes:
        objects: the objects, as a list of dicts.
        kind: for instance ``"PodList"``.
        api_version: for instance ``"v1"``.
        metadata: the list's metadata.

    Example:
        >>> pods = UnstructuredList.from_dict({"kind": "PodList", "apiVersion": "v1",
        ...     "metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]})
        >>> len(pods), pods.resource_version, pods[0]["kind"]
        (1, '7', 'Pod')
    """

    __slots__ = ("api_version", "kind", "metadata", "objects")

    def __init__(
        self,
        objects: list[dict[str, Any]],
        *,
        kind: str = "",
        api_version: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.objects = objects
        self.kind = kind
        self.api_version = api_version
        self.metadata = metadata if metadata is not None else {}

    @classmethod
    def from_dict(cls, obj: Mapping[str, Any]) -> UnstructuredList:
        """A list of a decoded response; its items are taken over, not copied.

        Items with neither kind nor apiVersion get the list's, as client-go decodes them.
        ``items: null`` is an empty list.

        Raises:
            DecodeError: ``items`` is no list of objects.
        """
        items = obj.get("items")
        if items is None:
            items = []
        if not isinstance(items, list):
            raise DecodeError(f"items: want a list of objects, got {type(items).__name__}")
        kind, api_version = obj.get("kind") or "", obj.get("apiVersion") or ""
        item_kind = kind.removesuffix("List")
        for index, item in enumerate(items):
            if type(item) is not dict:
                raise DecodeError(f"items[{index}]: want an object, got {type(item).__name__}")
            if not item.get("kind") and not item.get("apiVersion"):
                # In front, where everybody expects them.
                items[index] = {**_TYPE_FIRST, **item, "apiVersion": api_version, "kind": item_kind}
        metadata = obj.get("metadata")
        return cls(items, kind=kind, api_version=api_version, metadata=metadata if isinstance(metadata, dict) else {})

    @property
    def resource_version(self) -> str:
        """The version of the collection: where a watch goes on."""
        return self.metadata.get("resourceVersion") or ""

    @property
    def continue_token(self) -> str:
        """Where the next page begins; ``""`` on the last."""
        return self.metadata.get("continue") or ""

    @property
    def remaining_item_count(self) -> int | None:
        """How many objects follow this page; None where the server does not say."""
        count = self.metadata.get("remainingItemCount")
        return count if isinstance(count, int) else None

    def to_dict(self) -> dict[str, Any]:
        """The list as an object."""
        return {"kind": self.kind, "apiVersion": self.api_version, "metadata": self.metadata, "items": self.objects}

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self.objects[index]

    def __len__(self) -> int:
        return len(self.objects)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.objects)

    def __repr__(self) -> str:
        return f"<UnstructuredList {self.kind}: {len(self.objects)} at {self.resource_version or 'no version'}>"
