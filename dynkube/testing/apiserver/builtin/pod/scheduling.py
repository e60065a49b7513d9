"""Where pods may run: affinity, tolerations, topology spread constraints, selectors of nodes.

Here as elsewhere, the ratchets that let an update keep what an older server had let pass have nothing to do: whatever
is stored was judged by the rules of this version.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    each,
    listed,
    mapping,
    one_of,
    positive,
    qualified_name,
    word,
)
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    not_supported,
    required,
)
from dynkube.testing.apiserver.words.objectmeta import validate_label_selector

__all__ = [
    "TAINT_EFFECTS",
    "affinity",
    "node_selector",
    "node_selector_term",
    "scheduling_gates",
    "spread_constraints",
    "taint_effect",
    "tolerations",
]

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = "must be in the range 1-100"


# ------------------------------------------------------------------ affinity


def affinity(spec: Json | None, field: str) -> Errors:
    """``affinity`` of a pod (validateAffinity)."""
    if not spec:
        return
    node = spec.get("nodeAffinity")
    if node is not None:
        yield from _node_affinity(node, child(field, "nodeAffinity"))
    for name in ("podAffinity", "podAntiAffinity"):
        of_pods = spec.get(name)
        if of_pods is not None:
            yield from _pod_affinity(of_pods, child(field, name))


def _node_affinity(spec: Json, field: str) -> Errors:
    selector = spec.get(_REQUIRED)
    if selector is not None:
        yield from node_selector(selector, child(field, _REQUIRED), any_values=False)
    for number, term in enumerate(listed(spec, _PREFERRED)):
        where = index(child(field, _PREFERRED), number)
        if not 0 < term.get("weight", 0) <= 100:
            yield invalid(child(where, "weight"), term.get("weight", 0), _WEIGHT)
        yield from node_selector_term(mapping(term, "preference"), child(where, "preference"), any_values=True)


def node_selector(selector: Json, field: str, *, any_values: bool) -> Errors:
    """A NodeSelector (ValidateNodeSelector)."""
    where = child(field, "nodeSelectorTerms")
    terms = listed(selector, "nodeSelectorTerms")
    if not terms:
        yield required(where, "must have at least one node selector term")
    for number, term in enumerate(terms):
        yield from node_selector_term(term, index(where, number), any_values=any_values)


def node_selector_term(term: Json, field: str, *, any_values: bool) -> Errors:
    """One term of a NodeSelector (ValidateNodeSelectorTerm)."""
    for number, requirement in enumerate(listed(term, "matchExpressions")):
        where = index(child(field, "matchExpressions"), number)
        yield from _node_requirement(requirement, where, any_values=any_values)
    for number, requirement in enumerate(listed(term, "matchFields")):
        yield from _node_field(requirement, index(child(field, "matchFields"), number))


def _node_requirement(requirement: Json, field: str, *, any_values: bool) -> Errors:
    operator, values, where = requirement.get("operator", ""), listed(requirement, "values"), child(field, "values")
    if operator in ("In", "NotIn"):
        if not values:
            yield required(where, "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(where, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(where, "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid(child(field, "operator"), word(operator), "not a valid selector operator")
    yield from qualified_name(requirement.get("key", ""), child(field, "key"))
    if not any_values:
        for number, value in enumerate(values):
            yield from each(index(where, number), value, names.label_value(value))


def _node_field(requirement: Json, field: str) -> Errors:
    operator, values, where = requirement.get("operator", ""), listed(requirement, "values"), child(field, "values")
    if operator not in ("In", "NotIn"):
        yield invalid(child(field, "operator"), word(operator), "not a valid selector operator")
    elif len(values) != 1:
        said = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(where, said)
    wanted = requirement.get("key", "")
    if wanted != "metadata.name":
        yield invalid(child(field, "key"), wanted, "not a valid field selector key")
        return
    for number, value in enumerate(values):
        yield from each(index(where, number), value, names.dns1123_subdomain(value))


def _pod_affinity(spec: Json, field: str) -> Errors:
    for number, term in enumerate(listed(spec, _REQUIRED)):
        yield from _pod_term(term, index(child(field, _REQUIRED), number))
    for number, weighted in enumerate(listed(spec, _PREFERRED)):
        where = index(child(field, _PREFERRED), number)
        if not 0 < weighted.get("weight", 0) <= 100:
            yield invalid(child(where, "weight"), weighted.get("weight", 0), _WEIGHT)
        yield from _pod_term(mapping(weighted, "podAffinityTerm"), child(where, "podAffinityTerm"))


def _pod_term(term: Json, field: str) -> Errors:
    for name in ("labelSelector", "namespaceSelector"):
        where = child(field, name)
        yield from validate_label_selector(term.get(name), where)
    for namespace in listed(term, "namespaces"):
        yield from dns1123_label(namespace, child(field, "namespace"))
    yield from _label_keys(term, listed(term, "mismatchLabelKeys"), field)
    key = term.get("topologyKey", "")
    if not key:
        yield required(child(field, "topologyKey"), "can not be empty")
    yield from qualified_name(key, child(field, "topologyKey"))


def _label_keys(term: Json, unwanted: Sequence[str], field: str) -> Errors:
    """matchLabelKeys, which amend the selector (ValidateMatchLabelKeysAndMismatchLabelKeys)."""
    wanted = listed(term, "matchLabelKeys")
    selector = term.get("labelSelector")
    for name, keys in (("matchLabelKeys", wanted), ("mismatchLabelKeys", unwanted)):
        if keys and selector is None:
            yield forbidden(child(field, name), "must not be specified when labelSelector is not set")
        elif keys:
            for number, key in enumerate(keys):
                yield from qualified_name(key, index(child(field, name), number))
    if selector is not None and wanted:
        yield from _repeated_keys(selector, wanted, field)
    for number, key in enumerate(wanted):
        if key in unwanted:
            where = index(child(field, "matchLabelKeys"), number)
            yield invalid(where, key, "exists in both matchLabelKeys and mismatchLabelKeys")


def _repeated_keys(selector: Json, wanted: Sequence[str], field: str) -> Errors:
    """A requirement that matchLabelKeys added comes once; a second one of the key is somebody else's."""
    places = {key: number for number, key in enumerate(wanted)}
    seen = set(mapping(selector, "matchLabels"))
    for expression in listed(selector, "matchExpressions"):
        key = expression.get("key", "")
        if key in places and key in seen:
            yield invalid(index(field, places[key]), key, "exists in both matchLabelKeys and labelSelector")
        seen.add(key)


