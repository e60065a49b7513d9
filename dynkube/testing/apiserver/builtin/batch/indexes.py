"""Indexes of the pods of an indexed job, as text: ``1,3-5`` (pkg/apis/batch/validation)."""

from __future__ import annotations

import re

from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["IndexesError", "count_indexes", "overlap"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)

Interval = tuple[int, int]


class IndexesError(Exception):
    """The text is no list of indexes; the message is the server's."""


def count_indexes(text: str, completions: int) -> int:
    """How many there are (validateIndexesFormat).

    Raises:
        IndexesError: It is malformed.
    """
    total, last = 0, None
    for part in text.split(",") if text else ():
        low, high = _interval(part, completions)
        if last is not None and last >= low:
            raise IndexesError(f"non-increasing order, previous: {last}, current: {low}")
        total += high - low + 1
        last = high
    return total


def _interval(part: str, completions: int) -> Interval:
    limits = part.split("-")
    if len(limits) > 2:
        said = "violates the requirement that an index interval can have at most two parts separated by '-'"
        raise IndexesError(f"the fragment {quoted(part)} {said}")
    numbers = [_number(limit, completions) for limit in limits]
    if len(numbers) > 1 and numbers[0] >= numbers[1]:
        raise IndexesError(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]


def _number(text: str, completions: int) -> int:
    if not _NUMBER.fullmatch(text):
        raise IndexesError(f"cannot convert string to integer for index: {quoted(text)}")
    if int(text) >= completions:
        raise IndexesError(f"too large index: {quoted(text)}")
    return int(text)


def overlap(completed: str, failed: str, completions: int) -> int | None:
    """The first index that is in both lists; what is malformed is passed over."""
    ours, theirs = (_intervals(text, completions) for text in (completed, failed))
    while ours and theirs:
        (low, high), (other_low, other_high) = ours[0], theirs[0]
        if low <= other_high and other_low <= high:
            return max(low, other_low)
        (ours if low <= other_low else theirs).pop(0)
    return None


def _intervals(text: str, completions: int) -> list[Interval]:
    found = []
    for part in text.split(",") if text else ():
        try:
            found.append(_interval(part, completions))
        except IndexesError:
            continue
    return found
