"""Field management of whole requests: update, apply, and what is left as it was.

What the real server makes of the same writes is in the judged tests and in the conformance suite; here is what those
do not reach: times, versions that differ in shape, and that nothing given is changed.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ownership import GROUP, THING, builtin, custom, other_version

from dynkube.testing.apiserver import fieldmanagement
from dynkube.testing.apiserver.fieldmanagement import ProblemError, Version
from dynkube.testing.apiserver.words.schemas import Definitions
from dynkube.testing.apiserver.words.statuses import StatusError

THEN, NOW, LATER = (f"2026-01-31T12:00:0{second}Z" for second in range(3))
CONFIG_MAP = builtin("v1", "ConfigMap")


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def applied(
    live: Any, config: Any, manager: str = "ann", *, now: str = NOW, version: Version = CONFIG_MAP, **options: Any
) -> Any:
    options = {"versions": lambda _: None, **options}
    obj = fieldmanagement.apply(live, config, version=version, manager=manager, now=now, **options)
    obj["metadata"].setdefault("uid", "1")
    return obj


def updated(
    live: Any, new: Any, manager: str = "ann", *, now: str = NOW, version: Version = CONFIG_MAP, **options: Any
) -> Any:
    options = {"versions": lambda _: None, **options}
    return fieldmanagement.update(live, new, version=version, manager=manager, now=now, **options)


def owned(obj: Any) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in obj["metadata"].get("managedFields", ())}


def times(obj: Any) -> dict[str, str]:
    return {each["manager"]: each["time"] for each in obj["metadata"].get("managedFields", ())}


# ------------------------------------------------------------------ times


def test_a_managers_time_is_that_of_its_last_change() -> None:
    live = applied(None, config_map(x="1"), "ann", now=THEN)
    live = applied(live, config_map(y="1"), "bob", now=NOW)
    assert times(live) == {"ann": THEN, "bob": NOW}
    new = config_map(x="1", y="1", z="1") | {"metadata": copy.deepcopy(live["metadata"])}
    assert times(updated(live, new, "cid", now=LATER)) == {"ann": THEN, "bob": NOW, "cid": LATER}


def test_who_loses_a_field_keeps_the_time() -> None:
    live = applied(None, config_map(x="1", y="1"), "ann", now=THEN)
    live = applied(live, config_map(x="2"), "bob", now=NOW, force=True)
    assert times(live) == {"ann": THEN, "bob": NOW}


def test_an_apply_that_changes_nothing_keeps_the_time() -> None:
    live = applied(None, config_map(x="1"), now=THEN)
    again = applied(live, config_map(x="1"), now=NOW)
    assert again == live


def test_an_apply_that_only_adds_an_owner_has_no_time_yet() -> None:
    live = applied(None, config_map(x="1"), "ann", now=THEN)
    again = applied(live, config_map(x="1"), "bob", now=NOW)
    bob = next(each for each in again["metadata"]["managedFields"] if each["manager"] == "bob")
    assert "time" not in bob


def test_an_update_that_changes_nothing_keeps_all() -> None:
    live = updated(None, config_map(x="1"), now=THEN)
    assert updated(live, copy.deepcopy(live), "bob", now=NOW) == live


def test_new_times_alone_are_no_change() -> None:
    old = updated(None, config_map(x="1"), now=THEN)
    new = updated(None, config_map(x="1"), now=NOW)
    assert fieldmanagement.keep_times(new, old) == old
    other = updated(None, config_map(x="1"), "bob", now=NOW)
    assert fieldmanagement.keep_times(other, old) is other
    changed = {**new, "data": {"x": "2"}}
    assert fieldmanagement.keep_times(changed, old) is changed
    bare = config_map(x="1")
    assert fieldmanagement.keep_times(bare, bare) is bare


# ------------------------------------------------------------------ what is given stays as it is


def test_an_update_changes_neither_object() -> None:
    live = applied(None, config_map(x="1"))
    new = config_map(x="2") | {"metadata": copy.deepcopy(live["metadata"])}
    before = copy.deepcopy((live, new))
    updated(live, new, "bob")
    assert (live, new) == before


def test_an_apply_changes_neither_object_and_shares_nothing() -> None:
    live = applied(None, config_map(x="1") | {"metadata": {"name": "a", "labels": {"a": "b"}}})
    config = config_map(y="1") | {"metadata": {"name": "a", "finalizers": ["a/b"]}}
    before = copy.deepcopy((live, config))
    obj = applied(live, config, "bob")
    obj["metadata"]["labels"]["c"] = "d"
    obj["metadata"]["finalizers"].append("c/d")
    obj["data"]["z"] = "1"
    assert (live, config) == before


# ------------------------------------------------------------------ who is tracked


def test_a_manager_without_a_name_is_unknown() -> None:
    assert owned(updated(None, config_map(x="1"), "")) == {"unknown": {"f:data": {".": {}, "f:x": {}}}}


def test_an_object_without_managers_stays_without() -> None:
    live = config_map(x="1") | {"metadata": {"name": "a", "uid": "1"}}
    assert owned(updated(live, config_map(x="2"))) == {}


def test_managers_that_cannot_be_read_are_those_that_are_stored() -> None:
    live = applied(None, config_map(x="1"))
    sent = [
        {"manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"data": {}}}
    ]
    new = config_map(x="1", y="1") | {"metadata": {"name": "a", "uid": "1", "managedFields": sent}}
    assert owned(updated(live, new, "bob")) == {"ann": {"f:data": {"f:x": {}}}, "bob": {"f:data": {"f:y": {}}}}


def test_a_subresource_cannot_set_managers() -> None:
    live = applied(None, config_map(x="1"))
    new = config_map(x="1", y="1") | {"metadata": {"name": "a", "uid": "1", "managedFields": [{}]}}
    found = updated(live, new, "bob", subresource="status")
    assert owned(found)["ann"] == {"f:data": {"f:x": {}}}


def test_a_stored_object_with_broken_managers_cannot_be_applied_to() -> None:
    live = config_map(x="1") | {"metadata": {"name": "a", "uid": "1", "managedFields": [{"operation": "x"}]}}
    with pytest.raises(StatusError) as caught:
        applied(live, config_map(x="2"))
    assert caught.value.code == 500
    assert str(caught.value) == "failed to decode managed fields: operation must be `Apply` or `Update`"


def test_what_an_endpoint_cannot_change_is_not_owned() -> None:
    deployment = builtin("apps/v1", "Deployment")
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "labels": {"x": "y"}}}
    obj |= {"spec": {"replicas": 1}, "status": {"replicas": 1}}
    resets = (("spec",), ("metadata", "labels"))
    found = updated(None, obj, version=deployment, subresource="status", reset_fields=resets)
    assert owned(found) == {"ann": {"f:status": {"f:replicas": {}}}}


# ------------------------------------------------------------------ versions

V1, V2 = f"{GROUP}/v1", f"{GROUP}/v2"
THINGS = {V1: custom(V1, "Thing", THING), V2: custom(V2, "Thing", other_version(THING))}


def thing(api_version: str = V1, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


def test_managers_speak_in_their_own_versions() -> None:
    live = applied(None, thing(V2, text="a", tags=["a"]), version=THINGS[V2], versions=THINGS.get)
    new = {**live, "apiVersion": V1, "spec": {"text": "a", "tags": ["a", "b"]}}
    found = updated(live, new, "bob", version=THINGS[V1], versions=THINGS.get)
    assert owned(found) == {
        "ann": {"f:spec": {"f:text": {}}},  # in v2 the list is one thing, and it changed
        "bob": {"f:spec": {"f:tags": {'v:"b"': {}}}},
    }


def test_an_applier_moves_to_another_version() -> None:
    live = applied(None, thing(text="a", tags=["a"]), version=THINGS[V1], versions=THINGS.get)
    found = applied(live, thing(V2, tags=["b"]), version=THINGS[V2], versions=THINGS.get)
    assert found["spec"] == {"tags": ["b"]}
    [entry] = found["metadata"]["managedFields"]
    assert (entry["apiVersion"], entry["fieldsV1"]) == (V2, {"f:spec": {"f:tags": {}}})


def test_a_version_of_another_shape() -> None:
    """A field that has another name there: its owner keeps it as long as its value stays."""

    def described(field: str) -> dict[str, Any]:
        spec = {"type": "object", "properties": {field: {"type": "string"}, "other": {"type": "string"}}}
        text = {"type": "string"}
        own = {"apiVersion": text, "kind": text, "metadata": {"type": "object"}}
        return {"type": "object", "properties": {**own, "spec": spec}}

    def version(api_version: str, field: str, elsewhere: str) -> Version:
        def convert(obj: dict[str, Any]) -> dict[str, Any]:
            spec = dict(obj.get("spec", {}))
            if elsewhere in spec:
                spec[field] = spec.pop(elsewhere)
            return {**obj, "apiVersion": api_version, "spec": spec}

        schema = Definitions({"components": {"schemas": {"it": described(field)}}}).find("it")
        empty = {"apiVersion": api_version, "kind": "Shape", "metadata": {}, "spec": {}}
        return Version(api_version=api_version, kind="Shape", load_schema=lambda: schema, convert=convert, empty=empty)

    shapes = {"g/v1": version("g/v1", "old", "new"), "g/v2": version("g/v2", "new", "old")}
    base = {"kind": "Shape", "metadata": {"name": "a"}}
    first = {"apiVersion": "g/v1", **base, "spec": {"old": "1", "other": "1"}}
    live = applied(None, first, version=shapes["g/v1"], versions=shapes.get)
    with pytest.raises(StatusError) as caught:
        second = {"apiVersion": "g/v2", **base, "spec": {"new": "2"}}
        applied(live, second, "bob", version=shapes["g/v2"], versions=shapes.get)
    assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "ann": .spec.old'
    same = {"apiVersion": "g/v2", **base, "spec": {"new": "1"}}
    live = applied(live, same, "bob", version=shapes["g/v2"], versions=shapes.get)
    assert owned(live) == {"ann": {"f:spec": {"f:old": {}, "f:other": {}}}, "bob": {"f:spec": {"f:new": {}}}}
    gone = applied(live, {"apiVersion": "g/v1", **base, "spec": {}}, version=shapes["g/v1"], versions=shapes.get)
    assert gone["spec"] == {"old": "1"}


def test_managers_of_a_version_that_a_built_in_kind_does_not_have_are_forgotten() -> None:
    live = applied(None, config_map(x="1"))
    live["metadata"]["managedFields"][0]["apiVersion"] = "v0"
    new = config_map(x="1", y="1") | {"metadata": copy.deepcopy(live["metadata"])}
    assert owned(updated(live, new, "bob")).keys() == {"bob"}


def test_a_version_that_a_custom_kind_does_not_have_makes_an_apply_fail() -> None:
    live = applied(None, thing(text="a"), version=THINGS[V1])
    live["metadata"]["managedFields"][0]["apiVersion"] = f"{GROUP}/v9"
    with pytest.raises(StatusError) as caught:
        applied(live, thing(text="b"), "bob", version=THINGS[V1])
    assert str(caught.value) == f"request to convert CR to an invalid group/version: {GROUP}/v9"
    assert "reason" not in caught.value.status


def test_an_update_that_cannot_be_converted_forgets_all_managers() -> None:
    def refuse(_: Any) -> Any:
        raise ProblemError("no")

    other = Version(
        api_version=V2, kind="Thing", load_schema=THINGS[V2].load_schema, convert=refuse, empty={}, is_custom=True
    )
    live = applied(None, thing(text="a"), version=THINGS[V1])
    live["metadata"]["managedFields"][0]["apiVersion"] = V2
    new = {**live, "spec": {"text": "b"}}
    assert owned(updated(live, new, "bob", version=THINGS[V1], versions={V2: other}.get)) == {}


def test_a_custom_object_that_is_not_of_its_type_has_no_managers() -> None:
    assert owned(updated(None, thing(text=1), version=THINGS[V1])) == {}
    assert owned(updated(None, thing(tags=[{}]), version=THINGS[V1])) == {}
    assert owned(updated(None, thing(tags=["a", "a"]), version=THINGS[V1])) == {"ann": {"f:spec": {
        ".": {}, "f:tags": {".": {}, 'v:"a"': {}},
    }}}  # fmt: skip
