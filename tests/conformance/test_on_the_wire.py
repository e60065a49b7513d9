"""What leaves dynkube and what it makes of bad networks: a `FaultProxy` reads along, before either server."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from manifests import CONFIGMAPS, config_map
from raw import RawClient

import dynkube
from dynkube.resources import filtered_by
from dynkube.testing import AccessRule, Fault, FaultProxy
from dynkube.wire.retry import RetryPolicy

CLUSTERROLES = dynkube.GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
EVERYTHING = ("*",)
GROUP = "conformance-robots"


@pytest.fixture
def proxy(server) -> Iterator[FaultProxy]:  # type: ignore[no-untyped-def]
    with FaultProxy.before(server) as proxy:
        yield proxy


@pytest.fixture
def config(stage, proxy: FaultProxy) -> dynkube.RESTConfig:  # type: ignore[no-untyped-def]
    """A user with a token who may do everything, by way of the proxy: it ends TLS, so no certificate gets through."""
    if not hasattr(stage, "robot"):
        rules = [{"resources": EVERYTHING, "api_groups": EVERYTHING}, {"non_resource_urls": EVERYTHING}]
        for rule in rules:
            stage.server.allow(AccessRule(user="token-user", verbs=EVERYTHING, **rule))
        stage.robot = dynkube.load_config(kubeconfig=stage.server.token_user())
    return stage.robot.copy(host=proxy.url, tls=dynkube.TLSConfig(ca_data=proxy.ca_data))


@pytest.fixture
def robot(config: dynkube.RESTConfig) -> Iterator[dynkube.DynamicClient]:
    with dynkube.DynamicClient(config) as client:
        yield client


@pytest.fixture
def there(robot: dynkube.DynamicClient, namespace: str) -> dynkube.ResourceHandle:
    """The ConfigMaps of the case's namespace, through the proxy."""
    return robot.resource(CONFIGMAPS).namespace(namespace)


def impatient(config: dynkube.RESTConfig, *, retries: int = 10) -> dynkube.RESTClient:
    return dynkube.RESTClient(config, retry=RetryPolicy(max_retries=retries))


def seen_query(proxy: FaultProxy) -> dict[str, list[str]]:
    return parse_qs(proxy.requests[-1].query, keep_blank_values=True)


