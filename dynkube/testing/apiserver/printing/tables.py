"""Other shapes of what is answered: Table, PartialObjectMetadata and its list (AS/endpoints/handlers/response.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dynkube.testing.apiserver.printing.printers import Printer
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["check_include", "list_refused", "object_refused", "partial", "partial_list", "table", "table_of_list"]

_INCLUDED = "Metadata", "Object", "None"
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_GO_PACKAGES = {"": "core", "internal.apiserver.k8s.io": "apiserverinternal", "events.k8s.io": "core"}
# Annotations that stand for fields of the internal type, whose metadata is what is shown here (apps/v1/conversion.go).
_INTERNAL_FIELDS = {
    ("apps/v1", "DaemonSet"): "deprecated.daemonset.template.generation",
    ("apps/v1", "Deployment"): "deprecated.deployment.rollback.to",
}
_LIST_META = "selfLink", "resourceVersion", "continue", "remainingItemCount"


def check_include(value: str | None) -> str:
    """What the parameter ``includeObject`` asks for: ``Metadata`` (also by default), ``Object`` or ``None``.

    Raises:
        StatusError: 400, it is none of these.
    """
    if not value:
        return "Metadata"
    if value not in _INCLUDED:
        problem = f"includeObject: Invalid value: \"{value}\": must be 'Metadata', 'Object', 'None', or empty"
        raise statuses.bad_request(f"Unable to convert to Table as requested: {problem}")
    return value


def table(
    printer: Printer,
    obj: Object,
    *,
    now: datetime,
    version: str = "v1",
    include: str = "Metadata",
    headers: bool = True,
    convert: Callable[[Object], Object] | None = None,
) -> dict[str, Any]:
    """One object as a Table of one row: the answer to a get, or what an event of a watch carries.

    Args:
        printer: Of its kind.
        obj: In the version that it is stored in.
        now: What ages are told from.
        version: Of the group ``meta.k8s.io``, as the request wants it: ``v1`` or ``v1beta1``.
        include: See `check_include`.
        headers: False for all events of a watch but the first.
        convert: Makes what ``include="Object"`` shows: the object in the version of the request.
    """
    rows = [_row(printer, obj, now, version, include, convert)]
    revision = obj["metadata"].get("resourceVersion")
    return _table(printer, rows, {"resourceVersion": revision} if revision else {}, version, headers=headers)


def table_of_list(
    printer: Printer,
    objects: Sequence[Object],
    metadata: Mapping[str, Any],
    *,
    now: datetime,
    version: str = "v1",
    include: str = "Metadata",
    convert: Callable[[Object], Object] | None = None,
) -> dict[str, Any]:
    """A list as a Table; ``metadata`` is the list's. Otherwise as `table`."""
    ordered = objects if printer.order is None else sorted(objects, key=printer.order)
    rows = [_row(printer, each, now, version, include, convert) for each in ordered] or printer.no_rows
    return _table(printer, rows, metadata, version, headers=True)


def partial(obj: Object, version: str = "v1") -> dict[str, Any]:
    """The PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": _metadata(obj)}


def _metadata(obj: Object) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = obj["metadata"]
    field = _INTERNAL_FIELDS.get((obj.get("apiVersion", ""), obj.get("kind", "")))
    if field is None or field not in (metadata.get("annotations") or {}):
        return metadata
    annotations = {name: each for name, each in metadata["annotations"].items() if name != field}
    shown = {name: each for name, each in metadata.items() if name != "annotations"}
    return shown | {"annotations": annotations} if annotations else shown


def partial_list(objects: Sequence[Object], metadata: Mapping[str, Any], version: str = "v1") -> dict[str, Any]:
    """The PartialObjectMetadataList of a list; one without items has null for them."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(metadata),
        "items": [partial(each, version) for each in objects] or None,
    }


def list_refused(resource: Resource) -> statuses.StatusError:
    """406: a list was asked for as the PartialObjectMetadata of one object."""
    name = "*unstructured.UnstructuredList" if resource.is_custom else f"{_go_type(resource)}List"
    return statuses.not_acceptable(f"you requested PartialObjectMetadata, but the requested object is a list ({name})")


def object_refused(resource: Resource) -> statuses.StatusError:
    """One object was asked for as a list: 406; 500 for a custom one, whose Go type could be a list."""
    if resource.is_custom:
        return statuses.StatusError(statuses.status(500, "", "content is not a list"))
    return statuses.not_acceptable(
        f"you requested PartialObjectMetadataList, but the requested object is not a list ({_go_type(resource)})"
    )


def _go_type(resource: Resource) -> str:
    """The internal type of a built-in kind, such as ``*rbac.Role``."""
    group = resource.gvr.group
    return f"*{_GO_PACKAGES.get(group) or group.partition('.')[0]}.{resource.kind}"


def _table(
    printer: Printer, rows: Sequence[Any] | None, metadata: Mapping[str, Any], version: str, *, headers: bool
) -> dict[str, Any]:
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {name: metadata[name] for name in _LIST_META if metadata.get(name)},
        "columnDefinitions": printer.columns if headers else None,
        "rows": rows,
    }


def _ends_initial_events(obj: Object) -> bool:
    return (obj["metadata"].get("annotations") or {}).get(_INITIAL_EVENTS_END) == "true"


def _row(
    printer: Printer,
    obj: Object,
    now: datetime,
    version: str,
    include: str,
    convert: Callable[[Object], Object] | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": printer.cells(obj, now)}
    conditions = printer.conditions(obj)
    if conditions:
        row["conditions"] = conditions
    if include == "Object":
        row["object"] = convert(obj) if convert else obj
    elif include == "Metadata" or _ends_initial_events(obj):
        row["object"] = partial(obj, version)
    else:
        row["object"] = None
    return row
