"""Warning headers, and who is told."""

from __future__ import annotations

import io
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.wire.warnings import (
    ServerWarning,
    WarningWriter,
    log_warning,
    parse_warning_headers,
    suppress_warnings,
)


def texts(*lines):
    return [warning.text for warning in parse_warning_headers(lines)]


@pytest.mark.behaviour("2.9.1")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('299 - "a"', ["a"]),
        ('299 kube-apiserver "a"', ["a"]),
        ('299 - "a", 299 - "b"', ["a", "b"]),
        ('299 - "a","b"', ["a"]),
        ('299 - "a",299 - "b"', ["a", "b"]),
        ('299 - "a" "Wed, 21 Oct 2026 07:28:00 GMT"', ["a"]),
        ('299 - "a" "Wed, 21 Oct 2026 07:28:00 GMT", 299 - "b"', ["a", "b"]),
        (r'299 - "say \"hi\", then \\go"', ['say "hi", then \\go']),
        ('299 - ""', [""]),
        ('  299 - "a"  ', ["a"]),
        ("", []),
        ("299", []),
        ("299 -", []),
        ("299 - a", []),
        ('299 - "a', []),
        ('29 - "a"', []),
        ('2999 - "a"', []),
        ('299 - "a" x', []),
        ('299 - "a", broken', ["a"]),
        ('299 - "a", 299 - "b', ["a"]),
        ('299 - "=?utf-8?q?caf=C3=A9?="', ["café"]),
        ('299 - "=?utf-8?b?Y2Fmw6k=?="', ["café"]),
        ('299 - "=?nonsense?b?eA==?="', ["=?nonsense?b?eA==?="]),
        ('299 - "a\x1b[31mb\x07\x9b"', ["a[31mb"]),
    ],
)
def test_one_line(line, expected):
    assert texts(line) == expected


@pytest.mark.behaviour("2.9.1")
def test_a_broken_line_does_not_spoil_the_next():
    assert texts('299 - "a", broken', '299 - "b"') == ["a", "b"]


def test_code_and_agent():
    assert parse_warning_headers(['199 agent "x"']) == (ServerWarning(199, "agent", "x"),)


@pytest.mark.behaviour("2.9.1")
@given(st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=10), min_size=1, max_size=4))
def test_what_the_api_server_writes_is_read(messages):
    quoted = ['299 - "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in messages]
    if not any("=?" in text for text in messages):
        assert texts(", ".join(quoted)) == messages


@given(st.text(max_size=40) | st.text('29 -"\\,x', max_size=40))
def test_anything_is_read_without_an_error(line):
    assert all(isinstance(text, str) for text in texts(line))


# ---------------------------------------------------------------------- handlers


@pytest.mark.behaviour("2.9.3")
def test_the_logger(caplog):
    with caplog.at_level(logging.WARNING, "dynkube.warnings"):
        log_warning(ServerWarning(299, "-", "100% deprecated"))
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("dynkube.warnings", "100% deprecated")
    ]


@pytest.mark.behaviour("2.9.3")
def test_suppressing(caplog):
    suppress_warnings(ServerWarning(299, "-", "a"))
    assert not caplog.records


@pytest.mark.behaviour("2.9.3")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "Warning: a\nWarning: b\n"),
        ({"deduplicate": False}, "Warning: a\nWarning: b\nWarning: a\n"),
        ({"color": True}, "\x1b[33;1mWarning:\x1b[0m a\n\x1b[33;1mWarning:\x1b[0m b\n"),
    ],
)
def test_the_writer(options, expected):
    stream = io.StringIO()
    writer = WarningWriter(stream, **options)
    for text in ("a", "b", "a"):
        writer(ServerWarning(299, "-", text))
    assert stream.getvalue() == expected
    assert writer.count == 3


@pytest.mark.behaviour("2.9.3")
def test_the_writer_on_many_threads():
    stream = io.StringIO()
    writer = WarningWriter(stream)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: writer(ServerWarning(299, "-", f"w{number % 5}")), range(1000)))
    assert sorted(stream.getvalue().splitlines()) == [f"Warning: w{number}" for number in range(5)]
    assert writer.count == 1000
