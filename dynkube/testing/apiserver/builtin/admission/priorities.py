"""Priority: of pods, and of the classes that give it."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.admission.attributes import Attributes, is_creation, is_update
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.rules import Json
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["admit", "give_priority", "validate"]

_CLASSES = GroupResource("scheduling.k8s.io", "priorityclasses")
_COMPUTED = "must not be provided in pod spec; priority admission controller computed"


def admit(_attributes: Attributes, _found: Object, _lookup: Lookup) -> None:
    """Nothing is amended of a class."""


def validate(attributes: Attributes, found: Object, lookup: Lookup) -> None:
    """Only one class is the default."""
    if not found.get("globalDefault") or not (is_creation(attributes) or is_update(attributes)):
        return
    default = _default(lookup)
    if default is None:
        return
    name = default["metadata"]["name"]
    if is_creation(attributes) or name != found["metadata"]["name"]:
        raise attributes.refuse(f"PriorityClass {name} is already marked as default. Only one default can exist")


def _default(lookup: Lookup) -> Json | None:
    found = [each for each in lookup.list(_CLASSES, None) if each.get("globalDefault")]
    return min(found, key=lambda each: each.get("value", 0), default=None)


def give_priority(attributes: Attributes, pod: Object, lookup: Lookup) -> None:
    """A new pod has the priority of its class, or of the default one; a changed one keeps it."""
    spec = pod["spec"]
    if attributes.old is not None:
        for name in ("priority", "preemptionPolicy"):
            if spec.get(name) is None and attributes.old["spec"].get(name) is not None:
                spec[name] = attributes.old["spec"][name]
        return
    wanted = spec.get("priorityClassName", "")
    found = lookup.get(_CLASSES, "", wanted) if wanted else _default(lookup)
    if wanted and found is None:
        raise attributes.refuse(f"no PriorityClass with name {wanted} was found")
    value = 0 if found is None else found.get("value", 0)
    policy = "PreemptLowerPriority" if found is None else found.get("preemptionPolicy")
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    if spec.get("priority") is not None and spec["priority"] != value:
        said = f"the integer value of priority ({spec['priority']}) {_COMPUTED} {value}"
        raise attributes.refuse(f"{said} from the given PriorityClass name")
    spec["priority"] = value
    if policy is not None:
        own = spec.get("preemptionPolicy")
        if own is not None and own != policy:
            said = f"the string value of PreemptionPolicy ({own}) {_COMPUTED} {policy}"
            raise attributes.refuse(f"{said} from the given PriorityClass name")
        spec["preemptionPolicy"] = policy
