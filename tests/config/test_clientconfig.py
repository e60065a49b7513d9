from __future__ import annotations

import logging
import os
import threading

import pytest

from dynkube.config import load_yaml
from dynkube.config.clientconfig import (
    ClientConfig,
    DirectClientConfig,
    build_config_from_flags,
    load_config,
    rest_config_from_kubeconfig,
)
from dynkube.config.incluster import InCluster
from dynkube.config.kubeconfig import AuthInfo, Cluster, Context, Kubeconfig, load_file, parse
from dynkube.config.loader import LoadingRules
from dynkube.config.model import AuthProviderConfig, ExecConfig, Impersonation, RESTConfig, TLSConfig
from dynkube.config.overrides import Overrides, default_cluster
from dynkube.config.validation import is_config_invalid, is_context_not_found, is_empty_config
from dynkube.errors import (
    ConfigError,
    ContextNotFoundError,
    EmptyConfigError,
    InvalidConfigError,
    KubeconfigNotFoundError,
)

EMPTY = "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
TWO = """
clusters:
- {name: c, cluster: {server: "https://c"}}
- {name: d, cluster: {server: "https://d", certificate-authority-data: Y2E=, tls-server-name: d}}
users:
- {name: u, user: {token: u-token}}
- {name: v, user: {username: v, password: pw}}
contexts:
- {name: dev, context: {cluster: c, user: u}}
- {name: prod, context: {cluster: d, user: v, namespace: shop}}
current-context: dev
"""


def direct(text, *, context="", prompt=None, **overrides):
    return DirectClientConfig(parse(text), context=context, overrides=Overrides(**overrides), prompt=prompt)


def rest(text, *, context="", prompt=None, **overrides):
    return direct(text, context=context, prompt=prompt, **overrides).rest_config()


def one(user="{}", cluster="{server: 'https://c'}", context=""):
    return (
        f"clusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
        f"contexts: [{{name: dev, context: {{cluster: c, user: u{context}}}}}]\ncurrent-context: dev"
    )


# ------------------------------------------------------------------ which context, cluster and user


@pytest.mark.behaviour("1.4.1")
def test_the_context_is_the_named_one_or_the_current_one():
    assert rest(TWO).base_url == "https://c"
    assert rest(TWO, context="prod").base_url == "https://d"
    assert rest(TWO, current_context="prod").base_url == "https://d"
    assert rest(TWO, context="dev", current_context="prod").base_url == "https://d"
    assert rest(TWO, context="prod").context == "prod"


@pytest.mark.behaviour("1.4.1")
def test_cluster_and_user_of_the_context_can_be_overridden():
    overrides = Overrides(context=Context(cluster="d", user="v"))
    config = DirectClientConfig(parse(TWO), overrides=overrides).rest_config()
    assert (config.base_url, config.username, config.user, config.context) == ("https://d", "v", "v", "dev")


@pytest.mark.behaviour("1.4.2", "1.4.3", "1.4.4", "1.4.5")
def test_overrides_reach_the_connection():
    config = rest(
        TWO,
        current_context="prod",
        cluster_info=Cluster(server="https://new", insecure_skip_tls_verify=True),
        timeout="1m",
    )
    assert (config.base_url, config.tls, config.timeout) == ("https://new", TLSConfig(insecure=True), 60)
    token = rest(TWO, current_context="dev", auth_info=AuthInfo(token="other"))
    assert token.bearer_token == "other"


@pytest.mark.behaviour("1.4.10")
def test_namespace():
    assert direct(TWO).namespace() == ("default", False)
    assert direct(TWO, context="prod").namespace() == ("shop", False)
    over = {"overrides": Overrides(context=Context(namespace="ns/x"))}
    assert DirectClientConfig(parse(TWO), context="prod", **over).namespace() == ("x", True)
    assert DirectClientConfig(Kubeconfig(), **over).namespace() == ("x", True), "even when the rest is unusable"
    with pytest.raises(EmptyConfigError):
        DirectClientConfig(Kubeconfig()).namespace()
    config = DirectClientConfig(parse(TWO), **over).rest_config()
    assert (config.namespace, config.namespace_explicit) == ("x", True)


# ------------------------------------------------------------------ what can be wrong


