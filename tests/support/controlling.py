"""What tests of controllers share: one that runs, and what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dynkube.controller import Controller, Request, Result
from dynkube.transport import CancelToken

PATIENCE = 60.0


class Asked:
    """A reconcile that keeps what it is asked, and lets a case wait for it."""

    def __init__(self, answer: Callable[[Request], Result | None] = lambda request: None) -> None:
        self.requests: list[Request] = []
        self.answer = answer
        self._changed = threading.Condition()

    def __call__(self, request: Request) -> Result | None:
        seen = request.object  # as it is now
        del seen
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        return self.answer(request)

    @property
    def names(self) -> list[str]:
        return [request.name for request in self.requests]

    def wait_until(self, enough: Callable[[list[Request]], Any]) -> list[Request]:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.requests), PATIENCE), self.requests
            return list(self.requests)

    def wait(self, count: int) -> list[Request]:
        return self.wait_until(lambda requests: len(requests) >= count)


@contextlib.contextmanager
def running(controller: Controller, **options: Any) -> Iterator[CancelToken]:
    """The controller on a thread that must end."""
    token, errors = CancelToken(), []

    def run() -> None:
        try:
            controller.run(cancel=token, **options)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield token
    finally:
        token.cancel()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert errors == []
