"""The configuration of a pod: its service account and the environment that every container has."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.config.overrides import Overrides
from dynkube.errors import ConfigError, NotInClusterError

__all__ = ["SERVICE_ACCOUNT_FOLDER", "InCluster", "in_cluster_config"]

SERVICE_ACCOUNT_FOLDER = "var/run/secrets/kubernetes.io/serviceaccount"
"""Where every container has it mounted, below the root of its file system."""

_log = logging.getLogger("dynkube.config")


class InCluster:
    """Reads the pod's service account each time it is asked.

    Args:
        environ: The environment; None for that of the process, at the time of each call.
        root: The root of the pod's file system, below which the service account is mounted.
    """

    def __init__(self, *, environ: Mapping[str, str] | None = None, root: str = "/") -> None:
        self._environ = environ
        self._folder = Path(root, SERVICE_ACCOUNT_FOLDER)

    def possible(self) -> bool:
        """Whether this looks like a pod: both variables are set and there is a token."""
        host, port = self._address()
        return bool(host and port) and self._token_file.is_file()

    def rest_config(self, overrides: Overrides | None = None) -> RESTConfig:
        """The configuration; of the overrides only server, token, token file and CA file count, as in client-go.

        Raises:
            NotInClusterError: ``KUBERNETES_SERVICE_HOST`` or ``KUBERNETES_SERVICE_PORT`` is not set.
            ConfigError: The token cannot be read.
        """
        over = overrides if overrides is not None else Overrides()
        host, port = self._address()
        if not host or not port:
            raise NotInClusterError
        token_file = str(self._token_file)
        token = read_token(token_file)
        if over.auth_info.token or over.auth_info.token_file:
            token, token_file = over.auth_info.token, over.auth_info.token_file
        namespace, explicit = self.namespace(over)
        return RESTConfig(
            host=over.cluster_info.server or f"https://{f'[{host}]' if ':' in host else host}:{port}",
            tls=TLSConfig(ca_file=over.cluster_info.certificate_authority or self._ca_file()),
            bearer_token=token,
            bearer_token_file=token_file,
            namespace=namespace,
            namespace_explicit=explicit,
            source=str(self._folder),
        )

    def namespace(self, overrides: Overrides | None = None) -> tuple[str, bool]:
        """The namespace, and whether an override says so: else ``POD_NAMESPACE``, the token's, ``default``."""
        if overrides is not None and overrides.context.namespace:
            return overrides.context.namespace, True
        environ = os.environ if self._environ is None else self._environ
        if environ.get("POD_NAMESPACE"):
            return environ["POD_NAMESPACE"], False
        try:
            found = (self._folder / "namespace").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            found = ""
        return found or "default", False

    @property
    def _token_file(self) -> Path:
        return self._folder / "token"

    def _address(self) -> tuple[str, str]:
        environ = os.environ if self._environ is None else self._environ
        return environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")

    def _ca_file(self) -> str:
        path = self._folder / "ca.crt"
        try:
            usable = b"-----BEGIN CERTIFICATE-----" in path.read_bytes()
            problem = "it holds no certificate"
        except OSError as error:
            usable, problem = False, error.strerror or str(error)
        if not usable:
            # As client-go: not an error, the system's trust store may do.
            _log.error("expected to load root CA config from %s, but got: %s; using the system's CAs", path, problem)
        return str(path) if usable else ""


def in_cluster_config(*, environ: Mapping[str, str] | None = None, root: str = "/") -> RESTConfig:
    """The configuration of the pod that this runs in (client-go's ``rest.InClusterConfig``).

    The token is read now, and its file is read again as it rotates.

    Args:
        environ: The environment; None for that of the process.
        root: The root of the file system below which the service account is mounted; another than ``"/"`` for a
            container whose volumes are mounted below a folder (HostProcess containers on Windows, tests).

    Raises:
        NotInClusterError: This is no pod.
        ConfigError: The token cannot be read.

    >>> in_cluster_config(environ={})
    Traceback (most recent call last):
    dynkube.errors.NotInClusterError: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and \
KUBERNETES_SERVICE_PORT must be defined
    """
    return InCluster(environ=environ, root=root).rest_config()


def read_token(path: str) -> str:
    """The token in a file, without the whitespace around it.

    Raises:
        ConfigError: The file cannot be read, or is empty.
    """
    try:
        token = Path(path).read_text(encoding="ascii").strip()
        problem = "it is empty"
    except UnicodeDecodeError:  # whose text quotes a byte of the file
        token, problem = "", "it holds no token (not ASCII)"
    except OSError as error:
        token, problem = "", error.strerror or str(error)
    if not token:
        raise ConfigError(f"token file {path}: {problem}")
    return token
