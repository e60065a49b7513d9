"""What is logged of the wire, level by level, and what never is."""

from __future__ import annotations

import json
import logging

import pytest
from scripted import RESET, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import ConnectionLostError
from dynkube.transport import Transport
from dynkube.transport.wirelog import level_of, masked
from dynkube.wire.messages import Request

TOKEN = "leaked-token-7"
SECRET = "leaked-data-7"
PODS = Request("POST", "/api/v1/namespaces/shop/pods", headers=(("Content-Type", "application/json"),), body=b'{"k":1}')


@pytest.fixture
def server():
    with ScriptedServer(tls=True) as server:
        server.on(lambda request: json_response({"kind": "Pod"}, 201, {"Audit-Id": "7"}))
        yield server


@pytest.fixture
def transport(server):
    with Transport(RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), bearer_token=TOKEN)) as transport:
        yield transport


@pytest.fixture
def logged(caplog):
    """The lines at a verbosity of kubectl's."""

    def logged(verbosity, work):
        caplog.clear()
        with caplog.at_level(level_of(verbosity), "dynkube.http"):
            work()
        return [each.getMessage() for each in caplog.records if each.name == "dynkube.http"]

    return logged


@pytest.mark.behaviour("2.2.10")
def test_nothing_is_logged_unless_debug_is_on(transport, logged):
    assert logged(5, lambda: transport.send(PODS)) == []


@pytest.mark.behaviour("2.2.10")
def test_six_is_debug_and_has_method_url_status_and_time(server, transport, logged):
    assert level_of(6) == logging.DEBUG
    (line,) = logged(6, lambda: transport.send(PODS))
    assert line.startswith(f"POST {server.url}/api/v1/namespaces/shop/pods 201 Created in ")
    assert line.endswith(" milliseconds")


@pytest.mark.behaviour("2.2.10")
def test_seven_has_the_requests_headers_too(transport, logged):
    asked, _ = logged(7, lambda: transport.send(PODS))
    assert "User-Agent: dynkube/" in asked
    assert "Authorization: Bearer <masked>" in asked


@pytest.mark.behaviour("2.2.10")
def test_eight_has_bodies_and_the_responses_headers(transport, logged):
    lines = logged(8, lambda: transport.send(PODS))
    assert [line.partition(":")[0] for line in lines[1::2]] == ["Request body", "Response headers"]
    assert lines[1] == 'Request body: {"k":1}'
    assert "Audit-Id: 7" in lines[3]
    assert lines[4] == 'Response body: {"kind": "Pod"}'


@pytest.mark.behaviour("2.2.10")
@pytest.mark.parametrize(("verbosity", "shown"), [(8, 1024), (9, 10240), (10, 20000)])
def test_bodies_are_cut_at_eight_and_nine(transport, logged, verbosity, shown):
    body = b'"' + b"x" * 19998 + b'"'
    lines = logged(verbosity, lambda: transport.send(Request("POST", "/api", body=body)))
    (line,) = [line for line in lines if line.startswith("Request body")]
    assert line.count("x") == min(shown - 1, 19998)
    assert ("truncated" in line) is (shown < 20000)


@pytest.mark.behaviour("2.2.10")
def test_nine_has_a_curl_command(server, transport, logged):
    curl = logged(9, lambda: transport.send(PODS))[0]
    assert curl.startswith("curl -v -XPOST -H 'Content-Type: application/json' ")
    assert f"{server.url}/api/v1/namespaces/shop/pods" in curl
    assert "-H 'Authorization: Bearer <masked>'" in curl


@pytest.mark.behaviour("2.2.10", "2.11.4")
@pytest.mark.parametrize("verbosity", [6, 7, 8, 9, 10])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/namespaces/shop/secrets", "Secret"),
        ("/api/v1/namespaces/shop/secrets/a", "Status"),
        ("/api/v1/secrets", "SecretList"),
        ("/api/v1/namespaces/shop/serviceaccounts/a/token", "TokenRequest"),
        ("/apis/authentication.k8s.io/v1/tokenreviews", "TokenReview"),
        ("/api/v1/namespaces/shop/lists", "Secret"),
    ],
)
def test_no_credential_and_no_secret_at_any_level(server, transport, logged, verbosity, path, kind):
    obj = {"apiVersion": "v1", "items": [{"kind": kind, "data": {"k": SECRET}}], "status": {"token": SECRET}}
    server.reply_json(obj, 200, {"Set-Cookie": TOKEN, "X-Auth-Token": TOKEN})
    request = Request("POST", path, headers=(("X-Api-Key", TOKEN), ("Cookie", TOKEN)), body=json.dumps(obj).encode())
    lines = logged(verbosity, lambda: transport.send(request))
    assert lines
    assert not [line for line in lines if TOKEN in line or SECRET in line]


def test_a_secret_in_yaml_is_none_for_the_log(transport, logged):
    body = f"apiVersion: v1\nkind: Secret\ndata: {{k: {SECRET}}}\n".encode()
    headers = (("Content-Type", "application/apply-patch+yaml"),)
    lines = logged(10, lambda: transport.send(Request("PATCH", "/api/v1/x", headers=headers, body=body)))
    assert f"Request body: <masked> ({len(body)} bytes)" in lines


def test_no_answer_is_logged_without_the_errors_text(server, transport, logged):
    server.reply(RESET)

    def work():
        with pytest.raises(ConnectionLostError):
            transport.send(PODS)

    (line,) = logged(6, work)
    assert line.startswith(f"POST {server.url}/api/v1/namespaces/shop/pods failed in ")


def test_streams_and_other_than_text_are_not_shown(server, transport, logged):
    lines = logged(10, lambda: transport.send(Request("POST", "/api", body=iter([b"a", b"b"]))))
    assert "Request body: <streamed>" in lines
    headers = (("Content-Type", "application/vnd.kubernetes.protobuf"),)
    lines = logged(10, lambda: transport.send(Request("POST", "/api", headers=headers, body=b"k8s\0")))
    assert "Request body: <4 bytes of application/vnd.kubernetes.protobuf>" in lines
    assert len(logged(8, lambda: transport.stream(Request("GET", "/log")).close())) == 3


@pytest.mark.behaviour("2.2.10")
@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer abc", "Bearer <masked>"),
        ("authorization", "basic abc", "basic <masked>"),
        ("Authorization", "abc", "<masked>"),
        ("Authorization", "Custom abc", "<masked>"),
        ("Proxy-Authorization", "Basic abc", "Basic <masked>"),
        ("Cookie", "a=b", "<masked>"),
        ("Accept", "application/json", "application/json"),
    ],
)
def test_masks(name, value, shown):
    assert masked(name, value) == shown


@pytest.mark.behaviour("2.2.10")
def test_what_an_issuers_token_endpoint_says_is_never_shown(server, transport, caplog):
    caplog.set_level(level_of(10), logger="dynkube.http")
    server.reply_json({"access_token": SECRET, "id_token": SECRET, "refresh_token": SECRET})
    transport.send(Request("POST", "/token", body=b"grant_type=refresh_token"))
    assert "Response body: <masked>" in caplog.text
    assert SECRET not in caplog.text
