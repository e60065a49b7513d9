"""The table in the machine's docstring is what the machine does; the docs draw their diagram from it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dynkube.errors import (
    APIStatusError,
    ConnectionLostError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ServiceUnavailableError,
)
from dynkube.wire.listwatch import ListWatch, Step
from dynkube.wire.watch import EventType, WatchEvent

_spec = importlib.util.spec_from_file_location("listwatch", Path(__file__).parents[2] / "docs" / "listwatch.py")
assert _spec is not None
assert _spec.loader is not None
docs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(docs)

EXPIRED = ExpiredError({"code": 410, "reason": "Expired"})
BUSY = ServiceUnavailableError({"code": 503})
FORBIDDEN = ForbiddenError({"code": 403, "reason": "Forbidden"})
INVALID = InvalidError({"code": 422, "reason": "Invalid"})
CUT = ConnectionLostError("cut")
GARBAGE = DecodeError("garbage")


class Machine:
    """Performs inputs by name and notes what each made of which command."""

    def __init__(self, **kwargs: Any) -> None:
        self.machine = ListWatch(**{"random": lambda: 0.0, **kwargs})
        self.now = 0.0
        self.after = "nothing"
        self.seen: list[tuple[str, str, str]] = []

    def do(self, name: str, *args: Any, seconds: float = 0.0) -> Machine:
        self.now += seconds
        step: Step = getattr(self.machine, name)(*args, now=self.now)
        command = type(step.command).__name__
        self.seen.append((self.after, name, command))
        self.after = command
        return self

    def start(self) -> Machine:
        return self.do("start")

    def page(self, token: str = "", version: str = "10") -> Machine:
        page = SimpleNamespace(
            kind="PodList", api_version="v1", objects=[], resource_version=version, continue_token=token
        )
        return self.do("on_list_page", page)

    def refused(self, error: Exception) -> Machine:
        return self.do("on_list_failed", error)

    def open(self) -> Machine:
        return self.do("on_watch_opened")

    def event(self, kind: str = "BOOKMARK", **obj: Any) -> Machine:
        return self.do("on_events", [WatchEvent(EventType(kind), obj or {"metadata": {"resourceVersion": "11"}})])

    def error(self, error: APIStatusError) -> Machine:
        return self.event("ERROR", code=error.code, reason=error.reason)

    def ended(self, error: Exception | None = None, seconds: float = 5.0) -> Machine:
        return self.do("on_watch_ended", error, seconds=seconds)

    def waited(self) -> Machine:
        return self.do("on_waited", seconds=1.0)

    def watching(self) -> Machine:
        return self.start().page().open()

    def failing(self, name: str, count: int, *, opens: bool = False) -> Machine:
        for _ in range(count):
            if opens and self.after == "Watch":
                self.open()
            self.do(name, GARBAGE, seconds=5.0)
            if self.after == "Wait":
                self.waited()
        return self


def given() -> Machine:
    return Machine(resource_version="7").start()


def streaming() -> Machine:
    return Machine(streaming=True).start()


def synced() -> Machine:
    end = {"annotations": {"k8s.io/initial-events-end": "true"}, "resourceVersion": "10"}
    return streaming().open().event(metadata=end)


def repeated(count: int) -> Machine:
    machine = Machine().start().page("token")
    for _ in range(count):
        machine.page("token")
        if machine.after == "Wait":
            machine.waited()
    return machine


SCENARIOS: list[Callable[[], Machine]] = [
    lambda: Machine().start().page("token").page("", version="11").page(),
    lambda: Machine().start().page("token").refused(EXPIRED).refused(BUSY).waited().refused(FORBIDDEN),
    lambda: Machine().start().refused(EXPIRED).waited(),
    lambda: repeated(5),
    lambda: Machine().watching().event().ended().ended(BUSY).waited().open().ended(seconds=0.5).waited(),
    lambda: Machine().watching().event().ended().ended(EXPIRED),
    lambda: Machine().watching().ended().ended(FORBIDDEN),
    lambda: Machine().start().page().ended(EXPIRED).waited(),
    lambda: Machine().watching().error(EXPIRED),
    lambda: Machine().watching().error(BUSY),
    lambda: Machine().watching().error(FORBIDDEN),
    lambda: Machine().watching().failing("on_watch_ended", 5, opens=True),
    given,
    lambda: given().ended(EXPIRED),
    lambda: given().open().error(EXPIRED),
    lambda: streaming().ended(INVALID),
    lambda: streaming().open().error(INVALID),
    lambda: streaming().open().ended(CUT),
    lambda: synced().error(EXPIRED),
    lambda: synced().event().ended().ended(EXPIRED),
    lambda: Machine(heal=True).watching().ended().ended(NotFoundError({"code": 404})).waited(),
]


def test_the_table_is_what_the_machine_does() -> None:
    seen = {transition for scenario in SCENARIOS for transition in scenario().seen}
    assert seen == {(row.after, row.input, row.command) for row in docs.transitions()}


def test_each_row_is_of_its_own() -> None:
    rows = docs.transitions()
    assert len({(row.after, row.input, row.command) for row in rows}) == len(rows) == 25


def test_the_diagram_has_an_edge_for_each_pair_and_the_table_a_line_for_each_row() -> None:
    drawn = docs.svg()
    for row in docs.transitions():
        assert f'data-edge="{row.after}-{row.command}"' in drawn
    assert len(docs.table()) == 2 + len(docs.transitions())


@pytest.mark.parametrize("error", [FORBIDDEN, NotFoundError({"code": 404}), GARBAGE, BUSY])
def test_healing_waits_out_whatever_the_server_says(error: Exception) -> None:
    machine = Machine(heal=True).start()
    for _ in range(10):
        assert machine.refused(error).after == "Wait"
        machine.waited()
    assert machine.page().after == "Watch"
    for _ in range(10):
        assert machine.ended(error).after == "Wait"
        machine.waited()
        if machine.after == "List":
            machine.page()
