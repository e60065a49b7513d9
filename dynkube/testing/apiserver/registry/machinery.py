"""What every pipeline of the registry works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dynkube.quantities import format_time
from dynkube.testing.apiserver.registry.admission import Admission
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.storage.store import Store

__all__ = ["Machinery"]


@dataclass(slots=True, kw_only=True)
class Machinery:
    """Storage, what is served, who may refuse, and the clock."""

    store: Store
    catalog: Catalog
    admission: Admission
    clock: Callable[[], datetime]

    def now(self) -> str:
        """The time as metadata has it: whole seconds of UTC."""
        return format_time(self.clock())
