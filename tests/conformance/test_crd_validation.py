"""What a CRD may say: the same definitions to both servers, and the same refusals from both."""

from __future__ import annotations

from typing import Any

import pytest
from both import Both
from crds import DEFINITIONS, causes, definition, in_any_order, version

GROUP = "validation.dynkube.test"
ROOT = "spec.validation.openAPIV3Schema"
LONG = "a" * 64


def refused(both: Both, crd: dict[str, Any]) -> list[tuple[str, str]]:
    """Create a CRD that is invalid; the causes of the refusal."""
    answer = both.post(f"{DEFINITIONS}?dryRun=All", crd, mask=in_any_order)
    assert answer.status == 422, answer.body
    return causes(answer)


def of_schema(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return definition(GROUP, "widgets", version(schema=schema, **more))


def with_field(field: dict[str, Any], **more: Any) -> dict[str, Any]:
    return of_schema({"type": "object", "properties": {"field": field}}, **more)


FIELD = f"{ROOT}.properties[field]"


class TestNames:
    def test_the_name_is_the_plural_and_the_group(self, both: Both) -> None:
        crd = definition(GROUP)
        crd["metadata"]["name"] = "gadgets.validation.dynkube.test"
        assert refused(both, crd)[0][0] == "metadata.name"

    @pytest.mark.parametrize(
        "names",
        [
            {"kind": "wid_get"},
            {"shortNames": ["w_d", "ok"]},
            {"categories": ["All"]},
            {"singular": "X"},
            {"listKind": "L L"},
            {"listKind": "Widget"},
            {"singular": LONG},
        ],
        ids=str,
    )
    def test_names_are_labels(self, both: Both, names: dict[str, Any]) -> None:
        assert refused(both, definition(GROUP, names=names))[0][0].startswith("spec.names.")

    @pytest.mark.parametrize("group", ["", "nodot", "Upper.case", "a.b.", "x y.z"])
    def test_a_group_is_a_domain(self, both: Both, group: str) -> None:
        assert "spec.group" in [field for field, _ in refused(both, definition(group))]

    @pytest.mark.parametrize("scope", ["", "Everywhere"])
    def test_a_scope_is_one_of_two(self, both: Both, scope: str) -> None:
        assert refused(both, definition(GROUP, scope=scope))[0][0] == "spec.scope"

    def test_what_is_not_said_is_told_field_by_field(self, both: Both) -> None:
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a.b"}}
        fields = {field for field, _ in refused(both, crd)}
        assert {"spec.group", "spec.scope", "spec.versions", "spec.names.plural", "spec.names.kind"} <= fields

    def test_a_protected_group_wants_an_approval(self, both: Both) -> None:
        assert refused(both, definition("things.k8s.io"))[0][0] == "metadata.annotations[api-approved.kubernetes.io]"

    def test_an_approval_is_a_url_or_says_that_there_is_none(self, both: Both) -> None:
        crd = definition("things.k8s.io")
        crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "yes"}
        assert "either a URL" in refused(both, crd)[0][1]
        crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
        assert both.post(f"{DEFINITIONS}?dryRun=All", crd).status == 201


class TestVersions:
    def test_names_are_labels(self, both: Both) -> None:
        assert {"spec.version", "spec.versions[0].name"} <= {
            field for field, _ in refused(both, definition(GROUP, "widgets", version("V1", storage=True)))
        }

    def test_a_name_comes_once(self, both: Both) -> None:
        assert refused(both, definition(GROUP, "widgets", version(), version(storage=False)))[0][0] == "spec.versions"

    @pytest.mark.parametrize("stored", [[], ["v1", "v2"]])
    def test_one_is_stored(self, both: Both, stored: list[str]) -> None:
        rows = [version(name, storage=name in stored) for name in ("v1", "v2")]
        assert "exactly one version" in str(refused(both, definition(GROUP, "widgets", *rows)))

    def test_schemas_of_several_versions_are_told_apart(self, both: Both) -> None:
        bad = {"type": "object", "properties": {"field": {"type": "text"}}}
        found = refused(both, definition(GROUP, "widgets", version(), version("v2", bad)))
        assert found[0][0] == "spec.versions[1].schema.openAPIV3Schema.properties[field].type"

    def test_each_has_a_schema(self, both: Both) -> None:
        row = version()
        del row["schema"]
        assert refused(both, definition(GROUP, "widgets", row))[0][0] == "spec.versions[0].schema.openAPIV3Schema"

    @pytest.mark.parametrize(
        "row",
        [{"deprecationWarning": "x"}, {"deprecated": True, "deprecationWarning": ""}]
        + [{"deprecated": True, "deprecationWarning": text} for text in ("a\nb", "a" * 257)],
        ids=str,
    )
    def test_a_warning_is_a_line_of_a_deprecated_version(self, both: Both, row: dict[str, Any]) -> None:
        assert refused(both, definition(GROUP, "widgets", version(**row)))[0][0].endswith(".deprecationWarning")

    def test_unknown_fields_are_not_preserved_as_in_the_old_days(self, both: Both) -> None:
        found = refused(both, definition(GROUP, preserveUnknownFields=True))
        assert "x-kubernetes-preserve-unknown-fields" in found[0][1]


