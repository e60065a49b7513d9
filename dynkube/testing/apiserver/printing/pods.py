"""The row of a Pod (printers.go: printPod)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dynkube.testing.apiserver.printing.durations import since
from dynkube.testing.apiserver.printing.values import NONE, age, at, condition, name, number, or_none, text

__all__ = ["pod", "pod_conditions"]

_COMPLETED: Final[Mapping[str, str]] = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}
_Status = Mapping[str, Any]


def pod_conditions(obj: _Status) -> Sequence[Mapping[str, str]]:
    """What a row says of a pod that has ended."""
    phase = text(obj, "status", "phase")
    message = _COMPLETED.get(phase)
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}] if message else ()


def pod(obj: _Status, now: datetime) -> list[Any]:
    """The cells of a Pod."""
    seen = _Containers(obj)
    restarts = str(seen.restarts)
    if seen.restarts and seen.last_restart:
        restarts = f"{seen.restarts} ({since(seen.last_restart, now)} ago)"
    ips: Sequence[_Status] = at(obj, "status", "podIPs") or ({},)
    return [
        name(obj),
        f"{seen.ready}/{seen.total}",
        _ended(obj, seen.reason),
        restarts,
        age(obj, now),
        or_none(ips[0].get("ip")),
        or_none(text(obj, "spec", "nodeName")),
        or_none(text(obj, "status", "nominatedNodeName")),
        _readiness_gates(obj),
    ]


class _Containers:
    """What the states of a pod's containers come to: the reason in the Status column, restarts, how many are ready."""

    def __init__(self, obj: _Status) -> None:
        self._obj = obj
        self._init_specs = {each.get("name"): each for each in at(obj, "spec", "initContainers") or ()}
        self.total = len(at(obj, "spec", "containers") or ()) + sum(map(_is_restartable, self._init_specs.values()))
        self.ready = 0
        self.restarts = 0
        self.last_restart = ""
        self.reason = _first_reason(obj)
        if not self._read_init_containers() or _is_true(condition(obj, "Initialized")):
            self._read_containers()

    def _read_init_containers(self) -> bool:
        """Go through them up to the first that has not done its work; whether there is one."""
        sidecar_restarts, sidecar_last = 0, ""
        initializing = ""
        for index, status in enumerate(at(self._obj, "status", "initContainerStatuses") or ()):
            self._count(status)
            is_sidecar = _is_restartable(self._init_specs.get(status.get("name")))
            if is_sidecar:
                sidecar_restarts += number(status, "restartCount")
                sidecar_last = max(sidecar_last, _ended_at(status))
            if is_sidecar and status.get("started") and not _has_succeeded(status):
                self.ready += bool(status.get("ready"))
            elif not _has_succeeded(status):
                initializing = _initializing(status, index, len(at(self._obj, "spec", "initContainers") or ()))
                break
        if initializing:
            self.reason = initializing
        if not initializing or _is_true(condition(self._obj, "Initialized")):
            self.restarts, self.last_restart = sidecar_restarts, sidecar_last
        return bool(initializing)

    def _read_containers(self) -> None:
        is_running, failure = False, ""
        for status in reversed(at(self._obj, "status", "containerStatuses") or ()):
            self._count(status)
            terminated = at(status, "state", "terminated")
            if text(status, "state", "waiting", "reason"):
                self.reason = text(status, "state", "waiting", "reason")
            elif terminated is not None:
                self.reason = _termination(terminated)
                failure = self.reason if number(terminated, "exitCode") else failure
            elif status.get("ready") and at(status, "state", "running") is not None:
                is_running = True
                self.ready += 1
        if self.reason == "Completed":
            self.reason = self._completed(is_running, failure)

    def _completed(self, is_running: bool, failure: str) -> str:
        if is_running and _is_true(condition(self._obj, "Ready")):
            return "Running"
        return failure or ("NotReady" if is_running else "Completed")

    def _count(self, status: _Status) -> None:
        self.restarts += number(status, "restartCount")
        self.last_restart = max(self.last_restart, _ended_at(status))


def _first_reason(obj: _Status) -> str:
    gated = condition(obj, "PodScheduled")
    if gated is not None and gated.get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return text(obj, "status", "reason") or text(obj, "status", "phase")


def _ended(obj: _Status, reason: str) -> str:
    if not at(obj, "metadata", "deletionTimestamp"):
        return reason
    if text(obj, "status", "reason") == "NodeLost":
        return "Unknown"
    return reason if text(obj, "status", "phase") in _COMPLETED else "Terminating"


def _initializing(status: _Status, index: int, total: int) -> str:
    terminated = at(status, "state", "terminated")
    if terminated is not None:
        return f"Init:{_termination(terminated)}"
    waiting = text(status, "state", "waiting", "reason")
    return f"Init:{waiting}" if waiting and waiting != "PodInitializing" else f"Init:{index}/{total}"


def _termination(terminated: _Status) -> str:
    if text(terminated, "reason"):
        return text(terminated, "reason")
    signal = number(terminated, "signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{number(terminated, 'exitCode')}"


def _readiness_gates(obj: _Status) -> str:
    gates = at(obj, "spec", "readinessGates")
    if not gates:
        return NONE
    return f"{sum(_is_true(condition(obj, each.get('conditionType', ''))) for each in gates)}/{len(gates)}"


def _is_restartable(spec: _Status | None) -> bool:
    return spec is not None and spec.get("restartPolicy") == "Always"


def _has_succeeded(status: _Status) -> bool:
    terminated = at(status, "state", "terminated")
    return terminated is not None and not number(terminated, "exitCode")


def _ended_at(status: _Status) -> str:
    """When it last ended; whole seconds in UTC, so that the texts compare as the times do."""
    return text(status, "lastState", "terminated", "finishedAt")


def _is_true(found: _Status | None) -> bool:
    return found is not None and found.get("status") == "True"
