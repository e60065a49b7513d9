"""The logs of containers: `logs` and what it returns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from dynkube.dynamic import ResourceHandle
from dynkube.labels import LabelSelector
from dynkube.transport import CancelToken

__all__ = ["LogGap", "LogLine", "LogStream", "logs"]


class LogLine(str):
    """A line of a log, without its line end, and where it came from.

    Attributes:
        pod: the pod's name.
        container: the container's name.
    """

    __slots__ = ("container", "pod")

    pod: str
    container: str


class LogGap(LogLine):
    """Stands in a followed log for lines that are gone: the kubelet had them no longer when we were back.

    Its text says so in words. In a stream of bytes it is a line of its own.

    Attributes:
        reason: why there is nothing to read any more.
    """

    __slots__ = ("reason",)

    reason: str


class LogStream:
    """An open log. Iterate over its lines once; close it, or use it in a ``with``.

    Any thread may close it, which ends the iteration.
    """

    def __iter__(self) -> Iterator[LogLine]:
        return self

    def __next__(self) -> LogLine:
        raise NotImplementedError

    def chunks(self) -> Iterator[bytes]:
        """The log's bytes, as they come, instead of its lines."""
        raise NotImplementedError

    def text(self) -> str:
        """All that is left of the log, as text (what is no UTF-8 becomes U+FFFD)."""
        raise NotImplementedError

    def read(self) -> bytes:
        """All that is left of the log."""
        raise NotImplementedError

    def close(self) -> None:
        """End it, from any thread and any number of times."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def logs(
    pods: ResourceHandle,
    name: str | None = None,
    *,
    label_selector: str | LabelSelector | None = None,
    container: str | None = None,
    all_containers: bool = False,
    follow: bool = False,
    reconnect: bool = True,
    previous: bool = False,
    since_seconds: int | None = None,
    since_time: datetime | str | None = None,
    timestamps: bool = False,
    tail_lines: int | None = None,
    limit_bytes: int | None = None,
    stream: str | None = None,
    insecure_skip_tls_verify_backend: bool = False,
    prefix: bool = False,
    ignore_errors: bool = False,
    max_concurrent: int = 5,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> LogStream:
    """Read the log of a container, or of many.

    Args:
        pods: a handle of pods in a namespace; or of a workload (Deployment, Job, ...), whose pods are read.
        name: the pod's (or workload's) name; None with ``label_selector``.
        label_selector: read all pods that match; ``tail_lines`` is 10 then, unless given (as in kubectl).
        container: whose log; by default the pod's annotation ``kubectl.kubernetes.io/default-container`` says, else
            the first.
        all_containers: init containers, containers and ephemeral containers, in this order.
        follow: go on as the log grows, until the pod has ended.
        reconnect: while following, open the log again after a lost connection and go on where it broke, without loss
            or repetition, also over restarts of the container; what the kubelet no longer has comes as a `LogGap`.
        previous: the log of the container's previous run.
        since_seconds: only what is younger, in seconds.
        since_time: only what is younger than this moment (a `datetime` with a timezone, or RFC 3339 text).
        timestamps: begin each line with its time in RFC 3339.
        tail_lines: begin with so many of the last lines; 0 is none.
        limit_bytes: bytes at most; no reconnecting then.
        stream: ``"Stdout"``, ``"Stderr"`` or ``"All"`` (a feature of newer servers).
        insecure_skip_tls_verify_backend: have the API server not check the kubelet's certificate.
        prefix: begin each line with ``[pod/<pod>/<container>] ``.
        ignore_errors: when one of several logs fails, log a warning and go on with the others.
        max_concurrent: how many logs may be followed at once.
        timeout: seconds until the log must have ended; `DeadlineExceededError` then.
        cancel: a token that ends it; `CancelledError` then.

    Returns:
        An iterator of lines, with ``.text()``, ``.read()`` and ``.chunks()`` for all of it. Close it.

    Raises:
        NotFoundError: no such pod.
        BadRequestError: no such container, or it has not started; the server's own words.
        InvalidRequestError: the options exclude each other, or more logs than ``max_concurrent`` are to be followed.

    Example::

        for line in logs(pods, "api", follow=True, tail_lines=100):
            print(line)
    """
    raise NotImplementedError
