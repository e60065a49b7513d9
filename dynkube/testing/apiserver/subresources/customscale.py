"""The scale of a custom resource (AE/registry/customresource/etcd.go, ScaleREST)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynkube.testing.apiserver.customresources.scale import ScalePaths, get_scale, set_replicas
from dynkube.testing.apiserver.subresources.bodies import body
from dynkube.testing.apiserver.subresources.scale import SCALE, carry_managers
from dynkube.testing.apiserver.subresources.scalefields import of_scale
from dynkube.testing.apiserver.subresources.shapes import View
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["custom_scale"]

_UNSET = -(2**31)
"""Stands for a number that the object does not have, until somebody sets it."""
_NO_CONVERSION = "to proper version: request to convert CR to an invalid group/version: autoscaling/v1"


def custom_scale(api_version: str, paths: ScalePaths, versions: Mapping[str, ScalePaths | None]) -> View:
    """The scale of one version's objects.

    Args:
        api_version: The version, whichever the objects are stored in.
        paths: Where its numbers are.
        versions: The same of all versions, by apiVersion; None for one without a scale.
    """
    fields = {name: None if each is None else each.spec_fields for name, each in versions.items()}
    scale = _CustomScale(api_version, paths, fields)
    return View(
        body=body(SCALE),
        read=scale.read,
        read_updated=scale.read_updated,
        read_for_update=scale.read_for_update,
        write=scale.write,
        check_apply=_check_apply,
    )


class _CustomScale:
    def __init__(self, api_version: str, paths: ScalePaths, fields: Mapping[str, Sequence[str] | None]) -> None:
        self._api_version = api_version
        self._paths = paths
        self._fields = fields

    def read(self, obj: Object) -> Object:
        scale, is_set = self._scale(obj)
        if not is_set:
            raise statuses.internal_error(f"the spec replicas field {quoted(self._paths.spec)} does not exist")
        return scale

    def read_updated(self, obj: Object) -> Object:
        return self._scale(obj)[0]

    def read_for_update(self, obj: Object) -> Object:
        scale, is_set = self._scale(obj)
        if not is_set:
            scale["spec"]["replicas"] = _UNSET
        entries = of_scale(obj["metadata"].get("managedFields") or [], self._fields)
        if entries:
            scale["metadata"]["managedFields"] = entries
        return scale

    def write(self, obj: Object, scale: Object) -> Object:
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if replicas == _UNSET:
            raise statuses.bad_request(f"the spec replicas field {quoted(self._paths.spec)} cannot be empty")
        try:
            set_replicas(self._paths, obj, replicas)
        except ValueError as error:
            raise _bare(error) from None
        if scale["metadata"].get("resourceVersion"):
            obj["metadata"]["resourceVersion"] = scale["metadata"]["resourceVersion"]
        carry_managers(obj, scale, self._fields, self._api_version)
        return obj

    def _scale(self, obj: Object) -> tuple[Object, bool]:
        try:
            return get_scale(self._paths, obj)
        except ValueError as error:
            raise _bare(error) from None


def _check_apply(live: Object, applied: Object | None) -> None:
    """Server-side apply of a custom resource's scale ends in this, there: it converts as if it were one.

    Before anybody manages the number, at once; later, if the apply would change it.
    """
    if applied is None:
        if not live["metadata"].get("managedFields"):
            about = "failed to create manager for existing fields: failed to convert live object"
            raise _bare(f"{about} (/; autoscaling/v1, Kind=Scale) {_NO_CONVERSION}")
    elif applied.get("spec") != live.get("spec"):
        name = live["metadata"]["name"]
        raise _bare(f"failed to convert new object (/{name}; autoscaling/v1, Kind=Scale) {_NO_CONVERSION}")


def _bare(problem: object) -> statuses.StatusError:
    return statuses.StatusError(statuses.status(500, "", str(problem)))
