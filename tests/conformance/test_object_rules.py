"""What every object obeys, of whatever kind: metadata, names, versions of an object, namespaces, dry runs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from both import Both, Side
from manifests import crd

NAMESPACES = "/api/v1/namespaces"
# The letters that a generated name ends with.
_GENERATED = re.compile(r'[bcdfghjklmnpqrstvwxz2456789]{5}(?=\\*")')

LONG = "x" * 254
BAD_NAMES = ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a b", "ü", LONG, "a/b", "%", "."]
WIDGETS = "/apis/rules.dynkube.dev/v1/namespaces/{}/gadgets"


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def gadget(name: str, **metadata: Any) -> dict[str, Any]:
    body = {"apiVersion": "rules.dynkube.dev/v1", "kind": "Gadget", "metadata": {"name": name, **metadata}}
    return body | {"spec": {"size": 1}}


def ungenerated(document: Any) -> Any:
    return json.loads(_GENERATED.sub("<5>", json.dumps(document)))


@pytest.fixture
def path(both: Both) -> str:
    return f"{NAMESPACES}/{both.namespace}/configmaps"


@pytest.fixture
def gadgets(both: Both) -> str:
    """The path of a custom resource with status apart."""
    name = "gadgets.rules.dynkube.dev"
    body = crd("gadgets", "Gadget")
    body["metadata"]["name"], body["spec"]["group"] = name, "rules.dynkube.dev"
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    both.post(crds, body, compare=False)
    path = WIDGETS.format(both.namespace)
    for side in both.sides:
        for _ in range(200):
            if side.raw.request("GET", path).status == 200:
                break
    return path


def current(side: Side, path: str) -> dict[str, Any]:
    return side.raw.request("GET", path).json()


class TestMetadata:
    def test_what_the_server_says_of_a_new_object(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"))
        both.get(f"{path}/a")

    def test_what_a_client_may_not_say_of_one(self, both: Both, path: str) -> None:
        both.post(path, config_map(
            "a", uid="mine", creationTimestamp="2000-01-01T00:00:00Z", deletionTimestamp="2000-01-01T00:00:00Z",
            deletionGracePeriodSeconds=5, generation=7, selfLink="/a",
        ))  # fmt: skip

    @pytest.mark.parametrize("version", ["1", "0", "x", "-1", "99999999999999999999"])
    def test_a_new_object_has_no_version(self, both: Both, path: str, version: str) -> None:
        both.post(path, config_map("a", resourceVersion=version))

    def test_a_custom_object_has_a_generation(self, both: Both, gadgets: str) -> None:
        both.post(gadgets, gadget("a", generation=7))
        both.patch(f"{gadgets}/a", {"metadata": {"labels": {"a": "b"}}})
        both.patch(f"{gadgets}/a", {"spec": {"size": 2}})
        both.patch(f"{gadgets}/a", {"status": {"ready": True}})
        both.patch(
            f"{gadgets}/a/status", {"status": {"ready": True}, "spec": {"size": 9}, "metadata": {"labels": None}}
        )
        both.get(f"{gadgets}/a")

    @pytest.mark.parametrize(
        "change",
        [
            {"uid": "other"},
            {"creationTimestamp": "2000-01-01T00:00:00Z"},
            {"creationTimestamp": None},
            {"deletionTimestamp": "2000-01-01T00:00:00Z"},
            {"deletionGracePeriodSeconds": 3},
            {"generation": 9},
            {"generateName": "other-"},
            {"selfLink": "/x"},
            {"name": "other"},
            {"name": None},
            {"namespace": "other"},
            {"namespace": None},
        ],
        ids=lambda change: "-".join(f"{name}={value}" for name, value in change.items()),
    )
    def test_what_never_changes(self, both: Both, path: str, change: dict[str, Any]) -> None:
        both.post(path, config_map("a"), compare=False)
        both.patch(f"{path}/a", {"metadata": change})
        both.get(f"{path}/a")

    @pytest.mark.parametrize(
        "metadata",
        [
            {"labels": {"a": "-"}},
            {"labels": {"-": "a"}},
            {"labels": {"a/b/c": "x"}},
            {"labels": {"a": "x" * 64}},
            {"labels": {"UPPER.example/a": "x"}},
            {"annotations": {"-": "a"}},
            {"annotations": {"a": "x" * 262145}},
            {"annotations": {"A.b/C": "x"}},
            {"finalizers": ["plain"]},
            {"finalizers": ["a b/c"]},
            {"finalizers": ["kubernetes", "orphan", "foregroundDeletion"]},
            {"ownerReferences": [{}]},
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1"}]},
            {"ownerReferences": [{"apiVersion": "a/b/c", "kind": "Pod", "name": "a", "uid": "1"}]},
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1", "controller": True},
                                 {"apiVersion": "v1", "kind": "Pod", "name": "b", "uid": "2", "controller": True}]},
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1"}] * 2},
            {"managedFields": [{"manager": "a", "operation": "Other"}]},
            {"managedFields": [{"manager": "a", "operation": "Update", "apiVersion": "v1", "fieldsType": "Other"}]},
        ],
        ids=lambda metadata: next(iter(metadata)),
    )  # fmt: skip
    def test_what_is_wrong_with_it(self, both: Both, path: str, gadgets: str, metadata: dict[str, Any]) -> None:
        both.post(path, config_map("a", **metadata))
        both.post(gadgets, gadget("a", **metadata))
        both.post(path, config_map("b"), compare=False)
        both.put(f"{path}/b", config_map("b", **metadata))
        both.post(gadgets, gadget("b"), compare=False)
        both.patch(f"{gadgets}/b", {"metadata": metadata})


class TestNames:
    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_of_objects(self, both: Both, path: str, gadgets: str, name: str) -> None:
        both.post(path, config_map(name))
        both.post(gadgets, gadget(name))

    @pytest.mark.parametrize("name", [*BAD_NAMES, "a.b", "1a", "x" * 64])
    @pytest.mark.parametrize("kind", ["namespaces", "services", "serviceaccounts", "pods", "roles"])
    def test_that_a_kind_has_rules_for(self, both: Both, kind: str, name: str) -> None:
        bodies: dict[str, Any] = {
            "namespaces": {},
            "services": {"spec": {"ports": [{"port": 80}]}},
            "serviceaccounts": {},
            "pods": {"spec": {"containers": [{"name": "c", "image": "i"}]}},
            "roles": {"rules": []},
        }
        group = "/apis/rbac.authorization.k8s.io/v1" if kind == "roles" else "/api/v1"
        where = f"{group}/namespaces/{both.namespace}/{kind}" if kind != "namespaces" else NAMESPACES
        both.post(f"{where}?dryRun=All", {"metadata": {"name": name}, **bodies[kind]}, mask=_without_address)

    @pytest.mark.parametrize("prefix", ["gen-", "A-", "x" * 250, "x" * 300, "-", "a.", "."])
    def test_that_are_generated(self, both: Both, path: str, prefix: str) -> None:
        both.post(f"{path}?dryRun=All", {"metadata": {"generateName": prefix}}, mask=ungenerated)

    def test_are_taken_before_prefixes(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", generateName="gen-"))
        both.post(path, config_map("a", generateName="gen-"))

    def test_that_are_taken(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"))
        both.post(path, config_map("a"))
        both.post(f"{path}?dryRun=All", config_map("a"))

    def test_of_the_path_and_of_the_body(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.put(f"{path}/a", config_map("b"))
        both.put(f"{path}/b", config_map("a"))
        both.put(f"{path}/a", {"data": {}})


def _without_address(document: Any) -> Any:
    if "spec" in document:
        document["spec"].pop("clusterIP", None)
        document["spec"].pop("clusterIPs", None)
    return document


class TestNamespaces:
    def test_that_are_not_there(self, both: Both) -> None:
        where = f"{NAMESPACES}/{both.unique}/configmaps"
        both.get(where)
        both.get(f"{where}/a")
        both.post(where, config_map("a"))
        both.put(f"{where}/a", config_map("a"))
        both.patch(f"{where}/a", {})
        both.apply(f"{where}/a", config_map("a"), "me")
        both.delete(f"{where}/a")
        both.delete(where)

    def test_of_the_path_and_of_the_body(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", namespace="other"))
        both.post(path, config_map("a", namespace=both.namespace))
        both.put(f"{path}/a", config_map("a", namespace="other"))

    def test_in_objects_of_the_cluster(self, both: Both) -> None:
        name = both.unique
        both.post(NAMESPACES, {"metadata": {"name": name, "namespace": "other"}})
        both.post(NAMESPACES, {"metadata": {"name": f"{name}-b", "namespace": f"{name}-b"}})

    def test_get_a_label_and_a_phase(self, both: Both) -> None:
        name = both.unique
        both.post(NAMESPACES, {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": "x"}}})
        both.patch(f"{NAMESPACES}/{name}", {"metadata": {"labels": {"kubernetes.io/metadata.name": "y"}}})
        both.patch(f"{NAMESPACES}/{name}", {"spec": {"finalizers": []}, "status": {"phase": "Terminating"}})
        both.get(f"{NAMESPACES}/{name}")


class TestVersions:
    def test_an_older_state_is_a_conflict(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"))
        stale = {side.name: side.last.json() for side in both.sides}
        both.patch(f"{path}/a", {"data": {"a": "2"}})
        both.put(f"{path}/a", lambda side: stale[side.name] | {"data": {"a": "3"}})
        both.put(f"{path}/a", lambda side: side.answers[-2].json() | {"data": {"a": "3"}})

    @pytest.mark.parametrize("version", ["0", "", "x", "-1", "99999999999999999999"])
    def test_that_are_none(self, both: Both, path: str, gadgets: str, version: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.put(f"{path}/a", config_map("a", resourceVersion=version, labels={"a": "b"}))
        both.post(gadgets, gadget("a"), compare=False)
        both.put(f"{gadgets}/a", gadget("a", resourceVersion=version))

    def test_of_a_custom_object_must_be_said(self, both: Both, gadgets: str) -> None:
        both.post(gadgets, gadget("a"))
        both.put(f"{gadgets}/a", gadget("a"))
        both.put(f"{gadgets}/a", lambda side: current(side, f"{gadgets}/a") | {"spec": {"size": 5}})

    def test_the_same_again_writes_nothing(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"))
        before = [side.last.json()["metadata"]["resourceVersion"] for side in both.sides]
        both.put(f"{path}/a", config_map("a"))
        assert [side.last.json()["metadata"]["resourceVersion"] for side in both.sides] == before

    def test_a_uid_that_is_another(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"))
        both.put(f"{path}/a", config_map("a", uid="other"))
        both.put(f"{path}/b", config_map("b", uid="other"))

    def test_leases_are_created_by_updates(self, both: Both) -> None:
        where = f"/apis/coordination.k8s.io/v1/namespaces/{both.namespace}/leases"
        body = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}}
        both.put(f"{where}/a?dryRun=All", body)
        both.put(f"{where}/a", body)
        both.put(f"{where}/a", body)
        both.put(f"{where}/b", {"metadata": {"name": "b", "resourceVersion": "5"}})
        both.put(f"{where}/c", {"metadata": {"name": "c", "uid": "other"}})
        both.patch(f"{where}/d", {})


class TestStatus:
    def test_a_create_cannot_set_it(self, both: Both, gadgets: str) -> None:
        both.post(gadgets, gadget("a") | {"status": {"ready": True}})

    def test_an_update_cannot_change_it(self, both: Both, gadgets: str) -> None:
        both.post(gadgets, gadget("a"), compare=False)
        both.put(f"{gadgets}/a/status", lambda side: current(side, f"{gadgets}/a") | {"status": {"ready": True}})
        both.put(f"{gadgets}/a", lambda side: current(side, f"{gadgets}/a") | {"status": {"ready": False}})
        both.put(f"{gadgets}/a", lambda side: _without_status(current(side, f"{gadgets}/a")))

    def test_it_cannot_change_the_rest(self, both: Both, gadgets: str) -> None:
        both.post(gadgets, gadget("a"), compare=False)
        both.patch(f"{gadgets}/a/status", {"spec": {"size": 5}, "metadata": {"labels": {"a": "b"}}, "status": {"n": 1}})

    def test_of_a_deployment(self, both: Both) -> None:
        where = f"/apis/apps/v1/namespaces/{both.namespace}/deployments"
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        body = {"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
        both.post(where, body | {"status": {"replicas": 5}})
        both.patch(f"{where}/a", {"status": {"replicas": 5}})
        both.patch(f"{where}/a/status", {"status": {"replicas": 5}, "spec": {"replicas": 7}})
        both.get(f"{where}/a/status")


def _without_status(obj: dict[str, Any]) -> dict[str, Any]:
    del obj["status"]
    return obj


class TestDryRuns:
    def test_write_nothing(self, both: Both, path: str) -> None:
        both.post(f"{path}?dryRun=All", config_map("a"))
        both.get(f"{path}/a")
        both.post(path, config_map("a"), compare=False)
        both.put(f"{path}/a?dryRun=All", config_map("a", labels={"a": "b"}))
        both.patch(f"{path}/a?dryRun=All", {"data": {"a": "2"}})
        both.delete(f"{path}/a?dryRun=All")
        both.delete(f"{path}?dryRun=All")
        both.get(f"{path}/a")

    def test_are_judged_as_others(self, both: Both, path: str) -> None:
        both.post(f"{path}?dryRun=All", config_map("A"))
        both.put(f"{path}/a?dryRun=All", config_map("a"))
        both.delete(f"{path}/a?dryRun=All")

    @pytest.mark.parametrize("query", ["dryRun=", "dryRun=all", "dryRun=All&dryRun=All", "dryRun=All&dryRun=x"])
    def test_are_for_all_or_nobody(self, both: Both, path: str, query: str) -> None:
        both.post(f"{path}?{query}", config_map("a"))
        both.put(f"{path}/a?{query}", config_map("a"))
        both.delete(f"{path}/a?{query}")


class TestSizes:
    @pytest.mark.parametrize("size", [1_400_000, 1_700_000, 2_200_000])
    def test_of_what_is_stored(self, both: Both, gadgets: str, size: int) -> None:
        both.post(gadgets, gadget("a") | {"spec": {"a": "x" * size}}, mask=without_sizes)
        both.post(gadgets, gadget("b"), compare=False)
        both.patch(f"{gadgets}/b", {"spec": {"a": "x" * size}}, mask=without_sizes)
        both.post(f"{gadgets}?dryRun=All", gadget("c") | {"spec": {"a": "x" * size}})
        both.get(f"{gadgets}?fieldSelector=metadata.name%3Da", headers={"Accept-Encoding": "identity"})


def without_sizes(document: Any) -> Any:
    """A message tells the bytes that are sent to etcd."""
    return json.loads(re.sub(r"larger than max \(\d+", "larger than max (<n>", json.dumps(document)))


class TestManagers:
    @pytest.mark.parametrize("query", ["fieldManager=me", "fieldManager=", f"fieldManager={LONG}", "fieldManager=%01"])
    def test_have_names(self, both: Both, path: str, query: str) -> None:
        both.post(f"{path}?{query}", config_map("a"))

    @pytest.mark.parametrize("agent", ["kubectl/v1.36.0", "curl", "a/b/c", "", "x" * 200])
    def test_are_called_as_their_program_otherwise(self, both: Both, path: str, agent: str) -> None:
        both.post(path, config_map("a"), headers={"User-Agent": agent, "Accept": "application/json"})
