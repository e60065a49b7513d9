"""What a patch makes of an object; whether that is of the kind, nobody knows yet (AS/endpoints/handlers/patch.go)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from dynkube.testing.apiserver.decoding.body import duplicate_fields
from dynkube.testing.apiserver.decoding.containernodes import Slice, Struct
from dynkube.testing.apiserver.decoding.gotypes import gotypes
from dynkube.testing.apiserver.decoding.jsontext import JSONSyntaxError, NumberLiteral, copied, parse, plain
from dynkube.testing.apiserver.decoding.objects import VERSION_AND_KIND
from dynkube.testing.apiserver.decoding.problems import IGNORE, DecodingError
from dynkube.testing.apiserver.decoding.scalarnodes import Anything, String
from dynkube.testing.apiserver.decoding.typenodes import Field, State, json_word
from dynkube.testing.apiserver.decoding.yamltext import YAMLError, load_yaml
from dynkube.testing.apiserver.patching.merging import merge, without_nulls
from dynkube.testing.apiserver.patching.operations import PatchFailedError, apply_operations
from dynkube.testing.apiserver.patching.refusals import invalid_patch, patch_rejected
from dynkube.testing.apiserver.patching.strategic import merge_strategically
from dynkube.testing.apiserver.patching.tracing import Trace
from dynkube.testing.apiserver.words.resources import Object
from dynkube.testing.apiserver.words.schemas import Schema
from dynkube.testing.apiserver.words.statuses import StatusError, bad_request, request_entity_too_large

__all__ = ["Patched", "json_patch", "merge_patch", "patched_text", "read_applied", "strategic_merge"]

_MOST_OPERATIONS: Final = 10_000
_MAP: Final = "map[string]interface {}"
_CONVERTING: Final = "error converting YAML to JSON: "


class Patched(NamedTuple):
    """The outcome of a patch."""

    obj: Object
    """A new object."""
    problems: list[str]
    """What strict validation complains of in the patch."""
    said: Any
    """Of a strategic merge the patch, which a refusal shows; else the outcome before anybody changes it."""


# --------------------------------------------------------------------------- JSON Patch


def _operation_type() -> Slice:
    """``[]jsonPatchOp``, as which the endpoint looks at a JSON Patch first."""
    name = "handlers.jsonPatchOp"
    members = {"op": String("string"), "path": String("string"), "from": String("string"), "value": Anything()}
    fields = [Field(each, node, owner="jsonPatchOp", options={}) for each, node in members.items()]
    return Slice(f"[]{name}", Struct(name, lambda: fields))


_OPERATIONS: Final = _operation_type()


def json_patch(current: Object, data: bytes, directive: str, *, typed: bool = False) -> Patched:
    """Apply a JSON Patch.

    Args:
        current: The object; it is not changed.
        data: The patch.
        directive: Of field validation; who ignores problems does not hear of some kinds of nonsense either.
        typed: Whether the outcome goes through a Go type, which wants to see repeated keys and how numbers are written.

    Raises:
        StatusError: 400, it is no patch; 413, too long; 422, it cannot be applied.
    """
    problems = [] if directive == IGNORE else _problems_of_operations(data)
    try:
        operations = parse(data, exact_strings=True)
    except JSONSyntaxError as error:
        raise bad_request(str(error)) from None
    _check_operations(operations)
    trace = Trace()
    try:
        outcome = apply_operations(copied(current), operations or [], trace)
    except PatchFailedError:
        raise patch_rejected() from None
    if not typed:
        problems = [*problems, *duplicate_fields(outcome)]
    if not isinstance(outcome, dict):
        raise _no_object(outcome, patched_text(current, data, merges=False))
    return Patched(_settled(copied(trace.copied(outcome)), typed=typed), problems, outcome)


def _problems_of_operations(data: bytes) -> list[str]:
    state = State()
    try:
        _OPERATIONS.decode(parse(data), state)
    except JSONSyntaxError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    if state.mismatch:
        raise bad_request(f"error decoding patch: {state.mismatch}")
    return [f"json patch {each}" for each in state.problems.texts()]


def _check_operations(operations: Any) -> None:
    """DecodePatch, and how many there may be."""
    if operations is None:
        return
    if not isinstance(operations, list):
        raise bad_request(f"json: cannot unmarshal {json_word(operations)} into Go value of type jsonpatch.Patch")
    for each in operations:
        if each is not None and not isinstance(each, dict):
            raise bad_request(f"json: cannot unmarshal {json_word(each)} into Go value of type jsonpatch.Operation")
    if len(operations) > _MOST_OPERATIONS:
        allowed = f"The allowed maximum operations in a JSON patch is {_MOST_OPERATIONS}, got {len(operations)}"
        raise request_entity_too_large(f"Request entity too large: {allowed}")


# --------------------------------------------------------------------------- merge patches


def merge_patch(current: Object, data: bytes, directive: str, *, typed: bool = False) -> Patched:
    """Apply a JSON Merge Patch; arguments and errors are those of `json_patch`."""
    try:
        patch = parse(data)
    except JSONSyntaxError as error:
        problem = "Invalid JSON Patch" if directive == IGNORE else f"error decoding patch: {error}"
        raise bad_request(problem) from None
    problems: list[str] = []
    if directive != IGNORE:
        problems = _problems_of_map(patch, "error decoding patch: ")
    if not isinstance(patch, (dict, list)):
        raise bad_request("Invalid JSON Patch")
    if isinstance(patch, list):
        raise _no_object(patch, patched_text(current, data, merges=True))
    trace = Trace()
    outcome = merge(copied(current), patch, trace)
    return Patched(_settled(trace.copied(outcome), typed=typed), problems, outcome)


def _problems_of_map(patch: Any, prefix: str) -> list[str]:
    """What strict decoding into a map complains of.

    Raises:
        StatusError: 400, it is no map.
    """
    if patch is not None and not isinstance(patch, dict):
        raise bad_request(f"{prefix}json: cannot unmarshal {json_word(patch)} into Go value of type {_MAP}")
    state = State()
    Anything().decode(patch, state)
    if state.mismatch:
        raise bad_request(f"{prefix}{state.mismatch}")
    return duplicate_fields(patch)


def _no_object(outcome: Any, text: str) -> StatusError:
    problem = f"json: cannot unmarshal {json_word(outcome)} into Go value of type {VERSION_AND_KIND}"
    return invalid_patch(text, f"couldn't get version/kind; json parse error: {problem}")


def _settled(outcome: Object, *, typed: bool) -> Object:
    if not typed:
        try:
            return dict(plain(outcome, settles=False))
        except OverflowError as error:
            problem = f"json: cannot unmarshal number {error} into Go value of type float64"
            raise DecodingError(problem) from None
    return outcome


def patched_text(encoded: Object, data: bytes, *, merges: bool) -> str:
    """The JSON of what a patch that can be applied makes of an object, as a refusal shows it.

    Args:
        encoded: The object with its fields in the order in which it is encoded.
        data: The patch.
        merges: Whether it is a merge patch, and not a JSON Patch.
    """
    trace = Trace()
    document = copied(encoded)
    if not merges:
        return trace.written(apply_operations(document, parse(data, exact_strings=True) or [], trace))
    patch = parse(data, exact_strings=True)
    if isinstance(patch, dict):
        return trace.written(merge(document, patch, trace))
    outcome = without_nulls(patch)
    trace.add_all(outcome)
    return trace.written(outcome)


# --------------------------------------------------------------------------- strategic merge patches


def strategic_merge(current: Object, data: bytes, schema: Schema, directive: str) -> Patched:
    """Apply a strategic merge patch to an object of a built-in kind.

    The outcome is for `gotypes.GoTypes.convert`: floats are floats in it, however whole.

    Args:
        current: The object; it is not changed.
        data: The patch.
        schema: Of the kind: its name is that of the Go type, which says how to merge.
        directive: Of field validation.

    Raises:
        StatusError: 400, it is no patch; 422 or 500, it cannot be applied.
    """
    try:
        patch = parse(data)
    except JSONSyntaxError as error:
        raise bad_request(str(error)) from None
    problems = _problems_of_map(patch, "")
    patch = _floats({} if patch is None else patch)
    outcome = merge_strategically(copied(current), patch, gotypes().node(schema.name))
    # Who goes on with the outcome changes it; what was sent must not change along with it.
    return Patched(copied(outcome), [] if directive == IGNORE else problems, patch)


def _floats(value: Any) -> Any:
    """With the numbers that Go's maps hold: integers of 64 bits, and floats."""
    if isinstance(value, NumberLiteral):
        return float(value)
    if isinstance(value, dict):
        return {key: _floats(each) for key, each in value.items()}
    return [_floats(each) for each in value] if isinstance(value, list) else value


# --------------------------------------------------------------------------- apply patches


def read_applied(data: bytes) -> tuple[Object, str]:
    """The object of an apply patch, which is YAML, or JSON as a kind of it.

    Returns:
        The object, and what strict validation complains of: one text for all of it, or "".

    Raises:
        StatusError: 400, it is no YAML, or no mapping.
    """
    try:
        value, problems = load_yaml(data)
    except YAMLError as error:
        raise bad_request(f"error decoding YAML: {_CONVERTING}{error}") from None
    if value is not None and not isinstance(value, dict):
        problem = f"json: cannot unmarshal {json_word(value)} into Go value of type {_MAP}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {problem}")
    return plain(value or {}), "".join(f"{_CONVERTING}{each}" for each in problems)
