"""RuntimeClass: what pods of a class cost in addition, and where they run."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.admission.attributes import Attributes
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Json, listed, mapping, same
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["apply_class", "check_overhead"]

_CLASSES = GroupResource("node.k8s.io", "runtimeclasses")
_OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
_NO_OVERHEAD = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


def _find(attributes: Attributes, pod: Json, lookup: Lookup) -> Json:
    name = pod["spec"].get("runtimeClassName")
    if name is None:
        return {}
    if not name:
        raise statuses.unexpected("resource name may not be empty")
    found = lookup.get(_CLASSES, "", name)
    if found is None:
        raise attributes.refuse(f"pod rejected: RuntimeClass {quoted(name)} not found")
    return found


def apply_class(attributes: Attributes, pod: Object, lookup: Lookup) -> None:
    """Give a new pod what its class says, in place."""
    found, spec = _find(attributes, pod, lookup), pod["spec"]
    overhead = found.get("overhead")
    if overhead is not None:
        fixed = mapping(overhead, "podFixed")
        if spec.get("overhead") and not same({"overhead": spec["overhead"]}, {"overhead": fixed}):
            raise attributes.refuse(_OTHER_OVERHEAD)
        spec["overhead"] = dict(fixed)
    scheduling = found.get("scheduling")
    if scheduling is not None:
        _schedule(attributes, spec, scheduling)


def _schedule(attributes: Attributes, spec: Object, scheduling: Json) -> None:
    selector = dict(mapping(spec, "nodeSelector"))
    for key, value in mapping(scheduling, "nodeSelector").items():
        own = selector.get(key, value)
        if own != value:
            said = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}"
            raise attributes.refuse(f"conflict: {said}")
        selector[key] = value
    tolerations = _merged([*listed(spec, "tolerations"), *listed(scheduling, "tolerations")])
    for name, value in (("nodeSelector", selector), ("tolerations", tolerations)):
        if value:
            spec[name] = value


def _merged(tolerations: Sequence[Json]) -> list[Json]:
    """Without those that others make needless (MergeTolerations)."""
    merged: list[Json] = []
    for number, each in enumerate(tolerations):
        others = (other for other in tolerations[number + 1 :] if other != each)
        if not any(_covers(other, each) for other in (*merged, *others)):
            merged.append(each)
    return merged


def _covers(one: Json, other: Json) -> bool:
    """Whether the one tolerates all that the other does (isSuperset)."""
    if one == other:
        return True
    key, operator, effect = one.get("key", ""), one.get("operator", ""), one.get("effect", "")
    if other.get("key", "") != key and (key or operator != "Exists"):
        return False
    if other.get("effect", "") != effect and effect:
        return False
    if effect == "NoExecute" and one.get("tolerationSeconds") is not None:
        seconds = other.get("tolerationSeconds")
        if seconds is None or seconds > one["tolerationSeconds"]:
            return False
    if operator in ("", "Equal"):
        is_equal = other.get("operator", "") in ("", "Equal")
        return is_equal and bool(other.get("value", "") == one.get("value", ""))
    return bool(operator == "Exists")


def check_overhead(attributes: Attributes, pod: Object, lookup: Lookup) -> None:
    """A pod says no overhead but its class's."""
    overhead = _find(attributes, pod, lookup).get("overhead")
    own = pod["spec"].get("overhead")
    if overhead is None:
        if own is not None:
            raise attributes.refuse(_NO_OVERHEAD)
    elif not same({"overhead": mapping(overhead, "podFixed")}, {"overhead": own or {}}):
        raise attributes.refuse(_OTHER_OVERHEAD)
