"""What CRDs define: the same objects to both servers, and the same answers from both."""

from __future__ import annotations

import json
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
    checked,
    in_any_order,
    kept,
    listed,
    new_kinds,
    of,
    until,
    version,
    without_versions,
)

FORMATS = [
    "date-time",
    "date",
    "duration",
    "byte",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uri",
    "email",
    "hostname",
    "int-or-string",
    "hexcolor",
    "creditcard",
    "isbn",
    "password",
]
# One kind with a field for whatever a schema can ask; each case sets the one it speaks of.
FIELDS: dict[str, Any] = {
    "text": TEXT | {"minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
    "whole": {"type": "integer", "minimum": 1, "maximum": 10, "multipleOf": 2},
    "between": {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 5, "exclusiveMaximum": True},
    "small": {"type": "integer", "format": "int32"},
    "real": {"type": "number", "minimum": 0.5},
    "quarters": {"type": "number", "multipleOf": 0.25},
    "flag": {"type": "boolean"},
    "choice": {"type": "string", "enum": ["red", "green"]},
    "nullable": {"type": "string", "nullable": True},
    "either": {"x-kubernetes-int-or-string": True},
    "percent": {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": "^[0-9]+%$",
    },
    "few": listed(TEXT, minItems=1, maxItems=2),
    "bag": {"type": "object", "additionalProperties": WHOLE, "minProperties": 1, "maxProperties": 2},
    "closed": of(a=WHOLE, b=WHOLE) | {"required": ["a", "b"]},
    "set": listed(TEXT, **{"x-kubernetes-list-type": "set"}),
    "map": listed(
        of(name=TEXT, port=WHOLE | {"default": 80}, note=TEXT) | {"required": ["name"]},
        **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"]},
    ),
    "one": of(a=TEXT, b=TEXT) | {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "any": of(a=TEXT, b=TEXT) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "all": WHOLE | {"allOf": [{"minimum": 2}, {"maximum": 4}]},
    "not": TEXT | {"not": {"enum": ["bad"]}},
    "loose": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"known": of(a=WHOLE)}},
    "embedded": {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    },
    "atomic": of(a=TEXT, b=TEXT) | {"x-kubernetes-map-type": "atomic"},
    **{name.replace("-", ""): TEXT | {"format": name} for name in FORMATS},
}
FORMATS_WELL = {
    "datetime": "2020-01-02T03:04:05Z", "date": "2020-01-02", "duration": "1h2m", "byte": "YWJj", "ipv4": "1.2.3.4",
    "ipv6": "::1", "cidr": "10.0.0.0/8", "mac": "00:00:5e:00:53:01", "uuid": "9b2b1a1c-0b5e-4d7e-8d4f-3c6a5a0d3a11",
    "uri": "https://a.b/c", "email": "a@b.c", "hostname": "a", "hexcolor": "#aabbcc",
    "creditcard": "4111111111111111", "isbn": "0-306-40615-2", "password": "anything",
}  # fmt: skip
FORMATS_BADLY = {
    "datetime": "yesterday", "date": "2020-13-01", "duration": "soon", "byte": "***", "ipv4": "1.2.3", "ipv6": "1.2.3.4",
    "cidr": "10.0.0.0", "mac": "no", "uuid": "no", "uri": "no", "email": "no", "hostname": "no_", "hexcolor": "no",
    "creditcard": "no", "isbn": "no",
}  # fmt: skip


@pytest.fixture
def new_kind(both: Both) -> Iterator[NewKind]:
    """Makes kinds that go with the case."""
    yield from new_kinds(both)


@pytest.fixture
def sample(both: Both) -> Kind:
    """The kind with a field for everything, with a status of its own; made once for all cases of a pair."""
    status = of(state=TEXT | {"enum": ["on", "off"]}, seen=WHOLE)
    row = version(schema=of(spec=of(**FIELDS), status=status), subresources={"status": {}})
    return kept(both, "samples", row)


