"""Writing events: what is tried again, how often, and what is not."""

from __future__ import annotations

import pytest

from dynkube.errors import (
    AlreadyExistsError,
    ClosedError,
    ConnectionLostError,
    DecodeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
)
from dynkube.events.sink import EventSink
from dynkube.transport import CancelToken

pytestmark = pytest.mark.behaviour("7.7.3")

EVENT = {"metadata": {"name": "foo.1", "namespace": "baz", "resourceVersion": "7"}, "reason": "Started"}
PATCH = {"count": 2}


def refused(error, reason, code, *causes):
    details = {"causes": [{"reason": cause, "message": ""} for cause in causes]}
    status = {"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason}
    return error({**status, "details": details})


NOT_FOUND = refused(NotFoundError, "NotFound", 404)
EXISTS = refused(AlreadyExistsError, "AlreadyExists", 409)
LOST = ConnectionLostError("the connection was lost")


class Events:
    """A resource whose verbs end as they are told, in order; at the end, well."""

    def __init__(self, *outcomes):
        self.outcomes, self.calls = list(outcomes), []

    def namespace(self, namespace):
        self.last_namespace = namespace
        return self

    def create(self, event, **_limits):
        return self._do("create", event)

    def patch(self, name, patch, **_limits):
        return self._do("patch", {"metadata": {"name": name}, **patch})

    def _do(self, verb, event):
        self.calls.append(verb)
        self.last = event
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        return event


@pytest.fixture
def closing():
    return CancelToken()


@pytest.fixture
def write(closing):
    """Write the event; what was returned, what was called, how long was waited."""

    def write(events, patch=None, **options):
        waits = []
        options = {"sleep": lambda token, seconds: waits.append(seconds), **options}
        sink = EventSink(
            events, tries=12, retry_delay=10, timeout=30, closing=closing, cancel=CancelToken(), random=lambda: 0.3,
            **options,
        )  # fmt: skip
        return sink.write(EVENT, patch), events.calls, waits

    return write


def test_an_event_is_created_in_its_namespace_without_a_version(write):
    events = Events()
    written, calls, _ = write(events)
    assert (calls, events.last_namespace) == (["create"], "baz")
    assert written["metadata"] == {"name": "foo.1", "namespace": "baz"}


def test_one_that_is_there_is_patched(write):
    written, calls, _ = write(Events(), PATCH)
    assert (calls, written) == (["patch"], {"metadata": {"name": "foo.1"}, "count": 2})


@pytest.mark.behaviour("7.7.2")
def test_one_that_has_expired_is_created_again(write):
    written, calls, _ = write(Events(NOT_FOUND), PATCH)
    assert calls == ["patch", "create"]
    assert "resourceVersion" not in written["metadata"]


@pytest.mark.parametrize("error", [LOST, DecodeError("no JSON")])
def test_what_may_heal_is_tried_twelve_times(write, error):
    written, calls, waits = write(Events(*[error] * 20))
    assert (written, len(calls)) == (None, 12)
    assert waits == [3.0] + [10.0] * 10  # the first wait by chance, so that not all come back at once


def test_it_may_succeed_in_the_end(write):
    written, calls, _ = write(Events(LOST, LOST))
    assert written is not None
    assert len(calls) == 3


@pytest.mark.parametrize(
    "error",
    [
        refused(ForbiddenError, "Forbidden", 403), refused(ForbiddenError, "Forbidden", 403, "NamespaceTerminating"),
        EXISTS, NOT_FOUND, InvalidRequestError("no name"), ClosedError("the client is closed"),
    ],
)  # fmt: skip
def test_refusals_and_what_cannot_be_sent_are_final(write, error):
    written, calls, waits = write(Events(error))
    assert (written, calls, waits) == (None, ["create"], [])


@pytest.mark.behaviour("7.7.5")
def test_a_series_whose_event_was_created_meanwhile_is_patched_after_all(write):
    written, calls, _ = write(Events(NOT_FOUND, EXISTS), PATCH)
    assert calls == ["patch", "create", "patch"]
    assert written is not None


def test_at_the_end_each_is_tried_once(write, closing):
    closing.cancel()
    written, calls, waits = write(Events(LOST))
    assert (written, calls, waits) == (None, ["create"], [])


def test_the_end_wakes_one_that_waits_for_a_last_try(write, closing):
    written, calls, _ = write(Events(LOST, LOST, LOST), sleep=lambda token, seconds: closing.cancel())
    assert (written, calls) == (None, ["create", "create"])
