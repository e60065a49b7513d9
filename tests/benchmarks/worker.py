"""One case of one client, in a process of its own; prints its figures as JSON.

``python worker.py CASE CLIENT KUBECONFIG NAMESPACE [COUNT]``. The runner starts it.
"""

from __future__ import annotations

import collections
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from measure import timed

_PAGE = 500
_WARM_UP = 20


def case_list(client: Any, count: int) -> dict[str, Any]:
    figures, objects = timed(client.list)
    assert len(objects) == count
    assert objects[0]["spec"]["containers"]
    return figures


def case_instances(client: Any, count: int) -> dict[str, Any]:
    figures, objects = timed(client.list_instances)
    assert len(objects) == count
    return figures


def case_iterate(client: Any, count: int) -> dict[str, Any]:
    figures, seen = timed(lambda: _length(islice(client.iterate(_PAGE), count)))
    assert seen == count
    return figures


def _length(objects: Any) -> int:
    # A consumer holds one object while it asks for the next.
    seen = 0
    for _ in objects:
        seen += 1
    return seen


def case_watch(client: Any, count: int) -> dict[str, Any]:
    figures, seen = timed(lambda: client.watch(count))
    assert seen == count
    return figures


def case_watch_once(client: Any, count: int) -> dict[str, Any]:
    figures, seen = timed(lambda: client.watch_once(count))
    assert seen == count
    return figures


def case_discovery(client: Any, _count: int) -> dict[str, Any]:
    figures = {}
    for state, resource in (("cold", "deployments"), ("warm", "cronjobs")):
        before = _sent.total()
        started = time.perf_counter()
        assert client.discover(resource) == "v1"
        figures[f"{state}_seconds"] = time.perf_counter() - started
        figures[f"{state}_requests"] = _sent.total() - before
    return figures


_sent: collections.Counter[str] = collections.Counter()


def _count_requests(event: str, _arguments: tuple[Any, ...]) -> None:
    if event == "http.client.send":  # a GET is sent in one piece
        _sent[event] += 1


_CASES: dict[str, Callable[[Any, int], dict[str, Any]]] = {
    "list": case_list,
    "instances": case_instances,
    "iterate": case_iterate,
    "watch": case_watch,
    "watch-once": case_watch_once,
    "discovery": case_discovery,
}


def gets(names: list[str], kubeconfig: Path, namespace: str, count: int) -> dict[str, Any]:
    """Every client in turn, again and again, in one process: what disturbs one disturbs all."""
    clients = [_client(name, kubeconfig, namespace) for name in names]
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(count + _WARM_UP):
        shift = number % len(names)
        for name, client in [*zip(names, clients, strict=True)][shift:] + [*zip(names, clients, strict=True)][:shift]:
            started = time.perf_counter()
            client.get(f"pod-{number % 100:05d}")
            if number >= _WARM_UP:
                taken[name].append(time.perf_counter() - started)
    floor = taken[names[0]]
    return {
        name: {
            "seconds": statistics.median(seconds),
            "over_floor": statistics.median(mine - bare for mine, bare in zip(seconds, floor, strict=True)),
        }
        for name, seconds in taken.items()
    }


def _client(name: str, kubeconfig: Path, namespace: str) -> Any:
    return importlib.import_module(f"client_{name}").Client(kubeconfig, namespace)


def main() -> None:
    case, names, kubeconfig, namespace, count = sys.argv[1:]
    if case == "get":
        figures = gets(names.split(","), Path(kubeconfig), namespace, int(count))
    else:
        client = _client(names, Path(kubeconfig), namespace)
        if case == "discovery":
            sys.addaudithook(_count_requests)
        elif not case.startswith("watch"):
            client.get("pod-00000")  # connected, and all that is loaded at first use is loaded
        figures = _CASES[case](client, int(count))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
