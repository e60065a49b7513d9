"""``/healthz``, ``/livez`` and ``/readyz`` (AS/server/healthz): all is well as long as it answers."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.testing.apiserver.endpoints.plain import plain_text
from dynkube.testing.apiserver.words.messages import Request, Response

__all__ = ["HEALTH", "health"]

HEALTH = frozenset({"healthz", "livez", "readyz"})

_HOOKS = """
    start-apiserver-admission-initializer generic-apiserver-start-informers priority-and-fairness-config-consumer
    priority-and-fairness-filter storage-object-count-tracker-hook start-apiextensions-informers
    start-apiextensions-controllers crd-informer-synced start-system-namespaces-controller
    peer-endpoint-reconciler-controller start-cluster-authentication-info-controller
    start-kube-apiserver-identity-lease-controller start-kube-apiserver-identity-lease-garbage-collector
    storage-readiness start-legacy-token-tracking-controller start-service-ip-repair-controllers rbac/bootstrap-roles
    scheduling/bootstrap-system-priority-classes priority-and-fairness-config-producer bootstrap-controller
    start-kubernetes-service-cidr-controller aggregator-reload-proxy-client-cert start-kube-aggregator-informers
    apiservice-status-local-available-controller apiservice-status-remote-available-controller
    apiservice-registration-controller apiservice-discovery-controller kube-apiserver-autoregistration
"""
_LAST_HOOKS = "apiservice-openapi-controller apiservice-openapiv3-controller"
_BEFORE = {
    "healthz": ("ping", "log", "loopback-serving-certificate", "etcd"),
    "livez": ("ping", "log", "loopback-serving-certificate", "etcd"),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync"),
}
_AFTER = {"readyz": ("shutdown",)}


def _checks(name: str) -> Sequence[str]:
    hooks = [f"poststarthook/{each}" for each in _HOOKS.split()]
    last = [f"poststarthook/{each}" for each in _LAST_HOOKS.split()]
    return [*_BEFORE[name], *hooks, "autoregister-completion", *last, *_AFTER.get(name, ())]


def health(request: Request, name: str, rest: Sequence[str]) -> Response | None:
    """The page of all checks, or of one of them; None where there is no such page."""
    checks = _checks(name)
    if rest:
        if "/".join(rest) not in checks:
            return None
        return Response(status=200, headers=[("Content-Type", "text/plain; charset=utf-8")], body=b"ok")
    if request.path.endswith("/"):
        return None
    if request.parameter("verbose") is None:
        return plain_text(200, "ok")
    excluded = [value for each, value in request.query if each == "exclude"]
    lines = [f"[+]{each} {'excluded: ok' if each in excluded else 'ok'}\n" for each in checks]
    unknown = ", ".join(f'"{each}"' for each in dict.fromkeys(excluded) if each not in checks)
    if unknown:
        lines.append(f"warn: some health checks cannot be excluded: no matches for {unknown}\n")
    return plain_text(200, f"{''.join(lines)}{name} check passed\n")
