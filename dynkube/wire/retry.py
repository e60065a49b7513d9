"""Which attempts are worth another: client-go's table, decided without a clock.

See CG/rest/with_retry.go and 2.7 in docs/reference/parity. One rule is stricter here: a write is
repeated only where the server has said that it did nothing. So a POST is repeated only after 429 or
503, and no write after 504, which says that the first one may still be on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dynkube.errors import ConnectionLostError, InvalidRequestError, RequestTimeoutError
from dynkube.wire.messages import Headers, Request, retry_after_seconds

__all__ = ["Mode", "PersistentRetryPolicy", "RetryPolicy"]

Mode = Literal["do", "stream", "watch"]
"""How the response is read: whole, as a byte stream, or as a watch."""

_AFTER_LOST_CONNECTION = 1.0  # seconds: client-go's synthetic Retry-After
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_IDEMPOTENT = _READS | {"PUT", "DELETE"}  # RFC 9110 9.2.2
_UNAVAILABLE = frozenset({429, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is repeated, and after what.

    Attributes:
        max_retries: repetitions after the first attempt; below 0 counts as 0.

    Example:
        >>> RetryPolicy().after_error(0, Request("GET", "/api"), ConnectionLostError("reset"), "do")
        1.0
    """

    max_retries: int = 10

    def __post_init__(self) -> None:
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int):
            raise InvalidRequestError(f"max_retries must be a whole number, not {self.max_retries!r}")

    def after_response(self, retries: int, request: Request, status: int, headers: Headers) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        Only 429 and 5xx with an integer ``Retry-After`` are repeated, in any mode (2.7.2).

        Args:
            retries: how many repetitions there were.
            request: what was asked.
            status: the HTTP status code.
            headers: the response headers.
        """
        if status != 429 and status < 500:
            return None
        delay = retry_after_seconds(headers)
        if delay is None or not self._may_repeat(retries, request):
            return None
        if request.method not in _READS and not _refused(request, status):
            return None
        return float(delay)

    def after_error(self, retries: int, request: Request, error: Exception, mode: Mode) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        A lost connection is repeated for a GET that is read whole and for the start of a watch; a
        timeout for the start of a watch; a refused connection, a wrong name or a TLS failure never
        (2.7.4, 2.7.5). A failure in the middle of a body never (2.7.12).

        Args:
            retries: how many repetitions there were.
            request: what was asked.
            error: what the transport raised.
            mode: how the response is read.
        """
        if request.method != "GET" or mode == "stream" or not self._may_repeat(retries, request):
            return None
        if self.is_quiet_end(error, mode) or (mode == "do" and _is_lost(error)):
            return _AFTER_LOST_CONNECTION
        return None

    @staticmethod
    def is_quiet_end(error: Exception, mode: Mode) -> bool:
        """Whether a watch that cannot start for this reason is an empty one (2.7.9)."""
        return mode == "watch" and (_is_lost(error) or isinstance(error, RequestTimeoutError))

    def _may_repeat(self, retries: int, request: Request) -> bool:
        return retries < max(self.max_retries, 0) and request.replayable


@dataclass(frozen=True, slots=True)
class PersistentRetryPolicy(RetryPolicy):
    """Repeats idempotent requests after 429, 503 and 504 even without ``Retry-After`` (kube-rs' policy; 2.7.11).

    For servers behind balancers and gateways that do not send the header. GET, HEAD, OPTIONS, PUT and DELETE get
    ``extra_retries`` more attempts, after ``first_delay`` seconds, then twice as long each time, up to
    ``longest_delay``; POST and PATCH none. Where the header is sent, `RetryPolicy`'s rules count.

    A PUT or DELETE whose first attempt took effect behind a 503 or 504 meets its own work on the second: a
    `ConflictError` for a PUT with a resourceVersion, a `NotFoundError` for a DELETE.

    Attributes:
        extra_retries: repetitions after an answer without ``Retry-After``.
        first_delay: seconds before the first of them.
        longest_delay: seconds before any of them, at most.

    Example:
        >>> policy = PersistentRetryPolicy()
        >>> [policy.backoff(retries) for retries in range(6)]
        [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    """

    extra_retries: int = 3
    first_delay: float = 0.5
    longest_delay: float = 5.0

    def __post_init__(self) -> None:
        # Not super(): dataclass(slots=True) makes a class anew, and the zero-argument form knows the first one.
        RetryPolicy.__post_init__(self)
        if not 0 < self.first_delay <= self.longest_delay:
            raise InvalidRequestError(
                f"want first_delay above 0 and at most longest_delay, got {self.first_delay!r}, {self.longest_delay!r}"
            )

    def backoff(self, retries: int) -> float:
        """Seconds to wait after ``retries`` repetitions."""
        return float(min(self.longest_delay, self.first_delay * 2.0 ** min(retries, 60)))

    def after_response(self, retries: int, request: Request, status: int, headers: Headers) -> float | None:
        """As `RetryPolicy.after_response`, and more for idempotent requests."""
        delay = RetryPolicy.after_response(self, retries, request, status, headers)
        if delay is not None:
            return delay
        extra = status in _UNAVAILABLE and request.method in _IDEMPOTENT and retries < self.extra_retries
        if not extra or not self._may_repeat(retries, request):
            return None
        return max(self.backoff(retries), float(retry_after_seconds(headers) or 0))


def _refused(request: Request, status: int) -> bool:
    return status in {429, 503} if request.method == "POST" else status != 504


def _is_lost(error: Exception) -> bool:
    return isinstance(error, ConnectionLostError) and not error.response_started
