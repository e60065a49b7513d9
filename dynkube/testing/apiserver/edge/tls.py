"""The TLS side of a server: its certificate, and whose client certificates it takes."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Sequence

from dynkube.testing.pki import Authority

__all__ = ["server_context"]


def server_context(authority: Authority, names: Sequence[str]) -> ssl.SSLContext:
    """A context with a fresh certificate for these names and addresses; clients may show one of the authority's.

    A client certificate that another authority signed ends the handshake: OpenSSL knows nothing
    between asking for certificates and refusing bad ones, where Go leaves it to the API server's 401.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority.certificate.decode("ascii"))
    pair = authority.server("kube-apiserver", list(dict.fromkeys(names)))
    # OpenSSL, as Python has it, reads keys from files only: a file of 0600 that is gone again at once.
    descriptor, path = tempfile.mkstemp(prefix="dynkube-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pair.key.rstrip() + b"\n" + pair.certificate)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context
