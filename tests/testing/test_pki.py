"""Certificates that the strictest of our Pythons takes."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from dynkube.testing.pki import Authority, KeyPair, SigningKey


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> x509.Certificate | None:
    """Both ends in memory; the client's certificate as the server sees it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                pass
    presented = ends[1].getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(presented) if presented else None


def context(folder: Path, purpose: ssl.Purpose, trusted: Authority, pair: KeyPair) -> ssl.SSLContext:
    made = ssl.create_default_context(purpose, cadata=trusted.certificate.decode())
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if purpose is ssl.Purpose.CLIENT_AUTH:
        made.verify_mode = ssl.CERT_REQUIRED
    path = folder / "pair.pem"
    path.write_bytes(pair.certificate + pair.key)
    made.load_cert_chain(path)
    return made


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_both_sides_verify_strictly(tmp_path: Path, name: str) -> None:
    authority = Authority("ca")
    server = context(
        tmp_path, ssl.Purpose.CLIENT_AUTH, authority, authority.server("s", ["localhost", "127.0.0.1", "::1"])
    )
    client = context(tmp_path, ssl.Purpose.SERVER_AUTH, authority, authority.client("alice", ("dev", "ops")))
    seen = handshake(client, server, name)
    assert seen is not None
    assert [(each.oid._name, each.value) for each in seen.subject] == [
        ("organizationName", "dev"),
        ("organizationName", "ops"),
        ("commonName", "alice"),
    ]


def test_another_authority_of_the_same_name_is_not_trusted(tmp_path: Path) -> None:
    authority, other = Authority("ca"), Authority("ca")
    server = context(tmp_path, ssl.Purpose.CLIENT_AUTH, authority, authority.server("s", ["localhost"]))
    client = context(tmp_path, ssl.Purpose.SERVER_AUTH, other, other.client("alice"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(client, server, "localhost")


def test_keys_are_not_shown() -> None:
    pair = Authority("ca").client("alice")
    signing = SigningKey.generate()
    for shown in (repr(pair), repr(signing), repr(Authority("ca"))):
        assert "PRIVATE" not in shown
    assert b"PRIVATE" in pair.key
    assert b"PUBLIC" in signing.public


def test_a_missing_cryptography_package_is_named_with_the_way_to_get_it() -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from dynkube.testing.pki import Authority\n"
        "try:\n    Authority('x')\nexcept Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ConfigError")
    assert "pip install 'dynkube[testing]'" in done.stdout


def test_importing_the_room_imports_nothing_heavy() -> None:
    program = (
        "import sys, dynkube.testing\n"
        "print(sorted({'cryptography', 'ssl', 'subprocess', 'http.client', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
