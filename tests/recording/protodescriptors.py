"""What it takes to read Kubernetes' protobuf: descriptors, and where its messages and its JSON go different ways.

The .proto files are those of the Go modules that the API server is built of (``go mod download`` in
``tests/recording/gotypes`` fetches them). Three things they do not say, and the schemas of the same kinds do:

- which message is which kind: ``apps/v1 Deployment`` is ``k8s.io.api.apps.v1.Deployment``;
- which fields are *inlined* in JSON: a Volume's ``volumeSource`` is no field there, its fields stand in the Volume;
- which fields have another name there: ``xKubernetesListType`` is ``x-kubernetes-list-type``.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from grpc_tools import protoc

MODULES = "k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver", "k8s.io/kube-aggregator"
_HERE = Path(__file__).parent
# Always needed: the envelope, and what every kind is made of.
_BASE = "runtime", "apis/meta/v1"

Schemas = Mapping[str, Mapping[str, Any]]


def compile_descriptors(schemas: Schemas) -> bytes:
    """A FileDescriptorSet of all files that have a message of one of these schemas, and of what they import."""
    packages = {name.rpartition(".")[0] for name in schemas}
    with tempfile.TemporaryDirectory() as folder:
        for module in MODULES:
            link = Path(folder, module)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(module_folder(module))
        found = (each.relative_to(folder) for each in sorted(Path(folder, "k8s.io").glob("*/**/generated.proto")))
        files = [str(each) for each in found if is_wanted(each, packages)]
        output = Path(folder, "descriptors")
        if protoc.main(["protoc", f"-I{folder}", f"--descriptor_set_out={output}", "--include_imports", *files]):
            raise SystemExit("protoc failed")
        return output.read_bytes()


def module_folder(module: str) -> str:
    """Where Go keeps a module's files."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", module]
    return subprocess.run(command, cwd=_HERE / "gotypes", check=True, capture_output=True, text=True).stdout.strip()


def is_wanted(file: Path, packages: Iterable[str]) -> bool:
    """Whether a .proto file is about a served version."""
    folder = str(file.parent)
    return folder.endswith(_BASE) or definition_name(folder.replace("/", ".")) in packages


def differences(descriptors: bytes, schemas: Schemas) -> dict[str, Any]:
    """The message of each kind, the inlined fields, and the JSON names of those that have another."""
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    for file in files.file:
        pool.Add(file)
    messages = [f"{file.package}.{message.name}" for file in files.file for message in file.message_type]
    found: dict[str, Any] = {"messages": kinds(messages, schemas), "inline": [], "renamed": {}}
    for name in messages:
        properties = schemas.get(definition_name(name), {}).get("properties")
        if properties:
            compare(pool.FindMessageTypeByName(name), properties, found)
    return found


def kinds(messages: Iterable[str], schemas: Schemas) -> dict[str, str]:
    """Messages by apiVersion and kind, ``apps/v1 Deployment``."""
    found = {}
    for message in messages:
        for each in schemas.get(definition_name(message), {}).get("x-kubernetes-group-version-kind", ()):
            api_version = f"{each['group']}/{each['version']}" if each["group"] else each["version"]
            found[f"{api_version} {each['kind']}"] = message
    return dict(sorted(found.items()))


def compare(message: Descriptor, properties: Mapping[str, Any], found: dict[str, Any]) -> None:
    """Note the fields of a message that are no properties of its schema."""
    by_letters = {letters(name): name for name in properties}
    for field in message.fields:
        if field.name in properties:
            continue
        if letters(field.name) in by_letters:
            found["renamed"][field.full_name] = by_letters[letters(field.name)]
        elif is_inlined(field, properties):
            found["inline"].append(field.full_name)
        else:
            raise SystemExit(f"{field.full_name} is no property of its schema, nor are its fields")


def is_inlined(field: FieldDescriptor, properties: Mapping[str, Any]) -> bool:
    """Whether all fields of the message in this field are properties, at any depth of inlining."""
    inner = field.message_type
    return inner is not None and all(each.name in properties or is_inlined(each, properties) for each in inner.fields)


def letters(name: str) -> str:
    """What is left of a name without case and signs: ``$ref`` and ``ref`` are the same."""
    return re.sub("[^a-z0-9]", "", name.lower())


def definition_name(message: str) -> str:
    """``k8s.io.api.core.v1.Pod`` is ``io.k8s.api.core.v1.Pod`` in the schemas."""
    return "io.k8s." + message.removeprefix("k8s.io.").replace("_", "-")


def schemas_of(documents: Iterable[bytes]) -> Schemas:
    """All schemas of OpenAPI v3 documents; those that stand for values of JSON, such as times, have no properties."""
    found: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        found.update(json.loads(document).get("components", {}).get("schemas", {}))
    return found