class TestValues:
    @pytest.mark.parametrize(
        "spec",
        [
            *({"text": value} for value in ("a", "abcdefgh", "AB", "é", "", 5, True, [], {})),
            *({"whole": value} for value in (0, 3, 12, 1.5, "2", True, 2**63, -1, 1e30)),
            *({"between": value} for value in (1, 5)),
            *({"small": value} for value in (2**31, 1.5)),
            *({"real": value} for value in (0.3, "1.5", -1)),
            *({"quarters": value} for value in (0.3, 1)),
            *({"flag": value} for value in ("true", 1)),
            *({"choice": value} for value in ("blue", "", 1)),
            *({"either": value} for value in (1.5, True, [])),
            *({"percent": value} for value in ("5", "x%", [])),
            *({"few": value} for value in ([], ["a", "b", "c"], ["a", 1], "a", {"a": 1}, [None])),
            *({"bag": value} for value in ({}, {"a": "x"}, {"a": 1, "b": 2, "c": 3}, [1])),
            *({"closed": value} for value in ({}, {"a": 1}, {"a": "x", "b": 1}, 5)),
            *({"set": value} for value in (["a", "b", "a"], ["a", "a", "a"])),
            *({"map": value} for value in ([{"name": "a"}, {"name": "a"}], [{"note": "x"}], [{"name": "a", "port": "x"}])),
            {"map": [{"name": "a", "port": 1}, {"name": "b", "port": 1}, {"name": "a", "port": 1}]},
            *({"one": value} for value in ({}, {"a": "x", "b": "y"})),
            {"any": {}},
            *({"all": value} for value in (1, 5)),
            {"not": "bad"},
            {"loose": {"known": {"a": "x"}, "other": 1}},
            {"choice": "blue", "whole": 0, "text": "A", "few": [], "closed": {}},
            "text",
            [1],
            5,
        ],
        ids=str,
    )  # fmt: skip
    def test_what_a_schema_does_not_allow_is_refused(self, sample: Kind, spec: Any) -> None:
        assert sample.refuses(spec=spec)

    @pytest.mark.parametrize(
        "spec",
        [
            {"text": "abc", "whole": 4, "between": 2, "small": 7, "real": 1.25, "flag": False},
            {"whole": 2.0, "real": 1, "small": 1e3},
            {"either": 5, "percent": "5%"},
            {"either": "5", "percent": 5},
            {"few": ["a"], "bag": {"a": 1}, "closed": {"a": 1, "b": 2}},
            {"set": ["a", "b"], "map": [{"name": "a"}, {"name": "a", "port": 81}, {"name": "b"}]},
            {"one": {"a": "x"}, "any": {"a": "x", "b": "y"}, "all": 3, "not": "good"},
            {"loose": {"a": [1, {"b": None}], "known": {"a": 1, "b": 2}}},
            {"real": 1e300, "loose": {"a": 1.0, "b": 1e21, "c": 0.000001, "d": 1e-7, "e": 123456789012345678}},
            {},
        ],
        ids=str,
    )
    def test_what_it_allows_is_kept(self, sample: Kind, spec: Any) -> None:
        found = sample.make(spec=spec)
        sample.both.get(sample.path(found["metadata"]["name"]))

    @pytest.mark.parametrize("name", sorted(FORMATS_BADLY))
    def test_formats(self, sample: Kind, name: str) -> None:
        assert sample.refuses(spec={name: FORMATS_BADLY[name]})[0][0] == f"spec.{name}"

    def test_values_in_their_formats(self, sample: Kind) -> None:
        assert sample.make(spec=FORMATS_WELL)["spec"] == FORMATS_WELL

    def test_null_goes_where_it_may_not_be(self, sample: Kind) -> None:
        spec = {"nullable": None, "text": None, "bag": None, "loose": {"a": None, "known": None}}
        assert "nullable" in sample.make(spec=spec)["spec"]
        sample.both.post(sample.path(), sample.object(spec=None), mask=in_any_order)

    @pytest.mark.parametrize(
        "name", ["Upper", "a_b", "a" * 254, "a..b", "-a", "a/b", ".", ""], ids=lambda name: name[:9]
    )
    def test_names_are_subdomains(self, sample: Kind, name: str) -> None:
        body = sample.object() | {"metadata": {"name": name}}
        assert sample.both.post(sample.path(), body).status == 422

    @pytest.mark.parametrize(
        "metadata",
        [
            {"labels": {"a b": "c"}},
            {"labels": {"a": "b c"}},
            {"annotations": {"a b": "c"}},
            {"finalizers": ["x"]},
            {"finalizers": ["x/y z"]},
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "", "uid": ""}]},
            {"generateName": "A-"},
        ],
        ids=str,
    )
    def test_metadata_is_judged_as_anywhere(self, sample: Kind, metadata: dict[str, Any]) -> None:
        body = sample.object()
        body["metadata"] |= metadata
        assert sample.both.post(sample.path(), body, mask=in_any_order).status in (201, 422)

    @pytest.mark.parametrize(
        "metadata",
        [{"labels": {"a": 1}}, {"labels": []}, {"name": 5}, {"finalizers": "x"}, {"creationTimestamp": "x"}, {"generation": "1"}],
        ids=str,
    )  # fmt: skip
    def test_metadata_of_another_type_is_no_request(self, sample: Kind, metadata: dict[str, Any]) -> None:
        body = sample.object()
        body["metadata"] |= metadata
        assert sample.both.post(sample.path(), body).status == 400

    @pytest.mark.parametrize(
        "head", [{"kind": "Other"}, {"apiVersion": "other/v1"}, {"kind": ""}, {"apiVersion": ""}], ids=str
    )
    def test_a_body_of_another_kind(self, sample: Kind, head: dict[str, Any]) -> None:
        assert sample.both.post(sample.path(), sample.object() | head).status in (400, 422)


