"""A real control plane for tests: etcd and kube-apiserver, started in seconds and gone without a trace.

envtest for Python. The programs come from a folder that ``$KUBEBUILDER_ASSETS`` names (what
``setup-envtest`` fills); everything else, certificates, ports, data, is made afresh and removed.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynkube.errors import ConfigError
from dynkube.testing import kubeconfigs, programs
from dynkube.testing.apiclient import APIClient, post_to_etcd
from dynkube.testing.brokengroups import BrokenGroup
from dynkube.testing.errors import ControlPlaneError
from dynkube.testing.face import DEFAULT_TOKEN_USERS, ServerFace, checked_token_users
from dynkube.testing.pki import Authority, KeyPair
from dynkube.testing.processes import Guard, Process, wait_until
from dynkube.testing.rules import AccessRule

__all__ = ["ControlPlane"]

_GRACE_SECONDS = 10.0
_ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_SCRATCH_KEY = b"/dynkube/expired"


class ControlPlane(ServerFace):
    """etcd, kube-apiserver and, if asked, kube-controller-manager and test-node.

    A context manager; `start` and `stop` do the same by hand. Whatever happens to this process,
    the programs and their folder are gone a moment later: a guard process sees to it. One can
    be used from many threads; a child of ``os.fork`` must not use its parent's.

    Args:
        assets: The folder of the programs; default ``$KUBEBUILDER_ASSETS``.
        controller_manager: Also run kube-controller-manager (garbage collection, namespace
            deletion, service accounts, workload controllers). Without it the ServiceAccount
            admission plugin is off.
        test_node: Also run ``test-node``, if the folder has one: pods then run, as processes of
            this machine.
        api_server_args: More flags for kube-apiserver, after ours: ``("--v=4",)``.
        token_users: Users with a static token, and their groups: see `token_user`.
        startup_timeout: Seconds that a start may take until the server is ready.

    Raises:
        ConfigError: An argument is unusable, or there is no control plane where it says.
    """

    def __init__(
        self,
        assets: str | os.PathLike[str] | None = None,
        *,
        controller_manager: bool = False,
        test_node: bool = False,
        api_server_args: Sequence[str] = (),
        token_users: Mapping[str, Sequence[str]] = DEFAULT_TOKEN_USERS,
        startup_timeout: float = 60.0,
    ) -> None:
        wanted = [programs.ETCD, programs.API_SERVER]
        wanted += [programs.CONTROLLER_MANAGER] if controller_manager else []
        wanted += [programs.TEST_NODE] if test_node else []
        self._assets = programs.find_assets(assets, wanted)
        self._extra = _checked_flags(api_server_args)
        self._controller_manager = controller_manager
        self._test_node = test_node
        self._tokens = {user: (secrets.token_urlsafe(24), groups) for user, groups in checked_token_users(token_users)}
        self._startup_timeout = startup_timeout
        self._lock = threading.RLock()
        self._running: _Running | None = None

    def __repr__(self) -> str:
        running = self._running
        return f"<ControlPlane {running.url if running else 'stopped'}>"

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Start everything and return when the server is ready. A running one stays as it is.

        Raises:
            ControlPlaneError: A program died or was not ready in time; with the tail of its log.
        """
        with self._lock:
            if self._running is not None:
                return
            running = _Running(self._assets)
            self._finalizer = weakref.finalize(self, running.close)
            try:
                self._start(running)
            except BaseException:
                self._finalizer()
                raise
            self._running = running

    def stop(self) -> None:
        """Kill all programs and remove the folder, kubeconfigs included. Idempotent."""
        with self._lock:
            if self._running is not None:
                self._running = None
                self._finalizer()

    def _start(self, running: _Running) -> None:
        # etcd starts while we make the certificates; the API server waits for it by itself.
        running.start_etcd()
        authority = Authority("kubernetes-ca")
        running.authority = authority
        running.files.write_certificates(authority, self._tokens)
        admin = running.files.pki / "admin.crt", running.files.pki / "admin.key"
        running.client = APIClient(
            programs.LOOPBACK, running.port, ca=running.files.pki / "ca.crt", certificate=admin[0], key=admin[1]
        )
        pair = KeyPair(certificate=admin[0].read_bytes(), key=admin[1].read_bytes())
        running.write_kubeconfig(running.files.admin_kubeconfig, "admin", kubeconfigs.certificate_user(pair))
        self._start_api_server(running)
        self._start_companions(running)

    def _start_api_server(self, running: _Running) -> None:
        command = running.files.api_server(running.port, service_accounts=self._controller_manager, extra=self._extra)
        running.api_server = running.spawn(programs.API_SERVER, command)
        self._wait_ready(running)

    def _wait_ready(self, running: _Running) -> None:
        process = running.require_api_server()

        self._wait(process, running.lacks("/readyz", timeout=2.0), also=running.etcd)

    def _start_companions(self, running: _Running) -> None:
        if self._controller_manager:
            running.files.write_signing_authority(running.authority)
            manager = running.spawn(programs.CONTROLLER_MANAGER, running.files.controller_manager())
            self._wait(manager, running.lacks("/api/v1/namespaces/default/serviceaccounts/default"))
        if self._test_node:
            node = running.spawn(programs.TEST_NODE, running.files.test_node())
            self._wait(node, running.lacks_ready_node(programs.TEST_NODE))

    def _wait(self, process: Process, lacking: Callable[[], str], *, also: Process | None = None) -> None:
        wait_until(lacking, timeout=self._startup_timeout, process=process, also=also)

    # ------------------------------------------------------------------ what clients need

    @property
    def url(self) -> str:
        """``https://127.0.0.1:<port>``; the same after a restart."""
        return self._need().url

    @property
    def ca_data(self) -> bytes:
        """The certificate (PEM) of the authority that signed the server's."""
        return self._need().authority.certificate

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of the admin (group ``system:masters``), 0600; gone after `stop`."""
        return self._need().files.admin_kubeconfig

    @property
    def folder(self) -> Path:
        """Where data and logs are (``kube-apiserver.log``, ``etcd.log``); gone after `stop`."""
        return self._need().guard.folder

    def _certificate_kubeconfig(self, name: str, groups: Sequence[str]) -> Path:
        running = self._need()
        entry = kubeconfigs.certificate_user(running.authority.client(name, groups))
        return running.write_kubeconfig(running.new_kubeconfig_path(), name, entry)

    @property
    def _token_users(self) -> Sequence[str]:
        return tuple(self._tokens)

    def _token_kubeconfig(self, name: str) -> Path:
        running = self._need()
        entry = kubeconfigs.token_user(self._tokens[name][0])
        return running.write_kubeconfig(running.new_kubeconfig_path(), name, entry)

    def allow(self, rule: AccessRule) -> None:
        """See `ServerFace`; the API server takes a moment to follow."""
        super().allow(rule)
        running = self._need()
        for review in rule.reviews():
            self._wait(running.require_api_server(), running.lacks_access(review))

    def _create(self, path: str, obj: Mapping[str, Any]) -> dict[str, Any]:
        return self._need().client.call("POST", path, obj)

    # ------------------------------------------------------------------ trouble

    def pause(self) -> None:
        """Stop the API server's process where it is (SIGSTOP): connections stay open, nobody answers."""
        with self._lock:
            self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused API server go on."""
        with self._lock:
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the API server at once (SIGKILL); a dead one stays dead. Until `restart`, connecting is refused."""
        with self._lock:
            running = self._need()
            running.kill(running.require_api_server())

    def restart(self) -> None:
        """End the API server in an orderly way, unless it is dead already, and start it on the same port."""
        with self._lock:
            running = self._need()
            running.end(running.require_api_server())
            self._start_api_server(running)

    def restart_etcd(self) -> None:
        """Kill and start etcd, and return when the API server reads from it again. No data is lost.

        A SIGKILL: an orderly end takes etcd seven seconds, and what it has written is in the
        kernel's hands, whose death is the only one that `--unsafe-no-fsync` does not survive.
        """
        with self._lock:
            running = self._need()
            running.kill(running.require_etcd())
            running.start_etcd()
            # Of one object, without a resourceVersion: read from etcd, never from a cache.
            self._wait(running.require_api_server(), running.lacks("/api/v1/namespaces/default"), also=running.etcd)

    def expire_history(self) -> None:
        """Make everything before this moment too old: resourceVersions, and continue tokens.

        A list at an exact older resourceVersion and an older continue token get HTTP 410; a watch
        from an older resourceVersion gets an ERROR event with code 410.

        etcd's history is compacted up to a new revision while the API server is down, and the
        API server started anew: its caches (since 1.34 also snapshots, from which it serves
        lists) keep history of their own, which a compaction alone does not take away. So every
        connection is cut, too, and no client can hold a resourceVersion that is still good.
        """
        with self._lock:
            running = self._need()
            running.kill(running.require_api_server())
            self._compact(running.files.etcd_address)
            self._start_api_server(running)

    @staticmethod
    def _compact(etcd: Path) -> None:
        # https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/: keys and values are base64.
        key, value = (base64.b64encode(each).decode() for each in (_SCRATCH_KEY, b"expired"))
        revision = post_to_etcd(etcd, "/v3/kv/put", {"key": key, "value": value})["header"]["revision"]
        post_to_etcd(etcd, "/v3/kv/compaction", {"revision": revision, "physical": True})

    def break_group(self, group_version: str, how: str = "unavailable") -> BrokenGroup:
        """See `ServerFace`."""
        running = self._need()
        pki = running.files.pki

        def wait(lacking: Callable[[], str]) -> None:
            self._wait(running.require_api_server(), lacking)

        broken = BrokenGroup(
            running.client, wait, group_version, certificate=pki / "api-server.crt", key=pki / "api-server.key"
        )
        running.broken_groups.append(broken)
        broken.register(how)
        return broken

    def _signal(self, number: int) -> None:
        process = self._need().require_api_server()
        if not process.signal(number):
            raise ControlPlaneError(f"kube-apiserver is not running (status {process.exit_code}): call restart() first")

    def _need(self) -> _Running:
        running = self._running
        if running is None:
            raise ControlPlaneError("the control plane is not running: call start(), or use it as a context manager")
        return running


