"""Types that decode themselves (``UnmarshalJSON``): what they find wrong ends the decoding at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynkube.testing.apiserver.decoding.jsontext import NumberLiteral, json_number
from dynkube.testing.apiserver.decoding.problems import DecodingError
from dynkube.testing.apiserver.decoding.scalars import canonical_quantity
from dynkube.testing.apiserver.decoding.times import canonical_micro_time, canonical_time
from dynkube.testing.apiserver.decoding.typenodes import Node, State, json_word, kept, literal
from dynkube.testing.apiserver.words import govalues

__all__ = ["SELF_DECODING"]

_INT32 = 2**31


class _SelfDecoding(Node):
    kind = "struct"
    is_empty_when_falsy = False

    def convert(self, value: Any, state: State) -> Any:  # noqa: ARG002 - it says nothing of the place
        """See `Node`."""
        # The converter hands such a type JSON of the value.
        return self.decode(value, State())


class _Time(_SelfDecoding):
    """``metav1.Time``; the zero time is written null."""

    canonical: Callable[[str], str | None] = staticmethod(canonical_time)

    def zero(self) -> None:
        """See `Node`."""
        return

    def over(self, first: Any, second: Any) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
        return second

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if value is None:
            return None
        if not isinstance(value, str):
            state.fail_wrong_type(json_word(value), "string")
        try:
            return self.canonical(value)
        except ValueError as error:
            raise DecodingError(str(error)) from None


class _MicroTime(_Time):
    canonical: Callable[[str], str | None] = staticmethod(canonical_micro_time)


class _Quantity(_SelfDecoding):
    """``resource.Quantity``: text or a number."""

    def zero(self) -> str:
        """See `Node`."""
        return "0"

    def decode(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
        if value is None:
            return "0"
        try:
            return canonical_quantity(_quantity_text(value))
        except ValueError as error:
            raise DecodingError(str(error)) from None

    def convert(self, value: Any, state: State) -> Any:
        """See `Node`."""
        return self.decode(govalues.json_text(float(value)) if isinstance(value, float) else value, state)


def _quantity_text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "?"  # brackets and the like: no quantity
    if isinstance(value, NumberLiteral):
        return value.text
    return str(json_number(value) if isinstance(value, float) else value)


class _IntOrString(_SelfDecoding):
    """``intstr.IntOrString``."""

    def zero(self) -> int:
        """See `Node`."""
        return 0

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, str):
            return value
        if value is None:
            return 0
        if type(value) is int and -_INT32 <= value < _INT32:
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            state.fail_wrong_type(f"number {literal(value)}", "int32")
        return state.fail_wrong_type(json_word(value), "int32")


class _Raw(_SelfDecoding):
    """Any JSON, kept as it came: ``runtime.RawExtension``, ``metav1.FieldsV1``, ``apiextensions.JSON``."""

    def zero(self) -> None:
        """See `Node`."""
        return

    def decode(self, value: Any, state: State) -> Any:  # noqa: ARG002 - the signature of all
        """See `Node`."""
        return kept(json_number(value) if isinstance(value, float) else value)


class _SchemaOr(_SelfDecoding):
    """A schema, or something else, in a CustomResourceDefinition. Inside, unknown fields go without a word."""

    def __init__(self, name: str, schema: Node) -> None:
        super().__init__(name)
        self._schema = schema

    def zero(self) -> Any:
        """See `Node`."""
        return None

    def _decode_schema(self, value: Any, state: State) -> Any:
        outer, state.mismatch = state.mismatch, ""
        state.quiet += 1
        decoded = self._schema.decode(value, state)
        state.quiet -= 1
        if state.mismatch:
            raise DecodingError(state.mismatch)
        state.mismatch = outer
        return decoded


class _SchemaOrBool(_SchemaOr):
    def zero(self) -> bool:
        """See `Node`."""
        return False

    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, dict):
            return self._decode_schema(value, state)
        if isinstance(value, bool):
            return value
        raise DecodingError("boolean or JSON schema expected")


class _SchemaOrArray(_SchemaOr):
    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, dict):
            return self._decode_schema(value, state)
        if isinstance(value, list):
            return [self._decode_schema(each, state) for each in value] or None
        return None


class _SchemaOrStringArray(_SchemaOr):
    def decode(self, value: Any, state: State) -> Any:
        """See `Node`."""
        if isinstance(value, dict):
            return self._decode_schema(value, state)
        if not isinstance(value, list):
            return None
        for each in value:
            if each is not None and not isinstance(each, str):
                state.fail_wrong_type(json_word(each), "string")
        return [each or "" for each in value] or None


SELF_DECODING: Mapping[str, Callable[[str, Callable[[str], Node]], Node]] = {
    "Time": lambda name, _: _Time(name),
    "MicroTime": lambda name, _: _MicroTime(name),
    "Quantity": lambda name, _: _Quantity(name),
    "IntOrString": lambda name, _: _IntOrString(name),
    "RawExtension": lambda name, _: _Raw(name),
    "FieldsV1": lambda name, _: _Raw(name),
    "JSON": lambda name, _: _Raw(name),
    "JSONSchemaPropsOrBool": lambda name, schema: _SchemaOrBool(name, schema("JSONSchemaProps")),
    "JSONSchemaPropsOrArray": lambda name, schema: _SchemaOrArray(name, schema("JSONSchemaProps")),
    "JSONSchemaPropsOrStringArray": lambda name, schema: _SchemaOrStringArray(name, schema("JSONSchemaProps")),
}
"""Makers of the nodes, by the Go name: they get the printed name, and a finder of types of the same package."""
