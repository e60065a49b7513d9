"""Aggregated APIs that are broken for real: what `ControlPlane.break_group` hands back.

A misbehaving https server on loopback, a Service of type ExternalName that names this machine,
and an APIService that names the Service. kube-apiserver then aggregates and proxies it, and
each client sees what it makes of that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from dynkube.errors import InvalidRequestError
from dynkube.testing.apiclient import Answer, APIClient
from dynkube.testing.errors import ControlPlaneError
from dynkube.testing.misbehaving import HEALTHY, MisbehavingAPI

__all__ = ["BREAKAGES", "BrokenGroup"]

_API_SERVICES: Final = "/apis/apiregistration.k8s.io/v1/apiservices"
_SERVICES: Final = "/api/v1/namespaces/default/services"
_AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_GROUP_VERSION: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+/v[0-9]+((alpha|beta)[0-9]+)?")
# The API server looks again at an aggregated API when its APIService changes, else only now and
# then: how often we change it while we wait.
_NUDGE_SECONDS: Final = 1.0

# What the server behind the group does, and what the API server then shows of it: is the
# APIService Available, and is its version in aggregated discovery fresh ("Current") or "Stale".
# Seen on 1.36: a stale version comes without resources, an empty answer counts as fresh.
BREAKAGES: Final[Mapping[str, tuple[str, bool, str]]] = {
    "empty": ("empty", True, "Current"),
    "garbage": ("garbage", True, "Stale"),
    "hang": ("hang", True, "Current"),
    HEALTHY: (HEALTHY, True, "Current"),
    "html": ("html", True, "Stale"),
    "refused": ("refused", False, "Stale"),
    "stale": ("unavailable", False, "Stale"),
    "unavailable": ("unavailable", False, "Stale"),
}


class BrokenGroup:
    """One group version that an aggregated API serves badly; a context manager that removes it.

    Made by `ControlPlane.break_group`, which says what the ways are.
    """

    def __init__(
        self,
        client: APIClient,
        wait: Callable[[Callable[[], str]], None],
        group_version: str,
        *,
        certificate: Path,
        key: Path,
    ) -> None:
        if not _GROUP_VERSION.fullmatch(group_version):
            message = (
                f"break_group: {group_version!r} is no group and version that can be aggregated: "
                "write 'group.example.com/v1'"
            )
            raise InvalidRequestError(message)
        self.group_version = group_version
        self.how = ""
        self._client = client
        self._wait = wait
        self._group, _, self._version = group_version.partition("/")
        self._name = f"{self._version}.{self._group}"
        self._service = "broken-" + re.sub(r"[./]", "-", group_version)
        self._nudged = 0.0
        self._api = MisbehavingAPI(group_version, certificate, key)

    def __repr__(self) -> str:
        return f"<BrokenGroup {self.group_version}: {self.how or 'not registered'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    def register(self, how: str) -> None:
        """Tell the API server of it, and return when it shows."""
        known_first = HEALTHY if how == "stale" else how
        self._api.behave(_behaviour(known_first))
        self._register()
        self._settle(known_first)
        if how != known_first:
            self.behave(how)

    def behave(self, how: str) -> None:
        """Break it in another way, and return when the API server shows that.

        Raises:
            InvalidRequestError: There is no such way.
            ControlPlaneError: The API server did not come to show it.
        """
        self._api.behave(_behaviour(how))
        self._settle(how)

    def repair(self) -> None:
        """Let it answer well, and return when the API server shows that: one resource, ``gizmos``."""
        self.behave(HEALTHY)

    def remove(self) -> None:
        """Unregister it, and return when the API server no longer has the group version. Idempotent."""
        if self.how == "removed":
            return
        self.how = "removed"
        self._api.close()
        for path in (f"{_API_SERVICES}/{self._name}", f"{_SERVICES}/{self._service}"):
            answer = self._client.send("DELETE", path)
            if not answer.ok and answer.status != 404:
                raise ControlPlaneError(f"DELETE {path}: HTTP {answer.status}: {answer.text}")
        self._wait(self._lacks_removal)

    def close(self) -> None:
        """End the server behind it; for when the API server itself ends."""
        self.how = "removed"
        self._api.close()

    # ------------------------------------------------------------------ the API server's side

    def _register(self) -> None:
        service = {
            "metadata": {"name": self._service},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
        api_service = {
            "metadata": {"name": self._name},
            "spec": {
                "group": self._group,
                "version": self._version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
                "service": {"namespace": "default", "name": self._service, "port": self._api.port},
            },
        }
        self._client.call("POST", _SERVICES, service)
        self._client.call("POST", _API_SERVICES, api_service)

    def _settle(self, how: str) -> None:
        self.how = how
        self._nudged = time.monotonic()
        self._nudge()
        self._wait(self._lacks_effect)

    def _nudge(self) -> None:
        note = {"metadata": {"annotations": {"dynkube/nudged": str(self._nudged)}}}
        content_type = "application/merge-patch+json"
        self._client.call("PATCH", f"{_API_SERVICES}/{self._name}", note, content_type=content_type)

    def _lacks_effect(self) -> str:
        if time.monotonic() - self._nudged > _NUDGE_SECONDS:
            self._nudged = time.monotonic()
            self._nudge()
        _, available, freshness = BREAKAGES[self.how]
        conditions = self._client.call("GET", f"{_API_SERVICES}/{self._name}").get("status", {}).get("conditions", ())
        if not any(each["type"] == "Available" and (each["status"] == "True") == available for each in conditions):
            return f"APIService {self._name} does not say Available={available}"
        version = self._aggregated_version()
        if version is not None and (
            version.get("freshness") != freshness or bool(version.get("resources")) != (self.how in {HEALTHY, "hang"})
        ):
            return f"{self.group_version} is not {freshness} in aggregated discovery: {version}"
        if self.how == "hang":  # asking would hang
            return ""
        answer = self._client.send("GET", f"/apis/{self.group_version}")
        return "" if self._is_expected(answer) else f"/apis/{self.group_version}: HTTP {answer.status}: {answer.text}"

    def _lacks_removal(self) -> str:
        answer = self._client.send("GET", f"/apis/{self.group_version}")
        if answer.status != 404:
            return f"/apis/{self.group_version} still answers HTTP {answer.status}"
        return f"{self.group_version} is still in aggregated discovery" if self._aggregated_version() else ""

    def _aggregated_version(self) -> dict[str, Any] | None:
        """Our version in aggregated discovery; None from a server that has none (before 1.27)."""
        document = self._client.call("GET", "/apis", accept=f"{_AGGREGATED},application/json")
        if document.get("kind") != "APIGroupDiscoveryList":
            return None
        versions = [
            version
            for group in document.get("items") or ()
            if group["metadata"]["name"] == self._group
            for version in group["versions"]
            if version["version"] == self._version
        ]
        return versions[0] if versions else {}

    def _is_expected(self, answer: Answer) -> bool:
        behaviour, available, _ = BREAKAGES[self.how]
        if not available:
            return answer.status == 503
        is_well = "resources" in answer.json()
        return answer.ok and is_well == (behaviour == HEALTHY) and bool(answer.body) != (behaviour == "empty")


def _behaviour(how: str) -> str:
    if how not in BREAKAGES:
        raise InvalidRequestError(f"break_group: how={how!r} is none of {', '.join(sorted(BREAKAGES))}")
    return BREAKAGES[how][0]
