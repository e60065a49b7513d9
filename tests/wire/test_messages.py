"""Requests and responses as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from dynkube.wire.messages import Request, Response

PAIRS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5).map(tuple)


def response(headers, body=b"{}", status=200):
    return Response(status, HTTPHeaderDict(headers), body, Request("GET", "/api"))


@given(PAIRS)
def test_a_query_survives_the_request_line(pairs):
    from urllib.parse import parse_qsl, urlsplit

    target = Request("GET", "/api", pairs).target
    assert target.isascii()
    assert not any(character.isspace() for character in target)
    assert parse_qsl(urlsplit(target).query, keep_blank_values=True) == list(pairs)


@pytest.mark.behaviour("2.4.10")
def test_repeated_names_stay():
    query = (("dryRun", "All"), ("dryRun", "None"))
    assert Request("GET", "/api", query).target == "/api?dryRun=All&dryRun=None"


@pytest.mark.behaviour("2.7.6")
@pytest.mark.parametrize(("body", "replayable"), [(None, True), (b"x", True), (iter([b"x"]), False)])
def test_what_can_be_sent_twice(body, replayable):
    assert Request("POST", "/api", body=body).replayable is replayable


def test_a_repr_shows_no_secrets():
    request = Request("POST", "/api", headers=(("Authorization", "Bearer s3cret"),), body=b'{"data":"s3cret"}')
    assert "s3cret" not in repr(request)
    assert "s3cret" not in repr(Response(200, HTTPHeaderDict({"Set-Cookie": "s3cret"}), b"s3cret", request))


@pytest.mark.behaviour("2.7.2")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1),
        (" 30 ", 30),
        ("0", 0),
        ("", None),
        ("soon", None),
        ("1.5", None),
        ("-1", None),
        ("²", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_counts_as_an_integer_only(value, seconds):
    assert response({"Retry-After": value}).retry_after == seconds
    assert response({}).retry_after is None


def test_the_media_type_has_no_parameters():
    assert response({"Content-Type": "Application/JSON; charset=utf-8"}).content_type == "application/json"
    assert response({"content-type": "application/json;stream=watch"}).content_type == "application/json"
    assert response({}).content_type == ""


@pytest.mark.behaviour("2.9.1")
def test_warnings_of_all_header_lines():
    headers = HTTPHeaderDict()
    headers.add("Warning", '299 - "one"')
    headers.add("Warning", '299 - "two"')
    assert [warning.text for warning in response(headers).warnings()] == ["one", "two"]
    assert response({}).warnings() == ()
