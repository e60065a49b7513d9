"""Records what a real kube-apiserver prints for objects of all kinds: writes tests/testing/apiserver/tables.jsonl anew.

    KUBEBUILDER_ASSETS=... python tests/recording/tables.py

One line for each object: its resource, the object as it is stored, the moment of the request, and the cells (and
conditions) of its row. Our own tests of printing hold what we compute against it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from printables import OBJECTS, PODS
from raw import RawClient

from dynkube.quantities import format_micro_time
from dynkube.testing import ControlPlane
from dynkube.testing.apiserver import recorded

TABLES = Path(__file__).parents[1] / "testing/apiserver/tables.jsonl"
NAMESPACE = "printed"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
# Nothing of the 200 objects of a fresh server but one of each kind of note.
BOOTSTRAP = {"default", "kubernetes", "cluster-admin", "exempt", "system", "v1.", "10.0.0.1", "etcd-0", "scheduler"}


def make(raw: RawClient, path: str, body: Any, status: Any) -> tuple[str, str]:
    """Create an object and set its status; returns its path and name."""
    text = json.dumps(body).replace('"%s"', f'"{NAMESPACE}"').replace("%%", "%")
    obj = json.loads(text)
    path = path.replace("%s", NAMESPACE)
    name, deletes = obj["metadata"]["name"], obj["metadata"].pop("_delete", False)
    answer = raw.request("POST", path, obj)
    if answer.status == 201 and status is not None:
        answer = raw.request("PUT", f"{path}/{name}/status", {**answer.json(), "status": status})
    if answer.status not in {200, 201}:
        raise SystemExit(f"{path}/{name}: {answer.body.decode()}")
    if deletes:
        raw.request("DELETE", f"{path}/{name}")
    return path, name


def rows(raw: RawClient, made: set[str]) -> Iterator[dict[str, Any]]:
    """The rows of what was made, and some of what a fresh server has."""
    for each in recorded.resources():
        if not each.list_kind:
            continue
        path = base(each.gvr.group, each.gvr.version) + each.gvr.resource
        stored = base(each.storage.group, each.storage.version) + each.gvr.resource
        objects = {key(item): item for item in raw.request("GET", stored).json()["items"]}
        asked = datetime.now(UTC)
        table = raw.request("GET", f"{path}?includeObject=Metadata", headers={"Accept": TABLE}).json()
        for row in table["rows"] or ():
            obj = objects[key(row["object"])]
            if obj["metadata"].get("namespace") == NAMESPACE or obj["metadata"]["name"] in made | BOOTSTRAP:
                obj["metadata"].pop("managedFields", None)
                where = {"resource": [each.gvr.group, each.gvr.version, each.gvr.resource]}
                yield where | {"now": format_micro_time(asked), "object": obj, **shown(row)}


def base(group: str, version: str) -> str:
    """Where the resources of a group version are."""
    return f"/apis/{group}/{version}/" if group else f"/api/{version}/"


def key(obj: Any) -> tuple[str, str]:
    """Namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def shown(row: Any) -> dict[str, Any]:
    """What a row shows."""
    return {name: row[name] for name in ("cells", "conditions") if name in row}


def main() -> None:
    """Make the objects, print them, write the lines."""
    with ControlPlane() as server:
        raw = RawClient(server.kubeconfig)
        raw.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        made = {make(raw, *each)[1] for each in (*PODS, *OBJECTS)}
        lines = [json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in rows(raw, made)]
    TABLES.write_text("\n".join(lines) + "\n")
    print(f"{TABLES}: {len(lines)} rows, {TABLES.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
