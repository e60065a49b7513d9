"""serviceaccounts/token: a token for a service account (KUBE/pkg/registry/core/serviceaccount/storage/token.go)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dynkube.quantities import format_time
from dynkube.schema import GroupKind, GroupResource, GroupVersion
from dynkube.testing.apiserver.access import identities
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.subresources.shapes import Call
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError, invalid, quoted
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["TokenRequestStrategy", "request_token"]

_KIND = GroupKind("authentication.k8s.io", "TokenRequest")
_AN_HOUR = 60 * 60
_SHORTEST = 10 * 60
_LONGEST = 1 << 32
# What projected tokens ask for. Bound to a pod they live for a year, and warn after what was asked for.
_PROJECTED = _AN_HOUR + 7
_EXTENDED = 365 * 24 * _AN_HOUR
_BOUND = {"Pod": "pods", "Node": "nodes", "Secret": "secrets"}


class TokenRequestStrategy(NativeStrategy):
    """What a TokenRequest may leave out."""

    def default(self, obj: Object, group_version: GroupVersion) -> None:  # noqa: ARG002 - of any version
        """An hour, where nothing is said."""
        spec = obj.setdefault("spec", {})
        if spec.get("expirationSeconds") is None:
            spec["expirationSeconds"] = _AN_HOUR


def request_token(call: Call, obj: Object) -> Object:
    """Issue a token.

    Raises:
        StatusError: 404, no such service account or bound object; 409, one of another uid; 422.
    """
    name, metadata = call.scope.name, obj["metadata"]
    if metadata.get("name", name) != name:
        problem = "must match the service account name if specified"
        raise statuses.invalid(_KIND, name, [invalid("metadata.name", metadata["name"], problem)])
    account = call.registry.get(call.scope).object()
    uid = account["metadata"]["uid"]
    if metadata.get("uid", uid) != uid:
        raise _conflict(
            _KIND, name, f"the UID in the token request ({metadata['uid']}) does not match the UID of the service "
            f"account ({uid})"
        )  # fmt: skip
    now = call.registry.clock()
    metadata |= {"name": name, "uid": uid, "creationTimestamp": format_time(now)}
    spec = obj["spec"]
    issuer = call.access.issuer
    if not spec.get("audiences"):
        spec["audiences"] = [issuer.issuer]
    # A pointer without omitempty.
    spec.setdefault("boundObjectRef", None)
    seconds = spec["expirationSeconds"]
    errors = _errors(seconds)
    if errors:
        raise statuses.invalid(_KIND, "", errors)
    about = {
        "namespace": call.scope.namespace,
        "serviceaccount": {"name": name, "uid": uid},
        **_bound(call, spec["boundObjectRef"]),
    }
    is_extended = "pod" in about and seconds == _PROJECTED and spec["audiences"] == [issuer.issuer]
    start = int(now.timestamp())
    if is_extended:
        about["warnafter"] = start + seconds
    token = issuer.sign(
        {
            "aud": spec["audiences"],
            "exp": start + (_EXTENDED if is_extended else seconds),
            "iat": start,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": about,
            "nbf": start,
            "sub": identities.service_account_user(call.scope.namespace, name),
        }
    )
    obj["status"] = {"token": token, "expirationTimestamp": format_time(now + timedelta(seconds=seconds))}
    return obj


def _errors(seconds: int) -> list[FieldError]:
    path = "spec.expirationSeconds"
    if seconds < _SHORTEST:
        return [invalid(path, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > _LONGEST:
        return [invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _bound(call: Call, reference: Mapping[str, Any] | None) -> dict[str, Any]:
    """The claims about the object that a token lives and dies with."""
    if reference is None:
        return {}
    api_version, kind, name = (reference.get(field, "") for field in ("apiVersion", "kind", "name"))
    group, _, version = api_version.rpartition("/")
    if group or kind not in _BOUND:
        raise statuses.bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    obj = _found(call, GroupResource("", _BOUND[kind]), "" if kind == "Node" else call.scope.namespace, name)
    if obj is None:
        raise statuses.not_found(GroupResource("", _BOUND[kind]), name)
    claims = {kind.lower(): {"name": name, "uid": obj["metadata"]["uid"]}}
    if kind == "Pod":
        claims |= _of_pod(call, obj)
    uid = reference.get("uid")
    if uid and uid != obj["metadata"]["uid"]:
        problem = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have "
            "been deleted and then recreated"
        )
        raise _conflict(GroupKind(group, kind), name, problem)
    return claims


def _of_pod(call: Call, pod: Object) -> dict[str, Any]:
    """What a token says of the node of its pod; a node that is not there has only its name."""
    spec = pod["spec"]
    if spec.get("serviceAccountName", "") != call.scope.name:
        raise statuses.bad_request(
            f"cannot bind token for serviceaccount {quoted(call.scope.name)} to pod running with different "
            "serviceaccount name."
        )
    node = spec.get("nodeName")
    if not node:
        return {}
    found = _found(call, GroupResource("", "nodes"), "", node)
    return {"node": {"name": node} if found is None else {"name": node, "uid": found["metadata"]["uid"]}}


def _found(call: Call, resource: GroupResource, namespace: str, name: str) -> Object | None:
    served = call.registry.catalog.lookup(resource.group, "v1", resource.resource)
    entry = None if served is None else call.registry.store.find(served, namespace, name)
    return None if entry is None else entry.object()


def _conflict(kind: GroupKind, name: str, problem: str) -> statuses.StatusError:
    # The kind stands where a resource should: there, too.
    return statuses.conflict(GroupResource(kind.group, kind.kind), name, problem)
