"""What the controllers of CRDs write into their status, step by step, as kube-apiserver's do.

AE/controller/{status,establish,apiapproval,finalizer}: each function gives what one controller would write next. A
write is one status update; between two of them watchers see the CRD. The order after a create is: `accept_names`,
`approve` (of protected groups only), `establish`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.customresources.approval import APPROVAL_ANNOTATION, ApprovalState, approval
from dynkube.testing.apiserver.words.resources import Object

__all__ = [
    "CLEANUP_FINALIZER",
    "accept_names",
    "approve",
    "begin_deletion",
    "establish",
    "finish_deletion",
    "is_condition_true",
    "is_served",
    "mark_for_deletion",
    "taken_names",
]

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that holds a deleted CRD until its objects are gone."""

Status = dict[str, Any]


def is_condition_true(crd: Object, kind: str) -> bool:
    """Whether a condition is there and true."""
    return _condition(crd, kind).get("status") == "True"


def is_served(crd: Object) -> bool:
    """Whether requests to a CRD's resources are answered (crdHandler.ServeHTTP)."""
    return is_condition_true(crd, "NamesAccepted") or is_condition_true(crd, "Established")


def taken_names(group: str, crds: Iterable[Object]) -> tuple[set[str], set[str]]:
    """The names that CRDs of a group have got: of resources (plural, singular, short), and of kinds and lists.

    Names of built-in resources are not among them: those are in groups that no CRD is asked about.
    """
    resources: set[str] = set()
    kinds: set[str] = set()
    for crd in crds:
        if crd["spec"]["group"] == group:
            names = (crd.get("status") or {}).get("acceptedNames") or {}
            resources.update([names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or ())])
            kinds.update([names.get("kind", ""), names.get("listKind", "")])
    return resources, kinds


