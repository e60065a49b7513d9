"""Pods: LimitRanger, Priority, DefaultTolerationSeconds, RuntimeClass."""

from __future__ import annotations

from dynkube.testing.apiserver.builtin.admission.attributes import Attributes, is_creation, is_update
from dynkube.testing.apiserver.builtin.admission.limits import apply_limits, check_limits
from dynkube.testing.apiserver.builtin.admission.priorities import give_priority
from dynkube.testing.apiserver.builtin.admission.runtimeclasses import apply_class, check_overhead
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Json, listed
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["admit", "validate"]

_TROUBLES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_PATIENCE = 300


def admit(attributes: Attributes, pod: Object, lookup: Lookup) -> None:
    """What a pod does not say."""
    is_new = is_creation(attributes)
    if is_new or _is_resize(attributes):
        apply_limits(attributes, pod, lookup)
    if is_new or is_update(attributes):
        give_priority(attributes, pod, lookup)
        _tolerate_troubles(pod["spec"])
    if is_new:
        apply_class(attributes, pod, lookup)


def validate(attributes: Attributes, pod: Object, lookup: Lookup) -> None:
    """What a pod may not say."""
    if is_creation(attributes) or _is_resize(attributes):
        check_limits(attributes, pod, lookup)
    if is_creation(attributes):
        check_overhead(attributes, pod, lookup)


def _is_resize(attributes: Attributes) -> bool:
    is_change = attributes.operation == "UPDATE" and attributes.subresource == "resize"
    return is_change and attributes.old is not None and "deletionTimestamp" not in attributes.old["metadata"]


def _tolerate_troubles(spec: Object) -> None:
    """A pod stays for a while on a node that is in trouble, in place."""
    tolerations = listed(spec, "tolerations")
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _PATIENCE}
        for key in _TROUBLES
        if not any(_tolerates(each, key) for each in tolerations)
    ]
    if added:
        spec["tolerations"] = [*tolerations, *added]


def _tolerates(toleration: Json, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
