"""The same requests in the name of somebody else: without the admin's certificate, by token, or acting as a user."""

from __future__ import annotations

import copy
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

from both import Both, Side
from raw import RawClient

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def without_certificate(both: Both, token: Callable[[Side], str] | None = None) -> Both:
    """The servers of a case, asked without credentials, or with a bearer token that each side gave."""
    sides = []
    for side in both.sides:
        raw = copy.copy(side.raw)
        raw._tls = ssl._create_unverified_context()  # the admin's context shows the certificate
        raw._token = token(side) if token else None
        sides.append(Side(side.name, raw))
    return Both(sides, both.unique)


def acting_as(user: str, *groups: str) -> dict[str, str]:
    """Headers for a request in a user's name."""
    return {"Impersonate-User": user} | ({"Impersonate-Group": groups[0]} if groups else {})


def grant(both: Both, user: str, *rules: Mapping[str, Any], namespace: str = "") -> str:
    """Allow a user this, on both servers, and return the role's name when it is in force."""
    name = both.unique
    place = f"{_RBAC}/namespaces/{namespace}" if namespace else _RBAC
    prefix, kind = ("", "Role") if namespace else ("cluster", "ClusterRole")
    role = {"metadata": {"name": name}, "rules": list(rules)}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    both.post(f"{place}/{prefix}roles", role, compare=False)
    both.post(f"{place}/{prefix}rolebindings", binding, compare=False)
    for rule in rules:
        wait_allowed(both, user, rule, namespace)
    return name


def wait_allowed(both: Both, user: str, rule: Mapping[str, Any], namespace: str = "") -> None:
    """Return when a rule is in force; an API server follows its own writes a moment later."""
    if "nonResourceURLs" in rule:
        asked = {"nonResourceAttributes": {"path": rule["nonResourceURLs"][0], "verb": rule["verbs"][0]}}
    else:
        resource, _, subresource = rule["resources"][0].partition("/")
        attributes = {
            "verb": rule["verbs"][0],
            "group": rule["apiGroups"][0],
            "resource": resource,
            "subresource": subresource,
            "name": (rule.get("resourceNames") or [""])[0],
            "namespace": namespace,
        }
        asked = {"resourceAttributes": {name: each for name, each in attributes.items() if each}}
    for side in both.sides:
        _until(lambda raw=side.raw: _is_allowed(raw, {"user": user, **asked}))


def _is_allowed(raw: RawClient, spec: Mapping[str, Any]) -> bool:
    return bool(raw.request("POST", _REVIEWS, {"spec": dict(spec)}).json()["status"]["allowed"])


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it does not come into force"
        time.sleep(0.02)
