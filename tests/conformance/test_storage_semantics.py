"""Lists and gets by resourceVersion, limit and continue: the same requests to both servers."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from both import Both, Side

TOO_LARGE = 999_999_999


def token(**fields: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def token_of(side: Side) -> str:
    found: str = side.last.json()["metadata"]["continue"]
    return found


def version_of(side: Side) -> str:
    found: str = side.last.json()["metadata"]["resourceVersion"]
    return found


def without_numbers(document: Any) -> Any:
    """For messages with the server's revision."""
    return document | {"message": re.sub(r"\d{2,}", "<number>", document["message"])}


def names(answer: Any) -> list[str]:
    return [item["metadata"]["name"] for item in answer.json()["items"]]


@pytest.fixture
def configmaps(both: Both) -> str:
    """Five ConfigMaps, c0 to c4, labelled by their number."""
    path = f"/api/v1/namespaces/{both.namespace}/configmaps"
    for number in range(5):
        both.post(path, {"metadata": {"name": f"c{number}", "labels": {"n": str(number)}}}, compare=False)
    return path


def remember(both: Both) -> Callable[[Side], str]:
    """The resourceVersion that each server said last, for later."""
    versions = {side.name: version_of(side) for side in both.sides}
    return lambda side: versions[side.name]


class TestOrder:
    def test_names_in_the_order_of_keys(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps"
        for name in ("b", "a.b", "a-b", "a", "a0", "aa", "10", "9"):
            both.post(path, {"metadata": {"name": name}}, compare=False)
        assert names(both.get(path)) == ["10", "9", "a", "a-b", "a.b", "a0", "aa", "b"]

    def test_namespaces_in_the_order_of_keys(self, both: Both) -> None:
        mine = {"mine": both.unique}
        namespaces = [f"{both.unique}{end}" for end in ("", "-a", "0")]
        for name in namespaces:
            both.post("/api/v1/namespaces", {"metadata": {"name": name}}, compare=False)
            for one in ("y", "x"):
                body = {"metadata": {"name": one, "labels": mine}}
                both.post(f"/api/v1/namespaces/{name}/configmaps", body, compare=False)
        answer = both.get(f"/api/v1/configmaps?labelSelector=mine={mine['mine']}")
        found = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in answer.json()["items"]]
        for name in namespaces:
            both.delete(f"/api/v1/namespaces/{name}", compare=False)
        assert found == sorted(found, key="/".join)
        assert len(found) == 6


