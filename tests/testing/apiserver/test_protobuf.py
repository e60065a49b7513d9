"""Protobuf bodies: what kubectl 1.36 was seen to send, and how kube-apiserver 1.36.3 refuses what it cannot read."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from dynkube.schema import GroupVersionKind
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.decoding.protobuf import ProtobufError, decode

CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")
SENT = {
    "create namespace shop": "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==",
    "create configmap web --from-literal=a=b": "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh0KEwoDd2ViEgAaACIAKgAyADgAQgASBgoBYRIBYhoAIgA=",
    "create deployment web --image=nginx --replicas=0 --port=80": "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAASDAoKCgNhcHASA3dlYhpsChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
    "create token web --duration=10m": "azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMg2AQaBAoAEgAaACIA",
    "auth can-i list pods -n shop": "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSOgoQCgASABoAIgAqADIAOABCABIcChoKBHNob3ASBGxpc3QaACIAKgRwb2RzMgA6ABoICAASABoAIAAaACIA",
    "auth whoami": "azhzAAotChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESEVNlbGZTdWJqZWN0UmV2aWV3EhoKEAoAEgAaACIAKgAyADgAQgASBgoECgASABoAIgA=",
    "create secret generic s --from-literal=a=b": "azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA=",
    "create ingress i --rule=a.b/c=svc:80": "azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJAChEKAWkSABoAIgAqADIAOABCABInGiUKA2EuYhIeChwKGgoCL2MSDSILCgNzdmMSBAoAEFAaBUV4YWN0GgIKABoAIgA=",
}  # fmt: skip


def sent(command: str) -> dict[str, Any]:
    return filled(decode(base64.b64decode(SENT[command]), CONFIG_MAP))


def filled(value: Any) -> Any:
    """Without what is empty, as most fields of Go types leave it out."""
    if isinstance(value, dict):
        kept = {name: filled(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, "", 0, {}, [])}
    return [filled(each) for each in value] if isinstance(value, list) else value


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, message: bytes) -> bytes:
    return b"k8s\0" + field(1, field(1, api_version) + field(2, kind)) + field(2, message)


def problem(data: bytes) -> str:
    with pytest.raises(ProtobufError) as caught:
        decode(data, CONFIG_MAP)
    return str(caught.value)


class TestWhatKubectlSends:
    def test_a_namespace(self) -> None:
        assert sent("create namespace shop") == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}

    def test_a_config_map(self) -> None:
        found = sent("create configmap web --from-literal=a=b")
        assert found == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "b"}}

    def test_a_deployment(self) -> None:
        found = sent("create deployment web --image=nginx --replicas=0 --port=80")
        assert found["spec"] == {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}]}]},
            },
        }

    def test_a_pointer_to_zero_is_there(self) -> None:
        data = base64.b64decode(SENT["create deployment web --image=nginx --replicas=0 --port=80"])
        assert decode(data, CONFIG_MAP)["spec"]["replicas"] == 0

    def test_a_time_that_is_not_set_is_null(self) -> None:
        data = base64.b64decode(SENT["create namespace shop"])
        assert decode(data, CONFIG_MAP)["metadata"]["creationTimestamp"] is None

    def test_a_token_request(self) -> None:
        found = sent("create token web --duration=10m")
        assert (found["kind"], found["spec"]) == ("TokenRequest", {"expirationSeconds": 600})

    def test_an_access_review(self) -> None:
        found = sent("auth can-i list pods -n shop")
        assert found["spec"] == {"resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}}

    def test_a_review_of_oneself(self) -> None:
        assert sent("auth whoami") == {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}

    def test_bytes_are_base64(self) -> None:
        assert sent("create secret generic s --from-literal=a=b")["data"] == {"a": "Yg=="}

    def test_inlined_fields_stand_where_json_has_them(self) -> None:
        rule = sent("create ingress i --rule=a.b/c=svc:80")["spec"]["rules"][0]
        backend = {"service": {"name": "svc", "port": {"number": 80}}}
        assert rule == {"host": "a.b", "http": {"paths": [{"path": "/c", "pathType": "Exact", "backend": backend}]}}


class TestValues:
    def test_int_or_string(self) -> None:
        number, text = field(1, 0) + field(2, 8080), field(1, 1) + field(2, 0) + field(3, "http")
        ports = field(1, field(3, 80) + field(4, number)) + field(1, field(3, 81) + field(4, text))
        found = decode(body("v1", "Service", field(2, ports)), CONFIG_MAP)
        assert [each["targetPort"] for each in found["spec"]["ports"]] == [8080, "http"]

    def test_quantities_are_text(self) -> None:
        hard = field(1, field(1, "cpu") + field(2, field(1, "500m")))
        assert decode(body("v1", "ResourceQuota", field(2, hard)), CONFIG_MAP)["spec"] == {"hard": {"cpu": "500m"}}

    def test_times(self) -> None:
        seconds = field(1, 1_700_000_000)
        found = decode(body("v1", "ConfigMap", field(1, field(8, seconds))), CONFIG_MAP)
        assert found["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
        lease = field(2, field(4, seconds + field(2, 5_000)))
        found = decode(body("coordination.k8s.io/v1", "Lease", lease), CONFIG_MAP)
        assert found["spec"]["renewTime"] == "2023-11-14T22:13:20.000005Z"

    def test_raw_json_is_decoded(self) -> None:
        revision = field(2, field(1, '{"spec":[1,null]}')) + field(3, 7)
        found = decode(body("apps/v1", "ControllerRevision", revision), CONFIG_MAP)
        assert (found["data"], found["revision"]) == ({"spec": [1, None]}, 7)

    def test_owned_fields_are_decoded(self) -> None:
        entry = field(1, "me") + field(7, field(1, '{"f:data":{}}'))
        found = decode(body("v1", "ConfigMap", field(1, field(17, entry))), CONFIG_MAP)
        assert found["metadata"]["managedFields"] == [{"manager": "me", "fieldsV1": {"f:data": {}}}]

    def test_lists_with_a_type_of_their_own(self) -> None:
        extra = field(5, field(1, "scopes") + field(2, field(1, "a") + field(1, "b")))
        review = body("authorization.k8s.io/v1", "SubjectAccessReview", field(2, extra))
        assert decode(review, CONFIG_MAP)["spec"]["extra"] == {"scopes": ["a", "b"]}

    def test_a_schema_of_a_crd_is_called_as_json_calls_it(self) -> None:
        names = recorded.load("protobuf/differences.json")["renamed"]
        prefix = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
        assert names[f"{prefix}.xKubernetesListMapKeys"] == "x-kubernetes-list-map-keys"
        assert names[f"{prefix}.ref"] == "$ref"

    def test_unknown_fields_are_ignored(self) -> None:
        assert "zz" not in str(decode(body("v1", "ConfigMap", field(99, "zz")), CONFIG_MAP))


class TestEnvelope:
    def test_what_it_does_not_say_is_what_was_expected(self) -> None:
        assert decode(body("", "", b""), CONFIG_MAP) == {"apiVersion": "v1", "kind": "ConfigMap"}

    def test_options_are_of_every_group_version(self) -> None:
        found = decode(body("apps/v1", "DeleteOptions", field(1, 0)), CONFIG_MAP)
        assert found == {"apiVersion": "apps/v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", "empty data"),
            (b"k8s", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
            (b'{"a":1}', "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
            (b"k8s\0", "empty body"),
            (b"k8s\0\xff\xff", "unexpected EOF"),
            (body("v1", "ConfigMap", b"\x0a\xff"), "unexpected EOF"),
            (
                body("v1", "Foo", b""),
                'no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
            ),
        ],
    )
    def test_what_cannot_be_read(self, data: bytes, expected: str) -> None:
        assert problem(data) == expected

    def test_a_malformed_message_says_of_what_kind_it_is(self) -> None:
        with pytest.raises(ProtobufError) as caught:
            decode(body("v1", "Pod", b"\xff"), CONFIG_MAP)
        assert caught.value.kind == GroupVersionKind("", "v1", "Pod")


def test_every_stored_kind_has_a_message() -> None:
    messages = recorded.load("protobuf/differences.json")["messages"]
    stored = [each for each in recorded.resources() if each.storage_version_hash]
    missing = [each.gvr for each in stored if f"{each.gvr.group_version.api_version} {each.kind}" not in messages]
    assert missing == []
