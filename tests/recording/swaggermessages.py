"""The protobuf form of OpenAPI v2, which kubectl of old and Helm ask for: descriptors, and templates of custom paths.

The .proto file is gnostic-models', by which the API server makes it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc_tools import protoc

MODULE = "github.com/google/gnostic-models@v0.7.0"
ACCEPT = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def compile_descriptors() -> bytes:
    """A FileDescriptorSet of OpenAPIv2.proto and of what it imports."""
    command = ["go", "mod", "download", "-json", MODULE]
    module = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["Dir"]
    builtin = Path(protoc.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "descriptors")
        arguments = [f"-I{module}", f"-I{builtin}", f"--descriptor_set_out={output}", "--include_imports"]
        if protoc.main(["protoc", *arguments, "openapiv2/OpenAPIv2.proto"]):
            raise SystemExit("protoc failed")
        return output.read_bytes()


def parse(descriptors: bytes, data: bytes) -> Any:
    """The document in some bytes."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
        pool.Add(file)
    document = message_factory.GetMessageClass(pool.FindMessageTypeByName("openapi.v2.Document"))
    return document.FromString(data)


def paths_template(document: Any, wanted: str, mark: Callable[[str], str]) -> bytes:
    """A document that has only the paths with a text in them, with marks in all its texts."""
    template = type(document)()
    template.paths.path.extend(each for each in document.paths.path if wanted in each.name)
    mark_texts(template, mark)
    return template.SerializeToString(deterministic=True)


def mark_texts(message: Message, mark: Callable[[str], str]) -> None:
    """Change every text of a message, at any depth."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            if field.is_repeated:
                value[:] = [mark(each) for each in value]
            else:
                setattr(message, field.name, mark(value))
        elif field.type == field.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                mark_texts(each, mark)