class TestLimit:
    @pytest.mark.parametrize("limit", ["1", "2", "4", "5", "6", "500", "0", "-1"])
    def test_makes_pages(self, both: Both, configmaps: str, limit: str) -> None:
        answer = both.get(f"{configmaps}?limit={limit}")
        wanted = int(limit) if int(limit) > 0 else 5
        assert len(answer.json()["items"]) == min(wanted, 5)
        assert ("continue" in answer.json()["metadata"]) == (wanted < 5)

    @pytest.mark.parametrize("limit", ["abc", "1.5", "99999999999999999999", ""])
    def test_that_is_no_number(self, both: Both, configmaps: str, limit: str) -> None:
        assert both.get(f"{configmaps}?limit={limit}").status == 400

    def test_pages_until_the_end(self, both: Both, configmaps: str) -> None:
        both.get(f"{configmaps}?limit=2")
        both.get(lambda side: f"{configmaps}?limit=2&continue={token_of(side)}")
        answer = both.get(lambda side: f"{configmaps}?limit=2&continue={token_of(side)}")
        assert names(answer) == ["c4"]
        assert answer.json()["metadata"].keys() == {"resourceVersion"}

    def test_without_a_limit_the_rest_comes(self, both: Both, configmaps: str) -> None:
        both.get(f"{configmaps}?limit=1")
        assert names(both.get(lambda side: f"{configmaps}?continue={token_of(side)}")) == ["c1", "c2", "c3", "c4"]

    def test_with_a_selector_nobody_says_how_many_remain(self, both: Both, configmaps: str) -> None:
        answer = both.get(f"{configmaps}?limit=2&labelSelector=n!=1")
        assert "remainingItemCount" not in answer.json()["metadata"]
        answer = both.get(lambda side: f"{configmaps}?limit=2&labelSelector=n!=1&continue={token_of(side)}")
        assert names(answer) == ["c3", "c4"]

    def test_a_page_may_end_where_nothing_more_is_selected(self, both: Both, configmaps: str) -> None:
        both.get(f"{configmaps}?limit=1&labelSelector=n=3")
        both.get(f"{configmaps}?limit=1&labelSelector=n=4")

    def test_at_0_it_says_nothing(self, both: Both, configmaps: str) -> None:
        assert len(names(both.get(f"{configmaps}?limit=2&resourceVersion=0"))) == 5

    def test_of_one_name(self, both: Both, configmaps: str) -> None:
        assert names(both.get(f"{configmaps}?limit=1&fieldSelector=metadata.name=c3")) == ["c3"]
        assert names(both.get(f"{configmaps}?limit=1&fieldSelector=metadata.name=none")) == []

    def test_pages_show_the_state_of_the_first(self, both: Both, configmaps: str) -> None:
        both.get(f"{configmaps}?limit=2")
        tokens = {side.name: token_of(side) for side in both.sides}
        both.delete(f"{configmaps}/c3", compare=False)
        both.post(configmaps, {"metadata": {"name": "c2a"}}, compare=False)
        both.patch(f"{configmaps}/c2", {"data": {"x": "1"}}, compare=False)
        answer = both.get(lambda side: f"{configmaps}?continue={tokens[side.name]}")
        assert names(answer) == ["c2", "c3", "c4"]
        assert "data" not in answer.json()["items"][0]
        assert names(both.get(configmaps)) == ["c0", "c1", "c2", "c2a", "c4"]

    def test_of_all_namespaces(self, both: Both, configmaps: str) -> None:
        for number in range(5):
            labels = {"metadata": {"labels": {"mine": both.namespace}}}
            both.patch(f"{configmaps}/c{number}", labels, compare=False)
        selected = f"labelSelector=mine={both.namespace}"
        both.get(f"/api/v1/configmaps?limit=2&{selected}")
        answer = both.get(lambda side: f"/api/v1/configmaps?limit=9&{selected}&continue={token_of(side)}")
        assert names(answer) == ["c2", "c3", "c4"]

    def test_of_all_namespaces_narrowed_to_one_loses_its_place(self, both: Both, configmaps: str) -> None:
        selected = f"fieldSelector=metadata.namespace={both.namespace}"
        assert names(both.get(f"/api/v1/configmaps?limit=2&{selected}")) == ["c0", "c1"]
        # The token is of a list of the namespace, and is read as one of all: from the namespace "c1" on.
        answer = both.get(lambda side: f"/api/v1/configmaps?limit=9&{selected}&continue={token_of(side)}")
        assert names(answer) == []

    def test_of_custom_and_other_kinds(self, both: Both) -> None:
        for path in ("/apis/rbac.authorization.k8s.io/v1/clusterroles", "/apis/apiregistration.k8s.io/v1/apiservices"):
            selected = "labelSelector=kubernetes.io/bootstrapping=rbac-defaults&fieldSelector=metadata.name=admin"
            both.get(f"{path}?{selected if 'rbac' in path else 'fieldSelector=metadata.name=v1.apps'}&limit=1")


class TestTokens:
    @pytest.mark.parametrize(
        "text",
        [
            "!!!",
            "garbage",
            "abcde",
            "e30",
            "bnVsbA",
            "W10",
            token(v="meta.k8s.io/v1", rv=0, start="c1"),
            token(v="meta.k8s.io/v1", rv=3, start=""),
            token(v="meta.k8s.io/v1", rv=3, start="../x"),
            token(v="meta.k8s.io/v1", rv=3, start="a/./x"),
            token(v="meta.k8s.io/v1", rv=3, start="a//x"),
            token(v="meta.k8s.io/v1", rv=3, start="a/"),
            token(v="meta.k8s.io/v1", rv="3", start="a"),
            token(v="meta.k8s.io/v1", rv=3, start=4),
            token(v="meta.k8s.io/v2", rv=3, start="a"),
            token(rv=3, start="a"),
        ],
    )
    def test_that_are_none(self, both: Both, text: str) -> None:
        answer = both.get(f"/api/v1/namespaces/{both.namespace}/configmaps?continue={text}")
        assert answer.status == 400
        assert answer.json()["message"].startswith("invalid continue token: continue key is not valid")

    def test_that_go_on_in_the_present(self, both: Both, configmaps: str) -> None:
        latest = token(v="meta.k8s.io/v1", rv=-1, start="c1\0")
        answer = both.get(f"{configmaps}?limit=1&continue={latest}")
        assert names(answer) == ["c2"]

    @pytest.mark.parametrize("start", ["/", "/c2", "c2", "zzz"])
    def test_that_begin_elsewhere(self, both: Both, configmaps: str, start: str) -> None:
        both.get(f"{configmaps}?limit=2&continue={token(v='meta.k8s.io/v1', rv=-1, start=start)}")

    def test_with_a_resource_version(self, both: Both, configmaps: str) -> None:
        both.get(f"{configmaps}?limit=2")
        tokens = {side.name: token_of(side) for side in both.sides}
        refused = both.get(lambda side: f"{configmaps}?continue={tokens[side.name]}&resourceVersion=5")
        assert refused.json()["message"] == "specifying resource version is not allowed when using continue"
        assert names(both.get(lambda side: f"{configmaps}?continue={tokens[side.name]}&resourceVersion=0"))

    def test_with_a_match(self, both: Both, configmaps: str) -> None:
        both.get(f"{configmaps}?limit=2")
        where = "resourceVersion=5&resourceVersionMatch=Exact"
        assert both.get(lambda side: f"{configmaps}?continue={token_of(side)}&{where}").status == 422

    def test_of_the_future(self, both: Both, configmaps: str) -> None:
        text = token(v="meta.k8s.io/v1", rv=TOO_LARGE, start="c1\0")
        assert both.get(f"{configmaps}?continue={text}", mask=without_numbers).status == 504


