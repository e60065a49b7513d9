"""Discovery documents: from the cache while they hold, else from the server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from dynkube.discovery.cache import CachedDocument, DiscoveryCache, refreshed
from dynkube.forks import renew_in_child
from dynkube.rest import RESTClient
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.messages import Request, Response

__all__ = ["Documents", "Fetched", "scope_of"]

# Seconds for a whole call where the caller sets no limit (CG/discovery: defaultTimeout).
_TIMEOUT = 32.0


def scope_of(timeout: float | None, cancel: CancelToken | None) -> CallScope:
    """The limits of a call to discovery."""
    return CallScope(timeout if timeout is not None else _TIMEOUT, cancel)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document with the request that it answers; ``live`` when the server was asked."""

    request: Request
    document: CachedDocument
    live: bool

    @property
    def response(self) -> Response:
        """The document as a response."""
        return Response(200, _Headers(self.document.content_type), self.document.body, self.request)

    @property
    def digest(self) -> bytes:
        """Tells documents apart."""
        return hashlib.sha256(self.document.content_type.encode() + b"\n" + self.document.body).digest()


class _Headers:
    """The header of a document that was kept."""

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type

    def get(self, name: str, default: str | None = None, /) -> str | None:
        return self._content_type if name == "Content-Type" else default

    def getlist(self, name: str, /) -> list[str]:
        return [self._content_type] if name == "Content-Type" else []


class Documents:
    """Fetches documents through a store. Thread-safe.

    Nothing is kept before its reader has found it to be what it should be: see `keep`.
    """

    def __init__(self, rest: RESTClient, cache: DiscoveryCache, clock: Callable[[], float]) -> None:
        self.path_prefix = rest.config.path_prefix
        self._rest = rest
        self._ttl = cache.ttl
        self._store = cache.open(rest.config)
        self._clock = clock
        self._lock = threading.Lock()
        # After `distrust`, only what was fetched since is used without asking (3.3.4 in docs/reference/parity).
        self._own: set[str] | None = None
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def fetch(self, request: Request, scope: CallScope, *, live: bool = False, immutable: bool = False) -> Fetched:
        """A document: the copy while it holds, else the server's, which may be "not modified".

        Args:
            request: a GET.
            scope: the limits of the call.
            live: ask the server, however young the copy is.
            immutable: a copy of any age will do.

        Returns:
            The document; pass it to `keep` if it is what it should be.

        Raises:
            APIStatusError: the server refused.
            TransportError: it cannot be reached.
        """
        copy = self._store.load(request.target)
        if copy is not None and not live and (immutable or self._is_usable(request.target, copy)):
            return Fetched(request, copy, live=False)
        asked = request
        if copy is not None and copy.etag:
            asked = replace(request, headers=(*request.headers, ("If-None-Match", copy.etag)))
        response = self._rest.execute(asked, timeout=scope.left(), cancel=scope.cancel)
        if response.status == 304 and copy is not None:
            return Fetched(request, refreshed(copy, self._clock()), live=True)
        document = CachedDocument(
            body=response.body,
            content_type=response.headers.get("Content-Type") or "",
            etag=response.headers.get("ETag") or "",
            fetched=self._clock(),
        )
        return Fetched(request, document, live=True)

    def keep(self, fetched: Fetched, *, to_be_asked_for: bool = False) -> None:
        """Put a document into the store, if it came from the server.

        Args:
            fetched: what `fetch` gave.
            to_be_asked_for: keep it for its ETag only.
        """
        if not fetched.live:
            return
        target, document = fetched.request.target, fetched.document
        with self._lock:
            if self._own is not None:
                self._own.add(target)
        self._store.save(target, refreshed(document, 0.0) if to_be_asked_for else document)

    def distrust(self) -> None:
        """From now on, ask for what was kept until now."""
        with self._lock:
            self._own = set()

    def is_young(self, fetched: float, ttl: float) -> bool:
        """Whether something fetched then still holds."""
        # A second of grace: file times are coarser than clocks. One from the future is no good.
        return -1.0 <= self._clock() - fetched < ttl

    def _is_usable(self, target: str, copy: CachedDocument) -> bool:
        with self._lock:
            trusted = self._own is None or target in self._own
        return trusted and self.is_young(copy.fetched, self._ttl)
