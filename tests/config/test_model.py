from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.config.model import (
    AuthProviderConfig,
    ExecConfig,
    Impersonation,
    RESTConfig,
    TLSConfig,
    redact_url,
    split_host,
)
from dynkube.errors import ConfigError

HOST = "https://kube.example:6443"
EVERYTHING = RESTConfig(
    host="https://kube.example:6443/prefix/",
    tls=TLSConfig(server_name="kube", ca_data=b"ca", cert_data=b"cert", key_data=b"SECRET-key"),
    bearer_token="SECRET-token",
    bearer_token_file="/run/token",
    impersonate=Impersonation(user="jane", uid="7", groups=("dev",), extra={"k": ("v",)}),
    exec=ExecConfig(command="aws", args=("SECRET-arg",), env=(("NAME", "SECRET-env"),), config={"a": "SECRET-config"}),
    proxy_url="http://me:SECRET-proxy@proxy:3128",
    timeout=30,
    user_agent="me/1",
    namespace="shop",
    source="/home/me/.kube/config",
    context="dev",
    user="u",
)


@pytest.mark.behaviour("1.2.8")
@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda config: f"{config!r}"])
def test_no_credential_in_any_text_form(show):
    text = show(EVERYTHING)
    assert "SECRET" not in text
    assert "bearer_token=REDACTED" in text
    assert "key_data=REDACTED" in text
    assert "cert_data=<4 bytes>" in text
    assert "env={'NAME': REDACTED}" in text
    assert "http://REDACTED@proxy:3128" in text


def test_repr_of_the_other_credentials():
    basic = RESTConfig(
        host=HOST,
        username="me",
        password="SECRET",
        auth_provider=AuthProviderConfig(name="oidc", config={"id-token": "SECRET"}),
    )
    assert repr(basic) == (
        "RESTConfig(host='https://kube.example:6443', username='me', password=REDACTED, "
        "auth_provider=AuthProviderConfig(name='oidc', config={'id-token': REDACTED}))"
    )


@pytest.mark.behaviour("1.6.8")
def test_a_config_can_be_copied_pickled_compared_and_hashed():
    for twin in (
        copy.copy(EVERYTHING),
        copy.deepcopy(EVERYTHING),
        pickle.loads(pickle.dumps(EVERYTHING)),
        EVERYTHING.copy(),
    ):
        assert twin == EVERYTHING
        assert hash(twin) == hash(EVERYTHING)
    assert EVERYTHING.copy(namespace="other") != EVERYTHING
    assert EVERYTHING.copy(source="elsewhere") == EVERYTHING, "where it came from is not what it is"


@pytest.mark.behaviour("1.6.8")
def test_anonymous_drops_credentials_and_keeps_the_rest():
    config = EVERYTHING.anonymous()
    assert config == RESTConfig(
        host=EVERYTHING.host,
        tls=TLSConfig(server_name="kube", ca_data=b"ca"),
        proxy_url=EVERYTHING.proxy_url,
        timeout=30,
        user_agent="me/1",
        namespace="shop",
    )
    assert EVERYTHING.bearer_token == "SECRET-token"


def test_anonymous_never_falls_from_https_to_http():
    config = RESTConfig(host="kube:6443", tls=TLSConfig(cert_file="c", key_file="k"))
    assert config.base_url == "https://kube:6443"
    assert config.anonymous().base_url == "https://kube:6443"


