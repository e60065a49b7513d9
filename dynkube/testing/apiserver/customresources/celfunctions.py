"""What operators and functions do in rules, where cel-python differs from cel-go.

cel-python's own functions come behind these. An error is a value (`CELEvalError`) with cel-go's words. Beside the
standard ones there are the strings of cel-go's ``ext`` and some of Kubernetes' functions on lists
(AS/cel/library/lists.go, regex.go). Only imported where a CRD has rules.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from celpy import celtypes
from celpy.evaluation import CELEvalError, base_functions

from dynkube.testing.apiserver.customresources.celvalues import KeyedList, SetList, failure
from dynkube.testing.apiserver.customresources.patterns import compile_pattern
from dynkube.testing.apiserver.words.govalues import plain

__all__ = ["FUNCTIONS", "NO_OVERLOAD", "equal"]

NO_OVERLOAD = "no such overload"
_ABSENT = object()

Function = Callable[..., Any]

_MAX_INT, _MIN_INT = 2**63 - 1, -(2**63)


def _is_number(value: Any) -> bool:
    return isinstance(value, (celtypes.IntType, celtypes.UintType, celtypes.DoubleType))


def equal(one: Any, other: Any) -> bool:
    """``==``: numbers of all types compare, other values of unlike types are unequal."""
    if _is_number(one) and _is_number(other):
        return (
            bool(float(one) == float(other))
            if isinstance(one, float) or isinstance(other, float)
            else int(one) == int(other)
        )
    if isinstance(one, type) or isinstance(other, type) or one is None or other is None:
        return one is other
    if isinstance(one, celtypes.ListType):
        return isinstance(other, celtypes.ListType) and _equal_lists(one, other)
    if isinstance(one, celtypes.MapType):
        return isinstance(other, celtypes.MapType) and _equal_maps(one, other)
    return _kind(one) is _kind(other) and bool(_native(one) == _native(other))


def _kind(value: Any) -> type:
    kinds = (
        celtypes.BoolType, celtypes.IntType, celtypes.UintType, celtypes.DoubleType, celtypes.StringType,
        celtypes.BytesType, celtypes.TimestampType, celtypes.DurationType,
    )  # fmt: skip
    return next((kind for kind in kinds if isinstance(value, kind)), type(value))


def _native(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    return bytes(value) if isinstance(value, bytes) else value


def _equal_lists(one: Any, other: Any) -> bool:
    if len(one) != len(other):
        return False
    if isinstance(one, SetList):
        return all(any(equal(each, item) for item in one) for each in other)
    if isinstance(one, KeyedList):
        keyed = {_item_key(each, one.keys): each for each in one}
        return all((key := _item_key(each, one.keys)) in keyed and equal(keyed[key], each) for each in other)
    return all(map(equal, one, other))


def _item_key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(_native(item.get(celtypes.StringType(key))) for key in keys)


def _equal_maps(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(key in other and equal(value, other[key]) for key, value in one.items())


# ------------------------------------------------------------------ operators


def _on_values(function: Function) -> Function:
    """Errors among the operands are the result; a type that the function is not for is an error."""

    def checked(*operands: Any) -> Any:
        for each in operands:
            if isinstance(each, CELEvalError):
                return each
        try:
            return function(*operands)
        except (TypeError, AttributeError):
            return failure(NO_OVERLOAD)

    return checked


def _and(one: Any, other: Any) -> Any:
    return _logical(one, other, decisive=False)


def _or(one: Any, other: Any) -> Any:
    return _logical(one, other, decisive=True)


def _logical(one: Any, other: Any, *, decisive: bool) -> Any:
    """One operand that decides is enough, whatever the other is."""
    for each in (one, other):
        if isinstance(each, celtypes.BoolType) and bool(each) is decisive:
            return celtypes.BoolType(decisive)
    for each in (one, other):
        if isinstance(each, CELEvalError):
            return each
        if not isinstance(each, celtypes.BoolType):
            return failure(NO_OVERLOAD)
    return celtypes.BoolType(not decisive)


def _conditional(condition: Any, one: Any, other: Any) -> Any:
    if isinstance(condition, CELEvalError):
        return condition
    if not isinstance(condition, celtypes.BoolType):
        return failure(NO_OVERLOAD)
    return one if condition else other


def _in(item: Any, container: Any) -> Any:
    if isinstance(container, celtypes.MapType):
        found = next((value for key, value in container.items() if equal(item, key)), _ABSENT)
        return found if isinstance(found, CELEvalError) else celtypes.BoolType(found is not _ABSENT)
    if isinstance(container, celtypes.ListType):
        return celtypes.BoolType(any(equal(item, each) for each in container))
    raise TypeError


def _ordered(compare: Callable[[Any, Any], bool]) -> Function:
    def compared(one: Any, other: Any) -> Any:
        both_numbers = _is_number(one) and _is_number(other)
        comparable = (str, bytes, celtypes.BoolType, celtypes.TimestampType, celtypes.DurationType)
        if not both_numbers and not (_kind(one) is _kind(other) and isinstance(one, comparable)):
            raise TypeError
        if any(isinstance(each, float) and math.isnan(each) for each in (one, other)):
            return failure("NaN values cannot be ordered")
        return celtypes.BoolType(compare(_plain_number(one), _plain_number(other)))

    return _on_values(compared)


def _plain_number(value: Any) -> Any:
    if isinstance(value, float):
        return float(value)
    return int(value) if isinstance(value, int) else _native(value)


def _arithmetic(name: str, overflow: str = "integer overflow", by_zero: str = "") -> Function:
    function = base_functions[name]

    def computed(*operands: Any) -> Any:
        if len({_kind(each) for each in operands}) > 1 and all(map(_is_number, operands)):
            raise TypeError
        try:
            return _of_cel(function(*operands))
        except ZeroDivisionError:
            return failure(by_zero)
        except (ValueError, OverflowError):
            return failure(overflow)

    return _on_values(computed)


def _of_cel(value: Any) -> Any:
    """What cel-python computes may be none of its own types."""
    own = _OWN_TYPES.get(type(value))
    return value if own is None else own(value)


_OWN_TYPES: Mapping[type, Callable[[Any], Any]] = {
    float: celtypes.DoubleType, bytes: celtypes.BytesType, datetime.timedelta: celtypes.DurationType,
    datetime.datetime: celtypes.TimestampType,
}  # fmt: skip


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, celtypes.ListType) and isinstance(other, celtypes.ListType):
        return _added_lists(one, other)
    if isinstance(one, celtypes.StringType) and isinstance(other, celtypes.StringType):
        return celtypes.StringType(str.__str__(one) + str.__str__(other))
    return _PLAIN_ADD(one, other)


def _added_lists(one: Any, other: Any) -> Any:
    """Lists of type set and map take in only what they do not have; a map's item replaces the one of its key."""
    if isinstance(one, SetList):
        return SetList([*one, *(each for each in other if not any(equal(each, item) for item in one))])
    if isinstance(one, KeyedList):
        merged = {_item_key(each, one.keys): each for each in [*one, *other]}
        result = KeyedList(list(merged.values()))
        result.keys = one.keys
        return result
    return celtypes.ListType([*one, *other])


