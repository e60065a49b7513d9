"""Requests per verb, and the fluent builder."""

from __future__ import annotations

import datetime
import decimal
import json
from urllib.parse import parse_qsl, unquote

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.errors import InvalidRequestError
from dynkube.options import (
    ApplyOptions,
    CreateOptions,
    DeleteOptions,
    GetOptions,
    ListOptions,
    PatchOptions,
    Preconditions,
    UpdateOptions,
)
from dynkube.patches import PatchType
from dynkube.schema import GroupResource, GroupVersion, GroupVersionResource
from dynkube.wire.messages import Request
from dynkube.wire.request import (
    ACCEPT_METADATA,
    ACCEPT_METADATA_LIST,
    ACCEPT_TABLE,
    RequestBuilder,
    apply_request,
    create_request,
    delete_collection_request,
    delete_request,
    get_request,
    go_duration,
    list_request,
    patch_request,
    update_request,
    watch_request,
)

FINS = GroupVersionResource("flops", "v1alpha1", "flips")
BASE = "/apis/flops/v1alpha1/namespaces/mops/flips"
FIN = {"apiVersion": "flops/v1alpha1", "kind": "Flip", "metadata": {"name": "fin"}}
WITH_BODY = {"Accept": "application/json", "Content-Type": "application/json"}


def seen(request: Request) -> tuple:
    body = json.loads(request.body) if request.body is not None else None
    return request.method, request.target, dict(request.headers), body


# ---------------------------------------------------------------------- one function per verb

DELETE_BODY = {"kind": "DeleteOptions", "apiVersion": "v1"}
TO_FIN = {"namespace": "mops"}
GOLDEN = {
    "get": (get_request(FINS, "fin", **TO_FIN), "GET", f"{BASE}/fin", None, None),
    "get cached": (
        get_request(FINS, "fin", options=GetOptions(resource_version="0"), **TO_FIN),
        "GET",
        f"{BASE}/fin?resourceVersion=0",
        None,
        None,
    ),
    "get status": (get_request(FINS, "fin", subresource="status", **TO_FIN), "GET", f"{BASE}/fin/status", None, None),
    "list": (list_request(FINS, **TO_FIN), "GET", BASE, None, None),
    "list everywhere": (
        list_request(FINS, options=ListOptions(limit=2, continue_token="a b")),
        "GET",
        "/apis/flops/v1alpha1/flips?continue=a+b&limit=2",
        None,
        None,
    ),
    "watch": (watch_request(FINS, **TO_FIN), "GET", f"{BASE}?watch=true", None, None),
    "watch from": (
        watch_request(FINS, options=ListOptions(resource_version="7", timeout_seconds=0), **TO_FIN),
        "GET",
        f"{BASE}?resourceVersion=7&timeoutSeconds=0&watch=true",
        None,
        None,
    ),
    "create": (
        create_request(FINS, FIN, options=CreateOptions(dry_run=True), **TO_FIN),
        "POST",
        f"{BASE}?dryRun=All",
        "application/json",
        FIN,
    ),
    "create on a subresource": (
        create_request(FINS, {"a": 1}, name="fin", subresource="eviction", **TO_FIN),
        "POST",
        f"{BASE}/fin/eviction",
        "application/json",
        {"a": 1},
    ),
    "update": (
        update_request(FINS, FIN, options=UpdateOptions(field_manager="me"), **TO_FIN),
        "PUT",
        f"{BASE}/fin?fieldManager=me",
        "application/json",
        FIN,
    ),
    "update status": (
        update_request(FINS, FIN, subresource="status", **TO_FIN),
        "PUT",
        f"{BASE}/fin/status",
        "application/json",
        FIN,
    ),
    "merge patch": (
        patch_request(FINS, "fin", {"a": None}, options=PatchOptions(field_manager="me"), **TO_FIN),
        "PATCH",
        f"{BASE}/fin?fieldManager=me",
        "application/merge-patch+json",
        {"a": None},
    ),
    "json patch": (
        patch_request(FINS, "fin", [{"op": "remove", "path": "/a"}], **TO_FIN),
        "PATCH",
        f"{BASE}/fin",
        "application/json-patch+json",
        [{"op": "remove", "path": "/a"}],
    ),
    "json patch of jsonpatch": (
        patch_request(FINS, "fin", jsonpatch.JsonPatch([{"op": "remove", "path": "/a"}]), **TO_FIN),
        "PATCH",
        f"{BASE}/fin",
        "application/json-patch+json",
        [{"op": "remove", "path": "/a"}],
    ),
    "strategic patch": (
        patch_request(FINS, "fin", {"a": 1}, type=PatchType.STRATEGIC, subresource="status", **TO_FIN),
        "PATCH",
        f"{BASE}/fin/status",
        "application/strategic-merge-patch+json",
        {"a": 1},
    ),
    "apply patch": (
        patch_request(FINS, "fin", FIN, type=PatchType.APPLY, options=PatchOptions(force=True), **TO_FIN),
        "PATCH",
        f"{BASE}/fin?force=true",
        "application/apply-patch+yaml",
        FIN,
    ),
    "apply": (
        apply_request(FINS, "fin", FIN, options=ApplyOptions(field_manager="me"), **TO_FIN),
        "PATCH",
        f"{BASE}/fin?fieldManager=me&force=false",
        "application/apply-patch+yaml",
        FIN,
    ),
    "delete": (delete_request(FINS, "fin", **TO_FIN), "DELETE", f"{BASE}/fin", "application/json", DELETE_BODY),
    "delete at once": (
        delete_request(
            FINS,
            "fin",
            options=DeleteOptions(grace_period_seconds=0, preconditions=Preconditions(uid="u")),
            subresource="x",
            **TO_FIN,
        ),
        "DELETE",
        f"{BASE}/fin/x",
        "application/json",
        DELETE_BODY | {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}},
    ),
    "delete collection": (
        delete_collection_request(
            FINS,
            list_options=ListOptions(label_selector="a=b"),
            options=DeleteOptions(propagation_policy="Orphan"),
            **TO_FIN,
        ),
        "DELETE",
        f"{BASE}?labelSelector=a%3Db",
        "application/json",
        DELETE_BODY | {"propagationPolicy": "Orphan"},
    ),
}


