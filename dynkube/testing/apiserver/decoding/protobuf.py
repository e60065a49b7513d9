"""Kubernetes' protobuf, as clients send it: an envelope and a message in it, made JSON data.

The envelope is a ``runtime.Unknown`` behind four bytes (AM/runtime/serializer/protobuf/protobuf.go). The
descriptors of the messages are recorded. So is where JSON differs from a message, beside the values that are
converted here: fields that are inlined there, and fields that are called otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from dynkube import codec
from dynkube.quantities import format_duration, format_micro_time, format_time
from dynkube.schema import GroupVersion, GroupVersionKind
from dynkube.testing.apiserver import recorded

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message import Message

__all__ = ["ProtobufError", "decode"]

_MAGIC: Final = b"k8s\x00"
_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS: Final = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"
_UNKNOWN: Final = "k8s.io.apimachinery.pkg.runtime.Unknown"
# Registered in every group version (AM/apis/meta/v1/register.go).
_OPTIONS: Final = frozenset(
    {"CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions"}
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ProtobufError(Exception):
    """A body cannot be read; the text is what Go says of it.

    Attributes:
        kind: What the envelope says is in it; None where the envelope cannot be read.
    """

    def __init__(self, problem: str, kind: GroupVersionKind | None = None) -> None:
        super().__init__(problem)
        self.kind = kind


def decode(data: bytes, expected: GroupVersionKind) -> dict[str, Any]:
    """The object in a body, with apiVersion and kind, as its JSON form.

    What a message says it says here, too: a number of 0 and an empty text are there where they were sent, and a
    time that is not set is null. Its Go type says what of it is kept.

    Args:
        data: The body.
        expected: What is in it where the envelope does not say.

    Raises:
        ProtobufError: The body is no envelope, or what is in it is unknown or malformed.
    """
    if not data.startswith(_MAGIC):
        shown = "[107 56 115 0]"
        problem = f"provided data does not appear to be a protobuf message, expected prefix {shown}"
        raise ProtobufError(problem if data else "empty data")
    if len(data) == len(_MAGIC):
        raise ProtobufError("empty body")
    envelope: Any = _parse(_UNKNOWN, data[len(_MAGIC) :], None)
    kind = _kind(envelope.typeMeta.apiVersion, envelope.typeMeta.kind, expected)
    message = _parse(_message_name(kind), envelope.raw, kind)
    return {"apiVersion": kind.group_version.api_version, "kind": kind.kind, **_object(message)}


def _kind(api_version: str, kind: str, expected: GroupVersionKind) -> GroupVersionKind:
    group, _, version = api_version.rpartition("/")
    group_version = GroupVersion(group, version) if api_version else expected.group_version
    return GroupVersionKind(group_version.group, group_version.version, kind or expected.kind)


def _message_name(kind: GroupVersionKind) -> str:
    if kind.kind in _OPTIONS:
        return f"{_META}.{kind.kind}"
    messages: Mapping[str, str] = recorded.load("protobuf/differences.json")["messages"]
    found = messages.get(f"{kind.group_version.api_version} {kind.kind}")
    if found is None:
        about = f'no kind "{kind.kind}" is registered for version "{kind.group_version.api_version}"'
        raise ProtobufError(f'{about} in scheme "pkg/runtime/scheme.go:111"', kind)
    return found


def _parse(name: str, data: bytes, kind: GroupVersionKind | None) -> Message:
    from google.protobuf.message import DecodeError
    from google.protobuf.message_factory import GetMessageClass

    message = GetMessageClass(_pool().FindMessageTypeByName(name))()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ProtobufError("unexpected EOF", kind) from error
    return message


@cache
def _pool() -> DescriptorPool:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.descriptor_pool import DescriptorPool

    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(recorded.read("protobuf/descriptors")).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


# ------------------------------------------------------------------ messages


def _object(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        shape = _shape(field)
        if shape.is_inlined:
            found.update(_object(value))
        else:
            found[shape.name] = shape.convert(value)
    return found


class _Shape:
    """What a field is in JSON: its name, and how its value is made."""

    __slots__ = ("convert", "is_inlined", "name")

    def __init__(self, field: FieldDescriptor) -> None:
        differences = recorded.load("protobuf/differences.json")
        self.name: str = differences["renamed"].get(field.full_name, field.name)
        self.is_inlined = field.full_name in differences["inline"]
        self.convert = _converter(field)


@cache
def _shape(field: FieldDescriptor) -> _Shape:
    return _Shape(field)


def _converter(field: FieldDescriptor) -> Callable[[Any], Any]:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        one = _value_converter(message.fields_by_name["value"])
        return lambda values: {key: one(values[key]) for key in values}
    one = _value_converter(field)
    return (lambda values: [one(each) for each in values]) if field.default_value == [] else one


def _value_converter(field: FieldDescriptor) -> Callable[[Any], Any]:
    if field.message_type is not None:
        return _VALUES.get(field.message_type.full_name) or _named(field.message_type)
    if field.type == field.TYPE_BYTES:
        return _base64
    return _number if field.type in {field.TYPE_DOUBLE, field.TYPE_FLOAT} else _same


def _named(message: Descriptor) -> Callable[[Any], Any]:
    """A message is an object, but for one that stands for a list of texts, such as ExtraValue."""
    texts = [each.name for each in message.fields if each.type == each.TYPE_STRING]
    return _items if texts == ["items"] and len(message.fields) == 1 else _object


# ------------------------------------------------------------------ values


def _same(value: Any) -> Any:
    return value


def _items(message: Any) -> list[Any]:
    return list(message.items)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _time(message: Any) -> str | None:
    found = _moment(message)
    return None if found is None else format_time(found)


def _micro_time(message: Any) -> str | None:
    found = _moment(message)
    return None if found is None else format_micro_time(found)


def _moment(message: Any) -> datetime | None:
    """None where nothing is set: the zero time of Go, which is null in JSON."""
    if not message.seconds and not message.nanos:
        return None
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


def _duration(message: Any) -> str:
    return format_duration(timedelta(microseconds=message.duration // 1000))


def _quantity(message: Any) -> str:
    return str(message.string) or "0"


def _int_or_string(message: Any) -> int | str:
    return str(message.strVal) if message.type else int(message.intVal)


def _raw(field: str) -> Callable[[Any], Any]:
    def convert(message: Any) -> Any:
        data: bytes = getattr(message, field)
        return codec.decode(data) if data else None

    return convert


def _schema_or_list(message: Any) -> Any:
    return _object(message.schema) if message.HasField("schema") else [_object(each) for each in message.jSONSchemas]


def _schema_or_bool(message: Any) -> Any:
    return _object(message.schema) if message.HasField("schema") else bool(message.allows)


def _schema_or_names(message: Any) -> Any:
    return _object(message.schema) if message.HasField("schema") else list(message.property)


_VALUES: Final[Mapping[str, Callable[[Any], Any]]] = {
    f"{_META}.Time": _time,
    f"{_META}.MicroTime": _micro_time,
    f"{_META}.Duration": _duration,
    f"{_META}.FieldsV1": _raw("Raw"),
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw("raw"),
    f"{_EXTENSIONS}.JSON": _raw("raw"),
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": _schema_or_list,
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": _schema_or_bool,
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": _schema_or_names,
}
"""Messages that are no objects in JSON."""
