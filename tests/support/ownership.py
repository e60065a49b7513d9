"""Field management judged by a real API server: the same writes, done there and foretold here.

A `Judged` object lives on the server. Each write goes there, and the embedded server's field management is
asked, from what was stored before, what must come of it: who owns what, in which order fieldsV1 says it, what
the object is, which conflicts there are.
"""

from __future__ import annotations

import copy
import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from raw import Answer, RawClient

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver import fieldmanagement, recorded
from dynkube.testing.apiserver.fieldmanagement import Version
from dynkube.testing.apiserver.words.schemas import Definitions
from dynkube.testing.apiserver.words.statuses import StatusError

NOW = "2026-01-31T12:00:00Z"
GROUP = "ownership.dynkube.dev"
EMPTY = {
    "v1/ConfigMap": {"metadata": {}},
    "v1/Secret": {"metadata": {}},
    "v1/Service": {"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}},
    "v1/Pod": {"metadata": {}, "spec": {"containers": None}, "status": {}},
    "apps/v1/Deployment": {
        "metadata": {},
        "spec": {
            "selector": None,
            "template": {"metadata": {}, "spec": {"containers": None}},
            "strategy": {},
        },
        "status": {},
    },
    "autoscaling/v1/HorizontalPodAutoscaler": {
        "metadata": {},
        "spec": {"scaleTargetRef": {"kind": "", "name": ""}, "maxReplicas": 0},
        "status": {"currentReplicas": 0, "desiredReplicas": 0},
    },
}
"""What Go's zero values are as JSON."""


@functools.cache
def builtin(api_version: str, kind: str) -> Version:
    """A version of a built-in kind."""
    of = GroupVersion.parse(api_version)
    schema = recorded.definitions(of.group, of.version).find_kind(of.group, of.version, kind)
    return Version(
        api_version=api_version,
        kind=kind,
        load_schema=lambda: schema,
        convert=lambda obj: {**obj, "apiVersion": api_version},
        empty={"apiVersion": api_version, "kind": kind, **EMPTY[f"{api_version}/{kind}"]},
    )


def custom(api_version: str, kind: str, schema: Mapping[str, Any]) -> Version:
    """A version of a custom kind, with the metadata that all have."""
    return Version(
        api_version=api_version,
        kind=kind,
        load_schema=functools.cache(lambda: _document(schema).find("custom")),
        convert=lambda obj: {**obj, "apiVersion": api_version},
        empty={"apiVersion": api_version, "kind": kind},
        is_custom=True,
    )


def _document(schema: Mapping[str, Any]) -> Definitions:
    text = {"type": "string"}
    meta = {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    properties = {**schema["properties"], "apiVersion": text, "kind": text, "metadata": meta}
    core = json.loads(recorded.openapi_v3("api/v1"))["components"]["schemas"]
    return Definitions({"components": {"schemas": {**core, "custom": {**schema, "properties": properties}}}})


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
THING = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": TEXT,
                "count": NUMBER,
                "price": {"type": "number"},
                "flag": {"type": "boolean"},
                "port": {"x-kubernetes-int-or-string": True},
                "maybe": {"type": "string", "nullable": True},
                "entries": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name", "kind"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": TEXT,
                            "kind": {"type": "string", "default": "plain"},
                            "value": {"x-kubernetes-int-or-string": True},
                            "sub": {"type": "object", "properties": {"a": TEXT, "b": NUMBER}},
                            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
                        },
                    },
                },
                "byNumber": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["id"],
                    "items": {"type": "object", "required": ["id"], "properties": {"id": NUMBER, "text": TEXT}},
                },
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
                "numbers": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "number"}},
                "whole": {"type": "array", "items": {"type": "object", "properties": {"a": TEXT, "b": NUMBER}}},
                "block": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "properties": {"a": TEXT, "b": {"type": "object", "properties": {"c": NUMBER}}},
                },
                "labels": {"type": "object", "additionalProperties": TEXT},
                "blockLabels": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "additionalProperties": TEXT,
                },
                "nested": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"x": TEXT, "y": {"type": "object", "additionalProperties": NUMBER}},
                    },
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "half": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "properties": {"known": TEXT, "list": {"type": "array", "items": NUMBER}},
                },
                "any": {"x-kubernetes-preserve-unknown-fields": True},
            },
        },
        "status": {
            "type": "object",
            "properties": {
                "phase": TEXT,
                "conditions": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["type"],
                    "items": {"type": "object", "required": ["type"], "properties": {"type": TEXT, "status": TEXT}},
                },
            },
        },
    },
}
"""A kind with all that field management tells apart."""


