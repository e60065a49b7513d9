"""`APIServer`: the embedded server's face, the same that `ControlPlane` has, and what only it can do."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynkube.errors import ConfigError
from dynkube.testing.errors import ControlPlaneError
from dynkube.testing.face import DEFAULT_TOKEN_USERS, ServerFace, checked_token_users

if TYPE_CHECKING:
    from dynkube.schema import GroupVersionResource
    from dynkube.testing.apiserver.access import Refusal
    from dynkube.testing.apiserver.running import Running
    from dynkube.testing.apiserver.streaming.handlers import Pods
    from dynkube.testing.apiserver.streaming.sessions import ProxyHandler
    from dynkube.testing.apiserver.testbench.aggregatedapis import AggregatedAPI
    from dynkube.testing.apiserver.testbench.audit import AuditedRequest
    from dynkube.testing.apiserver.testbench.faults import Faults
    from dynkube.testing.apiserver.testbench.hooks import Hook, Write
    from dynkube.testing.apiserver.testbench.manifests import Manifest

__all__ = ["APIServer"]

_LOOPBACK = "127.0.0.1"
_LAST_PORT = 65_535


def _utc_now() -> datetime:
    return datetime.now(UTC)


class APIServer(ServerFace):
    """A Kubernetes API server in this process, over HTTPS on loopback: started in milliseconds, no binaries.

    A context manager; `start` and `stop` do the same by hand. It answers as kube-apiserver 1.36
    answers, and keeps what it is told until it stops; there is no cluster behind it. One can be used
    from many threads, and several at once; a child of ``os.fork`` must not use its parent's.

    ::

        with APIServer(objects=["crds/", "deployment.yaml"]) as server:
            client = server.connect()
            with server.faults.inject(ServerFault.answer(503, retry_after=1), verb="list"):
                ...
            assert [each.verb for each in server.requests if each.resource == "widgets"] == ["list", "list"]

    Args:
        objects: What is there from the start, and again after `reset`: files and folders of YAML or
            JSON, and dicts; see `load`.
        host: Where to listen.
        port: 0 for a free one.
        allow_remote: Whether ``host`` may be an address that other machines reach.
        token_users: Users with a static token, and their groups: see `token_user`.
        clock: Tells the time that objects get (creationTimestamp, deletionTimestamp, managedFields),
            as a datetime with its zone; default: now.
        run_workloads: Whether pods become Running and workloads Available, as if there were nodes and
            controllers; no pods are made for a workload.

    Raises:
        ConfigError: An argument is unusable.
    """

    def __init__(
        self,
        *,
        objects: Iterable[Manifest] = (),
        host: str = _LOOPBACK,
        port: int = 0,
        allow_remote: bool = False,
        token_users: Mapping[str, Sequence[str]] = DEFAULT_TOKEN_USERS,
        clock: Callable[[], datetime] = _utc_now,
        run_workloads: bool = False,
    ) -> None:
        self._host = _checked_host(host, allow_remote=allow_remote)
        self._port = _checked_port(port)
        self._objects = objects if isinstance(objects, (str, os.PathLike, Mapping)) else tuple(objects)
        self._users = dict(checked_token_users(token_users))
        self._clock = clock
        self._run_workloads = run_workloads
        self._lock = threading.RLock()
        self._running: Running | None = None

    def __repr__(self) -> str:
        running = self._running
        return f"<APIServer {running.url if running else 'stopped'}>"

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Start, and return when requests are answered. A running one stays as it is.

        Raises:
            ConfigError: The address cannot be had.
            InvalidRequestError: Some of ``objects=`` is no object, or is refused.
        """
        _import_ahead("aiohttp.web")
        from dynkube.testing.apiserver.running import Running

        with self._lock:
            if self._running is not None:
                return
            try:
                running = Running(host=self._host, port=self._port, clock=self._clock, token_users=self._users)
            except OSError as error:
                raise ConfigError(f"APIServer: cannot listen on {self._host}:{self._port}: {error.strerror}") from error
            self._finalizer = weakref.finalize(self, running.close)
            try:
                self._fill(running)
                running.listen()
            except BaseException:
                self._finalizer()
                raise
            self._running = running

    def _fill(self, running: Running) -> None:
        if self._run_workloads:
            from dynkube.testing.apiserver.testbench.standin import WorkloadsRun

            running.call(lambda backend: backend.hooks.add(WorkloadsRun(self._clock)))
        if self._objects:
            running.load(self._objects)
        running.call(lambda backend: backend.keep())

    def stop(self) -> None:
        """Cut all connections; objects and kubeconfigs are gone. Idempotent."""
        with self._lock:
            if self._running is not None:
                self._running = None
                self._finalizer()

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
        return self._need().admin_kubeconfig

    def _certificate_kubeconfig(self, name: str, groups: Sequence[str]) -> Path:
        return self._need().certificate_kubeconfig(name, groups)

    @property
    def _token_users(self) -> Sequence[str]:
        return tuple(self._users)

    def _token_kubeconfig(self, name: str) -> Path:
        return self._need().token_kubeconfig(name)

    def _create(self, path: str, obj: Mapping[str, Any]) -> dict[str, Any]:
        created: dict[str, Any] = self._need().write(lambda backend: backend.insider.call("POST", path, dict(obj)))
        return created

    def refuse(self, refusal: Refusal) -> Callable[[], None]:
        """Refuse what a rule describes with a 403, whatever RBAC allows, also the admin's.

        Returns:
            What takes the rule back.
        """
        running = self._need()

        def withdraw(backend: Any) -> None:
            if refusal in backend.api.access.refusals:
                backend.api.access.refusals.remove(refusal)

        running.call(lambda backend: backend.api.access.refusals.append(refusal))
        return lambda: running.call(withdraw)

    # ------------------------------------------------------------------ trouble

    @property
    def faults(self) -> Faults:
        """What goes wrong, and with which requests: `Faults.inject`."""
        return self._need().backend.faults

    def pause(self) -> None:
        """Stand still, as a process that got a SIGSTOP: connections stay open, nobody answers.

        Raises:
            ControlPlaneError: It was killed.
        """
        with self._lock:
            self._need().pause()

    def resume(self) -> None:
        """Go on after `pause`.

        Raises:
            ControlPlaneError: It was killed.
        """
        with self._lock:
            self._need().resume()

    def kill(self) -> None:
        """Cut all connections, as a process that got a SIGKILL. Until `restart`, connecting is refused.

        What is stored stays, as etcd's would.
        """
        with self._lock:
            self._need().kill()

    def restart(self) -> None:
        """End watches and connections in an orderly way, unless it was killed, and listen on the same port."""
        with self._lock:
            self._need().restart()

    def expire_history(self) -> None:
        """Make everything before this moment too old: resourceVersions, and continue tokens.

        A list at an exact older resourceVersion and an older continue token get HTTP 410; a watch
        from an older resourceVersion gets an ERROR event with code 410. Every connection is cut.
        """
        with self._lock:
            self._need().cut(lambda backend: backend.store.expire_history())

    def break_group(self, group_version: str, how: str = "unavailable") -> AggregatedAPI:
        """See `ServerFace`; it is shown at once."""
        running = self._need()
        return running.call(lambda backend: backend.aggregated.add(group_version, how, running.loop.call))

    # ------------------------------------------------------------------ what has happened

    @property
    def requests(self) -> Sequence[AuditedRequest]:
        """What was asked since the start or `reset`, the oldest first; of very many, the latest.

        A request is here when its answer begins; one that still waits is not.
        """
        return self._need().backend.audit.requests

    def wait_for_request(
        self,
        timeout: float = 10.0,
        *,
        method: str = "",
        path: str = "",
        verb: str = "",
        resource: str = "",
        name: str = "",
        count: int = 1,
    ) -> None:
        """Wait until ``count`` requests, of all in `requests`, fit.

        Args:
            timeout: Seconds to wait at most.
            method: Of this HTTP method.
            path: Whose path begins so.
            verb: Of this verb of Kubernetes.
            resource: On this resource.
            name: On the object of this name.
            count: How many.

        Raises:
            TimeoutError: They have not come in time.
        """
        wanted = {"method": method.upper(), "verb": verb, "resource": resource, "name": name}
        wanted = {field: value for field, value in wanted.items() if value}

        def fits(request: AuditedRequest) -> bool:
            return request.path.startswith(path) and all(
                getattr(request, field) == value for field, value in wanted.items()
            )

        shown = " ".join([*wanted.values(), path] if path else wanted.values())
        self._need().backend.audit.wait_for(fits, count, timeout, f"{count} requests {shown}".rstrip())

    def history(self, resource: str | GroupVersionResource, namespace: str, name: str) -> Sequence[Write]:
        """What happened to an object, the oldest first, as far back as the server remembers.

        Args:
            resource: Its plural: ``pods``, ``deployments.apps``, ``apps/v1/deployments``, or as a value.
            namespace: "" for what is in none.
            name: Its name.

        Raises:
            InvalidRequestError: No such resource is served.
        """
        return self._need().call(lambda backend: backend.history(resource, namespace, name))

    @property
    def encodings(self) -> int:
        """How often an object was encoded since the start: once for each write, however many watches tell of it."""
        return self._need().backend.store.encodings

    # ------------------------------------------------------------------ what is there

    def load(self, *objects: Manifest) -> None:
        """Create objects, or replace those that are there, with the status that they say they have.

        CRDs come first, and are established when what follows is created; an object that names no
        namespace goes to ``default``.

        Args:
            *objects: Files and folders of YAML or JSON, and dicts.

        Raises:
            InvalidRequestError: Some is no object, or is refused; the message says where it stands.
            ControlPlaneError: The server is paused.
        """
        self._need().load(objects)

    def reset(self) -> None:
        """Bring back what was there at the start, and forget everything else.

        Objects are those of ``objects=``; faults, broken groups and `requests` are gone; every
        connection is cut and every resourceVersion too old. Hooks stay.
        """
        with self._lock:
            self._need().cut(lambda backend: backend.reset())

    def on_write(self, hook: Hook, resource: str | GroupVersionResource = "") -> Callable[[], None]:
        """Call a function after each write, or after each one to one resource.

        It is called in the server's thread, soon after the write and before the server answers
        anything else; it must not block, nor ask the server by a client. An object that it returns
        is written, its status included: a controller in a function. When it raises, that is logged.

        ::

            def bound(write):
                if write.type == "ADDED":
                    return {**write.object, "status": {"phase": "Bound"}}

            server.on_write(bound, "persistentvolumeclaims")

        Returns:
            What removes it.

        Raises:
            InvalidRequestError: No such resource is served.
        """
        running = self._need()

        def add(backend: Any) -> Callable[[], None]:
            found = backend.insider.resource(resource).gvr if resource else None
            remove: Callable[[], None] = backend.hooks.add(hook, found)
            return remove

        remove = running.call(add)
        return lambda: running.call(lambda _: remove())

    @property
    def pods(self) -> Pods:
        """What stands behind the pods: handlers of their logs, exec, attach and port-forward.

        They outlive `reset`; the logs that `Pods.log` holds do not.
        """
        return self._need().backend.api.behind.pods

    def on_proxy(
        self, handler: ProxyHandler | str | bytes, *, resource: str = "", namespace: str = "", name: str = ""
    ) -> Callable[[], None]:
        """Answer what is asked of a pod, a service or a node through the server (``.../proxy/...``).

        Args:
            handler: A function of a `ProxyRequest`, called in a thread of its own, that gives a `ProxyResponse`
                or the text of a page; or such a text.
            resource: Only of ``pods``, ``services`` or ``nodes``; "" for all.
            namespace: Only in this namespace.
            name: Only of this name.

        Returns:
            What takes the handler back.

        Raises:
            InvalidRequestError: There is no proxy to such a resource.
        """
        return self._need().backend.api.behind.proxies.add(handler, resource, namespace, name)

    def _need(self) -> Running:
        running = self._running
        if running is None:
            raise ControlPlaneError("the server is not running: call start(), or use it as a context manager")
        return running


def _import_ahead(module: str) -> None:
    """Begin to import what is needed later: aiohttp waits for OpenSSL to read certificates, which needs no Python."""
    if module not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(module,), name=f"import {module}").start()


def _checked_port(port: int) -> int:
    if not 0 <= port <= _LAST_PORT:
        raise ConfigError(f"APIServer: port={port!r}: give a number up to {_LAST_PORT}, or 0 for a free one")
    return port


def _checked_host(host: str, *, allow_remote: bool) -> str:
    import ipaddress

    if host == "localhost":
        return _LOOPBACK
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ConfigError(f"APIServer: host={host!r} is no IP address: write '127.0.0.1'") from None
    if not address.is_loopback and not allow_remote:
        raise ConfigError(
            f"APIServer: host={host!r} is reached by other machines, and whoever has a kubeconfig of this server is "
            "its admin: listen on '127.0.0.1', or say allow_remote=True"
        )
    return host
