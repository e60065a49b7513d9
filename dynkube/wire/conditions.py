"""When an object is what somebody waits for: the conditions of ``kubectl wait``, as values.

Evaluating one takes an object and no more; who waits, and how, is the client's affair. The
counterpart in kubectl is pkg/cmd/wait/condition.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dynkube.errors import InvalidRequestError

__all__ = ["Condition", "condition_met", "is_deleted", "parse_condition"]

_FORMS = (
    "want the name of a condition such as 'Available', 'Ready=False' or 'condition=Ready=False', or 'delete' "
    "for the object to be gone"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What somebody waits for; `parse_condition` makes one of text.

    Attributes:
        name: the type of the condition, in any case; ``""`` when ``deleted``.
        value: the status that it must have, in any case.
        deleted: wait for the object to be gone instead.
    """

    name: str = ""
    value: str = "true"
    deleted: bool = False

    def met_by(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object is as wanted.

        A condition that was observed at an older generation than the object's does not count:
        the controller has not seen the newest spec yet.

        Args:
            obj: any object; one without conditions does not meet any.

        Returns:
            True when the condition is there with that status. An object that is there is never
            ``deleted``: see `is_deleted`.
        """
        if self.deleted:
            return False
        for condition in _conditions(obj):
            if _text(condition.get("type")).casefold() == self.name.casefold():
                fresh = not _is_outdated(obj, condition)
                return fresh and _text(condition.get("status")).casefold() == self.value.casefold()
        return False

    def __str__(self) -> str:
        return "delete" if self.deleted else f"condition={self.name}={self.value}"


def parse_condition(text: str) -> Condition:
    """Read what ``kubectl wait --for`` takes: a condition or ``delete``.

    Args:
        text: ``"Available"``, ``"Ready=False"``, the same after ``"condition="``, or ``"delete"``.
            The value is ``true`` by default.

    Returns:
        The condition.

    Raises:
        InvalidRequestError: the text is of no such form.

    Example:
        >>> str(parse_condition("Available")), str(parse_condition("condition=Ready=False"))
        ('condition=Available=true', 'condition=Ready=False')
        >>> parse_condition("delete").deleted
        True
    """
    if not isinstance(text, str):
        raise InvalidRequestError(f"condition: {_FORMS}; got a {type(text).__name__}")
    lowered = text.lower()
    if lowered == "delete":
        return Condition(deleted=True)
    if lowered == "create" or lowered.startswith("jsonpath="):
        raise InvalidRequestError(f"condition: {text!r} is a form that dynkube does not know yet; {_FORMS}")
    rest = text[len("condition=") :] if lowered.startswith("condition=") else text
    name, equals, value = rest.partition("=")
    if not name.strip() or name != name.strip() or (equals and not value):
        raise InvalidRequestError(f"condition: {text!r} names no condition; {_FORMS}")
    return Condition(name=name, value=value if equals else "true")


def condition_met(obj: Mapping[str, Any], condition: str) -> bool:
    """Whether an object meets a condition given as text.

    Args:
        obj: any object.
        condition: see `parse_condition`.

    Returns:
        Whether it does.

    Raises:
        InvalidRequestError: the text is no condition.

    Example:
        >>> pod = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        >>> condition_met(pod, "Ready"), condition_met(pod, "ready=false")
        (True, False)
    """
    return parse_condition(condition).met_by(obj)


def is_deleted(obj: Mapping[str, Any] | None, uid: str) -> bool:
    """Whether the object with that uid is gone.

    Args:
        obj: what now has its name, None when nothing has.
        uid: of the object that is waited for; ``""`` when it was never seen.

    Returns:
        True when there is nothing, or another object of the same name.

    Example:
        >>> is_deleted(None, "1"), is_deleted({"metadata": {"uid": "1"}}, "1")
        (True, False)
    """
    if obj is None:
        return True
    found = _mapping(obj.get("metadata")).get("uid")
    return bool(uid) and found != uid


def _conditions(obj: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = _mapping(obj.get("status")).get("conditions")
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, Mapping))


def _is_outdated(obj: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    generation = _number(_mapping(obj.get("metadata")).get("generation"))
    observed = _number(condition.get("observedGeneration"))
    if observed is None:
        observed = _number(_mapping(obj.get("status")).get("observedGeneration"))
    return generation is not None and observed is not None and observed < generation


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