def other_version(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same kind, with some lists and maps merged in another way."""
    changed = copy.deepcopy(dict(schema))
    spec = changed["properties"]["spec"]["properties"]
    del spec["tags"]["x-kubernetes-list-type"]
    spec["labels"]["x-kubernetes-map-type"] = "atomic"
    del spec["block"]["x-kubernetes-map-type"]
    return changed


def things_crd(plural: str = "things", kind: str = "Thing") -> dict[str, Any]:
    """The CRD of the kind, in two versions."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": name,
                    "served": True,
                    "storage": name == "v1",
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
                for name, schema in (("v1", THING), ("v2", other_version(THING)))
            ],
        },
    }


ADDED_LATER = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}
"""Of a Service: what the server fills in after field management, where it is not said."""


class Judged:
    """One object on a real server, and what is foretold of each write to it."""

    def __init__(
        self,
        raw: RawClient,
        collection: str,
        name: str,
        versions: Mapping[str, Version],
        *,
        status_resets: Sequence[tuple[str, ...]] = (("spec",),),
    ) -> None:
        self.raw = raw
        self.collection = collection
        self.name = name
        self.versions = versions
        self.live: dict[str, Any] | None = None
        self.status_resets = status_resets
        self.has_status = bool(status_resets)

    # ------------------------------------------------------------------ writes

    def apply(
        self,
        config: Mapping[str, Any],
        manager: str,
        *,
        force: bool = False,
        subresource: str = "",
        api_version: str | None = None,
        refused: bool = False,
    ) -> Answer:
        """Apply a configuration; apiVersion, kind and name are added. ``refused``: field management must say why not."""
        version = self._version(api_version)
        metadata = {**config.get("metadata", {}), "name": self.name}
        body = {"apiVersion": version.api_version, "kind": version.kind, **config, "metadata": metadata}
        query = {"fieldManager": manager, "force": str(force).lower()}
        answer = self._send("PATCH", version, subresource, query, body, "application/apply-patch+yaml")
        if answer.status in (400, 422) and not refused:  # the object is refused, after field management
            return answer
        try:
            foretold = fieldmanagement.apply(
                self.live, body, manager=manager, force=force, **self._options(version, subresource, answer)
            )
        except StatusError as error:
            _same(_status(answer.json()), _status(error.status))
            return answer
        assert answer.status in (200, 201), answer.body
        self._check(answer, foretold, version, subresource)
        return answer

    def replace(
        self,
        change: Mapping[str, Any],
        manager: str,
        *,
        subresource: str = "",
        api_version: str | None = None,
        managed_fields: Any = ...,
    ) -> Answer:
        """PUT the object with these top-level fields instead of its own; a create, if it is not there."""
        version = self._version(api_version)
        if self.live is None:
            body = {"apiVersion": version.api_version, "kind": version.kind, **change}
            body["metadata"] = {**change.get("metadata", {}), "name": self.name}
        else:
            metadata = {**self.live["metadata"], **change.get("metadata", {})}
            body = {**self.live, "apiVersion": version.api_version, **change, "metadata": metadata}
        if managed_fields is not ...:
            body["metadata"]["managedFields"] = managed_fields
        method = "PUT" if self.live else "POST"
        answer = self._send(method, version, subresource, {"fieldManager": manager}, body)
        return self._judge_update(answer, manager, version, subresource, body)

    def merge(self, patch: Mapping[str, Any], manager: str, *, subresource: str = "") -> Answer:
        """A merge patch."""
        version = self._version(None)
        media_type = "application/merge-patch+json"
        answer = self._send("PATCH", version, subresource, {"fieldManager": manager}, patch, media_type)
        sent = {**self.live, "metadata": {**self.live["metadata"], **patch.get("metadata", {})}}
        return self._judge_update(answer, manager, version, subresource, sent)

    def edit(self, manager: str, *operations: Mapping[str, Any]) -> Answer:
        """A JSON Patch, not of metadata."""
        version = self._version(None)
        media_type = "application/json-patch+json"
        answer = self._send("PATCH", version, "", {"fieldManager": manager}, operations, media_type)
        return self._judge_update(answer, manager, version, "", self.live)

    # ------------------------------------------------------------------ the judgement

    def _version(self, api_version: str | None) -> Version:
        return self.versions[api_version] if api_version else next(iter(self.versions.values()))

    def _options(self, version: Version, subresource: str, answer: Answer) -> dict[str, Any]:
        resets: Sequence[tuple[str, ...]] = ()
        if self.has_status:
            resets = self.status_resets if subresource else (("status",),)
        return {
            "version": version,
            "versions": self.versions.get,
            "now": _last_time(answer.json()),
            "subresource": subresource,
            "reset_fields": resets,
        }

    def _send(
        self,
        method: str,
        version: Version,
        subresource: str,
        query: Mapping[str, str],
        body: Any,
        media_type: str = "application/json",
    ) -> Answer:
        path = self._path(version) + ("" if method == "POST" else f"/{self.name}")
        where = f"{path}/{subresource}" if subresource else path
        return self.raw.request(
            method, f"{where}?{urlencode(query)}", json.dumps(body).encode(), headers={"Content-Type": media_type}
        )

    def _path(self, version: Version) -> str:
        return self.collection.replace("VERSION", version.api_version)

    def _judge_update(
        self, answer: Answer, manager: str, version: Version, subresource: str, sent: Mapping[str, Any]
    ) -> Answer:
        """``sent``: the object that the client sent, or that its patch was made for."""
        if answer.status in (400, 422):
            return answer
        assert answer.status in (200, 201), answer.body
        new = answer.json()
        new["metadata"]["managedFields"] = sent["metadata"].get("managedFields")
        if new["metadata"]["managedFields"] is None:
            del new["metadata"]["managedFields"]
        if new["kind"] == "Service":
            for name in ADDED_LATER - sent["spec"].keys():
                new["spec"].pop(name, None)
        foretold = fieldmanagement.update(
            self.live, new, manager=manager, **self._options(version, subresource, answer)
        )
        self._check(answer, foretold, version, subresource)
        return answer

    def _check(self, answer: Answer, foretold: Mapping[str, Any], version: Version, subresource: str) -> None:
        stored, before = answer.json(), self.live
        is_written = before is None or before["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"]
        _same(*(entries(each, version) for each in (stored, foretold)))
        # An apply that turns out to change nothing when it is normalized keeps the times that it had.
        if is_written:
            _same_times(stored, foretold)
        self.live = stored
        if not subresource:
            self._check_object(foretold, version, is_new=before is None)

    def _check_object(self, foretold: Mapping[str, Any], version: Version, *, is_new: bool) -> None:
        """What was foretold becomes what is stored, when the server defaults and validates it."""
        obj = json.loads(json.dumps(foretold))
        path = self._path(version)
        if is_new:
            obj["metadata"]["name"] += "-dry"
            obj["metadata"].pop("resourceVersion", None)
            obj["metadata"].pop("uid", None)
            answer = self.raw.request("POST", f"{path}?dryRun=All", obj)
        else:
            obj["metadata"]["resourceVersion"] = self.live["metadata"]["resourceVersion"]
            answer = self.raw.request("PUT", f"{path}/{self.name}?dryRun=All", obj)
        assert answer.status in (200, 201), answer.body
        _same(_content(self.live, is_new=is_new), _content(answer.json(), is_new=is_new))