class TestColumnsSubresourcesAndConversion:
    @pytest.mark.parametrize(
        "column",
        [
            {},
            {"name": "A", "type": "text", "jsonPath": ".a"},
            {"name": "A", "type": "string", "jsonPath": "a"},
            {"name": "A", "type": "string", "format": "x", "jsonPath": ".a"},
        ],
        ids=str,
    )
    def test_columns(self, both: Both, column: dict[str, Any]) -> None:
        found = refused(both, of_schema({"type": "object"}, additionalPrinterColumns=[column]))
        assert found[0][0].startswith("spec.additionalPrinterColumns[0].")

    @pytest.mark.parametrize(
        "scale",
        [
            {},
            {"specReplicasPath": "spec.n", "statusReplicasPath": ".spec.n"},
            {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n", "labelSelectorPath": ".other.s"},
        ],
        ids=str,
    )
    def test_the_paths_of_a_scale(self, both: Both, scale: dict[str, Any]) -> None:
        found = refused(both, of_schema({"type": "object"}, subresources={"scale": scale}))
        assert found[0][0].startswith("spec.subresources.scale.")

    @pytest.mark.parametrize(
        "paths",
        [[""], [".spec.none"], ["spec.a"], [".spec"], [".spec.list[0]"], [".metadata.name"], [".spec.a", ".spec.a"]],
        ids=str,
    )
    def test_selectable_fields(self, both: Both, paths: list[str]) -> None:
        fields = {"a": {"type": "string"}, "list": {"type": "array", "items": {"type": "string"}}}
        names = {"type": "object", "properties": {"name": {"type": "string"}}}
        schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}, "metadata": names}}
        found = refused(both, of_schema(schema, selectableFields=[{"jsonPath": path} for path in paths]))
        assert found[0][0].startswith("spec.selectableFields[")

    @pytest.mark.parametrize(
        "conversion",
        [
            {"strategy": "Magic"},
            {"strategy": "Webhook"},
            {
                "strategy": "Webhook",
                "webhook": {"conversionReviewVersions": ["v9"], "clientConfig": {"url": "http://a"}},
            },
            {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a"}}},
        ],
        ids=str,
    )
    def test_conversion(self, both: Both, conversion: dict[str, Any]) -> None:
        assert refused(both, definition(GROUP, conversion=conversion))[0][0].startswith("spec.conversion")


class TestSchemas:
    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "string"},
            {"type": "object", "nullable": True},
            {"type": "object", "additionalProperties": {"type": "string"}},
            {
                "type": "object",
                "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}},
            },
            {"type": "object", "properties": {"kind": {"type": "integer"}}},
            {"properties": {"a": {"type": "string"}}},
        ],
        ids=str,
    )
    def test_the_root_is_an_object_that_leaves_metadata_alone(self, both: Both, schema: dict[str, Any]) -> None:
        assert refused(both, of_schema(schema))[0][0].startswith(ROOT)

    def test_with_a_status_of_its_own_the_root_says_less(self, both: Both) -> None:
        schema = {"type": "object", "anyOf": [{"required": ["spec"]}]}
        found = refused(both, of_schema(schema, subresources={"status": {}}))
        assert '{"ID":"","Schema":"","Ref":null' in found[0][1]

    @pytest.mark.parametrize(
        "field",
        [
            {},
            {"type": "array"},
            {"type": "text"},
            {"type": "string", "pattern": "("},
            {"type": "array", "items": [{"type": "string"}]},
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            {"$ref": "#/definitions/x"},
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
            {"type": "string", "anyOf": [{"type": "string"}]},
            {"type": "string", "allOf": [{"additionalProperties": {"minLength": 1}}]},
            {"type": "string", "not": {"default": "x", "description": "no"}},
        ],
        ids=str,
    )
    def test_fields_are_structural(self, both: Both, field: dict[str, Any]) -> None:
        assert refused(both, with_field(field))[0][0].startswith(FIELD)

    @pytest.mark.parametrize(
        "field",
        [
            {"type": "object", "x-kubernetes-embedded-resource": True},
            {"type": "string", "x-kubernetes-embedded-resource": True},
            {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
            {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
            {"type": "string", "x-kubernetes-list-type": "set"},
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "bag"},
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"},
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "map"},
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-map-keys": ["a"]},
            {"type": "object", "x-kubernetes-map-type": "lumpy"},
        ],
        ids=str,
    )
    def test_extensions_of_kubernetes(self, both: Both, field: dict[str, Any]) -> None:
        assert refused(both, with_field(field))[0][0].startswith(FIELD)

    def test_keys_of_a_list_of_type_map_are_always_there(self, both: Both) -> None:
        items = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "object"}}, "nullable": True}
        keys = ["a", "b", "c", "a"]
        field = {"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
        assert len(refused(both, with_field(field))) >= 5

    @pytest.mark.parametrize(
        "field",
        [
            {"type": "string", "default": 5},
            {"type": "integer", "minimum": 3, "default": 1},
            {"type": "object", "default": {"unknown": 1}},
            {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"], "default": "y"}}},
            {"type": "array", "items": {"type": "integer"}, "default": [1, "a"]},
        ],
        ids=str,
    )
    def test_defaults_are_valid(self, both: Both, field: dict[str, Any]) -> None:
        assert "default" in refused(both, with_field(field))[0][0]

    def test_there_are_no_defaults_in_metadata(self, both: Both) -> None:
        names = {"type": "object", "properties": {"name": {"type": "string", "default": "x"}}}
        assert "in top-level metadata" in str(
            refused(both, of_schema({"type": "object", "properties": {"metadata": names}}))
        )

    def test_unknown_formats_are_warned_of(self, both: Both) -> None:
        crd = with_field({"type": "string", "format": "colour"})
        answer = both.post(f"{DEFINITIONS}?dryRun=All", crd)
        assert answer.headers.get_all("Warning") == ['299 - "unrecognized format \\"colour\\""']


class TestRules:
    @pytest.mark.parametrize(
        "rule",
        [
            {"rule": ""},
            {"rule": "true", "message": " "},
            {"rule": "true", "message": "a\nb"},
            {"rule": "true\n && true"},
            {"rule": "true", "reason": "Because"},
            {"rule": "true", "fieldPath": ".none"},
            {"rule": "true", "messageExpression": " "},
            {"rule": "true", "optionalOldSelf": True},
        ],
        ids=str,
    )
    def test_a_rule_is_well_formed(self, both: Both, rule: dict[str, Any]) -> None:
        field = {"type": "object", "x-kubernetes-validations": [rule]}
        assert refused(both, with_field(field))[0][0].startswith(f"{FIELD}.x-kubernetes-validations[0].")

    @pytest.mark.parametrize(
        "rule",
        [
            "self.none > 1",
            "nobody > 1",
            "self.size > 'a'",
            "self.size",
            "self.name.frobnicate()",
            "self.size + self.name == 'a'",
            "self.names.all(each, each > 1)",
            "has(self)",
            "self.name.matches('(')",
            "(self.size > 1",
            "self.size > 1 &&",
        ],
    )
    def test_a_rule_compiles(self, both: Both, rule: str) -> None:
        properties = {
            "size": {"type": "integer"},
            "name": {"type": "string", "maxLength": 10},
            "names": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 10}},
        }
        field = {"type": "object", "properties": properties, "x-kubernetes-validations": [{"rule": rule}]}
        found = refused(both, with_field(field))
        assert found[0][0] == f"{FIELD}.x-kubernetes-validations[0].rule"

    def test_a_message_expression_makes_text(self, both: Both) -> None:
        rule = {"rule": "self.size > 1", "messageExpression": "self.size"}
        properties = {"size": {"type": "integer"}}
        field = {"type": "object", "properties": properties, "x-kubernetes-validations": [rule]}
        assert "must evaluate to a string" in refused(both, with_field(field))[0][1]

    def test_items_of_plain_lists_have_no_past(self, both: Both) -> None:
        items = {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}
        found = refused(both, with_field({"type": "array", "maxItems": 9, "items": items}))
        assert "uncorrelatable" in found[0][1]
