"""What needs a kubelet or a pod behind it, where nobody listens."""

from __future__ import annotations

from typing import Any

import pytest
from registry_support import Server, asked

from dynkube.testing.apiserver.subresources import connect
from dynkube.testing.apiserver.words.messages import Request
from dynkube.testing.apiserver.words.statuses import StatusError

UPGRADE = ("Connection", "Upgrade")


@pytest.fixture
def server() -> Server:
    """A pod ``web`` on a node with an address."""
    made = Server()
    addresses = [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "10.1.2.3"}]
    made.put("nodes", {"metadata": {"name": "n1"}, "status": {"addresses": addresses}})
    spec = {"containers": [{"name": "a", "image": "b", "ports": [{"containerPort": 8080}]}], "nodeName": "n1"}
    status = {"podIPs": [{"ip": "10.9.8.7"}]}
    made.put("pods", {"metadata": {"name": "web"}, "spec": spec, "status": status}, namespace="shop")
    return made


def refused(server: Server, plural: str, name: str, below: str, request: Request | None = None) -> StatusError:
    with pytest.raises(StatusError) as caught:
        connect(server.call(plural, name, below), request or asked())
    return caught.value


def test_a_log_of_a_kubelet_that_does_not_listen(server: Server) -> None:
    error = refused(server, "pods", "web", "log", asked(follow="true", tailLines="3"))
    assert (error.code, error.reason, str(error)) == (
        500,
        "",
        'Get "https://10.1.2.3:10250/containerLogs/shop/web/a?follow=true&tailLines=3": dial tcp 10.1.2.3:10250: '
        "connect: connection refused",
    )


@pytest.mark.parametrize("below", ["exec", "attach", "portforward"])
def test_a_stream_of_a_kubelet_that_does_not_listen(server: Server, below: str) -> None:
    assert str(refused(server, "pods", "web", below)) == "Upgrade request required"
    assert str(refused(server, "pods", "web", below, asked("GET", UPGRADE))) == (
        "error dialing backend: dial tcp 10.1.2.3:10250: connect: connection refused"
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("web", "10.9.8.7:8080"),
        ("web:81", "10.9.8.7:81"),
        ("https:web:444", "10.9.8.7:444"),
        ("http:web:", "10.9.8.7:8080"),
    ],
)
def test_a_proxy_to_a_pod(server: Server, name: str, address: str) -> None:
    error = refused(server, "pods", name, "proxy")
    assert (error.code, str(error)) == (
        503,
        f"error trying to reach service: dial tcp {address}: connect: connection refused",
    )


@pytest.mark.parametrize(("name", "port"), [("n1", 10250), ("n1:10255", 10255)])
def test_a_proxy_to_a_node(server: Server, name: str, port: int) -> None:
    assert f"dial tcp 10.1.2.3:{port}:" in str(refused(server, "nodes", name, "proxy"))


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.1.1", "::1", "fe80::1", "224.0.0.1", "0.0.0.0", "nonsense"])
def test_addresses_that_nobody_may_reach(server: Server, ip: str) -> None:
    obj = {"metadata": {"name": "bad"}, "spec": {"containers": []}, "status": {"podIPs": [{"ip": ip}]}}
    server.put("pods", obj, namespace="shop")
    assert str(refused(server, "pods", "bad", "proxy")) == "address not allowed"


def test_a_proxy_to_an_address_of_ipv6(server: Server) -> None:
    obj = {"metadata": {"name": "six"}, "spec": {"containers": []}, "status": {"podIPs": [{"ip": "fd00::7"}]}}
    server.put("pods", obj, namespace="shop")
    assert "dial tcp [fd00::7]:80:" in str(refused(server, "pods", "six", "proxy"))


def service(server: Server, *subsets: dict[str, Any]) -> None:
    ports = [{"name": "web", "port": 80}, {"name": "admin", "port": 81}]
    server.put("services", {"metadata": {"name": "svc"}, "spec": {"ports": ports}}, namespace="shop")
    server.put("endpoints", {"metadata": {"name": "svc"}, "subsets": list(subsets)}, namespace="shop")


@pytest.mark.parametrize(("name", "port"), [("svc:web", 8080), ("svc:80", 8080), ("http:svc:web", 8080)])
def test_a_proxy_to_a_service(server: Server, name: str, port: int) -> None:
    target = {"kind": "Pod", "namespace": "shop", "name": "web"}
    service(server, {"addresses": [{"ip": "10.9.8.7", "targetRef": target}], "ports": [{"name": "web", "port": port}]})
    assert f"dial tcp 10.9.8.7:{port}:" in str(refused(server, "services", name, "proxy"))


@pytest.mark.parametrize(
    "target",
    [{}, {"namespace": "other", "name": "web"}, {"namespace": "shop", "name": "none"}],
)
def test_only_pods_of_the_namespace_are_reached_by_a_service(server: Server, target: dict[str, str]) -> None:
    service(server, {"addresses": [{"ip": "10.9.8.7", "targetRef": target}], "ports": [{"name": "web", "port": 1}]})
    error = refused(server, "services", "svc:web", "proxy")
    assert (error.code, str(error)) == (503, 'no endpoints available for service "svc:web"')


def test_a_service_without_endpoints(server: Server) -> None:
    service(server)
    assert str(refused(server, "services", "svc", "proxy")) == 'no endpoints available for service "svc"'


def test_a_port_that_a_service_does_not_have(server: Server) -> None:
    service(server)
    assert str(refused(server, "services", "svc:90", "proxy")) == 'no service port 90 found for service "svc"'
