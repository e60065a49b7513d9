"""What differs from kind to kind in a deletion: pkg/registry of Kubernetes, kind by kind."""

from __future__ import annotations

from dynkube.schema import GroupResource

__all__ = ["is_collected", "orphans_by_default", "returns_deleted", "warning"]

_RETURNED = frozenset(
    GroupResource(group, resource)
    for group, resources in {
        "": (
            "namespaces persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts "
            "services"
        ),
        "storage.k8s.io": "csidrivers csinodes storageclasses volumeattachments volumeattributesclasses",
        "resource.k8s.io": (
            "deviceclasses devicetaintrules resourceclaims resourceclaimtemplates resourcepoolstatusrequests "
            "resourceslices"
        ),
    }.items()
    for resource in resources.split()
)
_ORPHANED = frozenset({GroupResource("batch", "jobs"), GroupResource("", "replicationcontrollers")})
_NOT_COLLECTED = frozenset({GroupResource("", "events"), GroupResource("events.k8s.io", "events")})
_JOBS = GroupResource("batch", "jobs")
_JOB_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)


def returns_deleted(resource: GroupResource) -> bool:
    """Whether a deletion at once answers the object, and no Status (ReturnDeletedObject)."""
    return resource in _RETURNED


def orphans_by_default(resource: GroupResource) -> bool:
    """Whether dependents go on living when nobody says what becomes of them (DefaultGarbageCollectionPolicy)."""
    return resource in _ORPHANED


def is_collected(resource: GroupResource) -> bool:
    """Whether the garbage collector has to do with objects of this kind at all."""
    return resource not in _NOT_COLLECTED


def warning(resource: GroupResource) -> str:
    """What a deletion warns of that says nothing of dependents, or ""."""
    return _JOB_WARNING if resource == _JOBS else ""
