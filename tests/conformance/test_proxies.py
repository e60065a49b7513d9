"""A real forward proxy and a real SOCKS5 one between client and server, with and without authentication."""

from __future__ import annotations

import pytest
from manifests import CONFIGMAPS, NAMESPACES
from realproxies import PASSWORD, USER, http_proxy, socks_proxy

import dynkube

KINDS = {"http": http_proxy, "socks5": socks_proxy}


@pytest.fixture(scope="module", params=["http", "http with a password", "socks5", "socks5 with a password"])
def proxy_url(request):
    scheme, _, password = request.param.partition(" ")
    with KINDS[scheme](authenticated=bool(password)) as port:
        user = f"{USER}:{PASSWORD}@" if password else ""
        yield f"{scheme}://{user}127.0.0.1:{port}"


@pytest.fixture
def proxied(server, proxy_url):
    with dynkube.DynamicClient(server.config.copy(proxy_url=proxy_url)) as client:
        yield client


@pytest.mark.behaviour("1.6.5")
def test_all_that_a_client_does_goes_through_a_proxy(proxied, configmaps, namespace):
    """Discovery by name, a create, pages, a watch that is open meanwhile, a delete."""
    assert proxied.resource("configmaps").gvr == CONFIGMAPS
    mine = proxied.resource(CONFIGMAPS).namespace(namespace)
    for name in ("a", "b", "c"):
        mine.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v" * 5000}})
    wanted = {"a", "b", "c"}
    assert wanted <= {each["metadata"]["name"] for each in mine.iter(limit=1)}
    version = mine.list().resource_version
    with mine.watch(resource_version=version) as events:
        configmaps.patch("a", {"data": {"k": "w"}})
        event = next(events)
    assert (event.type, event.object["data"]) == ("MODIFIED", {"k": "w"})
    mine.delete("a")
    with pytest.raises(dynkube.NotFoundError):
        mine.get("a")


def test_a_proxy_that_is_gone_is_named_without_its_password(server):
    with http_proxy(authenticated=True) as port:
        config = server.config.copy(proxy_url=f"http://{USER}:{PASSWORD}@127.0.0.1:{port}")
        client = dynkube.DynamicClient(config)
        client.resource(NAMESPACES).get("default")
    with client, pytest.raises(dynkube.TransportError) as caught:
        for _ in range(2):  # a connection through it may have outlived it
            client.resource(NAMESPACES).create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "said"), [("http", "407"), ("socks5", "Connection closed unexpectedly|GeneralProxyError")]
)
def test_a_wrong_password_is_a_connect_error_that_names_the_proxy(server, scheme, said):
    with KINDS[scheme](authenticated=True) as port:
        config = server.config.copy(proxy_url=f"{scheme}://{USER}:wrong-sesame@127.0.0.1:{port}")
        with dynkube.DynamicClient(config) as client, pytest.raises(dynkube.ConnectError, match=said) as caught:
            client.resource(NAMESPACES).get("default")
    assert f"the proxy 127.0.0.1:{port} does not connect us" in str(caught.value)
    assert "wrong-sesame" not in str(caught.value)
