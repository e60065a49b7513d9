"""Files into and out of containers, as ``kubectl cp``: `copy_to_pod`, `copy_from_pod`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from dynkube.dynamic import ResourceHandle
from dynkube.transport import CancelToken

__all__ = ["CopyProgress", "CopyResult", "SkippedEntry", "copy_from_pod", "copy_to_pod"]


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """Where a copy is.

    Attributes:
        name: the file that is being copied.
        file_bytes: bytes of it so far.
        file_size: its size in bytes.
        total_bytes: bytes of all files so far.
    """

    name: str
    file_bytes: int
    file_size: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """Something that was not copied, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What was copied.

    Attributes:
        files: number of files.
        total_bytes: bytes of their contents.
        skipped: what was left out.
    """

    files: int
    total_bytes: int
    skipped: tuple[SkippedEntry, ...] = ()


def copy_to_pod(
    pods: ResourceHandle,
    name: str,
    source: str | os.PathLike[str],
    destination: str,
    *,
    container: str | None = None,
    preserve: bool = True,
    progress: Callable[[CopyProgress], None] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> CopyResult:
    """Copy a local file or folder into a container, which must have ``tar``.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        source: a local file or folder.
        destination: a path in the container; if it is a folder there, the copy is made inside of it.
        container: which, as for `exec_command`.
        preserve: keep owner and modes (``kubectl cp`` without ``--no-preserve``).
        progress: called as bytes are sent.
        timeout: seconds for everything.
        cancel: a token that ends it.

    Returns:
        What was copied.

    Raises:
        CopyError: ``tar`` is missing or failed, with its words.
        FileNotFoundError: there is no such source.
        APIStatusError: the server refuses.
    """
    raise NotImplementedError


def copy_from_pod(
    pods: ResourceHandle,
    name: str,
    source: str,
    destination: str | os.PathLike[str],
    *,
    container: str | None = None,
    preserve: bool = False,
    retries: int = 0,
    progress: Callable[[CopyProgress], None] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> CopyResult:
    """Copy a file or folder out of a container, which must have ``tar``.

    Nothing is ever written outside of the destination, whatever the container sends.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        source: a path in the container.
        destination: a local path; if it is a folder, the copy is made inside of it.
        container: which, as for `exec_command`.
        preserve: keep modes (without set-id bits) and modification times; ``kubectl cp`` does not.
        retries: how often a copy whose connection is lost goes on where it broke; -1 sets no limit.
        progress: called as bytes arrive.
        timeout: seconds for everything.
        cancel: a token that ends it.

    Returns:
        What was copied; ``skipped`` names links that lead out of the folder, devices and the like.

    Raises:
        CopyError: ``tar`` is missing or failed, or what came is not what was asked for.
        APIStatusError: the server refuses.
    """
    raise NotImplementedError
