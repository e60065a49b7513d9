"""HTTP over `requests`: the only room that imports it."""

from __future__ import annotations

from dynkube.transport.scope import CallScope, CancelToken

__all__ = ["CallScope", "CancelToken"]
