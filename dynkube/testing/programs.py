"""The programs of a control plane: where they are, what files they share, with which flags they run."""

from __future__ import annotations

import csv
import io
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dynkube.errors import ConfigError
from dynkube.testing.kubeconfigs import write_private
from dynkube.testing.pki import Authority, KeyPair, SigningKey

__all__ = ["ASSETS_VARIABLE", "NO_ASSETS", "Files", "find_assets", "program_environment", "reserve_port"]

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
NO_ASSETS = (
    f"no control plane: ${ASSETS_VARIABLE} is not set; name the folder that holds etcd and kube-apiserver there "
    "or with assets= (setup-envtest fetches one: `setup-envtest use -p path` prints its path)"
)

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
TEST_NODE = "test-node"

LOOPBACK = "127.0.0.1"
_SERVICE_RANGE = "10.0.0.0/24"
_SERVER_NAMES = (
    LOOPBACK, "::1", "localhost", "10.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)  # fmt: skip
_ISSUER = "https://kubernetes.default.svc.cluster.local"
# etcd wants host:port also of a Unix socket's URL, and takes the whole for the file's name: both
# programs run in the folder, so that only its owner can reach etcd, and no port can clash.
_ETCD_CLIENTS = "client:1"
_ETCD_PEERS = "peer:1"


def find_assets(assets: str | os.PathLike[str] | None, programs: Iterable[str] = (ETCD, API_SERVER)) -> Path:
    """The folder that holds the programs: ``assets``, else ``$KUBEBUILDER_ASSETS``.

    Raises:
        ConfigError: Neither names a folder, or one of ``programs`` is not in it.
    """
    named = os.fspath(assets) if assets is not None else os.environ.get(ASSETS_VARIABLE, "")
    origin = "assets=" if assets is not None else f"${ASSETS_VARIABLE}"
    if not named:
        raise ConfigError(NO_ASSETS)
    folder = Path(named).absolute()
    missing = [name for name in programs if not os.access(folder / name, os.X_OK)]
    if missing:
        raise ConfigError(f"no control plane: {origin} names {folder}, which has no program {' or '.join(missing)}")
    return folder


def reserve_port() -> socket.socket:
    """A socket that holds a free port on loopback, without listening.

    Linux lets another process of the same user listen there when both say SO_REUSEPORT
    (kube-apiserver: ``--permit-port-sharing``). So nobody else can take the port in between, also
    not while the API server is killed and restarted; connecting is refused then, as it should be.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((LOOPBACK, 0))
    return holder


def program_environment() -> dict[str, str]:
    """This process's environment without what would lead the programs astray: proxies, other clusters."""
    astray = ("KUBECONFIG", "KUBERNETES_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "ETCD_", "ETCDCTL_")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(astray)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The folder's files, and the command lines that name them."""

    folder: Path
    assets: Path

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.folder / "pki"

    @property
    def etcd_address(self) -> Path:
        """The Unix socket of etcd."""
        return self.folder / _ETCD_CLIENTS

    @property
    def tokens(self) -> Path:
        """The API server's static tokens."""
        return self.pki / "tokens.csv"

    @property
    def admin_kubeconfig(self) -> Path:
        """The admin's kubeconfig."""
        return self.folder / "admin.kubeconfig"

    # ------------------------------------------------------------------ files

    def write_certificates(self, authority: Authority, tokens: Mapping[str, tuple[str, Sequence[str]]]) -> None:
        """Make and write all that the programs need; ``tokens`` maps users to token and groups."""
        self.pki.mkdir(mode=0o700)
        front = Authority("front-proxy-ca")
        signing = SigningKey.generate()
        self._write("ca.crt", authority.certificate)
        self._write("front-proxy-ca.crt", front.certificate)
        self._write("service-account.key", signing.private)
        self._write("service-account.pub", signing.public)
        self._write_pair("api-server", authority.server(API_SERVER, _SERVER_NAMES))
        self._write_pair("admin", authority.client("admin", ("system:masters",)))
        self._write_pair("kubelet-client", authority.client("kube-apiserver-kubelet-client", ("system:masters",)))
        self._write_pair("front-proxy-client", front.client("front-proxy-client"))
        write_private(self.tokens, _token_file(tokens))

    def write_signing_authority(self, authority: Authority) -> None:
        """Write the authority's key, which only the controller manager needs (to sign CSRs)."""
        self._write("ca.key", authority.key)

    def _write_pair(self, name: str, pair: KeyPair) -> None:
        self._write(f"{name}.crt", pair.certificate)
        self._write(f"{name}.key", pair.key)

    def _write(self, name: str, data: bytes) -> None:
        write_private(self.pki / name, data)

    # ------------------------------------------------------------------ command lines

    def etcd(self) -> list[str]:
        """etcd: one member, on Unix sockets, without fsync."""
        clients, peers = f"unix://{_ETCD_CLIENTS}", f"unix://{_ETCD_PEERS}"
        return self._command(
            ETCD,
            {
                "name": "dynkube",
                "data-dir": self.folder / "etcd",
                "unsafe-no-fsync": "true",
                "quota-backend-bytes": 8 << 30,
                "listen-client-urls": clients,
                "advertise-client-urls": clients,
                "listen-peer-urls": peers,
                "initial-advertise-peer-urls": peers,
                "initial-cluster": f"dynkube={peers}",
                "log-level": "warn",
            },
        )

    def api_server(self, port: int, *, service_accounts: bool, extra: Sequence[str]) -> list[str]:
        """kube-apiserver; ``service_accounts``: whether somebody makes each namespace's own."""
        pki = self.pki
        flags: dict[str, object] = {
            "etcd-servers": f"unix://{_ETCD_CLIENTS}",
            "bind-address": LOOPBACK,
            "advertise-address": LOOPBACK,
            "secure-port": port,
            "permit-port-sharing": "true",
            # Loopback is refused as an endpoint, and there is but one server to reconcile.
            "endpoint-reconciler-type": "none",
            "cert-dir": pki,
            "tls-cert-file": pki / "api-server.crt",
            "tls-private-key-file": pki / "api-server.key",
            "client-ca-file": pki / "ca.crt",
            "token-auth-file": self.tokens,
            "authorization-mode": "RBAC",
            "service-account-issuer": _ISSUER,
            "service-account-key-file": pki / "service-account.pub",
            "service-account-signing-key-file": pki / "service-account.key",
            "service-cluster-ip-range": _SERVICE_RANGE,
            "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": pki / "front-proxy-client.crt",
            "proxy-client-key-file": pki / "front-proxy-client.key",
            "kubelet-client-certificate": pki / "kubelet-client.crt",
            "kubelet-client-key": pki / "kubelet-client.key",
            "kubelet-preferred-address-types": "InternalIP",
            "allow-privileged": "true",
            "runtime-config": "api/all=true",
            # Without it an orderly end waits 60 s for the watches that are open; with it they end.
            "shutdown-watch-termination-grace-period": "1s",
        }
        if not service_accounts:
            # It refuses pods in a namespace without one, and nobody would make one.
            flags["disable-admission-plugins"] = "ServiceAccount"
        return [*self._command(API_SERVER, flags), *extra]

    def controller_manager(self) -> list[str]:
        """kube-controller-manager, as the admin."""
        pki = self.pki
        return self._command(
            CONTROLLER_MANAGER,
            {
                "kubeconfig": self.admin_kubeconfig,
                "service-account-private-key-file": pki / "service-account.key",
                "root-ca-file": pki / "ca.crt",
                "cluster-signing-cert-file": pki / "ca.crt",
                "cluster-signing-key-file": pki / "ca.key",
                "use-service-account-credentials": "false",
                "leader-elect": "false",
                "secure-port": 0,
                "kube-api-qps": 500,
                "kube-api-burst": 1000,
            },
        )

    def test_node(self) -> list[str]:
        """test-node: a node whose containers are processes of this machine."""
        return self._command(
            TEST_NODE, {"kubeconfig": self.admin_kubeconfig, "name": TEST_NODE, "work-dir": self.folder / "containers"}
        )

    def _command(self, program: str, flags: Mapping[str, object]) -> list[str]:
        return [str(self.assets / program), *(f"--{name}={value}" for name, value in flags.items())]


def _token_file(tokens: Mapping[str, tuple[str, Sequence[str]]]) -> bytes:
    # token,user,uid,"group,group" (kube-apiserver's static token file)
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows((token, user, f"{user}-uid", ",".join(groups)) for user, (token, groups) in tokens.items())
    return text.getvalue().encode()
