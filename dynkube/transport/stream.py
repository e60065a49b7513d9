"""A response body that is read as it arrives: watches, logs."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dynkube.errors import ClosedError, InvalidRequestError
from dynkube.transport.body import Gunzip, Source
from dynkube.transport.dial import Call
from dynkube.wire.messages import Headers, Request

__all__ = ["Stream"]


class Stream:
    """An open response.

    One thread reads at a time; any thread may close, which wakes the reader. Use it with ``with``, or close it.

    Attributes:
        status: The HTTP status.
        headers: The response's headers (``get``, ``getlist``).
        request: What was asked.
        note: What the transport has to say about a refusal; empty for nothing.
    """

    def __init__(
        self,
        request: Request,
        status: int,
        headers: Headers,
        source: Source,
        *,
        call: Call,
        gunzip: bool,
        explain: Callable[[Exception], Exception | None],
        finish: Callable[[], None],
    ) -> None:
        self.request = request
        self.status = status
        self.headers = headers
        self.note = ""
        self._source = source
        self._call = call
        self._decoder = Gunzip() if gunzip else None
        self._explain = explain
        self._finish = finish
        self._reading = threading.Lock()
        self._held = b""
        self._ended = False
        self._failure: Exception | None = None
        self._closed = False
        self._disposed = False

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def read(self, limit: int = 65536) -> bytes:
        """The next bytes, as soon as there are any.

        Args:
            limit: Bytes at most.

        Returns:
            At least one byte, or ``b""`` when the server has ended the response properly.

        Raises:
            ConnectionLostError: The connection broke before the end.
            RequestTimeoutError: Nothing came for longer than the read timeout.
            DeadlineExceededError: The call's deadline passed.
            CancelledError: The call was cancelled.
            ClosedError: This stream, or its client, was closed.
            DecodeError: The body is not the gzip that it says it is.
        """
        if limit < 1:
            raise InvalidRequestError(f"limit: want 1 byte or more, got {limit}")
        with self._reading:
            try:
                data = self._next(limit)
            finally:
                if self._closed or self._ended or self._failure is not None:
                    self._dispose()
        if self._closed:  # closed by another thread when this one was done
            self._close_idle()
        return data

    def read_ready(self, limit: int = 65536) -> bytes:
        """The next bytes, if they have arrived already; never waits.

        Args:
            limit: Bytes at most.

        Returns:
            The bytes, or ``b""`` where nothing has arrived, or where only `read` can say what is next: the end, or an
            error.
        """
        with self._reading:
            if self._decoder is not None or self._held or self._closed or self._ended or self._failure is not None:
                return b""
            return self._source.read_ready(limit)

    def read_all(self, limit: int | None = None) -> bytes:
        """Everything up to the end.

        Args:
            limit: Bytes at most; what comes after them stays unread. None reads all.

        Raises:
            Exception: As `read`.
        """
        buffer = io.BytesIO()
        while limit is None or buffer.tell() < limit:
            data = self.read(1 << 18 if limit is None else min(1 << 18, limit - buffer.tell()))
            if not data:
                break
            buffer.write(data)
        return buffer.getvalue()

    def close(self) -> None:
        """Close it, from any thread and any number of times; a thread that reads gets `ClosedError`."""
        self._closed = True
        self._call.interrupt()
        self._close_idle()

    def _close_idle(self) -> None:
        # A reader holds the stream's buffers; it disposes of them itself when it has woken up.
        if self._reading.acquire(blocking=False):
            try:
                self._dispose()
            finally:
                self._reading.release()

    def _next(self, limit: int) -> bytes:
        if self._closed:
            raise ClosedError("the stream has been closed")
        if self._failure is not None:
            raise self._failure
        if self._ended and not self._held:
            return b""
        try:
            data = self._decoded(limit)
        except Exception as error:
            raise self._failed(error) from error
        if self._call.cut and not data:
            # A socket that was shut down reads like the end of a body without a length.
            raise self._failed(ConnectionResetError("interrupted"))
        self._ended = not data
        return data

    def _failed(self, error: Exception) -> Exception:
        if self._closed:
            return ClosedError("the stream has been closed")
        self._failure = self._explain(error) or error
        return self._failure

    def _decoded(self, limit: int) -> bytes:
        if self._decoder is None:
            return self._source.read(limit)
        while not self._held:
            data = self._source.read(max(limit, 65536))
            if not data:
                self._decoder.finish()
                return b""
            self._held = self._decoder.feed(data)
        text, self._held = self._held[:limit], self._held[limit:]
        return text

    def _dispose(self) -> None:
        if not self._disposed:
            self._disposed = True
            self._finish()
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "ended" if self._ended else "open"
        return f"<Stream {self.request.method} {self.request.path} {self.status} {state}>"
