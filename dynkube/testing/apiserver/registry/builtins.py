"""The built-in resources: what was recorded of them, with the strategies of their kinds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dynkube.schema import GroupKind
from dynkube.testing.apiserver import builtin, recorded
from dynkube.testing.apiserver.words.resources import Resource, Strategy
from dynkube.testing.apiserver.words.schemas import Schema

__all__ = ["built_in_resources"]

_DEFINITION = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")


def built_in_resources() -> Iterator[Resource]:
    """All built-in resources in all versions."""
    for record in recorded.resources():
        storage, gvr = record.storage, record.gvr
        yield Resource(
            gvr=gvr,
            kind=record.kind,
            singular=record.singular,
            namespaced=record.namespaced,
            verbs=record.verbs,
            short_names=record.short_names,
            categories=record.categories,
            subresources=record.subresources,
            storage_version=storage.version,
            storage_group=None if storage.group == gvr.group else storage.group,
            strategy=_strategy(GroupKind(gvr.group, record.kind)),
            list_kind=record.list_kind,
            load_schema=partial(_schema, gvr.group, gvr.version, record.kind),
            warning=record.warning,
        )


def _schema(group: str, version: str, kind: str) -> Schema:
    found = recorded.definitions(group, version).find_kind(group, version, kind)
    assert found is not None  # every recorded resource has a schema
    return found


def _strategy(kind: GroupKind) -> Strategy:
    return _Definitions() if kind == _DEFINITION else builtin.strategy_for(kind)


class _Definitions(Strategy):
    """Becomes the strategy of CRDs, whose module costs something to import, when anything is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        from dynkube.testing.apiserver.customresources.definitions import CustomResourceDefinitionStrategy

        object.__setattr__(self, "__class__", CustomResourceDefinitionStrategy)
        return getattr(self, name)
