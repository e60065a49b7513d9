"""ReplicationController, PodTemplate, ControllerRevision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.apps.templates import counts, not_above, runs_on
from dynkube.testing.apiserver.builtin.apps.workload import WorkloadStrategy
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.pod.defaults import default_template
from dynkube.testing.apiserver.builtin.pod.disabled import drop_disabled
from dynkube.testing.apiserver.builtin.pod.spec import pod_template
from dynkube.testing.apiserver.builtin.pod.warnings import template_warnings
from dynkube.testing.apiserver.builtin.rules import Errors, immutable, mapping, non_negative
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words.fielderrors import invalid, required
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["ControllerRevisionStrategy", "PodTemplateStrategy", "ReplicationControllerStrategy"]


class ReplicationControllerStrategy(WorkloadStrategy):
    """ReplicationControllers, whose selectors are plain maps."""

    zero_status: ClassVar[Mapping[str, Any]] = {"replicas": 0}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec, metadata = obj.setdefault("spec", {}), obj["metadata"]
        template = spec.get("template")
        labels = mapping(mapping(template or {}, "metadata"), "labels")
        if labels:
            if not spec.get("selector"):
                spec["selector"] = dict(labels)
            if not metadata.get("labels"):
                metadata["labels"] = dict(labels)
        spec.setdefault("replicas", 1)
        if template is not None:
            default_template(template)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        spec = obj["spec"]
        selector, template = mapping(spec, "selector"), spec.get("template")
        yield from non_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
        if not selector:
            yield required("spec.selector")
        yield from non_negative(spec.get("replicas"), "spec.replicas")
        if template is None:
            yield required("spec.template")
            return
        labels = mapping(mapping(template, "metadata"), "labels")
        if not selector.items() <= labels.items():
            shown = as_sent(dict(sorted(labels.items())) or None, "spec", "template", "metadata", "labels")
            yield invalid("spec.template.metadata.labels", shown, "`selector` does not match template `labels`")
        yield from pod_template(template, "spec.template")
        yield from runs_on(template, "spec.template", "ReplicationController")

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status = mapping(obj, "status")
        yield from counts(status, ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"))
        yield from counts(status, ("observedGeneration",))
        limited = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
        yield from not_above(status, limited, "replicas", "cannot be greater than status.replicas")
        yield from not_above(status, ["availableReplicas"], "readyReplicas", "cannot be greater than readyReplicas")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`: of an update, what is odd about the template that was (Go takes the one for the other)."""
        if old is None or subresource:
            return super().warnings(obj, old, subresource)
        return super().warnings({**obj, "spec": old["spec"]}, old, subresource)

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"status.replicas": str(mapping(obj, "status").get("replicas", 0))}


class PodTemplateStrategy(NativeStrategy):
    """PodTemplates."""

    has_generation = True
    generation_follows: ClassVar[Sequence[str]] = ("template",)

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        default_template(obj.setdefault("template", {}))

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        drop_disabled(obj["template"]["spec"], None)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        drop_disabled(obj["template"]["spec"], old["template"]["spec"])
        super().prepare_for_update(obj, old, subresource)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return pod_template(obj["template"], "template")

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if old is not None and obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return list(template_warnings(obj["template"], "template"))


class ControllerRevisionStrategy(NativeStrategy):
    """ControllerRevisions."""

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from non_negative(obj.get("revision"), "revision")
        data: Any = obj.get("data")
        if data is None:
            yield required("data", "data is mandatory")
        elif not isinstance(data, dict):
            yield required("data", "data must be a valid JSON object")

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from non_negative(obj.get("revision"), "revision")
        yield from immutable(obj.get("data"), old.get("data"), "data")
