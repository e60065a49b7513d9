"""What OpenAPI says of custom resources: recorded templates, filled in, and the schemas of the CRD.

AE/controller/openapi/builder/builder.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dynkube import codec
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.customresources.publishing import schema_document
from dynkube.testing.apiserver.openapi.ordering import ordered_schema
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["custom_document", "custom_paths", "fill", "is_published", "is_served_path", "served_versions"]

_HEAD = {"openapi": "3.0.0", "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}}
_SCALE = "io.k8s.api.autoscaling.v1."


def is_published(crd: Object) -> bool:
    """Whether documents speak of a CRD: when it is established."""
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def served_versions(crd: Object) -> Iterator[Mapping[str, Any]]:
    """The entries of ``spec.versions`` that are served."""
    return (each for each in crd["spec"]["versions"] if each["served"])


def custom_document(crds: Iterable[Object], version: str) -> dict[str, Any]:
    """The OpenAPI v3 document of all CRDs of a group that serve a version."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    has_scale = False
    for crd in crds:
        row = next(each for each in served_versions(crd) if each["name"] == version)
        found = custom_paths(crd, row, "v3")
        has_scale = has_scale or any(path.endswith("/{name}/scale") for path in found)
        paths.update(found)
        schemas.update((name, ordered_schema(each)) for name, each in schema_document(crd, version).items())
    shared = recorded.load("openapi/custom.json")["schemas"]
    schemas.update((name, each) for name, each in shared.items() if has_scale or not name.startswith(_SCALE))
    return {**_HEAD, "paths": _sorted(paths), "components": {"schemas": _sorted(schemas)}}


def custom_paths(crd: Object, row: Mapping[str, Any], form: str) -> dict[str, Any]:
    """The paths of a CRD in one version, in the form of ``v3`` or ``v2``."""
    template = codec.encode(recorded.load("openapi/custom.json")[crd["spec"]["scope"]][form]).decode()
    found: dict[str, Any] = codec.decode(fill(template, crd, row["name"]).encode())
    return {path: each for path, each in found.items() if is_served_path(path, row)}


def is_served_path(path: str, row: Mapping[str, Any]) -> bool:
    """Whether a version has a path, which may be of a subresource."""
    _, _, subresource = path.partition("/{name}/")
    return not subresource or (row.get("subresources") or {}).get(subresource) is not None


def fill(template: str, crd: Object, version: str) -> str:
    """A template with what stands for its marks."""
    for mark, value in _values(crd["spec"], version):
        template = template.replace(mark, value)
    return template


def _values(spec: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    """What stands for each mark; tests/recording/customtemplates.py says what they are."""
    group, names = spec["group"], spec["names"]
    short = group.removesuffix(".k8s.io")
    yield "<definition>", ".".join([*reversed(group.split(".")), version])
    yield "<tag>", f"{_operation_id(short, first=False)}_{_operation_id(version, first=False)}"
    yield "<Group>", _operation_id(short)
    yield "<Version>", _operation_id(version)
    yield "<Kind>", _operation_id(names["kind"])
    yield "<a kind>", f"{_article(names['kind'])}{names['kind']}"
    yield "<group>", group
    yield "<version>", version
    yield "<kind>", names["kind"]
    yield "<list>", names["listKind"]
    yield "<plural>", names["plural"]


def _operation_id(text: str, *, first: bool = True) -> str:
    """In camel case (AS/endpoints/openapi/openapi.go, ToValidOperationID).

    >>> _operation_id("a.s3.io"), _operation_id("v1beta1", first=False)
    ('AS3Io', 'v1beta1')
    """
    found, capital = "", first
    for index, letter in enumerate(text):
        if letter.isalpha() or letter == "_" or (index and letter.isdigit()):
            found += letter.upper() if capital else letter
            capital = False
        else:
            capital = True
    return found


def _article(noun: str) -> str:
    """``a`` or ``an`` with a blank; nothing before a plural (AS/endpoints/installer.go, GetArticleForNoun)."""
    if noun.endswith("s") and not noun.endswith("ss"):
        return ""
    return "an " if noun[0].lower() in "aeiou" else "a "


def _sorted(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in sorted(values)}
