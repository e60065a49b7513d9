"""Every group and resource that a server has, found by discovery: `Clientset`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dynkube.clientset.groups import Group, GroupVersionClient, GroupVersionREST, discovered, map_of
from dynkube.clientset.names import group_version_of
from dynkube.clientset.suggesting import groups_served, missing_attribute
from dynkube.config.model import RESTConfig
from dynkube.discovery import DiscoveryClient
from dynkube.dynamic import DynamicClient
from dynkube.errors import InvalidRequestError, NoMatchError
from dynkube.schema import GroupVersion, GroupVersionResource
from dynkube.transport import CancelToken

if TYPE_CHECKING:
    from requests import Session  # noqa: TID251 - a name in annotations
    from requests.auth import AuthBase  # noqa: TID251 - likewise

    from dynkube.clientset.typed import KnownGroups
    from dynkube.wire.retry import RetryPolicy
    from dynkube.wire.warnings import WarningHandler
    from dynkube.workloads import Dependents, OwnerTree
else:
    KnownGroups = object

__all__ = ["Clientset"]


class Clientset(KnownGroups):
    """Every group and resource that a server has: ``clientset.apps_v1.deployments("shop").get("api")``.

    Kubernetes' own groups are attributes by client-go's names (``core_v1``, ``apps_v1``, ``rbac_v1``); every other
    group goes by its whole name: ``clientset.group("stable.example.com").version("v1")``. The first use of a group and
    version discovers that one, with one request; what was discovered is kept as long as the `DiscoveryClient` trusts
    it. A name that is not there is an ``AttributeError`` that says what is.

    A resource is called with its namespace, ``""`` for all of them, or with nothing where it has none. It has the
    verbs and subresources that the server shows, and no others: `ResourceClient`.

    Thread-safe.

    Args:
        config: where the server is and who we are; or a `DynamicClient` to speak through, which stays its owner's to
            close.
        session: a ``requests.Session`` to use instead of a private one.
        auth: a ``requests`` auth object, applied to each request.
        warnings: what to do with ``Warning`` headers; logged by default.
        retry: how often a request is repeated, and after what; client-go's rules by default.

    Attributes:
        dynamic: the dynamic client that it speaks through.

    Raises:
        TypeError: options beside a `DynamicClient`, which has its own.

    Example:
        >>> import dynkube
        >>> clientset = dynkube.Clientset(dynkube.RESTConfig(host="https://127.0.0.1:6443"))
        >>> clientset
        Clientset('https://127.0.0.1:6443')
        >>> clientset.rest_client("apps/v1").get().namespace("shop").resource("deployments").build().target
        '/apis/apps/v1/namespaces/shop/deployments'
        >>> clientset.close()
    """

    def __init__(
        self,
        config: RESTConfig | DynamicClient,
        *,
        session: Session | None = None,
        auth: AuthBase | None = None,
        warnings: WarningHandler | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._owns = isinstance(config, RESTConfig)
        if isinstance(config, RESTConfig):
            self.dynamic = DynamicClient(config, session=session, auth=auth, warnings=warnings, retry=retry)
        elif isinstance(config, DynamicClient):
            if any(each is not None for each in (session, auth, warnings, retry)):
                raise TypeError("session, auth, warnings and retry are for a RESTConfig; a DynamicClient has its own")
            self.dynamic = config
        else:
            raise TypeError(f"config must be a RESTConfig or a DynamicClient, not a {type(config).__name__}")

    # ---------------------------------------------------------------- groups

    def group(self, name: str) -> Group:
        """A group by its whole name; sends nothing yet.

        Args:
            name: ``"stable.example.com"``; ``""`` for the core group.

        Returns:
            The group; its `Group.version` gives the resources.

        Raises:
            InvalidRequestError: the text can be no group's name.
        """
        return Group(self.dynamic, name)

    @property
    def discovery(self) -> DiscoveryClient:
        """What the server serves, and its version."""
        return self.dynamic.discovery

    def rest_client(self, group_version: GroupVersion | str) -> GroupVersionREST:
        """Requests to one group and version, built by hand.

        Args:
            group_version: ``"apps/v1"``, ``"v1"``.

        Returns:
            What begins requests: ``.get().namespace("shop").resource("pods").do()``.

        Raises:
            InvalidRequestError: the text is no group and version.
        """
        if isinstance(group_version, str):
            group_version = GroupVersion.parse(group_version, argument="group_version")
        elif not isinstance(group_version, GroupVersion):
            raise InvalidRequestError(f"group_version must be text or a GroupVersion, not {group_version!r}")
        return GroupVersionREST(self.dynamic.rest, group_version)

    if not TYPE_CHECKING:  # a checker takes the attributes from the stubs

        def __getattr__(self, name: str) -> GroupVersionClient:
            if name.startswith("_") or name == "dynamic":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            wanted = group_version_of(name)
            if wanted is None:
                raise AttributeError(missing_attribute(name, map_of(self.dynamic), self._host, _OWN))
            try:
                found = discovered(self.dynamic, wanted)
            except NoMatchError as missing:
                raise AttributeError(str(missing)) from None
            self.__dict__[name] = found  # from now on an attribute like any other
            return found

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *groups_served(map_of(self.dynamic))})

    # ---------------------------------------------------------------- who owns what

    def children(
        self,
        obj: Mapping[str, Any],
        *,
        resources: Iterable[str | GroupVersionResource] | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Dependents:
        """The objects that an object owns, of any kind: `dynkube.workloads.children`."""
        from dynkube import workloads

        return workloads.children(self.dynamic, obj, resources=resources, timeout=timeout, cancel=cancel)

    def owner_tree(
        self,
        obj: Mapping[str, Any],
        *,
        resources: Iterable[str | GroupVersionResource] | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> OwnerTree:
        """The tree an object stands in: `dynkube.workloads.owner_tree`."""
        from dynkube import workloads

        return workloads.owner_tree(self.dynamic, obj, resources=resources, timeout=timeout, cancel=cancel)

    # ---------------------------------------------------------------- life

    def close(self) -> None:
        """Close every connection, unless they are a `DynamicClient`'s that was given. Closing twice is fine."""
        if self._owns:
            self.dynamic.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Clientset({self._host!r})"

    @property
    def _host(self) -> str:
        return self.dynamic.config.host


_OWN = ("children", "close", "discovery", "dynamic", "group", "owner_tree", "rest_client")