def test_unknown_keywords_and_positional_arguments_are_type_errors():
    with pytest.raises(TypeError):
        RESTConfig(host=HOST, tokn="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        EVERYTHING.copy(tokn="x")
    with pytest.raises(TypeError):
        RESTConfig(HOST)  # type: ignore[misc]


# ------------------------------------------------------------------ hosts


@pytest.mark.behaviour("2.4.1", "2.4.2")
@pytest.mark.parametrize(
    ("host", "tls", "base_url", "prefix"),
    [
        ("kube", TLSConfig(), "http://kube", ""),
        ("kube:8080", TLSConfig(), "http://kube:8080", ""),
        ("kube:6443", TLSConfig(ca_file="ca"), "https://kube:6443", ""),
        ("kube:6443", TLSConfig(ca_data=b"ca"), "https://kube:6443", ""),
        ("kube:6443/", TLSConfig(insecure=True), "https://kube:6443", ""),
        ("kube:6443", TLSConfig(cert_file="c", key_file="k"), "https://kube:6443", ""),
        ("kube", TLSConfig(server_name="x"), "http://kube", ""),
        ("http://kube", TLSConfig(ca_file="ca"), "http://kube", ""),
        ("https://kube", TLSConfig(), "https://kube", ""),
        ("HTTPS://kube", TLSConfig(), "https://kube", ""),
        ("https://kube:6443/k8s/clusters/c-1", TLSConfig(), "https://kube:6443", "/k8s/clusters/c-1"),
        ("https://kube:6443/k8s/clusters/c-1/", TLSConfig(), "https://kube:6443", "/k8s/clusters/c-1"),
        ("https://kube/p?q=1#f", TLSConfig(), "https://kube", "/p"),
        ("https://kube/a%20b/ü", TLSConfig(), "https://kube", "/a%20b/%C3%BC"),
        ("[::1]:6443", TLSConfig(insecure=True), "https://[::1]:6443", ""),
        ("https://[fd00::1]", TLSConfig(), "https://[fd00::1]", ""),
        ("https://kube:/x", TLSConfig(), "https://kube", "/x"),
    ],
)
def test_host_forms(host, tls, base_url, prefix):
    config = RESTConfig(host=host, tls=tls)
    assert (config.base_url, config.path_prefix) == (base_url, prefix)


@pytest.mark.behaviour("2.4.1")
@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("", "host is empty: host must be a URL or a host:port pair"),
        ("kube:6443/prefix", 'host must be a URL or a host:port pair: "kube:6443/prefix"'),
        ("ftp://kube", "unsupported scheme 'ftp'"),
        ("https://", "it names no host"),
        ("https://kube:99999", "its port is not a number from 0 to 65535"),
        ("https://kube:port", "its port is not a number from 0 to 65535"),
        ("https://[::1", "is no URL or host:port pair"),
        ("https://ku be", "a blank or a control character"),
        ("https://kube\n", "a blank or a control character"),
        ("https://me:SECRET@kube", "it holds a user name or a password"),
        ("https://me:SEC/RET@kube", "https://REDACTED@kube"),
        ("https://me:SECRET\u2100@kube", "https://REDACTED@kube"),
        ("me:SEC/RET@kube", "REDACTED@kube"),
    ],
)
def test_hosts_that_are_none(host, message):
    with pytest.raises(ConfigError) as caught:
        RESTConfig(host=host)
    assert message in str(caught.value)
    assert "SEC" not in str(caught.value)
    assert caught.value.__context__ is None


@given(st.text(min_size=1))
def test_any_host_is_a_base_url_or_a_config_error(host):
    try:
        base_url, prefix = split_host(host, default_tls=True)
    except ConfigError:
        return
    assert base_url.startswith(("http://", "https://"))
    assert prefix == "" or (prefix.startswith("/") and not prefix.endswith("/") and prefix.isascii())


@given(st.sampled_from(["http://", "https://", ""]), st.text(), st.text(min_size=1), st.text())
def test_redact_url_hides_everything_before_the_last_at_sign(scheme, before, secret, after):
    after = after.replace("@", "")
    assert redact_url(f"{scheme}user:secret{before}{secret}@{after}").endswith(f"REDACTED@{after}")
    assert "secret" not in redact_url(f"{scheme}user:secret{before}@{after.replace('secret', '')}")


# ------------------------------------------------------------------ contradictions


@pytest.mark.behaviour("2.2.2")
@pytest.mark.parametrize("token", [{"bearer_token": "t"}, {"bearer_token_file": "f"}])
def test_basic_and_token_exclude_each_other(token):
    with pytest.raises(ConfigError, match="username/password or bearer token may be set, but not both"):
        RESTConfig(host=HOST, username="me", password="p", **token)


@pytest.mark.behaviour("2.1.1")
def test_ca_and_insecure_exclude_each_other():
    for ca in ({"ca_file": "ca.crt"}, {"ca_data": b"ca"}):
        with pytest.raises(ConfigError, match="root certificates file with the insecure flag is not allowed"):
            TLSConfig(insecure=True, **ca)