def accept_names(crd: Object, taken: tuple[set[str], set[str]], now: str) -> Status | None:
    """The status after the names of a CRD were looked at; None where nothing is to be written.

    Args:
        crd: As it is stored.
        taken: See `taken_names`; of all CRDs of the group, this one too.
        now: The time of conditions.
    """
    wanted = crd["spec"]["names"]
    old = (crd.get("status") or {}).get("acceptedNames") or {}
    if _without_empty(wanted) == _without_empty(old):
        return None
    accepted, problems = _decide(wanted, old, taken)
    if problems:
        reason, message = problems[-1]
        names_condition = _new("NamesAccepted", "False", reason, message, now)
    else:
        names_condition = _new("NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
    if _filled(old) == accepted and _is_alike(names_condition, _condition(crd, "NamesAccepted")):
        return None
    established = _condition(crd, "Established") or _new(
        "Established", "False", "NotAccepted", "not all names are accepted", now
    )
    if established["status"] != "True" and not problems:
        message = "the initial names have been accepted"
        established = _new("Established", "False", "Installing", message, now)
    status = _with_condition(crd, names_condition)
    status["acceptedNames"] = accepted
    return _with_condition({"status": status}, {**established, "lastTransitionTime": now})


_NAME_CONFLICTS = (
    ("plural", "PluralConflict", 0),
    ("singular", "SingularConflict", 0),
    ("kind", "KindConflict", 1),
    ("listKind", "ListKindConflict", 1),
)


def _decide(
    wanted: Mapping[str, Any], old: Mapping[str, Any], taken: tuple[set[str], set[str]]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The names that a CRD gets, and why it does not get the others; the last reason is the one that is told."""
    accepted: dict[str, Any] = _filled(old)
    problems: list[tuple[str, str]] = []

    def decide(name: str, reason: str, place: int) -> None:
        value = wanted.get(name, "")
        if value != old.get(name, "") and value in taken[place]:
            problems.append((reason, f'"{value}" is already in use'))
        elif value:
            accepted[name] = value

    for name, reason, place in _NAME_CONFLICTS[:2]:
        decide(name, reason, place)
    short = list(wanted.get("shortNames") or ())
    had = list(old.get("shortNames") or ())
    if short != had:
        conflicts = [f'"{each}" is already in use' for each in short if each not in had and each in taken[0]]
        if conflicts:
            unique = list(dict.fromkeys(conflicts))
            told = unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
            problems.append(("ShortNamesConflict", told))
        else:
            accepted["shortNames"] = short
    for name, reason, place in _NAME_CONFLICTS[2:]:
        decide(name, reason, place)
    accepted["categories"] = list(wanted.get("categories") or ())
    return {name: value for name, value in accepted.items() if value or name in ("plural", "kind")}, problems


def approve(crd: Object, now: str) -> Status | None:
    """The status with what a protected group's CRD says of its approval; None where nothing is to be written."""
    annotation = (crd["metadata"].get("annotations") or {}).get(APPROVAL_ANNOTATION, "")
    judged = approval(crd["spec"]["group"], annotation)
    if judged is None:
        return None
    reason = {
        ApprovalState.INVALID: "InvalidAnnotation",
        ApprovalState.MISSING: "MissingAnnotation",
        ApprovalState.APPROVED: "ApprovedAnnotation",
        ApprovalState.BYPASSED: "UnapprovedAnnotation",
    }[judged.state]
    value = "True" if judged.state is ApprovalState.APPROVED else "False"
    condition = _new("KubernetesAPIApprovalPolicyConformant", value, reason, judged.text, now)
    return None if _is_alike(condition, _condition(crd, condition["type"])) else _with_condition(crd, condition)


def establish(crd: Object, now: str) -> Status | None:
    """The status once a CRD is served, None where nothing is to be written."""
    if not is_condition_true(crd, "NamesAccepted") or is_condition_true(crd, "Established"):
        return None
    message = "the initial names have been accepted"
    return _with_condition(crd, _new("Established", "True", "InitialNamesAccepted", message, now))


def mark_for_deletion(crd: Object, now: str) -> None:
    """What the first deletion of a CRD does to it, in place."""
    metadata = crd["metadata"]
    metadata.setdefault("deletionTimestamp", now)
    finalizers = metadata.get("finalizers") or []
    if CLEANUP_FINALIZER not in finalizers:
        metadata["finalizers"] = [*finalizers, CLEANUP_FINALIZER]
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    crd["status"] = _with_condition(crd, _new("Terminating", "True", "InstanceDeletionPending", message, now))


def begin_deletion(crd: Object, now: str) -> Status:
    """The status as the objects of a CRD begin to be deleted."""
    message = "CustomResource deletion is in progress"
    return _with_condition(crd, _new("Terminating", "True", "InstanceDeletionInProgress", message, now))


def finish_deletion(crd: Object, now: str) -> Status:
    """The status once the objects are gone, or there never were any; with it `CLEANUP_FINALIZER` goes."""
    if is_condition_true(crd, "Established"):
        reason, message = "InstanceDeletionCompleted", "removed all instances"
    else:
        reason, message = "NeverEstablished", "resource was never established"
    return _with_condition(crd, _new("Terminating", "False", reason, message, now))


# ------------------------------------------------------------------ conditions


def _new(kind: str, status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "lastTransitionTime": now, "reason": reason, "message": message}


def _conditions(crd: Object) -> Sequence[Mapping[str, Any]]:
    return (crd.get("status") or {}).get("conditions") or ()


def _condition(crd: Object, kind: str) -> dict[str, Any]:
    return next((dict(each) for each in _conditions(crd) if each["type"] == kind), {})


def _with_condition(crd: Object, condition: Mapping[str, Any]) -> Status:
    """The status with a condition set: its time changes with its status only (SetCRDCondition)."""
    conditions = [dict(each) for each in _conditions(crd)]
    found = next((each for each in conditions if each["type"] == condition["type"]), None)
    if found is None:
        conditions.append(dict(condition))
    else:
        since = found.get("lastTransitionTime") if found["status"] == condition["status"] else None
        found.update(condition)
        found["lastTransitionTime"] = since or condition["lastTransitionTime"]
    return {**(crd.get("status") or {}), "conditions": conditions}


def _is_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name, "") == other.get(name, "") for name in ("type", "status", "reason", "message"))


def _without_empty(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if value}


def _filled(names: Mapping[str, Any]) -> dict[str, Any]:
    """Accepted names as they are written: plural and kind are always there."""
    return {"plural": "", "kind": ""} | _without_empty(names)
