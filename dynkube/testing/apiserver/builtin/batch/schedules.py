"""When a CronJob runs: schedules as robfig/cron reads them, and time zones."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from typing import NamedTuple

from dynkube.testing.apiserver.builtin.rules import Errors
from dynkube.testing.apiserver.words.fielderrors import invalid, quoted

__all__ = ["schedule", "time_zone"]


class _Bounds(NamedTuple):
    low: int
    high: int
    names: Mapping[str, int] = {}


_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS = (_Bounds(0, 59), _Bounds(0, 23), _Bounds(1, 31), _Bounds(1, 12, _MONTHS), _Bounds(0, 6, _DAYS))
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = "@every "
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")
_DIGITS = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DURATION = re.compile(r"([0-9]*)(\.[0-9]*)?([^0-9.]*)", re.ASCII)
_UNITS = ("ns", "us", "µs", "μs", "ms", "s", "m", "h")
_LARGEST = 2**63


class _ScheduleError(Exception):
    """A schedule that is none; the message is the parser's."""


def schedule(text: str, zone: str | None, field: str, *, may_name_zone: bool) -> Errors:
    """A schedule (validateScheduleFormat); ``may_name_zone``: the one before named a time zone, too."""
    try:
        _parse(text)
    except _ScheduleError as error:
        yield invalid(field, text, str(error))
    if "TZ" in text:
        if not may_name_zone:
            yield invalid(field, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        elif zone is not None:
            yield invalid(field, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule")


def time_zone(zone: str | None, field: str) -> Errors:
    """The name of a time zone (validateTimeZone)."""
    if zone is None:
        return
    if not zone:
        yield invalid(field, zone, "timeZone must be nil or non-empty string")
        return
    for part in zone.split("/"):
        if part in (".", "..") or part.startswith("-") or not _ZONE_PART.fullmatch(part):
            yield invalid(field, zone, f"unknown time zone {zone}")
            return
    if zone.lower() == "local":
        said = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid(field, zone, said)
    if zone not in ("Local", "UTC") and not _is_known(zone):
        yield invalid(field, zone, f"unknown time zone {zone}")


def _is_known(zone: str) -> bool:
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _parse(text: str) -> None:
    if text.startswith(("TZ=", "CRON_TZ=")):
        head, space, rest = text.partition(" ")
        if not space:
            raise _ScheduleError("invalid schedule format: runtime error: slice bounds out of range [:-1]")
        zone = head.partition("=")[2]
        if zone not in ("", "UTC", "Local") and not _is_known(zone):
            raise _ScheduleError(f"provided bad location {zone}: unknown time zone {zone}")
        text = rest.strip()
    if text.startswith("@"):
        _parse_descriptor(text)
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        found = f"{len(fields)}: [{' '.join(fields)}]"
        raise _ScheduleError(f"expected exactly {len(_FIELDS)} fields, found {found}")
    for field, bounds in zip(fields, _FIELDS, strict=True):
        for expression in filter(None, field.split(",")):
            _parse_range(expression, bounds)


def _parse_range(expression: str, bounds: _Bounds) -> None:
    span, *steps = expression.split("/")
    limits = span.split("-")
    if limits[0] in ("*", "?"):
        low, high = bounds.low, bounds.high
    else:
        low = _number(limits[0], bounds.names)
        if len(limits) > 2:
            raise _ScheduleError(f"too many hyphens: {expression}")
        high = _number(limits[1], bounds.names) if len(limits) > 1 else low
    step = 1
    if len(steps) > 1:
        raise _ScheduleError(f"too many slashes: {expression}")
    if steps:
        step = _number(steps[0], {})
        if len(limits) == 1:
            high = bounds.high
    if low < bounds.low:
        raise _ScheduleError(f"beginning of range ({low}) below minimum ({bounds.low}): {expression}")
    if high > bounds.high:
        raise _ScheduleError(f"end of range ({high}) above maximum ({bounds.high}): {expression}")
    if low > high:
        raise _ScheduleError(f"beginning of range ({low}) beyond end of range ({high}): {expression}")
    if step == 0:
        raise _ScheduleError(f"step of range should be a positive number: {expression}")


def _number(text: str, names: Mapping[str, int]) -> int:
    found = names.get(text.lower())
    if found is not None:
        return found
    problem = ""
    if not _DIGITS.fullmatch(text):
        problem = "invalid syntax"
    elif not -_LARGEST <= int(text) < _LARGEST:
        problem = "value out of range"
    if problem:
        raise _ScheduleError(f"failed to parse int from {text}: strconv.Atoi: parsing {quoted(text)}: {problem}")
    if int(text) < 0:
        raise _ScheduleError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def _parse_descriptor(text: str) -> None:
    if text.startswith(_EVERY):
        problem = _duration_problem(text.removeprefix(_EVERY))
        if problem:
            raise _ScheduleError(f"failed to parse duration {text}: {problem}")
    elif text not in _DESCRIPTORS:
        raise _ScheduleError(f"unrecognized descriptor: {text}")


def _duration_problem(text: str) -> str:
    """What time.ParseDuration says, "" where it is one."""
    wrong = f"time: invalid duration {quoted(text)}"
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return ""
    if not rest:
        return wrong
    while rest:
        number, fraction, unit = _DURATION.match(rest).groups("")  # type: ignore[union-attr]
        if not number and fraction in ("", "."):
            return wrong
        if not unit:
            return f"time: missing unit in duration {quoted(text)}"
        if unit not in _UNITS:
            return f"time: unknown unit {quoted(unit)} in duration {quoted(text)}"
        rest = rest[len(number) + len(fraction) + len(unit) :]
    return ""
