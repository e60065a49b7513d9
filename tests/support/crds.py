"""CRDs for cases that compare two servers, and what differs between two runs of the real one."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from both import Both, Side

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WITHIN = 30
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}


def of(**fields: Any) -> dict[str, Any]:
    """The schema of an object with these fields."""
    return {"type": "object", "properties": fields}


def listed(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items} | more


def checked(schema: dict[str, Any], *rules: dict[str, Any] | str) -> dict[str, Any]:
    """A schema with rules; a text is a rule that has nothing else to say."""
    rows = [{"rule": rule} if isinstance(rule, str) else rule for rule in rules]
    return schema | {"x-kubernetes-validations": rows}


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


def without_versions(document: Any) -> Any:
    """A refusal that shows an object in its text: the resourceVersion in it is a server's own."""
    return json.loads(re.sub(r'(resourceVersion[\\\\]*":[\\\\]*")\d+', r"\1", json.dumps(document)))


def in_order_of_type(crd: Any) -> Any:
    """A CRD with its conditions sorted: controllers race to set the first."""
    crd["status"]["conditions"].sort(key=lambda each: each["type"])
    return crd


def until(side: Side, path: str, is_so: Callable[[Any], bool]) -> None:
    """Ask until the answer is as it must be."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = side.raw.request("GET", path)
        if is_so(answer.json()):
            return
        time.sleep(0.05)
    raise AssertionError(f"the {side.name} server still says {answer.body!r}")


class Kind:
    """Custom resources of one CRD, on both servers."""

    def __init__(self, both: Both, plural: str, *versions: dict[str, Any], **spec: Any) -> None:
        self.both = both
        self.group = f"{plural}.custom.dynkube.test"
        self.crd = definition(self.group, plural, *versions, **spec)
        self.plural = plural

    def path(self, name: str = "", version: str = "v1") -> str:
        where = f"/apis/{self.group}/{version}"
        if self.crd["spec"]["scope"] == "Namespaced":
            where += f"/namespaces/{self.both.namespace}"
        return f"{where}/{self.plural}" + (f"/{name}" if name else "")

    def object(self, version: str = "v1", **fields: Any) -> dict[str, Any]:
        """An object of this kind; its name is one that no other has."""
        kind = self.crd["spec"]["names"]["kind"]
        head = {"apiVersion": f"{self.group}/{version}", "kind": kind, "metadata": {"name": self.both.unique}}
        return head | fields

    def make(self, version: str = "v1", **fields: Any) -> dict[str, Any]:
        """Create an object, which is valid, and give its answer."""
        answer = self.both.post(self.path(version=version), self.object(version, **fields))
        assert answer.status == 201, answer.body
        return answer.json()

    def refuses(self, **fields: Any) -> list[tuple[str, str]]:
        answer = self.both.post(self.path(), self.object(**fields), mask=in_any_order)
        assert answer.status == 422, answer.body
        return causes(answer)

    def change(self, found: dict[str, Any], mask: Any = None, sub: str = "", **fields: Any) -> Any:
        """Merge fields into an object that is there."""
        return self.both.patch(self.path(found["metadata"]["name"]) + sub, fields, mask=mask)


def kept(both: Both, plural: str, *versions: dict[str, Any], **spec: Any) -> Kind:
    """A kind that stays for all cases of the same servers."""
    kind = Kind(both, plural, *versions, **spec)
    for side in both.sides:
        there = side.raw.request("GET", f"{DEFINITIONS}/{kind.crd['metadata']['name']}").status == 200
        if not there:
            assert side.raw.request("POST", DEFINITIONS, kind.crd).status == 201
            wait_until_served(side, kind.crd)
    return kind


NewKind = Callable[..., Kind]


def new_kinds(both: Both) -> Iterator[NewKind]:
    """For a fixture: makes kinds that go with the case."""
    made: list[Kind] = []

    def new(*versions: dict[str, Any], **spec: Any) -> Kind:
        kind = Kind(both, f"case{both.unique.replace('-', '')}s", *versions, **spec)
        made.append(kind)
        establish(both, kind.crd)
        return kind

    yield new
    for each in made:
        remove(both, each.crd)