@pytest.mark.behaviour("1.5.1")
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"context": Context(user="w")}, 'auth info "w" does not exist'),
        ({"current_context": "x"}, 'context "x" does not exist'),
        ({"context": Context(cluster="e")}, 'cluster "e" does not exist'),
        ({"context": Context(user="w", cluster="e"), "current_context": "x"}, 'auth info "w" does not exist'),
        ({"context": Context(cluster="e"), "current_context": "x"}, 'context "x" does not exist'),
    ],
)
def test_overriding_names_must_exist_before_anything_else(overrides, message):
    broken = "clusters: [{name: c, cluster: {proxy-url: 'x:'}}]\ncurrent-context: gone"
    with pytest.raises(InvalidConfigError) as caught:
        DirectClientConfig(parse(broken), overrides=Overrides(**overrides)).rest_config()
    assert caught.value.problems[0].startswith(message)


@pytest.mark.behaviour("1.5.2", "1.5.10")
def test_an_unknown_context_names_those_that_exist(put):
    path = put("config", TWO)
    with pytest.raises(ContextNotFoundError) as caught:
        DirectClientConfig(load_file(path), context="prd").rest_config()
    assert str(caught.value) == (
        f'invalid configuration: context was not found for specified context: prd (did you mean "prod"? contexts: dev, prod) in {path}'
    )
    assert is_context_not_found(caught.value)
    assert is_config_invalid(caught.value)
    with pytest.raises(ContextNotFoundError) as chosen:
        load_config(kubeconfig=path, context="prd", environ={})
    assert str(chosen.value) == (
        f'invalid configuration: context "prd" does not exist in {path} (did you mean "prod"? contexts: dev, prod)'
    )


@pytest.mark.behaviour("1.4.1", "1.5.2")
def test_a_stale_current_context_does_not_matter_when_another_is_chosen():
    stale = TWO.replace("current-context: dev", "current-context: gone")
    assert rest(stale, context="prod").base_url == "https://d"
    assert rest(stale, current_context="prod").base_url == "https://d"
    with pytest.raises(ContextNotFoundError, match="context was not found for specified context: gone"):
        rest(stale)


@pytest.mark.behaviour("1.5.3")
def test_a_context_with_an_unknown_user_is_an_error_and_never_anonymous():
    # client-go goes anonymous; DESIGN.md decides otherwise.
    text = "clusters: [{name: c, cluster: {server: 'https://c'}}]\nusers: [{name: alice}]\ncontexts: [{name: dev, context: {cluster: c, user: alic}}]\ncurrent-context: dev"
    with pytest.raises(InvalidConfigError, match=r'user "alic" was not found for context "dev" .*did you mean "alice"'):
        rest(text)
    assert rest(text, auth_info=AuthInfo(token="t")).bearer_token == "t"
    assert (
        DirectClientConfig(parse(text), overrides=Overrides(context=Context(user="alice"))).rest_config().user
        == "alice"
    )


def test_a_context_without_user_is_anonymous_on_purpose():
    config = rest(
        "clusters: [{name: c, cluster: {server: 'https://c'}}]\ncontexts: [{name: dev, context: {cluster: c}}]\ncurrent-context: dev"
    )
    assert config == RESTConfig(host="https://c")


@pytest.mark.behaviour("1.5.3", "1.5.4", "1.5.10")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "users: [{name: u, user: {token: t}}]",
        "contexts: [{name: dev, context: {cluster: gone}}]\ncurrent-context: dev",
        "clusters: [{name: c, cluster: {server: 'https://c'}}]",
    ],
)
def test_nothing_that_names_a_server_is_the_empty_config_error(text):
    with pytest.raises(EmptyConfigError) as caught:
        rest(text)
    assert str(caught.value).startswith(EMPTY)
    assert is_empty_config(caught.value)


def test_the_empty_config_error_says_why():
    with pytest.raises(EmptyConfigError, match='context "dev" names cluster "gone", which no kubeconfig defines'):
        rest("contexts: [{name: dev, context: {cluster: gone}}]\ncurrent-context: dev")
    with pytest.raises(EmptyConfigError, match="no context is chosen: set current-context or name one of: dev, prod"):
        rest(TWO.replace("current-context: dev", ""))