class TestRequests:
    @pytest.mark.behaviour("2.6.1", "2.5.7")
    def test_the_headers_of_a_read(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        there.list()
        (seen,) = proxy.requests
        assert seen.header("accept") == "application/json"
        assert "gzip" in (seen.header("accept-encoding") or "")

    @pytest.mark.behaviour("2.5.7")
    def test_an_apply(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        there.apply(config_map("a"), field_manager="me", force=True)
        assert (proxy.requests[-1].method, proxy.requests[-1].path.endswith("/configmaps/a")) == ("PATCH", True)
        assert proxy.requests[-1].header("content-type") == "application/apply-patch+yaml"
        assert seen_query(proxy) == {"fieldManager": ["me"], "force": ["true"]}

    @pytest.mark.behaviour("2.5.1")
    def test_what_is_not_set_is_not_sent(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        there.list(limit=0, label_selector="")
        assert proxy.requests[-1].query == ""
        there.list(timeout_seconds=0, limit=1)
        assert seen_query(proxy) == {"timeoutSeconds": ["0"], "limit": ["1"]}

    @pytest.mark.behaviour("2.5.1")
    def test_force_is_sent_when_it_is_false(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        there.apply(config_map("a"), field_manager="me", force=False)
        assert seen_query(proxy)["force"] == ["false"]

    @pytest.mark.behaviour("2.1.9")
    def test_a_name_arrives_as_it_was_given(self, proxy: FaultProxy, robot: dynkube.DynamicClient, unique: str) -> None:
        name = f"{unique}:reader a+b?c#d"
        roles = robot.resource(CLUSTERROLES)
        roles.create({"metadata": {"name": name}, "rules": []})
        try:
            assert roles.get(name)["metadata"]["name"] == name
            assert proxy.requests[-1].target.endswith(f"/{unique}:reader%20a+b%3Fc%23d")
        finally:
            roles.delete(name)

    @pytest.mark.behaviour("2.6.5")
    def test_a_large_body_is_sent_without_asking_first(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        there.create(config_map("large", text="x" * 900_000))
        assert proxy.requests[-1].header("expect") is None
        assert proxy.requests[-1].header("content-length") is not None
        assert len(there.get("large")["data"]["text"]) == 900_000

    @pytest.mark.behaviour("2.2.9")
    def test_the_user_agent(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        with dynkube.RESTClient(config) as rest:
            rest.get().abs_path("/version").do()
        with dynkube.RESTClient(config.copy(user_agent="mine/2")) as rest:
            rest.get().abs_path("/version").do()
        default, own = (each.header("user-agent") for each in proxy.requests)
        assert default is not None
        assert default.startswith(f"dynkube/{dynkube.__version__} (")
        assert own == "mine/2"

    @pytest.mark.behaviour("2.2.1")
    def test_a_header_that_is_there_already_stays(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        with dynkube.RESTClient(config) as rest, pytest.raises(dynkube.UnauthorizedError):
            rest.get().abs_path("/api").header("Authorization", "Bearer other").header("User-Agent", "me").do()
        assert proxy.requests[-1].header("user-agent") == "me"

    @pytest.mark.behaviour("2.2.4")
    def test_extra_keys_are_escaped(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        someone = dynkube.Impersonation(user="jane", extra={"example.com/Scope%": ("a", "b")})
        with dynkube.DynamicClient(config.copy(impersonate=someone)) as client:
            review = client.resource("authentication.k8s.io/v1/selfsubjectreviews").create({})
        assert review["status"]["userInfo"]["extra"] == {"example.com/scope%": ["a", "b"]}
        lines = [each for each in proxy.requests[-1].headers if each[0].startswith("impersonate-extra-")]
        assert lines == [("impersonate-extra-example.com%2fscope%25", value) for value in ("a", "b")]


class TestAddresses:
    @pytest.mark.behaviour("2.4.1")
    @pytest.mark.parametrize("form", ["url", "host:port"])
    def test_a_host_with_a_ca_is_asked_by_https(self, config: dynkube.RESTConfig, form: str) -> None:
        host = config.host if form == "url" else config.host.removeprefix("https://")
        with dynkube.RESTClient(config.copy(host=host)) as rest:
            assert rest.get().abs_path("/readyz").do_raw() == b"ok"

    @pytest.mark.behaviour("2.4.1")
    def test_a_host_without_a_scheme_has_no_path(self, config: dynkube.RESTConfig) -> None:
        with pytest.raises(dynkube.ConfigError, match="must be a URL or a host:port pair"):
            dynkube.RESTClient(config.copy(host=f"{config.host.removeprefix('https://')}/prefix"))

    @pytest.mark.behaviour("2.4.2")
    def test_a_path_in_the_host_is_before_every_request(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        with dynkube.DynamicClient(config.copy(host=f"{proxy.url}/clusters/one")) as client:
            with pytest.raises(dynkube.DynkubeError):
                client.discovery.server_groups()
            with pytest.raises(dynkube.APIStatusError):
                client.discovery.server_version()
            with pytest.raises(dynkube.APIStatusError):
                client.resource(CONFIGMAPS).list()
            with pytest.raises(dynkube.APIStatusError):
                client.discovery.openapi_v3().paths()
        assert len(proxy.requests) >= 4
        assert all(each.path.startswith("/clusters/one/") for each in proxy.requests)

    @pytest.mark.behaviour("2.1.10", "3.4.3")
    def test_a_redirect_of_the_same_server_is_followed(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        with dynkube.RESTClient(config) as rest:
            document = json.loads(rest.get().request_uri("/openapi/v3/version?hash=OLD").do_raw())
        assert document["openapi"].startswith("3.")
        first, second = proxy.requests
        assert (first.status, second.status) == (301, 200)
        assert second.header("authorization") == "Bearer ..."

    @pytest.mark.behaviour("2.1.7")
    def test_each_watch_has_a_connection_of_its_own(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        version = there.list().resource_version
        with (
            there.watch_once(resource_version=version, timeout_seconds=30),
            there.watch_once(resource_version=version, timeout_seconds=30),
        ):
            there.list()
            assert proxy.open_connections == 3
        there.list()
        proxy.wait_for(lambda proxy: proxy.open_connections == 1)


class TestRefusalsForNow:
    """429 and 503 with Retry-After, said in the server's place."""

    @pytest.mark.behaviour("2.7.1")
    def test_eleven_attempts_and_no_more(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        proxy.inject(Fault.answer(503, retry_after=0), times=None)
        with dynkube.RESTClient(config) as rest, pytest.raises(dynkube.ServiceUnavailableError):
            rest.get().abs_path("/version").do()
        assert len(proxy.requests) == 11

    @pytest.mark.behaviour("2.7.2", "2.7.7")
    @pytest.mark.parametrize("status", [429, 503])
    def test_a_create_comes_through_on_the_same_connection(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle, status: int
    ) -> None:
        proxy.inject(Fault.answer(status, retry_after=0, body=b"{}"), method="POST", times=2)
        assert there.create(config_map("a", x="1"))["data"] == {"x": "1"}
        assert [(each.status, each.connection) for each in proxy.requests] == [(status, 1), (status, 1), (201, 1)]

    @pytest.mark.behaviour("2.7.2")
    @pytest.mark.parametrize("header", [None, "Wed, 21 Oct 2026 07:28:00 GMT"])
    def test_without_seconds_a_refusal_is_final(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle, header: str | None
    ) -> None:
        proxy.inject(Fault.answer(429, headers={"Retry-After": header} if header else {}))
        with pytest.raises(dynkube.TooManyRequestsError):
            there.list()
        assert len(proxy.requests) == 1

    @pytest.mark.behaviour("2.7.3")
    def test_the_wait_is_as_long_as_asked_for(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        proxy.inject(Fault.answer(429, retry_after=1))
        before = time.monotonic()
        there.list()
        assert time.monotonic() - before >= 1

    @pytest.mark.behaviour("2.7.8")
    def test_the_deadline_covers_the_wait_and_names_the_refusal(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle
    ) -> None:
        proxy.inject(Fault.answer(429, retry_after=600))
        with pytest.raises(dynkube.DeadlineExceededError):
            there.list(timeout=0.5)
        assert len(proxy.requests) == 1

    @pytest.mark.behaviour("2.8.8")
    def test_the_error_says_when_to_come_again(self, proxy: FaultProxy, config: dynkube.RESTConfig) -> None:
        proxy.inject(Fault.answer(429, retry_after=7))
        with impatient(config, retries=0) as rest, pytest.raises(dynkube.TooManyRequestsError) as caught:
            rest.get().abs_path("/version").do()
        assert caught.value.retry_after_seconds == 7
        assert [cause.reason for cause in caught.value.causes] == ["UnexpectedServerResponse"]

    @pytest.mark.behaviour("2.8.6")
    def test_a_refusal_in_plain_text_is_the_message(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        proxy.inject(Fault.answer(500, body=b"  out of order \n", content_type="text/plain"))
        with pytest.raises(dynkube.InternalServerError, match="out of order"):
            there.list()

    @pytest.mark.behaviour("2.7.6")
    def test_a_body_that_can_be_read_once_is_sent_once(
        self, proxy: FaultProxy, robot: dynkube.DynamicClient, namespace: str
    ) -> None:
        proxy.inject(Fault.answer(429, retry_after=0), method="POST")
        document = json.dumps(config_map("a")).encode()
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        with pytest.raises(dynkube.TooManyRequestsError):
            robot.rest.post().abs_path(path).body(iter([document])).do()
        assert len(proxy.requests) == 1


class TestLosses:
    @pytest.mark.behaviour("2.7.12")
    def test_an_answer_that_breaks_off_is_not_asked_for_again(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle
    ) -> None:
        proxy.inject(Fault.cut(after_body_bytes=20))
        with pytest.raises(dynkube.ConnectionLostError):
            there.list()
        assert len(proxy.requests) == 1

    @pytest.mark.behaviour("2.7.4", "2.7.12")
    def test_a_create_whose_answer_is_lost_is_sent_once(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        proxy.inject(Fault.cut(at="response"), method="POST")
        with pytest.raises(dynkube.ConnectionLostError):
            there.create(config_map("a"))
        assert len(proxy.requests) == 1
        assert there.get("a")["metadata"]["name"] == "a"

    @pytest.mark.behaviour("2.7.5")
    def test_the_start_of_a_watch_is_tried_again(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        version = there.list().resource_version
        there.create(config_map("a"))
        proxy.inject(Fault.reset(at="request"), method="GET", times=1)
        with there.watch_once(resource_version=version, timeout_seconds=10) as events:
            assert next(iter(events)).object["metadata"]["name"] == "a"

    @pytest.mark.behaviour("2.7.9")
    def test_a_watch_that_never_starts_is_an_empty_one(
        self, proxy: FaultProxy, config: dynkube.RESTConfig, namespace: str
    ) -> None:
        proxy.inject(Fault.reset(), times=None)
        with impatient(config, retries=1) as rest:
            request = rest.get().abs_path(f"/api/v1/namespaces/{namespace}/configmaps").param("watch", True)
            with request.watch() as events:
                assert list(events) == []
        assert len(proxy.requests) == 2

    @pytest.mark.behaviour("2.10.2")
    def test_a_watch_frame_beyond_the_limit(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        frame = b'{"type":"ADDED","object":{"data":"' + b"x" * (17 << 20) + b'"}}\n'
        proxy.inject(Fault.answer(200, body=frame), when=lambda seen: "watch=true" in seen.query)
        with there.watch_once(resource_version="1", timeout_seconds=5) as events:
            (event,) = list(events)
        assert event.type == "ERROR"
        assert "larger than 16777216 bytes" in event.object["message"]

    @pytest.mark.behaviour("2.10.4")
    def test_the_timeout_of_a_call_does_not_end_a_watch(
        self, config: dynkube.RESTConfig, configmaps: dynkube.ResourceHandle, namespace: str
    ) -> None:
        version = configmaps.list().resource_version
        with dynkube.DynamicClient(config.copy(timeout=1)) as client:
            handle = client.resource(CONFIGMAPS).namespace(namespace)
            with handle.watch_once(resource_version=version, timeout_seconds=20) as events:
                late = threading.Timer(1.5, configmaps.create, [config_map("late")])
                late.start()
                assert next(iter(events)).object["metadata"]["name"] == "late"
                late.join()

    @pytest.mark.behaviour("2.10.5")
    def test_an_event_is_handed_over_as_soon_as_it_is_there(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle
    ) -> None:
        version = there.create(config_map("a", text="ü" * 50))["metadata"]["resourceVersion"]
        there.create(config_map("b", text="ü" * 50))
        proxy.inject(Fault.dribble(size=3, interval=0.0, after_body_bytes=0), method="GET")
        with there.watch_once(resource_version=version, timeout_seconds=30) as events:
            event = next(iter(events))
        assert (event.object["metadata"]["name"], event.object["data"]["text"]) == ("b", "ü" * 50)


class TestDiscovery:
    @pytest.mark.behaviour("3.1.1")
    def test_asks_for_aggregated_documents_in_order_of_preference(
        self, proxy: FaultProxy, robot: dynkube.DynamicClient
    ) -> None:
        robot.discovery.server_groups()
        assert [each.path for each in proxy.requests] == ["/api", "/apis"]
        wanted = ["v=v2;as=APIGroupDiscoveryList", "v=v2beta1;as=APIGroupDiscoveryList", ""]
        for seen in proxy.requests:
            asked = [each.strip() for each in (seen.header("accept") or "").split(",")]
            assert [each.removeprefix("application/json").lstrip(";") for each in asked] == [
                f"g=apidiscovery.k8s.io;{each}" if each else "" for each in wanted
            ]

    @pytest.mark.behaviour("3.1.3")
    def test_a_server_without_a_core_group(self, proxy: FaultProxy, robot: dynkube.DynamicClient) -> None:
        proxy.inject(Fault.answer(404), path="/api", when=lambda seen: seen.path == "/api", times=None)
        assert "apps" in [group.name for group in robot.discovery.server_groups()]
        assert "" not in [group.name for group in robot.discovery.server_groups()]

    @pytest.mark.behaviour("3.1.3")
    def test_a_server_without_groups_is_no_server(self, proxy: FaultProxy, robot: dynkube.DynamicClient) -> None:
        proxy.inject(Fault.answer(404), path="/apis", times=None)
        with pytest.raises(dynkube.DynkubeError):
            robot.discovery.server_groups()

    @pytest.mark.behaviour("3.1.17")
    def test_waits_32_seconds_at_most(self, proxy: FaultProxy, robot: dynkube.DynamicClient) -> None:
        robot.discovery.server_groups()
        assert {each.query for each in proxy.requests} <= {"", "timeout=32s"}

    @pytest.mark.behaviour("3.1.14")
    def test_what_supports_all_of_some_verbs(self, robot: dynkube.DynamicClient) -> None:
        found = robot.discovery.resource_map()
        lists = filtered_by(lambda resource: resource.supports("deletecollection", "watch"), found.resource_lists())
        plurals = {resource.name for each in lists for resource in each}
        assert "configmaps" in plurals
        assert "namespaces" not in plurals, "it has no deletecollection"

    @pytest.mark.behaviour("4.9")
    def test_a_broken_group_contributes_nothing_and_hides_nothing(self, server, robot: dynkube.DynamicClient) -> None:  # type: ignore[no-untyped-def]
        with server.break_group("nothing.example.com/v1"):
            robot.discovery.invalidate()
            assert robot.resource("deploy").gvr.resource == "deployments"
            with pytest.raises(dynkube.DynkubeError):
                robot.resource("anything.v1.nothing.example.com").list()

    @pytest.mark.behaviour("4.7", "10.1.4")
    def test_kinds_are_found_in_any_case_and_by_what_discovery_gives(self, robot: dynkube.DynamicClient) -> None:
        assert robot.resource("configmap").gvr == robot.resource("ConfigMap").gvr == CONFIGMAPS
        (found,) = (
            each for each in robot.discovery.server_resources_for_group_version("v1") if each.name == "configmaps"
        )
        assert robot.resource(found).gvr == CONFIGMAPS


class TestTheLongWatch:
    @pytest.mark.behaviour("7.1.1", "7.1.5", "10.1.10")
    def test_lists_what_the_server_has_cached_then_watches_for_minutes(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle
    ) -> None:
        there.create(config_map("a"))
        with there.watch() as events:
            assert next(events).object["metadata"]["name"] == "a"
            there.create(config_map("b"))
            assert next(events).object["metadata"]["name"] == "b"
        queries = [parse_qs(each.query) for each in proxy.requests if each.method == "GET"]
        asked = next(each for each in queries if "watch" in each and "sendInitialEvents" not in each)
        assert asked["allowWatchBookmarks"] == ["true"]
        assert 240 <= int(asked["timeoutSeconds"][0]) <= 295
        first = queries[0]
        assert first.get("resourceVersion", [""]) in (["0"], [""])

    @pytest.mark.behaviour("7.1.10")
    def test_between_failures_it_waits_longer_each_time(self, proxy: FaultProxy, there: dynkube.ResourceHandle) -> None:
        there.create(config_map("a"))
        arrivals: list[float] = []

        def note(seen: object) -> bool:
            arrivals.append(time.monotonic())
            return True

        refused = proxy.inject(Fault.answer(500), method="GET", when=note, times=3)
        with there.watch() as events:
            assert next(iter(events)).object["metadata"]["name"] == "a"
        refused.wait(times=3)
        pauses = [after - before for before, after in itertools.pairwise(arrivals)]
        assert pauses[0] >= 0.8
        assert pauses[1] >= 1.6

    @pytest.mark.behaviour("6.5", "7.1.8")
    def test_ends_in_the_servers_state_through_cuts_and_resets(
        self, proxy: FaultProxy, there: dynkube.ResourceHandle, raw: RawClient, namespace: str
    ) -> None:
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        state: dict[str, str] = {}
        told: list[tuple[str, str]] = []
        quiet = threading.Event()

        def follow() -> None:
            with there.watch() as events:
                for event in events:
                    metadata = event.object["metadata"]
                    told.append((metadata["uid"], metadata["resourceVersion"] + event.type))
                    if event.type == "DELETED":
                        state.pop(metadata["name"], None)
                    else:
                        state[metadata["name"]] = metadata["resourceVersion"]
                    if metadata["name"] == "last":
                        quiet.set()
                        return

        reader = threading.Thread(target=follow)
        reader.start()
        faults = [Fault.cut(after_body_bytes=700), Fault.reset(after_body_bytes=1500), Fault.cut(after_chunks=3)]
        for number in range(60):
            if number % 15 == 5:
                proxy.inject(faults[number // 15 % 3], method="GET", when=lambda seen: "watch=true" in seen.query)
            name = f"c{number % 7}"
            body = config_map(name, n=str(number))
            if raw.request("PUT", f"{path}/{name}", body).status == 404:
                assert raw.request("POST", path, body).status == 201
            if number % 4 == 3:
                assert raw.request("DELETE", f"{path}/{name}").status == 200
            if number % 20 == 19:
                proxy.cut_all() if number % 40 == 19 else proxy.reset_all()
        assert raw.request("POST", path, config_map("last")).status == 201
        assert quiet.wait(60), told[-5:]
        reader.join(20)
        listed = raw.request("GET", path).json()["items"]
        assert state == {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in listed}
        assert len(told) == len(set(told)), "nothing comes twice"
