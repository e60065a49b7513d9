"""Bad values, so that a field error shows them as Go does."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.words.fielderrors import Shown
from dynkube.testing.apiserver.words.govalues import json_text, plain

__all__ = ["bad_value"]


def bad_value(value: Any) -> Any:
    """The value for a `fielderrors.FieldError`: floats by ``%v``, objects and lists as Go's JSON.

    >>> bad_value(1000000.0), bad_value({"b": 1.0, "a": [2]}), bad_value("text")
    ('1e+06', '{"a":[2],"b":1}', 'text')
    """
    if isinstance(value, float):
        return Shown(plain(value))
    return Shown(json_text(value)) if isinstance(value, (dict, list)) else value
