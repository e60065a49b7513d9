"""Server-side apply and the managers of fields, as both servers tell of them on the wire.

Every request goes to both servers, and the answers are compared; the asserts say what a case is about.
tests/testing/apiserver/test_fieldmanagement_judged.py does the same for chance's writes, without a wire.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from both import Both, Side
from raw import Answer

GROUP = "apply.conformance.dynkube.dev"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def settled(document: Any) -> Any:
    """What comes in an order of its own, sorted: entries of one operation go by time, managers of conflicts by chance."""
    if isinstance(document, list):
        return [settled(each) for each in document]
    if not isinstance(document, dict):
        return document
    document = {name: settled(each) for name, each in document.items()}
    if isinstance(entries := document.get("managedFields"), list):
        document["managedFields"] = sorted(entries, key=lambda each: json.dumps(each, sort_keys=True))
    if isinstance(causes := document.get("causes"), list):
        document["causes"] = sorted(causes, key=lambda each: json.dumps(each, sort_keys=True))
    return document


class Target:
    """One object that the case writes to, on both servers."""

    def __init__(self, both: Both, plural: str = "configmaps", kind: str = "ConfigMap", version: str = "v1") -> None:
        self.both, self.kind, self.version = both, kind, version
        self.name = both.unique
        root = "api" if version == "v1" else "apis"
        self.collection = f"/{root}/{version}/namespaces/{both.namespace}/{plural}"
        self.path = f"{self.collection}/{self.name}"

    def body(self, config: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {"name": self.name, **config.get("metadata", {})}
        return {"apiVersion": self.version, "kind": self.kind, **config, "metadata": metadata}

    def apply(
        self, config: Mapping[str, Any], manager: str = "ann", *, force: bool = False, under: str = "", query: str = ""
    ) -> Answer:
        path = self.path + under + query
        return self.both.apply(path, self.body(config), manager, force=force, mask=settled)

    def create(self, config: Mapping[str, Any], manager: str = "ann", **options: Any) -> Answer:
        return self.both.post(f"{self.collection}?fieldManager={manager}", self.body(config), mask=settled, **options)

    def merge(self, patch: Mapping[str, Any], manager: str = "ann", *, under: str = "") -> Answer:
        return self.both.patch(f"{self.path}{under}?fieldManager={manager}", patch, mask=settled)

    def edit(self, manager: str, *operations: Mapping[str, Any]) -> Answer:
        return self.both.patch(f"{self.path}?fieldManager={manager}", list(operations), "json", mask=settled)

    def replace(self, change: Mapping[str, Any], manager: str = "ann") -> Answer:
        """PUT what the server has, with these top-level fields changed; metadata is added to."""

        def body(side: Any) -> dict[str, Any]:
            live = json.loads(side.raw.request("GET", self.path).body)
            return {**live, **change, "metadata": {**live["metadata"], **change.get("metadata", {})}}

        return self.both.put(f"{self.path}?fieldManager={manager}", body, mask=settled)

    def get(self, under: str = "") -> Answer:
        return self.both.get(self.path + under, mask=settled)


@pytest.fixture
def config_map(both: Both) -> Target:
    return Target(both)


@pytest.fixture
def deployment(both: Both) -> Target:
    return Target(both, "deployments", "Deployment", "apps/v1")


@pytest.fixture
def service(both: Both) -> Target:
    return Target(both, "services", "Service")


def deployed(*containers: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    """A configuration of a Deployment."""
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": list(containers) or [container()]}}
    return {"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template, **spec}}


def container(name: str = "main", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "registry.example/i:1", **more}


def owned(answer: Answer) -> dict[str, Any]:
    """What each manager owns; an updater is named with a star, a subresource with its name."""
    found = {}
    for entry in answer.json()["metadata"].get("managedFields", ()):
        name = entry.get("manager", "") + ("*" if entry["operation"] == "Update" else "")
        subresource = entry.get("subresource")
        found[f"{name}/{subresource}" if subresource else name] = entry["fieldsV1"]
    return found


def unchanged(both: Both) -> bool:
    """Whether on no server the last write changed what the one before it left."""
    return all(
        json.loads(side.answers[-1].body)["metadata"] == json.loads(side.answers[-2].body)["metadata"]
        for side in both.sides
    )


# ------------------------------------------------------------------ owning and giving up


def test_an_apply_creates_what_is_not_there(config_map: Target) -> None:
    answer = config_map.apply({"metadata": {"labels": {"a": "b"}}, "data": {"x": "1"}})
    assert answer.status == 201
    assert owned(answer) == {"ann": {"f:data": {"f:x": {}}, "f:metadata": {"f:labels": {"f:a": {}}}}}


def test_an_apply_of_the_same_writes_nothing(both: Both, config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    assert config_map.apply({"data": {"x": "1"}}).status == 200
    assert unchanged(both)


def test_two_managers_own_different_fields(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    answer = config_map.apply({"data": {"y": "1"}}, "bob")
    assert owned(answer) == {"ann": {"f:data": {"f:x": {}}}, "bob": {"f:data": {"f:y": {}}}}


def test_a_field_that_is_no_longer_applied_goes(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1", "y": "1"}})
    assert config_map.apply({"data": {"y": "1"}}).json()["data"] == {"y": "1"}


def test_all_that_was_applied_goes_with_an_empty_configuration(config_map: Target) -> None:
    config_map.apply({"metadata": {"labels": {"a": "b"}}, "data": {"x": "1"}})
    answer = config_map.apply({})
    assert "data" not in answer.json()
    assert owned(answer) == {}


def test_a_field_of_two_appliers_stays_when_one_gives_it_up(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    config_map.apply({"data": {"x": "1", "y": "1"}}, "bob")
    answer = config_map.apply({}, "ann")
    assert answer.json()["data"] == {"x": "1", "y": "1"}
    assert owned(answer) == {"bob": {"f:data": {"f:x": {}, "f:y": {}}}}


def test_a_field_stays_that_an_updater_has_taken(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1", "y": "1"}})
    config_map.merge({"data": {"x": "2"}}, "bob")
    answer = config_map.apply({"data": {"y": "1"}})
    assert answer.json()["data"] == {"x": "2", "y": "1"}


def test_what_nobody_owns_stays(config_map: Target) -> None:
    config_map.create({"data": {"x": "1"}})
    config_map.merge({"metadata": {"managedFields": [{}]}})
    config_map.apply({"data": {"y": "1"}}, "bob")
    assert config_map.apply({}, "bob").json()["data"] == {"x": "1"}


def test_a_null_sets_nothing(config_map: Target) -> None:
    config_map.apply({"metadata": {"labels": None}, "data": {"x": "1"}})
    assert config_map.apply({"data": None}, "bob").json()["data"] == {"x": "1"}
    answer = config_map.apply({"metadata": {"labels": {"a": None}}}, "bob")
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [".metadata.labels"]


# ------------------------------------------------------------------ conflicts


def test_a_conflict_names_the_field_and_its_manager(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    answer = config_map.apply({"data": {"x": "2"}}, "bob")
    status = answer.json()
    assert answer.status == 409
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "ann": .data.x'
    assert status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "ann"', "field": ".data.x"}
    ]


def test_several_conflicts_are_grouped_by_manager(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1", "y": "1"}})
    config_map.apply({"data": {"z": "1"}}, "cid")
    answer = config_map.apply({"data": {"x": "2", "y": "2", "z": "2"}}, "bob")
    assert answer.json()["message"] == (
        'Apply failed with 3 conflicts: conflicts with "ann":\n- .data.x\n- .data.y\nconflicts with "cid":\n- .data.z'
    )


def test_a_conflict_with_an_updater_says_its_version(config_map: Target) -> None:
    config_map.create({"data": {"x": "1"}})
    answer = config_map.apply({"data": {"x": "2"}}, "bob")
    assert answer.json()["message"] == 'Apply failed with 1 conflict: conflict with "ann" using v1: .data.x'


def test_a_name_is_quoted_in_a_conflict(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}}, 'say "é"')
    assert config_map.apply({"data": {"x": "2"}}, "bob").status == 409


def test_force_takes_the_fields_over(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1", "y": "1"}})
    answer = config_map.apply({"data": {"x": "2"}}, "bob", force=True)
    assert owned(answer) == {"ann": {"f:data": {"f:y": {}}}, "bob": {"f:data": {"f:x": {}}}}


def test_the_same_value_is_no_conflict(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    assert config_map.apply({"data": {"x": "1"}}, "bob").status == 200


def test_a_conflict_in_a_list_names_the_item(deployment: Target) -> None:
    deployment.apply(deployed(container(ports=[{"containerPort": 80, "name": "web"}])))
    answer = deployment.apply(deployed(container(ports=[{"containerPort": 80, "name": "http"}])), "bob")
    [cause] = answer.json()["details"]["causes"]
    assert cause["field"] == ('.spec.template.spec.containers[name="main"].ports[containerPort=80,protocol="TCP"].name')


def test_a_dry_run_of_a_conflict_and_of_none(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    assert config_map.apply({"data": {"x": "2"}}, "bob", query="?dryRun=All").status == 409
    assert config_map.apply({"data": {"y": "2"}}, "bob", query="?dryRun=All").status == 200
    assert config_map.get().json()["data"] == {"x": "1"}


# ------------------------------------------------------------------ updates are tracked, too


def test_a_create_names_its_manager_by_the_user_agent(both: Both, config_map: Target) -> None:
    agent = {"User-Agent": "my-tool/1.0 (linux)"}
    answer = both.post(config_map.collection, config_map.body({"data": {"x": "1"}}), headers=agent, mask=settled)
    assert owned(answer) == {"my-tool*": {"f:data": {".": {}, "f:x": {}}}}


def test_an_update_takes_fields_without_a_conflict(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1", "y": "1"}})
    answer = config_map.replace({"data": {"x": "2", "y": "1"}}, "bob")
    assert owned(answer) == {"ann": {"f:data": {"f:y": {}}}, "bob*": {"f:data": {"f:x": {}}}}


def test_an_update_that_changes_nothing_owns_nothing(both: Both, config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    assert owned(config_map.replace({}, "bob")) == {"ann": {"f:data": {"f:x": {}}}}
    assert unchanged(both)


def test_what_an_update_removes_has_no_owner(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1", "y": "1"}})
    answer = config_map.merge({"data": {"x": None}}, "bob")
    assert owned(answer) == {"ann": {"f:data": {"f:y": {}}}}


def test_a_manager_may_apply_and_update(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    answer = config_map.merge({"data": {"x": "2", "y": "2"}}, "ann")
    assert owned(answer) == {"ann*": {"f:data": {"f:x": {}, "f:y": {}}}}


def test_every_kind_of_patch_is_tracked(deployment: Target) -> None:
    deployment.create(deployed())
    deployment.merge({"metadata": {"labels": {"a": "1"}}}, "merging")
    deployment.edit("editing", {"op": "add", "path": "/spec/minReadySeconds", "value": 5})
    change = {"spec": {"template": {"spec": {"containers": [container("side")]}}}}
    answer = deployment.both.patch(f"{deployment.path}?fieldManager=strategic", change, "strategic", mask=settled)
    assert {"merging*", "editing*", "strategic*"} < owned(answer).keys()


def test_the_oldest_of_more_than_ten_updaters_become_one(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    for number in range(13):
        answer = config_map.merge({"data": {f"k{number}": "v"}}, f"m{number:02}")
    assert len(owned(answer)) == 11
    assert owned(answer)["ancient-changes*"] == {"f:data": {"f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}}}


# ------------------------------------------------------------------ lists and maps


def test_the_items_of_a_set_have_owners(config_map: Target) -> None:
    config_map.apply({"metadata": {"finalizers": ["a.dev/x", "a.dev/y"]}})
    answer = config_map.apply({"metadata": {"finalizers": ["a.dev/z", "a.dev/x"]}}, "bob")
    assert answer.json()["metadata"]["finalizers"] == ["a.dev/z", "a.dev/x", "a.dev/y"]
    answer = config_map.apply({}, "ann")
    assert answer.json()["metadata"]["finalizers"] == ["a.dev/z", "a.dev/x"]
    config_map.merge({"metadata": {"finalizers": None}})


def test_the_items_of_a_list_are_told_apart_by_key(deployment: Target) -> None:
    deployment.apply(deployed(container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}])))
    more = deployed(container(env=[{"name": "C", "value": "1"}, {"name": "A", "value": "1"}]), container("side"))
    answer = deployment.apply(more, "bob")
    main, side = answer.json()["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in main["env"]] == ["C", "A", "B"]
    assert side["name"] == "side"


def test_an_item_goes_with_its_last_applier(deployment: Target) -> None:
    deployment.apply(deployed(container(env=[{"name": "A", "value": "1"}])))
    deployment.apply(deployed(container(), container("side")), "bob")
    answer = deployment.apply(deployed(container(env=[{"name": "A", "value": "1"}])), "bob")
    assert [each["name"] for each in answer.json()["spec"]["template"]["spec"]["containers"]] == ["main"]


def test_a_key_that_is_left_out_has_its_default(service: Target) -> None:
    service.apply({"spec": {"ports": [{"port": 80}]}})
    answer = service.apply({"spec": {"ports": [{"port": 80, "protocol": "UDP", "name": "u"}]}}, "bob")
    assert answer.status == 422  # now there are two, and the first needs a name
    answer = service.apply({"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]}}, "bob")
    assert owned(answer)["ann"]["f:spec"]["f:ports"] == {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}


def test_an_atomic_list_has_one_owner(deployment: Target) -> None:
    deployment.apply(deployed(container(command=["a", "b"])))
    answer = deployment.apply(deployed(container(command=["a", "c"])), "bob")
    [cause] = answer.json()["details"]["causes"]
    assert cause["field"] == '.spec.template.spec.containers[name="main"].command'


def test_an_atomic_map_has_one_owner(service: Target) -> None:
    service.apply({"spec": {"ports": [{"port": 80}], "selector": {"a": "1"}}})
    answer = service.apply({"spec": {"ports": [{"port": 80}], "selector": {"b": "1"}}}, "bob")
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [".spec.selector"]
    answer = service.apply({"spec": {"ports": [{"port": 80}], "selector": {"b": "1"}}}, "bob", force=True)
    assert answer.json()["spec"]["selector"] == {"b": "1"}


def test_a_list_with_duplicates_is_owned_as_far_as_it_can_be(deployment: Target) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B", "value": "1"}]
    deployment.create(deployed(container(env=env)))
    deployment.edit("bob", {"op": "replace", "path": "/spec/template/spec/containers/0/env/1/value", "value": "3"})
    config = deployed(container(env=[{"name": "A", "value": "1"}]))
    assert deployment.apply(config, "cid").status == 409
    answer = deployment.apply(config, "cid", force=True)
    [main] = answer.json()["spec"]["template"]["spec"]["containers"]
    assert main["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]


def test_an_empty_list_and_an_empty_map(config_map: Target) -> None:
    config_map.apply({"metadata": {"finalizers": [], "labels": {}}, "data": {}})
    answer = config_map.apply({"data": {"x": "1"}}, "bob")
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [".data"]
    assert config_map.apply({"metadata": {"annotations": {}}, "data": {"x": "1"}}, "bob", force=True).status == 200


def test_quantities_are_compared_when_they_are_canonical(both: Both, deployment: Target) -> None:
    config = deployed(container(resources={"limits": {"cpu": "1000m"}}))
    deployment.apply(config)
    deployment.apply(config)
    assert unchanged(both)


def test_a_secret_is_applied_by_strings(both: Both) -> None:
    secret = Target(both, "secrets", "Secret")
    secret.apply({"stringData": {"a": "1"}})
    answer = secret.apply({"stringData": {"a": "2"}})
    assert answer.json()["data"] == {"a": "Mg=="}
    assert secret.apply({"data": {"a": "MQ=="}}, "bob").status in (200, 409)


# ------------------------------------------------------------------ what cannot be applied


@pytest.mark.parametrize(
    "config",
    [
        {"apiVersion": "v2"}, {"apiVersion": "a/b/c"}, {"kind": "Secret"}, {"kind": ""},
        {"metadata": {"managedFields": []}}, {"metadata": {"managedFields": [{}]}},
        {"metadata": {"name": "other"}}, {"metadata": {"namespace": "other"}},
        {"metadata": {"uid": "0f1e2d3c-0000-4000-8000-000000000000"}},
    ],
)  # fmt: skip
def test_what_is_applied_is_something_else(config_map: Target, config: dict[str, Any]) -> None:
    assert config_map.apply(config).status in (400, 409)


@pytest.mark.parametrize(
    "config",
    [
        {"foo": 1}, {"data": {"x": 1}}, {"data": {"x": {"a": [None, 1.5, True]}}}, {"data": ["a"]}, {"data": "a"},
        {"immutable": "yes"}, {"metadata": {"finalizers": ["a/b", "a/b"]}}, {"metadata": {"finalizers": [{"a": 1}]}},
        {"metadata": {"ownerReferences": [None]}}, {"metadata": {"labels": [1]}},
    ],
)  # fmt: skip
def test_what_is_applied_is_not_of_its_type(config_map: Target, config: dict[str, Any]) -> None:
    assert config_map.apply(config).status == 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]},
        {"ports": [{"containerPort": "http"}]},
        {"env": [{"name": "A"}, {"name": "A"}]},
        {"env": ["A"]},
        {"resources": {"limits": {"cpu": ["a", 1, None]}}},
        {"resources": {"limits": {"cpu": True}}},
        {"resources": {"limits": {"cpu": "much"}}},
        {"terminationMessagePath": {}},
    ],
)
def test_a_container_is_not_of_its_type(deployment: Target, wrong: dict[str, Any]) -> None:
    assert deployment.apply(deployed(container(**wrong))).status == 500


@pytest.mark.parametrize("replicas", [1.5, "1", True, [1], 2147483648])
def test_a_number_is_none(deployment: Target, replicas: Any) -> None:
    assert deployment.apply(deployed(replicas=replicas)).status >= 400


@pytest.mark.parametrize("body", [b"", b"a", b"[1]", b"a: b: c", b"\x00", b"{", b"null", b"- a\nb: c"])
def test_a_body_is_no_object(both: Both, config_map: Target, body: bytes) -> None:
    assert both.patch(f"{config_map.path}?fieldManager=ann", body, "apply").status == 400


def test_a_body_in_yaml(both: Both, config_map: Target) -> None:
    text = f"""
        apiVersion: v1
        kind: ConfigMap
        metadata: {{name: {config_map.name}}}
        data:
          1: "1"
          true: |
            two
            lines
    """
    answer = both.patch(f"{config_map.path}?fieldManager=ann", text.encode(), "apply", mask=settled)
    assert answer.json()["data"] == {"1": "1", "true": "two\nlines\n"}


@pytest.mark.parametrize("validation", ["Ignore", "Warn", "Strict"])
def test_a_key_that_comes_twice(both: Both, config_map: Target, validation: str) -> None:
    text = f'{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {config_map.name}}}, data: {{x: "1", x: "2"}}}}'
    path = f"{config_map.path}?fieldManager=ann&fieldValidation={validation}"
    answer = both.patch(path, text.encode(), "apply", mask=settled)
    assert answer.status == (400 if validation == "Strict" else 201)


@pytest.mark.parametrize("manager", ["", "x" * 129, "a\x07b", "é" * 65])
def test_a_manager_that_is_none(both: Both, config_map: Target, manager: str) -> None:
    path = f"{config_map.path}?fieldManager={quote(manager)}"
    assert both.patch(path, config_map.body({}), "apply").status == 422


def test_force_is_for_applying_only(both: Both, config_map: Target) -> None:
    assert both.patch(f"{config_map.path}?force=true", {}, "merge").status == 422


def test_the_options_of_an_apply(both: Both, config_map: Target) -> None:
    for query in ("fieldManager=ann&force=maybe", "fieldManager=ann&dryRun=Some", "fieldManager=ann&fieldValidation=x"):
        both.patch(f"{config_map.path}?{query}", config_map.body({}), "apply", mask=settled)


def test_an_old_resource_version(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    assert config_map.apply({"metadata": {"resourceVersion": "1"}, "data": {"x": "2"}}).status == 409


def test_what_the_server_says_of_an_object_is_not_owned(config_map: Target) -> None:
    config_map.apply({"data": {"x": "1"}})
    meta = {"creationTimestamp": "2020-01-01T00:00:00Z", "generation": 7, "selfLink": "x"}
    assert owned(config_map.apply({"metadata": meta, "data": {"x": "1"}})) == {"ann": {"f:data": {"f:x": {}}}}


def test_a_namespace_that_is_not_there(both: Both) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert both.apply("/api/v1/namespaces/no-such/configmaps/a", body, "ann").status == 404


# ------------------------------------------------------------------ the entries that clients send


@pytest.mark.parametrize("reset", [[], [{}]])
def test_a_client_resets_the_managers(config_map: Target, reset: Any) -> None:
    config_map.apply({"data": {"x": "1"}})
    assert owned(config_map.merge({"metadata": {"managedFields": reset}})) == {}
    assert owned(config_map.merge({"data": {"y": "1"}}, "bob")) == {}  # nobody is tracked until somebody applies
    answer = config_map.apply({"data": {"x": "1"}}, "cid")
    assert owned(answer) == {
        "before-first-apply*": {"f:data": {".": {}, "f:x": {}, "f:y": {}}},
        "cid": {"f:data": {"f:x": {}}},
    }
    assert 'conflict with "before-first-apply"' in config_map.apply({"data": {"x": "2"}}, "cid").json()["message"]


def entry(**changes: Any) -> dict[str, Any]:
    usual = {"manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {**usual, "fieldsV1": {"f:data": {"f:b": {}}}, **changes}


@pytest.mark.parametrize(
    "sent",
    [
        [entry()],
        [entry(operation="Apply", time="2020-01-01T00:00:00+02:00")],
        [entry(apiVersion="v9")],
        [entry(apiVersion="a/b/c")],
        [entry(manager="")],
        [entry(fieldsV1={"f:data": {"f:zz": {}, "q:a": {}, 'k:{"b":1, "a": "x"}': {}, "v:1.0": {}}})],
        [entry(fieldsV1={"data": {}})],
        [entry(fieldsV1={"f:data": "x"})],
        [entry(fieldsV1={})],
        [entry(), entry(fieldsV1={"f:data": {"f:a": {}}})],
        [entry(), {"operation": "Apply"}],
        [entry(fieldsType="FieldsV2")],
        [entry(operation="Delete")],
        [{}, {}],
    ],
)
def test_entries_that_a_client_sends(config_map: Target, sent: Any) -> None:
    config_map.apply({"data": {"a": "1"}})
    config_map.replace({"metadata": {"managedFields": sent}, "data": {"a": "1", "c": "1"}}, "bob")
    config_map.apply({"data": {"a": "1", "b": "2"}})


def test_entries_of_a_create(config_map: Target) -> None:
    sent = [entry(fieldsV1={"f:data": {"f:a": {}, "f:zz": {}}})]
    answer = config_map.create({"metadata": {"managedFields": sent}, "data": {"a": "1"}})
    assert owned(answer)["x*"] == {"f:data": {"f:zz": {}}}


# ------------------------------------------------------------------ subresources and versions


def test_status_is_owned_through_its_subresource(deployment: Target) -> None:
    deployment.apply(deployed())
    deployment.merge({"status": {"replicas": 1, "observedGeneration": 1}}, "controller", under="/status")
    answer = deployment.apply({"status": {"replicas": 2}}, "bob", under="/status")
    assert answer.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "controller" with subresource "status" using apps/v1: '
        ".status.replicas"
    )


def test_status_is_not_owned_through_the_object(deployment: Target) -> None:
    answer = deployment.apply({**deployed(), "status": {"replicas": 2}})
    assert "f:status" not in owned(answer)["ann"]


def test_spec_is_not_owned_through_status(deployment: Target) -> None:
    deployment.apply(deployed())
    answer = deployment.apply({**deployed(replicas=5), "status": {"replicas": 2}}, "bob", under="/status")
    assert owned(answer)["bob/status"] == {"f:status": {"f:replicas": {}}}
    assert answer.json()["spec"]["replicas"] == 1


def test_replicas_move_with_a_scale(deployment: Target) -> None:
    deployment.apply(deployed(replicas=1))
    deployment.merge({"spec": {"replicas": 2}}, "scaler", under="/scale")
    deployment.get("/scale")
    answer = deployment.get()
    assert "f:replicas" not in owned(answer)["ann"]["f:spec"]
    assert owned(answer)["scaler*/scale"] == {"f:spec": {"f:replicas": {}}}
    assert deployment.apply(deployed(replicas=1)).status == 409


def test_a_scale_is_applied(both: Both, deployment: Target) -> None:
    deployment.apply(deployed(replicas=1))
    body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": deployment.name}}
    body["spec"] = {"replicas": 3}
    assert both.apply(f"{deployment.path}/scale", body, "hpa", mask=settled).status == 409
    assert both.apply(f"{deployment.path}/scale", body, "hpa", force=True, mask=settled).status == 200
    assert owned(deployment.get())["hpa/scale"] == {"f:spec": {"f:replicas": {}}}
    assert deployment.apply(deployed()).json()["spec"]["replicas"] == 3


def test_two_versions_of_a_built_in_kind(both: Both) -> None:
    first = Target(both, "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v1")
    second = Target(both, "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2")
    second.path = f"{second.collection}/{first.name}"
    second.name = first.name
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
    spec = {"scaleTargetRef": target, "maxReplicas": 5, "targetCPUUtilizationPercentage": 50}
    first.apply({"spec": spec})
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    metrics = [{"type": "Resource", "resource": metric}]
    answer = second.apply({"spec": {"scaleTargetRef": target, "maxReplicas": 5, "metrics": metrics}}, "bob")
    assert answer.status == 409
    answer = second.apply({"spec": {"scaleTargetRef": target, "maxReplicas": 6, "metrics": metrics}}, "bob", force=True)
    assert owned(answer)["bob"]["f:spec"].keys() == {"f:scaleTargetRef", "f:maxReplicas", "f:metrics"} | (
        {"f:scaleTargetRef"} & owned(answer)["bob"]["f:spec"].keys()
    )
    first.apply({"spec": {"scaleTargetRef": target, "maxReplicas": 6, "minReplicas": 2}})


# ------------------------------------------------------------------ from client-side to server-side apply


def client_side(config_map: Target, text: str | None = None, **data: str) -> None:
    applied = json.dumps(config_map.body({"data": data})) if text is None else text
    config_map.create({"metadata": {"annotations": {LAST_APPLIED: applied}}, "data": data}, "kubectl-client-side-apply")


def test_kubectl_takes_over_what_it_applied_client_side(config_map: Target) -> None:
    client_side(config_map, a="1", b="1", c="1")
    assert config_map.apply({"data": {"a": "2", "b": "1"}}, "other").status == 409
    answer = config_map.apply({"data": {"a": "2", "b": "1"}}, "kubectl")
    assert owned(answer)["kubectl"] == {"f:data": {"f:a": {}, "f:b": {}}}
    assert json.loads(answer.json()["metadata"]["annotations"][LAST_APPLIED])["data"] == {"a": "2", "b": "1"}


def test_kubectl_does_not_take_over_what_changed_since(config_map: Target) -> None:
    client_side(config_map, a="1", c="1")
    config_map.merge({"data": {"c": "9"}}, "ed")
    answer = config_map.apply({"data": {"a": "2", "c": "3"}}, "kubectl")
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [".data.c"]


def test_the_annotation_follows_what_kubectl_applies(both: Both, config_map: Target) -> None:
    client_side(config_map, a="1")
    config = {"metadata": {"annotations": {"z": "<é>"}}, "data": {"a": "1"}}
    config_map.apply(config, "kubectl")
    config_map.apply(config, "kubectl")
    assert unchanged(both)


@pytest.mark.parametrize("text", ["{", "null", "{}", '{"apiVersion":"v1","kind":"Secret"}'])
def test_an_annotation_that_says_nothing(config_map: Target, text: str) -> None:
    client_side(config_map, text, a="1")
    assert config_map.apply({"data": {"a": "2"}}, "kubectl").status == 409


# ------------------------------------------------------------------ custom resources

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
SPEC = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "count": NUMBER,
        "port": {"x-kubernetes-int-or-string": True},
        "entries": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "kind"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": TEXT, "kind": {**TEXT, "default": "plain"}, "value": TEXT},
            },
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
        "whole": {"type": "array", "items": TEXT},
        "block": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": TEXT, "b": TEXT}},
        "nested": {"type": "object", "additionalProperties": {"type": "object", "properties": {"x": TEXT, "y": TEXT}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "template": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
    },
}
STATUS = {"type": "object", "properties": {"phase": TEXT}}
SCHEMA = {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"things.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
        "versions": [
            {"name": name, "served": True, "storage": name == "v1", "schema": SCHEMA, "subresources": {"status": {}}}
            for name in ("v1", "v2")
        ],
    },
}


@pytest.fixture
def thing(both: Both) -> Target:
    for side in both.sides:
        answer = side.raw.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
        assert answer.status in (201, 409), (side.name, answer.body)
        until(side, f"/apis/{GROUP}/v2/things", 200)
    return Target(both, "things", "Thing", f"{GROUP}/v1")


def until(side: Side, path: str, status: int) -> None:
    """Wait for what a CRD brings about: no event tells that a version is served."""
    while side.raw.request("GET", path).status != status:
        time.sleep(0.02)


def in_v2(thing: Target) -> Target:
    plural = thing.collection.rpartition("/")[2]
    other = Target(thing.both, plural, thing.kind, f"{GROUP}/v2")
    other.name = thing.name
    other.path = f"{other.collection}/{thing.name}"
    return other


def test_a_list_map_of_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"entries": [{"name": "a", "value": "1"}, {"name": "a", "kind": "other"}]}})
    answer = thing.apply({"spec": {"entries": [{"name": "b"}, {"name": "a", "kind": "plain", "value": "1"}]}}, "bob")
    names = [(each["name"], each["kind"]) for each in answer.json()["spec"]["entries"]]
    assert names == [("b", "plain"), ("a", "plain"), ("a", "other")]
    answer = thing.apply({"spec": {}})
    assert len(answer.json()["spec"]["entries"]) == 2


def test_a_set_of_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"tags": ["a", "b<c"]}})
    answer = thing.apply({"spec": {"tags": ["d", "a"]}}, "bob")
    assert answer.json()["spec"]["tags"] == ["d", "a", "b<c"]
    assert owned(answer)["ann"] == {"f:spec": {"f:tags": {'v:"a"': {}, 'v:"b\\u003cc"': {}}}}


def test_what_is_atomic_in_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"whole": ["a"], "block": {"a": "1"}}})
    answer = thing.apply({"spec": {"whole": ["a", "b"], "block": {"b": "1"}}}, "bob")
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [".spec.block", ".spec.whole"]


def test_nested_maps_of_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"nested": {"a": {"x": "1"}, "b": {}}}})
    answer = thing.apply({"spec": {"nested": {"a": {"y": "1"}}}}, "bob")
    assert owned(answer)["ann"]["f:spec"]["f:nested"] == {"f:a": {".": {}, "f:x": {}}, "f:b": {}}
    assert thing.apply({"spec": {}}).json()["spec"]["nested"] == {"a": {"y": "1"}}


def test_an_int_or_string_of_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"port": 80}})
    assert thing.apply({"spec": {"port": "80"}}, "bob").status == 409
    assert thing.apply({"spec": {"port": "http"}}).json()["spec"]["port"] == "http"


def test_what_no_schema_describes_in_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"free": {"a": {"b": 1, "c": [1, {"d": 2}]}}}})
    answer = thing.apply({"spec": {"free": {"a": {"e": None}, "f": {}}}}, "bob")
    assert owned(answer)["ann"]["f:spec"]["f:free"] == {"f:a": {".": {}, "f:b": {}, "f:c": {}}}
    assert thing.apply({"spec": {"free": {"a": {"b": True}}}}, "bob").status == 409


def test_an_embedded_object_of_a_custom_resource(thing: Target) -> None:
    template = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "1"}}, "spec": {"b": [1]}}
    thing.apply({"spec": {"template": template}})
    template["metadata"] = {"labels": {"y": "1"}, "finalizers": ["a/b"]}
    assert thing.apply({"spec": {"template": template}}, "bob").status == 200


def test_a_field_that_no_schema_has(thing: Target) -> None:
    assert thing.apply({"spec": {"unknown": 1}}).status == 500
    assert thing.apply({"spec": {"tags": ["a", "a"]}}).status == 500
    assert thing.apply({"spec": {"entries": [{"value": "a"}]}}).status == 422


def test_the_status_of_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"text": "a"}, "status": {"phase": "x"}})
    thing.apply({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "y"}}, "bob", under="/status")
    answer = thing.merge({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "z"}}, "cid", under="/status")
    assert owned(answer)["cid*/status"] == {"f:status": {"f:phase": {}}}
    assert thing.apply({"status": {"phase": "y"}}, "bob", under="/status").status == 409


def test_two_versions_of_a_custom_resource(thing: Target) -> None:
    other = in_v2(thing)
    thing.apply({"spec": {"text": "a", "count": 1}})
    answer = other.apply({"spec": {"text": "b"}}, "bob")
    assert answer.json()["message"] == 'Apply failed with 1 conflict: conflict with "ann": .spec.text'
    other.merge({"spec": {"count": 2}}, "cid")
    answer = other.apply({"spec": {"text": "a"}}, "ann")
    assert [each["apiVersion"] for each in answer.json()["metadata"]["managedFields"]] == [f"{GROUP}/v2"] * 2


def test_a_version_that_is_no_longer_served_has_its_managers(both: Both) -> None:
    crd = json.loads(json.dumps(CRD).replace("thing", "former").replace("Thing", "Former"))
    definition = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/formers.{GROUP}"
    former = Target(both, "formers", "Former", f"{GROUP}/v1")
    for side in both.sides:
        answer = side.raw.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        assert answer.status == 201, (side.name, answer.body)
        until(side, f"/apis/{GROUP}/v2/formers", 200)
    in_v2(former).apply({"spec": {"text": "a"}}, "bob")
    for side in both.sides:
        end = [{"op": "replace", "path": "/spec/versions/1/served", "value": False}]
        media_type = {"Content-Type": "application/json-patch+json"}
        side.raw.request("PATCH", definition, json.dumps(end).encode(), headers=media_type)
        until(side, f"/apis/{GROUP}/v2/formers", 404)
    assert former.apply({"spec": {"text": "b"}}).status == 409
    assert "bob" in owned(former.merge({"spec": {"count": 1}}, "cid"))
    both.delete(definition, compare=False)


def test_a_version_that_a_custom_resource_does_not_have(thing: Target) -> None:
    thing.apply({"spec": {"text": "a", "count": 1}})
    sent = [entry(apiVersion=f"{GROUP}/v9", fieldsV1={"f:spec": {"f:text": {}}})]
    assert owned(thing.merge({"metadata": {"managedFields": sent}, "spec": {"count": 2}}, "bob")) == {}


def test_an_empty_list_of_entries_resets_nothing_of_a_custom_resource(thing: Target) -> None:
    thing.apply({"spec": {"text": "a"}})
    assert owned(thing.merge({"metadata": {"managedFields": []}}))["ann"]
    assert owned(thing.merge({"metadata": {"managedFields": [{}]}})) == {}


def test_a_number_stays_what_it_is(thing: Target) -> None:
    thing.apply({"spec": {"free": {"a": 1, "b": 1.0, "c": 1.5, "d": 9007199254740993, "e": True}}})
    assert thing.apply({"spec": {"free": {"a": 1.0, "e": True}}}, "bob").status == 200


# ------------------------------------------------------------------ cluster-scoped kinds


def test_a_namespace_is_applied(both: Both) -> None:
    name = both.unique
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"a": "b"}}}
    answer = both.apply(f"/api/v1/namespaces/{name}", body, "ann", mask=settled)
    assert answer.status == 201
    assert owned(answer) == {"ann": {"f:metadata": {"f:labels": {"f:a": {}}}}}
    both.delete(f"/api/v1/namespaces/{name}", compare=False)
