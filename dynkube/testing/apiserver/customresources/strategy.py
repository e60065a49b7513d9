"""How custom resources are decoded, defaulted, prepared and judged, in one version of their CRD.

AE/registry/customresource/{strategy,status_strategy,validator}.go, AE/apiserver/customresource_handler.go.

There is a strategy for each version: requests are judged by the schema of their own version. What is
stored obeys the storage version's: an object that is found valid is pruned and defaulted by that, too,
as the real server does when it writes it down and reads it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.testing.apiserver.customresources.correlation import Correlation, same
from dynkube.testing.apiserver.customresources.defaulting import default
from dynkube.testing.apiserver.customresources.embedded import coerce, validate_embedded
from dynkube.testing.apiserver.customresources.jsonpath import parse
from dynkube.testing.apiserver.customresources.listtypes import validate_lists
from dynkube.testing.apiserver.customresources.metadata import normalize_metadata
from dynkube.testing.apiserver.customresources.pruning import prune, prune_nulls
from dynkube.testing.apiserver.customresources.rules import RuleSet
from dynkube.testing.apiserver.customresources.scale import ScalePaths, scale_paths
from dynkube.testing.apiserver.customresources.structural import Structural, copied, structural
from dynkube.testing.apiserver.customresources.values import Validator, validator
from dynkube.testing.apiserver.customresources.violations import NO_PATH, Violation, field_errors
from dynkube.testing.apiserver.decoding import DecodingError
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import ErrorType, FieldError, invalid, quoted
from dynkube.testing.apiserver.words.govalues import plain, sorted_keys
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["CustomResourceStrategy", "VersionSchema", "Versions"]

_META = ("apiVersion", "kind", "metadata")
_BLOCKING = frozenset(
    {ErrorType.NOT_SUPPORTED, ErrorType.REQUIRED, ErrorType.TOO_LONG, ErrorType.TOO_MANY, ErrorType.TYPE_INVALID}
)
_BLOCKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
_STANDARD_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})


class VersionSchema:
    """What one version of a CRD says, compiled; made when it is first asked for.

    Attributes:
        row: The entry of ``spec.versions``.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        raw = (row.get("schema") or {}).get("openAPIV3Schema") or {}
        subresources = row.get("subresources") or {}
        self.has_status = subresources.get("status") is not None
        self.scale: ScalePaths | None = scale_paths(subresources)
        self.shape: Structural = structural(raw)
        self.root: Structural = self.shape.as_resource()
        self.values: Validator = validator(raw)
        self.status: Validator | None = self.values.properties.get("status") if self.has_status else None
        self.rules = RuleSet(raw)
        self.selectable = tuple(
            (each["jsonPath"].removeprefix("."), parse(each["jsonPath"])) for each in row.get("selectableFields") or ()
        )


