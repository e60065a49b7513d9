"""Servers and faults for tests: a real control plane, and a proxy that breaks connections.

Everything here is imported when first used: starting servers and making certificates cost
more than a name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynkube.testing.faultproxy import Fault, FaultProxy, Injection, ProxiedConnection, SeenRequest

__all__ = ["Fault", "FaultProxy", "Injection", "ProxiedConnection", "SeenRequest"]

_HOMES = {
    "Fault": "dynkube.testing.faultproxy",
    "FaultProxy": "dynkube.testing.faultproxy",
    "Injection": "dynkube.testing.faultproxy",
    "ProxiedConnection": "dynkube.testing.faultproxy",
    "SeenRequest": "dynkube.testing.faultproxy",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
