"""What creates do that store nothing of their own: which there are, and the part that all share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from dynkube.schema import GroupResource, GroupVersion, GroupVersionKind
from dynkube.testing.apiserver.subresources import bindings, evictions, reviews, tokenrequests
from dynkube.testing.apiserver.subresources.bodies import body
from dynkube.testing.apiserver.subresources.shapes import Action, Call
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["find_action", "perform"]

Run = Callable[[Call, Object], Object]

_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_REVIEWS: Mapping[GroupResource, tuple[str, Run]] = {
    GroupResource(_AUTHENTICATION, "selfsubjectreviews"): ("SelfSubjectReview", reviews.review_self),
    GroupResource(_AUTHENTICATION, "tokenreviews"): ("TokenReview", reviews.review_token),
    GroupResource(_AUTHORIZATION, "localsubjectaccessreviews"): (
        "LocalSubjectAccessReview",
        reviews.review_local_access,
    ),
    GroupResource(_AUTHORIZATION, "selfsubjectaccessreviews"): ("SelfSubjectAccessReview", reviews.review_own_access),
    GroupResource(_AUTHORIZATION, "selfsubjectrulesreviews"): ("SelfSubjectRulesReview", reviews.review_own_rules),
    GroupResource(_AUTHORIZATION, "subjectaccessreviews"): ("SubjectAccessReview", reviews.review_access),
}


@cache
def find_action(resource: GroupResource, subresource: str = "") -> Action | None:
    """What a create does there; None where it stores an object, as most do."""
    if not subresource and resource in _REVIEWS:
        kind, run = _REVIEWS[resource]
        return _action(GroupVersionKind(resource.group, "v1", kind), run)
    return _named(str(resource), subresource)


def _named(resource: str, subresource: str) -> Action | None:
    where = (resource, subresource)
    if where == ("bindings", ""):
        return _action(GroupVersionKind("", "v1", "Binding"), bindings.bind_by_name)
    if where == ("pods", "binding"):
        return _action(GroupVersionKind("", "v1", "Binding"), bindings.bind, keeps_identity=True)
    if where == ("pods", "eviction"):
        versions = (GroupVersion("policy", "v1"), GroupVersion("policy", "v1beta1"))
        return replace(_action(GroupVersionKind("policy", "v1", "Eviction"), evictions.evict), accepts=versions)
    if where == ("serviceaccounts", "token"):
        kind = GroupVersionKind(_AUTHENTICATION, "v1", "TokenRequest")
        return _action(kind, tokenrequests.request_token, keeps_identity=True)
    return None


def perform(action: Action, call: Call, obj: Object) -> Object:
    """Do what a create asks for.

    Args:
        action: What.
        call: By whom, where.
        obj: What was sent: decoded as ``action.body``, normalized and defaulted. It is changed.

    Returns:
        What is answered, with 201 or the code of the Status that it is.

    Raises:
        StatusError: It is refused.
    """
    # A version that is accepted beside the body's own differs in nothing else.
    obj["apiVersion"] = action.body.group_version.api_version
    received = call.registry.receive(call.scope, action.body, obj, call.options, keeps_identity=action.keeps_identity)
    answer = action.run(call, received)
    if answer.get("kind") == "Status":
        answer.setdefault("code", 201)
    return answer


def _action(kind: GroupVersionKind, run: Run, *, keeps_identity: bool = False) -> Action:
    return Action(
        body=body(kind), run=run, accepts=(GroupVersion(kind.group, kind.version),), keeps_identity=keeps_identity
    )