@pytest.mark.behaviour("1.5.4", "1.5.6", "1.5.7", "1.5.8")
def test_all_problems_of_the_chosen_context_come_at_once():
    text = one("{token: t, username: me, as-uid: '1'}", "{proxy-url: 'ftp://x'}")
    with pytest.raises(InvalidConfigError) as caught:
        rest(text)
    assert len(caught.value.problems) == 4
    assert str(caught.value).startswith("invalid configuration: [more than one authentication method found for u;")
    assert not is_empty_config(caught.value)


@pytest.mark.behaviour("2.1.1", "1.4.3")
def test_contradictions_that_only_the_model_sees_name_file_and_stanza(put):
    path = put(
        "config",
        one("{token: t}", "{server: 'https://c', insecure-skip-tls-verify: true, certificate-authority-data: Y2E=}"),
    )
    with pytest.raises(InvalidConfigError) as caught:
        load_config(kubeconfig=path, environ={})
    assert f'cluster "c", user "u" (in {path}): specifying a root certificates file with the insecure flag' in str(
        caught.value
    )
    put("config", one("{password: SECRET}"))
    with pytest.raises(InvalidConfigError, match="password is set without username"):
        load_config(kubeconfig=path, environ={})
    put("config", one('{token: "SECRET\\n"}'))
    with pytest.raises(InvalidConfigError, match="bearer_token holds a newline") as newline:
        load_config(kubeconfig=path, environ={})
    assert "SECRET" not in str(newline.value)
    put("config", one("{token: t}", "{server: 'https://me:SECRET@c'}"))
    with pytest.raises(InvalidConfigError, match="holds a user name or a password") as userinfo:
        load_config(kubeconfig=path, environ={})
    assert "SECRET" not in str(userinfo.value)


# ------------------------------------------------------------------ building it


@pytest.mark.behaviour("1.6.1")
@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("https://c/p/q?x=1#f", "https://c/p/q"),
        ("https://c/p", "https://c/p"),
        ("https://c?x=1", "https://c?x=1"),
        ("https://c/?x=1", "https://c/?x=1"),
    ],
)
def test_query_and_fragment_go_when_there_is_a_path(server, host):
    assert rest(one(cluster=f"{{server: '{server}'}}")).host == host


@pytest.mark.behaviour("1.6.2")
@pytest.mark.parametrize("server", ["c:6443", "http://c:8080", "c"])
@pytest.mark.parametrize(
    "user",
    [
        "{token: SECRET}",
        "{username: u, password: SECRET}",
        "{client-certificate-data: YQ==, client-key-data: YQ==}",
        "{tokenFile: /nope}",
        "{exec: {command: a, apiVersion: v1, interactiveMode: Never}}",
    ],
)
def test_without_https_nothing_of_the_user_is_used(server, user, caplog):
    with caplog.at_level(logging.WARNING, "dynkube.config"):
        config = rest(one(user, f"{{server: '{server}', certificate-authority-data: Y2E=}}"))
    assert config == RESTConfig(host=server)
    assert not config.is_tls
    assert "credentials of user 'u' are not used" in caplog.text
    assert "SECRET" not in caplog.text


@pytest.mark.behaviour("1.6.2")
def test_the_scheme_may_be_upper_case():
    assert rest(one("{token: t}", "{server: 'HTTPS://c'}")).bearer_token == "t"


@pytest.mark.behaviour("1.6.3")
@pytest.mark.parametrize("server", ["https://c", "http://c", "c:80"])
def test_impersonation_is_copied_whatever_the_scheme(server):
    config = rest(one("{as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: {k: [v]}}", f"{{server: '{server}'}}"))
    assert config.impersonate == Impersonation(user="jane", uid="7", groups=("a", "b"), extra={"k": ("v",)})


def test_tls_and_credentials():
    config = rest(
        one(
            "{client-certificate-data: Y2VydA==, client-key-data: a2V5, token: t}",
            "{server: 'https://c', certificate-authority-data: Y2E=, tls-server-name: kube, proxy-url: 'socks5://p', disable-compression: true}",
        )
    )
    assert config == RESTConfig(
        host="https://c",
        tls=TLSConfig(ca_data=b"ca", server_name="kube", cert_data=b"cert", key_data=b"key"),
        bearer_token="t",
        proxy_url="socks5://p",
        disable_compression=True,
    )
    config.require_static_credentials()
    assert rest(one("{username: me, password: pw}")) == RESTConfig(host="https://c", username="me", password="pw")