class TestUnknownFields:
    def test_they_are_dropped(self, sample: Kind) -> None:
        spec = {"text": "abc", "nope": 1, "closed": {"a": 1, "b": 2, "c": 3}, "map": [{"name": "x", "what": 1}]}
        found = sample.make(spec=spec, extra={"a": 1}, status={"lies": True})
        assert found["spec"] == {"text": "abc", "closed": {"a": 1, "b": 2}, "map": [{"name": "x", "port": 80}]}
        assert not {"extra", "status"} & set(found)

    @pytest.mark.parametrize("mode", ["Ignore", "Warn", "Strict", "Other"])
    def test_as_much_is_said_as_was_asked_for(self, sample: Kind, mode: str) -> None:
        body = sample.object(spec={"text": "abc", "nope": 1, "set": ["a"]}, extra=1)
        answer = sample.both.post(f"{sample.path()}?fieldValidation={mode}", body)
        assert answer.status == {"Strict": 400, "Other": 422}.get(mode, 201)

    @pytest.mark.parametrize(
        "body",
        [
            {"spec": {"closed": {"a": 1, "b": 2, "c": 3}}},
            {"spec": {"map": [{"name": "a", "b": 1}, {"name": "b", "c": 1}]}},
            {"spec": {"loose": {"known": {"a": 1, "b": 2}, "any": 1}}},
            {"spec": {"embedded": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "odd": 1}, "any": 1}}},
            {"metadata": {"name": "odd", "odd": 1}},
            {"extra": 1},
        ],
        ids=str,
    )
    def test_they_are_named_by_their_path(self, sample: Kind, body: dict[str, Any]) -> None:
        assert sample.both.post(f"{sample.path()}?fieldValidation=Strict", sample.object() | body).status == 400

    def test_duplicate_fields_are_told(self, sample: Kind) -> None:
        head = f'{{"apiVersion":"{sample.group}/v1","kind":"Sample","metadata":{{"name":"{sample.both.unique}"}}'
        body = head + ',"spec":{"text":"abc","text":"abd","nope":1}}'
        for mode in ("Strict", "Warn"):
            sample.both.post(f"{sample.path()}?fieldValidation={mode}", body.encode())

    def test_patches_are_read_the_same_way(self, sample: Kind) -> None:
        name = sample.make(spec={"text": "abc"})["metadata"]["name"]
        change = {"spec": {"nope": 1, "text": "abd"}}
        assert (
            sample.both.patch(f"{sample.path(name)}?fieldValidation=Strict", change, mask=without_versions).status
            == 422
        )
        assert sample.both.patch(f"{sample.path(name)}?fieldValidation=Warn", change).status == 200
        body = sample.object(spec={"nope": 1})
        body["metadata"]["name"] = name
        assert sample.both.apply(f"{sample.path(name)}?fieldValidation=Strict", body, "me").status == 500


