"""An `Access` over plain dicts, and the requests that its tests put to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.access import Access
from dynkube.testing.apiserver.words.messages import Headers, Request, RequestInfo, UserInfo
from dynkube.testing.apiserver.words.requestinfo import request_info

RBAC = "rbac.authorization.k8s.io"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADMIN = UserInfo("admin", ("system:masters", "system:authenticated"))


class Objects:
    """What is stored; `put` and `remove` are the writes."""

    def __init__(self) -> None:
        self._tables: dict[GroupResource, dict[tuple[str, str], dict[str, Any]]] = {}
        self._revision = 0

    def put(self, resource: GroupResource, obj: dict[str, Any]) -> dict[str, Any]:
        self._revision += 1
        metadata = obj.setdefault("metadata", {})
        metadata.setdefault("uid", f"uid-{self._revision}")
        self._tables.setdefault(resource, {})[metadata.get("namespace", ""), metadata["name"]] = obj
        return obj

    def remove(self, resource: GroupResource, namespace: str, name: str) -> None:
        self._revision += 1
        del self._tables[resource][namespace, name]

    def get(self, resource: GroupResource, namespace: str, name: str) -> dict[str, Any] | None:
        return self._tables.get(resource, {}).get((namespace, name))

    def list(self, resource: GroupResource) -> Sequence[dict[str, Any]]:
        table = self._tables.get(resource, {})
        return [table[key] for key in sorted(table)]

    def revision(self, resource: GroupResource) -> int:
        return self._revision

    # ------------------------------------------------------------------ roles and bindings

    def role(self, name: str, *rules: Mapping[str, Any], namespace: str = "") -> None:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        plural = "roles" if namespace else "clusterroles"
        self.put(GroupResource(RBAC, plural), {"metadata": metadata, "rules": list(rules)})

    def binding(
        self, name: str, role: str, *subjects: Mapping[str, str], namespace: str = "", kind: str = "ClusterRole"
    ) -> None:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        plural = "rolebindings" if namespace else "clusterrolebindings"
        reference = {"apiGroup": RBAC, "kind": kind, "name": role}
        self.put(GroupResource(RBAC, plural), {"metadata": metadata, "roleRef": reference, "subjects": list(subjects)})

    def grant(self, user: str, *rules: Mapping[str, Any], namespace: str = "") -> None:
        """Roles and bindings that allow a user these."""
        name = f"grant-{self._revision}"
        self.role(name, *rules, namespace=namespace)
        kind = "Role" if namespace else "ClusterRole"
        self.binding(name, name, {"kind": "User", "name": user}, namespace=namespace, kind=kind)


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> dict[str, list[str]]:
    """A PolicyRule of words: ``rule("get list", "pods pods/log")``."""
    found = {"verbs": verbs.split(), "apiGroups": groups.split(",") if groups else [""], "resources": resources.split()}
    return found | ({"resourceNames": names.split()} if names else {})


def access(objects: Objects | None = None, now: Callable[[], datetime] = lambda: NOW, **options: Any) -> Access:
    return Access(objects or Objects(), now=now, **options)


def request(path: str = "/api/v1/namespaces/shop/pods", *headers: tuple[str, str], **options: Any) -> Request:
    return Request(method=options.pop("method", "GET"), path=path, headers=Headers(headers), **options)


def about(path: str, method: str = "GET") -> RequestInfo:
    path, _, query = path.partition("?")
    pairs = [tuple(each.split("=", 1)) for each in query.split("&") if each]
    return request_info(Request(method=method, path=path, query=pairs))  # type: ignore[arg-type]
