"""What Go's types make of objects. The expected values are what sigs.k8s.io/json and apimachinery's converter answer."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from dynkube.testing.apiserver.decoding import DecodingError, gotypes
from dynkube.testing.apiserver.decoding.jsontext import parse

POD, CONFIG_MAP = "io.k8s.api.core.v1.Pod", "io.k8s.api.core.v1.ConfigMap"
DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"
CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LEASE = "io.k8s.api.coordination.v1.Lease"


def normalized(obj: Any, definition: str) -> Any:
    gotypes().normalize(obj, definition)
    return obj


def problem_of(obj: Any, definition: str) -> str:
    with pytest.raises(DecodingError) as raised:
        gotypes().normalize(obj, definition)
    assert raised.value.status["message"] == raised.value.problem
    return raised.value.problem


def spec(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", **container}]}}


class TestKinds:
    def test_a_kind_has_a_definition_and_a_type_inside_the_server(self) -> None:
        assert gotypes().kind("apps/v1", "Deployment") == (DEPLOYMENT, "apps.Deployment")
        assert (
            gotypes().kind("autoscaling/v1", "HorizontalPodAutoscaler").internal
            == "autoscaling.HorizontalPodAutoscaler"
        )
        assert gotypes().kind("events.k8s.io/v1", "Event").internal == gotypes().kind("v1", "Event").internal
        assert gotypes().kind("v1", "Nothing") is None

    def test_unversioned_kinds_have_any_version(self) -> None:
        assert gotypes().kind("v7", "Status") == gotypes().kind("v1", "Status")

    def test_there_is_no_such_type(self) -> None:
        with pytest.raises(KeyError):
            gotypes().node("io.k8s.api.core.v1.Nothing")


class TestValues:
    def test_what_is_empty_is_left_out_or_not_as_the_field_says(self) -> None:
        obj = {
            "metadata": {"name": "a", "labels": {}, "finalizers": [], "generateName": ""},
            "data": None,
            "immutable": False,
        }
        assert normalized(obj, CONFIG_MAP) == {"metadata": {"name": "a"}, "immutable": False}

    def test_fields_that_are_always_written_are_added(self) -> None:
        assert normalized({}, POD) == {"metadata": {}, "spec": {"containers": None}, "status": {}}
        assert normalized({"spec": {}}, DEPLOYMENT) == {
            "metadata": {},
            "spec": {"selector": None, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": None}}},
            "status": {},
        }

    def test_null_is_nil_or_nothing(self) -> None:
        assert normalized({"data": {"a": None}, "metadata": None}, CONFIG_MAP) == {"data": {"a": ""}, "metadata": {}}
        obj = normalized({"spec": {"containers": [None], "nodeSelector": None, "hostNetwork": None}}, POD)
        assert obj["spec"] == {"containers": [{"name": "", "resources": {}}]}

    def test_a_pointer_to_a_zero_value_is_kept(self) -> None:
        obj = {"spec": {"containers": [], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}}
        assert normalized(obj, POD)["spec"] == {
            "containers": [], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0
        }  # fmt: skip

    def test_times_and_quantities_get_their_canonical_form(self) -> None:
        obj = normalized({"metadata": {"creationTimestamp": "2026-01-01T00:00:00.5+01:00"}}, CONFIG_MAP)
        assert obj["metadata"] == {"creationTimestamp": "2025-12-31T23:00:00Z"}
        limits = {"cpu": 0.5, "memory": "1024Ki", "a": 2, "b": " 3 ", "c": None}
        obj = normalized(spec(resources={"limits": limits}), POD)
        assert obj["spec"]["containers"][0]["resources"]["limits"] == {
            "cpu": "500m", "memory": "1Mi", "a": "2", "b": "3", "c": "0"
        }  # fmt: skip

    def test_the_zero_time_is_null_where_it_is_written_at_all(self) -> None:
        zero = "0001-01-01T00:00:00Z"
        obj = normalized({"metadata": {"creationTimestamp": zero, "deletionTimestamp": zero}}, CONFIG_MAP)
        assert obj == {"metadata": {"deletionTimestamp": None}}

    def test_an_int_or_string_is_either(self) -> None:
        probes = [{"httpGet": {"port": port}} for port in (80, "http", None)]
        obj = normalized({"spec": {"containers": [{"name": "c", "livenessProbe": each} for each in probes]}}, POD)
        assert [each["livenessProbe"]["httpGet"]["port"] for each in obj["spec"]["containers"]] == [80, "http", 0]

    def test_raw_json_is_kept(self) -> None:
        fields = {"f:data": {".": {}}, "x": [1.5, None, ""]}
        obj = {"metadata": {"managedFields": [{"fieldsV1": fields, "manager": ""}]}}
        assert normalized(obj, CONFIG_MAP)["metadata"]["managedFields"] == [{"fieldsV1": fields}]

    def test_embedded_structs_are_part_of_the_struct(self) -> None:
        obj = normalized({"spec": {"volumes": [{"name": "v", "emptyDir": {"medium": ""}}], "containers": []}}, POD)
        assert obj["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]

    def test_schemas_of_crds(self) -> None:
        schema = {
            "additionalProperties": {"type": "string", "x": 1}, "items": {"maximum": 1.0}, "default": None, "enum": [1, None],
            "properties": {"a": {"additionalProperties": True}, "b": {"items": "x"}, "c": {"items": [{}, {"type": "x"}]}},
            "dependencies": {"a": ["b"], "b": {"type": "x"}, "c": 1},
        }  # fmt: skip
        obj = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}
        assert gotypes().normalize(obj, CRD) == []
        assert obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
            "additionalProperties": {"type": "string"}, "items": {"maximum": 1}, "enum": [1, None],
            "properties": {"a": {"additionalProperties": True}, "b": {"items": None}, "c": {"items": [{}, {"type": "x"}]}},
            "dependencies": {"a": ["b"], "b": {"type": "x"}, "c": None},
        }  # fmt: skip

    def test_numbers_are_kept_as_written_by_quantities_only(self) -> None:
        obj = parse(b'{"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1e3, "a": 1.500}}}]}}')
        limits = normalized(obj, POD)["spec"]["containers"][0]["resources"]["limits"]
        assert limits == {"cpu": "1e3", "a": "1.500"}


class TestProblems:
    def test_unknown_fields_go_and_are_told_in_their_order(self) -> None:
        obj = {"z": 1, "metadata": {"x": {"y": 1}}, "spec": {"containers": [{"name": "c"}, {"q": 1}], "Volumes": []}}
        assert gotypes().normalize(obj, POD) == [
            'unknown field "z"',
            'unknown field "metadata.x"',
            'unknown field "spec.containers[1].q"',
            'unknown field "spec.Volumes"',
        ]
        assert "x" not in obj["metadata"]

    def test_paths_may_begin_within_an_object(self) -> None:
        obj = {"x": 1, "ownerReferences": [{"y": 1}]}
        assert gotypes().normalize(obj, OBJECT_META, at="metadata") == [
            'unknown field "metadata.x"',
            'unknown field "metadata.ownerReferences[0].y"',
        ]

    def test_duplicates_are_told_and_decoded_into_what_is_there(self) -> None:
        text = b"""{"metadata": {"name": "a", "labels": {"l": "1", "l": "2"}}, "x": {"a": 1, "a": 2}, "immutable": true,
            "metadata": {"generateName": "b", "labels": {"m": "3"}}, "immutable": null, "data": {"a": "1"}, "data": {"b": "2"}}"""
        obj = parse(text)
        assert gotypes().normalize(obj, CONFIG_MAP) == [
            'duplicate field "metadata.labels.l"',
            'unknown field "x"',
            'duplicate field "metadata"',
            'duplicate field "immutable"',
            'duplicate field "data"',
        ]
        assert obj == {
            "metadata": {"name": "a", "generateName": "b", "labels": {"l": "2", "m": "3"}},
            "data": {"a": "1", "b": "2"},
        }

    def test_a_hundred_are_enough(self) -> None:
        assert len(gotypes().normalize({f"x{number}": 1 for number in range(200)}, CONFIG_MAP)) == 100


class TestWrongTypes:
    @pytest.mark.parametrize(
        ("definition", "obj", "problem"),
        [
            (CONFIG_MAP, {"data": {"a": 1}}, "number into Go struct field ConfigMap.data of type string"),
            (CONFIG_MAP, {"data": []}, "array into Go struct field ConfigMap.data of type map[string]string"),
            (CONFIG_MAP, {"metadata": "x"}, "string into Go struct field ConfigMap.metadata of type v1.ObjectMeta"),
            (CONFIG_MAP, {"metadata": {"finalizers": [True]}}, "bool into Go struct field ObjectMeta.metadata.finalizers of type string"),
            (CONFIG_MAP, {"metadata": {"uid": {}}}, "object into Go struct field ObjectMeta.metadata.uid of type types.UID"),
            (CONFIG_MAP, {"immutable": 1}, "number into Go struct field ConfigMap.immutable of type bool"),
            (CONFIG_MAP, {"binaryData": {"a": {}}}, "object into Go struct field ConfigMap.binaryData of type []uint8"),
            (CONFIG_MAP, {"binaryData": {"a": [300]}}, "number 300 into Go struct field ConfigMap.binaryData of type uint8"),
            (CONFIG_MAP, {"metadata": {"creationTimestamp": 1}}, "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"),
            (DEPLOYMENT, {"spec": {"replicas": "1"}}, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
            (DEPLOYMENT, {"spec": {"replicas": 2**31}}, "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32"),
            (DEPLOYMENT, {"spec": {"replicas": 1.5}}, "number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
            (POD, spec(ports=[{"containerPort": "x"}]), "string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"),
            (POD, {"spec": {"containers": {}}}, "object into Go struct field PodSpec.spec.containers of type []v1.Container"),
            (POD, {"spec": {"volumes": [{"emptyDir": 1}]}}, "number into Go struct field Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource"),
            (POD, spec(livenessProbe={"httpGet": {"port": True}}), "bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32"),
            (POD, spec(resources={"limits": []}), "array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList"),
            (OBJECT_META, {"labels": {"a": 1}}, "number into Go struct field ObjectMeta.labels of type string"),
        ],
    )  # fmt: skip
    def test_the_first_one_is_told(self, definition: str, obj: Any, problem: str) -> None:
        assert problem_of(obj, definition) == f"json: cannot unmarshal {problem}"

    @pytest.mark.parametrize(
        ("obj", "problem"),
        [
            ({"metadata": {"creationTimestamp": "x"}}, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
            ({"binaryData": {"a": "!"}}, "illegal base64 data at input byte 0"),
        ],
    )  # fmt: skip
    def test_texts_that_a_type_cannot_read(self, obj: Any, problem: str) -> None:
        assert problem_of(obj, CONFIG_MAP) == problem

    def test_what_a_type_that_decodes_itself_cannot_read_counts_more(self) -> None:
        obj = {"data": {"a": 1}, "metadata": {"creationTimestamp": "x"}}
        assert problem_of(obj, CONFIG_MAP).startswith("parsing time")
        assert (
            problem_of({"binaryData": {"a": "!"}, "data": {"a": 1}}, CONFIG_MAP)
            == "illegal base64 data at input byte 0"
        )

    def test_a_number_is_quoted_as_it_is_written(self) -> None:
        obj = parse(b'{"spec": {"replicas": 1.50}}')
        assert problem_of(obj, DEPLOYMENT).startswith("json: cannot unmarshal number 1.50 into")

    def test_schemas_of_crds(self) -> None:
        def of(schema: Any) -> str:
            return problem_of({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}, CRD)

        assert of({"additionalProperties": 5}) == "boolean or JSON schema expected"
        assert of({"items": {"type": 5}}) == (
            "json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items.type "
            "of type string"
        )


class TestConverter:
    """What comes of a strategic merge goes from map to struct by a way of its own."""

    def test_unknown_fields_are_sorted_and_not_escaped(self) -> None:
        obj = {"z": 1, "metadata": {'a"b': 1}, "spec": {"containers": [{"q": 1}]}}
        assert gotypes().convert(obj, POD) == [
            'unknown field "metadata.a"b"',
            'unknown field "spec.containers[0].q"',
            'unknown field "z"',
        ]

    def test_the_outcome_is_that_of_decoding(self) -> None:
        obj = {
            "metadata": {"creationTimestamp": "2026-01-01T00:00:00.5Z", "labels": {}},
            "data": {"a": None},
            "immutable": False,
        }
        assert gotypes().convert(obj, CONFIG_MAP) == []
        assert obj == {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}, "data": {"a": ""}, "immutable": False}

    def test_numbers_are_converted_as_go_converts_them(self) -> None:
        obj = {"spec": {"replicas": 3.0, "minReadySeconds": 2**32 + 5}}
        gotypes().convert(obj, DEPLOYMENT)
        assert (obj["spec"]["replicas"], obj["spec"]["minReadySeconds"]) == (3, 5)

    @pytest.mark.parametrize(
        ("definition", "obj", "problem"),
        [
            (CONFIG_MAP, {"data": {"a": 1}}, "cannot convert int64 to string"),
            (CONFIG_MAP, {"data": {"a": 1.5}}, "unrecognized type: string"),
            (CONFIG_MAP, {"data": {"a": {}}}, "unrecognized type: string"),
            (CONFIG_MAP, {"data": "x"}, "cannot restore map from string"),
            (CONFIG_MAP, {"metadata": []}, "cannot restore struct from: slice"),
            (CONFIG_MAP, {"metadata": {"uid": 1}}, "cannot convert int64 to types.UID"),
            (CONFIG_MAP, {"metadata": {"finalizers": {}}}, "cannot restore slice from map"),
            (CONFIG_MAP, {"immutable": "x"}, "unrecognized type: bool"),
            (CONFIG_MAP, {"binaryData": {"a": "!"}}, "error decoding from json: illegal base64 data at input byte 0"),
            (
                CONFIG_MAP,
                {"metadata": {"creationTimestamp": 1}},
                "json: cannot unmarshal number into Go value of type string",
            ),
            (DEPLOYMENT, {"spec": {"replicas": "1"}}, "unrecognized type: int32"),
            (DEPLOYMENT, {"spec": {"replicas": 1.5}}, "cannot convert float64 to int32"),
        ],
    )
    def test_wrong_types_have_words_of_their_own(self, definition: str, obj: Any, problem: str) -> None:
        with pytest.raises(DecodingError) as raised:
            gotypes().convert(obj, definition)
        assert raised.value.problem == problem


class TestOrder:
    def test_fields_come_in_the_order_of_the_struct_and_keys_of_maps_sorted(self) -> None:
        obj = {
            "data": {"b": "1", "a": "2"},
            "metadata": {"labels": {"z": "", "y": ""}, "name": "n"},
            "kind": "ConfigMap",
            "apiVersion": "v1",
        }
        ordered = gotypes().node(CONFIG_MAP).ordered(obj)
        assert json.dumps(ordered) == (
            '{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "n", "labels": {"y": "", "z": ""}}, '
            '"data": {"a": "2", "b": "1"}}'
        )


class TestSpeed:
    def test_a_small_object_costs_microseconds(self) -> None:
        text = json.dumps(
            {"metadata": {"name": "a", "labels": {"a": "b"}}, "data": {f"k{each}": "x" * 90 for each in range(10)}}
        )
        objects = [json.loads(text) for _ in range(500)]
        gotypes().normalize(json.loads(text), CONFIG_MAP)
        began = time.perf_counter()
        for each in objects:
            gotypes().normalize(each, CONFIG_MAP)
        # 4 us where it was written; this is about a mistake that would make it a hundred times slower.
        assert (time.perf_counter() - began) / len(objects) < 400e-6
