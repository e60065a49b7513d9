"""What pods and their templates get where clients leave it out (pkg/apis/core/v1/defaults.go).

Everything here changes its argument in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynkube.testing.apiserver.builtin.images import default_pull_policy
from dynkube.testing.apiserver.builtin.pod.totals import default_pod_level_resources
from dynkube.testing.apiserver.builtin.rules import rounded_up

__all__ = ["containers", "default_claim_spec", "default_pod", "default_spec", "default_template"]

Spec = dict[str, Any]

_MODE = 0o644
_HOUR = 3600
_INIT_CONTAINER_ANNOTATIONS = tuple(
    f"pod.{level}.kubernetes.io/{name}"
    for level in ("beta", "alpha")
    for name in ("init-containers", "init-container-statuses")
)


def default_pod(pod: dict[str, Any]) -> None:
    """A Pod, with what its conversion does (SetObjectDefaults_Pod, Convert_v1_Pod_To_core_Pod)."""
    spec = pod.setdefault("spec", {"containers": None})
    for container in _regular(spec):
        _default_requests(container)
    default_pod_level_resources(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in _regular(spec):
            for port in container.get("ports") or ():
                port.setdefault("hostPort", port.get("containerPort", 0))
    default_spec(spec)
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    _drop_old_annotations(pod["metadata"])
    _default_status(pod.get("status") or {})


def default_template(template: dict[str, Any]) -> None:
    """A template of pods: what a pod gets of its own, like requests, templates do not."""
    default_spec(template.setdefault("spec", {"containers": None}))
    _drop_old_annotations(template.get("metadata") or {})


def default_spec(spec: Spec) -> None:
    """A PodSpec (SetDefaults_PodSpec, and what is nested)."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    _sync_service_account(spec)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)
    for container in containers(spec):
        _default_container(container)
    if "overhead" in spec:
        rounded_up(spec["overhead"])
    if "resources" in spec:
        _round_up(spec["resources"])


def containers(spec: Spec) -> Iterator[dict[str, Any]]:
    """Init containers, containers and ephemeral containers."""
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()
    yield from spec.get("ephemeralContainers") or ()


def _regular(spec: Spec) -> Iterator[dict[str, Any]]:
    yield from spec.get("containers") or ()
    yield from spec.get("initContainers") or ()


def _sync_service_account(spec: Spec) -> None:
    """The deprecated name of the field always says the same; where both are given, the new one counts."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _drop_old_annotations(metadata: dict[str, Any]) -> None:
    annotations = metadata.get("annotations")
    if annotations:
        for name in _INIT_CONTAINER_ANNOTATIONS:
            annotations.pop(name, None)
        if not annotations:
            del metadata["annotations"]


# ------------------------------------------------------------------ containers


def _default_container(container: dict[str, Any]) -> None:
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = default_pull_policy(container.get("image", ""))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            _default_source(variable["valueFrom"])
    _round_up(container.get("resources"))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _default_probe(container[name])
    for handler in (container.get("lifecycle") or {}).values():
        if isinstance(handler, dict) and "httpGet" in handler:
            _default_http_get(handler["httpGet"])


def _default_source(source: dict[str, Any]) -> None:
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if "fileKeyRef" in source:
        source["fileKeyRef"].setdefault("optional", False)


def _default_requests(container: dict[str, Any]) -> None:
    """A limit is a request where there is none; of pods only."""
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**(resources.get("requests") or {})}
        for name, quantity in limits.items():
            resources["requests"].setdefault(name, quantity)


def _round_up(resources: dict[str, Any] | None) -> None:
    if resources:
        rounded_up(resources.get("limits"))
        rounded_up(resources.get("requests"))


def _default_probe(probe: dict[str, Any]) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    if "httpGet" in probe:
        _default_http_get(probe["httpGet"])
    if "grpc" in probe and probe["grpc"].get("service") is None:
        probe["grpc"]["service"] = ""  # it is encoded as null where it is not given


def _default_http_get(action: dict[str, Any]) -> None:
    action.setdefault("path", "/")
    action.setdefault("scheme", "HTTP")


# ------------------------------------------------------------------ volumes


def _default_volume(volume: dict[str, Any]) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
        return
    for kind, source in volume.items():
        default = _OF_SOURCES.get(kind)
        if default is not None and source is not None:
            default(source)


def _default_mode(source: dict[str, Any]) -> None:
    source.setdefault("defaultMode", _MODE)


def _default_downward_api(source: dict[str, Any]) -> None:
    _default_mode(source)
    _default_files(source)


def _default_files(source: dict[str, Any]) -> None:
    for item in source.get("items") or ():
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")


def _default_projected(source: dict[str, Any]) -> None:
    _default_mode(source)
    for each in source.get("sources") or ():
        if "downwardAPI" in each:
            _default_files(each["downwardAPI"])
        if "serviceAccountToken" in each:
            each["serviceAccountToken"].setdefault("expirationSeconds", _HOUR)


def _default_image(source: dict[str, Any]) -> None:
    source.setdefault("pullPolicy", default_pull_policy(source.get("reference", "")))


def _default_azure_disk(source: dict[str, Any]) -> None:
    source.setdefault("cachingMode", "ReadWrite")
    source.setdefault("fsType", "ext4")
    source.setdefault("readOnly", False)
    source.setdefault("kind", "Shared")


def _default_rbd(source: dict[str, Any]) -> None:
    source.setdefault("pool", "rbd")
    source.setdefault("user", "admin")
    source.setdefault("keyring", "/etc/ceph/keyring")


def _default_scale_io(source: dict[str, Any]) -> None:
    source.setdefault("storageMode", "ThinProvisioned")
    source.setdefault("fsType", "xfs")


def _default_ephemeral(source: dict[str, Any]) -> None:
    template = source.get("volumeClaimTemplate")
    if template is not None:
        default_claim_spec(template.setdefault("spec", {}))


def default_claim_spec(spec: dict[str, Any]) -> None:
    """The spec of a claim (SetDefaults_PersistentVolumeClaimSpec)."""
    spec.setdefault("volumeMode", "Filesystem")
    _round_up(spec.get("resources"))


_OF_SOURCES = {
    "secret": _default_mode,
    "configMap": _default_mode,
    "downwardAPI": _default_downward_api,
    "projected": _default_projected,
    "hostPath": lambda source: source.setdefault("type", ""),
    "iscsi": lambda source: source.setdefault("iscsiInterface", "default"),
    "image": _default_image,
    "azureDisk": _default_azure_disk,
    "rbd": _default_rbd,
    "scaleIO": _default_scale_io,
    "ephemeral": _default_ephemeral,
}


# ------------------------------------------------------------------ status


def _default_status(status: dict[str, Any]) -> None:
    """One address and the list of addresses say the same; the single one counts where they do not."""
    single, addresses = status.get("podIP"), status.get("podIPs")
    if single and (not addresses or addresses[0].get("ip") != single):
        status["podIPs"] = [{"ip": single}]
    elif addresses:
        status["podIP"] = addresses[0].get("ip", "")
    for name in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for each in status.get(name) or ():
            rounded_up(each.get("allocatedResources"))
            _round_up(each.get("resources"))
