"""One case of dynkube's informer, in a process of its own; prints its figures as JSON.

``python informer_worker.py CASE MODE KUBECONFIG NAMESPACE COUNT``, MODE being ``dict``, ``compact`` or, for events,
``compact-looked``; ``plain`` is ``sync`` without gzip, ``stream`` with a watch in place of a list. The runner starts it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from measure import timed

import dynkube
from dynkube.informers import InformerFactory, SharedInformer

_PODS = dynkube.GroupVersionResource("", "v1", "pods")
_SYNC_SECONDS = 600
_LOOKUPS = 5_000
_IDLE_SECONDS = 10


def case_sync(
    client: dynkube.DynamicClient, mode: str, namespace: str, count: int, *, streaming: bool = False
) -> dict[str, Any]:
    """First sync, what the objects take at rest, and lookups."""
    before = _resident()
    factory = InformerFactory(client, namespace=namespace, compact=mode == "compact", streaming=streaming)
    informer = factory.for_resource(_PODS)
    informer.indexer.add_indexers({"node": _node})

    def sync() -> None:
        factory.start()
        factory.wait_for_cache_sync(timeout=_SYNC_SECONDS)

    with factory:
        figures, _ = timed(sync)
        indexer = informer.indexer
        assert len(indexer) == count
        figures["heap_bytes"] = _resident() - before
        return figures | _lookups(indexer, namespace, count)


def _node(obj: dict[str, Any]) -> list[str]:
    return [obj["spec"]["nodeName"]]


def _lookups(indexer: Any, namespace: str, count: int) -> dict[str, float]:
    keys = [f"{namespace}/pod-{number % count:05d}" for number in range(_LOOKUPS)]
    plain = {key: {} for key in keys}
    recent = [keys[number % 100] for number in range(_LOOKUPS)]
    for key in recent[:100]:
        indexer.get(key)
    bare = _each(plain.__getitem__, keys)
    return {
        "key_seconds": _each(indexer.get, keys),
        "recent_seconds": _each(indexer.get, recent),
        "over_dict_seconds": _each(indexer.get, recent) - bare,
        "index_seconds": _each(lambda _: indexer.by_index("node", "node-7"), keys[:50]),
    }


def _each(look: Callable[[str], Any], keys: list[str]) -> float:
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for key in keys:
            look(key)
        best = min(best, time.perf_counter() - started)
    return best / len(keys)


class _Counting:
    """A handler that counts, and looks at each new object or not."""

    def __init__(self, wanted: int, *, looks: bool) -> None:
        self._left = wanted
        self._looks = looks
        self.done = threading.Event()

    def on_add(self, obj: Any, _initial: bool = False) -> None:
        if self._looks:
            assert obj["metadata"]["resourceVersion"]
        self._left -= 1
        if not self._left:
            self.done.set()

    def on_update(self, _old: Any, new: Any) -> None:
        self.on_add(new)

    def on_delete(self, obj: Any) -> None:
        raise AssertionError(obj)


def case_events(client: dynkube.DynamicClient, mode: str, namespace: str, count: int) -> dict[str, Any]:
    """Events to a handler."""
    informer = SharedInformer(client.resource(_PODS).namespace(namespace), compact=mode != "dict")
    handler = _Counting(count, looks=mode != "compact")
    informer.add_event_handler(handler)

    def follow() -> None:
        informer.start()
        assert handler.done.wait(_SYNC_SECONDS)

    figures, _ = timed(follow)
    informer.stop()
    return figures


def case_idle(client: dynkube.DynamicClient, mode: str, _namespace: str, count: int) -> dict[str, Any]:
    """Informers with nothing to do: CPU in ten seconds, and threads."""
    factories = [
        InformerFactory(client, label_selector=f"idle=no-{number}", compact=mode == "compact")
        for number in range(count)
    ]
    for factory in factories:
        factory.for_resource(_PODS)
        factory.start()
    for factory in factories:
        factory.wait_for_cache_sync(timeout=_SYNC_SECONDS)
    cpu = time.process_time()
    time.sleep(_IDLE_SECONDS)
    figures = {"cpu_seconds": time.process_time() - cpu, "threads": threading.active_count()}
    for factory in factories:
        factory.stop()
    return figures


def _resident() -> int:
    """Bytes that the process holds when all that is free has been given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


_CASES = {
    "sync": case_sync,
    "plain": case_sync,
    "stream": partial(case_sync, streaming=True),
    "events": case_events,
    "idle": case_idle,
}


def main() -> None:
    case, mode, kubeconfig, namespace, count = sys.argv[1:]
    config = dynkube.load_config(kubeconfig=kubeconfig).copy(disable_compression=case == "plain")
    with dynkube.DynamicClient(config) as client:
        if case in {"sync", "plain", "stream"}:
            client.resource("v1/namespaces").get("default")  # all that is loaded at first use is loaded
        print(json.dumps(_CASES[case](client, mode, namespace, int(count))))


if __name__ == "__main__":
    main()
