"""What OpenAPI says of a custom resource, as templates: recorded of two CRDs, with marks where another one differs.

The marks, and what stands in their place for a CRD (AS/endpoints/openapi/openapi.go, AE/controller/openapi/builder):

===============  =========================================================  ======================
``<group>``      its group, ``<version>``, ``<kind>``, ``<list>``, ``<plural>``   ``a.example.com``
``<definition>`` the group backwards, and the version                       ``com.example.a.v1``
``<Group>``      the group in an operation's id; also ``<Version>``, ``<Kind>``   ``AExampleCom``
``<tag>``        group and version in a tag                                 ``aExampleCom_v1``
``<a kind>``     the kind with its article                                  ``an Apple``
===============  =========================================================  ======================
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import swaggermessages
from raw import RawClient

GROUP, VERSION = "zza.zzb.example", "v7beta7"
KIND, LIST, PLURAL = "Zzkind", "Zzlisting", "zzplurals"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
# In this order: what is part of another comes after it.
MARKS = {
    f"example.zzb.zza.{VERSION}": "<definition>",
    f"zzaZzbExample_{VERSION}": "<tag>",
    "ZzaZzbExampleV7beta7": "<Group><Version>",
    f"a {KIND}": "<a kind>",
    GROUP: "<group>",
    VERSION: "<version>",
    LIST: "<list>",
    PLURAL: "<plural>",
}


def record(raw: RawClient, descriptors: bytes) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
    """The paths of a namespaced and of a cluster-scoped resource in both versions of OpenAPI, and shared schemas.

    Then the paths in the protobuf form of v2, by scope.
    """
    found = {scope: of_scope(raw, scope, descriptors) for scope in ("Namespaced", "Cluster")}
    messages = {scope: each.pop("messages") for scope, each in found.items()}
    return {**found, "schemas": found["Namespaced"].pop("schemas") | found["Cluster"].pop("schemas")}, messages


def of_scope(raw: RawClient, scope: str, descriptors: bytes) -> dict[str, Any]:
    """What is said of a CRD of this scope; it comes and goes."""
    raw.request("POST", CRDS, crd(scope))
    document = wait_for(raw)
    swagger_document = swagger(raw)
    while not any(GROUP in path for path in swagger_document["paths"]):
        time.sleep(0.2)
        swagger_document = swagger(raw)
    message = swaggermessages.parse(descriptors, swagger_message(raw))
    raw.request("DELETE", f"{CRDS}/{PLURAL}.{GROUP}")
    while any(GROUP in path for path in raw.request("GET", "/openapi/v3").json()["paths"]):
        time.sleep(0.2)
    schemas = document["components"]["schemas"]
    return {
        "v3": marked(document["paths"]),
        "v2": marked({path: each for path, each in swagger_document["paths"].items() if GROUP in path}),
        "messages": swaggermessages.paths_template(message, GROUP, mark),
        "schemas": {name: each for name, each in schemas.items() if name.startswith("io.k8s.")},
    }


def wait_for(raw: RawClient) -> Any:
    """The OpenAPI v3 document of the CRD, as soon as there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = raw.request("GET", f"/openapi/v3/apis/{GROUP}/{VERSION}")
        if answer.status == 200:
            return answer.json()
        time.sleep(0.2)
    raise SystemExit("the server did not publish the CRD")


def swagger(raw: RawClient) -> Any:
    """The OpenAPI v2 document."""
    return raw.request("GET", "/openapi/v2").json()


def swagger_message(raw: RawClient) -> bytes:
    """The same in protobuf."""
    return raw.request("GET", "/openapi/v2", headers={"Accept": swaggermessages.ACCEPT}).body


def marked(paths: Mapping[str, Any]) -> Any:
    """The same with marks."""
    return json.loads(mark(json.dumps(paths)))


def mark(text: str) -> str:
    """A text with marks in place of what belongs to the recorded CRDs."""
    for value, each in MARKS.items():
        text = text.replace(value, each)
    return in_operation_ids(text).replace(KIND, "<kind>")


def in_operation_ids(text: str) -> str:
    """Mark the kind in the ids of operations, where it is written in another way."""
    for before in ("", "Namespaced", "CollectionNamespaced", "Collection"):
        text = text.replace(f"<Group><Version>{before}{KIND}", f"<Group><Version>{before}<Kind>")
    return text


def crd(scope: str) -> dict[str, Any]:
    """With every subresource that a custom resource can have."""
    replicas = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": replicas, "status": replicas}}
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": scale},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {"plural": PLURAL, "kind": KIND, "listKind": LIST},
            "versions": [version],
        },
    }
