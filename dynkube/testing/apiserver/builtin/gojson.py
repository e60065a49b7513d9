"""What Go says of text that should be JSON."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.decoding.jsontext import JSONSyntaxError, load

__all__ = ["problem_of"]

_GO_NAMES = ((bool, "bool"), (str, "string"), ((int, float), "number"), (list, "array"), (dict, "object"))


def problem_of(data: bytes, wanted: type, go_type: str) -> str:
    """Why a text is no dict or list, as is wanted, in the words of ``json.Unmarshal``; "" where it is, or is null."""
    try:
        value: Any = load(data)
    except JSONSyntaxError as error:
        return str(error)
    for kind, name in _GO_NAMES:
        if isinstance(value, kind) and not isinstance(value, wanted):
            return f"json: cannot unmarshal {name} into Go value of type {go_type}"
    return ""
