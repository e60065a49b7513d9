"""What a decoder complains of: refusals in Go's words, and problems that are only strict validation's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["IGNORE", "STRICT", "WARN", "DecodingError", "Problems", "strict_text", "warnings_of"]

STRICT: Final = "Strict"
WARN: Final = "Warn"
IGNORE: Final = "Ignore"

_MOST_PROBLEMS: Final = 100
_YAML_PREFIXES: Final = ("yaml: unmarshal errors:\n", "error converting YAML to JSON: yaml: unmarshal errors:\n")


class DecodingError(statuses.StatusError):
    """What was sent is nothing that the type can hold.

    As it stands it is a 400 with the bare text; endpoints put it into a sentence of theirs first.

    Attributes:
        problem: The decoder's own words.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(statuses.bad_request(problem).status)
        self.problem = problem


class Problems:
    """Unknown and duplicate fields in the order in which they were met: each once, a hundred at most."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def unknown(self, path: str) -> None:
        """The type has no such field."""
        self._add(f"unknown field {quoted(path)}")

    def duplicate(self, path: str) -> None:
        """The field came before."""
        self._add(f"duplicate field {quoted(path)}")

    def _add(self, text: str) -> None:
        if len(self._found) < _MOST_PROBLEMS:
            self._found[text] = None

    def texts(self) -> list[str]:
        """All of them."""
        return list(self._found)


def strict_text(problems: Iterable[str]) -> str:
    """What strict field validation refuses a request with (AM/runtime/error.go, strictDecodingError)."""
    return f"strict decoding error: {', '.join(problems)}"


def warnings_of(problems: Sequence[str]) -> list[str]:
    """The Warning texts of problems (addStrictDecodingWarnings): one for each line of a YAML reader's."""
    return [warning for each in problems for warning in _warnings(each)]


def _warnings(problem: str) -> list[str]:
    for prefix in _YAML_PREFIXES:
        if problem.startswith(prefix):
            return [line.strip() for line in problem.removeprefix(prefix).split("\n")]
    return [problem]
