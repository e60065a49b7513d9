"""Whether a certificate and a key belong together: what ``tls.X509KeyPair`` says of a Secret's."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

__all__ = ["key_pair_problem", "pem_blocks"]

_BLOCK = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)\r?\n?-----END \1-----", re.DOTALL | re.MULTILINE)


def key_pair_problem(certificate: bytes, key: bytes) -> str:
    """Go's words for what is wrong; "" where nothing is. Needs ``cryptography`` where both are PEM."""
    certificates, keys = pem_blocks(certificate), pem_blocks(key)
    chain = [data for kind, data in certificates if kind == "CERTIFICATE"]
    if not chain:
        return _no_certificate([kind for kind, _ in certificates])
    skipped = []
    for kind, data in keys:
        if kind == "PRIVATE KEY" or kind.endswith(" PRIVATE KEY"):
            return _mismatch(chain[0], data)
        skipped.append(kind)
    return _no_key(skipped)


def pem_blocks(text: bytes) -> list[tuple[str, bytes]]:
    """The PEM blocks of a text; what is no base64 is no block."""
    found = []
    for match in _BLOCK.finditer(text):
        try:
            found.append((match[1].decode(), base64.b64decode(b"".join(match[2].split()), validate=True)))
        except (ValueError, binascii.Error):
            continue
    return found


def _no_certificate(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in certificate input"
    if len(skipped) == 1 and skipped[0].endswith("PRIVATE KEY"):
        return (
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may "
            "have been switched"
        )
    kinds = " ".join(skipped)
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following '
        f"types: [{kinds}]"
    )


def _no_key(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in key input"
    if skipped == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    kinds = " ".join(skipped)
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the '
        f"following types: [{kinds}]"
    )


def _mismatch(certificate: bytes, key: bytes) -> str:
    from cryptography import x509

    try:
        public: Any = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return "x509: malformed certificate"
    private = _private_key(key)
    if private is None:
        return "tls: failed to parse private key"
    own: Any = private.public_key()
    if type(own) is not type(public):
        return "tls: private key type does not match public key type"
    return "" if own == public else "tls: private key does not match public key"


def _private_key(data: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
