"""Decoded JSON as Go prints it: ``encoding/json``, and ``%v``, ``%#v`` and ``%T`` of what it decodes into."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["go_syntax", "go_type", "json_text", "plain", "sorted_keys"]

_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string", list: "[]interface {}", type(None): "<nil>"}
_SPECIAL = re.compile('["\\\\<>&\x00-\x1f\u2028\u2029]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def json_text(value: Any) -> str:
    r"""JSON with keys sorted, no blanks, and what HTML would mind escaped.

    >>> print(json_text({"b": 1.0, "a": ["<", None, True]}))
    {"a":["\u003c",null,true],"b":1}
    """
    if isinstance(value, str):
        return f'"{value}"' if _SPECIAL.search(value) is None else f'"{_SPECIAL.sub(_escaped, value)}"'
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(name)}:{json_text(value[name])}" for name in sorted(value)) + "}"
    return "null" if value is None else _scalar(value, lowest=-6, highest=21, exponent="+d")


def sorted_keys(value: Any) -> Any:
    """The same with the keys of all maps sorted, as ``encoding/json`` writes them; new dicts and lists.

    >>> sorted_keys({"b": 1, "a": [{"d": 2, "c": 3}]})
    {'a': [{'c': 3, 'd': 2}], 'b': 1}
    """
    if isinstance(value, dict):
        return {name: sorted_keys(value[name]) for name in sorted(value)}
    return [sorted_keys(each) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> str:
    """``%v``.

    >>> plain({"b": [1, None, "x y"], "a": True})
    'map[a:true b:[1 <nil> x y]]'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + " ".join(map(plain, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{plain(value[name])}" for name in sorted(value)) + "]"
    return "<nil>" if value is None else _scalar(value)


def go_syntax(value: Any) -> str:
    """``%#v``.

    >>> go_syntax({"a": [1, None, "x"]})
    'map[string]interface {}{"a":[]interface {}{1, interface {}(nil), "x"}}'
    """
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(go_syntax, value)) + "}"
    if isinstance(value, dict):
        entries = ", ".join(f"{quoted(name)}:{go_syntax(value[name])}" for name in sorted(value))
        return "map[string]interface {}{" + entries + "}"
    return "interface {}(nil)" if value is None else _scalar(value)


def go_type(value: Any) -> str:
    """``%T``.

    >>> go_type(1), go_type({})
    ('int64', 'map[string]interface {}')
    """
    return _TYPES.get(type(value), "map[string]interface {}")


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def _scalar(value: bool | float, *, lowest: int = -4, highest: int = 6, exponent: str = "+03d") -> str:
    """A truth value or a number; a float with an exponent below 10**lowest and from 10**highest on."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    exact = Decimal(repr(value)).normalize()
    power = exact.adjusted()
    if value and not lowest <= power < highest:
        return f"{exact.scaleb(-power):f}e{power:{exponent}}"
    return f"{exact:f}"
