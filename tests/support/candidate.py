"""A candidate as a process: python candidate.py KUBECONFIG NAMESPACE NAME IDENTITY DAYS

It prints ``claim T`` when `LeaderElector.is_leader` is first seen True, ``end T`` with the last time at which it was when
it no longer is, ``stopped`` at each end of `LeaderElector.run`, and is a candidate again, until its standard input ends.
T is CLOCK_MONOTONIC, which all processes of a machine share. Its day is wrong by DAYS.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import dynkube
from dynkube.leaderelection import LeaderElector, LeaseLock


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def watch(elector: LeaderElector, done: threading.Event) -> None:
    last = None
    while not done.is_set():
        before = time.monotonic()
        if elector.is_leader:
            if last is None:
                say("claim", before)
            last = before
        elif last is not None:
            say("end", last)
            last = None
        done.wait(0.005)
    if last is not None:
        say("end", last)


def main() -> None:
    kubeconfig, namespace, name, identity, days = sys.argv[1:]
    token, done = dynkube.CancelToken(), threading.Event()
    client = dynkube.connect(kubeconfig=kubeconfig)
    elector = LeaderElector(
        LeaseLock(client, name, namespace, identity=identity),
        lease_duration=2,
        renew_deadline=1.4,
        retry_period=0.2,
        on_started_leading=lambda stop: stop.wait(),
        on_stopped_leading=lambda: say("stopped"),
        release_on_cancel=True,
        now=lambda: datetime.now(UTC) + timedelta(days=int(days)),
    )

    def run() -> None:
        while not token.cancelled:
            elector.run(cancel=token)

    runner, watcher = threading.Thread(target=run), threading.Thread(target=watch, args=(elector, done))
    runner.start()
    watcher.start()
    sys.stdin.read()
    token.cancel()
    runner.join()
    done.set()
    watcher.join()
    client.close()


if __name__ == "__main__":
    main()
