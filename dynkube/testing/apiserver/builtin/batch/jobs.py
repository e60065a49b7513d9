"""The strategy of Jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.apps.templates import name_warning
from dynkube.testing.apiserver.builtin.apps.workload import WorkloadStrategy
from dynkube.testing.apiserver.builtin.batch.jobspec import INDEXED, job_spec
from dynkube.testing.apiserver.builtin.batch.jobstatus import job_status
from dynkube.testing.apiserver.builtin.native import copied, keep, null_for_empty
from dynkube.testing.apiserver.builtin.pod.defaults import default_template
from dynkube.testing.apiserver.builtin.pod.warnings import template_warnings
from dynkube.testing.apiserver.builtin.rules import Errors, Json, immutable, listed, mapping, same
from dynkube.testing.apiserver.builtin.selectors import is_usable, matches, shown_selector
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, invalid, key, required
from dynkube.testing.apiserver.words.objectmeta import validate_label_selector
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["JobStrategy", "default_job_spec", "job_spec_warnings"]

_UID, _NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_UID, _OLD_NAME = "controller-uid", "job-name"
_UNLIMITED = 2**31 - 1
_RETRIES = 6
_MANY, _MANY_PARALLEL = 100_000, 10_000


class JobStrategy(WorkloadStrategy):
    """Jobs; their selectors are generated."""

    zero_status: ClassVar[Mapping[str, Any]] = {}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy` (SetDefaults_Job)."""
        spec = obj.setdefault("spec", {})
        default_job_spec(spec)
        labels = mapping(mapping(spec["template"], "metadata"), "labels")
        if labels and not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = labels  # the same: what is generated comes into both
        if spec.get("parallelism") is None:
            spec["parallelism"] = 1
            spec.setdefault("completions", 1)
        limited = spec.get("backoffLimitPerIndex") is not None
        spec.setdefault("backoffLimit", _UNLIMITED if limited else _RETRIES)
        spec.setdefault("completionMode", "NonIndexed")
        spec.setdefault("suspend", False)
        one_by_one = spec.get("podFailurePolicy") is not None
        spec.setdefault("podReplacementPolicy", "Failed" if one_by_one else "TerminatingOrFailed")
        spec.setdefault("manualSelector", False)

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        if not obj["spec"].get("manualSelector"):
            _generate_selector(obj)
        super().prepare_for_create(obj)
        null_for_empty(obj["spec"].get("podFailurePolicy"), "rules")

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """See `Strategy`; a job without labels gets those of its pods when it is read again, not before."""
        errors = super().validate(obj)
        labels = mapping(mapping(obj["spec"]["template"], "metadata"), "labels")
        if labels and not errors and not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)
        return errors

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _job(obj, None)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        spec, before = obj["spec"], old["spec"]
        yield from _job(obj, old)
        yield from _spec(spec, "spec")  # it is judged twice
        yield from _completions(spec, before)
        selector = spec.get("selector")
        yield from immutable(selector, before.get("selector"), "spec.selector", shown_selector(selector))
        yield from _template_change(obj, old)
        for name, type_name in _FIXED.items():
            shown = internal.shown(as_sent(spec.get(name), "spec", name), type_name)
            yield from immutable(spec.get(name), before.get(name), child("spec", name), shown)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        return job_status(obj, old)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if subresource:
            return []
        if old is None:
            return [*name_warning(obj["metadata"].get("name", "")), *job_spec_warnings(obj["spec"], "spec")]
        is_same = obj["metadata"].get("generation") == old["metadata"].get("generation")
        return [] if is_same else job_spec_warnings(obj["spec"], "spec")

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"status.successful": str(mapping(obj, "status").get("succeeded", 0))}


_FIXED = {
    "completionMode": "*batch.CompletionMode",
    "podFailurePolicy": "*batch.PodFailurePolicy",
    "backoffLimitPerIndex": "*int32",
    "managedBy": "*string",
    "successPolicy": "*batch.SuccessPolicy",
}


def default_job_spec(spec: Object) -> None:
    """What a job in a CronJob has, too, in place."""
    default_template(spec.setdefault("template", {}))
    for rule in listed(mapping(spec, "podFailurePolicy"), "rules"):
        for pattern in listed(rule, "onPodConditions"):
            pattern["status"] = pattern.get("status") or "True"


def _generate_selector(obj: Object) -> None:
    metadata, spec = obj["metadata"], obj["spec"]
    about = spec["template"].setdefault("metadata", {})
    name, uid = metadata.get("name", ""), metadata.get("uid", "")
    generated = {_OLD_NAME: name, _NAME: name, _OLD_UID: uid, _UID: uid}
    labels = mapping(about, "labels")
    about["labels"] = {**generated, **labels}
    if labels and metadata.get("labels") is labels:
        metadata["labels"] = dict(about["labels"])
    selector = spec.get("selector") or {}
    spec["selector"] = {**selector, "matchLabels": {_UID: uid, **mapping(selector, "matchLabels")}}


# ------------------------------------------------------------------ validation


