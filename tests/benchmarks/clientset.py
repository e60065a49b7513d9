"""What a clientset costs over the dynamic handle, in one run: calls through it, its first use, its import.

    python tests/benchmarks/clientset.py                          # against the embedded server
    python tests/benchmarks/clientset.py --kubeconfig PATH        # against another one

Calls are interleaved, and compared by the medians of their pairs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack

import dynkube
from dynkube.testing import APIServer

GOAL = 1.05
DEPLOYMENTS = dynkube.GroupVersionResource("apps", "v1", "deployments")


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compared(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Medians of both in seconds, and the median of the differences within a pair over that of the first."""
    pairs = []
    for number in range(rounds):
        first, second = (one, other) if number % 2 else (other, one)
        seconds = {first: timed(first), second: timed(second)}
        pairs.append((seconds[one], seconds[other]))
    base = statistics.median(pair[0] for pair in pairs)
    extra = statistics.median(pair[1] - pair[0] for pair in pairs)
    return base, base + extra, (base + extra) / base


def alone(call: Callable[[], object], rounds: int = 20_000) -> float:
    """Seconds of a call that sends nothing."""
    return min(timed(lambda: [call() for _ in range(rounds)]) for _ in range(3)) / rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig")
    parser.add_argument("--rounds", type=int, default=1500)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        config = dynkube.load_config(kubeconfig=arguments.kubeconfig) if arguments.kubeconfig else None
        if config is None:
            config = stack.enter_context(APIServer()).config
        client = stack.enter_context(dynkube.DynamicClient(config))
        first = timed(lambda: dynkube.Clientset(client).core_v1.pods("default"))
        clientset = dynkube.Clientset(client)
        namespace = f"bench-{uuid.uuid4().hex[:8]}"
        clientset.core_v1.namespaces().create({"metadata": {"name": namespace}})
        stack.callback(lambda: clientset.core_v1.namespaces().delete(namespace))
        made = clientset.core_v1.configmaps(namespace)
        made.create({"metadata": {"name": "it"}, "data": {"a": "b"}})
        handle = client.resource(dynkube.GroupVersionResource("", "v1", "configmaps")).namespace(namespace)
        rows = {
            "get, by a resource that is kept": lambda: made.get("it"),
            "get, by the whole chain": lambda: clientset.core_v1.configmaps(namespace).get("it"),
        }
        print(f"first use, one discovery request: {first * 1000:.1f} ms")
        print(f"the chain alone, nothing sent: {alone(lambda: clientset.core_v1.configmaps(namespace)) * 1e6:.1f} µs")
        for title, call in rows.items():
            base, mine, ratio = compared(lambda: handle.get("it"), call, arguments.rounds)
            verdict = "pass" if ratio <= GOAL else "FAIL"
            print(f"{title}: {mine * 1e6:.0f} µs, the handle {base * 1e6:.0f} µs: {ratio:.3f}, goal {GOAL} {verdict}")
    for names in ("DynamicClient", "Clientset"):
        code = f"import time; t = time.perf_counter(); import dynkube; dynkube.{names}; print(time.perf_counter() - t)"
        took = [
            float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
            for _ in range(5)
        ]
        print(f"import dynkube; dynkube.{names}: {min(took) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
