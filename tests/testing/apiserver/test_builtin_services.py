"""What services are given: addresses of the cluster, ports of nodes, families."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import pytest

from dynkube.schema import GroupKind, GroupResource, GroupVersion
from dynkube.testing.apiserver import builtin
from dynkube.testing.apiserver.words.statuses import StatusError

SERVICE = GroupKind("", "Service")
PORTS = [{"port": 80}]


class Stored:
    """The services that there are."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []

    def get(self, resource: GroupResource, namespace: str, name: str) -> dict[str, Any] | None:
        raise AssertionError("no service asks for one object")

    def list(self, resource: GroupResource, namespace: str | None) -> Iterable[dict[str, Any]]:
        assert (resource, namespace) == (GroupResource("", "services"), None)
        return self.objects


@pytest.fixture
def stored() -> Stored:
    return Stored()


def made(stored: Stored, name: str = "a", *, dry_run: bool = False, **spec: Any) -> dict[str, Any]:
    """A new service, stored unless it is a dry run."""
    obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "n"},
        "spec": copy.deepcopy(spec),
    }
    strategy = builtin.strategy_for(SERVICE)
    strategy.default(obj, GroupVersion("", "v1"))
    strategy.allocate(obj, None, stored, dry_run=dry_run)
    strategy.prepare_for_create(obj)
    assert [str(error) for error in strategy.validate(obj)] == []
    if not dry_run:
        stored.objects.append(obj)
    return obj["spec"]


def changed(stored: Stored, name: str = "a", **spec: Any) -> dict[str, Any]:
    """The spec of a stored service after an update that replaces it."""
    old = next(each for each in stored.objects if each["metadata"]["name"] == name)
    obj = {**copy.deepcopy(old), "spec": copy.deepcopy(spec)}
    strategy = builtin.strategy_for(SERVICE)
    strategy.default(obj, GroupVersion("", "v1"))
    strategy.allocate(obj, old, stored, dry_run=False)
    strategy.prepare_for_update(obj, old, "")
    assert [str(error) for error in strategy.validate_update(obj, old, "")] == []
    stored.objects[stored.objects.index(old)] = obj
    return obj["spec"]


def problem(error: pytest.ExceptionInfo[StatusError]) -> str:
    return str(error.value.status["message"])


class TestAddresses:
    def test_each_service_has_its_own(self, stored: Stored) -> None:
        found = {made(stored, f"s{number}", ports=PORTS)["clusterIP"] for number in range(238)}
        assert len(found) == 238
        assert {each.rpartition(".")[0] for each in found} == {"10.0.0"}
        # The first 16 of the range are kept for those who ask for one, as long as there are others.
        assert min(int(each.rpartition(".")[2]) for each in found) == 17

    def test_until_there_are_none(self, stored: Stored) -> None:
        for number in range(254):
            made(stored, f"s{number}", ports=PORTS)
        with pytest.raises(StatusError) as caught:
            made(stored, "more", ports=PORTS)
        assert problem(caught) == (
            'Internal error occurred: failed to allocate a serviceIP for Service "more": range is full'
        )

    def test_one_that_is_asked_for(self, stored: Stored) -> None:
        spec = made(stored, ports=PORTS, clusterIP="10.0.0.9")
        assert (spec["clusterIP"], spec["clusterIPs"]) == ("10.0.0.9", ["10.0.0.9"])
        with pytest.raises(StatusError) as caught:
            made(stored, "b", ports=PORTS, clusterIP="10.0.0.9")
        said = 'spec.clusterIPs: Invalid value: ["10.0.0.9"]: failed to allocate IP 10.0.0.9: provided IP is already allocated'
        assert problem(caught) == f'Service "b" is invalid: {said}'

    @pytest.mark.parametrize(("dry_run", "why"), [
        (False, "the provided network does not match the current range"),
        (True, "the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is 10.0.0.0/24"),
    ])  # fmt: skip
    def test_one_of_elsewhere(self, stored: Stored, dry_run: bool, why: str) -> None:
        with pytest.raises(StatusError) as caught:
            made(stored, ports=PORTS, clusterIP="1.2.3.4", dry_run=dry_run)
        assert problem(caught).endswith(f"failed to allocate IP 1.2.3.4: {why}")

    def test_a_dry_run_takes_none(self, stored: Stored) -> None:
        assert made(stored, ports=PORTS, dry_run=True)["clusterIP"] == "10.0.0.0"

    def test_it_stays(self, stored: Stored) -> None:
        address = made(stored, ports=PORTS)["clusterIP"]
        assert changed(stored, ports=PORTS, selector={"a": "b"})["clusterIP"] == address

    def test_one_that_has_none_gets_one(self, stored: Stored) -> None:
        assert "clusterIP" not in made(stored, type="ExternalName", externalName="a.example")
        assert changed(stored, ports=PORTS)["clusterIP"].startswith("10.0.0.")
        assert "clusterIP" not in changed(stored, type="ExternalName", externalName="a.example")

    def test_headless(self, stored: Stored) -> None:
        spec = made(stored, clusterIP="None", selector={"a": "b"})
        assert (spec["clusterIPs"], spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["None"], ["IPv4"], "SingleStack")

    def test_headless_without_pods(self, stored: Stored) -> None:
        spec = made(stored, clusterIP="None")
        assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")