@pytest.mark.behaviour("1.6.4")
def test_token_and_token_file(put):
    path = put("token", "from-file\n")
    both = rest(one(f"{{token: inline, tokenFile: {path}}}"))
    assert (both.bearer_token, both.bearer_token_file) == ("inline", path)
    alone = rest(one(f"{{tokenFile: {path}}}"))
    assert (alone.bearer_token, alone.bearer_token_file) == ("from-file", path)
    assert rest(one("{token: inline, tokenFile: /nope}")).bearer_token == "inline"
    with pytest.raises(InvalidConfigError, match=r'user "u".*token file /nope: No such file'):
        rest(one("{tokenFile: /nope}"))


@pytest.mark.behaviour("1.6.5")
def test_proxy_url_and_compression_are_carried():
    config = rest(one(cluster="{server: 'https://c', proxy-url: 'http://me:pw@proxy', disable-compression: true}"))
    assert (config.proxy_url, config.disable_compression, config.trust_env) == ("http://me:pw@proxy", True, True)
    assert "pw" not in repr(config)


@pytest.mark.behaviour("1.6.6")
def test_exec_gets_a_harmless_hint_and_the_clusters_config():
    config = rest(
        one(
            '{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, installHint: "a\\e[1mb\\tc\\n\\u200b"}}',
            "{server: 'https://c', extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}, {name: other, extension: 1}]}",
        )
    )
    assert config.exec == ExecConfig(
        command="aws",
        api_version="client.authentication.k8s.io/v1",
        interactive_mode="Never",
        install_hint="aU+001B[1mb\tc\nU+200B",
        config={"audience": "x"},
    )
    assert "audience" not in repr(config)


def test_plugins_are_carried_and_refused_when_needed(put):
    path = put("config", one("{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1}}"))
    config = load_config(kubeconfig=path, environ={})
    with pytest.raises(ConfigError, match=rf"exec plugin 'aws' of user 'u' \(in {path}\).*nobody runs it"):
        config.require_static_credentials()
    with pytest.raises(ConfigError, match="auth-provider 'oidc'"):
        rest(one("{auth-provider: {name: oidc}}")).require_static_credentials()
    assert rest(one("{auth-provider: {name: oidc}}")).auth_provider == AuthProviderConfig(name="oidc")


@pytest.mark.behaviour("1.6.7")
def test_a_person_is_asked_only_when_nothing_else_identifies_the_user():
    asked = []

    def prompt(label, secret):
        asked.append((label, secret))
        return "pw" if secret else "me"

    found = direct(one("{as: jane}"), prompt=prompt)
    assert [(each.username, each.password) for each in (found.rest_config(), found.rest_config())] == [("me", "pw")] * 2
    assert [secret for _, secret in asked] == [False, True], "asked once, and kept"
    asked.clear()
    for user in (
        "{token: t}",
        "{username: u}",
        "{client-certificate-data: YQ==, client-key-data: YQ==}",
        "{auth-provider: {name: a}}",
        "{exec: {command: a, apiVersion: v, interactiveMode: Never}}",
    ):
        rest(one(user), prompt=prompt)
    rest(one("{}", "{server: 'http://c'}"), prompt=prompt)
    assert asked == []
    assert rest(one("{}")).username == ""


@pytest.mark.behaviour("1.1.11")
def test_in_memory_kubeconfigs_know_no_folder(monkeypatch, tmp_path):
    config = rest_config_from_kubeconfig(one("{token: t}").encode())
    assert (config.host, config.bearer_token, config.source) == ("https://c", "t", "")
    assert rest_config_from_kubeconfig(TWO, context="prod").namespace == "shop"
    (tmp_path / "token").write_text("here")
    monkeypatch.chdir(tmp_path)
    assert rest_config_from_kubeconfig(one("{tokenFile: token}")).bearer_token_file == "token"
    with pytest.raises(ConfigError, match=r"error loading kubeconfig: line \d"):
        rest_config_from_kubeconfig(b"a: [")


# ------------------------------------------------------------------ deferred, and in a pod


def deferred(environ, pod, *, overrides=None, **changes):
    rules = LoadingRules.default(environ).copy(**changes)
    return ClientConfig(rules, overrides, in_cluster=InCluster(environ=environ, root=str(pod.parents[4])))


