"""OpenAPI documents: of what is built in byte by byte, of CRDs field by field; hashes, caching, refusals."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from both import Both
from manifests import crd
from raw import RawClient

from dynkube.testing.apiserver import recorded

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
V2_MESSAGE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
DOCUMENTS = sorted(recorded.load("openapi/v3.json"))


def addresses(raw: RawClient) -> dict[str, str]:
    paths = json.loads(raw.request("GET", "/openapi/v3").body)["paths"]
    return {path: each["serverRelativeURL"] for path, each in paths.items()}


def install(both: Both, definition: dict[str, Any]) -> str:
    """Create a CRD on both servers; returns the path of its document, when it is there."""
    both.post(CRDS, definition, compare=False)
    path = f"apis/{definition['spec']['group']}/{definition['spec']['versions'][0]['name']}"
    for side in both.sides:
        deadline = time.monotonic() + 30
        while path not in addresses(side.raw):
            assert time.monotonic() < deadline, f"{side.name} does not publish {path}"
            time.sleep(0.05)
    return path


class TestRoot:
    def test_names_every_document(self, both: Both) -> None:
        def built_in(document: Any) -> Any:
            return {path: each for path, each in document["paths"].items() if path in DOCUMENTS}

        answer = both.get("/openapi/v3", mask=built_in)
        assert set(DOCUMENTS) <= set(answer.json()["paths"])

    def test_is_text_for_everybody(self, both: Both) -> None:
        answer = both.get("/openapi/v3", headers={"Accept": "application/yaml"}, mask=lambda _: None)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


class TestGroupVersion:
    @pytest.mark.parametrize("path", DOCUMENTS)
    def test_is_the_recorded_one(self, raw: RawClient, path: str) -> None:
        answer = raw.request("GET", addresses(raw)[path])
        assert answer.body == recorded.openapi_v3(path)
        assert answer.headers["ETag"].strip('"') == recorded.load("openapi/v3.json")[path]

    def test_with_its_hash_may_be_kept(self, both: Both) -> None:
        path = addresses(both.sides[0].raw)["apis/apps/v1"]
        answer = both.get(path, mask=lambda _: None)
        assert answer.headers["Cache-Control"] == "public, immutable"

    def test_without_a_hash_may_not(self, both: Both) -> None:
        answer = both.get("/openapi/v3/apis/apps/v1", mask=lambda _: None)
        assert "immutable" not in answer.headers["Cache-Control"]

    def test_with_another_hash_is_elsewhere(self, both: Both) -> None:
        answer = both.get("/openapi/v3/apis/apps/v1?hash=ABC&timeout=32s")
        assert (answer.status, answer.body) == (301, b"")

    def test_that_is_known_is_not_sent(self, both: Both) -> None:
        etag = f'"{recorded.load("openapi/v3.json")["apis/batch/v1"]}"'
        answer = both.get("/openapi/v3/apis/batch/v1", headers={"If-None-Match": etag})
        assert (answer.status, answer.body) == (304, b"")

    @pytest.mark.parametrize("accept", ["application/yaml", "text/plain", "text/html, image/png"])
    def test_is_json_or_nothing(self, both: Both, accept: str) -> None:
        assert both.get("/openapi/v3/apis/batch/v1", headers={"Accept": accept}).status == 406

    @pytest.mark.parametrize("accept", ["*/*", "application/json, */*", "application/*"])
    def test_is_json_for_who_takes_it(self, both: Both, accept: str) -> None:
        assert both.get("/openapi/v3/apis/policy/v1", headers={"Accept": accept}).status == 200

    @pytest.mark.parametrize(
        "path",
        ["/openapi/v3/", "/openapi/v3/apis/apps/v9", "/openapi/v3/nope", "/openapi", "/openapi/v2/", "/openapi/v4"],
    )
    def test_that_is_not_there(self, both: Both, path: str) -> None:
        assert both.get(path).status == 404

    def test_is_large_and_goes_uncompressed(self, both: Both) -> None:
        answer = both.get("/openapi/v3/apis/apps/v1", headers={"Accept-Encoding": "gzip"}, mask=lambda _: None)
        assert answer.headers["Content-Encoding"] is None


class TestSwagger:
    def test_has_the_built_in_kinds(self, both: Both) -> None:
        def built_in(document: Any) -> Any:
            mine = {name: each for name, each in document["definitions"].items() if name.startswith("io.k8s.")}
            return {**document, "definitions": mine, "paths": None}

        assert both.get("/openapi/v2", mask=built_in).json()["swagger"] == "2.0"

    def test_is_compressed_for_who_takes_that(self, both: Both) -> None:
        answer = both.get("/openapi/v2", headers={"Accept-Encoding": "gzip"}, compare=False)
        assert {side.last.headers["Content-Encoding"] for side in both.sides} == {"gzip"}
        assert answer.headers.get_all("Vary") == ["Accept-Encoding", "Accept"]

    def test_is_protobuf_for_who_asks_for_that(self, both: Both) -> None:
        both.get("/openapi/v2", headers={"Accept": V2_MESSAGE}, compare=False)
        types = {side.last.headers["Content-Type"] for side in both.sides}
        assert types == {V2_MESSAGE.replace("@", ".")}

    def test_is_nothing_else(self, both: Both) -> None:
        assert both.get("/openapi/v2", headers={"Accept": "application/yaml"}).status == 406


class TestCustomResources:
    def definition(self, both: Both, **more: Any) -> dict[str, Any]:
        unique = both.unique.replace("-", "")
        return crd(f"{unique}s", unique.capitalize(), group=f"{unique}.example.com", **more)

    def test_have_a_document(self, both: Both) -> None:
        path = install(both, self.definition(both))
        assert both.get(f"/openapi/v3/{path}").json()["info"]["title"] == "Kubernetes CRD Swagger"

    def test_have_the_same_hash(self, both: Both) -> None:
        path = install(both, self.definition(both))
        assert len({addresses(side.raw)[path] for side in both.sides}) == 1

    def test_are_in_swagger(self, both: Both) -> None:
        definition = self.definition(both)
        install(both, definition)
        kind, group = definition["spec"]["names"]["kind"], definition["spec"]["group"]
        name = ".".join([*reversed(group.split(".")), definition["spec"]["versions"][0]["name"], kind])

        def theirs(document: Any) -> Any:
            paths = {path: each for path, each in document["paths"].items() if group in path}
            return {"paths": paths, "definition": document["definitions"].get(name)}

        wait_for_swagger(both, name)
        assert theirs(both.get("/openapi/v2", mask=theirs).json())["definition"]

    def test_that_go_take_their_document_with_them(self, both: Both) -> None:
        definition = self.definition(both)
        path = install(both, definition)
        both.delete(f"{CRDS}/{definition['metadata']['name']}", compare=False)
        for side in both.sides:
            deadline = time.monotonic() + 30
            while path in addresses(side.raw):
                assert time.monotonic() < deadline, f"{side.name} still publishes {path}"
                time.sleep(0.05)
        assert both.get(f"/openapi/v3/{path}").status == 404

    def test_that_change_have_a_new_hash(self, both: Both) -> None:
        definition = self.definition(both)
        path = install(both, definition)
        before = {side.name: addresses(side.raw)[path] for side in both.sides}
        change = [{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/description", "value": "changed"}]
        both.patch(f"{CRDS}/{definition['metadata']['name']}", change, "json", compare=False)
        for side in both.sides:
            deadline = time.monotonic() + 30
            while addresses(side.raw)[path] == before[side.name]:
                assert time.monotonic() < deadline, f"{side.name} still publishes the old document"
                time.sleep(0.05)
        assert len({addresses(side.raw)[path] for side in both.sides}) == 1


def wait_for_swagger(both: Both, name: str) -> None:
    for side in both.sides:
        deadline = time.monotonic() + 30
        while name not in side.raw.request("GET", "/openapi/v2").json()["definitions"]:
            assert time.monotonic() < deadline, f"{side.name} does not publish {name}"
            time.sleep(0.2)
