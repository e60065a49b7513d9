"""A program that forks while eight threads use one client; see tests/conformance/test_forks.py.

Prints a JSON object: how many gets each process made after the fork, and which sockets each had.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings

import dynkube

BUSY, GETS, FORKS = 8, 100, 5
NAMESPACES = dynkube.GroupVersionResource("", "v1", "namespaces")


def sockets():
    """The inodes of this process's sockets."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:  # the folder's own descriptor
            continue
    return [link for link in links if link.startswith("socket:")]


def work(client):
    for number in range(GETS):
        assert client.resource(NAMESPACES).get("default")["metadata"]["name"] == "default"
        if number % 10 == 0:
            assert client.resource("ns").get("default", timeout=30)["metadata"]["name"] == "default"
    return {"gets": GETS, "sockets": sockets()}


def child(client, pipe):
    try:
        seen = work(client)
    except BaseException as error:
        seen = {"error": repr(error)}
    os.write(pipe, json.dumps(seen).encode())
    os._exit(0)


def main(kubeconfig):
    client = dynkube.connect(kubeconfig=kubeconfig)
    client.resource("ns").get("default")
    rounds = []
    for _ in range(FORKS):
        over, counts = threading.Event(), [0] * BUSY

        def busy(index, over=over, counts=counts):
            while not over.is_set():
                client.resource("ns").get("default")
                counts[index] += 1

        threads = [threading.Thread(target=busy, args=(index,)) for index in range(BUSY)]
        for thread in threads:
            thread.start()
        while min(counts) < 3:
            time.sleep(0.01)
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # what this is about
            pid = os.fork()
        if pid == 0:
            child(client, writing)
        os.close(writing)
        parents = work(client)
        over.set()
        for thread in threads:
            thread.join()
        parents["sockets"] = sorted({*parents["sockets"], *sockets()})
        with os.fdopen(reading, "rb") as pipe:
            rounds.append({"parent": parents, "child": json.loads(pipe.read() or b"{}")})
        os.waitpid(pid, 0)
    client.close()
    print(json.dumps(rounds))


if __name__ == "__main__":
    main(sys.argv[1])
