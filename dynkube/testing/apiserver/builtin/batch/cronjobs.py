"""The strategy of CronJobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.apps.templates import name_warning
from dynkube.testing.apiserver.builtin.batch.jobs import default_job_spec, job_spec_warnings
from dynkube.testing.apiserver.builtin.batch.jobspec import job_spec
from dynkube.testing.apiserver.builtin.batch.schedules import schedule, time_zone
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.pod.disabled import drop_disabled
from dynkube.testing.apiserver.builtin.rules import Errors, Json, mapping, non_negative, word
from dynkube.testing.apiserver.builtin.selectors import shown_selector
from dynkube.testing.apiserver.words.fielderrors import child, invalid, not_supported, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["CronJobStrategy"]

_POLICIES = ("Allow", "Forbid", "Replace")
_LONGEST_NAME = 52


class CronJobStrategy(NativeStrategy):
    """CronJobs."""

    has_status = True
    has_generation = True
    zero_status: ClassVar[Mapping[str, Any]] = {}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy` (SetDefaults_CronJob)."""
        spec = obj.setdefault("spec", {})
        spec["concurrencyPolicy"] = spec.get("concurrencyPolicy") or "Allow"
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        default_job_spec(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        drop_disabled(_pod_spec(obj), None)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        if subresource == "":
            drop_disabled(_pod_spec(obj), _pod_spec(old))
        super().prepare_for_update(obj, old, subresource)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from _spec(obj["spec"], None, "spec")
        name = obj["metadata"].get("name", "")
        if len(name.encode()) > _LONGEST_NAME:
            yield invalid("metadata.name", name, f"must be no more than {_LONGEST_NAME} characters")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return _spec(obj["spec"], old["spec"], "spec")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource:
            return []
        warnings = list(name_warning(obj["metadata"].get("name", ""))) if old is None else []
        if old is None or obj["metadata"].get("generation") != old["metadata"].get("generation"):
            warnings += job_spec_warnings(obj["spec"]["jobTemplate"]["spec"], "spec.jobTemplate.spec")
        if old is not None and "TZ" in obj["spec"].get("schedule", ""):
            more = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
            warnings.append(f"cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see {more}")
        return warnings


def _pod_spec(obj: Json) -> Object:
    found: Object = obj["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def _spec(spec: Json, old: Json | None, field: str) -> Errors:
    text, zone = spec.get("schedule", ""), spec.get("timeZone")
    if text:
        named_one = old is not None and "TZ" in old.get("schedule", "")
        yield from schedule(text, zone, child(field, "schedule"), may_name_zone=named_one)
    else:
        yield required(child(field, "schedule"))
    yield from non_negative(spec.get("startingDeadlineSeconds"), child(field, "startingDeadlineSeconds"))
    if old is None or old.get("timeZone") != zone:
        yield from time_zone(zone, child(field, "timeZone"))
    policy = spec.get("concurrencyPolicy", "")
    if not policy:
        yield required(child(field, "concurrencyPolicy"))
    elif policy not in _POLICIES:
        yield not_supported(child(field, "concurrencyPolicy"), word(policy), _POLICIES)
    yield from _job_template(mapping(spec, "jobTemplate"), child(field, "jobTemplate", "spec"))
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from non_negative(spec.get(name), child(field, name))


def _job_template(template: Json, field: str) -> Errors:
    spec = mapping(template, "spec")
    yield from job_spec(spec, field)
    if spec.get("selector") is not None:
        yield invalid(child(field, "selector"), shown_selector(spec["selector"]), "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        yield not_supported(child(field, "manualSelector"), True, ["nil", "false"])
