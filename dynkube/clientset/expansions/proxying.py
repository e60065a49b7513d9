"""One request to a pod, a service or a node by way of the API server."""

from __future__ import annotations

from collections.abc import Mapping

from dynkube.clientset.resource import ResourceClient
from dynkube.errors import InvalidRequestError
from dynkube.transport import CancelToken
from dynkube.wire.messages import Request
from dynkube.wire.paths import escape_segment, resource_path, validate_segment

__all__ = ["ProxyGet"]


class ProxyGet(ResourceClient):
    """What pods, services and nodes can do where the server proxies to them (client-go's ProxyGet)."""

    __slots__ = ()

    def proxy_get(
        self,
        name: str,
        path: str = "",
        *,
        scheme: str = "",
        port: int | str | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> bytes:
        """GET a page of a pod, a service or a node, by way of the API server.

        Args:
            name: the object's name.
            path: the page: ``"metrics"``, ``"api/v1/status"``; not escaped, without a query.
            scheme: ``"http"`` or ``"https"``; by default the server's choice: http, for nodes https.
            port: its number, or for a pod or a service its name; by default the first one.
            params: the query.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The page, whole.

        Raises:
            APIStatusError: the page's own refusal, or the API server's: `ServiceUnavailableError` where
                nothing answers there.
            InvalidRequestError: the name, the scheme or the path can be none; nothing was sent.
        """
        namespace = self._namespace_for_name()
        base = resource_path(
            self.gvr, namespace=namespace, name=_joined(name, scheme, port), subresource="proxy"
        )  # fmt: skip
        query = _query(params)
        accept = (("Accept", "*/*"),)
        request = Request(
            "GET", base + _suffix(path), query, accept, None, "get", self.gvr.group_resource, name, namespace
        )
        return self._rest.execute(request, timeout=timeout, cancel=cancel).body


def _joined(name: str, scheme: str, port: int | str | None) -> str:
    """``name``, ``name:port`` or ``scheme:name:port``: with a scheme always three parts (AM/util/net/port_split.go)."""
    if scheme not in {"", "http", "https"}:
        raise InvalidRequestError(f'scheme must be "http", "https" or "" for the server\'s choice, not {scheme!r}')
    validate_segment(name, "name")
    at = "" if port is None else str(port)
    for part, argument in ((name, "name"), (at, "port")):
        if ":" in part:
            raise InvalidRequestError(f"{argument} may not contain ':': {part!r}; give name, scheme and port apart")
    if scheme:
        return f"{scheme}:{name}:{at}"
    return f"{name}:{at}" if at else name


def _query(params: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    if params is not None and not isinstance(params, Mapping):
        raise InvalidRequestError(f"params must be a dict of strings, not a {type(params).__name__}")
    return tuple(sorted((str(name), str(value)) for name, value in (params or {}).items()))


def _suffix(path: str) -> str:
    if not isinstance(path, str):
        raise InvalidRequestError(f"path must be a string, not {type(path).__name__}")
    segments = path.removeprefix("/").split("/")
    if any(each in {".", ".."} for each in segments):
        raise InvalidRequestError(f"path may not contain '.' or '..': {path!r}")
    # "%" is escaped, too: the path is what the page is called, not how a URL writes it.
    return "".join(f"/{escape_segment(each)}" for each in segments) if path.removeprefix("/") else ""
