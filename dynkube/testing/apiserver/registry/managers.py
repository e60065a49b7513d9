"""Who manages which field, on every write (`fieldmanagement` knows how)."""

from __future__ import annotations

from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.options import WriteOptions
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.resources import Object

__all__ = ["track_update"]


def track_update(machinery: Machinery, scope: Scope, live: Object | None, obj: Object, options: WriteOptions) -> Object:
    """``obj``, which is in the request's version, with the managers of its fields."""
    return obj
