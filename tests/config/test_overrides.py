from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.config.kubeconfig import AuthInfo, Cluster, Context
from dynkube.config.model import AuthProviderConfig, ExecConfig
from dynkube.config.overrides import (
    Overrides,
    default_cluster,
    layered_cluster,
    layered_context,
    layered_user,
    parse_timeout,
    strip_namespace_prefix,
)
from dynkube.errors import ConfigError


def cluster(stanza, over=None, defaults=None):
    return layered_cluster(stanza, Overrides(cluster_info=over or Cluster(), cluster_defaults=defaults or Cluster()))


def user(stanza, over):
    return layered_user(stanza, Overrides(auth_info=over))


@pytest.mark.behaviour("1.4.2")
def test_defaults_below_the_stanza_below_the_overrides():
    defaults = Cluster(server="default", proxy_url="http://default", disable_compression=True)
    stanza = Cluster(server="stanza", tls_server_name="stanza")
    assert cluster(Cluster(), None, defaults) == defaults
    assert cluster(stanza, None, defaults) == defaults.copy(server="stanza", tls_server_name="stanza")
    assert cluster(stanza, Cluster(proxy_url="http://over"), defaults).proxy_url == "http://over"
    assert user(AuthInfo(token="a", username="x"), AuthInfo(token="b")) == AuthInfo(token="b", username="x")


@pytest.mark.behaviour("1.4.2")
def test_an_empty_override_says_nothing():
    assert cluster(
        Cluster(insecure_skip_tls_verify=True, disable_compression=True), Cluster(insecure_skip_tls_verify=False)
    ) == Cluster(insecure_skip_tls_verify=True, disable_compression=True)


@pytest.mark.behaviour("1.4.3")
@pytest.mark.parametrize("over", [Cluster(certificate_authority="new"), Cluster(certificate_authority_data=b"new")])
def test_an_overriding_ca_replaces_all_trust(over):
    stanza = Cluster(insecure_skip_tls_verify=True, certificate_authority="old", certificate_authority_data=b"old")
    assert cluster(stanza, over) == over


@pytest.mark.behaviour("1.4.3")
def test_an_overriding_insecure_removes_the_ca():
    stanza = Cluster(certificate_authority="old", certificate_authority_data=b"old")
    assert cluster(stanza, Cluster(insecure_skip_tls_verify=True)) == Cluster(insecure_skip_tls_verify=True)


@pytest.mark.behaviour("1.4.4")
def test_an_overriding_server_drops_the_tls_server_name():
    stanza = Cluster(server="old", tls_server_name="old")
    assert cluster(stanza, Cluster(server="new")) == Cluster(server="new")
    assert cluster(stanza, Cluster(server="new", tls_server_name="n")) == Cluster(server="new", tls_server_name="n")
    assert cluster(stanza, Cluster(tls_server_name="n")) == Cluster(server="old", tls_server_name="n")


@pytest.mark.behaviour("1.4.5")
def test_certificate_and_key_are_units():
    stanza = AuthInfo(client_certificate="c", client_certificate_data=b"c", client_key="k", client_key_data=b"k")
    assert user(stanza, AuthInfo(client_certificate="new")) == stanza.copy(
        client_certificate="new", client_certificate_data=b""
    )
    assert user(stanza, AuthInfo(client_certificate_data=b"new")) == stanza.copy(
        client_certificate="", client_certificate_data=b"new"
    )
    assert user(stanza, AuthInfo(client_key="new")) == stanza.copy(client_key="new", client_key_data=b"")
    assert user(stanza, AuthInfo(client_key_data=b"new")) == stanza.copy(client_key="", client_key_data=b"new")


@pytest.mark.behaviour("1.4.6")
def test_groups_replace_and_mappings_join():
    stanza = AuthInfo(
        impersonate="a",
        impersonate_groups=("a", "b"),
        impersonate_extra={"k": ("1",)},
        extensions={"e": {"x": 1}, "f": 1},
    )
    over = AuthInfo(impersonate_groups=("c",), impersonate_extra={"l": ("2",)}, extensions={"e": {"y": 2}})
    merged = user(stanza, over)
    assert merged.impersonate_groups == ("c",)
    assert merged.impersonate_extra == {"k": ("1",), "l": ("2",)}
    assert merged.extensions == {"e": {"y": 2}, "f": 1}


