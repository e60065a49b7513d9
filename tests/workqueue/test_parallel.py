"""Pieces of work on a few threads."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from dynkube.errors import CancelledError, DeadlineExceededError, InvalidRequestError
from dynkube.transport import CancelToken
from dynkube.workqueue import parallelize_until

pytestmark = pytest.mark.behaviour("7.5.5")


@pytest.mark.parametrize(
    ("workers", "pieces", "chunk_size"), [(3, 0, 1), (3, 1, 1), (3, 1000, 1), (10, 1000, 10), (3, 999, 10), (1, 7, 100)]
)
def test_each_piece_is_done_once(workers, pieces, chunk_size):
    seen, lock = Counter(), threading.Lock()

    def do(piece):
        with lock:
            seen[piece] += 1

    parallelize_until(workers, pieces, do, chunk_size=chunk_size)
    assert seen == Counter(range(pieces))


def test_pieces_are_done_side_by_side():
    together = threading.Barrier(3, timeout=60)
    parallelize_until(3, 3, lambda piece: together.wait())


def test_the_first_error_ends_the_work():
    seen = []

    def do(piece):
        seen.append(piece)
        if piece == 3:
            raise OSError("no")

    with pytest.raises(OSError, match="no"):
        parallelize_until(1, 1000, do)
    assert seen == [0, 1, 2, 3]


def test_a_token_ends_the_work_between_pieces():
    token, seen = CancelToken(), []

    def do(piece):
        seen.append(piece)
        token.cancel()

    with pytest.raises(CancelledError):
        parallelize_until(1, 1000, do, chunk_size=100, cancel=token)
    assert seen == [0]


def test_its_time_may_run_out():
    hang = threading.Event()
    with pytest.raises(DeadlineExceededError):
        parallelize_until(2, 1000, lambda piece: hang.wait(0.01), timeout=0.05)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("workers", (0, 1, 1)), ("pieces", (1, -1, 1)), ("chunk_size", (1, 1, 0)),
        ("workers", ("a", 1, 1)), ("pieces", (1, 1.5, 1)), ("chunk_size", (1, 1, None)),
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused_by_name(name, values):
    workers, pieces, chunk_size = values
    with pytest.raises(InvalidRequestError, match=name):
        parallelize_until(workers, pieces, print, chunk_size=chunk_size)


@pytest.mark.parametrize("function", [3, lambda: 1])
def test_what_takes_no_piece_is_refused(function):
    with pytest.raises(InvalidRequestError, match="function"):
        parallelize_until(1, 0, function)


def test_a_piece_that_wants_to_end_the_process_is_heard():
    def leave(piece):
        raise SystemExit("bad config")

    with pytest.raises(SystemExit, match="bad config"):
        parallelize_until(2, 10, leave)
