"""Admission that knows kinds, over objects that need no server; the words are a real kube-apiserver's."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin import admission
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.statuses import StatusError

CONTAINER = {"name": "c", "image": "i"}


@dataclass
class Stored:
    """What there is, by resource."""

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def get(self, resource: GroupResource, namespace: str, name: str) -> dict[str, Any] | None:
        found = (each for each in self.list(resource, namespace or None) if each["metadata"]["name"] == name)
        return next(iter(found), None)

    def list(self, resource: GroupResource, namespace: str | None) -> Iterable[dict[str, Any]]:
        return [
            each
            for each in self.objects.get(resource.resource, [])
            if namespace in (None, each["metadata"].get("namespace"))
        ]


@dataclass
class Wanted:
    """A request."""

    about: GroupResource
    obj: dict[str, Any] | None
    old: dict[str, Any] | None = None
    operation: str = "CREATE"
    subresource: str = ""
    namespace: str = "n"

    def refuse(self, problem: str) -> StatusError:
        assert self.obj is not None
        return statuses.forbidden(self.about, self.obj["metadata"]["name"], problem)


def admitted(
    resource: str, obj: dict[str, Any], *, group: str = "", old: dict[str, Any] | None = None, **stored: Any
) -> Any:
    """An object after admission; or why it was refused."""
    wanted = Wanted(GroupResource(group, resource), copy.deepcopy(obj), old, "UPDATE" if old else "CREATE")
    [plugin] = admission.plugins(Stored(stored))
    try:
        plugin.admit(wanted)
        plugin.validate(wanted)
    except StatusError as error:
        return str(error.status["message"])
    return wanted.obj


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [CONTAINER], **spec}}


def limits(*found: dict[str, Any]) -> dict[str, Any]:
    return {"limitranges": [{"metadata": {"name": "l", "namespace": "n"}, "spec": {"limits": list(found)}}]}


def of_resources(**resources: Any) -> dict[str, Any]:
    return pod(containers=[{**CONTAINER, "resources": resources}])


class TestPods:
    def test_what_troubles_of_nodes_it_bears(self) -> None:
        found = admitted("pods", pod())["spec"]["tolerations"]
        assert [(each["key"], each["tolerationSeconds"]) for each in found] == [
            ("node.kubernetes.io/not-ready", 300),
            ("node.kubernetes.io/unreachable", 300),
        ]

    def test_not_where_it_says_so_itself(self) -> None:
        own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
        found = admitted("pods", pod(tolerations=[own]))["spec"]["tolerations"]
        assert [each["key"] for each in found] == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        assert len(admitted("pods", pod(tolerations=[{"operator": "Exists"}]))["spec"]["tolerations"]) == 1

    @pytest.mark.parametrize(
        ("spec", "priority", "policy"),
        [
            ({}, 0, "PreemptLowerPriority"),
            ({"priorityClassName": "high"}, 1000, "Never"),
            ({"priorityClassName": "high", "priority": 1000}, 1000, "Never"),
        ],
    )
    def test_priority(self, spec: dict[str, Any], priority: int, policy: str) -> None:
        classes = [{"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}]
        found = admitted("pods", pod(**spec), priorityclasses=classes)["spec"]
        assert (found["priority"], found["preemptionPolicy"]) == (priority, policy)

    def test_priority_by_default(self) -> None:
        classes = [
            {"metadata": {"name": "a"}, "value": 10, "globalDefault": True, "preemptionPolicy": "Never"},
            {"metadata": {"name": "b"}, "value": 5, "globalDefault": True},
        ]
        found = admitted("pods", pod(), priorityclasses=classes)["spec"]
        assert (found["priority"], found["priorityClassName"]) == (5, "b")

    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            ({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
            (
                {"priority": 7},
                "the integer value of priority (7) must not be provided in pod spec; priority admission controller "
                "computed 0 from the given PriorityClass name",
            ),
            (
                {"preemptionPolicy": "Never"},
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission "
                "controller computed PreemptLowerPriority from the given PriorityClass name",
            ),
        ],
    )
    def test_bad_priority(self, spec: dict[str, Any], problem: str) -> None:
        assert admitted("pods", pod(**spec)) == f'pods "p" is forbidden: {problem}'

    def test_a_runtime(self) -> None:
        about = {
            "metadata": {"name": "r"},
            "overhead": {"podFixed": {"cpu": "1"}},
            "scheduling": {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}]},
        }
        found = admitted("pods", pod(runtimeClassName="r"), runtimeclasses=[about])["spec"]
        assert (found["overhead"], found["nodeSelector"]) == ({"cpu": "1"}, {"a": "b"})
        assert {"key": "k", "operator": "Exists"} in found["tolerations"]
        other = pod(runtimeClassName="r", nodeSelector={"a": "c"})
        assert admitted("pods", other, runtimeclasses=[about]) == (
            'pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c'
        )
        assert "runtimeclass" in admitted("pods", pod(runtimeClassName="none")).lower()
        assert admitted("pods", pod(overhead={"cpu": "1"})) == (
            'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
        )


class TestLimits:
    def test_they_fill_in(self) -> None:
        usual = {"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}}
        found = admitted("pods", pod(), **limits(usual))
        assert found["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}
        assert found["metadata"]["annotations"] == {
            "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
        }

    @pytest.mark.parametrize(
        ("limit", "asked", "problem"),
        [
            ({"min": {"cpu": "2"}}, {}, "minimum cpu usage per Container is 2.  No request is specified"),
            (
                {"min": {"cpu": "2"}},
                {"requests": {"cpu": "1"}},
                "minimum cpu usage per Container is 2, but request is 1",
            ),
            ({"max": {"cpu": "2"}}, {}, "maximum cpu usage per Container is 2.  No limit is specified"),
            ({"max": {"cpu": "2"}}, {"limits": {"cpu": "3"}}, "maximum cpu usage per Container is 2, but limit is 3"),
            (
                {"maxLimitRequestRatio": {"cpu": "2"}},
                {"limits": {"cpu": "3"}, "requests": {"cpu": "1"}},
                "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
            ),
            (
                {"maxLimitRequestRatio": {"cpu": "2"}},
                {"limits": {"cpu": "3"}},
                "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
            ),
        ],
    )
    def test_they_refuse(self, limit: dict[str, Any], asked: dict[str, Any], problem: str) -> None:
        refused = admitted("pods", of_resources(**asked), **limits({"type": "Container", **limit}))
        assert refused == f'pods "p" is forbidden: {problem}'

    def test_of_a_whole_pod(self) -> None:
        two = pod(containers=[{**CONTAINER, "resources": {"limits": {"cpu": "2"}}}] * 2)
        refused = admitted("pods", two, **limits({"type": "Pod", "max": {"cpu": "3"}}))
        assert refused == 'pods "p" is forbidden: maximum cpu usage per Pod is 3, but limit is 4'

    def test_of_claims(self) -> None:
        claim = {"metadata": {"name": "c", "namespace": "n"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}}
        limit = {"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}}
        refused = admitted("persistentvolumeclaims", claim, **limits(limit))
        assert refused == (
            'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request '
            "is 5Gi"
        )


CLAIM = {"metadata": {"name": "c", "namespace": "n"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}


class TestStorage:
    @staticmethod
    def classes(*names: str, created: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        found = [{"metadata": {"name": name, "annotations": default, "creationTimestamp": created}} for name in names]
        return {"storageclasses": found}

    def test_a_claim_is_protected(self) -> None:
        assert admitted("persistentvolumeclaims", CLAIM)["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]

    def test_the_class_by_default(self) -> None:
        found = admitted("persistentvolumeclaims", CLAIM, **self.classes("b", "a"))
        assert found["spec"]["storageClassName"] == "a"
        none = {**CLAIM, "spec": {**CLAIM["spec"], "storageClassName": ""}}
        assert admitted("persistentvolumeclaims", none, **self.classes("a"))["spec"]["storageClassName"] == ""

    def test_what_may_grow(self) -> None:
        def claim(size: str) -> dict[str, Any]:
            spec = {"resources": {"requests": {"storage": size}}, "storageClassName": "s"}
            return {"metadata": {"name": "c", "namespace": "n"}, "spec": spec, "status": {"phase": "Bound"}}

        fixed, elastic = ({"metadata": {"name": "s"}, "allowVolumeExpansion": value} for value in (False, True))
        old = claim("1Gi")
        refused = admitted("persistentvolumeclaims", claim("2Gi"), old=old, storageclasses=[fixed])
        assert refused == (
            'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass '
            "that provisions the pvc must support resize"
        )
        assert not isinstance(admitted("persistentvolumeclaims", claim("2Gi"), old=old, storageclasses=[elastic]), str)


def test_a_new_node_is_not_ready() -> None:
    node = admitted("nodes", {"metadata": {"name": "n"}, "spec": {}})
    assert node["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


def test_the_ingress_class_by_default() -> None:
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    classes = [{"metadata": {"name": "c", "annotations": default}}]
    ingress = {"metadata": {"name": "i", "namespace": "n"}, "spec": {}}
    found = admitted("ingresses", ingress, group="networking.k8s.io", ingressclasses=classes)
    assert found["spec"]["ingressClassName"] == "c"
    annotated = {**ingress, "metadata": {**ingress["metadata"], "annotations": {"kubernetes.io/ingress.class": "x"}}}
    found = admitted("ingresses", annotated, group="networking.k8s.io", ingressclasses=classes)
    assert "ingressClassName" not in found["spec"]


def test_one_priority_class_is_the_default() -> None:
    first = {"metadata": {"name": "a"}, "value": 1, "globalDefault": True}
    second = {"metadata": {"name": "b"}, "value": 2, "globalDefault": True}
    refused = admitted("priorityclasses", second, group="scheduling.k8s.io", priorityclasses=[first])
    assert refused == (
        'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as default. Only one '
        "default can exist"
    )
