"""What is asked badly: paths, methods, queries, selectors, what is accepted, and bodies of noise."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from both import Both
from manifests import crd

NAMESPACES = "/api/v1/namespaces"
GROUP = "requests.dynkube.dev"
META = "g=meta.k8s.io;v=v1"
_CUSTOM = re.compile(r"/apis/(?![^/]*\.k8s\.io)[^/]*\.")
_REVISION = re.compile(r"(?<=current: )\d+|(?<=resourceVersion\\\\\\\":\\\\\\\")\d+")


@pytest.fixture
def path(both: Both) -> str:
    where = f"{NAMESPACES}/{both.namespace}/configmaps"
    both.post(where, {"metadata": {"name": "a", "labels": {"app": "shop"}}, "data": {"k": "v"}}, compare=False)
    return where


@pytest.fixture
def gadgets(both: Both) -> str:
    """The path of a custom resource in a group of its own."""
    body = crd("gadgets", "Gadget")
    body["metadata"]["name"], body["spec"]["group"] = f"gadgets.{GROUP}", GROUP
    both.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body, compare=False)
    where = f"/apis/{GROUP}/v1/namespaces/{both.namespace}/gadgets"
    for side in both.sides:
        for _ in range(200):
            if side.raw.request("GET", where).status == 200:
                break
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": {"name": "a", "labels": {"app": "shop"}}}
    both.post(where, body, compare=False)
    return where


def _without_custom_groups(document: Any) -> Any:
    """What is not found is answered with all paths there are; those of other cases' groups are not the same on both."""
    if not isinstance(document, dict) or "paths" not in document:
        return document
    return document | {"paths": [path for path in document["paths"] if not _CUSTOM.match(path)]}


def without_revisions(document: Any) -> Any:
    """Refusals tell how far the server is, and those of patches quote the whole object."""
    return json.loads(_REVISION.sub("<rv>", json.dumps(document)))


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "NONE"]


class TestPaths:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(
        "where",
        [
            "configmaps", "configmaps/", "configmaps/b", "configmaps/b/", "configmaps/b/status", "configmaps/b/scale",
            "none", "none/b", "pods/b/status", "pods/b/none", "services/b/proxy/x", "serviceaccounts/b/token",
            "nodes", "nodes/b", "status", "finalize", "", "none/b/c/d",
        ],
    )  # fmt: skip
    def test_in_a_namespace(self, both: Both, where: str, method: str) -> None:
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
        both.request(method, f"{NAMESPACES}/{both.namespace}/{where}?dryRun=All", body, headers=headers)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(
        "where", ["", "/a", "/b", "/a/status", "/a/none", "/a/status/x", "/a/scale", "/../none", "/b/status"]
    )
    def test_of_custom_resources(self, both: Both, gadgets: str, where: str, method: str) -> None:
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
        both.request(method, f"{gadgets}{where}?dryRun=All", body, headers=headers)

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    @pytest.mark.parametrize(
        "where",
        [
            f"/apis/{GROUP}", f"/apis/{GROUP}/v1/none", f"/apis/{GROUP}/v7", f"/apis/{GROUP}/v7/gadgets",
            f"/apis/{GROUP}/v1/gadgets?labelSelector=none", f"/apis/{GROUP}/v1/gadgets/a", f"/apis/{GROUP}/v1/namespaces/x",
            f"/apis/{GROUP}/v1/namespaces/x/none", f"/apis/{GROUP}/v1/namespaces/x/gadgets",
            "/apis/none.example", "/apis/none.example/v1", "/apis/none.example/v1/things", "/apis/apps/v7",
            "/apis/apps/v7/deployments", "/api/v7", "/api/v7/pods", "/apis/v1/pods", "/none", "/api/v1/configmaps/a",
            "/api/v1/none", "/api//v1", "/API/v1", "/api/v1/Namespaces", "/index.html", "/healthz/none",
        ],
    )  # fmt: skip
    def test_elsewhere(self, both: Both, gadgets: str, where: str, method: str) -> None:
        both.request(method, where, b"{}" if method == "POST" else None, mask=_without_custom_groups)

    @pytest.mark.parametrize(
        "name", ["..", ".", "a%2Fb", "a%20b", "%ff", "%00", "a%25b", "A", "x" * 300, "a%2", "%C3%BC", "a;b", "a+b"]
    )
    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    def test_names_in_them(self, both: Both, path: str, gadgets: str, name: str, method: str) -> None:
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
        body = b'{"metadata":{"name":"a"}}' if method in ("PUT", "PATCH") else None
        both.request(method, f"{path}/{name}", body, headers=headers)
        if name not in (".", "..", "a%2Fb"):
            both.request(method, f"{gadgets}/{name}", body, headers=headers)

    def test_the_old_ones_of_watches(self, both: Both, path: str, gadgets: str) -> None:
        for where in (path, gadgets):
            prefix, rest = where.split("/v1/")
            both.get(f"{prefix}/v1/watch/{rest}?timeoutSeconds=1&resourceVersion=0")
            both.get(f"{prefix}/v1/watch/{rest}/a?timeoutSeconds=1&resourceVersion=0")
            both.get(f"{prefix}/v1/watch/{rest}/b?timeoutSeconds=1&resourceVersion=0")
            both.get(f"{prefix}/v1/watch/{rest}/a?timeoutSeconds=1&fieldSelector=metadata.name%3Db")
            both.request("POST", f"{prefix}/v1/watch/{rest}?timeoutSeconds=1&resourceVersion=0", b"{}")


