"""What hangs below resources: scale, binding, eviction, tokens, finalize, and what needs a kubelet."""

from __future__ import annotations

import base64
import copy
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from both import Both, Side

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["z", "a"]}, {"key": "x", "operator": "Exists"}, {"key": "y", "operator": "DoesNotExist"}]},
        "template": {"metadata": {"labels": {"app": "web", "tier": "a", "x": "1"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
    },
}  # fmt: skip


def message(answer: Any) -> str:
    return str(answer.json()["message"])


def managers(answer: Any) -> list[tuple[str, str, bool]]:
    """Who manages an object, through what, and whether it is the replicas."""
    entries = answer.json()["metadata"].get("managedFields", ())
    return [
        (each["manager"], each.get("subresource", ""), "f:replicas" in each["fieldsV1"].get("f:spec", {}))
        for each in entries
    ]


# ------------------------------------------------------------------ scale


@pytest.fixture
def web(both: Both) -> str:
    path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments"
    both.post(f"{path}?fieldManager=me", DEPLOYMENT)
    return f"{path}/web"


def changed(replicas: int | None, **metadata: Any) -> Callable[[Side], Any]:
    """The scale that a side last gave, with another number."""

    def body(side: Side) -> Any:
        scale = copy.deepcopy(side.last.json())
        scale["metadata"] |= metadata
        scale["spec"] = {} if replicas is None else {"replicas": replicas}
        return scale

    return body


def test_the_scale_of_a_deployment(both: Both, web: str) -> None:
    scale = both.get(f"{web}/scale").json()
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=web,tier in (a,z),x,!y"}


def test_a_put_of_a_scale_takes_over_the_replicas(both: Both, web: str) -> None:
    both.get(f"{web}/scale")
    assert both.put(f"{web}/scale?fieldManager=scaler", changed(5)).json()["spec"] == {"replicas": 5}
    parent = both.get(web)
    assert (parent.json()["spec"]["replicas"], parent.json()["metadata"]["generation"]) == (5, 2)
    assert managers(parent) == [("scaler", "scale", True), ("me", "", False)]


def test_a_stale_scale(both: Both, web: str) -> None:
    both.get(f"{web}/scale")
    stale = [side.last for side in both.sides]
    both.patch(web, {"metadata": {"labels": {"a": "b"}}})
    for side, answer in zip(both.sides, stale, strict=True):
        side.answers.append(answer)
    assert both.put(f"{web}/scale", changed(5)).status == 409


def test_a_scale_without_a_resource_version(both: Both, web: str) -> None:
    both.get(f"{web}/scale")
    assert both.put(f"{web}/scale?fieldManager=a", changed(5, resourceVersion="")).status == 200
    assert both.put(f"{web}/scale?fieldManager=b", changed(5, resourceVersion="")).status == 200
    assert managers(both.get(web)) == [("a", "scale", True), ("me", "", False)]


def test_a_scale_without_replicas_is_zero(both: Both, web: str) -> None:
    both.get(f"{web}/scale")
    assert both.put(f"{web}/scale?fieldManager=a", changed(None)).json()["spec"] == {}
    assert both.get(web).json()["spec"]["replicas"] == 0
    assert both.put(f"{web}/scale?fieldManager=b", {"metadata": {"name": "web"}, "spec": {"replicas": 7}}).status == 200
    assert managers(both.get(web)) == [("me", "", False)]


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "web"}, "spec": {"replicas": -1}},
        {"metadata": {"name": "other"}, "spec": {"replicas": 1}},
        {"metadata": {}, "spec": {"replicas": 1}},
        {"spec": {"replicas": 1}},
        {"metadata": {"name": "web", "namespace": "elsewhere"}, "spec": {"replicas": 1}},
        {"metadata": {"name": "web", "uid": "another"}, "spec": {"replicas": 1}},
        {
            "metadata": {"name": "web", "labels": {"x": "y"}},
            "spec": {"replicas": 7, "foo": 1},
            "status": {"replicas": 8},
        },
        {"metadata": {"name": "web"}, "spec": {"replicas": "many"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}},
        {"apiVersion": "apps/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 1}},
        {"apiVersion": "apps/v1beta1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 1}},
    ],
)
def test_scales_that_are_put(both: Both, web: str, body: dict[str, Any]) -> None:
    answer = both.put(f"{web}/scale?fieldManager=a", body)
    assert answer.status == (200 if "labels" in body.get("metadata", {}) else answer.status)
    both.get(web)


@pytest.mark.parametrize("kind", ["merge", "strategic"])
def test_a_patch_of_a_scale(both: Both, web: str, kind: str) -> None:
    assert both.patch(f"{web}/scale?fieldManager=p", {"spec": {"replicas": 4}}, kind).json()["spec"] == {"replicas": 4}
    assert both.patch(f"{web}/scale?fieldManager=q", {"spec": {"replicas": 4}}, kind).status == 200
    assert managers(both.get(web)) == [("p", "scale", True), ("me", "", False)]


