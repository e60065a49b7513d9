"""A new object on its way into storage (AS/registry/generic/registry/store.go, Create; AS/registry/rest/create.go)."""

from __future__ import annotations

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.registry import metadata as rules
from dynkube.testing.apiserver.registry.admission import CREATE
from dynkube.testing.apiserver.registry.machinery import Machinery
from dynkube.testing.apiserver.registry.metadatarules import creation_errors
from dynkube.testing.apiserver.registry.scope import Scope
from dynkube.testing.apiserver.storage.entries import Entry
from dynkube.testing.apiserver.storage.options import parse_revision
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["store_new"]

_NAME_ATTEMPTS = 8


def store_new(
    machinery: Machinery, scope: Scope, obj: Object, *, dry_run: bool = False, is_update: bool = False
) -> Entry:
    """Fill, prepare, judge and store a new object, which is changed in place.

    Field management and mutating admission are behind it. ``is_update``: it comes by a PUT or an apply.

    Raises:
        StatusError: It is refused.
    """
    metadata = obj["metadata"]
    rules.fill(metadata, machinery.now())
    if metadata.get("generateName") and not metadata.get("name"):
        metadata["name"] = _free_name(machinery, scope, metadata["generateName"])
    rules.ensure_namespace(obj, scope.object_namespace)
    strategy = scope.strategy
    strategy.allocate(obj, None, machinery.lookup, dry_run=dry_run)
    strategy.prepare_for_create(obj)
    errors = creation_errors(scope.resource, obj, strategy.validate(obj))
    if errors:
        if not scope.resource.is_custom:
            scope.warn_all(strategy.warnings_of_refusal())
        raise statuses.invalid(scope.kind_of(obj), metadata.get("name", ""), errors)
    scope.warn_all(strategy.warnings(obj, None, scope.subresource))
    if is_update:
        scope.authorize_create()
    if scope.resource.is_custom and "create" not in scope.resource.verbs:
        problem = "create not allowed while custom resource definition is terminating"
        raise statuses.forbidden(scope.about, metadata.get("name", ""), problem)
    machinery.admission.validate(scope, CREATE, obj, None, dry_run=dry_run)
    if not dry_run and not is_update and _asks_for_revision(metadata.get("resourceVersion", "")):
        problem = "resourceVersion should not be set on objects to be created"
        raise statuses.StatusError(statuses.status(500, "", problem))
    found = machinery.store.find(scope.resource, scope.object_namespace, metadata["name"])
    if found is not None:
        raise _taken(scope.about, found, generated=bool(metadata.get("generateName")))
    return Entry(obj, 0) if dry_run else machinery.store.create(scope.resource, obj)


def _free_name(machinery: Machinery, scope: Scope, prefix: str) -> str:
    """A generated name; after some that are taken, one that is (createWithGenerateNameRetry)."""
    name = ""
    for _ in range(_NAME_ATTEMPTS):
        name = rules.generate_name(prefix)
        if machinery.store.find(scope.resource, scope.object_namespace, name) is None:
            break
    return name


def _asks_for_revision(resource_version: str) -> bool:
    try:
        return parse_revision(resource_version) != 0
    except ValueError:  # what is no number is as good as none
        return False


def _taken(about: GroupResource, found: Entry, *, generated: bool) -> statuses.StatusError:
    error = statuses.already_exists(about, found.name)
    if generated:
        error.status["message"] += ", the server was not able to generate a unique name for the object"
        error.status["details"]["retryAfterSeconds"] = 1
    if "deletionTimestamp" in found.object()["metadata"]:
        error.status["message"] = f"object is being deleted: {error.status['message']}"
    return error
