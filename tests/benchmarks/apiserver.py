"""The embedded API server: how soon it is there, how much it takes, how much it costs; beside the real one.

``python tests/benchmarks/apiserver.py``; with ``$KUBEBUILDER_ASSETS`` set, lists are also taken from a real
control plane. Not a test: nothing fails when it is slow. Clients are processes of their own, so that they do not
share the server's interpreter; they count bytes and decode nothing.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from seed import NAMESPACE, create_pods

from dynkube.testing import APIServer, ControlPlane

_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
_CONFIGMAP_BYTES = 1_000
_ASSETS = "KUBEBUILDER_ASSETS"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How much to do."""

    pods: int = 5_000
    creates: int = 4_000
    connections: int = 8
    watches: int = 10
    events: int = 5_000
    rounds: int = 5


_QUICK = _Plan(pods=1_000, creates=1_000, events=1_000, rounds=3)


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--only", nargs="+", choices=list(_MEASURES), default=list(_MEASURES), help="some of it")
    parser.add_argument("--client", nargs="+", metavar="CASE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        case, *values = arguments.client
        print(json.dumps(_CLIENTS[case](*values)))
        return
    plan = _QUICK if arguments.quick else _Plan()
    print(f"{'':58}  {'here':>18}  goal", flush=True)
    for measure in arguments.only:
        for name, figure, goal in _MEASURES[measure](plan):
            print(f"{name:58}  {figure:>18}  {goal}", flush=True)


# ---------------------------------------------------------------------- cases


def _starts(plan: _Plan) -> list[tuple[str, str, str]]:
    fresh = [_fresh_start() for _ in range(plan.rounds)]
    warm, idle, busy = [], [], []
    for number in range(2 * plan.rounds):
        begin = time.perf_counter()
        server = APIServer()
        server.start()
        answered = Client(server.kubeconfig).get("/api/v1/namespaces/default")
        warm.append(time.perf_counter() - begin)
        assert answered.startswith(b"{")
        with _open_watches(server, plan.watches if number % 2 else 0):
            begin = time.perf_counter()
            server.stop()
            (busy if number % 2 else idle).append(time.perf_counter() - begin)
    return [
        ("start to first answer, fresh process", _seconds(fresh), "0.5 s"),
        ("start to first answer, warm process", _seconds(warm[1:]), "0.15 s"),
        ("stop", _seconds(idle), "0.05 s"),
        (f"stop with {plan.watches} watches", _seconds(busy), "0.05 s"),
    ]


def _fresh_start() -> float:
    done = subprocess.run([sys.executable, __file__, "--client", "fresh"], check=True, capture_output=True, text=True)
    seconds: float = json.loads(done.stdout)
    return seconds


def _creates(plan: _Plan) -> list[tuple[str, str, str]]:
    rates = []
    for _ in range(plan.rounds):
        with APIServer() as server:
            figures = _client("creates", server, plan.creates, plan.connections)
            rates.append(figures["count"] / figures["seconds"])
    return [(f"creates of 1 KB over {plan.connections} connections", f"{statistics.median(rates):,.0f}/s", "1,000/s")]


def _watches(plan: _Plan) -> list[tuple[str, str, str]]:
    replayed, live = [], []
    for _ in range(plan.rounds):
        with APIServer() as server:
            version = Client(server.kubeconfig).json("GET", _CONFIGMAPS)["metadata"]["resourceVersion"]
            _client("creates", server, plan.events, plan.connections)
            figures = _client("watch", server, plan.watches, plan.events, version)
            replayed.append(figures["frames"] / figures["seconds"])
        with APIServer() as server:
            version = Client(server.kubeconfig).json("GET", _CONFIGMAPS)["metadata"]["resourceVersion"]
            live.append(_live(server, plan, version))
    shape = f"{plan.watches} watches x {plan.events:,} events"
    return [
        (f"{shape}, from the log", f"{statistics.median(replayed):,.0f} frames/s", "20,000 frames/s"),
        (f"{shape}, as they are created", f"{statistics.median(live):,.0f} frames/s", "(bounded by the creates)"),
    ]


def _live(server: APIServer, plan: _Plan, version: str) -> float:
    """Frames a second while another process creates what the watches tell of."""
    watching: dict[str, Any] = {}

    def watch() -> None:
        watching.update(_client("watch", server, plan.watches, plan.events, version))

    thread = threading.Thread(target=watch)
    thread.start()
    server.wait_for_request(60, verb="watch", count=plan.watches)
    begin = time.perf_counter()
    _client("creates", server, plan.events, plan.connections)
    thread.join()
    frames: int = watching["frames"]
    return frames / (time.perf_counter() - begin)


def _pods(plan: _Plan) -> list[tuple[str, str, str]]:
    rows = []
    with APIServer() as server:
        Client(server.kubeconfig).get("/api/v1/namespaces")
        before = _resident()
        size = _client("pods", server, plan.pods)["bytes"]
        used = _resident() - before
        raw = plan.pods * size
        figure = f"{used / 2**20:,.0f} MiB"
        rows.append((f"memory of {plan.pods:,} pods of {size:,} bytes ({raw / 2**20:,.0f} MiB)", figure, "150 MiB"))
        embedded = [_client("list", server, 1) for _ in range(plan.rounds)]
        rows.append(("most memory, when they have been listed", f"{(_resident() - before) / 2**20:,.0f} MiB", ""))
        zipped = [_client("list", server, 1, "gzip") for _ in range(plan.rounds)]
    real: list[Any] = []
    real_zipped: list[Any] = []
    if os.environ.get(_ASSETS):
        with ControlPlane() as plane:
            _client("pods", plane, plan.pods)
            real = [_client("list", plane, 1) for _ in range(plan.rounds)]
            real_zipped = [_client("list", plane, 1, "gzip") for _ in range(plan.rounds)]
    rows += _list_rows(plan, "", embedded, real)
    return rows + _list_rows(plan, ", gzip", zipped, real_zipped)


def _list_rows(plan: _Plan, how: str, embedded: list[Any], real: list[Any]) -> list[tuple[str, str, str]]:
    def shown(figures: list[Any]) -> str:
        return _seconds([each["seconds"] for each in figures])

    goal = f"the real server's: {shown(real)}" if real else f"(no real one: ${_ASSETS} is not set)"
    return [(f"list of {plan.pods:,} pods{how}", shown(embedded), goal)]


# Memory first: a process that has had many servers has memory to spare.
_MEASURES: dict[str, Callable[[_Plan], list[tuple[str, str, str]]]] = {
    "pods": _pods,
    "starts": _starts,
    "creates": _creates,
    "watches": _watches,
}


def _client(case: str, server: Any, *values: Any) -> Any:
    command = [sys.executable, __file__, "--client", case, str(server.kubeconfig), *map(str, values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{case}: {done.stderr}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def _open_watches(server: APIServer, count: int) -> Iterator[None]:
    client = Client(server.kubeconfig)
    connections = [client.connection() for _ in range(count)]
    for connection in connections:
        connection.request("GET", f"{_CONFIGMAPS}?watch=1")
    responses = [connection.getresponse() for connection in connections]
    yield
    for response, connection in zip(responses, connections, strict=True):
        response.close()
        connection.close()


def _seconds(samples: list[float]) -> str:
    return f"{statistics.median(samples):.3f} s"


def _resident() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


# ---------------------------------------------------------------------- clients


class Client:
    """Plain HTTPS with the credentials of a kubeconfig."""

    def __init__(self, kubeconfig: str | Path) -> None:
        document = yaml.safe_load(Path(kubeconfig).read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._url = urlsplit(cluster["server"])
        certificate = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=certificate)
        with tempfile.NamedTemporaryFile() as file:
            for field in ("client-key-data", "client-certificate-data"):
                file.write(base64.b64decode(user[field]) + b"\n")
            file.flush()
            self._tls.load_cert_chain(file.name)

    def connection(self) -> http.client.HTTPSConnection:
        """A new one."""
        return http.client.HTTPSConnection(self._url.hostname or "", self._url.port, context=self._tls)

    def get(self, path: str) -> bytes:
        """The body of an answer that must be good."""
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, body
            return body

    def json(self, method: str, path: str) -> Any:
        """The object of an answer."""
        assert method == "GET"
        return json.loads(self.get(path))


def _client_fresh() -> float:
    begin = time.perf_counter()
    with APIServer() as server:
        Client(server.kubeconfig).get("/api/v1/namespaces/default")
        return time.perf_counter() - begin


def _client_creates(kubeconfig: str, count: str, connections: str) -> Any:
    client = Client(kubeconfig)
    numbers = iter(range(int(count)))
    lock = threading.Lock()
    data = {"key": "x" * _CONFIGMAP_BYTES}
    prefix = f"cm-{os.getpid()}"

    def create(connection: http.client.HTTPSConnection) -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            body = json.dumps({"metadata": {"name": f"{prefix}-{number:06d}"}, "data": data})
            connection.request("POST", _CONFIGMAPS, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            assert response.status == 201, text

    opened = [client.connection() for _ in range(int(connections))]
    for connection in opened:
        connection.connect()
    threads = [threading.Thread(target=create, args=(each,)) for each in opened]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"count": int(count), "seconds": time.perf_counter() - begin}


def _client_watch(kubeconfig: str, watches: str, events: str, version: str) -> Any:
    client = Client(kubeconfig)
    wanted = int(events)
    counted: list[int] = []

    def count(connection: http.client.HTTPSConnection) -> None:
        connection.request("GET", f"{_CONFIGMAPS}?watch=1&resourceVersion={version}")
        response = connection.getresponse()
        frames = 0
        while frames < wanted and (piece := response.read1(_PIECE)):
            frames += piece.count(b"\n")
        counted.append(frames)

    opened = [client.connection() for _ in range(int(watches))]
    for connection in opened:
        connection.connect()
    threads = [threading.Thread(target=count, args=(each,)) for each in opened]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"frames": sum(counted), "seconds": time.perf_counter() - begin}


def _client_pods(kubeconfig: str, count: str) -> Any:
    return {"bytes": create_pods(Path(kubeconfig), int(count))}


def _client_list(kubeconfig: str, times: str, encoding: str = "identity") -> Any:
    client = Client(kubeconfig)
    with contextlib.closing(client.connection()) as connection:
        connection.connect()
        samples = []
        for _ in range(int(times)):
            begin = time.perf_counter()
            connection.request("GET", _PODS, headers={"Accept-Encoding": encoding, "Accept": "application/json"})
            response = connection.getresponse()
            size = 0
            while piece := response.read(_PIECE):
                size += len(piece)
            samples.append(time.perf_counter() - begin)
    return {"seconds": min(samples), "bytes": size}


_CLIENTS: dict[str, Callable[..., Any]] = {
    "creates": _client_creates,
    "fresh": _client_fresh,
    "list": _client_list,
    "pods": _client_pods,
    "watch": _client_watch,
}


if __name__ == "__main__":
    main()
