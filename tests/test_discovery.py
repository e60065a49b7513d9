from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from scripted import Request, ScriptedServer, json_response, response

from dynkube.config import RESTConfig
from dynkube.discovery import (
    DeferredRESTMapper,
    DiscoveryClient,
    DiskCache,
    KubectlCache,
    MemoryCache,
)
from dynkube.discovery.documents import scope_of
from dynkube.errors import (
    CancelledError,
    ClosedError,
    DeadlineExceededError,
    DecodeError,
    DiscoveryError,
    ForbiddenError,
    NoKindMatchError,
    NoMatchError,
    NoResourceMatchError,
    NotFoundError,
    PartialDiscoveryError,
    ServiceUnavailableError,
)
from dynkube.rest import RESTClient
from dynkube.schema import GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource
from dynkube.transport import CancelToken

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
CORE, APPS, WIDGETS = GroupVersion("", "v1"), GroupVersion("apps", "v1"), GroupVersion("example.com", "v1")


class FakeCluster:
    """Answers discovery requests as kube-apiserver does: aggregated with ETags, or legacy without."""

    def __init__(self, *, legacy: bool = False) -> None:
        self.legacy = legacy
        self.served: dict[str, list[str]] = {"v1": ["Pod"], "apps/v1": ["Deployment"]}
        self.stale: set[str] = set()
        self.broken: dict[str, bytes] = {}
        self.openapi: dict[str, str] = {}
        self.gate: threading.Event | None = None
        self.lock = threading.Lock()
        self.log: list[tuple[str, int]] = []
        self.server = ScriptedServer()
        self.server.on(self.answer)

    def answer(self, request: Request) -> Any:
        if self.gate is not None:
            self.gate.wait(10)
        status, headers, body = self._answer(request.target)
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        if status == 200 and not self.legacy and not request.target.startswith("/version"):
            headers = [*headers, ("ETag", etag)]
            if request.header("If-None-Match") == [etag]:
                status, body = 304, b""
        with self.lock:
            self.log.append((request.target, status))
        if request.target in self.broken:
            return self.broken[request.target]
        return response(body, status, headers)

    def _answer(self, target: str) -> tuple[int, list[tuple[str, str]], bytes]:
        found = self._document(target)
        if found is None:
            return 404, [("Content-Type", "text/plain")], b"404 page not found"
        content_type = V2 if target in {"/api", "/apis"} and not self.legacy else "application/json"
        return 200, [("Content-Type", content_type)], json.dumps(found).encode()

    def _document(self, target: str) -> Any:
        if target == "/version":
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        if target == "/openapi/v3":
            urls = {
                path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={each}"} for path, each in self.openapi.items()
            }
            return {"paths": urls}
        if target.startswith("/openapi/v3/"):
            return {"openapi": "3.0.0", "info": {"title": target}}
        if target == "/api":
            return self._core() if self.legacy else self._aggregated(core=True)
        if target == "/apis":
            return self._groups() if self.legacy else self._aggregated(core=False)
        name = target.removeprefix("/apis/").removeprefix("/api/")
        if name not in self.served:
            return None
        resources = [
            {
                "name": f"{kind.lower()}s",
                "kind": kind,
                "namespaced": True,
                "singularName": kind.lower(),
                "verbs": ["get"],
            }
            for kind in self.served[name]
        ]
        return {"kind": "APIResourceList", "groupVersion": name, "resources": resources}

    def _core(self) -> Any:
        return {"kind": "APIVersions", "versions": ["v1"]}

    def _groups(self) -> Any:
        groups = []
        for each in self.served:
            if "/" in each:
                name, version = each.split("/")
                groups.append({"name": name, "versions": [{"groupVersion": each, "version": version}]})
        return {"kind": "APIGroupList", "groups": groups}

    def _aggregated(self, *, core: bool) -> Any:
        items = []
        for each, kinds in self.served.items():
            version = GroupVersion.parse(each)
            if (not version.group) != core:
                continue
            resources = [
                {
                    "resource": f"{kind.lower()}s",
                    "responseKind": {"group": version.group, "version": version.version, "kind": kind},
                    "scope": "Namespaced",
                    "singularResource": kind.lower(),
                    "verbs": ["get", "list"],
                    "categories": ["all"],
                }
                for kind in kinds
            ]
            freshness = "Stale" if each in self.stale else "Current"
            entry = {"version": version.version, "freshness": freshness, "resources": resources}
            items.append({"metadata": {"name": version.group}, "versions": [entry]})
        return {"kind": "APIGroupDiscoveryList", "items": items}

    def asked(self) -> list[tuple[str, int]]:
        """What was asked since the last call, in no order where that was in parallel."""
        with self.lock:
            log, self.log = self.log, []
        return log


