"""Which objects a request is about: a namespace, a name, selectors (AS/storage/selection_predicate.go)."""

from __future__ import annotations

from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.storage.eventlog import Event, EventType
from dynkube.testing.apiserver.storage.options import ListOptions

__all__ = ["Selection"]


class Selection:
    """What a list or a watch selects.

    Args:
        options: For the selectors.
        namespace: Of the request; "" for all.
    """

    __slots__ = ("_fields", "_is_all", "_labels", "name", "namespace")

    def __init__(self, options: ListOptions, namespace: str) -> None:
        labels, fields = options.label_selector, options.field_selector
        self._labels = labels if labels.requirements else None
        self._fields = fields if fields.requirements else None
        self.name = options.exact_field("metadata.name")
        self.namespace = namespace
        self._is_all = not namespace and options.selects_all

    @property
    def is_unfiltered(self) -> bool:
        """Whether no selector says anything; the namespace may."""
        return self._labels is None and self._fields is None

    def matches(self, entry: Entry) -> bool:
        """Whether it selects this state of an object."""
        if self._is_all:
            return True
        if self.namespace and entry.namespace != self.namespace:
            return False
        return self.matches_within(entry)

    def matches_within(self, entry: Entry) -> bool:
        """Whether the selectors do, of an object that is known to be in the namespace."""
        if self._labels is not None and not self._labels.matches(entry.labels):
            return False
        return self._fields is None or self._fields.matches(entry.fields)

    def seen(self, event: Event) -> tuple[EventType, Entry] | None:
        """What a watch of this selection sees of an event; None for nothing.

        A change that takes an object into the selection is ADDED, one that takes it out is DELETED.
        """
        is_in = event.entry is not None and self.matches(event.entry)
        was_in = event.previous is not None and self.matches(event.previous)
        if is_in:
            assert event.entry is not None
            return (EventType.MODIFIED if was_in else EventType.ADDED), event.entry
        return (EventType.DELETED, event.departed) if was_in else None
