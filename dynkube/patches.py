"""The patch types of the API, and what a body of each may be.

See https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dynkube.errors import InvalidRequestError

__all__ = ["PatchType", "patch_body", "patch_type_of"]


class PatchType(StrEnum):
    """How a patch body is read; the value is its media type.

    >>> PatchType.MERGE.value
    'application/merge-patch+json'
    """

    JSON = "application/json-patch+json"
    """A list of operations (RFC 6902)."""
    MERGE = "application/merge-patch+json"
    """A part of the object; null removes, lists are replaced (RFC 7386)."""
    STRATEGIC = "application/strategic-merge-patch+json"
    """A part of the object; lists merge by key. Built-in resources only."""
    APPLY = "application/apply-patch+yaml"
    """The fields that a manager owns (server-side apply)."""


def patch_type_of(body: object, type: PatchType | object | None = None) -> PatchType:  # noqa: A002 - the word of the API
    """The type of a patch: what the caller says, else what the body can only be.

    Args:
        body: a dict, a list of operations, or a ``jsonpatch.JsonPatch``.
        type: the caller's word.

    Returns:
        MERGE for a dict, JSON for a list or ``JsonPatch``, unless ``type`` says otherwise.

    Raises:
        InvalidRequestError: the body is none of these, or cannot be of that type.

    Example:
        >>> patch_type_of({"spec": {}}).name, patch_type_of([]).name
        ('MERGE', 'JSON')
    """
    is_operations = isinstance(body, list | tuple) or _is_json_patch(body)
    if not is_operations and not isinstance(body, Mapping):
        raise InvalidRequestError(
            f"body: a patch is a dict, a list of JSON Patch operations or a jsonpatch.JsonPatch, "
            f"not a {body.__class__.__name__}"
        )
    if type is None:
        return PatchType.JSON if is_operations else PatchType.MERGE
    if not isinstance(type, PatchType):
        names = ", ".join(f"PatchType.{each.name}" for each in PatchType)
        raise InvalidRequestError(f"type must be one of {names}, not {type!r}")
    if is_operations != (type is PatchType.JSON):
        wanted = "a list of operations" if type is PatchType.JSON else "a dict"
        raise InvalidRequestError(f"body: a {type.name} patch is {wanted}, not a {body.__class__.__name__}")
    return type


def patch_body(body: Any, type: PatchType) -> Any:  # noqa: A002 - the word of the API
    """The plain value to send for a body.

    Raises:
        InvalidRequestError: an operation of a JSON Patch is no dict with ``op`` and ``path``.
    """
    if type is not PatchType.JSON:
        return body
    operations = body.patch if _is_json_patch(body) else body
    for index, operation in enumerate(operations):
        if not isinstance(operation, Mapping) or not {"op", "path"} <= operation.keys():
            raise InvalidRequestError(f"body[{index}]: a JSON Patch operation is a dict with op and path")
    return list(operations)


def _is_json_patch(body: object) -> bool:
    # Whoever passes one has imported its module; we need not.
    module = sys.modules.get("jsonpatch")
    return module is not None and isinstance(body, module.JsonPatch)
