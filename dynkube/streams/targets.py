"""Which pod, and which container of it: kubectl's rules.

See KC/cmd/util/podcmd/podcmd.go and KC/polymorphichelpers (8.1.12, 8.2.6, 8.3.2 in docs/reference/parity).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import APIStatusError, ForbiddenError, InvalidRequestError, NotFoundError, PodNotRunningError
from dynkube.rest import RESTClient
from dynkube.schema import GroupVersionResource
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import nested_field_no_copy
from dynkube.wire.paths import resource_path

__all__ = [
    "DEFAULT_CONTAINER",
    "PODS",
    "PodPlace",
    "at",
    "choose_container",
    "choose_pod",
    "container_names",
    "explained",
    "is_ended",
    "is_ready",
    "is_workload",
    "phase_of",
    "pod_place",
    "pods_of",
    "read_pod",
    "require_running",
    "selector_of",
]

_log = logging.getLogger("dynkube.streams")

PODS = GroupVersionResource("", "v1", "pods")
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""The annotation of a pod that names the container which is meant where nobody says."""

_ENDED = ("Succeeded", "Failed")
_WORKLOADS = frozenset(
    {
        ("", "replicationcontrollers"),
        ("apps", "daemonsets"),
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("batch", "jobs"),
    }
)


def at(obj: Mapping[str, Any], *path: str) -> Any:
    """The field at a path; None where there is none."""
    return nested_field_no_copy(obj, *path)[0]


@dataclass(frozen=True, slots=True)
class PodPlace:
    """Where pods are: a client and a namespace."""

    rest: RESTClient
    namespace: str

    @property
    def pods(self) -> ResourceHandle:
        """A handle of them."""
        return ResourceHandle(self.rest, PODS, namespaced=True, namespace=self.namespace)

    def path(self, name: str, subresource: str) -> str:
        """The path of a pod's subresource."""
        return resource_path(PODS, namespace=self.namespace, name=name, subresource=subresource)


def pod_place(handle: ResourceHandle, verb: str) -> PodPlace:
    """Where the pods of a handle are.

    Raises:
        InvalidRequestError: the handle is bound to no namespace.
    """
    if not handle.bound_namespace:
        raise InvalidRequestError(
            f'{verb}: {handle.gvr.resource} of no namespace; say which: .namespace("...") on the handle'
        )
    return PodPlace(handle.rest, handle.bound_namespace)


def read_pod(
    place: PodPlace, name: str, *, container: str | None, timeout: float | None, cancel: CancelToken | None
) -> dict[str, Any] | None:
    """The pod; None where we may not read it, but know all that we need."""
    try:
        return place.pods.get(name, timeout=timeout, cancel=cancel)
    except ForbiddenError:
        if container is None:
            raise
        return None


def _names(pod: Mapping[str, Any], kind: str = "containers") -> list[str]:
    """The names of a pod's ``containers``, ``initContainers`` or ``ephemeralContainers``."""
    found = at(pod, "spec", kind) or []
    return [str(each.get("name")) for each in found]


def container_names(pod: Mapping[str, Any]) -> list[str]:
    """Init containers, containers and ephemeral containers, in this order (8.3.2)."""
    return [name for kind in ("initContainers", "containers", "ephemeralContainers") for name in _names(pod, kind)]


def choose_container(pod: Mapping[str, Any], container: str | None) -> str:
    """The container that is meant. Whether the pod has the one that was named, the server says better.

    >>> choose_container({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "x"}, {"name": "y"}]}}, None)
    'x'
    """
    if container is not None:
        return container
    name = str(at(pod, "metadata", "name"))
    known = container_names(pod)
    annotated = (at(pod, "metadata", "annotations") or {}).get(DEFAULT_CONTAINER)
    if annotated:
        if annotated in known:
            return str(annotated)
        _log.warning("pod %s: the annotation %s names %r, which it has not", name, DEFAULT_CONTAINER, annotated)
    regular = _names(pod)
    if len(regular) > 1:
        _log.info("pod %s: container %s of %s, since none is named", name, regular[0], ", ".join(regular))
    if not regular:
        raise InvalidRequestError(f"pod {name} has no containers")
    return regular[0]


def phase_of(pod: Mapping[str, Any]) -> str:
    """``Pending``, ``Running``, ``Succeeded``, ``Failed`` or ``Unknown``; ``""`` before there is one."""
    return str(at(pod, "status", "phase") or "")


