"""The functions of rules: which types they are for, and which of them this server does not have.

AS/cel/environment/base.go: CEL's own, the strings of cel-go's ``ext``, Kubernetes' libraries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.testing.apiserver.customresources.ruletypes import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    ListOf,
    MapOf,
    Type,
    are_alike,
)

__all__ = ["FUNCTIONS", "METHODS", "NAMESPACES", "Signature", "bare_name", "needed"]

_LIST = ListOf(DYN)
_MAP = MapOf(DYN, DYN)
_ITEM = "item"
"""Stands for what the list before holds."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One overload of a function: what it takes, from ``least`` on optional, and what it gives."""

    takes: tuple[Type, ...]
    gives: Type
    least: int = -1

    def applied(self, kinds: Sequence[Type]) -> Type | None:
        """What a call gives, None where it does not match."""
        least = len(self.takes) if self.least < 0 else self.least
        if not least <= len(kinds) <= len(self.takes):
            return None
        item: Type = DYN
        if kinds and isinstance(kinds[0], ListOf):
            item = kinds[0].items
        for kind, wanted in zip(kinds, self.takes, strict=False):
            if not are_alike(kind, item if wanted == _ITEM else wanted):
                return None
        return item if self.gives == _ITEM else self.gives


def _same(takes: Type, gives: Type) -> tuple[Signature, ...]:
    return (Signature((takes,), gives),)


def _each(takes: Sequence[Type], gives: Type) -> tuple[Signature, ...]:
    return tuple(Signature((each,), gives) for each in takes)


_SIZED = _each((STRING, BYTES, _LIST, _MAP), INT)
_OF_TEXTS = (Signature((STRING, STRING), BOOL),)
_TIME = (
    Signature((TIMESTAMP, STRING), INT, 1),
    Signature((DURATION,), INT),
)
_DATE = (Signature((TIMESTAMP, STRING), INT, 1),)
_TEXT = _same(STRING, STRING)

FUNCTIONS: Mapping[str, Sequence[Signature]] = {
    "bool": _each((BOOL, STRING), BOOL),
    "bytes": _each((BYTES, STRING), BYTES),
    "double": _each((DOUBLE, INT, UINT, STRING), DOUBLE),
    "duration": _each((DURATION, STRING), DURATION),
    "dyn": _same(DYN, DYN),
    "int": _each((INT, UINT, DOUBLE, STRING, TIMESTAMP), INT),
    "matches": _OF_TEXTS,
    "size": _SIZED,
    "string": _each((STRING, BOOL, INT, UINT, DOUBLE, BYTES, TIMESTAMP, DURATION), STRING),
    "timestamp": _each((TIMESTAMP, STRING, INT), TIMESTAMP),
    "type": _same(DYN, TYPE),
    "uint": _each((UINT, INT, DOUBLE, STRING), UINT),
}
"""Called by their names alone."""

METHODS: Mapping[str, Sequence[Signature]] = {
    "charAt": (Signature((STRING, INT), STRING),),
    "contains": _OF_TEXTS,
    "endsWith": _OF_TEXTS,
    "find": (Signature((STRING, STRING), STRING),),
    **dict.fromkeys(("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getMonth"), _DATE),
    **dict.fromkeys(("getHours", "getMilliseconds", "getMinutes", "getSeconds"), _TIME),
    "indexOf": (Signature((STRING, STRING, INT), INT, 2), Signature((_LIST, _ITEM), INT)),
    "isSorted": _same(_LIST, BOOL),
    "join": (Signature((ListOf(STRING), STRING), STRING, 1),),
    "lastIndexOf": (Signature((STRING, STRING, INT), INT, 2), Signature((_LIST, _ITEM), INT)),
    "lowerAscii": _TEXT,
    "matches": _OF_TEXTS,
    "max": _same(_LIST, _ITEM),
    "min": _same(_LIST, _ITEM),
    "replace": (Signature((STRING, STRING, STRING, INT), STRING, 3),),
    "size": _SIZED,
    "split": (Signature((STRING, STRING, INT), ListOf(STRING), 2),),
    "startsWith": _OF_TEXTS,
    "substring": (Signature((STRING, INT, INT), STRING, 2),),
    "sum": _same(_LIST, _ITEM),
    "trim": _TEXT,
    "upperAscii": _TEXT,
}
"""Called on a value."""

_LIBRARY_FUNCTIONS = frozenset(
    {
        "cidr", "ip", "isCIDR", "isIP", "isQuantity", "isSemver", "isURL", "quantity", "semver", "url",
    }
)  # fmt: skip
_LIBRARY_METHODS = frozenset(
    {
        "add", "allowed", "asApproximateFloat", "asInteger", "check", "compareTo", "containsCIDR", "containsIP",
        "decision", "distinct", "error", "errored", "existsOne", "family", "fieldSelector", "findAll", "first",
        "flatten", "format", "getEscapedPath", "getHost", "getHostname", "getPort", "getQuery", "getScheme",
        "group", "hasValue", "ip", "isGlobalUnicast", "isGreaterThan", "isInteger", "isLessThan",
        "isLinkLocalMulticast", "isLinkLocalUnicast", "isLoopback", "isUnspecified", "labelSelector", "last",
        "major", "masked", "minor", "optFlatMap", "optMap", "or", "orValue", "patch", "path", "prefixLength",
        "reason", "resource", "reverse", "serviceAccount", "sign", "slice", "sort", "sortBy", "sub",
        "subresource", "transformList", "transformMap", "transformMapEntry", "validate", "value",
    }
)  # fmt: skip
NAMESPACES = frozenset({"cidr", "format", "ip", "lists", "optional", "semver", "sets", "strings"})
"""What stands before the name of a function like a variable."""
_TWO_VARIABLES = frozenset({"all", "exists", "existsOne", "exists_one"})


def needed(call: Any) -> str | None:
    """The library function that a call is of, which this server does not have; None for any other.

    ``call`` is a node of a parse tree: ``ident_arg`` or ``member_dot_arg``.
    """
    if call.data == "ident_arg":
        name = str(call.children[0])
        return f"{name}()" if name in _LIBRARY_FUNCTIONS else None
    name = str(call.children[1])
    namespace = bare_name(call.children[0])
    if namespace in NAMESPACES:
        return f"{namespace}.{name}()"
    arguments = call.children[2].children if len(call.children) > 2 else ()
    if name in _TWO_VARIABLES and len(arguments) == 3:
        return f"{name}() with two variables"
    if name == "existsOne" and len(arguments) != 3:
        return None
    return f"{name}()" if name in _LIBRARY_METHODS else None


def bare_name(tree: Any) -> str:
    """The name that an expression is, "" for one that is more than a name."""
    while len(tree.children) == 1:
        child = tree.children[0]
        if not hasattr(child, "children"):
            return str(child) if tree.data == "ident" else ""
        tree = child
    return ""
