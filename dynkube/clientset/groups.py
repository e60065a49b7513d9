"""Groups, versions and resources of a clientset, found when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from dynkube.clientset.composing import compose
from dynkube.clientset.suggesting import missing_group_version, missing_resource
from dynkube.dynamic import DynamicClient
from dynkube.errors import DynkubeError, NoMatchError, NoResourceMatchError, NotFoundError
from dynkube.resources import APIResource, ResourceMap
from dynkube.rest import RESTClient, RESTRequest
from dynkube.schema import GroupVersion
from dynkube.wire.paths import validate_segment

if TYPE_CHECKING:
    from dynkube.clientset.anyresource import AnyResource
    from dynkube.patches import PatchType

__all__ = [
    "Group",
    "GroupVersionClient",
    "GroupVersionREST",
    "ResourceAccessor",
    "discovered",
    "map_of",
    "resources_beside",
]


class Group:
    """An API group of a server, by its whole name; sends nothing itself.

    Attributes:
        name: the group's name; ``""`` for the core group.
    """

    def __init__(self, dynamic: DynamicClient, name: str) -> None:
        self._dynamic = dynamic
        self.name = validate_segment(name, "group") if name != "" else name

    def version(self, version: str) -> DiscoveredGroupVersion:
        """The resources of the group in one version.

        Args:
            version: ``"v1"``, ``"v1beta1"``, ...

        Returns:
            Its resources, each an attribute.

        Raises:
            NoMatchError: the server has no such group, or not this version of it; the message says what it serves.
            DynkubeError: discovery did not work.
        """
        validate_segment(version, "version")
        return discovered(self._dynamic, GroupVersion(self.name, version))

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that the server serves, in its order of preference; none for an unknown group."""
        group = self._dynamic.discovery.resource_map().group(self.name)
        return group.versions if group is not None else ()

    def __repr__(self) -> str:
        return f"<Group {self.name!r} of {self._dynamic.config.host}>"


class GroupVersionClient:
    """One group and version of a server, each resource an attribute: ``apps_v1.deployments("shop")``.

    Attributes:
        group_version: which one.
    """

    def __init__(self, dynamic: DynamicClient, group_version: GroupVersion) -> None:
        self._dynamic = dynamic
        self.group_version = group_version
        # What was served, and the accessors made of it: one value, so that threads never mix two states.
        self._made: tuple[tuple[APIResource, ...], dict[str, ResourceAccessor]] = ((), {})

    def resource(self, name: str, namespace: str | None = None) -> AnyResource:
        """A resource by its name; for one that is no identifier, or known only at run time.

        Args:
            name: the plural name: ``"deployments"``.
            namespace: for a namespaced resource: which one, ``""`` for all of them. None for a cluster-scoped one.

        Returns:
            The resource, with the verbs that it has.

        Raises:
            NoResourceMatchError: the server does not serve it there; the message says what it serves.
            TypeError: a namespace is missing, or one too many.
        """
        accessor = self._accessor(name)
        if accessor is None:
            raise NoResourceMatchError(self._missing(name))
        return accessor(namespace)

    @property
    def api_resources(self) -> tuple[APIResource, ...]:
        """The resources, as discovery shows them, without subresources."""
        return tuple(each for each in self._served() if not each.subresource)

    @property
    def rest_client(self) -> GroupVersionREST:
        """Requests to this group and version (client-go's RESTClient)."""
        return GroupVersionREST(self._dynamic.rest, self.group_version)

    if not TYPE_CHECKING:  # a checker takes the attributes from the stubs

        def __getattr__(self, name: str) -> ResourceAccessor:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            try:
                accessor = self._accessor(name)
            except NoMatchError as gone:
                raise AttributeError(str(gone)) from None
            if accessor is None:
                raise AttributeError(self._missing(name))
            return accessor

    def __dir__(self) -> list[str]:
        try:
            names = [each.name for each in self.api_resources if each.name.isidentifier()]
        except DynkubeError:
            names = []  # completion shows what it can
        return sorted({*super().__dir__(), *names})

    def __repr__(self) -> str:
        return f"<{self.group_version} of {self._dynamic.config.host}>"

    def _served(self) -> tuple[APIResource, ...]:
        """From the cache of discovery, which knows how long it may be trusted."""
        discovery = self._dynamic.discovery
        try:
            return discovery.server_resources_for_group_version(self.group_version).resources
        except NotFoundError as error:
            raise NoMatchError(
                missing_group_version(self.group_version, map_of(self._dynamic), self._dynamic.config.host)
            ) from error

    def _accessor(self, name: str) -> ResourceAccessor | None:
        found = self._known(name, self._served())
        if found is None:
            try:
                self._dynamic.discovery.revalidate_group_version(self.group_version)
            except DynkubeError:
                return None
            found = self._known(name, self._served())
        return found

    def _known(self, name: str, served: tuple[APIResource, ...]) -> ResourceAccessor | None:
        made = self._made
        if made[0] is not served:
            made = self._made = (served, {})
        accessor = made[1].get(name)
        if accessor is None:
            all_of_it = (*served, *resources_beside(self.group_version))
            resource = next((each for each in all_of_it if each.name == name and not each.subresource), None)
            if resource is None:
                return None
            prefix = f"{name}/"
            parts = tuple(each for each in served if each.name.startswith(prefix))
            accessor = made[1][name] = ResourceAccessor(self._dynamic, resource, parts)
        return accessor

    def _missing(self, name: str) -> str:
        return missing_resource(name, self.group_version, self._served(), map_of(self._dynamic))


