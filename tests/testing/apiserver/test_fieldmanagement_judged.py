"""Random writes by several managers, to a real API server and to field management: the outcomes are equal.

tests/support/ownership.py says how they are compared.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ownership import GROUP, THING, Judged, builtin, custom, other_version, things_crd
from raw import RawClient

from dynkube.testing import ControlPlane

NAMESPACE = "ownership"
_numbers = itertools.count(1)

judged = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane) -> Iterator[RawClient]:
    """The real server, with a namespace and the CRD."""
    raw = RawClient(control_plane.kubeconfig)
    raw.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    raw.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", things_crd())
    while raw.request("GET", f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/things").status != 200:
        time.sleep(0.05)  # no event tells that a CRD is served
    return raw


# ------------------------------------------------------------------ what is written

managers = st.sampled_from(["ann", "bob", "cid", "kubectl"])
words = st.sampled_from(["a", "b", "c<d", 'é"\\'])
plain = st.sampled_from(["a", "b"])
numbers = st.integers(0, 3)
some_labels = st.dictionaries(st.sampled_from(["a", "b", "x/c"]), st.sampled_from(["1", "2"]), max_size=3)


def fields(**each: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields."""
    return st.fixed_dictionaries({}, optional=each)


def unique(items: st.SearchStrategy[Any], *keys: str, size: int = 3) -> st.SearchStrategy[list[Any]]:
    """A list without items that have the same keys."""
    return st.lists(items, max_size=size, unique_by=lambda item: tuple(item.get(key) for key in keys))