class TestQueries:
    @pytest.mark.parametrize(
        "query",
        [
            "pretty=true", "pretty=0", "pretty=x", "unknown=1", "timeout=5", "timeout=5s", "timeout=x", "timeout=-1s",
            "timeout=0", "resourceVersion=x", "resourceVersion=0", "resourceVersion=-1", "resourceVersion=99999999",
            "export=true", "export=false", "exact=true", "=", "&&", "a", "resourceVersion=0&resourceVersion=x",
        ],
    )  # fmt: skip
    def test_of_a_get(self, both: Both, path: str, gadgets: str, query: str) -> None:
        both.get(f"{path}/a?{query}", mask=without_revisions)
        both.get(f"{gadgets}/a?{query}", mask=without_revisions)
        both.get(f"{path}/none?{query}", mask=without_revisions)

    @pytest.mark.parametrize(
        "query",
        [
            "limit=x", "limit=-1", "limit=1.5", "limit=", "timeoutSeconds=x", "timeoutSeconds=-1", "watch=maybe&timeoutSeconds=1",
            "allowWatchBookmarks=x", "sendInitialEvents=true", "sendInitialEvents=x", "resourceVersionMatch=Exact",
            "watch=1&timeoutSeconds=x", "watch=1&limit=x", "watch=1&resourceVersion=x&timeoutSeconds=1",
            "watch=1&sendInitialEvents=true&timeoutSeconds=1", "watch=1&continue=x&timeoutSeconds=1",
            "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&timeoutSeconds=1", "fieldSelector=a&labelSelector=,",
        ],
    )  # fmt: skip
    def test_of_a_list(self, both: Both, path: str, gadgets: str, query: str) -> None:
        both.get(f"{path}?{query}")
        both.get(f"{gadgets}?{query}")

    @pytest.mark.parametrize("query", ["fieldValidation=x", "fieldValidation=", "force=true", "force=x", "dryRun=None"])
    def test_of_a_patch(self, both: Both, path: str, gadgets: str, query: str) -> None:
        for kind in ("merge", "json", "apply"):
            body: Any = {"data": {"k": "w"}}
            if kind == "json":
                body = [{"op": "test", "path": "/metadata/name", "value": "a"}]
            elif kind == "apply":
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {"a": "b"}}}
            both.patch(f"{path}/a?{query}", body, kind)


class TestSelectors:
    @pytest.mark.parametrize(
        "selector",
        [
            "app=shop", "app==shop", "app!=shop", "app", "!app", "app in (shop,mall)", "app notin (shop)", "app>1", "app<x",
            "app=", "=", "app in ()", "app in shop", "app in (shop", "app shop", ",", "app,,", "-app", "app=-", "!app=shop",
            "app=" + "x" * 64, "a/b/c=d", "app = shop , x!=y", "app\t=\nshop", "app=shop)", "exists app", "in in (in)",
        ],
    )  # fmt: skip
    def test_of_labels(self, both: Both, path: str, gadgets: str, selector: str) -> None:
        for where in (path, gadgets):
            both.request("GET", f"{where}?labelSelector={escaped(selector)}")

    @pytest.mark.parametrize(
        "selector",
        [
            "metadata.name=a", "metadata.name==a", "metadata.name!=a", "metadata.name=b,metadata.namespace!=x", "metadata.name",
            "metadata.uid=x", "spec.a=b", "=", ",", "metadata.name=a,", r"metadata.name=\a", r"metadata.name=a\,b", "a=b=c",
            "metadata.name in (a)", " metadata.name=a", "status.phase=Running",
        ],
    )  # fmt: skip
    def test_of_fields(self, both: Both, path: str, gadgets: str, selector: str) -> None:
        for where in (path, gadgets, path.replace("configmaps", "pods"), path.replace("configmaps", "events")):
            both.request("GET", f"{where}?fieldSelector={escaped(selector)}")


