"""A clientset on the embedded server: when it asks, what it says, and how it ends."""

from __future__ import annotations

import rlcompleter
import threading
from collections.abc import Iterator

import pytest
from manifests import GROUP, crd
from sentrequests import SentRequests

import dynkube
from dynkube.clientset.expansions.proxying import _joined, _suffix
from dynkube.informers import InformerFactory
from dynkube.testing import APIServer


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def wire() -> SentRequests:
    return SentRequests()


@pytest.fixture
def clientset(server: APIServer, wire: SentRequests) -> Iterator[dynkube.Clientset]:
    with dynkube.Clientset(wire.config(server.config)) as clientset:
        yield clientset


class TestAsking:
    @pytest.mark.behaviour("9.1.1")
    def test_nothing_is_sent_until_a_resource_is_named(self, clientset: dynkube.Clientset, wire: SentRequests) -> None:
        clientset.group("apps")
        clientset.rest_client("apps/v1")
        repr(clientset)
        assert wire.all == []

    @pytest.mark.behaviour("9.1.1")
    def test_the_first_use_costs_the_discovery_of_one_version(
        self, clientset: dynkube.Clientset, wire: SentRequests
    ) -> None:
        clientset.apps_v1.deployments("default")
        clientset.apps_v1.statefulsets("default")
        assert [each.path for each in wire.all] == ["/apis/apps/v1"]

    def test_what_the_dynamic_client_has_discovered_is_used(
        self, clientset: dynkube.Clientset, wire: SentRequests
    ) -> None:
        clientset.dynamic.resource("pods")
        before = len(wire.all)
        clientset.core_v1.pods("default")
        assert len(wire.all) == before

    @pytest.mark.parametrize("name", ["_repr_html_", "__wrapped__", "_ipython_display_"])
    def test_private_names_ask_nothing(self, clientset: dynkube.Clientset, wire: SentRequests, name: str) -> None:
        pods = clientset.core_v1.pods("default")
        before = len(wire.all)
        assert not any(hasattr(each, name) for each in (clientset, clientset.core_v1, pods))
        assert len(wire.all) == before

    @pytest.mark.behaviour("9.1.1")
    def test_a_resource_that_appears_is_found(self, clientset: dynkube.Clientset) -> None:
        crds = clientset.apiextensions_v1.customresourcedefinitions()
        crds.create(crd("cogs", "Cog"))
        crds.wait(f"cogs.{GROUP}", condition="Established", timeout=30)
        there = clientset.group(GROUP).version("v1")
        assert list(there.cogs("default").list()) == []
        crds.create(crd("wheels", "Wheel"))
        crds.wait(f"wheels.{GROUP}", condition="Established", timeout=30)
        assert list(there.wheels("").list()) == []
        crds.delete(f"cogs.{GROUP}")
        crds.delete(f"wheels.{GROUP}")

    def test_a_broken_group_is_an_error_where_it_is_asked_for_only(
        self, clientset: dynkube.Clientset, server: APIServer
    ) -> None:
        with server.break_group("metrics.k8s.io/v1beta1"):
            assert list(clientset.core_v1.pods("default").list()) == []
            with pytest.raises(dynkube.ServiceUnavailableError):
                clientset.metrics_v1beta1
            assert "core_v1" in dir(clientset)

    def test_many_threads_cost_one_discovery(self, clientset: dynkube.Clientset, wire: SentRequests) -> None:
        gate = threading.Barrier(8)
        found: list[object] = []

        def use() -> None:
            gate.wait(30)
            found.append(list(clientset.batch_v1.jobs("default").list()))

        threads = [threading.Thread(target=use) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert found == [[]] * 8
        assert [each.path for each in wire.all].count("/apis/batch/v1") == 1

    @pytest.mark.behaviour("9.1.6")
    def test_the_servers_limit_is_that_of_the_call(self, clientset: dynkube.Clientset) -> None:
        pods = clientset.core_v1.pods("default")
        assert (pods._limit(None, 7), pods._limit(2.0, 7), pods._limit(None, 0), pods._limit(None, None)) == (
            7,
            2.0,
            None,
            None,
        )


class TestSaying:
    def test_reprs_name_server_and_scope(self, clientset: dynkube.Clientset, server: APIServer) -> None:
        core = clientset.core_v1
        assert repr(clientset) == f"Clientset('{server.url}')"
        assert repr(core) == f"<v1 of {server.url}>"
        assert repr(core.pods) == "<pods(namespace) of v1>"
        assert repr(core.nodes) == "<nodes() of v1>"
        assert repr(core.pods("shop")) == f"<Pods v1, namespace='shop', of {server.url}>"
        assert repr(core.pods("")) == f"<Pods v1, all namespaces, of {server.url}>"
        assert repr(core.nodes()) == f"<Nodes v1, of {server.url}>"
        assert repr(clientset.group("apps")) == f"<Group 'apps' of {server.url}>"

    def test_dir_has_everything(self, clientset: dynkube.Clientset) -> None:
        assert {"core_v1", "apps_v1", "group", "rest_client", "discovery"} <= set(dir(clientset))
        assert {"pods", "nodes", "resource", "rest_client"} <= set(dir(clientset.core_v1))
        assert {"list", "get_scale", "rollout_restart", "port_forward"} <= set(dir(clientset.apps_v1.deployments("x")))

    @pytest.mark.parametrize(
        ("typed", "completed"),
        [
            ("it.networking_v1", {"it.networking_v1", "it.networking_v1beta1"}),
            ("it.core_v1.serviceac", {"it.core_v1.serviceaccounts("}),
            ("nodes.unc", {"nodes.uncordon("}),
        ],
    )
    def test_a_repl_completes(self, clientset: dynkube.Clientset, typed: str, completed: set[str]) -> None:
        completer = rlcompleter.Completer({"it": clientset, "nodes": clientset.core_v1.nodes()})
        assert {completer.complete(typed, each) for each in range(5)} - {None} == completed

    @pytest.mark.behaviour("9.1.5")
    def test_a_missing_verb_says_what_there_is(self, clientset: dynkube.Clientset) -> None:
        with pytest.raises(AttributeError) as caught:
            clientset.core_v1.bindings("x").list
        assert str(caught.value) == (
            "bindings of v1 have no 'list'. The server serves them with create, so they have create"
        )

    @pytest.mark.behaviour("9.1.1")
    def test_an_unknown_group_that_a_custom_one_is_like(self, clientset: dynkube.Clientset) -> None:
        crds = clientset.apiextensions_v1.customresourcedefinitions()
        crds.create(crd("gateways", "Gateway", group="istio.example.com"))
        crds.wait("gateways.istio.example.com", condition="Established", timeout=30)
        with pytest.raises(
            AttributeError, match=r'did you mean clientset.group\("istio.example.com"\).version\("v1"\)\?'
        ):
            clientset.istio_v1
        crds.delete("gateways.istio.example.com")

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("pod", "pods"),
            ("po", "pods"),
            ("Pod", "pods"),
            ("config_maps", "configmaps"),
            ("serviceaccount", "serviceaccounts"),
        ],
    )
    def test_kinds_and_short_names_lead_to_the_plural(
        self, clientset: dynkube.Clientset, name: str, meant: str
    ) -> None:
        with pytest.raises(AttributeError, match=f"did you mean '{meant}'"):
            getattr(clientset.core_v1, name)

    def test_a_missing_namespace_and_one_too_many(self, clientset: dynkube.Clientset) -> None:
        with pytest.raises(
            TypeError, match=r'pods live in namespaces: pods\("default"\) is one, pods\(""\) all of them'
        ):
            clientset.core_v1.pods()
        with pytest.raises(TypeError, match=r"nodes are cluster-scoped, so nodes\(\) takes no namespace"):
            clientset.core_v1.nodes("shop")
        with pytest.raises(dynkube.InvalidRequestError, match="invalid resource namespace"):
            clientset.core_v1.pods("a/b")

    def test_a_verb_before_the_namespace(self, clientset: dynkube.Clientset) -> None:
        with pytest.raises(AttributeError, match=r'pods are called before a verb of theirs: pods\("default"\)\.list'):
            clientset.core_v1.pods.list
        with pytest.raises(AttributeError, match=r"nodes\(\)\.drain"):
            clientset.core_v1.nodes.drain

    def test_the_core_groups_name_is_empty(self, clientset: dynkube.Clientset) -> None:
        assert list(clientset.group("").version("v1").pods("default").list()) == []
        with pytest.raises(dynkube.NoMatchError, match=r"clientset\.core_v1"):
            clientset.group("core").version("v1")
        assert clientset.group("autoscaling").versions == ("v2", "v1")
        assert clientset.group("nothing.example.com").versions == ()

    @pytest.mark.parametrize(("group", "version"), [("a/b", "v1"), ("apps", ""), ("apps", ".."), ("%2e", "v1")])
    def test_what_can_be_no_group_or_version_is_refused(
        self, clientset: dynkube.Clientset, group: str, version: str
    ) -> None:
        with pytest.raises(dynkube.InvalidRequestError):
            clientset.group(group).version(version)


