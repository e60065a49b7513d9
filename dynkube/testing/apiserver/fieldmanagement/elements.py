"""Path elements: how fieldsV1 names a child of a value.

An element is the very string that fieldsV1 has as a key, in the spelling of the real server, so that
equal elements are equal strings:

- ``f:replicas``: a field of an object or an entry of a map;
- ``k:{"containerPort":80,"protocol":"TCP"}``: an item of a list of type ``map``, by its keys, sorted;
- ``v:"a"``: an item of a list of type ``set``, by its value;
- ``i:0``: an item of a list, by its place (read, never made).

structured-merge-diff/fieldpath/{element,serialize-pe}.go, value/{value,fields}.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.govalues import json_text, plain

__all__ = ["Path", "in_order", "key_element", "parse", "path_text", "text", "value_element"]

Path = Sequence[str]
"""Elements from the root of an object to a field."""


def key_element(keys: Iterable[tuple[str, Any]]) -> str:
    """The element of an item with these keys, which come sorted by name.

    >>> key_element([("containerPort", 80), ("protocol", "TCP")])
    'k:{"containerPort":80,"protocol":"TCP"}'
    """
    return "k:{" + ",".join([f"{json_text(name)}:{json_text(value)}" for name, value in keys]) + "}"


def value_element(value: Any) -> str:
    r"""The element of an item of a set.

    >>> value_element("a<b")
    'v:"a\\u003cb"'
    """
    return f"v:{json_text(value)}"


def parse(element: str) -> str | None:
    """The canonical spelling of an element that a client sent; None for a type that no one knows yet.

    Raises:
        ProblemError: It is no element; the text says why.
    """
    if element.startswith("f:"):
        return element
    return _parse(element)


@lru_cache(maxsize=4096)
def _parse(element: str) -> str | None:
    if len(element) < 2:
        raise ProblemError("key must be 2 characters long:")
    if element[1] != ":":
        raise ProblemError(f"missing colon: {element}")
    try:
        return _respelled(element[0], element[2:])
    except ValueError as error:
        raise ProblemError(str(error)) from None


def _respelled(kind: str, content: str) -> str | None:
    if kind == "v":
        return value_element(json.loads(content))
    if kind == "i":
        return f"i:{int(content)}"
    if kind == "k":
        keys = json.loads(content)
        if isinstance(keys, dict):
            return key_element(sorted(keys.items()))
        raise ProblemError(f"expect {{ or n, but found {content}")
    return None


def in_order(elements: Iterable[str]) -> list[str]:
    """Sorted as fieldsV1 lists them: fields, then keys, then values, then places (PathElement.Compare).

    >>> in_order(["v:10", "v:9", 'k:{"a":1}', "f:b", "f:a"])
    ['f:a', 'f:b', 'k:{"a":1}', 'v:9', 'v:10']
    """
    ordered = sorted(elements)
    if not ordered or ordered[-1] < "g":  # all of them fields
        return ordered
    return sorted(ordered, key=_rank)


@lru_cache(maxsize=4096)
def _rank(element: str) -> tuple[Any, ...]:
    if element == ".":
        return (-1,)
    kind, content = element[0], element[2:]
    if kind == "f":
        return (0, content)
    if kind == "k":
        return (1, [(name, _value_rank(value)) for name, value in json.loads(content).items()])
    if kind == "v":
        return (2, _value_rank(json.loads(content)))
    return (3, int(content))


def _value_rank(value: Any) -> tuple[Any, ...]:
    """Orders values of any types: numbers, strings, truth values, lists, maps, null (value.Compare)."""
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    if isinstance(value, str):
        return (1, value)
    if isinstance(value, list):
        return (3, [_value_rank(each) for each in value])
    if isinstance(value, dict):
        return (4, [(name, _value_rank(each)) for name, each in sorted(value.items())])
    return (5,)


def path_text(path: Path) -> str:
    """A path as messages show it.

    >>> path_text(["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name"])
    '.spec.ports[port=80,protocol="TCP"].name'
    """
    return "".join(map(text, path))


def text(element: str) -> str:
    """One element as messages show it (PathElement.String)."""
    kind, content = element[0], element[2:]
    if kind == "f":
        return f".{content}"
    if kind == "k":
        return "[" + ",".join(f"{name}={_shown(value)}" for name, value in json.loads(content).items()) + "]"
    if kind == "v":
        return f"[={_shown(json.loads(content))}]"
    return f"[{content}]"


def _shown(value: Any) -> str:
    """value.ToString: a map's entries come one after the other, with nothing between."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_shown, value)) + "]"
    if isinstance(value, dict):
        return "".join(f"{name}={_shown(each)}" for name, each in value.items())
    return "null" if value is None else plain(value)