@pytest.mark.behaviour("2.5.3", "2.5.4", "2.5.6", "2.5.7", "2.6.1", "5.1.1", "5.1.7", "10.1.1")
@pytest.mark.parametrize("case", GOLDEN)
def test_what_each_verb_sends(case):
    request, method, target, content_type, body = GOLDEN[case]
    headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if content_type else {})
    assert seen(request) == (method, target, headers, body)
    assert request.body is None or request.body.endswith(b"\n")
    assert request.resource == GroupResource("flops", "flips")


@pytest.mark.parametrize(
    ("request_", "verb", "name", "namespace"),
    [
        (GOLDEN["get"][0], "get", "fin", "mops"),
        (GOLDEN["list"][0], "list", "", "mops"),
        (GOLDEN["list everywhere"][0], "list", "", ""),
        (GOLDEN["watch"][0], "watch", "", "mops"),
        (GOLDEN["create"][0], "create", "", "mops"),
        (GOLDEN["update"][0], "update", "fin", "mops"),
        (GOLDEN["merge patch"][0], "patch", "fin", "mops"),
        (GOLDEN["apply"][0], "apply", "fin", "mops"),
        (GOLDEN["delete"][0], "delete", "fin", "mops"),
        (GOLDEN["delete collection"][0], "deletecollection", "", "mops"),
    ],
)
def test_a_request_knows_what_it_is_about(request_, verb, name, namespace):
    assert (request_.verb, request_.name, request_.namespace) == (verb, name, namespace)


@pytest.mark.behaviour("5.5.1")
def test_metadata_only_is_a_list_kind_in_a_list_and_a_single_one_in_a_watch():
    assert get_request(FINS, "a", accept=ACCEPT_METADATA).headers == (("Accept", ACCEPT_METADATA),)
    assert list_request(FINS, accept=ACCEPT_METADATA).headers == (("Accept", ACCEPT_METADATA_LIST),)
    assert watch_request(FINS, accept=ACCEPT_METADATA).headers == (("Accept", ACCEPT_METADATA),)
    assert list_request(FINS, accept=ACCEPT_TABLE).headers == (("Accept", ACCEPT_TABLE),)
    assert get_request(FINS, "a", accept="text/plain").headers == (("Accept", "text/plain"),)


# ---------------------------------------------------------------------- refusals before any I/O


