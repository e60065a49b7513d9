"""What is wrong with the spec of a job, without its selector (validateJobSpec)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.batch.indexes import IndexesError, count_indexes
from dynkube.testing.apiserver.builtin.paths import domain_prefixed_path
from dynkube.testing.apiserver.builtin.pod.spec import pod_template
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    listed,
    mapping,
    non_negative,
    one_of,
    qualified_name,
    word,
)
from dynkube.testing.apiserver.builtin.sent import sent_at
from dynkube.testing.apiserver.words.fielderrors import (
    OMITTED,
    child,
    duplicate,
    index,
    invalid,
    not_supported,
    quoted,
    required,
    too_long,
    too_many,
)

__all__ = ["INDEXED", "job_spec"]

INDEXED = "Indexed"
_MODES = ("NonIndexed", INDEXED)
_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
_MANY = 100_000
_MANY_PARALLEL = 10_000
_MOST_RULES = 20
_MOST_CODES = 255
_LONGEST_INDEXES = 64 * 1024
_LONGEST_MANAGER = 63
_WITH_HIGH = f"when completions are above {_MANY} and used with backoff limit per index"


def job_spec(spec: Json, field: str) -> Errors:
    """All but the selector."""
    for name in (*_COUNTS, "backoffLimitPerIndex", "maxFailedIndexes"):
        yield from non_negative(spec.get(name), child(field, name))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(child(field, "backoffLimitPerIndex"), "when maxFailedIndexes is specified")
    manager, where = spec.get("managedBy"), child(field, "managedBy")
    if manager is not None:
        yield from domain_prefixed_path(manager, where)
        if len(manager.encode()) > _LONGEST_MANAGER:
            yield too_long(where, _LONGEST_MANAGER)
    mode = spec.get("completionMode")
    if mode is not None and mode not in _MODES:
        yield not_supported(child(field, "completionMode"), word(mode), _MODES)
    if mode == INDEXED:
        yield from _indexed(spec, field)
    elif mode is None or mode == "NonIndexed":
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                yield invalid(child(field, name), spec[name], "requires indexed completion mode")
    yield from _policies(spec, field)
    yield from pod_template(mapping(spec, "template"), child(field, "template"))
    yield from _restart_policy(spec, child(field, "template", "spec", "restartPolicy"))


def _indexed(spec: Json, field: str) -> Errors:
    completions, parallelism, failed = (spec.get(name) for name in ("completions", "parallelism", "maxFailedIndexes"))
    if completions is None:
        yield required(child(field, "completions"), f"when completion mode is {INDEXED}")
    where, where_failed = child(field, "parallelism"), child(field, "maxFailedIndexes")
    if parallelism is not None and parallelism > _MANY:
        said = f"must be less than or equal to {_MANY} when completion mode is {INDEXED}"
        yield invalid(where, parallelism, said)
    if completions is not None and failed is not None and failed > completions:
        yield invalid(where_failed, failed, "must be less than or equal to completions")
    if failed is not None and failed > _MANY:
        yield invalid(where_failed, failed, f"must be less than or equal to {_MANY}")
    if completions is None or completions <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    if failed is None:
        yield required(where_failed, f"must be specified when completions is above {_MANY}")
    for number, path in ((parallelism, where), (failed, where_failed)):
        if number is not None and number > _MANY_PARALLEL:
            yield invalid(path, number, f"must be less than or equal to {_MANY_PARALLEL} {_WITH_HIGH}")


def _policies(spec: Json, field: str) -> Errors:
    failure, success = spec.get("podFailurePolicy"), spec.get("successPolicy")
    if failure is not None:
        yield from _failure_policy(failure, spec, child(field, "podFailurePolicy", "rules"))
    if success is not None:
        where = child(field, "successPolicy")
        if spec.get("completionMode") == INDEXED:
            yield from _success_policy(success, spec, child(where, "rules"))
        else:
            shown = internal.shown(success, "batch.SuccessPolicy")
            yield invalid(where, shown, "requires indexed completion mode")
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        allowed = ("Failed", "TerminatingOrFailed") if failure is None else ("Failed",)
        yield from one_of(replacement, allowed, child(field, "podReplacementPolicy"))


def _restart_policy(spec: Json, field: str) -> Errors:
    policy = mapping(mapping(spec, "template"), "spec").get("restartPolicy", "")
    if policy in ("", "Always"):
        yield required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(field, word(policy), ["OnFailure", "Never"])
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(field, word(policy), 'only "Never" is supported when podFailurePolicy is specified')


# ------------------------------------------------------------------ when pods fail

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_STATUSES = ("False", "True", "Unknown")
_OPERATORS = ("In", "NotIn")


def _said(value: str, known: Sequence[str], field: str) -> Errors:
    """One of some words; the message lists them where it is missing, too."""
    if not value:
        yield required(field, f"valid values: [{' '.join(map(quoted, known))}]")
    else:
        yield from one_of(value, known, field)


def _failure_policy(policy: Json, spec: Json, field: str) -> Errors:
    rules, template = listed(policy, "rules"), mapping(mapping(spec, "template"), "spec")
    if len(rules) > _MOST_RULES:
        yield too_many(field, len(rules), _MOST_RULES)
    containers = {
        container.get("name", "")
        for name in ("containers", "initContainers")
        for container in listed(template, name)
    }  # fmt: skip
    for number, rule in enumerate(rules):
        yield from _failure_rule(rule, spec, containers, index(field, number))


def _failure_rule(rule: Json, spec: Json, containers: set[Any], field: str) -> Errors:
    action, codes, conditions = rule.get("action", ""), rule.get("onExitCodes"), listed(rule, "onPodConditions")
    where = child(field, "action")
    if action != "FailIndex":
        yield from _said(action, _ACTIONS, where)
    elif spec.get("backoffLimitPerIndex") is None:
        yield invalid(where, word(action), "requires the backoffLimitPerIndex to be set")
    if codes is not None:
        yield from _exit_codes(codes, containers, child(field, "onExitCodes"))
    if conditions:
        yield from _pod_conditions(conditions, child(field, "onPodConditions"))
    if codes is not None and conditions:
        yield invalid(field, OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not conditions:
        yield invalid(field, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required")


def _pod_conditions(patterns: Sequence[Json], field: str) -> Errors:
    if len(patterns) > _MOST_RULES:
        yield too_many(field, len(patterns), _MOST_RULES)
    for number, pattern in enumerate(patterns):
        where = index(field, number)
        yield from qualified_name(pattern.get("type", ""), child(where, "type"))
        yield from _said(pattern.get("status", ""), _STATUSES, child(where, "status"))


def _exit_codes(codes: Json, containers: set[Any], field: str) -> Errors:
    operator, container, values = codes.get("operator", ""), codes.get("containerName"), listed(codes, "values")
    yield from _said(operator, _OPERATORS, child(field, "operator"))
    if container is not None and container not in containers:
        said = "must be one of the container or initContainer names in the pod template"
        yield invalid(child(field, "containerName"), container, said)
    where = child(field, "values")
    if not values:
        yield invalid(where, sent_at(codes.get("values"), where), "at least one value is required")
    elif len(values) > _MOST_CODES:
        yield too_many(where, len(values), _MOST_CODES)
    for number, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(index(where, number), value, "must not be 0 for the In operator")
        if value in values[:number]:
            yield duplicate(index(where, number), value)
    if list(values) != sorted(values):
        yield invalid(where, values, "must be ordered")


# ------------------------------------------------------------------ when enough succeeded


def _success_policy(policy: Json, spec: Json, field: str) -> Errors:
    rules = listed(policy, "rules")
    if not rules:
        yield required(field, "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MOST_RULES:
        yield too_many(field, len(rules), _MOST_RULES)
    for number, rule in enumerate(rules):
        yield from _success_rule(rule, spec.get("completions", 0), index(field, number))


def _success_rule(rule: Json, completions: int, field: str) -> Errors:
    count, indexes, total = rule.get("succeededCount"), rule.get("succeededIndexes"), 0
    if count is None and indexes is None:
        yield required(field, "at least one of succeededCount or succeededIndexes must be specified")
    if indexes is not None:
        where = child(field, "succeededIndexes")
        if len(indexes.encode()) > _LONGEST_INDEXES:
            yield too_long(where, _LONGEST_INDEXES)
        try:
            total = count_indexes(indexes, completions)
        except IndexesError as error:
            yield invalid(where, indexes, f"error parsing succeededIndexes: {error}")
    if count is None:
        return
    where = child(field, "succeededCount")
    yield from non_negative(count, where)
    if count > completions:
        said = f"must be less than or equal to {completions} (the number of specified completions)"
        yield invalid(where, count, said)
    if indexes is not None and count > total:
        what = "the number of indexes in the specified succeededIndexes field"
        yield invalid(where, count, f"must be less than or equal to {total} ({what})")
