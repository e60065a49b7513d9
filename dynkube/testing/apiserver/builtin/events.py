"""Events of the core group and of events.k8s.io: one object in two shapes (pkg/apis/events, pkg/registry/core)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import Errors, Json, dns1123_subdomain, immutable, mapping, qualified_name
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import invalid, required
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["EventStrategy"]

_GROUP = "events.k8s.io"
_CORE = "v1"
_OTHER_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""What the core group calls by another name."""
_BACK = {new: old for old, new in _OTHER_NAMES.items()}
_ZEROS: Mapping[str, Any] = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
"""What the core group's Event has where it is empty."""
_WRITTEN_EMPTY = frozenset({"involvedObject", "source", "firstTimestamp", "lastTimestamp", "eventTime"})
"""What that of events.k8s.io has, too."""
_LONGEST, _LONGEST_NOTE = 128, 1024
_NO_MATCH = "does not match event.namespace"


class EventStrategy(NativeStrategy):
    """Events, which are stored as the core group has them; PUT makes them."""

    allows_create_on_update = True

    @property
    def is_strict(self) -> bool:
        """Whether this is the group that asks more of them."""
        return self.group_kind.group == _GROUP

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        for name, zero in _ZEROS.items():
            if group_version.group != _GROUP:
                obj.setdefault(name, zero)
            elif name in _WRITTEN_EMPTY:
                obj.setdefault(_OTHER_NAMES.get(name, name), zero)

    def convert(self, obj: Object, to: GroupVersion) -> Object:
        """See `Strategy`."""
        if obj["apiVersion"] == to.api_version:
            return obj
        if to.api_version == _CORE:
            return {**_ZEROS, **_renamed(obj, _BACK), "apiVersion": _CORE}
        found = _renamed(obj, _OTHER_NAMES)
        kept = {name: value for name, value in found.items() if value != "" or name in ("apiVersion", "kind")}
        return {**kept, "apiVersion": to.api_version}

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`: the core group asks nothing of them."""
        rule = names.dns1123_subdomain if self.is_strict else names.path_segment_name
        return rule(name, prefix=prefix)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _loose(obj, "reportingController" if self.is_strict else "reportingComponent")
        if not self.is_strict:
            return
        yield from _series(obj)
        if not obj.get("eventTime"):
            yield required("eventTime")
        kind = obj.get("type", "")
        if kind not in ("Normal", "Warning"):
            yield invalid("type", "", f"has invalid value: {kind}")
        for name in ("firstTimestamp", "lastTimestamp", "count"):
            if obj.get(name):
                yield invalid(name, "", "needs to be unset")
        if mapping(obj, "source"):
            yield invalid("source", "", "needs to be unset")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _loose(obj, "reportingController" if self.is_strict else "reportingComponent")
        if not self.is_strict:
            return
        if mapping(obj, "series") != mapping(old, "series"):
            yield from _series(obj)
        for name, field, type_name in _FIXED:
            shown = internal.shown(obj.get(name), type_name) if type_name else obj.get(name)
            if type_name:
                if (obj.get(name) or None) != (old.get(name) or None):
                    yield invalid(field, shown, IMMUTABLE)
            else:
                yield from immutable(obj.get(name), old.get(name), field, shown)

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        involved, component = mapping(obj, "involvedObject"), obj.get("reportingComponent", "")
        fields = {f"involvedObject.{name}": involved.get(name, "") for name in _INVOLVED}
        return {
            **fields,
            "reason": obj.get("reason", ""),
            "reportingComponent": component,
            "source": mapping(obj, "source").get("component") or component,
            "type": obj.get("type", ""),
        }


_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIXED = (
    ("involvedObject", "involvedObject", "core.ObjectReference"),
    ("reason", "reason", "string"),
    ("message", "message", "string"),
    ("source", "source", "core.EventSource"),
    ("firstTimestamp", "firstTimestamp", ""),
    ("lastTimestamp", "lastTimestamp", ""),
    ("count", "count", "int32"),
    ("reason", "reason", "string"),
    ("type", "type", "string"),
    ("eventTime", "eventTime", ""),
    ("action", "action", "string"),
    ("related", "related", "*core.ObjectReference"),
    ("reportingComponent", "reportingController", "string"),
    ("reportingInstance", "reportingInstance", "string"),
)
"""What may not change, what it is called there, and its type."""


def _renamed(obj: Json, names_of: Mapping[str, str]) -> Object:
    return {names_of.get(name, name): value for name, value in obj.items()}


def _series(obj: Json) -> Errors:
    series = obj.get("series")
    if series is None:
        return
    if series.get("count", 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")


def _loose(obj: Json, component_field: str) -> Errors:
    """What both groups ask (legacyValidateEvent)."""
    namespace, about = obj["metadata"].get("namespace", ""), mapping(obj, "involvedObject").get("namespace", "")
    where = "involvedObject.namespace"
    if obj.get("eventTime"):
        if not about and namespace not in ("default", "kube-system"):
            yield invalid(where, about, _NO_MATCH)
        component = obj.get("reportingComponent", "")
        if not component:
            yield required(component_field)
        yield from qualified_name(component, component_field)
        for name in ("reportingInstance", "action", "reason"):
            yield from _text(obj.get(name, ""), name)
        if len(obj.get("message", "").encode()) > _LONGEST_NOTE:
            yield invalid("message", "", f"can have at most {_LONGEST_NOTE} characters")
    elif namespace != about and (about or namespace not in ("", "default")):
        yield invalid(where, about, _NO_MATCH)
    yield from dns1123_subdomain(namespace, "namespace")


def _text(text: str, field: str) -> Errors:
    if not text:
        yield required(field)
    if len(text.encode()) > _LONGEST:
        yield invalid(field, "", f"can have at most {_LONGEST} characters")