def test_a_json_patch_of_a_scale(both: Both, web: str) -> None:
    replace = {"op": "replace", "path": "/spec/replicas", "value": 6}
    assert both.patch(f"{web}/scale", [replace], "json").json()["spec"] == {"replicas": 6}
    test = {"op": "test", "path": "/spec/replicas", "value": 60}
    assert both.patch(f"{web}/scale", [test], "json").status == 422


def test_a_patch_of_an_older_scale(both: Both, web: str) -> None:
    body = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 9}}
    assert both.patch(f"{web}/scale", body).status == 409


def applied(replicas: int | None, api_version: str = "autoscaling/v1") -> dict[str, Any]:
    spec = {} if replicas is None else {"replicas": replicas}
    return {"apiVersion": api_version, "kind": "Scale", "metadata": {"name": "web"}, "spec": spec}


def test_an_apply_of_a_scale(both: Both, web: str) -> None:
    conflict = both.apply(f"{web}/scale", applied(9), "applier")
    assert conflict.json()["details"]["causes"][0]["field"] == ".spec.replicas"
    assert both.apply(f"{web}/scale", applied(9), "applier", force=True).status == 200
    assert managers(both.get(web)) == [("applier", "scale", True), ("me", "", False)]
    assert both.apply(f"{web}/scale", applied(9), "applier").status == 200
    assert both.apply(f"{web}/scale", applied(3, "apps/v1"), "applier").status == 400


def test_a_scale_that_others_applied_conflicts_with_the_deployment(both: Both) -> None:
    path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments/web"
    both.apply(path, DEPLOYMENT, "owner")
    both.patch(f"{path}/scale?fieldManager=p", {"spec": {"replicas": 2}})
    both.patch(f"{path}/scale?fieldManager=p", {"spec": {"replicas": 3}})
    assert managers(both.get(path)) == [("owner", "", False), ("p", "scale", True)]
    assert message(both.apply(path, DEPLOYMENT, "owner")) == (
        'Apply failed with 1 conflict: conflict with "p" with subresource "scale" using apps/v1: .spec.replicas'
    )


def test_a_dry_run_of_a_scale(both: Both, web: str) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"replicas": 33}}
    assert both.put(f"{web}/scale?dryRun=All", body).json()["spec"] == {"replicas": 33}
    assert both.get(f"{web}/scale").json()["spec"] == {"replicas": 2}


def test_the_scale_of_what_is_not_there(both: Both) -> None:
    path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments/none/scale"
    assert both.get(path).status == 404
    assert both.put(path, {"metadata": {"name": "none"}, "spec": {"replicas": 1}}).status == 404
    assert both.patch(path, {"spec": {"replicas": 1}}).status == 404


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_scale_is_not_made_or_removed(both: Both, web: str, method: str) -> None:
    assert both.request(method, f"{web}/scale", {}).status == 405


@pytest.mark.parametrize("kind", ["Table", "PartialObjectMetadata"])
def test_other_representations_of_a_scale(both: Both, web: str, kind: str) -> None:
    headers = {"Accept": f"application/json;as={kind};v=v1;g=meta.k8s.io"}
    assert both.get(f"{web}/scale", headers=headers, mask=without_age).json()["kind"] == kind


def without_age(document: Any) -> Any:
    for row in document.get("rows", ()):
        row["cells"][-1] = "<age>"
    return document


