"""Times as Go types read and write them: ``metav1.Time`` and ``metav1.MicroTime``.

Each function returns the form in which the API server writes the time back, and raises ValueError with
the text that Go's ``time.Parse`` would say (AM/apis/meta/v1/{time,micro_time}.go).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NoReturn

__all__ = ["canonical_micro_time", "canonical_time"]

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_ZERO_TIME = "0001-01-01T00:00:00.000000Z"
_LAYOUT = "2006-01-02T15:04:05Z07:00"
_MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00"
_PARTS = (
    ("", "2006", r"[0-9][0-9]{3}"),
    ("-", "01", r"[0-9]{2}"),
    ("-", "02", r"[0-9]{2}"),
    ("T", "15", r"[0-9]{1,2}"),
    (":", "04", r"[0-9]{2}"),
    (":", "05", r"[0-9]{2}"),
)
_FRACTION = re.compile(r"[.,]([0-9]+)")
_MICRO_FRACTION = re.compile(r"[.,]([0-9]{6}|[+-][0-9]{5})")
_TWO_DIGITS = re.compile("[0-9]{2}")
_LIMITS = {"month": (1, 12), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


def canonical_time(text: str) -> str | None:
    """A ``metav1.Time``: UTC, whole seconds (the rest is cut off); None for the zero time.

    >>> canonical_time("2026-01-31T12:00:00.9+02:00"), canonical_time("0001-01-01T00:00:00Z")
    ('2026-01-31T10:00:00Z', None)
    """
    written = _canonical_time(text, _LAYOUT)
    return None if written == _ZERO_TIME else f"{written[:-8]}Z"


def canonical_micro_time(text: str) -> str | None:
    """A ``metav1.MicroTime``: UTC, six digits of a second, as many as it must be given with.

    >>> canonical_micro_time("2026-01-31T12:00:00.000001+02:00")
    '2026-01-31T10:00:00.000001Z'
    """
    written = _canonical_time(text, _MICRO_LAYOUT)
    return None if written == _ZERO_TIME else written


def _canonical_time(text: str, layout: str) -> str:
    """With microseconds, whichever the layout."""
    found = _TIME.fullmatch(text)
    if found is not None and (layout is _LAYOUT or len(found[7] or "") == 6):
        year, month, day, hour, minute, second = (int(each) for each in found.groups()[:6])
        in_range = 1 <= month <= 12 and 1 <= day <= _days(year, month) and hour < 24 and minute < 60 and second < 60
        zone_in_range = found[8] is None or (int(found[9]) < 24 and int(found[10]) < 60)
        if in_range and zone_in_range:
            micro = (found[7] or "")[:6].ljust(6, "0")
            return _in_utc((year, month, day, hour, minute, second), micro, found[8], found[9], found[10])
    return _parsed_leniently(text, layout)


def _in_utc(fields: tuple[int, ...], micro: str, sign: str | None, hours: str | None, minutes: str | None) -> str:
    year, month, day, hour, minute, second = fields
    if sign is None:
        return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro}Z"
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    # The calendar repeats every 400 years; in this part of it Python can count on both sides of the year.
    moved = datetime(2000 + year % 400, month, day, hour, minute, second)
    moved = moved + offset if sign == "-" else moved - offset
    year += moved.year - (2000 + year % 400)
    written = f"{year:04}" if year >= 0 else f"-{-year:04}"
    return f"{written}-{moved:%m-%dT%H:%M:%S}.{micro}Z"


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _parsed_leniently(given: str, layout: str) -> str:
    """``time.Parse``'s second try: an hour of one digit, offsets of 24 hours; and its words for what is wrong."""
    text = given.encode("utf-8", "surrogatepass").decode("latin-1")
    rest = text
    fields: list[int] = []
    micro = "000000"
    names = ("year", "month", "day", "hour", "minute", "second")
    for name, (literal, part, pattern) in zip(names, _PARTS, strict=True):
        if not rest.startswith(literal):
            _refuse_time(text, layout, rest, literal)
        rest = rest.removeprefix(literal)
        found = re.match(pattern, rest)
        if found is None:
            _refuse_time(text, layout, rest, part)
        rest = rest[found.end() :]
        fields.append(int(found[0]))
        lowest, highest = _LIMITS.get(name, (0, 9999))
        if not lowest <= fields[-1] <= highest:
            _refuse_range(text, name)
    fraction = (_FRACTION if layout is _LAYOUT else _MICRO_FRACTION).match(rest)
    if fraction is not None:
        if fraction[1].startswith("-") and int(fraction[1]):
            _refuse_range(text, "fractional second")
        rest = rest[fraction.end() :]
        micro = f"{abs(int(fraction[1])):06}" if layout is _MICRO_LAYOUT else fraction[1][:6].ljust(6, "0")
    elif layout is _MICRO_LAYOUT:
        _refuse_time(text, layout, rest, ".000000")
    sign, hours, minutes, rest = _zone(text, layout, rest)
    if rest:
        _refuse(f"parsing time {_time_quoted(text)}: extra text: {_time_quoted(rest)}")
    if not 1 <= fields[2] <= _days(fields[0], fields[1]):
        _refuse_range(text, "day")
    return _in_utc(tuple(fields), micro, sign, hours, minutes)


def _zone(text: str, layout: str, rest: str) -> tuple[str | None, str, str, str]:
    """Sign (None for UTC), hours and minutes of the zone, and what follows it."""
    if rest.startswith("Z"):
        return None, "", "", rest[1:]
    sign, hours, minutes = rest[:1], rest[1:3], rest[4:6]
    if len(rest) < 6 or rest[3] != ":":
        _refuse_time(text, layout, rest, "Z07:00")
    hours_count = int(hours) if _TWO_DIGITS.fullmatch(hours) else -1
    minutes_count = int(minutes) if _TWO_DIGITS.fullmatch(minutes) and hours_count >= 0 else -1
    # Go looks at the ranges before it looks whether all of it is a zone; the minutes come last, and win.
    if minutes_count > 60:
        _refuse_range(text, "time zone offset minute")
    if hours_count > 24:
        _refuse_range(text, "time zone offset hour")
    if minutes_count < 0 or sign not in ("+", "-"):
        _refuse_time(text, layout, rest, "Z07:00")
    return sign, hours, minutes, rest[6:]


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def _refuse_time(text: str, layout: str, rest: str, part: str) -> NoReturn:
    _refuse(
        f"parsing time {_time_quoted(text)} as {_time_quoted(layout)}: "
        f"cannot parse {_time_quoted(rest)} as {_time_quoted(part)}"
    )


def _refuse_range(text: str, what: str) -> NoReturn:
    _refuse(f"parsing time {_time_quoted(text)}: {what} out of range")


def _time_quoted(text: str) -> str:
    """As package time quotes: bytes that are no printable ASCII in hexadecimal. The text is bytes as Latin-1."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(each if " " <= each < "\x80" else f"\\x{ord(each):02x}" for each in escaped)
    return f'"{shown}"'
