"""Labels of nodes whose names are out of date (pkg/api/node/util.go)."""

from __future__ import annotations

from collections.abc import Iterator

from dynkube.testing.apiserver.builtin.rules import Json, listed
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, index

__all__ = ["deprecated_label", "selector_term_warnings"]

_DEPRECATED = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def deprecated_label(key: str) -> str:
    """What is said of a label, "" of those in use."""
    return _DEPRECATED.get(key, "")


def selector_term_warnings(term: Json, field: str, *, values: bool) -> Iterator[str]:
    """Of a term of a NodeSelector; ``values``: also of values that are no label values."""
    for number, expression in enumerate(listed(term, "matchExpressions")):
        where, key = index(child(field, "matchExpressions"), number), expression.get("key", "")
        if deprecated_label(key):
            yield f"{child(where, 'key')}: {key} is {deprecated_label(key)}"
        if values:
            for place, value in enumerate(listed(expression, "values")):
                for text in names.label_value(value):
                    yield f"{index(child(where, 'values'), place)}: {value} is invalid, {text}"
