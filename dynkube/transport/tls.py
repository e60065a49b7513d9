"""TLS as a `TLSConfig` says: our own context, whose trust is the config's CA and nothing else."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dynkube.config.model import TLSConfig
from dynkube.errors import ConfigError
from dynkube.transport.dial import wrap_tls

__all__ = ["check_client_certificate", "client_context", "describe_trust", "proxy_context"]

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

# Where Go looks when OpenSSL's own default is not there (crypto/x509/root_linux.go): a Python that was built
# elsewhere has a default path of the machine it was built on.
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class _Context(ssl.SSLContext):
    """A context whose handshakes another thread can interrupt."""

    def wrap_socket(self, *args: object, **kwargs: object) -> ssl.SSLSocket:
        # urllib3 calls wrap_socket(sock, server_hostname=...), and the handshake would run inside it, on a
        # socket object that nobody else has seen yet.
        kwargs["do_handshake_on_connect"] = False
        return wrap_tls(super().wrap_socket(*args, **kwargs))  # type: ignore[arg-type]


def file_contents(tls: TLSConfig) -> dict[str, bytes]:
    """What the files of ``tls`` hold, by path; nothing of those whose field has data.

    Raises:
        ConfigError: One cannot be read; names the field and the file.
    """
    files = [
        (tls.ca_file if not tls.ca_data else "", "certificate-authority"),
        (tls.cert_file if not tls.cert_data else "", "client-certificate"),
        (tls.key_file if not tls.key_data else "", "client-key"),
    ]
    return {path: _read(path, field) for path, field in files if path}


def client_context(tls: TLSConfig, contents: Mapping[str, bytes] | None = None) -> ssl.SSLContext:
    """The context for connections to the server that ``tls`` describes.

    Args:
        tls: Trust and client certificate.
        contents: What the files hold (`file_contents`); they are read if it is None.

    Raises:
        ConfigError: The CA, the client certificate or its key cannot be used; names the field or file.
    """
    context = _context()
    contents = file_contents(tls) if contents is None else contents
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca_data:
        _trust(context, tls.ca_data, "certificate-authority-data")
    elif tls.ca_file:
        _trust(context, contents[tls.ca_file], f"certificate-authority {tls.ca_file}")
    else:
        _trust_system(context)
    _identify(context, tls, contents)
    return context


def proxy_context(tls: TLSConfig, contents: Mapping[str, bytes] | None = None) -> ssl.SSLContext:
    """The context for the connection to an https proxy: system trust, and the config's CA if it has one.

    What goes through it is CONNECT and the proxy's own credentials; the server behind it is verified by
    `client_context` alone, and the client certificate is not shown to the proxy.

    Raises:
        ConfigError: The CA cannot be used.
    """
    context = _context()
    _trust_system(context)
    if tls.ca_data:
        _trust(context, tls.ca_data, "certificate-authority-data")
    elif tls.ca_file:
        contents = file_contents(tls) if contents is None else contents
        _trust(context, contents[tls.ca_file], f"certificate-authority {tls.ca_file}")
    return context


def describe_trust(tls: TLSConfig) -> str:
    """What decides whether the server is trusted, in words for an error message."""
    if tls.insecure:
        return "nothing (insecure-skip-tls-verify)"
    if tls.ca_data:
        return "the CA in certificate-authority-data"
    if tls.ca_file:
        return f"the CA in certificate-authority {tls.ca_file}"
    return "the system's CAs (the config names no certificate-authority)"


def _context() -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Take what Go takes. Python 3.13 is stricter by default about CA certificates (the CAs of EKS and GKE lack
    # a key usage extension), and OpenSSL wants a self-signed root where Go takes any certificate of the pool.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Go has not looked at a certificate's common name since 1.15.
    context.hostname_checks_common_name = False
    return context


# --------------------------------------------------------------------------- trust


def _trust(context: ssl.SSLContext, pem: bytes, field: str) -> None:
    # One by one, as AppendCertsFromPEM does: a block that does not parse must not hide the others.
    trusted = 0
    for block in _CERTIFICATE.findall(pem):
        try:
            context.load_verify_locations(cadata=block.decode("ascii", "replace"))
        except ssl.SSLError:
            continue
        trusted += 1
    if not trusted:
        raise ConfigError(f"{field}: holds no usable certificate; want PEM (-----BEGIN CERTIFICATE-----)")


def _trust_system(context: ssl.SSLContext) -> None:
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)  # heeds SSL_CERT_FILE and SSL_CERT_DIR, as Go does
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath or context.cert_store_stats()["x509_ca"]:
        return
    for bundle in _SYSTEM_BUNDLES:
        if os.path.exists(bundle):
            context.load_verify_locations(cafile=bundle)
            return


# --------------------------------------------------------------------------- client certificate


def check_client_certificate(tls: TLSConfig) -> None:
    """Return if the client certificate and key of ``tls`` can be used.

    Raises:
        ConfigError: They cannot; says which and why, and quotes nothing of them.
    """
    _identify(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), tls, {})


def _identify(context: ssl.SSLContext, tls: TLSConfig, contents: Mapping[str, bytes]) -> None:
    if not tls.has_client_certificate:
        return
    certificate = "client-certificate-data" if tls.cert_data else f"client-certificate {tls.cert_file}"
    key = "client-key-data" if tls.key_data else f"client-key {tls.key_file}"
    names = f"{certificate} and {key}"
    cert_pem = tls.cert_data or contents[tls.cert_file]
    key_pem = tls.key_data or contents[tls.key_file]
    with as_file(cert_pem) as cert_path, as_file(key_pem) as key_path:
        try:
            context.load_cert_chain(cert_path, key_path, password=_refuse_password(names))
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(_pair_problem(names, error)) from None


def _pair_problem(names: str, error: Exception) -> str:
    # OpenSSL's words for these are "KEY_VALUES_MISMATCH" and "PEM lib"; they never hold key material.
    if "MISMATCH" in (getattr(error, "reason", None) or ""):
        return f"{names}: the key does not belong to the certificate"
    return f"{names}: not a certificate and key in PEM"


def _refuse_password(names: str) -> Callable[[], str]:
    def refuse() -> str:
        # Without this OpenSSL would ask on the terminal.
        raise ConfigError(f"{names}: the client key is encrypted; decrypt it (openssl pkey), Kubernetes clients cannot")

    return refuse


def _read(path: str, field: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(
            f"{field} {path}: {reason}; name a readable PEM file or put its data into {field}-data"
        ) from None


@contextmanager
def as_file(data: bytes) -> Iterator[str]:
    """A path under which OpenSSL can read ``data`` while the block runs.

    In memory where the system can do that (Linux); else a file that only this user can read, which is gone
    when the block is left. The peers left key material in /tmp (kubernetes-client/python#1782, pykube#133).
    """
    memory = _memory_file(data)
    if memory is not None:
        try:
            yield f"/proc/self/fd/{memory}"
        finally:
            os.close(memory)
        return
    descriptor, path = tempfile.mkstemp(prefix="dynkube-")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield path
    finally:
        os.unlink(path)


def _memory_file(data: bytes) -> int | None:
    if not hasattr(os, "memfd_create") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        descriptor = os.memfd_create("dynkube")  # close-on-exec
    except OSError:  # a kernel or sandbox without it
        return None
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    return descriptor
