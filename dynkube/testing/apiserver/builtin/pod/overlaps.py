"""Files of one volume that would lie on, or in, one another (warningsForOverlappingVirtualPaths)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dynkube.testing.apiserver.builtin.rules import Json, listed
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["overlapping_paths"]


class _File(NamedTuple):
    path: str
    source: str = ""

    def __str__(self) -> str:
        return f"{quoted(self.path)} ({self.source})" if self.source else quoted(self.path)


def overlapping_paths(volumes: Sequence[Json]) -> Iterator[str]:
    """One warning for each pair."""
    for volume in volumes:
        for kind, name in (("configMap", "name"), ("secret", "secretName"), ("downwardAPI", "")):
            source = volume.get(kind)
            if source and source.get("items"):
                what = "DownwardAPI" if kind == "downwardAPI" else f"{_TYPES[kind]} {quoted(source.get(name, ''))}"
                yield from _overlaps(volume, what, _files(source, ""))
        if volume.get("projected"):
            yield from _projected(volume, listed(volume["projected"], "sources"))


_TYPES = {"configMap": "ConfigMap", "secret": "Secret"}


def _files(source: Json, shown: str) -> list[_File]:
    return [_File(item.get("path", "").rstrip("/"), shown) for item in listed(source, "items")]


def _projected(volume: Json, sources: Sequence[Json]) -> Iterator[str]:
    files: list[_File] = []
    for source in sources:
        if not source:
            yield f"volume {quoted(volume.get('name', ''))} (Projected) has no sources provided"
        files += _projection(source)
    yield from _overlaps(volume, "Projected", files)


def _projection(source: Json) -> list[_File]:
    for kind, shown in _TYPES.items():
        found = source.get(kind)
        if found and found.get("items"):
            return _files(found, f"{shown} {quoted(found.get('name', ''))}")
    if source.get("downwardAPI") and source["downwardAPI"].get("items"):
        return _files(source["downwardAPI"], "DownwardAPI")
    token = source.get("serviceAccountToken")
    return [] if token is None else [_File(token.get("path", "").rstrip("/"), "ServiceAccountToken")]


def _overlaps(volume: Json, what: str, files: Sequence[_File]) -> Iterator[str]:
    for number, file in enumerate(files):
        for other in files[:number]:
            if file.path and other.path and _touch(file.path, other.path):
                where = f"volume {quoted(volume.get('name', ''))} ({what})"
                yield f"{where}: overlapping paths: {file} with {other}"


def _touch(path: str, other: str) -> bool:
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")
