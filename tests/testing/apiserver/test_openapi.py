"""OpenAPI documents: hashes are those that kube-apiserver 1.36.3 was seen to give, of its own kinds and of CRDs."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.openapi import OpenAPI, answer
from dynkube.testing.apiserver.openapi.swaggermessages import _document_class
from dynkube.testing.apiserver.words.messages import Headers, Request, Response

NOW = datetime(2026, 11, 27, 14, 20, 7, 500, tzinfo=UTC)
ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}


def crd(plural: str, kind: str, schema: dict[str, Any], *, scope: str = "Namespaced", **version: Any) -> dict[str, Any]:
    """A CRD of the group ``s3ex.io`` as it is stored."""
    row = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"plural": plural, "kind": kind, "listKind": f"{kind}List", "singular": kind.lower()}
    spec = {"group": "s3ex.io", "scope": scope, "names": names, "versions": [row]}
    return {"metadata": {"name": f"{plural}.s3ex.io"}, "spec": spec, "status": ESTABLISHED}


PANTS = crd("pants", "Pants", {"type": "object"})
EYES = crd(
    "eyes",
    "Eye",
    {
        "type": "object",
        "description": "<b> & co",
        "properties": {
            "spec": {
                "type": "object",
                "nullable": True,
                "required": ["a", "b"],
                "properties": {
                    "a": {"type": "array", "items": {"type": "string", "nullable": True}},
                    "b": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                        "properties": {"z": {"type": "string"}},
                    },
                    "d": {"x-kubernetes-int-or-string": True},
                    "e": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "properties": {"q": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 5.5}},
                    },
                },
            },
            "status": {
                "type": "object",
                "required": ["x", "y"],
                "properties": {
                    "x": {"type": "string", "nullable": True},
                    "y": {"type": "string", "enum": ["a", "b"], "default": "a"},
                    "o": {
                        "type": "object",
                        "oneOf": [{"required": ["p"]}, {"required": ["q"]}],
                        "properties": {"p": {"type": "string", "not": {"enum": ["z"]}}, "q": {"type": "string"}},
                    },
                },
            },
        },
    },
    scope="Cluster",
    subresources={"status": {}},
)
# What kube-apiserver 1.36.3 answers with these CRDs.
PANTS_HASH = "05627520EA70BEF4CEBD2E7248EF13228376B8C91C17BFAA8E7F3848F772A1A6A3D9B1E0C11327777123CCF0E9E830C2A62527C196C5FCAD32CD6BEBCA63C9D0"
BOTH_HASH = "B46BC0BA945965CD62BFE60E2CBF8F65C82CBD010564BB1673B2F2C1045E820CA81424D06F0E9CB8F35B4FF0E532434F6AD014CD66F1A5500E2A966B524FD5A1"
BOTH_V2_HASH = "A4117BB61F2AE8BFD7DA7404140F7060874F7208E0AC43561B180DBCDB84C25823E118D9C4C217AFD4AF30F61B5384A404DC50A139B8CCA81D5E6B4EBE4131B9"


def documents(crds: Sequence[Any] = ()) -> OpenAPI:
    return OpenAPI(lambda: crds, lambda: NOW)


def ask(path: str, openapi: OpenAPI | None = None, *, method: str = "GET", **headers: str) -> Response:
    plain, _, query = path.partition("?")
    pairs = [tuple(each.split("=")) for each in query.split("&") if each]
    sent = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method=method, path=plain, query=pairs, headers=sent)
    found = answer(openapi or documents(), request, plain.strip("/").split("/"), NOW)
    assert found is not None
    return found


class TestDocuments:
    def test_the_root_names_each_document_by_its_hash(self) -> None:
        paths = json.loads(documents().root())["paths"]
        digest = hashlib.sha512(recorded.openapi_v3("apis/apps/v1")).hexdigest().upper()
        assert paths["apis/apps/v1"] == {"serverRelativeURL": f"/openapi/v3/apis/apps/v1?hash={digest}"}
        assert list(paths) == sorted(paths)
        assert len(paths) == 58

    def test_a_crd_has_the_document_that_the_real_server_gives(self) -> None:
        assert documents([PANTS]).find("apis/s3ex.io/v1").hash == PANTS_HASH

    def test_crds_of_a_group_version_share_a_document(self) -> None:
        assert documents([EYES, PANTS]).find("apis/s3ex.io/v1").hash == BOTH_HASH

    def test_a_crd_that_is_not_established_has_none(self) -> None:
        assert documents([{**PANTS, "status": {}}]).find("apis/s3ex.io/v1") is None

    def test_a_version_that_is_not_served_has_none(self) -> None:
        hidden = crd("pants", "Pants", {"type": "object"}, served=False)
        assert documents([hidden]).find("apis/s3ex.io/v1") is None

    def test_subresources_have_paths_where_the_version_has_them(self) -> None:
        scale = crd("pants", "Pants", {"type": "object"}, subresources={"scale": {"specReplicasPath": ".a"}})
        document = json.loads(documents([scale]).find("apis/s3ex.io/v1").data)
        assert [path.rpartition("}/")[2] for path in document["paths"] if "{name}" in path][1:] == ["scale"]
        assert "io.k8s.api.autoscaling.v1.Scale" in document["components"]["schemas"]

    @pytest.mark.parametrize(
        ("kind", "text"), [("Pants", "create Pants"), ("Eye", "create an Eye"), ("Glass", "create a Glass")]
    )
    def test_descriptions_speak_english(self, kind: str, text: str) -> None:
        document = documents([crd("things", kind, {"type": "object"})]).find("apis/s3ex.io/v1")
        path = "/apis/s3ex.io/v1/namespaces/{namespace}/things"
        assert json.loads(document.data)["paths"][path]["post"]["description"] == text

    def test_swagger_without_crds_is_the_recorded_one(self) -> None:
        assert documents().swagger().data == recorded.read("openapi/v2.json")

    def test_swagger_has_crds_in_it(self) -> None:
        assert documents([EYES, PANTS]).swagger().hash == BOTH_V2_HASH

    def test_a_change_gives_a_new_hash_and_what_stays_keeps_its_time(self) -> None:
        crds, times = [PANTS], iter(NOW + timedelta(hours=each) for each in range(9))
        openapi = OpenAPI(lambda: crds, lambda: next(times))
        before = openapi.find("apis/s3ex.io/v1")
        openapi.invalidate()
        assert openapi.find("apis/s3ex.io/v1") is before
        crds.append(EYES)
        assert openapi.find("apis/s3ex.io/v1") is before
        openapi.invalidate()
        assert openapi.find("apis/s3ex.io/v1").hash == BOTH_HASH


class TestSwaggerMessage:
    """The protobuf form of v2. What it says of CRDs was compared with the real server's: equal but for the order."""

    def parsed(self, *crds: Any) -> Any:
        return _document_class().FromString(documents(crds).swagger_message().data)

    def test_without_crds_is_the_recorded_one(self) -> None:
        assert documents().swagger_message().data == recorded.read("openapi/v2")

    def test_has_the_hash_of_the_json(self) -> None:
        assert documents([EYES]).swagger_message().hash == documents([EYES]).swagger().hash

    def test_has_the_kinds_of_crds_behind_its_own(self) -> None:
        names = [each.name for each in self.parsed(EYES).definitions.additional_properties]
        assert names[-2:] == ["io.s3ex.v1.Eye", "io.s3ex.v1.EyeList"]
        assert "io.k8s.api.core.v1.Pod" in names

    def test_has_their_paths(self) -> None:
        paths = {each.name: each.value for each in self.parsed(EYES).paths.path}
        assert paths["/apis/s3ex.io/v1/eyes"].post.description == "create an Eye"
        assert "/apis/s3ex.io/v1/eyes/{name}/status" in paths
        assert "/apis/s3ex.io/v1/eyes/{name}/scale" not in paths

    def test_has_their_schemas(self) -> None:
        schemas = {each.name: each.value for each in self.parsed(EYES).definitions.additional_properties}
        eye = {each.name: each.value for each in schemas["io.s3ex.v1.Eye"].properties.additional_properties}
        assert eye["metadata"]._ref == "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        status = {each.name: each.value for each in eye["status"].properties.additional_properties}
        assert list(eye["status"].required) == ["y"]
        assert list(status["y"].type.value) == ["string"]
        assert [each.yaml for each in status["y"].enum] == ["a\n", "b\n"]


