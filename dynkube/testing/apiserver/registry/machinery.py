"""What every pipeline of the registry works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from dynkube.quantities import format_time
from dynkube.testing.apiserver.registry.admission import Admission
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.registry.lookup import StoredLookup
from dynkube.testing.apiserver.storage.store import Store

if TYPE_CHECKING:
    from dynkube.testing.apiserver.registry.managers import FieldVersions

__all__ = ["Machinery"]


@dataclass(kw_only=True)
class Machinery:
    """Storage, what is served, who may refuse, and the clock."""

    store: Store
    catalog: Catalog
    admission: Admission
    clock: Callable[[], datetime]
    _told: tuple[datetime | None, str] = (None, "")

    @cached_property
    def lookup(self) -> StoredLookup:
        """What kinds ask for other objects."""
        return StoredLookup(self.store, self.catalog)

    def now(self) -> str:
        """The time as metadata has it: whole seconds of UTC."""
        second = self.clock().replace(microsecond=0)
        if second != self._told[0]:
            self._told = (second, format_time(second))
        return self._told[1]

    @cached_property
    def field_versions(self) -> FieldVersions:
        """What field management needs to know of what is served."""
        from dynkube.testing.apiserver.registry.managers import FieldVersions

        return FieldVersions(self.catalog)
