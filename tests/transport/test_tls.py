from __future__ import annotations

import os
import ssl
import sys

import certs
import pytest
from scripted import ScriptedServer, json_response

from dynkube.config.model import TLSConfig
from dynkube.errors import ConfigError, TLSError
from dynkube.transport.tls import as_file, client_context, proxy_context
from dynkube.wire.messages import Request

GET = Request("GET", "/api")


def serve(identity, **options):
    server = ScriptedServer(tls=identity, **options)
    server.on(lambda request: json_response({}))
    return server


# ------------------------------------------------------------- trust


@pytest.mark.behaviour("2.1.1")
def test_the_configured_ca_is_trusted(tls_server, connect):
    tls_server.reply_json({})
    assert connect(tls_server).send(GET).status == 200


@pytest.mark.behaviour("2.1.1", "2.1.8")
def test_only_the_configured_ca_is_trusted(tls_server, connect, tmp_path, monkeypatch):
    # Whoever could add a CA from outside makes the server's one known here.
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(tls_server.ca_data)
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(bundle))
    with pytest.raises(TLSError, match="certificate-authority-data"):
        connect(tls_server, tls=TLSConfig(ca_data=certs.wrong_authority().ca_data)).send(GET)


@pytest.mark.behaviour("2.1.8")
def test_requests_bundles_have_no_influence_without_a_ca_either(tls_server, connect, tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(tls_server.ca_data)
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(bundle))
    with pytest.raises(TLSError, match="the system's CAs"):
        connect(tls_server, tls=TLSConfig()).send(GET)