metadata = st.one_of(
    st.just({}),
    fields(
        labels=some_labels,
        annotations=some_labels,
        finalizers=st.lists(st.sampled_from(["a/b", "c/d"]), max_size=2, unique=True),
    ),
)
maps = st.dictionaries(words, words, max_size=3)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words, st.just(1.5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(words, inner, max_size=2)),
    max_leaves=4,
)
nullable = st.one_of(st.none(), words)
int_or_string = st.one_of(numbers, words)
tags = st.lists(words, max_size=3, unique=True)
entry = st.fixed_dictionaries(
    {"name": words},
    optional={
        "kind": st.sampled_from(["plain", "fancy"]),
        "value": int_or_string,
        "sub": fields(a=words, b=numbers),
        "tags": tags,
    },
)
thing = st.fixed_dictionaries(
    {"metadata": metadata},
    optional={
        "spec": fields(
            text=nullable,
            count=numbers,
            price=st.sampled_from([1.5, 2, 0.001]),
            flag=st.booleans(),
            port=int_or_string,
            maybe=nullable,
            entries=st.lists(entry, max_size=3, unique_by=lambda each: (each["name"], each.get("kind", "plain"))),
            byNumber=unique(st.fixed_dictionaries({"id": numbers}, optional={"text": words}), "id"),
            tags=tags,
            numbers=st.lists(st.sampled_from([0, 1, 10, 2.5, -1]), max_size=3, unique=True),
            whole=st.lists(fields(a=words, b=numbers), max_size=2),
            block=fields(a=words, b=fields(c=numbers)),
            labels=maps,
            blockLabels=maps,
            nested=st.dictionaries(words, fields(x=words, y=st.dictionaries(words, numbers, max_size=2)), max_size=2),
            free=st.dictionaries(words, anything, max_size=3),
            half=st.one_of(
                fields(known=words, list=st.lists(numbers, max_size=2)), st.dictionaries(words, anything, max_size=2)
            ),
            any=anything,
        ),
    },
)
condition = st.fixed_dictionaries({"type": words}, optional={"status": words})
thing_status = st.fixed_dictionaries(
    {"status": fields(phase=words, conditions=unique(condition, "type"))}, optional={"metadata": metadata}
)
config_map = st.fixed_dictionaries(
    {"metadata": metadata},
    optional={
        "data": st.dictionaries(st.sampled_from(["a", "b.c", "d"]), words, max_size=3),
        "binaryData": st.dictionaries(st.sampled_from(["e", "f"]), st.sampled_from(["YQ==", "Yg=="]), max_size=2),
    },
)
secret = st.fixed_dictionaries(
    {"metadata": metadata},
    optional={"data": st.dictionaries(st.sampled_from(["e", "f"]), st.sampled_from(["YQ==", "Yg=="]), max_size=2)},
)
secret_strings = st.fixed_dictionaries({}, optional={"stringData": maps})
service_port = st.fixed_dictionaries(
    {"port": st.sampled_from([80, 443]), "name": st.sampled_from(["http", "https", "dns"])},
    optional={
        "protocol": st.sampled_from(["TCP", "UDP"]),
        "targetPort": st.sampled_from([8080, "web"]),
    },
)
service = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {"ports": st.lists(service_port, min_size=1, max_size=3, unique_by=lambda each: each["name"])},
            optional={"selector": some_labels, "sessionAffinity": st.sampled_from(["None", "ClientIP"])},
        )
    },
    optional={"metadata": metadata},
)
variable = st.fixed_dictionaries({"name": st.sampled_from(["A", "B", "C"])}, optional={"value": words})
port = st.fixed_dictionaries(
    {"containerPort": st.sampled_from([80, 81])},
    optional={"protocol": st.sampled_from(["TCP", "UDP"]), "name": st.sampled_from(["p", "q"])},
)
container = st.fixed_dictionaries(
    {"name": st.sampled_from(["main", "side"]), "image": st.sampled_from(["i:1", "i:2"])},
    optional={
        "env": unique(variable, "name"),
        "ports": unique(port, "containerPort", "protocol", size=2),
        "command": st.lists(words, max_size=2),
        "resources": fields(
            limits=st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "1000m", "2"]), max_size=2)
        ),
    },
)
pod_spec = st.fixed_dictionaries(
    {"containers": st.lists(container, min_size=1, max_size=2, unique_by=lambda each: each["name"])},
    optional={
        "tolerations": st.lists(st.fixed_dictionaries({"key": plain, "operator": st.just("Exists")}), max_size=2),
        "nodeSelector": some_labels,
        "securityContext": fields(runAsUser=numbers, fsGroup=numbers),
        "terminationGracePeriodSeconds": numbers,
    },
)
template = st.builds(lambda spec: {"metadata": {"labels": {"app": "a"}}, "spec": spec}, pod_spec)
deployment_spec = st.builds(
    lambda template, rest: {"selector": {"matchLabels": {"app": "a"}}, "template": template, **rest},
    template,
    fields(
        replicas=numbers,
        paused=st.booleans(),
        strategy=st.sampled_from([{"type": "Recreate"}, {"type": "RollingUpdate"}, {"rollingUpdate": {"maxSurge": 1}}]),
        minReadySeconds=numbers,
    ),
)
deployment = st.fixed_dictionaries({"spec": deployment_spec}, optional={"metadata": metadata})
deployment_status = st.fixed_dictionaries(
    {
        "status": fields(
            replicas=numbers,
            conditions=unique(
                st.fixed_dictionaries({"type": plain, "status": st.sampled_from(["True", "False"])}), "type"
            ),
        )
    },
    optional={"metadata": metadata},
)
pod_change = st.fixed_dictionaries({"metadata": metadata})
sent_entries = st.sampled_from([..., ..., ..., None, [], [{}], [{"manager": "x", "operation": "Apply"}]])


