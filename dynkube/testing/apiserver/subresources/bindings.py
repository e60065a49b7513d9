"""pods/binding, and the bindings resource: a scheduler's word on which node a pod runs.

KUBE/pkg/registry/core/pod/storage/storage.go, BindingREST.
"""

from __future__ import annotations

from typing import Any

from dynkube.quantities import format_time
from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access.rbac import aggregated
from dynkube.testing.apiserver.subresources.podconditions import set_condition
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.subresources.storing import require, store
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError, not_supported, quoted, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["bind", "bind_by_name"]

_PODS = GroupResource("", "pods")
_BINDING = GroupResource("", "pods/binding")


def bind(call: Call, obj: Object) -> Object:
    """Assign a pod to the node that a Binding names.

    Raises:
        StatusError: 400, 404, 409, or a bare 500 for an invalid target.
    """
    metadata, target = obj["metadata"], obj.get("target") or {}
    if metadata.get("name", "") != call.scope.name:
        raise statuses.bad_request("name in URL does not match name in Binding object")
    errors = _errors(target)
    if errors:
        raise statuses.StatusError(statuses.status(500, "", aggregated([str(each) for each in errors])))
    if not call.scope.name:
        raise statuses.bad_request("Name parameter required.")
    pods = call.registry.catalog.lookup("", "v1", "pods")
    assert pods is not None  # built in
    entry = require(call, pods, uid=metadata.get("uid", ""), resource_version=metadata.get("resourceVersion", ""))
    pod = entry.object()
    problem = _problem(pod)
    if problem:
        raise statuses.conflict(_BINDING, call.scope.name, problem)
    _assign(pod, target["name"], metadata, format_time(call.registry.clock()))
    store(call, pods, pod, entry)
    return statuses.success()


def bind_by_name(call: Call, obj: Object) -> Object:
    """A Binding that is created as a resource of its own: its name is the pod's.

    Raises:
        StatusError: As `bind` does.
    """
    call.scope.name = obj["metadata"].get("name", "")
    return bind(call, obj)


def _errors(target: dict[str, Any]) -> list[FieldError]:
    # KUBE/pkg/apis/core/validation, ValidatePodBinding
    errors = []
    kind = target.get("kind", "")
    if kind not in ("", "Node"):
        errors.append(not_supported("target.kind", kind, ["Node", "<empty>"]))
    if not target.get("name"):
        errors.append(required("target.name"))
    return errors


def _problem(pod: Object) -> str:
    name, spec = pod["metadata"]["name"], pod["spec"]
    if "deletionTimestamp" in pod["metadata"]:
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if spec.get("nodeName"):
        return f"pod {name} is already assigned to node {quoted(spec['nodeName'])}"
    if spec.get("schedulingGates"):
        return f"pod {name} has non-empty .spec.schedulingGates"
    return ""


def _assign(pod: Object, node: str, binding: dict[str, Any], now: str) -> None:
    """Set the node, and what a scheduler adds, in place. No field manager is told."""
    pod["spec"]["nodeName"] = node
    for field in ("annotations", "labels"):
        if binding.get(field):
            pod["metadata"][field] = {**(pod["metadata"].get(field) or {}), **binding[field]}
    status = pod.setdefault("status", {})
    status.pop("nominatedNodeName", None)
    set_condition(status, {"type": "PodScheduled", "status": "True"}, now)
