"""The string formats that a CRD's schema may name, as kube-openapi checks them (``validation/strfmt``).

Names are compared without dashes: ``date-time`` is ``datetime``. A format of another name is let pass; a CRD that
names one gets a warning (`definitions`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from dynkube.testing.apiserver.customresources import addresses
from dynkube.testing.apiserver.customresources.patterns import compile_pattern
from dynkube.testing.apiserver.words import names

__all__ = ["is_format_known", "string_format"]

_INTEGER_FORMATS = frozenset({"int32", "int64"})
_NUMBER_FORMATS = frozenset({"float", "double"})


def is_format_known(schema_type: str, name: str) -> bool:
    """Whether a format means anything for a type (GetUnrecognizedFormats); "" is the type of what has none."""
    if schema_type in ("", "string"):
        return string_format(name) is not None
    if schema_type == "integer":
        return name in _INTEGER_FORMATS
    return schema_type == "number" and name in _NUMBER_FORMATS


def string_format(name: str) -> Callable[[str], bool] | None:
    """What checks a string format, None for an unknown one."""
    return _CHECKS.get(name.replace("-", ""))


def _by_pattern(pattern: str) -> Callable[[str], bool]:
    return lambda text: compile_pattern(pattern)(text) is not None


def _anything(_text: str) -> bool:
    return True


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return False
    try:
        # Go's year 0 is a leap year like 4, and Python has none.
        date.fromisoformat("0004" + text[4:] if text.startswith("0000") else text)
    except ValueError:
        return False
    return True


_TIME_OF_DAY = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))")


def _is_datetime(text: str) -> bool:
    day, *rest = text.lower().split("t")
    if not rest or not _is_date(day):
        return False
    found = _TIME_OF_DAY.fullmatch(rest[0])
    return found is not None and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


_GO_DURATION = re.compile(r"[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)([a-zµμ]+)", re.ASCII)
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_WORD_DURATION = re.compile(r"(\d+)\s*([A-Za-zµ]+)", re.ASCII)
_UNITS: tuple[tuple[str, ...], ...] = (
    ("ns", "nano"), ("us", "µs", "micro"), ("ms", "milli"), ("s", "sec"), ("m", "min"), ("h", "hr", "hour"),
    ("d", "day"), ("w", "wk", "week"),
)  # fmt: skip


def _is_duration(text: str) -> bool:
    if _GO_DURATION.fullmatch(text):
        total = sum(float(number) * _NANOSECONDS[unit] for number, unit in _GO_PART.findall(text))
        if total < 2**63:
            return True
    found = list(_WORD_DURATION.finditer(text))
    if any(int(each[1]) >= 2**63 for each in found):
        return False
    return any(
        each[2].lower() in variants or each[2].lower().startswith(variants[-1]) for each in found for variants in _UNITS
    )


def _is_isbn10(text: str) -> bool:
    plain = re.sub(r"[\s-]+", "", text, flags=re.ASCII)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", plain):
        return False
    figures = [10 if each == "X" else int(each) for each in plain]
    return sum(place * figure for place, figure in enumerate(figures, 1)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    plain = re.sub(r"[\s-]+", "", text, flags=re.ASCII)
    if not re.fullmatch(r"[0-9]{13}", plain):
        return False
    return sum(int(each) * (1, 3)[place % 2] for place, each in enumerate(plain)) % 10 == 0


_CARD = re.compile(
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})"
)


def _is_credit_card(text: str) -> bool:
    plain = re.sub(r"[^0-9]+", "", text)
    if not _CARD.fullmatch(plain):
        return False
    doubled = [int(each) * (1, 2)[place % 2] for place, each in enumerate(reversed(plain))]
    return sum(each % 10 + 1 if each >= 10 else each for each in doubled) % 10 == 0


def _is_ssn(text: str) -> bool:
    return len(text) == 11 and re.fullmatch(r"\d{3}[- ]?\d{2}[- ]?\d{4}", text, re.ASCII) is not None


def _is_short_name(text: str) -> bool:
    return not names.dns1123_label(text)


def _is_long_name(text: str) -> bool:
    return not names.dns1123_subdomain(text)


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _by_pattern(r"^[0-9a-fA-F]{24}$"),
    "byte": _by_pattern(
        r"^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=|[A-Za-z0-9+\/]{4})$"
    ),
    "cidr": addresses.is_cidr,
    "creditcard": _is_credit_card,
    "date": _is_date,
    "datetime": _is_datetime,
    "duration": _is_duration,
    "email": addresses.is_email,
    "hexcolor": _by_pattern(r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    "hostname": addresses.is_hostname,
    "ipv4": addresses.is_ipv4,
    "ipv6": addresses.is_ipv6,
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "k8slongname": _is_long_name,
    "k8sshortname": _is_short_name,
    "mac": addresses.is_mac,
    "password": _anything,
    "rgbcolor": _by_pattern(
        r"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,"
        r"\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$"
    ),
    "ssn": _is_ssn,
    "uri": addresses.is_request_uri,
    "uuid": _by_pattern(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    "uuid3": _by_pattern(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    "uuid4": _by_pattern(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    "uuid5": _by_pattern(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
}  # fmt: skip
