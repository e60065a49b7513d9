"""log, exec, attach, portforward and proxy: what is checked before anybody behind the server is asked.

Who is there, a test says (`streaming`). Where nobody is, whatever would be dialled refuses the connection. Until there
every step is the real one's: options, the pod, its container, its node, and the node's address
(KUBE/pkg/registry/core/pod/strategy.go, rest/subresources.go, pkg/kubelet/client, pkg/registry/core/{node,service}).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dynkube.errors import InvalidRequestError
from dynkube.quantities import format_time, parse_time
from dynkube.schema import GroupKind, GroupResource
from dynkube.testing.apiserver.streaming.sessions import LogRequest, ProxyHandler, ProxyRequest
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError, forbidden, invalid, quoted
from dynkube.testing.apiserver.words.messages import Request, Response
from dynkube.testing.apiserver.words.requestinfo import request_info
from dynkube.testing.apiserver.words.resources import Object

if TYPE_CHECKING:
    from dynkube.testing.apiserver.streaming.containerlogs import ContainerLog
    from dynkube.testing.apiserver.streaming.sessions import LogHandler

__all__ = ["connect"]

_NODES = GroupResource("", "nodes")
_PODS = GroupResource("", "pods")
_LOG_OPTIONS = GroupKind("", "PodLogOptions")
_KUBELET_PORT = 10250
_UNREACHABLE = "connect: connection refused"
_SINCE = "at most one of `sinceTime` or `sinceSeconds` may be specified"
_GO_TIME = "2006-01-02T15:04:05Z07:00"


def connect(call: Call, request: Request) -> Response:
    """Answer a request to one of these subresources.

    Raises:
        StatusError: It is refused, or in the end there is nobody to talk to.
    """
    subresource, plural = call.scope.subresource, call.scope.resource.gvr.resource
    if subresource == "log":
        return _log(call, request)
    if subresource == "portforward":
        return _forward(call, request)
    if subresource != "proxy":
        return _command(call, request)
    if plural == "nodes":
        return _node_proxy(call, request)
    return _pod_proxy(call, request) if plural == "pods" else _service_proxy(call, request)


# ------------------------------------------------------------------ log


def _log(call: Call, request: Request) -> Response:
    options = _log_options(request)
    errors = list(_log_errors(options))
    if errors:
        raise statuses.invalid(_LOG_OPTIONS, call.scope.name, errors)
    pod = call.registry.get(call.scope).object()
    container = _container(pod, request.parameter("container") or "")
    metadata = pod["metadata"]
    source = call.behind.pods.log_source(metadata["namespace"], metadata["name"], container)
    if source is not None:
        return _read_log(call, request, pod, container, options, source)
    node = pod["spec"].get("nodeName")
    if not node:
        # Nothing was ever said.
        return Response(status=204)
    address = _kubelet(call, node, _PODS)
    path = f"/containerLogs/{metadata['namespace']}/{metadata['name']}/{container}"
    query = f"?{urlencode(sorted(options.items()))}" if options else ""
    raise _bare(f"Get {quoted(f'https://{address}{path}{query}')}: dial tcp {address}: {_UNREACHABLE}")


def _read_log(
    call: Call,
    request: Request,
    pod: Object,
    container: str,
    options: Mapping[str, str],
    source: ContainerLog | LogHandler,
) -> Response:
    from dynkube.testing.apiserver.streaming.logserving import serve_log

    metadata, waiting = pod["metadata"], _state(pod, container).get("waiting")
    if waiting is not None:  # KUBE/pkg/kubelet/kubelet_pods.go, validateContainerLogStatus
        about = f"container {quoted(container)} in pod {quoted(metadata['name'])}"
        raise statuses.bad_request(f"{about} is waiting to start: {waiting.get('reason', '')}")
    wanted = LogRequest(
        namespace=metadata["namespace"],
        pod=metadata["name"],
        container=container,
        follow="follow" in options,
        previous="previous" in options,
        timestamps="timestamps" in options,
        tail_lines=_optional(options, "tailLines"),
        limit_bytes=_optional(options, "limitBytes"),
        since=_since(options, call.registry.clock()),
    )
    return serve_log(request, wanted, source)


def _optional(options: Mapping[str, str], name: str) -> int | None:
    return int(options[name]) if name in options else None


def _since(options: Mapping[str, str], now: datetime) -> float | None:
    if "sinceSeconds" in options:
        return now.timestamp() - int(options["sinceSeconds"])
    # Fractions do not reach the kubelet: it is asked in whole seconds.
    return parse_time(options["sinceTime"]).timestamp() // 1 if "sinceTime" in options else None


def _log_options(request: Request) -> dict[str, str]:
    """What the kubelet is asked for beside the container, as text; "" is not in it."""
    found = {}
    for name in ("follow", "previous", "timestamps"):
        value = request.parameter(name)
        if value is not None and value.lower() not in ("false", "0"):
            found[name] = "true"
    for name in ("sinceSeconds", "tailLines", "limitBytes"):
        value = request.parameter(name)
        if value is not None:
            found[name] = str(_integer(value))
    since = request.parameter("sinceTime")
    if since:
        found["sinceTime"] = _time(since)
    if request.parameter("stream") is not None:
        found["stream"] = request.parameter("stream") or ""
    return found


def _integer(text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise statuses.bad_request(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    if not -(2**63) <= int(text) < 2**63:
        raise statuses.bad_request(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return int(text)


def _time(text: str) -> str:
    try:
        return format_time(parse_time(text))
    except InvalidRequestError:
        problem = f"parsing time {quoted(text)} as {quoted(_GO_TIME)}: cannot parse {quoted(text)} as {quoted('2006')}"
        raise statuses.bad_request(problem) from None


def _log_errors(options: Mapping[str, str]) -> Iterator[FieldError]:
    # KUBE/pkg/apis/core/validation, ValidatePodLogOptions
    if int(options.get("tailLines", 0)) < 0:
        yield invalid("tailLines", int(options["tailLines"]), "must be greater than or equal to 0")
    if int(options.get("limitBytes", 1)) < 1:
        yield invalid("limitBytes", int(options["limitBytes"]), "must be greater than 0")
    if "sinceSeconds" in options and "sinceTime" in options:
        yield forbidden("[]", _SINCE)
    elif int(options.get("sinceSeconds", 1)) < 1:
        yield invalid("sinceSeconds", int(options["sinceSeconds"]), "must be greater than 0")
    if "stream" in options:
        yield forbidden("stream", "may not be specified")


# ------------------------------------------------------------------ streams


def _command(call: Call, request: Request) -> Response:
    """Exec and attach."""
    _check_create(call, request)
    pod = call.registry.get(call.scope).object()
    container = _container(pod, request.parameter("container") or "")
    subresource, metadata = call.scope.subresource, pod["metadata"]
    handler = call.behind.pods.command_handler(subresource, metadata["namespace"], metadata["name"], container)
    if handler is None:
        raise _no_stream(call, request, pod)
    _check_upgrade(request)
    from dynkube.testing.apiserver.streaming.commands import CommandOptions, serve_command

    options = CommandOptions(
        subresource=subresource,
        namespace=metadata["namespace"],
        pod=metadata["name"],
        container=container,
        user=call.scope.user.name,
        command=[value for name, value in request.query if name == "command"] if subresource == "exec" else (),
        streams=frozenset(name for name in ("stdin", "stdout", "stderr") if _flag(request, name)),
        tty=_flag(request, "tty"),
    )
    is_running = not _state(pod, container).keys() & {"waiting", "terminated"}
    return serve_command(request, options, handler if is_running else None)


def _forward(call: Call, request: Request) -> Response:
    ports = [_port(each) for name, value in request.query if name == "ports" for each in value.split(",")]
    _check_create(call, request)
    pod = call.registry.get(call.scope).object()
    metadata = pod["metadata"]
    if not call.behind.pods.forwards(metadata["namespace"], metadata["name"]):
        raise _no_stream(call, request, pod)
    _check_upgrade(request)
    from dynkube.testing.apiserver.streaming.forwarding import ForwardOptions, serve_forward

    options = ForwardOptions(namespace=metadata["namespace"], pod=metadata["name"], ports=ports)
    return serve_forward(request, options, call.behind.pods)


def _check_create(call: Call, request: Request) -> None:
    """A WebSocket is a GET, and may do what a POST may: both verbs are asked for (rest/authorize.go).

    Raises:
        StatusError: 403; in fewer words than any other.
    """
    about = replace(request_info(request), verb="create")
    decision = call.access.decide(call.scope.user, about)
    if not decision.allowed:
        raise statuses.forbidden(GroupResource(about.group, about.resource), about.name, decision.reason)


def _port(text: str) -> int:
    problem = "" if text.isascii() and text.isdigit() else "invalid syntax"
    if not problem and int(text) >= 2**16:
        problem = "value out of range"
    if problem:
        raise statuses.bad_request(f"cannot convert to []int32: strconv.ParseUint: parsing {quoted(text)}: {problem}")
    return int(text)


def _flag(request: Request, name: str) -> bool:
    value = request.parameter(name)
    return value is not None and value.lower() not in ("false", "0")


def _check_upgrade(request: Request) -> None:
    if "upgrade" not in (request.headers.get("Connection") or "").lower():
        raise statuses.bad_request("Upgrade request required")


def _no_stream(call: Call, request: Request, pod: Object) -> statuses.StatusError:
    """What is said where no handler is, and so no kubelet."""
    node = pod["spec"].get("nodeName")
    if not node:
        return statuses.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    address = _kubelet(call, node, _PODS)
    _check_upgrade(request)
    return _bare(f"error dialing backend: dial tcp {address}: {_UNREACHABLE}")


def _state(pod: Object, container: str) -> Mapping[str, Any]:
    """What the pod's status says of a container; where it says nothing, it runs."""
    status = pod.get("status") or {}
    fields = "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"
    told = (each for field in fields for each in status.get(field) or ())
    return next((each.get("state") or {} for each in told if each["name"] == container), {})


