"""The retry table of client-go, attempt by attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from dynkube.errors import (
    CancelledError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    InvalidRequestError,
    RequestTimeoutError,
    TLSError,
)
from dynkube.wire.messages import Request
from dynkube.wire.retry import PersistentRetryPolicy, RetryPolicy

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MODES = ["do", "stream", "watch"]
LOST = ConnectionLostError("reset")
POLICY = RetryPolicy()


def asked(method="GET", body=None):
    return Request(method, "/api/v1/pods", body=body)


def after(status, retry_after="1", request=None, retries=0, policy=POLICY):
    headers = HTTPHeaderDict() if retry_after is None else HTTPHeaderDict({"Retry-After": retry_after})
    return policy.after_response(retries, request or asked(), status, headers)


@pytest.mark.behaviour("2.7.2", "2.7.3")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
def test_a_refusal_with_seconds_is_repeated_after_them(status):
    assert after(status, "7") == 7.0
    assert after(status, "0") == 0.0


@pytest.mark.behaviour("2.7.2")
@pytest.mark.parametrize("retry_after", [None, "", "soon", "1.5", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_without_seconds_is_final(status, retry_after):
    assert after(status, retry_after) is None


@pytest.mark.behaviour("2.7.2")
@pytest.mark.parametrize("status", [200, 201, 301, 400, 401, 403, 404, 408, 409, 410, 422])
def test_other_statuses_are_final(status):
    assert after(status) is None


@pytest.mark.behaviour("2.7.2")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [429, 503])
def test_every_method_is_repeated_when_the_server_did_nothing(method, status):
    assert after(status, request=asked(method, b"{}")) == 1.0


@pytest.mark.behaviour("2.7.2")
@pytest.mark.parametrize(
    ("method", "repeated"),
    [
        ("POST", {429, 503}),
        ("PUT", {429, 500, 502, 503}),
        ("PATCH", {429, 500, 502, 503}),
        ("DELETE", {429, 500, 502, 503}),
        ("GET", {429, 500, 502, 503, 504}),
    ],
)
def test_a_write_is_repeated_only_where_the_first_did_nothing(method, repeated):
    statuses = {status for status in (429, 500, 502, 503, 504) if after(status, request=asked(method)) is not None}
    assert statuses == repeated


@pytest.mark.behaviour("2.7.6")
def test_a_body_that_is_used_up_is_not_repeated():
    assert after(429, request=asked("PUT", iter([b"x"]))) is None
    assert POLICY.after_error(0, asked("GET", iter([b"x"])), LOST, "do") is None


@pytest.mark.behaviour("2.7.4")
@pytest.mark.parametrize("method", METHODS)
def test_a_lost_connection_is_repeated_for_get_only(method):
    assert POLICY.after_error(0, asked(method), LOST, "do") == (1.0 if method == "GET" else None)


@pytest.mark.behaviour("2.7.5", "2.7.9")
@pytest.mark.parametrize(
    ("error", "modes"),
    [
        (LOST, {"do", "watch"}),
        (RequestTimeoutError("slow"), {"watch"}),
        (ConnectionLostError("in the body", response_started=True), set()),
        (ConnectError("refused"), set()),
        (TLSError("bad certificate"), set()),
        (DeadlineExceededError("over"), set()),
        (CancelledError("over"), set()),
        (ValueError("a user's own"), set()),
    ],
)
def test_which_failures_are_repeated_in_which_mode(error, modes):
    assert {mode for mode in MODES if POLICY.after_error(0, asked(), error, mode) is not None} == modes
    assert {mode for mode in MODES if POLICY.is_quiet_end(error, mode)} == modes - {"do"}


@pytest.mark.behaviour("2.7.1")
def test_ten_repetitions_and_no_more():
    assert [after(429, retries=retries) for retries in (0, 9, 10, 11)] == [1.0, 1.0, None, None]
    assert POLICY.after_error(9, asked(), LOST, "do") == 1.0
    assert POLICY.after_error(10, asked(), LOST, "do") is None


@pytest.mark.behaviour("2.7.1")
@pytest.mark.parametrize("retries", [0, -1, -10])
def test_none_below_one(retries):
    assert after(429, policy=RetryPolicy(retries)) is None
    assert RetryPolicy(retries).after_error(0, asked(), LOST, "do") is None


@pytest.mark.parametrize("retries", [1.5, "3", True, None])
def test_retries_are_a_whole_number(retries):
    with pytest.raises(InvalidRequestError, match="max_retries"):
        RetryPolicy(retries)


@given(st.sampled_from(METHODS), st.integers(100, 599), st.text(max_size=4), st.integers(0, 12))
def test_a_delay_is_never_negative_and_never_without_an_integer(method, status, retry_after, retries):
    delay = after(status, retry_after, asked(method), retries)
    if delay is not None:
        assert delay >= 0
        assert retries < 10
        assert status == 429 or status >= 500
        assert retry_after.strip().isdigit()


PERSISTENT = PersistentRetryPolicy()


@pytest.mark.behaviour("2.7.11", "10.1.17")
@pytest.mark.parametrize("status", [429, 503, 504])
def test_the_persistent_policy_repeats_idempotent_requests_three_times_with_growing_waits(status):
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        waits = [after(status, None, asked(method), retries, PERSISTENT) for retries in range(4)]
        assert waits == [0.5, 1.0, 2.0, None]
    for method in ("POST", "PATCH"):
        assert after(status, None, asked(method), policy=PERSISTENT) is None


@pytest.mark.behaviour("2.7.11")
def test_the_persistent_policy_keeps_to_the_table_otherwise():
    assert after(500, None, policy=PERSISTENT) is None
    assert after(404, "1", policy=PERSISTENT) is None
    assert after(429, "7", asked("POST"), policy=PERSISTENT) == 7.0
    assert after(503, "7", retries=9, policy=PERSISTENT) == 7.0
    assert after(504, "7", asked("PUT"), policy=PERSISTENT) == 7.0
    assert after(503, None, asked("PUT", iter([b"x"])), policy=PERSISTENT) is None
    assert after(503, None, policy=PersistentRetryPolicy(max_retries=0)) is None
    assert PERSISTENT.after_error(0, asked(), LOST, "do") == POLICY.after_error(0, asked(), LOST, "do")


def test_the_persistent_policy_waits_five_seconds_at_most():
    policy = PersistentRetryPolicy(extra_retries=8)
    assert [policy.backoff(retries) for retries in (3, 4, 5, 10**6)] == [4.0, 5.0, 5.0, 5.0]


@pytest.mark.parametrize("delays", [(0, 5), (-1, 5), (6, 5)])
def test_delays_that_make_no_sense(delays):
    with pytest.raises(InvalidRequestError, match="first_delay"):
        PersistentRetryPolicy(first_delay=delays[0], longest_delay=delays[1])
