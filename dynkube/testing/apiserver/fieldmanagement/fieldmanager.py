"""Field management of a request, from what came in to what is stored.

AM/util/managedfields/internal/{fieldmanager,versioncheck,skipnonapplied}.go;
AS/endpoints/handlers/fieldmanager/equality.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dynkube import codec
from dynkube.testing.apiserver.fieldmanagement import lastapplied, managers, updating
from dynkube.testing.apiserver.fieldmanagement.conflicts import ConflictsError
from dynkube.testing.apiserver.fieldmanagement.fieldsets import NOTHING, difference, of_paths
from dynkube.testing.apiserver.fieldmanagement.managers import APPLY, UPDATE, Managed, Manager
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.fieldmanagement.updating import Applied, Scope
from dynkube.testing.apiserver.fieldmanagement.validation import check
from dynkube.testing.apiserver.fieldmanagement.versions import Version, Versions
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["apply", "keep_times", "update"]

_BEFORE_FIRST_APPLY = "before-first-apply"
_UNKNOWN = "unknown"
_Result = TypeVar("_Result")


def update(
    live: Object | None,
    new: Object,
    *,
    version: Version,
    versions: Versions,
    manager: str,
    now: str,
    subresource: str = "",
    reset_fields: Sequence[Sequence[str]] = (),
) -> Object:
    """The new object of a create, update or patch, with ``metadata.managedFields`` set.

    Args:
        live: what is stored; None for a create.
        new: what is to be stored, decoded and defaulted; its managedFields as the client sent them, an
            empty list too (it says that nobody is to own anything).
        version: that the request speaks.
        versions: finds the other ones.
        manager: who writes (`managers.manager_name`).
        now: when, as RFC 3339 text in UTC.
        subresource: through which it came, or "".
        reset_fields: names of fields that this endpoint cannot change, from the root.

    Returns:
        A new dict; it and its metadata are new, the rest is shared with ``new``. Where managers cannot be
        told (a value is not of its type), it has no managedFields.
    """
    managed = _managed_by_update(live, new, subresource, is_custom=version.is_custom)
    bare = _without_entries(new)
    if not managed.owners and live is not None and live.get("metadata", {}).get("uid"):
        return bare  # nobody was tracked so far: nobody is until somebody applies
    scope = _scope(version, versions, subresource, reset_fields)
    who = Manager.of(manager or _UNKNOWN, UPDATE, version.api_version, subresource)
    try:
        before = version.empty if live is None else _without_entries(version.of(live))
        after = version.of(bare)
        version.check(after)
        version.check(before)
        managed = updating.update_fields(before, after, managed, scope, who, now)
    except ProblemError:
        return bare
    managers.cap_updaters(managed)
    return _with_entries(bare, managed)


def apply(
    live: Object | None,
    applied: Object,
    *,
    version: Version,
    versions: Versions,
    manager: str,
    now: str,
    force: bool = False,
    subresource: str = "",
    reset_fields: Sequence[Sequence[str]] = (),
) -> Object:
    """The object that a server-side apply leads to, in the request's version, with its managedFields.

    Arguments are `update`'s. The result is what was merged: it has to go through the kind's type, be pruned
    and be defaulted before it is stored. It shares nothing with ``live`` and ``applied``.

    Raises:
        StatusError: 409, others manage what is applied; 400, it is of another kind or version, or has
            managedFields; 500, a value is not of its type.
    """
    _check_applied(applied, version)
    scope = _scope(version, versions, subresource, reset_fields)
    before = version.empty if live is None else version.of(live)
    entries = before.get("metadata", {}).get("managedFields")
    managed = _or_fail("failed to decode managed fields: ", lambda: managers.decode(entries))
    before = _copy(_without_entries(before))
    applied = _copy(applied)
    where = _described(applied, version)
    _or_fail(
        f"failed to create typed patch object ({where}): ",
        lambda: check(applied, version.type, duplicates_allowed=False),
    )
    _or_fail(f"failed to create typed live object ({where}): ", lambda: version.check(before))
    applying = _Applying(before, applied, scope, manager, subresource, now)
    obj, managed = _or_fail("", lambda: applying.run(managed, force=force))
    return _with_entries(obj or before, managed)


def keep_times(obj: Object, old: Object) -> Object:
    """The object with the old times of its managers, if nothing but times is new; else the object itself.

    An apply that changes nothing writes nothing then (IgnoreManagedFieldsTimestampsTransformer).
    """
    entries, before = (each.get("metadata", {}).get("managedFields") or [] for each in (obj, old))
    if not entries or len(entries) != len(before) or entries == before:
        return obj
    if [_timeless(each) for each in entries] != [_timeless(each) for each in before]:
        return obj
    if _without_entries(obj) != _without_entries(old):
        return obj
    return {**obj, "metadata": {**obj["metadata"], "managedFields": before}}


class _Applying:
    """One apply: with what an object from before the first one needs, and kubectl's way over from client-side apply."""

    def __init__(self, live: Object, applied: Object, scope: Scope, manager: str, subresource: str, now: str) -> None:
        self._live, self._applied, self._scope = live, applied, scope
        self._name, self._subresource, self._now = manager, subresource, now

    def run(self, managed: Managed, *, force: bool) -> Applied:
        try:
            done = self._once(managed, force=force)
        except ConflictsError as error:
            remaining = self._remaining(error)
            if remaining is not None:
                raise remaining.status_error() from None
            done = self._once(managed, force=True)
        if self._name == lastapplied.KUBECTL:
            obj = self._live if done.obj is None else done.obj
            return Applied(lastapplied.synchronize(obj, self._applied), done.managed)
        return done

    def _once(self, managed: Managed, *, force: bool) -> Applied:
        if not managed.owners:
            managed = self._before_first()
        who = Manager.of(self._name or _UNKNOWN, APPLY, "", self._subresource)
        return updating.apply_fields(self._live, self._applied, managed, self._scope, who, force=force, now=self._now)

    def _before_first(self) -> Managed:
        """What is there already was written by someone: nobody knows by whom."""
        version = self._scope.version
        who = Manager.of(_BEFORE_FIRST_APPLY, UPDATE, version.api_version, self._subresource)
        return updating.update_fields(version.empty, self._live, Managed(), self._scope, who, self._now)

    def _remaining(self, error: ConflictsError) -> ConflictsError | None:
        """The conflicts to report: None where kubectl's own annotation explains them all."""
        if self._name != lastapplied.KUBECTL:
            return error
        allowed = lastapplied.allowed_conflicts(self._live, self._scope.version)
        if allowed is None:
            return error
        return error.without(allowed) if difference(error.fields, allowed) else None


