"""What a real kube-apiserver makes of objects of built-in kinds, recorded: tests/testing/apiserver/kinds.jsonl.

A line is one of three: ``create`` (a manifest and the answer to it), ``base`` (a manifest that is really created), or
``change`` (what is changed of the base before it, at which subresource, and the answer to the PUT). All but the bases
are dry runs. ``tests/recording/kinds.py`` writes the answers anew.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from both import masked
from raw import Answer, RawClient

from dynkube.testing.apiserver import recorded

FILE = Path(__file__).parents[1] / "testing/apiserver/kinds.jsonl"
NAMESPACE = "kinds"

_UNSAID = ("uid", "creationTimestamp", "resourceVersion", "managedFields", "namespace")
_SERVICE_IP = re.compile(r"10\.0\.0\.(?!(?:4|77|78)\b)\d+")
_NODE_PORT = re.compile(r'("(?:nodePort|healthCheckNodePort)": )(\d+)')
_CHOSEN_PORTS = {30001, 31000, 31005, 31010, 32769}


class Group(NamedTuple):
    """Cases that are played together: creates of one kind, or changes of one object."""

    name: str
    base: dict[str, Any] | None
    cases: list[dict[str, Any]]


def groups() -> list[Group]:
    """All that is recorded."""
    found: list[Group] = []
    for line in FILE.read_text().splitlines():
        case = json.loads(line)
        if "base" in case:
            found.append(Group(f"{case['base']['kind']} {len(found)}", case["base"], []))
            continue
        if "create" in case:
            name = f"new {case['create']['kind']}"
            if not found or found[-1].name != name:
                found.append(Group(name, None, []))
        found[-1].cases.append(case)
    return found


class Player:
    """Sends cases to one server."""

    def __init__(self, raw: RawClient) -> None:
        self.raw = raw
        self._paths = {
            (each.gvr.group_version.api_version, each.kind): each for each in recorded.resources() if each.list_kind
        }
        raw.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})

    def path(self, manifest: dict[str, Any]) -> str:
        """Of the collection that a manifest belongs to."""
        about = self._paths[manifest["apiVersion"], manifest["kind"]]
        gvr = about.gvr
        root = f"/apis/{gvr.group}/{gvr.version}" if gvr.group else f"/api/{gvr.version}"
        return f"{root}/namespaces/{NAMESPACE}/{gvr.resource}" if about.namespaced else f"{root}/{gvr.resource}"

    def play(self, group: Group) -> Iterator[dict[str, Any]]:
        """The answers of a group, one by one, as they are recorded."""
        if group.base is None:
            for case in group.cases:
                sent = case["create"]
                yield summary(self.raw.request("POST", f"{self.path(sent)}?dryRun=All", sent), sent)
            return
        live = self.make(group.base)
        path = f"{self.path(group.base)}/{group.base['metadata']['name']}"
        for case in group.cases:
            sent = changed(live, case["change"])
            below = f"/{case['at']}" if "at" in case else ""
            yield summary(self.raw.request("PUT", f"{path}{below}?dryRun=All", sent), sent)
        self.remove(group.base)

    def make(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create an object anew."""
        while True:
            self.remove(manifest)
            answer = self.raw.request("POST", self.path(manifest), manifest)
            assert answer.status == 201, answer.body
            made: dict[str, Any] = answer.json()
            made["metadata"].pop("managedFields", None)
            # A service may be given by chance a port that some case asks for.
            if not _ports(made) & _CHOSEN_PORTS - _ports(manifest):
                return made

    def remove(self, manifest: dict[str, Any]) -> None:
        """Delete an object, whatever holds it."""
        path = f"{self.path(manifest)}/{manifest['metadata']['name']}"
        merge = {"Content-Type": "application/merge-patch+json"}
        self.raw.request("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
        self.raw.request("PATCH", path, {"metadata": {"finalizers": None}}, headers=merge)


def changed(obj: dict[str, Any], change: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """A copy with each path set to its value, or, where there is none, taken out."""
    new = copy.deepcopy(obj)
    for path, *value in change:
        *steps, last = path.split("/")
        owner: Any = new
        for step in steps:
            owner = owner[int(step)] if isinstance(owner, list) else owner.setdefault(step, {})
        if isinstance(owner, list):
            owner[int(last) : int(last) + 1] = copy.deepcopy(value)
        elif value:
            owner[last] = copy.deepcopy(value[0])
        else:
            owner.pop(last, None)
    return new


# ------------------------------------------------------------------ what is recorded of an answer


def summary(answer: Answer, sent: dict[str, Any]) -> dict[str, Any]:
    """An answer, without what differs from server to server: what became of the object, or why nothing did."""
    found: dict[str, Any] = {}
    body = _ungenerated(answer.json(), sent)
    if answer.status < 300:
        found["becomes"] = difference(_plain(sent), _plain(body))
    elif answer.status == 422:
        causes = body.get("details", {}).get("causes") or ()
        found["refused"] = _steady([[cause.get("field", ""), cause.get("message", "")] for cause in causes])
    else:
        found["status"], found["message"] = answer.status, _steady(body.get("message"))
    warnings = answer.headers.get_all("Warning") or []
    if warnings:
        found["warnings"] = [each.removeprefix('299 - "').removesuffix('"') for each in warnings]
    return found


def _ungenerated(body: Any, sent: dict[str, Any]) -> Any:
    prefix = sent["metadata"].get("generateName")
    return json.loads(re.sub(f"{re.escape(prefix)}[a-z0-9]{{5}}", "<name>", json.dumps(body))) if prefix else body


def _plain(obj: dict[str, Any]) -> Any:
    obj = copy.deepcopy(obj)
    metadata = obj.setdefault("metadata", {})
    for name in _UNSAID:
        metadata.pop(name, None)
    return _steady(obj)


def _steady(value: Any) -> Any:
    text = json.dumps(masked(value), ensure_ascii=False)
    text = _SERVICE_IP.sub("<ip>", text)
    return json.loads(_NODE_PORT.sub(_without_chance, text))


def _ports(obj: dict[str, Any]) -> set[int]:
    return {int(match[2]) for match in _NODE_PORT.finditer(json.dumps(obj))}


def _without_chance(match: re.Match[str]) -> str:
    port = int(match[2])
    return match[0] if port < 30086 or port in _CHOSEN_PORTS else f"{match[1]}1"


def difference(old: Any, new: Any) -> Any:
    """The merge patch that makes one of the other, but that what is null is said so."""
    found: dict[str, Any] = {}
    for name in [*old, *(each for each in new if each not in old)]:
        if name not in new:
            found[name] = "<gone>"
        elif name not in old:
            found[name] = new[name]
        elif isinstance(old[name], dict) and isinstance(new[name], dict):
            below = difference(old[name], new[name])
            if below:
                found[name] = below
        elif old[name] != new[name]:
            found[name] = new[name]
    return found
