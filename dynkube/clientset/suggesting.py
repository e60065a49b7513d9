"""What is said of a name that is not there: what was meant, perhaps, and what the server does serve."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from dynkube.clientset.names import attribute_of, group_version_of
from dynkube.resources import APIResource, ResourceMap
from dynkube.schema import GroupVersion

__all__ = ["groups_served", "missing_attribute", "missing_group_version", "missing_method", "missing_resource"]

_SHOWN = 40  # names in one message
_BY_GROUP = 'clientset.group("{0.group}").version("{0.version}")'


def groups_served(known: ResourceMap | None) -> list[str]:
    """The attributes under which a server's groups and versions are found, by priority."""
    return [name for each in (known.group_versions() if known else ()) if (name := attribute_of(each))]


def missing_attribute(name: str, known: ResourceMap | None, host: str, own: Iterable[str]) -> str:
    """A clientset has no attribute of this name."""
    wanted = group_version_of(name)
    if wanted is not None:
        return missing_group_version(wanted, known, host)
    first, _, version = name.rpartition("_")
    versions = known.group_versions() if known else ()
    same = [each for each in versions if each.version == version and each.group.partition(".")[0] == first]
    if same:
        return f"{name!r} is no group of Kubernetes' own: did you mean {_BY_GROUP.format(same[0])}?"
    served = groups_served(known)
    return (
        f"a clientset has no {name!r}{_meant(name, [*served, *own])} The server at {host} serves {_listed(served)}; "
        'every other group is at clientset.group("its.name").version("v1")'
    )


def missing_group_version(wanted: GroupVersion, known: ResourceMap | None, host: str) -> str:
    """A server has no such group, or not in this version."""
    server = f"the server at {host}"
    if known is None:
        return f"{server} does not serve {wanted}"
    group = known.group(wanted.group)
    if group is not None:
        versions = [str(GroupVersion(group.name, each)) for each in group.versions if each != wanted.version]
        return f"{server} does not serve {wanted}" + (f"; it serves {_listed(versions)}" if versions else "")
    groups = [each.name for each in known.groups if each.name]
    if wanted.group == "core":
        return f"{server} has no group 'core': the core group's name is \"\", and clientset.core_v1 is its v1"
    return f"{server} has no group {wanted.group!r}{_meant(wanted.group, groups)} It has {_listed(groups)}"


def missing_resource(
    name: str, group_version: GroupVersion, served: Sequence[APIResource], known: ResourceMap | None
) -> str:
    """A group and version have no resource of this name."""
    resources = [each for each in served if not each.subresource]
    names = [each.name for each in resources]
    aliases = {alias: each.name for each in resources for alias in _aliases(each)}
    near = aliases.get(name.replace("_", "").lower())
    text = f"{group_version} has no resource {name!r}"
    text += f": did you mean {near!r}?" if near else _meant(name, names)
    elsewhere = [
        attribute_of(each) or _BY_GROUP.format(each)
        for each, found in (known.resources.items() if known else ())
        if any(resource.name == name for resource in found)
    ]
    if elsewhere:
        return f"{text} {name} are served by {_listed(elsewhere)}"
    return f"{text} The server serves {_listed(sorted(names))} there"


def missing_method(name: str, resource: APIResource, methods: Iterable[str]) -> str:
    """A resource has no method of this name."""
    there = sorted(methods)
    served = f"The server serves them with {', '.join(resource.verbs)}, so they have" if resource.verbs else "They have"
    text = f"{resource.resource} of {resource.group_version} have no {name!r}{_meant(name, there)}"
    return f"{text} {served} {', '.join(there)}"


def _aliases(resource: APIResource) -> tuple[str, ...]:
    return (resource.name, resource.kind.lower(), resource.singular_name, *resource.short_names)


def _meant(name: str, names: Iterable[str]) -> str:
    """The end of a sentence, with near misses where there are some."""
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.7)
    return f": did you mean {' or '.join(repr(each) for each in near)}?" if near else "."


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (", ".join(found[:_SHOWN]) + more) or "nothing"
