"""exec, logs and port-forward beside kubectl, the official client's stream module and a bare WebSocket, in one run.

    python tests/benchmarks/streams.py            # needs $KUBEBUILDER_ASSETS with test-node and kubectl
    python tests/benchmarks/streams.py --quick

On a real control plane whose containers are processes of this machine. Each case of each client runs in a process of
its own, the clients in turn, several rounds; the table shows medians. kubectl's times include the start of its
process, as who calls it has to wait for that; the others' begin with the call.
"""

from __future__ import annotations

import argparse
import atexit
import importlib.util
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

POD = "streams"
MEGABYTE = 10**6
BLOCK = bytes(64 * 1024)
# It joins what comes to what has come: the time of a large output grows with its square.
OFFICIAL_BYTES = 5 * MEGABYTE
CLIENTS = ("bare", "dynkube", "kubectl", "official")


# ------------------------------------------------------------------ the clients, one process for each case


class Null:
    """A file that forgets, and tells when it got its first byte."""

    def __init__(self) -> None:
        self.size = 0
        self.first = 0.0

    def write(self, data: bytes) -> int:
        self.first = self.first or time.perf_counter()
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""


class Zeros:
    """A file of so many zero bytes."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        count = min(self._left, len(BLOCK) if size < 0 else size)
        self._left -= count
        return BLOCK[:count] if count <= len(BLOCK) else bytes(count)


def dynkube_client(kubeconfig: str) -> dict[str, Callable[[int], dict[str, float]]]:
    import dynkube
    from dynkube import streams

    client = dynkube.DynamicClient(dynkube.load_config(kubeconfig=kubeconfig))
    pods = client.resource("v1/pods").namespace("default")
    pods.get(POD)  # connected, as a program is

    def download(size: int) -> dict[str, float]:
        sink = Null()
        begun = time.perf_counter()
        streams.exec_command(pods, POD, output(size), stdout=sink, check=True)  # type: ignore[arg-type]
        assert sink.size == size
        return {"seconds": time.perf_counter() - begun}

    def upload(size: int) -> dict[str, float]:
        begun = time.perf_counter()
        result = streams.exec_command(pods, POD, INPUT, stdin=Zeros(size), check=True)  # type: ignore[arg-type]
        assert int(result.text) == size
        return {"seconds": time.perf_counter() - begun}

    def start(_: int) -> dict[str, float]:
        sink = Null()
        begun = time.perf_counter()
        streams.exec_command(pods, POD, ["echo", "x"], stdout=sink)  # type: ignore[arg-type]
        return {"seconds": sink.first - begun, "fresh": time.time() - started()}

    def follow(lines: int) -> dict[str, float]:
        begun = time.perf_counter()
        with streams.logs(pods, POD, follow=True) as stream:
            for count, _ in enumerate(stream, 1):
                if count == lines:
                    break
        return {"seconds": time.perf_counter() - begun}

    def forward(size: int) -> dict[str, float]:
        with serving() as port, streams.port_forward(pods, POD, port) as forwarded:
            return forward_figures(forwarded.local_port, size)

    return {"download": download, "upload": upload, "start": start, "follow": follow, "forward": forward}


def bare_client(kubeconfig: str) -> dict[str, Callable[[int], dict[str, float]]]:
    """websocket-client by hand, as fast as it goes."""
    import ssl
    from urllib.parse import urlencode

    import websocket
    import yaml

    document = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    files = {name: file_of(name, {**cluster, **user}) for name in (*AUTHORITY, *CERTIFICATE)}
    tls = {"ca_certs": files[AUTHORITY[0]], "certfile": files[CERTIFICATE[0]], "keyfile": files[CERTIFICATE[1]]}

    def connect(command: list[str], streams: str) -> Any:
        query = urlencode([*(("command", word) for word in command), *((each, "true") for each in streams.split())])
        url = f"{cluster['server'].replace('https', 'wss')}/api/v1/namespaces/default/pods/{POD}/exec?{query}"
        options = {"cert_reqs": ssl.CERT_REQUIRED, **tls}
        return websocket.create_connection(
            url, subprotocols=["v5.channel.k8s.io"], sslopt=options, skip_utf8_validation=True
        )

    def download(size: int) -> dict[str, float]:
        begun = time.perf_counter()
        connection, got = connect(output(size), "stdout"), 0
        while got < size:
            got += len(connection.recv()) - 1
        return {"seconds": time.perf_counter() - begun}

    def upload(size: int) -> dict[str, float]:
        begun = time.perf_counter()
        connection, source = connect(INPUT, "stdin stdout"), Zeros(size)
        while data := source.read(32 * 1024):
            connection.send_binary(b"\0" + data)
        connection.send_binary(b"\xff\0")
        while not (said := connection.recv())[1:].strip():
            pass
        assert int(said[1:]) == size
        return {"seconds": time.perf_counter() - begun}

    return {"download": download, "upload": upload}


AUTHORITY, CERTIFICATE = ("certificate-authority",), ("client-certificate", "client-key")


def file_of(name: str, fields: dict[str, str]) -> str:
    """A file with what a kubeconfig has as data or names."""
    import base64

    if name in fields:
        return fields[name]
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(base64.b64decode(fields[f"{name}-data"]))
    return file.name


def official_client(kubeconfig: str) -> dict[str, Callable[[int], dict[str, float]]]:
    import kubernetes
    import kubernetes.stream

    pods = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(kubeconfig))
    pods.read_namespaced_pod(POD, "default")

    def run(command: list[str], **streams: bool) -> Any:
        streams = {"stdin": False, "stdout": True, "stderr": False, "tty": False, **streams}
        return kubernetes.stream.stream(
            pods.connect_get_namespaced_pod_exec, POD, "default", command=command, binary=True, _preload_content=False,
            **streams,
        )  # fmt: skip

    def download(size: int) -> dict[str, float]:
        size = min(size, OFFICIAL_BYTES)
        begun = time.perf_counter()
        process, got = run(output(size)), 0
        while got < size:
            process.update(timeout=60)
            got += len(process.read_channel(1))
        return {"seconds": time.perf_counter() - begun, "size": size}

    def upload(size: int) -> dict[str, float]:
        # v4 has no end of stdin: the command counts.
        size = min(size, OFFICIAL_BYTES)
        begun = time.perf_counter()
        process, source = run(["sh", "-c", f"head -c {size} | wc -c"], stdin=True), Zeros(size)
        while data := source.read(32 * 1024):
            process.write_stdin(data)
        process.run_forever(timeout=120)
        assert int(process.read_stdout()) == size
        return {"seconds": time.perf_counter() - begun, "size": size}

    def start(_: int) -> dict[str, float]:
        begun = time.perf_counter()
        process = run(["echo", "x"])
        while not process.read_stdout(timeout=10):
            pass
        return {"seconds": time.perf_counter() - begun, "fresh": time.time() - started()}

    def follow(lines: int) -> dict[str, float]:
        begun = time.perf_counter()
        stream = kubernetes.watch.Watch().stream(pods.read_namespaced_pod_log, POD, "default", follow=True)
        for count, _ in enumerate(stream, 1):
            if count == lines:
                break
        return {"seconds": time.perf_counter() - begun}

    return {"download": download, "upload": upload, "start": start, "follow": follow}


def kubectl_client(kubeconfig: str) -> dict[str, Callable[[int], dict[str, float]]]:
    program = str(Path(os.environ["KUBEBUILDER_ASSETS"]) / "kubectl")
    kubectl = [program, "--kubeconfig", kubeconfig]

    def download(size: int) -> dict[str, float]:
        begun = time.perf_counter()
        subprocess.run([*kubectl, "exec", POD, "--", *output(size)], check=True, stdout=subprocess.DEVNULL)
        return {"seconds": time.perf_counter() - begun}

    def upload(size: int) -> dict[str, float]:
        begun = time.perf_counter()
        head = subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)
        with head:
            subprocess.run(
                [*kubectl, "exec", "-i", POD, "--", *INPUT], check=True, stdin=head.stdout, capture_output=True
            )
        return {"seconds": time.perf_counter() - begun}

    def start(_: int) -> dict[str, float]:
        begun = time.perf_counter()
        with subprocess.Popen([*kubectl, "exec", POD, "--", "echo", "x"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.read(1)
            seconds = time.perf_counter() - begun
            return {"seconds": seconds, "fresh": seconds}

    def follow(lines: int) -> dict[str, float]:
        begun = time.perf_counter()
        with subprocess.Popen([*kubectl, "logs", "-f", POD], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for count, _ in enumerate(process.stdout, 1):
                if count == lines:
                    break
            seconds = time.perf_counter() - begun
            process.kill()
        return {"seconds": seconds}

    def forward(size: int) -> dict[str, float]:
        with serving() as port:
            command = [*kubectl, "port-forward", POD, f":{port}", "--address", "127.0.0.1"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                local = int(process.stdout.readline().split("->")[0].rpartition(":")[2])
                figures = forward_figures(local, size)
                process.kill()
                return figures

    return {"download": download, "upload": upload, "start": start, "follow": follow, "forward": forward}


INPUT = ["wc", "-c"]


def started() -> float:
    """When this process was asked for, by the clock of time.time."""
    return float(os.environ["STARTED"])


def output(size: int) -> list[str]:
    """A command that says so many bytes."""
    return ["head", "-c", str(size), "/dev/zero"]


@contextmanager
def serving() -> Iterator[int]:
    """A port that answers a number with so many bytes: what a pod would serve."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def answer(connection: socket.socket) -> None:
    with connection:
        left = int(connection.recv(100))
        while left > 0:
            left -= connection.send(BLOCK[:left])


