"""What a `FaultProxy` has seen and what it shall do: written by its thread, read by tests; one lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

from dynkube.errors import ClosedError
from dynkube.testing._http1 import Head
from dynkube.testing.faults import CONNECTION_MOMENTS, Fault, Moment, ProxiedConnection, SeenRequest

_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})


@dataclass(slots=True)
class Exchange:
    """A request and what has been passed on of its response."""

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    injection: Injection | None = None
    pace: Injection | None = None
    status: int = 0
    complete: bool = False
    body_bytes: int = 0
    chunks: int = 0

    def seen(self) -> SeenRequest:
        """As it is now."""
        return SeenRequest(
            connection=self.connection,
            method=self.method,
            target=self.target,
            headers=self.headers,
            status=self.status,
            complete=self.complete,
        )


@dataclass(slots=True)
class ConnectionLog:
    """A connection's figures, as they grow."""

    number: int
    open: bool = True
    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    client_closed: bool = False
    http: bool = True
    error: str = ""

    def seen(self) -> ProxiedConnection:
        """As it is now."""
        return ProxiedConnection(
            number=self.number,
            open=self.open,
            requests=self.requests,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            client_closed=self.client_closed,
            http=self.http,
            error=self.error,
        )


class Injection:
    """A fault that waits for its request or connection; what `FaultProxy.inject` returns.

    ``fired`` counts how often it has happened.
    """

    def __init__(
        self,
        fault: Fault,
        *,
        journal: Journal,
        matches: Callable[[SeenRequest], bool],
        times: int | None,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self.fault = fault
        self.fired = 0
        self._claimed = 0
        self._journal = journal
        self._matches = matches
        self._times = times
        self._post = post
        self._removed = False
        self._drops = asyncio.Semaphore(0)

    @property
    def active(self) -> bool:
        """Whether it can still happen."""
        return not self._removed and (self._times is None or self._claimed < self._times)

    def remove(self) -> None:
        """Let it never happen again; idempotent."""
        with self._journal.changed:
            self._removed = True

    def wait(self, timeout: float = 10.0, *, times: int = 1) -> None:
        """Wait until it has happened.

        Args:
            timeout: Seconds to wait at most.
            times: How often it shall have happened.

        Raises:
            TimeoutError: It did not happen; the message says what the proxy saw instead.
        """
        self._journal.wait_for(lambda: self.fired >= times, timeout, f"{self.fault} to happen {times} times")

    def step(self, drops: int = 1) -> None:
        """Let so many drops of a ``Fault.dribble(interval=None)`` go; they may be asked for in advance."""

        def release() -> None:
            for _ in range(drops):
                self._drops.release()

        self._post(release)

    async def next_drop(self) -> None:
        """Wait until the next drop may go (the proxy's side)."""
        if self.fault.interval is None:
            await self._drops.acquire()
        else:
            await asyncio.sleep(self.fault.interval)

    def applies_to(self, request: SeenRequest) -> bool:
        """Whether it waits for such a request (the proxy's side)."""
        return self.active and self.fault.moment not in CONNECTION_MOMENTS and self._matches(request)

    def claim(self) -> bool:
        """Use one of its times, if there is one left (the proxy's side)."""
        with self._journal.changed:
            if not self.active:
                return False
            self._claimed += 1
        return True

    def announce(self) -> None:
        """Tell that it has happened: whoever waits may look now (the proxy's side)."""
        with self._journal.changed:
            self.fired += 1
            self._journal.changed.notify_all()

    def __repr__(self) -> str:
        return f"<{self.fault}, fired {self.fired} times>"


class Journal:
    """Connections, requests and injections of one proxy, under one condition."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.connections: list[ConnectionLog] = []
        self.exchanges: list[Exchange] = []
        self.injections: list[Injection] = []
        self.closed = False

    def add_connection(self, *, http: bool) -> ConnectionLog:
        """A new connection has come."""
        with self.changed:
            log = ConnectionLog(number=len(self.connections) + 1, http=http)
            self.connections.append(log)
            self.changed.notify_all()
        return log

    def add_exchange(self, log: ConnectionLog, head: Head) -> Exchange:
        """A new request has come; it carries the first injection that waits for it."""
        method, target, _ = head.start
        headers = tuple((name, _shown(name, value)) for name, value in head.fields)
        exchange = Exchange(connection=log.number, method=method, target=target, headers=headers)
        with self.changed:
            candidates = list(self.injections)
        exchange.injection = next((each for each in candidates if each.applies_to(exchange.seen())), None)
        with self.changed:
            log.requests += 1
            self.exchanges.append(exchange)
            self.changed.notify_all()
        return exchange

    def at_connection(self, moment: Moment) -> Injection | None:
        """The first injection that waits for a connection at that moment."""
        with self.changed:
            return next((each for each in self.injections if each.active and each.fault.moment is moment), None)

    def wait_for(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Wait until ``condition()``, looked at whenever something has changed.

        Raises:
            TimeoutError: It did not become true within ``timeout`` seconds.
            ClosedError: The proxy was closed meanwhile.
        """
        with self.changed:
            if self.changed.wait_for(lambda: condition() or self.closed, timeout) and condition():
                return
            seen = self._summary()
            if self.closed:
                raise ClosedError(f"the FaultProxy was closed while waiting for {what}; {seen}")
            raise TimeoutError(f"waited {timeout:g} s for {what}; {seen}")

    def _summary(self) -> str:
        requests = ", ".join(f"{each.method} {each.target}" for each in self.exchanges[-5:]) or "none"
        opened = sum(log.open for log in self.connections)
        text = f"seen so far: {len(self.connections)} connections ({opened} open), last requests: {requests}"
        opaque = sum(not log.http for log in self.connections)
        if opaque:
            text += (
                f"; {opaque} connections carried no plain HTTP/1.1: where it is TLS, let the proxy end it (tls=True)"
            )
        errors = [log.error for log in self.connections if log.error]
        return f"{text}; last error: {errors[-1]}" if errors else text


def _shown(name: str, value: str) -> str:
    if name in _CREDENTIALS:
        return f"{value.partition(' ')[0]} ..."
    return "..." if name == "cookie" else value
