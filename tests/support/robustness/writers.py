"""A process that writes: straight to the server, with the standard library and none of dynkube.

``python writers.py KUBECONFIG PLAN LOG``: creates, changes and deletes objects until its standard input ends, and logs what
it knows of each write as a line of JSON. Every write carries a token of its own in an annotation; so whoever sees a
version can say which write it was. A write whose answer was lost is logged as unknown: it may have happened.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from raw import RawClient

__all__ = ["TOKEN", "body_of"]

TOKEN = "robustness/token"
SHARDS = 3
_PATIENCE = 5.0
_PAUSE = 0.02
# Characters of one to four bytes: a read may end within each.
_PAYLOAD = "x\u00fc\u20ac\U0001f600"


def body_of(kind: dict[str, Any], name: str, token: str) -> dict[str, Any]:
    """An object to create.

    Args:
        kind: of the plan: ``apiVersion``, ``kind``, ``path``, and what an object of it must have.
        name: its name.
        token: of this write.
    """
    metadata = {"name": name, **_marks(token)}
    return {"apiVersion": kind["apiVersion"], "kind": kind["kind"], "metadata": metadata, **kind["content"]}


def _marks(token: str) -> dict[str, Any]:
    number = int(token.rpartition(":")[2])
    return {
        "annotations": {TOKEN: token, "robustness/payload": _PAYLOAD * (number % 50)},
        "labels": {"shard": str(number % SHARDS)},
    }


class Writer:
    """One connection, one random sequence of writes."""

    def __init__(self, kubeconfig: str, plan: dict[str, Any], log: TextIO) -> None:
        self._raw = RawClient(kubeconfig)
        self._plan = plan
        self._dice = random.Random(plan["seed"])
        self._connection: http.client.HTTPSConnection | None = None
        self._number = 0
        self._log = log

    def write(self) -> None:
        """One write, whatever comes of it."""
        kind = self._dice.choice(self._plan["kinds"])
        name = f"{self._plan['prefix']}{self._dice.randrange(self._plan['names'])}"
        action = self._dice.choices(["create", "update", "delete", "deletecollection"], [35, 42, 22, 1])[0]
        self._number += 1
        token = f"{self._plan['name']}:{self._number}"
        getattr(self, action)(kind, name, token)

    def create(self, kind: dict[str, Any], name: str, token: str) -> None:
        self._send("create", "POST", kind, kind["path"], body_of(kind, name, token), name, token)

    def update(self, kind: dict[str, Any], name: str, token: str) -> None:
        self._send("update", "PATCH", kind, f"{kind['path']}/{name}", {"metadata": _marks(token)}, name, token)

    def delete(self, kind: dict[str, Any], name: str, token: str) -> None:
        self._send("delete", "DELETE", kind, f"{kind['path']}/{name}?gracePeriodSeconds=0", None, name, token)

    def deletecollection(self, kind: dict[str, Any], name: str, token: str) -> None:
        path = f"{kind['path']}?labelSelector=shard%3D{self._number % SHARDS}"
        self._send("deletecollection", "DELETE", kind, path, None, "", token)

    def _send(
        self, action: str, method: str, kind: dict[str, Any], path: str, body: Any, name: str, token: str
    ) -> None:
        entry: dict[str, Any] = {"action": action, "resource": kind["resource"], "name": name, "token": token}
        try:
            status, answer = self._request(method, path, body)
        except (OSError, http.client.HTTPException, ValueError):
            self._connection = None
            self._keep({**entry, "outcome": "unknown"})
            time.sleep(_PAUSE)
            return
        metadata = answer.get("metadata") or {}
        outcome = "done" if status < 300 else "refused" if status < 500 else "unknown"
        uid = metadata.get("uid") or (answer.get("details") or {}).get("uid") or ""
        if action in {"create", "update"} and "deletionTimestamp" in metadata:
            # It ended the object, and nothing was stored: the answer shows the version before with the contents that
            # were sent (kubernetes, registry/generic/registry/store.go: ShouldDeleteDuringUpdate).
            outcome = "unknown"
        self._keep({**entry, "outcome": outcome, "uid": uid, "version": metadata.get("resourceVersion", "")})

    def _keep(self, entry: dict[str, Any]) -> None:
        self._log.write(json.dumps(entry) + "\n")

    def _request(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            url = self._raw._url
            self._connection = http.client.HTTPSConnection(
                url.hostname or "", url.port, context=self._raw._tls, timeout=_PATIENCE
            )
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, {"Content-Type": kind, "Accept": "application/json"})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")


def main(kubeconfig: str, plan_path: str, log_path: str) -> None:
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    plan = json.loads(Path(plan_path).read_text())
    with open(log_path, "w", buffering=1) as log:
        writer = Writer(kubeconfig, plan, log)
        print("ready", flush=True)
        while not over.wait(plan["pause"]):
            writer.write()


if __name__ == "__main__":
    main(*sys.argv[1:])