class TestVersions:
    def test_exact_shows_the_past(self, both: Both, configmaps: str) -> None:
        both.get(configmaps)
        then = remember(both)
        both.delete(f"{configmaps}/c1", compare=False)
        both.patch(f"{configmaps}/c2", {"data": {"x": "1"}}, compare=False)
        answer = both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}&resourceVersionMatch=Exact")
        assert names(answer) == ["c0", "c1", "c2", "c3", "c4"]
        assert "data" not in answer.json()["items"][2]
        # A limit makes a bare resourceVersion an exact one.
        assert len(names(both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}&limit=9"))) == 5
        assert len(names(both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}"))) == 4
        where = "&limit=9&resourceVersionMatch=NotOlderThan"
        assert len(names(both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}{where}"))) == 4

    def test_exact_lists_have_pages_too(self, both: Both, configmaps: str) -> None:
        both.get(configmaps)
        then = remember(both)
        both.delete(f"{configmaps}/c1", compare=False)
        both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}&resourceVersionMatch=Exact&limit=2")
        answer = both.get(lambda side: f"{configmaps}?limit=2&continue={token_of(side)}")
        assert names(answer) == ["c2", "c3"]

    def test_exact_of_one_name(self, both: Both, configmaps: str) -> None:
        both.get(configmaps)
        then = remember(both)
        both.patch(f"{configmaps}/c2", {"data": {"x": "1"}}, compare=False)
        one = "fieldSelector=metadata.name=c2"
        exact = both.get(lambda side: f"{configmaps}?{one}&resourceVersion={then(side)}&resourceVersionMatch=Exact")
        assert "data" not in exact.json()["items"][0]
        limited = both.get(lambda side: f"{configmaps}?{one}&resourceVersion={then(side)}&limit=1")
        assert limited.json()["items"][0]["data"] == {"x": "1"}

    def test_before_anything_was_there(self, both: Both, configmaps: str) -> None:
        both.get(f"/api/v1/namespaces/{both.namespace}")
        then = remember(both)
        exact = both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}&resourceVersionMatch=Exact")
        assert names(exact) == []
        assert len(names(both.get(lambda side: f"{configmaps}?resourceVersion={then(side)}"))) == 5

    @pytest.mark.parametrize(
        "query",
        ["", "&limit=1", "&resourceVersionMatch=Exact", "&resourceVersionMatch=NotOlderThan", "&fieldSelector=metadata.name=c1"],
    )  # fmt: skip
    def test_the_future_times_out(self, both: Both, configmaps: str, query: str) -> None:
        answer = both.get(f"{configmaps}?resourceVersion={TOO_LARGE}{query}", mask=without_numbers)
        assert (answer.status, answer.json()["reason"]) == (504, "Timeout")
        assert answer.headers["Retry-After"] == "1"

    @pytest.mark.parametrize("text", ["abc", "-1", "1.0", " 1", "0x1", "18446744073709551616"])
    def test_that_are_no_numbers(self, both: Both, configmaps: str, text: str) -> None:
        query = f"resourceVersion={text.replace(' ', '%20')}"
        assert both.get(f"{configmaps}?{query}").status == 400
        assert both.get(f"{configmaps}/c1?{query}").status == 500
        assert both.get(f"{configmaps}?watch=1&timeoutSeconds=1&{query}").status == 500

    @pytest.mark.parametrize(
        "query",
        [
            "resourceVersionMatch=Exact",
            "resourceVersionMatch=NotOlderThan",
            "resourceVersionMatch=Foo",
            "resourceVersionMatch=Foo&resourceVersion=1",
            "resourceVersionMatch=Exact&resourceVersion=0",
            "sendInitialEvents=true",
            "sendInitialEvents=false&resourceVersionMatch=Foo",
            "resourceVersionMatch=Exact&continue=abc",
        ],
    )
    def test_that_contradict_other_options(self, both: Both, configmaps: str, query: str) -> None:
        assert both.get(f"{configmaps}?{query}").status == 422

    def test_of_a_get(self, both: Both, configmaps: str) -> None:
        then = remember(both)
        for version in (lambda side: "0", lambda side: "1", then):
            assert (
                both.get(lambda side, version=version: f"{configmaps}/c1?resourceVersion={version(side)}").status == 200
            )
        assert both.get(lambda side: f"{configmaps}/none?resourceVersion={then(side)}").status == 404
        late = both.get(f"{configmaps}/c1?resourceVersion={TOO_LARGE}", mask=without_numbers)
        assert late.status == 504

    def test_rise_with_every_write_of_anything(self, both: Both, configmaps: str) -> None:
        seen: dict[str, list[int]] = {side.name: [] for side in both.sides}
        secrets = configmaps.replace("configmaps", "secrets")
        for action in (
            lambda: both.post(secrets, {"metadata": {"name": "s"}}),
            lambda: both.patch(f"{configmaps}/c1", {"data": {"x": "1"}}),
            lambda: both.get(configmaps),
            lambda: both.patch(f"{secrets}/s", {"metadata": {"labels": {"a": "b"}}}),
            lambda: both.get("/api/v1/nodes", compare=False),
        ):
            action()
            for side in both.sides:
                seen[side.name].append(int(version_of(side)))
        for versions in seen.values():
            assert versions == sorted(versions)
            assert versions[0] < versions[1] < versions[3]

    def test_a_change_that_changes_nothing_keeps_it(self, both: Both, configmaps: str) -> None:
        both.patch(f"{configmaps}/c1", {"data": {"x": "1"}})
        first = remember(both)
        both.patch(f"{configmaps}/c1", {"data": {"x": "1"}})
        assert all(version_of(side) == first(side) for side in both.sides)


class TestWire:
    def test_lists_from_128_kib_on_are_gzipped_for_who_accepts_it(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps"
        both.post(path, {"metadata": {"name": "big"}, "data": {"x": "a" * 100_000}}, compare=False)
        small = both.get(path, headers={"Accept-Encoding": "gzip"})
        assert small.headers["Content-Encoding"] is None
        both.post(path, {"metadata": {"name": "big2"}, "data": {"x": "a" * 100_000}}, compare=False)
        both.get(path, headers={"Accept-Encoding": "identity"})
        both.get(path, headers={"Accept-Encoding": "br, gzip;q=0"})
        both.request("GET", path, headers={"Accept-Encoding": "deflate, gzip"}, compare=False)
        for side in both.sides:
            assert side.last.headers["Content-Encoding"] == "gzip"
            assert side.last.headers["Vary"] == "Accept-Encoding"
            assert len(json.loads(gzip.decompress(side.last.body))["items"]) == 2

    def test_a_body_of_4_mib_is_too_large(self, both: Both) -> None:
        body = {"metadata": {"name": "a"}, "data": {"x": "a" * (4 << 20)}}
        for method, path in [("POST", ""), ("PUT", "/a"), ("PATCH", "/a"), ("DELETE", "/a")]:
            headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
            where = f"/api/v1/namespaces/{both.namespace}/configmaps{path}"
            answer = both.request(method, where, body, headers=headers)
            assert answer.status == 413
            assert answer.json()["message"] == "Request entity too large: limit is 3145728"

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "FOO", "TRACE"])
    def test_methods_that_nothing_has(self, both: Both, method: str) -> None:
        assert both.request(method, f"/api/v1/namespaces/{both.namespace}/configmaps").status == 405

    @pytest.mark.parametrize("path", ["/api/v1/namespaces/a%2", "/%", "/api%zz"])
    def test_paths_that_are_none(self, both: Both, path: str) -> None:
        answer = both.get(path)
        assert (answer.status, answer.body) == (400, b"400 Bad Request")

    @pytest.mark.parametrize(
        "path", ["/api/v1/namespaces/a%2Fb", "/api/v1//namespaces", "/api/v1/../v1/namespaces", "/api/v1/./namespaces"]
    )
    def test_paths_are_never_cleaned(self, both: Both, path: str) -> None:
        assert both.get(path).status == 404

    @pytest.mark.parametrize("query", ["limit=1;x=2", "labelSelector=%zz", "limit=1&limit=2", "unknown=1", "&&="])
    def test_odd_queries(self, both: Both, configmaps: str, query: str) -> None:
        assert both.get(f"{configmaps}?{query}").status == 200

    def test_an_audit_id_comes_back(self, both: Both) -> None:
        both.get("/version", headers={"Audit-Id": "mine"})
        assert {side.last.headers["Audit-Id"] for side in both.sides} == {"mine"}
