"""Refusals as the API server words them: ``metav1.Status`` (AM/api/errors/errors.go).

Any room that has to refuse raises a `StatusError`; `endpoints` makes the response of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.schema import GroupKind, GroupResource
from dynkube.testing.apiserver.words.fielderrors import FieldError, quoted

__all__ = [
    "StatusError",
    "already_exists",
    "bad_request",
    "conflict",
    "expired",
    "forbidden",
    "internal_error",
    "invalid",
    "method_not_supported",
    "not_acceptable",
    "not_found",
    "request_entity_too_large",
    "resource_version_too_large",
    "service_unavailable",
    "status",
    "success",
    "timeout",
    "too_many_requests",
    "unauthorized",
    "unexpected",
    "unsupported_media_type",
]


class StatusError(Exception):
    """A request is refused.

    Attributes:
        status: The Status that the client gets.
        headers: Those that go with it.
        warnings: Texts for Warning headers that go with it.
    """

    def __init__(self, status: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.headers = dict(headers or {})
        self.warnings: Sequence[str] = ()

    @property
    def code(self) -> int:
        """The HTTP status."""
        return int(self.status["code"])

    @property
    def reason(self) -> str:
        """The machine-readable reason, such as ``NotFound``."""
        return str(self.status.get("reason", ""))


def status(
    code: int, reason: str, message: str, details: Mapping[str, Any] | None = None, **metadata: Any
) -> dict[str, Any]:
    """A failure Status. ``details`` without empty values; ``metadata`` goes into its ListMeta."""
    kept = {name: value for name, value in (details or {}).items() if value}
    answer: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": metadata,
        "status": "Failure",
        "message": message,
    }
    if reason:
        answer["reason"] = reason
    if kept or details is not None:
        answer["details"] = kept
    answer["code"] = code
    return answer


def success(details: Mapping[str, Any] | None = None, code: int = 200) -> dict[str, Any]:
    """What a finished deletion answers."""
    answer: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        answer["details"] = dict(details)
    return answer if code == 200 else answer | {"code": code}


def _about(resource: GroupResource, name: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "group": resource.group, "kind": resource.resource} | more


def not_found(resource: GroupResource, name: str) -> StatusError:
    """404 for an object."""
    return StatusError(status(404, "NotFound", f"{resource} {quoted(name)} not found", _about(resource, name)))


def already_exists(resource: GroupResource, name: str) -> StatusError:
    """409 for a create."""
    message = f"{resource} {quoted(name)} already exists"
    return StatusError(status(409, "AlreadyExists", message, _about(resource, name)))


def conflict(resource: GroupResource, name: str, problem: str) -> StatusError:
    """409 for a write on an older state, an unmet precondition, and the like."""
    message = f"Operation cannot be fulfilled on {resource} {quoted(name)}: {problem}"
    return StatusError(status(409, "Conflict", message, _about(resource, name)))


def invalid(kind: GroupKind, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422: one cause for each error; the message joins them (ToAggregate drops repeated texts)."""
    texts = list(dict.fromkeys(str(each) for each in errors))
    shown = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    subject = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    message = f"{subject} {quoted(name)} is invalid: {shown}" if errors else f"{subject} {quoted(name)} is invalid"
    causes = [each.cause() for each in errors]
    details = {"name": name, "group": kind.group, "kind": kind.kind, "causes": causes}
    return StatusError(status(422, "Invalid", message, details))


def forbidden(resource: GroupResource, name: str, problem: str) -> StatusError:
    """403, by authorization or admission."""
    about = f"{resource} {quoted(name)}" if name else str(resource)
    message = f"{about} is forbidden: {problem}" if resource.resource else f"forbidden: {problem}"
    return StatusError(status(403, "Forbidden", message, _about(resource, name)))


def bad_request(message: str) -> StatusError:
    """400."""
    return StatusError(status(400, "BadRequest", message))


def unauthorized() -> StatusError:
    """401."""
    return StatusError(status(401, "Unauthorized", "Unauthorized"))


def method_not_supported(resource: GroupResource, verb: str) -> StatusError:
    """405 for a verb that a resource does not have."""
    message = f'{verb} is not supported on resources of kind "{resource}"'
    return StatusError(status(405, "MethodNotAllowed", message, _about(resource)))


def not_acceptable(message: str) -> StatusError:
    """406."""
    return StatusError(status(406, "NotAcceptable", message))


def unsupported_media_type(message: str) -> StatusError:
    """415."""
    return StatusError(status(415, "UnsupportedMediaType", message))


def expired(message: str, **metadata: Any) -> StatusError:
    """410: a resourceVersion or continue token that is too old; ``metadata`` for the token to go on with."""
    return StatusError(status(410, "Expired", message, None, **metadata))


def timeout(message: str, retry_after: int, details: Mapping[str, Any] | None = None) -> StatusError:
    """504: not within the time allotted."""
    about = dict(details or {}) | {"retryAfterSeconds": retry_after}
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return StatusError(status(504, "Timeout", message, about), headers)


def too_many_requests(message: str, retry_after: int) -> StatusError:
    """429, with Retry-After where it is not 0."""
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return StatusError(status(429, "TooManyRequests", message, {"retryAfterSeconds": retry_after}), headers)


def request_entity_too_large(message: str) -> StatusError:
    """413."""
    return StatusError(status(413, "RequestEntityTooLarge", message))


def resource_version_too_large(wanted: int, current: int) -> StatusError:
    """504 for a resourceVersion that is not there yet (AS/storage/errors.go); the real one waits for it first."""
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return timeout(message, 1, {"causes": [cause]})


def service_unavailable(problem: str) -> StatusError:
    """503: who stands behind the server does not answer."""
    return StatusError(status(503, "ServiceUnavailable", problem))


def internal_error(problem: str) -> StatusError:
    """500."""
    details = {"causes": [{"message": problem}]}
    return StatusError(status(500, "InternalError", f"Internal error occurred: {problem}", details))


def unexpected(message: str) -> StatusError:
    """500 for an error that is none of the API's own, which has no reason and no details (ErrorToAPIStatus)."""
    return StatusError(status(500, "", message))
