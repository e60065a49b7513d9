"""dynkube, as a user would write it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import dynkube

__all__ = ["Client"]

_PODS = dynkube.GroupVersionResource("", "v1", "pods")


class Client:
    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._client = dynkube.connect(kubeconfig=kubeconfig)
        self._pods = self._client.resource(_PODS).namespace(namespace)

    def list(self) -> list[dict[str, Any]]:
        return self._pods.list().objects

    def iterate(self, page_size: int) -> Iterator[dict[str, Any]]:
        return iter(self._pods.iter(limit=page_size))

    def get(self, name: str) -> dict[str, Any]:
        return self._pods.get(name)

    def watch(self, events: int) -> int:
        """The watch that resumes: it knows each object's identity."""
        with self._pods.watch(resource_version="1") as watch:
            return sum(len(event.object["metadata"]["resourceVersion"]) > 0 for event in islice(watch, events))

    def watch_once(self, events: int) -> int:
        """A single watch request, which is what the other clients do."""
        with self._pods.watch_once(resource_version="1") as watch:
            return sum(len(event.object["metadata"]["resourceVersion"]) > 0 for event in islice(watch, events))

    def discover(self, resource: str) -> str:
        return self._client.resource(resource).gvr.version