@pytest.mark.behaviour("2.4.6", "5.1.3")
@pytest.mark.parametrize(
    "make",
    [
        lambda: get_request(FINS, ""),
        lambda: get_request(FINS, None),
        lambda: delete_request(FINS, ""),
        lambda: patch_request(FINS, "", {}),
        lambda: apply_request(FINS, "", FIN, options=ApplyOptions(field_manager="me")),
        lambda: create_request(FINS, FIN, subresource="scale"),
        lambda: update_request(FINS, {}),
        lambda: update_request(FINS, {"metadata": None}),
        lambda: update_request(FINS, {"metadata": {"name": ""}}),
        lambda: update_request(FINS, {"metadata": {"name": 5}}),
    ],
)
def test_a_name_is_required(make):
    with pytest.raises(InvalidRequestError, match="name is required"):
        make()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (float("nan"), "obj.spec.x"),
        (float("inf"), "obj.spec.x"),
        (b"x", "obj.spec.x"),
        ({1}, "obj.spec.x"),
        (datetime.datetime(2026, 1, 1), "obj.spec.x"),
        (decimal.Decimal(1), "obj.spec.x"),
        ({1: "a"}, "obj.spec.x"),
        ([object()], r"obj.spec.x\[0\]"),
    ],
)
@pytest.mark.parametrize("verb", ["create", "update", "apply"])
def test_a_body_that_is_no_json_is_refused_where_it_is_wrong(value, path, verb):
    obj = FIN | {"spec": {"x": value}}
    with pytest.raises(InvalidRequestError, match=path):
        {
            "create": lambda: create_request(FINS, obj),
            "update": lambda: update_request(FINS, obj),
            "apply": lambda: apply_request(FINS, "fin", obj, options=ApplyOptions(field_manager="me")),
        }[verb]()


@pytest.mark.behaviour("5.1.8")
def test_apply_refuses_what_a_get_returned():
    obj = FIN | {"metadata": {"name": "fin", "managedFields": [{"manager": "x"}]}}
    with pytest.raises(InvalidRequestError, match="cannot apply an object with managed fields already set"):
        apply_request(FINS, "fin", obj, options=ApplyOptions(field_manager="me"))


@pytest.mark.behaviour("10.1.2")
def test_apply_needs_a_manager_and_only_apply_is_forced():
    with pytest.raises(InvalidRequestError, match="field_manager"):
        apply_request(FINS, "fin", FIN, options=ApplyOptions())
    with pytest.raises(InvalidRequestError, match="force"):
        patch_request(FINS, "fin", {}, options=PatchOptions(force=True))


@pytest.mark.behaviour("2.5.8")
@pytest.mark.parametrize(
    "make",
    [
        lambda: list_request(FINS, options=ListOptions(send_initial_events=True)),
        lambda: delete_collection_request(FINS, list_options=ListOptions(resource_version_match="Exact")),
        lambda: watch_request(FINS, options=ListOptions(send_initial_events=True)),
    ],
)
def test_options_are_checked_first(make):
    with pytest.raises(InvalidRequestError, match=r"resourceVersionMatch|sendInitialEvents"):
        make()


# ---------------------------------------------------------------------- durations


@pytest.mark.behaviour("2.4.11")
@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30, "30s"),
        (60, "1m0s"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (3661.5, "1h1m1.5s"),
        (1.5, "1.5s"),
        (0.5, "500ms"),
        (0.0001, "1ms"),
        (59.9999, "1m0s"),
        (86400, "24h0m0s"),
    ],
)
def test_go_duration(seconds, text):
    assert go_duration(seconds) == text


@given(st.floats(0.001, 1e6))
def test_a_duration_says_what_it_was(seconds):
    text = go_duration(seconds)
    if text.endswith("ms"):
        assert float(text[:-2]) / 1000 == pytest.approx(seconds, abs=6e-4)
        return
    rest, total = text, 0.0
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if unit in rest:
            number, rest = rest.split(unit, 1)
            total += float(number) * size
    assert total == pytest.approx(seconds, abs=6e-4)


# ---------------------------------------------------------------------- the builder


def builder(verb: str = "GET") -> RequestBuilder:
    return RequestBuilder(verb=verb)


APPS = GroupVersion("apps", "v1")


