from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.config.model import RESTConfig
from dynkube.errors import ConfigError
from dynkube.transport.proxies import bypasses, choose_proxy, proxy_for

SERVER = "https://192.0.2.7:6443"


def test_without_anything_there_is_no_proxy():
    assert choose_proxy(SERVER, "", {}) == ""


@pytest.mark.behaviour("1.6.5")
def test_the_configs_proxy_beats_the_environment_and_its_exceptions():
    environ = {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}
    assert choose_proxy(SERVER, "http://proxy:3128", environ) == "http://proxy:3128"
    assert choose_proxy("https://127.0.0.1:6443", "http://proxy:3128", {}) == "http://proxy:3128"


@pytest.mark.behaviour("1.6.5", "1.11.1")
@pytest.mark.parametrize(
    ("server", "environ", "proxy"),
    [
        (SERVER, {"HTTPS_PROXY": "http://a:1"}, "http://a:1"),
        (SERVER, {"https_proxy": "http://a:1"}, "http://a:1"),
        (SERVER, {"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:1"}, "http://a:1"),
        (SERVER, {"HTTP_PROXY": "http://a:1"}, ""),
        (SERVER, {"HTTPS_PROXY": "a:1"}, "http://a:1"),
        ("http://192.0.2.7", {"HTTP_PROXY": "http://a:1"}, "http://a:1"),
        ("http://192.0.2.7", {"HTTP_PROXY": "http://a:1", "REQUEST_METHOD": "GET"}, ""),
        (SERVER, {"HTTPS_PROXY": "http://a:1", "no_proxy": "192.0.2.0/24"}, ""),
    ],
)
def test_the_environment(server, environ, proxy):
    assert choose_proxy(server, "", environ) == proxy


def test_the_proxy_of_a_socks_url_looks_up_the_name():
    assert choose_proxy(SERVER, "socks5://p:1080", {}) == "socks5h://p:1080"


@pytest.mark.behaviour("1.6.5")
@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "expected"),
    [
        ("10.1.2.3", 6443, "10.0.0.0/8", True),
        ("10.1.2.3", 6443, "10.2.0.0/16", False),
        ("10.1.2.3", 6443, "10.1.2.3", True),
        ("10.1.2.3", 6443, "10.1.2.3:6443", True),
        ("10.1.2.3", 6443, "10.1.2.3:443", False),
        ("fd00::1", 6443, "fd00::/8", True),
        ("fd00::1", 6443, "fd00::1", True),
        ("fd00::1", 6443, "[fd00::1]:6443", True),
        ("fd00::1", 6443, "[fd00::1]:443", False),
        ("api.example.org", 6443, "example.org", True),
        ("example.org", 6443, "example.org", True),
        ("badexample.org", 6443, "example.org", False),
        ("api.example.org", 6443, ".example.org", True),
        ("example.org", 6443, ".example.org", False),
        ("api.example.org", 6443, "*.example.org", True),
        ("API.Example.org.", 6443, " x , EXAMPLE.org", True),
        ("example.org", 6443, "10.0.0.0/8", False),
        ("example.org", 6443, "not-a/cidr", False),
        ("10.1.2.3", 6443, "10.0.0.0/99", False),
        ("example.org", 6443, "*", True),
        ("example.org", 6443, "", False),
        ("example.org", 6443, ",,", False),
        ("localhost", 6443, "", True),
        ("127.0.0.2", 6443, "", True),
        ("::1", 6443, "", True),
    ],
)
def test_exceptions(host, port, no_proxy, expected):
    assert bypasses(host, port, no_proxy) is expected


@given(st.text(), st.integers(1, 65535), st.text())
def test_no_text_breaks_it(host, port, no_proxy):
    assert bypasses(host, port, no_proxy) in (True, False)


@pytest.mark.parametrize("value", ["ftp://p:1", "http://", "http://user:sesame@p:port", "http://user:sesame@"])
def test_a_proxy_that_is_none_is_named_without_its_password(value):
    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY ") as caught:
        choose_proxy(SERVER, "", {"HTTPS_PROXY": value})
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("no_proxy", ["*example.org", ":6443", "example.org:", "[]", "*"])
def test_entries_of_odd_shape_match_as_in_go(no_proxy):
    expected = {"*": True, "example.org:": True}.get(no_proxy, False)
    assert bypasses("example.org", 6443, no_proxy) is expected


@pytest.mark.behaviour("1.6.5")
def test_whoever_connects_takes_the_same_decision():
    environ = {"HTTPS_PROXY": "http://me:sesame%21@proxy.example", "NO_PROXY": "10.0.0.0/8,.corp"}
    proxy = proxy_for(RESTConfig(host=SERVER), environ)
    assert (proxy.scheme, proxy.host, proxy.port) == ("http", "proxy.example", 80)
    assert (proxy.username, proxy.password) == ("me", "sesame!")
    assert proxy.headers() == {"Proxy-Authorization": "Basic bWU6c2VzYW1lIQ=="}
    assert "sesame" not in repr(proxy)
    for config in (
        RESTConfig(host="https://10.1.2.3"),
        RESTConfig(host="https://kube.corp"),
        RESTConfig(host=SERVER, trust_env=False),
        RESTConfig(host="https://127.0.0.1:6443"),
    ):
        assert proxy_for(config, environ) is None
    own = proxy_for(RESTConfig(host="https://10.1.2.3", proxy_url="socks5://[fd00::1]"), environ)
    assert (own.scheme, own.host, own.port, own.headers()) == ("socks5h", "fd00::1", 1080, {})
