"""Records what a real kube-apiserver says, for the embedded one: writes dynkube/testing/apiserver/recorded/kubernetes-1.36.zip anew.

    KUBEBUILDER_ASSETS=... python tests/recording/record.py             # everything
    KUBEBUILDER_ASSETS=... python tests/recording/record.py columns     # these documents; the others stay as they are

It starts a `ControlPlane` of its own, asks it, and ends it. Each step below makes some members of the archive. The same
server gives the same bytes: members and keys are sorted where order says nothing, and carry no time.

The steps after `openapi` compile descriptors and read Go types: they need Go and grpcio-tools. `tables.py` beside this
file records the rows that our tests of printing are held against.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from raw import RawClient

from dynkube.testing import ControlPlane

ARCHIVE = Path(__file__).parents[2] / "dynkube/testing/apiserver/recorded/kubernetes-1.36.zip"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SWAGGER_MESSAGE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
_NO_TIME = (1980, 1, 1, 0, 0, 0)

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

Members = Mapping[str, bytes]


def version(raw: RawClient) -> Members:
    """What /version answers, byte by byte, and the paths that / lists."""
    paths = sorted(get(raw, "/")["paths"])
    return {"version.json": raw.request("GET", "/version").body, "paths.json": encode(paths)}


def resources(raw: RawClient) -> Members:
    """The table of resources: what both forms of discovery say, and what neither does.

    Discovery does not say which version a resource is stored in, but for a hash of it; nor that a
    version is deprecated, which is a Warning of every answer.
    """
    order = priorities(raw)
    groups = [read_group(raw, group, order) for group in discovered_groups(raw)]
    kinds = [(g["name"], v["version"], r["kind"]) for g in groups for v in g["versions"] for r in v["resources"]]
    stored = {storage_version_hash(*kind): kind for kind in kinds}
    for group, version, resource in listed(groups):
        # The one hash of a version that is no longer served is CustomResourceDefinition's, of v1beta1.
        resource["storage"] = stored.get(resource["storageVersionHash"], (group, version, resource["kind"]))
        resource["listKind"], resource["warning"] = "", ""
        if "list" in resource["verbs"]:
            answer = raw.request("GET", collection_path(group, version, resource) + "?limit=1")
            resource["listKind"] = answer.json()["kind"]
            # 299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
            resource["warning"] = answer.headers.get("Warning", "").removeprefix('299 - "').removesuffix('"')
    return {"resources.json": encode(groups)}


def columns(raw: RawClient) -> Members:
    """The columns that each listable resource prints in, by group/version/resource."""
    found = {}
    for group, version, resource in listed(read_members()["resources.json"]):
        if "list" in resource["verbs"]:
            path = collection_path(group, version, resource)
            table = get(raw, f"{path}?limit=1", TABLE)
            found[f"{group}/{version}/{resource['name']}"] = table["columnDefinitions"]
    path = deployment(raw)
    found["autoscaling/v1/scales"] = get(raw, f"{path}/scale", TABLE)["columnDefinitions"]
    raw.request("DELETE", path)
    return {"columns.json": encode(found)}


def blanks(raw: RawClient) -> Members:
    """An empty object of each watchable resource, as the bookmark that ends a watch's initial events shows it."""
    found = {}
    query = "watch=1&timeoutSeconds=1&allowWatchBookmarks=true&labelSelector=nothing"
    watchable = [each for each in listed(read_members()["resources.json"]) if "watch" in each[2]["verbs"]]
    with ThreadPoolExecutor(len(watchable)) as threads:  # each takes the second that a watch lasts
        paths = [f"{collection_path(*each)}?{query}" for each in watchable]
        answers = list(threads.map(lambda path: raw.request("GET", path), paths))
    for (group, version, resource), answer in zip(watchable, answers, strict=True):
        bookmark = json.loads(answer.body.splitlines()[0])["object"]
        del bookmark["metadata"]["resourceVersion"]
        del bookmark["metadata"]["annotations"]["k8s.io/initial-events-end"]
        if not bookmark["metadata"]["annotations"]:
            del bookmark["metadata"]["annotations"]
        found[f"{group}/{version}/{resource['name']}"] = bookmark
    return {"blanks.json": encode(found)}


