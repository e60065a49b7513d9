"""pods/eviction: a deletion that disruption budgets may forbid (KUBE/pkg/registry/core/pod/storage/eviction.go).

No controller keeps budgets up to date here: a PodDisruptionBudget says in its status what a test wrote there,
less what evictions took since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dynkube.labels import LabelSelector
from dynkube.quantities import format_time
from dynkube.schema import GroupKind, GroupResource
from dynkube.testing.apiserver.registry import DeleteOptions, Scope, WriteOptions
from dynkube.testing.apiserver.subresources.podconditions import is_ready, set_condition
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError, invalid, not_supported
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["evict"]

_KIND = GroupKind("policy", "Eviction")
_OPTIONS = GroupKind("meta.k8s.io", "DeleteOptions")
_POD = GroupResource("", "Pod")
_BUDGET = GroupResource("policy", "poddisruptionbudget")
_CONDITION = "DisruptionAllowed"
_IGNORE_READ_ERRORS = "ignoreStoreReadErrorWithClusterBreakingPotential"
_MOST_DISRUPTED = 2000
_RETRY_AFTER = 10
_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_EVICTING = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
_POLICIES = ("Foreground", "Background", "Orphan", "nil")


def evict(call: Call, obj: Object) -> Object:
    """Delete a pod, unless a budget forbids it.

    Raises:
        StatusError: 429, a budget forbids it; 400, 404, 409, 422, and 500 for options that contradict.
    """
    name = call.scope.name
    if obj["metadata"].get("name", "") != name:
        raise statuses.bad_request("name in URL does not match name in Eviction object")
    options = obj.get("deleteOptions") or {}
    if options.get(_IGNORE_READ_ERRORS):
        path = f"deleteOptions.{_IGNORE_READ_ERRORS}"
        problem = "can not be set for pod eviction, try after removing the option"
        raise statuses.invalid(_KIND, name, [invalid(path, True, problem)])
    options = options | {"dryRun": _dry_run(call, options)}
    pod = call.registry.get(call.scope).object()
    if not _is_ignored(pod):
        budgets = _budgets(call, pod)
        if len(budgets) > 1:
            return statuses.status(500, "", _TOO_MANY)
        if budgets and not _is_unprotected(pod, budgets[0]):
            _take_one(call, budgets[0], dry_run=bool(options["dryRun"]))
    _delete(call, options)
    return statuses.success()


def _dry_run(call: Call, options: Mapping[str, Any]) -> Sequence[str]:
    asked: Sequence[str] = ["All"] if call.options.dry_run else []
    sent: Sequence[str] = options.get("dryRun") or []
    if sent and asked and sent != asked:
        shown = " and ".join(f"[{' '.join(each)}]" for each in (asked, sent))
        problem = f"Non-matching dry-run options in request and content: {shown}"
        raise statuses.StatusError(statuses.status(500, "", problem))
    return sent or asked


# ------------------------------------------------------------------ budgets


def _is_ignored(pod: Object) -> bool:
    """Whether a pod may go whatever budgets say: it does not serve, or no longer (canIgnorePDB)."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or "deletionTimestamp" in pod["metadata"]


def _budgets(call: Call, pod: Object) -> list[Object]:
    resource = call.registry.catalog.lookup("policy", "v1", "poddisruptionbudgets")
    assert resource is not None  # built in
    entries = call.registry.store.entries(resource, call.scope.namespace)
    return [budget for budget in (entry.object() for entry in entries) if _selects(budget, pod)]


def _selects(budget: Object, pod: Object) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    return selector is not None and LabelSelector.from_dict(selector).matches(pod["metadata"].get("labels"))


def _is_unprotected(pod: Object, budget: Object) -> bool:
    """Whether an unhealthy pod may go without being counted."""
    if is_ready(pod):
        return False
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return bool(0 < desired <= status.get("currentHealthy", 0))