def _divide(one: Any, other: Any) -> Any:
    if isinstance(one, celtypes.DoubleType) and isinstance(other, celtypes.DoubleType) and not float(other):
        dividend = float(one)
        is_nan = math.isnan(dividend) or not dividend
        return celtypes.DoubleType(math.nan if is_nan else math.copysign(math.inf, dividend))
    return _PLAIN_DIVIDE(one, other)


_PLAIN_ADD = _arithmetic("_+_")
_PLAIN_DIVIDE = _arithmetic("_/_", by_zero="division by zero")


def _type_of(value: Any) -> Any:
    if value is None:
        return type(None)
    return (
        celtypes.MapType
        if isinstance(value, celtypes.MapType)
        else (celtypes.ListType if isinstance(value, celtypes.ListType) else _kind(value))
    )


# ------------------------------------------------------------------ strings


def _matches(text: str, pattern: str) -> Any:
    try:
        return celtypes.BoolType(compile_pattern(str(pattern))(str(text)) is not None)
    except ValueError as error:
        return failure(str(error))


def _text(function: Callable[..., Any]) -> Function:
    """A function of a string: other types have no such function."""

    def checked(text: Any, *arguments: Any) -> Any:
        if not isinstance(text, celtypes.StringType):
            raise TypeError
        return function(str.__str__(text), *arguments)

    return _on_values(checked)


