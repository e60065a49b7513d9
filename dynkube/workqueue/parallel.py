"""A fixed number of pieces of work on a few threads (CG/util/workqueue/parallelizer.go)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from dynkube.arguments import checked_count, checked_function
from dynkube.transport import CallScope, CancelToken

__all__ = ["parallelize_until"]


def parallelize_until(
    workers: int,
    pieces: int,
    function: Callable[[int], object],
    *,
    chunk_size: int = 1,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> None:
    """Call ``function`` with 0, 1, ... ``pieces - 1``, on at most ``workers`` threads, and wait until all is done.

    Args:
        workers: how many threads at most; 1 or more.
        pieces: how many pieces there are.
        function: does the piece of a number. The first error ends the work: nothing more is begun.
        chunk_size: how many pieces a thread takes at a time; more is better for many small ones.
        timeout: seconds for all of it; looked at before each piece.
        cancel: a token that ends the work; looked at before each piece.

    Raises:
        InvalidRequestError: a number out of its range, or no function of a piece.
        DeadlineExceededError: the time ran out. What was begun has ended.
        CancelledError: the token was cancelled, likewise. client-go returns as if all were done.
        Exception: the first error of ``function``.

    Example:
        >>> squares = [0] * 5
        >>> def square(piece):
        ...     squares[piece] = piece * piece
        >>> parallelize_until(2, 5, square)
        >>> squares
        [0, 1, 4, 9, 16]
    """
    for name, value, least in (("workers", workers, 1), ("pieces", pieces, 0), ("chunk_size", chunk_size, 1)):
        checked_count(name, value, least=least)
    checked_function("function", function, "piece")
    scope = CallScope(timeout, cancel)
    starts = iter(range(0, pieces, chunk_size))
    over = threading.Event()

    def work() -> None:
        for start in starts:  # an iterator over a range is safe to share: next() is one step of the interpreter
            for piece in itertools.islice(range(start, pieces), chunk_size):
                if over.is_set():
                    return
                scope.check()
                function(piece)

    chunks = -(-pieces // chunk_size)
    if not chunks:
        return
    with ThreadPoolExecutor(min(workers, chunks), thread_name_prefix="dynkube-piece") as pool:
        running = [pool.submit(work) for _ in range(min(workers, chunks))]
        try:
            finished, _ = wait(running, return_when=FIRST_EXCEPTION)
        finally:
            over.set()  # also after Ctrl-C
    for each in (*finished, *running):
        each.result()
