"""Faults on demand: what the embedded server does wrong, and to which requests.

::

    with server.faults.inject(ServerFault.answer(503, retry_after=1), verb="list", resource="pods"):
        client.resource("pods").list()                 # one 503, then a list

    lost = server.faults.inject(ServerFault.cut(after_body_bytes=200), verb="watch", times=None)
    ...
    lost.remove()

=============================================  =========================================================
``ServerFault.answer(429, retry_after=1)``     a Status of its own; the request does nothing
``ServerFault.delay(0.2)``                     the right answer, late
``ServerFault.hang()``                         no answer, while the injection lasts
``ServerFault.cut(after_body_bytes=100)``      FIN amid the body, amid a chunk where there are chunks
``ServerFault.reset()``                        RST instead of the answer
``ServerFault.content_type("text/html")``      the right body under a wrong name
``ServerFault.html()``                         200 with a page of HTML
``ServerFault.garbage()``                      JSON that breaks off
``ServerFault.empty()``                        200 with no body
``ServerFault.corrupt_gzip()``                 gzip that cannot be unpacked
``ServerFault.oversized_frame()``              a watch frame larger than any client takes
=============================================  =========================================================

Any of them comes late with ``.after(seconds)``. The words are `dynkube.testing.FaultProxy`'s, which
stands before any server and knows connections and bytes; this room knows verbs and resources.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Self

from dynkube.errors import InvalidRequestError
from dynkube.testing.apiserver.testbench import effects
from dynkube.testing.apiserver.testbench.effects import Effect
from dynkube.testing.apiserver.words.messages import Request, RequestInfo, Response

__all__ = ["Faults", "ServerFault", "ServerInjection"]

_OVERSIZED = 17 * 2**20


@dataclass(frozen=True, slots=True)
class ServerFault:
    """One thing that goes wrong with an answer; made by the methods below.

    >>> ServerFault.answer(503, retry_after=1).after(0.5)
    ServerFault.answer(503, retry_after=1).after(0.5)
    """

    effect: Effect
    text: str
    seconds: float = 0.0

    def __repr__(self) -> str:
        late = f".after({self.seconds:g})" if self.seconds else ""
        return f"ServerFault.{self.text}{late}"

    def after(self, seconds: float) -> ServerFault:
        """The same, after so many seconds.

        Raises:
            InvalidRequestError: ``seconds`` is below 0.
        """
        if seconds < 0:
            raise InvalidRequestError(f"seconds={seconds}: give seconds from 0 on")
        return replace(self, seconds=seconds)

    # ------------------------------------------------------------------ instead of the answer

    @classmethod
    def answer(cls, status: int, *, reason: str = "", message: str = "", retry_after: int | None = None) -> ServerFault:
        """Refuse the request with a Status, before anything is done.

        Args:
            status: The HTTP status, from 400 to 599.
            reason: The Status's; default: the one that the API server has for this status.
            message: The Status's; default: such as the API server's.
            retry_after: Seconds for a Retry-After header and the Status's details; None for neither.

        Raises:
            InvalidRequestError: The status is none of a failure.
        """
        if not 400 <= status <= 599:
            raise InvalidRequestError(f"status={status}: give the HTTP status of a failure, from 400 to 599")
        said = [str(status)]
        said += [f"{name}={value!r}" for name, value in (("reason", reason), ("message", message)) if value]
        said += [] if retry_after is None else [f"retry_after={retry_after}"]
        return cls(effects.Answer(status, reason, message, retry_after), f"answer({', '.join(said)})")

    @classmethod
    def hang(cls) -> ServerFault:
        """Never answer, and do nothing, until the injection is removed; then cut the connection."""
        return cls(effects.Hang(), "hang()")

    @classmethod
    def html(cls) -> ServerFault:
        """Answer 200 with a page of HTML, as a captive portal or a proxy does; nothing is done."""
        return cls(effects.Html(), "html()")

    @classmethod
    def empty(cls) -> ServerFault:
        """Answer 200 without a body; nothing is done."""
        return cls(effects.Empty(), "empty()")

    # ------------------------------------------------------------------ the answer, spoilt

    @classmethod
    def delay(cls, seconds: float) -> ServerFault:
        """Answer as always, so many seconds late: the request is looked at only then.

        Raises:
            InvalidRequestError: ``seconds`` is below 0.
        """
        return cls(effects.Nothing(), "delay()").after(seconds)

    @classmethod
    def cut(
        cls, *, at: Literal["request", "response"] | None = None, after_body_bytes: int | None = None
    ) -> ServerFault:
        """Close the connection with a FIN (without a close_notify), as a process does that dies.

        Args:
            at: ``"request"``: nothing is done; ``"response"`` (the default): it is done, and no byte
                of the answer sent.
            after_body_bytes: So many bytes of the body are sent, amid a chunk where there are chunks; of an exec,
                attach or port-forward, of what follows the upgrade.

        Raises:
            InvalidRequestError: Both, or a number below 0.
        """
        if after_body_bytes is None:
            return cls(_end(at or "response", reset=False), f"cut(at={at or 'response'!r})")
        if at is not None:
            raise InvalidRequestError("at and after_body_bytes: a fault has one moment, give one of them")
        if after_body_bytes < 0:
            raise InvalidRequestError(f"after_body_bytes={after_body_bytes}: give a number from 0 on")
        return cls(effects.Cut(after_body_bytes), f"cut(after_body_bytes={after_body_bytes})")

    @classmethod
    def reset(cls, *, at: Literal["request", "response"] = "response") -> ServerFault:
        """Reset the connection with an RST: before anything is done, or when it is done."""
        return cls(_end(at, reset=True), f"reset(at={at!r})")

    @classmethod
    def content_type(cls, content_type: str) -> ServerFault:
        """Answer as always, and say that the body is something else.

        Raises:
            InvalidRequestError: It cannot be sent as a header.
        """
        if not content_type.isascii() or not content_type.isprintable():
            raise InvalidRequestError(f"content_type={content_type!r} cannot be sent as a header")
        return cls(effects.ContentType(content_type), f"content_type({content_type!r})")

    @classmethod
    def garbage(cls) -> ServerFault:
        """Break the JSON of the answer off; a watch gets a line that breaks off, and ends."""
        return cls(effects.Garbage(), "garbage()")

    @classmethod
    def corrupt_gzip(cls) -> ServerFault:
        """Say that the answer is gzip, and damage it."""
        return cls(effects.CorruptGzip(), "corrupt_gzip()")

    @classmethod
    def oversized_frame(cls, size: int = _OVERSIZED) -> ServerFault:
        """Begin a watch with a frame of so many bytes; by default more than client-go takes (16 MiB).

        Raises:
            InvalidRequestError: The size is smaller than any frame.
        """
        if size < effects.SMALLEST_FRAME:
            raise InvalidRequestError(f"size={size}: a frame has at least {effects.SMALLEST_FRAME} bytes")
        return cls(effects.OversizedFrame(size), f"oversized_frame({size})")


def _end(at: str, *, reset: bool) -> Effect:
    if at == "request":
        return effects.Refuse(reset)
    if at == "response":
        return effects.Lose(reset)
    raise InvalidRequestError(f"at={at!r}: give 'request' or 'response'")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matcher:
    """Which requests; what is empty matches all."""

    method: str = ""
    path: str | re.Pattern[str] = ""
    verb: str = ""
    group: str | None = None
    resource: str = ""
    subresource: str | None = None
    namespace: str = ""
    name: str = ""
    when: Callable[[Request], bool] | None = None

    def matches(self, request: Request, about: RequestInfo) -> bool:
        wanted = (
            (self.method.upper(), request.method),
            (self.verb, about.verb),
            (self.resource, about.resource),
            (self.namespace, about.namespace),
            (self.name, about.name),
        )
        if any(want not in {"", has} for want, has in wanted):
            return False
        if self.group not in {None, about.group} or self.subresource not in {None, about.subresource}:
            return False
        return self._matches_path(request.path) and (self.when is None or self.when(request))

    def _matches_path(self, path: str) -> bool:
        if isinstance(self.path, str):
            return path.startswith(self.path)
        return self.path.search(path) is not None


class ServerInjection:
    """A fault that waits for its requests: what `Faults.inject` returns; a context manager that removes it.

    Attributes:
        fault: What happens.
        fired: How often it has happened.
    """

    def __init__(self, fault: ServerFault, matcher: _Matcher, times: int | None, faults: Faults) -> None:
        self.fault = fault
        self.fired = 0
        self._matcher = matcher
        self._times = times
        self._faults = faults
        self._is_removed = False
        self._endings: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<{self.fault}, fired {self.fired} times>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def active(self) -> bool:
        """Whether it can still happen."""
        return not self._is_removed and (self._times is None or self.fired < self._times)

    def remove(self) -> None:
        """Let it never happen again, and end requests that hang by it. Idempotent."""
        with self._faults.changed:
            self._is_removed = True
            endings, self._endings = self._endings, []
        for end in endings:
            end()

    def wait(self, timeout: float = 10.0, *, times: int = 1) -> None:
        """Wait until it has happened so often.

        Raises:
            TimeoutError: It has not within ``timeout`` seconds.
        """
        with self._faults.changed:
            if not self._faults.changed.wait_for(lambda: self.fired >= times, timeout):
                raise TimeoutError(f"{self.fault} has happened {self.fired} times in {timeout:g} s, not {times}")

    def claim(self, request: Request, about: RequestInfo) -> bool:
        """Whether it happens to this request; counts it (the server's side)."""
        with self._faults.changed:
            if not self.active or not self._matcher.matches(request, about):
                return False
            self.fired += 1
            self._faults.changed.notify_all()
            return True

    async def apply(self, handle: Callable[[], Awaitable[Response]]) -> Response:
        """Make the response to a request that was claimed; ``handle`` makes the right one (the server's side).

        Raises:
            ConnectionCut: There is none.
        """
        fault = self.fault
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if isinstance(fault.effect, effects.Hang):
            await self._removed()
        if isinstance(fault.effect, effects.Substitute):
            return fault.effect.respond()
        return await fault.effect.spoil(await handle())

    async def _removed(self) -> None:
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def end() -> None:
            loop.call_soon_threadsafe(over.set)

        with self._faults.changed:
            if self._is_removed:
                return
            self._endings.append(end)
        try:
            await over.wait()
        finally:
            with self._faults.changed:
                if end in self._endings:
                    self._endings.remove(end)


class Faults:
    """The faults of one server: `APIServer.faults`. May be used from any thread."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._injections: list[ServerInjection] = []

    def __repr__(self) -> str:
        return f"<Faults: {len(list(self))} active>"

    def __iter__(self) -> Iterator[ServerInjection]:
        with self.changed:
            return iter([each for each in self._injections if each.active])

    def inject(
        self,
        fault: ServerFault,
        *,
        method: str = "",
        path: str | re.Pattern[str] = "",
        verb: str = "",
        group: str | None = None,
        resource: str = "",
        subresource: str | None = None,
        namespace: str = "",
        name: str = "",
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> ServerInjection:
        """Lay a fault before the next requests that fit.

        One request carries one fault: of those that fit, the one that was injected first.

        Args:
            fault: What happens.
            method: Only requests of this HTTP method.
            path: Only paths that begin so, or in which the pattern is found; escaped, without the query.
            verb: Only this verb of Kubernetes: ``get``, ``list``, ``watch``, ``deletecollection``, ...
            group: Only this API group; "" is the core group.
            resource: Only this resource: ``pods``.
            subresource: Only this one; "" is the object itself.
            namespace: Only in this namespace.
            name: Only the object of this name.
            when: Only requests for which this returns True; called in the server's thread.
            times: How often; None for always, until it is removed.

        Returns:
            A handle to wait for it, count it and remove it; a context manager that removes it.

        Raises:
            InvalidRequestError: ``fault`` is none, or ``times`` below 1.
        """
        if not isinstance(fault, ServerFault):
            raise InvalidRequestError(f"fault={fault!r}: make one by ServerFault, such as ServerFault.answer(503)")
        if times is not None and times < 1:
            raise InvalidRequestError(f"times={times}: give a number from 1 on, or None for always")
        if fault.effect.verb:
            verb = verb or fault.effect.verb
        matcher = _Matcher(
            method=method,
            path=path,
            verb=verb,
            group=group,
            resource=resource,
            subresource=subresource,
            namespace=namespace,
            name=name,
            when=when,
        )
        injection = ServerInjection(fault, matcher, times, self)
        with self.changed:
            self._injections = [each for each in self._injections if each.active]
            self._injections.append(injection)
        return injection

    def clear(self) -> None:
        """Remove all faults."""
        with self.changed:
            injections, self._injections = self._injections, []
        for each in injections:
            each.remove()

    def find(self, request: Request, about: RequestInfo) -> ServerInjection | None:
        """The fault that happens to a request, counted (the server's side)."""
        if not self._injections:
            return None
        with self.changed:
            injections = list(self._injections)
        return next((each for each in injections if each.claim(request, about)), None)
