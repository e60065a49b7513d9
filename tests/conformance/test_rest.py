"""The REST client: paths, parameters, bodies, errors and warnings as the server sees them."""

from __future__ import annotations

import json
import threading

import pytest
from manifests import config_map, crd
from raw import RawClient

import dynkube
from dynkube import CancelToken, GroupVersion, PatchType

CORE = GroupVersion("", "v1")


class TestBuilder:
    @pytest.mark.behaviour("2.4.3")
    def test_core_and_named_groups(self, client: dynkube.DynamicClient) -> None:
        core = client.rest.get().group_version(CORE).resource("namespaces").name("default").do()
        assert core.object()["kind"] == "Namespace"
        apps = client.rest.get().group_version(GroupVersion("apps", "v1")).resource("deployments").do()
        assert apps.object()["kind"] == "DeploymentList"

    @pytest.mark.behaviour("2.8.14")
    def test_a_result_tells_more_than_the_object(self, client: dynkube.DynamicClient, namespace: str) -> None:
        request = client.rest.post().group_version(CORE).namespace(namespace).resource("configmaps")
        result = request.body(config_map("a")).do()
        assert (result.status, result.was_created, result.content_type) == (201, True, "application/json")
        assert json.loads(result.raw) == result.object()
        again = client.rest.get().group_version(CORE).namespace(namespace).resource("configmaps").name("a").do()
        assert not again.was_created

    @pytest.mark.behaviour("2.4.10")
    def test_a_repeated_parameter_adds_values(self, client: dynkube.DynamicClient, namespace: str) -> None:
        request = client.rest.post().group_version(CORE).namespace(namespace).resource("configmaps")
        result = request.param("dryRun", "All").param("dryRun", "All").body(config_map("dry"))
        assert result.build().query == (("dryRun", "All"), ("dryRun", "All"))
        assert result.do().status == 201
        assert client.resource("configmaps").namespace(namespace).get_or_none("dry") is None

    @pytest.mark.behaviour("2.4.9")
    def test_an_absolute_path(self, client: dynkube.DynamicClient) -> None:
        assert client.rest.get().abs_path("/readyz").do_raw() == b"ok"
        assert client.rest.get().abs_path("apis", "apps", "v1").do().object()["kind"] == "APIResourceList"

    @pytest.mark.behaviour("2.4.9")
    def test_a_request_uri_replaces_path_and_parameters(self, client: dynkube.DynamicClient) -> None:
        request = client.rest.get().param("limit", 1).request_uri("/version?ignored=1")
        assert "gitVersion" in json.loads(request.do_raw())

    @pytest.mark.behaviour("2.4.11")
    def test_a_timeout_is_told_to_the_server_as_go_writes_it(self, client: dynkube.DynamicClient) -> None:
        request = client.rest.get().group_version(CORE).resource("configmaps").timeout(90)
        assert ("timeout", "1m30s") in request.build().query
        assert request.do().status == 200

    @pytest.mark.behaviour("2.4.11")
    def test_the_server_refuses_a_bare_number(self, raw: RawClient) -> None:
        assert raw.request("GET", "/api/v1/configmaps?timeout=30").status == 400

    @pytest.mark.behaviour("2.4.4")
    def test_subresources(self, client: dynkube.DynamicClient) -> None:
        request = client.rest.get().group_version(CORE).resource("namespaces").name("default").sub_resource("status")
        assert request.do().object()["kind"] == "Namespace"

    @pytest.mark.behaviour("2.4.7")
    def test_an_empty_namespace_is_refused_where_it_would_mean_another_path(
        self, client: dynkube.DynamicClient
    ) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="an empty namespace"):
            client.rest.get().group_version(CORE).namespace("").resource("configmaps").name("a").do()
        with pytest.raises(dynkube.InvalidRequestError, match="an empty namespace"):
            client.rest.post().group_version(CORE).namespace("").resource("configmaps").body(config_map("a")).do()
        assert client.rest.get().group_version(CORE).namespace("").resource("configmaps").do().status == 200

    @pytest.mark.behaviour("2.5.6")
    def test_a_patch(self, client: dynkube.DynamicClient, configmaps: dynkube.ResourceHandle, namespace: str) -> None:
        configmaps.create(config_map("a"))
        request = client.rest.patch(PatchType.MERGE).group_version(CORE).namespace(namespace).resource("configmaps")
        assert request.name("a").body({"data": {"x": "1"}}).do().object()["data"] == {"x": "1"}

    @pytest.mark.behaviour("2.5.4")
    def test_a_delete(self, client: dynkube.DynamicClient, configmaps: dynkube.ResourceHandle, namespace: str) -> None:
        configmaps.create(config_map("a"))
        request = client.rest.delete().group_version(CORE).namespace(namespace).resource("configmaps").name("a")
        assert request.do().object()["status"] == "Success"

    @pytest.mark.behaviour("2.10.6")
    def test_a_stream_is_bytes(self, client: dynkube.DynamicClient) -> None:
        with client.rest.get().abs_path("/version").stream() as stream:
            assert json.loads(stream.read_all())["major"] == "1"

    @pytest.mark.behaviour("2.8.1")
    def test_a_stream_that_is_refused(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NotFoundError):
            client.rest.get().abs_path("/api/v1/namespaces/absent-namespace").stream()

    @pytest.mark.behaviour("2.8.1")
    def test_a_watch_that_is_refused(self, client: dynkube.DynamicClient) -> None:
        request = client.rest.get().abs_path("/api/v1/nothings").param("watch", True)
        with pytest.raises(dynkube.NotFoundError):
            request.watch()

    @pytest.mark.behaviour("2.10.1")
    def test_a_watch(self, client: dynkube.DynamicClient, configmaps: dynkube.ResourceHandle, namespace: str) -> None:
        version = configmaps.list().resource_version
        configmaps.create(config_map("a", text="ü" * 1000))
        request = client.rest.get().group_version(CORE).namespace(namespace).resource("configmaps")
        request = request.param("watch", True).param("resourceVersion", version).param("timeoutSeconds", 5)
        with request.watch() as events:
            event = next(iter(events))
        assert (event.type, event.object["data"]["text"]) == ("ADDED", "ü" * 1000)


