"""New nodes: TaintNodesByCondition."""

from __future__ import annotations

from dynkube.testing.apiserver.builtin.admission.attributes import Attributes, is_creation
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import listed
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["admit", "validate"]

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def admit(attributes: Attributes, node: Object, _lookup: Lookup) -> None:
    """Nothing is scheduled on a node before somebody says that it is ready."""
    if not is_creation(attributes):
        return
    taints = listed(node["spec"], "taints")
    if not any(all(taint.get(name) == value for name, value in _NOT_READY.items()) for taint in taints):
        node["spec"]["taints"] = [*taints, dict(_NOT_READY)]


def validate(_attributes: Attributes, _node: Object, _lookup: Lookup) -> None:
    """Nothing."""
