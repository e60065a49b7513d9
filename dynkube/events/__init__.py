"""Events about objects, for ``kubectl describe`` and ``kubectl events``: recorded, counted, never in the way.

client-go's tools/record and tools/events (7.7 in docs/reference/parity)::

    with EventRecorder(client, "widget-controller") as recorder:
        recorder.event(widget, "Normal", "Polished", "it shines", action="Polishing")
        recorder.event(widget, "Warning", "OutOfPolish", f"needs {amount} more")

A server that has the group ``events.k8s.io`` gets its events, in which repetitions become a series; another one gets
those of ``v1``, in which they are counted, similar ones combined, and floods held back.
"""

from __future__ import annotations

from dynkube.events.correlator import Correlated, EventCorrelator, aggregate_by_reason, object_and_type
from dynkube.events.recorder import EventRecorder
from dynkube.events.series import SeriesCache

__all__ = [
    "Correlated",
    "EventCorrelator",
    "EventRecorder",
    "SeriesCache",
    "aggregate_by_reason",
    "object_and_type",
]