@pytest.mark.parametrize(
    ("path", "kind", "selector"),
    [
        ("/apis/apps/v1/namespaces/{}/replicasets", "ReplicaSet", {"matchLabels": {"a": "b"}}),
        ("/apis/apps/v1/namespaces/{}/statefulsets", "StatefulSet", {"matchLabels": {"a": "b"}}),
        ("/api/v1/namespaces/{}/replicationcontrollers", "ReplicationController", {"c": "d", "a": "b"}),
    ],
)
def test_the_scale_of_other_workloads(both: Both, path: str, kind: str, selector: dict[str, Any]) -> None:
    where = path.format(both.namespace)
    template = {"metadata": {"labels": {"a": "b", "c": "d"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    spec = {"replicas": 3, "selector": selector, "template": template}
    both.post(f"{where}?fieldManager=me", {"kind": kind, "metadata": {"name": "w"}, "spec": spec})
    assert both.get(f"{where}/w/scale").json()["status"]["selector"] in ("a=b", "a=b,c=d")
    assert both.patch(f"{where}/w/scale?fieldManager=p", {"spec": {"replicas": 5}}).status == 200
    assert managers(both.get(f"{where}/w"))[0] == ("p", "scale", True)


# ------------------------------------------------------------------ scale of custom resources

GROUP = "subresources.example.com"
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
NUMBER = {"replicas": {"type": "integer"}}


def version(name: str, scale: dict[str, str] | None, *, storage: bool = False) -> dict[str, Any]:
    properties = {"spec": {**OPEN, "properties": NUMBER}, "status": {**OPEN, "properties": NUMBER}}
    subresources = {"status": {}} | ({} if scale is None else {"scale": scale})
    schema = {"openAPIV3Schema": {**OPEN, "properties": properties}}
    return {"name": name, "served": True, "storage": storage, "schema": schema, "subresources": subresources}


@pytest.fixture
def gadgets(both: Both) -> str:
    """The path of a custom resource: v1 with a scale, v2 without, v3 with one elsewhere."""
    plural = both.unique.replace("-", "")
    kind = plural.capitalize()
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    versions = [
        version("v1", {**paths, "labelSelectorPath": ".status.selector"}, storage=True),
        version("v2", None),
        version("v3", {**paths, "specReplicasPath": ".spec.deep.count"}),
    ]
    spec = {"group": GROUP, "scope": "Namespaced", "names": {"plural": plural, "kind": kind}, "versions": versions}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    both.post(definitions, {"metadata": {"name": f"{plural}.{GROUP}"}, "spec": spec}, compare=False)
    path = f"/apis/{GROUP}/v1/namespaces/{both.namespace}/{plural}"
    body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": "g"}, "spec": {"replicas": 2, "x": 1}}
    for side in both.sides:
        end = time.monotonic() + 30
        while side.raw.request("POST", f"{path}?fieldManager=me", body).status != 201:
            assert time.monotonic() < end
            time.sleep(0.05)
    return f"{path}/g"


def test_the_scale_of_a_custom_resource(both: Both, gadgets: str) -> None:
    scale = both.get(f"{gadgets}/scale").json()
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 0})
    both.patch(f"{gadgets}/status", {"status": {"replicas": 3, "selector": "a=b"}})
    assert both.get(f"{gadgets}/scale").json()["status"] == {"replicas": 3, "selector": "a=b"}


def test_writes_of_a_custom_scale(both: Both, gadgets: str) -> None:
    assert both.patch(f"{gadgets}/scale?fieldManager=p", {"spec": {"replicas": 4}}).status == 200
    parent = both.get(gadgets)
    assert (parent.json()["spec"]["replicas"], parent.json()["metadata"]["generation"]) == (4, 2)
    assert managers(parent) == [("p", "scale", True), ("me", "", False)]
    both.get(f"{gadgets}/scale")
    assert both.put(f"{gadgets}/scale?fieldManager=q", changed(6)).status == 200
    assert managers(both.get(gadgets)) == [("q", "scale", True), ("me", "", False)]


@pytest.mark.parametrize("replicas", [-4, 99999999999, "x", None])
def test_numbers_of_a_custom_scale(both: Both, gadgets: str, replicas: Any) -> None:
    body = {"spec": {"replicas": replicas}}
    both.patch(f"{gadgets}/scale?fieldManager=p", body, mask=without_told_revisions)
    both.get(gadgets)


def without_told_revisions(document: Any) -> Any:
    """Errors tell of revisions, some of the whole object."""
    text = re.sub(r"(resourceVersion\W+|ResourceVersion in (object meta: |record \())\d+", r"\1", json.dumps(document))
    return json.loads(text)


def test_a_custom_scale_of_an_older_state_or_another_object(both: Both, gadgets: str) -> None:
    body = {"metadata": {"name": "g", "resourceVersion": "1"}, "spec": {"replicas": 3}}
    assert both.put(f"{gadgets}/scale", body).status == 409
    body = {"metadata": {"name": "g", "uid": "another"}, "spec": {"replicas": 3}}
    assert both.put(f"{gadgets}/scale", body).status == 409
    assert both.get(f"{gadgets[:-1]}none/scale").status == 404


def test_a_custom_scale_is_not_applied(both: Both, gadgets: str) -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "g"}, "spec": {"replicas": 9}}
    assert both.apply(f"{gadgets}/scale", scale, "applier").status == 409
    assert both.apply(f"{gadgets}/scale", scale, "applier", force=True).status == 500
    assert both.patch(f"{gadgets}/scale", {"spec": {"replicas": 5}}, "strategic").status == 415


def test_a_scale_in_another_place(both: Both, gadgets: str) -> None:
    third = gadgets.replace("/v1/", "/v3/")
    assert message(both.get(f"{third}/scale")).endswith('the spec replicas field ".spec.deep.count" does not exist')
    assert both.patch(f"{third}/scale", {"metadata": {"labels": {"a": "b"}}}).status == 400
    assert both.patch(f"{third}/scale?fieldManager=p", {"spec": {"replicas": 3}}).status == 200
    assert both.get(gadgets).json()["spec"]["deep"] == {"count": 3}
    both.patch(gadgets, {"spec": {"deep": "text"}})
    assert both.get(f"{third}/scale").status == 500
    assert both.patch(f"{third}/scale", {"spec": {"replicas": 3}}).status == 500


def test_a_version_without_a_scale(both: Both, gadgets: str) -> None:
    assert both.get(f"{gadgets.replace('/v1/', '/v2/')}/scale").status == 404


# ------------------------------------------------------------------ pods


def pods(both: Both) -> str:
    return f"/api/v1/namespaces/{both.namespace}/pods"


def new_pod(both: Both, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> str:
    body = {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"containers": [{"name": "a", "image": "b"}], **spec},
    }
    assert both.post(pods(both), body).status == 201
    return f"{pods(both)}/{name}"


def run(both: Both, pod: str, phase: str = "Running", ready: str | None = "True") -> None:
    conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
    status = {"phase": phase, "conditions": conditions}
    assert both.patch(f"{pod}/status?fieldManager=kubelet", {"status": status}).status == 200


