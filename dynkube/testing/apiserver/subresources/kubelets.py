"""Where a node's kubelet would be reached (KUBE/pkg/kubelet/client). Nobody listens there."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses

__all__ = ["UNREACHABLE", "host_port", "kubelet_address"]

UNREACHABLE = "connect: connection refused"
"""What dialling says."""
_KUBELET_PORT = 10250


def kubelet_address(call: Call, name: str, about: GroupResource) -> str:
    """Where a node's kubelet would listen: its InternalIP (--kubelet-preferred-address-types).

    Raises:
        StatusError: 404, no such node, in the words of ``about``; 500, it has no such address.
    """
    nodes = call.registry.catalog.lookup("", "v1", "nodes")
    assert nodes is not None  # built in
    entry = call.registry.store.find(nodes, "", name)
    if entry is None:
        raise statuses.not_found(about, name)
    status = entry.object().get("status") or {}
    addresses = status.get("addresses") or []
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or _KUBELET_PORT
    for each in addresses:
        if each["type"] == "InternalIP":
            return host_port(each["address"], port)
    known = " ".join(f"{{{each['type']} {each['address']}}}" for each in addresses)
    raise statuses.unexpected(f"no preferred addresses found; known addresses: [{known}]")


def host_port(host: str, port: int | str) -> str:
    """An address as Go joins it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
