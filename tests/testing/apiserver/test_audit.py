"""The record of requests, by itself: what it keeps of very many."""

from __future__ import annotations

import pytest

from dynkube.testing.apiserver.testbench.audit import Audit
from dynkube.testing.apiserver.words.messages import Headers, Request, RequestInfo, Response, UserInfo
from dynkube.testing.apiserver.words.requestinfo import request_info


def add(audit: Audit, path: str, body: bytes = b"", **headers: str) -> None:
    request = Request(method="POST", path=path, headers=Headers(headers.items()), body=body)
    audit.add(request, request_info(request), Response(status=201, user=UserInfo("alice", ("devs",))))


def test_the_oldest_requests_are_forgotten() -> None:
    audit = Audit(capacity=3)
    for number in range(5):
        add(audit, f"/{number}")
    assert [each.path for each in audit.requests] == ["/2", "/3", "/4"]


def test_the_oldest_bodies_are_forgotten_before_the_requests() -> None:
    audit = Audit(capacity=100, capacity_bytes=25)
    for number in range(5):
        add(audit, f"/{number}", b"x" * 10)
    assert [len(each.body) for each in audit.requests] == [0, 0, 0, 10, 10]


def test_both_bounds_hold_together() -> None:
    audit = Audit(capacity=3, capacity_bytes=25)
    for number in range(50):
        add(audit, f"/{number}", b"x" * (number % 12))
        assert len(audit) <= 3
        assert sum(len(each.body) for each in audit.requests) <= 25
    assert audit.requests[-1].body == b"x"


def test_a_body_larger_than_all_is_not_kept() -> None:
    audit = Audit(capacity_bytes=25)
    add(audit, "/", b"x" * 26)
    assert audit.requests[0].body == b""


@pytest.mark.parametrize("name", ["Authorization", "authorization", "Proxy-Authorization", "Cookie"])
def test_of_credentials_only_the_scheme_is_kept(name: str) -> None:
    audit = Audit()
    add(audit, "/", **{name: "Bearer secret-token"})
    assert audit.requests[0].headers.get(name) == "Bearer ..."
    assert "secret" not in repr(audit.requests[0])


def test_a_request_without_an_answer_has_no_status_and_no_user() -> None:
    audit = Audit()
    audit.add(Request(method="GET", path="/"), RequestInfo(verb="get", path="/"), None, "a fault")
    [request] = audit.requests
    assert (request.status, request.user, request.fault) == (0, "", "a fault")
