"""The class of a resource, put together from what its server serves: a class for each verb, and no other."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dynkube.clientset.expansions import expansions_of
from dynkube.clientset.resource import ResourceClient
from dynkube.clientset.subresources import subresource_methods
from dynkube.dynamic.verbs import (
    ApplyStatusVerb,
    ApplyVerb,
    CreateVerb,
    DeleteCollectionVerb,
    DeleteVerb,
    GetVerb,
    ListVerb,
    PatchVerb,
    TableVerb,
    Target,
    UpdateStatusVerb,
    UpdateVerb,
    WaitVerb,
    WatchVerb,
)
from dynkube.resources import APIResource

__all__ = ["class_name", "compose", "verb_classes"]

# What each takes of the resource, and of its status.
_VERBS: tuple[tuple[type[Target], frozenset[str], frozenset[str]], ...] = tuple(
    (verb, frozenset(own.split()), frozenset(status.split()))
    for verb, own, status in (
        (GetVerb, "get", ""),
        (ListVerb, "list", ""),
        (TableVerb, "get list", ""),
        (CreateVerb, "create", ""),
        (UpdateVerb, "update", ""),
        (UpdateStatusVerb, "", "update"),
        (PatchVerb, "patch", ""),
        (ApplyVerb, "patch", ""),
        (ApplyStatusVerb, "", "patch"),
        (DeleteVerb, "delete", ""),
        (DeleteCollectionVerb, "deletecollection", ""),
        (WatchVerb, "list watch", ""),
        (WaitVerb, "list watch", ""),
    )
)


@lru_cache(maxsize=1024)
def compose(resource: APIResource, subresources: tuple[APIResource, ...]) -> type[ResourceClient]:
    """The class of a resource.

    Args:
        resource: as discovery shows it.
        subresources: its subresources, as discovery shows them.

    Returns:
        A subclass of `ResourceClient`.
    """
    verbs = {"": resource.verbs, **{each.subresource: each.verbs for each in subresources}}
    expansions = tuple(expansions_of(resource.group, resource.name, verbs))
    bases = (*expansions, *verb_classes(verbs), ResourceClient)
    methods = {
        name: method
        for name, method in subresource_methods(subresources).items()
        if not any(hasattr(each, name) for each in expansions)
    }
    namespace: dict[str, Any] = {
        "__slots__": (),
        "__module__": __package__,
        "__doc__": f"{resource.resource} of {resource.group_version}: objects of the kind {resource.kind}.",
        **methods,
    }
    return type(class_name(resource), bases, namespace)


def verb_classes(verbs: dict[str, tuple[str, ...]]) -> tuple[type[Target], ...]:
    """The classes of the verbs that a resource has.

    Args:
        verbs: what the server serves, by subresource; ``""`` is the resource itself.
    """
    own, status = set(verbs[""]), set(verbs.get("status", ()))
    return tuple(verb for verb, wants, of_status in _VERBS if wants <= own and of_status <= status)


def class_name(resource: APIResource) -> str:
    """What client-go would call it: ``NetworkPolicies``, from the kind and the plural.

    >>> from dynkube.schema import GroupVersion, GroupVersionKind
    >>> version = GroupVersion("networking.k8s.io", "v1")
    >>> class_name(APIResource(name="networkpolicies", group_version=version,
    ...     gvk=version.with_kind("NetworkPolicy"), namespaced=True))
    'NetworkPolicies'
    """
    kind, plural = resource.kind, resource.resource
    shared = 0
    while shared < min(len(kind), len(plural)) and kind[shared].lower() == plural[shared]:
        shared += 1
    name = kind[:shared] + plural[shared:]
    return name if shared and name.isidentifier() else plural.title().replace("-", "")
