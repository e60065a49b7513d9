"""The built-in resources: what was recorded of them, with the strategies of their kinds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.resources import Resource, Strategy
from dynkube.testing.apiserver.schemas import Schema

__all__ = ["built_in_resources"]


def built_in_resources() -> Iterator[Resource]:
    """All built-in resources in all versions."""
    for record in recorded.resources():
        storage = record.storage
        yield Resource(
            gvr=record.gvr,
            kind=record.kind,
            singular=record.singular,
            namespaced=record.namespaced,
            verbs=record.verbs,
            short_names=record.short_names,
            categories=record.categories,
            subresources=record.subresources,
            storage_version=storage.version,
            storage_group=None if storage.group == record.gvr.group else storage.group,
            strategy=Strategy(),
            list_kind=record.list_kind,
            load_schema=partial(_schema, record.gvr.group, record.gvr.version, record.kind),
            warning=record.warning,
        )


def _schema(group: str, version: str, kind: str) -> Schema:
    found = recorded.definitions(group, version).find_kind(group, version, kind)
    assert found is not None
    return found