@pytest.mark.behaviour("1.7.4")
@pytest.mark.parametrize("content", [None, "", "{}", "users: [{name: u, user: {token: t}}]"])
def test_an_empty_kubeconfig_falls_back_to_the_pod(put, pod, pod_environ, tmp_path, content):
    if content is not None:
        put(".kube/config", content)
    config = deferred({**pod_environ, "HOME": str(tmp_path)}, pod).rest_config()
    assert (config.base_url, config.bearer_token, config.namespace) == ("https://10.0.0.1:443", "pod-token", "pod-ns")


@pytest.mark.behaviour("1.7.4")
@pytest.mark.parametrize(
    "content",
    ["a: [", one("{token: t, username: me}"), "current-context: gone", one("{token: t}").replace("user: u", "user: v")],
)
def test_a_wrong_kubeconfig_is_an_error_in_a_pod_too(put, pod, pod_environ, content):
    path = put("config", content)
    with pytest.raises(ConfigError) as caught:
        deferred({**pod_environ, "KUBECONFIG": path}, pod).rest_config()
    assert path in str(caught.value)


@pytest.mark.behaviour("1.7.4")
def test_a_usable_kubeconfig_wins_over_the_pod(put, pod, pod_environ):
    path = put("config", one("{token: t}"))
    config = deferred({**pod_environ, "KUBECONFIG": path}, pod).rest_config()
    assert (config.host, config.bearer_token, config.source, config.namespace) == ("https://c", "t", path, "pod-ns")


@pytest.mark.behaviour("1.7.4", "1.7.8")
def test_what_equals_the_defaults_falls_back_to_the_pod(pod, pod_environ, tmp_path):
    overrides = Overrides(cluster_defaults=default_cluster({}))
    default = DirectClientConfig(Kubeconfig(), overrides=overrides)
    environ = {**pod_environ, "HOME": str(tmp_path)}
    inside = deferred(environ, pod, overrides=overrides, default_config=default.rest_config)
    assert inside.rest_config().base_url == "https://10.0.0.1:443"
    outside = deferred({"HOME": str(tmp_path)}, pod, overrides=overrides, default_config=default.rest_config)
    assert outside.rest_config().base_url == "http://localhost:8080"


@pytest.mark.behaviour("1.7.5")
def test_overrides_in_a_pod(pod, pod_environ, tmp_path):
    overrides = Overrides(auth_info=AuthInfo(token="mine"), context=Context(namespace="x"))
    config = deferred({**pod_environ, "HOME": str(tmp_path)}, pod, overrides=overrides).rest_config()
    assert (config.bearer_token, config.namespace, config.namespace_explicit) == ("mine", "x", True)


@pytest.mark.behaviour("1.7.6")
@pytest.mark.parametrize(
    ("content", "environ", "expected"),
    [
        (None, {}, "pod-ns"),
        (None, {"POD_NAMESPACE": "env"}, "env"),
        (one("{token: t}"), {}, "pod-ns"),
        (one("{token: t}"), {"POD_NAMESPACE": "env"}, "env"),
        (one("{token: t}", context=", namespace: default"), {"POD_NAMESPACE": "env"}, "default"),
        (one("{token: t}", context=", namespace: shop"), {"POD_NAMESPACE": "env"}, "shop"),
    ],
)
def test_the_namespace_in_a_pod(put, pod, pod_environ, tmp_path, content, environ, expected):
    path = put("config", content) if content else str(tmp_path / "nope")
    found = deferred({**pod_environ, **environ, "KUBECONFIG": path}, pod)
    assert found.namespace() == (expected, False)
    assert found.rest_config().namespace == expected
    outside = deferred({**environ, "KUBECONFIG": path}, pod)
    if content:
        assert outside.namespace()[0] == ("shop" if expected == "shop" else "default")
    else:
        with pytest.raises(EmptyConfigError):
            outside.namespace()


@pytest.mark.behaviour("1.7.6")
def test_an_overriding_namespace_needs_no_configuration(pod, tmp_path):
    overrides = Overrides(context=Context(namespace="x"))
    assert deferred({"HOME": str(tmp_path)}, pod, overrides=overrides).namespace() == ("x", True)