class TestEmbeddedResources:
    @pytest.mark.parametrize(
        "embedded",
        [
            {},
            {"apiVersion": "v1"},
            {"kind": "Pod"},
            {"apiVersion": "v1", "kind": ""},
            {"apiVersion": "a/b/c", "kind": "P_d"},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a/b"}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a b": "c"}, "namespace": "N"}},
            {"apiVersion": 1, "kind": "Pod"},
            {"apiVersion": "v1", "kind": "Pod", "metadata": "x"},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "creationTimestamp": "never"}},
        ],
        ids=str,
    )
    def test_they_are_objects_themselves(self, sample: Kind, embedded: Any) -> None:
        answer = sample.both.post(sample.path(), sample.object(spec={"embedded": embedded}), mask=in_any_order)
        assert answer.status in (400, 422)

    def test_their_metadata_is_pruned_and_the_rest_is_left(self, sample: Kind) -> None:
        metadata = {"name": "a", "odd": 1, "labels": {"a": "b"}, "creationTimestamp": None}
        embedded = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"any": [1]}}
        found = sample.make(spec={"embedded": embedded})["spec"]["embedded"]
        assert found["spec"] == {"any": [1]}
        assert "odd" not in found["metadata"]


DEFAULTED = {
    "size": WHOLE | {"default": 3},
    "mode": {"type": "string", "nullable": True, "default": "auto"},
    "inner": of(a=WHOLE | {"default": 1}, b=TEXT) | {"default": {"b": "x"}},
    "unset": of(a=WHOLE | {"default": 1}),
    "rows": listed(of(name=TEXT, weight=WHOLE | {"default": 5})),
    "table": {"type": "object", "additionalProperties": of(on={"type": "boolean", "default": True})},
    "list": listed(TEXT) | {"default": ["a", "b"]},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "default": {"x": {"y": [1.5, None]}}},
    "ratio": {"type": "number", "default": 1.0},
}


