"""What CRDs make the server serve, and what becomes of their objects."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from crds import TEXT, WHOLE, definition, listed, of, version
from customs import GROUP_VERSION, decoded, strategy, thing

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.customresources.publishing import definition_name, load_schema, schema_document
from dynkube.testing.apiserver.customresources.scale import ScalePaths, get_scale, scale_paths, set_replicas
from dynkube.testing.apiserver.customresources.serving import custom_resources
from dynkube.testing.apiserver.words.resources import Resource

GROUP = "g.example.com"
ACCEPTED = {"plural": "widgets", "kind": "Widget", "singular": "widget", "listKind": "WidgetList"}


def established(*versions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A CRD that is served."""
    crd = definition(GROUP, "widgets", *versions, **spec)
    names = ACCEPTED | crd["spec"]["names"]
    crd["spec"]["names"] = names
    return crd | {"status": {"acceptedNames": names, "conditions": [], "storedVersions": ["v1"]}}


# ------------------------------------------------------------------ resources


def test_a_resource_is_named_as_was_accepted() -> None:
    crd = established(names={"shortNames": ["wd"], "categories": ["all"]})
    (resource,) = custom_resources(crd)
    assert (resource.gvr.resource, resource.kind, resource.singular, resource.list_kind) == (
        "widgets", "Widget", "widget", "WidgetList",
    )  # fmt: skip
    assert (resource.short_names, resource.categories, resource.namespaced, resource.is_custom) == (
        ("wd",), ("all",), True, True,
    )  # fmt: skip
    assert list(resource.verbs) == ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
    assert not custom_resources(established(scope="Cluster"))[0].namespaced


def test_what_was_not_accepted_is_not_served() -> None:
    crd = established(names={"shortNames": ["wd"]})
    crd["status"]["acceptedNames"] = ACCEPTED
    assert custom_resources(crd)[0].short_names == ()


def test_a_definition_that_ends_takes_no_new_objects() -> None:
    crd = established()
    crd["status"]["conditions"] = [{"type": "Terminating", "status": "True"}]
    assert list(custom_resources(crd)[0].verbs) == ["delete", "deletecollection", "get", "list", "watch"]


def test_there_is_a_resource_for_each_served_version() -> None:
    crd = established(version("v1"), version("v2"), version("v3", served=False))
    found = custom_resources(crd)
    assert [each.gvr.version for each in found] == ["v1", "v2"]
    assert {each.storage_version for each in found} == {"v1"}
    assert list(found[0].unserved) == ["v3"]


def test_subresources_are_those_of_the_version() -> None:
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    first, second = custom_resources(established(version(subresources={"status": {}, "scale": scale}), version("v2")))
    assert {name: str(each.kind.kind) for name, each in first.subresources.items()} == {
        "status": "Widget",
        "scale": "Scale",
    }
    assert list(first.subresources["scale"].verbs) == ["get", "patch", "update"]
    assert not second.subresources


def warnings(*versions: dict[str, Any]) -> list[str]:
    return [each.warning for each in custom_resources(established(*versions))]


def test_versions_that_are_deprecated_are_warned_of() -> None:
    old = version("v1beta1", deprecated=True)
    assert warnings(version("v1"), old)[1] == "g.example.com/v1beta1 Widget is deprecated; use g.example.com/v1 Widget"
    told = version("v1alpha1", deprecated=True, deprecationWarning="do not")
    assert warnings(version("v1"), told) == ["", "do not"]
    assert warnings(version(deprecated=True)) == ["g.example.com/v1 Widget is deprecated"]
    newest = warnings(version("v1"), version("v2"), version("v2beta1"), version("v3alpha1", served=False), old)[3]
    assert newest.endswith("use g.example.com/v2 Widget")


# ------------------------------------------------------------------ strategies

STATUS = of(n=WHOLE)


def with_status(**row: Any) -> Any:
    schema = of(spec=of(a=TEXT), status=STATUS)
    return strategy({}, schema={"openAPIV3Schema": schema}, subresources={"status": {}}, **row)


def test_a_new_object_has_no_status_of_its_client() -> None:
    obj = thing({"a": "x"}, status={"n": 1})
    with_status().prepare_for_create(obj)
    assert "status" not in obj
    assert obj["metadata"]["generation"] == 1
    plain = thing({}, status={"n": 1})
    strategy({}).prepare_for_create(plain)
    assert plain["status"] == {"n": 1}


