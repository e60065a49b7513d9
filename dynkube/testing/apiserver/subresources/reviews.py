"""The kinds that are questions: they are created, answered and forgotten.

KUBE/pkg/registry/authorization and authentication; AS registries of the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.quantities import format_time
from dynkube.schema import GroupKind
from dynkube.testing.apiserver.access import TokenError
from dynkube.testing.apiserver.access.rbac import aggregated
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError, child, forbidden, index, invalid, required
from dynkube.testing.apiserver.words.messages import Headers, Request, RequestInfo, UserInfo
from dynkube.testing.apiserver.words.names import label_key, label_value
from dynkube.testing.apiserver.words.resources import Object

__all__ = [
    "review_access",
    "review_local_access",
    "review_own_access",
    "review_own_rules",
    "review_self",
    "review_token",
]

_AUTHORIZATION = GroupKind("authorization.k8s.io", "")
"""The kind that a refusal of an access review names: none, there."""
_RESOURCE = "resourceAttributes"
_PATH = "nonResourceAttributes"


# ------------------------------------------------------------------ authentication


def review_self(call: Call, obj: Object) -> Object:
    """SelfSubjectReview: who am I."""
    now = format_time(call.registry.clock())
    shown = {name: obj[name] for name in ("kind", "apiVersion")}
    info = _user_info(call.scope.user)
    return {**shown, "metadata": {"creationTimestamp": now}, "status": {"userInfo": info}}


def review_token(call: Call, obj: Object) -> Object:
    """TokenReview: whose token is this.

    Raises:
        StatusError: 400, there is none.
    """
    spec = obj.get("spec") or {}
    token = spec.get("token", "")
    if not token:
        raise statuses.bad_request("token is required for TokenReview in authentication")
    request = Request(method="GET", path="/", headers=Headers([("Authorization", f"Bearer {token}")]))
    status: dict[str, Any]
    try:
        found = call.access.review_token(request, spec.get("audiences") or ())
    except TokenError as error:
        status = {"user": {}, "error": str(error)}
    else:
        status = {"authenticated": True, "user": _user_info(found.user), "audiences": list(found.audiences)}
    obj["status"] = status
    return obj


def _user_info(user: UserInfo) -> dict[str, Any]:
    info: dict[str, Any] = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    if user.extra:
        info["extra"] = {key: list(user.extra[key]) for key in sorted(user.extra)}
    return {name: value for name, value in info.items() if value}


# ------------------------------------------------------------------ authorization


def review_access(call: Call, obj: Object) -> Object:
    """SubjectAccessReview: may they.

    Raises:
        StatusError: 422.
    """
    spec = obj.get("spec") or {}
    _refuse([*_subject_errors(spec), *_metadata_errors(obj, "must be empty")])
    return _answered(call, obj, _subject(spec))


def review_own_access(call: Call, obj: Object) -> Object:
    """SelfSubjectAccessReview: may I.

    Raises:
        StatusError: 422.
    """
    spec = obj.get("spec") or {}
    _refuse([*_attribute_errors(spec), *_selector_errors(spec), *_metadata_errors(obj, "must be empty")])
    return _answered(call, obj, call.scope.user)


def review_local_access(call: Call, obj: Object) -> Object:
    """LocalSubjectAccessReview: may they, in this namespace.

    Raises:
        StatusError: 422.
    """
    spec, namespace = obj.get("spec") or {}, obj["metadata"].get("namespace", "")
    errors = [*_subject_errors(spec), *_metadata_errors(obj, "must be empty except for namespace", "namespace")]
    place = (spec.get(_RESOURCE) or {}).get("namespace", "")
    if _RESOURCE in spec and place != namespace:
        errors.append(invalid(f"spec.{_RESOURCE}.namespace", place, "must match metadata.namespace"))
    if _PATH in spec:
        errors.append(invalid(f"spec.{_PATH}", _internal(spec[_PATH]), "disallowed on this kind of request"))
    _refuse(errors)
    return _answered(call, obj, _subject(spec))


def review_own_rules(call: Call, obj: Object) -> Object:
    """SelfSubjectRulesReview: what may I, in this namespace.

    Raises:
        StatusError: 400, no namespace.
    """
    namespace = (obj.get("spec") or {}).get("namespace", "")
    if not namespace:
        raise statuses.bad_request("no namespace on request")
    problems: list[str] = []
    rules = list(call.access.rules(call.scope.user, namespace, problems))
    status: dict[str, Any] = {
        "resourceRules": [
            _picked(rule, "verbs", "apiGroups", "resources", "resourceNames") for rule in rules if rule.get("resources")
        ],
        "nonResourceRules": [
            _picked(rule, "verbs", "nonResourceURLs") for rule in rules if rule.get("nonResourceURLs")
        ],
        "incomplete": False,
    }
    if problems:
        status["evaluationError"] = aggregated(problems)
    # A new object: what was sent is not in it, nor who sent it.
    return {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": {}, "spec": {}, "status": status}


def _picked(rule: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    return {field: list(rule[field]) for field in fields if rule.get(field)}


def _answered(call: Call, obj: Object, user: UserInfo) -> Object:
    spec = obj["spec"]
    decision = call.access.decide(user, _about(spec))
    status: dict[str, Any] = {"allowed": decision.allowed}
    if decision.denied:
        status["denied"] = True
    if decision.reason:
        status["reason"] = decision.reason
    problems = list(_evaluation_problems(spec.get(_RESOURCE) or {}))
    if problems:
        status["evaluationError"] = "; ".join(problems)
    obj["status"] = status
    return obj


def _subject(spec: Mapping[str, Any]) -> UserInfo:
    return UserInfo(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), spec.get("extra") or {})


def _about(spec: Mapping[str, Any]) -> RequestInfo:
    path = spec.get(_PATH)
    if path is not None and _RESOURCE not in spec:
        return RequestInfo(verb=path.get("verb", ""), path=path.get("path", ""))
    asked = spec[_RESOURCE]
    parts = {name: asked.get(name, "") for name in ("group", "resource", "subresource", "namespace", "name")}
    return RequestInfo(
        verb=asked.get("verb", ""), path="", is_resource=True, version=asked.get("version") or "*", **parts
    )


# ------------------------------------------------------------------ validation


def _refuse(errors: Sequence[FieldError]) -> None:
    if errors:
        raise statuses.invalid(_AUTHORIZATION, "", errors)


def _subject_errors(spec: Mapping[str, Any]) -> Iterator[FieldError]:
    yield from _attribute_errors(spec)
    if not spec.get("user") and not spec.get("groups"):
        yield invalid("spec.user", "", "at least one of user or group must be specified")
    yield from _selector_errors(spec)


def _attribute_errors(spec: Mapping[str, Any]) -> Iterator[FieldError]:
    if _RESOURCE in spec and _PATH in spec:
        problem = "cannot be specified in combination with resourceAttributes"
        yield invalid(f"spec.{_PATH}", _internal(spec[_PATH]), problem)
    if _RESOURCE not in spec and _PATH not in spec:
        problem = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid(f"spec.{_RESOURCE}", None, problem)


def _internal(attributes: Mapping[str, str]) -> dict[str, str]:
    # The internal type has no JSON names.
    return {"Path": attributes.get("path", ""), "Verb": attributes.get("verb", "")}


def _metadata_errors(obj: Object, problem: str, *allowed: str) -> Iterator[FieldError]:
    if set(obj["metadata"]) - {"managedFields", *allowed}:
        yield invalid("metadata", obj["metadata"], problem)


def _selector_errors(spec: Mapping[str, Any]) -> Iterator[FieldError]:
    attributes = spec.get(_RESOURCE) or {}
    for name, judge in (("fieldSelector", _field_errors), ("labelSelector", _label_errors)):
        selector, path = attributes.get(name), f"spec.{_RESOURCE}.{name}"
        if selector is None:
            continue
        raw, requirements = selector.get("rawSelector"), selector.get("requirements") or ()
        if raw and requirements:
            yield invalid(child(path, "rawSelector"), raw, "may not specified at the same time as requirements")
        if not raw and not requirements:
            detail = f"when {path} is specified, requirements or rawSelector is required"
            yield required(child(path, "requirements"), detail)
        for number, each in enumerate(requirements):
            yield from judge(each, index(child(path, "requirements"), number))


def _field_errors(requirement: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    if not requirement.get("key"):
        yield required(child(path, "key"), "must be specified")
    yield from _value_errors(requirement, path)


def _label_errors(requirement: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    yield from _value_errors(requirement, path)
    key = requirement.get("key", "")
    yield from (invalid(child(path, "key"), key, each) for each in label_key(key))
    for number, value in enumerate(requirement.get("values") or ()):
        yield from (invalid(index(child(path, "values"), number), value, each) for each in label_value(value))


def _value_errors(requirement: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator"), requirement.get("values")
    if operator in ("In", "NotIn") and not values:
        yield required(child(path, "values"), "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in ("Exists", "DoesNotExist") and values:
        yield forbidden(child(path, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")


# ------------------------------------------------------------------ selectors that are not understood


def _evaluation_problems(attributes: Mapping[str, Any]) -> Iterator[str]:
    """What of the selectors is not understood, and so makes the question a broader one (BuildEvaluationError)."""
    selectors = (("fieldSelector", _is_field_selector, _is_field), ("labelSelector", _is_label_selector, _is_label))
    for name, is_selector, is_requirement in selectors:
        selector = attributes.get(name) or {}
        requirements = selector.get("requirements") or ()
        understood = [is_requirement(each) for each in requirements]
        if requirements and not all(understood):
            part = "partially ignored" if any(understood) else "ignored"
            yield f"spec.{_RESOURCE}.{name} {part} due to parse error"
        elif not requirements and not is_selector(selector.get("rawSelector", "")):
            yield f"spec.{_RESOURCE}.{name} ignored due to parse error"


def _is_field_selector(text: str) -> bool:
    try:
        FieldSelector.parse(text)
    except InvalidRequestError:
        return False
    return True


def _is_label_selector(text: str) -> bool:
    try:
        LabelSelector.parse(text)
    except InvalidRequestError:
        return False
    return True


def _is_field(requirement: Mapping[str, Any]) -> bool:
    return requirement.get("operator") in ("In", "NotIn") and len(requirement.get("values") or ()) == 1


def _is_label(requirement: Mapping[str, Any]) -> bool:
    return requirement.get("operator") in ("In", "NotIn", "Exists", "DoesNotExist")