def _take_one(call: Call, budget: Object, *, dry_run: bool) -> None:
    """Count one disruption, or refuse it (checkAndDecrement)."""
    name, status = budget["metadata"]["name"], budget.setdefault("status", {})
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        message = f"The disruption budget {name} is still being processed by the server."
        raise _refusal(message, _RETRY_AFTER)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed < 0:
        raise statuses.forbidden(_BUDGET, name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > _MOST_DISRUPTED:
        problem = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise statuses.forbidden(_BUDGET, name, problem)
    if allowed == 0:
        raise _refusal(_why(name, status), 0)
    now = format_time(call.registry.clock())
    status["disruptionsAllowed"] = allowed - 1
    if allowed == 1:
        _set_condition(status, now)
    if not dry_run:
        status["disruptedPods"] = {**(status.get("disruptedPods") or {}), call.scope.name: now}
        _store_budget(call, budget)


def _why(name: str, status: Mapping[str, Any]) -> str:
    begin = f"The disruption budget {name}"
    condition: Mapping[str, Any] = next(
        (each for each in status.get("conditions") or () if each["type"] == _CONDITION), {}
    )
    message = condition.get("message") if condition.get("status") == "False" else ""
    if message and condition["reason"] == "SyncFailed":
        return f"{begin} does not allow evicting pods currently because it failed sync: {message}"
    current, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if current <= desired:
        return f"{begin} needs {desired} healthy pods and has {current} currently"
    if message:
        return f"{begin} does not allow evicting pods currently ({condition['reason']}): {message}"
    return f"{begin} does not allow evicting pods currently"


def _refusal(message: str, retry_after: int) -> statuses.StatusError:
    error = statuses.too_many_requests(_VIOLATES, retry_after)
    error.status["details"]["causes"] = [{"reason": "DisruptionBudget", "message": message}]
    return error


def _set_condition(status: dict[str, Any], now: str) -> None:
    """No more disruptions: say so, in place (UpdateDisruptionAllowedCondition)."""
    new = {
        "type": _CONDITION,
        "status": "False",
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": now,
        "reason": "InsufficientPods",
        "message": "",
    }
    conditions = status.setdefault("conditions", [])
    for number, old in enumerate(conditions):
        if old["type"] == _CONDITION:
            if old["status"] == "False":
                new["lastTransitionTime"] = old["lastTransitionTime"]
            conditions[number] = new
            return
    conditions.append(new)


def _store_budget(call: Call, budget: Object) -> None:
    """As the API server itself, by its own client: it becomes the manager of what it changed."""
    resource = call.registry.catalog.lookup("policy", "v1", "poddisruptionbudgets")
    assert resource is not None  # built in
    scope = Scope(
        resource=resource, namespace=call.scope.namespace, name=budget["metadata"]["name"], subresource="status"
    )
    call.registry.replace(scope, budget, WriteOptions(manager="kube-apiserver"))


# ------------------------------------------------------------------ the deletion


def _delete(call: Call, options: Mapping[str, Any]) -> None:
    """Mark the pod as a target of disruption, and delete it (addConditionAndDeletePod)."""
    wanted = options.get("preconditions") or {}
    delete = DeleteOptions(
        dry_run=bool(options["dryRun"]),
        grace_period_seconds=options.get("gracePeriodSeconds"),
        orphan_dependents=options.get("orphanDependents"),
        propagation_policy=options.get("propagationPolicy"),
        uid=wanted.get("uid"),
        resource_version=wanted.get("resourceVersion"),
    )
    if not delete.dry_run:
        now = format_time(call.registry.clock())
        revision = _mark(call, delete, now)
        if delete.resource_version is not None:
            delete = replace(delete, resource_version=revision)
    errors = _option_errors(options)
    if errors:
        raise statuses.invalid(_OPTIONS, "", errors)
    call.registry.delete(replace(call.scope, subresource=""), delete)


def _mark(call: Call, delete: DeleteOptions, now: str) -> str:
    def change(live: Object | None) -> Object:
        assert live is not None  # an update creates no pod
        _check_preconditions(live, delete)
        set_condition(live.setdefault("status", {}), _EVICTING, now)
        return live

    outcome = call.registry.update(replace(call.scope, subresource="status"), change)
    return str(outcome.entry.revision)


def _check_preconditions(pod: Object, delete: DeleteOptions) -> None:
    metadata = pod["metadata"]
    checks = (
        ("UID", delete.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", delete.resource_version, metadata["resourceVersion"], "modified"),
    )
    for word, wanted, found, happened in checks:
        if wanted and wanted != found:
            problem = (
                f"the {word} in the precondition ({wanted}) does not match the {word} in record ({found}). "
                f"The object might have been {happened}"
            )
            raise statuses.conflict(_POD, metadata["name"], problem)


def _option_errors(options: Mapping[str, Any]) -> list[FieldError]:
    # AM/apis/meta/v1/validation, ValidateDeleteOptions
    errors = []
    policy = options.get("propagationPolicy")
    if options.get("orphanDependents") is not None and policy is not None:
        problem = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", policy, problem))
    if policy is not None and policy not in _POLICIES[:-1]:
        errors.append(not_supported("propagationPolicy", policy, _POLICIES))
    if options["dryRun"] not in ([], ["All"]):
        errors.append(not_supported("dryRun", options["dryRun"], ["All"]))
    return errors