def forward_figures(port: int, size: int) -> dict[str, float]:
    """One large transfer, and many small ones, each with a connection of its own."""
    begun = time.perf_counter()
    assert ask(port, size) == size
    seconds = time.perf_counter() - begun
    small = []
    for _ in range(30):
        begun = time.perf_counter()
        ask(port, 10)
        small.append(time.perf_counter() - begun)
    return {"seconds": seconds, "latency": statistics.median(small)}


def ask(port: int, size: int) -> int:
    got = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(str(size).encode())
        while got < size:
            got += len(connection.recv(len(BLOCK)))
    return got


# ------------------------------------------------------------------ the run


MAKERS = {"bare": bare_client, "dynkube": dynkube_client, "kubectl": kubectl_client, "official": official_client}


def work(client: str, case: str, size: int, kubeconfig: str) -> None:
    """In a process of its own: one case of one client, its figures as JSON."""
    made = MAKERS[client](kubeconfig)
    figures = made[case](size) if case in made else {}
    print(json.dumps(figures | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


@cache
def compiled() -> dict[str, str]:
    """An environment in which Python finds compiled modules, whatever ours says."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folder = tempfile.mkdtemp(prefix="dynkube-benchmark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return kept | {"PYTHONPYCACHEPREFIX": folder}


def measured(
    case: str, size: int, kubeconfig: str, rounds: int, clients: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Medians of all rounds, by client."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for client in clients:
            command = [sys.executable, __file__, "--work", client, case, str(size), kubeconfig]
            environment = compiled() | {"STARTED": str(time.time())}
            done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
            if done.returncode:
                sys.exit(f"{case} with {client}: {done.stderr[-2000:]}")
            figures = json.loads(done.stdout)
            if "seconds" in figures:
                found.setdefault(client, []).append(figures)
    return {
        client: {name: statistics.median(each[name] for each in all_of) for name in all_of[0]}
        for client, all_of in found.items()
    }


def table(plan: dict[str, int], results: dict[str, dict[str, dict[str, float]]], clients: tuple[str, ...]) -> str:
    lines = [["", *clients]]

    def row(title: str, case: str, show: Callable[[dict[str, float]], str]) -> None:
        found = results[case]
        lines.append([title, *(show(found[each]) if each in found else "-" for each in clients)])

    for case in ("download", "upload", "forward"):
        size = plan[case]
        title = f"{case}, {size / MEGABYTE:,.0f} MB (official: {OFFICIAL_BYTES / MEGABYTE:.0f})"
        row(title, case, lambda f, size=size: f"{f.get('size', size) / MEGABYTE / f['seconds']:,.0f} MB/s")  # type: ignore[misc]
    row("forward, connect and 10 bytes", "forward", lambda f: f"{f['latency'] * 1000:.1f} ms")
    row("exec, first byte", "start", lambda f: f"{f['seconds'] * 1000:.0f} ms")
    row("... in a fresh process", "start", lambda f: f"{f['fresh'] * 1000:.0f} ms")
    row("log, followed", "follow", lambda f: f"{plan['follow'] / f['seconds']:,.0f} lines/s")
    return "\n".join(
        "| " + " | ".join(line) + " |" for line in [lines[0], ["---", *["---:"] * len(clients)], *lines[1:]]
    )


def goals(results: dict[str, dict[str, dict[str, float]]], growth: float) -> Iterator[tuple[str, str, bool]]:
    for case in ("download", "upload"):
        found = results[case]
        ours = found["dynkube"]["seconds"]
        share = found["bare"]["seconds"] / ours
        yield f"{case}: at least 80 % of a bare copy", f"{share:.0%}", share >= 0.8
        ratio = ours / found["kubectl"]["seconds"]
        yield f"{case}: at most 1.5x kubectl's time", f"{ratio:.2f}x", ratio <= 1.5
    start = results["start"]
    for name, title in (("seconds", "first byte"), ("fresh", "first byte, both in a fresh process")):
        ratio = start["dynkube"][name] / start["kubectl"][name]
        yield f"{title}: at most 1.2x kubectl's", f"{ratio:.2f}x", ratio <= 1.2
    yield "memory at 1 GB: at most 20 MB above that at 1 MB", f"{growth:+.1f} MB", growth <= 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        client, case, size, kubeconfig = arguments.work
        work(client, case, int(size), kubeconfig)
        return
    from dynkube.testing import ControlPlane  # not in the processes whose start is measured

    clients = tuple(each for each in CLIENTS if each != "official" or importlib.util.find_spec("kubernetes"))
    factor, rounds = (1, 2) if arguments.quick else (4, 3)
    plan = {"download": 50 * MEGABYTE * factor, "upload": 50 * MEGABYTE * factor, "start": 1, "follow": 50_000 * factor}
    plan["forward"] = plan["download"]
    flags = ("--disable-admission-plugins=ServiceAccount",)
    with ControlPlane(test_node=True, api_server_args=flags) as plane, plane.connect() as client:
        talk = f"seq {plan['follow']}; exec sleep 3600"
        containers = [{"name": "main", "image": "local", "command": ["sh", "-c", talk]}]
        pods = client.resource("v1/pods").namespace("default")
        pods.create({"metadata": {"name": POD}, "spec": {"containers": containers}})
        pods.wait(POD, condition="Ready", timeout=60)
        kubeconfig = str(plane.kubeconfig)
        results = {case: measured(case, size, kubeconfig, rounds, clients) for case, size in plan.items()}
        peaks = [
            measured("download", size, kubeconfig, 1, ("dynkube",))["dynkube"]["peak"] / MEGABYTE
            for size in (MEGABYTE, 1000 * MEGABYTE)
        ]
    print(table(plan, results, clients), end="\n\n")
    for goal, figure, is_met in goals(results, peaks[1] - peaks[0]):
        print(f"| {goal} | {figure} | {'pass' if is_met else 'FAIL'} |")


if __name__ == "__main__":
    main()
