"""The Service for an object, made without a server (expose_test.go)."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.errors import ExposeError, InvalidRequestError
from dynkube.workloads import service_for

pytestmark = pytest.mark.behaviour("8.11.6")


def pod(*ports: dict[str, Any], name: str = "web", labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"} if labels is None else labels},
        "spec": {"containers": [{"name": "main", "ports": list(ports)}]},
    }


def deployment(selector: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}
    spec = {"selector": selector, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def ports_of(service: dict[str, Any]) -> list[dict[str, Any]]:
    return service["spec"]["ports"]


def test_everything_is_taken_from_the_object() -> None:
    service = service_for(pod({"containerPort": 80}))
    assert service == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]},
    }


def test_several_ports_get_names() -> None:
    service = service_for(pod({"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}))
    assert ports_of(service) == [
        {"name": "port-1", "port": 80, "protocol": "TCP", "targetPort": 80},
        {"name": "port-2", "port": 53, "protocol": "UDP", "targetPort": 53},
    ]


def test_a_port_with_two_protocols_becomes_two() -> None:
    dns = [{"containerPort": 53, "protocol": each} for each in ("TCP", "UDP")]
    assert [each["name"] for each in ports_of(service_for(pod(*dns)))] == ["port-1-tcp", "port-1-udp"]
    assert ports_of(service_for(pod(*dns), protocol="SCTP")) == [{"port": 53, "protocol": "SCTP", "targetPort": 53}]


def test_a_port_that_two_containers_name_is_one() -> None:
    assert len(ports_of(service_for(pod({"containerPort": 80}, {"containerPort": 80})))) == 1


@pytest.mark.parametrize(("port", "numbers"), [(80, [80]), ("80", [80]), ("80,81", [80, 81]), ([80, 81], [80, 81])])
def test_ports_of_the_callers(port: Any, numbers: list[int]) -> None:
    assert [each["port"] for each in ports_of(service_for(pod(), port=port))] == numbers


@pytest.mark.parametrize(("target", "written"), [("http", "http"), ("8080", 8080), (8080, 8080)])
def test_the_target_port_is_a_number_or_a_name(target: Any, written: Any) -> None:
    assert ports_of(service_for(pod(), port=80, target_port=target))[0]["targetPort"] == written


@pytest.mark.parametrize("port", [0, 70000, "eighty", "80,", -1, [], True])
def test_what_is_no_port(port: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"^port: must be a port from 1 to 65535"):
        service_for(pod(), port=port)


def test_a_headless_service_needs_no_ports() -> None:
    with pytest.raises(ExposeError, match=r"^couldn't find port via --port flag or introspection$"):
        service_for(pod())
    assert service_for(pod(), cluster_ip="None")["spec"] == {
        "selector": {"app": "web"},
        "ports": [],
        "clusterIP": "None",
    }


def test_a_long_name_is_cut_to_what_a_service_can_have() -> None:
    assert service_for(pod({"containerPort": 80}, name="w" * 70))["metadata"]["name"] == "w" * 63


def test_the_load_balancers_address_is_for_load_balancers() -> None:
    assert "loadBalancerIP" not in service_for(pod(), port=80, load_balancer_ip="192.0.2.1")["spec"]
    service = service_for(pod(), port=80, type="LoadBalancer", load_balancer_ip="192.0.2.1")
    assert service["spec"]["loadBalancerIP"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (pod(labels={}), "the pod has no labels and cannot be exposed"),
        (deployment({}), "invalid deployment: no selectors, therefore cannot be exposed"),
        (
            deployment({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d", "e"]}]}),
            "couldn't convert expressions - \"[{Key:c Operator:In Values:[d e]}]\" to map-based selector format",
        ),
        (
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {}},
            "the service has no pod selector set",
        ),
    ],
)  # fmt: skip
def test_a_selector_that_no_service_can_have(obj: dict[str, Any], words: str) -> None:
    with pytest.raises(ExposeError) as refused:
        service_for(obj, port=80)
    assert str(refused.value) == f"couldn't retrieve selectors via --selector flag or introspection: {words}"
    assert service_for(obj, port=80, selector={"x": "y"})["spec"]["selector"] == {"x": "y"}


def test_kinds_that_cannot_be_exposed() -> None:
    with pytest.raises(ExposeError, match=r"^cannot expose a StatefulSet\.apps$"):
        service_for({"apiVersion": "apps/v1", "kind": "StatefulSet"})


def test_an_affinity_that_does_not_exist() -> None:
    with pytest.raises(InvalidRequestError, match=r"^unknown session affinity: Sticky$"):
        service_for(pod(), port=80, session_affinity="Sticky")