def test_plugins_are_replaced_whole():
    stanza = AuthInfo(
        exec=ExecConfig(command="a", args=("x",)), auth_provider=AuthProviderConfig(name="a", config={"k": "v"})
    )
    assert user(stanza, AuthInfo(exec=ExecConfig(command="b"))).exec == ExecConfig(command="b")
    assert user(stanza, AuthInfo()).exec == stanza.exec


@pytest.mark.behaviour("1.4.1", "1.4.10")
def test_the_context_takes_cluster_user_and_namespace():
    stanza = Context(cluster="c", user="u", namespace="n")
    assert layered_context(stanza, Overrides(context=Context(user="v"))) == stanza.copy(user="v")
    assert layered_context(stanza, Overrides(context=Context(cluster="d", namespace="m"))) == Context(
        cluster="d", user="u", namespace="m"
    )


@pytest.mark.behaviour("1.4.8")
@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("shop", "shop"),
        ("ns/shop", "shop"),
        ("namespace/shop", "shop"),
        ("namespaces/shop", "shop"),
        ("NS/shop", "shop"),
        ("NameSpace/shop", "shop"),
        ("ns/ns/x", "ns/x"),
        ("xns/shop", "xns/shop"),
        ("", ""),
    ],
)
def test_namespace_prefixes(given_name, expected):
    assert strip_namespace_prefix(given_name) == expected
    assert Overrides(context=Context(namespace=given_name)).context.namespace == expected


@pytest.mark.behaviour("1.4.9")
@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        (None, None), ("", None), ("0", None), (0, None), ("0s", None), ("10", 10), (10, 10), (2.5, 2.5), ("10s", 10), ("1m30s", 90), ("1h", 3600),
        ("1.5h", 5400), ("300ms", 0.3), (".5s", 0.5), ("1.s", 1), ("+5s", 5), ("100us", 0.0001), ("100µs", 0.0001), ("1ns", 1e-9), ("1h1m1s1ms", 3661.001),
    ],
)  # fmt: skip
def test_timeouts(timeout, seconds):
    assert parse_timeout(timeout) == seconds
    assert Overrides(timeout=timeout).seconds == seconds


@pytest.mark.behaviour("1.4.9")
@pytest.mark.parametrize(
    "timeout",
    [
        "ten",
        "10x",
        "-5",
        "-5s",
        "1s 2s",
        "s",
        "1d",
        "1m30",
        "\u0665",
        "1e3",
        -1,
        float("nan"),
        float("inf"),
        True,
        [],
        "inf",
        "9" * 400,
    ],
)
def test_timeouts_that_are_none(timeout):
    with pytest.raises(ConfigError, match=r"^Invalid timeout value\. Timeout must be"):
        Overrides(timeout=timeout)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59))
def test_hours_minutes_seconds_add_up(hours, minutes, seconds):
    assert parse_timeout(f"{hours}h{minutes}m{seconds}s") == ((hours * 60 + minutes) * 60 + seconds or None)


@pytest.mark.behaviour("1.7.8", "1.11.1")
def test_default_cluster():
    assert default_cluster({}) == Cluster(server="http://localhost:8080")
    assert default_cluster({}, legacy=False) == Cluster()
    assert default_cluster({"KUBERNETES_MASTER": "http://m"}, legacy=False) == Cluster(server="http://m")


def test_default_cluster_reads_the_environment_when_called(monkeypatch):
    monkeypatch.setenv("KUBERNETES_MASTER", "http://later")
    assert default_cluster() == Cluster(server="http://later")


@pytest.mark.behaviour("1.2.8")
def test_overrides_show_no_credential():
    overrides = Overrides(auth_info=AuthInfo(token="SECRET", password="SECRET"), current_context="dev")
    assert repr(overrides) == "Overrides(current_context='dev', auth_info=AuthInfo(token=REDACTED, password=REDACTED))"
    assert overrides.copy(timeout=5).seconds == 5
