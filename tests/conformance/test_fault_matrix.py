"""Every fault of the network against every kind of call, over https, on both servers.

`MATRIX` says what must come of each: a row is a fault, a column a call, a cell what happens and after how many
attempts. ``ok2 lost4`` reads: where the fault strikes once, the second attempt succeeds; where it stays, the call ends
in a `ConnectionLostError` after the fourth. One word counts for both. (The policy allows three repetitions here, and
does not wait before them; what it repeats is decided as ever. The second page of a list comes over a connection that
has served before: if that is lost, a new one takes its place at once, and this is no attempt of its own.)

Each cell shows besides: the call is over in time; a write went over the wire once for each attempt; and a create has
made one object at most.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import certs
import pytest
from manifests import CONFIGMAPS, NAMESPACES, PODS, config_map
from networkfaults import FAULTS

import dynkube
from dynkube.observers import Attempt, Observer
from dynkube.testing import AccessRule, ControlPlane, FaultProxy
from dynkube.wire.messages import Headers, Request
from dynkube.wire.retry import Mode, RetryPolicy

pytestmark = pytest.mark.behaviour("2.7.2", "2.7.4", "2.7.5", "2.7.9", "2.7.12")

# ------------------------------------------------------------------ what must happen

MATRIX = """
                       get         list        create      patch       delete      watch       discovery   log