def test_the_systems_trust_can_be_named_as_go_lets_it_be(tls_server, connect, tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(tls_server.ca_data)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    tls_server.reply_json({})
    assert connect(tls_server, tls=TLSConfig()).send(GET).status == 200


def test_a_context_holds_the_configs_certificates_and_no_others():
    context = client_context(TLSConfig(ca_data=certs.good().ca_data))
    assert len(context.get_ca_certs()) == 1
    assert client_context(TLSConfig(insecure=True)).get_ca_certs() == []


@pytest.mark.behaviour("2.1.2")
def test_data_wins_over_files(tmp_path, connect, tls_server):
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(certs.wrong_authority().ca_data)
    tls_server.reply_json({})
    connect(tls_server, tls=TLSConfig(ca_data=tls_server.ca_data, ca_file=wrong)).send(GET)
    tls_server.reply_json({})
    right = tmp_path / "right.pem"
    right.write_bytes(b"text before\n" + tls_server.ca_data)
    connect(tls_server, tls=TLSConfig(ca_file=right)).send(GET)


def test_one_bad_certificate_in_a_bundle_does_not_hide_the_others(tls_server, connect):
    bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    bundle = bad + certs.wrong_authority().ca_data + tls_server.ca_data + tls_server.ca_data
    tls_server.reply_json({})
    assert connect(tls_server, tls=TLSConfig(ca_data=bundle)).send(GET).status == 200


@pytest.mark.parametrize("option", ["authority_key_identifier", "critical", "key_usage", None])
def test_what_go_takes_is_taken_on_every_python(connect, option):
    # Python 3.13 turns VERIFY_X509_STRICT on, and the CAs of managed clusters fail it.
    identity = certs.lax(**({option: True} if option else {}))
    with serve(identity) as server:
        assert connect(server).send(GET).status == 200


def test_a_certificate_that_is_not_self_signed_can_be_the_anchor(connect):
    # Go takes any certificate of the pool as a root: here the server's own.
    identity = certs.good()
    with serve(identity) as server:
        assert connect(server, tls=TLSConfig(ca_data=identity.pair.certificate)).send(GET).status == 200


@pytest.mark.behaviour("2.1.3")
def test_the_server_name_is_asked_for_and_verified(connect):
    with serve(certs.other_host("kubernetes.example")) as server:
        transport = connect(server, tls=TLSConfig(ca_data=server.ca_data, server_name="kubernetes.example"))
        transport.send(GET)
        (request,) = server.requests
        assert request.server_name == "kubernetes.example"
        assert request.header("Host") == [f"127.0.0.1:{server.port}"]


@pytest.mark.behaviour("2.1.3")
def test_a_certificate_for_another_name_is_refused(connect):
    with serve(certs.other_host("kubernetes.example")) as server:
        with pytest.raises(TLSError, match="tls-server-name"):
            connect(server).send(GET)
        with pytest.raises(TLSError, match=r"'other\.example'"):
            connect(server, tls=TLSConfig(ca_data=server.ca_data, server_name="other.example")).send(GET)
        assert server.requests == []


def test_insecure_takes_any_certificate_without_a_warning(connect, recwarn):
    for identity in (certs.other_host(), certs.expired()):
        with serve(identity) as server:
            assert connect(server, tls=TLSConfig(insecure=True)).send(GET).status == 200
    assert not list(recwarn)


def test_an_expired_certificate_is_named_as_such(connect):
    with serve(certs.expired()) as server, pytest.raises(TLSError, match="expired"):
        connect(server).send(GET)


@pytest.mark.behaviour("2.1.1")
def test_tls_1_1_is_refused():
    context = client_context(TLSConfig(insecure=True))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert not context.hostname_checks_common_name


@pytest.mark.parametrize("ca", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_ca_that_is_none_is_named(ca, tmp_path):
    if ca:
        with pytest.raises(ConfigError, match=r"^certificate-authority-data: holds no usable certificate"):
            client_context(TLSConfig(ca_data=ca))
    path = tmp_path / "ca.pem"
    path.write_bytes(ca)
    with pytest.raises(ConfigError, match="holds no usable certificate") as caught:
        client_context(TLSConfig(ca_file=path))
    assert str(path) in str(caught.value)
    path.unlink()
    with pytest.raises(ConfigError, match="No such file") as caught:
        client_context(TLSConfig(ca_file=path))
    assert str(path) in str(caught.value)


def test_a_proxy_is_trusted_by_the_system_or_the_configs_ca():
    ours = certs.good().ca_data
    system = len(proxy_context(TLSConfig()).get_ca_certs())
    assert len(proxy_context(TLSConfig(ca_data=ours)).get_ca_certs()) == system + 1


# ------------------------------------------------------------- client certificates


@pytest.fixture
def client_pair():
    return certs.client("jane", "dev")


@pytest.fixture
def mutual():
    with serve(certs.good(), client_ca=certs.authority("clients").certificate) as server:
        yield server


@pytest.mark.behaviour("2.1.2")
@pytest.mark.parametrize("certificate", ["data", "file"])
@pytest.mark.parametrize("key", ["data", "file"])
def test_the_client_certificate(mutual, connect, client_pair, tmp_path, certificate, key):
    (tmp_path / "cert").write_bytes(client_pair.certificate)
    (tmp_path / "key").write_bytes(client_pair.key)
    fields = {
        f"cert_{certificate}": client_pair.certificate if certificate == "data" else tmp_path / "cert",
        f"key_{key}": client_pair.key if key == "data" else tmp_path / "key",
    }
    connect(mutual, tls=TLSConfig(ca_data=mutual.ca_data, **fields)).send(GET)
    assert "CN=jane" in mutual.requests[0].peer


def test_without_a_client_certificate_there_is_none(mutual, connect):
    connect(mutual).send(GET)
    assert mutual.requests[0].peer == ""


def test_a_client_certificate_that_the_server_refuses(mutual, connect):
    stranger = certs.client("mallory", ca="strangers")
    tls = TLSConfig(ca_data=mutual.ca_data, cert_data=stranger.certificate, key_data=stranger.key)
    with pytest.raises(TLSError, match="refused our client certificate"):
        connect(mutual, tls=tls).send(GET)


def test_a_pair_that_is_none_is_named(client_pair):
    other = certs.client("other")
    with pytest.raises(ConfigError, match=r"client-certificate-data and client-key-data: the key does not belong"):
        client_context(TLSConfig(insecure=True, cert_data=client_pair.certificate, key_data=other.key))
    with pytest.raises(ConfigError, match="in PEM"):
        client_context(TLSConfig(insecure=True, cert_data=b"x", key_data=b"y"))


def test_an_encrypted_key_is_refused_and_nobody_is_asked(client_pair):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(client_pair.key, None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"sesame"),
    )
    with pytest.raises(ConfigError, match="encrypted"):
        client_context(TLSConfig(insecure=True, cert_data=client_pair.certificate, key_data=encrypted))


@pytest.mark.behaviour("2.1.2")
def test_no_key_material_is_left_on_disk(tmp_path, monkeypatch, client_pair):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    written = []

    def remember(event, args):
        if event == "open" and isinstance(args[0], str) and args[0].startswith(str(tmp_path)):
            written.append(args[0])

    sys.addaudithook(remember)
    client_context(TLSConfig(insecure=True, cert_data=client_pair.certificate, key_data=client_pair.key))
    assert list(tmp_path.iterdir()) == []
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        assert written == []


@pytest.mark.behaviour("2.1.2")
def test_without_memory_files_the_file_is_private_and_short_lived(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with pytest.raises(KeyError), as_file(b"secret") as path:
        assert os.stat(path).st_mode & 0o777 == 0o600
        with open(path, "rb") as file:
            assert file.read() == b"secret"
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no memory files here")
def test_memory_files_leave_no_descriptor_open():
    before = len(os.listdir("/proc/self/fd"))
    with as_file(b"secret") as path, open(path, "rb") as file:
        assert file.read() == b"secret"
    assert len(os.listdir("/proc/self/fd")) == before