@pytest.mark.behaviour("2.1.2")
@pytest.mark.parametrize("half", [{"cert_file": "c"}, {"cert_data": b"c"}, {"key_file": "k"}, {"key_data": b"k"}])
def test_certificate_and_key_need_each_other(half):
    with pytest.raises(ConfigError, match="needs both certificate and key"):
        TLSConfig(**half)
    assert TLSConfig(cert_file="c", key_data=b"k").has_client_certificate


@pytest.mark.behaviour("2.2.3", "1.5.8")
@pytest.mark.parametrize("rest", [{"uid": "1"}, {"groups": ["g"]}, {"extra": {"k": ["v"]}}])
def test_impersonation_needs_a_user(rest):
    with pytest.raises(ConfigError, match=r"need impersonate\.user"):
        Impersonation(**rest)


@pytest.mark.behaviour("2.2.3", "2.2.4", "2.2.5")
def test_impersonation_headers():
    who = Impersonation(
        user="jane", uid="7", groups=["dev", "ops"], extra={"Scopes": ["a", "b"], "example.org/foo%": ["c"]}
    )
    assert who.headers() == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Extra-Scopes", "a"),
        ("Impersonate-Extra-Scopes", "b"),
        ("Impersonate-Extra-example.org%2Ffoo%25", "c"),
    )
    assert Impersonation().headers() == ()
    assert not Impersonation()


@pytest.mark.behaviour("2.2.4")
@given(st.text())
def test_escaped_extra_keys_are_header_tokens_and_unescape_to_themselves(key):
    from urllib.parse import unquote

    (_, (name, _)) = Impersonation(user="u", extra={key: ["v"]}).headers()
    escaped = name.removeprefix("Impersonate-Extra-")
    assert all(char.isascii() and (char.isalnum() or char in "!#$&'*+-.^_`|~%") for char in escaped)
    assert unquote(escaped) == key


@pytest.mark.behaviour("1.5.6")
@pytest.mark.parametrize("url", ["http://proxy:3128", "https://proxy", "socks5://me:pw@proxy:1080"])
def test_proxy_urls(url):
    assert RESTConfig(host=HOST, proxy_url=url).proxy_url == url


@pytest.mark.behaviour("1.5.6")
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://me:SECRET@proxy", 'unsupported scheme "ftp", must be http, https, or socks5'),
        ("proxy:3128", "unsupported scheme"),
        ("http://", "it names no host"),
        ("http://proxy:port", "could not parse: http://proxy:port"),
        ("http://me:SECRET@[proxy", "could not parse"),
    ],
)
def test_proxy_urls_that_are_none(url, message):
    with pytest.raises(ConfigError) as caught:
        RESTConfig(host=HOST, proxy_url=url)
    assert str(caught.value).startswith("proxy_url ")
    assert message in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        ({"bearer_token": "SECRET"}, "bearer_token"),
        ({"bearer_token_file": "f"}, "bearer_token_file"),
        ({"username": "me", "password": "SECRET"}, "username"),
        ({"exec": ExecConfig(command="aws")}, "exec"),
        ({"auth_provider": AuthProviderConfig(name="oidc")}, "auth_provider"),
        ({"tls": TLSConfig(cert_file="c", key_file="k")}, "tls.cert_file"),
    ],
)
def test_credentials_over_plain_http_must_be_allowed(credentials, field):
    with pytest.raises(ConfigError, match="allow_plain_http_credentials=True") as caught:
        RESTConfig(host="http://kube", **credentials)
    assert str(caught.value).startswith(field)
    assert "SECRET" not in str(caught.value)
    assert not RESTConfig(host="http://kube", allow_plain_http_credentials=True, **credentials).is_tls


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bearer_token": "abc\n"}, "bearer_token holds a newline"),
        ({"bearer_token": "abc\r\nX-Header: 1"}, "bearer_token holds a newline"),
        ({"bearer_token": "ключ"}, "bearer_token holds a newline or another character"),
        ({"user_agent": "a\nb"}, "user_agent holds a newline"),
        ({"password": "p"}, "password is set without username"),
        ({"timeout": 0}, "timeout must be more than 0"),
        ({"timeout": float("nan")}, "timeout must be more than 0"),
        ({"timeout": "5s"}, "timeout must be a number of seconds"),
        ({"timeout": True}, "timeout must be a number of seconds"),
        ({"namespace": ""}, "namespace is empty"),
        ({"namespace": "../x"}, "is no namespace name"),
        ({"namespace": ".."}, "is no namespace name"),
        ({"namespace": "a%2fb"}, "is no namespace name"),
        ({"username": 5}, "username must be a str, got int"),
        ({"bearer_token": b"abc"}, "bearer_token must be a str, got bytes"),
        ({"bearer_token_file": 5}, "bearer_token_file must be a path, got int"),
        ({"disable_compression": "yes"}, "disable_compression must be True or False"),
        ({"tls": {"insecure": True}}, "tls must be a TLSConfig, got dict"),
        ({"impersonate": "jane"}, "impersonate must be a Impersonation, got str"),
        ({"exec": ExecConfig()}, "exec.command is empty"),
        (
            {"exec": ExecConfig(command="a"), "auth_provider": AuthProviderConfig(name="b")},
            "cannot be used in combination",
        ),
    ],
)
def test_fields_that_can_never_work(fields, message):
    with pytest.raises(ConfigError, match=message):
        RESTConfig(host=HOST, **fields)