class Versions:
    """All versions of a CRD, each compiled when it is first looked up.

    Args:
        rows: The CRD's ``spec.versions``.

    Attributes:
        storage: The name of the version that is stored.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = {row["name"]: row for row in rows}
        self._compiled: dict[str, VersionSchema] = {}
        self.storage: str = next(row["name"] for row in rows if row["storage"])

    def find(self, name: str) -> VersionSchema | None:
        """The version of this name, if the CRD has it."""
        if name not in self._compiled:
            if name not in self._rows:
                return None
            self._compiled[name] = VersionSchema(self._rows[name])
        return self._compiled[name]


class CustomResourceStrategy(Strategy):
    """The strategy of a custom kind in one version.

    Args:
        kind: Of the objects, in this version.
        versions: Of the CRD.
    """

    allows_unconditional_update = False
    has_generation = True

    def __init__(self, kind: GroupVersionKind, versions: Versions) -> None:
        self._kind = kind
        self._versions = versions

    @cached_property
    def schema(self) -> VersionSchema:
        """What the strategy's version says."""
        found = self._versions.find(self._kind.version)
        assert found is not None  # `serving` makes strategies of versions that are there
        return found

    @property
    def has_status(self) -> bool:  # type: ignore[override]
        """Whether status is a subresource."""
        return self.schema.has_status

    @property
    def scale(self) -> ScalePaths | None:
        """Where the numbers of a scale are, None where objects cannot be scaled."""
        return self.schema.scale

    # ------------------------------------------------------------------ decoding

    def normalize(self, obj: Object, group_version: GroupVersion) -> list[str]:
        """Prune what the schema does not name; metadata becomes what its Go type holds."""
        problems = normalize_metadata(obj)
        row = self._versions.find(group_version.version)
        if row is not None:
            try:
                problems += _reshape(obj, row)
            except ValueError as error:
                raise DecodingError(str(error)) from None
        return problems

    def default(self, obj: Object, group_version: GroupVersion) -> None:
        """Fill in the defaults of the schema."""
        row = self._versions.find(group_version.version)
        if row is not None:
            default(obj, row.shape)

    def convert(self, obj: Object, to: GroupVersion) -> Object:
        """Conversion by ``None``: another apiVersion, without what the other version's schema does not name.

        On the way into storage nothing goes yet: the object is first judged by the version that it came in.
        """
        if obj["apiVersion"] == to.api_version:
            return obj
        if to.version == self._versions.storage:
            return {**obj, "apiVersion": to.api_version}
        converted: Object = copied(obj)
        converted["apiVersion"] = to.api_version
        row = self._versions.find(to.version)
        if row is not None:
            _reshape(converted, row)
        return converted

    def arranged(self, obj: Object) -> Object:
        """All keys sorted, as Go writes a map."""
        result: Object = sorted_keys(obj)
        return result

    def restore(self, obj: Object) -> None:
        """What reading a stored object does, in place: a CRD may have changed since it was written.

        It is pruned and defaulted by the schema of the version that it is stored in.
        """
        row = self._versions.find(GroupVersion.parse(obj["apiVersion"]).version)
        if row is not None:
            _reshape(obj, row)
            default(obj, row.shape)

    # ------------------------------------------------------------------ preparing

    def prepare_for_create(self, obj: Object) -> None:
        """No status, where that has an endpoint of its own; the first generation."""
        if self.has_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Status and the rest keep out of each other's way; what changes beside metadata is a new generation."""
        if subresource == "status":
            _only_status(obj, old)
            return
        if self.has_status:
            if "status" in old:
                obj["status"] = copied(old["status"])
            else:
                obj.pop("status", None)
        if not same(_without_metadata(obj, old["apiVersion"]), _without_metadata(old, old["apiVersion"])):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    # ------------------------------------------------------------------ judging

    def validate_name(self, name: str, /, *, prefix: bool = False) -> Sequence[str]:
        """A DNS subdomain."""
        return names.dns1123_subdomain(name, prefix=prefix)

    def validate(self, obj: Object) -> Sequence[FieldError]:
        """By the schema, its lists and its rules. A valid object gets the shape in which it is stored."""
        errors = self._type_meta_errors(obj)
        if errors:
            return errors
        found: list[Violation] = []
        schema = self.schema
        schema.values.check(obj, "", found)
        errors = field_errors(found) if found else []
        if schema.scale is not None:
            errors += schema.scale.validate(obj)
        errors += validate_embedded(obj, schema.shape)
        errors += validate_lists(obj, schema.shape)
        errors += self._rule_errors(errors, obj, None, None)
        return errors or self._settle(obj)

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """As `validate`; what did not change may be invalid, and rules may compare with what was."""
        errors = self._type_meta_errors(obj)
        if errors:
            return errors
        schema = self.schema
        correlation = Correlation(obj, old, schema.shape)
        is_status = subresource == "status"
        errors = self._status_errors(obj, old, correlation) if is_status else self._value_errors(obj, correlation)
        if schema.scale is not None:
            errors += schema.scale.validate(obj, with_spec=not is_status)
        if not is_status:
            errors += validate_embedded(obj, schema.shape)
        if schema.shape.has_unique_lists and not validate_lists(old, schema.shape):
            errors += validate_lists(obj, schema.shape)
        errors += self._rule_errors(errors, obj, old, correlation)
        return errors or self._settle(obj)

    def _value_errors(self, obj: Object, correlation: Correlation) -> list[FieldError]:
        found: list[Violation] = []
        self.schema.values.check(obj, "", found, correlation)
        return field_errors(found) if found else []

    def _status_errors(self, obj: Object, old: Object, correlation: Correlation) -> list[FieldError]:
        if "status" not in obj or self.schema.status is None:
            return []
        found: list[Violation] = []
        self.schema.status.check(obj["status"], "", found, correlation.key("status"))
        return field_errors(found, "status") if found else []

    def _type_meta_errors(self, obj: Object) -> list[FieldError]:
        """A body may be of another kind than its path says: only here that is noticed (ValidateTypeMeta)."""
        if obj.get("kind") != self._kind.kind:
            return [invalid("kind", obj.get("kind", ""), f"must be {self._kind.kind}")]
        return []

    def _rule_errors(
        self, errors: Sequence[FieldError], obj: Object, old: Object | None, correlation: Correlation | None
    ) -> list[FieldError]:
        if not self.schema.rules:
            return []
        self.schema.rules.let_pass = []
        if any(each.type in _BLOCKING for each in errors):
            return [invalid(NO_PATH, None, _BLOCKED)]
        return self.schema.rules.check(obj, old, correlation)

    def _settle(self, obj: Object) -> list[FieldError]:
        """What writing a valid object down and reading it again makes of it, in place."""
        for name, each in obj.items():
            if name != "metadata" and isinstance(each, (dict, list)):
                _settle_numbers(each)
        storage = self._versions.storage
        row = self._versions.find(storage) if storage != self._kind.version else None
        if row is not None:
            _reshape(obj, row)
            default(obj, row.shape)
        else:
            prune_nulls(obj, self.schema.shape)  # what was applied may have some
        return []

    # ------------------------------------------------------------------ the rest

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """Of rules that do not hold for what did not change, and of new finalizers whose names are not qualified."""
        let_pass = self.schema.rules.let_pass if old is not None else []
        if subresource == "status":
            return let_pass
        before = (old or {}).get("metadata", {}).get("finalizers") or ()
        added = sorted(set(obj["metadata"].get("finalizers") or ()).difference(before))
        return [*let_pass, *(text for each in added for text in _finalizer_warnings(each))]

    def warnings_of_refusal(self) -> Sequence[str]:
        """Of rules that do not hold for what did not change: they are told at once."""
        return self.schema.rules.let_pass

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """An update of status cannot change metadata and spec; any other cannot change status, if that is apart."""
        if subresource == "status":
            return (("metadata",), ("spec",))
        return (("status",),) if self.has_status and not subresource else ()

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """The values of ``selectableFields``."""
        found = {}
        for name, path in self.schema.selectable:
            values = path.find(obj)
            found[name] = plain(values[0]) if values and values[0] is not None else ""
        return found


