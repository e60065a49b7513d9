"""CRDs for cases that compare two servers, and what differs between two runs of the real one."""

from __future__ import annotations

import time
from typing import Any

from both import Both, Side

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WITHIN = 30


def version(name: str = "v1", schema: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An entry of ``spec.versions``: served, and stored if it is v1."""
    row = {"name": name, "served": True, "storage": name == "v1"}
    return row | {"schema": {"openAPIV3Schema": schema or {"type": "object"}}} | more


def definition(group: str, plural: str = "widgets", *versions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A CRD of namespaced objects; ``spec`` is laid over its spec."""
    names = {"plural": plural, "kind": plural.removesuffix("s").capitalize()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names | spec.pop("names", {}),
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def establish(both: Both, crd: dict[str, Any], **options: Any) -> None:
    """Create a CRD on both servers, and wait until its objects can be made there."""
    both.post(DEFINITIONS, crd, **options)
    for side in both.sides:
        assert side.last.status == 201, side.last.body
        wait_until_served(side, crd)


def wait_until_served(side: Side, crd: dict[str, Any]) -> None:
    """Wait until a server says that a CRD is established, and answers for each of its versions."""
    spec, name = crd["spec"], crd["metadata"]["name"]
    served = [each["name"] for each in spec["versions"] if each["served"]]
    paths = [f"/apis/{spec['group']}/{each}/{spec['names']['plural']}" for each in served]
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        found = side.raw.request("GET", f"{DEFINITIONS}/{name}").json()
        conditions = found.get("status", {}).get("conditions") or []
        is_established = any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
        if is_established and all(side.raw.request("GET", path).status == 200 for path in paths):
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} is not served by the {side.name} server: {conditions}")


def remove(both: Both, crd: dict[str, Any]) -> None:
    """Delete a CRD on both servers; nothing waits for its end."""
    for side in both.sides:
        side.raw.request("DELETE", f"{DEFINITIONS}/{crd['metadata']['name']}")


def in_any_order(document: Any) -> Any:
    """A refusal whose causes come in any order: fields of objects are walked at random in Go."""
    causes = (document.get("details") or {}).get("causes") if isinstance(document, dict) else None
    if not causes or len(causes) < 2:
        return document
    subject = document["message"].partition(" is invalid: ")[0]
    ordered = sorted(causes, key=lambda cause: (cause.get("field", ""), cause["message"]))
    return document | {"message": f"{subject} is invalid: ...", "details": document["details"] | {"causes": ordered}}


def causes(answer: Any) -> list[tuple[str, str]]:
    """What a refusal complains of: fields and messages, sorted."""
    found = answer.json().get("details", {}).get("causes") or []
    return sorted((cause.get("field", ""), cause["message"]) for cause in found)