def is_ended(pod: Mapping[str, Any]) -> bool:
    """Whether its containers have ended for good."""
    return phase_of(pod) in _ENDED


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether its condition Ready is true, and it is not on its way out."""
    conditions = at(pod, "status", "conditions") or []
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return ready and not at(pod, "metadata", "deletionTimestamp")


def require_running(pod: Mapping[str, Any], verb: str) -> None:
    """Refuse a pod that has ended, in kubectl's words (KC/cmd/exec/exec.go).

    Raises:
        PodNotRunningError: it has ended.
    """
    if is_ended(pod):
        raise PodNotRunningError(
            f"cannot {verb} a container in a completed pod; current phase is {phase_of(pod)}; its logs are still there"
        )


def _has_not_started(message: str) -> bool:
    return "does not have a host assigned" in message or "is waiting to start" in message


def explained(error: APIStatusError, pod: Mapping[str, Any] | None, subresource: str) -> APIStatusError:
    """The server's refusal, with what to do about it."""
    if error.hint:
        return error
    if error.http_status == 403:
        error.hint = f"the role must allow create (and get) on pods/{subresource}"
    elif _has_not_started(error.message) or (pod is not None and phase_of(pod) == "Pending"):
        error.hint = 'the pod does not run yet; wait for it: .wait(name, condition="Ready")'
    elif pod is not None and error.http_status in {400, 404} and "container" in error.message:
        error.hint = f"its containers: {', '.join(container_names(pod))}"
    elif error.http_status in {500, 502, 503, 504}:
        node = at(pod or {}, "spec", "nodeName") or "its node"
        error.hint = f"the API server reaches the kubelet of {node}, or it does not: is the node up?"
    return error


# --------------------------------------------------------------------------- workloads


def is_workload(gvr: GroupVersionResource) -> bool:
    """Whether its objects have pods by a selector that we know how to read."""
    return (gvr.group, gvr.resource) in _WORKLOADS


def selector_of(handle: ResourceHandle, obj: Mapping[str, Any]) -> str:
    """The label selector of a workload's or service's pods.

    Raises:
        InvalidRequestError: it has none.
    """
    selector = at(obj, "spec", "selector") or {}
    labels: Mapping[str, Any] = selector
    expressions: Sequence[Mapping[str, Any]] = ()
    if (handle.gvr.group, handle.gvr.resource) not in {("", "services"), ("", "replicationcontrollers")}:
        labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    parts = [f"{key}={value}" for key, value in sorted(labels.items())]
    parts += [_requirement(each) for each in expressions]
    if not parts:
        name = at(obj, "metadata", "name")
        raise InvalidRequestError(f"{handle.gvr.resource} {name} has no selector, so it has no pods that we could find")
    return ",".join(parts)


def _requirement(expression: Mapping[str, Any]) -> str:
    key, operator, values = expression["key"], expression["operator"], ",".join(expression.get("values") or ())
    return {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": str(key),
        "DoesNotExist": f"!{key}",
    }[operator]


def pods_of(
    handle: ResourceHandle, obj: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
) -> list[dict[str, Any]]:
    """The pods of a workload or service, the best first (AttachablePodForObjectFn sorts so).

    Running before pending, ready before not ready, the longest ready first, by name at last.
    """
    place = pod_place(handle, handle.gvr.resource)
    return best_first(place.pods.list(label_selector=selector_of(handle, obj), timeout=timeout, cancel=cancel))


def best_first(pods: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pods in the order in which kubectl would choose one (CG's podutils.ActivePods, roughly)."""

    def rank(pod: Mapping[str, Any]) -> tuple[Any, ...]:
        metadata = pod["metadata"]
        return (
            bool(metadata.get("deletionTimestamp")),
            is_ended(pod),
            phase_of(pod) != "Running",
            not is_ready(pod),
            str(metadata.get("creationTimestamp")),
            metadata["name"],
        )

    return sorted(pods, key=rank)


def choose_pod(handle: ResourceHandle, name: str, *, scope: CallScope) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The pod that is meant by a pod, workload or service, and that object where it is no pod.

    Raises:
        NotFoundError: no such object, or it has no pods.
        InvalidRequestError: objects of this kind have no pods.
    """
    obj = handle.get(name, timeout=scope.left(), cancel=scope.cancel)
    if handle.gvr.resource == "pods":
        return obj, None
    if handle.gvr.resource != "services" and not is_workload(handle.gvr):
        raise InvalidRequestError(f"{handle.gvr.resource} have no pods that we know how to find; use a pod of theirs")
    found = pods_of(handle, obj, timeout=scope.left(), cancel=scope.cancel)
    if not found:
        raise NotFoundError(
            {
                "kind": "Status",
                "status": "Failure",
                "reason": "NotFound",
                "code": 404,
                "message": f"{handle.gvr.resource} {name!r} has no pods (selector {selector_of(handle, obj)})",
            }
        )
    return found[0], obj
