"""LimitRanger: what pods and claims ask for unless they say so, and what they may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dynkube.quantities import Quantity
from dynkube.schema import GroupResource
from dynkube.testing.apiserver.builtin.admission.attributes import Attributes
from dynkube.testing.apiserver.builtin.lookup import Lookup
from dynkube.testing.apiserver.builtin.pod.totals import aggregate
from dynkube.testing.apiserver.builtin.rules import Json, amount, listed, mapping
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["apply_limits", "check_limits"]

_RANGES = GroupResource("", "limitranges")
_ANNOTATION = "kubernetes.io/limit-ranger"
_KINDS = (("containers", "container"), ("initContainers", "init container"))

Amounts = Mapping[str, Quantity]


def _limits(attributes: Attributes, lookup: Lookup) -> Iterator[list[Json]]:
    for each in lookup.list(_RANGES, attributes.namespace):
        yield list(listed(mapping(each, "spec"), "limits"))


# ------------------------------------------------------------------ what is not said


def apply_limits(attributes: Attributes, pod: Object, lookup: Lookup) -> None:
    """Give containers what they do not say, in place, and note it in an annotation."""
    for limits in _limits(attributes, lookup):
        usual: dict[str, dict[str, str]] = {"limits": {}, "requests": {}}
        for limit in limits:
            if limit.get("type") == "Container":
                usual["requests"] |= mapping(limit, "defaultRequest")
                usual["limits"] |= mapping(limit, "default")
        notes = [
            note
            for name, kind in _KINDS
            for container in listed(pod["spec"], name)
            for note in _fill(container, usual, kind)
        ]
        if notes:
            annotations = mapping(pod["metadata"], "annotations")
            text = f"LimitRanger plugin set: {'; '.join(notes)}"
            pod["metadata"]["annotations"] = {**annotations, _ANNOTATION: text}


def _fill(container: Object, usual: Mapping[str, Mapping[str, str]], kind: str) -> Iterator[str]:
    for name, singular in (("requests", "request"), ("limits", "limit")):
        resources = container.get("resources") or {}
        missing = {each: text for each, text in usual[name].items() if each not in mapping(resources, name)}
        if missing:
            container["resources"] = {**resources, name: {**mapping(resources, name), **missing}}
            yield f"{', '.join(sorted(missing))} {singular} for {kind} {container.get('name', '')}"


# ------------------------------------------------------------------ what is too much


def check_limits(attributes: Attributes, obj: Object, lookup: Lookup) -> None:
    """Refuse what asks for too much or too little.

    Raises:
        StatusError: It does.
    """
    judge = _pod_problems if attributes.about.resource == "pods" else _claim_problems
    for limits in _limits(attributes, lookup):
        problems = list(dict.fromkeys(problem for limit in limits for problem in judge(limit, obj)))
        if problems:
            raise attributes.refuse(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")


def _claim_problems(limit: Json, claim: Json) -> Iterator[str]:
    if limit.get("type") != "PersistentVolumeClaim":
        return
    requests = _amounts(mapping(mapping(claim["spec"], "resources"), "requests"))
    for name, text in mapping(limit, "min").items():
        yield from _least(limit["type"], name, text, requests, {})
    for name, text in mapping(limit, "max").items():
        yield from _most(limit["type"], name, text, requests, None)


def _pod_problems(limit: Json, pod: Json) -> Iterator[str]:
    kind = limit.get("type", "")
    if kind == "Container":
        for name, _ in _KINDS:
            for container in listed(pod["spec"], name):
                resources = mapping(container, "resources")
                asked = (_amounts(mapping(resources, each)) for each in ("requests", "limits"))
                yield from _bounds(limit, *asked)
    elif kind == "Pod":
        yield from _bounds(limit, *(_of_pod(pod["spec"], each) for each in ("requests", "limits")))


def _of_pod(spec: Json, name: str) -> Amounts:
    whole = _amounts(mapping(mapping(spec, "resources"), name))
    return {**aggregate(spec, name), **{each: whole[each] for each in whole if each in ("cpu", "memory")}}


def _amounts(texts: Mapping[str, str]) -> Amounts:
    return {name: amount(text) for name, text in texts.items()}


def _bounds(limit: Json, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, text in mapping(limit, "min").items():
        yield from _least(limit["type"], name, text, requests, limits)
    for name, text in mapping(limit, "max").items():
        yield from _most(limit["type"], name, text, requests, limits)
    for name, text in mapping(limit, "maxLimitRequestRatio").items():
        yield from _ratio(limit["type"], name, text, requests, limits)


def _least(kind: str, name: str, text: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    said = f"minimum {name} usage per {kind} is {text}"
    if name not in requests:
        yield f"{said}.  No request is specified"
    elif requests[name] < amount(text):
        yield f"{said}, but request is {requests[name]}"
    elif name in limits and limits[name] < amount(text):
        yield f"{said}, but limit is {limits[name]}"


def _most(kind: str, name: str, text: str, requests: Amounts, limits: Amounts | None) -> Iterator[str]:
    """``limits`` is None where only what is requested counts."""
    said = f"maximum {name} usage per {kind} is {text}"
    counted, word = (requests, "request") if limits is None else (limits, "limit")
    if name not in counted:
        yield f"{said}.  No {word} is specified"
    elif counted[name] > amount(text):
        yield f"{said}, but {word} is {counted[name]}"
    elif limits is not None and name in requests and requests[name] > amount(text):
        yield f"{said}, but request is {requests[name]}"


def _ratio(kind: str, name: str, text: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    said = f"{name} max limit to request ratio per {kind} is {text}, but"
    for amounts, word in ((requests, "request"), (limits, "limit")):
        if name not in amounts or not amounts[name].nano:
            yield f"{said} no {word} is specified or {word} is 0"
            return
    observed = limits[name].nano / requests[name].nano
    if observed > amount(text).nano / 10**9:
        yield f"{said} provided ratio is {observed:f}"