def _job(obj: Json, old: Json | None) -> Errors:
    spec, name = obj["spec"], obj["metadata"].get("name", "")
    yield from _generated(obj, old)
    yield from _spec(spec, "spec")
    completions = spec.get("completions")
    if spec.get("completionMode") == INDEXED and completions is not None and completions > 0:
        last = f"{name}-{completions - 1}"
        if names.dns1123_label(last):
            yield invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {last}")


def _generated(obj: Json, old: Json | None) -> Errors:
    """That nobody wrote the labels and the selector that are generated (validateGeneratedSelector)."""
    spec, metadata = obj["spec"], obj["metadata"]
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return
    uid, name = metadata.get("uid", ""), metadata.get("name", "")
    if not uid:
        yield required("metadata.uid")
    labels = mapping(mapping(spec["template"], "metadata"), "labels")
    expected = {_OLD_UID: uid, _OLD_NAME: name}
    former = None if old is None else mapping(mapping(old["spec"]["template"], "metadata"), "labels")
    if former is None or (_NAME in former and _UID in former):
        expected |= {_UID: uid, _NAME: name}
    for label, value in expected.items():
        where = key("spec.template.metadata.labels", label)
        if label not in labels:
            yield required(where, f"must be '{value}'")
        elif labels[label] != value:
            yield invalid(where, dict(sorted(labels.items())), f"must be '{value}'")
    if is_usable(selector) and not matches(selector, expected):
        yield invalid("spec.selector", shown_selector(selector), "`selector` not auto-generated")


def _spec(spec: Json, field: str) -> Errors:
    yield from job_spec(spec, field)
    selector = spec.get("selector")
    if selector is None:
        yield required(child(field, "selector"))
    else:
        yield from validate_label_selector(selector, child(field, "selector"))
    labels = mapping(mapping(spec["template"], "metadata"), "labels")
    if is_usable(selector) and not matches(selector, labels):
        shown = as_sent(dict(sorted(labels.items())) or None, "spec", "template", "metadata", "labels")
        where = child(field, "template", "metadata", "labels")
        yield invalid(where, shown, "`selector` does not match template `labels`")


def _completions(spec: Json, before: Json) -> Errors:
    completions, where = spec.get("completions"), "spec.completions"
    if spec.get("completionMode") != INDEXED:
        yield from immutable(completions, before.get("completions"), where)
    elif completions is not None and completions not in (before.get("completions"), spec.get("parallelism")):
        yield invalid(where, completions, "can only be modified in tandem with spec.parallelism")


def _template_change(obj: Json, old: Json) -> Errors:
    """A template stays, but for what may change while nothing runs (validatePodTemplateUpdate)."""
    template, former = obj["spec"]["template"], old["spec"]["template"]
    is_open = old["spec"].get("suspend") is True and _runs_nothing(mapping(old, "status"))
    if is_open:
        former = _with_directives(former, template)
        spec, before = template["spec"], _with_resources(former["spec"], template["spec"])
        if not same(spec, before):
            yield invalid(
                "spec.template.spec",
                internal.shown(as_sent(spec, "spec", "template", "spec"), "core.PodSpec"),
                "field is immutable",
            )
    elif not same(template, former):
        yield invalid(
            "spec.template",
            internal.shown(as_sent(template, "spec", "template"), "core.PodTemplateSpec"),
            "field is immutable",
        )


def _runs_nothing(status: Json) -> bool:
    conditions = listed(status, "conditions")
    is_suspended = any(each.get("type") == "Suspended" and each.get("status") == "True" for each in conditions)
    return not status.get("active") and (status.get("startTime") is None or is_suspended)


def _with_directives(former: Json, template: Json) -> Object:
    """The template that was, scheduled as the new one."""
    changed: Object = copied(former)
    spec, wanted = changed["spec"], template["spec"]
    for name in ("nodeSelector", "tolerations", "schedulingGates"):
        keep(spec, wanted, name)
    about = changed.setdefault("metadata", {})
    for name in ("annotations", "labels"):
        keep(about, template.get("metadata") or {}, name)
    affinity, old = wanted.get("affinity"), spec.get("affinity")
    if affinity is not None:
        spec["affinity"] = {**(old or {})}
        keep(spec["affinity"], affinity, "nodeAffinity")
    elif old is not None:
        old.pop("nodeAffinity", None)
        if not old:
            del spec["affinity"]
    return changed


def _with_resources(former: Json, spec: Json) -> Object:
    """The spec that was, with the resources of the new one."""
    changed = dict(former)
    for name in ("containers", "initContainers"):
        old, new = listed(former, name), listed(spec, name)
        if len(old) == len(new):
            changed[name] = [_same_resources(*pair) for pair in zip(old, new, strict=True)]
    return changed


def _same_resources(old: Json, new: Json) -> Json:
    if old.get("name") != new.get("name"):
        return old
    container = dict(old)
    keep(container, dict(new), "resources")
    return container


def job_spec_warnings(spec: Json, field: str) -> list[str]:
    """Of the spec of a job (WarningsForJobSpec)."""
    warnings = []
    completions, parallelism = spec.get("completions") or 0, spec.get("parallelism") or 0
    if spec.get("completionMode") == INDEXED and completions > _MANY and parallelism > _MANY_PARALLEL:
        said = (
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
        warnings.append(f"{field}: {said}")
    return [*warnings, *template_warnings(mapping(spec, "template"), child(field, "template"))]
