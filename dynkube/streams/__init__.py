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
