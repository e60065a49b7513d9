"""From a request to its answer: routing, options, negotiation, representation."""

from __future__ import annotations

from dynkube.testing.apiserver.endpoints.api import API
from dynkube.testing.apiserver.endpoints.assembly import assemble

__all__ = ["API", "assemble"]
