"""Values as the server's own Go types show them: some messages print the internal type, whose fields have no tags.

``{"key": "a"}`` of a toleration is ``{"Key":"a","Operator":"","Value":"",...}`` there. The table of those types is
recorded (``tests/recording/internaltypes``).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from dynkube.testing.apiserver import recorded

__all__ = ["compared", "difference", "shown"]

Render = Callable[[Any], Any]
_ZERO: Mapping[str, Any] = {"string": "", "bool": False, "float64": 0}


class _Field(NamedTuple):
    name: str
    """As it is shown."""
    source: str
    """In v1; "-" where it has no such field."""
    render: Render
    is_always_shown: bool
    """Not with ``omitempty``."""


def shown(value: Any, type_name: str) -> Any:
    """A v1 value as its internal type encodes it: ``shown(toleration, "core.Toleration")``.

    ``type_name`` is Go's, with ``[]`` or ``map[string]`` or ``*`` before it or not.
    """
    return _renderer(type_name)(value)


def difference(old: Any, new: Any, type_name: str) -> str:
    """Two v1 values of an internal type, compared as AM/util/diff does."""
    return compared(shown(old, type_name), shown(new, type_name))


def compared(old: Any, new: Any) -> str:
    """Two values that are `shown`, as a unified diff of indented JSON."""
    lines = list(difflib.unified_diff(_indented(old), _indented(new)))
    return "".join(lines[2:])  # without the names of files


def _indented(value: Any) -> list[str]:
    text = json.dumps(value, indent=1, ensure_ascii=False, separators=(",", ": "))
    for each in "<>&\u2028\u2029":
        text = text.replace(each, f"\\u{ord(each):04x}")
    return [f"{line}\n" for line in text.split("\n")]


@cache
def _renderer(type_name: str) -> Render:
    if type_name.startswith("*"):
        return _optional(_renderer(type_name[1:]))
    if type_name == "[]uint8":
        return _as_is
    if type_name.startswith("[]"):
        return _items(_renderer(type_name[2:]))
    if type_name.startswith("map["):
        return _values(_renderer(type_name.partition("]")[2]))
    if "." not in type_name:
        return _plain(_ZERO.get(type_name, 0))
    return _named(type_name)


def _named(type_name: str) -> Render:
    rows = recorded.load("internal-types.json")[type_name]
    if rows[:1] == ["=!"]:
        return _special(type_name)
    if rows[:1] and rows[0].startswith("="):
        return _renderer(rows[0][1:])
    fields: list[_Field] = []

    def render(value: Any) -> Any:
        if not fields:  # filled late: types contain themselves
            fields.extend(map(_field, rows))
        return _struct(value or {}, fields)

    return _pod_spec(render) if type_name == "core.PodSpec" else render


def _field(row: str) -> _Field:
    name, source, type_name, *options = row.split(" ")
    return _Field(name, source, _renderer(type_name), not options)


def _struct(value: Mapping[str, Any], fields: list[_Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    metadata = value.get("metadata") or {}
    for field in fields:
        # Metadata is embedded there; its fields are the ones with tags, which begin with a small letter.
        owner = metadata if field.name[0].islower() and "metadata" in value else value
        rendered = field.render(owner.get(field.source))
        if field.is_always_shown or rendered:
            found[field.name] = rendered
    return found


_OF_POD_SECURITY_CONTEXT = {
    "HostNetwork": ("hostNetwork", False),
    "HostPID": ("hostPID", False),
    "HostIPC": ("hostIPC", False),
    "ShareProcessNamespace": ("shareProcessNamespace", None),
    "HostUsers": ("hostUsers", None),
}


def _pod_spec(render: Render) -> Render:
    """Inside, the namespaces of the host are a part of the security context."""

    def render_spec(value: Any) -> Any:
        spec = render(value)
        context = spec["SecurityContext"]
        if context is not None:
            context |= {name: value.get(source, zero) for name, (source, zero) in _OF_POD_SECURITY_CONTEXT.items()}
        return spec

    return render_spec


def _special(type_name: str) -> Render:
    return _plain({"resource.Quantity": "0", "intstr.IntOrString": 0}.get(type_name))


def _optional(render: Render) -> Render:
    return lambda value: None if value is None else render(value)


def _items(render: Render) -> Render:
    return lambda value: None if value is None else [render(each) for each in value]


def _values(render: Render) -> Render:
    # encoding/json sorts the keys of maps.
    return lambda value: None if value is None else {name: render(each) for name, each in sorted(value.items())}


def _plain(zero: Any) -> Render:
    return lambda value: zero if value is None else value


def _as_is(value: Any) -> Any:
    return value
