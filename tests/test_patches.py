"""Patch types: what a body is, and what it cannot be."""

from __future__ import annotations

from typing import Any

import jsonpatch
import pytest

from dynkube.errors import InvalidRequestError
from dynkube.patches import PatchType, patch_body, patch_type_of


@pytest.mark.behaviour("2.5.6")
def test_media_types() -> None:
    assert {each.name: each.value for each in PatchType} == {
        "JSON": "application/json-patch+json",
        "MERGE": "application/merge-patch+json",
        "STRATEGIC": "application/strategic-merge-patch+json",
        "APPLY": "application/apply-patch+yaml",
    }


def test_the_body_tells_the_type() -> None:
    assert patch_type_of({}) is PatchType.MERGE
    assert patch_type_of([]) is PatchType.JSON
    assert patch_type_of(jsonpatch.JsonPatch([])) is PatchType.JSON
    assert patch_type_of({}, PatchType.STRATEGIC) is PatchType.STRATEGIC


@pytest.mark.parametrize(
    ("body", "patch_type"),
    [("text", None), (3, None), (None, None), ([], PatchType.MERGE), ({}, PatchType.JSON), ({}, "merge")],
)
def test_what_is_no_patch(body: Any, patch_type: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"body|type"):
        patch_type_of(body, patch_type)


def test_operations() -> None:
    operations = [{"op": "remove", "path": "/a"}]
    assert patch_body(jsonpatch.JsonPatch(operations), PatchType.JSON) == operations
    assert patch_body({"a": 1}, PatchType.MERGE) == {"a": 1}
    with pytest.raises(InvalidRequestError, match=r"body\[0\]"):
        patch_body([{"op": "remove"}], PatchType.JSON)