def test_status_and_the_rest_keep_out_of_each_others_way() -> None:
    kind = with_status()
    old = thing({"a": "x"}, status={"n": 1})
    old["metadata"]["generation"] = 1
    obj = thing({"a": "y"}, status={"n": 2})
    kind.prepare_for_update(obj, old, "")
    assert (obj["status"], obj["metadata"]["generation"]) == ({"n": 1}, 2)
    obj = thing({"a": "y"}, status={"n": 2})
    obj["metadata"] |= {"labels": {"a": "b"}, "managedFields": [{"manager": "me"}]}
    kind.prepare_for_update(obj, old, "status")
    assert (obj["spec"], obj["status"]) == ({"a": "x"}, {"n": 2})
    assert obj["metadata"] == old["metadata"] | {"managedFields": [{"manager": "me"}]}


@pytest.mark.parametrize(
    ("change", "generation"),
    [({}, 1), ({"metadata": {"labels": {"a": "b"}}}, 1), ({"spec": {"a": "y"}}, 2), ({"status": {"n": 2}}, 2)],
    ids=str,
)
def test_what_changes_beside_metadata_is_a_generation(change: dict[str, Any], generation: int) -> None:
    old = thing({"a": "x"})
    old["metadata"]["generation"] = 1
    obj = copy.deepcopy(old)
    for name, value in change.items():
        obj[name] = {**obj.get(name, {}), **value}
    strategy({}).prepare_for_update(obj, old, "")
    assert obj["metadata"]["generation"] == generation


def test_fields_that_a_write_cannot_change_are_reset() -> None:
    kind = with_status()
    assert list(kind.reset_fields("")) == [("status",)]
    assert list(kind.reset_fields("status")) == [("metadata",), ("spec",)]
    assert list(kind.reset_fields("scale")) == []
    assert list(strategy({}).reset_fields("")) == []


@pytest.mark.parametrize(
    ("finalizer", "told"),
    [
        ("example.com/mine", []),
        ("orphan", []),
        (
            "mine",
            [
                'metadata.finalizers: "mine": prefer a domain-qualified finalizer name to avoid accidental conflicts '
                "with other finalizer writers"
            ],
        ),
        (
            "a.example.com",
            [
                'metadata.finalizers: "a.example.com": prefer a domain-qualified finalizer name including a path (/) to '
                "avoid accidental conflicts with other finalizer writers"
            ],
        ),
    ],
)
def test_finalizers_that_are_not_qualified_are_warned_of(finalizer: str, told: list[str]) -> None:
    obj = thing({})
    obj["metadata"]["finalizers"] = [finalizer]
    kind = strategy({})
    assert list(kind.warnings(obj, None, "")) == told
    assert list(kind.warnings(obj, obj, "")) == []


def test_names_are_subdomains() -> None:
    kind = strategy({})
    assert not kind.validate_name("a.b")
    assert kind.validate_name("A")


def test_values_of_selectable_fields_are_text() -> None:
    fields = [{"jsonPath": f".spec.{name}"} for name in ("a", "n", "on", "none")]
    kind = strategy(of(a=TEXT, n=WHOLE, on={"type": "boolean"}, none=TEXT), selectableFields=fields)
    assert kind.selectable_fields(thing({"a": "x", "n": 5, "on": True})) == {
        "spec.a": "x", "spec.n": "5", "spec.on": "true", "spec.none": "",
    }  # fmt: skip


def test_whole_numbers_are_stored_as_such() -> None:
    kind = strategy(of(n=WHOLE, d={"type": "number"}, l=listed({"type": "number"})))
    obj = thing({"n": 2.0, "d": 3.0, "l": [1.0, 1.5, 1e21]})
    decoded(kind, obj)
    assert not kind.validate(obj)
    assert obj["spec"] == {"n": 2, "d": 3, "l": [1, 1.5, 1e21]}
    assert [type(each) for each in obj["spec"]["l"]] == [int, float, float]


def test_negative_replicas_are_refused() -> None:
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n", "labelSelectorPath": ".status.s"}
    kind = strategy(of(n=WHOLE), subresources={"scale": scale})
    assert [str(each) for each in kind.validate(thing({"n": -1}))] == [
        ".spec.n: Invalid value: -1: should be a non-negative integer"
    ]
    assert [each.field for each in kind.validate(thing({"n": 2**31}, status={"s": 5}))] == [".spec.n", ".status.s"]
    assert not kind.validate_update(thing({"n": -1}), thing({"n": 1}), "status")


# ------------------------------------------------------------------ versions


def versions(*rows: dict[str, Any]) -> dict[str, Resource]:
    return {each.gvr.version: each for each in custom_resources(established(*rows))}


def gadget(version: str, spec: dict[str, Any]) -> dict[str, Any]:
    head = {"apiVersion": f"{GROUP}/{version}", "kind": "Widget", "metadata": {"name": "x"}}
    return head | {"spec": spec}


