"""What endpoints read off a request (paths, options, selectors, Accept) and how they write; the words are the server's."""

from __future__ import annotations

import pytest
from shelves import BOXES, NAMESPACES, SLOW, refusal

from dynkube.testing.apiserver.endpoints import queries
from dynkube.testing.apiserver.endpoints.negotiation import (
    Accepted,
    accept_discovery,
    accepts_route,
    negotiate,
    negotiate_error,
)
from dynkube.testing.apiserver.endpoints.representation import encode
from dynkube.testing.apiserver.endpoints.routes import NoPageError, Route, find_route, split_path
from dynkube.testing.apiserver.endpoints.selectors import parse_field_selector, parse_label_selector
from dynkube.testing.apiserver.endpoints.yamltext import dump
from dynkube.testing.apiserver.registry import Catalog
from dynkube.testing.apiserver.words.messages import Headers, Request

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ONLY = "only the following media types are accepted: application/json, application/yaml, "
CATALOG = Catalog([NAMESPACES, BOXES, SLOW])


def request(path="/", method="GET", query=(), body=b"", **headers):
    sent = Headers([(name.replace("_", "-"), value) for name, value in headers.items()])
    return Request(method=method, path=path, query=query, headers=sent, body=body)


class TestLabelSelectors:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("", ""),
            ("a=b", "a=b"),
            ("a==b,c!=d", "a=b,c!=d"),
            ("a in (b,c),d notin (e)", "a in (b,c),d notin (e)"),
            ("a,!b", "a,!b"),
            ("a>5", "a>5"),
        ],
    )
    def test_are_parsed(self, text, shown):
        assert str(parse_label_selector(text)) == shown

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a,,b", "found ',', expected: identifier after ','"),
            ("=", "found '=', expected: !, identifier, or 'end of string'"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            (
                "a>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must "
                "be an integer",
            ),
            ("a=b,", "found '', expected: identifier after ','"),
        ],
    )
    def test_say_what_is_wrong(self, text, problem):
        with pytest.raises(ValueError) as caught:
            parse_label_selector(text)
        assert str(caught.value) == problem


class TestFieldSelectors:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", []),
            ("a=b", [("a", "b", False)]),
            ("a==b,c!=d", [("a", "b", False), ("c", "d", True)]),
            (r"a=b\,c", [("a", "b,c", False)]),
            ("a=b,", [("a", "b", False)]),
        ],
    )
    def test_are_parsed(self, text, found):
        assert [(each.field, each.value, each.negated) for each in parse_field_selector(text)] == found

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("a", "invalid selector: 'a'; can't understand 'a'"),
            (r"a=b\x", r"invalid field selector: invalid escape sequence: \x"),
        ],
    )
    def test_say_what_is_wrong(self, text, problem):
        with pytest.raises(ValueError) as caught:
            parse_field_selector(text)
        assert str(caught.value) == problem

    def test_ask_for_what_the_kind_has(self):
        asked = request(query=[("fieldSelector", "spec.a=b")])
        known = '"spec.a" is not a known field selector: only "metadata.name", "metadata.namespace"'
        assert refusal(lambda: queries.list_options(asked, BOXES)) == (400, known)
        assert refusal(lambda: queries.list_options(asked, SLOW)) == (400, "field label not supported: spec.a")

    def test_a_watch_of_one_object_selects_its_name(self):
        options = queries.list_options(request(), BOXES, name="a")
        assert str(options.field_selector) == "metadata.name=a"

    def test_a_watch_of_one_object_selects_no_other(self):
        asked = request(query=[("fieldSelector", "metadata.name=b")])
        code, _ = refusal(lambda: queries.list_options(asked, BOXES, name="a"))
        assert code == 400


