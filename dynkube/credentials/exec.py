"""Exec credential plugins: programs that print a token, a client certificate, or both.

``client.authentication.k8s.io/v1`` and ``v1beta1``, as client-go runs them (CG/plugin/pkg/client/auth/exec/exec.go),
with an end to those that hang, and with what they said in the error.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from dynkube.config.model import ExecConfig, PluginPolicy, RESTConfig
from dynkube.credentials.output import Given, read_output
from dynkube.credentials.process import STDOUT_LIMIT, Ended, Launch, PluginTimeout, TooMuchOutput, run
from dynkube.credentials.renewal import Lease, Renewal
from dynkube.errors import ConfigError, DeadlineExceededError, ExecPluginError
from dynkube.forks import renew_in_child
from dynkube.observers import ExecCall, Observer, notify
from dynkube.transport import CallScope, Credential

__all__ = ["ExecAuthenticator", "cluster_info", "exec_authenticator"]

_log = logging.getLogger("dynkube.credentials")

EXEC_INFO = "KUBERNETES_EXEC_INFO"
API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
LONGEST_EARLY = 60.0
"""A credential is renewed before a tenth of its life is left, but not earlier than this many seconds."""
HINTS = 10
HINTS_PER = 3600.0
"""A missing program's help is shown so often at most, in so many seconds: a watch that tries again must not flood."""

_MISSING_HELP = (
    "\n\nIt looks like you are trying to use a client-go credential plugin that is not installed."
    "\n\nTo learn more about this feature, consult the documentation available at:"
    "\n      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
)
_KEPT = 2048  # characters of standard error in an error
_SHOWN = 500  # and in its message

# What a plugin says may hold what it should not: tokens in their usual forms, keys, and `password=...`.
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\A(?:(?!-----BEGIN).)*?-----END [A-Z ]*PRIVATE KEY-----"  # its beginning has been cut off
    r"|\beyJ[\w-]+\.[\w-]*\.?[\w-]*"
    r"|(?<=[Bb]earer )[^\s\"']+"
    r"|(?<![a-z])(?:pass(?:word|wd)?|secret|token|api[_-]?key|client[_-]?secret)[\"']?\s*[=:]\s*[\"']?[^\s\"',;]+",
    re.DOTALL,
)
_SECRET_OPTION = re.compile(r"--?[\w-]*(?:pass|secret|token|key|credential)[\w-]*", re.IGNORECASE)


def cluster_info(config: RESTConfig) -> dict[str, Any]:
    """What a plugin with ``provideClusterInfo`` is told about the cluster (CG/rest/exec.go).

    Raises:
        ConfigError: The CA's file cannot be read.
    """
    tls, plugin = config.tls, config.exec
    ca = tls.ca_data or (_read(tls.ca_file) if tls.ca_file else b"")
    told: dict[str, Any] = {
        "server": config.host,
        "tls-server-name": tls.server_name,
        "insecure-skip-tls-verify": tls.insecure,
        "certificate-authority-data": base64.b64encode(ca).decode(),
        "proxy-url": config.proxy_url,
        "disable-compression": config.disable_compression,
    }
    told = {name: value for name, value in told.items() if value or name == "server"}
    extension = plugin.config if plugin is not None else None
    return told | {"config": extension}


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"certificate-authority {path}: {reason}; name a readable PEM file") from None