class DiscoveredGroupVersion(GroupVersionClient):
    """A group and version of which a type checker knows nothing: any attribute may be a resource."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> ResourceAccessor: ...


class ResourceAccessor:
    """A resource before its namespace is said: called with it, or without where it has none.

    Attributes:
        api_resource: what discovery says of the resource.
        subresources: what discovery says of its subresources.
    """

    __slots__ = ("_class", "_dynamic", "api_resource", "subresources")

    def __init__(self, dynamic: DynamicClient, resource: APIResource, subresources: tuple[APIResource, ...]) -> None:
        self._dynamic = dynamic
        self.api_resource = resource
        self.subresources = subresources
        self._class = compose(resource, subresources)

    def __call__(self, namespace: str | None = None) -> AnyResource:
        """The resource in a namespace.

        Args:
            namespace: for a namespaced resource: which one, ``""`` for all of them. None for a cluster-scoped one.

        Returns:
            The resource, with the verbs that it has.

        Raises:
            TypeError: a namespace is missing, or one too many.
            InvalidRequestError: the text can be no namespace.
        """
        name = self.api_resource.name
        if namespace is None and self.api_resource.namespaced:
            raise TypeError(f'{name} live in namespaces: {name}("default") is one, {name}("") all of them')
        if namespace is not None and not self.api_resource.namespaced:
            raise TypeError(f"{name} are cluster-scoped, so {name}() takes no namespace")
        if namespace:
            validate_segment(namespace, "namespace")
        made: AnyResource = self._class(self._dynamic, self.api_resource, namespace or "")  # type: ignore[assignment]
        return made

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_") or name in self.__slots__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            argument = '"default"' if self.api_resource.namespaced else ""
            plural = self.api_resource.name
            raise AttributeError(f"{plural} are called before a verb of theirs: {plural}({argument}).{name}")

    def __repr__(self) -> str:
        argument = "namespace" if self.api_resource.namespaced else ""
        return f"<{self.api_resource.name}({argument}) of {self.api_resource.group_version}>"


class GroupVersionREST:
    """A `RESTClient` whose requests begin at one group and version.

    Attributes:
        group_version: which one.
    """

    __slots__ = ("_rest", "group_version")

    def __init__(self, rest: RESTClient, group_version: GroupVersion) -> None:
        self._rest = rest
        self.group_version = group_version

    def get(self) -> RESTRequest:
        """Begin a GET."""
        return self.verb("GET")

    def post(self) -> RESTRequest:
        """Begin a POST."""
        return self.verb("POST")

    def put(self) -> RESTRequest:
        """Begin a PUT."""
        return self.verb("PUT")

    def patch(self, type: PatchType) -> RESTRequest:  # noqa: A002 - the word of the API
        """Begin a PATCH of a type, which becomes the Content-Type."""
        return self._rest.patch(type).group_version(self.group_version)

    def delete(self) -> RESTRequest:
        """Begin a DELETE."""
        return self.verb("DELETE")

    def verb(self, verb: str) -> RESTRequest:
        """Begin a request with any HTTP method."""
        return self._rest.verb(verb).group_version(self.group_version)

    def __repr__(self) -> str:
        return f"GroupVersionREST({self._rest.config.base_url!r}, {str(self.group_version)!r})"


def discovered(dynamic: DynamicClient, group_version: GroupVersion) -> DiscoveredGroupVersion:
    """A group and version that the server does serve.

    Raises:
        NoMatchError: it does not.
    """
    found = DiscoveredGroupVersion(dynamic, group_version)
    found.api_resources  # noqa: B018 - asks
    return found


def map_of(dynamic: DynamicClient) -> ResourceMap | None:
    """What the server serves, to help in a message; None where it does not say."""
    try:
        return dynamic.discovery.resource_map()
    except DynkubeError:
        return None


def resources_beside(group_version: GroupVersion) -> tuple[APIResource, ...]:
    """What client-go has in a group though no server shows it there: the evictions of policy."""
    if group_version.group != "policy":
        return ()
    kind = group_version.with_kind("Eviction")
    return (APIResource(name="evictions", group_version=group_version, gvk=kind, namespaced=True),)