refused                down1       down1       down1       down1       down1       down1       down1       down1
reset at connect       ok2 lost4   ok2 lost4   lost1       lost1       lost1       ok2 empty4  ok2 lost4   lost1
reset before headers   ok2 lost4   ok1 lost4   lost1       lost1       lost1       ok2 empty4  ok2 lost4   lost1
reset in headers       lost1       lost1       lost1       lost1       lost1       lost1       lost1       lost1
reset in body          lost1       lost1       lost1       lost1       lost1       empty1      lost1       lost1
half-closed            lost1       lost1       lost1       lost1       lost1       empty1      lost1       lost1
stall in headers       late1       late1       late1       late1       late1       late1       late1       late1
stall in body          late1       late1       late1       late1       late1       late1       late1       late1
half-open              late1       late1       late1       late1       late1       late1       late1       late1
truncated chunk        lost1       lost1       lost1       lost1       lost1       empty1      lost1       lost1
corrupt gzip           garbled1    garbled1    garbled1    garbled1    garbled1    garbled1    garbled1    garbled1
untrusted server       tls1        tls1        tls1        tls1        tls1        tls1        tls1        tls1
wrong certificate name tls1        tls1        tls1        tls1        tls1        tls1        tls1        tls1
429, come again        ok2 busy4   ok2 busy4   ok2 busy4   ok2 busy4   ok2 busy4   ok2 busy4   ok2 busy4   ok2 busy4
429                    busy1       busy1       busy1       busy1       busy1       busy1       busy1       busy1
503, come again        ok2 away4   ok2 away4   ok2 away4   ok2 away4   ok2 away4   ok2 away4   ok2 away4   ok2 away4
503                    away1       away1       away1       away1       away1       away1       away1       away1
500, come again        ok2 broken4 ok2 broken4 broken1     ok2 broken4 ok2 broken4 ok2 broken4 ok2 broken4 ok2 broken4
500                    broken1     broken1     broken1     broken1     broken1     broken1     broken1     broken1
504, come again        ok2 slow4   ok2 slow4   slow1       slow1       slow1       ok2 slow4   ok2 slow4   ok2 slow4
504                    slow1       slow1       slow1       slow1       slow1       slow1       slow1       slow1
slow bytes             ok1         ok1         ok1         ok1         ok1         ok1         ok1         ok1
"""

ERRORS: dict[str, type[dynkube.DynkubeError]] = {
    "down": dynkube.ConnectError,
    "tls": dynkube.TLSError,
    "lost": dynkube.ConnectionLostError,
    "late": dynkube.DeadlineExceededError,
    "garbled": dynkube.DecodeError,
    "busy": dynkube.TooManyRequestsError,
    "broken": dynkube.InternalServerError,
    "away": dynkube.ServiceUnavailableError,
    "slow": dynkube.TimeoutStatusError,
}
"""What the words of the matrix mean; ``ok`` is success, ``empty`` a watch that ends without an event."""

REPETITIONS = 3
PATIENCE = 0.4  # seconds that a call may take which meets silence
DEADLINE = 20.0  # and any other one
PROMPT = 10.0  # seconds after which a call must be over that nothing holds up


@dataclass(frozen=True)
class Cell:
    """One cell: where the fault strikes once, or stays, what comes of which call after how many attempts."""

    fault: str
    call: str
    stays: bool
    outcome: str
    attempts: int

    def __str__(self) -> str:
        return f"{self.fault}, {'always' if self.stays else 'once'}, {self.call}"


def cells() -> Iterator[Cell]:
    """The matrix, cell by cell."""
    heading, *rows = MATRIX.strip("\n").splitlines()
    calls = heading.split()
    columns = [heading.index(f" {call}") + 1 for call in calls]
    for row in rows:
        fault = row[: columns[0]].strip()
        for call, start, end in zip(calls, columns, [*columns[1:], len(row)], strict=True):
            words = row[start:end].split()
            for stays, word in zip((False, True), (words * 2)[:2], strict=True):
                yield Cell(
                    fault, call, stays, word.rstrip("0123456789"), int(word.lstrip("abcdefghijklmnopqrstuvwxyz"))
                )


# ------------------------------------------------------------------ the faults


@contextmanager
def striking(cell: Cell, proxy: FaultProxy) -> Iterator[None]:
    """The fault of a cell is there."""
    if cell.fault == "refused":
        proxy.refuse()
        proxy.cut_all()
        try:
            yield
        finally:
            proxy.accept()
    elif cell.fault == "half-open":  # the peer of an open connection is gone, and nobody has said so
        proxy.stall()
        try:
            yield
        finally:
            proxy.resume()
    elif cell.fault in FAULTS:
        second_page = cell.call == "list" and cell.fault != "reset at connect"
        wanted = {"when": lambda seen: "continue=" in seen.query} if second_page else {}
        proxy.inject(FAULTS[cell.fault](), times=None if cell.stays else 1, **wanted)
        yield
    else:
        yield


# ------------------------------------------------------------------ the calls


@dataclass
class Scene:
    """A client behind a proxy, and what it works on."""

    client: dynkube.DynamicClient
    namespace: str
    version: str
    timeout: float
    name: str
    log: str
    pages: list[str] = field(default_factory=list)

    @property
    def configmaps(self) -> dynkube.ResourceHandle:
        return self.client.resource(CONFIGMAPS).namespace(self.namespace)

    def get(self) -> bool:
        return self.configmaps.get("seed-0", timeout=self.timeout)["metadata"]["name"] == "seed-0"

    def list(self) -> bool:
        for each in self.configmaps.iter(limit=1, label_selector="seed", timeout=self.timeout):
            self.pages.append(each["metadata"]["name"])
        return self.pages == ["seed-0", "seed-1"]

    def create(self) -> bool:
        wanted = {"metadata": {"generateName": "made-", "labels": {"of": self.name}}}
        return self.configmaps.create(wanted, timeout=self.timeout)["metadata"]["labels"] == {"of": self.name}

    def patch(self) -> bool:
        patched = self.configmaps.patch("seed-0", {"data": {"by": self.name}}, timeout=self.timeout)
        return patched["data"]["by"] == self.name

    def delete(self) -> bool:
        self.configmaps.delete(self.name, timeout=self.timeout)
        return True

    def watch(self) -> bool | None:
        watched = self.configmaps.watch_once(
            resource_version=self.version, label_selector="seed", timeout_seconds=30, timeout=self.timeout
        )
        with watched as events:
            event = next(iter(events), None)
        if event is None:
            return None
        if event.type == "ERROR":
            raise dynkube.DecodeError(event.object["message"])
        return event.object["metadata"]["name"] == "seed-1"

    def discovery(self) -> bool:
        return "apps" in {group.name for group in self.client.discovery.server_groups(timeout=self.timeout)}

    def log_stream(self) -> bool:
        with self.client.rest.get().request_uri(self.log).timeout(self.timeout).stream() as stream:
            return b"seed-1" in stream.read_all()

    def do(self, call: str) -> bool | None:
        """Make the call: whether it gave what it should; None for a watch without an event."""
        done: bool | None = getattr(self, {"log": "log_stream"}.get(call, call))()
        return done


class AtOnce(RetryPolicy):
    """The real decisions, without the second that client-go waits after a lost connection."""

    def after_error(self, retries: int, request: Request, error: Exception, mode: Mode) -> float | None:
        return None if super().after_error(retries, request, error, mode) is None else 0.0

    def after_response(self, retries: int, request: Request, status: int, headers: Headers) -> float | None:
        return super().after_response(retries, request, status, headers)


class Attempts(Observer):
    """Counts the attempts of one call."""

    def __init__(self) -> None:
        self.most = 0

    def on_attempt(self, attempt: Attempt) -> None:
        self.most = max(self.most, attempt.number)


# ------------------------------------------------------------------ the servers

_numbers = itertools.count(1)


class Ground:
    """A server, a user who may do everything by token, and a namespace with two ConfigMaps."""

    def __init__(self, server: object, *, log: str = "") -> None:
        self.server = server
        self.namespace = f"matrix-{next(_numbers)}-{time.monotonic_ns() % 10_000_000}"
        everything = ("*",)
        for rule in ({"resources": everything, "api_groups": everything}, {"non_resource_urls": everything}):
            server.allow(AccessRule(user="token-user", verbs=everything, **rule))  # type: ignore[attr-defined]
        self.robot = dynkube.load_config(kubeconfig=server.token_user())  # type: ignore[attr-defined]
        self.admin = server.connect()  # type: ignore[attr-defined]
        self.admin.resource(NAMESPACES).create({"metadata": {"name": self.namespace}})
        self.configmaps = self.admin.resource(CONFIGMAPS).namespace(self.namespace)
        first = self.configmaps.create(config_map("seed-0", labels={"seed": "0"}, text="x" * 3000))
        self.configmaps.create(config_map("seed-1", labels={"seed": "1"}, text="x" * 3000))
        self.version = first["metadata"]["resourceVersion"]
        self.log = log or f"/api/v1/namespaces/{self.namespace}/configmaps/seed-1"

    def made(self, name: str) -> int:
        return len(self.configmaps.list(label_selector=f"of={name}"))

    def close(self) -> None:
        self.admin.resource(NAMESPACES).delete(self.namespace)
        self.admin.close()


def grounds(server: object) -> Iterator[Ground]:
    ground = Ground(server)
    yield ground
    ground.close()


@pytest.fixture(scope="module")
def real_ground(control_plane: ControlPlane) -> Iterator[Ground]:
    yield from grounds(control_plane)


@pytest.fixture(scope="module")
def embedded_ground(_embedded: object) -> Iterator[Ground]:
    yield from grounds(_embedded.server)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def node_ground() -> Iterator[Ground]:
    """A real server with a node, where a pod has logged a line."""
    with ControlPlane(test_node=True) as plane:
        ground = Ground(plane)
        command = ["/bin/sh", "-c", "echo seed-1 has something to say; sleep 1000"]
        wanted = {
            "metadata": {"name": "talks"},
            "spec": {"containers": [{"name": "c", "image": "i", "command": command}]},
        }
        pods = ground.admin.resource(PODS).namespace("default")
        pods.create(wanted)
        pods.wait("talks", condition="Ready", timeout=60)
        ground.log = "/api/v1/namespaces/default/pods/talks/log"
        with ground.admin.rest.get().request_uri(f"{ground.log}?follow=true").timeout(30).stream() as stream:
            assert b"seed-1" in stream.read()
        yield ground
        ground.close()


REAL = pytest.param("real", marks=pytest.mark.controlplane)


@pytest.fixture(params=[REAL, "embedded"])
def ground(request: pytest.FixtureRequest, cell: Cell) -> Ground:
    if request.param == "embedded":
        return request.getfixturevalue("embedded_ground")  # type: ignore[no-any-return]
    return request.getfixturevalue("node_ground" if cell.call == "log" else "real_ground")  # type: ignore[no-any-return]


# ------------------------------------------------------------------ each cell


def config_of(cell: Cell, ground: Ground, proxy: FaultProxy, attempts: Attempts) -> dynkube.RESTConfig:
    tls = dynkube.TLSConfig(
        ca_data=certs.good().ca_data if cell.fault == "untrusted server" else proxy.ca_data,
        server_name="other.example" if cell.fault == "wrong certificate name" else "",
    )
    return ground.robot.copy(host=proxy.url, tls=tls, observers=(attempts,))


@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_what_comes_of_it(cell: Cell, ground: Ground) -> None:
    name = f"case-{next(_numbers)}"
    attempts = Attempts()
    silent = cell.outcome == "late"
    if cell.call == "delete":
        ground.configmaps.create(config_map(name))
    with FaultProxy.before(ground.server) as proxy:
        config = config_of(cell, ground, proxy, attempts)
        with dynkube.DynamicClient(config, retry=AtOnce(REPETITIONS)) as client:
            scene = Scene(client, ground.namespace, ground.version, PATIENCE if silent else DEADLINE, name, ground.log)
            if cell.fault == "half-open":
                client.rest.get().abs_path("/version").do()
            before = len(proxy.requests)
            started = time.monotonic()
            with striking(cell, proxy):
                found = what_happens(scene, cell)
            took = time.monotonic() - started
            sent = proxy.requests[before:]
    assert (found, attempts.most) == (cell.outcome, cell.attempts)
    assert took < (PATIENCE if silent else 0) + PROMPT
    if cell.call in {"create", "patch", "delete"}:
        assert len(sent) <= cell.attempts, "a write is sent once for each attempt"
    if cell.call == "create":
        assert ground.made(name) <= 1
        assert ground.made(name) == 1 or cell.outcome != "ok"


def what_happens(scene: Scene, cell: Cell) -> str:
    """What came of the call, in the matrix' words."""
    try:
        done = scene.do(cell.call)
    except dynkube.DynkubeError as error:
        return next((word for word, kind in ERRORS.items() if type(error) is kind), type(error).__name__)
    return "empty" if done is None else "ok" if done else "wrong"