class ExecAuthenticator(Renewal):
    """Runs one plugin and keeps its credential.

    Args:
        plugin: The plugin.
        cluster: What it is told about the cluster; None for nothing.
        clock: Seconds since 1970.
        environ: The environment that the plugin's own is added to; None for that of the process, each time.
        is_terminal: Whether standard input is a terminal.

    Raises:
        ConfigError: An apiVersion or interactiveMode that there is not.
    """

    def __init__(
        self,
        plugin: ExecConfig,
        cluster: Mapping[str, Any] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        environ: Mapping[str, str] | None = None,
        is_terminal: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(f"exec plugin {plugin.command}", clock=clock)
        if plugin.api_version not in API_VERSIONS:
            raise ConfigError(
                f'exec plugin: invalid apiVersion "{plugin.api_version}" of {plugin.command}; '
                f"want {' or '.join(API_VERSIONS)}"
            )
        if not plugin.interactive_mode and plugin.api_version.endswith("/v1beta1"):
            plugin = replace(plugin, interactive_mode="IfAvailable")
        if plugin.interactive_mode not in ("Never", "IfAvailable", "Always"):
            raise ConfigError(
                f'exec plugin {plugin.command}: unknown interactiveMode: "{plugin.interactive_mode}"; '
                "want Never, IfAvailable or Always"
            )
        self._plugin = plugin
        self._cluster = cluster
        self._environ = environ
        self._is_terminal = is_terminal or _stdin_is_terminal
        self._hints = _Sometimes(HINTS, HINTS_PER)
        self._observers: list[weakref.ref[Observer]] = []

    def observe(self, observers: Iterable[Observer]) -> None:
        """Tell them of each run, too, for as long as they live."""
        with self._lock:
            known = [each for each in (ref() for ref in self._observers) if each is not None]
            new = [each for each in observers if not any(each is other for other in known)]
            self._observers = [weakref.ref(each) for each in (*known, *new)]

    # ------------------------------------------------------------- one run

    def _fetch(self, rejected: Credential | None, scope: CallScope) -> Lease:
        del rejected
        began = time.monotonic()
        code: list[int] = []
        problem = "CancelledError"
        try:
            lease = self._run(scope, code)
            problem = ""
        except Exception as error:
            problem = type(error).__name__
            raise
        finally:
            self._tell_observers(time.monotonic() - began, code[0] if code else None, problem)
        return lease

    def _run(self, scope: CallScope, code: list[int]) -> Lease:
        launch = self._launch()
        problem = ""
        ended: Ended | None = None
        try:
            ended = run(launch, scope)
        except DeadlineExceededError:  # an OSError, too
            raise
        except PluginTimeout:
            problem = f"exec: executable {self._plugin.command} took longer than {launch.timeout:g} s, and was ended"
        except TooMuchOutput:
            problem = f"decoding stdout: more than {STDOUT_LIMIT} bytes; want an ExecCredential in JSON"
        except (OSError, ValueError) as error:
            problem = f"exec: {_why(error)}"
        # Raised out here: neither the cause nor its frames may carry the environment along.
        if ended is None:
            raise self._error(problem)
        code.append(ended.exit_code)
        return self._lease(ended)

    def _tell_observers(self, seconds: float, exit_code: int | None, error: str) -> None:
        command = os.path.basename(self._plugin.command)
        _log.debug("exec plugin %s: exit code %s after %.3f s%s", command, exit_code, seconds, error and f", {error}")
        with self._lock:
            observers = [each for each in (ref() for ref in self._observers) if each is not None]
        call = ExecCall(command=command, seconds=seconds, exit_code=exit_code, error=error)
        notify(observers, lambda observer: observer.on_exec, call)

    def _lease(self, ended: Ended) -> Lease:
        if ended.exit_code:
            raise self._error(self._failure(ended.exit_code), ended)
        given = read_output(ended.stdout, self._plugin.api_version)
        if isinstance(given, str):
            raise self._error(given, ended)
        return self._lease_of(given)

    def _lease_of(self, given: Given) -> Lease:
        if given.expires is None:
            return Lease(given.credential)
        life = given.expires - self._clock()
        if life <= 0:
            _log.warning("exec plugin %s: gave a credential that has expired already", self._plugin.command)
        early = min(max(life, 0.0) / 10, LONGEST_EARLY)
        return Lease(given.credential, given.expires - early, given.expires)

    def _launch(self) -> Launch:
        plugin = self._plugin
        interactive = self._is_interactive()
        path = self._allowed(self._find())
        environ = os.environ if self._environ is None else self._environ
        env = {**environ, **dict(plugin.env), EXEC_INFO: self._exec_info(interactive=interactive)}
        return Launch(path, (plugin.command, *plugin.args), env, interactive, plugin.timeout)

    def _exec_info(self, *, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._cluster is not None:
            spec = {"cluster": dict(self._cluster), **spec}
        info = {"kind": "ExecCredential", "apiVersion": self._plugin.api_version, "spec": spec}
        return json.dumps(info, separators=(",", ":"))

    def _is_interactive(self) -> bool:
        plugin = self._plugin
        if plugin.interactive_mode == "Never":
            return False
        terminal = self._is_terminal()
        if plugin.interactive_mode == "IfAvailable":
            return terminal and not plugin.stdin_unavailable
        problem = "" if terminal else "standard input is not a terminal"
        if terminal and plugin.stdin_unavailable:
            message = plugin.stdin_unavailable_message
            problem = f"standard input is unavailable{f': {message}' if message else ''}"
        if problem:
            raise self._error(f"exec plugin cannot support interactive mode: {problem}")
        return True

    # ------------------------------------------------------------- which program

    def _find(self) -> str:
        """The program's file."""
        command = self._plugin.command
        environ = os.environ if self._environ is None else self._environ
        path = _look_up(command, environ)
        if path is None:
            hint = self._plugin.install_hint
            more = _MISSING_HELP + (f"\n\n{hint}" if hint else "") if self._hints.now() else ""
            raise self._error(f"exec: executable {command} not found{more}")
        if not os.path.isabs(path):
            raise self._error(
                f"exec: executable {command} is found in the current folder only, where anybody may have put it; "
                "write ./ before it, or its whole path"
            )
        return path

    def _allowed(self, path: str) -> str:
        command, policy = os.path.normpath(self._plugin.command), self._plugin.plugin_policy
        if policy.type == "DenyAll":
            raise self._error(f'plugin "{command}" not allowed: policy set to "DenyAll"')
        if policy.type == "Allowlist" and not self._is_listed(command, path, policy):
            raise self._error(f'plugin path "{path}" is not permitted by the credential plugin allowlist')
        return path

    def _is_listed(self, command: str, path: str, policy: PluginPolicy) -> bool:
        entries = policy.allowlist or ()
        if command in entries or path in entries:
            return True
        environ = os.environ if self._environ is None else self._environ
        same_name = (each for each in entries if os.path.basename(each) == os.path.basename(path))
        return any(_look_up(each, environ) == path for each in same_name)

    # ------------------------------------------------------------- what went wrong

    def _failure(self, exit_code: int) -> str:
        command = self._plugin.command
        if exit_code < 0:
            return f"exec: executable {command} was ended by signal {-exit_code}"
        return f"exec: executable {command} failed with exit code {exit_code}"

    def _error(self, problem: str, ended: Ended | None = None) -> ExecPluginError:
        said = self._masked(ended.stderr) if ended is not None else ""
        quoted = f"; it said: {said[-_SHOWN:]}" if said else ""
        where = "" if self._plugin.command in problem else f" (exec plugin {self._plugin.command})"
        return ExecPluginError(
            f"getting credentials: {problem}{where}{quoted}",
            command=self._plugin.command,
            exit_code=ended.exit_code if ended is not None else None,
            stderr=said,
        )

    def _masked(self, stderr: bytes) -> str:
        text = stderr.decode("utf-8", "replace")
        for secret in sorted(self._told_in_secret(), key=len, reverse=True):
            text = text.replace(secret, "REDACTED")
        text = _SECRETS.sub("REDACTED", text)
        shown = "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text).strip()
        return shown[-_KEPT:]

    def _told_in_secret(self) -> Iterable[str]:
        """What the kubeconfig tells the plugin and nobody else should hear: the environment, and secret options."""
        yield from (value for _, value in self._plugin.env if len(value) > 3)
        for before, arg in zip(("", *self._plugin.args), self._plugin.args, strict=False):
            name, separator, value = arg.partition("=")
            if separator and name.startswith("-"):
                secret = value if _SECRET_OPTION.fullmatch(name) else ""
            else:
                secret = arg if _SECRET_OPTION.fullmatch(before) else ""
            if len(secret) > 3:
                yield secret


def _look_up(command: str, environ: Mapping[str, str]) -> str | None:
    if os.sep in command:
        return os.path.abspath(command) if os.path.isfile(command) and os.access(command, os.X_OK) else None
    return shutil.which(command, path=environ.get("PATH", os.defpath))


def _why(error: Exception) -> str:
    # A ValueError's text names the variable; an OSError's the file.
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


def _stdin_is_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False


class _Sometimes:
    """Says yes so many times in so many seconds."""

    def __init__(self, times: int, seconds: float) -> None:
        self._times = times
        self._seconds = seconds
        self._count = 0
        self._since = time.monotonic()

    def now(self) -> bool:
        if time.monotonic() - self._since >= self._seconds:
            self._since, self._count = time.monotonic(), 0
        self._count += 1
        return self._count <= self._times


# --------------------------------------------------------------------------- one for the whole process


class _Authenticators:
    """One authenticator for each plugin and what it is told."""

    KEPT = 256
    """One that a client has in use stays with it, however many there are."""

    def __init__(self) -> None:
        self._authenticators: LRUCache[Any, ExecAuthenticator] = LRUCache(self.KEPT)
        self.renew_after_fork()
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """In a forked child: a thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def get(self, plugin: ExecConfig, cluster: Mapping[str, Any] | None) -> ExecAuthenticator:
        key = (plugin, json.dumps(cluster, sort_keys=True))
        with self._lock:
            found = self._authenticators.get(key)
            if found is None:
                found = self._authenticators[key] = ExecAuthenticator(plugin, cluster)
            return found


_authenticators = _Authenticators()


def exec_authenticator(config: RESTConfig) -> ExecAuthenticator:
    """The authenticator of a configuration's plugin: one for each plugin and what it is told, in the whole process.

    Raises:
        ConfigError: The plugin's stanza cannot be used.
    """
    plugin = config.exec
    if plugin is None:
        raise ConfigError("exec: the configuration names no plugin")
    cluster = cluster_info(config) if plugin.provide_cluster_info else None
    found = _authenticators.get(replace(plugin, config=None), cluster)
    if config.observers:
        found.observe(config.observers)
    return found
