"""A client for every resource that a server has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dynkube.config.model import RESTConfig
from dynkube.discovery import DeferredRESTMapper, DiscoveryClient
from dynkube.dynamic.handle import ResourceHandle
from dynkube.resources import APIResource
from dynkube.rest import RESTClient
from dynkube.restmapper import RESTMapping
from dynkube.schema import GroupVersionResource, gvk_of
from dynkube.transport import CancelToken
from dynkube.wire.retry import RetryPolicy
from dynkube.wire.warnings import WarningHandler

if TYPE_CHECKING:
    from requests import Session  # noqa: TID251 - a name in annotations
    from requests.auth import AuthBase  # noqa: TID251 - likewise

    from dynkube.observers import Observer

__all__ = ["DynamicClient", "connect"]


def connect(
    *,
    context: str | None = None,
    namespace: str | None = None,
    kubeconfig: str | os.PathLike[str] | None = None,
    session: Session | None = None,
    auth: AuthBase | None = None,
    warnings: WarningHandler | None = None,
    retry: RetryPolicy | None = None,
    observers: Sequence[Observer] = (),
) -> DynamicClient:
    """Load a configuration and make a client of it. Sends nothing yet.

    The configuration comes from ``kubeconfig``, else ``$KUBECONFIG``, else ``~/.kube/config``,
    else, in a pod, from its service account (clientcmd's deferred loading).

    Args:
        context: a context of the kubeconfig; its current one by default.
        namespace: the namespace for calls that name none; the context's by default.
        kubeconfig: a path; then no other file is looked at.
        session: a ``requests.Session`` of yours, whose adapters, headers and hooks are used.
        auth: a ``requests`` auth object of yours.
        warnings: what to do with the server's ``Warning`` headers.
        retry: how often a request is repeated, and after what; client-go's rules by default.
        observers: who is told of requests, informers and queues, for logs and metrics (`dynkube.observers`).

    Returns:
        A `DynamicClient`; close it, or use it in a ``with``.

    Raises:
        ConfigError: nothing configures a server, or what does is unusable.
        InvalidRequestError: an argument is none.
    """
    # Whoever brings a RESTConfig does not pay for reading kubeconfigs.
    from dynkube.config import load_config

    config = load_config(context=context, namespace=namespace, kubeconfig=kubeconfig)
    if observers:
        config = config.copy(observers=observers)
    return DynamicClient(config, session=session, auth=auth, warnings=warnings, retry=retry)


class DynamicClient:
    """A client for every resource that a server has.

    Thread-safe. Discovery happens when a name or a kind is first resolved: two requests, then
    none; a handle for a `GroupVersionResource` needs no request at all.

    Args:
        config: where the server is and who we are.
        session: a ``requests.Session`` to use instead of a private one.
        auth: a ``requests`` auth object, applied to each request.
        warnings: what to do with ``Warning`` headers; logged by default.
        retry: how often a request is repeated, and after what; client-go's rules by default.
        rest: a `RESTClient` to speak through, instead of one made from ``config``.
        discovery: a `DiscoveryClient`, for instance one with a disk cache.

    Example:
        >>> import dynkube
        >>> client = dynkube.DynamicClient(dynkube.RESTConfig(host="https://127.0.0.1:6443"))
        >>> client.resource(dynkube.GroupVersionResource("apps", "v1", "deployments")).namespace("shop")
        ResourceHandle(apps/v1/deployments, namespace='shop')
        >>> client.close()
    """

    def __init__(
        self,
        config: RESTConfig,
        *,
        session: Session | None = None,
        auth: AuthBase | None = None,
        warnings: WarningHandler | None = None,
        retry: RetryPolicy | None = None,
        rest: RESTClient | None = None,
        discovery: DiscoveryClient | None = None,
    ) -> None:
        self.config = config
        if rest is None:
            rest = RESTClient(config, session=session, auth=auth, warnings=warnings, retry=retry)
        self.rest = rest
        self.discovery = discovery if discovery is not None else DiscoveryClient(self.rest)
        self.mapper = DeferredRESTMapper(self.discovery)

    def resource(
        self,
        resource: str | GroupVersionResource | APIResource | RESTMapping,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> ResourceHandle:
        """A handle for a resource.

        Args:
            resource: a `GroupVersionResource` (no request is made, the scope stays unknown), an
                `APIResource` or `RESTMapping` from discovery, or a name that discovery resolves:
                ``"deploy"``, ``"deployments"``, ``"Deployment"``, ``"deployments.apps"``,
                ``"deployments.v1.apps"``, ``"apps/v1/deployments"``, ``"v1/pods"``.
            timeout: seconds for discovery, if it is needed.
            cancel: a token that ends the wait for discovery.

        Returns:
            A handle, bound to no namespace.

        Raises:
            NoMatchError: the server has no such resource; near misses are in the message.
            AmbiguousMatchError: several resources fit equally well.
            InvalidRequestError: the text names no resource.
        """
        if isinstance(resource, GroupVersionResource):
            return ResourceHandle(self.rest, resource, default_namespace=self.config.namespace)
        if isinstance(resource, APIResource):
            return self._handle(resource.gvr, namespaced=resource.namespaced)
        mapping = (
            resource
            if isinstance(resource, RESTMapping)
            else self.mapper.resolve(resource, timeout=timeout, cancel=cancel)
        )
        return self._handle(mapping.resource, namespaced=mapping.namespaced)

    def resource_for(
        self, obj: Mapping[str, Any], *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> ResourceHandle:
        """A handle for the resource of an object, by its ``apiVersion`` and ``kind``.

        Args:
            obj: an object with both; nothing else of it is looked at.
            timeout: seconds for discovery, if it is needed.
            cancel: a token that ends the wait for discovery.

        Returns:
            A handle, bound to no namespace: create, update and apply use the object's.

        Raises:
            InvalidRequestError: the object has no ``kind`` or no ``apiVersion``.
            NoMatchError: the server has no such kind.
        """
        gvk = gvk_of(obj)
        mapping = self.mapper.rest_mapping(gvk.group_kind, gvk.version, timeout=timeout, cancel=cancel)
        return self._handle(mapping.resource, namespaced=mapping.namespaced)

    def _handle(self, gvr: GroupVersionResource, *, namespaced: bool) -> ResourceHandle:
        return ResourceHandle(self.rest, gvr, namespaced=namespaced, default_namespace=self.config.namespace)

    def close(self) -> None:
        """Close every connection; calls in flight end in `ClosedError`. Calling it again changes nothing."""
        self.discovery.close()
        self.rest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DynamicClient({self.config.host!r})"
