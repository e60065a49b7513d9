"""YAML as the server writes it: sigs.k8s.io/yaml, which is go-yaml 2 over values that went through JSON.

Emitters of libyaml and go-yaml are one algorithm; what differs is the order of keys (sorter.go) and when
a string is quoted (encode.go, resolve.go), and that is here.
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any

import yaml

__all__ = ["dump"]

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_WORDS = frozenset(
    word
    for plain in ("y", "yes", "true", "on", "n", "no", "false", "off", "null")
    for word in (plain, plain.capitalize(), plain.upper())
) | {"", "~", *(f"{sign}.{name}" for sign in ("", "+", "-") for name in ("inf", "Inf", "INF"))}
_NAN = frozenset({".nan", ".NaN", ".NAN"})
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]*|0[bB][01]+|[1-9][0-9]*)")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:[Tt ]\s*[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z| ?[-+][0-9]{1,2}(?::?[0-9]{2})?)?)?"
)


class _Dumper(_Base):  # type: ignore[misc] # of whichever of the two PyYAML has
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the same list twice is written twice
        return True


def dump(value: Any) -> bytes:
    r"""A value as YAML.

    >>> print(dump({"b": "2026-11-27T14:03:20Z", "a10": ["yes", "x\n"], "a9": {}}).decode(), end="")
    a9: {}
    a10:
    - "yes"
    - |
      x
    b: "2026-11-27T14:03:20Z"
    """
    text: bytes = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False, width=80, encoding="utf-8"
    )
    return text


def _string(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else '"' if _resolves(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _mapping(dumper: Any, value: dict[str, Any]) -> Any:
    ordered = sorted(value.items(), key=lambda item: _by_key(item[0]))
    return dumper.represent_mapping("tag:yaml.org,2002:map", ordered)


def _float(dumper: Any, value: float) -> Any:
    text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e21 else repr(value)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


# "=" and "<<" are plain strings to go-yaml, which tags no scalar by them.
_Dumper.yaml_implicit_resolvers = {
    letter: resolvers for letter, resolvers in _Base.yaml_implicit_resolvers.items() if letter not in ("=", "<")
}
_Dumper.add_representer(str, _string)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(float, _float)


def _resolves(text: str) -> bool:
    """Whether a plain scalar of this text would be read as something else than a string."""
    if text in _WORDS or text in _NAN:
        return True
    if text[0] not in "+-.0123456789":
        return False
    plain = text if text[0] == "." else text.replace("_", "")
    return any(
        pattern.fullmatch(candidate)
        for pattern, candidate in ((_INTEGER, plain), (_FLOAT, plain), (_BASE60, text), (_TIMESTAMP, text))
    )


def _compare(one: str, other: str) -> int:
    """Natural order: letters behind everything else, digits by the number that they are."""
    for position, (left, right) in enumerate(zip(one, other, strict=False)):
        if left == right:
            continue
        if left.isalpha() or right.isalpha():
            if left.isalpha() and right.isalpha():
                return -1 if left < right else 1
            return -1 if right.isalpha() else 1
        return _compare_numbers(one, other, position)
    return len(one) - len(other)


def _compare_numbers(one: str, other: str, position: int) -> int:
    left, right = _digits(one, position), _digits(other, position)
    start = 0
    if "0" in (one[position], other[position]):
        before = one[:position]
        start = 1 if before[len(before.rstrip("0123456789")) :].strip("0") else 0
    numbers = int(f"{start}{left}"), int(f"{start}{right}")
    if numbers[0] != numbers[1]:
        return -1 if numbers[0] < numbers[1] else 1
    if len(left) != len(right):
        return len(left) - len(right)
    return -1 if one[position] < other[position] else 1


def _digits(text: str, position: int) -> str:
    found = re.match("[0-9]*", text[position:])
    return found[0] if found else ""


_by_key = cmp_to_key(_compare)
