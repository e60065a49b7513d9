"""Which changes are worth a request: functions of an object before and after.

An add has nothing before (None), a delete nothing after. A predicate gives whether the change counts; combine them as
functions are combined: ``lambda old, new: generation_changed(old, new) or labels_changed(old, new)``. See
controller-runtime's pkg/predicate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from dynkube.unstructured import annotations_of, generation_of, labels_of, resource_version_of

__all__ = ["Predicate", "annotations_changed", "generation_changed", "labels_changed", "resource_version_changed"]

Object: TypeAlias = Mapping[str, Any]
Predicate: TypeAlias = Callable[[Object | None, Object | None], bool]
"""Takes the object before and after, either of which may be None; gives whether the change counts."""


def generation_changed(old: Object | None, new: Object | None) -> bool:
    """Adds, deletes, and updates of what users want: the generation grows with the spec, and as deletion begins.

    A controller that writes the status of its objects needs it, or hears its own echo. Resources without generations
    (ConfigMaps, Secrets, Pods in older servers) never pass an update.

    Example:
        >>> generation_changed({"metadata": {"generation": 1}}, {"metadata": {"generation": 2}})
        True
        >>> generation_changed({"metadata": {"generation": 1}}, {"metadata": {"generation": 1}, "status": {}})
        False
    """
    return old is None or new is None or generation_of(old) != generation_of(new)


def resource_version_changed(old: Object | None, new: Object | None) -> bool:
    """Everything but resyncs, which tell of every object although nothing has changed."""
    return old is None or new is None or resource_version_of(old) != resource_version_of(new)


def labels_changed(old: Object | None, new: Object | None) -> bool:
    """Adds, deletes, and updates that change labels."""
    return old is None or new is None or labels_of(old) != labels_of(new)


def annotations_changed(old: Object | None, new: Object | None) -> bool:
    """Adds, deletes, and updates that change annotations."""
    return old is None or new is None or annotations_of(old) != annotations_of(new)
