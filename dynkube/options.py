"""What a verb can be asked for, as values; the one table of camelCase names.

A field that is None is not sent. ``False`` and ``0`` are sent where the API tells them apart from
"not given" (``force``, ``timeout_seconds``, ``grace_period_seconds``, ``send_initial_events``),
and dropped where it does not (``limit``, ``watch``, ``allow_watch_bookmarks``): AM/apis/meta/v1/types.go
and AM/conversion/queryparams/convert.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dynkube.errors import InvalidRequestError
from dynkube.fields import FieldSelector, field_selector_of
from dynkube.labels import LabelSelector, label_selector_of

__all__ = [
    "ApplyOptions",
    "CreateOptions",
    "DeleteOptions",
    "GetOptions",
    "ListOptions",
    "PatchOptions",
    "Preconditions",
    "UpdateOptions",
]

Query = tuple[tuple[str, str], ...]

_MATCHES = ("NotOlderThan", "Exact")
_VALIDATIONS = ("Ignore", "Warn", "Strict")
_POLICIES = ("Orphan", "Background", "Foreground")
_MANAGER_CHARS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class GetOptions:
    """Options of get.

    Attributes:
        resource_version: ``"0"`` takes any cached state; None reads the latest.
    """

    resource_version: str | None = None

    def to_query(self) -> Query:
        """The query parameters, sorted by name.

        Raises:
            InvalidRequestError: the resource version is no string.
        """
        return _query(self, _GET_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """Options of list, watch and delete_collection.

    Attributes:
        label_selector: text, or a parsed `LabelSelector`.
        field_selector: text, or a parsed `FieldSelector`.
        resource_version: where to list at, or watch from.
        resource_version_match: ``"NotOlderThan"`` or ``"Exact"``.
        limit: objects per page.
        continue_token: where the page before stopped.
        timeout_seconds: the server's own limit for the call, in seconds.
        allow_watch_bookmarks: ask a watch for bookmarks.
        send_initial_events: have a watch begin with what is there (KEP-3157).
        shard_selector: a part of the collection (alpha in 1.36).

    Example:
        >>> ListOptions(label_selector="app=api", limit=500).to_query()
        (('labelSelector', 'app=api'), ('limit', '500'))
    """

    label_selector: str | LabelSelector | None = None
    field_selector: str | FieldSelector | None = None
    resource_version: str | None = None
    resource_version_match: str | None = None
    limit: int | None = None
    continue_token: str | None = None
    timeout_seconds: int | None = None
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None
    shard_selector: str | None = None

    def to_query(self, *, watch: bool = False) -> Query:
        """The query parameters, sorted by name.

        Args:
            watch: whether to ask for a watch.

        Raises:
            InvalidRequestError: a selector does not parse, or a value is of the wrong type.
        """
        query = _query(self, _LIST_NAMES)
        # "watch" sorts after every other name.
        return (*query, ("watch", "true")) if watch else query

    def validate(self, verb: str) -> None:
        """Check the rules that the server has for these options, before it has to.

        The rules are those of AM/apis/meta/internalversion/validation/validation.go.

        Args:
            verb: ``"list"``, ``"watch"`` or ``"deletecollection"``.

        Raises:
            InvalidRequestError: the options exclude each other.
        """
        _one_of(self.resource_version_match, _MATCHES, "resource_version_match")
        problem = self._watch_problem() if verb == "watch" else self._list_problem()
        if problem:
            raise InvalidRequestError(problem)

    def _list_problem(self) -> str:
        match, version, token = self.resource_version_match, self.resource_version, self.continue_token
        if self.send_initial_events is not None:
            return "send_initial_events: sendInitialEvents is forbidden for list; use it in a watch"
        if match and token:
            return "resource_version_match: resourceVersionMatch is forbidden when continue is provided"
        if match and not version:
            return "resource_version_match: resourceVersionMatch is forbidden unless resourceVersion is provided"
        if match == "Exact" and version == "0":
            return 'resource_version_match: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        if token and version and version != "0":
            return "resource_version: specifying resource version is not allowed when using continue"
        return ""

    def _watch_problem(self) -> str:
        match, initial = self.resource_version_match, self.send_initial_events
        if match and initial is None:
            return (
                "resource_version_match: resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                "provided"
            )
        if initial is not None and match != "NotOlderThan":
            return (
                "send_initial_events: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan "
                f"(resource_version_match='NotOlderThan'), not {match!r}"
            )
        if self.continue_token:
            return "continue_token: continue is for list; a watch begins at a resource_version"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _WriteOptions:
    dry_run: bool | str | None = False
    field_manager: str | None = None
    field_validation: str | None = None

    def to_query(self) -> Query:
        """The query parameters, sorted by name.

        Raises:
            InvalidRequestError: a value that the server does not know.
        """
        return _query(self, _WRITE_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOptions(_WriteOptions):
    """Options of create: ``dry_run``, ``field_manager``, ``field_validation``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOptions(_WriteOptions):
    """Options of update: ``dry_run``, ``field_manager``, ``field_validation``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchOptions(_WriteOptions):
    """Options of patch: those of update, and ``force`` for an apply."""

    force: bool | None = None

    def to_query(self) -> Query:
        """The query parameters, sorted by name.

        Raises:
            InvalidRequestError: a value that the server does not know.
        """
        query = _WriteOptions.to_query(self)
        return query if self.force is None else (*query, ("force", _bool(self.force, "force")))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions(_WriteOptions):
    """Options of apply: those of update, and ``force``, which is always sent.

    >>> ApplyOptions(field_manager="me").to_query()
    (('fieldManager', 'me'), ('force', 'false'))
    """

    force: bool = False

    def to_query(self) -> Query:
        """The query parameters, sorted by name.

        Raises:
            InvalidRequestError: no field manager, or a value that the server does not know.
        """
        if not self.field_manager:
            raise InvalidRequestError("field_manager is required to apply: name who owns the fields")
        return (*_WriteOptions.to_query(self), ("force", _bool(self.force, "force")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preconditions:
    """What an object must still be for a delete to go ahead.

    Attributes:
        uid: its uid.
        resource_version: its resourceVersion.
    """

    uid: str | None = None
    resource_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """Options of delete; they travel in the body (2.5.4 in docs/reference/parity).

    Attributes:
        grace_period_seconds: seconds; 0 deletes at once and is sent.
        propagation_policy: ``"Orphan"``, ``"Background"`` or ``"Foreground"``.
        orphan_dependents: the older form of the policy; not both.
        preconditions: what the object must still be.
        dry_run: do everything but delete.
        ignore_store_read_error: the API's ``ignoreStoreReadErrorWithClusterBreakingPotential``:
            delete an object that cannot be read any more, without finalizers or preconditions.

    Example:
        >>> DeleteOptions(grace_period_seconds=0).to_body()
        {'kind': 'DeleteOptions', 'apiVersion': 'v1', 'gracePeriodSeconds': 0}
    """

    grace_period_seconds: int | None = None
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    preconditions: Preconditions | None = None
    dry_run: bool | str | None = False
    ignore_store_read_error: bool | None = None

    def to_body(self) -> dict[str, Any]:
        """The ``DeleteOptions`` object.

        Raises:
            InvalidRequestError: options that exclude each other, or a policy that there is not.
        """
        if self.orphan_dependents is not None and self.propagation_policy is not None:
            raise InvalidRequestError("orphan_dependents and propagation_policy exclude each other: use the policy")
        _one_of(self.propagation_policy, _POLICIES, "propagation_policy")
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if self.grace_period_seconds is not None:
            body["gracePeriodSeconds"] = _count(self.grace_period_seconds, "grace_period_seconds")
        if self.preconditions is not None:
            body["preconditions"] = _preconditions(self.preconditions)
        if self.orphan_dependents is not None:
            body["orphanDependents"] = bool(self.orphan_dependents)
        if self.propagation_policy is not None:
            body["propagationPolicy"] = self.propagation_policy
        if _dry_run(self.dry_run, "dry_run"):
            body["dryRun"] = ["All"]
        if self.ignore_store_read_error is not None:
            body["ignoreStoreReadErrorWithClusterBreakingPotential"] = self.ignore_store_read_error
        return body


def _preconditions(value: object) -> dict[str, str]:
    if not isinstance(value, Preconditions):
        raise InvalidRequestError(f"preconditions must be Preconditions(uid=..., resource_version=...), not {value!r}")
    pairs = (("uid", value.uid), ("resourceVersion", value.resource_version))
    return {name: text for name, text in pairs if text is not None}


def _label_selector(value: str | LabelSelector, argument: str) -> str:
    label_selector_of(value, argument)  # an error here names the place; the server's names the request
    return str(value)


def _field_selector(value: str | FieldSelector, argument: str) -> str:
    field_selector_of(value, argument)
    return str(value)


def _text(value: object, argument: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{argument} must be a string, not {value!r}")
    return value


def _count(value: object, argument: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise InvalidRequestError(f"{argument} must be a whole number (64 bits), not {value!r}")
    return value


def _number(value: int, argument: str) -> str:
    if _count(value, argument) < 0:
        raise InvalidRequestError(f"{argument} must be 0 or more, not {value!r}")
    return str(value)


def _limit(value: int, argument: str) -> str:
    return _number(value, argument) if value else ""


def _bool(value: object, argument: str) -> str:
    if value is not True and value is not False:
        raise InvalidRequestError(f"{argument} must be True or False, not {value!r}")
    return "true" if value else "false"


def _flag(value: object, argument: str) -> str:
    return "true" if _bool(value, argument) == "true" else ""


def _dry_run(value: bool | str | None, argument: str) -> str:
    if value not in (None, False, True, "", "All"):
        raise InvalidRequestError(f"{argument} must be True or 'All' (what the server knows), not {value!r}")
    return "All" if value else ""


def _one_of(value: str | None, known: tuple[str, ...], argument: str) -> None:
    if value is not None and value not in known:
        raise InvalidRequestError(f"{argument} must be one of {', '.join(known)}, not {value!r}")


def _validation(value: str, argument: str) -> str:
    _one_of(value or None, _VALIDATIONS, argument)
    return value


def _manager(value: object, argument: str) -> str:
    if not isinstance(value, str) or len(value) > _MANAGER_CHARS or not value.isprintable():
        raise InvalidRequestError(
            f"{argument} must be at most {_MANAGER_CHARS} printable characters (the server's rule), not {value!r}"
        )
    return value


# Field, JSON name, form; in the order of the JSON names. A form gives "" for what is not sent.
_Names = tuple[tuple[str, str, Callable[[Any, str], str]], ...]
_GET_NAMES: _Names = (("resource_version", "resourceVersion", _text),)
_LIST_NAMES: _Names = (
    ("allow_watch_bookmarks", "allowWatchBookmarks", _flag),
    ("continue_token", "continue", _text),
    ("field_selector", "fieldSelector", _field_selector),
    ("label_selector", "labelSelector", _label_selector),
    ("limit", "limit", _limit),
    ("resource_version", "resourceVersion", _text),
    ("resource_version_match", "resourceVersionMatch", _text),
    ("send_initial_events", "sendInitialEvents", _bool),
    ("shard_selector", "shardSelector", _text),
    ("timeout_seconds", "timeoutSeconds", _number),
)
_WRITE_NAMES: _Names = (
    ("dry_run", "dryRun", _dry_run),
    ("field_manager", "fieldManager", _manager),
    ("field_validation", "fieldValidation", _validation),
)


def _query(options: object, names: _Names) -> Query:
    query = []
    for field, name, form in names:
        value = getattr(options, field)
        if value is not None:
            text = form(value, field)
            if text:
                query.append((name, text))
    return tuple(query)
