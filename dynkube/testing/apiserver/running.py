"""One run of an embedded server: what exists between start and stop."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from dynkube.testing import kubeconfigs
from dynkube.testing.apiserver.backend import Backend
from dynkube.testing.apiserver.edge.folder import PrivateFolder
from dynkube.testing.apiserver.edge.http import HTTPServer
from dynkube.testing.apiserver.edge.loops import LoopThread
from dynkube.testing.apiserver.edge.tls import server_context
from dynkube.testing.apiserver.testbench.insider import ADMIN
from dynkube.testing.apiserver.testbench.manifests import Manifest
from dynkube.testing.apiserver.words.messages import Request, Response, UserInfo
from dynkube.testing.errors import ControlPlaneError
from dynkube.testing.pki import Authority

__all__ = ["Running"]

_T = TypeVar("_T")
_NAMES = (
    "localhost", "127.0.0.1", "::1", "10.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)  # fmt: skip
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not bound
# How long requests may still take at a restart (ShutdownTimeout is a minute; nobody waits so long in a test).
_DRAIN_SECONDS = 2.0


class Running:
    """The loop's thread, the backend and the sockets; all methods may be called from any thread.

    Args:
        host: Where to listen.
        port: 0 for a free one.
        clock: Tells the time, with its zone.
        token_users: Names and groups of users with a static token.
    """

    def __init__(
        self, *, host: str, port: int, clock: Callable[[], datetime], token_users: Mapping[str, Sequence[str]]
    ) -> None:
        self.tokens = {name: secrets.token_urlsafe(24) for name in token_users}
        self.authority = Authority("kubernetes-ca")
        self.folder = PrivateFolder("dynkube-apiserver-")
        self._kubeconfigs = 0
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._is_killed = False
        self._is_closed = False
        context = server_context(self.authority, (*_NAMES, host))
        self._http = HTTPServer(self._handle, host=host, port=port, tls=context)
        shown, self.port = _ANY_ADDRESS.get(host, host), self._http.address[1]
        self.address = f"[{shown}]:{self.port}" if ":" in shown else f"{shown}:{self.port}"
        self.url = f"https://{self.address}"
        self.loop = LoopThread(f"APIServer:{self.port}")
        users = {
            self.tokens[name]: UserInfo(name, tuple(groups), f"{name}-uid") for name, groups in token_users.items()
        }
        try:
            self.backend = self.loop.call(
                lambda: Backend(address=self.address, authority=self.authority.certificate, clock=clock, tokens=users)
            )
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<Running {self.url}>"

    async def _handle(self, request: Request) -> Response:
        return await self.backend.handle(request)

    def call(self, function: Callable[[Backend], _T]) -> _T:
        """Do something with the backend, on the loop, and wait for it."""
        return self.loop.call(lambda: function(self.backend))

    def write(self, function: Callable[[Backend], _T]) -> _T:
        """Write something, on the loop, and wait for it.

        Raises:
            ControlPlaneError: It is paused.
        """
        self._check_awake()
        return self.call(function)

    def load(self, objects: Iterable[Manifest]) -> None:
        """See `Backend.load`.

        Raises:
            ControlPlaneError: It is paused.
        """
        self._check_awake()
        self.loop.run(self.backend.load(objects))

    # ------------------------------------------------------------------ life

    def listen(self) -> None:
        """Accept connections."""
        self.loop.call(self._http.listen)

    def pause(self) -> None:
        """Stand still."""
        self._check_alive()
        self.loop.pause()

    def resume(self) -> None:
        """Go on."""
        self._check_alive()
        self.loop.resume()

    def kill(self) -> None:
        """Cut all connections and accept none."""
        self.loop.resume()
        self._is_killed = True

        async def kill() -> None:
            self._http.refuse()
            await self._http.abort()

        self.loop.run(kill())

    def restart(self) -> None:
        """End what runs in an orderly way, and accept connections again."""
        self.loop.resume()

        async def restart() -> None:
            self._http.refuse()
            await self._http.drain(_DRAIN_SECONDS)
            self._http.listen()

        self.loop.run(restart())
        self._is_killed = False

    def cut(self, change: Callable[[Backend], None]) -> None:
        """Cut all connections, change something that no connection outlives, and accept connections again."""
        self.kill()

        def restart() -> None:
            change(self.backend)
            self._http.listen()

        self.loop.call(restart)
        self._is_killed = False

    def close(self) -> None:
        """End everything; the port is free, the thread and the folder gone. Idempotent."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        if self._process == os.getpid():  # else all but our copy of the descriptors is the parent's
            self.loop.resume()
            self.loop.run(self._http.close())
            self.loop.stop()
            self.folder.remove()

    def _check_awake(self) -> None:
        if self.loop.is_paused:
            raise ControlPlaneError("the server is paused, and can write nothing: call resume() first")

    def _check_alive(self) -> None:
        if self._is_killed:
            raise ControlPlaneError("the server is not running (it was killed): call restart() first")

    # ------------------------------------------------------------------ kubeconfigs

    @cached_property
    def admin_kubeconfig(self) -> Path:
        """Of a user of the group ``system:masters``."""
        entry = kubeconfigs.certificate_user(self.authority.client(ADMIN.name, ADMIN.groups))
        return self._write("admin.kubeconfig", ADMIN.name, entry)

    def certificate_kubeconfig(self, name: str, groups: Sequence[str]) -> Path:
        """Of a user with a new client certificate."""
        return self._write("", name, kubeconfigs.certificate_user(self.authority.client(name, groups)))

    def token_kubeconfig(self, name: str) -> Path:
        """Of a user with a static token."""
        return self._write("", name, kubeconfigs.token_user(self.tokens[name]))

    def _write(self, file_name: str, user_name: str, entry: dict[str, str]) -> Path:
        with self._lock:
            if not file_name:
                self._kubeconfigs += 1
                file_name = f"user-{self._kubeconfigs}.kubeconfig"
            return kubeconfigs.write_kubeconfig(
                self.folder.path / file_name,
                url=self.url,
                ca=self.authority.certificate,
                user_name=user_name,
                user=entry,
            )
