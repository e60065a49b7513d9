"""Streams to and from running containers: logs, exec, attach, cp, port-forward, and the API proxy.

Functions over a handle of pods (``client.resource("v1/pods").namespace("shop")``); a clientset offers them as methods
of its pods. What needs a WebSocket (all but logs and the proxy) needs the extra ``dynkube[exec]``.

::

    from dynkube import streams

    pods = client.resource("v1/pods").namespace("shop")
    for line in streams.logs(pods, "api", follow=True): ...
    streams.exec_command(pods, "api", ["ls", "/"]).text
    with streams.port_forward(pods, "api", 8080) as forward: forward.local_port
    streams.copy_from_pod(pods, "api", "/var/log", "logs")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynkube.streams.apiproxy import APIProxy, proxy
    from dynkube.streams.commands import ExecResult, attach, exec_command, exec_process
    from dynkube.streams.copying import CopyProgress, CopyResult, SkippedEntry, copy_from_pod, copy_to_pod
    from dynkube.streams.forwarding import ForwardedPort, PortForward, port_forward
    from dynkube.streams.loglines import LogGap, LogLine, LogStream
    from dynkube.streams.logreading import logs
    from dynkube.streams.process import RemoteProcess

__all__ = [
    "APIProxy",
    "CopyProgress",
    "CopyResult",
    "ExecResult",
    "ForwardedPort",
    "LogGap",
    "LogLine",
    "LogStream",
    "PortForward",
    "RemoteProcess",
    "SkippedEntry",
    "attach",
    "copy_from_pod",
    "copy_to_pod",
    "exec_command",
    "exec_process",
    "logs",
    "port_forward",
    "proxy",
]

# Who reads a log does not pay for tar, SPDY and a server: each name is imported when first used (PEP 562).
_MODULES = {
    "dynkube.streams.apiproxy": ("APIProxy", "proxy"),
    "dynkube.streams.commands": ("ExecResult", "attach", "exec_command", "exec_process"),
    "dynkube.streams.copying": ("CopyProgress", "CopyResult", "SkippedEntry", "copy_from_pod", "copy_to_pod"),
    "dynkube.streams.forwarding": ("ForwardedPort", "PortForward", "port_forward"),
    "dynkube.streams.loglines": ("LogGap", "LogLine", "LogStream"),
    "dynkube.streams.logreading": ("logs",),
    "dynkube.streams.process": ("RemoteProcess",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(module), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