class TestEnding:
    def test_a_client_that_was_given_stays_open(self, server: APIServer) -> None:
        with server.connect() as client:
            with dynkube.Clientset(client) as clientset:
                assert clientset.dynamic is client
            assert list(client.resource("pods").namespace("default").list()) == []

    def test_its_own_is_closed(self, server: APIServer) -> None:
        clientset = dynkube.Clientset(server.config)
        pods = clientset.core_v1.pods("default")
        clientset.close()
        clientset.close()
        with pytest.raises(dynkube.ClosedError):
            pods.list()
        with pytest.raises(dynkube.ClosedError):
            clientset.apps_v1

    def test_options_of_a_client_that_was_given_are_refused(self, server: APIServer) -> None:
        with server.connect() as client, pytest.raises(TypeError, match="a DynamicClient has its own"):
            dynkube.Clientset(client, retry=dynkube.RetryPolicy())
        with pytest.raises(TypeError, match="config must be a RESTConfig or a DynamicClient, not a str"):
            dynkube.Clientset("kubeconfig")  # type: ignore[arg-type]

    def test_completion_survives_a_server_that_is_gone(self) -> None:
        with dynkube.Clientset(dynkube.RESTConfig(host="http://127.0.0.1:1")) as clientset:
            assert "group" in dir(clientset)
            with pytest.raises(dynkube.TransportError):
                clientset.core_v1


