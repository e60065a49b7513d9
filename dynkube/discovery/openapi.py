"""The server's OpenAPI v3 documents, by path and hash."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache

from dynkube.codec import decode_object
from dynkube.discovery.documents import Documents, scope_of
from dynkube.errors import NoMatchError
from dynkube.forks import renew_in_child
from dynkube.schema import GroupVersion
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.discovery import (
    OpenAPIPath,
    document_request,
    group_version_request,
    openapi_request,
    parse_openapi_root,
)

__all__ = ["OpenAPIV3"]

# Decoded documents that are kept; some are megabytes.
_DECODED = 32


class OpenAPIV3:
    """The OpenAPI v3 documents of a server, each fetched when it is asked for. Thread-safe.

    `DiscoveryClient.openapi_v3` makes one.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self._decoded: LRUCache[str, dict[str, Any]] = LRUCache(_DECODED)
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock, or is in the middle of a change."""
        if self._lock.locked():
            self._decoded = LRUCache(_DECODED)
        self._lock = threading.Lock()

    def paths(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> dict[str, OpenAPIPath]:
        """Where each document is; asked each time, and "not modified" mostly.

        Args:
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            By path (``"apis/apps/v1"``), its place and its hash.

        Raises:
            NotFoundError: the server has no OpenAPI v3.
        """
        request = document_request("/openapi/v3", accept="application/json")
        answer = self._documents.fetch(request, scope_of(timeout, cancel), live=True)
        found = parse_openapi_root(answer.response)
        self._documents.keep(answer)
        return found

    def document(
        self,
        path: str | GroupVersion | OpenAPIPath,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """One document, decoded; the same dict for the same hash, so do not change it.

        Args:
            path: ``"apis/apps/v1"``, or a group version, or out of `paths` (which saves a request).
            timeout: seconds; 32 by default.
            cancel: a token that ends the call.

        Returns:
            The OpenAPI document.

        Raises:
            NoMatchError: the server has no document for that path.
        """
        scope = scope_of(timeout, cancel)
        place = path if isinstance(path, OpenAPIPath) else self._find(path, scope)
        with self._lock:
            known = self._decoded.get(place.url) if place.hash else None
        if known is not None:
            return known
        request = openapi_request(place, path_prefix=self._documents.path_prefix)
        answer = self._documents.fetch(request, scope, immutable=bool(place.hash))
        document = decode_object(answer.document.body, what=f"OpenAPI document {request.path}")
        self._documents.keep(answer)
        with self._lock:
            self._decoded[place.url] = document
        return document

    def _find(self, path: str | GroupVersion, scope: CallScope) -> OpenAPIPath:
        name = path if isinstance(path, str) else group_version_request(path).path.lstrip("/")
        places = self.paths(timeout=scope.left(), cancel=scope.cancel)
        found = places.get(name.strip("/"))
        if found is None:
            raise NoMatchError(f"the server has no OpenAPI v3 document for {name!r}", suggestions=_near(name, places))
        return found


def _near(name: str, places: Mapping[str, OpenAPIPath]) -> list[str]:
    return difflib.get_close_matches(name, places, n=3, cutoff=0.75)