def openapi(raw: RawClient) -> Members:
    """The OpenAPI documents, byte by byte, and the hashes that the root of v3 names them by."""
    root = get(raw, "/openapi/v3")["paths"]
    urls = {path: each["serverRelativeURL"] for path, each in root.items()}
    return {
        "openapi/v2.json": raw.request("GET", "/openapi/v2").body,
        "openapi/v2": raw.request("GET", "/openapi/v2", headers={"Accept": SWAGGER_MESSAGE}).body,
        "openapi/v3.json": encode({path: url.partition("?hash=")[2] for path, url in urls.items()}),
        **{f"openapi/v3/{path}.json": raw.request("GET", url).body for path, url in urls.items()},
    }


def custom(raw: RawClient) -> Members:
    """What OpenAPI says of a custom resource, as templates, and what it takes to write its protobuf form."""
    import customtemplates
    import swaggermessages  # needs Go and grpcio-tools

    descriptors = swaggermessages.compile_descriptors()
    templates, messages = customtemplates.record(raw, descriptors)
    return {
        "openapi/custom.json": encode(templates),
        "openapi/v2-descriptors": descriptors,
        **{f"openapi/custom-{scope}": each for scope, each in messages.items()},
    }


def objects(raw: RawClient) -> Members:
    """The objects of a server that has just started, with marks where each server has something of its own.

    Without the Lease by which this very process says that it is alive. ComponentStatuses are no objects: nobody
    stores them.
    """
    wait_until_complete(raw)
    made, computed = [], []
    for group, version, resource in listed(read_members()["resources.json"]):
        if "list" not in resource["verbs"] or resource["storage"][:2] != [group, version]:
            continue
        for item in get(raw, collection_path(group, version, resource))["items"]:
            head = {"apiVersion": f"{group}/{version}" if group else version, "kind": resource["kind"]}
            if "uid" not in item["metadata"]:
                computed.append(head | item)
            elif resource["name"] != "leases":
                made.append(template(head | item))
    made.sort(key=lambda each: each["kind"] != "Namespace")  # first of all; the rest stays in its order
    computed.sort(key=lambda each: str(each["metadata"]["name"]))  # they come in any order
    return {"objects.json": encode(made), "componentstatuses.json": encode(computed)}


def protobuf(_raw: RawClient) -> Members:
    """Descriptors of the messages of all kinds, and how their JSON differs from them."""
    import protodescriptors  # needs Go and grpcio-tools, which the other steps do not

    documents = (data for name, data in read_members().items() if name.startswith("openapi/v3/api"))
    schemas = protodescriptors.schemas_of(documents)
    descriptors = protodescriptors.compile_descriptors(schemas)
    return {
        "protobuf/descriptors": descriptors,
        "protobuf/differences.json": encode(protodescriptors.differences(descriptors, schemas)),
    }


def internal_types(_raw: RawClient) -> Members:
    """The types that the server works with inside, which some of its messages show."""
    return {"internal-types.json": run_go("internaltypes")}


def go_types(_raw: RawClient) -> Members:
    """The Go types that requests are decoded into."""
    return {"go-types.json": run_go("gotypes")}


_ALL = version, resources, objects, columns, blanks, openapi, custom, protobuf, go_types, internal_types
STEPS: Mapping[str, Callable[[RawClient], Members]] = {each.__name__: each for each in _ALL}


# ------------------------------------------------------------------ asking


def get(raw: RawClient, path: str, accept: str = "application/json") -> Any:
    """The decoded answer to a GET that must succeed."""
    answer = raw.request("GET", path, headers={"Accept": accept})
    if answer.status != 200:
        raise SystemExit(f"GET {path}: HTTP {answer.status}: {answer.body.decode()}")
    return answer.json()


def discovered_groups(raw: RawClient) -> Iterator[dict[str, Any]]:
    """Aggregated discovery's groups in its order, the core group first."""
    for path in ("/api", "/apis"):
        yield from get(raw, path, AGGREGATED)["items"]


def priorities(raw: RawClient) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """The spec of each APIService, by group and version: it says where discovery lists what."""
    specs = [each["spec"] for each in get(raw, "/apis/apiregistration.k8s.io/v1/apiservices")["items"]]
    # The one group that has none is always the first (kube-aggregator: handler_apis.go, handler_discovery.go).
    first = {"group": "apiregistration.k8s.io", "version": "v1", "groupPriorityMinimum": 20000, "versionPriority": 0}
    return {(each.get("group", ""), each["version"]): each for each in [*specs, first]}


