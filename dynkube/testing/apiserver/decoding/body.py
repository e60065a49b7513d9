"""Bodies of requests: bytes become a value, and what strict validation will complain of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from dynkube.schema import GroupVersionKind
from dynkube.testing.apiserver.decoding import jsontext
from dynkube.testing.apiserver.decoding.jsontext import JSONSyntaxError, RepeatedKeys
from dynkube.testing.apiserver.decoding.mediatypes import PROTOBUF, YAML, body_media_type
from dynkube.testing.apiserver.decoding.problems import DecodingError, Problems
from dynkube.testing.apiserver.words import statuses

__all__ = ["Decoded", "MalformedBody", "decode_body", "decode_untyped", "duplicate_fields", "read_body"]

_EXPONENT_OR_LONG: Final = re.compile(rb"[0-9][eE][0-9+-]|[0-9]{19}")


class MalformedBody(Exception):  # noqa: N818 - a sentence is made of it before it is an error
    """A body cannot be read.

    Attributes:
        problem: The parser's own words.
        kind: What it says to be, where its envelope can be read (protobuf).
    """

    def __init__(self, problem: str, kind: GroupVersionKind | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.kind = kind


class Decoded(NamedTuple):
    """A body that could be read."""

    value: Any
    """Plain data; of a typed body with `RepeatedKeys` and `NumberLiteral` in it, which a Go type wants to see."""
    problems: list[str]
    """What strict validation complains of."""


def decode_body(data: bytes, content_type: str | None, *, expected: GroupVersionKind, typed: bool) -> Decoded:
    """The value of a body.

    Args:
        data: The body.
        content_type: The header.
        expected: What a protobuf envelope means that does not say its kind.
        typed: Whether it goes through a Go type next: `gotypes.GoTypes.normalize` finds duplicate fields itself, along
            with unknown ones. Otherwise the duplicates of JSON are among the problems.

    Raises:
        StatusError: 415, or 400 in the parser's bare words.
    """
    try:
        return read_body(data, body_media_type(content_type), expected=expected, typed=typed)
    except MalformedBody as error:
        raise statuses.bad_request(error.problem) from None


def read_body(
    data: bytes, media_type: str, *, expected: GroupVersionKind, typed: bool, exact_numbers: bool = False
) -> Decoded:
    """As `decode_body`, for who makes a sentence of what is wrong.

    Args:
        data: The body.
        media_type: As `body_media_type` found it.
        expected: What a protobuf envelope means that does not say its kind.
        typed: Whether it goes through a Go type next.
        exact_numbers: Keep how numbers are written.

    Raises:
        MalformedBody: It cannot be read.
        DecodingError: It holds a number that nothing can hold.
    """
    if media_type == PROTOBUF:
        return Decoded(_protobuf(data, expected), [])
    if media_type == YAML:
        return _yaml(data, typed=typed)
    if not typed:
        return decode_untyped(data)
    try:
        return Decoded(jsontext.parse(data) if exact_numbers else jsontext.load(data), [])
    except JSONSyntaxError as error:
        raise MalformedBody(str(error)) from None


def decode_untyped(data: bytes) -> Decoded:
    """JSON as the server reads it where it has no type: into maps, integers of 64 bits, and floats (``unstructured``).

    Raises:
        MalformedBody: It is no JSON.
        DecodingError: A number is larger than a float64 can hold.
    """
    try:
        value, is_exact = jsontext.read(data)
    except JSONSyntaxError as error:
        raise MalformedBody(str(error)) from None
    problems = duplicate_fields(value) if is_exact else []
    # An integer that is a float to Go may be in there, and a float that is none.
    if is_exact or _EXPONENT_OR_LONG.search(data):
        value = _plain(value)
    return Decoded(value, problems)


def _plain(value: Any) -> Any:
    try:
        return jsontext.plain(value, settles=False)
    except OverflowError as error:
        raise DecodingError(f"json: cannot unmarshal number {error} into Go value of type float64") from None


def duplicate_fields(value: Any) -> list[str]:
    """What strict decoding into maps complains of, in the order of the text."""
    problems = Problems()
    path: list[str] = []
    waiting = [_members(value, "", problems)]
    while waiting:
        member = next(waiting[-1], None)
        if member is None:
            waiting.pop()
            path = path[:-1]
        else:
            path.append(member[0])
            waiting.append(_members(member[1], "".join(path), problems))
    return problems.texts()


def _members(value: Any, path: str, problems: Problems) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield f"[{index}]", each
    elif isinstance(value, RepeatedKeys):
        seen: set[str] = set()
        for key, each in value.pairs:
            if key in seen:
                problems.duplicate(f"{path}.{key}".removeprefix("."))
            seen.add(key)
            yield f".{key}", each
    elif isinstance(value, dict):
        for key, each in value.items():
            yield f".{key}", each


def _protobuf(data: bytes, expected: GroupVersionKind) -> Any:
    from dynkube.testing.apiserver.decoding import protobuf

    try:
        return protobuf.decode(data, expected)
    except protobuf.ProtobufError as error:
        raise MalformedBody(str(error), error.kind) from None


def _yaml(data: bytes, *, typed: bool) -> Decoded:
    from dynkube.testing.apiserver.decoding import yamltext

    try:
        value, problems = yamltext.load_yaml(data)
    except yamltext.YAMLError as error:
        raise MalformedBody(str(error)) from None
    return Decoded(value if typed else _plain(value), problems)