def _reshape(obj: Object, row: VersionSchema) -> list[str]:
    """Prune an object, and coerce what is embedded in it, in place; tells what is gone."""
    kept = {name: obj[name] for name in _META if name in obj}
    problems = [f"unknown field {quoted(path)}" for path in prune(obj, row.root)]
    prune_nulls(obj, row.shape)
    problems += coerce(obj, row.shape)
    obj.update(kept)
    return problems


def _only_status(obj: Object, old: Object) -> None:
    """An update of status changes nothing else but who manages what."""
    managed = obj["metadata"].get("managedFields")
    has_status, status = "status" in obj, obj.get("status")
    obj.clear()
    obj.update(copied(old))
    if managed is None:
        obj["metadata"].pop("managedFields", None)
    else:
        obj["metadata"]["managedFields"] = managed
    if has_status:
        obj["status"] = status
    else:
        obj.pop("status", None)


def _without_metadata(obj: Object, api_version: str) -> Object:
    return {name: each for name, each in obj.items() if name != "metadata"} | {"apiVersion": api_version}


def _settle_numbers(value: Any) -> None:
    """Whole floats become integers, in place: Go writes 1.0 as 1, and large ones with as few digits as name them."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in entries:
        if isinstance(each, (dict, list)):
            _settle_numbers(each)
        elif isinstance(each, float) and each.is_integer() and abs(each) < 1e21:
            value[name] = int(Decimal(repr(each)))


def _finalizer_warnings(finalizer: str) -> list[str]:
    field = "metadata.finalizers"
    texts = [f'{field}: "{finalizer}": {problem}' for problem in names.label_key(finalizer)]
    if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        path = " including a path (/)" if "." in finalizer else ""
        texts.append(
            f'{field}: "{finalizer}": prefer a domain-qualified finalizer name{path} to avoid accidental conflicts '
            "with other finalizer writers"
        )
    return texts