@pytest.mark.behaviour("2.4.3", "2.4.4")
@pytest.mark.parametrize(
    ("made", "target"),
    [
        (builder(), "/"),
        (builder().group_version(APPS), "/apis/apps/v1"),
        (builder().resource("pods"), "/api/v1/pods"),
        (builder().namespace("a").resource("pods").name("b"), "/api/v1/namespaces/a/pods/b"),
        (builder().group_version(APPS).resource("Deployments"), "/apis/apps/v1/deployments"),
        (builder().namespace("").resource("pods"), "/api/v1/pods"),
        (
            builder().namespace("a").resource("pods").name("b").sub_resource("proxy", "metrics"),
            "/api/v1/namespaces/a/pods/b/proxy/metrics",
        ),
        (builder().abs_path("/apis/x/v1").namespace("a").resource("pods"), "/apis/x/v1/namespaces/a/pods"),
        (builder().abs_path("/version"), "/version"),
    ],
)
def test_where_a_built_request_goes(made, target):
    assert made.build().target == target


@pytest.mark.behaviour("2.4.9")
@pytest.mark.parametrize(
    ("segments", "path"),
    [
        ((), "/"),
        (("",), "/"),
        (("/",), "/"),
        (("/healthz",), "/healthz"),
        (("healthz", "ping"), "/healthz/ping"),
        (("/a", "/b"), "/a/b"),
        (("a//b/./c",), "/a/b/c"),
        (("//a",), "/a"),
        (("/a/../b",), "/b"),
        (("/../..",), "/"),
        (("/apis/",), "/apis/"),
        (("/apis/", "/x/"), "/apis/x"),
        (("a b", "c?d#e%"), "/a%20b/c%3Fd%23e%25"),
    ],
)
def test_absolute_paths_are_joined_and_cleaned(segments, path):
    assert builder().abs_path(*segments).build().target == path


@pytest.mark.behaviour("2.4.9")
def test_a_request_uri_replaces_path_and_parameters():
    made = builder().abs_path("/x").param("a", 1).request_uri("/openapi/v3/apis/apps/v1?hash=A%2FB%3D&empty=")
    assert made.build().target == "/openapi/v3/apis/apps/v1?empty=&hash=A%2FB%3D"
    assert made.param("b", 2).build().target == "/openapi/v3/apis/apps/v1?b=2&empty=&hash=A%2FB%3D"


@pytest.mark.parametrize("uri", ["", "x", "https://evil/x", "/a b", "/a\r\nX: y", "/a#b", "/é", "/a?b#c"])
def test_a_request_uri_is_a_path_of_the_server(uri):
    with pytest.raises(InvalidRequestError, match="request_uri"):
        builder().request_uri(uri)


@pytest.mark.behaviour("2.4.10")
def test_repeated_parameters_add_and_names_are_sorted():
    made = builder().resource("pods").param("b", "2").param("a", "x y").param("b", "1").param("c", True)
    assert made.build().target == "/api/v1/pods?a=x+y&b=2&b=1&c=true"


@pytest.mark.behaviour("2.4.8")
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: builder().resource("a").resource("b"), "resource already set to 'a'"),
        (lambda: builder().name("a").name("b"), "resource name already set to 'a'"),
        (lambda: builder().namespace("a").namespace("b"), "namespace already set to 'a'"),
        (lambda: builder().sub_resource("a").sub_resource("b"), "subresource already set to"),
        (lambda: builder().group_version(APPS).group_version(APPS), "group version already set to 'apps/v1'"),
    ],
)
def test_setting_twice_is_an_error(made, words):
    with pytest.raises(InvalidRequestError, match=words):
        made()


@pytest.mark.behaviour("2.4.5", "2.4.6")
@pytest.mark.parametrize("value", [".", "..", "a/b", "a%2fb", "a\nb"])
@pytest.mark.parametrize("part", ["namespace", "resource", "name", "sub_resource"])
def test_parts_are_checked_when_they_are_set(part, value):
    with pytest.raises(InvalidRequestError, match="invalid resource"):
        getattr(builder(), part)(value)


@pytest.mark.behaviour("2.4.6")
def test_an_empty_name_is_refused():
    with pytest.raises(InvalidRequestError, match="resource name may not be empty"):
        builder().name("")
    with pytest.raises(InvalidRequestError, match="name is required"):
        builder().resource("pods").sub_resource("log").build()
    with pytest.raises(InvalidRequestError, match="resource is required"):
        builder().namespace("a").name("b").build()


