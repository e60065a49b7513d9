"""Create, get, update, delete: objects in and out as plain dicts."""

from __future__ import annotations

import pytest
from manifests import CONFIGMAPS, NAMESPACES, SECRETS, config_map, deployment, pod, widget
from raw import RawClient

import dynkube


class TestCreate:
    @pytest.mark.behaviour("5.1.1")
    def test_returns_the_stored_object(self, configmaps: dynkube.ResourceHandle) -> None:
        created = configmaps.create(config_map("a", key="value"))
        assert type(created) is dict
        assert created["data"] == {"key": "value"}
        assert created["metadata"]["uid"]
        assert created["metadata"]["resourceVersion"]

    @pytest.mark.behaviour("5.1.2")
    def test_a_bare_gvr_needs_no_discovery(self, server, namespace: str) -> None:  # type: ignore[no-untyped-def]
        with server.connect() as client:
            handle = client.resource(CONFIGMAPS).namespace(namespace)
            assert handle.create(config_map("bare"))["metadata"]["namespace"] == namespace

    @pytest.mark.behaviour("5.1.3")
    def test_a_built_in_kind_may_be_left_out(self, configmaps: dynkube.ResourceHandle) -> None:
        created = configmaps.create({"metadata": {"name": "bare"}, "data": {"a": "b"}})
        assert created["kind"] == "ConfigMap"

    @pytest.mark.behaviour("5.1.3")
    def test_a_custom_resource_without_kind_is_refused_with_the_fix(self, widgets: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.BadRequestError, match="Kind") as caught:
            widgets.create({"metadata": {"name": "bare"}, "spec": {}})
        assert "kind" in str(caught.value).lower()

    @pytest.mark.behaviour("5.1.4")
    def test_the_server_refuses_another_namespace(self, configmaps: dynkube.ResourceHandle) -> None:
        obj = config_map("a")
        obj["metadata"]["namespace"] = "default"
        with pytest.raises(dynkube.BadRequestError, match="does not match the namespace"):
            configmaps.create(obj)

    def test_generate_name(self, configmaps: dynkube.ResourceHandle) -> None:
        created = configmaps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "gen-"}})
        assert created["metadata"]["name"].startswith("gen-")

    @pytest.mark.behaviour("2.8.10")
    def test_a_second_one_already_exists(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        with pytest.raises(dynkube.AlreadyExistsError) as caught:
            configmaps.create(config_map("a"))
        assert not isinstance(caught.value, dynkube.ConflictError)
        assert caught.value.code == 409

    @pytest.mark.behaviour("2.5.3")
    def test_dry_run_stores_nothing(self, configmaps: dynkube.ResourceHandle) -> None:
        assert configmaps.create(config_map("dry"), dry_run=True)["metadata"]["name"] == "dry"
        assert configmaps.get_or_none("dry") is None

    @pytest.mark.behaviour("2.5.3")
    def test_field_manager_is_recorded(self, configmaps: dynkube.ResourceHandle) -> None:
        created = configmaps.create(config_map("a", k="v"), field_manager="conformance")
        assert {entry["manager"] for entry in created["metadata"]["managedFields"]} == {"conformance"}

    @pytest.mark.behaviour("2.5.3")
    def test_strict_field_validation(self, client: dynkube.DynamicClient, namespace: str) -> None:
        bad = deployment("strict")
        bad["spec"]["replicaz"] = 1
        deployments = client.resource("deployments").namespace(namespace)
        with pytest.raises(dynkube.BadRequestError, match="replicaz"):
            deployments.create(bad, field_validation="Strict")

    @pytest.mark.behaviour("5.1.3")
    def test_on_a_subresource(self, client: dynkube.DynamicClient, namespace: str) -> None:
        accounts = client.resource("serviceaccounts").namespace(namespace)
        accounts.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        assert accounts.subresource("token").create(request, name="robot")["status"]["token"]

    @pytest.mark.behaviour("2.4.6")
    def test_on_a_subresource_without_name(self, client: dynkube.DynamicClient, namespace: str) -> None:
        accounts = client.resource("serviceaccounts").namespace(namespace)
        with pytest.raises(dynkube.InvalidRequestError, match="name"):
            accounts.subresource("token").create({"kind": "TokenRequest"})

    @pytest.mark.behaviour("2.8.3")
    def test_invalid_names_the_fields(self, client: dynkube.DynamicClient, namespace: str) -> None:
        bad = deployment("invalid", replicas=-1)
        with pytest.raises(dynkube.InvalidError) as caught:
            client.resource("deployments").namespace(namespace).create(bad)
        assert caught.value.code == 422
        assert [cause.field for cause in caught.value.causes] == ["spec.replicas"]


class TestGet:
    @pytest.mark.behaviour("5.1.6")
    def test_has_a_kind(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        got = configmaps.get("a")
        assert (got["apiVersion"], got["kind"]) == ("v1", "ConfigMap")

    @pytest.mark.behaviour("2.8.9")
    def test_none_of_this_name(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.NotFoundError) as caught:
            configmaps.get("absent")
        assert caught.value.reason == "NotFound"
        assert caught.value.details == {"name": "absent", "kind": "configmaps"}
        assert "absent" in str(caught.value)

    @pytest.mark.behaviour("10.1.3")
    def test_or_none(self, configmaps: dynkube.ResourceHandle) -> None:
        assert configmaps.get_or_none("absent") is None

    @pytest.mark.behaviour("2.8.2")
    def test_of_a_resource_that_is_not_served(self, client: dynkube.DynamicClient) -> None:
        gvr = dynkube.GroupVersionResource("nowhere.example", "v1", "things")
        with pytest.raises(dynkube.NotFoundError) as caught:
            client.resource(gvr).get("x")
        assert "/apis/nowhere.example/v1/things/x" in str(caught.value)

    @pytest.mark.behaviour("2.5.3")
    def test_any_cached_version(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        assert configmaps.get("a", resource_version="0")["metadata"]["name"] == "a"

    @pytest.mark.behaviour("2.4.5")
    def test_a_name_with_a_colon(self, client: dynkube.DynamicClient) -> None:
        roles = client.resource("clusterroles.rbac.authorization.k8s.io")
        assert roles.get("system:discovery")["metadata"]["name"] == "system:discovery"

    @pytest.mark.behaviour("2.4.5")
    @pytest.mark.parametrize("name", ["a/b", ".", "..", "a%2fb", "%2e%2e"])
    def test_a_name_that_could_go_elsewhere_is_never_sent(self, configmaps: dynkube.ResourceHandle, name: str) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="name"):
            configmaps.get(name)

    @pytest.mark.behaviour("2.4.5")
    def test_a_newline_in_a_name_reaches_only_the_name(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises((dynkube.InvalidRequestError, dynkube.NotFoundError)):
            configmaps.get("a\nb")

    @pytest.mark.behaviour("2.6.3")
    def test_integers_stay_integers(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("numbers", big=2**63 - 1, small=-(2**63), number=1.5, list=[1, 2]))
        spec = widgets.get("numbers")["spec"]
        assert spec == {"big": 2**63 - 1, "small": -(2**63), "number": 1.5, "list": [1, 2]}
        assert type(spec["big"]) is int

    @pytest.mark.behaviour("2.4.3")
    def test_core_and_group_paths(self, client: dynkube.DynamicClient, namespace: str, raw: RawClient) -> None:
        client.resource("deployments").namespace(namespace).create(deployment("d"))
        assert raw.request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/d").status == 200
        assert client.resource(NAMESPACES).get(namespace)["kind"] == "Namespace"

    def test_unicode_survives(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("text", key="süß 🐍 \u2028"))
        assert configmaps.get("text")["data"]["key"] == "süß 🐍 \u2028"


class TestUpdate:
    @pytest.mark.behaviour("5.1.1")
    def test_replaces(self, configmaps: dynkube.ResourceHandle) -> None:
        obj = configmaps.create(config_map("a", old="1"))
        obj["data"] = {"new": "2"}
        assert configmaps.update(obj)["data"] == {"new": "2"}

    @pytest.mark.behaviour("2.8.9")
    def test_an_older_version_conflicts(self, configmaps: dynkube.ResourceHandle) -> None:
        first = configmaps.create(config_map("a"))
        configmaps.update({**first, "data": {"by": "other"}})
        with pytest.raises(dynkube.ConflictError, match="the object has been modified"):
            configmaps.update({**first, "data": {"by": "me"}})
        assert configmaps.get("a")["data"] == {"by": "other"}

    @pytest.mark.behaviour("5.1.3")
    def test_needs_a_name(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="name"):
            configmaps.update({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}})

    @pytest.mark.behaviour("5.1.1")
    def test_status_alone(self, widgets: dynkube.ResourceHandle) -> None:
        obj = widgets.create(widget("a", size=1))
        obj["spec"] = {"size": 99}
        obj["status"] = {"phase": "Ready"}
        updated = widgets.update_status(obj)
        assert (updated["spec"], updated["status"]) == ({"size": 1}, {"phase": "Ready"})

    def test_the_main_resource_ignores_status(self, widgets: dynkube.ResourceHandle) -> None:
        obj = widgets.create(widget("a", size=1))
        updated = widgets.update({**obj, "spec": {"size": 2}, "status": {"phase": "Forged"}})
        assert updated["spec"] == {"size": 2}
        assert "status" not in updated

    def test_generation_counts_spec_changes_only(self, widgets: dynkube.ResourceHandle) -> None:
        obj = widgets.create(widget("a", size=1))
        obj = widgets.update({**obj, "spec": {"size": 2}})
        assert obj["metadata"]["generation"] == 2
        assert widgets.update_status({**obj, "status": {"x": 1}})["metadata"]["generation"] == 2

    @pytest.mark.behaviour("2.8.7")
    def test_of_an_absent_object(self, widgets: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.NotFoundError):
            widgets.update({**widget("absent"), "metadata": {"name": "absent", "resourceVersion": "1"}})


class TestDelete:
    @pytest.mark.behaviour("5.1.9")
    def test_tells_what_was_deleted(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        answer = configmaps.delete("a")
        assert (answer["kind"], answer["status"]) == ("Status", "Success")
        assert configmaps.get_or_none("a") is None

    @pytest.mark.behaviour("2.8.4")
    def test_may_return_the_terminating_object(self, configmaps: dynkube.ResourceHandle) -> None:
        obj = config_map("held")
        obj["metadata"]["finalizers"] = ["example.org/hold"]
        configmaps.create(obj)
        answer = configmaps.delete("held")
        assert answer["kind"] in {"ConfigMap", "Status"}
        assert configmaps.get("held")["metadata"]["deletionTimestamp"]
        configmaps.patch("held", {"metadata": {"finalizers": None}})
        assert configmaps.get_or_none("held") is None

    @pytest.mark.behaviour("2.5.4")
    def test_precondition_uid(self, configmaps: dynkube.ResourceHandle) -> None:
        uid = configmaps.create(config_map("a"))["metadata"]["uid"]
        with pytest.raises(dynkube.ConflictError, match="precondition"):
            configmaps.delete("a", preconditions=dynkube.Preconditions(uid="other"))
        configmaps.delete("a", preconditions=dynkube.Preconditions(uid=uid))

    @pytest.mark.behaviour("2.5.4")
    def test_precondition_resource_version(self, configmaps: dynkube.ResourceHandle) -> None:
        old = configmaps.create(config_map("a"))["metadata"]["resourceVersion"]
        configmaps.patch("a", {"data": {"x": "y"}})
        with pytest.raises(dynkube.ConflictError):
            configmaps.delete("a", preconditions=dynkube.Preconditions(resource_version=old))
        assert configmaps.get("a")["data"] == {"x": "y"}

    @pytest.mark.behaviour("2.5.5")
    def test_grace_period_zero_is_sent(self, client: dynkube.DynamicClient, namespace: str) -> None:
        pods = client.resource("pods").namespace(namespace)
        pods.create(pod("a"))
        pods.delete("a", grace_period_seconds=0)
        assert pods.get_or_none("a") is None

    @pytest.mark.behaviour("2.5.5")
    def test_propagation_policy_foreground_sets_the_finalizer(
        self, client: dynkube.DynamicClient, namespace: str
    ) -> None:
        deployments = client.resource("deployments").namespace(namespace)
        deployments.create(deployment("d"))
        deployments.delete("d", propagation_policy="Foreground")
        assert deployments.get("d")["metadata"]["finalizers"] == ["foregroundDeletion"]

    @pytest.mark.behaviour("2.5.5")
    def test_an_unknown_policy_is_refused(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        with pytest.raises((dynkube.InvalidRequestError, dynkube.InvalidError)):
            configmaps.delete("a", propagation_policy="Sideways")
        assert configmaps.get("a")

    @pytest.mark.behaviour("2.5.4")
    def test_dry_run(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        configmaps.delete("a", dry_run=True)
        assert configmaps.get("a")["metadata"]["name"] == "a"

    @pytest.mark.behaviour("5.1.9")
    def test_of_an_absent_object(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.NotFoundError):
            configmaps.delete("absent")


class TestDeleteCollection:
    @pytest.mark.behaviour("2.5.4")
    def test_by_selector(self, configmaps: dynkube.ResourceHandle) -> None:
        for number in range(3):
            configmaps.create(config_map(f"old-{number}", labels={"app": "old"}))
        configmaps.create(config_map("new", labels={"app": "new"}))
        configmaps.delete_collection(label_selector="app=old")
        assert [obj["metadata"]["name"] for obj in configmaps.list(label_selector="app")] == ["new"]

    @pytest.mark.behaviour("2.4.7")
    def test_of_every_namespace_must_be_asked_for(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="all_namespaces"):
            client.resource("configmaps").delete_collection(label_selector="nobody=has-this")

    @pytest.mark.behaviour("2.4.7")
    def test_of_every_namespace_the_server_decides(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.MethodNotAllowedError):
            client.resource("configmaps").delete_collection(label_selector="nobody=has-this", all_namespaces=True)


class TestNamespaces:
    """Which namespace a handle means (topics/namespaces)."""

    def test_an_unbound_handle_creates_in_the_objects_namespace(
        self, client: dynkube.DynamicClient, namespace: str
    ) -> None:
        obj = config_map("a")
        obj["metadata"]["namespace"] = namespace
        assert client.resource("configmaps").create(obj)["metadata"]["namespace"] == namespace

    def test_else_in_the_configurations(self, server, namespace: str) -> None:  # type: ignore[no-untyped-def]
        with server.connect(namespace=namespace) as client:
            assert client.resource("configmaps").create(config_map("a"))["metadata"]["namespace"] == namespace
            assert client.resource("configmaps").get("a")["metadata"]["namespace"] == namespace
            client.resource("configmaps").delete("a")

    @pytest.mark.behaviour("2.4.7")
    def test_an_unbound_list_means_all_namespaces(self, client: dynkube.DynamicClient) -> None:
        found = client.resource("configmaps").list(field_selector="metadata.name=kube-root-ca.crt")
        assert all(obj["kind"] == "ConfigMap" for obj in found)
        assert client.resource("namespaces").list()

    def test_a_bare_gvr_never_guesses(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises((dynkube.InvalidRequestError, dynkube.NotFoundError, dynkube.MethodNotAllowedError)):
            client.resource(SECRETS).create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nowhere"}})

    def test_a_cluster_scoped_resource_has_no_namespace(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="cluster-scoped"):
            client.resource("namespaces").namespace("default")
