"""Certificates of special sort for TLS tests; each is made once per process.

The good ones are `dynkube.testing.pki`'s; here are those that something is wrong or odd about.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dynkube.testing.pki import Authority, KeyPair

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What a server shows, and the authority that a client must trust for it."""

    pair: KeyPair
    ca_data: bytes


@functools.cache
def authority(name: str = "tests") -> Authority:
    """An authority in good order; another name is another authority."""
    return Authority(name)


@functools.cache
def good(*hosts: str, ca: str = "tests") -> ServerIdentity:
    """A server on loopback as it should be; ``hosts`` instead of loopback's names."""
    return ServerIdentity(authority(ca).server("server", list(hosts or LOOPBACK)), authority(ca).certificate)


def other_host(host: str = "kubernetes.example") -> ServerIdentity:
    """A certificate that is not for loopback: what ``tls-server-name`` is for."""
    return good(host)


def wrong_authority() -> ServerIdentity:
    """A good server, and the CA of somebody else to trust."""
    return ServerIdentity(good().pair, authority("somebody else").certificate)


@functools.cache
def client(user: str, *groups: str, ca: str = "clients") -> KeyPair:
    """A client certificate."""
    return authority(ca).client(user, groups)


@functools.cache
def lax(*, authority_key_identifier: bool = False, critical: bool = False, key_usage: bool = False) -> ServerIdentity:
    """A chain that Go takes and VERIFY_X509_STRICT (on by default from Python 3.13 on) does not.

    Like the CAs of managed clusters: no authority key identifier in the leaf, basic constraints
    that are not critical, no key usage in the CA.
    """
    ca_key, ca_name = _key(), _name("lax authority")
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical)
    if key_usage:
        ca = ca.add_extension(_SIGNING, critical=True)
    leaf_key = _key()
    leaf = _server_extensions(_builder(_name("server"), ca_name, leaf_key))
    if authority_key_identifier:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        leaf = leaf.add_extension(identifier, critical=False)
    return _identity(leaf, leaf_key, ca, ca_key)


@functools.cache
def expired() -> ServerIdentity:
    """A server certificate whose time is over."""
    ca_key, ca_name = _key(), _name("old authority")
    ca = _builder(ca_name, ca_name, ca_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    leaf_key = _key()
    leaf = _server_extensions(_builder(_name("server"), ca_name, leaf_key, until=datetime.timedelta(hours=-1)))
    return _identity(leaf, leaf_key, ca, ca_key)


_SIGNING = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    until: datetime.timedelta = datetime.timedelta(days=1),
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + until)
    )


def _server_extensions(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )


def _identity(
    leaf: x509.CertificateBuilder,
    leaf_key: ec.EllipticCurvePrivateKey,
    ca: x509.CertificateBuilder,
    ca_key: ec.EllipticCurvePrivateKey,
) -> ServerIdentity:
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    certificate = leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem)
    return ServerIdentity(KeyPair(certificate=certificate, key=key), ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