def binding(name: str, target: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name, **metadata}, "target": target}


@pytest.mark.parametrize(
    "body", [{}, {"target": {"name": "n"}}, {"metadata": {"name": "none"}, "target": {"name": "n"}}]
)
def test_a_binding_as_a_resource_of_its_own_is_refused(both: Both, body: dict[str, Any]) -> None:
    assert both.post(f"/api/v1/namespaces/{both.namespace}/bindings", body).status >= 400


def test_a_binding_assigns_a_node(both: Both) -> None:
    pod = new_pod(both, "a", labels={"l": "1"})
    body = binding("a", {"kind": "Node", "name": "n1"}, annotations={"x": "y"}, labels={"k": "v"})
    assert both.post(f"{pod}/binding?dryRun=All", body).status == 201
    assert "nodeName" not in both.get(pod).json()["spec"]
    assert both.post(f"{pod}/binding", body).json()["status"] == "Success"
    bound = both.get(pod).json()
    assert bound["spec"]["nodeName"] == "n1"
    assert (bound["metadata"]["labels"], bound["metadata"]["annotations"]) == ({"k": "v", "l": "1"}, {"x": "y"})
    assert message(both.post(f"{pod}/binding", body)).endswith('pod a is already assigned to node "n1"')


@pytest.mark.parametrize(
    "body",
    [
        binding("b", {"kind": "Node"}),
        binding("b", {"kind": "Minion", "name": "n1"}),
        binding("b", {"kind": "Foo", "name": ""}),
        binding("b", {}),
        binding("other", {"name": "n1"}),
        {"target": {"name": "n1"}},
        binding("b", {"name": "n1"}, uid="another"),
        binding("b", {"name": "n1"}, resourceVersion="1"),
        binding("b", {"name": "n1"}, namespace="elsewhere"),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}},
        {"apiVersion": "v2", "kind": "Binding", "metadata": {"name": "b"}},
    ],
)
def test_bindings_that_are_refused(both: Both, body: dict[str, Any]) -> None:
    assert both.post(f"{new_pod(both, 'b')}/binding", body, mask=without_told_revisions).status >= 400


@pytest.mark.parametrize("spec", [{"schedulingGates": [{"name": "example.com/gate"}]}, {"nodeName": "n1"}])
def test_pods_that_cannot_be_bound(both: Both, spec: dict[str, Any]) -> None:
    pod = new_pod(both, "c", **spec)
    both.delete(pod) if "nodeName" in spec else None
    assert both.post(f"{pod}/binding", binding("c", {"name": "n1"})).status == 409


def test_a_binding_of_a_pod_that_was_not_schedulable(both: Both) -> None:
    pod = new_pod(both, "d")
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}
    both.patch(f"{pod}/status", {"status": {"nominatedNodeName": "n9", "conditions": [condition]}})
    both.post(f"{pod}/binding", binding("d", {"name": "n1"}))
    status = both.get(pod).json()["status"]
    assert "nominatedNodeName" not in status
    assert [each["status"] for each in status["conditions"]] == ["True"]


def test_a_binding_as_a_resource(both: Both) -> None:
    pod = new_pod(both, "e")
    path = f"/api/v1/namespaces/{both.namespace}/bindings"
    assert both.post(path, {"metadata": {"name": "none"}, "target": {"name": "n1"}}).status == 404
    assert both.post(path, {"metadata": {}, "target": {"name": "n1"}}).status == 400
    assert both.post(path, {"metadata": {"name": "e"}, "target": {"name": "n1"}}).status == 201
    assert both.get(pod).json()["spec"]["nodeName"] == "n1"
    assert both.get(path).status == 405


# ------------------------------------------------------------------ eviction


def evict(both: Both, pod: str, query: str = "", **body: Any) -> Any:
    name = pod.rpartition("/")[2]
    return both.post(f"{pod}/eviction{query}", {"metadata": {"name": name}, **body})


def budget(both: Both, name: str = "budget", **status: Any) -> str:
    path = f"/apis/policy/v1/namespaces/{both.namespace}/poddisruptionbudgets"
    policy = {"unhealthyPodEvictionPolicy": status.pop("policy")} if "policy" in status else {}
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "e"}}, **policy}
    assert both.post(path, {"metadata": {"name": name}, "spec": spec}).status == 201
    counts = {
        "observedGeneration": 1,
        "disruptionsAllowed": 0,
        "currentHealthy": 1,
        "desiredHealthy": 1,
        "expectedPods": 1,
    }
    if status.pop("known", True):
        both.patch(f"{path}/{name}/status?fieldManager=controller", {"status": {**counts, **status}})
    return f"{path}/{name}"


@pytest.fixture
def running(both: Both) -> str:
    pod = new_pod(both, "e", labels={"app": "e"}, nodeName="n1")
    run(both, pod)
    return pod


def test_the_eviction_of_a_pod_that_is_nowhere(both: Both) -> None:
    pod = new_pod(both, "a")
    assert evict(both, pod).json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
    assert both.get(pod).status == 404
    assert evict(both, pod).status == 404


