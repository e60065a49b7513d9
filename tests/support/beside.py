"""kubectl and dynkube side by side on one server: the same work on equal objects, and what each sent compared.

The API server's audit log tells the requests. Left out are discovery and other paths that are no resources, and a read
that only repeats the one before. What differs between equal objects is made equal: names, uids, times, versions.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kubectls import find_kubectls

import dynkube
from dynkube.testing import ControlPlane

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  userGroups: ["system:nodes", "system:serviceaccounts"]
- level: Request
"""
# How long to wait, where a watch begins and how a list is paged: each client's own.
_OWN_PARAMETERS = {
    "allowWatchBookmarks", "continue", "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeout",
    "timeoutSeconds",
}  # fmt: skip
_WRITES = {"create", "update", "patch", "delete", "deletecollection"}
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r'("resourceVersion": ")\d+'), r"\1<version>"),
)
_numbers = itertools.count(1)
_PREFIXES = re.compile(r"^(Error from server \(\w+\): |Error from server: |error: |The (?=\w+ \"))+")
_BEFORE_A_DRAINS_ERROR = re.compile(r"^.*There are pending nodes to be drained:\n [^\n]*\n", re.DOTALL)
_PROGRESS = re.compile(r"^(Warning: .*|error when evicting .*will retry.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Sent:
    """One request."""

    verb: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: str = ""

    @property
    def subject(self) -> str:
        """The object it is about, whichever subresource of it."""
        return self.path.removesuffix("/eviction")


@dataclass
class Done:
    """What one of the two did: its requests, what it said, and how it ended."""

    requests: list[Sent] = field(default_factory=list)
    out: str = ""
    err: str = ""
    status: int = 0
    error: dynkube.DynkubeError | None = None

    @property
    def lines(self) -> list[str]:
        """Its lines of progress, sorted: of things side by side."""
        return sorted([*self.out.splitlines(), *_PROGRESS.findall(self.err)])

    @property
    def refusal(self) -> list[str]:
        """Its errors, without what kubectl puts before them."""
        if not self.status:
            return []
        text = _BEFORE_A_DRAINS_ERROR.sub("", self.err)
        found = text.strip().removeprefix("[").removesuffix("]").replace(", cannot delete ", "\ncannot delete ")
        return sorted(_PREFIXES.sub("", line) for line in found.splitlines() if not line.startswith("Warning: "))


class AuditLog:
    """The requests in an API server's audit log."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def end(self) -> int:
        return self.path.stat().st_size

    @property
    def now(self) -> tuple[int, str]:
        """Where its end is, and when that was."""
        return self.end, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def since(self, start: tuple[int, str], agent: str) -> Iterator[Mapping[str, Any]]:
        """Each request after that of the client whose User-Agent begins so: ended ones, and watches that have begun."""
        position, moment = start
        seen = set()
        with self.path.open("rb") as file:
            if position:
                file.seek(position - 1)
                file.readline()  # the rest of a line that was being written then, or the end of a whole one
            for line in file:
                if not line.endswith(b"\n"):
                    return  # it is being written
                event = json.loads(line)
                mine = event.get("userAgent", "").startswith(agent) and event["requestReceivedTimestamp"] >= moment
                if mine and event["auditID"] not in seen:
                    seen.add(event["auditID"])
                    yield event


class Beside:
    """Two names, of a namespace and of a node each: kubectl works on those of one, dynkube on those of the other."""

    def __init__(
        self,
        plane: ControlPlane,
        client: dynkube.DynamicClient,
        tools: dynkube.DynamicClient,
        audit: AuditLog,
        name: str,
    ) -> None:
        self.plane = plane
        self.client = client
        self.tools = tools
        self.audit = audit
        self.names = {"kubectl": f"{name}-k", "dynkube": f"{name}-d"}
        self._program = next(iter(find_kubectls().values()))

    def each(self, work: Callable[[str], object]) -> None:
        """Do something for each of the two names: create its objects, wait for them."""
        for name in self.names.values():
            work(name)

    def both(self, arguments: str | Sequence[str], work: Callable[[str], object]) -> tuple[Done, Done]:
        """The same with kubectl and with dynkube, at the same time; ``{}`` in an argument is kubectl's name."""
        words = arguments.split() if isinstance(arguments, str) else arguments
        with ThreadPoolExecutor(1) as pool:
            kubectl = pool.submit(self.kubectl, *words)
            ours = self.dynkube(work)
            return kubectl.result(), ours

    def kubectl(self, *arguments: str, timeout: float = 100) -> Done:
        own, start = self.names["kubectl"], self.audit.now
        command = [self._program, f"--kubeconfig={self.plane.kubeconfig}", f"--namespace={own}"]
        command += [each.replace("{}", own) for each in arguments]
        home = {"HOME": str(self.plane.folder), "KUBECACHEDIR": str(self.plane.folder / "kubectl-cache")}
        done = subprocess.run(
            command, env=os.environ | home, text=True, capture_output=True, timeout=timeout, check=False
        )
        out, err = masked(done.stdout, own), masked(done.stderr, own)
        return Done(self._requests("kubectl", own, start), out, err, done.returncode)

    def dynkube(self, work: Callable[[str], object]) -> Done:
        """What it returns is ``out``, the text of an error is ``err``."""
        own, start = self.names["dynkube"], self.audit.now
        done = Done()
        try:
            done.out = masked(str(work(own)), own)
        except dynkube.DynkubeError as error:
            text = error.message if isinstance(error, dynkube.APIStatusError) else str(error)
            done.err, done.status, done.error = masked(text, own), 1, error
        done.requests = self._requests("dynkube", own, start)
        return done

    def states(self, read: Callable[[str], Mapping[str, Any]]) -> list[str]:
        """Both objects, as far as equal work makes them equal."""
        return [masked(json.dumps(_state(read(name)), sort_keys=True), name) for name in self.names.values()]

    def when_sent(self, verb: str, what: str, then: Callable[[str], object]) -> threading.Thread:
        """Once each of the two has sent such a request, do something for its name; join the thread."""
        start = self.audit.now
        waiting = dict(self.names)
        deadline = time.monotonic() + 60

        def watch() -> None:
            while waiting and time.monotonic() < deadline:
                time.sleep(0.05)
                for agent, name in list(waiting.items()):
                    events = self.audit.since(start, agent)
                    if any(each["verb"] == verb and what in each["requestURI"] for each in events):
                        del waiting[agent]
                        then(name)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return thread

    def _settle(self, start: tuple[int, str]) -> None:
        """A request may be answered a moment before it is logged: one more is sent, and waited for."""
        last = f"last-{next(_numbers)}"
        self.tools.resource("v1/configmaps").namespace("default").get_or_none(last)
        deadline = time.monotonic() + 20
        while not any(each["requestURI"].endswith(f"/{last}") for each in self.audit.since(start, "")):
            assert time.monotonic() < deadline, "the audit log does not grow"
            time.sleep(0.02)

    def _requests(self, agent: str, own: str, start: tuple[int, str]) -> list[Sent]:
        self._settle(start)
        found: list[Sent] = []
        for event in self.audit.since(start, agent):
            if "objectRef" not in event:
                continue
            sent = _sent(event, own)
            if own not in event["requestURI"] and "nope" not in event["requestURI"]:
                continue  # of what the test itself does meanwhile
            if sent.verb in _WRITES or not found or found[-1] != sent:
                found.append(sent)
        return found


def assert_equal(kubectl: Done, ours: Done, *, only_kubectl: Sequence[str] = (), sorted_: bool = False) -> None:
    """Both sent the same and were refused in the same words.

    Args:
        only_kubectl: ``"<verb> <end of the path>"`` of reads that kubectl alone does.
        sorted_: compare object by object; the order of things side by side is chance.
    """
    theirs, own = kubectl.requests, ours.requests
    for extra in only_kubectl:
        verb, _, end = extra.partition(" ")
        index = max(i for i, each in enumerate(theirs) if each.verb == verb and each.path.endswith(end))
        theirs = [*theirs[:index], *theirs[index + 1 :]]
    if sorted_:
        theirs, own = (sorted(each, key=lambda sent: sent.subject) for each in (theirs, own))
    assert own == theirs, "\n".join(["kubectl sent:", *map(str, theirs), "dynkube sent:", *map(str, own)])
    assert ours.refusal == kubectl.refusal, f"kubectl: {kubectl.err!r}, dynkube: {ours.err!r}"
    assert ours.status == kubectl.status, f"kubectl: {kubectl}"


def masked(text: str, own: str) -> str:
    text = text.replace(own, "<own>")
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def _sent(event: Mapping[str, Any], own: str) -> Sent:
    url = urlsplit(event["requestURI"])
    query = sorted((key, value) for key, value in parse_qsl(url.query) if key not in _OWN_PARAMETERS)
    body = json.dumps(_filled(event.get("requestObject") or {}), sort_keys=True) if event["verb"] in _WRITES else ""
    masked_query = tuple((key, masked(value, own)) for key, value in query)
    return Sent(event["verb"], masked(url.path, own), masked_query, masked(body, own))


def _filled(value: Any) -> Any:
    """Without empty values, some of which Go writes; a null is a word of a patch and stays."""
    if isinstance(value, dict):
        filled = {key: _filled(each) for key, each in value.items()}
        return {key: each for key, each in filled.items() if each not in ({}, [], "")}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return value


def _state(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: obj["metadata"].get(key) for key in ("name", "labels", "annotations", "generation")}
    owners = [
        {"manager": each["manager"], "fields": each["fieldsV1"]}
        for each in obj["metadata"].get("managedFields", ())
        if each["manager"].startswith("kubectl-")
    ]
    return {"metadata": metadata, "spec": obj.get("spec"), "owners": owners}
