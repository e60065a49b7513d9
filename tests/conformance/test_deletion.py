"""How objects end: options, finalizers, grace, preconditions, cascades, collections, namespaces."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from both import Both, Side

NAMESPACES = "/api/v1/namespaces"
JSON = "application/json"
_RECORD = re.compile(r"(?<=in record \()\d+(?=\))")


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


@pytest.fixture
def path(both: Both) -> str:
    return f"{NAMESPACES}/{both.namespace}/configmaps"


def current(side: Side, path: str) -> dict[str, Any]:
    return side.raw.request("GET", path).json()


def without_finalizers(path: str) -> Callable[[Side], dict[str, Any]]:
    def body(side: Side) -> dict[str, Any]:
        obj = current(side, path)
        del obj["metadata"]["finalizers"]
        return obj

    return body


class TestOptions:
    def test_without_any(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(f"{path}/a")
        both.delete(f"{path}/a")
        both.get(f"{path}/a")

    @pytest.mark.parametrize(
        "query",
        [
            "gracePeriodSeconds=x", "gracePeriodSeconds=-1", "gracePeriodSeconds=", "gracePeriodSeconds=5",
            "orphanDependents=maybe", "orphanDependents=", "propagationPolicy=Sideways", "propagationPolicy=",
            "propagationPolicy=Orphan&orphanDependents=true", "dryRun=x", "uid=other", "resourceVersion=1",
            "preconditions=x", "fieldManager=me", "timeout=x", "unknown=1",
        ],
    )  # fmt: skip
    def test_in_the_query(self, both: Both, path: str, query: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(f"{path}/a?{query}", mask=without_revision)
        both.post(f"{path}", config_map("b"), compare=False)
        both.delete(f"{path}?{query}&fieldSelector=metadata.name%3Db", mask=without_revision)

    @pytest.mark.parametrize(
        "body",
        [
            b"{}", b"null", b"x", b"[]", b'"a"', b'{"kind":5}',
            {"kind": "DeleteOptions", "apiVersion": "v1"},
            {"kind": "DeleteOptions", "apiVersion": "apps/v1"},
            {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"},
            {"kind": "DeleteOptions", "apiVersion": "none.example/v1"},
            {"kind": "DeleteOptions", "apiVersion": "a/b/c"},
            {"kind": "Pod", "apiVersion": "v1"},
            {"kind": "Status", "apiVersion": "v1"},
            {"kind": "None", "apiVersion": "v1"},
            {"propagationPolicy": 5},
            {"propagationPolicy": "Sideways"},
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            {"gracePeriodSeconds": "x"},
            {"gracePeriodSeconds": 1.5},
            {"dryRun": "All"},
            {"dryRun": ["All"], "unknown": 1},
            {"dryRun": ["x"]},
            {"preconditions": {"uid": "other"}},
            {"preconditions": {"resourceVersion": "1"}},
        ],
        ids=str,
    )  # fmt: skip
    def test_in_the_body(self, both: Both, path: str, body: Any) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(f"{path}/a", body, mask=without_revision)

    def test_the_body_wins(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(f"{path}/a?dryRun=All", {})
        both.get(f"{path}/a")

    @pytest.mark.parametrize("media_type", ["text/plain", "", "application/yaml", "application/json; charset=utf-8"])
    def test_are_written_in(self, both: Both, path: str, media_type: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(
            f"{path}/a", b"{dryRun: [All]}" if "yaml" in media_type else b"{}", headers={"Content-Type": media_type}
        )
        both.get(f"{path}/a")

    def test_preconditions_that_are_met(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)

        def preconditions(side: Side) -> dict[str, Any]:
            metadata = current(side, f"{path}/a")["metadata"]
            return {"preconditions": {name: metadata[name] for name in ("uid", "resourceVersion")}}

        both.delete(f"{path}/a", preconditions)

    def test_an_object_that_is_not_there(self, both: Both, path: str) -> None:
        both.delete(f"{path}/a", {"preconditions": {"uid": "x"}})
        both.delete(f"{path}/a?propagationPolicy=Foreground")
        both.delete(f"{path}/a?gracePeriodSeconds=x")


class TestFinalizers:
    def test_hold_an_object(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]))
        both.delete(f"{path}/a")
        both.delete(f"{path}/a")
        both.get(f"{path}/a")
        both.post(path, config_map("a"))
        both.patch(f"{path}/a", {"data": {"a": "still"}})
        both.put(f"{path}/a", without_finalizers(f"{path}/a"))
        both.get(f"{path}/a")

    def test_are_not_added_to_what_ends(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}/a", compare=False)
        both.patch(f"{path}/a", {"metadata": {"finalizers": ["example.com/wait", "example.com/more"]}})
        both.patch(f"{path}/a", {"metadata": {"finalizers": ["example.com/other"]}})
        both.patch(f"{path}/a", {"metadata": {"finalizers": None}})

    def test_the_end_by_a_patch(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}/a", compare=False)
        both.patch(f"{path}/a", {"metadata": {"finalizers": None}, "data": {"last": "words"}})
        both.get(f"{path}/a")

    def test_a_dry_run_of_the_end(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}/a?dryRun=All")
        both.delete(f"{path}/a", compare=False)
        both.patch(f"{path}/a?dryRun=All", {"metadata": {"finalizers": None}})
        both.get(f"{path}/a")

    def test_what_ends_stays_so(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}/a", compare=False)
        both.patch(f"{path}/a", {"metadata": {"deletionTimestamp": None, "deletionGracePeriodSeconds": None}})
        both.patch(f"{path}/a", {"metadata": {"deletionTimestamp": "2000-01-01T00:00:00Z"}})
        both.patch(f"{path}/a", {"metadata": {"deletionGracePeriodSeconds": 9}})

    def test_what_a_watch_sees(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]))
        begun = {side.name: side.last.json()["metadata"]["resourceVersion"] for side in both.sides}
        both.delete(f"{path}/a", compare=False)
        both.patch(f"{path}/a", {"metadata": {"finalizers": None}}, compare=False)
        both.watch(lambda side: f"{path}?resourceVersion={begun[side.name]}")


class TestPolicies:
    @pytest.mark.parametrize(
        "query",
        [
            "propagationPolicy=Orphan", "propagationPolicy=Foreground", "propagationPolicy=Background",
            "orphanDependents=true", "orphanDependents=false",
        ],
    )  # fmt: skip
    def test_are_finalizers_at_first(self, both: Both, path: str, query: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(f"{path}/a?{query}")
        both.post(path, config_map("b", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}/b?{query}")
        both.get(f"{path}/b", mask=without_generated_finalizers)

    def test_can_be_changed_while_it_ends(self, both: Both, path: str) -> None:
        both.post(path, config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}/a?propagationPolicy=Foreground")
        both.delete(f"{path}/a?propagationPolicy=Orphan")
        both.delete(f"{path}/a?propagationPolicy=Background")
        both.delete(f"{path}/a")

    def test_of_kinds_that_orphan_by_themselves(self, both: Both) -> None:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        controllers = f"{NAMESPACES}/{both.namespace}/replicationcontrollers"
        both.post(
            controllers,
            {"metadata": {"name": "a"}, "spec": {"selector": {"a": "b"}, "template": template}},
            compare=False,
        )
        both.delete(f"{controllers}/a")
        jobs = f"/apis/batch/v1/namespaces/{both.namespace}/jobs"
        spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}
        both.post(jobs, {"metadata": {"name": "a"}, "spec": spec}, compare=False)
        both.delete(f"{jobs}/a")


def without_generated_finalizers(document: Any) -> Any:
    """A server without kube-controller-manager leaves those of policies where they are."""
    if "metadata" in document:
        finalizers = document["metadata"].get("finalizers", [])
        document["metadata"]["finalizers"] = [each for each in finalizers if "/" in each]
        document["metadata"].pop("managedFields", None)
    return document


class TestGrace:
    def test_a_pod_on_no_node_goes_at_once(self, both: Both) -> None:
        pods = f"{NAMESPACES}/{both.namespace}/pods"
        both.post(pods, pod("a"))
        both.delete(f"{pods}/a")
        both.get(f"{pods}/a")

    @pytest.mark.parametrize("seconds", ["", "0", "5", "60", "-3"])
    def test_a_pod_on_a_node_has_time(self, both: Both, seconds: str) -> None:
        pods = f"{NAMESPACES}/{both.namespace}/pods"
        both.post(pods, pod("a", nodeName="none"), compare=False)
        both.delete(f"{pods}/a?gracePeriodSeconds={seconds}" if seconds else f"{pods}/a")
        both.get(f"{pods}/a")

    def test_can_be_shortened_only(self, both: Both) -> None:
        pods = f"{NAMESPACES}/{both.namespace}/pods"
        both.post(pods, pod("a", nodeName="none", terminationGracePeriodSeconds=20), compare=False)
        both.delete(f"{pods}/a")
        both.delete(f"{pods}/a?gracePeriodSeconds=5")
        both.delete(f"{pods}/a?gracePeriodSeconds=10")
        both.delete(f"{pods}/a")
        both.delete(f"{pods}/a?gracePeriodSeconds=0&dryRun=All")
        both.delete(f"{pods}/a?gracePeriodSeconds=0")
        both.get(f"{pods}/a")

    def test_is_nothing_to_others(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(f"{path}/a?gracePeriodSeconds=60")


class TestCollections:
    @pytest.mark.parametrize(
        "query",
        [
            "", "labelSelector=a%3Db", "fieldSelector=metadata.name%3Db", "limit=1", "dryRun=All", "labelSelector=x",
            "propagationPolicy=Foreground&labelSelector=a", "resourceVersion=0", "limit=x", "labelSelector=a b",
            "fieldSelector=spec.a%3Db", "watch=true", "gracePeriodSeconds=3",
        ],
    )  # fmt: skip
    def test_what_goes(self, both: Both, path: str, query: str) -> None:
        both.post(path, config_map("a", labels={"a": "b"}), compare=False)
        both.post(path, config_map("b"), compare=False)
        both.post(path, config_map("c", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{path}?{query.replace(' ', '%20')}", mask=without_token)
        both.get(path, mask=without_foreground)

    def test_with_options_in_the_body(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(path, {"dryRun": ["All"]})
        both.delete(path, {"propagationPolicy": "Sideways"})
        both.delete(path, b"x")
        both.get(path)

    def test_preconditions_hold_for_each(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        both.delete(path, {"preconditions": {"uid": "other"}})
        both.get(path)

    def test_in_the_shape_that_is_asked_for(self, both: Both, path: str) -> None:
        both.post(path, config_map("a"), compare=False)
        accept = {"Accept": f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
        both.delete(f"{path}?dryRun=All", headers=accept)

    def test_of_pods(self, both: Both) -> None:
        pods = f"{NAMESPACES}/{both.namespace}/pods"
        both.post(pods, pod("a"), compare=False)
        both.post(pods, pod("b", nodeName="none"), compare=False)
        both.delete(pods)
        both.get(pods)

    def test_of_kinds_without(self, both: Both) -> None:
        both.delete(f"{NAMESPACES}/{both.namespace}/services")
        both.delete(NAMESPACES)
        both.delete("/api/v1/configmaps")


def without_token(document: Any) -> Any:
    if "metadata" in document:
        document["metadata"].pop("remainingItemCount", None)
    return without_revision(document)


def without_revision(document: Any) -> Any:
    """Refusals tell the version of the object."""
    if "message" in document:
        document["message"] = _RECORD.sub("<rv>", document["message"])
    return document


def without_foreground(document: Any) -> Any:
    """A server without kube-controller-manager keeps what waits for it."""
    for each in document.get("items", ()):
        without_generated_finalizers(each)
    document["items"] = [each for each in document.get("items", ()) if each["metadata"]["name"] != "a"]
    return document


class TestNamespaces:
    def test_that_never_end(self, both: Both) -> None:
        for name in ("default", "kube-system", "kube-public"):
            both.delete(f"{NAMESPACES}/{name}")
            both.delete(f"{NAMESPACES}/{name}?dryRun=All")

    def test_take_nothing_in_when_they_end(self, both: Both) -> None:
        name = both.unique
        both.post(NAMESPACES, {"metadata": {"name": name}}, compare=False)
        path = f"{NAMESPACES}/{name}/configmaps"
        both.post(path, config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{NAMESPACES}/{name}")
        both.post(path, config_map("b"))
        both.apply(f"{path}/b", config_map("b"), "me")
        both.post(NAMESPACES, {"metadata": {"name": name}})
        both.patch(f"{path}/a", {"data": {"a": "still"}}, mask=without_deletion)
        both.patch(f"{path}/a", {"metadata": {"finalizers": None}}, compare=False)

    def test_a_dry_run(self, both: Both) -> None:
        name = both.unique
        both.post(NAMESPACES, {"metadata": {"name": name}}, compare=False)
        both.delete(f"{NAMESPACES}/{name}?dryRun=All")
        both.get(f"{NAMESPACES}/{name}")
        both.delete(f"{NAMESPACES}/{name}", compare=False)


def without_deletion(document: Any) -> Any:
    """Nobody empties a namespace of a server without kube-controller-manager."""
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        document.get("metadata", {}).pop(name, None)
    return document


# ------------------------------------------------------------------ with controllers on both sides


def settled(both: Both, path: str, code: int = 404) -> None:
    """Wait until both servers answer so."""
    deadline = time.monotonic() + 60
    for side in both.sides:
        while side.raw.request("GET", path).status != code:
            assert time.monotonic() < deadline, f"{side.name}: {path} is still there"
            time.sleep(0.1)


def owner_of(side: Side, path: str, **more: Any) -> dict[str, Any]:
    obj = current(side, path)
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": obj["metadata"]["name"],
            "uid": obj["metadata"]["uid"], **more}  # fmt: skip


class TestCascades:
    @pytest.fixture
    def owned(self, both_collecting: Both) -> str:
        """Of three objects in a row, each owns the next."""
        path = f"{NAMESPACES}/{both_collecting.namespace}/configmaps"
        both_collecting.post(path, config_map("a"), compare=False)
        for name, owner in (("b", "a"), ("c", "b")):
            where = f"{path}/{owner}"
            both_collecting.post(
                path,
                lambda side, name=name, where=where: config_map(
                    name, ownerReferences=[owner_of(side, where, blockOwnerDeletion=True)]
                ),
                compare=False,
            )
        return path

    @pytest.mark.parametrize("policy", ["Background", "Foreground"])
    def test_all_go(self, both_collecting: Both, owned: str, policy: str) -> None:
        both_collecting.delete(f"{owned}/a?propagationPolicy={policy}", compare=policy == "Foreground")
        for name in "abc":
            settled(both_collecting, f"{owned}/{name}")

    def test_orphans_stay(self, both_collecting: Both, owned: str) -> None:
        both_collecting.delete(f"{owned}/a?propagationPolicy=Orphan")
        settled(both_collecting, f"{owned}/a")
        answer = both_collecting.get(f"{owned}/b", mask=without_managers)
        assert "ownerReferences" not in answer.json()["metadata"]
        both_collecting.get(f"{owned}/c", mask=without_managers)

    def test_the_first_waits_for_who_is_held(self, both_collecting: Both, owned: str) -> None:
        both = both_collecting
        both.patch(f"{owned}/b", {"metadata": {"finalizers": ["example.com/wait"]}}, compare=False)
        both.delete(f"{owned}/a?propagationPolicy=Foreground")
        settled(both, f"{owned}/c", code=404)
        both.get(f"{owned}/a")
        both.patch(f"{owned}/b", {"metadata": {"finalizers": None}}, compare=False)
        settled(both, f"{owned}/a")

    def test_who_has_another_owner_stays(self, both_collecting: Both, owned: str) -> None:
        both = both_collecting
        both.post(owned, config_map("z"), compare=False)
        both.patch(
            f"{owned}/b",
            lambda side: {
                "metadata": {"ownerReferences": [owner_of(side, f"{owned}/a"), owner_of(side, f"{owned}/z")]}
            },
            compare=False,
        )
        both.delete(f"{owned}/a?propagationPolicy=Background", compare=False)
        settled(both, f"{owned}/a")
        time.sleep(1)
        both.get(f"{owned}/b", mask=without_managers)

    def test_who_never_had_an_owner_goes(self, both_collecting: Both, owned: str) -> None:
        reference = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "never",
            "uid": "11111111-2222-3333-4444-555555555555",
        }
        both_collecting.post(owned, config_map("y", ownerReferences=[reference]), compare=False)
        settled(both_collecting, f"{owned}/y")

    def test_a_deployment_and_what_it_owns(self, both_collecting: Both) -> None:
        both = both_collecting
        path = f"/apis/apps/v1/namespaces/{both.namespace}"
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        both.post(f"{path}/deployments", {"metadata": {"name": "a"}, "spec": spec}, compare=False)
        both.post(
            f"{path}/replicasets",
            lambda side: {
                "metadata": {
                    "name": "mine",
                    "labels": {"a": "b"},
                    "ownerReferences": [owner_of(side, f"{path}/deployments/a", controller=True)],
                },
                "spec": spec,
            },
            compare=False,
        )
        both.delete(f"{path}/deployments/a", compare=False)
        settled(both, f"{path}/replicasets/mine")


def without_managers(document: Any) -> Any:
    document.get("metadata", {}).pop("managedFields", None)
    return document


class TestTheEndOfNamespaces:
    def test_their_content_goes_with_them(self, both_collecting: Both) -> None:
        both, name = both_collecting, both_collecting.unique
        both.post(NAMESPACES, {"metadata": {"name": name}}, compare=False)
        both.post(f"{NAMESPACES}/{name}/configmaps", config_map("a"), compare=False)
        both.post(f"{NAMESPACES}/{name}/pods", pod("p"), compare=False)
        both.delete(f"{NAMESPACES}/{name}", compare=False)
        settled(both, f"{NAMESPACES}/{name}")
        both.get(f"{NAMESPACES}/{name}/configmaps")
        both.get(f"{NAMESPACES}/{name}/configmaps/a")

    def test_they_say_what_they_wait_for(self, both_collecting: Both) -> None:
        both, name = both_collecting, both_collecting.unique
        both.post(NAMESPACES, {"metadata": {"name": name}}, compare=False)
        path = f"{NAMESPACES}/{name}/configmaps/a"
        both.post(path.removesuffix("/a"), config_map("a", finalizers=["example.com/wait"]), compare=False)
        both.delete(f"{NAMESPACES}/{name}", compare=False)
        deadline = time.monotonic() + 30
        for side in both.sides:
            while not current(side, f"{NAMESPACES}/{name}")["status"].get("conditions"):
                assert time.monotonic() < deadline, side.name
                time.sleep(0.1)
        both.get(f"{NAMESPACES}/{name}", mask=without_managers)
        both.patch(path, {"metadata": {"finalizers": None}}, compare=False)
        settled(both, f"{NAMESPACES}/{name}")
