"""The names that the API server itself gives: well-known groups, and service accounts as users."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.testing.apiserver.words import names

__all__ = [
    "ANONYMOUS",
    "AUTHENTICATED",
    "CREDENTIAL_ID",
    "MASTERS",
    "NODES",
    "NODE_NAME",
    "NODE_UID",
    "POD_NAME",
    "POD_UID",
    "UNAUTHENTICATED",
    "node_of",
    "service_account_groups",
    "service_account_of",
    "service_account_user",
]

# AS/authentication/user/user.go
ANONYMOUS = "system:anonymous"
"""The user of a request without credentials."""
UNAUTHENTICATED = "system:unauthenticated"
"""The group of such a request."""
AUTHENTICATED = "system:authenticated"
"""The group of every request with credentials."""
MASTERS = "system:masters"
"""The group that may do anything, whatever RBAC says."""
NODES = "system:nodes"
"""The group of the nodes."""
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""In a user's extra: which credential it was, for instance ``JTI=<id of a token>``."""

# AS/authentication/serviceaccount/util.go
POD_NAME = "authentication.kubernetes.io/pod-name"
"""In a user's extra: the pod that a service account's token is bound to."""
POD_UID = "authentication.kubernetes.io/pod-uid"
"""In a user's extra: that pod's uid."""
NODE_NAME = "authentication.kubernetes.io/node-name"
"""In a user's extra: the node that a token is bound to, or that its pod runs on."""
NODE_UID = "authentication.kubernetes.io/node-uid"
"""In a user's extra: that node's uid."""

_SERVICE_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"


def service_account_user(namespace: str, name: str) -> str:
    """The user name of a service account.

    >>> service_account_user("shop", "robot")
    'system:serviceaccount:shop:robot'
    """
    return f"{_SERVICE_ACCOUNT}{namespace}:{name}"


def service_account_groups(namespace: str) -> Sequence[str]:
    """The groups that every service account of a namespace is in (MakeGroupNames)."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")


def service_account_of(user: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that a user name stands for (SplitUsername)."""
    if not user.startswith(_SERVICE_ACCOUNT):
        return None
    parts = user.removeprefix(_SERVICE_ACCOUNT).split(":")
    if len(parts) != 2 or names.dns1123_label(parts[0]) or names.dns1123_subdomain(parts[1]):
        return None
    return parts[0], parts[1]


def node_of(user: str) -> str | None:
    """The node that a user name stands for: ``system:node:<name>``."""
    if not user.startswith(_NODE):
        return None
    name = user.removeprefix(_NODE)
    return None if names.dns1123_subdomain(name) else name
