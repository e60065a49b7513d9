"""What is answered, in every shape: discovery in both forms, Tables, partial metadata, YAML, protobuf bodies."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import pytest
from both import Both
from manifests import crd
from printables import OBJECTS, PODS
from raw import RawClient

from dynkube.testing.apiserver import recorded

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PROTOBUF = "application/vnd.kubernetes.protobuf"
GROUP_VERSIONS = [each.api_version for each in recorded.priorities()]
GROUPS = {each.group for each in recorded.priorities()}
# Kinds whose rows are computed; of the others only what the real server has is compared.
COMPUTED = {
    "configmaps", "cronjobs", "daemonsets", "deployments", "events", "ingresses", "jobs", "nodes",
    "persistentvolumeclaims", "pods", "replicasets", "rolebindings", "roles", "secrets", "serviceaccounts",
    "services", "statefulsets",
}  # fmt: skip
PRINTED = [each for each in (*PODS, *OBJECTS) if each[0].rpartition("/")[2] in COMPUTED]
# What kubectl 1.36 sends for "create namespace shop" and the like (tests/testing/apiserver/test_protobuf.py).
NAMED = {
    "namespaces": "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==",
    "selfsubjectreviews": "azhzAAotChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESEVNlbGZTdWJqZWN0UmV2aWV3EhoKEAoAEgAaACIAKgAyADgAQgASBgoECgASABoAIgA=",
    "selfsubjectaccessreviews": "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSOgoQCgASABoAIgAqADIAOABCABIcChoKBHNob3ASBGxpc3QaACIAKgRwb2RzMgA6ABoICAASABoAIAAaACIA",
    "configmaps": "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh0KEwoDd2ViEgAaACIAKgAyADgAQgASBgoBYRIBYhoAIgA=",
    "deployments": "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAASDAoKCgNhcHASA3dlYhpsChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
    "ingresses": "azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJAChEKAWkSABoAIgAqADIAOABCABInGiUKA2EuYhIeChwKGgoCL2MSDSILCgNzdmMSBAoAEFAaBUV4YWN0GgIKABoAIgA=",
}  # fmt: skip
_AGE = re.compile(r"(\d+[smhdy])+")
_CLUSTER_IP = re.compile(r"10\.0\.0\.\d+|(?<=:)3\d{4}(?=/)")  # and node ports


def accepting(accept: str) -> dict[str, str]:
    return {"Accept": accept}


def built_in(document: Any) -> Any:
    """Without the groups of CRDs, of which other cases may have made some."""
    for field in ("groups", "items"):
        if field in document:
            document[field] = [each for each in document[field] if group_of(each) in GROUPS]
    for address in document.get("serverAddressByClientCIDRs", ()):
        address["serverAddress"] = "<address>"
    return document


def group_of(entry: Any) -> str:
    return entry.get("name") or entry.get("metadata", {}).get("name", "")


def ageless(document: Any) -> Any:
    """Without what differs from one server to the other in a Table: ages of seconds, cluster IPs, node ports."""
    for row in document.get("rows") or ():
        row["cells"] = [cell(each) for each in row["cells"]]
    return document


def cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "<age>" if _AGE.fullmatch(value) else _CLUSTER_IP.sub("<ip>", value)


class TestDiscovery:
    @pytest.mark.parametrize("path", ["/api", "/apis", "/api/", "/apis/"])
    def test_the_groups(self, both: Both, path: str) -> None:
        assert both.get(path, mask=built_in).status == 200

    @pytest.mark.parametrize("path", ["/api", "/apis"])
    def test_all_at_once(self, both: Both, path: str) -> None:
        answer = both.get(path, headers=accepting(AGGREGATED), mask=built_in)
        assert answer.headers["Content-Type"] == AGGREGATED
        assert answer.json()["kind"] == "APIGroupDiscoveryList"

    @pytest.mark.parametrize("group", sorted(GROUPS - {""}))
    def test_a_group(self, both: Both, group: str) -> None:
        assert both.get(f"/apis/{group}").json()["name"] == group

    @pytest.mark.parametrize("group_version", GROUP_VERSIONS)
    def test_the_resources_of_a_group_version(self, both: Both, group_version: str) -> None:
        prefix = "/apis" if "/" in group_version else "/api"
        assert both.get(f"{prefix}/{group_version}").json()["groupVersion"] == group_version

    @pytest.mark.parametrize("path", ["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1"])
    def test_what_is_indented_is_the_same(self, both: Both, path: str) -> None:
        assert b"\n  " in both.get(f"{path}?pretty=true", mask=built_in).body

    @pytest.mark.parametrize("path", ["/apis/apps", "/apis/apps/v1", "/api/v1", "/apis/events.k8s.io/v1"])
    def test_yaml_for_who_wants_it(self, both: Both, path: str) -> None:
        answer = both.get(path, headers=accepting("application/yaml"))
        assert answer.headers["Content-Type"] == "application/yaml"

    @pytest.mark.parametrize("path", ["/api", "/apis"])
    @pytest.mark.parametrize(
        "accept",
        [
            f"{AGGREGATED};profile=nopeer",
            f"{AGGREGATED},application/json",
            f"application/json,{AGGREGATED}",
            AGGREGATED.replace("v=v2", "v=v2beta1"),
            f"{AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json",
            f"{AGGREGATED},{AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json",
            AGGREGATED.replace("v=v2", "v=v9"),
            "text/plain",
            "*/*",
        ],
    )
    def test_what_is_accepted_decides_the_form(self, both: Both, path: str, accept: str) -> None:
        assert both.get(path, headers=accepting(accept), mask=built_in).status in {200, 406}

    @pytest.mark.parametrize(
        "path", ["/apis/nope.example.com", "/apis/apps/v9", "/apis/nope/v1", "/api/v9", "/api/v1/nope"]
    )
    @pytest.mark.parametrize("accept", ["application/json", "text/plain"])
    def test_what_is_not_there(self, both: Both, path: str, accept: str) -> None:
        assert both.get(path, headers=accepting(accept)).status == 404

    @pytest.mark.parametrize("path", ["/api", "/apis/apps/v1", "/api/v1"])
    def test_it_is_only_read(self, both: Both, path: str) -> None:
        assert both.post(path, {}).status == 405

    def test_who_has_it_is_told_so(self, raw: RawClient) -> None:
        for path in ("/api", "/apis"):
            etag = raw.request("GET", path, headers=accepting(AGGREGATED)).headers["ETag"]
            answer = raw.request("GET", path, headers={**accepting(AGGREGATED), "If-None-Match": etag})
            assert (answer.status, answer.body) == (304, b"")
            assert answer.headers["ETag"] == etag
            assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("public", "Accept")
            assert answer.headers["Content-Type"] is None

    def test_an_etag_must_match_as_it_is(self, raw: RawClient) -> None:
        etag = raw.request("GET", "/apis", headers=accepting(AGGREGATED)).headers["ETag"]
        for known in (etag.strip('"'), f"W/{etag}", f'"x", {etag}'):
            answer = raw.request("GET", "/apis", headers={**accepting(AGGREGATED), "If-None-Match": known})
            assert answer.status == 200

    def test_the_core_group_has_the_same_hash(self, both: Both) -> None:
        both.get("/api", headers=accepting(AGGREGATED))
        assert len({side.last.headers["ETag"] for side in both.sides}) == 1


class TestTable:
    @pytest.mark.parametrize(
        "printed", PRINTED, ids=lambda each: f"{each[0].rpartition('/')[2]}/{each[1]['metadata']['name']}"
    )
    def test_a_row(self, both: Both, printed: Any) -> None:
        path, name = self.made(both, *printed)
        answer = both.get(f"{path}/{name}", headers=accepting(TABLE), mask=ageless)
        assert answer.json()["kind"] == "Table"

    def made(self, both: Both, path: str, body: Any, status: Any) -> tuple[str, str]:
        """An object on both servers, with its status."""
        obj = json.loads(json.dumps(body).replace('"%s"', json.dumps(both.namespace)).replace("%%", "%"))
        deletes = obj["metadata"].pop("_delete", False)
        if "%s" not in path:
            obj["metadata"]["name"] = both.unique
        path, name = path.replace("%s", both.namespace), obj["metadata"]["name"]
        both.post(path, obj, compare=False)
        if status is not None:
            both.put(f"{path}/{name}/status", lambda side: {**side.last.json(), "status": status}, compare=False)
        if deletes:
            both.delete(f"{path}/{name}", compare=False)
        return path, name

    @pytest.mark.parametrize("include", ["", "None", "Metadata", "Object"])
    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    def test_rows_carry_what_was_asked_for(self, both: Both, include: str, version: str) -> None:
        both.post(f"/api/v1/namespaces/{both.namespace}/configmaps", {"metadata": {"name": "a"}}, compare=False)
        path = f"/api/v1/namespaces/{both.namespace}/configmaps?includeObject={include}"
        answer = both.get(path, headers=accepting(TABLE.replace("v=v1", f"v={version}")), mask=ageless)
        assert answer.json()["apiVersion"] == f"meta.k8s.io/{version}"

    def test_they_carry_nothing_else(self, both: Both) -> None:
        answer = both.get("/api/v1/namespaces/default?includeObject=Bogus", headers=accepting(TABLE))
        assert answer.status == 400

    @pytest.mark.parametrize("resource", ["configmaps", "limitranges", "pods", "replicationcontrollers", "events"])
    def test_an_empty_list(self, both: Both, resource: str) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/{resource}"
        assert not both.get(path, headers=accepting(TABLE)).json()["rows"]

    def test_pages(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/secrets"
        for name in ("a", "b", "c"):
            both.post(path, {"metadata": {"name": name}}, compare=False)
        answer = both.get(f"{path}?limit=2", headers=accepting(TABLE), mask=ageless)
        assert answer.json()["metadata"]["remainingItemCount"] == 1

    @pytest.mark.parametrize("resource", ["limitranges", "podtemplates"])  # neither shows an age
    def test_a_watch_has_headers_once(self, both: Both, resource: str) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/{resource}"
        bodies = {
            "limitranges": {"spec": {"limits": [{"type": "Pod", "max": {"cpu": "1"}}]}},
            "podtemplates": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}},
        }
        for name in ("a", "b"):
            both.post(path, {"metadata": {"name": name}, **bodies[resource]}, compare=False)
        told = both.watch(f"{path}?includeObject=None", headers=accepting(TABLE))
        assert [bool(each["object"]["columnDefinitions"]) for each in told] == [True, False]

    @pytest.mark.parametrize(
        "accept", [f"{TABLE},application/json", f"application/json,{TABLE}", TABLE.replace("v=v1", "v=v9")]
    )
    def test_what_is_accepted_decides_the_form(self, both: Both, accept: str) -> None:
        answer = both.get("/api/v1/namespaces/kube-public", headers=accepting(accept), mask=ageless)
        assert answer.status in {200, 406}

    def test_an_error_is_a_status(self, both: Both) -> None:
        assert both.get("/api/v1/namespaces/nope", headers=accepting(TABLE)).json()["kind"] == "Status"

    def test_a_deletion_answers_a_status(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps"
        both.post(path, {"metadata": {"name": "a"}}, compare=False)
        assert both.delete(f"{path}/a", headers=accepting(TABLE)).json()["kind"] == "Status"

    def test_a_scale_has_columns_of_its_own(self, both: Both) -> None:
        path = f"/apis/apps/v1/namespaces/{both.namespace}/deployments"
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
        spec = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        both.post(path, {"metadata": {"name": "web"}, "spec": spec}, compare=False)
        answer = both.get(f"{path}/web/scale", headers=accepting(TABLE), mask=ageless)
        assert answer.json()["rows"][0]["cells"][:3] == ["web", 3, 0]


class TestPrinterColumns:
    COLUMNS = (
        {"name": "Color", "type": "string", "jsonPath": ".spec.color", "description": "Its color."},
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Weight", "type": "number", "jsonPath": ".spec.weight"},
        {"name": "Open", "type": "boolean", "jsonPath": ".spec.open"},
        {"name": "Since", "type": "date", "jsonPath": ".spec.since", "format": "date-time"},
        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
        {"name": "First", "type": "string", "jsonPath": ".spec.tags[0]"},
        {"name": "All", "type": "string", "jsonPath": ".spec.tags"},
        {"name": "Label", "type": "string", "jsonPath": ".metadata.labels.app\\.kubernetes\\.io/name"},
        {"name": "Made", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    )
    OBJECTS = (
        {},
        {
            "spec": {
                "color": "red",
                "size": 3,
                "weight": 1.5,
                "open": True,
                "since": "2020-01-01T00:00:00Z",
                "replicas": 2,
            }
        },
        {"spec": {"color": 7, "size": "x", "weight": 2, "open": "yes", "since": "soon", "tags": []}},
        {"spec": {"size": 2.5, "tags": ["a", 1, {"b": None}]}, "metadata": {"labels": {"app.kubernetes.io/name": "n"}}},
        {"status": {"conditions": [{"type": "Other", "status": "a"}, {"type": "Ready", "status": "True"}]}},
        {"spec": {"color": {"a": ["b"]}, "tags": [None]}, "status": {"conditions": []}},
    )

    def defined(self, both: Both, columns: Any) -> str:
        """A CRD on both servers; returns where its objects are."""
        unique = both.unique.replace("-", "")
        definition = crd(f"{unique}s", unique.capitalize(), group=f"{unique}.example.com")
        for version in definition["spec"]["versions"]:
            loose = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            version["schema"]["openAPIV3Schema"] = loose
            version["additionalPrinterColumns"] = columns
        both.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition, compare=False)
        path = f"/apis/{unique}.example.com/v1/namespaces/{both.namespace}/{unique}s"
        for side in both.sides:
            deadline = time.monotonic() + 30
            while side.raw.request("GET", path).status != 200:
                assert time.monotonic() < deadline, f"{side.name} does not serve {path}"
                time.sleep(0.05)
        kind = definition["spec"]["names"]["kind"]
        for number, each in enumerate(self.OBJECTS):
            metadata = {"name": f"o{number}", **each.get("metadata", {})}
            body = {"apiVersion": f"{unique}.example.com/v1", "kind": kind, **each, "metadata": metadata}
            both.post(path, body, compare=False)
            if "status" in each:
                both.put(f"{path}/o{number}/status", self.with_status(each), compare=False)
        return path

    @staticmethod
    def with_status(each: Any) -> Any:
        return lambda side: {**side.last.json(), "status": each["status"]}

    def test_of_every_type(self, both: Both) -> None:
        path = self.defined(both, self.COLUMNS)
        rows = both.get(path, headers=accepting(TABLE), mask=ageless).json()["rows"]
        assert rows[1]["cells"][:5] == ["o1", "red", 3, 1.5, True]

    def test_that_are_not_given(self, both: Both) -> None:
        path = self.defined(both, [])
        answer = both.get(f"{path}/o0", headers=accepting(TABLE), mask=ageless)
        assert [each["name"] for each in answer.json()["columnDefinitions"]] == ["Name", "Age"]

    def test_of_a_watch(self, both: Both) -> None:
        path = self.defined(both, self.COLUMNS[:3])
        told = both.watch(f"{path}?includeObject=None", headers=accepting(TABLE))
        assert [bool(each["object"]["columnDefinitions"]) for each in told] == [True] + [False] * 5

    def test_of_an_empty_list(self, both: Both) -> None:
        path = self.defined(both, self.COLUMNS[:3])
        empty = both.get(f"{path}?labelSelector=none", headers=accepting(TABLE), mask=ageless)
        assert not empty.json()["rows"]

    def test_of_a_scale(self, both: Both) -> None:
        path = self.defined(both, [])
        assert both.get(f"{path}/o1/scale", headers=accepting(TABLE), mask=ageless).status == 200

    def test_metadata_of_custom_objects(self, both: Both) -> None:
        path = self.defined(both, [])
        assert both.get(f"{path}/o3", headers=accepting(PARTIAL)).json()["kind"] == "PartialObjectMetadata"
        assert both.get(path, headers=accepting(PARTIAL_LIST)).json()["kind"] == "PartialObjectMetadataList"
        assert both.get(path, headers=accepting(PARTIAL)).status == 406
        assert both.get(f"{path}/o3", headers=accepting(PARTIAL_LIST)).status == 500


class TestPartialMetadata:
    @pytest.fixture
    def path(self, both: Both) -> str:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps"
        both.post(path, {"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}}, compare=False)
        return path

    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    def test_of_an_object(self, both: Both, path: str, version: str) -> None:
        answer = both.get(f"{path}/a", headers=accepting(PARTIAL.replace("v=v1", f"v={version}")))
        assert set(answer.json()) == {"kind", "apiVersion", "metadata"}

    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    def test_of_a_list(self, both: Both, path: str, version: str) -> None:
        answer = both.get(path, headers=accepting(PARTIAL_LIST.replace("v=v1", f"v={version}")))
        assert answer.json()["kind"] == "PartialObjectMetadataList"

    def test_of_an_empty_list(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/secrets"
        assert both.get(path, headers=accepting(PARTIAL_LIST)).json()["items"] is None

    def test_an_object_is_no_list(self, both: Both, path: str) -> None:
        assert both.get(f"{path}/a", headers=accepting(PARTIAL_LIST)).status == 406

    def test_a_list_is_no_object(self, both: Both, path: str) -> None:
        assert both.get(path, headers=accepting(PARTIAL)).status == 406

    def test_of_a_watch(self, both: Both, path: str) -> None:
        (told,) = both.watch(path, headers=accepting(PARTIAL))
        assert told["object"]["kind"] == "PartialObjectMetadata"

    def test_of_what_was_created(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/secrets"
        assert "data" not in both.post(path, {"metadata": {"name": "s"}}, headers=accepting(PARTIAL)).json()


class TestProtobufBodies:
    def sent(self, both: Both, resource: str, path: str) -> Any:
        headers = {"Content-Type": PROTOBUF, "Accept": "application/json"}

        def without_credential(document: Any) -> Any:
            document.get("status", {}).get("userInfo", {}).pop("extra", None)  # a hash of the certificate
            return document

        return both.post(path, base64.b64decode(NAMED[resource]), headers=headers, mask=without_credential).json()

    def test_a_namespace(self, both: Both) -> None:
        assert self.sent(both, "namespaces", "/api/v1/namespaces?dryRun=All")["metadata"]["name"] == "shop"

    def test_a_config_map(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps?fieldManager=kubectl-create&fieldValidation=Strict"
        assert self.sent(both, "configmaps", path)["data"] == {"a": "b"}

    def test_a_deployment(self, both: Both) -> None:
        path = (
            f"/apis/apps/v1/namespaces/{both.namespace}/deployments?fieldManager=kubectl-create&fieldValidation=Strict"
        )
        assert self.sent(both, "deployments", path)["spec"]["replicas"] == 0

    def test_an_ingress(self, both: Both) -> None:
        path = f"/apis/networking.k8s.io/v1/namespaces/{both.namespace}/ingresses"
        rule = self.sent(both, "ingresses", path)["spec"]["rules"][0]
        assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "svc", "port": {"number": 80}}

    def test_a_review_of_oneself(self, both: Both) -> None:
        found = self.sent(both, "selfsubjectreviews", "/apis/authentication.k8s.io/v1/selfsubjectreviews")
        assert found["status"]["userInfo"]["username"] == "admin"

    def test_an_access_review(self, both: Both) -> None:
        found = self.sent(both, "selfsubjectaccessreviews", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        assert found["status"]["allowed"] is True

    @pytest.mark.parametrize(
        "body", [b"", b"k8s", b"k8s\0", b"k8s\0\xff\xff", b'{"a":1}', base64.b64decode(NAMED["namespaces"])[:-20]]
    )
    def test_what_cannot_be_read(self, both: Both, body: bytes) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/configmaps"
        headers = {"Content-Type": PROTOBUF, "Accept": "application/json"}
        assert both.post(path, body, headers=headers).status == 400

    def test_a_kind_that_is_another(self, both: Both) -> None:
        path = f"/api/v1/namespaces/{both.namespace}/secrets"
        headers = {"Content-Type": PROTOBUF, "Accept": "application/json"}
        assert both.post(path, base64.b64decode(NAMED["configmaps"]), headers=headers).status == 400


class TestPages:
    @pytest.mark.parametrize("path", ["/version", "/healthz", "/livez", "/readyz", "/healthz/ping"])
    def test_is_the_same(self, both: Both, path: str) -> None:
        assert both.get(path).status == 200

    def test_the_paths_of_the_server(self, both: Both) -> None:
        def without_crds(document: Any) -> Any:
            known = set(recorded.paths())
            return {"paths": [each for each in document["paths"] if each in known]}

        assert "/healthz" in both.get("/", mask=without_crds).json()["paths"]


class TestDeprecatedVersions:
    @pytest.mark.parametrize(
        "each",
        [row for row in recorded.resources() if row.warning],
        ids=lambda row: f"{row.gvr.version}/{row.gvr.resource}",
    )
    def test_warn(self, both: Both, each: recorded.ResourceRecord) -> None:
        group, version, resource = each.gvr.group, each.gvr.version, each.gvr.resource
        path = f"/apis/{group}/{version}/{resource}" if group else f"/api/{version}/{resource}"
        answer = both.get(f"{path}?limit=1", mask=lambda document: document.get("kind"))
        assert answer.headers["Warning"] == f'299 - "{each.warning}"'
