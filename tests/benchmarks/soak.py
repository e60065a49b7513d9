"""A soak: weeks of renewed credentials and ended watches in a few minutes, and what is left of them.

By hand::

    python tests/benchmarks/soak.py --seconds 120

Half an hour is compressed into so many seconds: tokens of a plugin live for seconds, token and certificate files are
replaced all the time, and the clock that says when they are read again runs fast; watches end after a second, and with
each certificate. The server is the embedded one, in a process of its own. The last tenth is compared with the first:
file descriptors and threads must be equal, memory at most 5 % more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dynkube
from dynkube.config import ExecConfig
from dynkube.testing import AccessRule, APIServer
from dynkube.transport import Transport

WHOLE = 1800.0  # seconds that are compressed
WARM_UP = 0.1  # of the time, before the first tenth begins
TOKEN_LIFE = 3.0
REPLACED_EVERY = 0.5
MORE_MEMORY = 1.05
CONFIGMAPS = dynkube.GroupVersionResource("", "v1", "configmaps")
EVERYTHING = ("*",)


# ------------------------------------------------------------------ the server's process


def serve(folder: Path) -> None:
    """Run a server until standard input ends, its users' kubeconfigs in a folder."""
    with APIServer() as server:
        for user in ("token-user", "one", "two"):
            rule = AccessRule(user=user, verbs=EVERYTHING, resources=EVERYTHING, api_groups=EVERYTHING)
            server.allow(rule)
        for user in ("one", "two"):
            (folder / user).write_bytes(Path(server.user(user)).read_bytes())
        (folder / "token-user").write_bytes(Path(server.token_user()).read_bytes())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def served() -> Iterator[Path]:
    """The folder of a server that runs."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, __file__, "--serve", name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield Path(name)
            process.communicate()


# ------------------------------------------------------------------ the three ways to sign in


def by_plugin(folder: Path, user: dynkube.RESTConfig) -> dynkube.RESTConfig:
    """A plugin whose token is over in seconds."""
    path = folder / "plugin"
    status = f'"status": {{"token": "{user.bearer_token}", "expirationTimestamp": "\'"$until"\'"}}'
    path.write_text(
        f'#!/bin/sh\nuntil=$(date -u -d "+{TOKEN_LIFE:g} seconds" +%Y-%m-%dT%H:%M:%SZ)\n'
        f'echo \'{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", {status}}}\'\n'
    )
    path.chmod(0o700)
    plugin = ExecConfig(command=str(path), api_version="client.authentication.k8s.io/v1", interactive_mode="Never")
    return dynkube.RESTConfig(host=user.host, tls=user.tls, exec=plugin)


def write(path: Path, data: bytes) -> None:
    """Replace a file whole."""
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.replace(path)


class Files:
    """Token, certificate and key in files, replaced over and over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._users = [dynkube.load_config(kubeconfig=folder / each) for each in ("one", "two")]
        self._token = dynkube.load_config(kubeconfig=folder / "token-user").bearer_token.encode()
        self._turns = itertools.count()
        self.replace()

    def replace(self) -> None:
        """Another certificate; and the token, written anew."""
        tls = self._users[next(self._turns) % 2].tls
        for name, data in (("cert", tls.cert_data), ("key", tls.key_data), ("token", self._token)):
            write(self._folder / name, data or b"")

    def configs(self) -> Iterator[dynkube.RESTConfig]:
        """A configuration of the certificate's files, and one of the token's."""
        user = self._users[0]
        cert, key = str(self._folder / "cert"), str(self._folder / "key")
        tls = dynkube.TLSConfig(ca_data=user.tls.ca_data, cert_file=cert, key_file=key)
        yield dynkube.RESTConfig(host=user.host, tls=tls)
        tls = dynkube.TLSConfig(ca_data=user.tls.ca_data)
        yield dynkube.RESTConfig(host=user.host, tls=tls, bearer_token_file=str(self._folder / "token"))


