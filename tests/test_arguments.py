"""Arguments that cannot be are said to be so at once."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from dynkube.arguments import (
    checked_count,
    checked_flag,
    checked_function,
    checked_methods,
    checked_seconds,
    checked_text,
)
from dynkube.errors import InvalidRequestError


async def coroutine(obj: Any) -> None:
    del obj


class Called:
    def __call__(self, obj: Any, more: int = 0) -> None:
        del obj, more


@pytest.mark.parametrize(
    "function",
    [lambda obj: obj, lambda *all_of_them: all_of_them, Called(), functools.partial(Called(), more=2), print, {}.get],
)
def test_a_function_that_can_be_called_so_comes_back(function: Any) -> None:
    assert checked_function("keep", function, "obj") is function


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (None, r"keep: want a function of \(obj\), got None"),
        (3, r"keep: want a function of \(obj\), got 3"),
        (lambda: 1, r"keep: is called with \(obj\), but takes \(\)"),
        (lambda obj, *, other: 1, r"keep: is called with \(obj\), but takes \(obj, \*, other\): missing a required"),
        (coroutine, r"keep: want a plain function of \(obj\), got a coroutine function"),
    ],
)
def test_one_that_cannot_is_told(function: Any, problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=problem):
        checked_function("keep", function, "obj")


def test_seconds() -> None:
    assert checked_seconds("timeout", 0) == 0.0
    assert checked_seconds("timeout", 1.5, above=0) == 1.5
    for wrong in ("a", None, True, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidRequestError, match=r"timeout: want a number of seconds 0 or more, got "):
            checked_seconds("timeout", wrong)
    with pytest.raises(InvalidRequestError, match=r"timeout: want a number of seconds above 0, got 0"):
        checked_seconds("timeout", 0, above=0)


def test_texts_and_flags() -> None:
    assert (checked_text("name", ""), checked_flag("compact", False)) == ("", False)
    with pytest.raises(InvalidRequestError, match=r"^name: want text, got 3$"):
        checked_text("name", 3)
    with pytest.raises(InvalidRequestError, match=r"^compact: want True or False, got 'no'$"):
        checked_flag("compact", "no")


def test_methods() -> None:
    assert checked_methods("names", {}, "a mapping", "get", "items") == {}
    for wrong in (3, dict, None):
        with pytest.raises(InvalidRequestError, match=r"^names: want a mapping, got "):
            checked_methods("names", wrong, "a mapping", "get", "items")


def test_counts() -> None:
    assert checked_count("page_size", 0) == 0
    for wrong in ("a", None, True, -1, 1.0):
        with pytest.raises(InvalidRequestError, match=r"page_size: want a whole number, 0 or more, got "):
            checked_count("page_size", wrong)
