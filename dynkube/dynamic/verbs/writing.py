"""Writing: create, update, patch and apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.dynamic.verbs.target import Target, check_object, frames_forgotten, name_of
from dynkube.options import ApplyOptions, CreateOptions, PatchOptions, UpdateOptions
from dynkube.patches import PatchType
from dynkube.transport import CancelToken
from dynkube.wire.request import create_request, patch_request

__all__ = ["ApplyStatusVerb", "ApplyVerb", "CreateVerb", "PatchVerb", "UpdateStatusVerb", "UpdateVerb"]


class CreateVerb(Target):
    """RBAC's verb create."""

    __slots__ = ()

    def create(
        self,
        obj: Mapping[str, Any],
        *,
        name: str | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Create an object.

        Args:
            obj: the object; ``metadata.generateName`` lets the server choose the name.
            name: only for a subresource: whose; the object's ``metadata.name`` by default.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"`` for unknown and duplicate fields.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            AlreadyExistsError: there is one of this name.
            InvalidError: the server's validation refuses it; ``.causes`` names the fields.
            InvalidRequestError: the object holds what JSON cannot; nothing was sent.
        """
        with frames_forgotten():
            check_object(obj)
            request = create_request(
                self.gvr,
                obj,
                namespace=self._namespace_for_object(obj),
                name=(name or name_of(obj)) if self._subresource else "",
                subresource=self._subresource,
                options=CreateOptions(dry_run=dry_run, field_manager=field_manager, field_validation=field_validation),
                accept=self._accept,
            )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))


class UpdateVerb(Target):
    """RBAC's verb update."""

    __slots__ = ()

    def update(
        self,
        obj: Mapping[str, Any],
        *,
        name: str | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Replace an object (PUT). With ``metadata.resourceVersion`` in it, only that version.

        Args:
            obj: the whole object; its ``metadata.name`` says which.
            name: only for a subresource: whose; the object's ``metadata.name`` by default.
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            ConflictError: it changed meanwhile: read it again, change that, update again.
            NotFoundError: there is none of this name.
            InvalidRequestError: the object has no name.
        """
        options = UpdateOptions(dry_run=dry_run, field_manager=field_manager, field_validation=field_validation)
        request = self._update(obj, (name or "") if self._subresource else "", self._subresource, options)
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))


class UpdateStatusVerb(Target):
    """RBAC's verb update of the subresource ``status``."""

    __slots__ = ()

    def update_status(
        self,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Replace an object's status only: `update` on the ``status`` subresource."""
        options = UpdateOptions(dry_run=dry_run, field_manager=field_manager, field_validation=field_validation)
        request = self._update(obj, "", "status", options)
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))


class PatchVerb(Target):
    """RBAC's verb patch."""

    __slots__ = ()

    def patch(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,  # noqa: A002 - the word of the API
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Change parts of an object.

        Args:
            name: the object's name.
            body: a dict is a merge patch; a list of operations, or a ``jsonpatch.JsonPatch``, is a
                JSON Patch.
            type: another reading of the body, for instance `PatchType.STRATEGIC` (lists merge by
                key; built-in resources only).
            dry_run: have the server do everything but store it.
            field_manager: who owns the fields that this call sets.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            force: for `PatchType.APPLY` only: take fields over from other managers.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            NotFoundError: there is none of this name.
            InvalidError: the result does not validate, or a ``test`` operation fails.
            UnsupportedMediaTypeError: this resource does not take this type of patch.
            ConflictError: an apply meets fields of other managers: ``.conflicts``.
        """
        with frames_forgotten():
            request = patch_request(
                self.gvr,
                name,
                body,
                type=type,
                namespace=self._namespace_for_name(),
                subresource=self._subresource,
                options=PatchOptions(
                    dry_run=dry_run, field_manager=field_manager, field_validation=field_validation, force=force
                ),
                accept=self._accept,
            )
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))


class ApplyVerb(Target):
    """Server-side apply; RBAC's verb patch."""

    __slots__ = ()

    def apply(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        name: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Server-side apply: create the object, or set and own the fields it names.

        See https://kubernetes.io/docs/reference/using-api/server-side-apply/

        Args:
            obj: the fields to own, with apiVersion, kind and name; no ``managedFields``.
            field_manager: who owns them from now on.
            name: the object's name, instead of its ``metadata.name``.
            force: take fields over from other managers instead of failing.
            dry_run: have the server do everything but store it.
            field_validation: ``"Ignore"``, ``"Warn"`` or ``"Strict"``.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Returns:
            The object as stored.

        Raises:
            ConflictError: other managers own some fields; ``.conflicts`` names manager and field.
            InvalidRequestError: the object lacks its name, apiVersion or kind, or brings ``managedFields``.
        """
        options = ApplyOptions(
            field_manager=field_manager, force=force, dry_run=dry_run, field_validation=field_validation
        )
        request = self._apply(obj, name, self._subresource, options)
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))


class ApplyStatusVerb(Target):
    """Server-side apply of the subresource ``status``."""

    __slots__ = ()

    def apply_status(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        name: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]:
        """Server-side apply of an object's status: `apply` on the ``status`` subresource."""
        options = ApplyOptions(
            field_manager=field_manager, force=force, dry_run=dry_run, field_validation=field_validation
        )
        request = self._apply(obj, name, "status", options)
        return self._object(self._rest.execute(request, timeout=timeout, cancel=cancel))