class TestErrors:
    @pytest.mark.behaviour("2.8.3")
    def test_raw_calls_keep_the_body_as_the_text(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NotFoundError) as caught:
            client.rest.get().abs_path("/api/v1/namespaces/default/configmaps/absent").do_raw()
        assert caught.value.has_cause("UnexpectedServerResponse")

    @pytest.mark.behaviour("2.8.7")
    def test_a_method_the_resource_does_not_have(self, client: dynkube.DynamicClient) -> None:
        request = client.rest.put().group_version(CORE).resource("namespaces").body({})
        with pytest.raises(dynkube.MethodNotAllowedError) as caught:
            request.do()
        assert caught.value.code == 405

    @pytest.mark.behaviour("2.8.2")
    def test_a_media_type_the_server_does_not_take(self, client: dynkube.DynamicClient, namespace: str) -> None:
        request = client.rest.post().group_version(CORE).namespace(namespace).resource("configmaps")
        with pytest.raises(dynkube.UnsupportedMediaTypeError):
            request.body(b"x", content_type="text/x-nothing").do()

    @pytest.mark.behaviour("2.8.2")
    def test_a_media_type_the_server_cannot_send(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NotAcceptableError):
            client.rest.get().abs_path("/api/v1/namespaces").header("Accept", "image/png").do()

    @pytest.mark.behaviour("2.8.2")
    def test_a_body_that_is_no_json(self, client: dynkube.DynamicClient, namespace: str) -> None:
        request = client.rest.post().group_version(CORE).namespace(namespace).resource("configmaps")
        with pytest.raises(dynkube.BadRequestError):
            request.body(b"{").do()

    @pytest.mark.behaviour("2.8.2")
    def test_a_body_that_is_too_large(self, client: dynkube.DynamicClient, namespace: str) -> None:
        large = config_map("large", text="x" * 4_000_000)
        with pytest.raises((dynkube.RequestEntityTooLargeError, dynkube.InvalidError)):
            client.resource("configmaps").namespace(namespace).create(large)

    @pytest.mark.behaviour("2.8.5")
    def test_text_where_an_object_was_wanted(self, client: dynkube.DynamicClient) -> None:
        result = client.rest.get().abs_path("/readyz").do()
        assert result.raw == b"ok"
        with pytest.raises(dynkube.DecodeError, match="text/plain"):
            result.object()

    @pytest.mark.behaviour("2.8.9")
    def test_forbidden_says_who_and_what(self, server, namespace: str) -> None:  # type: ignore[no-untyped-def]
        with server.connect(server.user("mallory")) as client:
            secrets = client.resource(dynkube.GroupVersionResource("", "v1", "secrets")).namespace(namespace)
            with pytest.raises(dynkube.ForbiddenError, match='User "mallory" cannot get resource "secrets"'):
                secrets.get("x")

    @pytest.mark.behaviour("2.8.9")
    def test_the_path_and_method_are_in_the_text(self, client: dynkube.DynamicClient) -> None:
        with pytest.raises(dynkube.NotFoundError, match="GET /api/v1/namespaces/absent"):
            client.resource(dynkube.GroupVersionResource("", "v1", "namespaces")).get("absent")


