"""Responses: the object in them, or the error that they are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from dynkube.errors import (
    AlreadyExistsError,
    APIStatusError,
    BadRequestError,
    ConflictError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    InternalServerError,
    InvalidError,
    MethodNotAllowedError,
    NotAcceptableError,
    NotFoundError,
    RequestEntityTooLargeError,
    ServiceUnavailableError,
    TimeoutStatusError,
    TooManyRequestsError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
    is_reason,
)
from dynkube.patches import PatchType
from dynkube.schema import GroupResource, GroupVersionResource
from dynkube.wire.messages import Request, Response
from dynkube.wire.request import get_request, patch_request
from dynkube.wire.response import Result, decode_list, decode_response, raise_for_status, status_error_of

PODS = GroupVersionResource("", "v1", "pods")
GET_POD = get_request(PODS, "api", namespace="shop")
JSON = "application/json"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "continue", "resourceVersion", "remainingItemCount"]), inner)
    ),
    max_leaves=5,
)


def response(status=200, body=None, content_type=JSON, request=GET_POD, **headers):
    fields = HTTPHeaderDict({name.replace("_", "-"): value for name, value in headers.items()})
    if content_type is not None:
        fields["Content-Type"] = content_type
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Response(status, fields, data, request)


def failure(reason="", code=0, message="", **details):
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message}
    return status | {"reason": reason, "code": code, "details": details}


# ---------------------------------------------------------------------- success


@pytest.mark.behaviour("2.8.1")
@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_successes(status):
    assert raise_for_status(response(status)) is None


@pytest.mark.behaviour("2.8.1")
@pytest.mark.parametrize("status", [101, 207, 300, 304, 307, 400, 500, 599])
def test_no_successes(status):
    with pytest.raises(APIStatusError) as refused:
        raise_for_status(response(status))
    assert refused.value.http_status == status


def test_an_object():
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "api"}}
    assert decode_response(response(body=pod)) == pod


@pytest.mark.behaviour("2.8.5", "2.8.6")
def test_a_missing_content_type_is_json():
    assert decode_response(response(body={"kind": "Pod"}, content_type=None)) == {"kind": "Pod"}


@pytest.mark.behaviour("2.8.4", "5.1.9")
def test_a_status_of_success_is_an_object():
    status = {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": {"name": "api"}}
    assert decode_response(response(body=status)) == status


@pytest.mark.behaviour("2.8.4")
def test_a_status_of_failure_is_an_error_with_any_http_status():
    with pytest.raises(NotFoundError, match="gone away") as refused:
        decode_response(response(200, failure("NotFound", 404, "gone away")))
    assert (refused.value.http_status, refused.value.code) == (200, 404)
    with pytest.raises(APIStatusError):
        decode_response(response(200, {"kind": "Status", "apiVersion": "v1"}))


@pytest.mark.behaviour("2.8.14")
def test_a_result():
    result = Result(response(201, {"kind": "Pod"}, f"{JSON}; charset=utf-8", Warning='299 - "old"'))
    assert result.raw == b'{"kind": "Pod"}'
    assert (result.status, result.content_type, result.was_created) == (201, JSON, True)
    assert [warning.text for warning in result.warnings] == ["old"]
    assert result.object() == {"kind": "Pod"}
    assert not Result(response(200)).was_created


# ---------------------------------------------------------------------- bytes that are no object


@pytest.mark.behaviour("2.8.5", "5.1.6")
@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"", JSON, "0-length response with status code: 200 and content type: application/json"),
        (b"", None, "0-length response with status code: 200 and content type: none"),
        (b"<html>Sign in", "text/html; charset=utf-8", "serializer for text/html doesn't exist"),
        (b'{"kind":"Pod"', JSON, "not JSON"),
        (b'{"kind":"Pod"} x', JSON, "not JSON"),
        (b"[]", JSON, "not a JSON object"),
        (b"null", JSON, "not a JSON object"),
        (b"\xff\xfe", JSON, "not JSON"),
        (b"\x1f\x8b\x08", "application/gzip", "serializer for application/gzip doesn't exist"),
        (b'{"a":1}', JSON, "Object 'Kind' is missing"),
        (b'{"kind":""}', JSON, "Object 'Kind' is missing"),
        (b'{"kind":5}', JSON, "Object 'Kind' is missing"),
    ],
)
def test_an_answer_that_is_no_object_is_one_error(body, content_type, words):
    with pytest.raises(DecodeError, match=words) as refused:
        decode_response(response(body=body, content_type=content_type))
    assert "GET /api/v1/namespaces/shop/pods/api" in str(refused.value)


@given(st.binary(max_size=300))
def test_any_body_is_an_object_or_one_typed_error(body):
    try:
        assert isinstance(decode_response(response(body=body)), dict)
    except (DecodeError, APIStatusError):
        pass


@given(JSON_VALUES, JSON_VALUES)
def test_any_list_is_one_or_one_typed_error(metadata, items):
    try:
        page = decode_list(response(body={"kind": "XList", "metadata": metadata, "items": items}))
    except (DecodeError, APIStatusError):
        return
    assert all(isinstance(each, dict) for each in page)


def test_a_huge_body_is_shown_in_part():
    with pytest.raises(DecodeError) as refused:
        decode_response(response(body=b"<" + b"x" * 10**6, content_type="text/html"))
    assert len(str(refused.value)) < 500


# ---------------------------------------------------------------------- lists


@pytest.mark.behaviour("5.1.5")
def test_a_list():
    page = decode_list(
        response(
            body={
                "kind": "PodList",
                "apiVersion": "v1",
                "metadata": {"resourceVersion": "7", "continue": "c"},
                "items": [{"metadata": {"name": "a"}}, {"kind": "X", "metadata": {"name": "b"}}],
            }
        )
    )
    assert (page.resource_version, page.continue_token) == ("7", "c")
    assert [(each.get("apiVersion"), each["kind"]) for each in page] == [("v1", "Pod"), (None, "X")]


def test_a_list_of_null_is_empty():
    assert len(decode_list(response(body={"kind": "PodList", "apiVersion": "v1", "items": None}))) == 0


@pytest.mark.parametrize("body", [{"kind": "Pod"}, {"kind": "PodList", "items": 5}, {"kind": "PodList", "items": {}}])
def test_what_is_no_list(body):
    with pytest.raises(DecodeError, match="list"):
        decode_list(response(body=body))


# ---------------------------------------------------------------------- refusals


@pytest.mark.behaviour("2.8.2")
def test_the_servers_status_replaces_the_generic_one_completely():
    status = failure("AlreadyExists", 409, 'pods "api" already exists', name="api")
    error = status_error_of(response(500, status))
    assert isinstance(error, AlreadyExistsError)
    assert (error.code, error.reason, error.http_status) == (409, "AlreadyExists", 500)
    assert error.status == status
    assert error.details == {"name": "api"}


@pytest.mark.behaviour("2.8.2", "2.8.10")
def test_500_with_an_already_exists_is_that_and_nothing_else():
    error = status_error_of(response(500, failure("AlreadyExists", 409)))
    assert is_reason(error, "AlreadyExists")
    assert not is_reason(error, "Conflict")
    assert not is_reason(error, "InternalError")
    expired = status_error_of(response(410, failure("Expired", 410)))
    assert isinstance(expired, ExpiredError)
    assert not is_reason(expired, "Gone")


@pytest.mark.behaviour("2.8.2")
def test_kind_and_version_of_a_status_may_be_missing():
    error = status_error_of(response(404, {"status": "Failure", "reason": "NotFound", "code": 404, "message": "no"}))
    assert (type(error), error.message) == (NotFoundError, "no")


@pytest.mark.behaviour("2.8.2")
@pytest.mark.parametrize(
    "body",
    [
        {"kind": "Status", "status": "Success", "message": "odd"},
        {"kind": "Pod", "status": "Failure", "message": "odd"},
        {"kind": "Pod", "status": {}},
        {"message": "odd"},
        ["Failure"],
        b'{"status":"Failure"',
    ],
)
def test_what_is_no_failure_status_leaves_the_generic_error(body):
    error = status_error_of(response(404, body))
    assert error.message == "the server could not find the requested resource (get pods api)"


@pytest.mark.behaviour("2.8.3")
def test_raw_calls_do_not_look_into_the_body():
    error = status_error_of(response(500, failure("AlreadyExists", 409)), parse_status=False)
    assert (type(error), error.reason) == (InternalServerError, "InternalError")
    error = status_error_of(response(500, b"out of order", "text/plain"), parse_status=False)
    assert (
        error.message
        == 'an error on the server ("out of order") has prevented the request from succeeding (get pods api)'
    )


@pytest.mark.behaviour("2.8.7")
@pytest.mark.parametrize(
    ("status", "kind", "reason", "text"),
    [
        (400, BadRequestError, "BadRequest", "the server rejected our request for an unknown reason"),
        (401, UnauthorizedError, "Unauthorized", "the server has asked for the client to provide credentials"),
        (403, ForbiddenError, "Forbidden", "words of the server"),
        (404, NotFoundError, "NotFound", "the server could not find the requested resource"),
        (
            405,
            MethodNotAllowedError,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (406, NotAcceptableError, "NotAcceptable", "words of the server"),
        (409, ConflictError, "Conflict", "the server reported a conflict"),
        (413, RequestEntityTooLargeError, "", "the server responded with the status code 413 but did not return more"),
        (415, UnsupportedMediaTypeError, "UnsupportedMediaType", "words of the server"),
        (418, APIStatusError, "", "the server responded with the status code 418 but did not return more information"),
        (422, InvalidError, "Invalid", "the server rejected our request due to an error in our request"),
        (429, TooManyRequestsError, "TooManyRequests", "the server has received too many requests"),
        (500, InternalServerError, "InternalError", 'an error on the server ("words of the server") has prevented'),
        (502, APIStatusError, "InternalError", 'an error on the server ("words of the server") has prevented'),
        (503, ServiceUnavailableError, "ServiceUnavailable", "the server is currently unable to handle the request"),
        (504, TimeoutStatusError, "Timeout", "but may still be processing the request"),
    ],
)
def test_the_generic_errors(status, kind, reason, text):
    error = status_error_of(response(status, b" words of the server\n", "text/plain"))
    assert isinstance(error, kind)
    assert (error.reason, error.code) == (reason, status)
    assert text in error.message
    assert error.message.endswith(" (get pods api)")


@pytest.mark.behaviour("2.8.7", "2.8.10")
def test_a_409_to_a_post_already_exists():
    request = Request("POST", "/api/v1/pods", resource=GroupResource("", "pods"))
    error = status_error_of(response(409, request=request))
    assert isinstance(error, AlreadyExistsError)
    assert error.message == "the server reported a conflict (post pods)"


@pytest.mark.behaviour("2.8.8")
def test_generic_errors_say_why_and_when_to_come_back():
    error = status_error_of(response(429, b"slow down", "text/plain", Retry_After="7"))
    assert error.retry_after_seconds == 7
    assert error.has_cause("UnexpectedServerResponse")
    assert error.causes[0].message == "slow down"
    assert {name: error.details[name] for name in ("name", "group", "kind")} == {
        "name": "api",
        "group": "",
        "kind": "pods",
    }


@pytest.mark.behaviour("2.8.6")
@pytest.mark.parametrize(
    ("body", "content_type", "cause"),
    [
        (b"  plain \n", "text/plain", "plain"),
        (b"<p>x</p>", "text/html; charset=utf-8", "<p>x</p>"),
        (b"plain", None, "plain"),
        (b"plain", JSON, "unknown"),
        (b"\x00\x01", "application/octet-stream", "unknown"),
        (b"", "text/plain", "unknown"),
        (b"x" * 5000, "text/plain", "x" * 2048),
        ("é".encode() * 5000, "text/plain", "é" * 2048),
        (b"\xff", "text/plain", "\ufffd"),
    ],
)
def test_which_bodies_are_text_for_people(body, content_type, cause):
    assert status_error_of(response(500, body, content_type)).causes[0].message == cause


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_names_what_was_asked(status):
    text = str(status_error_of(response(status, failure("X", status, "no"))))
    assert text.startswith("no [GET /api/v1/namespaces/shop/pods/api]")


@given(
    st.integers(300, 599),
    st.dictionaries(
        st.sampled_from(["kind", "status", "reason", "code", "message", "details"]),
        st.none() | st.integers() | st.text(max_size=3) | st.just("Failure") | st.just({"causes": 5}) | st.just([]),
    ),
)
def test_any_status_body_is_an_error(status, body):
    error = status_error_of(response(status, body))
    assert isinstance(error, APIStatusError)
    assert str(error)
    assert isinstance(error.causes, tuple)


# ---------------------------------------------------------------------- hints


@pytest.mark.behaviour("2.5.6")
def test_a_strategic_patch_of_a_custom_resource():
    request = patch_request(GroupVersionResource("a.io", "v1", "as"), "x", {}, type=PatchType.STRATEGIC)
    error = status_error_of(response(415, failure("UnsupportedMediaType", 415, "no"), request=request))
    assert "PatchType.MERGE" in error.hint
    assert "apply()" in error.hint
    assert error.hint in str(error)
    merge = patch_request(GroupVersionResource("a.io", "v1", "as"), "x", {})
    assert status_error_of(response(415, failure("UnsupportedMediaType", 415, "no"), request=merge)).hint == ""


@pytest.mark.parametrize(
    "body",
    [
        b"404 page not found\n",
        failure("NotFound", 404, "the server could not find the requested resource"),
    ],
)
def test_a_resource_that_is_not_served(body):
    error = status_error_of(response(404, body, "text/plain" if isinstance(body, bytes) else JSON))
    assert "not serve this resource" in error.hint
    assert status_error_of(response(404, body, request=Request("GET", "/x"))).hint == ""


def test_an_object_that_is_not_there_needs_no_hint():
    assert status_error_of(response(404, failure("NotFound", 404, 'pods "api" not found', name="api"))).hint == ""


def test_a_create_without_its_namespace():
    body = failure("MethodNotAllowed", 405, "the server does not allow this method on the requested resource")
    lost = Request("POST", "/api/v1/pods", verb="create", resource=GroupResource("", "pods"))
    assert ".namespace(...)" in status_error_of(response(405, body, request=lost)).hint
    everywhere = Request("DELETE", "/api/v1/pods", verb="deletecollection", resource=GroupResource("", "pods"))
    assert "one at a time" in status_error_of(response(405, body, request=everywhere)).hint
    found = Request("POST", "/api/v1/namespaces/x/pods", verb="create", namespace="x")
    assert status_error_of(response(405, body, request=found)).hint == ""


def test_a_json_patch_that_cannot_be_done():
    body = failure("Invalid", 422, "the server rejected our request due to an error in our request")
    json_patch = Request("PATCH", "/x", headers=(("Content-Type", "application/json-patch+json"),))
    assert "a test of this JSON Patch failed" in status_error_of(response(422, body, request=json_patch)).hint
    invalid = failure("Invalid", 422, "spec.replicas: Invalid value: -1")
    assert status_error_of(response(422, invalid, request=json_patch)).hint == ""


@pytest.mark.parametrize(
    ("status", "body", "method", "words"),
    [
        (401, failure("Unauthorized", 401, "Unauthorized"), "GET", "token or client certificate"),
        (403, failure("Forbidden", 403, 'x is forbidden: User "system:anonymous" cannot get'), "GET", "anonymous"),
        (403, failure("Forbidden", 403, 'x is forbidden: User "joe" cannot get'), "GET", ""),
        (400, failure("BadRequest", 400, "Object 'Kind' is missing in '{}'"), "POST", "apiVersion and kind"),
        (409, failure("Conflict", 409, "modified"), "PUT", "get the object again"),
        (409, failure("Conflict", 409, "uid"), "DELETE", ""),
        (409, failure("AlreadyExists", 409, "exists"), "POST", ""),
        (409, failure("Conflict", 409, "x", causes=[{"reason": "FieldManagerConflict"}]), "PATCH", "force=True"),
    ],
)
def test_other_hints(status, body, method, words):
    request = Request(method, "/api/v1/pods/x", resource=GroupResource("", "pods"))
    hint = status_error_of(response(status, body, request=request)).hint
    assert words in hint
    assert bool(words) == bool(hint)
