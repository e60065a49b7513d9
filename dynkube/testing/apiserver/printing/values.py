"""What the cells of many kinds are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.labels import LabelSelector
from dynkube.testing.apiserver.printing.durations import since

__all__ = [
    "NONE",
    "UNSET",
    "age",
    "at",
    "condition",
    "containers",
    "label_selector",
    "labels",
    "name",
    "number",
    "or_none",
    "shortened",
    "text",
]

NONE = "<none>"
UNSET = "<unset>"
_SHOWN = 3


def at(obj: Any, *path: str) -> Any:
    """The value at a path; None where a part of it is not there."""
    for key in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj


def text(obj: Any, *path: str) -> str:
    """The text at a path, or ""."""
    return at(obj, *path) or ""


def number(obj: Any, *path: str) -> int:
    """The number at a path, or 0."""
    return at(obj, *path) or 0


def or_none(value: str | None) -> str:
    """The text, or ``<none>`` for an empty one."""
    return value or NONE


def name(obj: Any) -> str:
    """Of an object."""
    return text(obj, "metadata", "name")


def age(obj: Any, now: datetime) -> str:
    """Of an object."""
    return since(at(obj, "metadata", "creationTimestamp"), now)


def condition(obj: Any, kind: str) -> Mapping[str, Any] | None:
    """The condition of a type in the status of an object."""
    return next((each for each in at(obj, "status", "conditions") or () if each.get("type") == kind), None)


def containers(pod_spec: Any) -> list[str]:
    """Two cells: the names of the containers, and their images."""
    found = at(pod_spec, "containers") or ()
    return [",".join(text(each, key) for each in found) for key in ("name", "image")]


def labels(values: Mapping[str, str] | None) -> str:
    """``a=1,b=2``, or ``<none>`` (AM/labels: FormatLabels)."""
    return ",".join(f"{key}={values[key]}" for key in sorted(values)) if values else NONE


def label_selector(selector: Mapping[str, Any] | None, *, empty: str = NONE, broken: str = "<error>") -> str:
    """A selector of labels as text (FormatLabelSelector); ``empty`` for one that is absent or asks for nothing."""
    try:
        return str(LabelSelector.from_dict(selector)) or empty if selector else empty
    except InvalidRequestError:
        return broken


def shortened(texts: Iterable[str], *, most: int = _SHOWN, separator: str = ",", empty: str = UNSET) -> str:
    """The first ones, and how many there are more: ``a,b,c + 2 more...``."""
    found: Sequence[str] = list(texts)
    shown = separator.join(found[:most])
    return f"{shown} + {len(found) - most} more..." if len(found) > most else shown or empty
