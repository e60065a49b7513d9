from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynkube.config.incluster import SERVICE_ACCOUNT_FOLDER


def kubeconfig(
    *,
    server: str = "https://kube.example:6443",
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    **top: Any,
) -> dict[str, Any]:
    """A kubeconfig with one cluster ``c``, one user ``u`` and one context ``dev``, which is the current one."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", **(context or {})}}],
        "current-context": "dev",
        **top,
    }


@pytest.fixture(name="kubeconfig")
def _kubeconfig() -> Callable[..., dict[str, Any]]:
    return kubeconfig


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., str]:
    """Writes content below the test's folder and returns the path."""

    def write(name: str, content: dict[str, Any] | str | bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    """A service account folder, as a pod has it, below a root of the test's own."""
    folder = tmp_path / SERVICE_ACCOUNT_FOLDER
    folder.mkdir(parents=True)
    (folder / "token").write_text("pod-token\n")
    (folder / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    (folder / "namespace").write_text("pod-ns\n")
    return folder


@pytest.fixture
def pod_environ() -> dict[str, str]:
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
