"""From a response to a dict, or to the error that it is.

The rules are CG/rest/request.go (transformResponse, newUnstructuredResponseError) and
AM/api/errors/errors.go (NewGenericServerResponse).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynkube.codec import decode, decode_object
from dynkube.errors import (
    REASON_OF_CODE,
    APIStatusError,
    DecodeError,
    status_error_class,
)
from dynkube.records import RecordList, records_of_list
from dynkube.unstructured import UnstructuredList
from dynkube.wire.messages import Request, Response
from dynkube.wire.warnings import ServerWarning

__all__ = ["Result", "decode_list", "decode_records", "decode_response", "raise_for_status", "status_error_of"]

_MESSAGE_CHARS = 2048
_GENERIC_TEXTS = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}
# NewGenericServerResponse knows no 410 or 413: their reason stays unknown, and the code decides.
_GENERIC_REASONS = {code: reason for code, reason in REASON_OF_CODE.items() if code not in {410, 413}}
# For these the server's own words are the message, where it sent any.
_SERVER_TEXTS = {403: "the server refused our request", 406: "unknown", 415: "unknown"}


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a call that succeeded, before it is decoded.

    Attributes:
        response: the HTTP response.
    """

    response: Response

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        return self.response.body

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self.response.status

    @property
    def content_type(self) -> str:
        """The body's media type."""
        return self.response.content_type

    @property
    def was_created(self) -> bool:
        """Whether the call made something new (HTTP 201)."""
        return self.response.status == 201

    @property
    def warnings(self) -> tuple[ServerWarning, ...]:
        """What the ``Warning`` headers say."""
        return self.response.warnings()

    def object(self) -> dict[str, Any]:
        """The decoded body.

        Raises:
            DecodeError: it is no JSON object.
            APIStatusError: it is a ``Status`` that reports a failure.
        """
        return decode_response(self.response)


def raise_for_status(response: Response, *, parse_status: bool = True) -> None:
    """Return if the response is a success (200-206).

    Args:
        response: the response.
        parse_status: whether a ``Status`` in the body may say what went wrong; client-go's DoRaw
            does not look (2.8.3 in docs/reference/parity).

    Raises:
        APIStatusError: the subclass for its reason.
    """
    if not 200 <= response.status <= 206:
        raise status_error_of(response, parse_status=parse_status)


def decode_response(response: Response) -> dict[str, Any]:
    """The object in a successful response.

    Raises:
        APIStatusError: the HTTP status, or a ``Status`` in the body of a 2xx, reports a failure.
        DecodeError: the body is not a JSON object with a kind.
    """
    raise_for_status(response)
    obj = _decode_body(response)
    kind = obj.get("kind")
    if not kind or not isinstance(kind, str):
        raise DecodeError(f"Object 'Kind' is missing in the response to {_asked(response.request)}: {_head(response)}")
    if kind == "Status" and obj.get("status") != "Success":
        raise _from_status(obj, response)
    return obj


def decode_list(response: Response) -> UnstructuredList:
    """The list in a successful response; items without kind get the list's (5.1.5).

    Raises:
        APIStatusError: the response reports a failure.
        DecodeError: the body is not a list.
    """
    obj = decode_response(response)
    items = obj.get("items")
    if items is not None and not isinstance(items, list):
        raise DecodeError(f"items of the response to {_asked(response.request)} is no list: {_head(response)}")
    if items is None and "items" not in obj and not str(obj["kind"]).endswith("List"):
        raise DecodeError(f"the response to {_asked(response.request)} is a {obj['kind']}, not a list")
    return UnstructuredList.from_dict(obj)


def decode_records(response: Response) -> RecordList:
    """The list in a successful response, its items undecoded; items without kind get the list's.

    Raises:
        APIStatusError: the response reports a failure.
        DecodeError: the body is not a list, or one of its items is no object.
    """
    raise_for_status(response)
    try:
        page = records_of_list(response.body)
    except DecodeError:
        decode_list(response)  # knows better what it is, if it is no list
        raise
    if not page.objects and not page.kind.endswith("List"):
        decode_list(response)  # likewise: a Status, for one
    return page


def status_error_of(response: Response, *, parse_status: bool = True) -> APIStatusError:
    """The error that an unsuccessful response stands for.

    Args:
        response: any response outside 200-206.
        parse_status: whether to look for a ``Status`` in the body.

    Returns:
        The error; a ``Status`` with ``status: Failure`` in the body replaces the generic one
        completely, its code and reason included.
    """
    if parse_status:
        status = _failure_status(response)
        if status is not None:
            return _from_status(status, response)
    return _from_status(_generic_status(response), response)


def _failure_status(response: Response) -> dict[str, Any] | None:
    if response.body.lstrip()[:1] != b"{":
        return None
    try:
        body = decode(response.body)
    except DecodeError:
        return None
    # Kind and apiVersion are assumed where they are missing.
    if not isinstance(body, dict) or body.get("kind", "Status") != "Status" or body.get("status") != "Failure":
        return None
    return body


