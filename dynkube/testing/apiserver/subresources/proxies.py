"""The proxies of pods, services and nodes: whom a request is for (KUBE/pkg/registry/core/{pod,node,service}).

Who answers, a test says. Where nobody does, the address is what it would be, and is refused or dialled in vain.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.streaming.sessions import ProxyHandler, ProxyRequest
from dynkube.testing.apiserver.subresources.kubelets import UNREACHABLE, host_port, kubelet_address
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.messages import Request, Response
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["proxy"]

_NODES = GroupResource("", "nodes")


def proxy(call: Call, request: Request) -> Response:
    """Answer a request to something behind the server.

    Raises:
        StatusError: There is no such thing, or nobody answers for it.
    """
    plural = call.scope.resource.gvr.resource
    if plural == "nodes":
        return _node_proxy(call, request)
    return _pod_proxy(call, request) if plural == "pods" else _service_proxy(call, request)


def _node_proxy(call: Call, request: Request) -> Response:
    scheme, name, port = _split(call.scope.name, "node")
    handler = call.behind.proxies.find("nodes", "", name)
    if handler is not None:
        _require(call, "nodes", name)
        return _proxied(call, request, handler, scheme, name, port)
    address = kubelet_address(call, name, _NODES)
    host, _, kubelet_port = address.rpartition(":")
    raise _refused(host.strip("[]"), port or kubelet_port)


def _pod_proxy(call: Call, request: Request) -> Response:
    scheme, name, port = _split(call.scope.name, "pod")
    pod = _require(call, "pods", name)
    handler = call.behind.proxies.find("pods", call.scope.namespace, name)
    if handler is not None:
        return _proxied(call, request, handler, scheme, name, port)
    status = pod.get("status") or {}
    ips = status.get("podIPs") or []
    ports = [each for one in pod["spec"]["containers"] for each in (one.get("ports") or [])[:1]]
    port = port or (str(ports[0]["containerPort"]) if ports else _default_port(scheme))
    raise _refused(ips[0]["ip"] if ips else "", port)


def _service_proxy(call: Call, request: Request) -> Response:
    scheme, name, port = _split(call.scope.name, "service")
    handler = call.behind.proxies.find("services", call.scope.namespace, name)
    if handler is None:
        raise _no_service_proxy(call)
    ports = _require(call, "services", name).get("spec", {}).get("ports") or ()
    if port and not any(port in (str(each["port"]), each.get("name")) for each in ports):
        if port.isdigit():
            raise statuses.service_unavailable(f"no service port {int(port)} found for service {quoted(name)}")
        raise statuses.service_unavailable(f"no endpoints available for service {quoted(call.scope.name)}")
    return _proxied(call, request, handler, scheme, name, port)


def _proxied(call: Call, request: Request, handler: ProxyHandler, scheme: str, name: str, port: str) -> Response:
    from dynkube.testing.apiserver.streaming.proxying import forwarded_headers, serve_proxy

    wanted = ProxyRequest(
        resource=call.scope.resource.gvr.resource,
        namespace=call.scope.namespace,
        name=name,
        scheme=scheme,
        port=port,
        method=request.method,
        path=call.rest or "/",
        query=request.query,
        headers=forwarded_headers(request),
        body=request.body,
    )
    return serve_proxy(request, wanted, handler, rest=call.rest)


def _no_service_proxy(call: Call) -> statuses.StatusError:
    _, name, port = _split(call.scope.name, "service")
    if port.lstrip("+-").isdigit():
        ports = _require(call, "services", name).get("spec", {}).get("ports") or ()
        found = [each for each in ports if each["port"] == int(port)]
        if not found:
            return statuses.service_unavailable(f"no service port {int(port)} found for service {quoted(name)}")
        port = found[0].get("name", "")
    endpoints = _find(call, "endpoints", name)
    if endpoints is None:
        return statuses.not_found(GroupResource("", "services"), name)
    subsets = endpoints.get("subsets") or ()
    if not subsets:
        return statuses.service_unavailable(f"no endpoints available for service {quoted(name)}")
    target = next(_targets(call, subsets, port), None)
    if target is None:
        return statuses.service_unavailable(f"no endpoints available for service {quoted(call.scope.name)}")
    return _refused(*target)


def _targets(call: Call, subsets: Sequence[Mapping[str, Any]], port: str) -> Iterator[tuple[str, str]]:
    """Addresses that are pods of the namespace, with the port of this name."""
    for subset in subsets:
        numbers = [str(each["port"]) for each in subset.get("ports") or () if each.get("name", "") == port]
        for address in subset.get("addresses") or () if numbers else ():
            reference = address.get("targetRef") or {}
            pod = _find(call, "pods", reference.get("name", ""))
            ips = [each["ip"] for each in (pod or {}).get("status", {}).get("podIPs") or ()]
            if reference.get("namespace") == call.scope.namespace and address["ip"] in ips:
                yield address["ip"], numbers[0]


def _split(text: str, word: str) -> tuple[str, str, str]:
    """Scheme, name and port (AM/util/net, SplitSchemeNamePort)."""
    parts = text.split(":")
    scheme, name, port = {1: ["", *parts, ""], 2: ["", *parts], 3: parts}.get(len(parts), ["?", "", ""])
    if not name or scheme not in ("", "http", "https"):
        raise statuses.bad_request(f"invalid {word} request {quoted(text)}")
    return scheme, name, port


def _default_port(scheme: str) -> str:
    return "443" if scheme == "https" else "80"


def _refused(host: str, port: str) -> statuses.StatusError:
    """What a proxy says of an address: it is not allowed, or nobody is there."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return statuses.bad_request("address not allowed")
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        return statuses.bad_request("address not allowed")
    return statuses.service_unavailable(
        f"error trying to reach service: dial tcp {host_port(host, port)}: {UNREACHABLE}"
    )


def _find(call: Call, plural: str, name: str) -> Object | None:
    resource = call.registry.catalog.lookup("", "v1", plural)
    entry = None if resource is None else call.registry.store.find(resource, call.scope.namespace, name)
    return None if entry is None else entry.object()


def _require(call: Call, plural: str, name: str) -> Object:
    obj = _find(call, plural, name)
    if obj is None:
        raise statuses.not_found(GroupResource("", plural), name)
    return obj
