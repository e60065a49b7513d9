"""JSON Merge Patch as the API server applies it (evanphx/json-patch v4, merge.go).

RFC 7386, but for one thing: the nulls of objects within a list go, too, unless the list replaces an object.
"""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.patching.tracing import Trace

__all__ = ["merge", "without_nulls"]


def merge(document: dict[str, Any], patch: dict[str, Any], trace: Trace) -> dict[str, Any]:
    """Merge a patch into a document, which is changed in place and returned."""
    trace.add(document)
    for key, each in patch.items():
        current = document.get(key)
        if each is None:
            document.pop(key, None)
        elif not isinstance(current, dict):
            document[key] = without_nulls(each)
            trace.add_all(document[key])
        elif isinstance(each, dict):
            merge(current, each, trace)
        else:
            trace.add(current)
            document[key] = each
    return document


def without_nulls(value: Any) -> Any:
    """A new value, as plain dicts and lists, without the members that are null; items may be."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value
