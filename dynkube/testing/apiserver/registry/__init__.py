"""What is served, and what happens to an object on its way into storage and out of it."""

from __future__ import annotations

from dynkube.testing.apiserver.registry.admission import Admission, Attributes, LatePlugin, Plugin
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.registry.deletion import Deletion
from dynkube.testing.apiserver.registry.options import DeleteOptions, WriteOptions
from dynkube.testing.apiserver.registry.patches import Patch, PatchType, patch_type
from dynkube.testing.apiserver.registry.registry import Registry
from dynkube.testing.apiserver.registry.scope import SYSTEM, Scope
from dynkube.testing.apiserver.registry.updating import Change, Outcome

__all__ = [
    "SYSTEM",
    "Admission",
    "Attributes",
    "Catalog",
    "Change",
    "DeleteOptions",
    "Deletion",
    "LatePlugin",
    "Outcome",
    "Patch",
    "PatchType",
    "Plugin",
    "Registry",
    "Scope",
    "WriteOptions",
    "patch_type",
]