class TestResources:
    def test_the_handle_has_every_verb(self, clientset: dynkube.Clientset) -> None:
        handle = clientset.core_v1.bindings("shop").handle
        assert repr(handle) == "ResourceHandle(v1/bindings, namespace='shop')"

    def test_equal_ones_are_equal(self, clientset: dynkube.Clientset) -> None:
        core = clientset.core_v1
        assert core.pods("a") == core.pods("a")
        assert core.pods("a") != core.pods("b")
        assert len({core.pods("a"), core.pods("a")}) == 1

    @pytest.mark.behaviour("9.3.5")
    def test_an_informer_follows_a_resource(self, clientset: dynkube.Clientset) -> None:
        maps = clientset.core_v1.configmaps("default")
        maps.create({"metadata": {"name": "followed"}})
        with InformerFactory(clientset.dynamic, namespace="default") as factory:
            informer = factory.for_resource(maps.gvr)
            factory.start()
            factory.wait_for_cache_sync(timeout=30)
            assert informer.lister().namespace("default").get("followed")["kind"] == "ConfigMap"
        maps.delete("followed")


@pytest.mark.behaviour("9.3.2")
@pytest.mark.parametrize(
    ("scheme", "port", "joined"),
    [
        ("", None, "web"),
        ("", 80, "web:80"),
        ("", "http", "web:http"),
        ("https", None, "https:web:"),
        ("http", 80, "http:web:80"),
    ],
)
def test_the_name_of_what_is_proxied(scheme: str, port: int | str | None, joined: str) -> None:
    assert _joined("web", scheme, port) == joined


@pytest.mark.parametrize(
    ("name", "scheme", "port", "message"),
    [
        ("a:b", "", None, "name may not contain ':'"),
        ("a", "", "8:0", "port may not contain ':'"),
        ("a", "ftp", None, "scheme must be"),
        ("", "", None, "name is required"),
        ("a/b", "", None, "may not contain '/'"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, scheme: str, port: str | None, message: str) -> None:
    with pytest.raises(dynkube.InvalidRequestError, match=message):
        _joined(name, scheme, port)


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("", ""),
        ("/", ""),
        ("metrics", "/metrics"),
        ("/a/b/", "/a/b/"),
        ("a//b", "/a//b"),
        ("50%", "/50%25"),
        ("a?b", "/a%3Fb"),
    ],
)
def test_the_path_of_a_proxied_page(path: str, suffix: str) -> None:
    assert _suffix(path) == suffix


@pytest.mark.parametrize("path", ["..", "a/../../b", "./a", "a/."])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(dynkube.InvalidRequestError, match="may not contain"):
        _suffix(path)
