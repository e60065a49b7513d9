"""Certificates and tokens that are replaced under a running client, and the server's word on who asks."""

from __future__ import annotations

import pytest
from manifests import CONFIGMAPS

import dynkube
from dynkube.dynamic import DynamicClient
from dynkube.rest import RESTClient
from dynkube.transport import Transport


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def connect(clock):
    """A client whose files are read again when this clock says so."""
    clients = []

    def connect(config):
        rest = RESTClient(config, transport=Transport(config, clock=clock))
        clients.append(DynamicClient(config, rest=rest))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def whoami(client):
    review = client.rest.post().abs_path("/apis/authentication.k8s.io/v1/selfsubjectreviews")
    body = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    return review.body(body).do().object()["status"]["userInfo"]["username"]


@pytest.fixture
def identify(server, tmp_path):
    """Write the certificate and key of a user into the files of a configuration; returns that configuration."""
    paths = {name: tmp_path / name for name in ("ca", "cert", "key")}

    def identify(user):
        tls = dynkube.load_config(kubeconfig=server.user(user, ["system:masters"])).tls
        paths["ca"].write_bytes(tls.ca_data)
        paths["cert"].write_bytes(tls.cert_data)
        paths["key"].write_bytes(tls.key_data)
        files = dynkube.TLSConfig(ca_file=paths["ca"], cert_file=paths["cert"], key_file=paths["key"])
        return dynkube.RESTConfig(host=server.url, tls=files)

    return identify


@pytest.mark.behaviour("2.1.4")
def test_a_new_client_certificate_is_another_user_and_watches_go_on(
    connect, clock, identify, configmaps, namespace, unique
):
    client = connect(identify(f"{unique}-one"))
    mine = client.resource(CONFIGMAPS).namespace(namespace)
    assert whoami(client) == f"{unique}-one"
    with mine.watch(resource_version=mine.list().resource_version) as events:
        configmaps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
        assert next(events).object["metadata"]["name"] == "a"
        identify(f"{unique}-two")
        clock.now += 2
        assert whoami(client) == f"{unique}-two"
        configmaps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})
        assert next(events).object["metadata"]["name"] == "b"


@pytest.mark.behaviour("2.1.5")
def test_a_ca_that_is_replaced_is_the_one_that_counts(connect, clock, identify, tmp_path, unique):
    client = connect(identify(unique))
    good = (tmp_path / "ca").read_bytes()
    (tmp_path / "ca").write_bytes(b"-----BEGIN CERTIFICATE-----\nhalf writ")
    clock.now += 2
    assert whoami(client) == unique
    (tmp_path / "ca").write_bytes((tmp_path / "cert").read_bytes())  # signs nothing
    clock.now += 2
    with pytest.raises(dynkube.TLSError):
        whoami(client)
    (tmp_path / "ca").write_bytes(good)
    clock.now += 2
    assert whoami(client) == unique


@pytest.mark.behaviour("2.2.6")
def test_a_service_accounts_token_file_that_is_replaced(connect, clock, server, client, tmp_path, namespace):
    accounts = client.resource("serviceaccounts").namespace(namespace)
    path = tmp_path / "token"

    def write(account):
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
        path.write_text(accounts.subresource("token").create(request, name=account)["status"]["token"] + "\n")

    for account in ("one", "two"):
        accounts.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}})
    write("one")
    tls = dynkube.TLSConfig(ca_data=server.config.tls.ca_data)
    user = connect(dynkube.RESTConfig(host=server.url, tls=tls, bearer_token_file=path))
    assert whoami(user) == f"system:serviceaccount:{namespace}:one"
    write("two")
    clock.now += 51
    assert whoami(user) == f"system:serviceaccount:{namespace}:two"
    path.write_text("")
    clock.now += 51
    assert whoami(user) == f"system:serviceaccount:{namespace}:two"
