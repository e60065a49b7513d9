"""Where a trial takes place: a server, a proxy that misbehaves, a user who may lose everything, and the writers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from networkfaults import FAULTS
from raw import RawClient

import dynkube
from dynkube.config import ExecConfig
from dynkube.testing import Fault, FaultProxy, SeenRequest, ServerFace
from robustness import writers
from robustness.schedules import Schedule, Step

__all__ = ["KINDS", "Arena"]

KINDS = ("configmaps", "pods", "relics")
"""The resources that are written and followed; the last one is a CRD's."""

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WRITERS = 3
_NAMES = 8
_WRITE_EVERY = 0.005
# After each step so many more writes are waited for, for so many seconds at most: a busy machine is no calm one.
_WRITES_PER_STEP, _WRITES_WITHIN = 15, 1.0
_DAY = 86_400
_END = "end:0"
_CALL_SECONDS = 1.5
_PATIENCE = 30.0
_PLUGIN_API = "client.authentication.k8s.io/v1"
_REFUSED = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"%b","code":%d}'
_EXPIRED = b'{"type":"ERROR","object":' + _REFUSED % (b"Expired", 410) + b"}\n"


class Arena:
    """The scene of one trial; a context manager.

    Args:
        server: a running one; it is there again, as it was, after the trial.
        schedule: what will happen.
        folder: for files.
    """

    def __init__(self, server: ServerFace, schedule: Schedule, folder: Path) -> None:
        self.server = server
        self.schedule = schedule
        self.namespace = f"trial-{schedule.seed}-{time.monotonic_ns() % 10**9}"
        self.group = f"{self.namespace}.robustness.dynkube.dev"
        self._folder = folder
        self._stack = ExitStack()
        self._writers: list[subprocess.Popen[bytes]] = []
        self._users = {name: dynkube.load_config(kubeconfig=server.token_user(name)) for name in ("one", "two")}
        self._user = "one"
        self._shift = 0.0

    def __enter__(self) -> Arena:
        with self._stack:
            self._set_up()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        self.raw = RawClient(self.server.kubeconfig)
        self._post("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self._stack.callback(self._clean)
        rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
        self._post(f"{_RBAC}/clusterroles", {"metadata": {"name": self.namespace}, "rules": [rule]})
        self._make_crd()
        self._give_permission()
        self.proxy = self._stack.enter_context(FaultProxy.before(self.server))
        self._give_token("one")
        self._plugin = self._folder / "plugin"
        self._plugin.write_text(f"#!/bin/sh\nexec cat {self._credential}\n")
        self._plugin.chmod(0o700)
        self._stack.enter_context(mock.patch("time.time", self._shifted(time.time)))
        for number in range(self.schedule.options.initial):
            for kind in self._kinds():
                self._post(kind["path"], writers.body_of(kind, f"early-{number}", f"early:{number}"))

    def _shifted(self, clock: Callable[[], float]) -> Callable[[], float]:
        def tell() -> float:
            return clock() + self._shift

        return tell

    def _clean(self) -> None:
        self.raw.request("DELETE", f"{_CRDS}/{self._crd_name}")
        self.raw.request("DELETE", f"{_RBAC}/clusterrolebindings/{self.namespace}")
        self.raw.request("DELETE", f"{_RBAC}/clusterroles/{self.namespace}")
        self.raw.request("DELETE", f"/api/v1/namespaces/{self.namespace}")

    # ------------------------------------------------------------------ clients and contents

    def config(self) -> dynkube.RESTConfig:
        """How a client comes to the server: by the proxy, with a plugin's token."""
        plugin = ExecConfig(command=str(self._plugin), api_version=_PLUGIN_API, interactive_mode="Never")
        tls = dynkube.TLSConfig(ca_data=self.proxy.ca_data)
        return dynkube.RESTConfig(host=self.proxy.url, tls=tls, exec=plugin, timeout=_CALL_SECONDS)

    def resource(self, plural: str) -> dynkube.GroupVersionResource:
        """One of `KINDS`."""
        return dynkube.GroupVersionResource(self.group if plural == "relics" else "", "v1", plural)

    def objects(self, plural: str) -> list[dict[str, Any]]:
        """What the server has, asked past everything that is tested."""
        path = next(kind["path"] for kind in self._kinds() if kind["resource"] == plural)
        answer = self.raw.request("GET", path)
        assert answer.status == 200, answer
        listed = answer.json()
        kind = listed["kind"].removesuffix("List")
        return [{"apiVersion": listed["apiVersion"], "kind": kind, **obj} for obj in listed["items"]]

    def lists(self, plural: str) -> int:
        """How often the followers have asked for all objects of a resource anew."""
        path = next(kind["path"] for kind in self._kinds() if kind["resource"] == plural)
        asked = [each for each in self.proxy.requests if each.path == path]
        anew = [each for each in asked if "watch=" not in each.query or "sendInitialEvents=true" in each.query]
        return sum(1 for each in anew if "continue=" not in each.query)

    def _kinds(self) -> Iterator[dict[str, Any]]:
        core, custom = f"/api/v1/namespaces/{self.namespace}", f"/apis/{self.group}/v1/namespaces/{self.namespace}"
        pod = {"spec": {"containers": [{"name": "main", "image": "registry.example/main:1"}]}}
        yield _kind("configmaps", "v1", "ConfigMap", f"{core}/configmaps", {"data": {"a": "1"}})
        yield _kind("pods", "v1", "Pod", f"{core}/pods", pod)
        yield _kind("relics", f"{self.group}/v1", "Relic", f"{custom}/relics", {"spec": {"a": 1}})

    # ------------------------------------------------------------------ writers

    def start_writers(self) -> None:
        """Start them, and return when they write."""
        for number in range(_WRITERS):
            plan = {
                "name": f"writer-{number}",
                "seed": self.schedule.seed * 10 + number,
                "kinds": list(self._kinds()),
                "prefix": "early-" if number == 0 and self.schedule.options.initial else "thing-",
                "names": _NAMES,
                "pause": _WRITE_EVERY,
            }
            (self._folder / f"plan-{number}").write_text(json.dumps(plan))
            files = [str(self.server.kubeconfig), *(str(self._folder / f"{each}-{number}") for each in ("plan", "log"))]
            command = [sys.executable, writers.__file__, *files]
            writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._stack.callback(_end, writer)
            self._writers.append(writer)
        for writer in self._writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"

    def end_writers(self) -> list[dict[str, Any]]:
        """End them; what they know that they wrote, the initial objects included."""
        for writer in self._writers:
            writer.communicate(timeout=_PATIENCE)
            assert writer.returncode == 0
        entries = [json.loads(line) for log in self._logs for line in log.read_text().splitlines()]
        ours = [_END, *(f"early:{number}" for number in range(self.schedule.options.initial))]
        return entries + [
            {"resource": plural, "token": token, "outcome": "unknown"} for plural in KINDS for token in ours
        ]

    def mark_the_end(self) -> None:
        """Create an object more of each kind: who has it has come past everything before.

        Without it an informer that is behind may have the server's last state for a moment, and then, on its way there,
        an object that came and went meanwhile.
        """
        for kind in self._kinds():
            self._post(kind["path"], writers.body_of(kind, "the-end", _END))

    @property
    def _logs(self) -> list[Path]:
        return [self._folder / f"log-{number}" for number in range(_WRITERS)]

    def _signal_writers(self, number: signal.Signals) -> None:
        for writer in self._writers:
            os.kill(writer.pid, number)

    # ------------------------------------------------------------------ faults

    def perform(self, step: Step) -> None:
        """Do what a step says, and undo it."""
        if step.name in _INJECTED:
            self._inject(step)
        else:
            methods: dict[str, Callable[[Step], None]] = {
                "cut": lambda _: self.proxy.cut_all(),
                "reset": lambda _: self.proxy.reset_all(),
                "stall": self._stall,
                "stall and cut": self._stall,
                "refuse": self._refuse,
                "refuse, then expired": self._refuse,
                "history expired": lambda _: self.server.expire_history(),
                "API server killed": self._kill,
                "API server restarted": lambda _: self.server.restart(),
                "API server paused": self._pause,
                "etcd restarted": lambda _: self.server.restart_etcd(),  # type: ignore[attr-defined]
                "token revoked": self._revoke,
                "permission lost": self._forbid,
                "CRD recreated": self._recreate_crd,
                "clock a day on": lambda step: self._shift_clock(_DAY, step),
                "clock a day back": lambda step: self._shift_clock(-_DAY, step),
                "writers pause": self._pause_writers,
            }
            methods[step.name](step)
        time.sleep(step.rest)

    def let_write(self) -> None:
        """Let the writers write a little."""
        wanted = self._logged() + _WRITES_PER_STEP
        end = time.monotonic() + _WRITES_WITHIN
        while self._logged() < wanted and time.monotonic() < end:
            time.sleep(0.005)

    def _logged(self) -> int:
        return sum(log.read_bytes().count(b"\n") for log in self._logs)

    def end_faults(self) -> None:
        """Everything works again."""
        self.proxy.clear()
        self.proxy.resume()

    def _inject(self, step: Step) -> None:
        watches = step.number % 3 > 0  # else lists, when they come
        self._inject_into(_INJECTED[step.name](step.number), times=1 + step.number % 4, watches=watches)
        if step.number % 2:
            self.proxy.cut_all()  # so that its requests come now
        time.sleep(step.lasts)

    def _inject_into(self, fault: Fault, *, times: int, watches: bool) -> None:
        def fits(seen: SeenRequest) -> bool:
            return self.namespace in seen.target and ("watch=" in seen.query) is watches

        self.proxy.inject(fault, when=fits, times=times)

    def _stall(self, step: Step) -> None:
        self.proxy.stall()
        time.sleep(step.lasts)
        if step.name == "stall and cut":
            self.proxy.cut_all()
        self.proxy.resume()

    def _refuse(self, step: Step) -> None:
        self.proxy.refuse(after_accept=bool(step.number % 2))
        self.proxy.cut_all()
        time.sleep(step.lasts)
        if step.name == "refuse, then expired":  # what happened meanwhile can only be found by comparison
            self._inject_into(Fault.answer(200, body=_EXPIRED), times=2 * len(KINDS), watches=True)
        self.proxy.accept()

    def _kill(self, step: Step) -> None:
        self.server.kill()
        time.sleep(step.lasts)
        self.server.restart()

    def _pause(self, step: Step) -> None:
        self.server.pause()
        time.sleep(step.lasts)
        self.server.resume()

    def _revoke(self, step: Step) -> None:
        # A server takes seconds to mind a revoked token: the first refusals are the proxy's, those of the new one not.
        self._write_credential("no-token-of-this-server")
        refused = self.proxy.inject(Fault.answer(401, body=_REFUSED % (b"Unauthorized", 401)), times=3)
        self.proxy.cut_all()
        time.sleep(step.lasts)
        refused.remove()
        self._give_token("two" if self._user == "one" else "one")

    def _forbid(self, step: Step) -> None:
        self._delete(f"{_RBAC}/clusterrolebindings/{self.namespace}")
        self.proxy.cut_all()
        time.sleep(step.lasts)
        self._give_permission()

    def _recreate_crd(self, step: Step) -> None:
        self._delete(f"{_CRDS}/{self._crd_name}")
        time.sleep(step.lasts)
        self._make_crd()

    def _shift_clock(self, seconds: float, step: Step) -> None:
        self._shift = seconds
        time.sleep(step.lasts)
        if step.number % 2:
            self._shift = 0.0

    def _pause_writers(self, step: Step) -> None:
        self._signal_writers(signal.SIGSTOP)
        time.sleep(step.lasts)
        self._signal_writers(signal.SIGCONT)

    # ------------------------------------------------------------------ what may be taken away

    @property
    def _credential(self) -> Path:
        return self._folder / "credential"

    def _give_token(self, user: str) -> None:
        self._user = user
        self._write_credential(self._users[user].bearer_token)

    def _write_credential(self, token: str) -> None:
        credential = {"kind": "ExecCredential", "apiVersion": _PLUGIN_API, "status": {"token": token}}
        new = self._credential.with_suffix(".new")
        new.write_text(json.dumps(credential))
        new.replace(self._credential)

    def _give_permission(self) -> None:
        subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name} for name in ("one", "two")]
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.namespace}
        binding = {"metadata": {"name": self.namespace}, "subjects": subjects, "roleRef": role}
        self._post(f"{_RBAC}/clusterrolebindings", binding)

    @property
    def _crd_name(self) -> str:
        return f"relics.{self.group}"

    def _make_crd(self) -> None:
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": "relics", "singular": "relic", "kind": "Relic"}
        spec = {"group": self.group, "scope": "Namespaced", "names": names, "versions": [version]}
        self._post(_CRDS, {"metadata": {"name": self._crd_name}, "spec": spec})
        path = next(kind["path"] for kind in self._kinds() if kind["resource"] == "relics")
        _until(lambda: self.raw.request("GET", path).status == 200, f"{path} to be served")

    # ------------------------------------------------------------------ the admin

    def _post(self, path: str, body: dict[str, Any]) -> None:
        def created() -> bool:
            answer = self.raw.request("POST", path, body)
            # A new resource is served a moment after it says so, and may be busy then.
            assert answer.status in {201, 404, 409, 429, 500, 503}, (path, answer.status, answer.body)
            return answer.status == 201

        _until(created, f"{path} to take {body['metadata']['name']}")

    def _delete(self, path: str) -> None:
        assert self.raw.request("DELETE", path).status == 200
        _until(lambda: self.raw.request("GET", path).status == 404, f"{path} to be gone")


