"""Quantities, times and bytes as Go reads and writes them. The expected values are what Go's own code answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.testing.apiserver.decoding.scalars import canonical_base64, canonical_quantity
from dynkube.testing.apiserver.decoding.times import canonical_micro_time, canonical_time

FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX = "unable to parse quantity's suffix"
NUMERIC = "unable to parse numeric part of quantity"


class TestQuantities:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("0", "0"), ("000", "0"), ("-0", "0"), ("-", "0"), (".", "0"), ("Ki", "0"), ("1", "1"), ("100m", "100m"), ("1000m", "1"),
            ("1500m", "1500m"), ("0.5", "500m"), (".5", "500m"), ("1.5", "1500m"), ("1.500", "1.500"), ("1.000", "1"), ("+5", "+5"),
            ("-5", "-5"), ("1000", "1k"), ("1e3", "1e3"), ("10e1", "100"), ("1e4", "10e3"), ("0e3", "0"), ("1E", "1E"), ("1024Ki", "1Mi"),
            ("100Mi", "100Mi"), ("1.5Gi", "1536Mi"), ("0.5Gi", "512Mi"), ("1Ki", "1Ki"), ("8Ki", "8Ki"), ("0.5Ki", "512"),
            ("0.1n", "1n"), ("0.0000000001", "1n"), ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("100Ei", "9223372036854775807"), ("1000E", "1"), ("1e100", "10e99"), ("12345678901234567890n", "12345678901234567890n"),
        ],
    )  # fmt: skip
    def test_the_canonical_form(self, written: str, canonical: str) -> None:
        assert canonical_quantity(written) == canonical

    @pytest.mark.parametrize(
        ("written", "problem"),
        [
            ("", FORMAT), ("a", FORMAT), ("1 ", FORMAT), ("1.2.3", FORMAT), ("1x", FORMAT), ("\u0661", FORMAT),
            ("1mm", SUFFIX), ("1e", SUFFIX), ("1i", SUFFIX), ("1e-", SUFFIX), ("1m3", SUFFIX), ("5+", SUFFIX), ("+-1", SUFFIX),
            ("Pi", NUMERIC), ("-Ei", NUMERIC),
        ],
    )  # fmt: skip
    def test_what_is_none(self, written: str, problem: str) -> None:
        with pytest.raises(ValueError) as raised:
            canonical_quantity(written)
        assert str(raised.value) == problem

    def test_an_exponent_that_nobody_can_write_out_takes_no_time(self) -> None:
        assert canonical_quantity("1e999999999") == "1e999999999"
        assert canonical_quantity("1e-999999999") == "1e-9"

    @given(st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{0,5})?(m|k|Ki|Gi|e3|E-2)?", fullmatch=True))
    def test_the_canonical_form_is_its_own_or_one_step_from_it(self, written: str) -> None:
        once = canonical_quantity(written)
        assert canonical_quantity(canonical_quantity(once)) == canonical_quantity(once)


class TestTimes:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00.999Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00,5Z", "2026-01-31T12:00:00Z"),
            ("2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z"),
            ("2026-01-31T5:00:00Z", "2026-01-31T05:00:00Z"),
            ("2026-01-31T12:00:00+24:60", "2026-01-30T11:00:00Z"),
            ("2024-02-29T23:59:59-00:01", "2024-03-01T00:00:59Z"),
            ("0000-01-01T00:00:00+02:00", "-0001-12-31T22:00:00Z"),
            ("9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"),
            ("0001-01-01T00:00:00Z", None),
        ],
    )
    def test_in_utc_and_whole_seconds(self, written: str, canonical: str | None) -> None:
        assert canonical_time(written) == canonical

    @pytest.mark.parametrize(
        ("written", "problem"),
        [
            ("", 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'),
            ("x", 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
            ("2026-01-01", 'parsing time "2026-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
            ("2026-01-01 00:00:00Z", 'parsing time "2026-01-01 00:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse " 00:00:00Z" as "T"'),
            ("2026-01-01T00:00:00", 'parsing time "2026-01-01T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'),
            ("2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'),
            ("2026-02-29T00:00:00Z", 'parsing time "2026-02-29T00:00:00Z": day out of range'),
            ("2026-01-01T24:00:00Z", 'parsing time "2026-01-01T24:00:00Z": hour out of range'),
            ("2026-01-01T00:60:00Z", 'parsing time "2026-01-01T00:60:00Z": minute out of range'),
            ("2026-01-01T00:00:60Z", 'parsing time "2026-01-01T00:00:60Z": second out of range'),
            ("2026-01-01T00:00:00+25:61", 'parsing time "2026-01-01T00:00:00+25:61": time zone offset minute out of range'),
            ("2026-01-01T00:00:00Zx", 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"'),
            ('é"\n', 'parsing time "\\xc3\\xa9\\"\\x0a" as "2006-01-02T15:04:05Z07:00": cannot parse "\\xc3\\xa9\\"\\x0a" as "2006"'),
        ],
    )  # fmt: skip
    def test_what_is_none(self, written: str, problem: str) -> None:
        with pytest.raises(ValueError) as raised:
            canonical_time(written)
        assert str(raised.value) == problem

    def test_micro_times_have_six_digits_and_want_them(self) -> None:
        assert canonical_micro_time("2026-01-01T00:00:00.000001+01:00") == "2025-12-31T23:00:00.000001Z"
        assert canonical_micro_time("0001-01-01T00:00:00.000000Z") is None
        with pytest.raises(ValueError) as raised:
            canonical_micro_time("2026-01-01T00:00:00Z")
        assert str(raised.value).endswith('"2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"')


class TestBytes:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [("", ""), ("aGk=", "aGk="), ("aG\r\nk=\n", "aGk="), ("aGl=", "aGk="), ("QUJD", "QUJD")],
    )
    def test_the_canonical_form(self, written: str, canonical: str) -> None:
        assert canonical_base64(written) == canonical

    @pytest.mark.parametrize(
        ("written", "position"),
        [
            ("=", 0),
            ("a=", 1),
            ("aG=", 3),
            ("aGk", 0),
            ("aGk=x", 4),
            ("!", 0),
            ("aGk=\n!", 5),
            ("é", 0),
            ("QUJDé", 4),
            ("aG=a", 2),
        ],
    )
    def test_what_is_none(self, written: str, position: int) -> None:
        with pytest.raises(ValueError) as raised:
            canonical_base64(written)
        assert str(raised.value) == f"illegal base64 data at input byte {position}"
