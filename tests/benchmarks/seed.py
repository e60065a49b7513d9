"""The pods to measure with, as a cluster has them: two managers' managedFields, env, probes, a status."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from client_floor import Client

__all__ = ["NAMESPACE", "POD_BYTES", "create_pods"]

NAMESPACE = "bench"
POD_BYTES = 7_700
"""Bytes of one pod as the server lists it."""

_THREADS = 4
_NODES = 50
_CREATED_BY = "kube-controller-manager"
_RUN_BY = "kubelet"


def pod(number: int, padding: int = 0) -> dict[str, Any]:
    """A pod of a Deployment with two containers; ``padding`` more bytes."""
    name = f"pod-{number:05d}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"app": f"shop-{number % 20}", "pod-template-hash": "6d4cf56db6", "tier": "backend"},
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "9090",
                "example.com/note": "n" * padding,
            },
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"shop-{number % 20}-6d4cf56db6",
                    "uid": f"0f1e2d3c-0000-4000-8000-{number % 20:012d}",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "nodeName": f"node-{number % _NODES}",
            "serviceAccountName": "shop",
            "automountServiceAccountToken": False,
            "containers": [_container("server", 8080), {"name": "proxy", "image": _image("proxy")}],
            "volumes": [
                {"name": "config", "configMap": {"name": "shop-config"}},
                {"name": "scratch", "emptyDir": {}},
            ],
        },
    }


def _container(name: str, port: int) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": port}, "initialDelaySeconds": 5, "periodSeconds": 10}
    return {
        "name": name,
        "image": _image(name),
        "args": ["--verbosity=2", f"--listen=:{port}"],
        "ports": [{"name": "http", "containerPort": port}],
        "env": [
            *({"name": f"SHOP_SETTING_{index}", "value": f"value-{index}"} for index in range(4)),
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "livenessProbe": probe,
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/shop", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }


def _image(name: str) -> str:
    return f"registry.example.com/shop/{name}@sha256:{'5e1f' * 16}"


def status(number: int) -> dict[str, Any]:
    """What a kubelet reports of it."""
    since = "2026-01-31T12:00:00Z"
    address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "phase": "Running",
        "hostIP": f"192.168.0.{number % _NODES}",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": since,
        "conditions": [{"type": each, "status": "True", "lastTransitionTime": since} for each in conditions],
        "containerStatuses": [
            {
                "name": name,
                "image": f"registry.example.com/shop/{name}",
                "imageID": _image(name),
                "containerID": f"containerd://{number:064x}",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": since}},
            }
            for name in ("server", "proxy")
        ],
    }


def create_pods(kubeconfig: Path, count: int) -> int:
    """Create ``count`` pods of `POD_BYTES` each, with their status.

    Returns:
        The mean size of a pod in a list, in bytes.
    """
    writer = _Writer(kubeconfig)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    writer.send("POST", "/api/v1/namespaces", namespace, _CREATED_BY)
    writer.create(0)
    bare = len(json.dumps(_as_listed(writer), separators=(",", ":")))
    writer.send("DELETE", f"{_PODS}/pod-00000?gracePeriodSeconds=0", None, "")
    padding = POD_BYTES - bare
    assert padding > 0, f"a pod has {bare} bytes without padding"
    with ThreadPoolExecutor(_THREADS) as threads:
        for _ in threads.map(lambda number: writer.create(number, padding), range(count)):
            pass
    # On a new connection: the first one has been idle for minutes, where there are many pods.
    return len(json.dumps(_as_listed(_Writer(kubeconfig)), separators=(",", ":")))


_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def _as_listed(writer: _Writer) -> dict[str, Any]:
    listed = writer.send("GET", f"{_PODS}?limit=1", None, "")
    item: dict[str, Any] = listed["items"][0]
    return item


class _Writer:
    """One connection for each thread that uses it."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = Client(kubeconfig, NAMESPACE)
        self._local = threading.local()

    def create(self, number: int, padding: int = 0) -> None:
        name = f"pod-{number:05d}"
        self.send("POST", _PODS, pod(number, padding), _CREATED_BY)
        self.send("PATCH", f"{_PODS}/{name}/status", {"status": status(number)}, _RUN_BY)

    def send(self, method: str, path: str, body: dict[str, Any] | None, manager: str) -> Any:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._client.connection()
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = json.dumps(body) if body is not None else None
        connection.request(method, path, data, {"Content-Type": kind, "User-Agent": manager})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text[:300]!r}"
        return json.loads(text)


def later(frames: list[bytes], rounds: int) -> Iterator[bytes]:
    """A recording, and then the same objects changed ``rounds`` - 1 times: as MODIFIED, at newer versions."""
    yield from frames
    events = [json.loads(frame) for frame in frames]
    newest = max(int(event["object"]["metadata"]["resourceVersion"]) for event in events)
    for _ in range(rounds - 1):
        for event in events:
            newest += 1
            event["type"] = "MODIFIED"
            event["object"]["metadata"]["resourceVersion"] = str(newest)
            yield json.dumps(event, separators=(",", ":")).encode() + b"\n"
