"""Who owns what: ``metadata.managedFields``, read and written.

AM/util/managedfields/internal/{managedfields,capmanagers,buildmanagerinfo}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dynkube.errors import DynkubeError
from dynkube.quantities import format_time, parse_time
from dynkube.testing.apiserver.fieldmanagement import fieldsets
from dynkube.testing.apiserver.fieldmanagement.fieldsets import FieldSet, union
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.words.govalues import json_text

__all__ = [
    "APPLY",
    "UPDATE",
    "Managed",
    "Manager",
    "Owned",
    "cap_updaters",
    "decode",
    "encode",
    "is_reset",
    "manager_name",
]

APPLY, UPDATE = "Apply", "Update"

_MAX_NAME = 128
_MAX_UPDATERS = 10
_ANCIENT = "ancient-changes"


class Manager(NamedTuple):
    """What makes an entry one of its own. An applier is the same in all versions: its ``api_version`` is ""."""

    name: str
    operation: str
    api_version: str
    subresource: str

    @classmethod
    def of(cls, name: str, operation: str, api_version: str, subresource: str) -> Manager:
        """The manager of a request, or of an entry."""
        return cls(name, operation, "" if operation == APPLY else api_version, subresource)

    @property
    def identifier(self) -> str:
        """What the real server names it inside, and sorts by where it sorts by nothing else."""
        parts = zip(("manager", "operation", "apiVersion", "subresource"), self, strict=True)
        return "{" + ",".join(f'"{name}":{json_text(value)}' for name, value in parts if value) + "}"


class Owned(NamedTuple):
    """What a manager owns, in the words of one version."""

    fields: FieldSet
    api_version: str


@dataclass(slots=True)
class Managed:
    """All managers of an object, and when each last changed what it owns ("" for unknown)."""

    owners: dict[Manager, Owned] = field(default_factory=dict)
    times: dict[Manager, str] = field(default_factory=dict)

    def copy(self) -> Managed:
        """One that may be changed without this one."""
        return Managed(dict(self.owners), dict(self.times))


def manager_name(field_manager: str, user_agent: str) -> str:
    """Who writes: what the request says, else what its User-Agent begins with (managerOrUserAgent).

    >>> manager_name("", "kubectl/v1.36.0 (linux/amd64)")
    'kubectl'
    """
    if field_manager:
        return field_manager
    product = "".join(each for each in user_agent.partition("/")[0] if each.isprintable())
    return product.encode()[:_MAX_NAME].decode(errors="ignore")


def is_reset(entries: Any, *, is_custom: bool) -> bool:
    """Whether a client says that nobody owns anything.

    It does by a list of one empty entry, and by an empty list, which of custom resources is as good as none.
    """
    return entries == [{}] or (entries == [] and not is_custom)


def decode(entries: Iterable[Mapping[str, Any]] | None) -> Managed:
    """The managers that entries tell of.

    Raises:
        ProblemError: An entry is none.
    """
    managed = Managed()
    for number, entry in enumerate(entries or ()):
        operation, api_version = entry.get("operation"), entry.get("apiVersion")
        if operation not in (APPLY, UPDATE):
            raise ProblemError("operation must be `Apply` or `Update`")
        if not api_version:
            raise ProblemError("apiVersion must not be empty")
        _check_fields_type(entry.get("fieldsType"), number)
        manager = Manager.of(entry.get("manager", ""), operation, api_version, entry.get("subresource", ""))
        managed.owners[manager] = Owned(fieldsets.decode(entry.get("fieldsV1")), api_version)
        managed.times[manager] = _canonical(entry.get("time") or "")
    return managed


def _check_fields_type(fields_type: str | None, number: int) -> None:
    if not fields_type:
        raise ProblemError(f"missing fieldsType in managed fields entry {number}")
    if fields_type != "FieldsV1":
        raise ProblemError(f"invalid fieldsType {json_text(fields_type)} in managed fields entry {number}")


def _canonical(time: str) -> str:
    """In UTC and whole seconds, so that times sort as texts."""
    if not time or (len(time) == 20 and time[-1] == "Z"):
        return time
    try:
        return format_time(parse_time(time))
    except DynkubeError:
        return ""


def encode(managed: Managed) -> list[dict[str, Any]]:
    """The entries, in order: appliers first, then by time, name, version, subresource. Nothing is shared."""
    ordered = sorted(
        managed.owners.items(),
        key=lambda each: (
            each[0].operation,
            managed.times.get(each[0], ""),
            each[0].name,
            each[1].api_version,
            each[0].subresource,
        ),
    )
    return [_entry(manager, owned, managed.times.get(manager, "")) for manager, owned in ordered]


def _entry(manager: Manager, owned: Owned, time: str) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if manager.name:
        entry["manager"] = manager.name
    entry["operation"] = manager.operation
    entry["apiVersion"] = owned.api_version
    if time:
        entry["time"] = time
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = fieldsets.encode(owned.fields)
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def cap_updaters(managed: Managed) -> None:
    """Join the oldest updaters of each version until there are ten, in place (capUpdateManagers)."""
    updaters = [each for each in managed.owners if each.operation == UPDATE]
    excess = len(updaters) - _MAX_UPDATERS
    if excess <= 0:
        return
    first: dict[str, Manager] = {}
    for manager in sorted(updaters, key=lambda each: (managed.times.get(each, ""), each.identifier)):
        if excess <= 0:
            return
        owned = managed.owners[manager]
        if owned.api_version not in first:
            first[owned.api_version] = manager
            continue
        bucket = Manager.of(_ANCIENT, UPDATE, owned.api_version, "")
        if bucket not in managed.owners:
            managed.owners[bucket] = managed.owners.pop(first[owned.api_version])
        managed.owners[bucket] = Owned(union(owned.fields, managed.owners[bucket].fields), owned.api_version)
        del managed.owners[manager]  # the bucket, too, when it is not the oldest: that is what the real server does
        managed.times[bucket] = managed.times.get(manager, "")
        excess -= 1
