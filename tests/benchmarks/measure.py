"""How time and memory are taken, the same for every client in Python."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["peak_bytes", "timed"]

_STATUS = Path("/proc/self/status")
_CONTAINERS = 10_000


def timed(work: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
    """Run ``work`` and pay what it deferred.

    A client that pauses the cyclic garbage collector only puts its collections off: they come as soon as
    anybody allocates again. So 10,000 containers are allocated, and kept, before the clock stops.

    Returns:
        ``seconds`` (wall), ``cpu_seconds`` (of this process), ``peak_bytes``; and what ``work`` returned.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    kept = [[] for _ in range(_CONTAINERS)]
    figures = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    assert len(kept) == _CONTAINERS
    return {**figures, "peak_bytes": peak_bytes()}, result


def peak_bytes() -> int:
    """The most memory that this process has had.

    Linux hands ``ru_maxrss`` down through fork and exec, so a small child of a large parent shows the parent's;
    ``VmHWM`` is this program's own.
    """
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
