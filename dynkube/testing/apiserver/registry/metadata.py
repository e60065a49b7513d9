"""The rules of ``metadata``: what the server sets, and what clients may not change.

AS/registry/rest/{meta,create,update}.go, AS/storage/names/generate.go.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from typing import Any

from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.statuses import bad_request

__all__ = [
    "FOREGROUND",
    "ORPHAN",
    "drop_duplicate_owners",
    "ensure_namespace",
    "fill",
    "generate_name",
    "keep",
    "wipe",
]

ORPHAN = "orphan"
"""The finalizer by which the garbage collector lets dependents go on living."""
FOREGROUND = "foregroundDeletion"
"""The finalizer by which the garbage collector deletes dependents first."""

_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_NAME_RANDOM = 5
_NAME_BASE_MAX = 63 - _NAME_RANDOM
_SYSTEM = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
_DUPLICATE_OWNERS = (
    ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {uids}"
)


def wipe(metadata: dict[str, Any]) -> None:
    """Drop what only the server says of a new object, in place (WipeObjectMetaSystemFields)."""
    for name in _SYSTEM:
        metadata.pop(name, None)


def fill(metadata: dict[str, Any], now: str) -> None:
    """Say when a new object was made, and which it is, in place (FillObjectMetaSystemFields)."""
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = now


def generate_name(prefix: str) -> str:
    """A name for ``generateName``: as much of the prefix as fits, and five letters that spell nothing."""
    letters = "".join(random.choices(_NAME_LETTERS, k=_NAME_RANDOM))  # noqa: S311 - no secret
    return prefix.encode()[:_NAME_BASE_MAX].decode(errors="ignore") + letters


def ensure_namespace(obj: Object, namespace: str) -> None:
    """Give an object the namespace of its request, in place; "" for what is in none.

    EnsureObjectNamespaceMatchesRequestNamespace.

    Raises:
        StatusError: 400, the object names another one.
    """
    metadata = obj["metadata"]
    named = metadata.get("namespace", "")
    if named == namespace:
        return
    if not namespace:
        del metadata["namespace"]
    elif named:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata["namespace"] = namespace


def drop_duplicate_owners(metadata: dict[str, Any], *, after_admission: bool) -> str:
    """Drop repeated owner references, in place (AS/endpoints/handlers/rest.go, dedupOwnerReferences).

    Returns:
        The warning to give, or "".
    """
    references = metadata.get("ownerReferences")
    if not references or len(references) < 2:
        return ""
    kept: list[Any] = []
    dropped: list[str] = []
    for each in references:
        if each in kept:
            dropped.append(each.get("uid", ""))
        else:
            kept.append(each)
    if not dropped:
        return ""
    metadata["ownerReferences"] = kept
    when = " after mutating admission happens" if after_admission else ""
    return _DUPLICATE_OWNERS.format(when=when, uids=", ".join(dropped))


def keep(metadata: dict[str, Any], old: Mapping[str, Any]) -> None:
    """What an update cannot change stays as it was, in place (BeforeUpdate)."""
    metadata.pop("selfLink", None)  # of old; nobody stores it
    if not metadata.get("uid"):
        metadata["uid"] = old["uid"]
    for name in ("creationTimestamp", "deletionTimestamp"):
        if name in old:
            metadata[name] = old[name]
    if "deletionGracePeriodSeconds" in old:
        metadata.setdefault("deletionGracePeriodSeconds", old["deletionGracePeriodSeconds"])