# ------------------------------------------------------------------ what is measured


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds."""

    descriptors: int
    threads: int
    memory: int

    @classmethod
    def now(cls) -> Sample:
        """Of this process, now."""
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return cls(len(os.listdir("/proc/self/fd")), threading.active_count(), resident)

    @classmethod
    def usual(cls, samples: list[Sample]) -> Sample:
        """What it is most of the time: a connection that is just being replaced counts for nothing."""
        return cls(
            statistics.mode(each.descriptors for each in samples),
            statistics.mode(each.threads for each in samples),
            int(statistics.median(each.memory for each in samples)),
        )


# ------------------------------------------------------------------ the run


class Followers:
    """A watch on a thread for each client, for as long as the soak."""

    def __init__(self, handles: list[dynkube.ResourceHandle]) -> None:
        self.events = 0
        self.watches = 0
        self._over = threading.Event()
        self._cancel = dynkube.CancelToken()
        self._threads = [threading.Thread(target=self._in_turns, args=(each,)) for each in handles]
        self._threads += [threading.Thread(target=self._for_long, args=(each,)) for each in handles]
        for thread in self._threads:
            thread.start()

    def _in_turns(self, handle: dynkube.ResourceHandle) -> None:
        while not self._over.is_set():
            version = handle.list().resource_version
            with handle.watch_once(resource_version=version, timeout_seconds=1) as events:
                self.watches += 1
                self.events += sum(1 for _ in events)

    def _for_long(self, handle: dynkube.ResourceHandle) -> None:
        try:
            with handle.watch(cancel=self._cancel) as events:
                for _ in events:
                    self.events += 1
        except dynkube.CancelledError:
            return

    def end(self) -> None:
        """End them all."""
        self._over.set()
        self._cancel.cancel()
        for thread in self._threads:
            thread.join()


def work(handles: list[dynkube.ResourceHandle], number: int) -> int:
    """One round of calls on each client; how many."""
    for handle in handles:
        name = f"soak-{number % 5}"
        handle.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}, field_manager="soak")
        handle.patch(name, {"data": {"number": str(number)}})
        handle.get(name)
        handle.list()
    return 4 * len(handles)


def soak(seconds: float, folder: Path) -> tuple[list[Sample], dict[str, int]]:
    """Run it; the samples after the warm-up, and what was done."""
    rate = WHOLE / seconds

    def clock() -> float:
        return time.monotonic() * rate

    files = Files(folder)
    clients = [dynkube.DynamicClient(by_plugin(folder, dynkube.load_config(kubeconfig=folder / "token-user")))]
    clients += [_fast(config, clock) for config in files.configs()]
    with ExitStack() as stack:
        handles = [stack.enter_context(each).resource(CONFIGMAPS).namespace("default") for each in clients]
        followers = Followers(handles)
        stack.callback(followers.end)
        samples, calls, rounds = [], 0, 0
        began = replaced = time.monotonic()
        while time.monotonic() < began + seconds:
            rounds += 1
            calls += work(handles, rounds)
            if time.monotonic() - replaced > REPLACED_EVERY:
                files.replace()
                replaced = time.monotonic()
            if time.monotonic() > began + WARM_UP * seconds:
                samples.append(Sample.now())
    return samples, {"calls": calls, "watches": followers.watches, "events": followers.events}


def _fast(config: dynkube.RESTConfig, clock: Callable[[], float]) -> dynkube.DynamicClient:
    """A client whose files are read again by a clock that runs fast."""
    rest = dynkube.RESTClient(config, transport=Transport(config, clock=clock))
    return dynkube.DynamicClient(config, rest=rest)


def verdict(samples: list[Sample]) -> tuple[dict[str, object], bool]:
    """First and last tenth, and whether they are as they should be."""
    tenth = max(1, len(samples) // 10)
    first, last = Sample.usual(samples[:tenth]), Sample.usual(samples[-tenth:])
    held = first.descriptors == last.descriptors and first.threads == last.threads
    good = held and last.memory <= first.memory * MORE_MEMORY
    figures: dict[str, object] = {
        "descriptors": [first.descriptors, last.descriptors],
        "threads": [first.threads, last.threads],
        "memory MiB": [round(each.memory / 2**20, 1) for each in (first, last)],
    }
    return figures, good


def main() -> None:
    """Run it, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    with served() as folder:
        samples, done = soak(arguments.seconds, folder)
    figures, good = verdict(samples)
    sys.stdout.write(json.dumps({**done, **figures, "good": good}) + "\n")
    sys.exit(not good)


if __name__ == "__main__":
    main()
