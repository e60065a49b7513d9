"""Probes and lifecycle hooks of containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynkube.testing.apiserver.builtin.rules import Errors, Json, each, listed, non_negative, port_number_or_name
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, invalid, not_supported, required

__all__ = ["lifecycle", "probes"]

_SCHEMES = ("HTTP", "HTTPS")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def probes(container: Json, grace: int | None, field: str) -> Errors:
    """The three probes of a container; ``grace`` is the pod's terminationGracePeriodSeconds."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        found = container.get(name)
        if found is not None:
            where = child(field, name)
            yield from _probe(found, grace, where)
            yield from _of_its_kind(name, found, where)


def _of_its_kind(name: str, found: Json, field: str) -> Errors:
    if name != "readinessProbe":
        if found.get("successThreshold", 0) != 1:
            yield invalid(child(field, "successThreshold"), found.get("successThreshold", 0), "must be 1")
    elif found.get("terminationGracePeriodSeconds") is not None:
        where = child(field, "terminationGracePeriodSeconds")
        yield invalid(where, found["terminationGracePeriodSeconds"], "must not be set for readinessProbes")


def _probe(found: Json, grace: int | None, field: str) -> Errors:
    yield from _handler(found, ("exec", "httpGet", "tcpSocket", "grpc"), grace, field)
    for name in _COUNTS:
        yield from non_negative(found.get(name), child(field, name))
    seconds = found.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid(child(field, "terminationGracePeriodSeconds"), seconds, "must be greater than 0")


def lifecycle(hooks: Json | None, grace: int | None, field: str) -> Errors:
    """``lifecycle`` of a container."""
    for name in ("postStart", "preStop"):
        handler = (hooks or {}).get(name)
        if handler is not None:
            yield from _handler(handler, ("exec", "httpGet", "tcpSocket", "sleep"), grace, child(field, name))


def _handler(handler: Json, kinds: tuple[str, ...], grace: int | None, field: str) -> Errors:
    """One action of those that may stand here (validateHandler)."""
    found = [kind for kind in kinds if handler.get(kind) is not None]
    for kind in found:
        where = child(field, kind)
        if kind != found[0]:
            yield forbidden(where, "may not specify more than 1 handler type")
        else:
            yield from _ACTIONS[kind](handler[kind], grace, where)
    if not found:
        yield required(field, "must specify a handler type")


def _exec(action: Json, _: int | None, field: str) -> Errors:
    if not action.get("command"):
        yield required(child(field, "command"))


def _http_get(action: Json, _: int | None, field: str) -> Errors:
    if not action.get("path"):
        yield required(child(field, "path"))
    yield from port_number_or_name(action.get("port", 0), child(field, "port"))
    scheme = action.get("scheme", "")
    if scheme not in _SCHEMES:
        yield not_supported(child(field, "scheme"), scheme, _SCHEMES)
    for header in listed(action, "httpHeaders"):
        name = header.get("name", "")
        yield from each(child(field, "httpHeaders"), name, names.http_header_name(name))


def _port(action: Json, _: int | None, field: str) -> Errors:
    yield from port_number_or_name(action.get("port", 0), child(field, "port"))


def _sleep(action: Json, grace: int | None, field: str) -> Errors:
    seconds = action.get("seconds", 0)
    if grace is not None and not 0 <= seconds <= grace:
        said = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield invalid(field, seconds, said)


_ACTIONS: dict[str, Callable[[Any, int | None, str], Errors]] = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _port,
    "grpc": _port,
    "sleep": _sleep,
}
