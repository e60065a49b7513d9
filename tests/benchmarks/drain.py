"""How long a node takes to drain, beside kubectl: pods that end at once, so that what is measured is the client.

By hand, with ``$KUBEBUILDER_ASSETS``::

    python tests/benchmarks/drain.py --pods 200 --rounds 3

Each round fills two nodes that no kubelet serves with equal pods and drains one with each, with a grace period of 0.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import dynkube
from dynkube import workloads
from dynkube.testing import ControlPlane


def fill(client: dynkube.DynamicClient, node: str, pods: int) -> None:
    client.resource("nodes").create({"metadata": {"name": node}})
    handle = client.resource("pods").namespace("default")
    owner = client.resource("configmaps").namespace("default").create({"metadata": {"name": node}})
    uid = owner["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": node, "uid": uid, "controller": True}
    spec = {"nodeName": node, "containers": [{"name": "main", "image": "one"}]}
    for number in range(pods):
        handle.create({"metadata": {"name": f"{node}-{number}", "ownerReferences": [reference]}, "spec": spec})


def seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    kubectl = str(Path(os.environ["KUBEBUILDER_ASSETS"]) / "kubectl")
    took: dict[str, list[float]] = {"kubectl": [], "dynkube": []}
    with ControlPlane() as plane, plane.connect() as client:
        command = [kubectl, f"--kubeconfig={plane.kubeconfig}", "drain", "--grace-period=0"]
        for number in range(options.rounds):
            theirs, ours = f"kubectl-{number}", f"dynkube-{number}"
            fill(client, theirs, options.pods)
            fill(client, ours, options.pods)
            run = [*command, theirs]
            took["kubectl"].append(seconds(lambda run=run: subprocess.run(run, check=True, capture_output=True)))
            took["dynkube"].append(
                seconds(lambda node=ours: workloads.drain(client, node, grace_period_seconds=0, timeout=600))
            )
    for name, times in took.items():
        print(f"{name}: {statistics.median(times):.1f} s for {options.pods} pods (median of {options.rounds})")


if __name__ == "__main__":
    main()
