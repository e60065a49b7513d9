"""The scale of a custom resource: where its numbers are, and the ``autoscaling/v1 Scale`` made of them.

AE/registry/customresource/etcd.go (scaleFromCustomResource), validator.go (ValidateScaleSpec, ValidateScaleStatus).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynkube.testing.apiserver.words.fielderrors import FieldError, invalid
from dynkube.testing.apiserver.words.govalues import go_type, plain
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["ScalePaths", "get_scale", "scale_paths", "set_replicas"]

_MAX_INT32 = 2**31 - 1
_COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the numbers of a scale are in an object: ``.spec.replicas``. ``selector`` is "" where there is none."""

    spec: str
    status: str
    selector: str = ""

    @property
    def spec_fields(self) -> tuple[str, ...]:
        """The names that lead to the wanted number."""
        return _fields(self.spec)

    def validate(self, obj: Object, *, with_spec: bool = True) -> list[FieldError]:
        """What is wrong with the numbers of an object; an update of status does not look at the spec's."""
        errors = _number_errors(obj, self.spec) if with_spec else []
        errors += _number_errors(obj, self.status)
        if self.selector:
            try:
                _nested(obj, self.selector, str)
            except ValueError as error:
                errors.append(invalid(self.selector, "", str(error)))
        return errors


def scale_paths(subresources: Mapping[str, Any] | None) -> ScalePaths | None:
    """Of a version's ``subresources``, None where it cannot be scaled."""
    scale = (subresources or {}).get("scale")
    if scale is None:
        return None
    return ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath") or "")


def get_scale(paths: ScalePaths, obj: Object) -> tuple[Object, bool]:
    """The Scale of an object, and whether its spec says a number; 0 stands for one that it does not say.

    Raises:
        ValueError: What is at a path is of another type.
    """
    wanted = _nested(obj, paths.spec, int)
    actual = _nested(obj, paths.status, int)
    selector = _nested(obj, paths.selector, str) if paths.selector else None
    metadata = {name: obj["metadata"][name] for name in _COPIED if obj["metadata"].get(name)}
    spec = {"replicas": wanted} if wanted else {}
    status: dict[str, Any] = {"replicas": actual or 0}
    if selector:
        status["selector"] = selector
    scale = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}
    return scale, wanted is not None


def set_replicas(paths: ScalePaths, obj: Object, replicas: int) -> None:
    """Want another number, in place.

    Raises:
        ValueError: There is no way to it: something that is no object stands there.
    """
    *parents, last = paths.spec_fields
    where: Any = obj
    for depth, name in enumerate(parents):
        where = where.setdefault(name, {})
        if not isinstance(where, dict):
            path = ".".join(["", *parents[: depth + 1]])
            text = f"value cannot be set because {path} is not a map[string]interface{{}}"
            raise ValueError(text)  # noqa: TRY004 - the server has one error for all of it
    where[last] = replicas


def _fields(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(".").split("."))


def _nested(obj: Object, path: str, kind: type) -> Any:
    """What is at a path, None where nothing is (unstructured.NestedInt64, NestedString)."""
    names = _fields(path)
    where: Any = obj
    for depth, name in enumerate(names):
        if where is None:
            return None
        if not isinstance(where, dict):
            told = ".".join(["", *names[: depth + 1]])
            problem = f"{told} accessor error: {plain(where)} is of the type {go_type(where)}"
            raise ValueError(f"{problem}, expected map[string]interface{{}}")  # noqa: TRY004
        if name not in where:
            return None
        where = where[name]
    if type(where) is not kind:
        expected = "int64" if kind is int else "string"
        told = ".".join(["", *names])
        raise ValueError(f"{told} accessor error: {plain(where)} is of the type {go_type(where)}, expected {expected}")
    return where


def _number_errors(obj: Object, path: str) -> list[FieldError]:
    try:
        number = _nested(obj, path, int) or 0
    except ValueError as error:
        return [invalid(path, 0, str(error))]
    if number < 0:
        return [invalid(path, number, "should be a non-negative integer")]
    if number > _MAX_INT32:
        return [invalid(path, number, f"should be less than or equal to {_MAX_INT32}")]
    return []
