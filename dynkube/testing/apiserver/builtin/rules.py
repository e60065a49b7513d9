"""What many kinds' validation shares: small rules that yield field errors, and the equality of API objects.

Validators of this room are generators: they yield what is wrong, in the order in which the real server finds it, and
change nothing. ``field`` is the path of what they look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from dynkube import codec
from dynkube.errors import InvalidRequestError
from dynkube.quantities import Quantity
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import FieldError, Shown, invalid, not_supported, required
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE, NOT_NEGATIVE

__all__ = [
    "NOT_INTEGER",
    "PROTOCOLS",
    "Errors",
    "Json",
    "amount",
    "dns1123_label",
    "dns1123_subdomain",
    "each",
    "enumerated",
    "immutable",
    "listed",
    "mapping",
    "non_negative",
    "one_of",
    "port_number_or_name",
    "positive",
    "positive_amount",
    "qualified_name",
    "rounded_up",
    "same",
    "word",
]

Errors = Iterator[FieldError]
Json = Mapping[str, Any]
"""A JSON object, to read."""

NOT_INTEGER = "must be an integer"
PROTOCOLS = ("SCTP", "TCP", "UDP")

_NOTHING: Mapping[str, Any] = {}


def listed(obj: Json, name: str) -> Sequence[Any]:
    """A list field; empty where it is absent or null."""
    return obj.get(name) or ()


def mapping(obj: Json, name: str) -> Mapping[str, Any]:
    """An object field; empty where it is absent or null."""
    return obj.get(name) or _NOTHING


# ------------------------------------------------------------------ names and numbers


def each(field: str, value: Any, texts: Iterable[str]) -> Errors:
    """One error for each text that `names` has about a value."""
    for text in texts:
        yield invalid(field, value, text)


def dns1123_label(value: str, field: str) -> Errors:
    """A DNS label."""
    return each(field, value, names.dns1123_label(value))


def dns1123_subdomain(value: str, field: str) -> Errors:
    """A DNS subdomain."""
    return each(field, value, names.dns1123_subdomain(value))


def qualified_name(value: str, field: str) -> Errors:
    """A name with an optional DNS prefix, as keys of labels are."""
    return each(field, value, names.label_key(value))


def word(value: str) -> str:
    """A bad value whose Go type is a string of its own: messages show it as JSON, which seldom looks different."""
    if value.isprintable() and not any(character in value for character in '"\\<>&'):
        return value
    return Shown(codec.encode(value).decode().translate(_JSON_ESCAPES))


_JSON_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def one_of(value: str, supported: Sequence[str], field: str) -> Errors:
    """One of some words, which the message lists as they come."""
    if value not in supported:
        yield not_supported(field, word(value), supported)


def enumerated(value: str | None, supported: Sequence[str], field: str) -> Errors:
    """One of some words; an empty one is missing."""
    if not value:
        yield required(field)
    elif value not in supported:
        yield not_supported(field, word(value), supported)


def non_negative(value: int | None, field: str) -> Errors:
    """A number from 0; nothing is 0."""
    if value is not None and value < 0:
        yield invalid(field, value, NOT_NEGATIVE)


def positive(value: int, field: str) -> Errors:
    """A number from 1."""
    if value <= 0:
        yield invalid(field, value, "must be greater than zero")


def port_number_or_name(port: int | str, field: str) -> Errors:
    """A port by number or by name (ValidatePortNumOrName)."""
    rule: Callable[[Any], Sequence[str]] = names.port_number if isinstance(port, int) else names.port_name
    return each(field, port, rule(port))


def immutable(new: Any, old: Any, field: str, shown: Any = None) -> Errors:
    """What may not change; the message shows ``shown``, or the new value (ValidateImmutableField)."""
    if not same(new, old):
        yield invalid(field, new if shown is None else shown, IMMUTABLE)


# ------------------------------------------------------------------ quantities


@lru_cache(maxsize=4096)
def amount(text: str) -> Quantity:
    """A quantity of an object, which decoding found to be one."""
    return Quantity.parse(text)


def positive_amount(text: str, field: str) -> Errors:
    """More than nothing (ValidatePositiveQuantityValue)."""
    if amount(text).nano <= 0:
        yield invalid(field, text, "must be greater than zero")


def rounded_up(resources: dict[str, str] | None) -> None:
    """Quantities finer than a thousandth are rounded up, in place (SetDefaults_ResourceList)."""
    if resources:
        for name, text in resources.items():
            if text[-1:] in ("n", "u"):
                quantity = amount(text)
                resources[name] = str(Quantity(-(-quantity.nano // 10**6) * 10**6, quantity.format))


# ------------------------------------------------------------------ equality

_OF_QUANTITIES = frozenset(
    {"limits", "requests", "overhead", "capacity", "allocatable", "allocatedResources", "hard", "used"}
)
_QUANTITIES = frozenset({"sizeLimit", "divisor"})


def same(new: Any, old: Any) -> bool:
    """Whether two values mean the same (apiequality.Semantic): no items are no list, and quantities are amounts.

    A decoded object has no maps that are empty: ``{}`` is a struct, and one that is there.
    """
    if new == old:
        return True
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return all(_same_field(name, new.get(name), old.get(name)) for name in {*new, *old})
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(map(same, new, old))
    return not new and not old and _is_list(new) and _is_list(old)


def _same_field(name: str, new: Any, old: Any) -> bool:
    if name in _OF_QUANTITIES and isinstance(new, Mapping) and isinstance(old, Mapping):
        return new.keys() == old.keys() and all(_same_amount(new[each], old[each]) for each in new)
    if name in _QUANTITIES and isinstance(new, str) and isinstance(old, str):
        return _same_amount(new, old)
    return same(new, old)


def _same_amount(new: Any, old: Any) -> bool:
    try:
        return bool(amount(new) == amount(old))
    except (InvalidRequestError, TypeError):
        return bool(new == old)


def _is_list(value: Any) -> bool:
    return value is None or isinstance(value, list)
