"""The rows of workloads, and of what scales and guards them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from dynkube.quantities import parse_time
from dynkube.testing.apiserver.printing.durations import human, since
from dynkube.testing.apiserver.printing.values import (
    NONE,
    UNSET,
    age,
    at,
    containers,
    label_selector,
    labels,
    name,
    number,
    shortened,
    text,
)

__all__ = ["WORKLOADS"]

# The first that is True says how a Job is.
_JOB_STATES = "Complete", "Failed", "Terminating", "Suspended", "FailureTarget", "SuccessCriteriaMet"
_METRIC_SOURCES: Final[Mapping[str, str]] = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _replicas(obj: Any, now: datetime, selector: str) -> list[Any]:
    counts = [
        number(obj, "spec", "replicas"),
        number(obj, "status", "replicas"),
        number(obj, "status", "readyReplicas"),
    ]
    return [name(obj), *counts, age(obj, now), *containers(at(obj, "spec", "template", "spec")), selector]


def _replica_set(obj: Any, now: datetime) -> list[Any]:
    return _replicas(obj, now, label_selector(at(obj, "spec", "selector")))


def _replication_controller(obj: Any, now: datetime) -> list[Any]:
    return _replicas(obj, now, labels(at(obj, "spec", "selector")))


def _deployment(obj: Any, now: datetime) -> list[Any]:
    return [
        name(obj),
        f"{number(obj, 'status', 'readyReplicas')}/{number(obj, 'spec', 'replicas')}",
        number(obj, "status", "updatedReplicas"),
        number(obj, "status", "availableReplicas"),
        age(obj, now),
        *containers(at(obj, "spec", "template", "spec")),
        label_selector(at(obj, "spec", "selector"), empty="", broken="<invalid>"),
    ]


def _stateful_set(obj: Any, now: datetime) -> list[Any]:
    ready = f"{number(obj, 'status', 'readyReplicas')}/{number(obj, 'spec', 'replicas')}"
    return [name(obj), ready, age(obj, now), *containers(at(obj, "spec", "template", "spec"))]


def _daemon_set(obj: Any, now: datetime) -> list[Any]:
    counts = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    pod_spec = at(obj, "spec", "template", "spec")
    return [
        name(obj),
        *(number(obj, "status", each) for each in counts),
        labels(at(pod_spec, "nodeSelector")),
        age(obj, now),
        *containers(pod_spec),
        label_selector(at(obj, "spec", "selector")),
    ]


def _job(obj: Any, now: datetime) -> list[Any]:
    return [
        name(obj),
        _job_state(obj),
        _completions(obj),
        _job_duration(obj, now),
        age(obj, now),
        *containers(at(obj, "spec", "template", "spec")),
        label_selector(at(obj, "spec", "selector")),
    ]


def _job_state(obj: Any) -> str:
    true = {each.get("type") for each in at(obj, "status", "conditions") or () if each.get("status") == "True"}
    if at(obj, "metadata", "deletionTimestamp"):
        true.add("Terminating")
    return next((each for each in _JOB_STATES if each in true), "Running")


def _completions(obj: Any) -> str:
    succeeded = number(obj, "status", "succeeded")
    completions = at(obj, "spec", "completions")
    if completions is not None:
        return f"{succeeded}/{completions}"
    parallelism = number(obj, "spec", "parallelism")
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(obj: Any, now: datetime) -> str:
    began, ended = at(obj, "status", "startTime"), at(obj, "status", "completionTime")
    if not began:
        return ""
    return human((parse_time(ended) if ended else now) - parse_time(began))


def _cron_job(obj: Any, now: datetime) -> list[Any]:
    job, suspend = at(obj, "spec", "jobTemplate", "spec"), at(obj, "spec", "suspend")
    last, zone = at(obj, "status", "lastScheduleTime"), at(obj, "spec", "timeZone")
    return [
        name(obj),
        text(obj, "spec", "schedule"),
        NONE if zone is None else zone,
        UNSET if suspend is None else str(suspend),
        len(at(obj, "status", "active") or ()),
        since(last, now) if last else NONE,
        age(obj, now),
        *containers(at(job, "template", "spec")),
        label_selector(at(job, "selector")),
    ]


def _pod_template(obj: Any, _now: datetime) -> list[Any]:
    template = at(obj, "template")
    return [name(obj), *containers(at(template, "spec")), labels(at(template, "metadata", "labels"))]


def _controller_revision(obj: Any, now: datetime) -> list[Any]:
    owners = at(obj, "metadata", "ownerReferences") or ()
    owner = next((each for each in owners if each.get("controller")), None)
    shown = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        shown = f"{owner['kind']}.{group}" if group else owner["kind"]
        shown = f"{shown.lower()}/{owner['name']}"
    return [name(obj), shown, number(obj, "revision"), age(obj, now)]


def _pod_disruption_budget(obj: Any, now: datetime) -> list[Any]:
    limits = (at(obj, "spec", each) for each in ("minAvailable", "maxUnavailable"))
    shown = ("N/A" if each is None else str(each) for each in limits)
    return [name(obj), *shown, number(obj, "status", "disruptionsAllowed"), age(obj, now)]


def _horizontal_pod_autoscaler(obj: Any, now: datetime) -> list[Any]:
    target, lowest = at(obj, "spec", "scaleTargetRef"), at(obj, "spec", "minReplicas")
    return [
        name(obj),
        f"{text(target, 'kind')}/{text(target, 'name')}",
        _metrics(obj),
        UNSET if lowest is None else str(lowest),
        number(obj, "spec", "maxReplicas"),
        number(obj, "status", "currentReplicas"),
        age(obj, now),
    ]


def _metrics(obj: Any) -> str:
    current = at(obj, "status", "currentMetrics") or ()
    metrics = at(obj, "spec", "metrics") or ()
    shown = [_metric(each, current[index] if index < len(current) else {}) for index, each in enumerate(metrics)]
    return shortened(shown, most=2, separator=", ", empty=NONE)


def _metric(spec: Any, status: Any) -> str:
    source = _METRIC_SOURCES.get(text(spec, "type"))
    if source is None:
        return "<unknown type>"
    target, current = at(spec, source, "target"), at(status, source, "current")
    average = at(target, "averageValue")
    if source in {"resource", "containerResource"}:
        about = text(spec, source, "name")
        if average is not None:
            return f"{about}: {_shown(current, 'averageValue')}/{average}"
        wanted = at(target, "averageUtilization")
        return f"{about}: {_shown(current, 'averageUtilization', '%')}/{'<auto>' if wanted is None else f'{wanted}%'}"
    if source == "pods":
        return f"{_shown(current, 'averageValue')}/{average}"
    if average is not None:
        return f"{_shown(current, 'averageValue')}/{average} (avg)"
    return f"{_shown(current, 'value')}/{text(target, 'value')}"


def _shown(current: Any, field: str, unit: str = "") -> str:
    value = at(current, field)
    return "<unknown>" if value is None else f"{value}{unit}"


def _priority_class(obj: Any, now: datetime) -> list[Any]:
    is_default = bool(at(obj, "globalDefault"))
    return [name(obj), number(obj, "value"), is_default, age(obj, now), text(obj, "preemptionPolicy")]


def _runtime_class(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "handler"), age(obj, now)]


def _lease(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "spec", "holderIdentity"), age(obj, now)]


def _lease_candidate(obj: Any, now: datetime) -> list[Any]:
    told = (text(obj, "spec", each) for each in ("leaseName", "binaryVersion", "emulationVersion"))
    return [name(obj), *told, age(obj, now)]


def _scale(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), number(obj, "spec", "replicas"), number(obj, "status", "replicas"), age(obj, now)]


WORKLOADS: Final[Mapping[str, Callable[[Any, datetime], list[Any]]]] = {
    "replicationcontrollers": _replication_controller,
    "podtemplates": _pod_template,
    "replicasets.apps": _replica_set,
    "deployments.apps": _deployment,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "controllerrevisions.apps": _controller_revision,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _horizontal_pod_autoscaler,
    "poddisruptionbudgets.policy": _pod_disruption_budget,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "runtimeclasses.node.k8s.io": _runtime_class,
    "leases.coordination.k8s.io": _lease,
    "leasecandidates.coordination.k8s.io": _lease_candidate,
    "scales.autoscaling": _scale,
}
"""By resource and group."""