class Clock:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    cluster = FakeCluster()
    with cluster.server:
        yield cluster


@pytest.fixture
def legacy() -> Iterator[FakeCluster]:
    cluster = FakeCluster(legacy=True)
    with cluster.server:
        yield cluster


class Harness:
    """A client of a cluster with clocks of its own."""

    def __init__(self, cluster: FakeCluster, **kwargs: Any) -> None:
        self.rest = RESTClient(RESTConfig(host=cluster.server.url, **kwargs.pop("config", {})))
        self.clock, self.monotonic = Clock(), Clock(0.0)
        self.client = DiscoveryClient(self.rest, clock=self.clock, monotonic=self.monotonic, **kwargs)
        self.mapper = DeferredRESTMapper(self.client, monotonic=self.monotonic)

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.rest.close()

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.monotonic.now += seconds


ROOTS = [("/api", 200), ("/apis", 200)]
UNCHANGED = [("/api", 304), ("/apis", 304)]

# --------------------------------------------------------------------------- the map


@pytest.mark.behaviour("3.1.1", "3.2.3")
def test_cold_two_requests_warm_none(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        client = harness.client
        assert not client.fresh
        found = client.resource_map()
        assert client.fresh
        assert cluster.asked() == ROOTS
        assert client.resource_map() is found
        assert [each.name for each in client.server_groups()] == ["", "apps"]
        groups, lists = client.server_groups_and_resources()
        assert [len(each) for each in lists] == [1, 1]
        assert len(groups) == 2
        assert [str(each.group_version) for each in client.server_preferred_resources()] == ["v1", "apps/v1"]
        assert [str(each.group_version) for each in client.server_preferred_namespaced_resources()] == ["v1", "apps/v1"]
        assert client.server_resources_for_group_version("apps/v1").resources[0].kind == "Deployment"
        assert cluster.asked() == []


def test_when_the_map_is_old_the_server_is_asked_with_its_etags(cluster: FakeCluster) -> None:
    with Harness(cluster, cache=MemoryCache(ttl=100)) as harness:
        harness.client.resource_map()
        harness.pass_time(101)
        assert not harness.client.fresh
        harness.client.resource_map()
        assert cluster.asked() == ROOTS + UNCHANGED
        assert harness.client.fresh


@pytest.mark.behaviour("3.2.3", "3.3.4")
def test_invalidate_asks_again_with_the_etags(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        harness.client.resource_map()
        harness.client.invalidate()
        assert not harness.client.fresh
        cluster.served["example.com/v1"] = ["Widget"]
        assert harness.client.resource_map().group("example.com") is not None
        assert cluster.asked() == [*ROOTS, ("/api", 304), ("/apis", 200)]


@pytest.mark.behaviour("3.2.3")
def test_many_threads_cost_one_discovery(cluster: FakeCluster) -> None:
    cluster.gate = threading.Event()
    with Harness(cluster) as harness, ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(harness.client.resource_map) for _ in range(8)]
        cluster.server.wait_for_requests(1)
        cluster.gate.set()
        maps = [future.result(10) for future in futures]
        assert all(each is maps[0] for each in maps)
        assert cluster.asked() == ROOTS


def test_a_failure_is_told_to_all_who_wait_and_the_next_call_tries_again(cluster: FakeCluster) -> None:
    cluster.broken["/apis"] = json_response(
        {"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden"}, 403
    )
    with Harness(cluster) as harness:
        with pytest.raises(ForbiddenError):
            harness.client.resource_map()
        cluster.broken.clear()
        assert harness.client.resource_map().groups


def test_one_who_waits_can_be_cancelled_and_has_a_deadline_of_its_own(cluster: FakeCluster) -> None:
    cluster.gate = threading.Event()
    token = CancelToken()
    with Harness(cluster) as harness, ThreadPoolExecutor(2) as pool:
        leader = pool.submit(harness.client.resource_map)
        cluster.server.wait_for_requests(1)
        follower = pool.submit(harness.client.resource_map, cancel=token)
        token.cancel()
        with pytest.raises(CancelledError):
            follower.result(10)
        with pytest.raises(DeadlineExceededError):
            harness.client.resource_map(timeout=0.05)
        cluster.gate.set()
        assert leader.result(10).groups


@pytest.mark.behaviour("3.1.17")
def test_discovery_has_a_deadline_of_its_own_unless_one_is_given() -> None:
    assert 31 < scope_of(None, None).remaining() <= 32
    assert scope_of(5, None).remaining() <= 5


def test_the_first_ones_cancellation_is_not_the_others(cluster: FakeCluster) -> None:
    cluster.gate = threading.Event()
    token = CancelToken()
    with Harness(cluster) as harness, ThreadPoolExecutor(2) as pool:
        leader = pool.submit(harness.client.resource_map, cancel=token)
        cluster.server.wait_for_requests(1)
        follower = pool.submit(harness.client.resource_map)
        token.cancel()
        with pytest.raises(CancelledError):
            leader.result(10)
        cluster.gate.set()
        assert follower.result(10).groups


def test_a_closed_client_says_so(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        harness.client.close()
        harness.client.close()
        with pytest.raises(ClosedError):
            harness.client.resource_map()
        assert repr(harness.client) == f"DiscoveryClient('{cluster.server.url}')"


@pytest.mark.parametrize("body", [b"<html>", b"", b"{}"])
def test_a_server_that_is_no_api_server(cluster: FakeCluster, body: bytes) -> None:
    cluster.broken["/api"] = response(body, 200, [("Content-Type", "text/html")])
    with Harness(cluster) as harness, pytest.raises(DecodeError, match="/api"):
        harness.client.resource_map()


# --------------------------------------------------------------------------- failures as data


@pytest.mark.behaviour("3.1.8", "3.1.11", "3.1.12")
def test_a_stale_group_is_data_until_it_is_asked_for(cluster: FakeCluster) -> None:
    cluster.served["metrics.k8s.io/v1"] = ["NodeMetric"]
    cluster.stale.add("metrics.k8s.io/v1")
    cluster.broken["/apis/metrics.k8s.io/v1"] = response(b"down", 503, [("Content-Type", "text/plain")])
    metrics = GroupVersion("metrics.k8s.io", "v1")
    with Harness(cluster) as harness:
        client = harness.client
        assert set(client.resource_map().failures) == {metrics}
        assert cluster.asked() == [*ROOTS, *ROOTS]  # a second look, as in client-go
        with pytest.raises(PartialDiscoveryError, match=r"metrics\.k8s\.io/v1: stale GroupVersion discovery") as caught:
            client.server_groups_and_resources()
        assert list(caught.value.failures) == ["metrics.k8s.io/v1"]
        assert caught.value.resource_map.find(APPS.with_resource("deployments")) is not None
        assert client.server_preferred_resources()
        assert harness.mapper.resolve("deployments").resource.path == "apps/v1/deployments"
        with pytest.raises(ServiceUnavailableError):
            client.server_resources_for_group_version("metrics.k8s.io/v1")
        with pytest.raises(ServiceUnavailableError):
            client.server_resources_for_group_version("metrics.k8s.io/v1")
        assert cluster.asked() == [("/apis/metrics.k8s.io/v1", 200)]  # once a second
        cluster.broken.clear()
        harness.pass_time(1.1)
        assert client.server_resources_for_group_version(metrics).resources[0].kind == "NodeMetric"
        assert client.resource_map().failures == {}
        assert harness.mapper.resolve("nodemetrics").namespaced


@pytest.mark.behaviour("3.1.12", "4.9")
def test_the_mapper_raises_what_is_wrong_with_a_group_when_that_is_asked_for(cluster: FakeCluster) -> None:
    cluster.served["metrics.k8s.io/v1"] = ["NodeMetric"]
    cluster.stale.add("metrics.k8s.io/v1")
    cluster.broken["/apis/metrics.k8s.io/v1"] = response(b"down", 503, [("Content-Type", "text/plain")])
    with Harness(cluster) as harness:
        for text in ("nodemetrics.metrics.k8s.io", "NodeMetric.v1.metrics.k8s.io", "metrics.k8s.io/v1/nodemetrics"):
            with pytest.raises((DiscoveryError, ServiceUnavailableError)):
                harness.mapper.resolve(text)
        with pytest.raises((DiscoveryError, ServiceUnavailableError)):
            harness.mapper.rest_mapping(GroupKind("metrics.k8s.io", "NodeMetric"))
        with pytest.raises(NoMatchError) as caught:
            harness.mapper.resolve("nodemetrics")
        assert any("metrics.k8s.io/v1 could not be discovered" in note for note in caught.value.__notes__)


@pytest.mark.behaviour("3.2.2")
def test_a_map_with_failures_is_not_believed_for_long(cluster: FakeCluster) -> None:
    cluster.served["m/v1"] = ["Thing"]
    cluster.stale.add("m/v1")
    with Harness(cluster) as harness:
        assert harness.client.resource_map().failures
        cluster.stale.clear()
        harness.pass_time(61)
        assert not harness.client.resource_map().failures


@pytest.mark.behaviour("3.1.9", "3.1.10", "3.1.11")
@pytest.mark.parametrize(
    "broken",
    [
        response(b"down", 503, [("Content-Type", "text/plain")]),
        response(b"<html>", 200, [("Content-Type", "text/html")]),
        response(b"", 200, [("Content-Type", "application/json")]),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["503", "html", "empty", "cut"],
)
def test_legacy_servers_each_version_by_itself(legacy: FakeCluster, broken: bytes) -> None:
    legacy.served["metrics.k8s.io/v1"] = ["NodeMetric"]
    if b"Content-Length: 100" in broken:
        from scripted import CLOSE

        legacy.broken["/apis/metrics.k8s.io/v1"] = [broken, CLOSE]  # type: ignore[assignment]
    else:
        legacy.broken["/apis/metrics.k8s.io/v1"] = broken
    with Harness(legacy) as harness:
        found = harness.client.resource_map()
        assert set(found.failures) == {GroupVersion("metrics.k8s.io", "v1")}
        assert set(found.resources) == {CORE, APPS}
        asked = [target for target, _ in legacy.asked()]
        assert asked[:2] == ["/api", "/apis"]
        assert sorted(asked[2:5]) == ["/api/v1", "/apis/apps/v1", "/apis/metrics.k8s.io/v1"]
        assert asked[5:] == ["/apis/metrics.k8s.io/v1"]  # what failed, once more
        harness.client.resource_map()
        assert legacy.asked() == []


# --------------------------------------------------------------------------- one group version


@pytest.mark.behaviour("3.1.9", "3.2.1")
def test_one_group_version_never_looks_at_another(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        assert harness.client.server_resources_for_group_version("apps/v1").resources[0].name == "deployments"
        assert harness.client.server_resources_for_group_version("apps/v1").group_version == APPS
        assert cluster.asked() == [("/apis/apps/v1", 200)]
        with pytest.raises(NotFoundError):
            harness.client.server_resources_for_group_version("nope/v1")
        with pytest.raises(NotFoundError):
            harness.client.server_resources_for_group_version("nope/v1")
        assert cluster.asked() == [("/apis/nope/v1", 404)]
        harness.client.resource_map()
        with pytest.raises(NotFoundError):
            harness.client.server_resources_for_group_version("nope/v2")
        assert "nope" not in {group.name for group in harness.client.server_groups()}


@pytest.mark.behaviour("3.2.1")
def test_who_uses_one_version_only_asks_once_more_when_the_map_is_old(cluster: FakeCluster) -> None:
    with Harness(cluster, cache=MemoryCache(ttl=100)) as harness:
        harness.client.resource_map()
        cluster.asked()
        for _ in range(3):
            harness.client.server_resources_for_group_version("apps/v1")
        assert cluster.asked() == []
        harness.pass_time(101)
        for _ in range(3):
            assert harness.client.server_resources_for_group_version("apps/v1").resources
            harness.pass_time(5)
        assert len(cluster.asked()) == 1
        harness.client.resource_map()
        assert len(cluster.asked()) == 2


def test_a_group_that_answers_404_is_gone(cluster: FakeCluster) -> None:
    cluster.served["m/v1"] = ["Thing"]
    cluster.stale.add("m/v1")
    with Harness(cluster) as harness:
        assert harness.client.resource_map().failures
        del cluster.served["m/v1"]
        with pytest.raises(NotFoundError):
            harness.client.server_resources_for_group_version("m/v1")
        assert not harness.client.resource_map().failures
        assert harness.client.resource_map().group("m") is None


# --------------------------------------------------------------------------- the mapper that looks again


@pytest.mark.behaviour("4.10", "3.2.1")
def test_a_kind_that_is_new_is_found_by_two_conditional_requests(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        mapper = harness.mapper
        assert mapper.resolve("pods").resource.path == "v1/pods"
        cluster.asked()
        harness.pass_time(5)
        with pytest.raises(NoResourceMatchError):
            mapper.resolve("widgets")
        assert cluster.asked() == UNCHANGED
        cluster.served["example.com/v1"] = ["Widget"]
        with pytest.raises(NoResourceMatchError):
            mapper.resolve("widgets")  # at most once a second
        assert cluster.asked() == []
        harness.pass_time(1.1)
        assert mapper.resolve("widgets").kind == GroupVersionKind("example.com", "v1", "Widget")
        assert cluster.asked() == [("/api", 304), ("/apis", 200)]
        assert mapper.resolve("widgets").resource == WIDGETS.with_resource("widgets")
        assert cluster.asked() == []


@pytest.mark.behaviour("4.10")
def test_a_cold_miss_does_not_ask_twice(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        with pytest.raises(NoResourceMatchError):
            harness.mapper.resolve("widgets")
        assert cluster.asked() == ROOTS


@pytest.mark.behaviour("4.10")
def test_a_known_group_is_asked_by_its_own_document(cluster: FakeCluster) -> None:
    cluster.served["example.com/v1"] = ["Widget"]
    gadget = GroupKind("example.com", "Gadget")
    with Harness(cluster) as harness:
        harness.client.resource_map()
        harness.pass_time(5)
        cluster.asked()
        with pytest.raises(NoKindMatchError):
            harness.mapper.rest_mapping(gadget, "v1")
        with pytest.raises(NoKindMatchError):
            harness.mapper.rest_mapping(gadget, "v1")
        assert cluster.asked() == [("/apis/example.com/v1", 200)]
        cluster.served["example.com/v1"].append("Gadget")
        harness.pass_time(1.1)
        assert harness.mapper.rest_mapping(gadget, "v1").resource.resource == "gadgets"
        assert cluster.asked() == [("/apis/example.com/v1", 200)]
        assert harness.mapper.resolve("example.com/v1/gadgets").namespaced
        assert cluster.asked() == []


@pytest.mark.behaviour("4.10", "3.2.3")
@pytest.mark.parametrize("text", ["widgets", "apps/v1/widgets"])
def test_many_threads_that_miss_look_once_and_all_find_it(cluster: FakeCluster, text: str) -> None:
    with Harness(cluster) as harness, ThreadPoolExecutor(8) as pool:
        harness.client.resource_map()
        harness.pass_time(5)
        cluster.asked()
        cluster.gate = threading.Event()
        cluster.served["apps/v1"].append("Widget")
        futures = [pool.submit(harness.mapper.resolve, text) for _ in range(8)]
        cluster.server.wait_for_requests(3)
        cluster.gate.set()
        assert {future.result(10).resource.resource for future in futures} == {"widgets"}
        assert len(cluster.asked()) == (1 if "/" in text else 2)


@pytest.mark.behaviour("4.1", "4.12")
def test_the_questions_of_a_mapper(cluster: FakeCluster) -> None:
    pods = GroupVersionResource("", "v1", "pods")
    with Harness(cluster) as harness:
        mapper = harness.mapper
        assert mapper.resource_for(GroupVersionResource("", "", "pod")) == pods
        assert mapper.resources_for(GroupVersionResource("", "", "pod")) == (pods,)
        assert mapper.kind_for(pods) == GroupVersionKind("", "v1", "Pod")
        assert mapper.kinds_for(pods) == (GroupVersionKind("", "v1", "Pod"),)
        assert mapper.mapping_for(pods).kind.kind == "Pod"
        assert mapper.rest_mappings(GroupKind("", "Pod"))[0].resource == pods
        assert mapper.resource_singularizer("pods") == "pod"
        assert GroupResource("", "pods") in mapper.expand_category("all")
        assert mapper.expand_category("none") == ()
        assert mapper.expand_short_name(pods) == pods
        assert mapper.mapper() is mapper.mapper()
        cluster.asked()
        mapper.reset()
        assert mapper.resolve("pods").resource == pods
        assert cluster.asked() == UNCHANGED


def test_a_legacy_server_is_looked_at_again_as_well(legacy: FakeCluster) -> None:
    with Harness(legacy) as harness:
        assert harness.mapper.resolve("pods")
        harness.pass_time(5)
        legacy.served["apps/v1"].append("Gadget")
        assert harness.mapper.resolve("gadgets").resource.path == "apps/v1/gadgets"


# --------------------------------------------------------------------------- on disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "dynkube"


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def disk(cluster: FakeCluster, folder: Path, **config: Any) -> Harness:
    return Harness(cluster, cache=DiskCache(directory=folder), config=config)


@pytest.mark.behaviour("3.3.1", "3.3.5")
def test_a_second_process_starts_without_a_request(cluster: FakeCluster, folder: Path) -> None:
    with disk(cluster, folder) as harness:
        first = harness.client.resource_map()
        assert cluster.asked() == ROOTS
    with disk(cluster, folder) as harness:
        assert harness.client.resource_map() == first
        assert cluster.asked() == []
        assert harness.client.fresh
        # What is missing is asked for all the same, with the ETags of the files.
        with pytest.raises(NoResourceMatchError):
            harness.mapper.resolve("widgets")
        assert cluster.asked() == UNCHANGED


@pytest.mark.behaviour("3.3.2")
def test_files_that_are_old_are_revalidated_and_then_young_again(cluster: FakeCluster, folder: Path) -> None:
    with disk(cluster, folder) as harness:
        harness.client.resource_map()
    cluster.asked()
    for _ in range(2):
        with disk(cluster, folder) as harness:
            harness.pass_time(6 * 3600 + 1)
            harness.client.resource_map()
    assert cluster.asked() == UNCHANGED


def test_folders_and_files_are_private(cluster: FakeCluster, folder: Path) -> None:
    with disk(cluster, folder, bearer_token="s3cret", allow_plain_http_credentials=True) as harness:
        harness.client.resource_map()
    assert len(files(folder)) == 2
    for path in files(folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"s3cret" not in path.read_bytes()
        for parent in list(path.relative_to(folder.parent).parents)[:-1]:
            assert stat.S_IMODE((folder.parent / parent).stat().st_mode) == 0o700


def test_another_identity_has_a_folder_of_its_own(cluster: FakeCluster, folder: Path) -> None:
    users: list[dict[str, Any]] = [
        {},
        {"bearer_token": "a", "allow_plain_http_credentials": True},
        {"bearer_token": "b", "allow_plain_http_credentials": True},
    ]
    for config in users:
        with disk(cluster, folder, **config) as harness:
            harness.client.resource_map()
    assert cluster.asked() == ROOTS * 3


@pytest.mark.behaviour("3.3.2", "3.3.5")
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "nonsense", "swap"])
def test_a_damaged_file_is_fetched_anew(cluster: FakeCluster, folder: Path, damage: str) -> None:
    with disk(cluster, folder) as harness:
        first = harness.client.resource_map()
    one, other = files(folder)
    content = one.read_bytes()
    damaged = {
        "flip": content[:-2] + b"x" + content[-1:],
        "cut": content[: len(content) // 2],
        "empty": b"",
        "nonsense": b"\xff" * 100 + b"\n{}",
        "swap": other.read_bytes(),
    }
    one.write_bytes(damaged[damage])
    cluster.asked()
    with disk(cluster, folder) as harness:
        assert harness.client.resource_map() == first
    assert len(cluster.asked()) == 1
    assert one.read_bytes() == content


@pytest.mark.parametrize("how", ["file-writable", "file-link", "folder-writable", "folder-link"])
def test_what_another_user_could_have_written_is_refused(
    cluster: FakeCluster, folder: Path, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with disk(cluster, folder) as harness:
        harness.client.resource_map()
    cluster.asked()
    victim = files(folder)[0]
    if how.startswith("folder"):
        victim = victim.parent
    elsewhere = tmp_path / "elsewhere"
    if how.endswith("link"):
        victim.rename(elsewhere)
        victim.symlink_to(elsewhere)
        before = sorted((path.name, path.read_bytes()) for path in files(elsewhere))
    else:
        victim.chmod(0o722 if how.startswith("folder") else 0o622)
        before = []
    with disk(cluster, folder) as harness:
        harness.client.resource_map()
    assert len(cluster.asked()) == (2 if how.startswith("folder") else 1)
    assert "discovery cache not used" in caplog.text
    if how == "folder-link":
        assert sorted((path.name, path.read_bytes()) for path in files(elsewhere)) == before  # nor written there


def test_a_folder_of_another_user_is_refused(cluster: FakeCluster, folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    folder.mkdir(parents=True, mode=0o700)
    os.chown(folder, 65534, 65534)
    with disk(cluster, folder) as harness:
        harness.client.resource_map()
    assert files(folder) == []


def test_a_folder_that_cannot_be_written_is_no_error(cluster: FakeCluster, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with disk(cluster, tmp_path / "file" / "cache") as harness:
        assert harness.client.resource_map().groups


@pytest.mark.behaviour("3.3.3")
def test_a_broken_group_is_not_remembered_by_the_next_process(cluster: FakeCluster, folder: Path) -> None:
    cluster.served["m/v1"] = ["Thing"]
    cluster.stale.add("m/v1")
    with disk(cluster, folder) as harness:
        assert harness.client.resource_map().failures
    cluster.stale.clear()
    with disk(cluster, folder) as harness:
        assert not harness.client.resource_map().failures


def test_nonsense_is_not_remembered_either(cluster: FakeCluster, folder: Path) -> None:
    cluster.broken["/apis"] = response(b"<html>", 200, [("Content-Type", "text/html")])
    with disk(cluster, folder) as harness, pytest.raises(DecodeError):
        harness.client.resource_map()
    assert files(folder) == []


def test_writers_in_many_threads_leave_whole_files(cluster: FakeCluster, folder: Path) -> None:
    def once(_: int) -> int:
        with disk(cluster, folder) as harness:
            harness.client.invalidate()
            return len(harness.client.resource_map().groups)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(once, range(24))) == {2}
    assert len(files(folder)) == 2
    cluster.asked()
    with disk(cluster, folder) as harness:
        harness.client.resource_map()
    assert cluster.asked() == []


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cluster: FakeCluster) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    with Harness(cluster, cache=DiskCache()) as harness:
        harness.client.resource_map()
    (path,) = {path.parent for path in files(tmp_path)}
    assert path.parent.parent == tmp_path / "xdg" / "dynkube"
    assert f"127.0.0.1_{cluster.server.port}" in path.parent.name
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with Harness(cluster, cache=DiskCache()) as harness:
        harness.client.resource_map()
    assert (tmp_path / "home" / ".cache" / "dynkube").is_dir()


# --------------------------------------------------------------------------- kubectl's folder


def kubectl_folder(cluster: FakeCluster, base: Path) -> Path:
    folder = base / "discovery" / f"127.0.0.1_{cluster.server.port}"
    groups = [
        {"name": "", "versions": [{"groupVersion": "v1", "version": "v1"}]},
        {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}]},
    ]
    documents = {
        "servergroups.json": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "v1/serverresources.json": cluster._document("/api/v1"),
        "apps/v1/serverresources.json": cluster._document("/apis/apps/v1"),
    }
    for name, document in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        os.utime(path, (1_000_000, 1_000_000))
    return folder


@pytest.mark.behaviour("3.3.1", "3.3.2")
def test_kubectls_files_are_read_and_left_alone(cluster: FakeCluster, tmp_path: Path) -> None:
    folder = kubectl_folder(cluster, tmp_path)
    before = {path: path.read_bytes() for path in files(folder)}
    with Harness(cluster, cache=KubectlCache(directory=tmp_path)) as harness:
        found = harness.client.resource_map()
        assert found.find(APPS.with_resource("deployments")) is not None
        assert [group.name for group in found.groups] == ["", "apps"]
        assert cluster.asked() == []
        cluster.served["example.com/v1"] = ["Widget"]
        assert harness.mapper.resolve("widgets")
        assert cluster.asked() == ROOTS
    assert {path: path.read_bytes() for path in files(folder)} == before


@pytest.mark.behaviour("3.3.1", "3.3.2")
@pytest.mark.parametrize("damage", ["missing", "corrupt", "old", "none"])
def test_what_kubectl_does_not_have_is_asked_of_the_server(cluster: FakeCluster, tmp_path: Path, damage: str) -> None:
    folder = kubectl_folder(cluster, tmp_path)
    path = folder / "apps/v1/serverresources.json"
    if damage == "missing":
        path.unlink()
    elif damage == "corrupt":
        path.write_text("{")
    elif damage == "old":
        os.utime(path, (0, 0))
    directory = tmp_path / "nothing" if damage == "none" else tmp_path
    with Harness(cluster, cache=KubectlCache(directory=directory)) as harness:
        assert harness.mapper.resolve("deployments")
    assert cluster.asked() == (ROOTS if damage == "none" else [("/apis/apps/v1", 200)])


# --------------------------------------------------------------------------- version and OpenAPI


@pytest.mark.behaviour("3.1.16")
def test_the_version_of_the_server(cluster: FakeCluster) -> None:
    with Harness(cluster) as harness:
        assert str(harness.client.server_version()) == "v1.36.0"
        assert harness.client.server_version().numbers == (1, 36)


@pytest.mark.behaviour("3.4.1", "3.4.2", "3.4.3")
def test_openapi_documents_by_their_hash(cluster: FakeCluster, folder: Path) -> None:
    cluster.openapi = {"apis/apps/v1": "A", "api/v1": "C"}
    with disk(cluster, folder) as harness:
        openapi = harness.client.openapi_v3()
        assert list(openapi.paths()) == ["api/v1", "apis/apps/v1"]
        document = openapi.document("apis/apps/v1")
        assert document["info"]["title"] == "/openapi/v3/apis/apps/v1?hash=A"
        assert openapi.document(APPS) is document
        assert [target for target, status in cluster.asked() if status == 200] == [
            "/openapi/v3",
            "/openapi/v3/apis/apps/v1?hash=A",
        ]
        with pytest.raises(NoMatchError, match="did you mean 'apis/apps/v1'"):
            openapi.document("apis/app/v1")
    with disk(cluster, folder) as harness:
        # With the hash in its URL a document holds for ever; the list of them is asked for.
        harness.pass_time(10 * 365 * 86400)
        cluster.asked()
        assert harness.client.openapi_v3().document("apis/apps/v1") == document
        assert cluster.asked() == [("/openapi/v3", 304)]
        cluster.openapi["apis/apps/v1"] = "B"
        assert harness.client.openapi_v3().document("apis/apps/v1")["info"]["title"].endswith("hash=B")


@pytest.mark.behaviour("3.4.2")
def test_the_prefix_of_the_host_is_not_doubled() -> None:
    cluster = FakeCluster()
    targets = []

    def behind_a_prefix(request: Request) -> Any:
        targets.append(request.target)
        if request.target == "/k8s/c-1/openapi/v3":
            return json_response({"paths": {"api/v1": {"serverRelativeURL": "/k8s/c-1/openapi/v3/api/v1?hash=C"}}})
        return json_response({"openapi": "3.0.0"})

    cluster.server.on(behind_a_prefix)
    with cluster.server, RESTClient(RESTConfig(host=f"{cluster.server.url}/k8s/c-1")) as rest:
        assert DiscoveryClient(rest).openapi_v3().document("api/v1") == {"openapi": "3.0.0"}
    assert targets == ["/k8s/c-1/openapi/v3", "/k8s/c-1/openapi/v3/api/v1?hash=C"]
