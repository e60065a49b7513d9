"""Fresh keys and certificates for one control plane.

Everything is ECDSA on P-256: a key takes a tenth of a millisecond, an RSA one a second. The
certificates hold what Python 3.13's VERIFY_X509_STRICT wants (RFC 5280): key identifiers,
critical basic constraints and key usage. The keys of the authorities stay in memory.

Needs the ``cryptography`` package, which is imported when the first authority is made.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dynkube.errors import ConfigError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Authority", "KeyPair", "SigningKey"]

_LIFETIME = timedelta(days=365)
# Clocks of two machines, or of a container and its host, differ.
_BACKDATED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A certificate and its private key, both as PEM; the key is not shown by ``repr``.

    >>> KeyPair(certificate=b"...", key=b"secret")
    KeyPair(certificate=<3 bytes>, key=<redacted>)
    """

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"KeyPair(certificate=<{len(self.certificate)} bytes>, key=<redacted>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key for service account tokens, as PEM: the private half signs, the public one verifies."""

    public: bytes
    private: bytes

    def __repr__(self) -> str:
        return f"SigningKey(public=<{len(self.public)} bytes>, private=<redacted>)"

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key."""
        from cryptography.hazmat.primitives import serialization

        key = _new_key()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(public=public, private=_key_pem(key))


class Authority:
    """A certificate authority of its own: signs server and client certificates.

    Args:
        name: The common name of the authority's certificate.

    Raises:
        ConfigError: The ``cryptography`` package is not installed.

    >>> authority = Authority("example")
    >>> pair = authority.client("alice", groups=("developers",))
    >>> pair.certificate.splitlines()[0]
    b'-----BEGIN CERTIFICATE-----'
    """

    def __init__(self, name: str) -> None:
        self._key = _new_key()
        self._name = _subject(name)
        self._certificate = self._build(
            self._name, self._key, [(_basic_constraints(ca=True), True), (_ca_usage(), True)]
        )

    def __repr__(self) -> str:
        return f"Authority({self._name.rfc4514_string()!r})"

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate (PEM): what the other side trusts."""
        return _certificate_pem(self._certificate)

    @property
    def key(self) -> bytes:
        """The authority's private key (PEM), for who must sign by itself (the controller manager)."""
        return _key_pem(self._key)

    def server(self, name: str, hosts: Sequence[str]) -> KeyPair:
        """A server certificate for these DNS names and IP addresses."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(_subject(name), [(names, False), (_usage(ExtendedKeyUsageOID.SERVER_AUTH), False)])

    def client(self, user: str, groups: Sequence[str] = ()) -> KeyPair:
        """A client certificate: the API server takes the user from CN and the groups from O."""
        from cryptography.x509.oid import ExtendedKeyUsageOID

        return self._issue(_subject(user, groups), [(_usage(ExtendedKeyUsageOID.CLIENT_AUTH), False)])

    def _issue(self, subject: x509.Name, extensions: list[tuple[x509.ExtensionType, bool]]) -> KeyPair:
        key = _new_key()
        extensions = [(_basic_constraints(ca=False), True), (_leaf_usage(), True), *extensions]
        return KeyPair(certificate=_certificate_pem(self._build(subject, key, extensions)), key=_key_pem(key))

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extensions: list[tuple[x509.ExtensionType, bool]],
    ) -> x509.Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())


def _new_key() -> ec.EllipticCurvePrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        message = (
            "dynkube.testing makes certificates with the 'cryptography' package, which is not installed: "
            "pip install 'dynkube[testing]'"
        )
        raise ConfigError(message) from error
    return ec.generate_private_key(ec.SECP256R1())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        # The form that OpenSSL, Go and Java all read.
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _subject(name: str, groups: Sequence[str] = ()) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _basic_constraints(*, ca: bool) -> x509.BasicConstraints:
    from cryptography import x509

    return x509.BasicConstraints(ca=ca, path_length=None)


def _usage(purpose: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    from cryptography import x509

    return x509.ExtendedKeyUsage([purpose])


def _ca_usage() -> x509.KeyUsage:
    return _key_usage(digital_signature=True, certificates=True)


def _leaf_usage() -> x509.KeyUsage:
    return _key_usage(digital_signature=True, certificates=False)


def _key_usage(*, digital_signature: bool, certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