def test_the_eviction_of_a_pod_that_runs(both: Both, running: str) -> None:
    assert evict(both, running, deleteOptions={"gracePeriodSeconds": 5}).status == 201
    pod = both.get(running).json()
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 5
    assert pod["status"]["conditions"][-1]["type"] == "DisruptionTarget"
    assert evict(both, running).status == 201


def test_dry_runs_of_an_eviction(both: Both, running: str) -> None:
    assert evict(both, running, "?dryRun=All").status == 201
    assert evict(both, running, deleteOptions={"dryRun": ["All"]}).status == 201
    assert evict(both, running, "?dryRun=All", deleteOptions={"dryRun": ["Foo"]}).status == 500
    assert "deletionTimestamp" not in both.get(running).json()["metadata"]


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "other"}},
        {"metadata": {}},
        {"apiVersion": "policy/v2", "kind": "Eviction", "metadata": {"name": "e"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "e"}},
        {"metadata": {"name": "e", "namespace": "elsewhere"}},
        {"metadata": {"name": "e"}, "deleteOptions": {"dryRun": ["Foo"]}},
        {"metadata": {"name": "e"}, "deleteOptions": {"preconditions": {"uid": "another"}}},
        {"metadata": {"name": "e"}, "deleteOptions": {"preconditions": {"resourceVersion": "1"}}},
        {"metadata": {"name": "e"}, "deleteOptions": {"propagationPolicy": "Foo", "gracePeriodSeconds": -5}},
        {"metadata": {"name": "e"}, "deleteOptions": {"propagationPolicy": "Orphan", "orphanDependents": True}},
        {"metadata": {"name": "e"}, "deleteOptions": {"ignoreStoreReadErrorWithClusterBreakingPotential": True}},
    ],
)
def test_evictions_that_are_refused(both: Both, running: str, body: dict[str, Any]) -> None:
    assert both.post(f"{running}/eviction", body, mask=without_told_revisions).status >= 400
    assert "deletionTimestamp" not in both.get(running).json()["metadata"]


def test_an_eviction_of_the_older_version(both: Both, running: str) -> None:
    assert evict(both, running, apiVersion="policy/v1beta1", kind="Eviction").status == 201


def test_a_budget_that_nobody_has_looked_at(both: Both, running: str) -> None:
    budget(both, known=False)
    answer = evict(both, running)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    assert answer.json()["details"]["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget budget is still being processed by the server.",
        }
    ]


FALSE = {"type": "DisruptionAllowed", "status": "False", "message": "oops", "lastTransitionTime": "2020-01-01T00:00:00Z", "observedGeneration": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ({}, "needs 1 healthy pods and has 1 currently"),
        ({"currentHealthy": 3}, "does not allow evicting pods currently"),
        ({"conditions": [{**FALSE, "reason": "SyncFailed"}]}, "does not allow evicting pods currently because it failed sync: oops"),
        ({"currentHealthy": 3, "conditions": [{**FALSE, "reason": "InsufficientPods"}]}, "does not allow evicting pods currently (InsufficientPods): oops"),
    ],
)  # fmt: skip
def test_a_budget_that_is_used_up(both: Both, running: str, status: dict[str, Any], cause: str) -> None:
    budget(both, **status)
    answer = evict(both, running)
    assert (answer.status, "Retry-After" in answer.headers) == (429, False)
    assert answer.json()["details"]["causes"][0]["message"] == f"The disruption budget budget {cause}"


def test_a_budget_pays_for_an_eviction(both: Both, running: str) -> None:
    path = budget(both, disruptionsAllowed=2)
    assert evict(both, running, "?dryRun=All").status == 201
    assert both.get(path).json()["status"]["disruptionsAllowed"] == 2
    assert evict(both, running).status == 201
    paid = both.get(path, mask=without_values("disruptedPods")).json()
    assert (paid["status"]["disruptionsAllowed"], list(paid["status"]["disruptedPods"])) == (1, ["e"])
    assert ("kube-apiserver", "status", False) in managers(both.get(path))


def without_values(field: str) -> Callable[[Any], Any]:
    return lambda document: document | {"status": document["status"] | {field: sorted(document["status"][field])}}


def test_the_last_eviction_that_a_budget_pays_for(both: Both, running: str) -> None:
    path = budget(both, disruptionsAllowed=1)
    assert evict(both, running).status == 201
    assert both.get(path).json()["status"]["conditions"][0]["reason"] == "InsufficientPods"


def test_two_budgets(both: Both, running: str) -> None:
    budget(both, "one", disruptionsAllowed=1)
    budget(both, "two", disruptionsAllowed=1)
    assert evict(both, running).status == 500


@pytest.mark.parametrize(
    ("status", "code"),
    [({}, 201), ({"currentHealthy": 0}, 429), ({"currentHealthy": 0, "policy": "AlwaysAllow"}, 201)],
)
def test_a_pod_that_is_not_ready(both: Both, running: str, status: dict[str, Any], code: int) -> None:
    run(both, running, ready="False")
    budget(both, **status)
    assert evict(both, running).status == code


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_costs_nothing(both: Both, running: str, phase: str) -> None:
    run(both, running, phase)
    budget(both)
    assert evict(both, running).status == 201


