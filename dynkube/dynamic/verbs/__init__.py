"""The verbs of a resource, one class each.

A `dynkube.ResourceHandle` has all of them; a resource of a clientset those that its server has.
"""

from __future__ import annotations

from dynkube.dynamic.verbs.deleting import DeleteCollectionVerb, DeleteVerb
from dynkube.dynamic.verbs.reading import GetVerb, ListVerb, TableVerb
from dynkube.dynamic.verbs.target import Target
from dynkube.dynamic.verbs.watching import WaitVerb, WatchVerb
from dynkube.dynamic.verbs.writing import (
    ApplyStatusVerb,
    ApplyVerb,
    CreateVerb,
    PatchVerb,
    UpdateStatusVerb,
    UpdateVerb,
)

__all__ = [
    "ApplyStatusVerb",
    "ApplyVerb",
    "CreateVerb",
    "DeleteCollectionVerb",
    "DeleteVerb",
    "GetVerb",
    "ListVerb",
    "PatchVerb",
    "TableVerb",
    "Target",
    "UpdateStatusVerb",
    "UpdateVerb",
    "WaitVerb",
    "WatchVerb",
]