class _Running:
    """One run of a control plane: what exists between start and stop."""

    def __init__(self, assets: Path) -> None:
        self.port_holder: socket.socket = programs.reserve_port()
        self.port: int = self.port_holder.getsockname()[1]
        self.guard = Guard()
        self.files = programs.Files(folder=self.guard.folder, assets=assets)
        self.url = f"https://{programs.LOOPBACK}:{self.port}"
        self.environment = programs.program_environment()
        self.authority: Authority
        self.client: APIClient
        self.etcd: Process | None = None
        self.api_server: Process | None = None
        self.broken_groups: list[BrokenGroup] = []
        self._kubeconfigs = 0

    def close(self) -> None:
        for broken in self.broken_groups:
            broken.close()
        self.guard.close()
        self.port_holder.close()

    def spawn(self, name: str, command: Sequence[str]) -> Process:
        return self.guard.spawn(name, command, environment=self.environment)

    def start_etcd(self) -> None:
        self.etcd = self.spawn(programs.ETCD, self.files.etcd())

    def require_etcd(self) -> Process:
        assert self.etcd is not None
        return self.etcd

    def require_api_server(self) -> Process:
        assert self.api_server is not None
        return self.api_server

    def end(self, process: Process) -> None:
        """SIGTERM, and SIGKILL when that does not help. A paused process would never see the first."""
        process.signal(signal.SIGCONT)
        process.signal(signal.SIGTERM)
        if not process.wait(_GRACE_SECONDS):
            self.kill(process)

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        process.signal(signal.SIGKILL)
        if not process.wait(_GRACE_SECONDS):
            raise ControlPlaneError(f"{process.name} is still there {_GRACE_SECONDS:g} s after a SIGKILL")

    # ------------------------------------------------------------------ kubeconfigs

    def new_kubeconfig_path(self) -> Path:
        self._kubeconfigs += 1
        return self.guard.folder / f"user-{self._kubeconfigs}.kubeconfig"

    def write_kubeconfig(self, path: Path, user_name: str, entry: dict[str, str]) -> Path:
        return kubeconfigs.write_kubeconfig(
            path, url=self.url, ca=self.authority.certificate, user_name=user_name, user=entry
        )

    # ------------------------------------------------------------------ what lacks

    def lacks(self, path: str, *, timeout: float = 15.0) -> Callable[[], str]:
        def lacking() -> str:
            answer = self.client.send("GET", path, timeout=timeout)
            return "" if answer.ok else f"{path}: HTTP {answer.status}: {answer.text}"

        return lacking

    def lacks_ready_node(self, name: str) -> Callable[[], str]:
        def lacking() -> str:
            answer = self.client.send("GET", f"/api/v1/nodes/{name}")
            conditions = answer.json()["status"].get("conditions", ()) if answer.ok else ()
            ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
            return "" if ready else f"node {name} is not Ready"

        return lacking

    def lacks_access(self, review: Mapping[str, Any]) -> Callable[[], str]:
        def lacking() -> str:
            status = self.client.call("POST", _ACCESS_REVIEWS, {"spec": review}).get("status", {})
            return "" if status.get("allowed") else f"not yet allowed: {review}"

        return lacking


def _checked_flags(flags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(flags, str):
        raise ConfigError(f"api_server_args= must be a sequence of flags, such as ('--v=4',), not {flags!r}")
    wrong = [flag for flag in flags if not flag.startswith("--")]
    if wrong:
        raise ConfigError(f"api_server_args=: {wrong[0]!r} is no flag: write '--name=value'")
    return tuple(flags)