@pytest.mark.behaviour("2.4.7")
def test_an_empty_namespace_where_one_is_needed():
    with pytest.raises(InvalidRequestError, match="an empty namespace may not be set during creation"):
        builder("POST").namespace("").resource("pods").body({}).build()
    for verb in ("GET", "PUT", "DELETE"):
        with pytest.raises(InvalidRequestError, match="an empty namespace may not be set when a resource name is"):
            builder(verb).namespace("").resource("pods").name("a").build()
    assert builder("DELETE").namespace("").resource("pods").build().target == "/api/v1/pods"
    assert builder("POST").resource("namespaces").body({}).build().target == "/api/v1/namespaces"


@pytest.mark.behaviour("2.4.11")
def test_a_timeout_is_asked_of_the_server_as_well():
    assert builder().resource("pods").timeout(90).build().query == (("timeout", "1m30s"),)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "30"])
def test_a_timeout_is_a_number_of_seconds(seconds):
    with pytest.raises(InvalidRequestError, match="timeout must be"):
        builder().timeout(seconds)


def test_headers_add_up_and_replace_the_defaults():
    made = builder("POST").abs_path("/x").body({"a": 1}).build()
    assert made.headers == (("Accept", "application/json, */*"), ("Content-Type", "application/json"))
    made = builder("POST").abs_path("/x").body(b"x").header("accept", "text/plain").header("content-type", "text/a")
    assert made.build().headers == (("accept", "text/plain"), ("content-type", "text/a"))
    made = builder().header("Impersonate-Group", "a").header("Impersonate-Group", "b")
    assert [each for each in made.build().headers if each[0] != "Accept"] == [
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("a b", "x"), ("", "x"), ("a:", "x"), ("a", "x\r\nHost: y"), ("a", "\0"), ("a", "€")]
)
def test_headers_that_would_break_a_request(name, value):
    with pytest.raises(InvalidRequestError, match="header"):
        builder().header(name, value)


@pytest.mark.parametrize("verb", ["", "get", "GET /x HTTP/1.1\r\n", "G\n"])
def test_a_verb_is_a_method(verb):
    with pytest.raises(InvalidRequestError, match="verb"):
        builder(verb).build()


@pytest.mark.behaviour("2.7.6")
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (None, None),
        (b"x", b"x"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        ({"a": [1]}, b'{"a":[1]}\n'),
        ([1], b"[1]\n"),
        ("a", b'"a"\n'),
        (False, b"false\n"),
    ],
)
def test_bodies_that_can_be_sent_again(body, sent):
    made = builder("POST").body(body).build()
    assert made.body == sent
    assert made.replayable


@pytest.mark.behaviour("2.7.6")
def test_a_body_that_can_be_sent_once():
    pieces = iter([b"a", b"b"])
    made = builder("POST").body(pieces).build()
    assert made.body is pieces
    assert not made.replayable


@pytest.mark.parametrize("body", [{1, 2}, {"a": b"x"}, object(), float("nan"), [b"x"]])
def test_bodies_that_are_no_json(body):
    with pytest.raises(InvalidRequestError, match="body"):
        builder("POST").body(body).build()


def test_a_builder_is_a_value():
    half = builder().namespace("a").resource("pods")
    assert half.name("x").build().target != half.name("y").build().target
    assert half.build().target == "/api/v1/namespaces/a/pods"
    assert "s3cret" not in repr(half.header("Authorization", "s3cret").body({"data": "s3cret"}))


PART = st.text("ab./%?#:é \n", min_size=1, max_size=6)


@pytest.mark.behaviour("2.4.5")
@given(PART, PART, PART, st.lists(st.tuples(PART, PART), max_size=3))
def test_no_part_leads_elsewhere(namespace, name, sub_resource, params):
    try:
        made = builder().namespace(namespace).resource("pods").name(name).sub_resource(sub_resource)
    except InvalidRequestError:
        return
    for key, value in params:
        made = made.param(key, value)
    path, _, query = made.build().target.partition("?")
    assert [unquote(each) for each in path.split("/")[3:]] == ["namespaces", namespace, "pods", name, sub_resource]
    assert sorted(parse_qsl(query, keep_blank_values=True)) == sorted(params)