# ------------------------------------------------------------------ tolerations and gates


def tolerations(items: Sequence[Json], field: str) -> Errors:
    """``tolerations`` of a pod (ValidateTolerations)."""
    for number, toleration in enumerate(items):
        where = index(field, number)
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        effect = toleration.get("effect", "")
        if key:
            yield from qualified_name(key, child(where, "key"))
        elif operator != "Exists":
            said = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(child(where, "operator"), word(operator), said)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            said = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(child(where, "effect"), word(effect), said)
        yield from _toleration_value(operator, toleration.get("value", ""), child(where, "operator"))
        if effect:
            yield from one_of(effect, TAINT_EFFECTS, child(where, "effect"))


def _toleration_value(operator: str, value: str, field: str) -> Errors:
    if operator in ("Equal", ""):
        problems = names.label_value(value)
        if problems:
            yield invalid(field, value, ";".join(problems))
    elif operator == "Exists":
        if value:
            yield invalid(field, value, "value must be empty when `operator` is 'Exists'")
    elif operator in ("Lt", "Gt"):
        yield not_supported(field, word(operator), ("Equal", "Exists", "Lt", "Gt"))
    else:
        yield not_supported(field, word(operator), ("Equal", "Exists"))


def taint_effect(effect: str, field: str) -> Errors:
    """The effect of a taint (validateTaintEffect)."""
    if not effect:
        yield required(field)
    else:
        yield from one_of(effect, TAINT_EFFECTS, field)


def scheduling_gates(gates: Sequence[Json], field: str) -> Errors:
    """``schedulingGates`` of a pod (validateSchedulingGates)."""
    seen: set[str] = set()
    for number, gate in enumerate(gates):
        where, name = index(field, number), gate.get("name", "")
        yield from qualified_name(name, where)
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)


# ------------------------------------------------------------------ topology spread


def spread_constraints(constraints: Sequence[Json], field: str) -> Errors:
    """``topologySpreadConstraints`` of a pod (validateTopologySpreadConstraints)."""
    for number, constraint in enumerate(constraints):
        where = index(field, number)
        key, action = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        yield from positive(constraint.get("maxSkew", 0), child(where, "maxSkew"))
        if not key:
            yield required(child(where, "topologyKey"), "can not be empty")
        yield from one_of(action, ("DoNotSchedule", "ScheduleAnyway"), child(where, "whenUnsatisfiable"))
        for other in constraints[number + 1 :]:
            if (other.get("topologyKey", ""), other.get("whenUnsatisfiable", "")) == (key, action):
                yield duplicate(child(where, "{topologyKey, whenUnsatisfiable}"), f"{{{key}, {action}}}")
                break
        yield from _of_constraint(constraint, action, where)
        yield from _label_keys(constraint, (), where)
        yield from validate_label_selector(constraint.get("labelSelector"), child(where, "labelSelector"))


def _of_constraint(constraint: Json, action: str, field: str) -> Errors:
    domains = constraint.get("minDomains")
    if domains is not None:
        where = child(field, "minDomains")
        yield from positive(domains, where)
        if action != "DoNotSchedule":
            said = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(where, domains, said)
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        policy = constraint.get(name)
        if policy is not None:
            yield from one_of(policy, ("Honor", "Ignore"), child(field, name))
