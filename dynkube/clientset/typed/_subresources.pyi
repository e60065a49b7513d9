"""The methods of subresources, a class each. Written by tests/recording/stubs.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.clientset.resource import ResourceClient
from dynkube.patches import PatchType
from dynkube.transport import CancelToken

class ApplyApproval(ResourceClient):
    def apply_approval(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class ApplyEphemeralContainers(ResourceClient):
    def apply_ephemeral_containers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class ApplyEphemeralcontainers(ResourceClient):
    def apply_ephemeralcontainers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class ApplyResize(ResourceClient):
    def apply_resize(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class ApplyScale(ResourceClient):
    def apply_scale(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class CreateBinding(ResourceClient):
    def create_binding(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class CreateEviction(ResourceClient):
    def create_eviction(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class CreateToken(ResourceClient):
    def create_token(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class GetApproval(ResourceClient):
    def get_approval(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class GetEphemeralContainers(ResourceClient):
    def get_ephemeral_containers(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class GetEphemeralcontainers(ResourceClient):
    def get_ephemeralcontainers(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class GetResize(ResourceClient):
    def get_resize(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class GetScale(ResourceClient):
    def get_scale(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class GetStatus(ResourceClient):
    def get_status(
        self,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class PatchApproval(ResourceClient):
    def patch_approval(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class PatchEphemeralContainers(ResourceClient):
    def patch_ephemeral_containers(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class PatchEphemeralcontainers(ResourceClient):
    def patch_ephemeralcontainers(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class PatchResize(ResourceClient):
    def patch_resize(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class PatchScale(ResourceClient):
    def patch_scale(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class PatchStatus(ResourceClient):
    def patch_status(
        self,
        name: str,
        body: Any,
        *,
        type: PatchType | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class UpdateApproval(ResourceClient):
    def update_approval(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class UpdateEphemeralContainers(ResourceClient):
    def update_ephemeral_containers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class UpdateEphemeralcontainers(ResourceClient):
    def update_ephemeralcontainers(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class UpdateFinalize(ResourceClient):
    def update_finalize(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class UpdateResize(ResourceClient):
    def update_resize(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...

class UpdateScale(ResourceClient):
    def update_scale(
        self,
        name: str,
        obj: Mapping[str, Any],
        *,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, Any]: ...
