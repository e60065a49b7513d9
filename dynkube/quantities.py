"""The values that Kubernetes writes as text: quantities, durations, percentages, times.

Quantities are exact to the nano, as on the server; nothing goes through a float. See
AM/api/resource/quantity.go, AM/apis/meta/v1/{duration,time,micro_time}.go and
AM/util/intstr/intstr.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from functools import total_ordering

from dynkube.errors import InvalidRequestError

__all__ = [
    "Quantity",
    "QuantityFormat",
    "format_duration",
    "format_micro_time",
    "format_time",
    "parse_duration",
    "parse_time",
    "scaled_value",
]

# --------------------------------------------------------------------------- quantities

_NANO = 10**9
_MAX = 2**63 - 1
_QUANTITY = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([A-Za-z]*|[eE][+-]?[0-9]+)")
_DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SUFFIX_OF_EXPONENT = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIXES.items()}
_SUFFIX_OF_SHIFT = {shift: suffix for suffix, shift in _BINARY_SUFFIXES.items()}
# Numbers that people write have a handful of digits; more is a way to make us compute.
_MAX_DIGITS = 100


class QuantityFormat(StrEnum):
    """How a quantity was written, and so is written again."""

    DECIMAL_SI = "DecimalSI"
    """``500m``, ``2``, ``5k``, ``1M``"""
    BINARY_SI = "BinarySI"
    """``512Mi``, ``1Gi``"""
    DECIMAL_EXPONENT = "DecimalExponent"
    """``1e3``, ``12e6``"""


@total_ordering
@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of a resource, such as ``500m`` of CPU or ``1Gi`` of memory.

    Quantities compare by amount, however they are written; ``str()`` is the canonical form.

    Attributes:
        nano: the amount in billionths.
        format: how it is written.

    >>> str(Quantity.parse("1.5")), str(Quantity.parse("1024Ki")), str(Quantity.parse("0.5Gi"))
    ('1500m', '1Mi', '512Mi')
    >>> Quantity.parse("1") == Quantity.parse("1000m")
    True
    >>> str(Quantity.parse("100m") + Quantity.parse("1.9"))
    '2'
    """

    nano: int
    format: QuantityFormat = field(default=QuantityFormat.DECIMAL_SI, compare=False)

    @classmethod
    def parse(cls, value: str | int | float, *, argument: str = "quantity") -> Quantity:
        """Read a quantity of a manifest.

        Args:
            value: text such as ``"500m"``, or a bare number.
            argument: what the error calls the value, for instance its field.

        Returns:
            The quantity. What is finer than a billionth is rounded away from zero, as the server does.

        Raises:
            InvalidRequestError: it is no quantity.
        """
        given: object = value
        text = str(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else None
        if text is None:
            raise InvalidRequestError(f"{argument}: want a quantity such as '500m', not a {type(given).__name__}")
        found = _QUANTITY.fullmatch(text) if len(text) <= _MAX_DIGITS else None
        if found is None or not (found[2] or found[3]):
            raise _no_quantity(argument, text)
        return _quantity(found[1] == "-", found[2], found[3] or "", *_suffix(found[4], argument, text))

    @classmethod
    def of(cls, value: int, format: QuantityFormat = QuantityFormat.DECIMAL_SI) -> Quantity:  # noqa: A002 - Go's word
        """A whole number of units.

        >>> str(Quantity.of(2**20, QuantityFormat.BINARY_SI))
        '1Mi'
        """
        return cls(value * _NANO, format)

    @property
    def value(self) -> int:
        """In whole units, rounded away from zero."""
        return _divide_away(self.nano, _NANO)

    @property
    def milli_value(self) -> int:
        """In thousandths, rounded away from zero."""
        return _divide_away(self.nano, _NANO // 1000)

    def as_decimal(self) -> Decimal:
        """The exact amount."""
        sign, digits = (1, -self.nano) if self.nano < 0 else (0, self.nano)
        return Decimal((sign, tuple(map(int, str(digits))), -9))

    def __add__(self, other: Quantity) -> Quantity:
        # client-go: zero takes the format of what is added to it.
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nano, self.format)

    def __lt__(self, other: Quantity) -> bool:
        return self.nano < other.nano

    def __bool__(self) -> bool:
        return self.nano != 0

    def __str__(self) -> str:
        if not self.nano:
            return "0"
        # Small and fractional amounts lose nothing only in decimal form.
        if self.format is QuantityFormat.BINARY_SI and abs(self.nano) >= 1024 * _NANO and self.nano % _NANO == 0:
            return _binary(self.nano // _NANO)
        return _decimal(self.nano, exponent_form=self.format is QuantityFormat.DECIMAL_EXPONENT)


def _no_quantity(argument: str, text: str) -> InvalidRequestError:
    shown = repr(text) if len(text) <= 60 else f"{text[:57]!r}..."
    return InvalidRequestError(
        f"{argument}: {shown} is no quantity: want a number and a suffix (n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, "
        "Pi, Ei or an exponent), such as '500m', '1.5Gi', '1e3'"
    )


def _suffix(suffix: str, argument: str, text: str) -> tuple[QuantityFormat, int]:
    """The format, with the exponent of ten, or for BinarySI of two."""
    if suffix in _DECIMAL_SUFFIXES:
        return QuantityFormat.DECIMAL_SI, _DECIMAL_SUFFIXES[suffix]
    if suffix in _BINARY_SUFFIXES:
        return QuantityFormat.BINARY_SI, _BINARY_SUFFIXES[suffix]
    if suffix[-1].isdigit():
        exponent = int(suffix[1:])
        if abs(exponent) <= _MAX_DIGITS:
            return QuantityFormat.DECIMAL_EXPONENT, exponent
    raise _no_quantity(argument, text)


def _quantity(negative: bool, whole: str, fraction: str, form: QuantityFormat, exponent: int) -> Quantity:
    number = int(whole + fraction)
    binary = form is QuantityFormat.BINARY_SI
    scale = 9 - len(fraction) + (0 if binary else exponent)
    number <<= exponent if binary else 0
    nano = number * 10**scale if scale >= 0 else _divide_away(number, 10**-scale)
    if not _short(whole.lstrip("0"), fraction, form, exponent):
        # apimachinery keeps what fits its 64 bit path as it is, and caps what does not.
        nano = min(nano, _MAX * _NANO)
    if binary and 0 < nano < _NANO:
        form = QuantityFormat.DECIMAL_SI
    return Quantity(-nano if negative else nano, form)


def _short(whole: str, fraction: str, form: QuantityFormat, exponent: int) -> bool:
    if form is QuantityFormat.BINARY_SI:
        return not fraction and 15 - len(whole) - exponent * 3 // 10 - 1 >= 0
    return 18 - len(whole) - len(fraction) >= 0 and exponent - len(fraction) >= -9


def _divide_away(number: int, by: int) -> int:
    """Divide, rounding away from zero."""
    quotient = -(-abs(number) // by)
    return -quotient if number < 0 else quotient


def _binary(value: int) -> str:
    shift = 0
    while value % 1024 == 0 and shift < 60:
        value //= 1024
        shift += 10
    return f"{value}{_SUFFIX_OF_SHIFT.get(shift, '')}"


def _decimal(nano: int, *, exponent_form: bool) -> str:
    exponent = -9
    while nano % 1000 == 0 and (exponent_form or exponent < 18):
        nano //= 1000
        exponent += 3
    if exponent_form:
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{_SUFFIX_OF_EXPONENT[exponent]}"


# --------------------------------------------------------------------------- percentages


def scaled_value(value: int | str, total: int, *, round_up: bool, argument: str = "value") -> int:
    """What an ``IntOrString`` means of a total (GetScaledValueFromIntOrPercent).

    Args:
        value: a number, or a percentage such as ``"25%"`` (``maxSurge``, ``minAvailable``).
        total: what 100% is.
        round_up: round a fraction up rather than down.
        argument: what the error calls the value, for instance its field.

    Returns:
        The number itself, or that percentage of ``total``.

    Raises:
        InvalidRequestError: neither a number nor a percentage.

    >>> scaled_value("25%", 10, round_up=True), scaled_value("25%", 10, round_up=False)
    (3, 2)
    >>> scaled_value(3, 10, round_up=True)
    3
    """
    given: object = value
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if not isinstance(given, str) or not re.fullmatch(r"[+-]?[0-9]{1,18}%", given):
        shown = repr(given)[:60]
        raise InvalidRequestError(f"{argument}: want a whole number or a percentage such as '25%', got {shown}")
    part = int(given[:-1]) * total
    return -(-part // 100) if round_up else part // 100


# --------------------------------------------------------------------------- durations

_DURATION = re.compile(r"([+-]?)((?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9]*)\.?([0-9]*)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 10**6,
    "s": _NANO,
    "m": 60 * _NANO,
    "h": 3600 * _NANO,
}


def parse_duration(text: str, *, argument: str = "duration") -> timedelta:
    """Read a duration as Go writes it, such as ``"1h30m"`` or ``"500ms"``.

    Args:
        text: numbers with units h, m, s, ms, us, ns.
        argument: what the error calls the value, for instance its field.

    Returns:
        The duration, down to the microsecond; finer parts are cut off.

    Raises:
        InvalidRequestError: it is no duration.

    >>> parse_duration("1h30m").total_seconds()
    5400.0
    """
    given: object = text
    if isinstance(given, str) and given.lstrip("+-") == "0" and len(given) <= 2:
        return timedelta(0)  # the one duration without a unit
    found = _DURATION.fullmatch(given) if isinstance(given, str) and len(given) <= _MAX_DIGITS else None
    if found is None:
        shown = repr(given)[:60]
        raise InvalidRequestError(f"{argument}: want a duration such as '1h30m', '10s' or '500ms', got {shown}")
    nano = 0
    for whole, fraction, unit in _DURATION_PART.findall(found[2]):
        nano += int(whole + fraction or "0") * _NANOSECONDS[unit] // 10 ** len(fraction)
    if nano > _MAX:
        raise InvalidRequestError(f"{argument}: {text!r} is longer than the 292 years that Go's durations reach")
    return timedelta(microseconds=(-1 if found[1] == "-" else 1) * (nano // 1000))


def format_duration(duration: timedelta) -> str:
    """Write a duration as Go does: ``"1h30m0s"``, ``"500ms"``, ``"1.5s"``.

    >>> format_duration(timedelta(hours=1, minutes=30)), format_duration(timedelta(milliseconds=500))
    ('1h30m0s', '500ms')
    """
    micro = duration // timedelta(microseconds=1)
    sign, micro = ("-" if micro < 0 else ""), abs(micro)
    if not micro:
        return "0s"
    if micro < 1000:
        return f"{sign}{micro}µs"
    if micro < 10**6:
        return f"{sign}{_fraction(micro, 1000)}ms"
    minutes, rest = divmod(micro, 60 * 10**6)
    hours, minutes = divmod(minutes, 60)
    text = f"{_fraction(rest, 10**6)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _fraction(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    digits = str(rest).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


# --------------------------------------------------------------------------- times

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse_time(text: str, *, argument: str = "time") -> datetime:
    """Read a time of an object (RFC 3339), such as a ``creationTimestamp`` or a lease's ``renewTime``.

    Args:
        text: for instance ``"2026-01-31T12:00:00Z"``, with or without a fraction of a second.
        argument: what the error calls the value, for instance its field.

    Returns:
        The time in UTC, down to the microsecond.

    Raises:
        InvalidRequestError: it is no such time.

    >>> parse_time("2026-01-31T12:00:00.5+02:00").isoformat()
    '2026-01-31T10:00:00.500000+00:00'
    """
    given: object = text
    found = _TIME.fullmatch(given) if isinstance(given, str) and len(given) <= _MAX_DIGITS else None
    try:
        if found is not None:
            return _time(found)
    except (ValueError, OverflowError):
        pass  # a 13th month, or a time before the year 1: the message below says it
    raise InvalidRequestError(
        f"{argument}: want a time such as '2026-01-31T12:00:00Z' (RFC 3339), got {repr(given)[:60]}"
    )


def _time(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(each) for each in found.groups()[:6])
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    zone = timezone(-offset if found[8] == "-" else offset)
    micro = int((found[7] or "0")[:6].ljust(6, "0"))
    return datetime(year, month, day, hour, minute, second, micro, zone).astimezone(UTC)


def format_time(time: datetime) -> str:
    """Write a time as ``metav1.Time``: UTC, whole seconds (cut off).

    Raises:
        InvalidRequestError: it has no time zone, so nobody knows which moment it is.

    >>> format_time(datetime(2026, 1, 31, 12, 0, 0, 999999, tzinfo=UTC))
    '2026-01-31T12:00:00Z'
    """
    return f"{_utc(time):%Y-%m-%dT%H:%M:%S}Z".zfill(20)


def format_micro_time(time: datetime) -> str:
    """Write a time as ``metav1.MicroTime``: UTC, always six digits of a second.

    Raises:
        InvalidRequestError: it has no time zone, so nobody knows which moment it is.

    >>> format_micro_time(datetime(2026, 1, 31, 12, tzinfo=UTC))
    '2026-01-31T12:00:00.000000Z'
    """
    return f"{_utc(time):%Y-%m-%dT%H:%M:%S.%f}Z".zfill(27)


def _utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise InvalidRequestError("time: a datetime without a time zone is no moment: set tzinfo, such as datetime.UTC")
    return time.astimezone(UTC)