class TestAnswers:
    def test_the_root_is_text(self) -> None:
        response = ask("/openapi/v3")
        assert response.status == 200
        assert sorted(response.headers) == [
            ("Accept-Ranges", "bytes"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Last-Modified", "Fri, 27 Nov 2026 14:20:07 GMT"),
        ]

    def test_with_its_hash_a_document_may_be_kept_for_a_year(self) -> None:
        url = json.loads(documents().root())["paths"]["apis/apps/v1"]["serverRelativeURL"]
        headers = dict(ask(url).headers)
        assert headers["Cache-Control"] == "public, immutable"
        assert headers["Expires"] == "Sat, 27 Nov 2027 14:20:07 UTC"
        assert (headers["Content-Type"], headers["Vary"]) == ("application/json", "Accept")
        assert headers["Etag"] == f'"{url.partition("=")[2]}"'

    def test_without_one_it_may_not(self) -> None:
        assert {"Cache-Control", "Expires"} & dict(ask("/openapi/v3/apis/apps/v1").headers).keys() == set()

    def test_another_hash_is_sent_to_the_right_one(self) -> None:
        response = ask("/openapi/v3/apis/apps/v1?hash=ABC&timeout=32s")
        url = json.loads(documents().root())["paths"]["apis/apps/v1"]["serverRelativeURL"]
        assert (response.status, response.body, dict(response.headers)["Location"]) == (301, b"", url)

    def test_who_has_it_is_told_so(self) -> None:
        etag = dict(ask("/openapi/v3/apis/apps/v1").headers)["Etag"]
        response = ask("/openapi/v3/apis/apps/v1", if_none_match=etag)
        assert (response.status, response.body) == (304, b"")
        assert dict(response.headers) == {"Vary": "Accept", "Etag": etag}
        assert ask("/openapi/v3/apis/apps/v1", if_none_match=etag.strip('"')).status == 200

    @pytest.mark.parametrize(
        ("since", "status"),
        [("Fri, 27 Nov 2026 14:20:07 GMT", 304), ("Fri, 27 Nov 2026 14:20:06 GMT", 200), ("yesterday", 200)],
    )
    def test_or_by_its_time(self, since: str, status: int) -> None:
        assert ask("/openapi/v3/apis/apps/v1", if_modified_since=since).status == status

    @pytest.mark.parametrize("accept", ["application/yaml", "text/plain"])
    @pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/apis/apps/v1"])
    def test_it_is_json_or_nothing(self, path: str, accept: str) -> None:
        response = ask(path, accept=accept)
        assert (response.status, response.body) == (406, b"")

    @pytest.mark.parametrize("accept", ["*/*", "application/json, */*", "text/html, application/*;q=0.1"])
    def test_json_is_given_to_who_takes_it(self, accept: str) -> None:
        assert ask("/openapi/v3/apis/apps/v1", accept=accept).status == 200

    @pytest.mark.parametrize(
        "path", ["/openapi/v3/", "/openapi/v3/apis/apps/v9", "/openapi/v3/nope", "/openapi/v3/apis/apps/v1/"]
    )
    def test_what_has_no_document_is_an_empty_404(self, path: str) -> None:
        response = ask(path)
        assert (response.status, response.body, response.headers) == (404, b"", [])

    @pytest.mark.parametrize("path", ["/openapi", "/openapi/v2/", "/openapi/v4"])
    def test_other_paths_are_no_answer_of_ours(self, path: str) -> None:
        request = Request(method="GET", path=path)
        assert answer(documents(), request, path.strip("/").split("/"), NOW) is None

    def test_swagger_is_compressed_for_who_takes_that(self) -> None:
        response = ask("/openapi/v2", accept_encoding="gzip, deflate")
        assert ("Content-Encoding", "gzip") in response.headers
        assert gzip.decompress(response.body) == recorded.read("openapi/v2.json")

    @pytest.mark.parametrize("sign", [".", "@"])
    def test_swagger_is_protobuf_for_who_asks_for_that(self, sign: str) -> None:
        response = ask("/openapi/v2", accept=f"application/com.github.proto-openapi.spec.v2{sign}v1.0+protobuf")
        content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        assert dict(response.headers)["Content-Type"] == content_type
        assert response.body == recorded.read("openapi/v2")

    def test_the_method_does_not_matter(self) -> None:
        assert ask("/openapi/v3", method="POST").body == ask("/openapi/v3").body


def test_the_root_is_new_to_who_asked_in_the_second_in_which_a_crd_came() -> None:
    """Of whole seconds only: a client that saw the root at 12:00:00.1 says so, and a CRD came at 12:00:00.5."""
    times = [datetime(2026, 1, 1, 12, 0, 0, 100_000, tzinfo=UTC)]
    crds: list[dict[str, Any]] = []
    openapi = OpenAPI(lambda: crds, lambda: times[-1])
    since = "Thu, 01 Jan 2026 12:00:00 GMT"

    def ask() -> int:
        request = Request(method="GET", path="/openapi/v3", headers=Headers([("If-Modified-Since", since)]))
        response = answer(openapi, request, ["openapi", "v3"], times[-1])
        assert response is not None
        return response.status

    times.append(times[-1] + timedelta(milliseconds=400))
    openapi.invalidate()
    assert ask() == 200
    times.append(times[-1] + timedelta(seconds=1))
    since = "Thu, 01 Jan 2026 12:00:01 GMT"
    assert ask() == 304