class TestPorts:
    def test_each_port_has_its_own(self, stored: Stored) -> None:
        ports = [{"port": number, "name": f"p{number}"} for number in range(1, 40)]
        found = {each["nodePort"] for each in made(stored, type="NodePort", ports=ports)["ports"]}
        assert len(found) == 39
        # The first 86 are kept, too.
        assert min(found) >= 30086
        assert max(found) < 32768

    def test_but_protocols_share_one(self, stored: Stored) -> None:
        ports = [{"port": 53, "name": "a", "protocol": "UDP"}, {"port": 53, "name": "b"}]
        first, second = made(stored, type="NodePort", ports=ports)["ports"]
        assert first["nodePort"] == second["nodePort"]

    def test_one_that_is_asked_for(self, stored: Stored) -> None:
        assert made(stored, type="NodePort", ports=[{"port": 80, "nodePort": 30001}])["ports"][0]["nodePort"] == 30001
        with pytest.raises(StatusError) as caught:
            made(stored, "b", type="NodePort", ports=[{"port": 80, "nodePort": 30001}])
        assert problem(caught).endswith(
            "spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated"
        )
        with pytest.raises(StatusError) as caught:
            made(stored, "b", type="NodePort", ports=[{"port": 80, "nodePort": 80}])
        assert problem(caught).endswith(
            "provided port is not in the valid range. The range of valid ports is 30000-32767"
        )

    def test_a_dry_run_gives_dummies(self, stored: Stored) -> None:
        spec = made(stored, type="NodePort", ports=[{"port": 1, "name": "a"}, {"port": 2, "name": "b"}], dry_run=True)
        assert [each["nodePort"] for each in spec["ports"]] == [32769, 32770]

    def test_it_stays_where_it_is_left_out(self, stored: Stored) -> None:
        port = made(stored, type="NodePort", ports=PORTS)["ports"][0]["nodePort"]
        assert changed(stored, type="NodePort", ports=PORTS, selector={"a": "b"})["ports"][0]["nodePort"] == port

    def test_it_goes_with_the_type(self, stored: Stored) -> None:
        made(stored, type="NodePort", ports=PORTS)
        assert "nodePort" not in changed(stored, ports=PORTS)["ports"][0]

    def test_a_balancer_that_needs_none(self, stored: Stored) -> None:
        spec = made(stored, type="LoadBalancer", ports=PORTS, allocateLoadBalancerNodePorts=False)
        assert "nodePort" not in spec["ports"][0]

    def test_of_health_checks(self, stored: Stored) -> None:
        spec = made(stored, type="LoadBalancer", ports=PORTS, externalTrafficPolicy="Local")
        assert spec["healthCheckNodePort"] != spec["ports"][0]["nodePort"]
        with pytest.raises(StatusError) as caught:
            made(
                stored, "b", type="LoadBalancer", ports=PORTS, externalTrafficPolicy="Local",
                healthCheckNodePort=spec["healthCheckNodePort"],
            )  # fmt: skip
        assert problem(caught) == (
            "Internal error occurred: failed to allocate requested HealthCheck NodePort "
            f"{spec['healthCheckNodePort']}: provided port is already allocated"
        )
        again = changed(stored, type="LoadBalancer", ports=PORTS, externalTrafficPolicy="Cluster")
        assert "healthCheckNodePort" not in again
