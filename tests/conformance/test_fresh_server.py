"""What a server has that has just started: its namespaces, roles, priorities, itself as a Service."""

from __future__ import annotations

import re
from typing import Any

import pytest
from both import Both

from dynkube.testing.apiserver import recorded

FRESH = recorded.objects(now="2026-01-01T00:00:00Z", port=1, authority="")
NAMES = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in FRESH}
KINDS = {each["kind"] for each in FRESH}
PATHS = {
    (f"/apis/{each.gvr.group}" if each.gvr.group else "/api") + f"/{each.gvr.version}/{each.gvr.resource}"
    for each in recorded.resources()
    if each.kind in KINDS and each.storage.group_version == each.gvr.group_version
}
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def of_the_server(document: Any) -> Any:
    """Only what every server has, without what belongs to one of them: its port, its authority."""
    kind = document["kind"].removesuffix("List")
    found = []
    for each in document["items"]:
        metadata = each["metadata"]
        if (kind, metadata.get("namespace"), metadata["name"]) not in NAMES:
            continue
        for name, value in each["data"].items() if kind == "ConfigMap" else ():
            each["data"][name] = _DATE.sub("<date>", _CERTIFICATE.sub("<certificate>", value))
        for port in each["spec"]["ports"] if kind == "Service" else ():
            port["targetPort"] = "<port>"
        found.append(each)
    return {**document, "items": found}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_has_the_same_objects(both: Both, path: str) -> None:
    assert of_the_server(both.get(path, mask=of_the_server).json())["items"]


def test_has_no_lease_of_a_process_that_is_none(both: Both) -> None:
    """The real one has a Lease by which its process says that it lives; nobody renews one here."""
    answer = both.get("/apis/coordination.k8s.io/v1/leases", compare=False)
    assert answer.status == 200
    embedded = both.sides[-1].last.json()["items"]
    assert not [each for each in embedded if each["metadata"]["name"].startswith("apiserver-")]