def test_objects_are_shown_with_the_fields_of_a_version() -> None:
    served = versions(version("v1", of(spec=of(a=TEXT, b=TEXT))), version("v2", of(spec=of(a=TEXT))))
    stored = gadget("v1", {"a": "x", "b": "y"})
    shown = served["v2"].strategy.convert(stored, GroupVersion(GROUP, "v2"))
    assert shown == gadget("v2", {"a": "x"})
    assert stored["spec"] == {"a": "x", "b": "y"}
    assert served["v1"].strategy.convert(stored, GroupVersion(GROUP, "v1")) is stored


def test_what_is_stored_obeys_the_version_that_is_stored() -> None:
    served = versions(
        version("v1", of(spec=of(a=TEXT | {"default": "d"}))),
        version("v2", of(spec=of(a=TEXT, c=WHOLE | {"default": 1}))),
    )
    kind, obj = served["v2"].strategy, gadget("v2", {"c": 2})
    kind.normalize(obj, GroupVersion(GROUP, "v2"))
    kind.default(obj, GroupVersion(GROUP, "v2"))
    obj = kind.convert(obj, GroupVersion(GROUP, "v1"))
    assert obj["spec"] == {"c": 2}
    assert not kind.validate(obj)
    assert obj["spec"] == {"a": "d"}


def test_reading_prunes_and_defaults_by_the_schema_of_today() -> None:
    kind = strategy(of(a=TEXT, b=WHOLE | {"default": 7}))
    obj = thing({"a": "x", "gone": 1})
    kind.restore(obj)
    assert obj["spec"] == {"a": "x", "b": 7}


# ------------------------------------------------------------------ scales

PATHS = ScalePaths(".spec.n", ".status.n", ".status.selector")


def test_the_scale_of_an_object() -> None:
    obj = thing({"n": 3}, status={"n": 2, "selector": "a=b"})
    scale, is_said = get_scale(PATHS, obj)
    assert is_said
    assert (scale["spec"], scale["status"]) == ({"replicas": 3}, {"replicas": 2, "selector": "a=b"})
    assert scale["metadata"] == {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1"}
    assert get_scale(PATHS, thing({}))[1] is False


def test_replicas_are_set_where_they_belong() -> None:
    obj = thing({})
    set_replicas(PATHS, obj, 5)
    assert obj["spec"] == {"n": 5}
    del obj["spec"]
    set_replicas(ScalePaths(".spec.deep.n", ".status.n"), obj, 6)
    assert obj["spec"] == {"deep": {"n": 6}}
    with pytest.raises(ValueError, match=r"value cannot be set because \.spec is not a map"):
        set_replicas(PATHS, obj | {"spec": 5}, 1)


def test_numbers_of_another_type_have_no_scale() -> None:
    with pytest.raises(ValueError, match=r"\.spec\.n accessor error: x is of the type string, expected int64"):
        get_scale(PATHS, thing({"n": "x"}))
    with pytest.raises(ValueError, match=r"expected map\[string\]interface"):
        get_scale(PATHS, thing(5))


def test_only_some_versions_are_scaled() -> None:
    assert scale_paths(None) is None
    assert scale_paths({"status": {}}) is None
    assert scale_paths({"scale": {"specReplicasPath": ".a", "statusReplicasPath": ".b"}}) == ScalePaths(".a", ".b")


# ------------------------------------------------------------------ schemas


def test_definitions_are_named_by_the_reversed_group() -> None:
    assert definition_name("g.example.com", "v1", "Widget") == "com.example.g.v1.Widget"


def test_schemas_are_published_with_what_every_object_has() -> None:
    crd = established(version(schema=of(spec=of(a=TEXT | {"default": "x"}, e={"x-kubernetes-int-or-string": True}))))
    document = schema_document(crd, "v1")
    assert sorted(document) == ["com.example.g.v1.Widget", "com.example.g.v1.WidgetList"]
    widget = document["com.example.g.v1.Widget"]
    assert sorted(widget["properties"]) == ["apiVersion", "kind", "metadata", "spec"]
    assert widget["x-kubernetes-group-version-kind"] == [{"group": GROUP, "kind": "Widget", "version": "v1"}]
    assert widget["properties"]["spec"]["properties"]["a"] == {"type": "string", "default": "x"}
    items = document["com.example.g.v1.WidgetList"]["properties"]["items"]
    assert items["items"] == {"$ref": "#/components/schemas/com.example.g.v1.Widget"}


def test_field_management_reads_the_schema_of_a_version() -> None:
    rows = listed(of(k=TEXT), **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]})
    schema = load_schema(established(version(schema=of(spec=of(rows=rows)))), "v1")()
    assert schema is not None


def test_versions_are_judged_apart() -> None:
    kind = strategy(of(a=TEXT))
    assert kind.schema.shape.properties["spec"].properties["a"].type == "string"
    assert kind.scale is None
    assert not kind.has_status
    assert GROUP_VERSION.api_version == "g.io/v1"
