"""Options out of a query, with the refusals of the server.

AM/runtime/conversion.go, AM/apis/meta/v1/validation/validation.go, AM/apis/meta/internalversion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dynkube.fields import FieldRequirement, FieldSelector
from dynkube.schema import GroupKind
from dynkube.testing.apiserver.endpoints.selectors import parse_field_selector, parse_label_selector
from dynkube.testing.apiserver.fieldmanagement import manager_name
from dynkube.testing.apiserver.registry import DeleteOptions, WriteOptions
from dynkube.testing.apiserver.storage import ListOptions, validate_list_options
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError, forbidden, invalid, not_supported, quoted, required
from dynkube.testing.apiserver.words.fieldlabels import field_labels
from dynkube.testing.apiserver.words.messages import Request
from dynkube.testing.apiserver.words.objectmeta import validate_field_manager
from dynkube.testing.apiserver.words.resources import Resource

__all__ = [
    "Query",
    "check_timeout",
    "delete_options",
    "delete_options_of_body",
    "list_options",
    "write_options",
]

_META = "meta.k8s.io"
_POLICIES = ("Foreground", "Background", "Orphan", "nil")
_DIRECTIVES = ("", "Ignore", "Strict", "Warn")
_INT64 = 2**63


class Query:
    """The parameters of a query by name: the first value counts, but for lists."""

    def __init__(self, request: Request) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in request.query:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """The first value; "" where there is none."""
        values = self._values.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> Sequence[str]:
        """All values."""
        return self._values.get(name, ())

    def number(self, name: str) -> int | None:
        """An int64.

        Raises:
            StatusError: 400, it is none.
        """
        values = self._values.get(name)
        if not values:
            return None
        return _int64(values[0])

    def flag(self, name: str) -> bool | None:
        """A truth value: whatever is not ``0`` or ``false`` is true, the empty value too; None where it is absent."""
        values = self._values.get(name)
        return None if not values else values[0] != "0" and values[0].lower() != "false"


def _int64(text: str) -> int:
    """strconv.ParseInt."""
    problem = ""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        problem = "invalid syntax"
    elif len(text) > 40 or not -_INT64 <= int(text) < _INT64:
        problem = "value out of range"
    if problem:
        raise statuses.bad_request(f"strconv.ParseInt: parsing {quoted(text)}: {problem}")
    return int(text)


# ------------------------------------------------------------------ writes


def write_options(request: Request, kind: str, *, is_apply: bool = False) -> WriteOptions:
    """Of a create, an update or a patch: ``kind`` is ``CreateOptions``, ``UpdateOptions`` or ``PatchOptions``.

    Raises:
        StatusError: 422.
    """
    query = Query(request)
    manager, directive, force = query.text("fieldManager"), query.text("fieldValidation"), query.flag("force")
    dry_run = query.all("dryRun")
    errors: list[FieldError] = []
    if kind == "PatchOptions":
        if is_apply and not manager:
            errors.append(required("fieldManager", "is required for apply patch"))
        if not is_apply and force is not None:
            errors.append(forbidden("force", "may not be specified for non-apply patch"))
    errors += validate_field_manager(manager, "fieldManager")
    errors += _dry_run_errors(dry_run)
    if directive not in _DIRECTIVES:
        errors.append(not_supported("fieldValidation", directive, _DIRECTIVES))
    if errors:
        raise statuses.invalid(GroupKind(_META, kind), "", errors)
    return WriteOptions(
        dry_run=bool(dry_run),
        manager=manager_name(manager, request.headers.get("user-agent") or ""),
        field_validation=directive or "Warn",
        force=bool(force),
    )


def _dry_run_errors(values: Sequence[str]) -> Sequence[FieldError]:
    return [] if set(values) <= {"All"} else [not_supported("dryRun", list(values), ("All",))]


# ------------------------------------------------------------------ deletions


def delete_options(request: Request) -> DeleteOptions:
    """Of a deletion without a body.

    Raises:
        StatusError: 400 or 422.
    """
    query = Query(request)
    policies = query.all("propagationPolicy")
    return _valid_delete_options(
        query.all("dryRun"),
        DeleteOptions(
            grace_period_seconds=query.number("gracePeriodSeconds"),
            orphan_dependents=query.flag("orphanDependents"),
            propagation_policy=policies[0] if policies else None,
            uid=query.text("uid") or None,
            resource_version=query.text("resourceVersion") or None,
        ),
    )


def delete_options_of_body(body: Mapping[str, Any]) -> DeleteOptions:
    """Of a decoded and normalized DeleteOptions.

    Raises:
        StatusError: 422.
    """
    preconditions = body.get("preconditions") or {}
    return _valid_delete_options(
        body.get("dryRun") or (),
        DeleteOptions(
            grace_period_seconds=body.get("gracePeriodSeconds"),
            orphan_dependents=body.get("orphanDependents"),
            propagation_policy=body.get("propagationPolicy"),
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
        ),
    )


def _valid_delete_options(dry_run: Sequence[str], options: DeleteOptions) -> DeleteOptions:
    policy = options.propagation_policy
    errors: list[FieldError] = []
    if policy is not None and options.orphan_dependents is not None:
        errors.append(
            invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")
        )
    if policy is not None and policy not in _POLICIES[:3]:
        errors.append(not_supported("propagationPolicy", policy, _POLICIES))
    errors += _dry_run_errors(dry_run)
    if errors:
        raise statuses.invalid(GroupKind(_META, "DeleteOptions"), "", errors)
    return DeleteOptions(
        dry_run=bool(dry_run),
        grace_period_seconds=options.grace_period_seconds,
        orphan_dependents=options.orphan_dependents,
        propagation_policy=policy,
        uid=options.uid,
        resource_version=options.resource_version,
    )


# ------------------------------------------------------------------ lists and watches


def list_options(request: Request, resource: Resource, *, name: str = "") -> ListOptions:
    """Of a list, a watch or a deletion of a collection, validated and defaulted.

    Args:
        request: For its query.
        resource: For the fields that can be selected.
        name: Of the one object that is watched; "" for a collection.

    Raises:
        StatusError: 400 or 422.
    """
    query = Query(request)
    timeout, limit = query.number("timeoutSeconds"), query.number("limit")
    try:
        labels = parse_label_selector(query.text("labelSelector"))
        fields = parse_field_selector(query.text("fieldSelector"))
    except ValueError as error:
        raise statuses.bad_request(str(error)) from None
    options = ListOptions(
        label_selector=labels,
        watch=bool(query.flag("watch")),
        allow_watch_bookmarks=bool(query.flag("allowWatchBookmarks")),
        resource_version=query.text("resourceVersion"),
        resource_version_match=query.text("resourceVersionMatch"),
        timeout_seconds=timeout,
        limit=limit or 0,
        continue_token=query.text("continue"),
        send_initial_events=query.flag("sendInitialEvents"),
    ).defaulted()
    validate_list_options(options)
    selector = _known_fields(resource, fields)
    return replace(options, field_selector=_of_one(name, selector) if name else selector)


def _known_fields(resource: Resource, requirements: Sequence[FieldRequirement]) -> FieldSelector:
    """The selector by the names of storage."""
    if not requirements:
        return FieldSelector()
    own = tuple(resource.strategy.selectable_fields({"metadata": {}})) if resource.is_custom else ()
    labels = field_labels(resource.gvk, is_custom=resource.is_custom, namespaced=resource.namespaced, own=own)
    try:
        known = [FieldRequirement(labels.resolve(each.field), each.value, each.negated) for each in requirements]
    except ValueError as error:
        raise statuses.bad_request(str(error)) from None
    return FieldSelector(tuple(known))


def _of_one(name: str, selector: FieldSelector) -> FieldSelector:
    """A watch of one object is one that selects its name (AS/endpoints/handlers/get.go)."""
    wanted = FieldRequirement("metadata.name", name)
    if selector.requirements and wanted not in selector.requirements:
        raise statuses.bad_request("fieldSelector metadata.name doesn't match requested name")
    return selector if selector.requirements else FieldSelector((wanted,))


def check_timeout(request: Request) -> None:
    """Refuse a ``timeout`` that is no duration; one that is has no effect, as every request is done at once.

    Raises:
        StatusError: 400.
    """
    value = Query(request).text("timeout")
    problem = _duration_problem(value) if value else ""
    if problem:
        raise statuses.bad_request(f"invalid timeout specified in the request URL - time: {problem}")


_UNITS = frozenset({"ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"})


def _duration_problem(text: str) -> str:
    """What time.ParseDuration says."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return ""
    if not rest:
        return f"invalid duration {quoted(text)}"
    while rest:
        number = re.match(r"[0-9]*(?:\.[0-9]*)?", rest)
        assert number is not None  # it matches the empty text, too
        if not number[0].strip("."):
            return f"invalid duration {quoted(text)}"
        rest = rest[number.end() :]
        unit = re.match(r"[^.0-9]*", rest)
        assert unit is not None
        if not unit[0]:
            return f"missing unit in duration {quoted(text)}"
        if unit[0] not in _UNITS:
            return f"unknown unit {quoted(unit[0])} in duration {quoted(text)}"
        rest = rest[unit.end() :]
    return ""