def test_a_budget_for_everything_and_one_for_nothing(both: Both) -> None:
    path = f"/apis/policy/v1/namespaces/{both.namespace}/poddisruptionbudgets"
    both.post(path, {"metadata": {"name": "nothing"}, "spec": {"minAvailable": 1}})
    pod = new_pod(both, "e", nodeName="n1")
    run(both, pod)
    assert evict(both, pod, "?dryRun=All").status == 201
    both.post(path, {"metadata": {"name": "everything"}, "spec": {"minAvailable": 1, "selector": {}}})
    assert evict(both, pod, "?dryRun=All").status == 429


# ------------------------------------------------------------------ containers of pods


def test_ephemeral_containers_are_added(both: Both, running: str) -> None:
    path = f"{running}/ephemeralcontainers"
    container = {"name": "debug", "image": "busybox"}
    answer = both.patch(f"{path}?fieldManager=d", {"spec": {"ephemeralContainers": [container]}}, "strategic")
    assert answer.json()["spec"]["ephemeralContainers"][0]["name"] == "debug"
    assert answer.json()["metadata"]["generation"] == 2
    assert both.get(path).json()["kind"] == "Pod"


@pytest.mark.parametrize(
    "containers",
    [
        [{"name": "debug", "image": "other"}],
        [{"name": "more", "image": "b", "targetContainerName": "none", "ports": [{"containerPort": 80}]}],
        [{"name": "a", "image": "b"}],
    ],
)
def test_ephemeral_containers_that_are_refused(both: Both, running: str, containers: list[dict[str, Any]]) -> None:
    path = f"{running}/ephemeralcontainers"
    both.patch(path, {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}, "strategic")
    assert both.patch(path, {"spec": {"ephemeralContainers": containers}}, "strategic").status == 422


def test_ephemeral_containers_stay(both: Both, running: str) -> None:
    path = f"{running}/ephemeralcontainers"
    both.patch(path, {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}, "strategic")
    emptied = lambda side: side.last.json() | {"spec": side.last.json()["spec"] | {"ephemeralContainers": []}}  # noqa: E731
    assert message(both.put(path, emptied)).startswith(
        'Pod "e" is invalid: spec.ephemeralContainers: Forbidden: existing'
    )


def test_only_ephemeral_containers_change(both: Both, running: str) -> None:
    patch = {"metadata": {"labels": {"q": "r"}}, "spec": {"activeDeadlineSeconds": 5}}
    pod = both.patch(f"{running}/ephemeralcontainers?fieldManager=d", patch, "strategic").json()
    assert "q" not in pod["metadata"]["labels"]
    assert "activeDeadlineSeconds" not in pod["spec"]


@pytest.fixture
def sized(both: Both) -> str:
    resources = {"requests": {"cpu": "100m"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    containers = [{"name": "a", "image": "b", "resources": resources}, {"name": "c", "image": "d"}]
    return new_pod(both, "sized", containers=containers)


def resize(both: Both, pod: str, *containers: dict[str, Any], **more: Any) -> Any:
    patch = {"spec": {"containers": list(containers), **more.pop("spec", {})}, **more}
    return both.patch(f"{pod}/resize?fieldManager=r", patch, "strategic")


def test_a_resize(both: Both, sized: str) -> None:
    answer = resize(both, sized, {"name": "a", "resources": {"requests": {"cpu": "200m"}, "limits": {"cpu": "2"}}})
    assert answer.json()["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "200m"
    assert answer.json()["metadata"]["generation"] == 2
    assert both.get(f"{sized}/resize").status == 200


def test_only_resources_change_in_a_resize(both: Both, sized: str) -> None:
    container = {"name": "a", "image": "other", "resources": {"requests": {"cpu": "250m"}}}
    answer = resize(both, sized, container, spec={"nodeName": "x"}, metadata={"labels": {"a": "b"}})
    assert answer.json()["spec"]["containers"][0]["image"] == "b"
    assert "labels" not in answer.json()["metadata"]


@pytest.mark.parametrize(
    "container",
    [
        {"name": "new", "image": "q"},
        {"name": "a", "resources": {"requests": {"cpu": "9"}}},
        {"name": "a", "resources": {"requests": {"foo": "9"}}},
        {"name": "a", "resources": {"requests": None, "limits": None}},
        {"name": "a", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]},
    ],
)
def test_resizes_that_are_refused(both: Both, sized: str, container: dict[str, Any]) -> None:
    assert resize(both, sized, container).status == 422


def test_a_resize_keeps_the_class_of_service(both: Both, running: str) -> None:
    answer = resize(both, running, {"name": "a", "resources": {"limits": {"cpu": "2"}}})
    assert message(answer).endswith("Pod QOS Class may not change as a result of resizing")


# ------------------------------------------------------------------ tokens of service accounts


def without_token(document: Any) -> Any:
    document["status"]["token"] = "<token>"
    return document


@pytest.fixture
def robot(both: Both) -> str:
    path = f"/api/v1/namespaces/{both.namespace}/serviceaccounts"
    both.post(path, {"metadata": {"name": "robot"}})
    return f"{path}/robot/token"


def claims(answer: Any) -> dict[str, Any]:
    payload = answer.json()["status"]["token"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return found


def shape(claims: dict[str, Any]) -> dict[str, Any]:
    """What two servers' claims have in common: all but times and ids."""
    start = claims["iat"]
    about = copy.deepcopy(claims["kubernetes.io"])
    for each in about.values():
        if isinstance(each, dict):
            each.pop("uid", None)
    times = {name: claims[name] - start for name in ("exp", "nbf")}
    return {**claims, **times, "iat": 0, "jti": len(claims["jti"]), "kubernetes.io": about}


def request(both: Both, path: str, body: dict[str, Any]) -> Any:
    answer = both.post(path, body, mask=without_token)
    shapes = [shape(claims(side.last)) for side in both.sides]
    assert all(each == shapes[0] for each in shapes)
    return answer


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "TokenRequest", "spec": {}},
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["x", "y"]}},
        {"spec": {"expirationSeconds": 600, "audiences": ["x"]}},
        {"spec": {"expirationSeconds": 3607}},
        {"spec": {"foo": 1}},
        {"metadata": {"name": "robot", "generateName": "x", "labels": {"a": "b"}, "finalizers": ["a/b"], "resourceVersion": "3"}, "status": {"token": "a"}},
    ],
)  # fmt: skip
def test_a_token(both: Both, robot: str, body: dict[str, Any]) -> None:
    answer = request(both, robot, body)
    assert answer.status == 201
    assert claims(answer)["sub"] == f"system:serviceaccount:{both.namespace}:robot"


