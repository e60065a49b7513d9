"""A stand-in for nodes and controllers: pods are Running and workloads Available as soon as they are written.

``APIServer(run_workloads=True)``. It writes status and nothing else: no pods are made for a workload,
and no pod gets a node (so that deleting one takes no grace).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from dynkube.quantities import format_time
from dynkube.testing.apiserver.testbench.hooks import Write
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["WorkloadsRun"]

_Status: TypeAlias = dict[str, Any]
_POD_NETWORK = "10.244"
_POD_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


class WorkloadsRun:
    """A hook (`APIServer.on_write`): gives what runs the status that it has once it runs.

    Args:
        clock: Tells the time, with its zone.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pods = 0

    def __call__(self, write: Write) -> Object | None:
        """The object with its status, None where nothing is to be done."""
        obj = write.object
        settle = self._WAYS.get((write.resource.group, write.resource.resource))
        if settle is None or write.type == "DELETED" or "deletionTimestamp" in obj["metadata"]:
            return None
        status = settle(self, obj, obj.get("status") or {})
        return None if status is None else {**obj, "status": status}

    def _now(self) -> str:
        return format_time(self._clock())

    # ------------------------------------------------------------------ kinds

    def _pod(self, pod: Object, status: _Status) -> _Status | None:
        if status.get("phase", "Pending") != "Pending":
            return None
        now = self._now()
        self._pods += 1
        address = f"{_POD_NETWORK}.{self._pods // 254 % 256}.{self._pods % 254 + 1}"
        conditions = [_condition(each, now) for each in _POD_CONDITIONS]
        return status | {
            "phase": "Running",
            "conditions": [each | {"lastProbeTime": None} for each in conditions],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": now,
            "containerStatuses": [_running(each, now) for each in pod["spec"]["containers"]],
        }

    def _deployment(self, deployment: Object, status: _Status) -> _Status | None:
        wanted = self._replicas(deployment, status, "replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        if wanted is None:
            return None
        now = self._now()
        available = "MinimumReplicasAvailable", "Deployment has minimum availability."
        progressing = "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."
        return wanted | {
            "conditions": [
                _condition("Available", now, *available) | {"lastUpdateTime": now},
                _condition("Progressing", now, *progressing) | {"lastUpdateTime": now},
            ]
        }

    def _replica_set(self, replica_set: Object, status: _Status) -> _Status | None:
        counts = "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"
        return self._replicas(replica_set, status, *counts)

    def _stateful_set(self, stateful_set: Object, status: _Status) -> _Status | None:
        counts = "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"
        wanted = self._replicas(stateful_set, status, *counts)
        if wanted is None:
            return None
        revision = f"{stateful_set['metadata']['name']}-{stateful_set['metadata']['generation']}"
        return wanted | {"currentRevision": revision, "updateRevision": revision}

    @staticmethod
    def _replicas(workload: Object, status: _Status, *counts: str) -> _Status | None:
        wanted = workload["spec"].get("replicas", 1)
        generation = workload["metadata"].get("generation", 0)
        if status.get("observedGeneration") == generation and status.get("readyReplicas", 0) == wanted:
            return None
        # 0 is left out of all but "replicas", which is always told.
        numbers = dict.fromkeys(counts, wanted) if wanted else {"replicas": 0}
        kept = {name: each for name, each in status.items() if name not in counts}
        return kept | {"observedGeneration": generation} | numbers

    @staticmethod
    def _daemon_set(daemon_set: Object, status: _Status) -> _Status | None:
        generation = daemon_set["metadata"].get("generation", 0)
        if status.get("observedGeneration") == generation:
            return None
        ones = "currentNumberScheduled", "desiredNumberScheduled", "numberReady", "numberAvailable"
        numbers = dict.fromkeys((*ones, "updatedNumberScheduled"), 1)
        return status | numbers | {"numberMisscheduled": 0, "observedGeneration": generation}

    def _job(self, job: Object, status: _Status) -> _Status | None:
        if status.get("conditions") or job["spec"].get("suspend"):
            return None
        now = self._now()
        ended = "CompletionsReached", "Reached expected number of succeeded pods"
        conditions = [_condition(each, now, *ended) for each in ("SuccessCriteriaMet", "Complete")]
        return status | {
            "startTime": now,
            "completionTime": now,
            "succeeded": job["spec"].get("completions", 1),
            "ready": 0,
            "terminating": 0,
            "uncountedTerminatedPods": {},
            "conditions": [each | {"lastProbeTime": now} for each in conditions],
        }

    _WAYS: Mapping[tuple[str, str], Callable[[WorkloadsRun, Object, _Status], _Status | None]] = {
        ("", "pods"): _pod,
        ("", "replicationcontrollers"): _replica_set,
        ("apps", "daemonsets"): lambda _, obj, status: WorkloadsRun._daemon_set(obj, status),
        ("apps", "deployments"): _deployment,
        ("apps", "replicasets"): _replica_set,
        ("apps", "statefulsets"): _stateful_set,
        ("batch", "jobs"): _job,
    }


def _condition(kind: str, now: str, reason: str = "", message: str = "") -> dict[str, Any]:
    said = {"reason": reason, "message": message} if reason else {}
    return {"type": kind, "status": "True", "lastTransitionTime": now, **said}


def _running(container: Mapping[str, Any], now: str) -> dict[str, Any]:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": container.get("image", ""),
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}},
    }