def escaped(text: str) -> str:
    return "".join(f"%{each:02X}" for each in text.encode())


ACCEPTED = [
    "", "*/*", "application/*", "*/json", "text/html", "text/html,*/*", "application/json;q=0.1,application/yaml",
    "application/json;stream=watch", "application/json;stream=x", "application/yaml;stream=watch", "application/json;sv=v1",
    "application/json;sv=v7", "application/json;pretty=1", "application/json;unknown=1", "application/json;as=Table",
    f"application/json;as=Table;{META}", f"application/json;as=None;{META}", f"application/json;as=None;{META},application/json",
    f"application/yaml;as=Table;{META}", f"application/json;as=PartialObjectMetadata;{META}",
    f"application/json;as=PartialObjectMetadataList;{META}", "application/cbor", "a", ";", "application/json;",
    "application/vnd.kubernetes.protobuf,application/json",
]  # fmt: skip
PROTOBUF_FIRST = "application/vnd.kubernetes.protobuf,"


class TestAccept:
    @pytest.mark.parametrize("accept", [each for each in ACCEPTED if not each.startswith(PROTOBUF_FIRST)])
    def test_of_an_object_and_a_list(self, both: Both, path: str, gadgets: str, accept: str) -> None:
        for where in (path, gadgets):
            # YAML is compared where it has no revisions.
            compare = "yaml" not in accept
            both.get(f"{where}/a", headers={"Accept": accept}, mask=without_ages, compare=compare)
            both.get(f"{where}/none", headers={"Accept": accept})
            both.get(f"{where}?fieldSelector=metadata.name=none", headers={"Accept": accept}, compare=compare)

    @pytest.mark.parametrize("accept", [each for each in ACCEPTED if not each.startswith(PROTOBUF_FIRST)])
    def test_of_a_write(self, both: Both, path: str, accept: str) -> None:
        body = {"metadata": {"name": "new"}}
        both.post(f"{path}?dryRun=All", body, headers={"Accept": accept}, mask=without_ages)
        both.delete(f"{path}/a?dryRun=All", headers={"Accept": accept})

    def test_protobuf_along_with_json_is_json(self, both: Both, path: str) -> None:
        for side in both.sides[-1:]:
            answer = side.raw.request("GET", f"{path}/a", headers={"Accept": f"{PROTOBUF_FIRST}application/json"})
            assert answer.json()["metadata"]["name"] == "a"


def without_ages(document: Any) -> Any:
    for row in document.get("rows", ()) if isinstance(document, dict) else ():
        row["cells"] = [re.sub(r"^\d+s$", "<age>", each) if isinstance(each, str) else each for each in row["cells"]]
    return document


class TestNoise:
    """Bytes without sense, as they come; the seeds are fixed, so that what differs can be seen again."""

    @pytest.mark.parametrize("seed", range(40))
    def test_in_bodies(self, both: Both, path: str, gadgets: str, seed: int) -> None:
        noise = random.Random(seed)
        for where in (path, gadgets):
            both.post(f"{where}?dryRun=All", spoiled(noise))
            both.put(f"{where}/a?dryRun=All", spoiled(noise))
            both.patch(
                f"{where}/a?dryRun=All",
                spoiled(noise),
                noise.choice(["merge", "json", "apply"]),
                mask=without_revisions,
            )
            both.delete(f"{where}/a?dryRun=All", spoiled(noise))

    def test_the_server_goes_on(self, both: Both, path: str) -> None:
        for body in (b"[" * 100_000, b'{"a":' * 100_000, b"\x00" * 1000, b"\xff" * 1000, b"- " * 50_000):
            for kind in ("merge", "json", "apply"):
                both.patch(f"{path}/a?fieldManager=me", body, kind, compare=False)
            both.post(path, body, compare=False)
            both.post(path, body, headers={"Content-Type": "application/yaml"}, compare=False)
        both.get(f"{path}/a")


WHOLE = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"x":"y"}},"data":{"k":"v"}}'


def spoiled(noise: random.Random) -> bytes:
    """A body with a byte changed, left out, doubled, or cut off."""
    at = noise.randrange(len(WHOLE))
    ways = [
        WHOLE[:at] + bytes([noise.randrange(0x20, 0x7F)]) + WHOLE[at + 1 :],
        WHOLE[:at] + WHOLE[at + 1 :],
        WHOLE[:at] + WHOLE[at : at + 1] * 2 + WHOLE[at + 1 :],
        WHOLE[:at],
        WHOLE[:at] + bytes([noise.randrange(0x80, 0x100)]) + WHOLE[at:],
    ]
    return noise.choice(ways)