def test_parts_check_their_types():
    for make, message in [
        (lambda: TLSConfig(ca_data="pem"), "tls.ca_data must be bytes"),
        (lambda: TLSConfig(ca_file=b"ca"), "tls.ca_file must be a path"),
        (lambda: TLSConfig(insecure=1), "tls.insecure must be True or False"),
        (lambda: Impersonation(user="u", groups="dev"), "impersonate.groups must be a list of str, got str"),
        (lambda: Impersonation(user="u", groups=[1]), "each of impersonate.groups must be a str"),
        (lambda: Impersonation(user="u\n"), "impersonate.user holds a newline"),
        (lambda: Impersonation(user="u", extra=["k"]), "impersonate.extra must be a mapping"),
        (lambda: Impersonation(user="u", extra={1: ["v"]}), "a name in impersonate.extra must be a str"),
        (lambda: Impersonation(user="u", extra={"k": "v"}), "must be a list of str"),
        (lambda: ExecConfig(command="a", args="b"), "exec.args must be a list of str"),
    ]:
        with pytest.raises(ConfigError, match=message):
            make()


def test_path_likes_and_empty_data():
    tls = TLSConfig(ca_file=Path("ca.crt"), ca_data=b"")
    assert (tls.ca_file, tls.ca_data) == ("ca.crt", None)
    assert RESTConfig(host=HOST, bearer_token_file=Path("token")).bearer_token_file == "token"


def test_what_is_given_is_copied():
    groups, extra = ["dev"], {"k": ["v"]}
    who = Impersonation(user="u", groups=groups, extra=extra)
    groups.append("x")
    extra["k"].append("x")
    assert (who.groups, who.extra) == (("dev",), {"k": ("v",)})


# ------------------------------------------------------------------ plugins


@pytest.mark.behaviour("1.9.10")
def test_require_static_credentials():
    plugin, provider = ExecConfig(command="/opt/aws", api_version="v1"), AuthProviderConfig(name="oidc")
    place = {"user": "eks", "source": "/home/me/config"}
    with pytest.raises(ConfigError, match=r"the exec plugin 'aws' of user 'eks' \(in /home/me/config\) gives the"):
        RESTConfig(host=HOST, exec=plugin, **place).require_static_credentials()
    with pytest.raises(ConfigError, match=r"the auth-provider 'oidc' of user 'eks' .*nobody runs it here"):
        RESTConfig(host=HOST, auth_provider=provider, **place).require_static_credentials()
    certificate = TLSConfig(cert_file="c", key_file="k")
    for static in ({}, {"bearer_token": "t"}, {"bearer_token_file": "f"}, {"username": "u"}, {"tls": certificate}):
        RESTConfig(host=HOST, **static).require_static_credentials()
        if static:
            RESTConfig(host=HOST, exec=plugin, **static).require_static_credentials()
    with pytest.raises(ConfigError, match="auth-provider"):
        RESTConfig(host=HOST, auth_provider=provider, tls=certificate).require_static_credentials()


def test_the_model_costs_no_yaml_and_no_network():
    code = "import sys, dynkube.config.model; print(sorted({'yaml', 'requests', 'urllib3', 'socket', 'ssl'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