def read_group(raw: RawClient, aggregated: Mapping[str, Any], order: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    """A group of the table."""
    name = aggregated["metadata"].get("name", "")
    versions = []
    for each in aggregated["versions"]:
        base = f"/apis/{name}/{each['version']}" if name else f"/api/{each['version']}"
        hashes = {one["name"]: one.get("storageVersionHash", "") for one in get(raw, base)["resources"]}
        rows = [read_resource(one, hashes) for one in each.get("resources", ())]
        spec = order[name, each["version"]]
        place = {"groupPriority": spec["groupPriorityMinimum"], "versionPriority": spec["versionPriority"]}
        versions.append({"version": each["version"], **place, "resources": rows})
    return {"name": name, "versions": versions}


def read_resource(aggregated: Mapping[str, Any], hashes: Mapping[str, str]) -> dict[str, Any]:
    """A row of the table: a resource in one version."""
    return {
        "name": aggregated["resource"],
        "kind": aggregated["responseKind"]["kind"],
        "singular": aggregated["singularResource"],
        "namespaced": aggregated["scope"] == "Namespaced",
        "verbs": aggregated["verbs"],
        "shortNames": aggregated.get("shortNames", []),
        "categories": aggregated.get("categories", []),
        "storageVersionHash": hashes[aggregated["resource"]],
        "subresources": [
            {"name": each["subresource"], **each["responseKind"], "verbs": each["verbs"]}
            for each in aggregated.get("subresources", ())
        ],
    }


def listed(groups: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The rows of a table of resources, with their group and version."""
    for group in json.loads(groups) if isinstance(groups, bytes) else groups:
        for each in group["versions"]:
            for resource in each["resources"]:
                yield group["name"], each["version"], resource


def collection_path(group: str, version: str, resource: Mapping[str, Any]) -> str:
    """Of all objects of a resource."""
    return f"{f'/apis/{group}' if group else '/api'}/{version}/{resource['name']}"


def deployment(raw: RawClient) -> str:
    """Make a Deployment, which has a scale; returns its path."""
    path = "/apis/apps/v1/namespaces/default/deployments"
    labels = {"app": "recorded"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    raw.request("POST", path, {"metadata": {"name": "recorded"}, "spec": spec})
    return f"{path}/recorded"


def run_go(program: str) -> bytes:
    """What the Go program in a folder beside this file prints; needs Go."""
    folder = Path(__file__).parent / program
    done = subprocess.run(["go", "run", "."], cwd=folder, stdout=subprocess.PIPE, check=True)
    return done.stdout.strip()


def wait_until_complete(raw: RawClient) -> None:
    """Until a server that is ready has made the last of its own objects, which is the Service of itself."""
    deadline = time.monotonic() + 60
    while raw.request("GET", "/api/v1/namespaces/default/services/kubernetes").status != 200:
        if time.monotonic() > deadline:
            raise SystemExit("the server made no Service of itself")
        time.sleep(0.1)


def template(made: Mapping[str, Any]) -> Any:
    """An object without uid and resourceVersion, with marks for times, the port, the date and the authorities."""
    metadata = {name: each for name, each in made["metadata"].items() if name not in {"uid", "resourceVersion"}}
    text = encode(dict(made) | {"metadata": metadata}).decode()
    text = _TIME.sub("<now>", text)
    text = re.sub(r'"targetPort":\d+', '"targetPort":"<port>"', text)
    text = re.sub(r'"since":"[-\d]+"', '"since":"<date>"', text)
    return json.loads(re.sub(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\\n", "<authority>", text))


def storage_version_hash(group: str, version: str, kind: str) -> str:
    """The hash that discovery shows of the version a resource is stored in (AS/endpoints/discovery/storageversionhash.go)."""
    return base64.b64encode(hashlib.sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()


# ------------------------------------------------------------------ the archive


def encode(value: Any) -> bytes:
    """JSON, compact, in the order that the value has."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def read_members() -> dict[str, bytes]:
    """What the archive has."""
    if not ARCHIVE.exists():
        return {}
    with zipfile.ZipFile(ARCHIVE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(members: Members) -> None:
    """Write the archive; deflated, which every Python can read (LZMA, a third smaller, not every one)."""
    with zipfile.ZipFile(ARCHIVE, "w") as archive:
        for name, data in sorted(members.items()):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)


def main(names: list[str]) -> None:
    """Make the members of the steps named, or of all."""
    unknown = sorted(set(names) - set(STEPS))
    if unknown:
        raise SystemExit(f"no such step: {', '.join(unknown)}; there are {', '.join(STEPS)}")
    if not names:
        write_members({})
    with ControlPlane() as server:
        raw = RawClient(server.kubeconfig)
        for name in names or STEPS:
            made = STEPS[name](raw)
            write_members(read_members() | made)
            print(f"{name}: {len(made)} members, {sum(map(len, made.values())):,} bytes")
    print(f"{ARCHIVE}: {ARCHIVE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
