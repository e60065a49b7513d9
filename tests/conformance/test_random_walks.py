"""Random sequences of writes to both servers: every answer, managedFields included, and the watch events are equal.

Hypothesis chooses kinds, names, fields, patch types and field managers, and shrinks what differs to the few
requests that show it. Masked are uids, times, resourceVersions and cluster IPs, nothing else (tests/support/both.py).
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest
from both import Both, Side
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from manifests import crd

GROUP = "walks.dynkube.dev"
NAMES = st.sampled_from(["a", "b"])
MANAGERS = st.sampled_from(["one", "two"])
WORDS = st.sampled_from(["", "x", "y", "a-b"])
KEYS = st.sampled_from(["k", "l", "m.n"])
MAPS = st.dictionaries(KEYS, WORDS, max_size=3)
NUMBERS = st.integers(0, 3)

PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Crate": f"/apis/{GROUP}/v1/namespaces/{{}}/crates",
}
VERSIONS = {"Deployment": "apps/v1", "Crate": f"{GROUP}/v1"}
HAS_STATUS = ("Service", "Pod", "Deployment", "Crate")
_numbers = itertools.count(1)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A dict with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def unique_by(key: str, items: st.SearchStrategy[Any], **sizes: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, unique_by=lambda item: item[key], **sizes)


ENV = unique_by("name", st.fixed_dictionaries({"name": st.sampled_from(["A", "B"]), "value": WORDS}), max_size=2)
PORTS = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.sampled_from([80, 81])}, optional={"protocol": st.sampled_from(["TCP", "UDP"])}
    ),
    max_size=2,
)
CONTAINERS = unique_by(
    "name",
    st.fixed_dictionaries(
        {"name": st.sampled_from(["main", "side"]), "image": st.sampled_from(["i:1", "i:2", "i"])},
        optional={
            "env": ENV,
            "ports": PORTS,
            "args": st.lists(WORDS, max_size=2),
            "resources": st.sampled_from([{}, {"limits": {"cpu": "0.5", "memory": "1Gi"}}, {"requests": {"cpu": 1}}]),
            "imagePullPolicy": st.sampled_from(["Always", "Never"]),
        },
    ),
    max_size=2,
)
POD_SPECS = some(
    containers=CONTAINERS,
    restartPolicy=st.sampled_from(["Always", "Never"]),
    terminationGracePeriodSeconds=st.sampled_from([0, 5, 30]),
    nodeSelector=MAPS,
    tolerations=st.sampled_from([[], [{"key": "k", "operator": "Exists"}], [{"operator": "Exists"}]]),
    hostname=st.sampled_from(["", "h"]),
    activeDeadlineSeconds=st.sampled_from([1, 100]),
)
SELECTED = {"app": "walk"}
FIELDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "ConfigMap": some(data=MAPS, binaryData=st.sampled_from([{}, {"b": "AAA="}]), immutable=st.booleans()),
    "Secret": some(
        data=st.sampled_from([{}, {"d": "YQ=="}, {"d": "Yg==", "e": ""}]),
        stringData=MAPS,
        type=st.sampled_from(["Opaque", "example.com/own"]),
    ),
    "Service": st.fixed_dictionaries(
        {},
        optional={
            "spec": some(
                ports=unique_by(
                    "port",
                    st.fixed_dictionaries(
                        {"port": st.sampled_from([80, 443])},
                        optional={
                            "name": st.sampled_from(["p", "q"]),
                            "targetPort": st.sampled_from([8080, "web"]),
                            "protocol": st.sampled_from(["TCP", "UDP"]),
                        },
                    ),
                    max_size=2,
                ),
                selector=MAPS,
                sessionAffinity=st.sampled_from(["None", "ClientIP"]),
                publishNotReadyAddresses=st.booleans(),
                externalIPs=st.sampled_from([[], ["198.51.100.1"]]),
            )
        },
    ),
    "Pod": st.fixed_dictionaries({}, optional={"spec": POD_SPECS}),
    "Deployment": st.fixed_dictionaries(
        {},
        optional={
            "spec": some(
                replicas=NUMBERS,
                paused=st.booleans(),
                minReadySeconds=NUMBERS,
                revisionHistoryLimit=NUMBERS,
                strategy=st.sampled_from(
                    [{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "30%"}}]
                ),
                selector=st.just({"matchLabels": SELECTED}),
                template=some(
                    metadata=st.just({"labels": SELECTED}),
                    spec=some(containers=CONTAINERS, nodeSelector=MAPS),
                ),
            )
        },
    ),
    "Crate": st.fixed_dictionaries(
        {},
        optional={
            "spec": some(
                parts=unique_by(
                    "name",
                    st.fixed_dictionaries({"name": KEYS}, optional={"size": NUMBERS, "labels": MAPS}),
                    max_size=3,
                ),
                marks=st.lists(WORDS, unique=True, max_size=3),
                order=st.lists(NUMBERS, max_size=3),
                owner=st.dictionaries(KEYS, WORDS, max_size=2),
                where=some(dock=NUMBERS, slot=WORDS),
                port=st.one_of(NUMBERS, WORDS),
                unknown=WORDS,
            ),
            "status": some(weight=NUMBERS),
        },
    ),
}
STATUSES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "Service": some(loadBalancer=st.sampled_from([{}, {"ingress": [{"ip": "198.51.100.7"}]}])),
    "Pod": some(phase=st.sampled_from(["Pending", "Running"]), message=WORDS),
    "Deployment": some(replicas=NUMBERS, readyReplicas=st.just(0), observedGeneration=NUMBERS),
    "Crate": some(weight=NUMBERS),
}
METADATA = some(labels=MAPS, annotations=MAPS, finalizers=st.sampled_from([[], ["example.com/wait"]]))
KINDS = st.sampled_from(sorted(PATHS))


def crate_crd() -> dict[str, Any]:
    """Every merge rule that a schema can state."""
    definition = crd("crates", "Crate", group=GROUP)
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "parts": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {
                                "name": {"type": "string"},
                                "size": {"type": "integer", "default": 1},
                                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                            },
                        },
                    },
                    "marks": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                    "order": {"type": "array", "items": {"type": "integer"}},
                    "owner": {
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "additionalProperties": {"type": "string"},
                    },
                    "where": {
                        "type": "object",
                        "properties": {
                            "dock": {"type": "integer", "minimum": 1},
                            "slot": {"type": "string", "default": "none"},
                        },
                    },
                    "port": {"x-kubernetes-int-or-string": True},
                },
            },
            "status": {"type": "object", "properties": {"weight": {"type": "integer"}}},
        },
    }
    for version in definition["spec"]["versions"]:
        version["schema"] = {"openAPIV3Schema": schema}
        version["subresources"] = {"status": {}}
    return definition


def whole(kind: str, name: str, fields: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": VERSIONS.get(kind, "v1"),
        "kind": kind,
        "metadata": {"name": name, **metadata},
        **fields,
    }


def complete(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """What a create of this kind must have, added where it lacks: most creates shall succeed."""
    containers = [{"name": "main", "image": "i:1"}]
    spec = dict(fields.get("spec", {}))
    if kind == "Pod":
        return {**fields, "spec": {**spec, "containers": spec.get("containers") or containers}}
    if kind == "Service":
        ports = [{"name": f"n{index}", **port} for index, port in enumerate(spec.get("ports") or [{"port": 80}])]
        return {**fields, "spec": {**spec, "ports": ports}}
    if kind == "Deployment":
        template = spec.get("template", {})
        pod = template.get("spec", {})
        pod = {**pod, "containers": pod.get("containers") or containers}
        template = {"metadata": {"labels": SELECTED}, "spec": pod}
        return {**fields, "spec": {**spec, "selector": {"matchLabels": SELECTED}, "template": template}}
    return fields


def merged(obj: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` over ``obj``, dicts merged, all else replaced."""
    result = dict(obj)
    for name, value in fields.items():
        before = result.get(name)
        result[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


class Walk(RuleBasedStateMachine):
    """One walk: a namespace of its own on each server."""

    sides: list[Side]

    @initialize()
    def start(self) -> None:
        self.both = Both(self.sides, f"walk-{os.getpid()}-{next(_numbers)}")
        self.kinds: set[str] = set()
        self.began = {}
        for side in self.sides:
            answer = side.raw.request("GET", f"/api/v1/namespaces/{self.both.namespace}/configmaps")
            self.began[side.name] = answer.json()["metadata"]["resourceVersion"]

    def path(self, kind: str, name: str = "") -> str:
        self.kinds.add(kind)
        base = PATHS[kind].format(self.both.namespace)
        return f"{base}/{name}" if name else base

    @rule(
        data=st.data(), kind=KINDS, name=NAMES, metadata=METADATA, is_whole=st.sampled_from([True, True, True, False])
    )
    def create(self, data: Any, kind: str, name: str, metadata: dict[str, Any], is_whole: bool) -> None:
        fields = data.draw(FIELDS[kind])
        self.both.post(self.path(kind), whole(kind, name, complete(kind, fields) if is_whole else fields, metadata))

    @rule(data=st.data(), kind=KINDS, name=NAMES, metadata=METADATA)
    def update(self, data: Any, kind: str, name: str, metadata: dict[str, Any]) -> None:
        change = {**data.draw(FIELDS[kind]), "metadata": metadata}
        answer = self.both.get(self.path(kind, name))
        if answer.status == 200:
            self.both.put(self.path(kind, name), lambda side: merged(side.last.json(), change))

    @rule(data=st.data(), kind=KINDS, name=NAMES, metadata=METADATA, manager=MANAGERS)
    def merge_patch(self, data: Any, kind: str, name: str, metadata: dict[str, Any], manager: str) -> None:
        patch = {**data.draw(FIELDS[kind]), "metadata": metadata}
        if data.draw(st.booleans()):
            patch = merged(patch, data.draw(st.sampled_from([{"data": {"k": None}}, {"metadata": {"labels": None}}])))
        self.both.patch(f"{self.path(kind, name)}?fieldManager={manager}", patch, "merge")

    @rule(data=st.data(), kind=KINDS, name=NAMES, metadata=METADATA)
    def strategic_patch(self, data: Any, kind: str, name: str, metadata: dict[str, Any]) -> None:
        self.both.patch(self.path(kind, name), {**data.draw(FIELDS[kind]), "metadata": metadata}, "strategic")

    @rule(
        kind=KINDS,
        name=NAMES,
        operations=st.lists(
            st.sampled_from(
                [
                    {"op": "add", "path": "/metadata/labels", "value": {"k": "j"}},
                    {"op": "remove", "path": "/metadata/labels/k"},
                    {"op": "test", "path": "/metadata/name", "value": "a"},
                    {"op": "replace", "path": "/spec/replicas", "value": 2},
                    {"op": "add", "path": "/data/k", "value": "x"},
                    {"op": "remove", "path": "/data"},
                    {"op": "copy", "from": "/metadata/labels", "path": "/metadata/annotations"},
                ]
            ),
            max_size=3,
        ),
    )
    def json_patch(self, kind: str, name: str, operations: list[dict[str, Any]]) -> None:
        self.both.patch(self.path(kind, name), operations, "json")

    @rule(
        data=st.data(), kind=KINDS, name=NAMES, metadata=METADATA, manager=MANAGERS, force=st.booleans(),
        is_whole=st.booleans(),
    )  # fmt: skip
    def apply(
        self, data: Any, kind: str, name: str, metadata: dict[str, Any], manager: str, force: bool, is_whole: bool
    ) -> None:
        fields = data.draw(FIELDS[kind])
        body = whole(kind, name, complete(kind, fields) if is_whole else fields, metadata)
        self.both.apply(self.path(kind, name), body, manager, force=force)

    @rule(data=st.data(), kind=st.sampled_from(HAS_STATUS), name=NAMES)
    def set_status(self, data: Any, kind: str, name: str) -> None:
        self.both.patch(f"{self.path(kind, name)}/status", {"status": data.draw(STATUSES[kind])}, "merge")

    @rule(kind=KINDS, name=NAMES, options=st.sampled_from([None, {"gracePeriodSeconds": 0}, {"dryRun": ["All"]}]))
    def delete(self, kind: str, name: str, options: dict[str, Any] | None) -> None:
        self.both.delete(self.path(kind, name), options)

    @rule(kind=KINDS)
    def list(self, kind: str) -> None:
        self.both.get(self.path(kind))

    @precondition(lambda self: self.kinds)
    @rule(kind=KINDS)
    def watch_since_the_start(self, kind: str) -> None:
        self.both.watch(lambda side: f"{self.path(kind)}?resourceVersion={self.began[side.name]}")

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self.both.clean()


@pytest.mark.timeout(600)
@pytest.mark.behaviour("10.3")
def test_the_servers_are_one(both: Both) -> None:
    both.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crate_crd(), compare=False)
    for side in both.sides:
        _wait_until_served(side)
    Walk.sides = list(both.sides)
    steps = int(os.environ.get("DYNKUBE_WALKS", "0")) or (60 if len(both.sides) > 1 else 10)
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=steps,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def _wait_until_served(side: Side) -> None:
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crates.{GROUP}"
    query = f"?watch=true&timeoutSeconds=20&fieldSelector=metadata.name=crates.{GROUP}"
    base = path.rpartition("/")[0]
    for _ in range(20):
        conditions = side.raw.request("GET", path).json().get("status", {}).get("conditions", [])
        if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
            break
        side.raw.request("GET", base + query.replace("20", "1"))
    while side.raw.request("GET", PATHS["Crate"].format("default")).status != 200:
        pass
