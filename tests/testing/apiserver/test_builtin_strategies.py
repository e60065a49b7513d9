"""Strategies of built-in kinds, asked one by one; what they answer is a real kube-apiserver's (see also `kindcases`)."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from dynkube.schema import GroupKind, GroupVersion
from dynkube.testing.apiserver import builtin
from dynkube.testing.apiserver.builtin.sent import as_sent, sent_at
from dynkube.testing.apiserver.decoding import gotypes
from dynkube.testing.apiserver.words.resources import Strategy

CONTAINER = {"name": "c", "image": "i:1"}
UID = "3f0c2b7e-9f0a-4a3a-8f38-3b8f5a0c1d2e"


def strategy(api_version: str, kind: str) -> Strategy:
    return builtin.strategy_for(GroupKind(GroupVersion.parse(api_version).group, kind))


def decoded(obj: dict[str, Any]) -> dict[str, Any]:
    """An object as a body is read, defaulted."""
    found = copy.deepcopy(obj)
    version = GroupVersion.parse(obj["apiVersion"])
    of = strategy(obj["apiVersion"], obj["kind"])
    found.setdefault("metadata", {})
    of.normalize(found, version)
    of.default(found, version)
    return found


def created(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    """An object as it is stored, if nothing is wrong with it."""
    metadata = {"name": "a", "namespace": "n", "uid": UID, **fields.pop("metadata", {})}
    obj = decoded({"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields})
    of = strategy(api_version, kind)
    of.prepare_for_create(obj)
    assert [str(error) for error in of.validate(obj)] == []
    return obj


def updated(old: dict[str, Any], subresource: str = "", **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """An object after an update that sets fields, and what is wrong with it."""
    obj = decoded({**copy.deepcopy(old), **fields})
    of = strategy(old["apiVersion"], old["kind"])
    before = copy.deepcopy(old)
    of.prepare_for_update(obj, before, subresource)
    problems = [str(error) for error in of.validate_update(obj, before, subresource)]
    assert before == old
    return obj, problems


def pod(**spec: Any) -> dict[str, Any]:
    return created("v1", "Pod", spec={"containers": [CONTAINER], **spec})


def workload(api_version: str, kind: str, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}
    return created(api_version, kind, spec={"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec})


# ------------------------------------------------------------------ which there are


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from dynkube.testing.apiserver import builtin; from dynkube.schema import GroupKind\n"
        "kinds = [builtin.strategy_for(GroupKind('', name)) for name in ('Pod', 'Service', 'ConfigMap')]\n"
        "rooms = lambda: {m.split('.')[4] for m in sys.modules if m.startswith('dynkube.testing.apiserver.builtin.')}\n"
        "assert not rooms() & {'pod', 'services', 'configuration', 'apps', 'batch', 'storage'}, rooms()\n"
        "kinds[2].validate({'metadata': {}})\n"
        "assert 'configuration' in rooms() and 'pod' not in rooms()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_kind_has_one_strategy_for_all_versions() -> None:
    assert strategy("autoscaling/v1", "HorizontalPodAutoscaler") is strategy(
        "autoscaling/v2", "HorizontalPodAutoscaler"
    )


def test_a_kind_that_is_stored_as_it_is_sent() -> None:
    found = strategy("example.dev/v1", "Unheard")
    obj = {"apiVersion": "example.dev/v1", "kind": "Unheard", "metadata": {}, "spec": {"a": [{}]}}
    found.default(obj, GroupVersion("example.dev", "v1"))
    found.prepare_for_create(obj)
    assert (list(found.validate(obj)), obj["spec"]) == ([], {"a": [{}]})


@pytest.mark.parametrize(
    ("api_version", "kind", "has_status", "has_generation"),
    [
        ("v1", "Pod", True, True),
        ("v1", "ConfigMap", False, False),
        ("v1", "Service", True, False),
        ("v1", "Namespace", True, False),
        ("apps/v1", "Deployment", True, True),
        ("batch/v1", "CronJob", True, True),
        ("networking.k8s.io/v1", "Ingress", True, True),
        ("networking.k8s.io/v1", "NetworkPolicy", False, True),
        ("rbac.authorization.k8s.io/v1", "Role", False, False),
    ],
)
def test_what_kinds_have(api_version: str, kind: str, has_status: bool, has_generation: bool) -> None:
    found = strategy(api_version, kind)
    assert (found.has_status, found.has_generation) == (has_status, has_generation)


# ------------------------------------------------------------------ pods


class TestPods:
    def test_defaults(self) -> None:
        spec = pod()["spec"]
        assert spec == {
            "containers": [
                {
                    **CONTAINER,
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "enableServiceLinks": True,
        }

    @pytest.mark.parametrize(
        ("spec", "requested", "seconds"),
        [
            ({}, None, 0),
            ({}, 60, 0),
            ({"nodeName": "n"}, None, 30),
            ({"nodeName": "n"}, 5, 5),
            ({"nodeName": "n", "terminationGracePeriodSeconds": 0}, None, 0),
            ({"nodeName": "n", "terminationGracePeriodSeconds": 90}, None, 90),
        ],
    )
    def test_grace(self, spec: dict[str, Any], requested: int | None, seconds: int) -> None:
        assert strategy("v1", "Pod").grace_period(pod(**spec), requested) == seconds

    @pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
    def test_one_that_ended_needs_no_grace(self, phase: str) -> None:
        ended = {**pod(nodeName="n"), "status": {"phase": phase}}
        assert strategy("v1", "Pod").grace_period(ended, None) == 0

    def test_fields_to_select_by(self) -> None:
        found = strategy("v1", "Pod").selectable_fields({**pod(nodeName="n"), "status": {"phase": "Running"}})
        assert found == {
            "spec.nodeName": "n",
            "spec.restartPolicy": "Always",
            "spec.schedulerName": "default-scheduler",
            "spec.serviceAccountName": "",
            "spec.hostNetwork": "false",
            "status.phase": "Running",
            "status.podIP": "",
            "status.nominatedNodeName": "",
        }

    def test_owned_by_no_writer(self) -> None:
        found = strategy("v1", "Pod")
        assert found.reset_fields("") == (("status",),)
        assert found.reset_fields("status")[0] == ("spec",)

    def test_a_change_is_shown_as_go_prints_its_own_values(self) -> None:
        old = pod()
        _, [problem] = updated(old, spec={**old["spec"], "nodeSelector": {"b": "1", "a": "2"}, "subdomain": "s"})
        assert problem.startswith("spec: Forbidden: pod updates may not change fields other than ")
        shown = problem.partition("\n")[2]
        assert '- "NodeSelector": null,\n+ "NodeSelector": {\n+  "a": "2",\n+  "b": "1"\n+ },\n' in shown

    def test_what_is_there_and_empty_is_shown_so(self) -> None:
        old = pod()
        changed = {**old["spec"], "hostname": "h", "nodeSelector": {}, "volumes": []}
        _, [problem] = updated(old, spec=changed)
        assert '- "NodeSelector": null,\n+ "NodeSelector": {},\n' in problem
        assert '- "Volumes": null,\n+ "Volumes": [],\n' in problem

    def test_what_is_there_and_empty_alone_is_no_change(self) -> None:
        old = pod()
        obj, problems = updated(old, spec={**old["spec"], "nodeSelector": {}, "tolerations": []})
        assert (problems, obj["metadata"]["generation"]) == ([], 1)


# ------------------------------------------------------------------ workloads


@pytest.mark.parametrize(
    ("api_version", "kind", "more"),
    [
        ("apps/v1", "Deployment", {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}),
        ("apps/v1", "ReplicaSet", {"replicas": 1}),
        ("apps/v1", "StatefulSet", {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"}),
        ("apps/v1", "DaemonSet", {"revisionHistoryLimit": 10}),
    ],
)
def test_defaults_of_workloads(api_version: str, kind: str, more: dict[str, Any]) -> None:
    spec = workload(api_version, kind)["spec"]
    assert {name: spec[name] for name in more} == more
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 30


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_generations_of_workloads(kind: str) -> None:
    old = workload("apps/v1", kind)
    assert old["metadata"]["generation"] == 1
    same, _ = updated(old, metadata={**old["metadata"], "labels": {"a": "b"}})
    changed, _ = updated(old, spec={**old["spec"], "minReadySeconds": 3})
    of_status, _ = updated(old, "status", spec={**old["spec"], "minReadySeconds": 3})
    generations = [each["metadata"]["generation"] for each in (same, changed, of_status)]
    assert generations == [1, 2, 1]
    assert "minReadySeconds" not in of_status["spec"]


def test_annotations_of_a_deployment_count() -> None:
    old = workload("apps/v1", "Deployment")
    changed, _ = updated(old, metadata={**old["metadata"], "annotations": {"a": "b"}})
    assert changed["metadata"]["generation"] == 2


def test_a_job_knows_its_pods() -> None:
    job = created("batch/v1", "Job", spec={"template": {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}})
    uid = {"batch.kubernetes.io/controller-uid": UID}
    assert job["spec"]["selector"] == {"matchLabels": uid}
    labels = {**uid, "controller-uid": UID, "batch.kubernetes.io/job-name": "a", "job-name": "a"}
    assert (job["spec"]["template"]["metadata"]["labels"], job["metadata"]["labels"]) == (labels, labels)


# ------------------------------------------------------------------ configuration


class TestImmutable:
    def test_an_empty_map_is_not_none_of_them(self) -> None:
        old = created("v1", "Secret", immutable=True)
        problem = "data: Forbidden: field is immutable when `immutable` is set"
        assert updated(old, data={})[1] == [problem]
        assert updated(old)[1] == []

    def test_but_for_the_data_of_a_config_map(self) -> None:
        old = created("v1", "ConfigMap", immutable=True)
        assert updated(old, data={})[1] == []
        assert updated(old, binaryData={})[1] != []

    def test_what_one_object_had_is_not_anothers(self) -> None:
        old = created("v1", "Secret", immutable=True)
        updated(created("v1", "Secret"), data={})
        assert updated(old)[1] == []


def test_text_of_a_secret_becomes_data() -> None:
    secret = created("v1", "Secret", stringData={"a": "é"}, data={"a": "eA==", "b": "eQ=="})
    assert secret["data"] == {"a": "w6k=", "b": "eQ=="}
    assert strategy("v1", "Secret").selectable_fields(secret) == {"type": "Opaque"}


def test_parts_as_they_were_sent() -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "c", "command": []}]}}
    obj = decoded(body)
    assert "command" not in obj["spec"]["containers"][0]
    assert as_sent(obj["spec"], "spec")["containers"][0]["command"] == []
    assert sent_at(None, "spec.containers[0].command") == []
    assert sent_at(None, "spec.containers[0].args") is None
    assert "command" not in obj["spec"]["containers"][0]
    gotypes().normalize({"metadata": {}}, "io.k8s.api.core.v1.Pod")
    assert sent_at(None, "spec.containers[0].command") == []  # of the request, until the next is defaulted
    decoded({"apiVersion": "v1", "kind": "Pod"})
    assert sent_at(None, "spec.containers[0].command") is None


# ------------------------------------------------------------------ versions

TARGET = {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}
ON_PODS = {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "5"}}}
ON_CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}


class TestAutoscalers:
    def test_what_v1_cannot_say_is_in_annotations(self) -> None:
        spec = {"scaleTargetRef": TARGET, "maxReplicas": 3, "metrics": [ON_CPU, ON_PODS]}
        new = created("autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)
        old = strategy("autoscaling/v1", "HorizontalPodAutoscaler").convert(new, GroupVersion("autoscaling", "v1"))
        assert old["spec"]["targetCPUUtilizationPercentage"] == 80
        assert old["metadata"]["annotations"] == {
            "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"5"}}]'
        }

    @pytest.mark.parametrize(
        "spec",
        [
            {},
            {"metrics": [ON_PODS]},
            {"metrics": [ON_PODS, ON_CPU], "behavior": {"scaleUp": {"selectPolicy": "Min"}}},
            {"minReplicas": 2},
        ],
    )
    def test_there_and_back_again(self, spec: dict[str, Any]) -> None:
        of = strategy("autoscaling/v2", "HorizontalPodAutoscaler")
        new = created(
            "autoscaling/v2", "HorizontalPodAutoscaler", spec={"scaleTargetRef": TARGET, "maxReplicas": 3, **spec}
        )
        old = of.convert(copy.deepcopy(new), GroupVersion("autoscaling", "v1"))
        assert old["apiVersion"] == "autoscaling/v1"
        assert of.convert(old, GroupVersion("autoscaling", "v2")) == new


def test_events_of_two_groups() -> None:
    of = strategy("v1", "Event")
    about = {"kind": "Pod", "name": "p", "namespace": "n"}
    core = created("v1", "Event", involvedObject=about, reason="R", message="m", type="Normal", count=2)
    new = of.convert(copy.deepcopy(core), GroupVersion("events.k8s.io", "v1"))
    assert (new["regarding"], new["note"], new["deprecatedCount"]) == (about, "m", 2)
    assert of.convert(new, GroupVersion("", "v1")) == core