def _container(pod: Object, name: str) -> str:
    """The container that is meant (validateContainer).

    Raises:
        StatusError: 400, there is none of this name, or more than one could be.
    """
    spec, pod_name = pod["spec"], pod["metadata"]["name"]
    names = [each["name"] for field in _CONTAINERS for each in spec.get(field) or ()]
    if name:
        if name not in names:
            raise statuses.bad_request(f"container {name} is not valid for pod {pod_name}")
        return name
    containers = spec["containers"]
    if len(containers) != 1:
        chosen = " ".join(names)
        problem = f"a container name must be specified for pod {pod_name}, choose one of: [{chosen}]"
        raise statuses.bad_request(problem)
    return str(containers[0]["name"])


_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def _kubelet(call: Call, name: str, about: GroupResource) -> str:
    """Where a node's kubelet would listen: its InternalIP (--kubelet-preferred-address-types).

    Raises:
        StatusError: 404, no such node, in the words of ``about``; 500, it has no such address.
    """
    nodes = call.registry.catalog.lookup("", "v1", "nodes")
    assert nodes is not None  # built in
    entry = call.registry.store.find(nodes, "", name)
    if entry is None:
        raise statuses.not_found(about, name)
    status = entry.object().get("status") or {}
    addresses = status.get("addresses") or []
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or _KUBELET_PORT
    for each in addresses:
        if each["type"] == "InternalIP":
            return _host_port(each["address"], port)
    known = " ".join(f"{{{each['type']} {each['address']}}}" for each in addresses)
    raise _bare(f"no preferred addresses found; known addresses: [{known}]")


# ------------------------------------------------------------------ proxies


def _node_proxy(call: Call, request: Request) -> Response:
    scheme, name, port = _split(call.scope.name, "node")
    handler = call.behind.proxies.find("nodes", "", name)
    if handler is not None:
        _require(call, "nodes", name)
        return _proxied(call, request, handler, scheme, name, port)
    address = _kubelet(call, name, _NODES)
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
        f"error trying to reach service: dial tcp {_host_port(host, port)}: {_UNREACHABLE}"
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


def _host_port(host: str, port: int | str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bare(problem: str) -> statuses.StatusError:
    return statuses.StatusError(statuses.status(500, "", problem))
