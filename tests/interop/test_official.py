"""The official client, dynamic and typed, on the embedded server: the eight tasks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from berths import CRD, GROUP, KIND, PLURAL, VERSION, berth, deployment

from dynkube.testing import APIServer, LocalProcess

kubernetes = pytest.importorskip("kubernetes", reason="the official client is not installed: tox -e interop-official")


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "api"},
    "spec": {"containers": [{"name": "main", "image": "local"}]},
}


@pytest.fixture
def streams() -> Any:
    import kubernetes.stream

    return kubernetes.stream


@pytest.fixture
def api(place: Any) -> Iterator[Any]:
    with kubernetes.config.new_client_from_config(str(place.kubeconfig)) as client:
        yield client


@pytest.fixture
def dynamic(api: Any) -> Any:
    from kubernetes.dynamic import DynamicClient

    return DynamicClient(api)


@pytest.fixture
def berths(dynamic: Any) -> Any:
    return dynamic.resources.get(api_version=f"{GROUP}/{VERSION}", kind=KIND)


class TestDynamic:
    def test_lists_deployments(self, place: Any, dynamic: Any) -> None:
        deployments = dynamic.resources.get(api_version="apps/v1", kind="Deployment")
        deployments.create(body=deployment("web"), namespace=place.namespace)
        assert [each.metadata.name for each in deployments.get(namespace=place.namespace).items] == ["web"]

    def test_creates_and_gets_a_custom_object(self, place: Any, berths: Any) -> None:
        berths.create(body=berth("north"), namespace=place.namespace)
        assert berths.get(name="north", namespace=place.namespace).spec.length == 10

    def test_patches(self, place: Any, berths: Any) -> None:
        berths.create(body=berth("north"), namespace=place.namespace)
        changed = berths.patch(
            name="north", namespace=place.namespace, body={"spec": {"length": 20}},
            content_type="application/merge-patch+json",
        )  # fmt: skip
        assert changed.spec.length == 20

    def test_applies(self, place: Any, berths: Any) -> None:
        berths.server_side_apply(body=berth("north"), namespace=place.namespace, name="north", field_manager="one")
        with pytest.raises(kubernetes.dynamic.exceptions.ConflictError):
            berths.server_side_apply(
                body=berth("north", 30), namespace=place.namespace, name="north", field_manager="two"
            )
        taken = berths.server_side_apply(
            body=berth("north", 30), namespace=place.namespace, name="north", field_manager="two", force_conflicts=True
        )
        assert taken.spec.length == 30

    def test_watches(self, place: Any, berths: Any) -> None:
        berths.create(body=berth("north"), namespace=place.namespace)
        version = berths.get(namespace=place.namespace).metadata.resourceVersion
        later = threading.Timer(0.2, lambda: berths.delete(name="north", namespace=place.namespace))
        later.start()
        events = berths.watch(namespace=place.namespace, resource_version=version, timeout=20)
        assert next(iter(events))["type"] == "DELETED"
        later.join()

    def test_waits_for_a_condition(self, place: Any, berths: Any) -> None:
        berths.create(body=berth("north"), namespace=place.namespace)
        place.set_condition("north", "Ready")
        for event in berths.watch(namespace=place.namespace, timeout=20):
            if [each.type for each in (event["object"].status or {}).get("conditions", ())] == ["Ready"]:
                break
        else:
            pytest.fail("the condition was never told")

    def test_lists_api_resources(self, dynamic: Any) -> None:
        kinds = {each.kind for several in dynamic.resources for each in several}
        assert {"Pod", "Deployment", KIND} <= kinds

    def test_a_missing_object(self, place: Any, berths: Any) -> None:
        with pytest.raises(kubernetes.dynamic.exceptions.NotFoundError):
            berths.get(name="none", namespace=place.namespace)


class TestTyped:
    def test_pods_and_deployments(self, place: Any, api: Any) -> None:
        apps, core = kubernetes.client.AppsV1Api(api), kubernetes.client.CoreV1Api(api)
        made = apps.create_namespaced_deployment(place.namespace, deployment("web"))
        assert made.spec.strategy.type == "RollingUpdate"
        assert [each.metadata.name for each in apps.list_namespaced_deployment(place.namespace).items] == ["web"]
        scale = apps.read_namespaced_deployment_scale("web", place.namespace)
        scale.spec.replicas = 4
        assert apps.replace_namespaced_deployment_scale("web", place.namespace, scale).spec.replicas == 4
        core.create_namespaced_config_map(place.namespace, {"metadata": {"name": "c"}, "data": {"a": "1"}})
        changed = core.patch_namespaced_config_map("c", place.namespace, {"data": {"b": "2"}})
        assert changed.data == {"a": "1", "b": "2"}
        core.delete_namespaced_config_map("c", place.namespace)
        with pytest.raises(kubernetes.client.ApiException, match='configmaps \\\\"c\\\\" not found'):
            core.read_namespaced_config_map("c", place.namespace)

    def test_custom_objects(self, place: Any, api: Any) -> None:
        objects = kubernetes.client.CustomObjectsApi(api)
        objects.create_namespaced_custom_object(GROUP, VERSION, place.namespace, PLURAL, berth("south"))
        listed = objects.list_namespaced_custom_object(GROUP, VERSION, place.namespace, PLURAL)
        assert [each["metadata"]["name"] for each in listed["items"]] == ["south"]

    def test_watches(self, place: Any, api: Any) -> None:
        core = kubernetes.client.CoreV1Api(api)
        core.create_namespaced_config_map(place.namespace, {"metadata": {"name": "c"}})
        watch = kubernetes.watch.Watch()
        for event in watch.stream(core.list_namespaced_config_map, place.namespace, timeout_seconds=20):
            assert (event["type"], event["object"].metadata.name) == ("ADDED", "c")
            watch.stop()

    def test_reads_the_definition(self, api: Any) -> None:
        found = kubernetes.client.ApiextensionsV1Api(api).read_custom_resource_definition(CRD["metadata"]["name"])
        assert found.spec.names.kind == KIND
        assert {each.name for each in kubernetes.client.ApisApi(api).get_api_versions().groups} >= {"apps", GROUP}


class TestStreams:
    """Its stream module speaks v4, and port-forward by channels."""

    def test_exec(self, streams: Any) -> None:
        with APIServer(objects=[POD], run_workloads=True) as server:
            server.pods.on_exec(LocalProcess())
            with kubernetes.config.new_client_from_config(str(server.kubeconfig)) as client:
                pods = kubernetes.client.CoreV1Api(client)
                command = ["sh", "-c", "read line; echo got $line; echo err >&2; exit 3"]
                shell = streams.stream(
                    pods.connect_get_namespaced_pod_exec, "api", "default", command=command, stdin=True, stdout=True,
                    stderr=True, tty=False, _preload_content=False,
                )  # fmt: skip
                shell.write_stdin("hello\n")
                shell.run_forever(timeout=60)
                assert (shell.read_stdout(), shell.read_stderr(), shell.returncode) == ("got hello\n", "err\n", 3)

    def test_logs(self) -> None:
        with APIServer(objects=[POD]) as server:
            server.pods.log("default", "api").write("one\ntwo\n")
            with kubernetes.config.new_client_from_config(str(server.kubeconfig)) as client:
                said = kubernetes.client.CoreV1Api(client).read_namespaced_pod_log("api", "default", tail_lines=1)
        assert said == "two\n"

    def test_port_forward(self, streams: Any) -> None:
        with APIServer(objects=[POD]) as server:
            server.pods.on_port_forward("welcome\n", port=25)
            with kubernetes.config.new_client_from_config(str(server.kubeconfig)) as client:
                pods = kubernetes.client.CoreV1Api(client)
                forward = streams.portforward(pods.connect_get_namespaced_pod_portforward, "api", "default", ports="25")
                connection = forward.socket(25)
                connection.setblocking(True)
                assert connection.recv(100) == b"welcome\n"
                connection.close()
                forward.close()
