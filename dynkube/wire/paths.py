"""Where a resource lives on the server; nothing a caller passes can lead elsewhere.

See https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris, and for what a
segment may hold AM/api/validation/path/name.go.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersion, GroupVersionResource

__all__ = ["escape_segment", "group_version_path", "resource_path", "validate_segment"]

# What needs no escaping in a path segment: unreserved characters, sub-delims, ":" and "@" (RFC 3986 3.3).
_SAFE = ":@!$&'()*+,;=~"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:")


def validate_segment(value: str, argument: str) -> str:
    """Check that a value can be one segment of a path.

    Args:
        value: a name, namespace, resource or subresource.
        argument: what the error calls it.

    Returns:
        The value.

    Raises:
        InvalidRequestError: it is empty, ``.`` or ``..``, or holds ``/``, ``%`` or a control character.

    Example:
        >>> validate_segment("system:node", "name")
        'system:node'
        >>> validate_segment("a/b", "name")
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: invalid resource name "a/b": [may not contain '/']
    """
    if type(value) is not str and not isinstance(value, str):
        raise InvalidRequestError(f"{argument} must be a string, not {type(value).__name__}")
    if not value:
        raise InvalidRequestError(f"{argument} is required: resource {argument} may not be empty")
    if value in {".", ".."}:
        raise InvalidRequestError(f"invalid resource {argument} {_quoted(value)}: [may not be '{value}']")
    if _PLAIN.issuperset(value):
        return value
    problems = [f"may not contain '{each}'" for each in "/%" if each in value]
    if any(ord(each) < 0x20 or ord(each) == 0x7F for each in value):
        problems.append("may not contain control characters")
    if problems:
        raise InvalidRequestError(f"invalid resource {argument} {_quoted(value)}: [{', '.join(problems)}]")
    return value


def escape_segment(value: str) -> str:
    """Percent-escape what a path segment cannot hold as it is; ``:`` stays."""
    if _PLAIN.issuperset(value):
        return value
    try:
        return quote(value, safe=_SAFE)
    except UnicodeEncodeError as error:
        raise InvalidRequestError(f"{_quoted(value)} cannot stand in a path: {error.reason}") from error


@lru_cache(maxsize=1024)
def group_version_path(group_version: GroupVersion) -> str:
    """``/api/v1`` for the core group, ``/apis/<group>/<version>`` for the others.

    >>> group_version_path(GroupVersion("", "v1")), group_version_path(GroupVersion("apps", "v1"))
    ('/api/v1', '/apis/apps/v1')
    """
    version = escape_segment(validate_segment(group_version.version, "version"))
    if not group_version.group:
        return f"/api/{version}"
    return f"/apis/{escape_segment(validate_segment(group_version.group, 'group'))}/{version}"


@lru_cache(maxsize=1024)
def _parts(gvr: GroupVersionResource) -> tuple[str, str]:
    resource = escape_segment(validate_segment(gvr.resource, "resource").lower())
    return group_version_path(GroupVersion(gvr.group, gvr.version)), resource


def resource_path(gvr: GroupVersionResource, *, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a resource, of one object, or of a subresource.

    Args:
        gvr: the resource.
        namespace: a namespace; ``""`` for none, or for all of them.
        name: an object's name; ``""`` for the collection.
        subresource: ``"status"``, or several segments (``"proxy/metrics"``).

    Returns:
        The escaped path.

    Raises:
        InvalidRequestError: a value could lead elsewhere.

    Example:
        >>> resource_path(GroupVersionResource("apps", "v1", "deployments"), namespace="shop", name="api")
        '/apis/apps/v1/namespaces/shop/deployments/api'
    """
    prefix, resource = _parts(gvr)
    if namespace:
        prefix = f"{prefix}/namespaces/{escape_segment(validate_segment(namespace, 'namespace'))}"
    path = f"{prefix}/{resource}"
    if name:
        path = f"{path}/{escape_segment(validate_segment(name, 'name'))}"
    if subresource:
        if not name:
            raise InvalidRequestError(f"name is required for the subresource {subresource!r}")
        segments = [escape_segment(validate_segment(each, "subresource")) for each in subresource.split("/")]
        path = f"{path}/{'/'.join(segments)}"
    return path


def _quoted(value: str) -> str:
    shown = value if len(value) <= 80 else value[:80] + "..."
    escaped = shown.encode("unicode_escape").decode("ascii")
    return f'"{escaped}"'