def _kind(resource: str, api_version: str, kind: str, path: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"resource": resource, "apiVersion": api_version, "kind": kind, "path": path, "content": content}


def _body_fault(make: Callable[..., Fault]) -> Callable[[int], Fault]:
    return lambda number: make(after_body_bytes=number % 4000)


_INJECTED: dict[str, Callable[[int], Fault]] = {
    "dribble": lambda number: Fault.dribble(size=1 + number % 64, interval=0.001, after_body_bytes=number % 500),
    "half-open": lambda number: Fault.stall(after_chunks=number % 5),
    "cut in the body": _body_fault(Fault.cut),
    "reset in the body": _body_fault(Fault.reset),
    "half-close in the body": _body_fault(Fault.half_close),
    "stall in the body": _body_fault(Fault.stall),
    "truncated chunk": lambda _: FAULTS["truncated chunk"](),
    "corrupt gzip": lambda _: FAULTS["corrupt gzip"](),
    "refused with 429": lambda number: FAULTS["429, come again" if number % 2 else "429"](),
    "refused with 500": lambda _: FAULTS["500"](),
    "refused with 503": lambda number: FAULTS["503, come again" if number % 2 else "503"](),
    "refused with 504": lambda _: FAULTS["504"](),
    "expired by the proxy": lambda number: (
        Fault.answer(410, body=_REFUSED % (b"Expired", 410)) if number % 2 else Fault.answer(200, body=_EXPIRED)
    ),
}


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited {_PATIENCE:g} s for {what}"
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()