# ------------------------------------------------------------------ what comes in


def _managed_by_update(live: Object | None, new: Object, subresource: str, *, is_custom: bool) -> Managed:
    """The managers to go on from: the client's, where it sent any that can be read, else the stored ones."""
    if not subresource:
        sent = new.get("metadata", {}).get("managedFields")
        if managers.is_reset(sent, is_custom=is_custom):
            return Managed()
        managed = _decoded(sent)
        if managed.owners:
            return managed
    return _decoded((live or {}).get("metadata", {}).get("managedFields"))


def _decoded(entries: Any) -> Managed:
    """None of them, if one cannot be read."""
    try:
        return managers.decode(entries)
    except ProblemError:
        return Managed()


def _check_applied(applied: Object, version: Version) -> None:
    group_version, kind = applied.get("apiVersion"), applied.get("kind")
    if (group_version, kind) != (version.api_version, version.kind):
        raise statuses.bad_request(f"invalid object type: {_type_text(group_version, kind)}")
    metadata = applied.get("metadata")
    entries = metadata.get("managedFields") if isinstance(metadata, dict) else None
    if isinstance(entries, list) and all(isinstance(each, dict) for each in entries):
        raise statuses.bad_request("metadata.managedFields must be nil")


def _type_text(api_version: Any, kind: Any) -> str:
    """A GroupVersionKind as ``%v`` prints it; nothing of it where its apiVersion is none."""
    group, _, version = (api_version if isinstance(api_version, str) else "").rpartition("/")
    if "/" in group:
        return "/, Kind="
    return f"{group}/{version}, Kind={kind if isinstance(kind, str) else ''}"


def _described(applied: Object, version: Version) -> str:
    metadata = applied.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    namespace, name = (value if isinstance(value := named.get(each), str) else "" for each in ("namespace", "name"))
    return f"{namespace}/{name}; {_type_text(version.api_version, version.kind)}"


def _scope(version: Version, versions: Versions, subresource: str, reset_fields: Sequence[Sequence[str]]) -> Scope:
    fields = of_paths([[f"f:{name}" for name in path] for path in reset_fields]) if reset_fields else NOTHING
    # The own endpoint of a custom resource knows its own version only (AX/registry/customresource/strategy.go).
    every = bool(subresource) or not version.is_custom
    return Scope(version=version, versions=versions, reset_fields=fields, resets_every_version=every)


def _or_fail(what: str, run: Callable[[], _Result]) -> _Result:
    try:
        return run()
    except ProblemError as error:
        raise statuses.unexpected(f"{what}{error}") from None


# ------------------------------------------------------------------ objects and their entries


def _without_entries(obj: Object) -> Object:
    """The object without managedFields; it and its metadata are new dicts."""
    metadata = dict(obj.get("metadata") or {})
    metadata.pop("managedFields", None)
    return {**obj, "metadata": metadata}


def _with_entries(obj: Object, managed: Managed) -> Object:
    """Sets managedFields, in place; none where nobody owns anything."""
    if managed.owners:
        obj["metadata"]["managedFields"] = managers.encode(managed)
    return obj


def _timeless(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "time"}


def _copy(obj: Object) -> Object:
    return codec.decode_object(codec.encode(obj))