class TestDefaults:
    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        schema = of(spec=of(**DEFAULTED) | {"default": {}}, status=of(phase=TEXT | {"default": "New"}))
        return kept(both, "defaulteds", version(schema=schema, subresources={"status": {}}))

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"spec": {}},
            {"spec": None},
            {"spec": {"size": 4, "mode": None, "inner": {"a": 2}}},
            {"spec": {"size": None, "inner": None, "unset": None, "list": None}},
            {"spec": {"unset": {}, "rows": [{"name": "a"}, {"weight": 1}, {}], "table": {"k": {}, "l": {"on": False}}}},
            {"spec": {"list": [], "free": {}, "inner": {}}},
            {"status": {}},
        ],
        ids=str,
    )
    def test_what_is_not_said(self, kind: Kind, fields: dict[str, Any]) -> None:
        kind.make(**fields)

    def test_they_come_with_changes_and_the_status(self, kind: Kind) -> None:
        found = kind.make(spec={"size": 4})
        assert kind.change(found, spec={"size": None, "rows": [{}]}).json()["spec"]["size"] == 3
        assert kind.change(found, sub="/status", status={"other": 1}).json()["status"]["phase"] == "New"
        assert kind.change(found, spec=None).json()["spec"]["list"] == ["a", "b"]

    def test_they_come_to_objects_that_were_there_before(self, new_kind: NewKind) -> None:
        kind = new_kind(version(schema=of(spec=of(a=TEXT))))
        found = kind.make(spec={"a": "x"})
        both, where = kind.both, f"{DEFINITIONS}/{kind.crd['metadata']['name']}"
        schema = of(spec=of(a=TEXT, b=WHOLE | {"default": 7}))
        change = [{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": schema}]
        assert both.patch(where, change, "json", compare=False).status == 200
        name = found["metadata"]["name"]
        for side in both.sides:
            until(side, kind.path(name), lambda seen: seen["spec"].get("b") == 7)
        both.get(kind.path(name))
        both.get(kind.path())
        # Read with its default, it is not written: its resourceVersion and generation stay.
        assert both.get(kind.path(name)).json()["metadata"]["generation"] == 1


class TestStatusAndGeneration:
    def test_a_status_of_its_own_is_written_by_its_own_path(self, sample: Kind) -> None:
        found = sample.make(spec={"whole": 2}, status={"state": "on"})
        assert "status" not in found
        assert "status" not in sample.change(found, status={"state": "on"}, spec={"whole": 4}).json()
        changed = sample.change(
            found, sub="/status", status={"state": "on"}, spec={"whole": 6}, metadata={"labels": {"a": "b"}}
        )
        assert (changed.json()["status"], changed.json()["spec"]) == ({"state": "on"}, {"whole": 4})
        sample.both.get(sample.path(found["metadata"]["name"]) + "/status")

    def test_only_what_is_wanted_counts_as_a_generation(self, sample: Kind) -> None:
        found = sample.make(spec={"whole": 2})

        def generation(sub: str = "", **fields: Any) -> int:
            return sample.change(found, sub=sub, **fields).json()["metadata"]["generation"]

        steps = [
            generation(spec={"whole": 4}),
            generation(metadata={"labels": {"a": "b"}}),
            generation(spec={"whole": 4}),
        ]
        steps += [
            generation("/status", status={"seen": 1}),
            generation(metadata={"generation": 9}),
            generation(spec=None),
        ]
        assert steps == [2, 2, 2, 2, 2, 3]

    def test_without_a_status_of_its_own_every_field_counts(self, both: Both) -> None:
        kind = kept(both, "plains", version(schema=of(spec=of(a=WHOLE), status=of(seen=WHOLE))))
        found = kind.make(spec={"a": 1}, status={"seen": 1})
        assert kind.change(found, status={"seen": 2}).json()["metadata"]["generation"] == 2
        assert kind.both.get(kind.path(found["metadata"]["name"]) + "/status").status == 404

    def test_a_status_is_judged_and_the_spec_is_left_alone(self, sample: Kind) -> None:
        found = sample.make()
        answer = sample.change(found, sub="/status", status={"state": "x"}, spec={"whole": 0}, mask=in_any_order)
        assert [field for field, _ in causes(answer)] == ["status.state"]
        sample.change(found, sub="/status", status={"odd": 1, "seen": "many"}, mask=in_any_order)
        sample.change(found, sub="/status", status=5, mask=in_any_order)

    def test_a_status_is_put(self, sample: Kind) -> None:
        found = sample.make()
        where = sample.path(found["metadata"]["name"]) + "/status"
        sample.both.put(where, lambda side: side.last.json() | {"status": {"seen": 1}})
        sample.both.put(where, lambda side: {**side.last.json(), "metadata": {"name": found["metadata"]["name"]}})

    def test_a_status_is_applied(self, sample: Kind) -> None:
        found = sample.make(spec={"whole": 2})
        body = sample.object(status={"seen": 1}, spec={"whole": 4})
        body["metadata"]["name"] = found["metadata"]["name"]
        where = sample.path(found["metadata"]["name"])
        assert sample.both.apply(where + "/status", body, "teller").json()["spec"] == {"whole": 2}
        assert sample.both.apply(where, body, "wisher", force=True).json()["spec"] == {"whole": 4}

    def test_names_and_kinds_stay(self, sample: Kind) -> None:
        found = sample.make()
        where = sample.path(found["metadata"]["name"])
        sample.both.put(where, sample.object())
        for head in ({"kind": "Other"}, {"apiVersion": "other/v1"}, {"kind": None}):
            sample.change(found, mask=without_versions, **head)
        sample.change(found, metadata={"name": "other"})
        sample.change(found, metadata={"uid": "other"})

    def test_a_put_of_what_is_not_there(self, sample: Kind) -> None:
        body = sample.object()
        assert sample.both.put(sample.path(body["metadata"]["name"]), body).status == 404


LOOSE = of(a=TEXT, b=WHOLE, rows=listed(of(name=TEXT, n=WHOLE)), set=listed(TEXT), inner=of(x=TEXT), un=of(a=TEXT))
STRICT = of(
    a=TEXT | {"maxLength": 2},
    b=WHOLE | {"maximum": 5},
    rows=listed(
        of(name=TEXT | {"default": ""}, n=WHOLE | {"maximum": 5}) | {"required": ["n"]},
        **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    ),
    set=listed(TEXT | {"maxLength": 3}, **{"x-kubernetes-list-type": "set"}),
    inner=of(x=TEXT) | {"required": ["y"]},
    un=checked(of(a=TEXT), {"rule": "self.a != 'bad'", "message": "not bad"}),
    since=TEXT | {"default": "then"},
)


INVALID = {
    "a": "long",
    "b": 9,
    "rows": [{"name": "x", "n": 7}, {"name": "y", "n": 1}, {"name": "z"}],
    "set": ["long", "a"],
    "inner": {"x": "1"},
    "un": {"a": "bad"},
}


class TestUpdatesOfWhatWasInvalidBefore:
    """Schemas that become stricter leave what was there alone, where it does not change."""

    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        kind = kept(both, "stricters", version(schema=of(spec=LOOSE)), scope="Cluster")
        where, body = kind.path("invalid"), kind.object(spec=INVALID)
        body["metadata"]["name"] = "invalid"
        for side in both.sides:
            if side.raw.request("GET", where).status == 200:
                continue
            assert side.raw.request("POST", kind.path(), body).status == 201
            change = {"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": of(spec=STRICT)}
            crd = f"{DEFINITIONS}/{kind.crd['metadata']['name']}"
            headers = {"Content-Type": "application/json-patch+json"}
            assert side.raw.request("PATCH", crd, json.dumps([change]).encode(), headers=headers).status == 200
            until(side, where, lambda seen: "since" in seen["spec"])
        return kind

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"a": "longer"},
            {"a": "ok"},
            {"b": 8},
            {"a": "ok", "b": 8},
            {"rows": [{"name": "y", "n": 1}, {"name": "x", "n": 7}]},
            {"rows": [{"name": "y", "n": 1}, {"name": "x", "n": 8}]},
            {"rows": [{"name": "z"}, {"name": "new"}]},
            {"rows": [{"name": "x", "n": 7}, {"name": "x", "n": 7}]},
            {"set": ["a", "long", "new"]},
            {"set": ["a", "longer"]},
            {"set": ["long", "long"]},
            {"inner": {"x": "2"}},
            {"inner": {"x": "1", "z": "1"}},
            {"un": {"a": "good"}},
            {"un": {"a": "bad", "b": 1}},
        ],
        ids=str,
    )
    def test_what_changes_is_judged(self, kind: Kind, change: dict[str, Any]) -> None:
        body = {"spec": change, "metadata": {"labels": {"a": "b"}}}
        kind.both.patch(f"{kind.path('invalid')}?dryRun=All", body, mask=in_any_order)

    def test_rules_that_still_fail_are_refused_where_the_object_changes(self, kind: Kind) -> None:
        body = [{"op": "replace", "path": "/spec/un", "value": {"a": "bad", "c": 1}}]
        kind.both.patch(f"{kind.path('invalid')}?dryRun=All", body, "json", mask=in_any_order)


