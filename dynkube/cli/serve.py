"""``dynkube serve``: an embedded API server for any client, until it is interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dynkube
from dynkube.testing import APIServer

__all__ = ["run"]


def run(
    *,
    host: str,
    port: int,
    allow_remote: bool,
    kubeconfig: str | None,
    objects: Sequence[str],
    run_workloads: bool,
) -> None:
    """Serve, and print the path of the kubeconfig; returns by an exception of the interrupt only.

    Args:
        host: where to listen.
        port: 0 for a free one.
        allow_remote: whether ``host`` may be an address that other machines reach.
        kubeconfig: where to write the kubeconfig; None for a temporary file.
        objects: files and folders whose objects are there from the start.
        run_workloads: whether pods run and workloads become available, with nothing behind.

    Raises:
        DynkubeError: the server cannot be started as asked, or the kubeconfig exists already.
    """
    server = APIServer(host=host, port=port, allow_remote=allow_remote, objects=objects, run_workloads=run_workloads)
    with server, _copied(server.kubeconfig, kubeconfig) as path:
        print(path, flush=True)
        while True:
            signal.pause()


@contextmanager
def _copied(source: Path, target: str | None) -> Iterator[Path]:
    """The kubeconfig at the place that was asked for, private, and gone when the server is."""
    if target is None:
        yield source
        return
    path = Path(target)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise dynkube.ConfigError(f"--kubeconfig {path}: exists already; name another file, or remove it") from None
    except OSError as error:
        raise dynkube.ConfigError(f"--kubeconfig {path}: cannot be written: {error.strerror}") from error
    try:
        with open(descriptor, "wb") as file:
            file.write(source.read_bytes())
        yield path
    finally:
        path.unlink(missing_ok=True)
