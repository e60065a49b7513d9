"""The kinds that are sent to subresources and belong to no resource of their own, as `Resource` values."""

from __future__ import annotations

from functools import cache

from dynkube.schema import GroupKind, GroupVersionKind, GroupVersionResource
from dynkube.testing.apiserver import builtin, recorded
from dynkube.testing.apiserver.subresources.tokenrequests import TokenRequestStrategy
from dynkube.testing.apiserver.words.resources import Resource, Strategy
from dynkube.testing.apiserver.words.schemas import ANYTHING, Schema

__all__ = ["body"]


@cache
def body(kind: GroupVersionKind) -> Resource:
    """What endpoints decode a body of this kind by: Scale, Eviction, Binding, TokenRequest."""

    def load_schema() -> Schema:
        # They are defined where they are used, not in the documents of their own groups.
        document = recorded.definitions("apps" if kind.kind == "Scale" else "", "v1")
        return document.find_kind(kind.group, kind.version, kind.kind) or ANYTHING

    return Resource(
        gvr=GroupVersionResource(kind.group, kind.version, f"{kind.kind.lower()}s"),
        kind=kind.kind,
        singular=kind.kind.lower(),
        namespaced=True,
        verbs=(),
        storage_version=kind.version,
        strategy=_strategy(GroupKind(kind.group, kind.kind)),
        load_schema=load_schema,
    )


def _strategy(kind: GroupKind) -> Strategy:
    return TokenRequestStrategy(kind) if kind.kind == "TokenRequest" else builtin.strategy_for(kind)
