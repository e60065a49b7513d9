"""Watches: the same ones on both servers, every event equal."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from both import Both, Side, events, masked
from manifests import GROUP, crd

NEW_ONLY = "sendInitialEvents=false&resourceVersionMatch=NotOlderThan"


@pytest.fixture
def configmaps(both: Both) -> str:
    """Three ConfigMaps, c0 to c2, labelled by their number."""
    path = f"/api/v1/namespaces/{both.namespace}/configmaps"
    for number in range(3):
        both.post(path, {"metadata": {"name": f"c{number}", "labels": {"n": str(number)}}}, compare=False)
    return path


@pytest.fixture
def since(both: Both, configmaps: str) -> Callable[[Side], str]:
    """The resourceVersion of each server's list, as a query."""
    both.get(configmaps, compare=False)
    versions = {side.name: side.last.json()["metadata"]["resourceVersion"] for side in both.sides}
    return lambda side: f"resourceVersion={versions[side.name]}"


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


def lines(side: Side) -> list[dict[str, Any]]:
    """Every event of a watch that has ended, bookmarks too, masked."""
    return [masked(json.loads(line)) for line in side.last.body.splitlines()]


def same_lines(both: Both) -> list[dict[str, Any]]:
    """Every event, bookmarks too: the same on both."""
    first, *others = [lines(side) for side in both.sides]
    assert all(other == first for other in others)
    return first


class TestStart:
    @pytest.mark.parametrize("query", ["", "resourceVersion=", "resourceVersion=0", "limit=1"])
    def test_with_what_is_there(self, both: Both, configmaps: str, query: str) -> None:
        events = both.watch(f"{configmaps}?{query}")
        assert told(events) == [("ADDED", "c0"), ("ADDED", "c1"), ("ADDED", "c2")]

    def test_after_a_version(self, both: Both, configmaps: str, since: Callable[[Side], str]) -> None:
        both.patch(f"{configmaps}/c1", {"data": {"x": "1"}}, compare=False)
        both.delete(f"{configmaps}/c0", compare=False)
        both.post(configmaps, {"metadata": {"name": "c3"}}, compare=False)
        events = both.watch(lambda side: f"{configmaps}?{since(side)}")
        assert told(events) == [("MODIFIED", "c1"), ("DELETED", "c0"), ("ADDED", "c3")]

    @pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
    def test_now(self, both: Both, configmaps: str, version: str) -> None:
        assert both.watch(f"{configmaps}?{NEW_ONLY}{version}") == []

    def test_in_the_future(self, both: Both, configmaps: str) -> None:
        assert both.watch(f"{configmaps}?resourceVersion=99999999") == []

    def test_with_initial_events_in_the_future(self, both: Both, configmaps: str) -> None:
        query = "resourceVersion=99999999&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        both.request("GET", f"{configmaps}?watch=1&timeoutSeconds=5&{query}", compare=False)
        for side in both.sides:
            [event] = lines(side)
            assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 504, "Timeout")
            assert re.search(r"Too large resource version: 99999999, current: \d+$", event["object"]["message"])

    @pytest.mark.parametrize(
        "query",
        [
            "sendInitialEvents=true",
            "sendInitialEvents=true&resourceVersionMatch=Exact",
            "resourceVersionMatch=NotOlderThan",
            "resourceVersionMatch=NotOlderThan&resourceVersion=5",
            "resourceVersionMatch=Exact&resourceVersion=5",
            "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=abc",
        ],
    )
    def test_options_that_contradict_each_other(self, both: Both, configmaps: str, query: str) -> None:
        assert both.get(f"{configmaps}?watch=1&timeoutSeconds=1&{query}").status == 422

    @pytest.mark.parametrize("query", ["watch=false", "watch=0", "watch=False", "timeoutSeconds=1"])
    def test_what_is_no_watch(self, both: Both, configmaps: str, query: str) -> None:
        assert both.get(f"{configmaps}?{query}").json()["kind"] == "ConfigMapList"

    @pytest.mark.parametrize("query", ["watch", "watch=", "watch=x", "watch=True"])
    def test_what_is_one(self, both: Both, configmaps: str, query: str) -> None:
        both.get(f"{configmaps}?timeoutSeconds=1&{query}")
        assert len(same_lines(both)) == 3

    @pytest.mark.parametrize("seconds", ["x", "1.5", "99999999999999999999"])
    def test_timeouts_that_are_none(self, both: Both, configmaps: str, seconds: str) -> None:
        both.get(f"{configmaps}?watch=1&timeoutSeconds={seconds}")

    def test_of_what_cannot_be_watched(self, both: Both) -> None:
        assert both.get("/api/v1/componentstatuses?watch=1&timeoutSeconds=1").status == 405

    def test_of_what_is_not_served(self, both: Both) -> None:
        assert both.get(f"/apis/{GROUP}/v1/nothings?watch=1&timeoutSeconds=1").status == 404

    def test_in_a_namespace_that_is_not_there(self, both: Both) -> None:
        assert both.watch(f"/api/v1/namespaces/{both.unique}/configmaps") == []


