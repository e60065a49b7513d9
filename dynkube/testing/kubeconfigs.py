"""Writes the kubeconfigs that the test servers hand out."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from dynkube.testing.pki import KeyPair

__all__ = ["certificate_user", "token_user", "write_kubeconfig"]


def certificate_user(pair: KeyPair) -> dict[str, str]:
    """The user entry of a client certificate."""
    return {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}


def token_user(token: str) -> dict[str, str]:
    """The user entry of a bearer token."""
    return {"token": token}


def write_kubeconfig(path: Path, *, url: str, ca: bytes, user_name: str, user: dict[str, str]) -> Path:
    """Write a kubeconfig of one cluster, one user and one context, private to this user (0600)."""
    import yaml

    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "dynkube", "cluster": {"server": url, "certificate-authority-data": _base64(ca)}}],
        "users": [{"name": user_name, "user": user}],
        "contexts": [{"name": "dynkube", "context": {"cluster": "dynkube", "user": user_name}}],
        "current-context": "dynkube",
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that is 0600 from its first byte."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
