"""The same request to two servers: the real one judges, the embedded one is judged.

A case is a short sequence of requests; each is sent to the real kube-apiserver and to the embedded one,
and the answers must be equal but for what must differ (uids, times, resourceVersions, cluster IPs).
Where there is no control plane the requests go to the embedded server alone, and the case's own asserts
are what is left.

    def test_a_missing_object(both):
        answer = both.get(f"/api/v1/namespaces/{both.namespace}/configmaps/none")
        assert answer.json()["reason"] == "NotFound"

Where a body or a path depends on what its server said before, give a function of the `Side`:

    both.put(path, lambda side: side.last.json() | {"data": {"a": "1"}})
"""

from __future__ import annotations

import difflib
import itertools
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from raw import Answer, RawClient

PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}

# Of their own: when and how long, ids, what a server without a flow controller does not say.
IGNORED_HEADERS = {
    "audit-id", "date", "content-length", "transfer-encoding", "connection",
    "x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid",
}  # fmt: skip
MASKED_FIELDS = {
    "uid": "<uid>",
    "resourceVersion": "<rv>",
    "clusterIP": "<ip>",
    "clusterIPs": "<ips>",
    "continue": "<token>",
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_HTTP_TIME = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|UTC)")
_numbers = itertools.count(1)


class Side:
    """One of the two servers, and what it has answered so far."""

    def __init__(self, name: str, raw: RawClient) -> None:
        self.name = name
        self.raw = raw
        self.answers: list[Answer] = []

    @property
    def last(self) -> Answer:
        return self.answers[-1]