RULED = of(
    n=WHOLE,
    low=WHOLE,
    high=WHOLE,
    name=checked(TEXT | {"maxLength": 20}, {"rule": "self.startsWith('a')", "message": "begins with a"}),
    fixed=checked(
        TEXT | {"maxLength": 9}, {"rule": "self == oldSelf", "message": "stays", "reason": "FieldValueForbidden"}
    ),
    rows=listed(
        checked(of(name=TEXT | {"maxLength": 9}, n=WHOLE) | {"required": ["name"]}, "self.n < 5"),
        maxItems=5,
        **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    ),
    table={"type": "object", "maxProperties": 5, "additionalProperties": checked(WHOLE, "self > 0")},
    either=checked({"x-kubernetes-int-or-string": True}, "type(self) == int ? self > 1 : self.size() > 1"),
    maybe=checked({"type": "string", "nullable": True, "maxLength": 5}, "self.size() > 1"),
    ratio=checked({"type": "number"}, "self < 1.5"),
    when=checked({"type": "string", "format": "date-time"}, "self > timestamp('2020-01-01T00:00:00Z')"),
    span=checked({"type": "string", "format": "duration"}, "self < duration('1h')"),
    bytes=checked({"type": "string", "format": "byte", "maxLength": 9}, "self.size() < 3"),
    **{"a-b": checked(of(**{"in": WHOLE}), "!has(self.__in__) || self.__in__ < 3")},
)
RULES: list[dict[str, Any] | str] = [
    {
        "rule": "!has(self.low) || !has(self.high) || self.low <= self.high",
        "message": "low is above high",
        "fieldPath": ".low",
    },
    {
        "rule": "!has(self.n) || self.n < 10",
        "messageExpression": "self.n > 11 ? 'n is far above' : 'n is above'",
        "reason": "FieldValueInvalid",
    },
    {"rule": "!has(self.n) || self.n != 4", "message": "spare", "messageExpression": "self.low > 1 ? 'x' : 'y'"},
    {"rule": "!has(self.n) || 12 / self.n > 1"},
    {"rule": "!has(self.rows) || self.rows.all(row, row.n != 3)", "message": "no threes"},
    {
        "rule": "!has(oldSelf.n) || !has(self.n) || self.n >= oldSelf.n",
        "message": "n grows",
        "reason": "FieldValueForbidden",
    },
    {"rule": "!has(self.table) || self.table.all(key, key.matches('^[a-z]+$'))", "message": " keys are letters "},
]


