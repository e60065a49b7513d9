"""Strings that Go types read and write in a form of their own: quantities and bytes.

Each function returns the form in which the API server writes the value back, and raises ValueError with
the text that Go's parser would say. Sources: AM/api/resource/quantity.go and Go's
``encoding/base64``.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import NamedTuple

__all__ = ["canonical_base64", "canonical_quantity"]

# --------------------------------------------------------------------------- quantities

_QUANTITY = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[+-]?[0-9]*)")
_FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_NUMERIC_WRONG = "unable to parse numeric part of quantity"
_SUFFIX_WRONG = "unable to parse quantity's suffix"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = {exponent: suffix for suffix, exponent in _BINARY.items()}
_MAX_INT64 = 2**63 - 1
_INT32 = 2**31
# Of a number with an exponent as long as this, nobody will see the digits.
_HUGE = 5000


class _Suffix(NamedTuple):
    """What follows the number."""

    binary: bool
    exponent: int
    as_exponent: bool
    """Written ``e3``, and so written again."""


@lru_cache(4096)
def canonical_quantity(text: str) -> str:
    """An amount of a resource.

    What Go's parser finds to be canonical it writes again as it was: a sign, or ``1.500``, stays.

    >>> [canonical_quantity(each) for each in ("1000m", "1.500", "1024Ki", "0.5Gi", "1e3", "-")]
    ['1', '1.500', '1Mi', '512Mi', '1e3', '0']
    """
    found = _QUANTITY.fullmatch(text) if text else None
    if found is None:
        raise ValueError(_FORMAT_WRONG)
    sign, given, fraction, suffix_text = found.groups("")
    suffix = _suffix(suffix_text)
    whole = given.lstrip("0") or "0"
    digits = whole + fraction
    if _is_short(whole, fraction, suffix):
        if _is_canonical(digits, fraction, suffix):
            return text
    elif not given + fraction:
        raise ValueError(_NUMERIC_WRONG)
    number = int(digits)
    if not number:
        return "0"
    written = _written(number, len(fraction), suffix)
    return f"-{written}" if sign == "-" else written


def _suffix(text: str) -> _Suffix:
    if text in _DECIMAL:
        return _Suffix(binary=False, exponent=_DECIMAL[text], as_exponent=False)
    if text in _BINARY:
        return _Suffix(binary=True, exponent=_BINARY[text], as_exponent=False)
    if text[0] in "eE" and re.fullmatch(r"[+-]?[0-9]{1,18}", text[1:]):
        exponent = (int(text[1:]) + _INT32) % (2 * _INT32) - _INT32
        return _Suffix(binary=False, exponent=exponent, as_exponent=True)
    raise ValueError(_SUFFIX_WRONG)


def _is_short(whole: str, fraction: str, suffix: _Suffix) -> bool:
    """Whether Go computes in 64 bits."""
    if suffix.binary:
        return not fraction and 15 - len(whole) - suffix.exponent * 3 // 10 - 1 >= 0
    return len(whole) + len(fraction) <= 18 and suffix.exponent - len(fraction) >= -9


def _is_canonical(digits: str, fraction: str, suffix: _Suffix) -> bool:
    """Whether Go keeps the text."""
    if suffix.binary:
        return int(digits) & 7 != 0
    return (suffix.exponent - len(fraction)) % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _written(number: int, places: int, suffix: _Suffix) -> str:
    """The canonical form of ``number`` (above 0) with so many decimal places, and a suffix."""
    if not suffix.binary:
        return _decimal(number, suffix.exponent - places, as_exponent=suffix.as_exponent)
    number <<= suffix.exponent
    whole, rest = divmod(number, 10**places)
    if whole >= _MAX_INT64:  # there is no more than that
        whole, rest = _MAX_INT64, 0
    if rest or whole < 1024:
        return _decimal(whole * 10**places + rest, -places, as_exponent=False)
    shift = 0
    while whole % 1024 == 0:
        whole //= 1024
        shift += 10
    return f"{whole}{_BINARY_SUFFIXES.get(shift, '')}"


def _decimal(number: int, exponent: int, *, as_exponent: bool) -> str:
    if exponent < -9:  # rounded up to the smallest amount there is
        number = -(-number // 10 ** min(-9 - exponent, _HUGE))
        exponent = -9
    digits = str(number)
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    zeros = exponent % 3
    exponent -= zeros
    suffix = (f"e{exponent}" if exponent else "") if as_exponent else _DECIMAL_SUFFIXES.get(exponent, "")
    return f"{stripped}{'0' * zeros}{suffix}"


# --------------------------------------------------------------------------- bytes

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LINE_BREAKS = b"\r\n"
_PADDING = ord("=")


def canonical_base64(text: str) -> str:
    r"""Bytes in base64, written without the line breaks that reading allows.

    >>> canonical_base64("aGk=\n")
    'aGk='
    """
    try:
        written = b2a_base64(a2b_base64(text, strict_mode=True), newline=False).decode()
    except (Base64Error, ValueError):  # ValueError: not ASCII
        pass
    else:
        if len(written) == len(text):  # they may differ in bits of the last letter that mean nothing
            return written
    data = text.encode("utf-8", "surrogatepass")
    position = _base64_error(data)
    if position is not None:
        raise ValueError(f"illegal base64 data at input byte {position}")
    return b2a_base64(a2b_base64(data), newline=False).decode()


def _base64_error(data: bytes) -> int | None:
    """Where Go's decoder stops (decodeQuantum), if it does."""
    position = 0
    while position < len(data):
        count = 0
        while count < 4:
            if position == len(data):
                return position - count if count else None
            byte = data[position]
            position += 1
            if byte in _BASE64:
                count += 1
            elif byte not in _LINE_BREAKS:
                return _padding_error(data, position, count) if byte == _PADDING else position - 1
    return None


def _padding_error(data: bytes, position: int, count: int) -> int | None:
    """After ``count`` letters and one ``=``, which ends just before ``position``."""
    if count < 2:
        return position - 1
    if count == 2:
        position = _after_line_breaks(data, position)
        if position == len(data):
            return position
        if data[position] != _PADDING:
            return position - 1
        position += 1
    position = _after_line_breaks(data, position)
    return position if position < len(data) else None


def _after_line_breaks(data: bytes, position: int) -> int:
    while position < len(data) and data[position] in _LINE_BREAKS:
        position += 1
    return position
