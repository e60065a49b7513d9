"""What a CRD may say, without a server; what is expected is what a real one said."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from crds import DEFINITIONS, TEXT, WHOLE, checked, definition, listed, of, version
from raw import RawClient

from dynkube.schema import GroupVersion
from dynkube.testing import APIServer
from dynkube.testing.apiserver.customresources import conditions
from dynkube.testing.apiserver.customresources.approval import ApprovalState, approval
from dynkube.testing.apiserver.customresources.definitions import CustomResourceDefinitionStrategy
from dynkube.testing.apiserver.customresources.fieldpaths import field_path
from dynkube.testing.apiserver.customresources.structural import structural

STRATEGY = CustomResourceDefinitionStrategy()
GROUP_VERSION = GroupVersion("apiextensions.k8s.io", "v1")
GROUP = "g.example.com"
ROOT = "spec.validation.openAPIV3Schema"
NOW = "2020-01-02T03:04:05Z"


def field(schema: dict[str, Any], **row: Any) -> dict[str, Any]:
    """A CRD with one field."""
    return definition(GROUP, "widgets", version(schema=of(field=schema), **row))


def decoded(crd: dict[str, Any]) -> dict[str, Any]:
    obj = copy.deepcopy(crd)
    STRATEGY.normalize(obj, GROUP_VERSION)
    STRATEGY.default(obj, GROUP_VERSION)
    return obj


def refused(crd: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    obj = decoded(crd)
    found = STRATEGY.validate(obj) if old is None else STRATEGY.validate_update(obj, decoded(old), "")
    return sorted(str(each) for each in found)


@pytest.mark.parametrize(
    ("crd", "problems"),
    [
        (
            field({}),
            [
                "spec.validation.openAPIV3Schema.properties[field].type: Required value: must not be empty for specified object fields"
            ],
        ),
        (
            field({"type": "text"}),
            [
                'spec.validation.openAPIV3Schema.properties[field].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"'
            ],
        ),
        (
            field({"type": "array"}),
            ["spec.validation.openAPIV3Schema.properties[field].items: Required value: must be specified"],
        ),
        (
            field(TEXT | {"pattern": "("}),
            [
                'spec.validation.openAPIV3Schema.properties[field].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`'
            ],
        ),
        (
            field(listed(TEXT, uniqueItems=True)),
            [
                "spec.validation.openAPIV3Schema.properties[field].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            ],
        ),
        (
            field({"$ref": "#/x"}),
            ["spec.validation.openAPIV3Schema.properties[field].$ref: Forbidden: $ref is not supported"],
        ),
        (
            field(TEXT | {"anyOf": [{"type": "string"}]}),
            [
                "spec.validation.openAPIV3Schema.properties[field].anyOf[0].type: Forbidden: must be empty to be structural"
            ],
        ),
        (
            field({"type": "object", "x-kubernetes-embedded-resource": True}),
            [
                "spec.validation.openAPIV3Schema.properties[field].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
            ],
        ),
        (
            field(TEXT | {"x-kubernetes-list-type": "set"}),
            [
                'spec.validation.openAPIV3Schema.properties[field].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'
            ],
        ),
        (
            field(listed(TEXT, **{"x-kubernetes-list-type": "bag"})),
            [
                'spec.validation.openAPIV3Schema.properties[field].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"'
            ],
        ),
        (
            field(listed(TEXT, **{"x-kubernetes-list-type": "map"})),
            [
                'spec.validation.openAPIV3Schema.properties[field].items.type: Invalid value: "string": must be object if parent array\'s x-kubernetes-list-type is map',
                "spec.validation.openAPIV3Schema.properties[field].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
            ],
        ),
        (
            field(listed(of(a=TEXT), **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "b"]})),
            [
                "spec.validation.openAPIV3Schema.properties[field].items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
                'spec.validation.openAPIV3Schema.properties[field].x-kubernetes-list-map-keys: Invalid value: ["a","b"]: entries must all be names of item properties',
            ],
        ),
        (
            field(listed(of(a=TEXT), **{"x-kubernetes-list-type": "set"})),
            [
                "spec.validation.openAPIV3Schema.properties[field].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set"
            ],
        ),
        (
            field({"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True}),
            [
                "spec.validation.openAPIV3Schema.properties[field].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true"
            ],
        ),
        (
            field({"type": "object", "x-kubernetes-preserve-unknown-fields": False}),
            [
                "spec.validation.openAPIV3Schema.properties[field].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"
            ],
        ),
        (
            field(of(a=TEXT) | {"additionalProperties": TEXT}),
            [
                "spec.validation.openAPIV3Schema.properties[field].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
            ],
        ),
        (
            field(of(a=TEXT) | {"additionalProperties": False}),
            [
                "spec.validation.openAPIV3Schema.properties[field].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
            ],
        ),
        (
            field(TEXT | {"default": 5}),
            [
                'spec.validation.openAPIV3Schema.properties[field].default: Invalid value: "integer":  in body must be of type string: "integer"'
            ],
        ),
        (
            field(WHOLE | {"minimum": 3, "default": 1}),
            [
                "spec.validation.openAPIV3Schema.properties[field].default: Invalid value: 1:  in body should be greater than or equal to 3"
            ],
        ),
        (
            field(of() | {"default": {"b": 1}}),
            [
                'spec.validation.openAPIV3Schema.properties[field].default: Invalid value: {"b":1}: must not have unknown fields'
            ],
        ),
        (
            field(TEXT | {"enum": ["a"], "default": "b"}),
            [
                'spec.validation.openAPIV3Schema.properties[field].default: Unsupported value: "b": supported values: "a"'
            ],
        ),
        (
            field(checked(of(a=WHOLE), "self.a", "self.b > 1", " ")),
            [
                "spec.validation.openAPIV3Schema.properties[field].x-kubernetes-validations[2].rule: Required value: rule is not specified"
            ],
        ),
        (
            field(
                checked(
                    of(a=WHOLE),
                    {"rule": "true", "message": " "},
                    {"rule": "true", "reason": "Why"},
                    {"rule": "true", "fieldPath": ".b"},
                )
            ),
            [
                'spec.validation.openAPIV3Schema.properties[field].x-kubernetes-validations[0].message: Invalid value: " ": must be non-empty if specified',
                'spec.validation.openAPIV3Schema.properties[field].x-kubernetes-validations[1].reason: Unsupported value: "Why": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
                'spec.validation.openAPIV3Schema.properties[field].x-kubernetes-validations[2].fieldPath: Invalid value: ".b": must be a valid path',
            ],
        ),
        (
            field(listed(checked(TEXT | {"maxLength": 9}, "self == oldSelf"), maxItems=9)),
            [
                'spec.validation.openAPIV3Schema.properties[field].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties[field]'
            ],
        ),
        (
            field(TEXT, additionalPrinterColumns=[{}]),
            [
                "spec.additionalPrinterColumns[0].JSONPath: Required value",
                "spec.additionalPrinterColumns[0].name: Required value",
                "spec.additionalPrinterColumns[0].type: Required value: must be one of boolean,date,integer,number,string",
            ],
        ),
        (
            field(TEXT, additionalPrinterColumns=[{"name": "A", "type": "x", "format": "y", "jsonPath": "z"}]),
            [
                'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "z": must be a simple json path starting with .',
                'spec.additionalPrinterColumns[0].format: Invalid value: "y": must be one of byte,date,date-time,double,float,int32,int64,password',
                'spec.additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
            ],
        ),
        (
            field(TEXT, subresources={"scale": {}}),
            [
                "spec.subresources.scale.specReplicasPath: Required value",
                "spec.subresources.scale.statusReplicasPath: Required value",
            ],
        ),
        (
            field(
                TEXT,
                subresources={
                    "scale": {
                        "specReplicasPath": ".status.a",
                        "statusReplicasPath": ".spec.a",
                        "labelSelectorPath": ".a",
                    }
                },
            ),
            [
                'spec.subresources.scale.labelSelectorPath: Invalid value: ".a": should be a json path under either .spec or .status',
                'spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec',
                'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.a": should be a json path under .status',
            ],
        ),
        (
            field(TEXT, selectableFields=[{"jsonPath": ".none"}, {"jsonPath": ".field"}, {"jsonPath": ".field"}]),
            [
                'spec.selectableFields[0].jsonPath: Invalid value: ".none": is an invalid path: does not refer to a valid field',
                'spec.selectableFields[2].jsonPath: Duplicate value: ".field"',
            ],
        ),
        (
            field(TEXT, deprecated=False, deprecationWarning="x"),
            ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
        ),
        (
            definition(GROUP, "widgets", version(schema={"type": "string"})),
            ['spec.validation.openAPIV3Schema.type: Invalid value: "string": must be object at the root'],
        ),
        (
            definition(GROUP, "widgets", version(schema=of(metadata=of(labels=TEXT)))),
            [
                "spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"
            ],
        ),
        (
            definition(GROUP, "widgets", version(), version(storage=False)),
            [
                'spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":true,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null},{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must contain unique version names'
            ],
        ),
        (
            definition(GROUP, "widgets", version(storage=False)),
            [
                'spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one version marked as storage version',
                "status.storedVersions: Invalid value: null: must have at least one stored version",
            ],
        ),
        (
            definition(GROUP, "widgets", version("V 1", storage=True)),
            [
                "spec.version: Invalid value: \"V 1\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                "spec.versions[0].name: Invalid value: \"V 1\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            ],
        ),
        (
            definition(GROUP, names={"kind": "wid_get", "shortNames": ["a_b"], "categories": ["C"]}),
            [
                "spec.names.categories[0]: Invalid value: \"C\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                "spec.names.kind: Invalid value: \"wid_get\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                "spec.names.listKind: Invalid value: \"wid_getList\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                "spec.names.shortNames[0]: Invalid value: \"a_b\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                "spec.names.singular: Invalid value: \"wid_get\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            ],
        ),
        (
            definition(GROUP, names={"listKind": "Widget"}),
            ['spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same'],
        ),
        (
            definition("nodot", scope="Everywhere"),
            [
                'spec.group: Invalid value: "nodot": should be a domain with at least one dot',
                'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"',
            ],
        ),
        (
            definition(GROUP, preserveUnknownFields=True),
            [
                "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
            ],
        ),
        (
            definition(GROUP, conversion={"strategy": "Webhook"}),
            [
                "spec.conversion.conversionReviewVersions: Required value",
                "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
            ],
        ),
        (
            definition(GROUP, conversion={"strategy": "Magic"}),
            ['spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"'],
        ),
        (
            definition(
                GROUP,
                conversion={
                    "strategy": "Webhook",
                    "webhook": {"conversionReviewVersions": ["v9"], "clientConfig": {"url": "http://a"}},
                },
            ),
            [
                'spec.conversion.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
                "spec.conversion.webhookClientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
            ],
        ),
        (
            definition("g.k8s.io"),
            [
                'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'
            ],
        ),
        (
            definition(
                GROUP,
                "widgets",
                version(schema=of(a=TEXT) | {"anyOf": [{"required": ["a"]}]}, subresources={"status": {}}),
            ),
            [
                'spec.validation.openAPIV3Schema: Invalid value: {"ID":"","Schema":"","Ref":null,"Description":"","Type":"object","Nullable":false,"Format":"","Title":"","Default":null,"Maximum":null,"ExclusiveMaximum":false,"Minimum":null,"ExclusiveMinimum":false,"MaxLength":null,"MinLength":null,"Pattern":"","MaxItems":null,"MinItems":null,"UniqueItems":false,"MultipleOf":null,"Enum":null,"MaxProperties":null,"MinProperties":null,"Required":null,"Items":null,"AllOf":null,"OneOf":null,"AnyOf":[{"ID":"","Schema":"","Ref":null,"Description":"","Type":"","Nullable":false,"Format":"","Title":"","Default":null,"Maximum":null,"ExclusiveMaximum":false,"Minimum":null,"ExclusiveMinimum":false,"MaxLength":null,"MinLength":null,"Pattern":"","MaxItems":null,"MinItems":null,"UniqueItems":false,"MultipleOf":null,"Enum":null,"MaxProperties":null,"MinProperties":null,"Required":["a"],"Items":null,"AllOf":null,"OneOf":null,"AnyOf":null,"Not":null,"Properties":null,"AdditionalProperties":null,"PatternProperties":null,"Dependencies":null,"AdditionalItems":null,"Definitions":null,"ExternalDocs":null,"Example":null,"XPreserveUnknownFields":null,"XEmbeddedResource":false,"XIntOrString":false,"XListMapKeys":null,"XListType":null,"XMapType":null,"XValidations":null}],"Not":null,"Properties":{"a":{"ID":"","Schema":"","Ref":null,"Description":"","Type":"string","Nullable":false,"Format":"","Title":"","Default":null,"Maximum":null,"ExclusiveMaximum":false,"Minimum":null,"ExclusiveMinimum":false,"MaxLength":null,"MinLength":null,"Pattern":"","MaxItems":null,"MinItems":null,"UniqueItems":false,"MultipleOf":null,"Enum":null,"MaxProperties":null,"MinProperties":null,"Required":null,"Items":null,"AllOf":null,"OneOf":null,"AnyOf":null,"Not":null,"Properties":null,"AdditionalProperties":null,"PatternProperties":null,"Dependencies":null,"AdditionalItems":null,"Definitions":null,"ExternalDocs":null,"Example":null,"XPreserveUnknownFields":null,"XEmbeddedResource":false,"XIntOrString":false,"XListMapKeys":null,"XListType":null,"XMapType":null,"XValidations":null}},"AdditionalProperties":null,"PatternProperties":null,"Dependencies":null,"AdditionalItems":null,"Definitions":null,"ExternalDocs":null,"Example":null,"XPreserveUnknownFields":null,"XEmbeddedResource":false,"XIntOrString":false,"XListMapKeys":null,"XListType":null,"XMapType":null,"XValidations":null}: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled'
            ],
        ),
        (
            definition(GROUP, "widgets", version(), version("v2", of(field={"type": "text"}))),
            [
                'spec.versions[1].schema.openAPIV3Schema.properties[field].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"'
            ],
        ),
        (definition(GROUP), []),
        (
            field(
                of(a=listed(of(b=TEXT), **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["b"]}))
                | {"required": ["a"]}
            ),
            [
                "spec.validation.openAPIV3Schema.properties[field].properties[a].items.properties[b].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            ],
        ),
    ],
)
def test_definitions_are_judged(crd: dict[str, Any], problems: list[str]) -> None:
    assert refused(crd) == problems


SERVED = {
    "conditions": [{"type": "Established", "status": "True"}],
    "acceptedNames": {"plural": "widgets", "kind": "Widget"},
    "storedVersions": ["v1"],
}


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"scope": "Cluster"}, ['spec.scope: Invalid value: "Cluster": field is immutable']),
        ({"group": "h.example.com"}, ['spec.group: Invalid value: "h.example.com": field is immutable']),
        (
            {"names": {"plural": "widgets", "kind": "Other"}},
            ['spec.names.kind: Invalid value: "Other": field is immutable'],
        ),
        (
            {
                "versions": [
                    {"name": "v2", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
                ]
            },
            [
                'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2',
                'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
            ],
        ),
        (
            {
                "versions": [
                    {"name": "v2", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}},
                    {"name": "v1", "served": True, "storage": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
                ]
            },
            ['status.storedVersions: Invalid value: ["v1"]: must have the storage version v2'],
        ),
        (
            {"conversion": {"strategy": "Magic"}},
            ['spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"'],
        ),
    ],
    ids=str,
)
def test_what_is_served_stays(change: dict[str, Any], problems: list[str]) -> None:
    old = definition(GROUP) | {"status": SERVED}
    assert refused(old | {"spec": old["spec"] | change}, old) == problems


def test_names_follow_from_the_kind() -> None:
    crd = decoded(definition(GROUP))
    names = {"plural": "widgets", "kind": "Widget", "singular": "widget", "listKind": "WidgetList"}
    assert crd["spec"]["names"] == names
    assert crd["spec"]["conversion"] == {"strategy": "None"}
    assert crd["status"]["storedVersions"] == ["v1"]


def test_the_status_of_a_new_definition_is_its_own() -> None:
    crd = decoded(definition(GROUP) | {"status": SERVED})
    STRATEGY.prepare_for_create(crd)
    assert crd["metadata"]["generation"] == 1
    assert crd["status"] == {
        "conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"],
    }  # fmt: skip


def test_another_version_that_is_stored_is_remembered() -> None:
    old = decoded(definition(GROUP) | {"status": SERVED})
    old["metadata"]["generation"] = 1
    new = copy.deepcopy(old)
    new["spec"]["versions"] = [version(storage=False), version("v2", storage=True)]
    new["status"] = {}
    STRATEGY.prepare_for_update(new, old, "")
    assert new["status"]["storedVersions"] == ["v1", "v2"]
    assert new["metadata"]["generation"] == 2
    new["status"]["storedVersions"] = ["v2"]
    STRATEGY.prepare_for_update(new, old, "status")
    assert new["spec"] == old["spec"]
    assert new["status"]["storedVersions"] == ["v2"]


def test_updates_of_the_status_are_judged_by_its_names() -> None:
    crd = decoded(definition(GROUP) | {"status": SERVED})
    crd["status"]["acceptedNames"]["kind"] = "wid_get"
    assert [each.field for each in STRATEGY.validate_update(crd, crd, "status")] == ["status.acceptedNames.kind"]


def test_what_this_server_leaves_out_is_warned_of_once() -> None:
    crd = decoded(field(checked(TEXT | {"format": "colour"}, "isURL(self)")))
    crd["spec"]["conversion"] = {"strategy": "Webhook"}
    told = STRATEGY.warnings(crd, None, "")
    assert [text.partition(":")[0] for text in told] == [
        'unrecognized format "colour"', "x-kubernetes-validations", "spec.conversion",
    ]  # fmt: skip
    assert STRATEGY.warnings(crd, crd, "") == []
    assert list(STRATEGY.warnings(crd, None, "status")) == []


def test_fields_that_a_write_cannot_change_are_reset() -> None:
    assert list(STRATEGY.reset_fields("")) == [("status",)]
    assert list(STRATEGY.reset_fields("status")) == [("spec",)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".a", "a"), (".b.c", "b.c"), (".m['x y']", "m[x y]"), ("['a']", "a"), (".m['it\\'s']", "m[it's]"),
    ],
)  # fmt: skip
def test_paths_of_fields(path: str, text: str) -> None:
    schema = structural(of(a=TEXT, b=of(c=TEXT), m={"type": "object", "additionalProperties": TEXT}))
    assert field_path(path, schema).text == text


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (".none", "does not refer to a valid field"),
        (".a.b", "does not refer to a valid field"),
        ("a", "expected [ or . but got: a"),
        (".", "unexpected end of JSON path"),
        (".m[x]", "expected single quoted string but got x"),
        (".m['x'", "unexpected end of JSON path"),
    ],
)
def test_paths_that_lead_nowhere(path: str, problem: str) -> None:
    schema = structural(of(a=TEXT, m={"type": "object", "additionalProperties": TEXT}))
    with pytest.raises(ValueError, match=re.escape(problem)):
        field_path(path, schema)


# ------------------------------------------------------------------ approval and conditions


@pytest.mark.parametrize(
    ("annotation", "state"),
    [
        ("", ApprovalState.MISSING),
        ("yes", ApprovalState.INVALID),
        ("unapproved, a test", ApprovalState.BYPASSED),
        ("https://github.com/kubernetes/x/pull/1", ApprovalState.APPROVED),
        ("/no/host", ApprovalState.INVALID),
    ],
)
def test_approvals(annotation: str, state: ApprovalState) -> None:
    found = approval("things.k8s.io", annotation)
    assert found is not None
    assert found.state is state
    assert approval("things.example.com", annotation) is None


def test_names_are_accepted_and_then_the_definition_is_established() -> None:
    crd = decoded(definition(GROUP, names={"shortNames": ["wd"]}))
    STRATEGY.prepare_for_create(crd)
    assert conditions.establish(crd, NOW) is None
    crd["status"] = conditions.accept_names(crd, (set(), set()), NOW)
    assert [(each["type"], each["status"], each["reason"]) for each in crd["status"]["conditions"]] == [
        ("NamesAccepted", "True", "NoConflicts"), ("Established", "False", "Installing"),
    ]  # fmt: skip
    assert crd["status"]["acceptedNames"]["shortNames"] == ["wd"]
    assert conditions.is_served(crd)
    assert conditions.approve(crd, NOW) is None
    crd["status"] = conditions.establish(crd, NOW)
    assert conditions.is_condition_true(crd, "Established")
    assert conditions.accept_names(crd, (set(), set()), NOW) is None
    assert conditions.establish(crd, NOW) is None


@pytest.mark.parametrize(
    ("resources", "kinds", "reason", "message", "accepted"),
    [
        ({"widgets"}, set(), "PluralConflict", '"widgets" is already in use', {"plural": ""}),
        ({"widget"}, set(), "SingularConflict", '"widget" is already in use', {"plural": "widgets", "kind": "Widget"}),
        (set(), {"Widget"}, "KindConflict", '"Widget" is already in use', {"plural": "widgets", "kind": ""}),
        (set(), {"WidgetList"}, "ListKindConflict", '"WidgetList" is already in use', {"kind": "Widget"}),
        ({"wd"}, set(), "ShortNamesConflict", '"wd" is already in use', {"singular": "widget"}),
        ({"wd", "wg"}, set(), "ShortNamesConflict", '["wd" is already in use, "wg" is already in use]', {}),
    ],
)
def test_names_that_others_have_are_not_accepted(
    resources: set[str], kinds: set[str], reason: str, message: str, accepted: dict[str, str]
) -> None:
    crd = decoded(definition(GROUP, names={"shortNames": ["wd", "wg"]}))
    STRATEGY.prepare_for_create(crd)
    status = conditions.accept_names(crd, (resources, kinds), NOW)
    assert status is not None
    assert status["conditions"][0] == {
        "type": "NamesAccepted", "status": "False", "lastTransitionTime": NOW, "reason": reason, "message": message,
    }  # fmt: skip
    assert status["conditions"][1]["reason"] == "NotAccepted"
    assert accepted.items() <= status["acceptedNames"].items()
    assert not conditions.is_served(crd | {"status": status})


def test_the_names_of_a_group_are_those_that_were_accepted() -> None:
    names = {"plural": "a", "singular": "b", "shortNames": ["c"], "kind": "D", "listKind": "E"}
    crd = definition(GROUP) | {"status": {"acceptedNames": names}}
    assert conditions.taken_names(GROUP, [crd, definition(GROUP)])[0] >= {"a", "b", "c"}
    assert conditions.taken_names(GROUP, [crd])[1] == {"D", "E"}
    assert conditions.taken_names("h.example.com", [crd]) == (set(), set())


def test_a_protected_group_says_what_it_thinks_of_the_annotation() -> None:
    crd = decoded(definition("things.k8s.io"))
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    status = conditions.approve(crd, NOW)
    assert status is not None
    assert status["conditions"] == [
        {
            "type": "KubernetesAPIApprovalPolicyConformant", "status": "False", "lastTransitionTime": NOW,
            "reason": "UnapprovedAnnotation", "message": 'not approved: "unapproved, a test"',
        }
    ]  # fmt: skip
    assert conditions.approve(crd | {"status": status}, NOW) is None


def test_the_end_of_a_definition() -> None:
    crd = decoded(definition(GROUP) | {"status": SERVED})
    conditions.mark_for_deletion(crd, NOW)
    assert crd["metadata"]["finalizers"] == [conditions.CLEANUP_FINALIZER]
    assert crd["metadata"]["deletionTimestamp"] == NOW

    def reason() -> str:
        return next(each["reason"] for each in crd["status"]["conditions"] if each["type"] == "Terminating")

    assert reason() == "InstanceDeletionPending"
    conditions.mark_for_deletion(crd, "2021-01-01T00:00:00Z")
    assert (crd["metadata"]["deletionTimestamp"], len(crd["metadata"]["finalizers"])) == (NOW, 1)
    crd["status"] = conditions.begin_deletion(crd, NOW)
    assert reason() == "InstanceDeletionInProgress"
    crd["status"] = conditions.finish_deletion(crd, NOW)
    assert reason() == "InstanceDeletionCompleted"
    assert not conditions.is_condition_true(crd, "Terminating")


def test_a_definition_that_never_was_served_says_so_at_its_end() -> None:
    status = conditions.finish_deletion(decoded(definition(GROUP)), NOW)
    assert status["conditions"][0]["reason"] == "NeverEstablished"


def test_rules_that_are_not_enforced_are_told_in_a_header_and_refuse_nothing() -> None:
    crd = field(checked(TEXT | {"maxLength": 9}, "isURL(self)"))
    with APIServer() as server:
        client = RawClient(server.kubeconfig)
        answer = client.request("POST", DEFINITIONS, crd)
        assert answer.headers.get_all("Warning") == [
            '299 - "x-kubernetes-validations: this server does not enforce the rule \\"isURL(self)\\": it needs isURL()"'
        ]
        body = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "x"}, "field": "none"}
        path = f"/apis/{GROUP}/v1/namespaces/default/widgets"
        assert client.request("POST", path, body).status == 201