class Both:
    """Sends each request to every side and compares what comes back."""

    def __init__(self, sides: Sequence[Side], namespace: str) -> None:
        self.sides = sides
        self._name = namespace
        self._made = False

    # ------------------------------------------------------------------ where

    @property
    def unique(self) -> str:
        """A name that no other case uses, the same on both servers."""
        return f"{self._name}-{next(_numbers)}"

    @property
    def namespace(self) -> str:
        """A namespace of the case's own, made when it is first asked for."""
        if not self._made:
            self._made = True
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._name}}
            for side in self.sides:
                answer = side.raw.request("POST", "/api/v1/namespaces", body)
                assert answer.status == 201, (side.name, answer.body)
        return self._name

    def clean(self) -> None:
        for side in self.sides if self._made else ():
            side.raw.request("DELETE", f"/api/v1/namespaces/{self._name}")

    # ------------------------------------------------------------------ requests

    def request(
        self,
        method: str,
        path: str | Callable[[Side], str],
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        mask: Callable[[Any], Any] | None = None,
        compare: bool = True,
    ) -> Answer:
        """Send one request to both; the real server's answer (the embedded one's where it is alone).

        Args:
            method: the HTTP method.
            path: with the query; or a function of the side.
            body: a dict is sent as JSON, bytes as they are; or a function of the side.
            headers: beside Accept and Content-Type of JSON.
            mask: makes more of a decoded body equal: what this case does not speak of.
            compare: False for what only sets the scene.
        """
        for side in self.sides:
            where = path(side) if callable(path) else path
            what = body(side) if callable(body) else body
            side.answers.append(side.raw.request(method, where, what, headers=headers))
        if compare:
            self._compare(f"{method} {path if isinstance(path, str) else '...'}", mask)
        return self.sides[0].last

    def get(self, path: str | Callable[[Side], str], **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str | Callable[[Side], str], body: Any, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def put(self, path: str | Callable[[Side], str], body: Any, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def delete(self, path: str | Callable[[Side], str], body: Any = None, **options: Any) -> Answer:
        return self.request("DELETE", path, body, **options)

    def patch(self, path: str | Callable[[Side], str], body: Any, kind: str = "merge", **options: Any) -> Answer:
        """``kind``: json, merge, strategic or apply (with ``?fieldManager=`` in the path)."""
        headers = {**(options.pop("headers", None) or {}), "Content-Type": PATCHES[kind]}
        what = json.dumps(body).encode() if isinstance(body, list) else body
        return self.request("PATCH", path, what, headers=headers, **options)

    def apply(self, path: str, body: Any, manager: str, *, force: bool = False, **options: Any) -> Answer:
        """Server-side apply by a field manager."""
        query = {"fieldManager": manager} | ({"force": "true"} if force else {})
        return self.patch(f"{path}{'&' if '?' in path else '?'}{urlencode(query)}", body, "apply", **options)

    def watch(self, path: str | Callable[[Side], str], *, seconds: int = 1, **options: Any) -> list[dict[str, Any]]:
        """All events of a watch that the server ends after ``seconds``, bookmarks left out; compared, too."""

        def where(side: Side) -> str:
            plain = path(side) if callable(path) else path
            return f"{plain}{'&' if '?' in plain else '?'}watch=true&timeoutSeconds={seconds}"

        self.request("GET", where, compare=False, **options)
        self._compare(f"WATCH {path if isinstance(path, str) else '...'}", None)
        return events(self.sides[0].last)

    # ------------------------------------------------------------------ the judgement

    def _compare(self, what: str, mask: Callable[[Any], Any] | None) -> None:
        if len(self.sides) < 2:
            return
        real, embedded = (_shown(side.last, mask) for side in self.sides)
        if real != embedded:
            lines = difflib.unified_diff(
                real.splitlines(), embedded.splitlines(), self.sides[0].name, self.sides[1].name, lineterm="", n=4
            )
            raise AssertionError(f"{what}: the servers differ\n" + "\n".join(lines))


def events(answer: Answer) -> list[dict[str, Any]]:
    """The events of a watch that has ended, without bookmarks."""
    told = [json.loads(line) for line in answer.body.splitlines() if line.strip()]
    return [event for event in told if event.get("type") != "BOOKMARK"]


def masked(value: Any, field: str = "") -> Any:
    """The value with what must differ between two servers made equal."""
    if value and field in MASKED_FIELDS:
        return MASKED_FIELDS[field]
    if isinstance(value, dict):
        return {name: masked(each, name) for name, each in value.items()}
    if isinstance(value, list):
        shown = [masked(each) for each in value]
        # Managers come in the order of their times, which are masked: the clock may have moved between the servers.
        return sorted(shown, key=_manager) if field == "managedFields" else shown
    if isinstance(value, str):
        return _HTTP_TIME.sub("<time>", _TIME.sub("<time>", _UUID.sub("<uid>", value)))
    return value


def _manager(entry: Any) -> tuple[str, ...]:
    names = ("operation", "manager", "subresource", "apiVersion")
    return tuple(str(entry.get(name)) for name in names) if isinstance(entry, dict) else ()


def _shown(answer: Answer, mask: Callable[[Any], Any] | None) -> str:
    lines = [f"HTTP {answer.status}"]
    headers = [
        f"{name}: {'<etag>' if name.lower() == 'etag' else masked(value)}"
        for name, value in answer.headers.items()
        if name.lower() not in IGNORED_HEADERS
    ]
    lines += sorted(headers, key=str.lower)
    return "\n".join(lines + [_text(each, mask) for each in _documents(answer)])


def _documents(answer: Answer) -> list[Any]:
    """The body decoded: one document, or one for each event of a watch."""
    text = answer.body.decode("utf-8", "replace")
    try:
        return [json.loads(text)]
    except ValueError:
        pass
    try:
        told = events(answer)
    except (ValueError, AttributeError):
        return [text]
    return told or [text]


def _text(document: Any, mask: Callable[[Any], Any] | None) -> str:
    if isinstance(document, str):
        return str(masked(document))
    shown = masked(document)
    return json.dumps(mask(shown) if mask else shown, indent=1, sort_keys=True, ensure_ascii=False)


def new_namespace() -> str:
    """A namespace name for one case."""
    return f"both-{os.getpid()}-{next(_numbers)}"
