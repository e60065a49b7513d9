"""Regular expressions as Go reads them: RE2's syntax, and the words of Go's refusals.

By the ``google-re2`` library, which cel-python brings along: what Python's ``re`` takes is another language.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

__all__ = ["compile_pattern", "problem_of"]

_GO_WORDS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid repetition size": "invalid repeat count",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
}


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Callable[[str], Any]:
    """What says whether a text has a match of the pattern.

    Raises:
        ValueError: The pattern is none; the text is Go's.
    """
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    try:
        search: Callable[[str], Any] = re2.compile(pattern, options).search
    except re2.error as error:
        raise ValueError(_go_text(error)) from None
    return search


def problem_of(pattern: str) -> str:
    """What is wrong with a pattern, "" if nothing is."""
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return str(error)
    return ""


def _go_text(error: Exception) -> str:
    said = error.args[0] if error.args else str(error)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    words, _, where = text.partition(": ")
    return f"error parsing regexp: {_GO_WORDS.get(words, words)}: `{where}`"
