"""The API on a local port, without credentials of the caller, as ``kubectl proxy``: `proxy`."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from dynkube.dynamic import DynamicClient
from dynkube.rest import RESTClient

__all__ = ["APIProxy", "proxy"]


class APIProxy:
    """A server on the loopback that speaks to the API server with our credentials. Use it in a ``with``."""

    @property
    def port(self) -> int:
        """The local port."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``, with the prefix."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop listening and end every connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def proxy(
    client: DynamicClient | RESTClient,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    api_prefix: str = "/",
    accept_hosts: str = r"^localhost$,^127\.0\.0\.1$,^\[::1\]$",
    accept_paths: str = "^.*",
    reject_paths: str = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
    reject_methods: str = "^$",
    disable_filter: bool = False,
    www: str | os.PathLike[str] | None = None,
    www_prefix: str = "/static/",
) -> APIProxy:
    """Serve the API server on a local port, with this client's credentials.

    Whoever can connect to the port can do what the client may do: keep it on the loopback. What a caller sends as
    credentials is dropped.

    Args:
        client: whose credentials are used.
        port: the local port; 0 for a free one.
        address: the local address.
        api_prefix: the path under which the API is served.
        accept_hosts: regular expressions, separated by commas: Host headers that are served (against DNS rebinding).
        accept_paths: likewise: paths that are served.
        reject_paths: likewise: paths that are not, whatever ``accept_paths`` says.
        reject_methods: likewise: methods that are not.
        disable_filter: serve everybody everything.
        www: a folder of static files to serve, too.
        www_prefix: under which path.

    Returns:
        The running proxy; close it.

    Raises:
        InvalidRequestError: one of the expressions is none.
        PortForwardError: the port is in use.
    """
    raise NotImplementedError
