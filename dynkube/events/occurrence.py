"""What has happened, and the Event of either API group that says so."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dynkube.quantities import format_micro_time, format_time
from dynkube.schema import is_dns_subdomain
from dynkube.unstructured import object_reference

__all__ = ["Occurrence", "event_name", "reference_to"]

# kubernetes/pkg/apis/core/validation/events.go
_WORD_LIMIT = 128  # characters of reason, action and reportingInstance
_NOTE_LIMIT = 1024  # bytes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def reference_to(obj: Mapping[str, Any]) -> dict[str, Any]:
    """An ObjectReference to an object; a reference is taken as it is (CG/tools/reference/ref.go).

    Raises:
        InvalidRequestError: it is no object, has no apiVersion or no kind, or is metadata only.

    Example:
        >>> reference_to({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api", "namespace": "shop"}})
        {'apiVersion': 'v1', 'kind': 'Pod', 'namespace': 'shop', 'name': 'api'}
        >>> reference_to({"apiVersion": "v1", "kind": "Pod", "name": "api", "fieldPath": "spec.containers{web}"})
        {'apiVersion': 'v1', 'kind': 'Pod', 'name': 'api', 'fieldPath': 'spec.containers{web}'}
    """
    reference = object_reference(obj)
    return dict(obj) if "metadata" not in obj and "name" in obj else reference


def event_name(name: str, nanoseconds: int) -> str:
    """A name for an event about the object ``name``; by chance where that gives none (RBAC's have colons).

    Example:
        >>> event_name("api", 255)
        'api.ff'
        >>> event_name("system:node", 255) == event_name("system:node", 255)
        False
    """
    composed = f"{name}.{nanoseconds:x}"
    return composed if is_dns_subdomain(composed) else str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that has happened to an object, in no API group yet.

    Attributes:
        regarding: an ObjectReference to the object.
        related: one to another that has a part in it; None without.
        type: ``"Normal"`` or ``"Warning"``.
        reason: why, in one word: ``"Started"``.
        action: what was done about it, in one word.
        note: what people read.
        annotations: of the event.
        nanoseconds: when, since the epoch.
        controller: who reports it: ``"widget-controller"``.
        instance: which process of it.
        host: the node it runs on; ``""`` where that is not known.
    """

    regarding: dict[str, Any]
    related: dict[str, Any] | None
    type: str
    reason: str
    action: str
    note: str
    annotations: dict[str, str]
    nanoseconds: int
    controller: str
    instance: str
    host: str

    def core_event(self) -> dict[str, Any]:
        """A ``v1 Event`` of count 1 (record/event.go, makeEvent)."""
        time = format_time(self._time())
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": self._metadata(),
            "involvedObject": self.regarding,
            "reason": self.reason[:_WORD_LIMIT],
            "message": self.note,
            "source": {key: value for key, value in (("component", self.controller), ("host", self.host)) if value},
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
            "type": self.type,
            "reportingComponent": self.controller,
            "reportingInstance": self.host,
        }
        return event | self._optional({"related": self.related, "action": self.action[:_WORD_LIMIT]})

    def events_event(self) -> dict[str, Any]:
        """An ``events.k8s.io/v1 Event`` (events/event_recorder.go, makeEvent)."""
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": self._metadata(),
            "eventTime": format_micro_time(self._time()),
            "reportingController": self.controller,
            "reportingInstance": self.instance[:_WORD_LIMIT],
            "action": (self.action or self.reason)[:_WORD_LIMIT],
            "reason": self.reason[:_WORD_LIMIT],
            "regarding": self.regarding,
            "note": _shortened(self.note),
            "type": self.type,
        }
        return event | self._optional({"related": self.related})

    def _metadata(self) -> dict[str, Any]:
        name, namespace = self.regarding.get("name", ""), self.regarding.get("namespace") or "default"
        metadata: dict[str, Any] = {"name": event_name(name, self.nanoseconds), "namespace": namespace}
        return metadata | self._optional({"annotations": self.annotations})

    def _optional(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in fields.items() if value}

    def _time(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.nanoseconds // 1000)  # a float would round


def _shortened(note: str) -> str:
    encoded = note.encode()
    if len(encoded) <= _NOTE_LIMIT:
        return note
    return encoded[: _NOTE_LIMIT - 3].decode(errors="ignore") + "..."
