"""What containers and pods ask for: requests, limits and claims (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from dynkube.testing.apiserver.builtin.pod.totals import aggregate, is_pod_level
from dynkube.testing.apiserver.builtin.resourcenames import (
    container_resource_name,
    is_huge_page,
    may_overcommit,
    page_multiple,
    resource_name,
    resource_quantity,
)
from dynkube.testing.apiserver.builtin.rules import Errors, Json, amount, dns1123_label, listed, mapping
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    key,
    not_found,
    not_supported,
    required,
)

__all__ = ["container_resources", "overhead", "pod_resources"]

NameRule = Callable[[str, str], Errors]


def container_resources(resources: Json, claims: Collection[str], field: str) -> Errors:
    """``resources`` of a container (ValidateContainerResourceRequirements); ``claims`` are the pod's."""
    return _requirements(resources, container_resource_name, claims, field)


def overhead(amounts: Json, field: str) -> Errors:
    """``overhead`` of a pod, which is judged as limits are (validateOverhead)."""
    return _requirements({"limits": amounts}, container_resource_name, (), field)


def _requirements(resources: Json, name_rule: NameRule, claims: Collection[str], field: str) -> Errors:
    limits, requests = mapping(resources, "limits"), mapping(resources, "requests")
    for name, text in limits.items():
        yield from _amount(name, text, name_rule, key(child(field, "limits"), name))
    for name, text in requests.items():
        yield from _request(name, text, limits.get(name), name_rule, field)
    asked = {*limits, *requests}
    if any(map(is_huge_page, asked)) and "cpu" not in asked and "memory" not in asked:
        yield forbidden(field, "HugePages require cpu or memory")
    if resources.get("claims"):
        yield from _claims(resources["claims"], claims, child(field, "claims"))


def _amount(name: str, text: str, name_rule: NameRule, field: str, *, pages: bool = True) -> Errors:
    yield from name_rule(name, field)
    yield from resource_quantity(name, text, field)
    if pages and is_huge_page(name):
        yield from page_multiple(name, text, field)


def _request(name: str, text: str, limit: str | None, name_rule: NameRule, field: str) -> Errors:
    requests = child(field, "requests")
    where = key(requests, name)
    yield from _amount(name, text, name_rule, where, pages=False)
    if limit is not None:
        asked, allowed = amount(text), amount(limit)
        if asked != allowed and not may_overcommit(name):
            yield invalid(requests, text, f"must be equal to {name} limit of {limit}")
        elif asked > allowed:
            yield invalid(requests, text, f"must be less than or equal to {name} limit of {limit}")
    elif not may_overcommit(name):
        yield required(child(field, "limits"), "Limit must be set for non overcommitable resources")
    if is_huge_page(name):
        yield from page_multiple(name, text, where)


def _claims(claims: list[Json], known: Collection[str], field: str) -> Errors:
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        where = index(field, number)
        name, request = claim.get("name", ""), claim.get("request", "")
        if not name:
            yield required(where)
            continue
        yield from _claim_name(name, request, seen, where)
        if name not in known:
            said = "must be one of the names in pod.spec.resourceClaims"
            said += f": {', '.join(sorted(known))}" if known else " which is empty"
            yield replace(not_found(where, name), detail=said)


def _claim_name(name: str, request: str, seen: set[str], field: str) -> Errors:
    """All requests of a claim, or some by name; none twice."""
    if name in seen:
        yield duplicate(field, name)
        return
    whole = f"{name}/{request}" if request else name
    if request:
        yield from dns1123_label(request, child(field, "request"))
    if whole in seen:
        yield duplicate(field, whole)
    elif not request:
        for other in seen:
            if other.startswith(f"{name}/"):
                yield duplicate(field, name)
    seen.add(whole)


# ------------------------------------------------------------------ the pod as a whole


def pod_resources(spec: Json, claims: Collection[str], field: str) -> Errors:
    """``resources`` of a pod (validatePodResources)."""
    resources = spec.get("resources")
    if resources is None:
        return
    where = child(field, "resources")
    if mapping(spec, "os").get("name") == "windows":
        yield forbidden(where, "may not be set for a windows pod")
        return
    if resources.get("claims") is not None:
        yield forbidden(child(where, "claims"), "claims may not be set for Resources at pod-level")
    yield from _requirements(resources, _pod_resource_name, claims, where)
    yield from _consistency(spec, resources, where)


def _pod_resource_name(name: str, field: str) -> Errors:
    problems = list(resource_name(name, field))
    yield from problems
    if not problems and not is_pod_level(name):
        yield not_supported(field, name, ("cpu", "hugepages-", "memory"))


def _consistency(spec: Json, resources: Json, field: str) -> Errors:
    """The whole is not less than its parts (validatePodResourceConsistency)."""
    requests, limits = mapping(resources, "requests"), mapping(resources, "limits")
    for name, total in aggregate(spec, "requests").items():
        if name in requests and total > amount(requests[name]):
            said = f"must be greater than or equal to aggregate container requests of {total}"
            yield invalid(key(child(field, "requests"), name), requests[name], said)
    for name, total in aggregate(spec, "limits").items():
        if is_huge_page(name) and name in limits and total > amount(limits[name]):
            said = f"must be greater than or equal to aggregate container limits of {total}"
            yield invalid(key(child(field, "limits"), name), limits[name], said)
    for number, container in enumerate(listed(spec, "containers")):
        for name, text in mapping(mapping(container, "resources"), "limits").items():
            if name in limits and amount(text) > amount(limits[name]):
                where = child(key(index(child(field, "containers"), number), name), "limits")
                yield invalid(where, text, f"must be less than or equal to pod limits of {limits[name]}")
