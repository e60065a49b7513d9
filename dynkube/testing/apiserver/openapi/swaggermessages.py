"""OpenAPI v2 in protobuf, as client-go of any age asks for it (kubectl explain --output=plaintext-openapiv2, Helm).

The recorded document, and behind it a second one that has only what the CRDs of this server add: two messages
one after the other are one message whose lists are both. (github.com/google/gnostic-models, OpenAPIv2.proto.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.openapi.customs import fill, is_served_path, served_versions
from dynkube.testing.apiserver.words.resources import Object

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["swagger_message"]

_CAPITAL: Final = re.compile("[A-Z]")


def swagger_message(crds: Iterable[Object], definitions: Mapping[str, Any]) -> bytes:
    """The document.

    Args:
        crds: Whose paths are in it.
        definitions: The v2 schemas of these, by name.
    """
    data = recorded.read("openapi/v2")
    if not definitions:
        return data
    more = _document_class()()
    for crd in crds:
        for row in served_versions(crd):
            more.paths.path.extend(_paths(crd, row))
    for name in sorted(definitions):
        entry = more.definitions.additional_properties.add(name=name)
        _fill_schema(entry.value, definitions[name])
    return data + bytes(more.SerializeToString(deterministic=True))


@cache
def _document_class() -> Any:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(recorded.read("openapi/v2-descriptors")).file:
        pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("openapi.v2.Document"))


# ------------------------------------------------------------------ paths


def _paths(crd: Object, row: Mapping[str, Any]) -> Iterator[Any]:
    template = _document_class().FromString(recorded.read(f"openapi/custom-{crd['spec']['scope']}"))
    _change_texts(template, lambda text: fill(text, crd, row["name"]))
    return (each for each in template.paths.path if is_served_path(each.name, row))


def _change_texts(message: Message, change: Callable[[str], str]) -> None:
    """Change every text of a message, at any depth."""
    for field, value in message.ListFields():
        is_list = field.default_value == []
        if field.type == field.TYPE_STRING:
            if is_list:
                value[:] = [change(each) for each in value]
            else:
                setattr(message, field.name, change(value))
        elif field.type == field.TYPE_MESSAGE:
            for each in value if is_list else [value]:
                _change_texts(each, change)


# ------------------------------------------------------------------ schemas


def _fill_schema(message: Any, schema: Mapping[str, Any]) -> None:
    message.SetInParent()  # it is there even where it says nothing
    for name, value in schema.items():
        if name.startswith("x-"):
            message.vendor_extension.add(name=name).value.yaml = _yaml(value)
        elif name in _FILLERS:
            _FILLERS[name](message, value)
        elif isinstance(value, list):
            getattr(message, _snake(name)).extend(value)
        else:
            setattr(message, "_ref" if name == "$ref" else _snake(name), value)


def _fill_type(message: Any, value: str) -> None:
    message.type.value.append(value)


def _fill_default(message: Any, value: Any) -> None:
    message.default.yaml = _yaml(value)


def _fill_example(message: Any, value: Any) -> None:
    message.example.yaml = _yaml(value)


def _fill_enum(message: Any, values: Iterable[Any]) -> None:
    for value in values:
        message.enum.add().yaml = _yaml(value)


def _fill_items(message: Any, value: Mapping[str, Any]) -> None:
    _fill_schema(message.items.schema.add(), value)


def _fill_properties(message: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        _fill_schema(message.properties.additional_properties.add(name=name).value, value)


def _fill_additional(message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.additional_properties.boolean = value
    else:
        _fill_schema(message.additional_properties.schema, value)


def _fill_external_docs(message: Any, value: Mapping[str, str]) -> None:
    for name, text in value.items():
        setattr(message.external_docs, name, text)


_FILLERS: Final[Mapping[str, Callable[[Any, Any], None]]] = {
    "type": _fill_type,
    "default": _fill_default,
    "example": _fill_example,
    "enum": _fill_enum,
    "items": _fill_items,
    "properties": _fill_properties,
    "additionalProperties": _fill_additional,
    "externalDocs": _fill_external_docs,
}


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, default_flow_style=False)).removesuffix("...\n")


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda found: f"_{found[0].lower()}", name)