def _contains(text: str, part: Any) -> Any:
    return celtypes.BoolType(str.__str__(part) in text)


def _split(text: str, separator: str, limit: int = -1) -> Any:
    parts: list[str]
    if limit == 0:
        parts = []
    elif not separator:
        parts = list(text) if limit < 0 else [*text[: limit - 1], text[limit - 1 :]]
    else:
        parts = text.split(str(separator)) if limit < 0 else text.split(str(separator), int(limit) - 1)
    return celtypes.ListType([celtypes.StringType(part) for part in parts])


def _replace(text: str, old: str, new: str, limit: int = -1) -> Any:
    return celtypes.StringType(text.replace(str(old), str(new), int(limit)))


def _substring(text: str, start: int, end: int | None = None) -> Any:
    stop = len(text) if end is None else int(end)
    if end is not None and start > stop:
        return failure(f"invalid substring range. start: {int(start)}, end: {stop}")
    if not 0 <= start <= len(text):
        return failure(f"index out of range: {int(start)}")
    if not 0 <= stop <= len(text):
        return failure(f"index out of range: {stop}")
    return celtypes.StringType(text[start:stop])


def _char_at(text: str, position: int) -> Any:
    if not 0 <= position <= len(text):
        return failure(f"index out of range: {int(position)}")
    return celtypes.StringType(text[position : position + 1])


def _find(text: str, pattern: str) -> Any:
    try:
        found = compile_pattern(str(pattern))(text)
    except ValueError as error:
        return failure(f"Illegal regex: {error}")
    return celtypes.StringType(found.group() if found else "")


def _trim(text: str) -> Any:
    return celtypes.StringType(text.strip())


def _lower(text: str) -> Any:
    return celtypes.StringType("".join(each.lower() if each.isascii() else each for each in text))


def _upper(text: str) -> Any:
    return celtypes.StringType("".join(each.upper() if each.isascii() else each for each in text))


# ------------------------------------------------------------------ strings and lists


def _index_of(where: Any, what: Any, start: int = 0) -> Any:
    if isinstance(where, celtypes.ListType):
        return celtypes.IntType(next((place for place, each in enumerate(where) if equal(each, what)), -1))
    return celtypes.IntType(str.__str__(where).find(str(what), int(start)))


def _last_index_of(where: Any, what: Any, end: int | None = None) -> Any:
    if isinstance(where, celtypes.ListType):
        places = [place for place, each in enumerate(where) if equal(each, what)]
        return celtypes.IntType(places[-1] if places else -1)
    text = str.__str__(where)
    return celtypes.IntType(text.rfind(str(what), 0, len(text) if end is None else int(end) + len(what)))


def _join(parts: Any, separator: str = "") -> Any:
    if not isinstance(parts, celtypes.ListType):
        raise TypeError
    return celtypes.StringType(str(separator).join(str.__str__(each) for each in parts))


def _is_sorted(values: Any) -> Any:
    later = FUNCTIONS["_>_"]
    results = [later(one, other) for one, other in pairwise(values)]
    failed = next((each for each in results if isinstance(each, CELEvalError)), None)
    return failed or celtypes.BoolType(not any(results))


def _sum(values: Any) -> Any:
    total = values[0] if values else celtypes.IntType(0)
    for each in values[1:]:
        total = FUNCTIONS["_+_"](total, each)
    return total


def _extreme(name: str, operator: str) -> Function:
    def found(values: Any) -> Any:
        if not values:
            return failure(f"{name} called on empty list")
        best = values[0]
        for each in values[1:]:
            if FUNCTIONS[operator](each, best):
                best = each
        return best

    return _on_values(found)


# ------------------------------------------------------------------ conversions


_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DOUBLE = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)


