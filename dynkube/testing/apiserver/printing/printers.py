"""Which columns a kind prints in, and its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeAlias

from dynkube.schema import GroupVersionResource
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Cells", "Printer", "printer_for"]

Cells: TypeAlias = Callable[[Object, datetime], list[Any]]
"""The cells of an object's row at a time, one for each column."""

_ZERO_TIME = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """How the objects of a kind become the rows of a Table."""

    columns: Sequence[Mapping[str, Any]]
    """The ``columnDefinitions``."""
    cells: Cells
    conditions: Callable[[Object], Sequence[Mapping[str, str]]] = lambda _obj: ()
    """What a row says of its object, such as that a pod is Completed."""
    order: Callable[[Object], Any] | None = None
    """The sort key of a list that does not print in its own order."""
    no_rows: Sequence[Any] | None = ()
    """What an empty list has as rows."""


@cache
def printer_for(gvr: GroupVersionResource) -> Printer:
    """Of a built-in resource. Its cells are computed from objects in the version that they are stored in.

    A kind without columns of its own prints its name and when it was made. The Scale of any resource
    prints as ``autoscaling/v1 scales``.

    Raises:
        KeyError: There is no such resource, or it cannot be listed.
    """
    columns = recorded.columns(gvr)
    key = f"{gvr.resource}.{gvr.group}" if gvr.group else gvr.resource
    if key == "pods":
        from dynkube.testing.apiserver.printing.pods import pod, pod_conditions

        return Printer(columns=columns, cells=pod, conditions=pod_conditions)
    found = _all_cells().get(key)
    if found is None:
        return Printer(columns=columns, cells=_created, no_rows=None)
    return Printer(columns=columns, cells=found, order=_ORDERS.get(key))


@cache
def _all_cells() -> Mapping[str, Cells]:
    """Of all kinds but pods; most servers never print most of them."""
    from dynkube.testing.apiserver.printing.cluster import CLUSTER
    from dynkube.testing.apiserver.printing.extensions import EXTENSIONS
    from dynkube.testing.apiserver.printing.network import NETWORK
    from dynkube.testing.apiserver.printing.workloads import WORKLOADS

    return {**CLUSTER, **EXTENSIONS, **NETWORK, **WORKLOADS}


def _created(obj: Object, _now: datetime) -> list[Any]:
    metadata = obj["metadata"]
    return [metadata.get("name", ""), metadata.get("creationTimestamp") or _ZERO_TIME]


def _precedence(obj: Object) -> tuple[int, str]:
    return obj["spec"]["matchingPrecedence"], obj["metadata"]["name"]


_ORDERS: Final[Mapping[str, Callable[[Object], Any]]] = {"flowschemas.flowcontrol.apiserver.k8s.io": _precedence}
