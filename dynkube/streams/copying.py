"""Files into and out of containers, as ``kubectl cp``: `copy_to_pod`, `copy_from_pod`."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import posixpath
import shlex
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dynkube.dynamic import ResourceHandle
from dynkube.errors import APIStatusError, ClosedError, CopyError, DynkubeError, InvalidRequestError, TransportError
from dynkube.streams.commands import exec_command, exec_process
from dynkube.streams.process import RemoteProcess
from dynkube.streams.tarfolders import CopyProgress, CopyResult, SkippedEntry, Tally, pack, unpack
from dynkube.transport import CallScope, CancelToken

_log = logging.getLogger("dynkube.streams")

__all__ = ["CopyProgress", "CopyResult", "SkippedEntry", "copy_from_pod", "copy_to_pod"]


def copy_to_pod(
    pods: ResourceHandle,
    name: str,
    source: str | os.PathLike[str],
    destination: str,
    *,
    container: str | None = None,
    preserve: bool = True,
    progress: Callable[[CopyProgress], None] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> CopyResult:
    """Copy a local file or folder into a container, which must have ``tar``.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        source: a local file or folder.
        destination: a path in the container; if it is a folder there, the copy is made inside of it.
        container: which, as for `exec_command`.
        preserve: keep owner and modes (``kubectl cp`` without ``--no-preserve``).
        progress: called as bytes are sent.
        timeout: seconds for everything.
        cancel: a token that ends it.

    Returns:
        What was copied.

    Raises:
        CopyError: ``tar`` is missing or failed, with its words.
        FileNotFoundError: there is no such source.
        APIStatusError: the server refuses.
    """
    local = Path(os.fspath(source))
    local.lstat()  # FileNotFoundError, before anything is asked
    scope = CallScope(timeout, cancel)
    there = _Container(pods, name, container, scope)
    target = _target(there, local, _remote("destination", destination))
    options = [] if preserve else ["--no-same-permissions", "--no-same-owner"]
    folder, base = posixpath.split(target)
    tally = Tally(progress)
    # -m: the times are those of the copy (KC/cmd/cp/cp.go).
    with contextlib.closing(there.start(["tar", *options, "-xmf", "-", "-C", folder or "."], stdin=True)) as tar:
        assert tar.stdin is not None
        try:
            pack(local, base, tar.stdin, tally)
            tar.stdin.close()
        except (TransportError, ClosedError):
            tar.finish()  # it has ended before it had read everything: it says why
            raise
        tar.finish()
    return _told(tally)


def copy_from_pod(
    pods: ResourceHandle,
    name: str,
    source: str,
    destination: str | os.PathLike[str],
    *,
    container: str | None = None,
    preserve: bool = False,
    retries: int = 0,
    progress: Callable[[CopyProgress], None] | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> CopyResult:
    """Copy a file or folder out of a container, which must have ``tar``.

    Nothing is ever written outside of the destination, whatever the container sends.

    Args:
        pods: a handle of pods in a namespace.
        name: the pod's name.
        source: a path in the container.
        destination: a local path; if it is a folder, the copy is made inside of it.
        container: which, as for `exec_command`.
        preserve: keep modes (without set-id bits) and modification times; ``kubectl cp`` does not.
        retries: how often a copy whose connection is lost goes on where it broke; -1 sets no limit.
        progress: called as bytes arrive.
        timeout: seconds for everything.
        cancel: a token that ends it.

    Returns:
        What was copied; ``skipped`` names links that lead out of the folder, devices and the like.

    Raises:
        CopyError: ``tar`` is missing or failed, or what came is not what was asked for.
        APIStatusError: the server refuses.
    """
    remote = posixpath.normpath(_remote("source", source))
    base = posixpath.basename(remote)
    local = Path(os.fspath(destination))
    if local.is_dir() and base not in {"", ".", ".."}:
        local /= base
    scope = CallScope(timeout, cancel)
    there = _Container(pods, name, container, scope)
    prefix = "" if remote in {".", "/"} else remote.lstrip("/")
    if prefix.startswith(".."):
        raise InvalidRequestError(f"source: want a path that does not begin with .., got {source!r}")
    tally = Tally(progress)
    with io.BufferedReader(_TarReader(there, remote, retries), 1 << 18) as stream:
        unpack(stream, prefix, local, tally, preserve=preserve)
        while stream.read(1 << 16):  # what comes after the end of the archive; then we know how tar has ended
            pass
    return _told(tally)


def _told(tally: Tally) -> CopyResult:
    result = tally.result()
    for each in result.skipped:
        _log.warning("not copied: %s: %s", each.name, each.reason)
    return result


# --------------------------------------------------------------------------- tar there

_STAT_TIMEOUT = 30.0  # KC/cmd/cp/cp.go


def _remote(argument: str, path: str) -> str:
    if type(path) is not str or not path or "\0" in path:
        raise InvalidRequestError(f"{argument}: want a path in the container, got {path!r}")
    return f"./{path}" if path.startswith("-") else path


class _Container:
    """Where ``tar`` runs."""

    def __init__(self, pods: ResourceHandle, name: str, container: str | None, scope: CallScope) -> None:
        self._pods = pods
        self._name = name
        self._container = container
        self._scope = scope

    def is_folder(self, path: str) -> bool:
        result = exec_command(
            self._pods,
            self._name,
            ["test", "-d", path],
            container=self._container,
            timeout=self._scope.bound(_STAT_TIMEOUT),
            cancel=self._scope.cancel,
        )
        return result.exit_code == 0

    def start(self, command: list[str], *, stdin: bool = False) -> _Tar:
        process = exec_process(
            self._pods,
            self._name,
            command,
            container=self._container,
            stdin=stdin,
            timeout=self._scope.left(),
            cancel=self._scope.cancel,
        )
        return _Tar(process)


def _target(there: _Container, source: Path, destination: str) -> str:
    if destination.endswith("/") or there.is_folder(destination):
        return posixpath.join(destination, source.name if source.name not in {"", "."} else source.resolve().name)
    return destination


class _Tar:
    """``tar``, as it runs in the container."""

    LIMIT = 1 << 14
    """Bytes of its words that are kept, the last ones."""

    def __init__(self, process: RemoteProcess) -> None:
        assert process.stdout is not None
        self.stdin = process.stdin
        self.stdout = process.stdout
        self._process = process
        self._said = b""
        # It must never wait for us to read what it says.
        self._thread = threading.Thread(target=self._listen, name="dynkube-stderr", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(DynkubeError):  # wait() tells
            while data := self._process.stderr.read1(self.LIMIT):  # type: ignore[attr-defined]
                self._said = (self._said + data)[-self.LIMIT :]

    def finish(self) -> None:
        """Wait for its end.

        Raises:
            CopyError: it failed, or there is none.
            TransportError: the connection was lost.
        """
        try:
            code = self._process.wait()
        except APIStatusError as error:
            if "executable file not found" in error.message or "no such file" in error.message:
                raise CopyError(f"the container has no tar, which a copy needs: {error.message}") from error
            raise
        self._thread.join()
        if code:
            said = self._said.decode("utf-8", "replace").strip()
            missing = "; a copy needs tar in the container" if code in {126, 127} else ""
            raise CopyError(f"command terminated with exit code {code}: {said or 'tar said nothing'}{missing}")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._thread.join()
        self._process.close()


class _TarReader(io.RawIOBase):
    """What ``tar cf`` writes; a connection that is lost is opened again where it broke, as often as allowed."""

    def __init__(self, there: _Container, path: str, retries: int) -> None:
        self._there = there
        self._path = path
        self._retries = retries
        self._done = 0
        self._tar = there.start(["tar", "cf", "-", path])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            try:
                count: int = self._tar.stdout.readinto1(buffer)  # type: ignore[attr-defined]
                if not count:
                    self._tar.finish()
            except TransportError as error:
                if self._retries == 0:
                    raise
                self._retries -= 1
                _log.warning("copy of %s: again from byte %d on, after: %s", self._path, self._done, error)
                self._tar.close()
                line = f"tar cf - {shlex.quote(self._path)} | tail -c+{self._done + 1}"
                self._tar = self._there.start(["sh", "-c", line])
            else:
                self._done += count
                return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._tar.close()
