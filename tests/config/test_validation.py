from __future__ import annotations

import pytest

from dynkube.config.kubeconfig import AuthInfo, Cluster, Context, Kubeconfig, parse
from dynkube.config.model import AuthProviderConfig, ExecConfig
from dynkube.config.validation import (
    cluster_problems,
    confirm_usable,
    context_problems,
    is_config_invalid,
    is_context_not_found,
    is_empty_config,
    suggest,
    user_problems,
    validate,
)
from dynkube.errors import ConfigError, ContextNotFoundError, EmptyConfigError, InvalidConfigError, NotInClusterError

V1 = "client.authentication.k8s.io/v1"
PLUGIN = ExecConfig(command="aws", api_version=V1, interactive_mode="Never")
SERVER = "https://kube.example"


@pytest.mark.behaviour("1.5.6")
@pytest.mark.parametrize(
    ("name", "cluster", "problem"),
    [
        ("x", Cluster(tls_server_name="n"), 'no server found for cluster "x"'),
        ("", Cluster(tls_server_name="n"), "default cluster has no server defined"),
        ("x", Cluster(), "cluster has no server defined"),
        (
            "x",
            Cluster(server=SERVER, proxy_url="ftp://me:pw@proxy"),
            'invalid \'proxy-url\' "ftp://REDACTED@proxy" for cluster "x": unsupported scheme "ftp", must be http, https, or socks5',
        ),
        (
            "x",
            Cluster(server=SERVER, proxy_url="socks4://proxy"),
            'invalid \'proxy-url\' "socks4://proxy" for cluster "x": unsupported scheme "socks4", must be http, https, or socks5',
        ),
        (
            "x",
            Cluster(server=SERVER, certificate_authority=__file__, certificate_authority_data=b"ca"),
            "certificate-authority-data and certificate-authority are both specified for x. certificate-authority-data will override.",
        ),
        (
            "x",
            Cluster(server=SERVER, certificate_authority="/nope"),
            "unable to read certificate-authority /nope for x due to open /nope: No such file or directory",
        ),
    ],
)
def test_cluster_problems(name, cluster, problem):
    assert cluster_problems(name, cluster) == [problem]


@pytest.mark.behaviour("1.5.6")
@pytest.mark.parametrize("proxy", ["http://p", "https://p", "socks5://p"])
def test_good_clusters(proxy):
    assert cluster_problems("x", Cluster(server=SERVER, proxy_url=proxy, certificate_authority=__file__)) == []


def test_an_empty_cluster_of_a_file_is_not_nothing():
    assert cluster_problems("x", Cluster(origin="/f")) == ['no server found for cluster "x" (in /f)']


@pytest.mark.behaviour("1.5.7", "1.9.12")
@pytest.mark.parametrize(
    ("user", "problems"),
    [
        (AuthInfo(), []),
        (AuthInfo(client_certificate_data=b"c", client_key_data=b"k", token="t"), []),
        (AuthInfo(client_certificate=__file__, client_key=__file__), []),
        (
            AuthInfo(client_certificate=__file__, client_certificate_data=b"c", client_key_data=b"k"),
            ["client-cert-data and client-cert are both specified for u. client-cert-data will override."],
        ),
        (
            AuthInfo(client_certificate_data=b"c", client_key=__file__, client_key_data=b"k"),
            ["client-key-data and client-key are both specified for u; client-key-data will override"],
        ),
        (
            AuthInfo(client_certificate_data=b"c"),
            ["client-key-data or client-key must be specified for u to use the clientCert authentication method."],
        ),
        (
            AuthInfo(client_key_data=b"k"),
            ["client-key-data or client-key is specified for u without a client-certificate"],
        ),
        (
            AuthInfo(client_certificate="/no.crt", client_key="/no.key"),
            [
                "unable to read client-cert /no.crt for u due to open /no.crt: No such file or directory",
                "unable to read client-key /no.key for u due to open /no.key: No such file or directory",
            ],
        ),
        (AuthInfo(exec=PLUGIN), []),
        (
            AuthInfo(exec=PLUGIN, auth_provider=AuthProviderConfig(name="oidc")),
            ["authProvider cannot be provided in combination with an exec plugin for u"],
        ),
        (
            AuthInfo(exec=ExecConfig(api_version=V1, interactive_mode="Always")),
            ["command must be specified for u to use exec authentication plugin"],
        ),
        (
            AuthInfo(exec=ExecConfig(command="a", interactive_mode="IfAvailable")),
            ["apiVersion must be specified for u to use exec authentication plugin"],
        ),
        (
            AuthInfo(exec=ExecConfig(command="a", api_version=V1)),
            ["interactiveMode must be specified for u to use exec authentication plugin"],
        ),
        (
            AuthInfo(exec=ExecConfig(command="a", api_version=V1, interactive_mode="never")),
            ['invalid interactiveMode for u: "never" (it is one of Never, IfAvailable, Always)'],
        ),
        (
            AuthInfo(exec=ExecConfig(command="a", api_version=V1, interactive_mode="Never", env=(("", "x"),))),
            ["env variable name must be specified for u to use exec authentication plugin"],
        ),
        (
            AuthInfo(token="t", username="me"),
            ["more than one authentication method found for u; found [token basicAuth], only one is allowed"],
        ),
        (
            AuthInfo(token="t", password="pw"),
            ["more than one authentication method found for u; found [token basicAuth], only one is allowed"],
        ),
    ],
)
def test_user_problems(user, problems):
    assert user_problems("u", user) == problems