def _from_status(status: dict[str, Any], response: Response) -> APIStatusError:
    code = status.get("code")
    reason = status.get("reason")
    kind = status_error_class(
        reason if isinstance(reason, str) else "", code if isinstance(code, int) else response.status
    )
    request = response.request
    return kind(
        status,
        http_status=response.status,
        method=request.method,
        path=request.path,
        hint=_hint(response, status),
    )


def _generic_status(response: Response) -> dict[str, Any]:
    code, request = response.status, response.request
    text = _body_text(response)
    reason = _GENERIC_REASONS.get(code, "InternalError" if code >= 500 else "")
    if code == 409 and request.method == "POST":
        reason = "AlreadyExists"
    details: dict[str, Any] = {
        "causes": [{"reason": "UnexpectedServerResponse", "message": text}],
    }
    if request.resource is not None:
        details.update(name=request.name, group=request.resource.group, kind=request.resource.resource)
    retry_after = response.retry_after
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": _generic_text(code, text) + _suffix(request),
        "details": details,
    }


def _generic_text(code: int, text: str) -> str:
    if code in _GENERIC_TEXTS:
        return _GENERIC_TEXTS[code]
    if code in _SERVER_TEXTS:
        return text if text != "unknown" else _SERVER_TEXTS[code]
    if code >= 500:
        return f'an error on the server ("{text}") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more information"


def _suffix(request: Request) -> str:
    if request.resource is None:
        return ""
    named = f" {request.name}" if request.name else ""
    return f" ({request.method.lower()} {request.resource}{named})"


def _body_text(response: Response) -> str:
    # Only text is for people; anything else would be noise in a message.
    if response.content_type and not response.content_type.startswith("text/"):
        return "unknown"
    text = response.body[: 4 * _MESSAGE_CHARS].decode("utf-8", "replace").strip()[:_MESSAGE_CHARS]
    return text or "unknown"


def _hint(response: Response, status: dict[str, Any]) -> str:
    request, message = response.request, str(status.get("message"))
    hint = ""
    match response.status:
        case 400 if "'Kind' is missing" in message:
            hint = "give the object its apiVersion and kind"
        case 401:
            hint = response.note or "the token or client certificate of this user is missing, wrong or expired"
        case 403 if 'User "system:anonymous"' in message:
            hint = "the request was anonymous: this user has no credentials that the server takes"
        case 404 if request.resource is not None and message.startswith(_GENERIC_TEXTS[404]):
            # The server's own words for a path that it does not serve; an object that is not there is named.
            hint = "the server may not serve this resource at this version, or it is one without (or with) a namespace"
        case 405 if request.verb == "create" and not request.namespace and not request.name:
            hint = "if this resource has namespaces, say which: .namespace(...), or metadata.namespace in the object"
        case 405 if request.verb == "deletecollection" and not request.namespace:
            hint = "where resources have namespaces, the server deletes a collection of one at a time: .namespace(...)"
        case 422 if _is_json_patch(request) and message.startswith(_GENERIC_TEXTS[422]):
            # All that the server says when an operation cannot be done.
            hint = "a test of this JSON Patch failed, or a path in it does not exist in the object"
        case 409:
            hint = _conflict_hint(request, status)
        case 415 if ("Content-Type", "application/strategic-merge-patch+json") in request.headers:
            hint = "custom resources take no strategic merge patch: use PatchType.MERGE, PatchType.JSON or apply()"
    return hint


def _is_json_patch(request: Request) -> bool:
    return ("Content-Type", "application/json-patch+json") in request.headers


def _conflict_hint(request: Request, status: dict[str, Any]) -> str:
    if "FieldManagerConflict" in str(status.get("details")):
        return "leave these fields out, or take them over with force=True"
    if request.method == "PUT" and status.get("reason") == "Conflict":
        return "get the object again, make the change on it, and update once more"
    return ""


def _decode_body(response: Response) -> dict[str, Any]:
    if not response.body:
        shown = response.content_type or "none"
        raise DecodeError(
            f"0-length response with status code: {response.status} and content type: {shown} "
            f"to {_asked(response.request)}"
        )
    try:
        return decode_object(response.body)
    except DecodeError as error:
        kind = response.content_type
        if kind and kind != "application/json":
            raise DecodeError(
                f"serializer for {kind} doesn't exist: {_asked(response.request)} was answered with status "
                f"{response.status} by what may be no API server; the body begins {_head(response)}"
            ) from error
        raise DecodeError(f"the response to {_asked(response.request)}: {error}") from error


def _asked(request: Request) -> str:
    return f"{request.method} {request.path}"


def _head(response: Response) -> str:
    return repr(response.body[:80].decode("utf-8", "replace"))
