"""How the library that patches would write its outcome (evanphx/json-patch v4): refusals show it.

It decodes the objects that it looks into, and writes those with sorted keys; the text of the others it keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, RepeatedKeys, StringLiteral
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = ["Trace"]

_ESCAPES: Final = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


class Trace:
    """Which objects were looked into."""

    def __init__(self) -> None:
        # By identity, and kept alive: a new object must not be taken for one that is gone.
        self._seen: dict[int, dict[str, Any]] = {}

    def add(self, value: Any) -> None:
        """An object was looked into; of other values there is nothing to remember."""
        if isinstance(value, dict):
            self._seen[id(value)] = value

    def add_all(self, value: Any) -> None:
        """A value was looked into, and all that is in it."""
        self.add(value)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self.add_all(each)

    def copied(self, value: Any) -> Any:
        """What is read when the value is written and read again: a copy, with keys in the order of the text."""
        if isinstance(value, dict):
            pairs = [(key, self.copied(each)) for key, each in self._pairs(value)]
            return RepeatedKeys(pairs) if len(pairs) > len(value) else dict(pairs)
        return [self.copied(each) for each in value] if isinstance(value, list) else value

    def written(self, value: Any) -> str:
        """The JSON of a value."""
        if isinstance(value, dict):
            return "{" + ",".join(f"{json_text(key)}:{self.written(each)}" for key, each in self._pairs(value)) + "}"
        if isinstance(value, (NumberLiteral, StringLiteral)):
            return value.text.translate(_ESCAPES)
        return "[" + ",".join(map(self.written, value)) + "]" if isinstance(value, list) else json_text(value)

    def _pairs(self, value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
        if id(value) in self._seen:
            return sorted(value.items())
        return value.pairs if isinstance(value, RepeatedKeys) else value.items()