@pytest.mark.behaviour("1.5.8")
@pytest.mark.parametrize(
    "rest", [{"impersonate_uid": "1"}, {"impersonate_groups": ("g",)}, {"impersonate_extra": {"k": ("v",)}}]
)
def test_impersonation_without_a_user(rest):
    assert user_problems("u", AuthInfo(**rest)) == [
        "requesting uid, groups or user-extra for u without impersonating a user"
    ]
    assert user_problems("u", AuthInfo(impersonate="jane", **rest)) == []


@pytest.mark.behaviour("1.5.9")
def test_context_problems():
    config = Kubeconfig(clusters={"c": Cluster(server=SERVER)}, users={"u": AuthInfo()})
    assert context_problems("x", Context(cluster="c", user="u", namespace="shop-1"), config) == []
    assert context_problems("x", Context(), config) == [
        'user was not specified for context "x"',
        'cluster was not specified for context "x"',
    ]
    assert context_problems("x", Context(cluster="d", user="v", namespace="Shop"), config) == [
        'user "v" was not found for context "x"',
        'cluster "d" was not found for context "x"',
        'namespace "Shop" for context "x" does not conform to the kubernetes DNS_LABEL rules',
    ]
    assert context_problems("", Context(cluster="c", user="u"), config) == ["empty context name is not allowed"]


@pytest.mark.behaviour("1.5.9", "1.5.4")
def test_validate_reports_all_problems_of_all_stanzas():
    config = parse(
        "clusters: [{name: c, cluster: {server: ''}}, {name: d, cluster: {server: s}}]\n"
        "users: [{name: u, user: {token: t, username: me}}]\n"
        "contexts: [{name: x, context: {cluster: d, user: v}}]\ncurrent-context: gone",
        "/f",
    )
    with pytest.raises(InvalidConfigError) as caught:
        validate(config)
    assert caught.value.problems == (
        "context was not found for specified context: gone (contexts: x) in /f",
        'user "v" was not found for context "x" (in /f)',
        "more than one authentication method found for u; found [token basicAuth], only one is allowed (in /f)",
        'no server found for cluster "c" (in /f)',
    )
    assert str(caught.value).startswith("invalid configuration: [context was not found")
    assert is_context_not_found(caught.value)
    with pytest.raises(EmptyConfigError):
        validate(Kubeconfig())
    validate(parse("users: [{name: u, user: {token: t}}]"))
    with pytest.raises(ContextNotFoundError):
        validate(Kubeconfig(current_context="gone"))


@pytest.mark.behaviour("1.5.9")
def test_confirm_usable_looks_at_one_context():
    config = parse(
        "clusters: [{name: c, cluster: {server: s}}, {name: bad, cluster: {proxy-url: 'x:'}}]\n"
        "users: [{name: u}]\n"
        "contexts: [{name: good, context: {cluster: c, user: u}}, {name: bad, context: {cluster: bad, user: v, namespace: A}}]"
    )
    confirm_usable(config, "good")
    confirm_usable(config.copy(current_context="good"))
    with pytest.raises(ContextNotFoundError, match="no context chosen"):
        confirm_usable(config)
    with pytest.raises(
        ContextNotFoundError, match=r'context was not found for specified context: goud .*did you mean "good"'
    ):
        confirm_usable(config, "goud")
    with pytest.raises(InvalidConfigError) as caught:
        confirm_usable(config, "bad")
    assert len(caught.value.problems) == 4
    with pytest.raises(EmptyConfigError):
        confirm_usable(Kubeconfig())


@pytest.mark.behaviour("1.5.10")
def test_predicates():
    empty, missing, invalid = (
        EmptyConfigError(),
        ContextNotFoundError("context was not found for specified context: x"),
        InvalidConfigError(["a", "b"]),
    )
    assert [is_empty_config(each) for each in (empty, missing, invalid, None)] == [True, False, False, False]
    assert [is_context_not_found(each) for each in (empty, missing, invalid, None)] == [False, True, False, False]
    assert [is_config_invalid(each) for each in (empty, missing, invalid, None)] == [True, True, True, False]
    assert not is_config_invalid(NotInClusterError())
    assert not is_config_invalid(ConfigError("x"))


@pytest.mark.behaviour("1.5.4")
def test_the_empty_message():
    assert (
        str(EmptyConfigError())
        == "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
    )
    assert str(InvalidConfigError("a")) == "invalid configuration: a"
    assert str(InvalidConfigError(["a", "b"])) == "invalid configuration: [a, b]"


def test_suggestions_are_bounded():
    assert suggest("x", []) == " (there are no contexts)"
    assert suggest("prd", ["dev", "prod"]) == ' (did you mean "prod"? contexts: dev, prod)'
    assert suggest("zz", [f"c{n:02}" for n in range(50)]).endswith("c19, ...)")
