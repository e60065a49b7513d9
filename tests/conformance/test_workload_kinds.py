"""Pods and what runs them: defaults, refusals, what may not change, status apart, warnings; the same on both servers."""

from __future__ import annotations

from typing import Any

import pytest
from both import Both
from kinds import CONTAINER, SELECTOR, Kind, causes, setting, template, together, warnings

IMMUTABLE = "field is immutable"


@pytest.fixture
def pods(both: Both) -> Kind:
    return Kind(both, "v1", "Pod", "pods")


@pytest.fixture
def deployments(both: Both) -> Kind:
    return Kind(both, "apps/v1", "Deployment", "deployments")


@pytest.fixture
def replica_sets(both: Both) -> Kind:
    return Kind(both, "apps/v1", "ReplicaSet", "replicasets")


@pytest.fixture
def stateful_sets(both: Both) -> Kind:
    return Kind(both, "apps/v1", "StatefulSet", "statefulsets")


@pytest.fixture
def daemon_sets(both: Both) -> Kind:
    return Kind(both, "apps/v1", "DaemonSet", "daemonsets")


@pytest.fixture
def jobs(both: Both) -> Kind:
    return Kind(both, "batch/v1", "Job", "jobs")


@pytest.fixture
def cron_jobs(both: Both) -> Kind:
    return Kind(both, "batch/v1", "CronJob", "cronjobs")


def running(**spec: Any) -> dict[str, Any]:
    """The spec of a workload whose pods have the labels of `template`."""
    return {"selector": SELECTOR, "template": template(), **spec}


# ------------------------------------------------------------------ pods

# What a pod may have, all of it fine.
RICH: dict[str, Any] = {
    "containers": [
        {
            "name": "web",
            "image": "registry.example/web",
            "command": ["serve"],
            "args": ["--port", "80"],
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B"},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
            "envFrom": [{"prefix": "X_", "configMapRef": {"name": "c", "optional": True}}],
            "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 443, "protocol": "TCP", "hostPort": 443}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.5"}},
            "livenessProbe": {"httpGet": {"port": "http"}},
            "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 5},
            "startupProbe": {"grpc": {"port": 80}},
            "lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/stop"}}},
            "volumeMounts": [{"name": "config", "mountPath": "/config", "readOnly": True}],
            "securityContext": {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}, "privileged": False},
        }
    ],
    "initContainers": [{"name": "before", "image": "registry.example/before:latest", "restartPolicy": "Always"}],
    "volumes": [
        {"name": "config", "configMap": {"name": "c", "items": [{"key": "a", "path": "a.txt"}]}},
        {"name": "secret", "secret": {"secretName": "s"}},
        {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "host", "hostPath": {"path": "/var/log"}},
        {"name": "about", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"secret": {"name": "s"}}]}},
        {"name": "own", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
    ],
    "serviceAccountName": "robot",
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}}]}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": "b"}}}],
    "securityContext": {"fsGroup": 1, "seccompProfile": {"type": "RuntimeDefault"}},
    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
}  # fmt: skip

QOS = {
    "BestEffort": {},
    "Burstable": {"requests": {"cpu": "1"}},
    "Guaranteed": {"limits": {"cpu": "1", "memory": "1Gi"}},
}