def _int(value: Any) -> Any:
    if isinstance(value, celtypes.StringType):
        text = str.__str__(value)
        number = int(text) if _INTEGER.fullmatch(text) else _MAX_INT + 1
        return celtypes.IntType(number) if _MIN_INT <= number <= _MAX_INT else _not_converted("int")
    if isinstance(value, float):
        if math.isnan(value) or not _MIN_INT < float(value) < _MAX_INT:
            return failure("integer overflow")
        return celtypes.IntType(int(value))
    if isinstance(value, celtypes.TimestampType):
        return celtypes.IntType(int(value.timestamp()))
    if isinstance(value, int) and not isinstance(value, celtypes.BoolType):
        return celtypes.IntType(int(value)) if int(value) <= _MAX_INT else failure("integer overflow")
    raise TypeError


def _double(value: Any) -> Any:
    if isinstance(value, celtypes.StringType):
        text = str.__str__(value)
        return celtypes.DoubleType(float(text)) if _DOUBLE.fullmatch(text) else _not_converted("double")
    if _is_number(value):
        return celtypes.DoubleType(float(value))
    raise TypeError


def _not_converted(to: str) -> CELEvalError:
    return failure(f"type conversion error from 'string' to '{to}'")


def _string(value: Any) -> Any:
    if isinstance(value, celtypes.BoolType):
        return celtypes.StringType("true" if value else "false")
    if isinstance(value, float) and not math.isfinite(value):
        return celtypes.StringType("NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf")
    if isinstance(value, (celtypes.DoubleType, celtypes.IntType, celtypes.UintType)):
        return celtypes.StringType(plain(float(value) if isinstance(value, float) else int(value)))
    return base_functions["string"](value)


def _from_text(name: str, to: str) -> Function:
    function = base_functions[name]

    def converted(value: Any) -> Any:
        try:
            return function(value)
        except (ValueError, OverflowError):
            return _not_converted(to)

    return _on_values(converted)


FUNCTIONS: Mapping[str, Function] = {
    "!_": _on_values(base_functions["!_"]),
    "-_": _arithmetic("-_"),
    "_+_": _on_values(_add),
    "_-_": _arithmetic("_-_"),
    "_*_": _arithmetic("_*_"),
    "_/_": _on_values(_divide),
    "_%_": _arithmetic("_%_", by_zero="modulus by zero"),
    "_==_": _on_values(lambda one, other: celtypes.BoolType(equal(one, other))),
    "_!=_": _on_values(lambda one, other: celtypes.BoolType(not equal(one, other))),
    "_<_": _ordered(lambda one, other: bool(one < other)),
    "_<=_": _ordered(lambda one, other: bool(one <= other)),
    "_>_": _ordered(lambda one, other: bool(one > other)),
    "_>=_": _ordered(lambda one, other: bool(one >= other)),
    "_&&_": _and,
    "_||_": _or,
    "_in_": _on_values(_in),
    "type": _on_values(_type_of),
    "int": _on_values(_int),
    "double": _on_values(_double),
    "string": _on_values(_string),
    "bool": _from_text("bool", "bool"),
    "duration": _from_text("duration", "google.protobuf.Duration"),
    "timestamp": _from_text("timestamp", "google.protobuf.Timestamp"),
    "_?_:_": _conditional,
    "contains": _text(_contains),
    "startsWith": _text(lambda text, start: celtypes.BoolType(text.startswith(str.__str__(start)))),
    "endsWith": _text(lambda text, end: celtypes.BoolType(text.endswith(str.__str__(end)))),
    "matches": _text(_matches),
    "charAt": _text(_char_at),
    "find": _text(_find),
    "indexOf": _on_values(_index_of),
    "isSorted": _on_values(_is_sorted),
    "join": _on_values(_join),
    "lastIndexOf": _on_values(_last_index_of),
    "lowerAscii": _text(_lower),
    "max": _extreme("max", "_>_"),
    "min": _extreme("min", "_<_"),
    "replace": _text(_replace),
    "split": _text(_split),
    "substring": _text(_substring),
    "sum": _on_values(_sum),
    "trim": _text(_trim),
    "upperAscii": _text(_upper),
}
