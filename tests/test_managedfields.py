"""What a manager applied, read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import dynkube
from dynkube.errors import DecodeError, InvalidRequestError
from dynkube.managedfields import extract
from dynkube.testing import APIServer


def owned(obj: dict[str, Any], fields: dict[str, Any], **entry: str) -> dict[str, Any]:
    managed = {"manager": "me", "operation": "Apply", "fieldsV1": fields, **entry}
    return {
        **obj,
        "metadata": {"name": "it", "namespace": "shop", "managedFields": [managed], **obj.get("metadata", {})},
    }


NAMED = {"name": "it", "namespace": "shop"}


@pytest.mark.behaviour("9.1.8")
@pytest.mark.parametrize(
    ("spec", "fields", "expected"),
    [
        ({"a": 1, "b": 2}, {"f:a": {}}, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, {"f:a": {".": {}, "f:b": {}}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"f:a": {}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"f:a": {".": {}}}, {"a": {"b": 1}}),
        ({"a": 1}, {"f:gone": {}}, {}),
        ({"a": 1}, {"f:a": {"f:b": {}}}, {"a": None}),
        (
            {"c": [{"name": "x", "image": "1", "tty": True}, {"name": "y"}]},
            {"f:c": {'k:{"name":"x"}': {".": {}, "f:image": {}}}},
            {"c": [{"name": "x", "image": "1"}]},
        ),
        ({"c": [{"name": "x"}]}, {"f:c": {'k:{"name":"x"}': {}}}, {"c": [{"name": "x"}]}),
        ({"f": ["a", "b", "c"]}, {"f:f": {'v:"c"': {}, 'v:"a"': {}}}, {"f": ["a", "c"]}),
        ({"i": [5, 6]}, {"f:i": {"i:1": {}}}, {"i": [6]}),
    ],
)
def test_the_owned_fields_come_back(spec: Any, fields: dict[str, Any], expected: Any) -> None:
    found = extract(owned({"kind": "Widget", "spec": spec}, {"f:spec": fields}), "me")
    assert found == {"kind": "Widget", "metadata": NAMED, "spec": expected}


@pytest.mark.behaviour("9.1.8")
@pytest.mark.parametrize("entry", [{"manager": "you"}, {"operation": "Update"}, {"subresource": "status"}])
def test_what_others_own_or_what_was_not_applied_does_not(entry: dict[str, str]) -> None:
    assert extract(owned({"spec": {"a": 1}}, {"f:spec": {"f:a": {}}}, **entry), "me") == {"metadata": NAMED}


def test_the_copy_is_deep() -> None:
    obj = owned({"spec": {"a": {"b": []}}}, {"f:spec": {"f:a": {}}})
    extract(obj, "me")["spec"]["a"]["b"].append(1)
    assert obj["spec"]["a"]["b"] == []


def test_without_managed_fields_there_is_the_name() -> None:
    assert extract({"metadata": {"name": "it"}}, "me") == {"metadata": {"name": "it"}}
    assert extract(owned({}, {}), "me") == {"metadata": NAMED}


@pytest.mark.parametrize("fields", [{"f:l": {"k:5": {}}}, {"f:l": {"k:{": {}}}, {"f:l": 5}])
def test_fields_that_cannot_be_read_are_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        extract(owned({"spec": {"l": [{"a": 1}]}}, {"f:spec": fields}), "me")


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="obj must be a dict"):
        extract(None, "me")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def clientset() -> Iterator[dynkube.Clientset]:
    with APIServer() as server, dynkube.Clientset(server.config) as clientset:
        yield clientset


@pytest.mark.behaviour("9.1.8")
def test_what_was_applied_is_what_is_extracted(clientset: dynkube.Clientset) -> None:
    container = {"name": "main", "image": "registry.example/web:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
    applied = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "labels": {"a": "b"}, "finalizers": ["example.com/x"]},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }
    deployments = clientset.apps_v1.deployments("default")
    deployments.apply(applied, field_manager="me")
    deployments.patch("web", {"metadata": {"labels": {"c": "d"}}}, field_manager="you")
    status = {**applied, "metadata": {"name": "web"}, "status": {"replicas": 1}}
    found = deployments.apply_status(
        {key: status[key] for key in ("apiVersion", "kind", "metadata", "status")}, field_manager="me"
    )
    assert extract(found, "me") == applied
    assert extract(found, "me", subresource="status")["status"] == {"replicas": 1}
