"""StatefulSet (pkg/apis/apps/validation, pkg/registry/apps/statefulset)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.apps.percentages import at_most_all, number_of, number_or_percent
from dynkube.testing.apiserver.builtin.apps.templates import collision_count, counts, not_above, runs_on
from dynkube.testing.apiserver.builtin.apps.workload import WorkloadStrategy
from dynkube.testing.apiserver.builtin.claimspec import claim_spec
from dynkube.testing.apiserver.builtin.pod.annotations import specific_annotations
from dynkube.testing.apiserver.builtin.pod.defaults import default_claim_spec, default_template
from dynkube.testing.apiserver.builtin.pod.spec import pod_template
from dynkube.testing.apiserver.builtin.pod.warnings import claim_spec_warnings, template_warnings
from dynkube.testing.apiserver.builtin.rules import (
    Errors,
    Json,
    dns1123_label,
    listed,
    mapping,
    non_negative,
    one_of,
    rounded_up,
    same,
    word,
)
from dynkube.testing.apiserver.builtin.selectors import is_usable, required_selector, shown_selector, template_labels
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, forbidden, index, invalid, required
from dynkube.testing.apiserver.words.objectmeta import validate_annotations, validate_labels
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["StatefulSetStrategy"]

_MUTABLE = (
    "replicas",
    "template",
    "updateStrategy",
    "minReadySeconds",
    "ordinals",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
)
_IMMUTABLE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_ABOVE_ALL = "cannot be greater than status.replicas"


class StatefulSetStrategy(WorkloadStrategy):
    """StatefulSets."""

    zero_status: ClassVar[Mapping[str, Any]] = {"replicas": 0, "availableReplicas": 0}

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podManagementPolicy", "OrderedReady")
        strategy = spec.setdefault("updateStrategy", {})
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
            strategy.setdefault("rollingUpdate", {})
        if strategy["type"] == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
            strategy["rollingUpdate"].setdefault("partition", 0)
        retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        retention.setdefault("whenDeleted", "Retain")
        retention.setdefault("whenScaled", "Retain")
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        default_template(spec.setdefault("template", {}))
        for claim in spec.get("volumeClaimTemplates") or ():
            _default_claim(claim)

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        super().prepare_for_create(obj)
        _drop_max_unavailable(obj["spec"], {})

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        if subresource == "":
            _drop_max_unavailable(obj["spec"], old["spec"])
        super().prepare_for_update(obj, old, subresource)

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """See `Strategy`: a DNS label."""
        return names.dns1123_label(name, prefix=prefix)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        return _stateful_set_spec(obj["spec"], "spec", is_new=True)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        spec, before = obj["spec"], old["spec"]
        yield from _stateful_set_spec(spec, "spec", is_new=False)
        if not same({**spec, **{name: before.get(name) for name in _MUTABLE}}, before):
            yield forbidden("spec", _IMMUTABLE)

    def judge_status(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        status = mapping(obj, "status")
        yield from counts(status, ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas"))
        yield from counts(status, ("availableReplicas", "observedGeneration", "collisionCount"))
        limited = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
        yield from not_above(status, limited, "replicas", _ABOVE_ALL)
        said = "cannot be greater than status.readyReplicas"
        yield from not_above(status, ["availableReplicas"], "readyReplicas", said)
        yield from collision_count(status, mapping(old, "status"))

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        return [] if subresource else list(_warnings(obj, old))


def _warnings(obj: Json, old: Json | None) -> Iterator[str]:
    spec = obj["spec"]
    if old is None or obj["metadata"].get("generation") != old["metadata"].get("generation"):
        yield from template_warnings(mapping(spec, "template"), "spec.template")
    for number, claim in enumerate(listed(spec, "volumeClaimTemplates")):
        where = index("spec.volumeClaimTemplates", number)
        yield from claim_spec_warnings(mapping(claim, "spec"), where if old is None else child(where, "Spec"))
    if spec.get("revisionHistoryLimit", 0) < 0:
        yield (
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
        )


def _default_claim(claim: dict[str, Any]) -> None:
    """A template of claims names its kind, and has the status of a new one (SetDefaults_PersistentVolumeClaim)."""
    claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
    status = claim.setdefault("status", {})
    status.setdefault("phase", "Pending")
    rounded_up(status.get("capacity"))
    rounded_up(status.get("allocatedResources"))
    default_claim_spec(claim.setdefault("spec", {}))


def _drop_max_unavailable(spec: Json, old: Json) -> None:
    """MaxUnavailable of StatefulSets is off in this version."""
    rolling = mapping(mapping(spec, "updateStrategy"), "rollingUpdate")
    before = mapping(mapping(old, "updateStrategy"), "rollingUpdate")
    if isinstance(rolling, dict) and before.get("maxUnavailable") is None:
        rolling.pop("maxUnavailable", None)


def _stateful_set_spec(spec: Json, field: str, *, is_new: bool) -> Errors:
    policy, where = spec.get("podManagementPolicy", ""), child(field, "podManagementPolicy")
    if not policy:
        yield required(where)
    elif policy not in ("OrderedReady", "Parallel"):
        yield invalid(where, word(policy), "must be 'OrderedReady' or 'Parallel'")
    yield from _update_strategy(mapping(spec, "updateStrategy"), child(field, "updateStrategy"))
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention is not None:
        for name in ("whenDeleted", "whenScaled"):
            where = child(field, "persistentVolumeClaimRetentionPolicy", name)
            yield from one_of(retention.get(name, ""), ["Retain", "Delete"], where)
    if is_new:
        for number, claim in enumerate(listed(spec, "volumeClaimTemplates")):
            where = child(index(child(field, "volumeClaimTemplates"), number), "spec")
            yield from claim_spec(mapping(claim, "spec"), where)
    for name in ("replicas", "minReadySeconds"):
        yield from non_negative(spec.get(name), child(field, name))
    yield from non_negative(mapping(spec, "ordinals").get("start"), child(field, "ordinals.start"))
    if is_new and spec.get("serviceName"):
        yield from dns1123_label(spec["serviceName"], child(field, "serviceName"))
    yield from _selector_and_template(spec, field)


def _update_strategy(strategy: Json, field: str) -> Errors:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    where = child(field, "rollingUpdate")
    if not kind:
        yield required(field)
    elif kind == "OnDelete":
        if rolling is not None:
            shown = internal.shown(rolling, "apps.RollingUpdateStatefulSetStrategy")
            yield invalid(where, shown, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind == "RollingUpdate":
        yield from _rolling_update(rolling or {}, where)
    else:
        shown = internal.shown(strategy, "apps.StatefulSetUpdateStrategy")
        yield invalid(field, shown, "must be 'RollingUpdate' or 'OnDelete'")


def _rolling_update(rolling: Json, field: str) -> Errors:
    yield from non_negative(rolling.get("partition"), child(field, "partition"))
    unavailable = rolling.get("maxUnavailable")
    if unavailable is not None:
        where = child(field, "maxUnavailable")
        yield from number_or_percent(unavailable, where)
        if number_of(unavailable) == 0:
            yield invalid(where, unavailable, "cannot be 0")
        yield from at_most_all(unavailable, where)


def _selector_and_template(spec: Json, field: str) -> Errors:
    selector, where = spec.get("selector"), child(field, "selector")
    yield from required_selector(selector, where, "statefulset")
    template, of_template = mapping(spec, "template"), child(field, "template")
    if not is_usable(selector):
        yield invalid(where, shown_selector(selector))
    else:
        yield from template_labels(selector, template, of_template)
        yield from pod_template(_as_in_pods(template, spec), of_template)
        metadata = mapping(template, "metadata")
        annotations = mapping(metadata, "annotations")
        # What was said of these comes again.
        yield from validate_labels(mapping(metadata, "labels"), child(of_template, "labels"))
        yield from validate_annotations(annotations, child(of_template, "annotations"))
        yield from specific_annotations(annotations, mapping(template, "spec"), child(of_template, "annotations"))
    yield from runs_on(template, of_template, "StatefulSet")


def _as_in_pods(template: Json, spec: Json) -> Json:
    """With volumes for the claims that each pod will have, and without names, which the controller gives."""
    claims = {claim.get("metadata", {}).get("name", ""): claim for claim in listed(spec, "volumeClaimTemplates")}
    pod = mapping(template, "spec")
    if not claims and not pod.get("subdomain") and not pod.get("hostname"):
        return template
    added = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    kept = [volume for volume in listed(pod, "volumes") if volume.get("name") not in claims]
    return {**template, "spec": {**pod, "subdomain": "", "hostname": "", "volumes": added + kept}}
