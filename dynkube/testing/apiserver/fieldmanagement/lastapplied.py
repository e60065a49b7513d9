"""From ``kubectl apply`` of old to server-side apply: the annotation that the former keeps.

AM/util/managedfields/internal/{lastapplied,lastappliedmanager,lastappliedupdater}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube import codec
from dynkube.errors import DynkubeError
from dynkube.testing.apiserver.fieldmanagement.fieldsets import NOTHING, FieldSet, difference, union
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.fieldmanagement.validation import check
from dynkube.testing.apiserver.fieldmanagement.versions import Version
from dynkube.testing.apiserver.words.govalues import json_text
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["ANNOTATION", "KUBECTL", "allowed_conflicts", "synchronize"]

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
"""The manager that this is for: kubectl's own of ``apply --server-side``."""

_ANNOTATIONS_LIMIT = 256 * 1024


def allowed_conflicts(live: Object, version: Version) -> FieldSet | None:
    """The fields that the annotation says kubectl has set, and that are as it set them; None without a usable one.

    ``live`` is of this version.
    """
    text = _annotations(live).get(ANNOTATION)
    if not text:
        return None
    try:
        last = codec.decode(text.encode())
        if not isinstance(last, dict) or _type_of(last) != (version.api_version, version.kind):
            return None
        check(live, version.type, duplicates_allowed=False)
        check(last, version.type, duplicates_allowed=False)
    except (DynkubeError, ProblemError):
        return None
    change = version.compare(last, live)
    touched: FieldSet = NOTHING
    for each in change:
        touched = union(touched, each)
    return difference(version.fields(last), touched)


def synchronize(obj: Object, applied: Object) -> Object:
    """The object with its annotation made to say what was applied now. The same object where it has none."""
    annotations = _annotations(obj)
    if not annotations.get(ANNOTATION):
        return obj
    annotations = {**annotations, ANNOTATION: _last_applied(applied)}
    if sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items()) > _ANNOTATIONS_LIMIT:
        del annotations[ANNOTATION]
    metadata = {**obj["metadata"], "annotations": annotations}
    if not annotations:
        del metadata["annotations"]
    return {**obj, "metadata": metadata}


def _last_applied(applied: Object) -> str:
    metadata = dict(applied["metadata"])
    if isinstance(metadata.get("annotations"), dict):
        metadata["annotations"] = {name: value for name, value in metadata["annotations"].items() if name != ANNOTATION}
    return json_text({**applied, "metadata": metadata}) + "\n"


def _type_of(obj: Mapping[str, Any]) -> tuple[Any, Any]:
    return obj.get("apiVersion"), obj.get("kind")


def _annotations(obj: Object) -> Mapping[str, Any]:
    return (obj.get("metadata") or {}).get("annotations") or {}
