"""What patches make of objects, and what is wrong with them: the same requests to both servers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from both import Both

# As it is escaped in a text that is JSON in a text, and again where that text is one of JSON.
_REVISION = re.compile(r"(?<=resourceVersion)\W+[0-9]+")


def configmap(both: Both, **data: str) -> str:
    """The path of a new ConfigMap."""
    path = f"/api/v1/namespaces/{both.namespace}/configmaps"
    name = both.unique
    both.post(path, {"metadata": {"name": name, "labels": {"a": "1"}}, "data": data or {"a": "1", "b": "2"}})
    return f"{path}/{name}"


def deployment(both: Both, **spec: Any) -> str:
    """The path of a new Deployment with three containers and two variables."""
    path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments"
    name = both.unique
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    containers = [{"name": each, "image": each, "env": env} for each in ("one", "two", "three")]
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": containers}}
    body = {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template, **spec},
    }
    both.post(path, body, compare=False)
    return f"{path}/{name}"


def without_revision(document: Any) -> Any:
    """For messages that show a whole object."""
    return json.loads(_REVISION.sub("<rv>", json.dumps(document)))


def containers(answer: Any) -> list[str]:
    return [each["name"] for each in answer.json()["spec"]["template"]["spec"]["containers"]]


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def bad(both: Both, path: str, body: bytes, kind: str) -> dict[str, Any]:
    """A patch that is sent under each directive of field validation; the real answer to the default one."""
    for directive in ("Ignore", "Strict"):
        both.patch(f"{path}?fieldValidation={directive}", body, kind, mask=without_revision)
    answer: dict[str, Any] = both.patch(path, body, kind, mask=without_revision).json()
    return answer


class TestJSONPatch:
    @pytest.mark.parametrize(
        ("operation", "data"),
        [
            ({"op": "add", "path": "/data/c", "value": "3"}, {"a": "1", "b": "2", "c": "3"}),
            ({"op": "add", "path": "/data/a", "value": "9"}, {"a": "9", "b": "2"}),
            ({"op": "replace", "path": "/data/none", "value": "3"}, {"a": "1", "b": "2", "none": "3"}),
            ({"op": "remove", "path": "/data/a"}, {"b": "2"}),
            ({"op": "remove", "path": "/data"}, None),
            ({"op": "move", "from": "/data/a", "path": "/data/z"}, {"b": "2", "z": "1"}),
            ({"op": "copy", "from": "/data/a", "path": "/data/z"}, {"a": "1", "b": "2", "z": "1"}),
            ({"op": "copy", "from": "/data/none", "path": "/data/z"}, {"a": "1", "b": "2", "z": ""}),
            ({"op": "add", "path": "/data/z"}, {"a": "1", "b": "2", "z": ""}),
            ({"op": "test", "path": "/data/a", "value": "1"}, {"a": "1", "b": "2"}),
            ({"op": "test", "path": "/data/none"}, {"a": "1", "b": "2"}),
            ({"op": "test", "path": "/data", "value": {"b": "2", "a": "1"}}, {"a": "1", "b": "2"}),
        ],
        ids=lambda each: f"{each['op']} {each['path']}" if each and "op" in each else "",
    )
    def test_an_operation(self, both: Both, operation: dict[str, Any], data: Any) -> None:
        answer = both.patch(configmap(both), [operation], "json")
        assert answer.status == 200
        assert answer.json().get("data") == data

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "remove", "path": "/data/none"},
            {"op": "test", "path": "/data/a", "value": "2"},
            {"op": "test", "path": "/data/a", "value": 1},
            {"op": "add", "path": "/data/a/b", "value": "2"},
            {"op": "add", "path": "/none/a", "value": "2"},
            {"op": "add", "path": "", "value": {}},
            {"op": "move", "from": "/data/none", "path": "/data/a"},
            {"op": "copy", "path": "/data/a"},
            {"op": "merge", "path": "/data/a"},
            {"path": "/data/a"},
            {"op": "add"},
            {},
            None,
        ],
        ids=json.dumps,
    )
    def test_an_operation_that_cannot_be_applied_is_refused_without_a_reason(self, both: Both, operation: Any) -> None:
        answer = both.patch(configmap(both), [operation], "json")
        assert answer.status == 422
        assert answer.json()["message"] == "the server rejected our request due to an error in our request"

    def test_items_of_lists_by_index(self, both: Both) -> None:
        path = configmap(both)
        finalizers = "/metadata/finalizers"
        both.patch(path, {"metadata": {"finalizers": ["x/a", "x/b", "x/c"]}})
        operations = [
            {"op": "add", "path": f"{finalizers}/-", "value": "x/d"},
            {"op": "add", "path": f"{finalizers}/1", "value": "x/e"},
            {"op": "remove", "path": f"{finalizers}/0"},
            {"op": "remove", "path": f"{finalizers}/-1"},
            {"op": "replace", "path": f"{finalizers}/01", "value": "x/f"},
        ]
        answer = both.patch(path, operations, "json")
        assert answer.json()["metadata"]["finalizers"] == ["x/e", "x/f", "x/c"]
        for index in ("4", "-4", "x", "-", "1.0"):
            assert both.patch(path, [{"op": "remove", "path": f"{finalizers}/{index}"}], "json").status == 422
        both.patch(path, {"metadata": {"finalizers": None}})

    def test_keys_with_slashes_and_tildes(self, both: Both) -> None:
        path = configmap(both)
        operations = [
            {"op": "add", "path": "/metadata/annotations", "value": {"a/b": "1", "m~n": "2"}},
            {"op": "replace", "path": "/metadata/annotations/a~1b", "value": "3"},
            {"op": "remove", "path": "/metadata/annotations/m~0n"},
        ]
        answer = both.patch(path, operations, "json")
        assert answer.json()["metadata"]["annotations"] == {"a/b": "3"}

    def test_what_is_before_the_first_slash_is_ignored(self, both: Both) -> None:
        answer = both.patch(configmap(both), [{"op": "remove", "path": "nonsense/data/a"}], "json")
        assert answer.json()["data"] == {"b": "2"}

    @pytest.mark.parametrize("text", ['"<"', '"\\u003c"', '"\\u00e9"', '"é"'])
    def test_strings_are_tested_as_they_are_written(self, both: Both, text: str) -> None:
        value = json.loads(text)
        path = configmap(both, a=value)
        patch = f'[{{"op": "test", "path": "/data/a", "value": {text}}}]'.encode()
        as_go_writes_it = text in ('"\\u003c"', '"é"')
        assert both.patch(path, patch, "json").status == (200 if as_go_writes_it else 422)

    def test_the_whole_object_replaced(self, both: Both) -> None:
        path = configmap(both)
        name = path.rpartition("/")[2]
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"z": "1"}}
        answer = both.patch(path, [{"op": "replace", "path": "", "value": body}], "json")
        assert answer.json()["data"] == {"z": "1"}
        assert both.patch(path, [{"op": "replace", "path": "", "value": {}}], "json").status == 400
        assert both.patch(path, [{"op": "replace", "path": "", "value": [1]}], "json").status == 422

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"{}",
            b"null",
            b"[1]",
            b'["x"]',
            b'[{"op": 1}]',
            b'[{"op": "add", "path": "/data/x", "value": 1e400}]',
        ],
    )
    def test_what_is_no_patch(self, both: Both, body: bytes) -> None:
        bad(both, configmap(both), body, "json")

    def test_more_than_ten_thousand_operations(self, both: Both) -> None:
        operation = {"op": "test", "path": "/data/a", "value": "1"}
        path = configmap(both)
        assert both.patch(path, [operation] * 10_000, "json").status == 200
        assert both.patch(path, [operation] * 10_001, "json").status == 413

    def test_a_value_of_a_wrong_type_shows_the_whole_object(self, both: Both) -> None:
        answer = both.patch(
            configmap(both), [{"op": "add", "path": "/data/x", "value": 1}], "json", mask=without_revision
        )
        message = answer.json()["message"]
        assert answer.status == 422
        assert message.startswith(' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\",\\"data\\":')
        assert message.endswith(": json: cannot unmarshal number into Go struct field ConfigMap.data of type string")

    def test_another_name_namespace_kind_or_version(self, both: Both) -> None:
        path = configmap(both)
        for pointer, value in (
            ("/metadata/name", "other"),
            ("/metadata/namespace", "other"),
            ("/metadata/uid", "other"),
            ("/metadata/resourceVersion", "1"),
            ("/kind", "Pod"),
            ("/apiVersion", "v2"),
        ):
            operation = {"op": "replace", "path": pointer, "value": value}
            answer = both.patch(path, [operation], "json", mask=without_revision)
            assert answer.status in (400, 409, 422)

    def test_without_kind_it_is_of_the_kind_and_without_version_of_none(self, both: Both) -> None:
        path = configmap(both)
        assert both.patch(path, [{"op": "remove", "path": "/kind"}], "json").status == 200
        answer = both.patch(path, [{"op": "remove", "path": "/apiVersion"}], "json")
        assert answer.status == 400
        assert answer.headers["Warning"] == '299 - "unknown field \\"data\\""'

    def test_a_patch_that_changes_nothing_writes_nothing(self, both: Both) -> None:
        path = configmap(both)
        before = [json.loads(side.raw.request("GET", path).body) for side in both.sides]
        both.patch(path, [{"op": "replace", "path": "/data/a", "value": "1"}], "json")
        after = [json.loads(side.raw.request("GET", path).body) for side in both.sides]
        assert before == after


class TestMergePatch:
    @pytest.mark.parametrize(
        ("patch", "data"),
        [
            ({"data": {"c": "3"}}, {"a": "1", "b": "2", "c": "3"}),
            ({"data": {"a": None}}, {"b": "2"}),
            ({"data": None}, None),
            ({"data": {"none": None}}, {"a": "1", "b": "2"}),
            ({}, {"a": "1", "b": "2"}),
            ({"metadata": {"labels": {"a": None, "b": "1"}}}, {"a": "1", "b": "2"}),
        ],
    )
    def test_members(self, both: Both, patch: Any, data: Any) -> None:
        answer = both.patch(configmap(both), patch)
        assert answer.status == 200
        assert answer.json().get("data") == data

    def test_lists_are_replaced(self, both: Both) -> None:
        path = deployment(both)
        answer = both.patch(path, template(containers=[{"name": "new", "image": "new"}]))
        assert containers(answer) == ["new"]

    def test_nulls_within_lists_are_left_out(self, both: Both) -> None:
        path = deployment(both)
        patch = template(containers=[{"name": "new", "image": "new", "env": [{"name": "A", "value": None}]}])
        answer = both.patch(path, patch)
        assert answer.json()["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A"}]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"1", b'"x"', b'{"data": {"a": 1e400}}', b"[{}]"])
    def test_what_is_no_patch(self, both: Both, body: bytes) -> None:
        bad(both, configmap(both), body, "merge")

    @pytest.mark.parametrize(
        "patch",
        [
            {"data": {"a": 1}},
            {"data": ["a"]},
            {"metadata": {"creationTimestamp": "yesterday"}},
            {"metadata": {"generation": 1.5}},
            {"binaryData": {"a": "!"}},
            {"kind": "Pod"},
            {"kind": "Nothing"},
            {"kind": 1},
            {"apiVersion": "v2"},
            {"apiVersion": "a/b/c"},
            {"apiVersion": None},
            {"metadata": None},
            {"metadata": {"name": "other"}},
            {"metadata": {"namespace": "other"}},
            {"immutable": "yes"},
        ],
        ids=json.dumps,
    )
    def test_an_outcome_that_is_no_such_object(self, both: Both, patch: Any) -> None:
        assert both.patch(configmap(both), patch, mask=without_revision).status >= 400

    def test_numbers_are_shown_as_they_are_written(self, both: Both) -> None:
        path = deployment(both)
        assert both.patch(path, b'{"spec": {"replicas": 2e0}}', mask=without_revision).status == 422
        assert both.patch(path, b'{"spec": {"replicas": 2.50}}', mask=without_revision).status == 422
        assert both.patch(path, b'{"spec": {"replicas": 12345678901234567890}}', mask=without_revision).status == 422


class TestStrategicMerge:
    def test_containers_are_merged_by_name(self, both: Both) -> None:
        path = deployment(both)
        patch = template(containers=[{"name": "two", "image": "new"}, {"name": "four", "image": "four"}])
        answer = both.patch(path, patch, "strategic")
        assert containers(answer) == ["one", "two", "four", "three"]
        assert answer.json()["spec"]["template"]["spec"]["containers"][1]["env"][0] == {"name": "A", "value": "1"}

    def test_lists_within_lists(self, both: Both) -> None:
        path = deployment(both)
        env = [{"name": "B", "value": None}, {"name": "C", "value": "3"}, {"name": "A", "$patch": "delete"}]
        answer = both.patch(path, template(containers=[{"name": "one", "env": env}]), "strategic")
        assert answer.json()["spec"]["template"]["spec"]["containers"][0]["env"] == [
            {"name": "B"},
            {"name": "C", "value": "3"},
        ]

    def test_delete_and_replace_in_a_list(self, both: Both) -> None:
        path = deployment(both)
        answer = both.patch(path, template(containers=[{"$patch": "delete", "name": "two"}]), "strategic")
        assert containers(answer) == ["one", "three"]
        both.patch(path, template(containers=[{"$patch": "delete", "name": "none"}]), "strategic")
        new = [{"$patch": "replace"}, {"name": "new", "image": "new"}]
        assert containers(both.patch(path, template(containers=new), "strategic")) == ["new"]

    def test_delete_and_replace_of_an_object(self, both: Both) -> None:
        path = configmap(both)
        answer = both.patch(path, {"data": {"$patch": "replace", "z": "1"}}, "strategic")
        assert answer.json()["data"] == {"z": "1"}
        answer = both.patch(path, {"data": {"$patch": "delete"}}, "strategic")
        assert "data" not in answer.json()
        both.patch(path, {"$patch": "delete"}, "strategic")
        both.patch(path, {"$patch": "replace"}, "strategic")

    def test_an_order_for_a_list(self, both: Both) -> None:
        path = deployment(both)
        patch = template(
            **{
                "$setElementOrder/containers": [{"name": "three"}, {"name": "four"}, {"name": "one"}],
                "containers": [{"name": "four", "image": "four"}],
            }
        )
        assert containers(both.patch(path, patch, "strategic")) == ["two", "three", "four", "one"]

    def test_an_order_beside_a_deletion(self, both: Both) -> None:
        path = deployment(both)
        patch = template(
            **{
                "$setElementOrder/containers": [{"name": "four"}, {"name": "one"}],
                "containers": [{"name": "four", "image": "four"}, {"name": "two", "$patch": "delete"}],
            }
        )
        assert containers(both.patch(path, patch, "strategic")) == ["three", "four", "one"]

    def test_an_order_alone_and_one_that_the_list_does_not_have(self, both: Both) -> None:
        path = deployment(both)
        order = [{"name": each} for each in ("three", "two", "one")]
        answer = both.patch(path, template(**{"$setElementOrder/containers": order}), "strategic")
        assert containers(answer) == ["three", "two", "one"]
        other = template(**{"$setElementOrder/containers": order[:1], "containers": [{"name": "two", "image": "x"}]})
        assert both.patch(path, other, "strategic").status == 500

    def test_scalars_are_merged_as_a_set(self, both: Both) -> None:
        path = configmap(both)
        both.patch(path, {"metadata": {"finalizers": ["x/a", "x/b", "x/c"]}}, "strategic")
        answer = both.patch(path, {"metadata": {"finalizers": ["x/b", "x/d", "x/d"]}}, "strategic")
        assert answer.json()["metadata"]["finalizers"] == ["x/a", "x/b", "x/d", "x/c"]
        answer = both.patch(path, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a", "x/q"]}}, "strategic")
        assert answer.json()["metadata"]["finalizers"] == ["x/b", "x/d", "x/c"]
        order = {"$setElementOrder/finalizers": ["x/c", "x/b", "x/e"], "finalizers": ["x/e"]}
        answer = both.patch(path, {"metadata": order}, "strategic")
        assert answer.json()["metadata"]["finalizers"] == ["x/d", "x/c", "x/b", "x/e"]
        both.patch(path, {"metadata": {"finalizers": None}}, "strategic")

    def test_retain_keys_of_a_union(self, both: Both) -> None:
        path = deployment(both)
        recreate = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
        answer = both.patch(path, recreate, "strategic")
        assert answer.json()["spec"]["strategy"] == {"type": "Recreate"}
        assert both.patch(path, {"spec": {"strategy": {"type": "RollingUpdate"}}}, "strategic").status == 200
        assert both.patch(path, {"spec": {"strategy": {"type": "Recreate"}}}, "strategic").status == 422

    def test_retain_keys_of_volumes(self, both: Both) -> None:
        path = deployment(both)
        both.patch(path, template(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}]), "strategic")
        secret = {"name": "v", "secret": {"secretName": "s"}}
        assert both.patch(path, template(volumes=[secret]), "strategic").status == 422
        answer = both.patch(path, template(volumes=[{**secret, "$retainKeys": ["name", "secret"]}]), "strategic")
        assert [each["name"] for each in answer.json()["spec"]["template"]["spec"]["volumes"]] == ["v", "w"]

    @pytest.mark.parametrize(
        "patch",
        [
            {"$patch": "merge"},
            {"$patch": "foo"},
            {"$patch": 1},
            {"data": {"$retainKeys": "a"}},
            {"data": {"$retainKeys": ["a"], "b": "3"}},
            {"metadata": {"$setElementOrder": ["a"]}},
            {"metadata": {"$setElementOrder/finalizers": "a"}},
            {"metadata": {"$setElementOrder/none": []}},
            {"metadata": {"$setElementOrder/labels": []}},
            {"metadata": {"$deleteFromPrimitiveList": ["a"]}},
            {"metadata": {"$deleteFromPrimitiveListX/a": ["a"]}},
            {"metadata": {"ownerReferences": [{"name": "a"}], "$setElementOrder/ownerReferences": [{"uid": "a"}]}},
            {"metadata": {"labels": {"a": {"b": 1}}}},
            {"metadata": {"labels": {"a": 1}}},
            {"metadata": {"labels": ["a"]}},
            {"metadata": {"generation": "x"}},
            {"metadata": {"generation": 1.5}},
            {"metadata": {"creationTimestamp": 1}},
            {"metadata": {"creationTimestamp": "x"}},
            {"data": {"a": None, "c": [1.5, "x", True, None]}},
            {"data": {"b": 1}},
            {"binaryData": {"a": "!"}},
            {"immutable": "yes"},
            {"metadata": None},
            {"metadata": {"name": "other"}},
        ],
        ids=json.dumps,
    )
    def test_what_is_wrong_with_an_object(self, both: Both, patch: Any) -> None:
        assert both.patch(configmap(both), patch, "strategic").status >= 400

    @pytest.mark.parametrize(
        "spec",
        [
            {"containers": [{"image": "x"}]},
            {"containers": ["x"]},
            {"containers": [{"name": "one", "$patch": "merge"}]},
            {"containers": [{"name": "one", "$patch": "foo"}]},
            {"containers": [{"$patch": "delete"}]},
            {"containers": [[{"name": "one"}]]},
            {"containers": [{"name": "one", "ports": [{"name": "p"}, {"containerPort": 80}]}]},
            {"containers": {"name": "one"}},
            {"$setElementOrder/containers": [{"image": "x"}]},
            {"$setElementOrder/containers": ["one"]},
        ],
        ids=json.dumps,
    )
    def test_what_is_wrong_with_a_list(self, both: Both, spec: Any) -> None:
        assert both.patch(deployment(both), template(**spec), "strategic").status >= 400

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"1", b'"x"', b'{"data": {"a": 1e400}}'])
    def test_what_is_no_patch(self, both: Both, body: bytes) -> None:
        bad(both, configmap(both), body, "strategic")

    def test_kind_and_version_in_a_patch_say_nothing(self, both: Both) -> None:
        path = configmap(both)
        for patch in ({"kind": "Pod"}, {"kind": None}, {"apiVersion": "v2"}, {"apiVersion": None}):
            assert both.patch(path, patch, "strategic").status == 200

    def test_service_ports_are_merged_by_port(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/services"
        name = both.unique
        ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
        both.post(path, {"metadata": {"name": name}, "spec": {"ports": ports, "clusterIP": "None"}}, compare=False)
        answer = both.patch(
            f"{path}/{name}",
            {"spec": {"ports": [{"port": 443, "name": "tls"}, {"port": 8080, "name": "alt"}]}},
            "strategic",
        )
        assert [each["name"] for each in answer.json()["spec"]["ports"]] == ["http", "tls", "alt"]

    def test_the_status_of_a_deployment(self, both: Both) -> None:
        path = deployment(both)
        old = {"type": "Old", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00+02:00"}
        both.patch(f"{path}/status", {"status": {"conditions": [old]}}, "strategic")
        patch = {"status": {"conditions": [{"type": "New", "status": "True"}]}, "metadata": {"labels": {"x": "y"}}}
        answer = both.patch(f"{path}/status", patch, "strategic")
        assert [each["type"] for each in answer.json()["status"]["conditions"]] == ["New", "Old"]


class TestAnyPatch:
    @pytest.mark.parametrize("kind", ["json", "merge", "strategic"])
    def test_of_a_missing_object(self, both: Both, kind: str) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps/none"
        assert both.patch(path, [] if kind == "json" else {}, kind).status == 404
        assert both.patch(path, b"{", kind).status == 404

    @pytest.mark.parametrize("kind", ["json", "merge", "strategic"])
    def test_dry_run_stores_nothing(self, both: Both, kind: str) -> None:
        path = configmap(both)
        patch: Any = [{"op": "add", "path": "/data/x", "value": "1"}] if kind == "json" else {"data": {"x": "1"}}
        assert both.patch(f"{path}?dryRun=All", patch, kind).json()["data"]["x"] == "1"
        assert "x" not in both.get(path).json()["data"]
        assert both.patch(f"{path}?dryRun=Some", patch, kind).status == 422

    @pytest.mark.parametrize("kind", ["json", "merge", "strategic"])
    def test_a_manager_of_its_own(self, both: Both, kind: str) -> None:
        path = configmap(both)
        patch: Any = [{"op": "add", "path": "/data/x", "value": "1"}] if kind == "json" else {"data": {"x": "1"}}
        answer = both.patch(f"{path}?fieldManager=me", patch, kind)
        assert {each["manager"] for each in answer.json()["metadata"]["managedFields"]} >= {"me"}
        assert both.patch(f"{path}?force=true", patch, kind).status == 422

    def test_media_types(self, both: Both) -> None:
        path = configmap(both)
        for media_type in (
            "application/json",
            "application/yaml",
            "text/plain",
            "application/merge-patch+json; charset=utf-8",
            "application/MERGE-PATCH+json",
            "",
        ):
            both.request("PATCH", path, b"{}", headers={"Content-Type": media_type})
