"""Continue tokens: where a paged list goes on, and at which revision (AS/storage/continue.go)."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

__all__ = ["Continuation", "decode_continue", "encode_continue"]

_VERSION = "meta.k8s.io/v1"
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_INVALID = "continue key is not valid"
# Go's words for what JSON it found.
_JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


class Continuation(NamedTuple):
    """What a token says: go on at ``start`` (a key within what is listed), at ``revision``; -1 is the latest."""

    start: str
    revision: int


def encode_continue(start: str, revision: int) -> str:
    r"""The token that goes on at a key.

    >>> decode_continue(encode_continue("c1\0", 339))
    Continuation(start='c1\x00', revision=339)
    """
    # Of a namespace's objects, as of all, the key begins with the slash behind what is listed.
    text = json.dumps({"v": _VERSION, "rv": revision, "start": f"/{start}"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_continue(token: str) -> Continuation:
    """Read a token.

    Raises:
        ValueError: It is none; with the words of the refusal.
    """
    fields = _fields(_base64(token.encode()))
    version, revision, start = fields.get("v") or "", fields.get("rv") or 0, fields.get("start") or ""
    if version != _VERSION:
        raise ValueError(f"{_INVALID}: server does not recognize this encoded version {version}")
    if revision == 0:
        raise ValueError(f"{_INVALID}: incorrect encoded start resourceVersion (version {_VERSION})")
    if not start:
        raise ValueError(f"{_INVALID}: encoded start key empty (version {_VERSION})")
    key = start.removeprefix("/")
    if key and not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise ValueError(f"{_INVALID}: {start}")
    return Continuation(key, revision)


def _base64(token: bytes) -> bytes:
    for position, byte in enumerate(token):
        if byte not in _ALPHABET:
            raise ValueError(f"{_INVALID}: illegal base64 data at input byte {position}")
    if len(token) % 4 == 1:
        raise ValueError(f"{_INVALID}: illegal base64 data at input byte {len(token) - 1}")
    return base64.urlsafe_b64decode(token + b"=" * (-len(token) % 4))


def _fields(data: bytes) -> dict[str, Any]:
    try:
        # A byte that is no UTF-8 is a letter to Go's scanner.
        fields = json.loads(data.decode("latin-1"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{_INVALID}: {_problem(error)}") from None
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise _mismatch(fields, "Go value of type storage.continueToken")
    for name, kind, go_type in (("v", str, "string"), ("rv", int, "int64"), ("start", str, "string")):
        value = fields.get(name)
        if value is not None and type(value) is not kind:
            raise _mismatch(value, f"Go struct field continueToken.{name} of type {go_type}")
    return fields


def _mismatch(value: Any, where: str) -> ValueError:
    return ValueError(f"{_INVALID}: json: cannot unmarshal {_JSON_NAMES[type(value)]} into {where}")


def _problem(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].lstrip(" \t\r\n")
    if not rest:
        return "unexpected end of JSON input"
    letter = rest[0]
    shown = letter if letter.isprintable() and letter.isascii() else f"\\u{ord(letter):04x}"
    where = "after top-level value" if error.msg == "Extra data" else "looking for beginning of value"
    return f"invalid character '{shown}' {where}"
