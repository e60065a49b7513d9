"""What rotation, retries, limits and observers cost a steady get, and how far fifty threads get with one client.

``python tests/benchmarks/resilience.py [kubeconfig]``: on that server, or on a control plane of its own. In each round
the variants take turns in random order, and what counts is the median over rounds of their difference to the plain
client; so a busy machine slows all of them alike. Not a test: nothing fails when it is slow.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

import dynkube
from dynkube.config import load_config
from dynkube.observers.opentelemetry import OpenTelemetryObserver
from dynkube.observers.prometheus import PrometheusObserver
from dynkube.testing import ControlPlane
from dynkube.transport.tls import client_context

ROUNDS, GETS = 40, 25
THREADS, PER_THREAD, LAPS = 50, 30, 8
NAMESPACES = dynkube.GroupVersionResource("", "v1", "namespaces")
GOAL_MICROSECONDS, GOAL_RATIO = 30, 0.85


def on_files(config: dynkube.RESTConfig, folder: Path) -> dynkube.RESTConfig:
    """The same configuration, with certificates that may rotate."""
    paths = {}
    for name in ("ca", "cert", "key"):
        data = getattr(config.tls, f"{name}_data")
        if data:
            paths[f"{name}_file"] = folder / name
            paths[f"{name}_file"].write_bytes(data)
    return config.copy(tls=dynkube.TLSConfig(**paths))


def variants(config: dynkube.RESTConfig, folder: Path) -> dict[str, dynkube.DynamicClient]:
    telemetry = OpenTelemetryObserver(
        tracer_provider=TracerProvider(shutdown_on_exit=False), meter_provider=MeterProvider(shutdown_on_exit=False)
    )
    configs: dict[str, dict[str, Any]] = {
        "plain": {},
        "plain again": {},
        "an observer": {"observers": [dynkube.Observer()]},
        "Prometheus": {"observers": [PrometheusObserver(CollectorRegistry())]},
        "OpenTelemetry, spans and metrics": {"observers": [telemetry]},
        "a rate limit that is never reached": {"qps": 1e9, "burst": 1000},
        "middleware": {"wrappers": [lambda send: send]},
    }
    clients = {}
    for number, (name, fields) in enumerate(configs.items()):
        # A blank line more is another configuration, so each has a connection of its own.
        tls = dynkube.TLSConfig(
            ca_data=(config.tls.ca_data or b"") + b"\n" * number,
            cert_data=config.tls.cert_data,
            key_data=config.tls.key_data,
        )
        clients[name] = dynkube.DynamicClient(config.copy(tls=tls, **fields))
    retry = dynkube.PersistentRetryPolicy()
    clients["rotation and retries"] = dynkube.DynamicClient(on_files(config, folder), retry=retry)
    return clients


def steady_gets(clients: dict[str, dynkube.DynamicClient]) -> dict[str, float]:
    """Microseconds over the plain client."""
    gets = {name: client.resource(NAMESPACES) for name, client in clients.items()}
    over: dict[str, list[float]] = {name: [] for name in gets}
    for _ in range(ROUNDS):
        taken: dict[str, list[int]] = {name: [] for name in gets}
        for _ in range(GETS):
            for name, handle in random.sample(list(gets.items()), len(gets)):
                began = time.perf_counter_ns()
                handle.get("default")
                taken[name].append(time.perf_counter_ns() - began)
        plain = statistics.median(taken["plain"])
        for name, times in taken.items():
            over[name].append((statistics.median(times) - plain) / 1000)
    return {name: statistics.median(each) for name, each in over.items()}


def throughput(get: Callable[[], object]) -> float:
    """Gets a second of fifty threads."""

    def work() -> None:
        for _ in range(PER_THREAD):
            get()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return THREADS * PER_THREAD / (time.perf_counter() - began)


def fifty_threads(config: dynkube.RESTConfig) -> float:
    """dynkube's rate over that of a bare urllib3 pool with as many connections, decoding the same."""
    url = urlsplit(config.base_url)
    pool = urllib3.HTTPSConnectionPool(
        url.hostname or "", url.port, maxsize=THREADS, ssl_context=client_context(config.tls)
    )
    decode = msgspec.json.Decoder().decode
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
    if config.bearer_token:
        headers["Authorization"] = f"Bearer {config.bearer_token}"
    with dynkube.DynamicClient(config) as client:
        handle = client.resource(NAMESPACES)

        def ours() -> object:
            return handle.get("default")

        def bare() -> object:
            return decode(pool.request("GET", "/api/v1/namespaces/default", headers=headers).data)

        for get in (ours, bare):
            throughput(get)
        ratios = [throughput(ours) / throughput(bare) for _ in range(LAPS)]
    pool.close()
    return statistics.median(ratios)


def measure(config: dynkube.RESTConfig) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clients = variants(config, Path(folder))
        for name, microseconds in steady_gets(clients).items():
            print(f"{name:36} {microseconds:+7.1f} µs over a plain get")
        for client in clients.values():
            client.close()
    print(f"goal of rotation, retries and observers: at most {GOAL_MICROSECONDS} µs each")
    print(f"{THREADS} threads: {fifty_threads(config):.2f} of a bare urllib3 pool (goal: {GOAL_RATIO})")


def main() -> None:
    if len(sys.argv) > 1:
        measure(load_config(kubeconfig=sys.argv[1]))
        return
    with ControlPlane() as plane:
        measure(plane.config)


if __name__ == "__main__":
    main()
