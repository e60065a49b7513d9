"""log, exec, attach and portforward: what is checked before anybody behind the server is asked; `proxies` beside them.

Who is there, a test says (`streaming`). Where nobody is, whatever would be dialled refuses the connection. Until there
every step is the real one's: options, the pod, its container, its node, and the node's address
(KUBE/pkg/registry/core/pod/strategy.go, rest/subresources.go, rest/log.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dynkube.errors import InvalidRequestError
from dynkube.quantities import format_time, parse_time
from dynkube.schema import GroupKind, GroupResource
from dynkube.testing.apiserver.streaming.handshakes import wants_upgrade
from dynkube.testing.apiserver.streaming.sessions import LogRequest
from dynkube.testing.apiserver.subresources.kubelets import UNREACHABLE, kubelet_address
from dynkube.testing.apiserver.subresources.proxies import proxy
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

_PODS = GroupResource("", "pods")
_LOG_OPTIONS = GroupKind("", "PodLogOptions")
_SINCE = "at most one of `sinceTime` or `sinceSeconds` may be specified"
_GO_TIME = "2006-01-02T15:04:05Z07:00"


def connect(call: Call, request: Request) -> Response:
    """Answer a request to one of these subresources.

    Raises:
        StatusError: It is refused, or in the end there is nobody to talk to.
    """
    subresource = call.scope.subresource
    if subresource == "log":
        return _log(call, request)
    if subresource == "portforward":
        return _forward(call, request)
    return proxy(call, request) if subresource == "proxy" else _command(call, request)


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
    address = kubelet_address(call, node, _PODS)
    path = f"/containerLogs/{metadata['namespace']}/{metadata['name']}/{container}"
    query = f"?{urlencode(sorted(options.items()))}" if options else ""
    raise statuses.unexpected(f"Get {quoted(f'https://{address}{path}{query}')}: dial tcp {address}: {UNREACHABLE}")


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
    return serve_command(request, options, handler if is_running else None, call.behind.pods)


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
    if not wants_upgrade(request):
        raise statuses.bad_request("Upgrade request required")


def _no_stream(call: Call, request: Request, pod: Object) -> statuses.StatusError:
    """What is said where no handler is, and so no kubelet."""
    node = pod["spec"].get("nodeName")
    if not node:
        return statuses.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    address = kubelet_address(call, node, _PODS)
    _check_upgrade(request)
    return statuses.unexpected(f"error dialing backend: dial tcp {address}: {UNREACHABLE}")


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
