"""What an apply would take from others: the 409 that says so.

AM/util/managedfields/internal/conflict.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dynkube.testing.apiserver.fieldmanagement.elements import path_text
from dynkube.testing.apiserver.fieldmanagement.fieldsets import FieldSet, has, of_paths, paths
from dynkube.testing.apiserver.fieldmanagement.managers import UPDATE, Manager
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted

__all__ = ["Conflict", "ConflictsError"]


class Conflict(NamedTuple):
    """A field that the applied configuration sets to something else than its manager did."""

    manager: Manager
    path: Sequence[str]


class ConflictsError(Exception):
    """An apply without force meets fields of others."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self.conflicts = list(conflicts)
        super().__init__(f"{len(self.conflicts)} conflicts")

    @classmethod
    def between(cls, taken: Mapping[Manager, FieldSet]) -> ConflictsError:
        """By what would be taken from whom. The real server lists the managers in any order."""
        managers = sorted(taken, key=lambda each: each.identifier)
        return cls(Conflict(manager, path) for manager in managers for path in paths(taken[manager]))

    @property
    def fields(self) -> FieldSet:
        """All of them."""
        return of_paths(each.path for each in self.conflicts)

    def without(self, fields: FieldSet) -> ConflictsError:
        """Those that are not about these fields."""
        return ConflictsError(each for each in self.conflicts if not has(fields, each.path))

    def status_error(self) -> statuses.StatusError:
        """The answer."""
        causes = [
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {_shown(each.manager)}",
                "field": path_text(each.path),
            }
            for each in self.conflicts
        ]
        return statuses.StatusError(statuses.status(409, "Conflict", self._message(), {"causes": causes}))

    def _message(self) -> str:
        if len(self.conflicts) == 1:
            manager, path = self.conflicts[0]
            return f"Apply failed with 1 conflict: conflict with {_shown(manager)}: {path_text(path)}"
        lines: dict[Manager, list[str]] = {}
        for manager, path in sorted(self.conflicts, key=lambda each: each.manager.identifier):
            lines.setdefault(manager, [f"conflicts with {_shown(manager)}:"]).append(f"- {path_text(path)}")
        listed = "\n".join(line for each in lines.values() for line in each)
        return f"Apply failed with {len(self.conflicts)} conflicts: {listed}"


def _shown(manager: Manager) -> str:
    text = quoted(manager.name)
    if manager.subresource:
        text += f" with subresource {quoted(manager.subresource)}"
    return f"{text} using {manager.api_version}" if manager.operation == UPDATE else text
