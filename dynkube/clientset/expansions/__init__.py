"""What client-go and kubectl have for some resources besides their verbs (9.3): a class for each thing, by resource.

A row of the table gives a resource such a class where its server has the subresource and verb that it takes. Modules
are imported when a resource of theirs is first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dynkube.clientset.resource import ResourceClient

__all__ = ["EXPANSIONS", "Expansion", "expansions_of"]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A class of more methods, and what it is for.

    Attributes:
        group: the API group; ``"*"`` for any.
        resource: the resource; ``"*"`` for any.
        home: where the class is: ``"module:Class"``, below this package.
        subresource: what the server must have; ``""`` for the resource itself.
        verb: the verb that it must serve there; ``""`` for none.
    """

    group: str
    resource: str
    home: str
    subresource: str = ""
    verb: str = "get"

    def load(self) -> type[ResourceClient]:
        """The class."""
        module, _, name = self.home.partition(":")
        found: type[ResourceClient] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        return found


_WITH_ROLLOUTS = ("statefulsets", "daemonsets")
_EXPOSED = (
    ("", "pods"),
    ("", "services"),
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
)
_WITH_PODS = (
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
)

EXPANSIONS = (
    Expansion("", "pods", "binding:PodBinding", "binding", "create"),
    Expansion("", "pods", "evicting:PodEviction", "eviction", "create"),
    Expansion("", "pods", "proxying:ProxyGet", "proxy"),
    Expansion("", "services", "proxying:ProxyGet", "proxy"),
    Expansion("", "nodes", "proxying:ProxyGet", "proxy"),
    Expansion("", "nodes", "cluster:NodeStatus", "status", "patch"),
    Expansion("", "namespaces", "cluster:NamespaceFinalize", "finalize", "update"),
    Expansion("", "events", "events:CoreEvents"),
    Expansion("events.k8s.io", "events", "events:Events"),
    Expansion("policy", "evictions", "evicting:Evictions", verb=""),
    Expansion("", "pods", "streaming:Logs", "log"),
    Expansion("", "pods", "streaming:PodExec", "exec"),
    Expansion("", "pods", "streaming:PodAttach", "attach"),
    Expansion("", "pods", "streaming:PortForwarding", "portforward"),
    Expansion("", "services", "streaming:PortForwarding"),
    *(Expansion(group, resource, "streaming:Logs") for group, resource in _WITH_PODS),
    *(Expansion(group, resource, "streaming:PortForwarding") for group, resource in _WITH_PODS),
    Expansion("apps", "deployments", "rollouts:PausableRollouts"),
    *(Expansion("apps", resource, "rollouts:Rollouts") for resource in _WITH_ROLLOUTS),
    *(Expansion(group, resource, "rollouts:Exposing") for group, resource in _EXPOSED),
    Expansion("*", "*", "rollouts:Scaling", "scale", "update"),
    Expansion("", "nodes", "rollouts:Draining"),
)


def expansions_of(group: str, resource: str, verbs: Mapping[str, tuple[str, ...]]) -> Iterator[type[ResourceClient]]:
    """The classes for a resource.

    Args:
        group: its API group.
        resource: its plural name.
        verbs: what the server serves, by subresource; ``""`` is the resource itself.
    """
    for row in EXPANSIONS:
        fits = (row.group, row.resource) in {(group, resource), ("*", "*")}
        if fits and (not row.verb or row.verb in verbs.get(row.subresource, ())):
            yield row.load()
