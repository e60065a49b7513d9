"""What patches make of objects. The expected outcomes are those of the libraries that the real server uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.decoding import IGNORE, STRICT, WARN
from dynkube.testing.apiserver.patching import json_patch, merge_patch, patched_text, strategic_merge
from dynkube.testing.apiserver.words.statuses import StatusError

CURRENT = {"a": 1, "b": {"c": [1, 2, 3], "d/e": "x", "f~g": None}, "h": [{"i": 1}, {"i": 2}]}
REJECTED = "the server rejected our request due to an error in our request"


def operated(*operations: Any, directive: str = WARN) -> Any:
    return json_patch(CURRENT, json.dumps(operations).encode(), directive).obj


def merged(patch: Any, current: Any = CURRENT) -> Any:
    return merge_patch(current, json.dumps(patch).encode(), WARN).obj


def refusal(patch: bytes, kind: Any, directive: str = WARN) -> dict[str, Any]:
    with pytest.raises(StatusError) as raised:
        kind(CURRENT, patch, directive)
    return raised.value.status


class TestJSONPatch:
    @pytest.mark.parametrize(
        ("operations", "outcome"),
        [
            ([{"op": "add", "path": "/b/c/-", "value": 4}], [1, 2, 3, 4]),
            ([{"op": "add", "path": "/b/c/1", "value": 4}], [1, 4, 2, 3]),
            ([{"op": "add", "path": "/b/c/-1", "value": 4}], [1, 2, 3, 4]),
            ([{"op": "add", "path": "/b/c/3"}], [1, 2, 3, None]),
            ([{"op": "remove", "path": "/b/c/-1"}], [1, 2]),
            ([{"op": "replace", "path": "/b/c/+1", "value": 4}], [1, 4, 3]),
            ([{"op": "move", "from": "/b/c/0", "path": "/b/c/2"}], [2, 3, 1]),
            ([{"op": "copy", "from": "/b/c/0", "path": "/b/c/-"}], [1, 2, 3, 1]),
            ([{"op": "test", "path": "/b/c", "value": [1, 2, 3]}], [1, 2, 3]),
        ],
    )
    def test_lists(self, operations: list[Any], outcome: Any) -> None:
        assert operated(*operations)["b"]["c"] == outcome

    def test_what_is_not_there_is_replaced_and_copied_as_null(self) -> None:
        assert operated({"op": "replace", "path": "/x", "value": 1})["x"] == 1
        assert operated({"op": "copy", "from": "/x", "path": "/y"})["y"] is None
        assert operated({"op": "test", "path": "/x"}) == CURRENT

    def test_escapes_and_pointers_without_a_slash(self) -> None:
        assert operated({"op": "replace", "path": "/b/d~1e", "value": "y"})["b"]["d/e"] == "y"
        assert operated({"op": "replace", "path": "/b/f~0g", "value": "y"})["b"]["f~g"] == "y"
        assert "a" not in operated({"op": "remove", "path": "x/a"})

    def test_a_copy_is_one(self) -> None:
        outcome = operated({"op": "copy", "from": "/b", "path": "/z"}, {"op": "add", "path": "/z/c/0", "value": 0})
        assert outcome["b"]["c"] == [1, 2, 3]
        assert outcome["z"]["c"] == [0, 1, 2, 3]

    def test_the_current_object_stays_as_it_is(self) -> None:
        before = json.dumps(CURRENT)
        operated({"op": "remove", "path": "/b/c/0"}, {"op": "remove", "path": "/h/0/i"})
        assert json.dumps(CURRENT) == before

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "remove", "path": "/x"},
            {"op": "remove", "path": "/b/c/3"},
            {"op": "remove", "path": "/b/c/-4"},
            {"op": "remove", "path": "/b/c/-"},
            {"op": "add", "path": "/b/c/4", "value": 1},
            {"op": "add", "path": "/b/c/1.0", "value": 1},
            {"op": "add", "path": "/a/x", "value": 1},
            {"op": "add", "path": "/b/f~0g/x", "value": 1},
            {"op": "add", "path": "", "value": {}},
            {"op": "replace", "path": "/b/c/3", "value": 1},
            {"op": "replace", "path": "", "value": "x"},
            {"op": "move", "from": "/x", "path": "/a"},
            {"op": "copy", "path": "/a"},
            {"op": "test", "path": "/a", "value": 2},
            {"op": "test", "path": "/a", "value": "1"},
            {"op": "test", "path": "/a", "value": [1]},
            {"op": "test", "path": "/b/c", "value": [1, 2]},
            {"op": "test", "path": "/h/2", "value": 1},
            {"op": "none"},
            {"path": "/a"},
            {},
            None,
        ],
        ids=json.dumps,
    )
    def test_what_cannot_be_applied(self, operation: Any) -> None:
        status = refusal(json.dumps([operation]).encode(), json_patch, IGNORE)
        assert (status["code"], status["message"], status["details"]) == (422, REJECTED, {})

    @pytest.mark.parametrize(("value", "holds"), [("1", True), ("1.0", False), ("1e0", False)])
    def test_numbers_are_tested_as_they_are_written(self, value: str, holds: bool) -> None:
        patch = f'[{{"op": "test", "path": "/a", "value": {value}}}]'.encode()
        if holds:
            assert json_patch(CURRENT, patch, WARN).obj == CURRENT
        else:
            assert refusal(patch, json_patch)["code"] == 422

    @pytest.mark.parametrize(
        ("patch", "strictly", "loosely"),
        [
            (b"", "error decoding patch: unexpected end of JSON input", "unexpected end of JSON input"),
            (b"{}", "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp", "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
            (b"[1]", "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp", "json: cannot unmarshal number into Go value of type jsonpatch.Operation"),
        ],
    )  # fmt: skip
    def test_what_is_no_patch(self, patch: bytes, strictly: str, loosely: str) -> None:
        assert refusal(patch, json_patch, STRICT)["message"] == strictly
        assert refusal(patch, json_patch, IGNORE)["message"] == loosely

    def test_wrong_types_in_operations(self) -> None:
        patch = b'[{"op": 1}]'
        assert refusal(patch, json_patch)["message"] == (
            "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"
        )
        assert refusal(patch, json_patch, IGNORE)["code"] == 422

    def test_null_is_an_empty_patch(self) -> None:
        assert json_patch(CURRENT, b"null", WARN).obj == CURRENT

    def test_too_many_operations(self) -> None:
        operation = {"op": "test", "path": "/a", "value": 1}
        assert json_patch(CURRENT, json.dumps([operation] * 10_000).encode(), WARN).obj == CURRENT
        status = refusal(json.dumps([operation] * 10_001).encode(), json_patch)
        assert status["code"] == 413
        assert status["message"].endswith("The allowed maximum operations in a JSON patch is 10000, got 10001")

    def test_problems(self) -> None:
        patch = b'[{"op": "add", "op": "add", "path": "/x", "value": {"y": 1, "y": 2}, "z": 1}]'
        assert json_patch(CURRENT, patch, WARN).problems == [
            'json patch duplicate field "[0].op"',
            'json patch duplicate field "[0].value.y"',
            'json patch unknown field "[0].z"',
            'duplicate field "x.y"',
        ]


class TestMergePatch:
    def test_objects_are_merged_and_nulls_delete(self) -> None:
        assert merged({"a": None, "b": {"c": None, "z": {"y": None, "x": 1}}, "none": None}) == {
            "b": {"d/e": "x", "f~g": None, "z": {"x": 1}},
            "h": CURRENT["h"],
        }

    def test_lists_are_replaced_and_nulls_in_them_too(self) -> None:
        assert merged({"h": [{"i": None}, None]})["h"] == [{}, None]
        assert merged({"new": [[{"i": None, "j": 1}]]})["new"] == [[{"j": 1}]]

    def test_a_list_in_place_of_an_object_keeps_its_nulls(self) -> None:
        assert merged({"b": [{"i": None}]})["b"] == [{"i": None}]

    @pytest.mark.parametrize(
        ("patch", "strictly", "loosely"),
        [
            (b"{", "error decoding patch: unexpected end of JSON input", "Invalid JSON Patch"),
            (b"1", "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}", "Invalid JSON Patch"),
            (b"null", "Invalid JSON Patch", "Invalid JSON Patch"),
            (b'{"a": 1e400}', "error decoding patch: json: cannot unmarshal number 1e400 into Go value of type float64", None),
        ],
    )  # fmt: skip
    def test_what_is_no_patch(self, patch: bytes, strictly: str, loosely: str | None) -> None:
        assert refusal(patch, merge_patch, STRICT)["message"] == strictly
        if loosely:
            assert refusal(patch, merge_patch, IGNORE)["message"] == loosely

    def test_a_list_makes_a_list_of_the_object_where_nobody_minds(self) -> None:
        status = refusal(b'[{"a": null}]', merge_patch, IGNORE)
        assert status["message"].startswith(' "" is invalid: patch: Invalid value: "[{}]": couldn\'t get version/kind')

    def test_problems(self) -> None:
        assert merge_patch(CURRENT, b'{"x": {"y": 1, "y": 2}}', WARN).problems == ['duplicate field "x.y"']
        assert merge_patch(CURRENT, b'{"x": {"y": 1, "y": 2}}', IGNORE).problems == []


class TestTexts:
    """What a refusal shows of the outcome: what was looked into has its keys sorted, the rest is as it was written."""

    def test_of_a_merge(self) -> None:
        current = {"b": {"z": 1, "y": {"x": 1, "w": 2}}, "a": {"q": 1, "p": "<"}}
        patch = b'{"b": {"v": {"u": null, "t": 1, "s": 2}, "k": [{"r": 1.50, "o": "\\u00e9"}]}}'
        assert patched_text(current, patch, merges=True) == (
            '{"a":{"q":1,"p":"\\u003c"},"b":{"k":[{"o":"\\u00e9","r":1.50}],"v":{"s":2,"t":1},"y":{"x":1,"w":2},"z":1}}'
        )

    def test_of_operations(self) -> None:
        current = {"b": {"z": 1, "y": {"x": 1, "w": 2}}, "a": {"q": 1, "p": 2}}
        patch = b'[{"op": "add", "path": "/b/v", "value": {"u": 1, "t": 1e2, "t": "<"}}, {"op": "copy", "from": "/a", "path": "/c"}]'
        assert patched_text(current, patch, merges=False) == (
            '{"a":{"q":1,"p":2},"b":{"v":{"u":1,"t":1e2,"t":"\\u003c"},"y":{"x":1,"w":2},"z":1},"c":{"q":1,"p":2}}'
        )


# --------------------------------------------------------------------------- strategic merge

ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
POD = {
    "metadata": {"name": "p", "finalizers": ["a", "b", "c"], "labels": {"x": "1"}},
    "spec": {
        "containers": [{"name": each, "image": each, "env": ENV} for each in ("one", "two", "three")],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}


def strategically(patch: Any, directive: str = WARN) -> Any:
    schema = recorded.definitions("", "v1").find_kind("", "v1", "Pod")
    assert schema is not None
    data = patch if isinstance(patch, bytes) else json.dumps(patch).encode()
    return strategic_merge(POD, data, schema, directive)


def containers(*patches: Any, **more: Any) -> list[str]:
    outcome = strategically({"spec": {"containers": list(patches), **more}}).obj
    return [each["name"] for each in outcome["spec"]["containers"]]


def finalizers(**patch: Any) -> list[str]:
    found: list[str] = strategically({"metadata": patch}).obj["metadata"]["finalizers"]
    return found


class TestStrategicMerge:
    def test_lists_of_objects_are_merged_by_key(self) -> None:
        outcome = strategically(
            {"spec": {"containers": [{"name": "two", "image": "new", "env": [{"name": "B", "value": None}]}]}}
        ).obj
        assert outcome["spec"]["containers"][1] == {
            "name": "two",
            "image": "new",
            "env": [{"name": "A", "value": "1"}, {"name": "B"}],
        }

    def test_items_of_the_patch_keep_its_order_among_those_of_the_object(self) -> None:
        assert containers({"name": "two"}, {"name": "new"}) == ["one", "two", "new", "three"]
        assert containers({"name": "new"}, {"name": "two"}) == ["new", "one", "two", "three"]
        assert containers({"name": "new"}) == ["new", "one", "two", "three"]

    def test_directives_in_lists(self) -> None:
        assert containers({"name": "two", "$patch": "delete"}) == ["one", "three"]
        assert containers({"$patch": "replace"}, {"name": "new"}) == ["new"]
        assert containers({"name": "two", "$patch": "delete"}, {"name": "new"}) == ["new", "one", "three"]

    def test_an_order(self) -> None:
        order = [{"name": each} for each in ("three", "new", "one")]
        assert containers({"name": "new"}, **{"$setElementOrder/containers": order}) == ["two", "three", "new", "one"]

    def test_an_order_beside_a_deletion_looks_at_what_the_deletion_left(self) -> None:
        order = [{"name": "new"}, {"name": "one"}]
        patch = [{"name": "new"}, {"name": "two", "$patch": "delete"}]
        assert containers(*patch, **{"$setElementOrder/containers": order}) == ["three", "new", "one"]

    def test_lists_of_scalars_are_sets(self) -> None:
        assert finalizers(finalizers=["b", "d"]) == ["a", "b", "d", "c"]
        assert finalizers(**{"$deleteFromPrimitiveList/finalizers": ["a", "x"]}) == ["b", "c"]
        assert finalizers(**{"$setElementOrder/finalizers": ["c", "e", "a"], "finalizers": ["e"]}) == [
            "b",
            "c",
            "e",
            "a",
        ]

    def test_lists_without_a_strategy_are_replaced(self) -> None:
        outcome = strategically({"spec": {"containers": [{"name": "one", "command": ["a"]}]}}).obj
        assert strategically({"spec": {"tolerations": [{"key": "a"}]}}).obj["spec"]["tolerations"] == [{"key": "a"}]
        assert outcome["spec"]["containers"][0]["command"] == ["a"]

    def test_objects(self) -> None:
        assert strategically({"metadata": {"labels": {"x": None, "y": "2"}}}).obj["metadata"]["labels"] == {"y": "2"}
        assert strategically({"metadata": {"labels": {"$patch": "replace", "y": "2"}}}).obj["metadata"]["labels"] == {
            "y": "2"
        }
        assert strategically({"metadata": {"labels": {"$patch": "delete"}}}).obj["metadata"]["labels"] == {}
        assert strategically({"$patch": "delete"}).obj == {}

    def test_retained_keys(self) -> None:
        patch = {"name": "v", "hostPath": {"path": "/"}, "$retainKeys": ["name", "hostPath"]}
        outcome = strategically({"spec": {"volumes": [patch]}}).obj
        assert outcome["spec"]["volumes"] == [{"name": "v", "hostPath": {"path": "/"}}]

    def test_directives_and_nulls_in_what_is_new_go(self) -> None:
        new = {"name": "new", "image": None, "env": [{"name": "C", "$patch": "delete"}, {"name": "D", "value": None}]}
        outcome = strategically({"spec": {"containers": [new]}}).obj
        assert outcome["spec"]["containers"][0]["env"] == [
            {"name": "C", "$patch": "delete"},
            {"name": "D", "value": None},
        ]
        outcome = strategically({"spec": {"initContainers": [new]}}).obj
        assert outcome["spec"]["initContainers"] == [{"name": "new", "env": [{"name": "D"}]}]

    def test_floats_stay_floats_and_are_other_keys_than_integers(self) -> None:
        outcome = strategically(
            b'{"spec": {"containers": [{"name": "one", "ports": [{"containerPort": 80.0}, {"containerPort": 80}]}]}}'
        ).obj
        ports = outcome["spec"]["containers"][0]["ports"]
        assert [type(each["containerPort"]) for each in ports] == [float, int]

    def test_what_was_sent_is_shown_without_what_directives_were_followed(self) -> None:
        order = [{"name": "one"}]
        patched = strategically(
            {"spec": {"containers": [{"name": "one"}], "$setElementOrder/containers": order}, "x": 1}
        )
        assert patched.said == {"spec": {}, "x": 1}
        patched.obj["x"] = 2
        assert patched.said["x"] == 1

    def test_the_current_object_stays_as_it_is(self) -> None:
        before = json.dumps(POD)
        containers({"name": "two", "$patch": "delete"}, {"name": "one", "env": [{"name": "A", "$patch": "delete"}]})
        assert json.dumps(POD) == before

    @pytest.mark.parametrize(
        ("patch", "code", "message"),
        [
            ({"$patch": "foo"}, 500, "unknown patch type: foo in map: map[$patch:foo]"),
            ({"$patch": 1}, 500, "unknown patch type: %!s(int64=1) in map: map[$patch:1]"),
            ({"metadata": {"$retainKeys": "x"}}, 400, "invalid patch format of retainKeys"),
            ({"metadata": {"$retainKeys": ["a"], "labels": {}}}, 400, "invalid patch format of retainKeys"),
            ({"metadata": {"$setElementOrder": []}}, 400, "invalid patch format of setElementOrder list"),
            ({"metadata": {"$setElementOrder/finalizers": 1}}, 500, "expected a []interface {}, but received a int64"),
            ({"metadata": {"$setElementOrder/none": []}}, 500, 'unable to find api field in struct ObjectMeta for the json field "none"'),
            ({"metadata": {"$setElementOrder/labels": []}}, 500, "expected a []interface {}, but received a map[string]interface {}"),
            ({"metadata": {"$deleteFromPrimitiveList": []}}, 400, "invalid patch format of primitive list"),
            ({"spec": {"containers": [{"image": "x"}]}}, 500, "map: map[image:x] does not contain declared merge key: name"),
            ({"spec": {"containers": ["x"]}}, 500, None),
            ({"spec": {"containers": [{"name": "x", "$patch": "merge"}]}}, 500, "merging lists cannot yet be specified in the patch"),
            ({"spec": {"containers": [{"$patch": "delete"}]}}, 500, "map: map[$patch:delete] does not contain declared merge key: name"),
            ({"metadata": {"labels": {"x": {"y": 1}}}}, None, None),
            ({"spec": {"containers": [{"name": "one", "env": [{"name": "A", "value": {}}]}]}}, None, None),
        ],
        ids=lambda each: json.dumps(each) if isinstance(each, dict) else "",
    )  # fmt: skip
    def test_what_is_wrong(self, patch: Any, code: int | None, message: str | None) -> None:
        if code is None:
            strategically(patch)
            return
        with pytest.raises(StatusError) as raised:
            strategically(patch)
        assert raised.value.code == code
        assert message is None or raised.value.status["message"] == message
        if code == 500:
            assert "reason" not in raised.value.status

    def test_lists_of_lists(self) -> None:
        with pytest.raises(StatusError) as raised:
            strategically({"spec": {"containers": [[{"name": "x"}]]}})
        assert raised.value.code == 500  # the live list has objects: the types differ

    @pytest.mark.parametrize(
        ("patch", "message"),
        [
            (b"{", "unexpected end of JSON input"),
            (b"[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ],
    )
    def test_what_is_no_patch(self, patch: bytes, message: str) -> None:
        with pytest.raises(StatusError) as raised:
            strategically(patch)
        assert raised.value.status["message"] == message

    def test_null_is_an_empty_patch(self) -> None:
        assert strategically(b"null").obj == POD

    def test_every_built_in_kind_has_the_type_that_says_how_to_merge(self) -> None:
        for record in recorded.resources():
            if {"create", "patch"} <= set(record.verbs):
                schema = recorded.definitions(record.gvr.group, record.gvr.version).find_kind(
                    record.gvr.group, record.gvr.version, record.kind
                )
                assert schema is not None
                assert strategic_merge({}, b"{}", schema, WARN).obj == {}