# What is wrong with a pod's only container, or with its spec.
BAD_CONTAINERS: dict[str, dict[str, Any]] = {
    "no name": {"name": ""},
    "a bad name": {"name": "A_b"},
    "no image": {"image": ""},
    "an image with spaces": {"image": " a "},
    "a bad policy": {"imagePullPolicy": "Sometimes"},
    "a port too high": {"ports": [{"containerPort": 70000}, {"containerPort": 0, "protocol": "HTTP", "name": "A_"}]},
    "ports of one name": {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
    "variables with bad names": {"env": [{"name": "a=b"}, {"name": ""}, {"name": "ok"}]},
    "a variable from nowhere": {"env": [{"name": "A", "valueFrom": {}}]},
    "a variable from two places": {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
    "a field that there is not": {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nothing"}}}]},
    "more asked for than allowed": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
    "a resource without a domain": {"resources": {"limits": {"gpu": "1"}}},
    "a part of a device": {"resources": {"limits": {"example.com/gpu": "1.5"}}},
    "a negative amount": {"resources": {"requests": {"memory": "-1"}}},
    "a mount of nothing": {"volumeMounts": [{"name": "none", "mountPath": "/a"}]},
    "two mounts at one place": {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}]},
    "a path that leads out": {"volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "../b"}]},
    "a probe that does nothing": {"livenessProbe": {}},
    "a probe that does too much": {"readinessProbe": {"tcpSocket": {"port": 1}, "exec": {"command": ["a"]}}},
    "a probe with bad times": {"livenessProbe": {"tcpSocket": {"port": 0}, "periodSeconds": -1, "successThreshold": 2}},
    "privileged and not": {"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}},
    "a bad user": {"securityContext": {"runAsUser": -1}},
    "a hook without an action": {"lifecycle": {"postStart": {}}},
    "a bad message policy": {"terminationMessagePolicy": "Never"},
}  # fmt: skip
BAD_SPECS: dict[str, dict[str, Any]] = {
    "no containers": {"containers": []},
    "two containers of one name": {"containers": [CONTAINER, CONTAINER]},
    "a bad restart policy": {"restartPolicy": "Sometimes"},
    "a bad DNS policy": {"dnsPolicy": "None"},
    "a negative deadline": {"activeDeadlineSeconds": 0},
    "two volumes of one name": {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]},
    "a volume of two types": {"volumes": [{"name": "a", "emptyDir": {}, "hostPath": {"path": "/a"}}]},
    "a volume of no claim": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": ""}}]},
    "a host's path that leads out": {"volumes": [{"name": "a", "hostPath": {"path": "/a/../b", "type": "Thing"}}]},
    "a bad toleration": {"tolerations": [{"operator": "Equal"}, {"key": "a b", "effect": "NoWay"}]},
    "a bad selector of nodes": {"nodeSelector": {"a b": "-"}},
    "a node name": {"nodeName": "A_"},
    "affinity to nothing": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}},
    "a host's port of its own network": {"hostNetwork": True, "containers": [{**CONTAINER, "ports": [{"containerPort": 1, "hostPort": 2}]}]},
    "the host's processes, shared": {"hostPID": True, "shareProcessNamespace": True},
    "a bad host name": {"hostname": "A.b", "subdomain": "-"},
    "a priority of its own": {"priority": 7},
    "a class that there is not": {"priorityClassName": "none"},
    "sysctls": {"securityContext": {"sysctls": [{"name": "A b", "value": "1"}]}},
    "ephemeral containers": {"ephemeralContainers": [{"name": "e", "image": "e"}]},
    "a gate and a node": {"schedulingGates": [{"name": "a/b"}], "nodeName": "n"},
    "spread over nothing": {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "Never"}]},
}  # fmt: skip
WARNED: dict[str, dict[str, Any]] = {
    "a variable that is set twice": {"containers": [{**CONTAINER, "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]},
    "a port that is there twice": {"containers": [{**CONTAINER, "ports": [{"containerPort": 1}, {"containerPort": 1}]}]},
    "a thousandth of a byte": {"containers": [{**CONTAINER, "resources": {"requests": {"memory": "1100m"}}}]},
    "a label of nodes that was": {"nodeSelector": {"beta.kubernetes.io/os": "linux"}},
    "a secret without a name": {"imagePullSecrets": [{"name": ""}]},
    "an alias that is there twice": {"hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}, {"ip": "1.2.3.4", "hostnames": ["b"]}]},
    "paths that overlap": {"volumes": [{"name": "a", "projected": {"sources": [{"secret": {"name": "x", "items": [{"key": "k", "path": "p"}]}}, {"secret": {"name": "y", "items": [{"key": "k", "path": "p"}]}}]}}]},
    "spread twice the same way": {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]},
    "a disk that was": {"volumes": [{"name": "a", "gitRepo": {"repository": "r"}}]},
}  # fmt: skip


class TestPods:
    def test_defaults(self, pods: Kind) -> None:
        made = pods.create(spec={"containers": [{"name": "a", "image": "a"}]}).json()
        assert made["spec"]["restartPolicy"] == "Always"
        assert made["spec"]["terminationGracePeriodSeconds"] == 30
        assert made["spec"]["containers"][0]["imagePullPolicy"] == "Always"
        assert [each["tolerationSeconds"] for each in made["spec"]["tolerations"]] == [300, 300]
        assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
        assert made["metadata"]["generation"] == 1

    def test_defaults_of_all_that_there_is(self, pods: Kind) -> None:
        made = pods.create(spec=RICH).json()
        assert made["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
        assert made["spec"]["volumes"][0]["configMap"]["defaultMode"] == 420
        pods.get()

    @pytest.mark.parametrize("quality", QOS)
    def test_quality_of_service(self, pods: Kind, quality: str) -> None:
        made = pods.create(spec={"containers": [{**CONTAINER, "resources": QOS[quality]}]})
        assert made.json()["status"]["qosClass"] == quality

    @pytest.mark.parametrize("what", BAD_CONTAINERS)
    def test_refused_for_a_container(self, pods: Kind, what: str) -> None:
        volumes = [{"name": "v", "emptyDir": {}}]
        assert pods.create(spec={"containers": [CONTAINER | BAD_CONTAINERS[what]], "volumes": volumes}).status == 422

    @pytest.mark.parametrize("what", BAD_SPECS)
    def test_refused(self, pods: Kind, what: str) -> None:
        answer = pods.create(spec={"containers": [CONTAINER], **BAD_SPECS[what]})
        assert answer.status in {403, 422}

    @pytest.mark.parametrize("what", WARNED)
    def test_warned_of(self, pods: Kind, what: str) -> None:
        pods.create(spec={"containers": [CONTAINER], **WARNED[what]})

    def test_a_port_twice_is_warned_of(self, pods: Kind) -> None:
        said = warnings(pods.create(spec=WARNED["a port that is there twice"]))
        assert len(said) == 1
        assert "duplicate port definition" in said[0]

    def test_an_empty_pod(self, pods: Kind) -> None:
        assert causes(pods.create()) == [("spec.containers", "Required value")]

    def test_status_of_a_new_pod_is_the_servers(self, pods: Kind) -> None:
        made = pods.create(spec={"containers": [CONTAINER]}, status={"phase": "Running", "podIP": "1.2.3.4"}).json()
        assert made["status"]["phase"] == "Pending"

    def test_a_new_image_is_a_new_generation(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        assert pods.change(setting("spec/containers/0/image", "b:2")).json()["metadata"]["generation"] == 2
        assert pods.change(setting("metadata/labels", {"a": "b"})).json()["metadata"]["generation"] == 2

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("spec/hostname", "h"),
            ("spec/containers/0/command", ["a"]),
            ("spec/containers/0/env", []),
            ("spec/nodeName", "n"),
            ("spec/volumes", [{"name": "a", "emptyDir": {}}]),
            ("spec/terminationGracePeriodSeconds", 1),
            ("spec/tolerations", []),
            ("spec/containers/0/name", "other"),
            ("spec/containers/0/image", ""),
            ("spec/containers/0", {"name": "x", "image": "<x>", "ports": [], "args": ["é"]}),
        ],
    )
    def test_what_may_not_change(self, pods: Kind, path: str, value: Any) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        pods.change(setting(path, value))

    def test_what_may_not_change_is_shown(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        [(field, said)] = causes(pods.change(setting("spec/hostname", "h")))
        assert field == "spec"
        assert said.startswith("Forbidden: pod updates may not change fields other than `spec.containers[*].image`")
        assert '- "Hostname": "",\n+ "Hostname": "h",\n' in said

    def test_containers_stay_as_many_as_they_are(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        pods.merge({"spec": {"containers": [CONTAINER, {**CONTAINER, "name": "b"}]}})

    def test_a_deadline_only_comes_nearer(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER], "activeDeadlineSeconds": 100})
        assert pods.merge({"spec": {"activeDeadlineSeconds": 50}}).status == 200
        assert pods.merge({"spec": {"activeDeadlineSeconds": 60}}).status == 422
        assert pods.merge({"spec": {"activeDeadlineSeconds": None}}).status == 422

    def test_a_gated_pod_is_narrowed(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER], "schedulingGates": [{"name": "a/b"}], "nodeSelector": {"a": "b"}})
        assert pods.merge({"spec": {"nodeSelector": {"c": "d"}}}).status == 200
        assert pods.merge({"spec": {"nodeSelector": {"c": None}}}).status == 422
        assert pods.merge({"spec": {"schedulingGates": []}}).status == 200
        assert pods.merge({"spec": {"schedulingGates": [{"name": "c/d"}]}}).status == 422

    def test_status_is_apart(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        assert pods.change(setting("status/phase", "Running")).json()["status"]["phase"] == "Pending"
        both_changed = together(setting("status/phase", "Running"), setting("spec/containers/0/image", "b"))
        written = pods.change(both_changed, at="status").json()
        assert (written["status"]["phase"], written["spec"]["containers"][0]["image"]) == (
            "Running",
            CONTAINER["image"],
        )

    def test_status_is_judged(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        conditions = [{"type": "Ready", "status": "Maybe"}, {"type": "a b", "status": "True"}]
        pods.change(setting("status", {"conditions": conditions, "podIP": "x", "nominatedNodeName": "A_"}), at="status")

    def test_what_has_ended_does_not_begin_again(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER], "restartPolicy": "Never"})
        state = {"name": "main", "image": "a", "imageID": "a", "ready": False, "restartCount": 0}
        ended = {**state, "state": {"terminated": {"exitCode": 1}}}
        assert pods.merge({"status": {"phase": "Running", "containerStatuses": [ended]}}, at="status").status == 200
        again = {**state, "state": {"running": {}}}
        assert pods.merge({"status": {"containerStatuses": [again]}}, at="status").status == 422

    def test_one_that_runs_nowhere_is_deleted_at_once(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        gone = pods.delete()
        assert gone.json()["kind"] == "Pod"
        assert pods.get().status == 404

    def test_one_that_runs_has_time_to_end(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER], "nodeName": "n"})
        assert pods.delete().json()["metadata"]["deletionGracePeriodSeconds"] == 30
        assert pods.delete(gracePeriodSeconds=5).json()["metadata"]["deletionGracePeriodSeconds"] == 5
        pods.delete(gracePeriodSeconds=0)
        assert pods.get().status == 404

    def test_ephemeral_containers_come_later(self, pods: Kind) -> None:
        pods.create(spec={"containers": [CONTAINER]})
        debug = {"name": "debug", "image": "debug", "targetContainerName": "main"}
        pods.change(setting("spec/ephemeralContainers", [debug]), at="ephemeralcontainers")
        pods.change(setting("spec/ephemeralContainers", [{**debug, "image": "x"}]), at="ephemeralcontainers")
        pods.change(setting("spec/ephemeralContainers"), at="ephemeralcontainers")

    def test_resources_are_resized(self, pods: Kind) -> None:
        pods.create(spec={"containers": [{**CONTAINER, "resources": {"requests": {"cpu": "1"}}}]})
        resized = pods.change(setting("spec/containers/0/resources/requests/cpu", "2"), at="resize")
        assert resized.json()["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "2"}}
        pods.change(setting("spec/containers/0/resources/limits", {"cpu": "1"}), at="resize")
        pods.change(setting("spec/containers/0/resources", {"requests": {"cpu": "1"}}))

    def test_priority_is_that_of_a_class(self, both: Both, pods: Kind) -> None:
        classes = Kind(both, "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False)
        name = both.unique
        classes.create(name, value=1000, preemptionPolicy="Never")
        made = pods.create(spec={"containers": [CONTAINER], "priorityClassName": name}).json()["spec"]
        assert (made["priority"], made["preemptionPolicy"]) == (1000, "Never")
        assert (
            pods.create("b", spec={"containers": [CONTAINER], "priorityClassName": name, "priority": 5}).status == 403
        )

    def test_limits_of_a_namespace(self, both: Both, pods: Kind) -> None:
        limits = Kind(both, "v1", "LimitRange", "limitranges")
        of_containers = {"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}
        limits.create(spec={"limits": [of_containers]})
        made = pods.create(spec={"containers": [CONTAINER]}).json()
        assert made["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "1"
        greedy = {**CONTAINER, "resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "3", "memory": "1"}}}
        assert pods.create("b", spec={"containers": [greedy]}).status == 403

    def test_limits_of_whole_pods_and_of_claims(self, both: Both, pods: Kind) -> None:
        limits = Kind(both, "v1", "LimitRange", "limitranges")
        ratio = {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}
        of_pods = {"type": "Pod", "max": {"cpu": "2"}, "min": {"cpu": "500m"}}
        of_claims = {"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}, "min": {"storage": "1Gi"}}
        limits.create(spec={"limits": [ratio, of_pods, of_claims]})

        def asking(requests: dict[str, str], allowed: dict[str, str]) -> dict[str, Any]:
            return {"containers": [{**CONTAINER, "resources": {"requests": requests, "limits": allowed}}]}

        for number, (requests, allowed, status) in enumerate(
            [
                ({"cpu": "1"}, {"cpu": "2"}, 201),
                ({"cpu": "1"}, {"cpu": "2500m"}, 403),
                ({"cpu": "1500m"}, {"cpu": "2500m"}, 403),
                ({"cpu": "100m"}, {"cpu": "100m"}, 403),
                ({}, {}, 403),
            ]
        ):
            assert pods.create(f"p{number}", spec=asking(requests, allowed)).status == status
        claims = Kind(both, "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
        for size, status in (("1Gi", 201), ("3Gi", 403), ("5Mi", 403)):
            asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
            assert claims.create(size.lower(), spec=asked).status == status

    def test_where_a_class_runs(self, both: Both, pods: Kind) -> None:
        classes = Kind(both, "node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False)
        name = both.unique
        needed = {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}
        classes.create(name, handler="h", scheduling={"nodeSelector": {"a": "b"}, "tolerations": [needed]})
        spec = {"containers": [CONTAINER], "runtimeClassName": name}
        made = pods.create(spec={**spec, "tolerations": [{"key": "a", "operator": "Exists"}]}).json()["spec"]
        assert made["nodeSelector"] == {"a": "b"}
        pods.create(
            "b", spec={**spec, "tolerations": [needed, {"key": "c", "operator": "Exists", "effect": "NoExecute"}]}
        )
        pods.create("c", spec={**spec, "tolerations": [{"operator": "Exists"}], "nodeSelector": {"a": "b", "c": "d"}})
        assert pods.create("d", spec={**spec, "nodeSelector": {"a": "c"}}).status == 403
        assert pods.create("e", spec={**spec, "overhead": {"cpu": "1"}}).status == 403

    def test_overhead_is_that_of_a_class(self, both: Both, pods: Kind) -> None:
        classes = Kind(both, "node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False)
        name = both.unique
        classes.create(name, handler="h", overhead={"podFixed": {"cpu": "100m"}})
        made = pods.create(spec={"containers": [CONTAINER], "runtimeClassName": name})
        assert made.json()["spec"]["overhead"] == {"cpu": "100m"}
        assert pods.create("b", spec={"containers": [CONTAINER], "runtimeClassName": "none"}).status == 403


# ------------------------------------------------------------------ deployments and replica sets

BAD_DEPLOYMENTS: dict[str, dict[str, Any]] = {
    "nothing": {"selector": None, "template": {}},
    "a selector of other pods": {"selector": {"matchLabels": {"app": "b"}}},
    "an empty selector": {"selector": {}},
    "labels that are there and empty": {"template": {"metadata": {"labels": {}}, "spec": {"containers": [CONTAINER]}}},
    "fewer than none": {"replicas": -1, "minReadySeconds": -1, "revisionHistoryLimit": -1},
    "no progress": {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
    "a bad strategy": {"strategy": {"type": "Slowly"}},
    "two strategies": {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
    "standing still": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}},
    "bad numbers": {"strategy": {"rollingUpdate": {"maxSurge": "x", "maxUnavailable": "150%"}}},
    "pods that end": {"template": template(restartPolicy="Never", activeDeadlineSeconds=5)},
    "a bad pod": {"template": template(containers=[{"name": "A", "image": ""}])},
    "bad labels": {"template": {"metadata": {"labels": {"app": "a", "b c": "-"}}, "spec": {"containers": [CONTAINER]}}},
}


class TestDeployments:
    def test_defaults(self, deployments: Kind) -> None:
        made = deployments.create(spec=running()).json()
        assert made["spec"]["replicas"] == 1
        assert made["spec"]["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        }
        assert (made["spec"]["revisionHistoryLimit"], made["spec"]["progressDeadlineSeconds"]) == (10, 600)
        assert (made["status"], made["metadata"]["generation"]) == ({}, 1)

    @pytest.mark.parametrize("what", BAD_DEPLOYMENTS)
    def test_refused(self, deployments: Kind, what: str) -> None:
        assert deployments.create(spec=running(**BAD_DEPLOYMENTS[what])).status == 422

    def test_without_a_spec(self, deployments: Kind) -> None:
        assert deployments.create().status == 422

    def test_the_selector_stays(self, deployments: Kind) -> None:
        deployments.create(spec=running())
        more = {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]}
        [(field, said)] = causes(deployments.change(setting("spec/selector", more)))
        assert (field, said.rpartition(": ")[2]) == ("spec.selector", IMMUTABLE)

    def test_generation_counts_changes_of_the_spec(self, deployments: Kind) -> None:
        deployments.create(spec=running())
        assert deployments.merge({"spec": {"replicas": 3}}).json()["metadata"]["generation"] == 2
        assert deployments.merge({"spec": {"replicas": 3}}).json()["metadata"]["generation"] == 2
        assert deployments.merge({"metadata": {"labels": {"a": "b"}}}).json()["metadata"]["generation"] == 2
        assert deployments.merge({"metadata": {"annotations": {"a": "b"}}}).json()["metadata"]["generation"] == 3

    def test_status_is_apart(self, deployments: Kind) -> None:
        deployments.create(spec=running(), status={"replicas": 5})
        assert deployments.merge({"status": {"replicas": 5}}).json()["status"] == {}
        change = {"status": {"replicas": 5, "readyReplicas": 4, "observedGeneration": 1}, "spec": {"replicas": 9}}
        written = deployments.merge({**change, "metadata": {"labels": {"a": "b"}}}, at="status").json()
        assert (written["spec"]["replicas"], written["status"]["replicas"]) == (1, 5)
        assert "labels" not in written["metadata"]

    def test_status_is_judged(self, deployments: Kind) -> None:
        deployments.create(spec=running())
        deployments.merge({"status": {"replicas": -1, "availableReplicas": 5, "collisionCount": -1}}, at="status")
        deployments.merge({"status": {"collisionCount": 3}}, at="status")
        deployments.merge({"status": {"collisionCount": 2}}, at="status")

    def test_pods_are_warned_of(self, deployments: Kind) -> None:
        pods = template(containers=[{**CONTAINER, "ports": [{"containerPort": 1}, {"containerPort": 1}]}])
        said = warnings(deployments.create(spec=running(template=pods)))
        assert said[0].startswith("spec.template.spec.containers[0].ports[1]: duplicate port definition")
        assert warnings(deployments.merge({"metadata": {"labels": {"a": "b"}}})) == []
        deployments.merge({"spec": {"paused": True}})

    def test_older_annotations_are_warned_of(self, deployments: Kind) -> None:
        pods = template()
        pods["metadata"]["annotations"] = {"scheduler.alpha.kubernetes.io/critical-pod": ""}
        deployments.create(spec=running(template=pods))


class TestReplicaSets:
    def test_defaults(self, replica_sets: Kind) -> None:
        made = replica_sets.create(spec=running()).json()
        assert (made["spec"]["replicas"], made["status"]) == (1, {"replicas": 0})

    @pytest.mark.parametrize("what", ["nothing", "a selector of other pods", "an empty selector", "pods that end"])
    def test_refused(self, replica_sets: Kind, what: str) -> None:
        assert replica_sets.create(spec=running(**BAD_DEPLOYMENTS[what])).status == 422

    def test_without_a_template(self, replica_sets: Kind) -> None:
        replica_sets.create(spec={"selector": SELECTOR, "replicas": -1, "minReadySeconds": -1})

    def test_the_selector_stays(self, replica_sets: Kind) -> None:
        replica_sets.create(spec=running())
        pods = {"metadata": {"labels": {"app": "a", "b": "c"}}, "spec": {"containers": [CONTAINER]}}
        replica_sets.merge({"spec": {"selector": {"matchLabels": {"b": "c"}}, "template": pods}})

    def test_status_is_apart(self, replica_sets: Kind) -> None:
        replica_sets.create(spec=running())
        replica_sets.merge({"status": {"replicas": 2}, "spec": {"replicas": 2}})
        replica_sets.merge({"status": {"replicas": 2, "readyReplicas": 1}, "spec": {"replicas": 7}}, at="status")
        assert replica_sets.merge({"status": {"readyReplicas": 3, "replicas": 2}}, at="status").status == 422


# ------------------------------------------------------------------ stateful sets and daemon sets

CLAIM = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}  # fmt: skip
BAD_STATEFUL_SETS: dict[str, dict[str, Any]] = {
    "nothing": {"selector": None, "template": {}},
    "a bad policy": {"podManagementPolicy": "Randomly"},
    "a bad strategy": {"updateStrategy": {"type": "Slowly"}},
    "a partition below": {"updateStrategy": {"rollingUpdate": {"partition": -1, "maxUnavailable": 0}}},
    "a bad retention": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Maybe"}},
    "an ordinal below": {"ordinals": {"start": -1}},
    "a name that is none": {"serviceName": "A_"},
    "numbers below": {"replicas": -1, "revisionHistoryLimit": -1, "minReadySeconds": -1},
}


class TestStatefulSets:
    def test_defaults(self, stateful_sets: Kind) -> None:
        made = stateful_sets.create(spec=running(serviceName="a", volumeClaimTemplates=[CLAIM])).json()["spec"]
        assert (made["podManagementPolicy"], made["revisionHistoryLimit"]) == ("OrderedReady", 10)
        assert made["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
        assert made["volumeClaimTemplates"][0]["spec"]["volumeMode"] == "Filesystem"

    @pytest.mark.parametrize("what", BAD_STATEFUL_SETS)
    def test_refused(self, stateful_sets: Kind, what: str) -> None:
        stateful_sets.create(spec=running(**BAD_STATEFUL_SETS[what]))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("spec/serviceName", "b"),
            ("spec/podManagementPolicy", "Parallel"),
            ("spec/selector", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
            ("spec/volumeClaimTemplates", [CLAIM]),
        ],
    )
    def test_what_may_not_change(self, stateful_sets: Kind, path: str, value: Any) -> None:
        stateful_sets.create(spec=running(serviceName="a"))
        [(field, said)] = causes(stateful_sets.change(setting(path, value)))
        assert field == "spec"
        assert said.startswith("Forbidden: updates to statefulset spec for fields other than")

    def test_what_may_change(self, stateful_sets: Kind) -> None:
        stateful_sets.create(spec=running(serviceName="a"))
        changes = {"replicas": 3, "template": template(hostname="h"), "updateStrategy": {"type": "OnDelete"}}
        stateful_sets.merge({"spec": {**changes, "minReadySeconds": 5, "ordinals": {"start": 1}}})
        stateful_sets.merge({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}})

    def test_status_is_apart(self, stateful_sets: Kind) -> None:
        stateful_sets.create(spec=running(serviceName="a"))
        stateful_sets.merge({"status": {"replicas": 2}})
        stateful_sets.merge({"status": {"replicas": 2}, "spec": {"replicas": 5}}, at="status")
        stateful_sets.merge({"status": {"readyReplicas": 5, "collisionCount": -1}}, at="status")


class TestDaemonSets:
    def test_defaults(self, daemon_sets: Kind) -> None:
        made = daemon_sets.create(spec=running()).json()
        assert made["spec"]["updateStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
        assert made["metadata"]["annotations"] == {"deprecated.daemonset.template.generation": "1"}

    @pytest.mark.parametrize(
        "spec",
        [
            {"selector": {"matchLabels": {"app": "b"}}},
            {"selector": {}},
            {"template": template(restartPolicy="OnFailure")},
            {"updateStrategy": {"type": "Slowly"}},
            {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}},
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
            {"minReadySeconds": -1, "revisionHistoryLimit": -1},
        ],
    )
    def test_refused(self, daemon_sets: Kind, spec: dict[str, Any]) -> None:
        assert daemon_sets.create(spec=running(**spec)).status == 422

    def test_the_selector_stays(self, daemon_sets: Kind) -> None:
        daemon_sets.create(spec=running())
        daemon_sets.change(setting("spec/selector/matchLabels/b", "c"))

    def test_generations(self, daemon_sets: Kind) -> None:
        daemon_sets.create(spec=running())
        daemon_sets.merge({"spec": {"minReadySeconds": 1}})
        changed = daemon_sets.merge({"spec": {"template": {"spec": {"hostname": "h"}}}}).json()["metadata"]
        assert changed["annotations"] == {"deprecated.daemonset.template.generation": "2"}
        assert changed["generation"] == 3

    def test_status_is_apart(self, daemon_sets: Kind) -> None:
        daemon_sets.create(spec=running())
        daemon_sets.merge({"status": {"numberReady": 1}})
        daemon_sets.merge({"status": {"numberReady": 1}, "spec": {"minReadySeconds": 1}}, at="status")
        daemon_sets.merge({"status": {"numberReady": -1, "numberMisscheduled": -1}}, at="status")


# ------------------------------------------------------------------ jobs and cron jobs


def ending(**spec: Any) -> dict[str, Any]:
    """The template of pods that end."""
    return {"spec": {"containers": [CONTAINER], "restartPolicy": "Never", **spec}}


BAD_JOBS: dict[str, dict[str, Any]] = {
    "pods that never end": {"template": ending(restartPolicy="Always")},
    "no pods": {"template": {}},
    "numbers below": {"parallelism": -1, "completions": -1, "backoffLimit": -1, "activeDeadlineSeconds": -1, "ttlSecondsAfterFinished": -1},
    "a selector of its own": {"selector": {"matchLabels": {"a": "b"}}},
    "a manual selector of nothing": {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}},
    "an index without an end": {"completionMode": "Indexed", "parallelism": 2},
    "a mode that there is not": {"completionMode": "Sometimes"},
    "a bad policy": {"podFailurePolicy": {"rules": [{"action": "Maybe", "onExitCodes": {"operator": "In", "values": [0]}}, {}]}},
    "success of nothing": {"successPolicy": {"rules": []}},
    "replaced when": {"podReplacementPolicy": "Never"},
    "managed by": {"managedBy": "nobody"},
}  # fmt: skip


class TestJobs:
    def test_defaults(self, jobs: Kind) -> None:
        made = jobs.create(spec={"template": ending()}).json()
        uid, spec = made["metadata"]["uid"], made["spec"]
        assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        assert spec["template"]["metadata"]["labels"] == {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": "a",
            "controller-uid": uid,
            "job-name": "a",
        }
        assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 6)
        assert (spec["completionMode"], spec["suspend"], spec["podReplacementPolicy"]) == (
            "NonIndexed",
            False,
            "TerminatingOrFailed",
        )

    def test_labels_of_its_pods_are_its_own(self, jobs: Kind) -> None:
        jobs.create(spec={"template": {**ending(), "metadata": {"labels": {"a": "b"}}}})

    @pytest.mark.parametrize("what", BAD_JOBS)
    def test_refused(self, jobs: Kind, what: str) -> None:
        assert jobs.create(spec={"template": ending(), **BAD_JOBS[what]}).status == 422

    def test_a_selector_by_hand(self, jobs: Kind) -> None:
        pods = {**ending(), "metadata": {"labels": {"a": "b"}}}
        jobs.create(spec={"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}, "template": pods})

    def test_indexed(self, jobs: Kind) -> None:
        spec = {
            "completionMode": "Indexed",
            "completions": 3,
            "parallelism": 3,
            "backoffLimitPerIndex": 1,
            "template": ending(),
        }
        jobs.create(spec=spec)
        jobs.merge({"spec": {"completions": 5}})
        jobs.merge({"spec": {"completions": 5, "parallelism": 5}})

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("spec/template/spec/containers/0/image", "b"),
            ("spec/completions", 5),
            ("spec/completionMode", "Indexed"),
            ("spec/selector/matchLabels/a", "b"),
            ("spec/template/metadata/labels/a", "b"),
            ("spec/template/spec/nodeSelector", {}),
            ("spec/template/spec/nodeSelector", {"a": "b"}),
        ],
    )
    def test_what_may_not_change(self, jobs: Kind, path: str, value: Any) -> None:
        jobs.create(spec={"template": ending()})
        jobs.change(setting(path, value))

    def test_what_may_change(self, jobs: Kind) -> None:
        jobs.create(spec={"template": ending()})
        jobs.merge({"spec": {"parallelism": 5, "suspend": True, "ttlSecondsAfterFinished": 10, "backoffLimit": 1}})

    def test_where_a_suspended_one_runs_may_change(self, jobs: Kind) -> None:
        jobs.create(spec={"template": ending(), "suspend": True})
        jobs.change(setting("spec/template/spec/nodeSelector", {"a": "b"}))
        jobs.change(setting("spec/template/spec/containers/0/image", "b"))

    def test_status_is_apart(self, jobs: Kind) -> None:
        jobs.create(spec={"template": ending()})
        jobs.merge({"status": {"active": 1}})
        started = {"active": 1, "ready": 0, "startTime": "2026-01-01T00:00:00Z"}
        jobs.merge({"status": started, "spec": {"parallelism": 7}}, at="status")

    def test_status_is_judged(self, jobs: Kind) -> None:
        jobs.create(spec={"template": ending()})
        jobs.merge({"status": {"active": -1, "succeeded": -1, "completionTime": "2026-01-01T00:00:00Z"}}, at="status")
        complete = {"type": "Complete", "status": "True"}
        jobs.merge({"status": {"conditions": [complete], "active": 1}}, at="status")
        jobs.merge({"status": {"conditions": [complete, {"type": "Failed", "status": "True"}]}}, at="status")

    def test_a_name_too_long_for_its_pods(self, jobs: Kind) -> None:
        jobs.create("a.b", spec={"template": ending()})
        jobs.create("a" * 64, spec={"template": ending()})


SCHEDULES = [
    "", "* * * * *", "@daily", "@every 1h", "@sometimes", "* * * *", "60 * * * *", "*/0 * * * *", "5-1 * * * *", "a * * * *",
    "0 0 31 2 *", "TZ=UTC 0 0 * * *", "CRON_TZ=Nowhere 0 0 * * *", "0 0 ? JAN mon-fri", "0 24 * * 7",
]  # fmt: skip


class TestCronJobs:
    def test_defaults(self, cron_jobs: Kind) -> None:
        made = cron_jobs.create(spec={"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": ending()}}}).json()[
            "spec"
        ]
        assert (made["concurrencyPolicy"], made["suspend"]) == ("Allow", False)
        assert (made["successfulJobsHistoryLimit"], made["failedJobsHistoryLimit"]) == (3, 1)

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_schedules(self, cron_jobs: Kind, schedule: str) -> None:
        cron_jobs.create(spec={"schedule": schedule, "jobTemplate": {"spec": {"template": ending()}}})

    @pytest.mark.parametrize(
        "spec",
        [
            {"timeZone": "Europe/Nowhere"},
            {"timeZone": "Europe/Berlin"},
            {"timeZone": "Local"},
            {"timeZone": ""},
            {"concurrencyPolicy": "Maybe"},
            {"startingDeadlineSeconds": -1, "successfulJobsHistoryLimit": -1, "failedJobsHistoryLimit": -1},
            {"jobTemplate": {}},
            {
                "jobTemplate": {
                    "spec": {"template": ending(), "manualSelector": True, "selector": {"matchLabels": {"a": "b"}}}
                }
            },
        ],
    )
    def test_judged(self, cron_jobs: Kind, spec: dict[str, Any]) -> None:
        cron_jobs.create(spec={"schedule": "@daily", "jobTemplate": {"spec": {"template": ending()}}, **spec})

    def test_a_name_too_long_for_its_jobs(self, cron_jobs: Kind) -> None:
        spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": ending()}}}
        assert cron_jobs.create("a" * 53, spec=spec).status == 422
        assert cron_jobs.create("a" * 52, spec=spec).status == 201

    def test_status_is_apart(self, cron_jobs: Kind) -> None:
        cron_jobs.create(spec={"schedule": "@daily", "jobTemplate": {"spec": {"template": ending()}}})
        cron_jobs.merge({"status": {"lastScheduleTime": "2026-01-01T00:00:00Z"}})
        cron_jobs.merge(
            {"status": {"lastScheduleTime": "2026-01-01T00:00:00Z"}, "spec": {"suspend": True}}, at="status"
        )
        cron_jobs.merge({"spec": {"suspend": True, "schedule": "x"}})
        cron_jobs.merge({"spec": {"suspend": True}})

    def test_a_zone_in_the_schedule_is_warned_of(self, cron_jobs: Kind) -> None:
        spec = {"schedule": "TZ=UTC 0 0 * * *", "jobTemplate": {"spec": {"template": ending()}}}
        cron_jobs.create(spec=spec)


# ------------------------------------------------------------------ autoscalers


class TestAutoscalers:
    def test_versions_are_one_object(self, both: Both) -> None:
        old = Kind(both, "autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
        new = Kind(both, "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
        old.create(spec={"scaleTargetRef": target, "maxReplicas": 5, "targetCPUUtilizationPercentage": 70})
        metrics = new.get().json()["spec"]["metrics"]
        assert metrics[0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
        by_pods = {
            "type": "Pods",
            "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "5"}},
        }
        new.merge({"spec": {"metrics": [*metrics, by_pods], "behavior": {"scaleUp": {"selectPolicy": "Min"}}}})
        kept = old.get().json()["metadata"]["annotations"]
        assert set(kept) == {"autoscaling.alpha.kubernetes.io/behavior", "autoscaling.alpha.kubernetes.io/metrics"}
        old.merge({"spec": {"maxReplicas": 6}})
        new.get()
        new.merge({"status": {"currentReplicas": 2, "currentMetrics": []}}, at="status")
        old.get()
