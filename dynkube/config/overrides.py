"""What a caller or a command line says on top of the kubeconfig: `Overrides`."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Self

from dynkube.config.kubeconfig import AuthInfo, Cluster, Context, overlay
from dynkube.config.model import PluginPolicy, redacted_repr
from dynkube.errors import ConfigError

__all__ = ["Overrides", "default_cluster", "parse_timeout", "strip_namespace_prefix"]

LEGACY_DEFAULT_SERVER = "http://localhost:8080"

_GO_DURATION = re.compile(r"([-+]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_GO_DURATION_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": "1e-9", "us": "1e-6", "µs": "1e-6", "μs": "1e-6", "ms": "1e-3", "s": "1", "m": "60", "h": "3600"}
_BAD_TIMEOUT = (
    "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding "
    "time unit (e.g. 1s | 2m | 3h)"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Overrides:
    """Values that win over the kubeconfig's; what is empty says nothing.

    Args:
        current_context: The context to use.
        context: Of it, another cluster, user or namespace (a leading ``ns/`` or ``namespace/`` is dropped).
        cluster_info: Values over those of the cluster.
        auth_info: Values over those of the user.
        cluster_defaults: Values below those of the cluster.
        plugin_policy: Which exec plugins may run; None for all of them.
        timeout: Seconds, or a Go duration such as ``"1m30s"``; 0 for no limit.

    Raises:
        ConfigError: A timeout that is none.

    >>> Overrides(context=Context(namespace="ns/shop"), timeout="2m")
    Overrides(context=Context(namespace='shop'), timeout='2m')
    """

    current_context: str = ""
    context: Context = field(default_factory=Context)
    cluster_info: Cluster = field(default_factory=Cluster)
    auth_info: AuthInfo = field(default_factory=AuthInfo)
    cluster_defaults: Cluster = field(default_factory=Cluster)
    plugin_policy: PluginPolicy | None = None
    timeout: str | float | None = None

    def __post_init__(self) -> None:
        namespace = strip_namespace_prefix(self.context.namespace)
        object.__setattr__(self, "context", self.context.copy(namespace=namespace))
        parse_timeout(self.timeout)

    def copy(self, **changes: Any) -> Self:
        """A copy with some fields changed. Raises TypeError for a keyword that is no field."""
        return replace(self, **changes)

    @property
    def seconds(self) -> float | None:
        """The timeout in seconds, or None for no limit."""
        return parse_timeout(self.timeout)

    __repr__ = redacted_repr


def strip_namespace_prefix(namespace: str) -> str:
    """``--namespace`` also takes ``ns/shop``, ``namespace/shop`` and ``namespaces/shop``.

    >>> strip_namespace_prefix("Namespaces/shop")
    'shop'
    """
    return re.sub(r"(?i)\A(?:ns|namespaces?)/", "", namespace)


def parse_timeout(timeout: str | float | None) -> float | None:
    """A timeout in seconds: a number, digits, or a Go duration; 0 is None, no limit.

    Raises:
        ConfigError: It is none of these, or negative.

    >>> parse_timeout("1m30s"), parse_timeout("20"), parse_timeout("0")
    (90.0, 20.0, None)
    """
    seconds = _seconds(timeout) if timeout is not None and timeout != "" else 0.0
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        raise ConfigError(f"{_BAD_TIMEOUT}, got {timeout!r}")
    return seconds or None


def _seconds(timeout: object) -> float | None:
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        return float(timeout)
    if not isinstance(timeout, str):
        return None
    if re.fullmatch(r"\+?[0-9]{1,18}", timeout, re.ASCII):
        return float(timeout)
    if timeout in ("+0", "-0"):
        return 0.0
    found = _GO_DURATION.fullmatch(timeout)
    if found is None:
        return None
    total = sum(Decimal(number) * Decimal(_UNITS[unit]) for number, unit in _GO_DURATION_PART.findall(found.group(2)))
    return float(-total if found.group(1) == "-" else total)


def default_cluster(environ: Mapping[str, str] | None = None, *, legacy: bool = True) -> Cluster:
    """The cluster that kubectl falls back to (clientcmd's ClusterDefaults), for `Overrides.cluster_defaults`.

    Args:
        environ: The environment; None for that of the process.
        legacy: Whether, without ``KUBERNETES_MASTER``, it is ``http://localhost:8080``, as for kubectl.

    >>> default_cluster({"KUBERNETES_MASTER": "https://kube.example"})
    Cluster(server='https://kube.example')
    """
    server = (os.environ if environ is None else environ).get("KUBERNETES_MASTER", "")
    return Cluster(server=server or (LEGACY_DEFAULT_SERVER if legacy else ""))


# --------------------------------------------------------------------------- layering


def layered_cluster(stanza: Cluster, overrides: Overrides) -> Cluster:
    """Defaults below the kubeconfig's cluster below the overrides; what belongs together is replaced together."""
    over = overrides.cluster_info
    merged = overlay(overlay(overrides.cluster_defaults, stanza), over)
    if over.insecure_skip_tls_verify or over.certificate_authority or over.certificate_authority_data:
        # Trust is one thing: an overriding CA must not be voided by an inherited insecure, nor the other way round.
        merged = merged.copy(
            insecure_skip_tls_verify=over.insecure_skip_tls_verify,
            certificate_authority=over.certificate_authority,
            certificate_authority_data=over.certificate_authority_data,
        )
    if over.server or over.tls_server_name:
        # The name in the kubeconfig belongs to the kubeconfig's server.
        merged = merged.copy(tls_server_name=over.tls_server_name)
    return merged


def layered_user(stanza: AuthInfo, overrides: Overrides) -> AuthInfo:
    """The kubeconfig's user below the overrides; a certificate, and a key, come whole from one of them."""
    over = overrides.auth_info
    merged = overlay(stanza, over)
    if over.client_certificate or over.client_certificate_data:
        merged = merged.copy(
            client_certificate=over.client_certificate, client_certificate_data=over.client_certificate_data
        )
    if over.client_key or over.client_key_data:
        merged = merged.copy(client_key=over.client_key, client_key_data=over.client_key_data)
    return merged


def layered_context(stanza: Context, overrides: Overrides) -> Context:
    """The kubeconfig's context below the overrides."""
    return overlay(stanza, overrides.context)