@pytest.fixture
def deprecated(server) -> str:  # type: ignore[no-untyped-def]
    """The path of a version that the server warns about."""
    manifest = crd("oldies", "Oldie", group="warnings.dynkube.dev")
    manifest["spec"]["versions"][1].update(deprecated=True, deprecationWarning='use "v1" instead')
    with server.connect() as client:
        crds = client.resource("customresourcedefinitions")
        crds.apply(manifest, field_manager="conformance")
        crds.wait("oldies.warnings.dynkube.dev", condition="Established", timeout=30)
    return "/apis/warnings.dynkube.dev/v1beta1/oldies"


class TestWarnings:
    @pytest.mark.behaviour("2.9.1")
    def test_are_parsed(self, client: dynkube.DynamicClient, deprecated: str) -> None:
        result = client.rest.get().abs_path(deprecated).do(warnings=lambda _: None)
        assert [(each.code, each.text) for each in result.warnings] == [(299, 'use "v1" instead')]

    @pytest.mark.behaviour("2.9.3")
    def test_go_to_the_handler_of_the_client(self, server, deprecated: str) -> None:  # type: ignore[no-untyped-def]
        told: list[str] = []
        with server.connect(warnings=lambda warning: told.append(warning.text)) as client:
            client.rest.get().abs_path(deprecated).do()
        assert told == ['use "v1" instead']

    @pytest.mark.behaviour("2.9.3")
    def test_or_of_the_request(self, client: dynkube.DynamicClient, deprecated: str) -> None:
        told: list[str] = []
        client.rest.get().abs_path(deprecated).do(warnings=lambda warning: told.append(warning.text))
        assert told == ['use "v1" instead']

    @pytest.mark.behaviour("2.9.3")
    def test_or_are_logged(
        self, client: dynkube.DynamicClient, deprecated: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.rest.get().abs_path(deprecated).do()
        assert [record.getMessage() for record in caplog.records if record.name == "dynkube.warnings"] == [
            'use "v1" instead'
        ]

    @pytest.mark.behaviour("2.9.2")
    def test_come_with_errors_too(self, server, deprecated: str) -> None:  # type: ignore[no-untyped-def]
        told: list[str] = []
        with server.connect(warnings=lambda warning: told.append(warning.text)) as client:
            gvr = dynkube.GroupVersionResource("warnings.dynkube.dev", "v1beta1", "oldies")
            with pytest.raises(dynkube.NotFoundError):
                client.resource(gvr).namespace("default").get("absent")
        assert told == ['use "v1" instead']

    @pytest.mark.behaviour("2.9.2")
    def test_come_at_the_start_of_a_watch(self, server, deprecated: str) -> None:  # type: ignore[no-untyped-def]
        told: list[str] = []
        with server.connect(warnings=lambda warning: told.append(warning.text)) as client:
            gvr = dynkube.GroupVersionResource("warnings.dynkube.dev", "v1beta1", "oldies")
            client.resource(gvr).watch_once(timeout_seconds=1).close()
        assert told == ['use "v1" instead']


class TestLimits:
    @pytest.mark.behaviour("2.11.3")
    def test_a_deadline_ends_a_call_to_a_server_that_does_not_answer(
        self,
        server,
        configmaps: dynkube.ResourceHandle,  # type: ignore[no-untyped-def]
    ) -> None:
        server.pause()
        try:
            with pytest.raises(dynkube.DeadlineExceededError):
                configmaps.list(timeout=0.5)
        finally:
            server.resume()

    @pytest.mark.behaviour("2.11.3")
    def test_a_token_cancels_one(self, server, configmaps: dynkube.ResourceHandle) -> None:  # type: ignore[no-untyped-def]
        cancel = CancelToken()
        server.pause()
        try:
            threading.Timer(0.2, cancel.cancel).start()
            with pytest.raises(dynkube.CancelledError):
                configmaps.list(cancel=cancel)
        finally:
            server.resume()

    @pytest.mark.behaviour("2.1.11")
    def test_a_connection_that_went_stale_is_replaced(
        self,
        server,
        configmaps: dynkube.ResourceHandle,  # type: ignore[no-untyped-def]
    ) -> None:
        configmaps.list()
        server.restart()
        assert configmaps.list().kind == "ConfigMapList"

    @pytest.mark.behaviour("2.7.4")
    def test_a_server_that_is_not_there(self, server, configmaps: dynkube.ResourceHandle) -> None:  # type: ignore[no-untyped-def]
        configmaps.list()
        server.kill()
        try:
            with pytest.raises(dynkube.ConnectError, match="refused"):
                configmaps.create(config_map("a"))
        finally:
            server.restart()

    def test_a_closed_client(self, server) -> None:  # type: ignore[no-untyped-def]
        client = server.connect()
        client.close()
        client.close()
        with pytest.raises(dynkube.ClosedError):
            client.rest.get().abs_path("/version").do()