def writes(
    applied: st.SearchStrategy[Any],
    status: st.SearchStrategy[Any] | None = None,
    *,
    versions: tuple[str | None, ...] = (None,),
) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Some writes: what kind, by whom, what, and more."""
    version = st.sampled_from(versions)
    kinds = [
        st.tuples(st.just("apply"), managers, applied, st.booleans(), version),
        st.tuples(st.just("apply"), managers, applied, st.booleans(), version),
        st.tuples(st.just("replace"), managers, applied, sent_entries, version),
        st.tuples(st.just("merge"), managers, applied),
    ]
    if status is not None:
        kinds.append(st.tuples(st.just("apply status"), managers, status, st.booleans(), version))
        kinds.append(st.tuples(st.just("replace status"), managers, status, sent_entries, version))
    return st.lists(st.one_of(*kinds), min_size=4, max_size=12)


def play(obj: Judged, steps: list[tuple[Any, ...]]) -> None:
    """Do the writes; each judges itself."""
    try:
        for kind, manager, what, *more in steps:
            action, _, subresource = kind.partition(" ")
            if obj.live is None and (subresource or action == "merge"):
                continue
            _write(obj, action, manager, what, more, subresource)
    finally:
        _remove(obj)


def _write(obj: Judged, action: str, manager: str, what: Any, more: list[Any], subresource: str) -> None:
    if action == "apply":
        force, version = more
        obj.apply(what, manager, force=force, subresource=subresource, api_version=version)
    elif action == "replace":
        managed, version = more
        obj.replace(what, manager, subresource=subresource, api_version=version, managed_fields=managed)
    else:
        obj.merge(what, manager)


def _remove(obj: Judged) -> None:
    path = f"{obj._path(obj._version(None))}/{obj.name}"
    obj.raw.request(
        "PATCH", path, b'{"metadata":{"finalizers":null}}', headers={"Content-Type": "application/merge-patch+json"}
    )
    obj.raw.request("DELETE", f"{path}?gracePeriodSeconds=0")


def core(server: RawClient, plural: str, kind: str, **options: Any) -> Judged:
    version = builtin("v1", kind)
    where = f"/api/v1/namespaces/{NAMESPACE}/{plural}"
    return Judged(server, where, f"o-{next(_numbers)}", {"v1": version}, **options)


# ------------------------------------------------------------------ kinds


@judged
@given(steps=writes(config_map))
def test_config_maps(server: RawClient, steps: list[tuple[Any, ...]]) -> None:
    play(core(server, "configmaps", "ConfigMap", status_resets=()), steps)


@judged
@given(steps=writes(secret))
def test_secrets(server: RawClient, steps: list[tuple[Any, ...]]) -> None:
    play(core(server, "secrets", "Secret", status_resets=()), steps)


@judged
@given(steps=writes(service))
def test_services(server: RawClient, steps: list[tuple[Any, ...]]) -> None:
    play(core(server, "services", "Service"), steps)


@judged
@given(first=pod_spec, steps=writes(pod_change))
def test_pods(server: RawClient, first: dict[str, Any], steps: list[tuple[Any, ...]]) -> None:
    resets = (("spec",), ("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))
    play(core(server, "pods", "Pod", status_resets=resets), [("apply", "ann", {"spec": first}, False, None), *steps])


@judged
@given(steps=writes(deployment, deployment_status))
def test_deployments(server: RawClient, steps: list[tuple[Any, ...]]) -> None:
    version = builtin("apps/v1", "Deployment")
    where = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    resets = (("spec",), ("metadata", "labels"))
    play(Judged(server, where, f"o-{next(_numbers)}", {"apps/v1": version}, status_resets=resets), steps)


@judged
@given(steps=writes(thing, thing_status, versions=(None, f"{GROUP}/v1", f"{GROUP}/v2")))
def test_custom_resources(server: RawClient, steps: list[tuple[Any, ...]]) -> None:
    play(a_thing(server), steps)


# ------------------------------------------------------------------ what chance would not find


def a_deployment(server: RawClient) -> Judged:
    where = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    return Judged(server, where, f"o-{next(_numbers)}", {"apps/v1": builtin("apps/v1", "Deployment")})


def with_variables(*variables: tuple[str, str]) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in variables]
    spec = {"containers": [{"name": "c", "image": "i"} | ({"env": env} if env else {})]}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": spec}
    return {"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template}}


def test_a_list_with_duplicates(server: RawClient) -> None:
    obj = a_deployment(server)
    env = "/spec/template/spec/containers/0/env"
    obj.replace(with_variables(("A", "1"), ("A", "2"), ("B", "1")), "ann")
    obj.merge({"metadata": {"labels": {"x": "y"}}}, "bob")
    obj.edit("bob", {"op": "replace", "path": f"{env}/1/value", "value": "3"})
    assert obj.apply(with_variables(("B", "1")), "cid").status == 200
    assert obj.apply(with_variables(("A", "1")), "cid").status == 409
    assert obj.apply(with_variables(("A", "1")), "cid", force=True).status == 200
    obj.edit("bob", {"op": "add", "path": f"{env}/-", "value": {"name": "A", "value": "3"}})
    obj.edit("bob", {"op": "remove", "path": f"{env}/0"})
    obj.edit("bob", {"op": "add", "path": f"{env}/-", "value": {"name": "A", "value": "3"}})
    obj.edit("bob", {"op": "remove", "path": env})
    assert obj.apply(with_variables(), "cid").status == 200


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def client_side_applied(server: RawClient, text: str | None = None, **data: str) -> Judged:
    """A ConfigMap as ``kubectl apply`` of old leaves it."""
    obj = core(server, "configmaps", "ConfigMap", status_resets=())
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": obj.name}, "data": data}
    annotations = {LAST_APPLIED: json.dumps(applied) if text is None else text}
    obj.replace({"metadata": {"annotations": annotations}, "data": data}, "kubectl-client-side-apply")
    return obj


def last_applied(obj: Judged) -> Any:
    return json.loads(obj.live["metadata"]["annotations"][LAST_APPLIED])


def test_kubectl_takes_over_what_it_applied_by_itself(server: RawClient) -> None:
    obj = client_side_applied(server, a="1", b="1", c="1")
    assert obj.apply({"data": {"a": "2", "b": "1"}}, "other").status == 409
    assert obj.apply({"data": {"a": "2", "b": "1"}}, "kubectl").status == 200
    assert last_applied(obj)["data"] == {"a": "2", "b": "1"}


def test_kubectl_does_not_take_over_what_others_changed(server: RawClient) -> None:
    obj = client_side_applied(server, a="1", b="1", c="1")
    obj.merge({"data": {"c": "9", "d": "9"}}, "ed")
    answer = obj.apply({"data": {"a": "2", "c": "3", "d": "5"}}, "kubectl")
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [".data.c", ".data.d"]


def test_the_annotation_says_what_kubectl_applied_last(server: RawClient) -> None:
    obj = client_side_applied(server, a="1")
    config = {"metadata": {"annotations": {"z": "<é>"}}, "data": {"b": "2"}}
    obj.apply(config, "kubectl")
    assert last_applied(obj)["metadata"]["annotations"] == {"z": "<é>"}
    before = obj.live["metadata"]["resourceVersion"]
    obj.apply(config, "kubectl")
    assert obj.live["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize(
    "text",
    [
        "{", '"x"', "{}", "null", '{"apiVersion":"v1","kind":"Secret"}', '{"apiVersion":"v1","kind":"ConfigMap","x":1}',
        '{"apiVersion":"v1","kind":"ConfigMap","data":{"a":1}}',
    ],
)  # fmt: skip
def test_an_annotation_that_cannot_be_used(server: RawClient, text: str) -> None:
    obj = client_side_applied(server, text, a="1")
    assert obj.apply({"data": {"a": "4"}}, "kubectl").status == 409


def test_more_than_ten_updaters(server: RawClient) -> None:
    obj = core(server, "configmaps", "ConfigMap", status_resets=())
    obj.apply({"data": {"x": "1"}}, "ann")
    for number in range(13):
        obj.merge({"data": {f"k{number}": "v"}}, f"m{number}")
    names = [each["manager"] for each in obj.live["metadata"]["managedFields"]]
    assert names[:2] == ["ann", "ancient-changes"]
    assert len(names) == 11


def entry_of(**changes: Any) -> dict[str, Any]:
    usual = {"manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {**usual, "fieldsV1": {"f:data": {"f:b": {}}}, **changes}


@pytest.mark.parametrize(
    "sent",
    [
        [entry_of()],
        [entry_of(apiVersion="v9")],
        [entry_of(apiVersion="apps/v1")],
        [entry_of(apiVersion="a/b/c")],
        [entry_of(operation="Apply", subresource="status", time="2020-01-01T00:00:00+02:00")],
        [entry_of(fieldsV1={"f:data": {"f:zz": {}, "f:a": {".": {}}}, "f:kind": {}})],
        [entry_of(fieldsV1={"q:data": {}, "f:data": {"z:a": {}}})],
        [entry_of(fieldsV1={"data": {}})],
        [entry_of(fieldsV1={"f:data": {'k:{"b":1, "a": "x"}': {}, "v:1.0": {}, "i:0": {}, 'v:"a<b"': {}}})],
        [entry_of(fieldsV1={"f:data": {"k:1": {}}})],
        [entry_of(fieldsV1={"f:data": {"i:x": {}}})],
        [entry_of(fieldsV1={"f:data": "x"})],
        [entry_of(fieldsV1={"f:data": None})],
        [entry_of(fieldsV1="x")],
        [entry_of(fieldsV1={})],
        [entry_of(), entry_of(fieldsV1={"f:data": {"f:a": {}}})],
        [entry_of(), {"operation": "Apply"}],
        [entry_of(fieldsType="FieldsV2")],
        [{}, {}],
        [{}],
        [],
    ],
)
def test_entries_that_a_client_sends(server: RawClient, sent: Any) -> None:
    obj = core(server, "configmaps", "ConfigMap", status_resets=())
    obj.apply({"data": {"a": "1"}}, "ann")
    obj.replace({"data": {"a": "1", "c": "1"}}, "bob", managed_fields=sent)
    obj.replace({"data": {"a": "1", "b": "2"}}, "cid")
    obj.apply({"data": {"b": "3"}}, "ann")


@pytest.mark.parametrize("api_version", ["v1", f"{GROUP}/v9", "a/b/c", f"{GROUP}/v2"])
def test_entries_of_a_custom_resource_in_other_versions(server: RawClient, api_version: str) -> None:
    obj = a_thing(server)
    obj.apply({"spec": {"text": "a", "count": 1}}, "ann")
    sent = [entry_of(apiVersion=api_version, fieldsV1={"f:spec": {"f:text": {}}})]
    obj.merge({"metadata": {"managedFields": sent}, "spec": {"count": 2}}, "bob")
    obj.apply({"spec": {"text": "b", "count": 1}}, "ann")


def test_what_was_owned_item_by_item_in_a_version_where_it_is_one_thing(server: RawClient) -> None:
    obj = a_thing(server)
    obj.apply({"spec": {"labels": {"a": "1"}, "tags": ["a"], "block": {"a": "x"}}}, "ann")
    obj.apply({"spec": {"labels": {"b": "1"}, "tags": ["b"]}}, "bob", api_version=f"{GROUP}/v2", force=True)
    sent = [entry_of(apiVersion=f"{GROUP}/v2", fieldsV1={"f:spec": {"f:labels": {"f:a": {}}, "f:block": {}}})]
    obj.merge({"metadata": {"managedFields": sent}, "spec": {"count": 2}}, "bob")


def a_thing(server: RawClient) -> Judged:
    versions = {
        f"{GROUP}/v1": custom(f"{GROUP}/v1", "Thing", THING),
        f"{GROUP}/v2": custom(f"{GROUP}/v2", "Thing", other_version(THING)),
    }
    where = f"/apis/VERSION/namespaces/{NAMESPACE}/things"
    return Judged(server, where, f"o-{next(_numbers)}", versions, status_resets=(("metadata",), ("spec",)))


@pytest.mark.parametrize(
    "config",
    [
        {"data": {"x": 1}}, {"data": {"x": True}}, {"data": {"x": 1.5}}, {"data": {"x": {"b": [None, 1e30], "a": "q\""}}},
        {"data": ["a"]}, {"data": "a"}, {"data": 5}, {"immutable": "a"}, {"immutable": {"a": [1, None]}},
        {"foo": 1}, {"metadata": {"finalizers": ["a/b", "a/b"]}},
        {"metadata": {"finalizers": [{"a": "b"}]}}, {"metadata": {"finalizers": [["b"]]}},
        {"metadata": {"finalizers": [None]}}, {"metadata": {"finalizers": [1, "a/b"]}},
        {"metadata": {"ownerReferences": [None]}},
        {"metadata": {"ownerReferences": [1]}}, {"metadata": {"managedFields": "x"}},
        {"metadata": {"managedFields": []}}, {"metadata": {"managedFields": [{}]}}, {"metadata": {"managedFields": ["x"]}},
        {"apiVersion": "v2"}, {"apiVersion": "a/b/c"}, {"apiVersion": 1}, {"kind": "Secret"}, {"kind": None},
    ],
)  # fmt: skip
def test_what_is_applied_is_not_of_its_type(server: RawClient, config: dict[str, Any]) -> None:
    obj = core(server, "configmaps", "ConfigMap", status_resets=())
    assert obj.apply(config, "ann", refused=True).status in (400, 500)


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "A"}, {"name": "A"}]},
        {"env": [{"value": "A"}, {"value": "A"}]},
        {"env": "a"},
        {"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]},
        {"ports": [{"containerPort": 12345678}, {"containerPort": 12345678}]},
        {"ports": [{"containerPort": 1.5}, {"containerPort": 1.5}]},
        {"ports": [{"containerPort": None}, {"containerPort": None}]},
        {"ports": [{"containerPort": 'a"b'}, {"containerPort": 'a"b'}]},
        {"ports": [{"containerPort": [1, "a", {"b": 1}]}, {"containerPort": [1, "a", {"b": 1}]}]},
        {"resources": {"limits": {"cpu": {"a": 1}}}},
        {"resources": {"limits": {"cpu": ["a", 1, None, True, 1.5, {"b": "c", "a": "d"}]}}},
    ],
)
def test_a_container_that_is_not_of_its_type(server: RawClient, container: dict[str, Any]) -> None:
    config = with_variables()
    config["spec"]["template"]["spec"]["containers"][0].update(container)
    assert a_deployment(server).apply(config, "ann", refused=True).status == 500
