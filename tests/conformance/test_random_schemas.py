"""Random schemas and objects on both servers: pruned, defaulted and judged alike, before and after changes.

Hypothesis chooses a schema and values that mostly fit it. Each schema becomes a CRD on both servers, each value
an object; answers are compared with their warnings, managers and causes (in any order: Go walks fields at random).
"""

from __future__ import annotations

from typing import Any

import pytest
from both import Both, Side, new_namespace
from crds import Kind, establish, in_any_order, of, remove, version
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.sampled_from(["", "a", "b", "abc", "abcdef", "2020-01-02T03:04:05Z", "10.0.0.1", "YWJj", "10%"])
NUMBERS = st.sampled_from([0, 1, 2, 3, 6, 10, -1, 2**31, 2**53 + 1, 1.5, 2.0, 0.3, 1e21])
LEAVES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2), max_leaves=4
)
LIST, KEYS = "x-kubernetes-list-type", "x-kubernetes-list-map-keys"
PRESERVE, EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"

Schema = dict[str, Any]


def some(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A dict with any of these keywords, none of them most of the time."""
    made = {
        name.rstrip("_"): value if isinstance(value, st.SearchStrategy) else st.sampled_from(value)
        for name, value in fields.items()
    }
    picked = st.fixed_dictionaries({}, optional=made)
    return st.one_of(st.just({}), picked, picked)


LIMITS: dict[str, st.SearchStrategy[Schema]] = {
    "string": some(
        minLength=[0, 1, 2], maxLength=[0, 2, 3], pattern=["^a", "b$", "^[a-z]*$"], enum=[["a"], ["b", "abc"]],
        format=["date-time", "ipv4", "byte", "colour"], nullable=[True],
    ),
    "integer": some(
        minimum=[0, 1, 2], maximum=[0, 3, 9], multipleOf=[2, 3], enum=[[1], [1, 2, 3]], format=["int32", "int64"],
        nullable=[True],
    ),
    "number": some(minimum=[0, 0.5], maximum=[2.5, 10], multipleOf=[0.5, 2], enum=[[1.5], [1, 2]], format=["float"]),
    "boolean": some(enum=[[True]], nullable=[True]),
}  # fmt: skip
DEFAULTS = {
    "string": ["a", "abc", ""], "integer": [0, 1, 3], "number": [0.5, 2], "boolean": [True, False],
}  # fmt: skip
BRANCHES = st.sampled_from(
    [
        {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"allOf": [{"required": ["a"]}, {"maxProperties": 1}]},
        {"not": {"required": ["a", "b"]}},
    ]
)


@st.composite
def leaves(draw: st.DrawFn) -> Schema:
    kind = draw(st.sampled_from(sorted(LIMITS)))
    schema = {"type": kind, **draw(LIMITS[kind])}
    if draw(st.integers(0, 3)) == 0:
        schema["default"] = draw(st.sampled_from(schema.get("enum") or DEFAULTS[kind]))
    if draw(st.integers(0, 7)) == 0:
        return {"x-kubernetes-int-or-string": True}
    return schema


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    limits = some(minProperties=[1, 2], maxProperties=[1, 2], nullable=[True])
    schema: Schema = {"type": "object", **draw(limits)}
    shape = draw(st.integers(0, 5))
    if shape == 0:
        return schema | {"additionalProperties": draw(inner)}
    if shape == 1:
        return schema | draw(st.sampled_from([{PRESERVE: True}, {PRESERVE: True, EMBEDDED: True}]))
    schema["properties"] = draw(st.dictionaries(NAMES, inner, min_size=1, max_size=3))
    if shape == 2:
        schema[PRESERVE] = True
    if draw(st.integers(0, 3)) == 0:
        schema["required"] = draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 3)) == 0:
        schema |= draw(BRANCHES)
    if draw(st.integers(0, 4)) == 0:
        schema["default"] = {}
    return schema


@st.composite
def lists(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    schema: Schema = {"type": "array", **draw(some(minItems=[0, 1, 2], maxItems=[1, 2], nullable=[True]))}
    shape = draw(st.integers(0, 3))
    if shape == 0:
        return schema | {"items": draw(leaves()), LIST: draw(st.sampled_from(["set", "atomic"]))}
    if shape == 1:
        fields = {"a": {"type": "string"}, "b": {"type": "integer", "default": 1}, "c": draw(inner)}
        items = {"type": "object", "properties": fields, "required": ["a"]}
        return schema | {"items": items, LIST: "map", KEYS: draw(st.sampled_from([["a"], ["a", "b"]]))}
    return schema | {"items": draw(inner)}


SCHEMAS = st.recursive(leaves(), lambda inner: objects(inner) | lists(inner), max_leaves=6)


@st.composite
def values(draw: st.DrawFn, schema: Schema) -> Any:
    """A value that fits, most of the time."""
    if draw(st.integers(0, 11)) == 0:
        return draw(ANYTHING)
    kind = schema.get("type")
    if schema.get("enum") and draw(st.booleans()):
        return draw(st.sampled_from(schema["enum"]))
    if kind == "object":
        return draw(fields_of(schema))
    if kind == "array":
        items = draw(st.lists(values(schema["items"]), max_size=3))
        return [*items, items[0]] if items and draw(st.integers(0, 4)) == 0 else items
    fitting = {"string": TEXTS, "integer": st.integers(0, 10), "number": NUMBERS, "boolean": st.booleans()}
    return draw(fitting.get(str(kind), st.sampled_from([1, "a", "10%"])))


@st.composite
def fields_of(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    made = {
        name: draw(values(each)) for name, each in (schema.get("properties") or {}).items() if draw(st.integers(0, 3))
    }
    if schema.get("additionalProperties"):
        made |= draw(st.dictionaries(NAMES, values(schema["additionalProperties"]), max_size=2))
    if schema.get(EMBEDDED):
        made |= draw(st.sampled_from([{"apiVersion": "v1", "kind": "Pod"}, {"kind": "Pod"}, {}]))
    if draw(st.integers(0, 4)) == 0:
        made |= draw(st.dictionaries(NAMES, ANYTHING, max_size=1))
    return made


@st.composite
def samples(draw: st.DrawFn) -> tuple[Schema, list[Any]]:
    """Some schemas side by side, and values for all of them."""
    schema = of(**{name: draw(SCHEMAS) for name in ("e", "f", "g", "h")})
    return schema, draw(st.lists(fields_of(schema), min_size=8, max_size=8))


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> list[Side]:
    return [Side(name, request.getfixturevalue(f"_{name}").raw) for name in ("real", "embedded")]


@pytest.mark.controlplane
def test_objects_are_pruned_defaulted_and_judged_alike(servers: list[Side]) -> None:
    @settings(max_examples=12, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
    @given(samples())
    def case(sample: tuple[Schema, list[Any]]) -> None:
        schema, specs = sample
        both = Both(servers, new_namespace())
        kind = Kind(both, f"random{both.unique.replace('-', '')}s", version(schema=of(spec=schema)), scope="Cluster")
        if (
            both.post(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", kind.crd, mask=in_any_order
            ).status
            != 201
        ):
            return
        establish(both, kind.crd)
        try:
            judge(kind, specs)
        finally:
            remove(both, kind.crd)

    case()


def judge(kind: Kind, specs: list[Any]) -> None:
    """Create all of them; and change the first that was created into each of the others."""
    both, made = kind.both, ""
    for spec in specs:
        body = kind.object(spec=spec)
        dry_run = "" if not made else "&dryRun=All"
        answer = both.post(f"{kind.path()}?fieldValidation=Warn{dry_run}", body, mask=in_any_order)
        if made:
            both.patch(f"{kind.path(made)}?dryRun=All", {"spec": spec}, mask=in_any_order)
            both.put(f"{kind.path(made)}?dryRun=All", whole(kind, made, spec), mask=in_any_order)
        elif answer.status == 201:
            made = body["metadata"]["name"]


def whole(kind: Kind, name: str, spec: Any) -> Any:
    """The object of this name with another spec, at the version that its server has."""

    def body(side: Side) -> dict[str, Any]:
        return side.raw.request("GET", kind.path(name)).json() | {"spec": spec}

    return body
