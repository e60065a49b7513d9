"""Names of properties as CEL can write them (AS/cel/escaping.go)."""

from __future__ import annotations

import re

__all__ = ["escaped"]

_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "null", "package", "return", "true", "var", "void", "while",
    }
)  # fmt: skip
_SPELLED = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SPECIAL = re.compile(r"__|[-./]")
_ALLOWED = re.compile(r"[a-zA-Z_./-][a-zA-Z0-9_./-]*")


def escaped(name: str) -> str | None:
    """The identifier of a property; None for one that has none, which rules cannot speak of.

    >>> [escaped(each) for each in ("x-y", "namespace", "a__b", "ä")]
    ['x__dash__y', '__namespace__', 'a__underscores__b', None]
    """
    if name in _RESERVED:
        return f"__{name}__"
    if not _ALLOWED.fullmatch(name):
        return None
    return _SPECIAL.sub(lambda found: _SPELLED[found.group()], name)