def test_files_are_read_once_and_by_one_thread(put, pod):
    path = put("config", one("{token: t}"))
    found = deferred({"KUBECONFIG": path}, pod)
    results = []
    threads = [threading.Thread(target=lambda: results.append(found.raw_config())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in results}) == 1
    os.unlink(path)
    assert found.rest_config().bearer_token == "t"


# ------------------------------------------------------------------ the doors


@pytest.mark.behaviour("1.1.1", "1.1.5", "1.4.1", "1.11.1")
def test_load_config(put, tmp_path):
    default = put(".kube/config", one("{token: home}"))
    listed = put("listed", TWO)
    home = {"HOME": str(tmp_path)}
    assert load_config(environ=home).bearer_token == "home"
    assert load_config(environ=home).source == default
    assert load_config(environ={**home, "KUBECONFIG": listed}).bearer_token == "u-token"
    assert load_config(environ={**home, "KUBECONFIG": listed}, context="prod").username == "v"
    assert (
        load_config(environ={**home, "KUBECONFIG": listed}, kubeconfig=tmp_path / ".kube" / "config").bearer_token
        == "home"
    )
    assert load_config(environ=home, kubeconfig="").bearer_token == "home"
    config = load_config(environ=home, namespace="ns/x", overrides=Overrides(timeout=7))
    assert (config.namespace, config.namespace_explicit, config.timeout) == ("x", True, 7)
    with pytest.raises(KubeconfigNotFoundError):
        load_config(environ=home, kubeconfig=tmp_path / "nope")


def test_load_config_takes_keywords_that_it_knows_only():
    with pytest.raises(TypeError):
        load_config("prod")  # type: ignore[misc]
    with pytest.raises(TypeError):
        load_config(contxt="prod")  # type: ignore[call-arg]


def test_load_config_reads_the_environment_when_called(put, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", put("one", one("{token: a}")))
    assert load_config().bearer_token == "a"
    monkeypatch.setenv("KUBECONFIG", put("two", one("{token: b}")))
    assert load_config().bearer_token == "b"


@pytest.mark.behaviour("1.7.8", "1.11.1")
def test_kubernetes_master_has_the_lowest_precedence(put, tmp_path):
    environ = {"HOME": str(tmp_path), "KUBERNETES_MASTER": "https://master"}
    assert load_config(environ=environ) == RESTConfig(host="https://master")
    assert load_config(environ={**environ, "KUBECONFIG": put("config", one("{token: t}"))}).host == "https://c"
    own = Overrides(cluster_defaults=Cluster(server="https://own"))
    assert load_config(environ=environ, overrides=own).host == "https://own"


@pytest.mark.behaviour("1.5.4")
def test_the_empty_error_says_where_it_looked(tmp_path, put):
    with pytest.raises(EmptyConfigError) as caught:
        load_config(environ={"HOME": str(tmp_path)})
    assert (
        str(caught.value)
        == f"{EMPTY}; looked at {tmp_path}/.kube/config (does not exist), and this is no pod of a cluster"
    )
    with pytest.raises(EmptyConfigError, match="no kubeconfig was looked for: set KUBECONFIG or HOME"):
        load_config(environ={})
    with pytest.raises(EmptyConfigError, match=r"looked at .*/empty, and"):
        load_config(environ={}, kubeconfig=put("empty", ""))


@pytest.mark.behaviour("1.7.7")
def test_build_config_from_flags(put, tmp_path, caplog):
    path = put("config", one("{token: t}", "{server: 'https://c', tls-server-name: kube}"))
    assert build_config_from_flags("", path, environ={}).tls.server_name == "kube"
    both = build_config_from_flags("https://new", path, environ={})
    assert (both.host, both.bearer_token, both.tls.server_name) == ("https://new", "t", "")
    assert build_config_from_flags("https://new", environ={"KUBECONFIG": path}) == RESTConfig(host="https://new")
    with pytest.raises(KubeconfigNotFoundError):
        build_config_from_flags("", tmp_path / "nope", environ={})
    with caplog.at_level(logging.WARNING, "dynkube.config"):
        assert build_config_from_flags(environ={"KUBECONFIG": path}).bearer_token == "t"
    assert "neither --kubeconfig nor --master was given" in caplog.messages[0]
    assert "falling back to the default configuration" in caplog.messages[1]


def test_yaml_is_one_reader_for_kubeconfigs_and_manifests():
    assert load_yaml("at: 1:30") == {"at": "1:30"}
