from __future__ import annotations

import dataclasses

import pytest

from dynkube.errors import InvalidRequestError
from dynkube.testing.faults import Action, Fault, Moment, SeenRequest


@pytest.mark.parametrize(
    ("fault", "action", "moment", "offset", "text"),
    [
        (Fault.cut(), Action.CUT, Moment.RESPONSE, 0, "Fault.cut(at='response')"),
        (Fault.cut(after_body_bytes=9), Action.CUT, Moment.BODY, 9, "Fault.cut(after_body_bytes=9)"),
        (Fault.reset(after_header_bytes=1), Action.RESET, Moment.HEADER, 1, "Fault.reset(after_header_bytes=1)"),
        (Fault.stall(after_chunks=2), Action.STALL, Moment.CHUNK, 2, "Fault.stall(after_chunks=2)"),
        (Fault.half_close(at="end"), Action.HALF_CLOSE, Moment.END, 0, "Fault.half_close(at='end')"),
        (Fault.reset(after_bytes=7), Action.RESET, Moment.STREAM, 7, "Fault.reset(after_bytes=7)"),
        (Fault.refuse(), Action.RESET, Moment.CONNECT, 0, "Fault.reset(at='connect')"),
        (
            Fault.dribble(size=2, interval=None, at="request"),
            Action.DRIBBLE,
            Moment.REQUEST,
            0,
            "Fault.dribble(size=2, interval=None, at='request')",
        ),
    ],
)
def test_a_fault_is_a_value(fault, action, moment, offset, text):
    assert (fault.action, fault.moment, fault.offset, repr(fault)) == (action, moment, offset, text)
    assert fault == dataclasses.replace(fault)
    assert hash(fault) == hash(dataclasses.replace(fault))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Fault.cut(at="now"), InvalidRequestError, "at='now'"),
        (lambda: Fault.cut(at="body"), InvalidRequestError, "give one of 'connect', 'request', 'response', 'end'"),
        (lambda: Fault.cut(after_chunks=-1), InvalidRequestError, "after_chunks=-1"),
        (lambda: Fault.cut(after_chunks="2"), InvalidRequestError, "after_chunks='2'"),
        (lambda: Fault.cut(after_chunks=True), InvalidRequestError, "after_chunks=True"),
        (lambda: Fault.cut(at="end", after_chunks=1), InvalidRequestError, "after_chunks and at: .* one moment"),
        (lambda: Fault.cut(after_byte=1), TypeError, "after_byte;"),
        (lambda: Fault.dribble(size=0), InvalidRequestError, "size=0"),
        (lambda: Fault.dribble(interval=-1), InvalidRequestError, "interval=-1"),
        (lambda: Fault.half_close(at="connect"), InvalidRequestError, "use cut"),
    ],
)
def test_what_makes_no_fault(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_target_has_a_path_and_a_query():
    request = SeenRequest(connection=1, method="GET", target="/api/v1/pods?watch=1&x=?")
    assert (request.path, request.query) == ("/api/v1/pods", "watch=1&x=?")
    assert SeenRequest(connection=1, method="GET", target="/api").query == ""
