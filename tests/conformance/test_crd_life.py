"""What becomes of CRDs: their versions, columns and scales, their conditions, changes and end; on both servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from both import Both
from crds import (
    DEFINITIONS,
    TEXT,
    WHOLE,
    Kind,
    NewKind,
    causes,
    definition,
    in_any_order,
    in_order_of_type,
    kept,
    new_kinds,
    of,
    remove,
    until,
    version,
    wait_until_served,
    without_versions,
)
from manifests import CRDS, crd

import dynkube

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


@pytest.fixture
def new_kind(both: Both) -> Iterator[NewKind]:
    """Makes kinds that go with the case."""
    yield from new_kinds(both)


class TestVersions:
    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        rows = [
            version("v1", of(spec=of(a=TEXT, b=TEXT))),
            version("v2", of(spec=of(a=TEXT, c=WHOLE | {"default": 1})), subresources={"status": {}}),
            version("v1beta1", of(spec=of(a=TEXT)), deprecated=True),
            version("v1alpha1", of(spec=of(a=TEXT)), deprecated=True, deprecationWarning="do not"),
            version("v3", of(spec=of(a=TEXT)), served=False),
        ]
        names = {"shortNames": ["vs"], "categories": ["all", "manies"], "singular": "manied", "listKind": "ManyOfThem"}
        return kept(both, "manyversions", *rows, names=names)

    def test_each_shows_its_own_fields(self, kind: Kind) -> None:
        found = kind.make(spec={"a": "x", "b": "y"})
        for each in ("v1", "v2", "v1beta1", "v1alpha1", "v3"):
            kind.both.get(kind.path(found["metadata"]["name"], each))
            kind.both.get(kind.path(version=each))

    def test_what_is_written_in_one_is_read_in_another(self, kind: Kind) -> None:
        found = kind.make("v2", spec={"a": "x", "c": 5})
        name = found["metadata"]["name"]
        assert kind.both.get(kind.path(name, "v2")).json()["spec"] == {"a": "x"}  # defaults are of the stored version
        kind.both.patch(kind.path(name, "v1beta1"), {"spec": {"a": "z"}})
        kind.both.patch(kind.path(name), {"spec": {"b": "z"}})
        kind.both.get(kind.path(name, "v2"))

    def test_a_body_names_the_version_of_its_path(self, kind: Kind) -> None:
        body = kind.object("v2")
        assert kind.both.post(kind.path(), body).status == 400

    def test_old_ones_are_warned_of(self, kind: Kind) -> None:
        for each in ("v1beta1", "v1alpha1"):
            assert kind.both.get(kind.path(version=each)).headers.get_all("Warning")
            kind.make(each, spec={"a": "x"})

    def test_discovery(self, kind: Kind) -> None:
        def group_only(document: Any) -> Any:
            return [each for each in document["items"] if each["metadata"]["name"] == kind.group]

        for path in (f"/apis/{kind.group}", *(f"/apis/{kind.group}/{each}" for each in ("v1", "v2", "v1beta1", "v3"))):
            kind.both.get(path)
        accept = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
        kind.both.get("/apis", headers=accept, mask=group_only)

    def test_what_is_published(self, kind: Kind) -> None:
        for each in ("v1", "v2"):
            kind.both.get(f"/openapi/v3/apis/{kind.group}/{each}")

    def test_the_version_that_is_stored_can_change(self, new_kind: NewKind) -> None:
        kind = new_kind(version("v1", of(spec=of(a=TEXT))), version("v2", of(spec=of(a=TEXT, b=TEXT))))
        found = kind.make(spec={"a": "x"})
        both, where = kind.both, f"{DEFINITIONS}/{kind.crd['metadata']['name']}"
        rows = [row | {"storage": row["name"] == "v2"} for row in kind.crd["spec"]["versions"]]
        answer = both.patch(where, {"spec": {"versions": rows}})
        assert answer.json()["status"]["storedVersions"] == ["v1", "v2"]
        for side in both.sides:
            until(side, where, lambda seen: seen["spec"]["versions"][1]["storage"])
        name = found["metadata"]["name"]
        time.sleep(0.3)
        both.patch(kind.path(name, "v2"), {"spec": {"b": "y"}})
        both.get(kind.path(name))
        answer = both.patch(where, {"spec": {"versions": rows[1:]}}, mask=in_any_order)
        assert causes(answer)[0][0] == "status.storedVersions[0]"
        assert both.patch(f"{where}/status", {"status": {"storedVersions": ["v2"]}}).status == 200
        assert both.patch(where, {"spec": {"versions": rows[1:]}}, mask=in_any_order).status == 200

    def test_objects_without_a_namespace(self, new_kind: NewKind) -> None:
        kind = new_kind(scope="Cluster")
        found = kind.make()
        both = kind.both
        both.get(kind.path(found["metadata"]["name"]))
        namespaced = f"/apis/{kind.group}/v1/namespaces/{both.namespace}/{kind.plural}"
        both.get(namespaced)
        both.post(namespaced, kind.object())
        body = kind.object()
        body["metadata"]["namespace"] = "default"
        both.post(kind.path(), body)
        both.post(f"/apis/{kind.group}/v1/{kind.plural}/", kind.object())


COLUMNS = [
    ("Text", "string", ".spec.text"),
    ("Whole", "integer", ".spec.whole"),
    ("Real", "number", ".spec.real"),
    ("Flag", "boolean", ".spec.flag"),
    ("When", "date", ".spec.when"),
    ("First", "string", ".spec.list[0]"),
    ("Each", "string", ".spec.list[*]"),
    ("Last", "string", ".spec.list[-1:]"),
    ("Ready", "string", '.spec.conditions[?(@.type=="Ready")].status'),
    ("Object", "string", ".spec.object"),
    ("None", "string", ".spec.none.deeper"),
    ("Misfit", "integer", ".spec.text"),
    ("Late", "date", ".spec.text"),
    ("Quoted", "string", ".metadata.annotations['a\\.b/c']"),
    ("Name", "string", ".metadata.name"),
    ("Count", "integer", ".metadata.generation"),
]


class TestColumns:
    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        rows = [{"name": name, "type": each, "jsonPath": path} for name, each, path in COLUMNS]
        rows[0] |= {"description": "what it says", "priority": 1}
        rows[1] |= {"format": "int32"}
        schema = of(spec={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
        return kept(both, "columneds", version(schema=schema, additionalPrinterColumns=rows), version("v2", schema))

    def test_cells(self, kind: Kind) -> None:
        conditions = [{"type": "Ready", "status": "True"}, {"type": "Live", "status": "False"}]
        specs = [
            {},
            {"text": "abc", "whole": 5, "real": 1.5, "flag": True, "when": "2020-01-02T03:04:05Z", "list": ["a", "b"]},
            {
                "text": 5,
                "whole": "5",
                "real": 2,
                "flag": "yes",
                "when": "never",
                "list": [],
                "object": {"a": {"b": [1]}},
            },
            {"conditions": conditions, "list": [1, 2.5, None], "object": [1, {"a": "b"}], "whole": 2.0, "text": None},
            {"conditions": [], "list": "ab", "whole": 1.5, "real": "1.5", "text": {"a": 1}, "when": 5, "object": "x"},
            {"conditions": "x", "text": True, "flag": 1, "none": {"deeper": None}, "real": 1e21},
        ]
        for number, spec in enumerate(specs):
            body = kind.object(spec=spec)
            body["metadata"] |= {"name": f"row-{number}", "annotations": {"a.b/c": "noted"}}
            assert kind.both.post(kind.path(), body).status == 201
        for each in ("v1", "v2"):
            kind.both.get(kind.path(version=each), headers=TABLE)
            kind.both.get(kind.path("row-1", each), headers=TABLE)


class TestSelectableFields:
    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        schema = of(spec=of(color=TEXT, size=WHOLE, on={"type": "boolean"}, other=TEXT))
        fields = [{"jsonPath": f".spec.{name}"} for name in ("color", "size", "on")]
        return kept(both, "selectables", version(schema=schema, selectableFields=fields))

    def test_lists_are_selected_by_them(self, kind: Kind) -> None:
        specs = [{"color": "red", "size": 5, "on": True}, {"color": "blue"}, {}]
        for number, spec in enumerate(specs):
            body = kind.object(spec=spec)
            body["metadata"]["name"] = f"row-{number}"
            kind.both.post(kind.path(), body)
        for selector in (
            "spec.color=red", "spec.color!=red", "spec.color=", "spec.size=5", "spec.on=true", "spec.on=false",
            "spec.size=x", "spec.color=red,spec.size=5", "metadata.name=row-1", "metadata.namespace=x",
            "spec.other=x", "spec.color==blue", "status.x=1",
        ):  # fmt: skip
            kind.both.get(f"{kind.path()}?fieldSelector={selector}")


class TestScale:
    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        schema = of(spec=of(n=WHOLE), status=of(n=WHOLE, selector=TEXT))
        scale = {
            "specReplicasPath": ".spec.n",
            "statusReplicasPath": ".status.n",
            "labelSelectorPath": ".status.selector",
        }
        return kept(both, "scaleds", version(schema=schema, subresources={"status": {}, "scale": scale}))

    def test_it_is_read_and_written(self, kind: Kind) -> None:
        found = kind.make(spec={"n": 3})
        where = kind.path(found["metadata"]["name"])
        both = kind.both
        both.get(f"{where}/scale")
        both.patch(f"{where}/status", {"status": {"n": 2, "selector": "a=b"}})
        both.get(f"{where}/scale")
        both.put(f"{where}/scale", lambda side: side.last.json() | {"spec": {"replicas": 5}})
        both.patch(f"{where}/scale", {"spec": {"replicas": 6}})
        both.patch(f"{where}/scale", {"spec": {"replicas": -1}})
        both.patch(f"{where}/scale", {"spec": {"replicas": "x"}}, mask=without_versions)
        both.patch(f"{where}/scale", {"spec": {"replicas": None}})
        assert both.get(where).json()["metadata"]["generation"] == 4

    def test_it_is_not_there_before_there_is_something_to_scale(self, kind: Kind) -> None:
        found = kind.make()
        kind.both.get(kind.path(found["metadata"]["name"]) + "/scale")
        kind.both.patch(kind.path(found["metadata"]["name"]) + "/scale", {"spec": {"replicas": 2}})
        kind.both.get(kind.path("nobody") + "/scale")


class TestTheLifeOfADefinition:
    def test_conditions_come_and_names_are_accepted(self, new_kind: NewKind) -> None:
        kind = new_kind(names={"shortNames": ["x1"], "categories": ["all"]})
        where = f"{DEFINITIONS}/{kind.crd['metadata']['name']}"
        status = kind.both.get(where).json()["status"]
        assert [each["type"] for each in status["conditions"]] == ["NamesAccepted", "Established"]
        kind.both.get(f"{where}/status")

    def test_names_that_another_has_are_not_accepted(self, new_kind: NewKind) -> None:
        first = new_kind(names={"shortNames": ["mine"]})
        both = first.both
        second = definition(
            first.group, "others", names={"shortNames": ["mine"], "kind": first.crd["spec"]["names"]["kind"]}
        )
        both.post(DEFINITIONS, second)
        where = f"{DEFINITIONS}/{second['metadata']['name']}"
        for side in both.sides:
            until(side, where, lambda seen: len(seen["status"].get("conditions") or []) == 2)
        both.get(where)
        both.get(f"/apis/{first.group}/v1")
        # Once the first has gone, they are free.
        both.delete(f"{DEFINITIONS}/{first.crd['metadata']['name']}", mask=lambda _: "")
        for side in both.sides:
            wait_until_served(side, second)
        both.get(where)
        remove(both, second)

    def test_an_unapproved_protected_group(self, both: Both) -> None:
        crd = definition(f"{both.unique}.k8s.io")
        crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
        both.post(DEFINITIONS, crd)
        where = f"{DEFINITIONS}/{crd['metadata']['name']}"
        for side in both.sides:
            wait_until_served(side, crd)
            until(side, where, lambda seen: len(seen["status"]["conditions"]) == 3)
        both.get(where, mask=in_order_of_type)
        both.patch(
            where,
            {"metadata": {"annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/x/pull/1"}}},
            mask=lambda _: "",
        )
        for side in both.sides:
            until(side, where, lambda seen: "'ApprovedAnnotation'" in str(seen))
        both.get(where, mask=in_order_of_type)
        remove(both, crd)

    @pytest.mark.parametrize(
        "change",
        [
            {"spec": {"scope": "Cluster"}},
            {"spec": {"group": "other.test"}},
            {"spec": {"names": {"plural": "others"}}},
            {"spec": {"names": {"kind": "Changed"}}},
            {"spec": {"versions": []}},
            {
                "spec": {
                    "versions": [
                        {
                            "name": "v2",
                            "served": True,
                            "storage": True,
                            "schema": {"openAPIV3Schema": {"type": "object"}},
                        }
                    ]
                }
            },
            {"metadata": {"name": "other"}},
            {"metadata": {"labels": {"a": "b"}}},
            {"status": {"storedVersions": ["v9"]}},
        ],
        ids=str,
    )
    def test_changes(self, new_kind: NewKind, change: dict[str, Any]) -> None:
        kind = new_kind()
        kind.both.patch(f"{DEFINITIONS}/{kind.crd['metadata']['name']}", change, mask=in_any_order)

    def test_generations(self, new_kind: NewKind) -> None:
        kind = new_kind()
        where = f"{DEFINITIONS}/{kind.crd['metadata']['name']}"
        assert kind.both.patch(where, {"metadata": {"labels": {"a": "b"}}}).json()["metadata"]["generation"] == 1
        assert kind.both.patch(where, {"spec": {"names": {"shortNames": ["zz"]}}}).json()["metadata"]["generation"] == 2

    def test_the_end(self, new_kind: NewKind) -> None:
        kind = new_kind()
        found = kind.make()
        both, where = kind.both, f"{DEFINITIONS}/{kind.crd['metadata']['name']}"
        body = {"metadata": {"finalizers": ["test.dynkube.dev/hold"]}}
        both.patch(kind.path(found["metadata"]["name"]), body)
        both.delete(where, mask=lambda document: document | {"status": ""})
        for side in both.sides:
            until(side, where, lambda seen: "InstanceDeletion" in str(seen))
        both.get(where)
        both.get(kind.path(found["metadata"]["name"]))
        both.post(kind.path(), kind.object())
        both.patch(kind.path(found["metadata"]["name"]), {"metadata": {"finalizers": None}})
        for side in both.sides:
            until(side, where, lambda seen: seen.get("code") == 404)
        both.get(kind.path())
        both.get(f"/apis/{kind.group}")
        both.get(f"/apis/{kind.group}/v1")

    def test_what_is_created_twice(self, new_kind: NewKind) -> None:
        kind = new_kind()
        assert kind.both.post(DEFINITIONS, kind.crd).status == 409

    def test_a_definition_in_a_table(self, new_kind: NewKind) -> None:
        kind = new_kind()
        kind.both.get(f"{DEFINITIONS}/{kind.crd['metadata']['name']}", headers=TABLE)


class TestWatches:
    """A definition that changes ends the watches of all its versions (XS/apiserver/customresource_handler.go)."""

    @pytest.fixture
    def widgets(self, client: dynkube.DynamicClient) -> Iterator[dynkube.ResourceHandle]:
        definitions = client.resource(CRDS)
        body = crd("endings", "Ending", group="endings.dynkube.dev")
        name = definitions.create(body)["metadata"]["name"]
        definitions.wait(name, condition="Established", timeout=30)
        handle = client.resource(dynkube.GroupVersionResource("endings.dynkube.dev", "v1", "endings"))
        made = {"apiVersion": "endings.dynkube.dev/v1", "kind": "Ending", "metadata": {"name": "a"}}
        handle.namespace("default").create(made)
        yield handle
        definitions.delete(name)
        definitions.wait(name, condition="delete", timeout=60)

    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    def test_end(self, client: dynkube.DynamicClient, widgets: dynkube.ResourceHandle, version: str) -> None:
        watched = client.resource(dynkube.GroupVersionResource(widgets.gvr.group, version, widgets.gvr.resource))
        with watched.watch_once(timeout=60, timeout_seconds=300) as events:
            assert next(events).type == "ADDED"
            names = {"plural": "endings", "kind": "Ending", "shortNames": ["end"]}
            client.resource(CRDS).patch("endings.endings.dynkube.dev", {"spec": {"names": names}})
            assert list(events) == []  # or DeadlineExceededError
        assert [each["metadata"]["name"] for each in watched.list()] == ["a"]
