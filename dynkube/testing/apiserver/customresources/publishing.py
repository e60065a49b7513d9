"""The schemas of a custom kind as ``/openapi/v3`` publishes them, and as field management reads them.

AE/controller/openapi/builder/builder.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.schemas import Schema

__all__ = ["definition_name", "load_schema", "schema_document"]

_REFERENCE = "#/components/schemas/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_METADATA = f"Standard object's metadata. More info: {_CONVENTIONS}#metadata"
_LIST_METADATA = f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds"
_API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized "
    f"schemas to the latest internal value, and may reject unrecognized values. More info: {_CONVENTIONS}#resources"
)
_KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
    "endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
    f"{_CONVENTIONS}#types-kinds"
)
_EMBEDDED_API_VERSION = (
    f"apiVersion defines the versioned schema of this representation of an object. More info: {_CONVENTIONS}#resources"
)
_EMBEDDED_KIND = (
    f"kind is a string value representing the type of this object. In CamelCase. More info: {_CONVENTIONS}#types-kinds"
)
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


def definition_name(group: str, version: str, kind: str) -> str:
    """What the schema of a custom kind is called.

    >>> definition_name("conformance.dynkube.dev", "v1", "Widget")
    'dev.dynkube.conformance.v1.Widget'
    """
    return ".".join([*reversed(group.split(".")), version, kind])


def schema_document(crd: Object, version: str) -> dict[str, Any]:
    """The ``components.schemas`` of a CRD in one version: of its kind and of its list.

    What they refer to (ObjectMeta, ListMeta) is the server's own.
    """
    spec = crd["spec"]
    names = spec["names"]
    row = next(each for each in spec["versions"] if each["name"] == version)
    selectable = [{"fieldPath": each["jsonPath"].removeprefix(".")} for each in row.get("selectableFields") or ()]
    more = {"x-kubernetes-selectable-fields": selectable} if selectable else {}

    def definition(kind: str) -> str:
        return definition_name(spec["group"], version, kind)

    def of_kind(kind: str) -> dict[str, Any]:
        kinds = [{"group": spec["group"], "version": version, "kind": kind}]
        return {"x-kubernetes-group-version-kind": kinds, **more}

    listed = {
        "description": f"List of {names['plural']}. More info: {_CONVENTIONS}",
        "type": "array",
        "items": {"$ref": _REFERENCE + definition(names["kind"])},
    }
    list_schema = {
        "description": f"{names['listKind']} is a list of {names['kind']}",
        "type": "object",
        "required": ["items"],
        "properties": {**_type_meta(), "items": listed, "metadata": _reference(_LIST_METADATA, "ListMeta")},
    }
    return {
        definition(names["kind"]): _kind_schema(row) | of_kind(names["kind"]),
        definition(names["listKind"]): list_schema | of_kind(names["listKind"]),
    }


def load_schema(crd: Object, version: str) -> Callable[[], Schema]:
    """What gives the schema of a custom kind to field management: its own, with ObjectMeta where metadata is."""
    made: list[Schema] = []

    def load() -> Schema:
        if not made:
            name = definition_name(crd["spec"]["group"], version, crd["spec"]["names"]["kind"])
            made.append(Schema(schema_document(crd, version)[name], _find, name))
        return made[0]

    return load


def _find(name: str) -> Schema:
    if name != f"{_META}ObjectMeta":
        raise KeyError(name)
    return recorded.object_meta()


def _kind_schema(row: Mapping[str, Any]) -> dict[str, Any]:
    raw = (row.get("schema") or {}).get("openAPIV3Schema")
    if not raw:
        return {"type": "object"}
    schema = _published(raw)
    schema["properties"] = {
        **schema.get("properties", {}),
        **_type_meta(),
        "metadata": _reference(_METADATA, "ObjectMeta"),
    }
    return schema


def _type_meta() -> dict[str, Any]:
    return {
        "apiVersion": {"description": _API_VERSION, "type": "string"},
        "kind": {"description": _KIND, "type": "string"},
    }


def _reference(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "allOf": [{"$ref": f"{_REFERENCE}{_META}{kind}"}]}


def _published(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A copy, with what the markers of a node mean spelled out."""
    schema = {**raw, **dict(_nodes(raw))}
    if raw.get("x-kubernetes-int-or-string"):
        _unfold(schema)
    if raw.get("x-kubernetes-embedded-resource"):
        schema["properties"] = {
            **schema.get("properties", {}),
            "apiVersion": {"description": _EMBEDDED_API_VERSION, "type": "string"},
            "kind": {"description": _EMBEDDED_KIND, "type": "string"},
            "metadata": _reference(_METADATA, "ObjectMeta"),
        }
        required = list(raw.get("required") or ())
        schema["required"] = required + [each for each in ("kind", "apiVersion") if each not in required]
    return schema


def _nodes(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if raw.get("properties"):
        yield "properties", {name: _published(each) for name, each in raw["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(raw.get(name), Mapping):
            yield name, _published(raw[name])


def _unfold(schema: dict[str, Any]) -> None:
    """Say of an int-or-string that it is an integer or a string (AE/apiserver/schema/unfold.go)."""
    all_of = schema.get("allOf") or []
    if schema.get("anyOf") == _INT_OR_STRING or (all_of and all_of[0].get("anyOf") == _INT_OR_STRING):
        return
    if not schema.get("anyOf"):
        schema["anyOf"] = _INT_OR_STRING
    else:
        schema["allOf"] = [{"anyOf": _INT_OR_STRING}, *all_of]