class TestOptions:
    @pytest.mark.parametrize(
        ("kind", "query", "problem"),
        [
            ("CreateOptions", [("dryRun", "x")], 'dryRun: Unsupported value: ["x"]: supported values: "All"'),
            (
                "UpdateOptions",
                [("fieldValidation", "x")],
                'fieldValidation: Unsupported value: "x": supported values: "", "Ignore", "Strict", "Warn"',
            ),
            ("PatchOptions", [("force", "1")], "force: Forbidden: may not be specified for non-apply patch"),
            (
                "CreateOptions",
                [("fieldManager", "x" * 129)],
                "fieldManager: Too long: may not be more than 128 bytes",
            ),
        ],
    )
    def test_of_writes_are_refused(self, kind, query, problem):
        code, message = refusal(lambda: queries.write_options(request(query=query), kind))
        assert (code, message) == (422, f'{kind}.meta.k8s.io "" is invalid: {problem}')

    def test_of_an_apply_need_a_manager(self):
        code, message = refusal(lambda: queries.write_options(request(), "PatchOptions", is_apply=True))
        assert code == 422
        assert message.endswith("fieldManager: Required value: is required for apply patch")

    def test_the_manager_is_the_user_agent_up_to_its_slash(self):
        assert queries.write_options(request(User_Agent="kubectl/v1"), "CreateOptions").manager == "kubectl"

    def test_of_deletions_exclude_each_other(self):
        query = [("propagationPolicy", "Orphan"), ("orphanDependents", "true")]
        code, message = refusal(lambda: queries.delete_options(request(query=query)))
        assert code == 422
        assert message.endswith("orphanDependents and deletionPropagation cannot be both set")

    @pytest.mark.parametrize(("value", "meant"), [("0", False), ("FALSE", False), ("", True), ("no", True)])
    def test_what_counts_as_true(self, value, meant):
        assert queries.Query(request(query=[("a", value)])).flag("a") is meant

    @pytest.mark.parametrize(("value", "problem"), [("x", "invalid syntax"), ("9" * 30, "value out of range")])
    def test_numbers_that_are_none(self, value, problem):
        code, message = refusal(lambda: queries.list_options(request(query=[("limit", value)]), BOXES))
        assert (code, message) == (400, f'strconv.ParseInt: parsing "{value}": {problem}')

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("5", 'missing unit in duration "5"'),
            ("x", 'invalid duration "x"'),
            ("1x", 'unknown unit "x" in duration "1x"'),
            (".s", 'invalid duration ".s"'),
        ],
    )
    def test_a_timeout_is_a_duration(self, value, problem):
        code, message = refusal(lambda: queries.check_timeout(request(query=[("timeout", value)])))
        assert (code, message) == (400, f"invalid timeout specified in the request URL - time: {problem}")

    @pytest.mark.parametrize("value", ["1s", "-1.5h", "0", "1h2m3s", ""])
    def test_durations(self, value):
        queries.check_timeout(request(query=[("timeout", value)]))


