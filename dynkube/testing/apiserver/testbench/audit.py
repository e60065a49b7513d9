"""What was asked of a server: a bounded record of requests, for assertions."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any

from dynkube import codec
from dynkube.testing.apiserver.words.messages import Headers, Request, RequestInfo, Response, UserInfo

__all__ = ["Audit", "AuditedRequest"]

_CAPACITY = 20_000
_CAPACITY_BYTES = 8 * 2**20
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRequest:
    """A request that a server has answered, or begun to answer.

    ``path`` is as it was sent, escaped; ``query`` decoded. ``verb``, ``group``, ``version``,
    ``resource``, ``subresource``, ``namespace`` and ``name`` are what the server understood; of a path
    that is no resource, ``verb`` is the method in lower case. ``user`` is "" where the request got no
    further than that. ``fault`` is the fault that it met. Of a header with a credential only the
    scheme is kept. ``body`` is empty, too, when so much was sent since that it has been forgotten.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes = field(default=b"", repr=False)
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    status: int = 0
    """0 where there was no answer."""
    fault: str = ""

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter; None where there is none."""
        return next((value for each, value in self.query if each == name), None)

    def json(self) -> Any:
        """The body, decoded.

        Raises:
            DecodeError: It is no JSON.
        """
        return codec.decode(self.body)


class Audit:
    """The latest requests of one server; written by its loop, read from any thread."""

    def __init__(self, capacity: int = _CAPACITY, capacity_bytes: int = _CAPACITY_BYTES) -> None:
        self._changed = threading.Condition()
        self._requests: deque[AuditedRequest] = deque()
        self._bodiless = 0  # how many requests, from the first on, have no body any more
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: Request, about: RequestInfo, response: Response | None, fault: str = "") -> None:
        """Keep a request; forget the oldest bodies, and the oldest requests, where there are too many."""
        found = _audited(request, about, response, fault)
        with self._changed:
            self._requests.append(found)
            self._bytes += len(found.body)
            while self._bytes > self._capacity_bytes:
                self._forget_body()
            if len(self._requests) > self._capacity:
                self._bytes -= len(self._requests.popleft().body)
                self._bodiless = max(self._bodiless - 1, 0)
            if self._waiting:
                self._changed.notify_all()

    def _forget_body(self) -> None:
        oldest = self._requests[self._bodiless]
        self._bytes -= len(oldest.body)
        self._requests[self._bodiless] = replace(oldest, body=b"")
        self._bodiless += 1

    @property
    def requests(self) -> Sequence[AuditedRequest]:
        """All that are kept, the oldest first."""
        with self._changed:
            return tuple(self._requests)

    def clear(self) -> None:
        """Forget all."""
        with self._changed:
            self._requests.clear()
            self._bytes = self._bodiless = 0

    def wait_for(self, matches: Callable[[AuditedRequest], bool], count: int, timeout: float, what: str) -> None:
        """Wait until so many of the requests that are kept match.

        Raises:
            TimeoutError: They have not come in time.
        """

        def come() -> bool:
            return sum(1 for each in self._requests if matches(each)) >= count

        with self._changed:
            self._waiting += 1
            try:
                if not self._changed.wait_for(come, timeout):
                    seen = ", ".join(f"{each.method} {each.path}" for each in list(self._requests)[-5:]) or "none"
                    raise TimeoutError(f"waited {timeout:g} s for {what}; the last requests: {seen}")
            finally:
                self._waiting -= 1


def _audited(request: Request, about: RequestInfo, response: Response | None, fault: str) -> AuditedRequest:
    user = (response.user if response is not None else None) or UserInfo("")
    return AuditedRequest(
        method=request.method,
        path=request.path,
        query=tuple(request.query),
        headers=Headers((intern(str(name)), intern(_shown(name, value))) for name, value in request.headers),
        body=request.body,
        verb=about.verb,
        group=about.group,
        version=about.version,
        resource=about.resource,
        subresource=about.subresource,
        namespace=about.namespace,
        name=about.name,
        user=user.name,
        groups=tuple(user.groups),
        status=0 if response is None else response.status,
        fault=fault,
    )


def _shown(name: str, value: str) -> str:
    return f"{value.partition(' ')[0]} ..." if name.lower() in _CREDENTIALS else value
