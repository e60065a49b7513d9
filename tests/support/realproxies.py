"""Proxies that others wrote, as programs on loopback: proxy.py (http) and pproxy (socks5)."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

USER, PASSWORD = "me", "open-sesame"

_PATIENCE = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def http_proxy(*, authenticated: bool = False) -> Iterator[int]:
    """The port of a forward proxy."""
    port = free_port()
    options = ["--basic-auth", f"{USER}:{PASSWORD}"] if authenticated else []
    command = ["-m", "proxy", "--hostname", "127.0.0.1", "--port", str(port), "--num-workers", "1"]
    with _running([*command, "--num-acceptors", "1", "--log-level", "ERROR", *options], port):
        yield port


@contextmanager
def socks_proxy(*, authenticated: bool = False) -> Iterator[int]:
    """The port of a SOCKS5 proxy."""
    port = free_port()
    user = f"#{USER}:{PASSWORD}" if authenticated else ""
    with _running(["-m", "pproxy", "-l", f"socks5://127.0.0.1:{port}{user}"], port):
        yield port


@contextmanager
def _running(arguments: list[str], port: int) -> Iterator[None]:
    program = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, program)
        yield
    finally:
        program.terminate()
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _wait_for(port: int, program: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        assert program.poll() is None, f"{program.args} ended with {program.returncode}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port} after {_PATIENCE} s")
