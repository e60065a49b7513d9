"""Random bodies and patches, to a real API server and to decoding and patching: objects, warnings and refusals are equal.

Everything is sent dry, to kinds that the server stores as they come (a RuntimeClass, a ConfigMap, a PodTemplate), so that what it
answers is what decoding and patching made of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from raw import Answer, RawClient

from dynkube.schema import GroupVersionKind
from dynkube.testing import ControlPlane
from dynkube.testing.apiserver import patching, recorded
from dynkube.testing.apiserver.decoding import STRICT, WARN, Target, decode_object, gotypes
from dynkube.testing.apiserver.words.statuses import StatusError

NAMESPACE = "decoding"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
TEMPLATES = f"/api/v1/namespaces/{NAMESPACE}/podtemplates"
CONFIG_MAP = Target(GroupVersionKind("", "v1", "ConfigMap"))
POD_TEMPLATE = "io.k8s.api.core.v1.PodTemplate"

judged = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

TEMPLATE = {
    "metadata": {"name": "t", "finalizers": ["x.io/a", "x.io/b"], "labels": {"a": "1"}},
    "template": {
        "metadata": {"labels": {"app": "x"}},
        "spec": {
            "containers": [
                {"name": each, "image": each, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
                for each in "cde"
            ],
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}],
        },
    },
}


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane) -> Iterator[RawClient]:
    raw = RawClient(control_plane.kubeconfig)
    raw.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    assert raw.request("POST", CONFIG_MAPS, {"metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}).status == 201
    assert raw.request("POST", TEMPLATES, TEMPLATE).status == 201
    yield raw
    raw.request(
        "PATCH",
        f"{TEMPLATES}/t",
        {"metadata": {"finalizers": None}},
        headers={"Content-Type": "application/merge-patch+json"},
    )


def warnings(answer: Answer) -> list[str]:
    # http.client reads headers as Latin-1, and they are UTF-8.
    lines = [each.encode("latin-1").decode() for each in answer.headers.get_all("Warning") or ()]
    return [each.removeprefix('299 - "').removesuffix('"').replace('\\"', '"').replace("\\\\", "\\") for each in lines]


def decoding_warnings(answer: Answer) -> list[str]:
    return [each for each in warnings(answer) if not each.lstrip(".").startswith("metadata")]


def refusal_or(make: Callable[[], Any]) -> Any:
    """What is made, or the Status that says why not."""
    try:
        return make()
    except StatusError as error:
        return error.status


def contents(obj: Any) -> Any:
    """An object without what the server adds."""
    added = {
        "uid",
        "creationTimestamp",
        "managedFields",
        "resourceVersion",
        "namespace",
        "generation",
        "selfLink",
        "deletionGracePeriodSeconds",
    }
    metadata = {name: each for name, each in obj["metadata"].items() if name not in added}
    return {**obj, "metadata": metadata}


# ------------------------------------------------------------------ bodies

SCALARS = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.5, 2**40, "", "x", "é", "2026-01-01T00:00:00Z", "aGk=", "100m"]
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
OWNERS = st.fixed_dictionaries(
    {"apiVersion": st.just("v1"), "kind": st.just("K"), "name": st.just("n"), "uid": st.sampled_from("uv") | JUNK}
)
METADATA = st.fixed_dictionaries(
    {"name": st.just("a")},
    optional={
        "labels": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"]) | JUNK, max_size=2) | JUNK,
        "annotations": st.dictionaries(st.sampled_from("ab"), st.text(max_size=3), max_size=2),
        "finalizers": st.lists(st.sampled_from(["x.io/a", "x.io/b"]), max_size=2) | JUNK,
        "deletionGracePeriodSeconds": st.integers(0, 9) | JUNK,
        "ownerReferences": st.lists(OWNERS, max_size=1) | JUNK,
        "x": JUNK,
        'q"': JUNK,
    },
)
BODIES = st.fixed_dictionaries(
    {"metadata": METADATA},
    optional={
        "data": st.dictionaries(st.sampled_from("ab"), st.text(max_size=3) | JUNK, max_size=2) | JUNK,
        "binaryData": st.dictionaries(st.sampled_from("cd"), st.just("aGk=") | JUNK, max_size=2) | JUNK,
        "immutable": st.booleans() | JUNK,
        "Data": JUNK,
        "kind": st.sampled_from(["ConfigMap", "Pod", "Foo", "Status", ""]) | JUNK,
        "apiVersion": st.sampled_from(["v1", "v2", "apps/v1", "a/b/c", ""]) | JUNK,
    },
)


def repeated(value: Any, draw: Any) -> str:
    """JSON in which keys come twice now and then."""
    if isinstance(value, dict):
        pairs = list(value.items())
        if pairs and draw(st.integers(0, 4)) == 0:
            pairs.append((draw(st.sampled_from(pairs))[0], draw(SCALARS)))
        return "{" + ",".join(f"{json.dumps(key)}:{repeated(each, draw)}" for key, each in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(repeated(each, draw) for each in value) + "]"
    return json.dumps(value)


def judge_create(server: RawClient, body: bytes, content_type: str, directive: str) -> None:
    answer = server.request(
        "POST", f"{CONFIG_MAPS}?dryRun=All&fieldValidation={directive}", body, headers={"Content-Type": content_type}
    )
    real = answer.json()
    outcome = refusal_or(lambda: decode_object(body, content_type, CONFIG_MAP, directive))
    if isinstance(outcome, dict):
        assert real == outcome
        return
    obj, told = outcome
    assert answer.status in (201, 422), real
    # Validation, and what it warns of, is another room's.
    assert decoding_warnings(answer) == told
    if answer.status == 201:
        assert contents(real) == contents(obj)


class TestBodies:
    @judged
    @given(data=st.data(), body=BODIES, directive=st.sampled_from(["Ignore", WARN, STRICT]))
    def test_objects(self, server: RawClient, data: st.DataObject, body: Any, directive: str) -> None:
        judge_create(server, repeated(body, data.draw).encode(), "application/json", directive)

    @judged
    @given(data=st.data(), body=BODIES)
    def test_broken_text(self, server: RawClient, data: st.DataObject, body: Any) -> None:
        text = bytearray(json.dumps(body, ensure_ascii=data.draw(st.booleans())).encode())
        pieces = st.sampled_from(
            [
                b"",
                b"{",
                b"}",
                b"[",
                b"]",
                b",",
                b":",
                b'"',
                b"\\",
                b"\\u12",
                b"\\ud800",
                b"\xff",
                b"0",
                b"1e",
                b"-",
                b"nul",
                b" ",
                b"\n",
            ]
        )
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(text)))
            text[at : at + data.draw(st.integers(0, 2))] = data.draw(pieces)
        judge_create(server, bytes(text), "application/json", WARN)

    @judged
    @given(body=BODIES, flow=st.booleans(), directive=st.sampled_from([WARN, STRICT]))
    def test_yaml(self, server: RawClient, body: Any, flow: bool, directive: str) -> None:
        import yaml

        text = yaml.safe_dump(body, allow_unicode=True, default_flow_style=flow, width=1000)
        assume("!!" not in text)
        judge_create(server, text.encode(), "application/yaml", directive)


# ------------------------------------------------------------------ patches

KEYS = st.sampled_from(
    ["a", "b", "c", "-", "0", "1", "-1", "9", "a~1b", "data", "metadata", "labels", "finalizers", ""]
)
POINTERS = st.one_of(
    st.sampled_from(
        ["/data/a", "/data/b", "/data/z", "/metadata/labels", "/metadata/finalizers/0", "/data", "", "data/a"]
    ),
    st.lists(KEYS, max_size=3).map(lambda steps: "".join(f"/{step}" for step in steps)),
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "none"]), "path": POINTERS},
    optional={"value": JUNK, "from": POINTERS, "x": JUNK},
)
ENV = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("ABC")}, optional={"value": st.sampled_from(["1", None]), "$patch": st.just("delete")}
    ),
    max_size=3,
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("cdefg")},
        optional={
            "image": st.sampled_from(["i", None]),
            "env": ENV,
            "$patch": st.sampled_from(["delete", "delete", "replace", "x"]),
        },
    ),
    max_size=4,
)
ORDERS = st.permutations("cdefg").flatmap(
    lambda order: st.integers(2, 5).map(lambda size: [{"name": each} for each in order[:size]])
)
STRATEGIC = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "finalizers": st.lists(st.sampled_from(["x.io/a", "x.io/b", "x.io/c", "x.io/d"]), max_size=4) | SCALARS,
                "$setElementOrder/finalizers": st.lists(st.sampled_from(["x.io/a", "x.io/b", "x.io/c"]), max_size=4),
                "labels": st.dictionaries(
                    st.sampled_from(["a", "b", "$patch"]), st.sampled_from(["1", "replace", None]), max_size=2
                )
                | JUNK,
                "x": JUNK,
            },
        ),
        "template": st.fixed_dictionaries(
            {},
            optional={
                "spec": st.fixed_dictionaries(
                    {},
                    optional={
                        "containers": CONTAINERS,
                        "$setElementOrder/containers": ORDERS,
                        "volumes": st.just(
                            [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]
                        )
                        | JUNK,
                        "terminationGracePeriodSeconds": st.integers(0, 9) | SCALARS,
                    },
                )
            },
        )
        | JUNK,
    },
)


def current(server: RawClient, path: str, kind: str) -> Any:
    obj = server.request("GET", path).json()
    return {"kind": kind, "apiVersion": "v1", **obj}


def judge_patch(server: RawClient, path: str, patch: Any, media_type: str) -> tuple[Answer, bytes]:
    data = json.dumps(patch).encode()
    return server.request("PATCH", f"{path}?dryRun=All", data, headers={"Content-Type": media_type}), data


class TestPatches:
    @judged
    @given(operations=st.lists(OPERATIONS, max_size=3))
    def test_json_patches(self, server: RawClient, operations: Any) -> None:
        path = f"{CONFIG_MAPS}/c"
        # Without a value the real server ends the connection there: it panics.
        assume(
            not any(
                each["op"] in ("replace", "test") and not each["path"] and "value" not in each for each in operations
            )
        )
        before = current(server, path, "ConfigMap")
        answer, data = judge_patch(server, path, operations, "application/json-patch+json")
        patched = refusal_or(lambda: patching.json_patch(before, data, WARN, typed=True))
        if isinstance(patched, dict):
            assert answer.json() == patched
            return
        judge_outcome(answer, patched, data, before, merges=False)

    @judged
    @given(
        patch=st.fixed_dictionaries(
            {}, optional={"metadata": METADATA | JUNK, "data": JUNK, "immutable": JUNK, "z": JUNK}
        )
    )
    def test_merge_patches(self, server: RawClient, patch: Any) -> None:
        path = f"{CONFIG_MAPS}/c"
        if isinstance(patch.get("metadata"), dict):
            patch["metadata"].pop("name", None)
        before = current(server, path, "ConfigMap")
        answer, data = judge_patch(server, path, patch, "application/merge-patch+json")
        judge_outcome(answer, patching.merge_patch(before, data, WARN, typed=True), data, before, merges=True)

    @judged
    @given(patch=STRATEGIC)
    def test_strategic_merge_patches(self, server: RawClient, patch: Any) -> None:
        path = f"{TEMPLATES}/t"
        before = current(server, path, "PodTemplate")
        schema = recorded.definitions("", "v1").find(POD_TEMPLATE)
        answer, data = judge_patch(server, path, patch, "application/strategic-merge-patch+json")
        patched = refusal_or(lambda: patching.strategic_merge(before, data, schema, WARN))
        if isinstance(patched, dict):
            # Of several things that are wrong, the real server finds any first.
            assert answer.status == patched["code"]
            return
        unknown = refusal_or(lambda: gotypes().convert(patched.obj, POD_TEMPLATE))
        if isinstance(unknown, dict):
            assert answer.json()["details"]["causes"][0]["field"] == "patch"
            return
        if answer.status == 200:
            assert warnings_of_fields(answer) == [*patched.problems, *unknown]
            outcome = answer.json()
            for place in ("containers", "volumes"):
                names = [each["name"] for each in patched.obj["template"]["spec"].get(place) or ()]
                assert [each["name"] for each in outcome["template"]["spec"].get(place) or ()] == names
            assert contents(outcome)["metadata"] == contents(patched.obj)["metadata"]
        else:
            assert answer.status in (400, 422)


def warnings_of_fields(answer: Answer) -> list[str]:
    return [each for each in warnings(answer) if "unknown field" in each or "duplicate field" in each]


def judge_outcome(answer: Answer, patched: patching.Patched, data: bytes, before: Any, *, merges: bool) -> None:
    text = patching.patched_text(before, data, merges=merges)
    obj = patched.obj
    if obj.get("kind") not in ("ConfigMap", None) or obj.get("apiVersion") != "v1":
        assert answer.status in (400, 422)
        return
    unknown = refusal_or(lambda: gotypes().normalize(obj, "io.k8s.api.core.v1.ConfigMap"))
    if isinstance(unknown, dict):
        assert answer.json() == patching.invalid_patch(text, unknown["message"]).status
        return
    assert answer.status in (200, 400, 409, 422), answer.body
    if answer.status == 200:
        assert warnings_of_fields(answer) == [*patched.problems, *unknown]
        assert contents(answer.json()) == contents({**obj, "kind": "ConfigMap"})