def _last_time(stored: Mapping[str, Any]) -> str:
    """When a write happened, by the clock of the server: updaters are joined by their age."""
    return max((each.get("time", NOW) for each in stored["metadata"].get("managedFields", ())), default=NOW)


def entries(obj: Mapping[str, Any], version: Version) -> list[Any]:
    """The managedFields of an object, in order, without times; fieldsV1 as text where its order shows."""
    return [
        {
            **{name: value for name, value in entry.items() if name != "time"},
            "fieldsV1": json.dumps(entry["fieldsV1"], sort_keys=version.is_custom),
        }
        for entry in obj["metadata"].get("managedFields", ())
    ]


def _same_times(stored: Mapping[str, Any], foretold: Mapping[str, Any]) -> None:
    """The times that managers wrote, but for the seconds that the request itself may have taken."""
    for real, ours in zip(*(each["metadata"].get("managedFields", ()) for each in (stored, foretold)), strict=True):
        assert ("time" in real) == ("time" in ours), (real, ours)
        if "time" in real:
            seconds = [datetime.fromisoformat(each["time"]).timestamp() for each in (real, ours)]
            assert abs(seconds[0] - seconds[1]) <= _SLACK, (real, ours)


def _same(real: Any, foretold: Any) -> None:
    if real != foretold:
        texts = [json.dumps(each, indent=1, sort_keys=True).splitlines() for each in (real, foretold)]
        raise AssertionError("\n".join(difflib.unified_diff(*texts, "real", "foretold", lineterm="", n=5)))


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal, with what comes in any order sorted."""
    shown = copy.deepcopy(dict(status))
    if "conflict" in shown["message"]:
        causes = shown["details"]["causes"]
        shown["details"]["causes"] = sorted(causes, key=lambda each: (each["message"], each["field"]))
    if "errors:" in shown["message"]:
        shown["message"] = sorted(shown["message"].splitlines())
    return shown


_SLACK = 2.0
_OWN_OF_EACH = ("uid", "creationTimestamp", "managedFields", "resourceVersion", "generation")


def _content(obj: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _OWN_OF_EACH}
    metadata["name"] = metadata["name"].removesuffix("-dry")
    shown = json.loads(json.dumps({**obj, "metadata": metadata}))
    if is_new and obj["kind"] == "Service":
        for name in ("clusterIP", "clusterIPs"):
            shown["spec"].pop(name, None)
        for port in shown["spec"].get("ports", ()):
            port.pop("nodePort", None)
    return shown