class TestRules:
    @pytest.fixture
    def kind(self, both: Both) -> Kind:
        return kept(both, "ruleds", version(schema=of(spec=checked(RULED, *RULES))))

    @pytest.mark.parametrize(
        "spec",
        [
            {"low": 3, "high": 2},
            {"n": 12},
            {"n": 4},
            {"n": 4, "low": 0},
            {"n": 0},
            {"n": 11, "low": 3, "high": 2, "name": "b"},
            {"name": "bob"},
            {"rows": [{"name": "a", "n": 7}, {"name": "b"}]},
            {"rows": [{"name": "a", "n": 3}]},
            {"table": {"a": 0, "b": 1}},
            {"table": {"A1": 1}},
            {"either": 1},
            {"either": "a"},
            {"maybe": "a"},
            {"ratio": 1.5},
            {"ratio": 2},
            {"when": "2019-01-01T00:00:00Z"},
            {"span": "2h"},
            {"bytes": "YWJjZA=="},
            {"a-b": {"in": 5}},
            {"n": "x", "name": "b"},
        ],
        ids=str,
    )
    def test_what_breaks_a_rule_is_refused(self, kind: Kind, spec: dict[str, Any]) -> None:
        assert kind.refuses(spec=spec)

    @pytest.mark.parametrize(
        "spec",
        [
            {
                "n": 5,
                "low": 1,
                "high": 1,
                "name": "abc",
                "fixed": "x",
                "rows": [{"name": "a", "n": 1}],
                "table": {"a": 1},
            },
            {"either": 2, "maybe": None, "ratio": 1, "when": "2021-01-01T00:00:00Z", "span": "1m", "bytes": "YWI="},
            {"either": "ab", "a-b": {}},
        ],
        ids=str,
    )
    def test_what_breaks_none_is_kept(self, kind: Kind, spec: dict[str, Any]) -> None:
        kind.make(spec=spec)

    def test_rules_about_the_past(self, kind: Kind) -> None:
        found = kind.make(spec={"n": 3, "fixed": "x", "rows": [{"name": "a", "n": 1}]})
        for spec in ({"n": 2}, {"fixed": "y"}, {"n": 5, "fixed": "z"}, {"fixed": None}, {"n": None}):
            kind.change(found, spec=spec, mask=in_any_order)

    def test_rules_of_the_root_see_the_metadata(self, new_kind: NewKind) -> None:
        rules = ["self.metadata.name.size() < 60", "self.kind != 'X' && self.apiVersion.startsWith('case')"]
        rule = {"rule": "!has(self.spec) || self.metadata.name.startsWith(self.spec.prefix)", "message": "named badly"}
        kind = new_kind(version(schema=checked(of(spec=of(prefix=TEXT)), rule, *rules)))
        assert kind.refuses(spec={"prefix": "zz"}) == [("<nil>", "Invalid value: named badly")]
        kind.make(spec={"prefix": "both"})

    def test_rules_of_the_status(self, new_kind: NewKind) -> None:
        schema = of(spec=checked(of(a=WHOLE), "self.a > 0"), status=checked(of(b=WHOLE), "self.b > 0"))
        kind = new_kind(version(schema=schema, subresources={"status": {}}))
        found = kind.make(spec={"a": 1})
        assert kind.change(found, sub="/status", status={"b": 0}, mask=in_any_order).status == 422
        assert kind.change(found, sub="/status", status={"b": 1}, mask=in_any_order).status == 200
        assert kind.change(found, spec={"a": 0}, mask=in_any_order).status == 422

    def test_embedded_resources_have_their_heads(self, new_kind: NewKind) -> None:
        inner = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
        kind = new_kind(
            version(schema=of(spec=of(inner=checked(inner, "self.kind == 'Pod' && self.metadata.name == 'a'"))))
        )
        kind.make(spec={"inner": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "x": 1}})
        assert kind.refuses(spec={"inner": {"apiVersion": "v1", "kind": "Pod"}})
