"""OpenAPI v2: the recorded document, with the CRDs of this server in it.

AE/controller/openapi/v2/conversion.go: v2 cannot say all that a schema of a CRD says, and kubectl
of old stumbles over some of what it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dynkube import codec
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.customresources.publishing import schema_document
from dynkube.testing.apiserver.openapi.customs import custom_paths, served_versions
from dynkube.testing.apiserver.openapi.ordering import ordered_schema
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["definitions_of", "swagger"]

_V3, _V2 = "#/components/schemas/", "#/definitions/"
_JUNCTORS: Final = frozenset({"allOf", "oneOf", "anyOf", "not", "default"})
_PRESERVES: Final = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"
_KINDS: Final = "x-kubernetes-group-version-kind"


def swagger(crds: Iterable[Object], definitions: Mapping[str, Any]) -> bytes:
    """The document; the recorded bytes where there is no CRD.

    Args:
        crds: Whose paths are in it.
        definitions: Their schemas (`definitions_of`).
    """
    recorded_bytes = recorded.read("openapi/v2.json")
    if not definitions:
        return recorded_bytes
    paths = {
        path: each
        for crd in crds
        for row in served_versions(crd)
        for path, each in custom_paths(crd, row, "v2").items()
    }
    with codec.gc_paused():
        document = codec.decode(recorded_bytes)
        for field, more in (("paths", paths), ("definitions", definitions)):
            merged = {**document[field], **more}
            document[field] = {name: merged[name] for name in sorted(merged)}
        return codec.encode(document)


def definitions_of(crds: Iterable[Object]) -> Mapping[str, Any]:
    """The v2 schemas of CRDs in all versions, by name."""
    return {
        name: ordered_schema(_definition(each))
        for crd in crds
        for row in served_versions(crd)
        for name, each in schema_document(crd, row["name"]).items()
    }


def _definition(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A whole kind: one that keeps unknown fields says nothing but its kind."""
    if schema.get(_PRESERVES):
        kept = (name for name in schema if name in {_KINDS, "x-kubernetes-selectable-fields"})
        return {"type": "object"} | {name: schema[name] for name in kept}
    return _converted(schema)


def _converted(schema: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref") or _only_reference(schema)
    if reference:
        about = {"description": schema["description"]} if schema.get("description") else {}
        return {**about, "$ref": reference.replace(_V3, _V2)}
    found = {name: each for name, each in schema.items() if name not in _JUNCTORS}
    if found.get("nullable"):
        for name in ("type", "nullable", "items", "properties"):
            found.pop(name, None)
    if found.get(_PRESERVES):
        _forget_content(found)
    if found.get("type") == "array" and "items" not in found:
        del found["type"]
    _forget_required(found, schema)
    return _with_content(found)


def _only_reference(schema: Mapping[str, Any]) -> str:
    """Of metadata, which v3 wraps so that it can have a description."""
    parts: Sequence[Mapping[str, Any]] = schema.get("allOf") or ()
    return str(parts[0].get("$ref", "")) if len(parts) == 1 else ""


def _forget_content(found: dict[str, Any]) -> None:
    """Kubectl refuses what it does not find among the properties."""
    found.pop("items", None)
    found.pop("properties", None)
    if found.get("type") == "object":
        del found["type"]
    if found.get(_EMBEDDED):
        required = [each for each in found.get("required", ()) if each not in {"apiVersion", "kind"}]
        found["required"] = required


def _forget_required(found: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """What may be null need not be there."""
    properties = found.get("properties") or {}
    required = [each for each in found.get("required") or () if not (properties.get(each) or {}).get("nullable")]
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping) and values.get("nullable"):
        required = []
    found.pop("required", None)
    if required:
        found["required"] = required


def _with_content(found: dict[str, Any]) -> dict[str, Any]:
    if "properties" in found:
        found["properties"] = {name: _converted(each) for name, each in found["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(found.get(name), Mapping):
            found[name] = _converted(found[name])
    return found
