"""Which pods a drain takes: kubectl's filters, in their order (drain_test.go, filter_test.go)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynkube.workloads import DrainPlan, PodDecision, PodReason
from dynkube.workloads.podfilters import DrainRules

pytestmark = pytest.mark.behaviour("8.5.1")

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
DISK = {"volumes": [{"name": "scratch", "emptyDir": {}}]}


def pod(
    name: str, *, owner: str = "ReplicaSet", version: str = "apps/v1", phase: str = "Running", spec: Any = None, **metadata: Any
) -> dict[str, Any]:  # fmt: skip
    references = [{"apiVersion": version, "kind": owner, "name": "owner", "uid": "u", "controller": True}]
    return {
        "metadata": {"name": name, "namespace": "shop", **({"ownerReferences": references} if owner else {}), **metadata},
        "spec": spec or {},
        "status": {"phase": phase},
    }  # fmt: skip


def plan(*pods: dict[str, Any], daemon_set: tuple[str, bool] = ("", False), **options: Any) -> DrainPlan:
    rules = DrainRules(find_daemon_set=lambda _namespace, _name: daemon_set, now=lambda: NOW, **options)
    return rules.plan("node", pods)


def names(found: DrainPlan) -> list[str]:
    return [each["metadata"]["name"] for each in found.pods]


def test_a_pod_with_a_controller_goes() -> None:
    found = plan(pod("a"), pod("b", owner="Anything", version="x.io/v1"))
    assert (names(found), found.warnings, found.errors) == (["a", "b"], (), ())


def test_a_pod_without_a_controller_needs_force() -> None:
    bare = pod("bare", owner="")
    assert plan(bare).errors == ("cannot delete Pods that declare no controller (use --force to override): shop/bare",)
    forced = plan(bare, force=True)
    assert (names(forced), forced.errors) == (["bare"], ())
    assert forced.warnings == ("deleting Pods that declare no controller: shop/bare",)


def test_an_owner_that_is_no_controller_is_none() -> None:
    bare = pod("bare")
    del bare["metadata"]["ownerReferences"][0]["controller"]
    assert plan(bare).errors


def test_local_data_needs_a_word() -> None:
    disk = pod("disk", spec=DISK)
    assert plan(disk).errors == (
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): shop/disk",
    )
    assert names(plan(disk, delete_emptydir_data=True)) == ["disk"]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_goes_whatever_it_is(phase: str) -> None:
    found = plan(
        pod("bare", owner="", phase=phase), pod("disk", phase=phase, spec=DISK), pod("daemon", owner="DaemonSet", phase=phase)
    )  # fmt: skip
    assert (names(found), found.warnings, found.errors) == (["bare", "disk", "daemon"], (), ())


def test_pods_of_a_daemon_set_stay_and_are_an_error_unless_ignored() -> None:
    daemon = pod("daemon", owner="DaemonSet")
    assert plan(daemon).errors == (
        "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): shop/daemon",
    )
    ignored = plan(daemon, ignore_daemonsets=True)
    assert (names(ignored), ignored.errors) == ([], ())
    assert ignored.warnings == ("ignoring DaemonSet-managed Pods: shop/daemon",)


def test_a_kind_of_that_name_elsewhere_is_no_daemon_set() -> None:
    assert names(plan(pod("a", owner="DaemonSet", version="x.io/v1"))) == ["a"]


def test_a_pod_whose_daemon_set_is_gone_needs_force() -> None:
    gone, daemon = ('daemonsets.apps "owner" not found', True), pod("daemon", owner="DaemonSet")
    refused = 'cannot delete daemonsets.apps "owner" not found: shop/daemon'
    assert plan(daemon, daemon_set=gone, ignore_daemonsets=True).errors == (refused,)
    assert names(plan(daemon, daemon_set=gone, force=True)) == ["daemon"]


def test_a_daemon_set_that_cannot_be_read_is_an_error_with_force_too() -> None:
    found = plan(pod("daemon", owner="DaemonSet"), daemon_set=("forbidden", False), force=True, ignore_daemonsets=True)
    assert found.errors == ("cannot delete forbidden: shop/daemon",)


def test_mirror_pods_are_passed_over_in_silence() -> None:
    found = plan(pod("mirror", owner="", annotations={"kubernetes.io/config.mirror": ""}))
    assert (names(found), found.warnings, found.errors) == ([], (), ())


@pytest.mark.parametrize(
    ("seconds_ago", "limit", "stays"), [(30, 0, False), (30, 20, True), (20, 20, False), (20.9, 20, False), (21, 20, True)]
)  # fmt: skip
def test_a_deletion_that_is_old_is_not_waited_for(seconds_ago: float, limit: float, stays: bool) -> None:
    deleted = (NOW - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")
    found = plan(pod("late", owner="", deletionTimestamp=deleted), skip_wait_for_delete_seconds=limit, force=True)
    assert (names(found) == []) is stays


def test_messages_are_told_once_with_all_their_pods() -> None:
    found = plan(pod("a", owner=""), pod("disk", spec=DISK), pod("b", owner=""))
    assert found.errors == (
        "cannot delete Pods that declare no controller (use --force to override): shop/a, shop/b",
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): shop/disk",
    )


def test_filters_of_the_callers_come_last_and_see_what_is_left() -> None:
    seen: list[str] = []

    def keep(candidate: Mapping[str, Any]) -> PodDecision:
        seen.append(candidate["metadata"]["name"])
        return PodDecision(delete=candidate["metadata"]["name"] != "pet", reason=PodReason.WARNING, message="a pet")

    found = plan(pod("cow"), pod("pet"), pod("daemon", owner="DaemonSet"), ignore_daemonsets=True, filters=(keep,))
    assert (names(found), seen) == (["cow"], ["cow", "pet"])
    assert found.warnings == ("a pet: shop/cow, shop/pet", "ignoring DaemonSet-managed Pods: shop/daemon")
