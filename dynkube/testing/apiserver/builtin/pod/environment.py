"""Environment variables, and the fields of a pod that they and files may show."""

from __future__ import annotations

from collections.abc import Sequence

from dynkube.testing.apiserver.builtin.pod.paths import no_backsteps
from dynkube.testing.apiserver.builtin.rules import Errors, Json, amount, dns1123_label, each, listed, qualified_name
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, index, invalid, not_found, not_supported, required

__all__ = ["FILE_FIELDS", "env", "env_from", "file_key_volumes", "object_field", "resource_field"]

_ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
FILE_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
"""What a file of the downward API may hold."""

_LABELS = frozenset({
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
})  # fmt: skip
_SUBSCRIPTED = ("metadata.annotations", "metadata.labels")
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_CPU_DIVISORS = frozenset({"1m", "1"})
_SIZE_DIVISORS = (
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
)  # fmt: skip
_SIZES = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def env(variables: Sequence[Json], field: str) -> Errors:
    """``env`` of a container (ValidateEnv)."""
    for number, variable in enumerate(variables):
        where = index(field, number)
        name = variable.get("name", "")
        if not name:
            yield required(child(where, "name"))
        else:
            yield from each(child(where, "name"), name, names.relaxed_env_var_name(name))
        if "valueFrom" in variable:
            yield from _value_from(variable, variable["valueFrom"] or {}, child(where, "valueFrom"))


def _value_from(variable: Json, source: Json, field: str) -> Errors:
    found = [name for name in _SOURCES if source.get(name) is not None]
    for name in found:
        yield from _RULES[name](source[name], child(field, name))
    if not found:
        wanted = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield invalid(field, "", f"must specify one of: {wanted}")
    elif variable.get("value"):
        yield invalid(field, "", "may not be specified when `value` is not empty")
    elif len(found) > 1:
        yield invalid(field, "", "may not have more than one field specified at a time")


def object_field(ref: Json, supported: Sequence[str], field: str) -> Errors:
    """A ``fieldRef`` (validateObjectFieldSelector); the supported fields as the message lists them."""
    version, path = ref.get("apiVersion", ""), ref.get("fieldPath", "")
    if not version:
        yield required(child(field, "apiVersion"))
        return
    where = child(field, "fieldPath")
    if not path:
        yield required(where)
        return
    problem = _not_convertible(version, path)
    if problem:
        yield invalid(where, path, f"error converting fieldPath: {problem}")
        return
    base, subscript = _subscript(path)
    if subscript is not None:
        yield from qualified_name(subscript.lower() if base == "metadata.annotations" else subscript, field)
        return
    internal = "spec.nodeName" if path == "spec.host" else path
    if internal not in supported:
        yield not_supported(where, internal, supported)


def _subscript(path: str) -> tuple[str, str | None]:
    """``metadata.labels['a']`` in two; None where there is no subscript (SplitMaybeSubscriptedPath)."""
    if path.endswith("']"):
        base, bracket, subscript = path[:-2].partition("['")
        if base and bracket:
            return base, subscript
    return path, None


def _not_convertible(version: str, path: str) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    base, subscript = _subscript(path)
    if subscript is not None:
        return "" if base in _SUBSCRIPTED else f"field label does not support subscript: {path}"
    return "" if path in _LABELS or path == "spec.host" else f"field label not supported: {path}"


def resource_field(ref: Json, field: str, *, in_volume: bool) -> Errors:
    """A ``resourceFieldRef`` (validateContainerResourceFieldSelector)."""
    name = ref.get("resource", "")
    if in_volume and not ref.get("containerName"):
        yield required(child(field, "containerName"))
    elif not name:
        yield required(child(field, "resource"))
    elif name not in _RESOURCES and not name.startswith(_HUGE_PAGES):
        yield not_supported(child(field, "resource"), name, _RESOURCES)
    yield from _divisor(name, ref.get("divisor") or "0", child(field, "divisor"))


def _divisor(name: str, divisor: str, field: str) -> Errors:
    if not amount(divisor).nano:
        return
    kind, _, resource = name.partition(".")
    if kind not in ("limits", "requests"):
        return
    if resource == "cpu":
        if divisor not in _CPU_DIVISORS:
            yield invalid(field, name, "only divisor's values 1m and 1 are supported with the cpu resource")
        return
    what = "hugepages" if name.startswith(_HUGE_PAGES) else _SIZES.get(resource)
    if what and divisor not in _SIZE_DIVISORS:
        said = f"only divisor's values {', '.join(_SIZE_DIVISORS)} are supported with the {what} resource"
        yield invalid(field, name, said)


def _key_ref(ref: Json, field: str) -> Errors:
    """A key of a ConfigMap or a Secret."""
    name, wanted = ref.get("name", ""), ref.get("key", "")
    yield from each(child(field, "name"), name, names.dns1123_subdomain(name))
    if not wanted:
        yield required(child(field, "key"))
    else:
        yield from each(child(field, "key"), wanted, names.config_map_key(wanted))


def _file_key(ref: Json, field: str) -> Errors:
    wanted, volume, path = ref.get("key", ""), ref.get("volumeName", ""), ref.get("path", "")
    if not wanted:
        yield required(child(field, "key"))
    else:
        yield from each(child(field, "key"), wanted, names.relaxed_env_var_name(wanted))
    if not volume:
        yield required(child(field, "volumeName"))
    else:
        yield from dns1123_label(volume, child(field, "volumeName"))
    if not path:
        yield required(child(field, "path"))
    else:
        yield from no_backsteps(path, child(field, "path"))


_RULES = {
    "fieldRef": lambda ref, field: object_field(ref, _ENV_FIELDS, field),
    "resourceFieldRef": lambda ref, field: resource_field(ref, field, in_volume=False),
    "configMapKeyRef": _key_ref,
    "secretKeyRef": _key_ref,
    "fileKeyRef": _file_key,
}


def env_from(sources: Sequence[Json], field: str) -> Errors:
    """``envFrom`` of a container (ValidateEnvFrom)."""
    for number, source in enumerate(sources):
        where = index(field, number)
        prefix = source.get("prefix", "")
        if prefix:
            yield from each(child(where, "prefix"), prefix, names.relaxed_env_var_name(prefix))
        found = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
        for name in found:
            yield from _env_source(source[name], child(where, name))
        if not found:
            yield invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield invalid(field, "", "may not have more than one field specified at a time")


def _env_source(ref: Json, field: str) -> Errors:
    name = ref.get("name", "")
    if not name:
        yield required(child(field, "name"))
    else:
        yield from each(child(field, "name"), name, names.dns1123_subdomain(name, prefix=True))


def file_key_volumes(containers: Sequence[tuple[Json, str]], volumes: Sequence[Json]) -> Errors:
    """Files that variables are read from are in volumes of type emptyDir (validateFileKeyRefVolumes)."""
    by_name = {volume.get("name", ""): volume for volume in volumes}
    for container, where in containers:
        for number, variable in enumerate(listed(container, "env")):
            ref = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if ref is None:
                continue
            name = ref.get("volumeName", "")
            field = f"{index(child(where, 'env'), number)}.valueFrom.fileKeyRef.volumeName"
            yield from _empty_dir(name, by_name.get(name), field)


def _empty_dir(name: str, volume: Json | None, field: str) -> Errors:
    if volume is None:
        yield not_found(field, name)
    elif volume.get("emptyDir") is None:
        yield invalid(field, name, "referenced volume must be of type emptyDir")
