"""What is said of bodies that are not quite what they should be, or not at all: the same requests to both servers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from both import Both
from crds import DEFINITIONS, definition, establish, remove, version

YAML = {"Content-Type": "application/yaml"}
DIRECTIVES = ("Ignore", "Warn", "Strict", "")
DEEPEST = 10_000


def configmaps(both: Both) -> str:
    return f"/api/v1/namespaces/{both.namespace}/configmaps"


def sent(both: Both, path: str, body: bytes | str | dict[str, Any], **options: Any) -> list[int]:
    """Create it, dry, under each directive of field validation; the codes that the real server answers."""
    what = body.encode() if isinstance(body, str) else body
    return [both.post(f"{path}?dryRun=All&fieldValidation={each}", what, **options).status for each in DIRECTIVES]


def without_revision(document: Any) -> Any:
    """For messages that show a whole object."""
    return json.loads(re.sub(r"(?<=resourceVersion)\W+[0-9]+", "<rv>", json.dumps(document)))


def warnings(answer: Any) -> list[str]:
    return [
        each.removeprefix('299 - "').removesuffix('"').replace('\\"', '"')
        for each in answer.headers.get_all("Warning") or ()
    ]


class TestUnknownAndDuplicateFields:
    def test_of_a_create(self, both: Both) -> None:
        body = '{"metadata": {"name": "a", "x": 1, "labels": {"l": "1", "l": "2"}}, "y": {"z": 1, "z": 2}, "data": {}, "data": {}}'
        assert sent(both, configmaps(both), body) == [201, 201, 400, 201]
        answer = both.post(f"{configmaps(both)}?dryRun=All", body.encode())
        assert warnings(answer) == [
            'unknown field "metadata.x"',
            'duplicate field "metadata.labels.l"',
            'unknown field "y"',
            'duplicate field "data"',
        ]

    def test_within_lists_and_maps(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/pods"
        container = {"name": "c", "image": "i", "x": 1, "env": [{"name": "E", "valu": "1"}], "ports": [{"port": 1}]}
        body = {"metadata": {"name": "a"}, "spec": {"containers": [container, {**container, "name": "d"}]}}
        answer = both.post(f"{path}?dryRun=All&fieldValidation=Strict", body)
        assert 'unknown field "spec.containers[1].env[0].valu"' in answer.json()["message"]

    def test_of_an_update(self, both: Both) -> None:
        path = configmaps(both)
        both.post(path, {"metadata": {"name": "a"}})
        body = b'{"metadata": {"name": "a"}, "Data": {}, "data": {"a": "1", "a": "2"}}'
        codes = [both.put(f"{path}/a?dryRun=All&fieldValidation={each}", body).status for each in DIRECTIVES]
        assert codes == [200, 200, 400, 200]

    @pytest.mark.parametrize("kind", ["merge", "strategic"])
    def test_of_a_patch(self, both: Both, kind: str) -> None:
        path = configmaps(both)
        both.post(path, {"metadata": {"name": "a"}})
        body = b'{"metadata": {"labels": {"l": "1", "l": "2"}, "x": 1}, "y": 1}'
        for directive in ("Ignore", "Warn", ""):
            answer = both.patch(f"{path}/a?dryRun=All&fieldValidation={directive}", body, kind)
            assert answer.status == 200
        if kind == "strategic":
            strict = both.patch(f"{path}/a?dryRun=All&fieldValidation=Strict", body, kind)
            assert strict.json()["details"]["causes"][0]["field"] == "patch"

    def test_of_a_json_patch(self, both: Both) -> None:
        path = configmaps(both)
        both.post(path, {"metadata": {"name": "a"}})
        body = b'[{"op": "add", "op": "add", "path": "/metadata/x", "value": {"a": 1, "a": 2}, "y": 1}]'
        for directive in ("Ignore", "Warn", ""):
            answer = both.patch(f"{path}/a?dryRun=All&fieldValidation={directive}", body, "json")
        assert warnings(answer) == [
            'json patch duplicate field "[0].op"',
            'json patch duplicate field "[0].value.a"',
            'json patch unknown field "[0].y"',
            'unknown field "metadata.x"',
        ]

    def test_of_an_apply(self, both: Both) -> None:
        path = f"{configmaps(both)}/a?dryRun=All"
        body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: '1'\n  a: '2'\n  b: '3'\n  b: '3'\n"
        for directive in ("Ignore", "Warn", "Strict"):
            both.apply(f"{path}&fieldValidation={directive}", body.encode(), "me")
        assert warnings(both.apply(path, body.encode(), "me")) == [
            'line 7: key "a" already set in map',
            'line 9: key "b" already set in map',
        ]

    def test_of_yaml(self, both: Both) -> None:
        body = "metadata: {name: a, x: 1}\ndata:\n  a: b\n  a: c\nq: 1\nb: 2\n"
        assert sent(both, configmaps(both), body, headers=YAML) == [201, 201, 400, 201]

    def test_more_than_a_hundred(self, both: Both) -> None:
        body = {"metadata": {"name": "a"}, **{f"x{number}": 1 for number in range(150)}}
        answer = both.post(f"{configmaps(both)}?dryRun=All&fieldValidation=Strict", body)
        assert answer.json()["message"].count("unknown field") == 100

    def test_names_that_need_quotes(self, both: Both) -> None:
        body = json.dumps({"metadata": {"name": "a"}, 'a"b\\c\n': 1, "": 2, "a.b": 3}).encode()
        assert both.post(f"{configmaps(both)}?dryRun=All&fieldValidation=Strict", body).status == 400

    def test_a_directive_that_is_none(self, both: Both) -> None:
        for directive in ("strict", "x", "Warn,Strict"):
            assert (
                both.post(f"{configmaps(both)}?fieldValidation={directive}", {"metadata": {"name": "a"}}).status == 422
            )


class TestWrongTypes:
    @pytest.mark.parametrize(
        "body",
        [
            {"data": {"a": 1}},
            {"data": {"a": None, "b": True}},
            {"data": []},
            {"data": "x"},
            {"immutable": "true"},
            {"binaryData": {"a": "!!"}},
            {"binaryData": {"a": 1}},
            {"metadata": "x"},
            {"metadata": []},
            {"metadata": {"name": 1}},
            {"metadata": {"labels": ["a"]}},
            {"metadata": {"labels": {"a": 1}}},
            {"metadata": {"generation": "1"}},
            {"metadata": {"generation": 1.5}},
            {"metadata": {"generation": 10**30}},
            {"metadata": {"creationTimestamp": 5}},
            {"metadata": {"creationTimestamp": "2026-02-30T00:00:00Z"}},
            {"metadata": {"creationTimestamp": "2026-01-01 00:00:00"}},
            {"metadata": {"ownerReferences": [{"controller": "x"}, {"uid": 1}]}},
            {"metadata": {"finalizers": [1]}},
            {"metadata": {"managedFields": [{"time": "x"}]}},
            {"x": 1, "data": {"a": 1}, "metadata": {"name": 1}},
        ],
        ids=json.dumps,
    )
    def test_in_a_config_map(self, both: Both, body: dict[str, Any]) -> None:
        sent(both, configmaps(both), body)

    @pytest.mark.parametrize(
        "container",
        [
            {"resources": {"limits": {"cpu": "x"}}},
            {"resources": {"limits": {"cpu": "1x"}}},
            {"resources": {"limits": {"cpu": ""}}},
            {"resources": {"limits": {"cpu": True}}},
            {"resources": {"limits": {"cpu": []}}},
            {"resources": {"limits": ["cpu"]}},
            {"ports": [{"containerPort": "80"}]},
            {"ports": [{"containerPort": 5_000_000_000}]},
            {"ports": {"containerPort": 80}},
            {"livenessProbe": {"httpGet": {"port": True}}},
            {"livenessProbe": {"httpGet": {"port": 1.5}}},
            {"livenessProbe": {"httpGet": "x"}},
            {"env": [{"value": 1}]},
            {"command": "x"},
            {"name": {}},
        ],
        ids=json.dumps,
    )
    def test_in_a_pod(self, both: Both, container: dict[str, Any]) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/pods"
        body = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"} | container]}}
        answer = both.post(f"{path}?dryRun=All", body)
        assert answer.status == 400

    def test_numbers_are_quoted_as_they_are_written(self, both: Both) -> None:
        path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments"
        for number in ("1.0", "1.50", "1e1", "-0", "2147483648", "-2147483649", "1E400"):
            both.post(
                f"{path}?dryRun=All", f'{{"metadata": {{"name": "a"}}, "spec": {{"replicas": {number}}}}}'.encode()
            )

    def test_in_the_schema_of_a_crd(self, both: Both) -> None:
        for schema in (
            {"additionalProperties": 5},
            {"properties": {"x": {"items": {"type": 5}}}},
            {"properties": {"x": {"maximum": "1"}}},
            {"properties": {"x": {"items": {"unknown": 5}}}},
            {"properties": 1},
            {"x-kubernetes-validations": [{"rule": 1}]},
        ):
            body = {
                "metadata": {"name": "a.b"},
                "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]},
            }
            assert both.post(f"{DEFINITIONS}?dryRun=All", body, mask=lambda document: document["code"]).status in (
                400,
                422,
            )


class TestMalformedBodies:
    @pytest.mark.parametrize(
        "body",
        [
            "", " ", "{", "}", "[]", '"x"', "null", "1", "true", "nan", "NaN", "tru", "{,}", '{"a"}', '{"a":}', '{"a" 1}', "{a: 1}",
            '{"a":1,}', '{"a":1 "b":2}', "[1,]", '{"a":1} x', '{"a":01}', '{"a":1.}', '{"a":-}', '{"a":1e}', '{"a":"\\x"}',
            '{"a":"\\u12"}', '{"a":"\n"}', '{"a":"', "\x00", "é", '{"metadata":{"name":"a"},"data":{"a":NaN}}', "'a'",
            '{"kind":"ConfigMap"', '{"metadata":' + '{"a":' * 50,
        ],
    )  # fmt: skip
    def test_json(self, both: Both, body: str) -> None:
        both.post(f"{configmaps(both)}?dryRun=All", body.encode())

    @pytest.mark.parametrize("opening", ["[", '{"a":'])
    def test_json_that_nests_too_deep(self, both: Both, opening: str) -> None:
        answer = both.post(f"{configmaps(both)}?dryRun=All", opening.encode() * (DEEPEST + 1))
        assert "exceeded max depth" in answer.json()["message"]

    def test_json_that_nests_deep_where_nobody_looks(self, both: Both) -> None:
        deep = "[" * 5000 + "]" * 5000
        body = f'{{"metadata": {{"name": "a"}}, "x": {deep}}}'.encode()
        assert warnings(both.post(f"{configmaps(both)}?dryRun=All", body)) == ['unknown field "x"']

    def test_bytes_that_are_no_utf8_are_replaced(self, both: Both) -> None:
        body = b'{"metadata": {"name": "a"}, "data": {"a": "\xff", "b": "\xe2\x82", "c": "\\ud800", "d": "\\ud83d\\ude00"}}'
        answer = both.post(f"{configmaps(both)}?dryRun=All", body)
        assert answer.json()["data"] == {"a": "\ufffd", "b": "\ufffd\ufffd", "c": "\ufffd", "d": "😀"}

    @pytest.mark.parametrize(
        "body",
        [
            "", "a", "- 1", "a: 1: 2", "\ta: 1", "a: [1", "a: {b", "a: 'x", "a: *b", "a: !!int x", "? {a: b}\n: c", "a: \x01",
            "metadata: {name: a}\n---\nx: 1", "metadata: {name: y}\ndata: {x: yes}", "metadata: {name: a, generation: 1.0}",
            "metadata: {name: a, generation: 1.5}", "metadata: {name: a}\ndata: {1: a, true: b, 1.5: c}", "kind: [1]", "~: 1",
            "a: &b [*b]", "metadata: {name: a, creationTimestamp: 2026-01-01T00:00:00Z}", "a: .inf", "x: |\n y\n z: 1\n q",
        ],
    )  # fmt: skip
    def test_yaml(self, both: Both, body: str) -> None:
        both.post(f"{configmaps(both)}?dryRun=All", body.encode(), headers=YAML)

    @pytest.mark.parametrize(
        "media_type",
        [
            "", "application/json; charset=utf-8", "application/json;", "application/json; q", "APPLICATION/JSON", "text/plain",
            "application/xml", "a/b/c", ";", "*/*", "application/json, text/plain", "application/json;a=b;a=c", "application/cbor",
            "application/merge-patch+json", "application/x-yaml", "application",
        ],
    )  # fmt: skip
    def test_media_types(self, both: Both, media_type: str) -> None:
        both.post(
            f"{configmaps(both)}?dryRun=All", b'{"metadata": {"name": "a"}}', headers={"Content-Type": media_type}
        )

    @pytest.mark.parametrize("body", [b"", b"{}", b"k8s\x00"])
    def test_protobuf_that_is_none(self, both: Both, body: bytes) -> None:
        headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
        both.post(f"{configmaps(both)}?dryRun=All", body, headers=headers)


class TestOtherKinds:
    @pytest.mark.parametrize(
        ("api_version", "kind"),
        [
            ("v1", "Pod"), ("v1", "Foo"), ("v2", "ConfigMap"), ("apps/v1", "Deployment"), ("apps/v1", None), ("a/b/c", None),
            ("v1", "Status"), ("v1", "List"), ("v1", "DeleteOptions"), ("v1/", None), ("/v1", None), ("/", None), (1, None),
            (None, 1), ("v1", "ConfigMapList"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("V1", "ConfigMap"),
            ("v1", "configmap"), ("policy/v1", "Eviction"),
        ],
    )  # fmt: skip
    def test_where_a_config_map_is_wanted(self, both: Both, api_version: Any, kind: Any) -> None:
        said = {"apiVersion": api_version, "kind": kind}
        body = {name: each for name, each in said.items() if each is not None} | {"metadata": {"name": "a"}}
        both.post(f"{configmaps(both)}?dryRun=All", body)

    def test_another_version_of_the_same_kind(self, both: Both) -> None:
        path = f"/apis/autoscaling/v1/namespaces/{both.namespace}/horizontalpodautoscalers?dryRun=All"
        body = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}}
        answer = both.post(path, body)
        assert answer.json()["message"] == (
            "the API version in the data (autoscaling/v2) does not match the expected API version (autoscaling/v1)"
        )

    def test_keys_are_found_whatever_their_case_and_then_are_none(self, both: Both) -> None:
        both.post(f"{configmaps(both)}?dryRun=All", b'{"Kind": "Pod", "metadata": {"name": "a"}}')
        both.post(
            f"{configmaps(both)}?dryRun=All", b'{"KIND": "ConfigMap", "APIversion": "v1", "metadata": {"name": "a"}}'
        )

    def test_a_pod_where_a_crd_is_wanted(self, both: Both) -> None:
        assert both.post(f"{DEFINITIONS}?dryRun=All", {"apiVersion": "v1", "kind": "Pod"}).status == 400


class TestDeleteOptions:
    @pytest.mark.parametrize(
        "body",
        [
            "{", "[]", "null", "{}", '{"kind":"Pod","apiVersion":"v1"}', '{"kind":"DeleteOptions","apiVersion":"v7"}',
            '{"kind":"DeleteOptions","apiVersion":"meta.k8s.io/v1"}', '{"kind":"Foo","apiVersion":"v1"}', '{"kind":"DeleteOptions"}',
            '{"gracePeriodSeconds":"x"}', '{"foo":1}', '{"propagationPolicy":"X"}', '{"kind":1}', '{"preconditions":{"uid":1}}',
            '{"kind":"Status","apiVersion":"v1"}', '{"kind":"CreateOptions","apiVersion":"v1"}', '{"dryRun":["x"]}',
            '{"orphanDependents":true,"propagationPolicy":"Orphan"}', '{"gracePeriodSeconds":1.5}',
        ],
    )  # fmt: skip
    def test_of_an_object_that_is_not_there(self, both: Both, body: str) -> None:
        both.delete(f"{configmaps(both)}/none", body.encode())

    def test_in_other_formats(self, both: Both) -> None:
        path = f"{configmaps(both)}/none"
        for media_type in ("application/yaml", "text/plain", "application/vnd.kubernetes.protobuf"):
            both.delete(path, b"{}", headers={"Content-Type": media_type})
        both.delete(path, b"a: 1: 2", headers=YAML)


class TestValuesAsGoWritesThem:
    def test_zero_values_and_nulls(self, both: Both) -> None:
        body = {
            "metadata": {"name": "a", "labels": {}, "annotations": None, "generateName": "", "creationTimestamp": None},
            "data": {"a": None, "b": ""},
            "binaryData": {},
            "immutable": False,
        }
        answer = both.post(f"{configmaps(both)}?dryRun=All", body)
        assert answer.json()["data"] == {"a": "", "b": ""}
        assert answer.json()["immutable"] is False

    def test_fields_that_are_always_written(self, both: Both) -> None:
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{both.namespace}"
        for rules in (None, []):
            assert both.post(f"{rbac}/roles?dryRun=All", {"metadata": {"name": "a"}, "rules": rules}).status == 201
        both.post(f"{rbac}/roles", {"metadata": {"name": "none"}, "rules": []})
        both.get(f"{rbac}/roles/none")

    @pytest.mark.parametrize(
        "amount", ["1000m", "0.5", "1.500", "1e3", "1024Ki", "1.5Gi", "+5", "0", ".5", "1E", "100Ei"]
    )
    def test_quantities(self, both: Both, amount: str) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/resourcequotas?dryRun=All"
        for value in (amount, json.loads(amount) if amount.replace(".", "").isdigit() and amount[0] != "." else amount):
            both.post(path, {"metadata": {"name": "a"}, "spec": {"hard": {"limits.cpu": value, "requests.cpu": value}}})

    @pytest.mark.parametrize(
        "time",
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.999999Z", "2026-01-01T00:00:00.9+05:30", "2026-01-01T5:00:00Z",
         "0001-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "now", ""],
    )  # fmt: skip
    def test_times(self, both: Both, time: str) -> None:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{both.namespace}/leases?dryRun=All"
        both.post(path, {"metadata": {"name": "a"}, "spec": {"renewTime": time}})
        entry = {
            "manager": "m",
            "operation": "Update",
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {},
            "time": time,
        }
        both.post(f"{configmaps(both)}?dryRun=All", {"metadata": {"name": "a", "managedFields": [entry]}})

    def test_bytes(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/secrets?dryRun=All"
        for text in ("aGk=", "aGk", "aG\nk=", "aGl=", "", "=", "aGk=x", [104, 105], "é"):
            both.post(path, {"metadata": {"name": "a"}, "data": {"a": text}})
        assert base64.b64decode("aGk=") == b"hi"


class TestCustomResources:
    @pytest.fixture
    def things(self, both: Both) -> Iterator[tuple[str, str]]:
        """The path of a custom resource, and its group."""
        spec = {"type": "object", "properties": {"n": {"type": "integer"}, "f": {"type": "number"}}}
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        group = f"{both.unique}.example.com"
        body = definition(
            group,
            "things",
            version("v1", {"type": "object", "properties": {"spec": spec, "any": anything}}),
            version("v2"),
        )
        establish(both, body)
        yield f"/apis/{group}/v1/namespaces/{both.namespace}/things", group
        remove(both, body)

    def test_bodies(self, both: Both, things: tuple[str, str]) -> None:
        path, group = things
        for body in (
            "", "{", "[]", '"x"', "null", "1", '{"a":1} x', "{}", '{"kind":1}', '{"kind":"Thing"}', '{"kind":"Thing","apiVersion":1}',
            '{"kind":"Pod","apiVersion":"v1"}', f'{{"kind":"Other","apiVersion":"{group}/v1","metadata":{{"name":"a"}}}}',
            f'{{"kind":"Thing","apiVersion":"{group}/v2"}}', f'{{"kind":"Thing","apiVersion":"{group}/v9"}}',
            '{"kind":"Thing","apiVersion":"a/b/c"}', f'{{"apiVersion":"{group}/v1"}}', f'{{"Kind":"Thing","apiVersion":"{group}/v1"}}',
        ):  # fmt: skip
            both.post(f"{path}?dryRun=All", body.encode())
            both.post(f"{path}?dryRun=All", body.encode(), headers=YAML)

    def test_objects(self, both: Both, things: tuple[str, str]) -> None:
        path, group = things
        for rest in (
            '"metadata": "x"',
            '"metadata": []',
            '"metadata": null',
            '"metadata": {"name": 1}',
            '"metadata": {"name": "a", "labels": {"x": 1}}',
            '"metadata": {"name": "a", "creationTimestamp": "x"}',
            '"metadata": {"name": "a", "generation": 1.5}',
            '"metadata": {"name": "a", "ownerReferences": [{"uid": 1}]}',
            '"metadata": {"name": "a", "labels": {"x": null}, "annotations": null, "x": 1, "finalizers": [null]}',
            '"metadata": {"name": "a"}, "spec": {"f": 1e400}',
            '"metadata": {"name": "a"}, "spec": {"n": 2.0, "f": 1.50, "x": 1}, "x": 1',
            '"metadata": {"name": "a"}, "any": {"a": 1e3, "b": 1.0, "c": 1e21, "d": 12345678901234567890, "e": -0, "f": -1.5e-9}',
            '"metadata": {"name": "a", "labels": {"l": "1", "l": "2"}, "y": 1}, "any": {"a": 1, "a": {"b": 1, "b": 2}}, "z": {"q": 1}',
        ):
            sent(both, path, f'{{"apiVersion": "{group}/v1", "kind": "Thing", {rest}}}')

    def test_patches(self, both: Both, things: tuple[str, str]) -> None:
        path, group = things
        body = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "a"}, "any": {"b": [{"c": 1}]}}
        both.post(path, body)
        for patch in (
            {"kind": None}, {"kind": "Other"}, {"kind": 1}, {"apiVersion": "a/b/c"}, {"apiVersion": f"{group}/v2"}, {"apiVersion": None},
            {"metadata": None}, {"metadata": "x"}, {"metadata": {"labels": {"a": 1}}}, {"metadata": {"creationTimestamp": "x"}},
            {"any": {"b": [{"c": None}]}}, {"spec": {"n": 1.0, "x": 1}},
        ):  # fmt: skip
            both.patch(f"{path}/a?dryRun=All", patch, mask=without_revision)
        strict = f"{path}/a?dryRun=All&fieldValidation=Strict"
        both.patch(strict, b'{"any": {"a": 1, "a": 2}, "x": 1}', mask=without_revision)
        both.patch(strict, b'[{"op": "add", "path": "/any", "value": {"a": 1, "a": 2}}]', "json", mask=without_revision)
        assert both.patch(f"{path}/a", {}, "strategic").status == 415
