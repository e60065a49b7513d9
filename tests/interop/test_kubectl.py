"""kubectl does its daily work on the embedded server, and prints what it prints on the real one."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from kubectls import Kubectl

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: registry.example/web:1
        ports: [{containerPort: 80}]
"""

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ferries.interop.dynkube.dev
spec:
  group: interop.dynkube.dev
  scope: Namespaced
  names: {plural: ferries, singular: ferry, kind: Ferry, shortNames: [fy], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.decks, statusReplicasPath: .status.decks}}
    additionalPrinterColumns:
    - {name: Route, type: string, jsonPath: .spec.route}
    - {name: Decks, type: integer, jsonPath: .spec.decks}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        description: A ferry carries cars.
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            description: What it shall do.
            required: [route]
            properties:
              route: {type: string, description: From where to where., minLength: 3}
              decks: {type: integer, default: 2, minimum: 1}
          status:
            type: object
            properties: {decks: {type: integer}}
"""

FERRY = """\
apiVersion: interop.dynkube.dev/v1
kind: Ferry
metadata: {name: elbe}
spec: {route: glueckstadt-wischhafen}
"""


class TestDiscovery:
    # Group by group: a server that other cases use has CRDs of theirs, too.
    @pytest.mark.parametrize("group", ["", "apps", "batch", "networking.k8s.io", "rbac.authorization.k8s.io"])
    def test_api_resources(self, kubectl: Kubectl, group: str) -> None:
        options = ("-o", "wide", "--sort-by=name", f"--api-group={group}")
        assert "VERBS" in kubectl("api-resources", *options)
        kubectl("api-resources", "--namespaced=true", "--no-headers", *options[2:])

    def test_api_versions(self, kubectl: Kubectl) -> None:
        told = kubectl("api-versions", compare=False).splitlines()
        assert {"v1", "apps/v1", "autoscaling/v2", "resource.k8s.io/v1"} <= set(told)

    def test_version(self, kubectl: Kubectl) -> None:
        assert "Server Version: v1.36" in kubectl("version")

    @pytest.mark.parametrize("what", ["deployment", "pods.spec.containers.livenessProbe", "hpa.spec", "crd.spec.names"])
    def test_explain(self, kubectl: Kubectl, what: str) -> None:
        assert "FIELDS:" in kubectl("explain", what)

    def test_explain_recursive(self, kubectl: Kubectl) -> None:
        assert "matchLabels" in kubectl("explain", "deployment.spec", "--recursive")

    def test_explain_what_is_not_there(self, kubectl: Kubectl) -> None:
        kubectl("explain", "deployment.spec.nothing", status=1)


class TestCreateAndGet:
    def test_from_a_file(self, kubectl: Kubectl) -> None:
        assert kubectl("create", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web created\n"
        kubectl("create", "-f", "-", stdin=DEPLOYMENT, status=1)

    @pytest.mark.parametrize(
        "form", [(), ("-o", "wide"), ("-o", "name"), ("--show-labels",), ("-o", "yaml"), ("-o", "json")]
    )
    def test_get(self, kubectl: Kubectl, form: tuple[str, ...]) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        assert "web" in kubectl("get", "deploy", *form)
        assert "web" in kubectl("get", "deploy/web", *form)

    def test_get_by_jsonpath_and_columns(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        assert (
            kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[*].image}")
            == "registry.example/web:1"
        )
        kubectl("get", "deploy", "-o", "custom-columns=NAME:.metadata.name,WANTED:.spec.replicas")
        kubectl("get", "deploy", "--sort-by=.metadata.name")

    def test_get_what_is_not_there(self, kubectl: Kubectl) -> None:
        kubectl("get", "deploy", "nothing", status=1)
        kubectl("get", "deploy", "nothing", "--ignore-not-found")
        kubectl("get", "nothings", status=1)
        kubectl("get", "all")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("configmap", "c", "--from-literal=a=1"),
            ("secret", "generic", "s", "--from-literal=a=1"),
            ("serviceaccount", "sa"),
            ("deployment", "d", "--image=registry.example/d:1", "--replicas=3", "--port=80"),
            ("service", "clusterip", "svc", "--tcp=80:8080"),
            ("job", "j", "--image=registry.example/j:1", "--", "true"),
            ("cronjob", "cj", "--image=registry.example/cj:1", "--schedule=*/5 * * * *"),
            ("ingress", "i", "--rule=example.com/=svc:80"),
            ("role", "r", "--verb=get,list", "--resource=pods"),
            ("rolebinding", "rb", "--role=r", "--user=jane"),
            ("poddisruptionbudget", "p", "--selector=app=web", "--min-available=1"),
            ("quota", "q", "--hard=pods=10"),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_create_and_get(self, kubectl: Kubectl, arguments: tuple[str, ...]) -> None:
        assert "created" in kubectl("create", *arguments)
        name = arguments[2] if arguments[1] in ("generic", "clusterip") else arguments[1]
        kind = arguments[0]
        kubectl("get", kind, name, "-o", "wide")
        kubectl("get", kind, name, "-o", "yaml")
        kubectl("delete", kind, name, "--wait=false")

    def test_run(self, kubectl: Kubectl) -> None:
        kubectl("run", "one", "--image=registry.example/one:1", "--labels=app=one")
        assert "Pending" in kubectl("get", "pods", "-l", "app=one", "-o", "wide")
        kubectl("get", "pod", "one", "-o", "yaml")

    def test_a_token(self, kubectl: Kubectl) -> None:
        kubectl("create", "serviceaccount", "robot")
        assert kubectl("create", "token", "robot", compare=False).count(".") == 2

    def test_dry_run(self, kubectl: Kubectl) -> None:
        assert "server dry run" in kubectl("create", "configmap", "c", "--from-literal=a=1", "--dry-run=server")
        kubectl("get", "configmaps")

    def test_expose_and_autoscale(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        kubectl("expose", "deployment", "web", "--port=80")
        kubectl("get", "service", "web", "-o", "wide")
        kubectl("autoscale", "deployment", "web", "--min=1", "--max=3")
        kubectl("get", "hpa", "web", "-o", "yaml")

    def test_describe(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        assert "Pod Template:" in kubectl("describe", "deployment", "web")
        kubectl("create", "configmap", "c", "--from-literal=a=1")
        kubectl("describe", "configmap", "c")


class TestChange:
    def test_apply_on_the_client(self, kubectl: Kubectl) -> None:
        assert kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web created\n"
        assert kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web unchanged\n"
        changed = DEPLOYMENT.replace("replicas: 2", "replicas: 3").replace("web:1", "web:2")
        assert kubectl("apply", "-f", "-", stdin=changed) == "deployment.apps/web configured\n"
        kubectl("get", "deploy", "web", "-o", "yaml", "--show-managed-fields")

    def test_apply_on_the_server(self, kubectl: Kubectl) -> None:
        assert (
            kubectl("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web serverside-applied\n"
        )
        kubectl("scale", "deploy", "web", "--replicas=5")
        kubectl("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT, status=1)
        kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=DEPLOYMENT)
        kubectl("get", "deploy", "web", "-o", "yaml", "--show-managed-fields")

    def test_from_client_side_to_server_side(self, kubectl: Kubectl) -> None:
        kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
        kubectl("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT.replace("web:1", "web:3"))
        kubectl("get", "deploy", "web", "-o", "yaml", "--show-managed-fields")

    def test_apply_with_a_mistake(self, kubectl: Kubectl) -> None:
        kubectl("apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicaz: 2"), status=1)
        kubectl("apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: -2"), status=1)
        kubectl(
            "apply", "-f", "-", stdin=DEPLOYMENT.replace("{app: web}}\n    spec", "{app: other}}\n    spec"), status=1
        )

    def test_apply_and_prune(self, kubectl: Kubectl) -> None:
        maps = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, labels: {set: one}}\n---\n"
        kubectl("apply", "-f", "-", stdin=maps % "a" + maps % "b")
        options = ("--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap")
        assert "configmap/b pruned" in kubectl("apply", *options, "-f", "-", stdin=maps % "a")

    def test_diff(self, kubectl: Kubectl) -> None:
        kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
        kubectl("diff", "-f", "-", stdin=DEPLOYMENT)
        assert "+  replicas: 4" in kubectl(
            "diff", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: 4"), status=1, compare=False
        )
        kubectl("diff", "--server-side", "-f", "-", stdin=DEPLOYMENT.replace("web:1", "web:2"), status=1, compare=False)

    def test_edit(self, kubectl: Kubectl) -> None:
        kubectl("create", "configmap", "c", "--from-literal=a=1")
        editor = Path(kubectl.write("editor", '#!/bin/sh\nsed -i \'s/a: "1"/a: "2"/\' "$1"\n'))
        editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
        assert kubectl("edit", "configmap", "c") == "configmap/c edited\n"
        assert kubectl("get", "configmap", "c", "-o", "jsonpath={.data.a}") == "2"

    @pytest.mark.parametrize(
        ("kind", "patch"),
        [
            (
                "strategic",
                {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "registry.example/s:1"}]}}}},
            ),
            ("merge", {"spec": {"replicas": 7}, "metadata": {"labels": {"app": None}}}),
            ("json", [{"op": "replace", "path": "/spec/replicas", "value": 9}]),
        ],
    )
    def test_patch(self, kubectl: Kubectl, kind: str, patch: object) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        assert (
            kubectl("patch", "deploy", "web", "--type", kind, "-p", json.dumps(patch))
            == "deployment.apps/web patched\n"
        )
        kubectl("get", "deploy", "web", "-o", "yaml", "--show-managed-fields")

    def test_patch_a_subresource(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        kubectl("patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", '{"status":{"replicas":2}}')
        kubectl("get", "deploy", "web", "--subresource=status", "-o", "yaml")
        kubectl("patch", "deploy", "web", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":4}}')
        kubectl("get", "deploy", "web", "--subresource=scale", "-o", "yaml")

    def test_label_and_annotate(self, kubectl: Kubectl) -> None:
        kubectl("create", "configmap", "c")
        kubectl("label", "configmap", "c", "a=1", "b=2")
        kubectl("label", "configmap", "c", "a=2", status=1)
        kubectl("label", "configmap", "c", "a=2", "b-", "--overwrite")
        kubectl("annotate", "configmap", "c", "note=x y")
        kubectl("label", "configmap", "c", "a=not ok", "--overwrite", status=1)
        assert "a=2" in kubectl("get", "configmap", "c", "--show-labels")

    def test_scale(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        assert kubectl("scale", "deploy/web", "--replicas=4", "--current-replicas=2") == "deployment.apps/web scaled\n"
        kubectl("scale", "deploy/web", "--replicas=4", "--current-replicas=2", status=1)
        kubectl("set", "image", "deploy/web", "main=registry.example/web:9")
        kubectl("set", "env", "deploy/web", "A=1")
        kubectl("rollout", "restart", "deploy/web")
        kubectl("get", "deploy", "web", "-o", "yaml")

    def test_replace(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        kubectl("replace", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: 6"))
        kubectl("replace", "-f", "-", stdin=DEPLOYMENT.replace("name: web", "name: other"), status=1)


class TestWatchAndWait:
    def test_watch(self, kubectl_embedded: Kubectl) -> None:
        kubectl = kubectl_embedded
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        with kubectl.start("get", "deploy", "-w", "--output-watch-events") as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline().split()[:2] == ["EVENT", "NAME"]
            assert watching.stdout.readline().split()[:3] == ["ADDED", "web", "0/2"]
            kubectl("scale", "deploy/web", "--replicas=3")
            assert watching.stdout.readline().split()[:3] == ["MODIFIED", "web", "0/3"]
            kubectl("delete", "deploy", "web")
            assert watching.stdout.readline().split()[:2] == ["DELETED", "web"]
            watching.terminate()

    def test_wait_for_a_condition(self, kubectl: Kubectl) -> None:
        kubectl("create", "-f", "-", stdin=DEPLOYMENT)
        status = {"status": {"conditions": [{"type": "Available", "status": "True"}]}}
        kubectl("wait", "deploy/web", "--for=condition=Available", "--timeout=1s", status=1)
        kubectl("patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", json.dumps(status))
        assert (
            kubectl("wait", "deploy/web", "--for=condition=Available", "--timeout=10s")
            == "deployment.apps/web condition met\n"
        )
        kubectl("wait", "deploy/web", "--for=jsonpath={.spec.replicas}=2", "--timeout=10s")

    def test_wait_for_a_deletion(self, kubectl: Kubectl) -> None:
        kubectl("create", "configmap", "c")
        kubectl("delete", "configmap", "c", "--wait=false")
        kubectl("wait", "configmap/c", "--for=delete", "--timeout=10s")


class TestDelete:
    def test_delete(self, kubectl: Kubectl) -> None:
        kubectl("create", "configmap", "c", "--from-literal=a=1")
        assert kubectl("delete", "configmap", "c").startswith('configmap "c" deleted')
        kubectl("delete", "configmap", "c", status=1)
        kubectl("delete", "configmap", "c", "--ignore-not-found")
        kubectl("create", "configmap", "d")
        kubectl("delete", "configmaps", "--all")

    @pytest.mark.parametrize(("mode", "left"), [("background", False), ("foreground", False), ("orphan", True)])
    def test_what_it_owns(self, kubectl_embedded: Kubectl, mode: str, left: bool) -> None:
        kubectl = kubectl_embedded
        kubectl("create", "configmap", "owner")
        uid = kubectl("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "blockOwnerDeletion": True}
        owned = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "owned", "ownerReferences": [reference]}}
        kubectl("create", "-f", "-", stdin=json.dumps(owned))
        kubectl("delete", "configmap", "owner", f"--cascade={mode}")
        if left:
            assert kubectl("get", "secret", "owned", "-o", "jsonpath={.metadata.ownerReferences}") == ""
        else:
            kubectl("wait", "secret/owned", "--for=delete", "--timeout=10s")

    def test_a_namespace(self, kubectl_embedded: Kubectl) -> None:
        kubectl = kubectl_embedded
        kubectl("create", "namespace", f"{kubectl.namespace}-more")
        kubectl("delete", "namespace", f"{kubectl.namespace}-more", "--timeout=20s")
        kubectl("get", "namespace", f"{kubectl.namespace}-more", status=1)


class TestAuth:
    def test_can_i(self, kubectl: Kubectl) -> None:
        assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
        assert kubectl("auth", "can-i", "create", "pods", "--as=jane", status=1) == "no\n"
        kubectl("auth", "can-i", "--list", "--as=jane")

    def test_whoami(self, kubectl: Kubectl) -> None:
        assert "system:masters" in kubectl("auth", "whoami")

    def test_a_refusal(self, kubectl: Kubectl) -> None:
        kubectl("get", "pods", "--as=jane", status=1)
        kubectl("create", "configmap", "c", "--as=jane", status=1)

    def test_a_role(self, kubectl: Kubectl) -> None:
        kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
        kubectl("create", "rolebinding", "readers", "--role=reader", "--user=jane")
        kubectl("wait", "rolebinding/readers", "--for=jsonpath={.roleRef.name}=reader", "--timeout=5s")
        assert kubectl("auth", "can-i", "list", "configmaps", "--as=jane", compare=False) == "yes\n"


class TestCustomResources:
    @pytest.fixture
    def ferries(self, kubectl: Kubectl):
        kubectl("apply", "-f", "-", stdin=CRD)
        kubectl("wait", "crd/ferries.interop.dynkube.dev", "--for=condition=Established", "--timeout=20s")
        kubectl.until_done("explain", "ferry")
        yield
        kubectl("delete", "crd", "ferries.interop.dynkube.dev")

    @pytest.mark.usefixtures("ferries")
    def test_their_life(self, kubectl: Kubectl) -> None:
        assert kubectl("apply", "-f", "-", stdin=FERRY) == "ferry.interop.dynkube.dev/elbe created\n"
        assert "glueckstadt" in kubectl("get", "fy")
        kubectl("get", "ferry", "elbe", "-o", "yaml")
        kubectl("scale", "fy/elbe", "--replicas=4")
        kubectl("patch", "fy", "elbe", "--type=merge", "-p", '{"spec":{"decks":0}}', status=1)
        kubectl("apply", "-f", "-", stdin=FERRY.replace("route", "rout"), status=1)
        kubectl("describe", "fy", "elbe")
        kubectl("delete", "fy", "elbe")

    @pytest.mark.usefixtures("ferries")
    def test_explain(self, kubectl: Kubectl) -> None:
        assert "A ferry carries cars." in kubectl("explain", "ferry")
        kubectl("explain", "ferry.spec", "--recursive")
        assert "ferries" in kubectl("api-resources", "--api-group=interop.dynkube.dev")
