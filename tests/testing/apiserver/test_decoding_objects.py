"""Bodies become objects, or the sentences of the real server about why not (recorded from it)."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.testing.apiserver.decoding import (
    IGNORE,
    STRICT,
    WARN,
    DecodingError,
    Target,
    decode_delete_options,
    decode_object,
)
from dynkube.testing.apiserver.words.statuses import StatusError

CONFIG_MAP = Target(GroupVersionKind("", "v1", "ConfigMap"))
UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
PARSE = "couldn't get version/kind; json parse error: "
STRUCT = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
NO_KIND = 'is registered for version "{}" in scheme "pkg/runtime/scheme.go:111"'


def refusal(body: bytes | str, target: Target = CONFIG_MAP, content_type: str = "", directive: str = WARN) -> str:
    with pytest.raises(StatusError) as raised:
        decode_object(body.encode() if isinstance(body, str) else body, content_type, target, directive)
    assert raised.value.code == 400
    message: str = raised.value.status["message"]
    return message


class TestBuiltInKinds:
    def test_an_object_gets_its_version_and_kind(self) -> None:
        obj, warnings = decode_object(b'{"metadata": {"name": "a"}, "data": {}}', None, CONFIG_MAP, "")
        assert obj == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        assert warnings == []
        assert decode_object(b"null", None, CONFIG_MAP, "")[0]["metadata"] == {}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("", f"{UNRECOGNIZED}{PARSE}unexpected end of JSON input (<empty>)"),
            ("{", f"{UNRECOGNIZED}{PARSE}unexpected end of JSON input ({{)"),
            ("[]", f"{UNRECOGNIZED}{PARSE}json: cannot unmarshal array into Go value of type {STRUCT} (5b5d)"),
            ("true", f"{UNRECOGNIZED}{PARSE}json: cannot unmarshal bool into Go value of type {STRUCT} (74727565)"),
            ('{"kind":1}', f'{UNRECOGNIZED}{PARSE}json: cannot unmarshal number into Go struct field .kind of type string ({{"kind":1}})'),
            ('{"kind":"ConfigMap","apiVersion":"a/b/c"}', f'{UNRECOGNIZED}unexpected GroupVersion string: a/b/c ({{"kind":"ConfigMap","apiVersio ...)'),
            ('{"kind":"Pod","apiVersion":"v1"}', 'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion'),
            ('{"Kind":"Pod"}', 'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion'),
            ('{"kind":"Foo","apiVersion":"v1"}', 'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" ' + NO_KIND.format("v1")),
            ('{"apiVersion":"apps/v1"}', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: no kind "ConfigMap" ' + NO_KIND.format("apps/v1")),
            ('{"apiVersion":"v1/"}', "ConfigMap in version \"\" cannot be handled as a ConfigMap: Object 'apiVersion' is missing in '{\"apiVersion\":\"v1/\"}'"),
            ('{"data":{"a":1}}', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string'),
            ('{"metadata":{"generation":1.50}}', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number 1.50 into Go struct field ObjectMeta.metadata.generation of type int64'),
            ('{"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1"}', 'CustomResourceDefinition in version "v1" cannot be handled as a ConfigMap: no kind "CustomResourceDefinition" ' + NO_KIND.format("apiextensions.k8s.io/v1")),
        ],
    )  # fmt: skip
    def test_what_is_no_such_object(self, body: str, message: str) -> None:
        assert refusal(body) == message

    def test_bytes_in_a_message_are_replaced(self) -> None:
        assert refusal(b'{\xff"a"').endswith('({\ufffd"a")')

    def test_yaml_has_its_own_words(self) -> None:
        assert refusal("a: 1: 2", content_type="application/yaml").startswith(
            f"{UNRECOGNIZED}yaml: mapping values are not"
        )

    def test_another_version_of_the_kind(self) -> None:
        target = Target(GroupVersionKind("autoscaling", "v1", "HorizontalPodAutoscaler"))
        body = '{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2"}'
        expected = (
            "the API version in the data (autoscaling/v2) does not match the expected API version (autoscaling/v1)"
        )
        assert refusal(body, target) == expected
        more = Target(target.kind, accepts=[GroupVersion("autoscaling", "v2")])
        assert decode_object(body.encode(), None, more, "")[0]["apiVersion"] == "autoscaling/v2"


class TestFieldValidation:
    BODY = b'{"metadata":{"name":"a","labels":{"l":"1","l":"2"}},"x":1}'

    def test_the_three_directives(self) -> None:
        assert decode_object(self.BODY, None, CONFIG_MAP, IGNORE)[1] == []
        for directive in (WARN, ""):
            assert decode_object(self.BODY, None, CONFIG_MAP, directive)[1] == [
                'duplicate field "metadata.labels.l"',
                'unknown field "x"',
            ]
        assert refusal(self.BODY, directive=STRICT) == (
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
            'duplicate field "metadata.labels.l", unknown field "x"'
        )

    def test_yaml_tells_lines(self) -> None:
        body = b"metadata: {name: a}\ndata: {a: b}\ndata: {c: d}\nx: 1\n"
        assert decode_object(body, "application/yaml", CONFIG_MAP, WARN)[1] == [
            'line 3: key "data" already set in map',
            'unknown field "x"',
        ]


class TestCustomResources:
    KIND = GroupVersionKind("example.com", "v1", "Thing")

    @staticmethod
    def normalize(obj: dict[str, Any], group_version: GroupVersion) -> list[str]:
        if obj.get("bad"):
            raise DecodingError("no good")
        return ['unknown field "x"'] if obj.pop("x", None) and group_version.version == "v1" else []

    @property
    def target(self) -> Target:
        return Target(self.KIND, self.normalize)

    def test_an_object_keeps_what_it_says_to_be(self) -> None:
        body = b'{"apiVersion":"example.com/v1","kind":"Other","a":1.0,"b":{"c":1,"c":2}}'
        obj, warnings = decode_object(body, None, self.target, WARN)
        assert obj == {"apiVersion": "example.com/v1", "kind": "Other", "a": 1, "b": {"c": 2}}
        assert warnings == ['duplicate field "b.c"']

    def test_duplicates_come_before_what_the_schema_does_not_know(self) -> None:
        body = b'{"apiVersion":"example.com/v1","kind":"Thing","x":1,"y":1,"y":2}'
        assert refusal(body, self.target, directive=STRICT) == (
            'Thing in version "v1" cannot be handled as a Thing: strict decoding error: duplicate field "y", unknown field "x"'
        )

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("null", "the object provided is unrecognized (must be of type Thing): Object 'Kind' is missing in 'null' (6e756c6c)"),
            ('{"Kind":"Thing"}', 'the object provided is unrecognized (must be of type Thing): Object \'Kind\' is missing in \'{"Kind":"Thing"}\' ({"Kind":"Thing"})'),
            ('{"kind":"Thing"}', "the API version in the data () does not match the expected API version (example.com/v1)"),
            ('{"kind":"Thing","apiVersion":"v1"}', "the API version in the data (v1) does not match the expected API version (example.com/v1)"),
            ('{"kind":"Thing","apiVersion":"example.com/v1","bad":1}', 'Thing in version "v1" cannot be handled as a Thing: no good'),
            ('{"kind":"Thing","apiVersion":"example.com/v1","a":1e400}', 'Thing in version "v1" cannot be handled as a Thing: json: cannot unmarshal number 1e400 into Go value of type float64'),
        ],
    )  # fmt: skip
    def test_what_is_no_such_object(self, body: str, message: str) -> None:
        assert refusal(body, self.target) == message

    def test_protobuf_is_for_built_in_kinds(self) -> None:
        with pytest.raises(StatusError) as raised:
            decode_object(b"k8s\x00", "application/vnd.kubernetes.protobuf", self.target, "")
        assert raised.value.code == 415


class TestDeleteOptions:
    def test_what_is_said(self) -> None:
        assert decode_delete_options(b"null", None) == {}
        body = b'{"kind":"DeleteOptions","apiVersion":"v7","gracePeriodSeconds":0,"x":1,"dryRun":[]}'
        assert decode_delete_options(body, None) == {
            "kind": "DeleteOptions",
            "apiVersion": "v7",
            "gracePeriodSeconds": 0,
        }

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("{", f"{PARSE}unexpected end of JSON input"),
            ("[]", f"{PARSE}json: cannot unmarshal array into Go value of type {STRUCT}"),
            ('{"kind":"Pod","apiVersion":"v1"}', 'no kind "Pod" ' + NO_KIND.format("v1")),
            ('{"kind":"Status","apiVersion":"v1"}', "converting (v1.Status) to (v1.DeleteOptions): unknown conversion"),
            ('{"preconditions":{"uid":1}}', "json: cannot unmarshal number into Go struct field Preconditions.preconditions.uid of type types.UID"),
            ('{"gracePeriodSeconds":1.0}', "json: cannot unmarshal number 1.0 into Go struct field DeleteOptions.gracePeriodSeconds of type int64"),
        ],
    )  # fmt: skip
    def test_what_is_none(self, body: str, message: str) -> None:
        with pytest.raises(StatusError) as raised:
            decode_delete_options(body.encode(), None)
        assert raised.value.status["message"] == message
