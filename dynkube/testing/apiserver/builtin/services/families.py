"""Addresses of services and their families, where the two meet.

ValidateServiceClusterIPsRelatedFields; pkg/registry/core/service/storage/alloc.go (initIPFamilyFields). The cluster has
addresses of IPv4 alone, as the real server has by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.schema import GroupKind
from dynkube.testing.apiserver.builtin.addresses import ip, is_ipv6
from dynkube.testing.apiserver.builtin.rules import Errors, Json, one_of
from dynkube.testing.apiserver.builtin.services.kinds import FAMILIES, NO_IP, is_external_name, is_headless, strings
from dynkube.testing.apiserver.words.fielderrors import FieldError, duplicate, index, invalid, required
from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.statuses import StatusError
from dynkube.testing.apiserver.words.statuses import invalid as invalid_object

__all__ = ["fill_families", "is_settled", "refused", "related_fields"]

_IPS, _FAMILIES, _POLICY = "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_SINGLE, _PREFER, _REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_CONFIGURED = "IPv4"
_AT_MOST = 2


def refused(obj: Object, errors: list[FieldError]) -> StatusError:
    """What allocation says of a service, before it is judged."""
    return invalid_object(GroupKind("", "Service"), obj["metadata"].get("name", ""), errors)


# ------------------------------------------------------------------ judging


def related_fields(spec: Json, old: Json | None) -> Errors:
    """clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy agree."""
    if is_external_name(spec):
        return
    yield from _singular_and_plural(spec)
    families = strings(spec, "ipFamilies")
    for number, family in enumerate(families):
        yield from one_of(family, FAMILIES, index(_FAMILIES, number))
        if family in families[:number]:
            yield duplicate(index(_FAMILIES, number), family)
    if spec.get("ipFamilyPolicy") is not None:
        yield from one_of(spec["ipFamilyPolicy"], _POLICIES, _POLICY)
    malformed = list(_addresses(spec, () if old is None else strings(old, "clusterIPs")))
    addresses = strings(spec, "clusterIPs")
    yield from malformed
    if len(addresses) > _AT_MOST:
        yield invalid(_IPS, addresses, "may only hold up to 2 values")
    if not malformed:
        yield from _agreement(spec, addresses, families)


def _agreement(spec: Json, addresses: Sequence[str], families: Sequence[str]) -> Errors:
    if len(addresses) > 1 and len(set(map(is_ipv6, addresses))) == 1:
        yield invalid(_IPS, addresses, "may specify no more than one IP for each IP family")
    if not is_headless(spec):
        for number, (address, family) in enumerate(zip(addresses, families, strict=False)):
            if family in FAMILIES and (family == "IPv6") != is_ipv6(address):
                said = f"expected an {family} value as indicated by `ipFamilies[{number}]`"
                yield invalid(index(_IPS, number), address, said)


def _singular_and_plural(spec: Json) -> Errors:
    first, addresses = spec.get("clusterIP", ""), strings(spec, "clusterIPs")
    if not first:
        if addresses:
            yield invalid(_IPS, addresses, "must be empty when `clusterIP` is not specified")
    elif not addresses:
        yield required(_IPS)
    elif addresses[0] != first:
        yield invalid(_IPS, addresses, "first value must match `clusterIP`")


def _addresses(spec: Json, known: Any) -> Errors:
    addresses = strings(spec, "clusterIPs")
    for number, address in enumerate(addresses):
        if number == 0 and address == NO_IP:
            if len(addresses) > 1:
                yield invalid(_IPS, addresses, "'None' must be the first and only value")
            continue
        yield from ip(address, index(_IPS, number), known)


# ------------------------------------------------------------------ filling


def is_settled(spec: Json, old: Json | None) -> bool:
    """Whether nothing that prefers two families changes (isMatchingPreferDualStackClusterIPFields)."""
    if old is None or spec.get("ipFamilyPolicy") != _PREFER or old.get("ipFamilyPolicy", _PREFER) != _PREFER:
        return False
    kind = spec.get("type", "")
    if kind != old.get("type") or kind not in ("ClusterIP", "NodePort", "LoadBalancer"):
        return False
    return _are_same(spec, old, "clusterIPs") and _are_same(spec, old, "ipFamilies")


def _are_same(spec: Json, old: Json, name: str) -> bool:
    return list(strings(spec, name)) == list(strings(old, name))


def fill_families(obj: Object, old: Json | None) -> None:
    """Give a service its families and its policy, in place.

    Raises:
        StatusError: They do not agree with the rest of it, or the cluster has them not.
    """
    spec = obj["spec"]
    if is_external_name(spec) or is_settled(spec, old):
        return
    has_no_selector = spec.get("clusterIP") == NO_IP and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        inherited = None if old is None else old.get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = inherited or (_REQUIRE if has_no_selector else _SINGLE)
    _refuse(obj, list(related_fields(spec, old)))
    _refuse(obj, list(_shrunk(spec, old)))
    if has_no_selector:
        _fill_alone(spec)
        return
    _refuse(obj, list(_not_configured(spec)))
    if not strings(spec, "ipFamilies"):
        spec["ipFamilies"] = [_CONFIGURED]


def _refuse(obj: Object, errors: list[FieldError]) -> None:
    if errors:
        raise refused(obj, errors)


def _shrunk(spec: Object, old: Json | None) -> Errors:
    """One family instead of two, and the families of addresses; changes ``spec`` in place."""
    policy = spec["ipFamilyPolicy"]
    is_single = policy == _SINGLE
    if old is not None:
        for name, said in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
            found = strings(spec, name)
            if is_single:
                if _are_same(spec, old, name) and len(found) > 1:
                    spec[name] = list(found[:1])
            elif found and len(found) < len(strings(old, name)):
                yield invalid(_POLICY, policy, f"must be 'SingleStack' to release the secondary {said}")
    if is_single:
        for name, said in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
            if len(strings(spec, name)) == _AT_MOST:
                detail = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {said} are specified"
                yield invalid(_POLICY, policy, detail)
    yield from _inferred(spec)


def _inferred(spec: Object) -> Errors:
    addresses = strings(spec, "clusterIPs")
    for number, address in enumerate(addresses):
        if address == NO_IP:
            break
        families = strings(spec, "ipFamilies")
        if number < len(families):
            continue
        if is_ipv6(address):
            yield invalid(index(_IPS, number), addresses, "IPv6 is not configured on this cluster")
        else:
            spec["ipFamilies"] = [*families, _CONFIGURED]


def _fill_alone(spec: Object) -> None:
    """Of a service without addresses and without a selector, whose endpoints somebody else writes."""
    families = list(strings(spec, "ipFamilies")) or [_CONFIGURED]
    if len(families) < _AT_MOST and spec["ipFamilyPolicy"] != _SINGLE:
        families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    spec["ipFamilies"] = families


def _not_configured(spec: Json) -> Errors:
    if spec["ipFamilyPolicy"] == _REQUIRE:
        yield invalid(_POLICY, _REQUIRE, "this cluster is not configured for dual-stack services")
    for number, family in enumerate(strings(spec, "ipFamilies")):
        if family != _CONFIGURED:
            yield invalid(index(_FAMILIES, number), family, "not configured on this cluster")
