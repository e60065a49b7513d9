"""Ingresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.addresses import ip, ip_warnings, parse_ip
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    dns1123_subdomain,
    each,
    listed,
    mapping,
    word,
)
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, index, invalid, not_supported, quoted, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["CLASS_ANNOTATION", "IngressStrategy", "reference"]

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NEVER_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_NEVER_AT_ENDS = ("/..", "/.")
_NO_ADDRESS = "must be a DNS name, not an IP address"


class IngressStrategy(NativeStrategy):
    """Ingresses."""

    has_status = True
    has_generation = True
    zero_status: ClassVar[Mapping[str, Any]] = {"loadBalancer": {}}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {}).setdefault("loadBalancer", {})

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _spec(obj["spec"], None, "spec")
        annotation, name = mapping(obj["metadata"], "annotations").get(CLASS_ANNOTATION), _class_name(obj)
        if annotation is not None and name is not None and annotation != name:
            where = child("annotations", CLASS_ANNOTATION)
            yield invalid(where, annotation, "must match `ingressClassName` when both are specified")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return _spec(obj["spec"], old["spec"], "spec")

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        known = [point["ip"] for point in _points(old) if point.get("ip")]
        for number, point in enumerate(_points(obj)):
            where = index("status.loadBalancer.ingress", number)
            if point.get("ip"):
                yield from ip(point["ip"], child(where, "ip"), known)
            name = point.get("hostname", "")
            if name:
                yield from dns1123_subdomain(name, child(where, "hostname"))
                if parse_ip(name) is not None:
                    yield invalid(child(where, "hostname"), name, _NO_ADDRESS)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource == "status":
            return list(_address_warnings(obj))
        is_annotated = CLASS_ANNOTATION in mapping(obj["metadata"], "annotations")
        if old is not None or not is_annotated or _class_name(obj) is not None:
            return []
        said = "is deprecated, please use 'spec.ingressClassName' instead"
        return [f"annotation {quoted(CLASS_ANNOTATION)} {said}"]


def _class_name(obj: Json) -> str | None:
    name: str | None = obj["spec"].get("ingressClassName")
    return name


def _points(obj: Json) -> Sequence[Any]:
    return listed(mapping(mapping(obj, "status"), "loadBalancer"), "ingress")


def _address_warnings(obj: Json) -> Iterator[str]:
    for number, point in enumerate(_points(obj)):
        yield from ip_warnings(point.get("ip", ""), index("status.loadBalancer.ingress", number))


def _spec(spec: Json, old: Json | None, field: str) -> Errors:
    rules, backend = listed(spec, "rules"), spec.get("defaultBackend")
    if not rules and backend is None:
        yield invalid(
            field, as_sent(spec.get("rules"), "spec", "rules"), "either `defaultBackend` or `rules` must be specified"
        )
    if backend is not None:
        yield from _backend(backend, child(field, "defaultBackend"))
    any_rule_of_wildcard = _had_odd_wildcard(old)
    for number, rule in enumerate(rules):
        yield from _rule(rule, index(child(field, "rules"), number), any_of_wildcard=any_rule_of_wildcard)
    any_secret = any(_secret_problems(each_tls) for each_tls in listed(old or {}, "tls"))
    for number, tls in enumerate(listed(spec, "tls")):
        yield from _tls(tls, index(child(field, "tls"), number), any_secret=any_secret)
    name = spec.get("ingressClassName")
    if name is not None:
        yield from dns1123_subdomain(name, child(field, "ingressClassName"))


def _host(host: str, field: str) -> Errors:
    rule = names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain
    return each(field, host, rule(host))


def _had_odd_wildcard(old: Json | None) -> bool:
    """Whether there was a rule for a wildcard that would be refused today; then such rules are let be."""
    of_wildcards = (rule for rule in listed(old or {}, "rules") if "*" in rule.get("host", ""))
    return any(list(_http(rule, "")) for rule in of_wildcards)


def _rule(rule: Json, field: str, *, any_of_wildcard: bool) -> Errors:
    host = rule.get("host", "")
    if host:
        if parse_ip(host) is not None:
            yield invalid(child(field, "host"), host, _NO_ADDRESS)
        yield from _host(host, child(field, "host"))
    if "*" not in host or not any_of_wildcard:
        yield from _http(rule, field)


def _http(rule: Json, field: str) -> Errors:
    http, where = rule.get("http"), child(field, "http", "paths")
    if http is None:
        return
    paths = listed(http, "paths")
    if not paths:
        yield required(where)
    for number, path in enumerate(paths):
        yield from _path(path, index(where, number))


def _path(path: Json, field: str) -> Errors:
    kind, text, where = path.get("pathType"), path.get("path", ""), child(field, "path")
    if kind is None:
        yield required(child(field, "pathType"), "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        yield not_supported(child(field, "pathType"), word(kind), _PATH_TYPES)
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        yield invalid(where, text, "must be an absolute path")
    if kind in ("Exact", "Prefix"):
        for part in _NEVER_IN_PATHS:
            if part in text:
                yield invalid(where, text, f"must not contain '{part}'")
        for end in _NEVER_AT_ENDS:
            if text.endswith(end):
                yield invalid(where, text, f"cannot end with '{end}'")
    yield from _backend(mapping(path, "backend"), child(field, "backend"))


def _backend(backend: Json, field: str) -> Errors:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        yield invalid(field, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from reference(resource, child(field, "resource"))
    elif service is not None:
        yield from _service(service, field)
    else:
        yield invalid(field, "", "resource or service backend is required")


def _service(service: Json, field: str) -> Errors:
    name, where = service.get("name", ""), child(field, "service", "name")
    if name:
        yield from dns1123_label(name, where)
    else:
        yield required(where)
    port = mapping(service, "port")
    port_name, number = port.get("name", ""), port.get("number", 0)
    if port_name and number:
        yield invalid(field, "", "cannot set both port name & port number")
    elif port_name:
        yield from each(child(field, "service", "port", "name"), port_name, names.port_name(port_name))
    elif number:
        yield from each(child(field, "service", "port", "number"), number, names.port_number(number))
    else:
        yield required(field, "port name or number is required")


def reference(target: Json, field: str) -> Errors:
    """A reference to an object of any kind, by names that could be segments of paths."""
    group = target.get("apiGroup")
    if group is not None:
        yield from dns1123_subdomain(group, child(field, "apiGroup"))
    for name in ("kind", "name"):
        value = target.get(name, "")
        if value:
            yield from each(child(field, name), value, names.path_segment_name(value))
        else:
            yield required(child(field, name))


def _secret_problems(tls: Json) -> Sequence[str]:
    name = tls.get("secretName", "")
    return names.dns1123_subdomain(name) if name else ()


def _tls(tls: Json, field: str, *, any_secret: bool) -> Errors:
    for number, host in enumerate(listed(tls, "hosts")):
        yield from _host(host, index(child(field, "hosts"), number))
    if not any_secret:
        yield from each(child(field, "secretName"), tls.get("secretName", ""), _secret_problems(tls))
