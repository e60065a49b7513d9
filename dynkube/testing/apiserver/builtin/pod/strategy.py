"""The strategy of pods (pkg/registry/core/pod/strategy.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.addresses import ip_warnings
from dynkube.testing.apiserver.builtin.native import NativeStrategy, keep
from dynkube.testing.apiserver.builtin.pod.annotations import APPARMOR_PREFIX, apparmor_of
from dynkube.testing.apiserver.builtin.pod.defaults import containers, default_pod
from dynkube.testing.apiserver.builtin.pod.disabled import drop_disabled
from dynkube.testing.apiserver.builtin.pod.resize import keep_all_but_resources, pod_resize
from dynkube.testing.apiserver.builtin.pod.status import keep_observed_generations, pod_status_update
from dynkube.testing.apiserver.builtin.pod.totals import qos_class
from dynkube.testing.apiserver.builtin.pod.updates import ephemeral_containers_update, pod_update
from dynkube.testing.apiserver.builtin.pod.warnings import old_apparmor, pod_warnings
from dynkube.testing.apiserver.builtin.pod.whole import new_pod
from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping, same
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, index
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["PodStrategy"]

_OLD_PROFILES: ContextVar[Sequence[str]] = ContextVar("old_profiles", default=())
"""What is warned of before annotations of the pod at hand become fields."""
_GATED = "Scheduling is blocked due to non-empty scheduling gates"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class PodStrategy(NativeStrategy):
    """Pods, with their status, resize and ephemeralcontainers subresources."""

    has_status = True
    has_generation = True

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        default_pod(obj)

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        spec, metadata = obj["spec"], obj["metadata"]
        metadata["generation"] = 1
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}
        drop_disabled(spec, None)
        if listed(spec, "schedulingGates"):
            obj["status"]["conditions"] = [_gated(metadata)]
        if "affinity" in spec or "topologySpreadConstraints" in spec:
            _merge_label_keys(spec, mapping(metadata, "labels"))
        _OLD_PROFILES.set(_sync_apparmor(obj) if "annotations" in metadata else ())

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        if _OLD_PROFILES.get():
            _OLD_PROFILES.set(())
        if subresource == "status":
            _prepare_status(obj, old)
            return
        if subresource == "resize":
            keep_all_but_resources(obj, old)
        elif subresource == "ephemeralcontainers":
            _keep_all_but_ephemeral_containers(obj, old)
        keep(obj, old, "status")
        drop_disabled(obj["spec"], old["spec"])
        self.count_change(obj, old)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return new_pod(obj)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return pod_update(obj, old)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return pod_status_update(obj, old)

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """See `Strategy`."""
        judge = _OF_SUBRESOURCES.get(subresource)
        return super().validate_update(obj, old, subresource) if judge is None else list(judge(obj, old))

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`: of new pods, and of addresses in a status."""
        if old is None:
            return [*_OLD_PROFILES.get(), *pod_warnings(obj)]
        if subresource != "status":
            return []
        status = mapping(obj, "status")
        return [
            warning
            for name in ("podIPs", "hostIPs")
            for number, address in enumerate(listed(status, name))
            for warning in ip_warnings(address.get("ip", ""), child(index(child("status", name), number), "ip"))
        ]

    def warnings_of_refusal(self) -> Sequence[str]:
        """See `Strategy`: what is warned of before anything is judged."""
        return _OLD_PROFILES.get()

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """See `Strategy`."""
        if subresource == "status":
            return (("spec",), ("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))
        return (("status",),) if subresource == "" else ()

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        spec, status = mapping(obj, "spec"), mapping(obj, "status")
        addresses = listed(status, "podIPs")
        return {
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.restartPolicy": spec.get("restartPolicy", ""),
            "spec.schedulerName": spec.get("schedulerName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
            "status.phase": status.get("phase", ""),
            "status.podIP": addresses[0].get("ip", "") if addresses else "",
            "status.nominatedNodeName": status.get("nominatedNodeName", ""),
        }

    def grace_period(self, obj: Object, requested: int | None) -> int:
        """See `Strategy`: none for a pod that runs nowhere, or no more."""
        spec = mapping(obj, "spec")
        if not spec.get("nodeName") or mapping(obj, "status").get("phase") in ("Failed", "Succeeded"):
            return 0
        period: int = requested if requested is not None else spec.get("terminationGracePeriodSeconds") or 0
        return 1 if period < 0 else period


_OF_SUBRESOURCES: Mapping[str, Callable[[Json, Json], Errors]] = {
    "resize": pod_resize,
    "ephemeralcontainers": ephemeral_containers_update,
}


def _prepare_status(obj: Object, old: Object) -> None:
    """A kubelet writes the status, and may not touch what it does not know (podStatusStrategy)."""
    keep(obj, old, "spec")
    obj["metadata"].pop("deletionTimestamp", None)
    keep(obj["metadata"], old["metadata"], "ownerReferences")
    status, before = obj.setdefault("status", {}), mapping(old, "status")
    if not status.get("qosClass") and before.get("qosClass"):
        status["qosClass"] = before["qosClass"]
    keep_observed_generations(status, before)
    if not before.get("nodeAllocatableResourceClaimStatuses"):
        status.pop("nodeAllocatableResourceClaimStatuses", None)


_OF_STATUS_WRITERS = ("deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "finalizers")


def _keep_all_but_ephemeral_containers(obj: Object, old: Object) -> None:
    kept = dict(old["spec"])
    wanted = obj["spec"].get("ephemeralContainers")
    if wanted:
        kept["ephemeralContainers"] = wanted
    else:
        kept.pop("ephemeralContainers", None)
    obj["spec"] = kept
    for name in (*_OF_STATUS_WRITERS, "ownerReferences"):
        keep(obj["metadata"], old["metadata"], name)


# ------------------------------------------------------------------ what a new pod is given


def _gated(metadata: Json) -> dict[str, Any]:
    """It is not scheduled as long as something holds it (applySchedulingGatedCondition)."""
    return {
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": metadata.get("creationTimestamp"),
        "reason": "SchedulingGated",
        "message": _GATED,
    }


def _merge_label_keys(spec: Json, labels: Mapping[str, str]) -> None:
    """Keys whose values are the pod's own become requirements of selectors, in place."""
    for name in ("podAffinity", "podAntiAffinity"):
        affinity = mapping(mapping(spec, "affinity"), name)
        terms = [mapping(each, "podAffinityTerm") for each in listed(affinity, _PREFERRED)]
        for term in (*terms, *listed(affinity, _REQUIRED)):
            _require(term, "matchLabelKeys", "In", labels)
            _require(term, "mismatchLabelKeys", "NotIn", labels)
    for constraint in listed(spec, "topologySpreadConstraints"):
        _require(constraint, "matchLabelKeys", "In", labels)


def _require(term: Json, name: str, operator: str, labels: Mapping[str, str]) -> None:
    selector = term.get("labelSelector")
    if selector is None:
        return
    for key in listed(term, name):
        if key in labels:
            expressions = list(listed(selector, "matchExpressions"))
            added = {"key": key, "operator": operator, "values": [labels[key]]}
            selector["matchExpressions"] = [*expressions, added]


def _sync_apparmor(pod: Object) -> list[str]:
    """What an old annotation says becomes the field, in place; what is warned of (applyAppArmorVersionSkew)."""
    spec, warnings = pod["spec"], []
    if mapping(spec, "os").get("name") == "windows":
        return []
    of_pod = mapping(spec, "securityContext").get("appArmorProfile")
    for container in containers(spec):
        name, context = container.get("name", ""), mapping(container, "securityContext")
        annotation = pod["metadata"]["annotations"].get(f"{APPARMOR_PREFIX}{name}")
        if annotation is None or context.get("appArmorProfile") is not None:
            continue
        profile = apparmor_of(annotation)
        if profile is None or not same(profile, of_pod):
            warnings.append(old_apparmor(name, ""))
        if profile is not None and not same(profile, of_pod):
            container["securityContext"] = {**context, "appArmorProfile": profile}
    return warnings