class TestRoutes:
    @pytest.mark.parametrize(
        ("method", "path", "expected"),
        [
            ("GET", "/api/v1/configmaps", Route(resource=BOXES, verb="list")),
            ("GET", "/api/v1/namespaces/a/configmaps", Route(resource=BOXES, verb="list", namespace="a")),
            ("POST", "/api/v1/namespaces/a/configmaps/", Route(resource=BOXES, verb="create", namespace="a")),
            ("PUT", "/api/v1/namespaces/a/configmaps/b", Route(resource=BOXES, verb="update", namespace="a", name="b")),
            (
                "DELETE",
                "/api/v1/namespaces/a/configmaps",
                Route(resource=BOXES, verb="deletecollection", namespace="a"),
            ),
            ("GET", "/api/v1/watch/configmaps", Route(resource=BOXES, verb="watch")),
            (
                "GET",
                "/api/v1/watch/namespaces/a/configmaps/b",
                Route(resource=BOXES, verb="watch", namespace="a", name="b"),
            ),
            ("GET", "/api/v1/namespaces/a", Route(resource=NAMESPACES, verb="get", namespace="a", name="a")),
        ],
    )
    def test_are_found(self, method, path, expected):
        assert find_route(CATALOG, request(path, method), split_path(path)) == expected

    @pytest.mark.parametrize(
        ("method", "path", "code"),
        [
            ("GET", "/api/v1/nothing", 404),
            ("GET", "/api/v1/configmaps/a", 404),
            ("GET", "/api/v1/namespaces/a/configmaps/b/status", 404),
            ("GET", "/api/v1/namespaces/a/configmaps//b", 404),
            ("POST", "/api/v1/configmaps", 405),
            ("POST", "/api/v1/namespaces/a/configmaps/b", 405),
            ("PUT", "/api/v1/namespaces/a/configmaps", 405),
        ],
    )
    def test_or_are_refused(self, method, path, code):
        assert refusal(lambda: find_route(CATALOG, request(path, method), split_path(path)))[0] == code

    def test_an_unknown_api_is_no_page(self):
        with pytest.raises(NoPageError):
            find_route(CATALOG, request("/apis/none/v1/things"), ["apis", "none", "v1", "things"])

    def test_escapes_are_resolved_before_slashes_are_looked_at(self):
        assert split_path("/api/v1/namespaces/a%2Fb/%ff") == ["api", "v1", "namespaces", "a", "b", "\udcff"]


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("", Accepted()),
            ("*/*", Accepted()),
            ("application/json", Accepted()),
            ("application/yaml", Accepted("application/yaml", is_stream=False)),
            ("application/json;q=0.1,application/yaml", Accepted("application/yaml", is_stream=False)),
            (TABLE, Accepted(kind="Table")),
            (f"application/json;as=Foo;v=v1;g=meta.k8s.io,{TABLE}", Accepted(kind="Table")),
            (f"{TABLE.replace('v1', 'v7')},application/json", Accepted()),
            ("application/vnd.kubernetes.protobuf,application/json", Accepted()),
            ("application/json;pretty=1", Accepted(pretty=True)),
        ],
    )
    def test_finds_what_is_answered(self, accept, expected):
        assert negotiate(request(Accept=accept), is_custom=False) == expected

    @pytest.mark.parametrize(
        "accept", ["text/html", "application/json;as=Foo;v=v1;g=meta.k8s.io", "application/json;stream=x", "image/*"]
    )
    def test_refuses_the_rest(self, accept):
        code, message = refusal(lambda: negotiate(request(Accept=accept), is_custom=False))
        assert (code, message) == (406, f"{ONLY}application/vnd.kubernetes.protobuf")

    def test_the_query_and_browsers_ask_for_indentation(self):
        assert negotiate(request(query=[("pretty", "true")]), is_custom=False).pretty
        assert negotiate(request(User_Agent="curl/8"), is_custom=False).pretty
        assert not negotiate(request(User_Agent="curl/8", query=[("pretty", "0")]), is_custom=False).pretty

    def test_errors_are_told_in_json_where_nothing_will_do(self):
        assert negotiate_error(request(Accept="text/html")) is None
        assert encode({"a": 1}, None) == ("application/json", b'{\n  "a": 1\n}')

    def test_built_in_paths_look_first_and_know_no_half_stars(self):
        assert accepts_route("application/*", is_list=False) is not None
        assert accepts_route("text/html,*/*", is_list=False) is None

    def test_aggregated_discovery_counts_wherever_it_stands(self):
        wanted = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        assert accept_discovery(f"application/json,{wanted}") == "application/json"
        assert accept_discovery(wanted.replace("v2", "v1")) is None


class TestWriting:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"b": 1, "a": []}, "a: []\nb: 1\n"),
            ({"a": ["x", {"c": None}]}, "a:\n- x\n- c: null\n"),
            ({"a": "1"}, 'a: "1"\n'),
            ({"a": "yes"}, 'a: "yes"\n'),
            ({"a": "2020-01-01T00:00:00Z"}, 'a: "2020-01-01T00:00:00Z"\n'),
            ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
            ({"a": ""}, 'a: ""\n'),
        ],
    )
    def test_yaml_as_go_writes_it(self, value, text):
        assert dump(value).decode() == text

    @pytest.mark.parametrize("media_type", ["application/json", "application/yaml"])
    def test_what_is_no_utf_8_is_replaced(self, media_type):
        _, body = encode({"name": "\udcff"}, Accepted(media_type))
        assert "\ufffd".encode() in body or b'"\\uFFFD"' in body
