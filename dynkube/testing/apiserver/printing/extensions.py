"""The rows of storage, devices, certificates, and of what extends the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from dynkube.testing.apiserver.printing.durations import human, since
from dynkube.testing.apiserver.printing.values import NONE, UNSET, age, at, condition, name, number, shortened, text

__all__ = ["EXTENSIONS"]

_DEFAULT_STORAGE_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _api_service(obj: Any, now: datetime) -> list[Any]:
    service, available = at(obj, "spec", "service"), condition(obj, "Available")
    status, reason = text(available, "status") or "Unknown", text(available, "reason")
    if reason and status != "True":
        status = f"{status} ({reason})"
    shown = "Local" if service is None else f"{text(service, 'namespace')}/{text(service, 'name')}"
    return [name(obj), shown, status, age(obj, now)]


def _webhook_configuration(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), len(obj.get("webhooks") or ()), age(obj, now)]


def _policy(rules: str) -> Callable[[Any, datetime], list[Any]]:
    def cells(obj: Any, now: datetime) -> list[Any]:
        kind = at(obj, "spec", "paramKind")
        shown = UNSET if kind is None else f"{text(kind, 'apiVersion')}/{text(kind, 'kind')}"
        return [name(obj), len(at(obj, "spec", rules) or ()), shown, age(obj, now)]

    return cells


def _policy_binding(obj: Any, now: datetime) -> list[Any]:
    parameters, shown = at(obj, "spec", "paramRef"), UNSET
    if text(parameters, "name"):
        shown = f"{text(parameters, 'namespace') or '*'}/{text(parameters, 'name')}"
    elif at(parameters, "selector") is not None:
        shown = _go_selector(parameters["selector"])
    return [name(obj), text(obj, "spec", "policyName"), shown, age(obj, now)]


def _go_selector(selector: Any) -> str:
    """As Go prints the struct."""
    labels = at(selector, "matchLabels") or {}
    shown_labels = "".join(f"{key}: {labels[key]}," for key in sorted(labels))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{each.get('key', '')},Operator:{each.get('operator', '')},"
        f"Values:[{' '.join(each.get('values') or ())}],}},"
        for each in at(selector, "matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{shown_labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


def _certificate_signing_request(obj: Any, now: datetime) -> list[Any]:
    seconds = at(obj, "spec", "expirationSeconds")
    return [
        name(obj),
        age(obj, now),
        text(obj, "spec", "signerName") or NONE,
        text(obj, "spec", "username"),
        NONE if seconds is None else human(timedelta(seconds=seconds)),
        _certificate_state(obj),
    ]


def _certificate_state(obj: Any) -> str:
    told = {each.get("type") for each in at(obj, "status", "conditions") or ()}
    state = "Denied" if "Denied" in told else "Approved" if "Approved" in told else "Pending"
    return state + ",Failed" * ("Failed" in told) + ",Issued" * bool(at(obj, "status", "certificate"))


def _storage_class(obj: Any, now: datetime) -> list[Any]:
    is_default = any(at(obj, "metadata", "annotations", each) == "true" for each in _DEFAULT_STORAGE_CLASS)
    return [
        name(obj) + " (default)" * is_default,
        text(obj, "provisioner"),
        text(obj, "reclaimPolicy") or "Delete",
        text(obj, "volumeBindingMode") or "Immediate",
        bool(at(obj, "allowVolumeExpansion")),
        age(obj, now),
    ]


def _volume_attributes_class(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "driverName"), age(obj, now)]


def _volume_attachment(obj: Any, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "spec", "attacher"),
        text(obj, "spec", "source", "persistentVolumeName"),
        text(obj, "spec", "nodeName"),
        bool(at(obj, "status", "attached")),
        age(obj, now),
    ]


def _csi_node(obj: Any, now: datetime) -> list[Any]:
    return [name(obj), len(at(obj, "spec", "drivers") or ()), age(obj, now)]


def _csi_driver(obj: Any, now: datetime) -> list[Any]:
    attach, tokens = at(obj, "spec", "attachRequired"), at(obj, "spec", "tokenRequests")
    return [
        name(obj),
        True if attach is None else attach,
        bool(at(obj, "spec", "podInfoOnMount")),
        bool(at(obj, "spec", "storageCapacity")),
        UNSET if tokens is None else ",".join(text(each, "audience") for each in tokens),
        bool(at(obj, "spec", "requiresRepublish")),
        ",".join(at(obj, "spec", "volumeLifecycleModes") or ()) or NONE,
        age(obj, now),
    ]


def _resource_claim(obj: Any, now: datetime) -> list[Any]:
    is_deleted, allocation = bool(at(obj, "metadata", "deletionTimestamp")), at(obj, "status", "allocation")
    states = ["deleted"] if is_deleted else []
    if allocation is not None:
        states += ["allocated", "reserved"] if at(obj, "status", "reservedFor") else ["allocated"]
    elif not is_deleted:
        states.append("pending")
    return [name(obj), ",".join(states), age(obj, now)]


def _resource_slice(obj: Any, now: datetime) -> list[Any]:
    pool = text(obj, "spec", "pool", "name")
    return [name(obj), text(obj, "spec", "nodeName"), text(obj, "spec", "driver"), pool, age(obj, now)]


def _device_taint_rule(obj: Any, now: datetime) -> list[Any]:
    taint = at(obj, "spec", "taint")
    added = at(taint, "timeAdded")
    shown = (text(taint, each) for each in ("key", "value", "effect"))
    return [name(obj), *shown, since(added, now) if added else "", age(obj, now)]


def _storage_version(obj: Any, now: datetime) -> list[Any]:
    common = at(obj, "status", "commonEncodingVersion")
    versions = (
        f"{text(each, 'apiServerID')}={text(each, 'encodingVersion')}"
        for each in at(obj, "status", "storageVersions") or ()
    )
    return [name(obj), UNSET if common is None else common, shortened(versions), age(obj, now)]


def _pool_status_request(obj: Any, now: datetime) -> list[Any]:
    status = at(obj, "status")
    state, completed = _pool_state(obj)
    counts = ["-"] * 5
    if status is not None and state != "Failed":
        pools = at(status, "pools") or ()
        fields = "totalDevices", "availableDevices", "allocatedDevices", "unavailableDevices"
        counts = [str(sum(number(each, field) for each in pools)) for field in fields]
        counts.append(str(sum(at(each, "validationError") is not None for each in pools)))
    return [
        name(obj),
        text(obj, "spec", "driver"),
        *counts,
        number(status, "poolCount"),
        state,
        since(completed, now) if completed else NONE,
    ]


def _pool_state(obj: Any) -> tuple[str, str]:
    """The state, and when it was complete."""
    for each in at(obj, "status", "conditions") or ():
        if each.get("status") == "True" and each.get("type") == "Failed":
            return "Failed", ""
        if each.get("status") == "True" and each.get("type") == "Complete":
            told, total = len(at(obj, "status", "pools") or ()), number(obj, "status", "poolCount")
            state = f"Complete ({told}/{total} pools)" if total > told else "Complete"
            return state, text(each, "lastTransitionTime")
    return "Pending", ""


EXTENSIONS: Final[Mapping[str, Callable[[Any, datetime], list[Any]]]] = {
    "apiservices.apiregistration.k8s.io": _api_service,
    "certificatesigningrequests.certificates.k8s.io": _certificate_signing_request,
    "csidrivers.storage.k8s.io": _csi_driver,
    "csinodes.storage.k8s.io": _csi_node,
    "devicetaintrules.resource.k8s.io": _device_taint_rule,
    "mutatingadmissionpolicies.admissionregistration.k8s.io": _policy("mutations"),
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _webhook_configuration,
    "resourceclaims.resource.k8s.io": _resource_claim,
    "resourcepoolstatusrequests.resource.k8s.io": _pool_status_request,
    "resourceslices.resource.k8s.io": _resource_slice,
    "storageclasses.storage.k8s.io": _storage_class,
    "storageversions.internal.apiserver.k8s.io": _storage_version,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _policy("validations"),
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhook_configuration,
    "volumeattachments.storage.k8s.io": _volume_attachment,
    "volumeattributesclasses.storage.k8s.io": _volume_attributes_class,
}
"""By resource and group."""
