"""A Service made of what a workload says of itself: its selector, ports and protocols.

Source: kubectl's cmd/expose/expose.go and polymorphichelpers (canbeexposed.go, mapbasedselectorforobject.go,
portsforobject.go, multiprotocolsforobject.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import ExposeError, InvalidRequestError
from dynkube.schema import GroupKind, GroupVersionResource
from dynkube.transport import CallScope, CancelToken
from dynkube.unstructured import labels_of, name_of
from dynkube.workloads.status import kind_of

__all__ = ["expose", "service_for"]

_SERVICES = GroupVersionResource("", "v1", "services")
_MAX_NAME = 63  # a DNS-1035 label
_EXPOSABLE = {
    GroupKind("", "ReplicationController"),
    GroupKind("", "Service"),
    GroupKind("", "Pod"),
    GroupKind("apps", "Deployment"),
    GroupKind("apps", "ReplicaSet"),
}
_AFFINITIES = {"None", "ClientIP"}


def expose(
    workloads: ResourceHandle,
    name: str,
    *,
    port: int | str | Sequence[int] | None = None,
    target_port: int | str | None = None,
    protocol: str | None = None,
    service_name: str | None = None,
    selector: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    type: str | None = None,  # noqa: A002 - the word of the API
    cluster_ip: str | None = None,
    external_ip: str | None = None,
    load_balancer_ip: str | None = None,
    session_affinity: str | None = None,
    dry_run: bool = False,
    field_manager: str | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Create a Service that leads to a workload's pods; ``kubectl expose``.

    Args:
        workloads: Deployments, ReplicaSets, ReplicationControllers, Pods or Services, bound to a namespace.
        name: the object's name.
        port: the port, or the ports, of the Service; those of the object by default.
        target_port: the pods' port, by number or name; the Service's own by default. Every port gets the same.
        protocol: ``"TCP"``, ``"UDP"`` or ``"SCTP"`` for every port; those of the object by default, else TCP.
        service_name: the Service's name; the object's (its first 63 characters) by default.
        selector: the pods' labels; the object's selector (of a Pod: its labels) by default.
        labels: the Service's labels; the object's by default.
        type: ``"ClusterIP"`` (the server's default), ``"NodePort"``, ``"LoadBalancer"`` or ``"ExternalName"``.
        cluster_ip: an address, or ``"None"`` for a headless Service, which needs no ports.
        external_ip: one more address for which the Service takes connections.
        load_balancer_ip: the address that the load balancer should have; for the type ``"LoadBalancer"`` only.
        session_affinity: ``"None"`` or ``"ClientIP"``.
        dry_run: have the server do everything but store it.
        field_manager: who owns the Service's fields; kubectl is ``"kubectl-expose"``.
        timeout: seconds for the whole call.
        cancel: a token that ends the call.

    Returns:
        The Service as stored.

    Raises:
        NotFoundError: there is no object of this name.
        ExposeError: it is of another kind, or has no ports or no selector that a Service can have; in kubectl's words.
        AlreadyExistsError: there is a Service of this name.
        InvalidError: the server refuses the Service.
        InvalidRequestError: a port is no port, or an option has none of its values.
    """
    scope = CallScope(timeout, cancel)
    obj = workloads.get(name, timeout=scope.left(), cancel=scope.cancel)
    service = service_for(
        obj,
        port=port,
        target_port=target_port,
        protocol=protocol,
        service_name=service_name,
        selector=selector,
        labels=labels,
        type=type,
        cluster_ip=cluster_ip,
        external_ip=external_ip,
        load_balancer_ip=load_balancer_ip,
        session_affinity=session_affinity,
    )
    return workloads.related(_SERVICES).create(
        service, dry_run=dry_run, field_manager=field_manager, timeout=scope.left(), cancel=scope.cancel
    )


def service_for(
    obj: Mapping[str, Any],
    *,
    port: int | str | Sequence[int] | None = None,
    target_port: int | str | None = None,
    protocol: str | None = None,
    service_name: str | None = None,
    selector: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    type: str | None = None,  # noqa: A002 - the word of the API
    cluster_ip: str | None = None,
    external_ip: str | None = None,
    load_balancer_ip: str | None = None,
    session_affinity: str | None = None,
) -> dict[str, Any]:
    """The Service that `expose` would create for an object; no request.

    The options are those of `expose` (``kubectl expose --dry-run=client``).

    Raises:
        ExposeError: as `expose`.
        InvalidRequestError: as `expose`.

    Example:
        >>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
        ...        "spec": {"containers": [{"name": "web", "ports": [{"containerPort": 8080}]}]}}
        >>> service_for(pod, port=80, target_port=8080)["spec"]["ports"]
        [{'port': 80, 'protocol': 'TCP', 'targetPort': 8080}]
    """
    kind = kind_of(obj)
    if kind not in _EXPOSABLE:
        raise ExposeError(f"cannot expose a {kind}")
    chosen = dict(selector) if selector else _selector_of(obj, kind)
    ports = _ports(obj, port, protocol, headless=cluster_ip == "None")
    for each in ports:
        each["targetPort"] = _target(target_port) if target_port is not None else each["port"]
    spec: dict[str, Any] = {"selector": chosen, "ports": ports}
    spec |= _chosen_spec(type, cluster_ip, external_ip, load_balancer_ip, session_affinity)
    metadata: dict[str, Any] = {"name": service_name or name_of(obj)[:_MAX_NAME]}
    if own := dict(labels) if labels else labels_of(obj):
        metadata["labels"] = own
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


