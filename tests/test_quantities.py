"""Quantities, durations, percentages and times, as Kubernetes writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.quantities import (
    Quantity,
    QuantityFormat,
    format_duration,
    format_micro_time,
    format_time,
    parse_duration,
    parse_time,
    scaled_value,
)

pytestmark = pytest.mark.behaviour("5.2.9")

SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E-2", "e+4"]
texts = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**6),
    st.one_of(st.just(""), st.integers(0, 10**4).map(lambda n: f".{n}")),
    st.sampled_from(SUFFIXES),
)


class TestQuantity:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("0", "0"),
            ("0Ki", "0"),
            ("-0", "0"),
            ("1", "1"),
            ("+1", "1"),
            (".5", "500m"),
            ("5.", "5"),
            ("0.001", "1m"),
            ("1.5", "1500m"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("1024Ki", "1Mi"),
            ("1023", "1023"),
            ("1000", "1k"),
            ("1000Mi", "1000Mi"),
            ("1Ki", "1Ki"),
            ("0.5Ki", "512"),
            ("0.0001Ki", "102400u"),
            ("1.0001Ki", "1024102400u"),
            ("-1.5Gi", "-1536Mi"),
            ("100m", "100m"),
            ("1000m", "1"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("1E", "1E"),
            ("1500e0", "1500"),
            ("15e2", "1500"),
            ("1e4", "10e3"),
            ("12e6", "12e6"),
            ("1e-3", "1e-3"),
            ("100E", "100E"),
            ("1n", "1n"),
            ("0.1n", "1n"),
            ("-0.1n", "-1n"),
            ("1.0000000001", "1000000001n"),
            ("99999999999999999999", "9223372036854775807"),  # capped as the server does
            ("16Ei", "9223372036854775807"),
            ("7Ei", "7Ei"),
            ("007", "7"),
        ],
    )
    def test_canonical(self, text: str, canonical: str) -> None:
        assert str(Quantity.parse(text)) == canonical

    @given(texts)
    def test_canonical_form_keeps_the_amount(self, text: str) -> None:
        quantity = Quantity.parse(text)
        again = Quantity.parse(str(quantity))
        assert again == quantity
        assert str(again) == str(quantity)

    @given(texts, texts)
    def test_order_and_sums_are_those_of_the_amounts(self, one: str, other: str) -> None:
        a, b = Quantity.parse(one), Quantity.parse(other)
        assert (a < b) == (a.as_decimal() < b.as_decimal())
        assert (a == b) == (a.nano == b.nano)
        assert (hash(a) == hash(b)) or a != b
        assert (a + b) - b == a
        assert a + (-a) == Quantity.of(0)
        assert not a - a

    @given(texts)
    def test_values_round_away_from_zero(self, text: str) -> None:
        quantity = Quantity.parse(text)
        assert abs(quantity.value) >= abs(quantity.as_decimal()) > abs(quantity.value) - 1 or not quantity
        assert (
            abs(quantity.milli_value) >= abs(quantity.as_decimal() * 1000) > abs(quantity.milli_value) - 1
            or not quantity
        )

    def test_values(self) -> None:
        assert Quantity.parse("1.5Gi").value == 3 * 2**29
        assert Quantity.parse("100m").value == 1
        assert Quantity.parse("100m").milli_value == 100
        assert Quantity.parse("-1500u").milli_value == -2
        assert Quantity.parse("1500m").as_decimal() == Decimal("1.5")
        assert str(Quantity.of(2**30, QuantityFormat.BINARY_SI)) == "1Gi"

    def test_zero_takes_the_other_format(self) -> None:
        assert str(Quantity.of(0) + Quantity.parse("1Gi")) == "1Gi"
        assert str(Quantity.parse("1Gi") + Quantity.parse("1G")) == "2073741824"

    def test_bare_numbers(self) -> None:
        assert str(Quantity.parse(2)) == "2"
        assert str(Quantity.parse(0.5)) == "500m"
        assert Quantity.parse(1e-05) == Quantity.parse("10u")

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "-",
            ".",
            "m",
            "1x",
            "1mm",
            "1kI",
            "1 Gi",
            " 1",
            "1\n",
            "1e",
            "1e+",
            "1ee3",
            "--1",
            "1_0",
            "٣",
            "1K",
            "1e101",
            "1e999999999",
            "9" * 1000,
            None,
            True,
            [],
            float("nan"),
            float("inf"),
        ],
    )
    def test_refuses(self, value: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^limits\.cpu: ") as info:
            Quantity.parse(value, argument="limits.cpu")
        assert len(str(info.value)) < 300


class TestScaledValue:
    @given(st.integers(0, 300), st.integers(0, 10**6))
    def test_rounding(self, percent: int, total: int) -> None:
        down, up = (scaled_value(f"{percent}%", total, round_up=each) for each in (False, True))
        assert down * 100 <= percent * total <= up * 100
        assert up - down == (percent * total % 100 != 0)

    def test_numbers_are_themselves(self) -> None:
        assert scaled_value(7, 3, round_up=True) == 7

    @pytest.mark.parametrize("value", ["7", "25 %", "%", "a%", "1.5%", "25%\n", None, True, 1.5])
    def test_refuses(self, value: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^maxSurge: want a whole number or a percentage"):
            scaled_value(value, 10, round_up=True, argument="maxSurge")


class TestDurations:
    @given(st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000)))
    def test_round_trip(self, duration: timedelta) -> None:
        assert parse_duration(format_duration(duration)) == duration

    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("0", "0s"),
            ("-0", "0s"),
            ("30s", "30s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5h", "1h30m0s"),
            (".5s", "500ms"),
            ("1h15m30.918s", "1h15m30.918s"),
            ("-2m3.4s", "-2m3.4s"),
            ("100us", "100µs"),
            ("1500µs", "1.5ms"),
            ("999ns", "0s"),
            ("1m1m", "2m0s"),
        ],
    )
    def test_canonical(self, text: str, canonical: str) -> None:
        assert format_duration(parse_duration(text)) == canonical

    @pytest.mark.parametrize(
        "text", ["", "30", "1d", "s", ".s", "1 s", "1s\n", "--1s", "9999999h", "9" * 500 + "s", None, 30]
    )
    def test_refuses(self, text: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^timeout: "):
            parse_duration(text, argument="timeout")


class TestTimes:
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_round_trip(self, time: datetime) -> None:
        assert parse_time(format_micro_time(time)) == time
        assert parse_time(format_time(time)) == time.replace(microsecond=0)

    @pytest.mark.parametrize(
        ("text", "time"),
        [
            ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
            ("2026-01-31T12:00:00+05:30", datetime(2026, 1, 31, 6, 30, tzinfo=UTC)),
            ("2026-01-31T12:00:00-01:00", datetime(2026, 1, 31, 13, tzinfo=UTC)),
            ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
        ],
    )
    def test_parse(self, text: str, time: datetime) -> None:
        assert parse_time(text) == time
        assert parse_time(text).tzinfo is UTC

    def test_format_in_utc(self) -> None:
        east = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
        assert format_time(east) == "2026-01-31T10:00:00Z"
        assert format_micro_time(east) == "2026-01-31T10:00:00.000005Z"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "2026-01-31",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00:00",
            "2026-13-01T00:00:00Z",
            "2026-01-31T12:00:00Z\n",
            "0001-01-01T00:00:00+01:00",
            "2026-01-31T12:00:00+99:00",
            "2026-01-31T12:00:00." + "1" * 500 + "Z",
            None,
            5,
        ],
    )
    def test_refuses(self, text: Any) -> None:
        with pytest.raises(InvalidRequestError, match=r"^renewTime: want a time such as"):
            parse_time(text, argument="renewTime")

    def test_no_moment(self) -> None:
        for write in (format_time, format_micro_time):
            with pytest.raises(InvalidRequestError, match="without a time zone"):
                write(datetime(2026, 1, 31))
