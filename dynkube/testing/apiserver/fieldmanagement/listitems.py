"""What tells the items of a list apart, of a list that is a map or a set.

structured-merge-diff/typed/helpers.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.testing.apiserver.fieldmanagement.elements import key_element, value_element
from dynkube.testing.apiserver.fieldmanagement.mergetypes import MergeType
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["index", "item_element"]


def item_element(item: Any, kind: MergeType) -> str:
    """The element of an item of a list of this type.

    Raises:
        ProblemError: The item cannot be told apart; the text says why.
    """
    if not kind.keys:
        return _set_element(item)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise ProblemError(f"associative list with keys may not have {what}")
    keys = [(key, item.get(key, default)) for key, default in kind.ordered_keys if default is not None or key in item]
    if not keys:
        names = " ".join(map(quoted, kind.keys))
        raise ProblemError(
            f"associative list with keys has an element that omits all key fields [{names}] "
            "(and doesn't have default values for any key fields)"
        )
    return key_element(keys)


def _set_element(item: Any) -> str:
    if isinstance(item, dict):
        raise ProblemError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ProblemError("not supported: associative list with lists as elements")
    if item is None:
        raise ProblemError("associative list without keys has an element that's an explicit null")
    return value_element(item)


def index(items: Sequence[Any] | None, kind: MergeType) -> dict[str, list[Any]]:
    """The items by element, in order; more than one where the list has duplicates.

    Raises:
        ProblemError: An item cannot be told apart.
    """
    found: dict[str, list[Any]] = {}
    for item in items or ():
        element = item_element(item, kind)
        if element in found:
            found[element].append(item)
        else:
            found[element] = [item]
    return found