class TestEvents:
    def test_of_each_kind_of_write(self, both: Both, configmaps: str, since: Callable[[Side], str]) -> None:
        both.put(f"{configmaps}/c0", {"metadata": {"name": "c0"}, "data": {"x": "1"}}, compare=False)
        both.patch(f"{configmaps}/c1", {"metadata": {"annotations": {"a": "b"}}}, compare=False)
        new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"y": "2"}}
        both.apply(f"{configmaps}/new", new, "me", compare=False)
        both.delete(configmaps, compare=False)
        events = both.watch(lambda side: f"{configmaps}?{since(side)}")
        assert told(events)[:3] == [("MODIFIED", "c0"), ("MODIFIED", "c1"), ("ADDED", "new")]
        assert {kind for kind, _ in told(events)[3:]} == {"DELETED"}

    def test_a_deletion_tells_the_last_state_at_its_own_version(self, both: Both, configmaps: str) -> None:
        both.patch(f"{configmaps}/c0", {"data": {"x": "1"}}, compare=False)
        versions = {side.name: int(side.last.json()["metadata"]["resourceVersion"]) for side in both.sides}
        both.delete(f"{configmaps}/c0", compare=False)
        both.watch(lambda side: f"{configmaps}?resourceVersion={versions[side.name]}")
        for side in both.sides:
            [event] = [json.loads(line) for line in side.last.body.splitlines()]
            assert event["object"]["data"] == {"x": "1"}
            assert int(event["object"]["metadata"]["resourceVersion"]) > versions[side.name]

    def test_what_changes_nothing_is_no_event(self, both: Both, configmaps: str, since: Callable[[Side], str]) -> None:
        both.patch(f"{configmaps}/c0", {"metadata": {"labels": {"n": "0"}}}, compare=False)
        both.request("DELETE", f"{configmaps}/c1?dryRun=All", compare=False)
        both.post(f"{configmaps}?dryRun=All", {"metadata": {"name": "dry"}}, compare=False)
        assert both.watch(lambda side: f"{configmaps}?{since(side)}") == []

    def test_a_deletion_that_waits_for_finalizers(
        self, both: Both, configmaps: str, since: Callable[[Side], str]
    ) -> None:
        held = {"metadata": {"name": "held", "finalizers": ["example.com/held"]}}
        both.post(configmaps, held, compare=False)
        both.delete(f"{configmaps}/held", compare=False)
        both.patch(f"{configmaps}/held", {"metadata": {"finalizers": None}}, compare=False)
        events = both.watch(lambda side: f"{configmaps}?{since(side)}")
        assert told(events) == [("ADDED", "held"), ("MODIFIED", "held"), ("DELETED", "held")]

    def test_objects_of_other_namespaces_are_not_told(
        self, both: Both, configmaps: str, since: Callable[[Side], str]
    ) -> None:
        other = f"{both.unique}-x"
        both.post("/api/v1/namespaces", {"metadata": {"name": other}}, compare=False)
        both.post(f"/api/v1/namespaces/{other}/configmaps", {"metadata": {"name": "far"}}, compare=False)
        both.post(configmaps, {"metadata": {"name": "near"}}, compare=False)
        events = both.watch(lambda side: f"{configmaps}?{since(side)}")
        both.delete(f"/api/v1/namespaces/{other}", compare=False)
        assert told(events) == [("ADDED", "near")]

    def test_of_status_alone(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/pods"
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        both.post(path, pod, compare=False)
        versions = {side.name: side.last.json()["metadata"]["resourceVersion"] for side in both.sides}
        both.patch(f"{path}/p/status", {"status": {"phase": "Running"}}, compare=False)
        events = both.watch(lambda side: f"{path}?resourceVersion={versions[side.name]}")
        assert told(events) == [("MODIFIED", "p")]

    def test_as_they_happen(self, both: Both, configmaps: str, since: Callable[[Side], str]) -> None:
        def write() -> None:
            for side in both.sides:
                for number in range(20):
                    side.raw.request("POST", configmaps, {"metadata": {"name": f"live-{number:02}"}})

        writing = threading.Timer(0.3, write)
        writing.start()
        events = both.watch(lambda side: f"{configmaps}?{since(side)}", seconds=4)
        writing.join()
        assert told(events) == [("ADDED", f"live-{number:02}") for number in range(20)]


class TestSelectors:
    def test_make_additions_and_deletions_of_changes(
        self, both: Both, configmaps: str, since: Callable[[Side], str]
    ) -> None:
        for labels in ({"on": "1"}, {"on": "2"}, {"on": None}, {"off": "1"}, {"on": "3"}):
            both.patch(f"{configmaps}/c0", {"metadata": {"labels": labels}}, compare=False)
        both.delete(f"{configmaps}/c0", compare=False)
        both.delete(f"{configmaps}/c1", compare=False)
        events = both.watch(lambda side: f"{configmaps}?labelSelector=on&{since(side)}")
        kinds = ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]
        assert told(events) == [(kind, "c0") for kind in kinds]
        assert [event["object"]["metadata"]["labels"].get("on") for event in events] == ["1", "2", "2", "3", "3"]

    @pytest.mark.parametrize(
        "selector",
        [
            "labelSelector=n=1",
            "labelSelector=n%20in%20(0,2)",
            "fieldSelector=metadata.name=c1",
            "fieldSelector=metadata.name!=c1",
            "fieldSelector=metadata.name=c1&labelSelector=n=2",
        ],
    )
    def test_choose(self, both: Both, configmaps: str, selector: str, since: Callable[[Side], str]) -> None:
        both.watch(f"{configmaps}?{selector}")
        for number in range(3):
            both.patch(f"{configmaps}/c{number}", {"data": {"x": "1"}}, compare=False)
        both.watch(lambda side: f"{configmaps}?{selector}&{since(side)}")

    def test_of_fields_of_pods(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/pods"
        for name in "ab":
            pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
            both.post(path, pod, compare=False)
        versions = {side.name: side.last.json()["metadata"]["resourceVersion"] for side in both.sides}
        both.patch(f"{path}/a/status", {"status": {"phase": "Running"}}, compare=False)
        both.patch(f"{path}/b/status", {"status": {"phase": "Failed"}}, compare=False)
        for selector, expected in [
            ("status.phase=Pending", [("DELETED", "a"), ("DELETED", "b")]),
            ("status.phase=Running", [("ADDED", "a")]),
            ("status.phase!=Running", [("DELETED", "a"), ("MODIFIED", "b")]),
        ]:
            where = f"{path}?fieldSelector={selector}&resourceVersion="
            events = both.watch(lambda side, where=where: f"{where}{versions[side.name]}")
            assert told(events) == expected

    @pytest.mark.parametrize("selector", ["labelSelector=a%20b", "fieldSelector=data.x=1", "labelSelector=,"])
    def test_that_are_none(self, both: Both, configmaps: str, selector: str) -> None:
        assert both.get(f"{configmaps}?watch=1&timeoutSeconds=1&{selector}").status == 400

    def test_a_namespace_by_field(self, both: Both, configmaps: str) -> None:
        selector = f"fieldSelector=metadata.namespace={both.namespace}"
        assert len(both.watch(f"/api/v1/configmaps?{selector}")) == 3


class TestPaths:
    def test_of_one_object(self, both: Both, configmaps: str) -> None:
        path = configmaps.replace("/api/v1/", "/api/v1/watch/")
        both.get(f"{path}/c1?timeoutSeconds=1")
        assert [event["object"]["metadata"]["name"] for event in same_lines(both)] == ["c1"]
        both.get(f"{path}?timeoutSeconds=1")
        assert len(same_lines(both)) == 3

    def test_of_one_object_by_another_name(self, both: Both, configmaps: str) -> None:
        path = configmaps.replace("/api/v1/", "/api/v1/watch/")
        both.get(f"{path}/c1?timeoutSeconds=1&fieldSelector=metadata.name=c2")
        both.get(f"{path}/none?timeoutSeconds=1")

    def test_a_get_does_not_watch(self, both: Both, configmaps: str) -> None:
        assert both.get(f"{configmaps}/c1?watch=1&timeoutSeconds=1").json()["kind"] == "ConfigMap"


class TestBookmarks:
    def ends(self, both: Both, path: str, **headers: str) -> dict[str, Any]:
        """The object of the bookmark that ends the initial events."""
        query = f"{'&' if '?' in path else '?'}watch=1&timeoutSeconds=1&allowWatchBookmarks=true"
        both.request("GET", f"{path}{query}", headers=headers, compare=False)
        # The first one: periodic ones may follow.
        found = [next(line for line in lines(side) if line["type"] == "BOOKMARK") for side in both.sides]
        assert all(each == found[0] for each in found)
        bookmark = found[0]
        found_object: dict[str, Any] = bookmark["object"]
        return found_object

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/configmaps",
            "/api/v1/pods",
            "/api/v1/services",
            "/api/v1/secrets",
            "/api/v1/namespaces",
            "/api/v1/nodes",
            "/api/v1/events",
            "/api/v1/serviceaccounts",
            "/api/v1/persistentvolumeclaims",
            "/apis/apps/v1/deployments",
            "/apis/apps/v1/statefulsets",
            "/apis/apps/v1/daemonsets",
            "/apis/apps/v1/replicasets",
            "/apis/batch/v1/jobs",
            "/apis/batch/v1/cronjobs",
            "/apis/networking.k8s.io/v1/ingresses",
            "/apis/autoscaling/v2/horizontalpodautoscalers",
            "/apis/autoscaling/v1/horizontalpodautoscalers",
            "/apis/rbac.authorization.k8s.io/v1/roles",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            "/apis/policy/v1/poddisruptionbudgets",
            "/apis/coordination.k8s.io/v1/leases",
            "/apis/events.k8s.io/v1/events",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        ],
    )
    def test_are_empty_objects_of_the_kind(self, both: Both, path: str) -> None:
        selected = f"{path}?labelSelector=nothing={both.unique}"
        bookmark = self.ends(both, selected)
        assert bookmark["metadata"].keys() == {"resourceVersion", "annotations"}
        assert bookmark["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"

    def test_end_the_initial_events_for_who_wants_bookmarks_only(self, both: Both, configmaps: str) -> None:
        self.ends(both, f"{configmaps}?resourceVersion=0")
        both.get(f"{configmaps}?watch=1&timeoutSeconds=1", compare=False)
        assert [event["type"] for event in same_lines(both)] == ["ADDED"] * 3

    def test_end_initial_events_that_were_asked_for(
        self, both: Both, configmaps: str, since: Callable[[Side], str]
    ) -> None:
        query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        both.get(lambda side: f"{configmaps}?watch=1&timeoutSeconds=1&{query}&{since(side)}", compare=False)
        assert [event["type"] for event in same_lines(both)] == [*["ADDED"] * 3, "BOOKMARK"]

    def test_as_tables_and_as_metadata(self, both: Both, configmaps: str) -> None:
        table = "application/json;as=Table;v=v1;g=meta.k8s.io"
        assert self.ends(both, configmaps, Accept=table)["kind"] == "Table"
        partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        assert self.ends(both, configmaps, Accept=partial)["kind"] == "PartialObjectMetadata"

    def test_come_two_seconds_before_the_end(self, both: Both, configmaps: str, since: Callable[[Side], str]) -> None:
        both.post(configmaps, {"metadata": {"name": "new"}}, compare=False)
        versions = {side.name: int(side.last.json()["metadata"]["resourceVersion"]) for side in both.sides}
        for side in both.sides:
            # Something new must happen while it watches, or a bookmark would say nothing.
            write = threading.Timer(0.5, side.raw.request, ("POST", configmaps, {"metadata": {"name": "newer"}}))
            write.start()
            query = "watch=1&timeoutSeconds=5&allowWatchBookmarks=true"
            side.answers.append(side.raw.request("GET", f"{configmaps}?{query}&{since(side)}"))
            write.join()
            found = [json.loads(line) for line in side.last.body.splitlines()]
            assert [event["type"] for event in found if event["type"] != "BOOKMARK"] == ["ADDED", "ADDED"]
            assert found[-1]["type"] == "BOOKMARK"
            assert int(found[-1]["object"]["metadata"]["resourceVersion"]) > versions[side.name]


class TestRepresentations:
    def test_tables_have_their_columns_once(self, both: Both, configmaps: str) -> None:
        def without_age(event: Any) -> Any:
            event["object"]["rows"][0]["cells"].pop()
            return event

        table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
        answer = both.get(f"{configmaps}?watch=1&timeoutSeconds=1", headers=table, mask=without_age)
        assert [bool(event["object"]["columnDefinitions"]) for event in events(answer)] == [True, False, False]

    def test_metadata_only(self, both: Both, configmaps: str) -> None:
        partial = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
        events = both.watch(configmaps, headers=partial)
        assert {event["object"]["kind"] for event in events} == {"PartialObjectMetadata"}

    @pytest.mark.parametrize(
        "accept",
        ["text/html", "application/vnd.kubernetes.protobuf", "application/yaml", "application/json;stream=watch"],
    )
    def test_what_is_accepted(self, both: Both, configmaps: str, accept: str) -> None:
        if accept == "application/vnd.kubernetes.protobuf":
            accept = f"{accept};stream=watch,application/json;stream=watch"
            both.request("GET", f"{configmaps}?watch=1&timeoutSeconds=1", headers={"Accept": accept}, compare=False)
            assert all(side.last.status == 200 for side in both.sides)
        else:
            both.get(f"{configmaps}?watch=1&timeoutSeconds=1", headers={"Accept": accept})

    def test_are_never_gzipped(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps"
        both.post(path, {"metadata": {"name": "big"}, "data": {"x": "a" * 300_000}}, compare=False)
        both.watch(path, headers={"Accept-Encoding": "gzip"})
        assert all(side.last.headers["Content-Encoding"] is None for side in both.sides)


class TestCustomResources:
    @pytest.fixture
    def widgets(self, both: Both) -> Iterator[str]:
        plural = f"w{both.unique.replace('-', '')}"
        definition = crd(plural, plural.capitalize())
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        both.post(path, definition, compare=False)
        for side in both.sides:
            self.wait_until_served(side, f"/apis/{GROUP}/v1/{plural}")
        yield plural
        both.delete(f"{path}/{plural}.{GROUP}", compare=False)

    def wait_until_served(self, side: Side, path: str) -> None:
        for _ in range(200):
            if side.raw.request("GET", path).status == 200:
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"{side.name} does not serve {path}")

    def test_are_watched_as_others(self, both: Both, widgets: str) -> None:
        path = f"/apis/{GROUP}/v1/namespaces/{both.namespace}/{widgets}"
        kind = widgets.capitalize()
        for name in "ab":
            body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": {"size": 1}}
            both.post(path, body, compare=False)
        both.patch(f"{path}/a", {"spec": {"size": 2}}, compare=False)
        both.delete(f"{path}/b", compare=False)
        events = both.watch(path)
        assert told(events) == [("ADDED", "a")]
        events = both.watch(f"{path}?fieldSelector=metadata.name=a")
        assert [event["object"]["spec"] for event in events] == [{"size": 2}]

    def test_before_they_were_served_is_too_old(self, both: Both, widgets: str) -> None:
        both.request("GET", f"/apis/{GROUP}/v1/{widgets}?watch=1&timeoutSeconds=1&resourceVersion=1", compare=False)
        for side in both.sides:
            assert side.last.status == 200
            [event] = lines(side)
            assert event["type"] == "ERROR"
            status = event["object"]
            assert re.fullmatch(r"too old resource version: 1 \(\d+\)", status.pop("message"))
            assert status == {
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410,
            }  # fmt: skip

    def test_bookmarks_are_bare(self, both: Both, widgets: str) -> None:
        query = "watch=1&timeoutSeconds=1&allowWatchBookmarks=true"
        both.request("GET", f"/apis/{GROUP}/v1/{widgets}?{query}", compare=False)
        [bookmark] = same_lines(both)
        assert bookmark["object"] == {
            "apiVersion": f"{GROUP}/v1",
            "kind": widgets.capitalize(),
            "metadata": {"resourceVersion": "<rv>", "annotations": {"k8s.io/initial-events-end": "true"}},
        }

    def test_end_when_their_crd_goes(self, both: Both, widgets: str) -> None:
        path = f"/apis/{GROUP}/v1/namespaces/{both.namespace}/{widgets}"
        body = {"apiVersion": f"{GROUP}/v1", "kind": widgets.capitalize(), "metadata": {"name": "a"}}
        both.post(path, body, compare=False)
        definition = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{widgets}.{GROUP}"
        for side in both.sides:
            removal = threading.Timer(0.3, side.raw.request, ("DELETE", definition))
            removal.start()
            answer = side.raw.request("GET", f"{path}?watch=1&timeoutSeconds=25")
            removal.join()
            kinds = [json.loads(line)["type"] for line in answer.body.splitlines()]
            assert kinds == ["ADDED", "DELETED"]
