"""Paths of files, as volumes and mounts name them."""

from __future__ import annotations

from dynkube.testing.apiserver.builtin.rules import Errors
from dynkube.testing.apiserver.words.fielderrors import invalid

__all__ = ["descending_path", "local_path", "no_backsteps"]


def no_backsteps(path: str, field: str) -> Errors:
    """Nothing leads up (validatePathNoBacksteps)."""
    if ".." in path and ".." in path.split("/"):
        yield invalid(field, path, "must not contain '..'")


def descending_path(path: str, field: str) -> Errors:
    """A relative path that does not lead up (validateLocalDescendingPath)."""
    if path.startswith("/"):
        yield invalid(field, path, "must be a relative path")
    yield from no_backsteps(path, field)


def local_path(path: str, field: str) -> Errors:
    """Nor one whose first part begins with two dots, which kubelet's own files do (ValidateLocalNonReservedPath)."""
    yield from descending_path(path, field)
    if path.startswith("..") and not path.startswith("../"):
        yield invalid(field, path, "must not start with '..'")