# ------------------------------------------------------------------ selectors


def _selector_of(obj: Mapping[str, Any], kind: GroupKind) -> dict[str, str]:
    if kind.kind == "Pod":
        found = labels_of(obj)
        if not found:
            raise _no_selector("the pod has no labels and cannot be exposed")
        return found
    selector: dict[str, Any] | None = (obj.get("spec") or {}).get("selector")
    if kind.group != "apps":
        if kind.kind == "Service" and selector is None:
            raise _no_selector("the service has no pod selector set")
        if not selector:
            raise ExposeError("selector must be specified")
        return dict(selector)
    selector = selector or {}
    labels = selector.get("matchLabels")
    if not labels:
        raise _no_selector(f"invalid {kind.kind.lower()}: no selectors, therefore cannot be exposed")
    if expressions := selector.get("matchExpressions"):
        shown = " ".join(_as_go_prints_it(each) for each in expressions)
        raise _no_selector(f'couldn\'t convert expressions - "[{shown}]" to map-based selector format')
    return dict(labels)


def _as_go_prints_it(expression: Mapping[str, Any]) -> str:
    values = " ".join(expression.get("values") or ())
    return f"{{Key:{expression.get('key', '')} Operator:{expression.get('operator', '')} Values:[{values}]}}"


def _no_selector(why: str) -> ExposeError:
    return ExposeError(f"couldn't retrieve selectors via --selector flag or introspection: {why}")


# ------------------------------------------------------------------ ports


def _ports(
    obj: Mapping[str, Any], port: int | str | Sequence[int] | None, protocol: str | None, *, headless: bool
) -> list[dict[str, Any]]:
    protocols = _protocols_of(obj)
    numbers = _numbers(port) if port is not None and port != "" else list(protocols)
    if not numbers and not headless:
        raise ExposeError("couldn't find port via --port flag or introspection")
    found = []
    for index, number in enumerate(numbers, start=1):
        name = f"port-{index}" if len(numbers) > 1 else ""
        own = [protocol] if protocol else protocols.get(number) or ["TCP"]
        if len(own) == 1:
            found.append(_port(name, number, own[0]))
        else:  # one number with several protocols: each needs a name of its own
            found += [_port(f"port-{index}-{each.lower()}", number, each) for each in own]
    return found


def _port(name: str, number: int, protocol: str) -> dict[str, Any]:
    return {**({"name": name} if name else {}), "port": number, "protocol": protocol}


def _numbers(port: int | str | Sequence[int]) -> list[int]:
    parts: Sequence[int | str]
    parts = port.split(",") if isinstance(port, str) else [port] if isinstance(port, int) else list(port)
    try:
        found = [int(each) for each in parts]
    except (TypeError, ValueError):
        found = [-1]
    if not found or isinstance(port, bool) or any(not 0 < each < 65536 for each in found):
        raise InvalidRequestError(f"port: must be a port from 1 to 65535, or several, not {port!r}")
    return found


def _target(target_port: int | str) -> int | str:
    """A number where it can be one, else a port's name (intstr.Parse)."""
    if isinstance(target_port, str) and target_port.lstrip("+-").isdecimal():
        return int(target_port)
    return target_port


def _protocols_of(obj: Mapping[str, Any]) -> dict[int, list[str]]:
    """The protocols of each port, in the order in which the object names them."""
    found: dict[int, list[str]] = {}
    for number, protocol in _declared_ports(obj):
        own = found.setdefault(number, [])
        if protocol not in own:  # kubectl names a double twice, and the server refuses that
            own.append(protocol)
    return found


def _declared_ports(obj: Mapping[str, Any]) -> Iterable[tuple[int, str]]:
    spec: Mapping[str, Any] = obj.get("spec") or {}
    if obj.get("kind") == "Service":
        yield from ((each["port"], each.get("protocol") or "TCP") for each in spec.get("ports") or ())
        return
    pod = spec if obj.get("kind") == "Pod" else (spec.get("template") or {}).get("spec") or {}
    for container in pod.get("containers") or ():
        yield from ((each["containerPort"], each.get("protocol") or "TCP") for each in container.get("ports") or ())


# ------------------------------------------------------------------ the rest


def _chosen_spec(
    type_: str | None,
    cluster_ip: str | None,
    external_ip: str | None,
    load_balancer_ip: str | None,
    session_affinity: str | None,
) -> dict[str, Any]:
    if session_affinity and session_affinity not in _AFFINITIES:
        raise InvalidRequestError(f"unknown session affinity: {session_affinity}")
    chosen: dict[str, Any] = {
        "externalIPs": [external_ip] if external_ip else None,
        "type": type_,
        "loadBalancerIP": load_balancer_ip if type_ == "LoadBalancer" else None,
        "sessionAffinity": session_affinity,
        "clusterIP": cluster_ip,
    }
    return {key: value for key, value in chosen.items() if value}
