"""Objects from YAML: what `APIServer.load` reads, and the order in which it creates it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from dynkube.errors import DecodeError, InvalidRequestError
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Manifest", "read_manifests"]

Manifest: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]
"""A file or a folder of YAML or JSON, or an object."""

_ENDINGS = frozenset({".yaml", ".yml", ".json"})
# What others need comes first.
_FIRST = ("CustomResourceDefinition", "Namespace", "PriorityClass", "StorageClass", "IngressClass")


def read_manifests(sources: Iterable[Manifest]) -> list[tuple[str, Object]]:
    """All objects, each with where it comes from, in the order in which they can be created.

    Raises:
        InvalidRequestError: A file is none, is no YAML, or holds something that is no object.
    """
    if isinstance(sources, (str, os.PathLike, Mapping)):
        raise InvalidRequestError(f"objects: give a sequence of files, folders and objects, not {sources!r}")
    found = [each for source in sources for each in _objects(source)]
    found.sort(key=lambda each: _place(each[1]))
    return found


def _place(obj: Object) -> int:
    kind = obj.get("kind")
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _objects(source: Manifest) -> Iterator[tuple[str, Object]]:
    if isinstance(source, Mapping):
        yield from _flat(dict(source), "object")
        return
    path = Path(source)
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix in _ENDINGS and each.is_file())
        if not files:
            raise InvalidRequestError(f"{path}: no file here ends in {', '.join(sorted(_ENDINGS))}")
        for each in files:
            yield from _file(each)
    else:
        yield from _file(path)


def _file(path: Path) -> Iterator[tuple[str, Object]]:
    # The test's own files, read as kubectl reads them; what clients send is `decoding`'s.
    from dynkube.config.yaml import load_all

    try:
        documents = load_all(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidRequestError(f"{path}: cannot be read: {error.strerror}") from error
    except DecodeError as error:
        raise InvalidRequestError(str(error)) from error
    for number, document in enumerate(documents, 1):
        yield from _flat(document, f"{path}, document {number}" if len(documents) > 1 else str(path))


def _flat(document: Any, where: str) -> Iterator[tuple[str, Object]]:
    """The objects of a document: itself, or the items of a List."""
    if not isinstance(document, dict) or "kind" not in document:
        raise InvalidRequestError(f"{where}: no Kubernetes object: it has no kind")
    if str(document["kind"]).endswith("List") and isinstance(document.get("items"), list):
        for number, item in enumerate(document["items"]):
            yield from _flat(item, f"{where}, item {number}")
    else:
        yield where, document
