"""How far a rollout has come: kubectl's words for each state of an object (rollout_status_test.go)."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.errors import RolloutError
from dynkube.workloads import rollout_status_of

pytestmark = pytest.mark.behaviour("8.11.3")


def obj(kind: str, spec: dict[str, Any], status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "foo", "generation": 1, **metadata},
        "spec": spec,
        "status": {"observedGeneration": 1, **status},
    }


def deployment(replicas: int | None, total: int, updated: int, available: int, **metadata: Any) -> dict[str, Any]:
    status = {"replicas": total, "updatedReplicas": updated, "availableReplicas": available}
    return obj("Deployment", {} if replicas is None else {"replicas": replicas}, status, **metadata)


def daemon_set(wanted: int, updated: int, available: int, **metadata: Any) -> dict[str, Any]:
    status = {"desiredNumberScheduled": wanted, "updatedNumberScheduled": updated, "numberAvailable": available}
    return obj("DaemonSet", {"updateStrategy": {"type": "RollingUpdate"}}, status, **metadata)


def stateful_set(replicas: int, strategy: dict[str, Any], **status: Any) -> dict[str, Any]:
    spec = {"replicas": replicas, "updateStrategy": {"type": "RollingUpdate", **strategy}}
    return obj("StatefulSet", spec, status)


ROLLING: dict[str, Any] = {"rollingUpdate": {"partition": 2}}
WAITING = 'Waiting for deployment "foo" rollout to finish: '
DAEMONS = 'Waiting for daemon set "foo" rollout to finish: '


@pytest.mark.parametrize(
    ("found", "message", "done"),
    [
        (deployment(1, 1, 0, 0), f"{WAITING}0 out of 1 new replicas have been updated...", False),
        (deployment(1, 2, 1, 2), f"{WAITING}1 old replicas are pending termination...", False),
        (deployment(2, 2, 2, 1), f"{WAITING}1 of 2 updated replicas are available...", False),
        (deployment(1, 1, 1, 1), 'deployment "foo" successfully rolled out', True),
        (deployment(None, 0, 0, 0), 'deployment "foo" successfully rolled out', True),
        (deployment(1, 1, 1, 1, generation=2), "Waiting for deployment spec update to be observed...", False),
        (daemon_set(3, 0, 3), f"{DAEMONS}0 out of 3 new pods have been updated...", False),
        (daemon_set(2, 2, 0), f"{DAEMONS}0 of 2 updated pods are available...", False),
        (daemon_set(2, 2, 2), 'daemon set "foo" successfully rolled out', True),
        (daemon_set(2, 2, 2, generation=2), "Waiting for daemon set spec update to be observed...", False),
        (stateful_set(3, {}, readyReplicas=1), "Waiting for 2 pods to be ready...", False),
        (
            stateful_set(10, ROLLING, readyReplicas=10, updatedReplicas=5),
            "Waiting for partitioned roll out to finish: 5 out of 8 new pods have been updated...",
            False,
        ),
        (
            stateful_set(10, ROLLING, readyReplicas=10, updatedReplicas=8),
            "partitioned roll out complete: 8 new pods have been updated...",
            True,
        ),
        (
            stateful_set(3, {"rollingUpdate": {}}, readyReplicas=3, updatedReplicas=1),
            "partitioned roll out complete: 1 new pods have been updated...",
            True,
        ),
        (
            stateful_set(3, {}, readyReplicas=3, updatedReplicas=1, updateRevision="b", currentRevision="a"),
            "waiting for statefulset rolling update to complete 1 pods at revision b...",
            False,
        ),
        (
            stateful_set(3, {}, readyReplicas=3, currentReplicas=3, updateRevision="b", currentRevision="b"),
            "statefulset rolling update complete 3 pods at revision b...",
            True,
        ),
        (
            stateful_set(1, {}, observedGeneration=0, readyReplicas=1),
            "Waiting for statefulset spec update to be observed...",
            False,
        ),
    ],
)
def test_each_state_has_kubectls_line(found: dict[str, Any], message: str, done: bool) -> None:
    status = rollout_status_of(found)
    assert (str(status), status.done, status.object) == (message, done, found)


def test_a_deployment_past_its_deadline_has_failed() -> None:
    found = deployment(2, 2, 1, 1)
    found["status"]["conditions"] = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]
    with pytest.raises(RolloutError, match=r'^deployment "foo" exceeded its progress deadline$'):
        rollout_status_of(found)


def test_a_revision_that_is_not_the_running_one() -> None:
    found = deployment(1, 1, 1, 1, annotations={"deployment.kubernetes.io/revision": "3"})
    assert rollout_status_of(found, revision=3).done
    with pytest.raises(RolloutError, match=r"^desired revision \(2\) is different from the running revision \(3\)$"):
        rollout_status_of(found, revision=2)
    found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "three"
    with pytest.raises(RolloutError, match='cannot get the revision of deployment "foo"'):
        rollout_status_of(found, revision=2)


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_a_strategy_that_waits_for_the_user_has_no_rollout(kind: str) -> None:
    found = obj(kind, {"updateStrategy": {"type": "OnDelete"}}, {})
    with pytest.raises(RolloutError, match=r"^rollout status is only available for RollingUpdate strategy type$"):
        rollout_status_of(found)


@pytest.mark.parametrize(
    ("version", "kind", "named"), [("v1", "Pod", "Pod"), ("batch/v1", "Job", "Job.batch"), ("x.io/v1", "Deployment", "Deployment.x.io")]
)  # fmt: skip
def test_other_kinds_have_no_rollout(version: str, kind: str, named: str) -> None:
    with pytest.raises(RolloutError, match=f"^no status viewer has been implemented for {named}$"):
        rollout_status_of({"apiVersion": version, "kind": kind})
