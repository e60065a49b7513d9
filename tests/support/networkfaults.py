"""What goes wrong on the way to a server, by name, as faults that a `FaultProxy` lays before requests."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from dynkube.testing import Fault


def garbled() -> Fault:
    """A gzip body that has a gzip's beginning only."""
    whole = gzip.compress(b'{"kind": "Status"}' * 50)
    return Fault.answer(200, headers={"Content-Encoding": "gzip"}, body=whole[:14] + b"\xff" * 40)


def truncated() -> Fault:
    """A chunk of 4096 bytes of which 20 come before the server hangs up."""
    headers = {"Transfer-Encoding": "chunked", "Connection": "close"}
    return Fault.answer(200, headers=headers, body=b'1000\r\n{"kind":"ConfigMap"')


def storm(status: int, retry_after: int | None = None) -> Fault:
    return Fault.answer(status, retry_after=retry_after, body=b'{"kind":"Status","status":"Failure"}')


FAULTS: dict[str, Callable[[], Fault]] = {
    "reset at connect": Fault.refuse,
    "reset before headers": Fault.reset,
    "reset in headers": lambda: Fault.reset(after_header_bytes=40),
    "reset in body": lambda: Fault.reset(after_body_bytes=10),
    "half-closed": lambda: Fault.half_close(after_body_bytes=10),
    "stall in headers": lambda: Fault.stall(after_header_bytes=40),
    "stall in body": lambda: Fault.stall(after_body_bytes=10),
    "truncated chunk": truncated,
    "corrupt gzip": garbled,
    "429, come again": lambda: storm(429, 0),
    "429": lambda: storm(429),
    "503, come again": lambda: storm(503, 0),
    "503": lambda: storm(503),
    "500, come again": lambda: storm(500, 0),
    "500": lambda: storm(500),
    "504, come again": lambda: storm(504, 0),
    "504": lambda: storm(504),
    "slow bytes": lambda: Fault.dribble(size=512, interval=0.0005),
}
"""Those that are laid before a request."""
