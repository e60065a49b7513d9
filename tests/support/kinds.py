"""Objects of built-in kinds for the conformance suite, and changes of what is stored of them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

from both import Both, Side
from raw import Answer

_PORT = re.compile(r'("(?:nodePort|healthCheckNodePort)": )3\d{4}')
_ADDRESS = re.compile(r"10\.0\.0\.\d+")

Change = Callable[[dict[str, Any]], Any]


class Kind:
    """One kind in the namespace of a case (or none), and what is done to its objects."""

    def __init__(self, both: Both, api_version: str, kind: str, plural: str, *, namespaced: bool = True) -> None:
        self.both = both
        self.about = {"apiVersion": api_version, "kind": kind}
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        self.path = f"{root}/namespaces/{both.namespace}/{plural}" if namespaced else f"{root}/{plural}"

    def manifest(self, name: str = "a", *, metadata: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """An object to send."""
        return {**self.about, "metadata": {"name": name, **(metadata or {})}, **fields}

    def create(self, name: str = "a", *, metadata: dict[str, Any] | None = None, **fields: Any) -> Answer:
        """POST it."""
        return self.both.post(self.path, self.manifest(name, metadata=metadata, **fields), mask=chosen)

    def change(self, change: Change, name: str = "a", at: str = "") -> Answer:
        """PUT what is stored, changed in place or replaced by what ``change`` returns, to a subresource or not."""

        def body(side: Side) -> dict[str, Any]:
            obj = copy.deepcopy(side.raw.request("GET", f"{self.path}/{name}").json())
            replaced = change(obj)
            return replaced if isinstance(replaced, dict) else obj

        return self.both.put(f"{self.path}/{name}{at and f'/{at}'}", body, mask=chosen)

    def merge(self, patch: dict[str, Any], name: str = "a", at: str = "") -> Answer:
        """PATCH it with a merge patch."""
        return self.both.patch(f"{self.path}/{name}{at and f'/{at}'}", patch, mask=chosen)

    def get(self, name: str = "a") -> Answer:
        """GET it."""
        return self.both.get(f"{self.path}/{name}", mask=chosen)

    def delete(self, name: str = "a", **options: Any) -> Answer:
        """DELETE it."""
        return self.both.delete(f"{self.path}/{name}", options or None, mask=chosen)


def chosen(document: Any) -> Any:
    """A document without the ports and addresses that the server chooses by chance."""
    return json.loads(_ADDRESS.sub("<ip>", _PORT.sub(r"\g<1>30000", json.dumps(document))))


def warnings(answer: Answer) -> list[str]:
    """The texts of its Warning headers."""
    return [each.removeprefix('299 - "').removesuffix('"') for each in answer.headers.get_all("Warning") or ()]


def causes(answer: Answer) -> list[tuple[str, str]]:
    """Field and message of what is wrong with an object."""
    assert answer.status == 422, answer.body
    return [(each["field"], each["message"]) for each in answer.json()["details"]["causes"]]


def setting(path: str, value: Any = None) -> Change:
    """A change that sets ``spec/template/spec/containers/0/image``; without a value it takes it out."""
    *steps, last = path.split("/")

    def change(obj: dict[str, Any]) -> None:
        owner: Any = obj
        for step in steps:
            owner = owner[int(step)] if isinstance(owner, list) else owner.setdefault(step, {})
        if value is None:
            owner.pop(int(last) if isinstance(owner, list) else last, None)
        elif isinstance(owner, list):
            owner[int(last)] = value
        else:
            owner[last] = value

    return change


def together(*changes: Change) -> Change:
    """One change after the other."""

    def change(obj: dict[str, Any]) -> None:
        for each in changes:
            each(obj)

    return change


CONTAINER: dict[str, Any] = {"name": "main", "image": "registry.example/main:1"}


def template(**spec: Any) -> dict[str, Any]:
    """A pod template with the labels ``app: a``."""
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [CONTAINER], **spec}}


SELECTOR: dict[str, Any] = {"matchLabels": {"app": "a"}}
