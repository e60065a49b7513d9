"""What may refuse or amend a write after it was authorized: AS/admission, and the plugins that everybody meets.

`Admission` is the chain. NamespaceLifecycle is here; the plugins that know kinds (priorities of pods,
default classes, ...) are `builtin.admission`'s. All of it runs in Go's order: what amends before
metadata is filled and validated, what only judges after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry.catalog import Catalog
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.storage.store import Store
from dynkube.testing.apiserver.words.messages import UserInfo
from dynkube.testing.apiserver.words.resources import Object, Resource
from dynkube.testing.apiserver.words.statuses import StatusError, forbidden, not_found

__all__ = ["NAMESPACES", "Admission", "Attributes", "LatePlugin", "NamespaceLifecycle", "Plugin"]

NAMESPACES = GroupResource("", "namespaces")
_IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
_ACCESS_REVIEWS = frozenset({GroupResource("authorization.k8s.io", "localsubjectaccessreviews")})
CREATE, UPDATE, DELETE, CONNECT = "CREATE", "UPDATE", "DELETE", "CONNECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What is to happen: AS/admission/attributes.go.

    Attributes:
        operation: ``CREATE``, ``UPDATE``, ``DELETE`` or ``CONNECT``.
        resource: In the version of the request.
        namespace: Of the request; of a namespace, its own name.
        name: Of the request; "" on a create.
        obj: The new object in its storage version, which a mutating plugin may change; None on a deletion.
        old: The object so far; None on a create.
        warnings: For Warning headers.
    """

    operation: str
    resource: Resource
    subresource: str
    namespace: str
    name: str
    user: UserInfo
    obj: Object | None
    old: Object | None
    dry_run: bool
    warnings: list[str]

    @property
    def about(self) -> GroupResource:
        """What messages call the resource."""
        return self.resource.group_resource

    @property
    def shown_name(self) -> str:
        """The name in a refusal, when it may not be made yet (AS/admission/errors.go, extractResourceName)."""
        if self.name or self.obj is None:
            return self.name or "Unknown"
        metadata = self.obj.get("metadata", {})
        return metadata.get("name") or metadata.get("generateName") or "Unknown"

    def refuse(self, problem: str) -> StatusError:
        """A 403 with the words of a plugin (NewForbidden)."""
        return forbidden(self.about, self.shown_name, problem)


class Plugin(Protocol):
    """One admission plugin."""

    def admit(self, attributes: Attributes) -> None:
        """Amend the object in place, or refuse.

        Raises:
            StatusError: Refused.
        """

    def validate(self, attributes: Attributes) -> None:
        """Judge the object as it will be stored.

        Raises:
            StatusError: Refused.
        """


class LatePlugin:
    """A plugin about some resources only, which is made when one of them is first written: imports cost something.

    Args:
        about: The resources.
        make: Makes the plugin.
    """

    def __init__(self, about: Iterable[GroupResource], make: Callable[[], Plugin]) -> None:
        self._about = frozenset(about)
        self._make = make

    @cached_property
    def _plugin(self) -> Plugin:
        return self._make()

    def admit(self, attributes: Attributes) -> None:
        """See `Plugin`."""
        if attributes.about in self._about:
            self._plugin.admit(attributes)

    def validate(self, attributes: Attributes) -> None:
        """See `Plugin`."""
        if attributes.about in self._about:
            self._plugin.validate(attributes)


class Admission:
    """The chain of plugins, in order."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = list(plugins)

    def admit(self, scope: Scope, operation: str, obj: Object | None, old: Object | None, *, dry_run: bool) -> None:
        """What may amend ``obj`` (in place)."""
        attributes = _attributes(scope, operation, obj, old, dry_run=dry_run)
        for plugin in self.plugins:
            plugin.admit(attributes)

    def validate(self, scope: Scope, operation: str, obj: Object | None, old: Object | None, *, dry_run: bool) -> None:
        """What only judges."""
        attributes = _attributes(scope, operation, obj, old, dry_run=dry_run)
        for plugin in self.plugins:
            plugin.validate(attributes)


def _attributes(scope: Scope, operation: str, obj: Object | None, old: Object | None, *, dry_run: bool) -> Attributes:
    return Attributes(
        operation=operation,
        resource=scope.resource,
        subresource=scope.subresource,
        namespace=scope.namespace,
        name=scope.name,
        user=scope.user,
        obj=obj,
        old=old,
        dry_run=dry_run,
        warnings=scope.warnings,
    )


class NamespaceLifecycle:
    """Nothing is created where there is no namespace, or where it ends; some namespaces never end.

    AS/admission/plugin/namespace/lifecycle/admission.go.
    """

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def admit(self, attributes: Attributes) -> None:
        """See `Plugin`."""
        if attributes.about == NAMESPACES:
            if attributes.operation == DELETE and attributes.name in _IMMORTAL:
                raise forbidden(NAMESPACES, attributes.name, "this namespace may not be deleted")
            return
        if attributes.operation == DELETE or not attributes.namespace or attributes.about in _ACCESS_REVIEWS:
            return
        phase = self._phase(attributes.namespace)
        if phase is None:
            raise not_found(NAMESPACES, attributes.namespace)
        if attributes.operation == CREATE and phase == "Terminating":
            raise _terminating(attributes)

    def validate(self, attributes: Attributes) -> None:
        """See `Plugin`."""

    def _phase(self, namespace: str) -> str | None:
        resource = self._catalog.lookup("", "v1", "namespaces")
        entry = None if resource is None else self._store.find(resource, "", namespace)
        if entry is None:
            return None
        if b"Terminating" not in entry.body:
            return ""
        phase: str = (entry.object().get("status") or {}).get("phase", "")
        return phase


def _terminating(attributes: Attributes) -> StatusError:
    name = attributes.namespace
    error = attributes.refuse(f"unable to create new content in namespace {name} because it is being terminated")
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {name} is being terminated",
        "field": "metadata.namespace",
    }
    error.status["details"]["causes"] = [cause]
    return error
