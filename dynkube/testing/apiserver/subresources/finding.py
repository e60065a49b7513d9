"""Which views and strategies there are."""

from __future__ import annotations

from dynkube.quantities import format_time
from dynkube.schema import GroupResource
from dynkube.testing.apiserver.customresources.scale import ScalePaths
from dynkube.testing.apiserver.customresources.strategy import CustomResourceStrategy
from dynkube.testing.apiserver.registry import Registry
from dynkube.testing.apiserver.subresources.certificates import ApprovalStrategy, SigningStrategy
from dynkube.testing.apiserver.subresources.customscale import custom_scale
from dynkube.testing.apiserver.subresources.scale import built_in_scale
from dynkube.testing.apiserver.subresources.shapes import View
from dynkube.testing.apiserver.subresources.strategies import FinalizeStrategy, ScaleStrategy
from dynkube.testing.apiserver.words.resources import Resource, Strategy

__all__ = ["find_strategy", "find_view"]

_NAMESPACES = GroupResource("", "namespaces")
_REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")


def find_view(registry: Registry, resource: Resource, subresource: str) -> View | None:
    """The view of objects that a subresource is; None where it is none."""
    if subresource != "scale":
        return None
    if not resource.is_custom:
        return built_in_scale(resource.group_resource)
    paths = _paths(resource)
    if paths is None:
        return None
    versions = registry.catalog.versions(resource.group_resource)
    by_version = {each.group_version.api_version: _paths(each) for each in versions}
    return custom_scale(resource.group_version.api_version, paths, by_version)


def _paths(resource: Resource) -> ScalePaths | None:
    strategy = resource.strategy
    return strategy.scale if isinstance(strategy, CustomResourceStrategy) else None


def find_strategy(registry: Registry, resource: Resource, subresource: str) -> Strategy | None:
    """How a subresource that writes the object itself judges it; None where the kind's own strategy does."""
    where, kind = (resource.group_resource, subresource), resource.strategy
    if where == (_NAMESPACES, "finalize"):
        return FinalizeStrategy(kind)
    if where == (_REQUESTS, "approval"):
        return ApprovalStrategy(kind, format_time(registry.clock()))
    if where == (_REQUESTS, "status"):
        return SigningStrategy(kind, format_time(registry.clock()))
    return ScaleStrategy(kind) if subresource == "scale" else None
