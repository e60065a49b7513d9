"""The dynamic client of the official package, ``kubernetes`` on PyPI."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubernetes import config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.resource import Resource

__all__ = ["Client"]


class Client:
    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._api = config.new_client_from_config(str(kubeconfig))
        self._namespace = namespace
        # Discovery has a case of its own: here nothing is discovered.
        client = DynamicClient(self._api, discoverer=lambda *_: None)
        self._pods = Resource(
            prefix="api", api_version="v1", kind="Pod", namespaced=True, name="pods", verbs=["get"], client=client
        )
        self._discovered: DynamicClient | None = None

    def list(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._pods.get(namespace=self._namespace).to_dict()["items"]
        return items

    def list_instances(self) -> Any:
        """As the client gives them: objects with attributes, not made into dicts."""
        return self._pods.get(namespace=self._namespace).items

    def iterate(self, page_size: int) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            page = self._pods.get(namespace=self._namespace, limit=page_size, _continue=token).to_dict()
            token = page["metadata"].get("continue")
            yield from page["items"]
            if not token:
                return

    def get(self, name: str) -> dict[str, Any]:
        obj: dict[str, Any] = self._pods.get(name=name, namespace=self._namespace).to_dict()
        return obj

    def watch(self, events: int) -> int:
        versions = 0
        stream = self._pods.watch(namespace=self._namespace, resource_version="1")
        for number, event in enumerate(stream, 1):
            versions += len(event["raw_object"]["metadata"]["resourceVersion"]) > 0
            if number == events:
                break
        return versions

    def discover(self, resource: str) -> str:
        if self._discovered is None:
            folder = tempfile.mkdtemp(prefix="dynkube-benchmarks-")
            self._discovered = DynamicClient(self._api, cache_file=str(Path(folder) / "discovery.json"))
        version: str = self._discovered.resources.get(name=resource).api_version
        return version