def test_a_dry_run_of_a_token_is_one(both: Both, robot: str) -> None:
    assert request(both, f"{robot}?dryRun=All&fieldManager=me", {}).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {"spec": {"expirationSeconds": 599}},
        {"spec": {"expirationSeconds": 5000000000}},
        {"metadata": {"name": "other"}},
        {"metadata": {"namespace": "elsewhere"}},
        {"metadata": {"uid": "another"}},
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"},
        {"apiVersion": "authentication.k8s.io/v1beta1", "kind": "TokenRequest"},
        {"spec": {"boundObjectRef": {}}},
        {"spec": {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "x"}}},
        {"spec": {"boundObjectRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "x"}}},
        {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "none"}}},
        {"spec": {"boundObjectRef": {"kind": "Node", "apiVersion": "v1", "name": "none"}}},
        {"spec": {"audiences": "x"}},
    ],
)
def test_tokens_that_are_refused(both: Both, robot: str, body: dict[str, Any]) -> None:
    assert both.post(robot, body).status >= 400


def test_a_token_of_nobody(both: Both) -> None:
    path = f"/api/v1/namespaces/{both.namespace}/serviceaccounts/none/token"
    assert both.post(path, {}).status == 404
    assert both.post("/api/v1/namespaces/none/serviceaccounts/none/token", {}).status == 404
    assert both.get(path).status == 405


def test_a_token_that_is_bound_to_a_secret(both: Both, robot: str) -> None:
    both.post(f"/api/v1/namespaces/{both.namespace}/secrets", {"metadata": {"name": "s"}})
    reference = {"kind": "Secret", "apiVersion": "v1", "name": "s"}
    assert (
        claims(request(both, robot, {"spec": {"boundObjectRef": reference}}))["kubernetes.io"]["secret"]["name"] == "s"
    )
    assert both.post(robot, {"spec": {"boundObjectRef": {**reference, "uid": "another"}}}).status == 409


def test_a_token_that_is_bound_to_a_pod(both: Both, robot: str) -> None:
    new_pod(both, "mine", serviceAccountName="robot", nodeName="n1")
    new_pod(both, "other")
    about = claims(
        request(both, robot, {"spec": {"boundObjectRef": {"kind": "Pod", "name": "mine"}, "expirationSeconds": 3607}})
    )
    assert about["kubernetes.io"]["node"] == {"name": "n1"}
    assert about["exp"] - about["iat"] == 365 * 24 * 3600
    assert both.post(robot, {"spec": {"boundObjectRef": {"kind": "Pod", "name": "other"}}}).status == 400


# ------------------------------------------------------------------ finalize


def finalizing(name: str, *finalizers: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"x": "y"}},
        "spec": {"finalizers": list(finalizers)},
        "status": {"phase": "Foo"},
    }


def test_finalizers_of_a_namespace(both: Both) -> None:
    name = both.unique
    both.post("/api/v1/namespaces", {"metadata": {"name": name}})
    path = f"/api/v1/namespaces/{name}/finalize"
    assert both.put(path, finalizing(name, "a.b/c", "bad name", "foo")).status == 422
    assert both.put(f"{path}?fieldManager=f", finalizing(name, "a.b/c")).json()["spec"] == {"finalizers": ["a.b/c"]}
    assert both.put(path, finalizing("other")).status == 400
    assert both.get(path).status == 405
    assert both.patch(path, {}).status == 405
    both.put(path, finalizing(name), compare=False)


