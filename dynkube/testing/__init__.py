"""For who tests Python code that talks to Kubernetes: real servers and real faults, on loopback.

- `APIServer`: a Kubernetes API server in this process: milliseconds to start, no binaries, faults
  on demand (`ServerFault`), a record of what was asked.
- `ControlPlane`: etcd and kube-apiserver from ``$KUBEBUILDER_ASSETS``, with fresh certificates:
  kubeconfigs, refusals, kills, expiry, broken aggregated APIs. envtest for Python.
- `ServerFace`: what both have; a test that takes one runs on either.
- `AccessRule`: what a user of it may do; `Refusal`: what the embedded one refuses even to its admin.
- `FaultProxy`: a TCP proxy before any server that cuts, stalls or resets when the test says.
- ``dynkube.testing.plugin``: pytest fixtures, opted into with ``-p dynkube.testing.plugin``.

Everything is imported when first used: starting servers and making certificates cost more than
a name. Needs ``pip install 'dynkube[testing]'``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynkube.testing.apiserver.access import Refusal
    from dynkube.testing.apiserver.server import APIServer
    from dynkube.testing.apiserver.streaming.containerlogs import ContainerLog
    from dynkube.testing.apiserver.streaming.handlers import Pods
    from dynkube.testing.apiserver.streaming.processes import LocalProcess
    from dynkube.testing.apiserver.streaming.sessions import (
        ContainerSession,
        LogRequest,
        PortForwardSession,
        ProxyRequest,
        ProxyResponse,
    )
    from dynkube.testing.apiserver.testbench.audit import AuditedRequest
    from dynkube.testing.apiserver.testbench.faults import ServerFault
    from dynkube.testing.apiserver.testbench.hooks import Write
    from dynkube.testing.brokengroups import BrokenGroup
    from dynkube.testing.controlplane import ControlPlane
    from dynkube.testing.errors import ControlPlaneError
    from dynkube.testing.face import ServerFace
    from dynkube.testing.faultproxy import Fault, FaultProxy, Injection, ProxiedConnection, SeenRequest
    from dynkube.testing.rules import AccessRule

__all__ = [
    "APIServer",
    "AccessRule",
    "AuditedRequest",
    "BrokenGroup",
    "ContainerLog",
    "ContainerSession",
    "ControlPlane",
    "ControlPlaneError",
    "Fault",
    "FaultProxy",
    "Injection",
    "LocalProcess",
    "LogRequest",
    "Pods",
    "PortForwardSession",
    "ProxiedConnection",
    "ProxyRequest",
    "ProxyResponse",
    "Refusal",
    "SeenRequest",
    "ServerFace",
    "ServerFault",
    "Write",
]

_HOMES = {
    "APIServer": "dynkube.testing.apiserver.server",
    "AccessRule": "dynkube.testing.rules",
    "AuditedRequest": "dynkube.testing.apiserver.testbench.audit",
    "BrokenGroup": "dynkube.testing.brokengroups",
    "ContainerLog": "dynkube.testing.apiserver.streaming.containerlogs",
    "ContainerSession": "dynkube.testing.apiserver.streaming.sessions",
    "ControlPlane": "dynkube.testing.controlplane",
    "ControlPlaneError": "dynkube.testing.errors",
    "Fault": "dynkube.testing.faultproxy",
    "FaultProxy": "dynkube.testing.faultproxy",
    "Injection": "dynkube.testing.faultproxy",
    "LocalProcess": "dynkube.testing.apiserver.streaming.processes",
    "LogRequest": "dynkube.testing.apiserver.streaming.sessions",
    "Pods": "dynkube.testing.apiserver.streaming.handlers",
    "PortForwardSession": "dynkube.testing.apiserver.streaming.sessions",
    "ProxiedConnection": "dynkube.testing.faultproxy",
    "ProxyRequest": "dynkube.testing.apiserver.streaming.sessions",
    "ProxyResponse": "dynkube.testing.apiserver.streaming.sessions",
    "Refusal": "dynkube.testing.apiserver.access",
    "SeenRequest": "dynkube.testing.faultproxy",
    "ServerFace": "dynkube.testing.face",
    "ServerFault": "dynkube.testing.apiserver.testbench.faults",
    "Write": "dynkube.testing.apiserver.testbench.hooks",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
