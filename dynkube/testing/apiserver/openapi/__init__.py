"""OpenAPI v2 and v3: what the server serves, described for kubectl explain, client-side validation and generators."""

from __future__ import annotations

from dynkube.testing.apiserver.openapi.answers import answer
from dynkube.testing.apiserver.openapi.documents import Document, OpenAPI

__all__ = ["Document", "OpenAPI", "answer"]