def test_a_namespace_ends_with_its_last_finalizer(both: Both) -> None:
    name = both.unique
    both.post("/api/v1/namespaces", {"metadata": {"name": name}})
    both.put(f"/api/v1/namespaces/{name}/finalize", finalizing(name, "a.b/c"))
    assert both.delete(f"/api/v1/namespaces/{name}").json()["status"] == {"phase": "Terminating"}
    ended = both.put(f"/api/v1/namespaces/{name}/finalize", finalizing(name), mask=without_conditions)
    assert ended.json()["spec"] == {}
    assert both.get(f"/api/v1/namespaces/{name}").status == 404


def without_conditions(document: Any) -> Any:
    """Without what the controller of namespaces writes; the real server of this suite has none."""
    document.get("status", {}).pop("conditions", None)
    metadata = document.get("metadata", {})
    entries = metadata.get("managedFields", ())
    metadata["managedFields"] = [each for each in entries if each["manager"] != "kube-controller-manager"]
    return document


def test_no_namespace_to_finalize(both: Both) -> None:
    assert both.put("/api/v1/namespaces/none/finalize", finalizing("none")).status == 404


# ------------------------------------------------------------------ what needs a kubelet


@pytest.fixture
def waiting(both: Both) -> str:
    return new_pod(both, "w", containers=[{"name": "a", "image": "b"}, {"name": "c", "image": "b"}])


@pytest.mark.parametrize("below", ["log", "exec?command=ls", "attach", "portforward", "proxy", "proxy/a/b"])
def test_pods_that_are_not_there(both: Both, below: str) -> None:
    assert both.get(f"{pods(both)}/none/{below}").status == 404


@pytest.mark.parametrize(
    "below",
    ["log", "log?container=none", "exec?command=ls", "exec?container=a", "exec?container=none", "attach?container=a&stdout=1",
     "portforward", "proxy", "proxy/a/b?c=d"],
)  # fmt: skip
def test_a_pod_that_is_nowhere(both: Both, waiting: str, below: str) -> None:
    assert both.get(f"{waiting}/{below}").status == 400


def test_the_log_of_what_did_not_start(both: Both, waiting: str) -> None:
    answer = both.get(f"{waiting}/log?container=a")
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    "query",
    ["sinceSeconds=-1", "tailLines=-5&limitBytes=0&sinceSeconds=0", "sinceSeconds=5&sinceTime=2020-01-01T00:00:00Z",
     "stream=Foo", "sinceSeconds=abc", "sinceTime=abc&container=a", "follow=x&container=a&previous=1"],
)  # fmt: skip
def test_options_of_a_log(both: Both, waiting: str, query: str) -> None:
    both.get(f"{waiting}/log?{query}")


@pytest.mark.parametrize(
    ("method", "below"), [("POST", "log"), ("DELETE", "exec"), ("PUT", "attach"), ("PATCH", "portforward")]
)
def test_methods_that_a_connection_does_not_have(both: Both, waiting: str, method: str, below: str) -> None:
    assert both.request(method, f"{waiting}/{below}").status == 405


@pytest.mark.parametrize("below", ["log", "exec?command=ls", "attach", "portforward", "proxy"])
def test_a_pod_on_a_node_that_is_not_there(both: Both, running: str, below: str) -> None:
    assert both.get(f"{running}/{below}").status in (400, 404)


@pytest.mark.parametrize("below", ["log", "exec?command=ls&stdout=1", "attach?stdout=1", "portforward", "proxy"])
def test_a_pod_on_a_node_without_an_address(both: Both, below: str) -> None:
    node = both.unique
    both.post("/api/v1/nodes", {"metadata": {"name": node}}, compare=False)
    pod = new_pod(both, "n", nodeName=node)
    assert both.get(f"{pod}/{below}").status in (400, 500)
    assert both.get(f"/api/v1/nodes/{node}/proxy").status == 500


@pytest.mark.parametrize(
    "below", ["log?tailLines=3&follow=1", "exec?command=ls&stdout=1", "attach?stdout=1", "portforward"]
)
def test_a_pod_on_a_node_where_nobody_listens(both: Both, below: str) -> None:
    node = both.unique
    both.post("/api/v1/nodes", {"metadata": {"name": node}}, compare=False)
    ends = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
    }
    both.patch(f"/api/v1/nodes/{node}/status", {"status": ends}, compare=False)
    pod = new_pod(both, "n", nodeName=node)
    assert both.get(f"{pod}/{below}").status in (400, 500)
    assert both.get(f"/api/v1/nodes/{node}/proxy").status == 400


@pytest.mark.parametrize("name", ["none", "none:80", "a:b:c:d", "ftp:w:80"])
@pytest.mark.parametrize("plural", ["pods", "services"])
def test_proxies_to_nothing(both: Both, plural: str, name: str) -> None:
    assert both.get(f"/api/v1/namespaces/{both.namespace}/{plural}/{name}/proxy/x").status in (400, 404)


@pytest.mark.parametrize("name", ["svc", "svc:80", "svc:90", "http:svc:80"])
def test_proxies_to_a_service_without_endpoints(both: Both, name: str) -> None:
    path = f"/api/v1/namespaces/{both.namespace}/services"
    both.post(path, {"metadata": {"name": "svc"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}})
    assert both.get(f"{path}/{name}/proxy/x").status in (404, 503)
