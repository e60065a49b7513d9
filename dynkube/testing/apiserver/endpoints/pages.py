"""Paths that are no resources: discovery, OpenAPI, version, health, and what is nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.discovery import Discovery
from dynkube.testing.apiserver.endpoints.negotiation import negotiate_error
from dynkube.testing.apiserver.endpoints.representation import encode
from dynkube.testing.apiserver.endpoints.routes import NoPageError, resource_missing
from dynkube.testing.apiserver.messages import Request, Response
from dynkube.testing.apiserver.registry import Catalog

__all__ = ["Pages", "no_page", "plain_text"]


def plain_text(code: int, text: str) -> Response:
    """An answer of net/http."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    return Response(status=code, headers=headers, body=f"{text}\n".encode())


def no_page() -> Response:
    """What net/http answers where nothing is."""
    return plain_text(404, "404 page not found")


class Pages:
    """Answers for paths that are no resources."""

    def __init__(self, catalog: Catalog, discovery: Discovery) -> None:
        self._catalog = catalog
        self._discovery = discovery
        catalog.on_change(discovery.invalidate)

    def answer(self, request: Request, parts: Sequence[str]) -> Response:
        """The answer.

        Raises:
            NoPageError: There is nothing.
            StatusError: It is refused.
        """
        document = self._document(parts)
        if document is None:
            raise NoPageError
        content_type, body = encode(document, negotiate_error(request))
        return Response(status=200, headers=[("Content-Type", content_type)], body=body)

    def _document(self, parts: Sequence[str]) -> Mapping[str, Any] | None:
        match list(parts):
            case ["api"]:
                return self._discovery.api_versions
            case ["api", version]:
                found = self._discovery.api_resources("", version)
                if found is None:
                    raise resource_missing()
                return found
            case ["apis"]:
                return self._discovery.api_groups
            case ["apis", group]:
                return self._discovery.api_group(group)
            case ["apis", group, version]:
                found = self._discovery.api_resources(group, version)
                if found is None and self._catalog.is_built_in(group):
                    raise resource_missing()
                return found
            case _:
                return None
