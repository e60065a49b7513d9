from __future__ import annotations

import base64
import json
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynkube.config.kubeconfig import (
    AuthInfo,
    Cluster,
    Context,
    Kubeconfig,
    encode,
    load_file,
    merge,
    overlay,
    parse,
    resolve_paths,
    to_dict,
)
from dynkube.config.model import AuthProviderConfig, ExecConfig
from dynkube.config.yaml import load_yaml
from dynkube.errors import ConfigError, KubeconfigNotFoundError

FULL = """
apiVersion: v1
kind: Config
preferences: {colors: true, extensions: [{name: p, extension: {x: 1}}]}
clusters:
- name: c
  cluster:
    server: https://kube.example
    tls-server-name: kube
    insecure-skip-tls-verify: true
    certificate-authority: ca.crt
    certificate-authority-data: Y2E=
    proxy-url: http://proxy
    disable-compression: true
    extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: a}}]
users:
- name: u
  user:
    client-certificate: u.crt
    client-certificate-data: Y2VydA==
    client-key: u.key
    client-key-data: a2V5
    token: abc
    tokenFile: token
    as: jane
    as-uid: "7"
    as-groups: [dev, ops]
    as-user-extra: {scopes: [a, b]}
    username: me
    password: pw
    auth-provider: {name: oidc, config: {id-token: xyz}}
    exec:
      command: ./aws
      args: [eks, get-token]
      env: [{name: AWS_PROFILE, value: dev}]
      apiVersion: client.authentication.k8s.io/v1
      installHint: install it
      provideClusterInfo: true
      interactiveMode: Never
    extensions: [{name: e, extension: 1}]
contexts:
- name: dev
  context: {cluster: c, user: u, namespace: shop, extensions: [{name: e, extension: [1]}]}
current-context: dev
extensions: [{name: top, extension: {z: 2}}]
"""
FULL_CONFIG = Kubeconfig(
    clusters={
        "c": Cluster(
            server="https://kube.example",
            tls_server_name="kube",
            insecure_skip_tls_verify=True,
            certificate_authority="ca.crt",
            certificate_authority_data=b"ca",
            proxy_url="http://proxy",
            disable_compression=True,
            extensions={"client.authentication.k8s.io/exec": {"audience": "a"}},
        )
    },
    users={
        "u": AuthInfo(
            client_certificate="u.crt",
            client_certificate_data=b"cert",
            client_key="u.key",
            client_key_data=b"key",
            token="abc",
            token_file="token",
            impersonate="jane",
            impersonate_uid="7",
            impersonate_groups=("dev", "ops"),
            impersonate_extra={"scopes": ("a", "b")},
            username="me",
            password="pw",
            auth_provider=AuthProviderConfig(name="oidc", config={"id-token": "xyz"}),
            exec=ExecConfig(
                command="./aws",
                args=("eks", "get-token"),
                env=(("AWS_PROFILE", "dev"),),
                api_version="client.authentication.k8s.io/v1",
                install_hint="install it",
                provide_cluster_info=True,
                interactive_mode="Never",
            ),
            extensions={"e": 1},
        )
    },
    contexts={"dev": Context(cluster="c", user="u", namespace="shop", extensions={"e": [1]})},
    current_context="dev",
    colors=True,
    preferences_extensions={"p": {"x": 1}},
    extensions={"top": {"z": 2}},
)


# ------------------------------------------------------------------ parse


@pytest.mark.behaviour("1.2.1", "1.2.5", "1.2.6", "1.2.7")
def test_every_field_is_read_from_yaml_and_from_json():
    assert parse(FULL) == FULL_CONFIG
    assert parse(json.dumps(load_yaml(FULL))) == FULL_CONFIG
    assert parse(FULL.encode()) == FULL_CONFIG


@pytest.mark.behaviour("1.1.7", "1.2.1")
@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "{}", "kind: Config", "apiVersion: v1", "users:\ncontexts: []\npreferences:\n"]
)
def test_nothing_is_an_empty_kubeconfig(text):
    assert parse(text) == Kubeconfig()
    assert parse(text).is_empty


@pytest.mark.behaviour("1.2.1")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Pod", 'kind is "Pod", a kubeconfig has "Config"'),
        ("apiVersion: v2", 'apiVersion is "v2", a kubeconfig has "v1"'),
    ],
)
def test_another_kind_or_version_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse(text)


@pytest.mark.behaviour("1.2.2", "1.2.3")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "users: [{name: u, user: {token: 12345}}]",
            "users[0].user.token must be a string, got a number (put it in quotes",
        ),
        ("users: [{name: u, user: {token: 1e3}}]", "users[0].user.token must be a string, got a number"),
        ("users: [{name: yes}]", "users[0].name must be a string, got a boolean (put it in quotes"),
        ("users: [{name: n}]", "users[0].name must be a string, got a boolean"),
        (
            "clusters: [{name: c, cluster: {insecure-skip-tls-verify: 'true'}}]",
            "clusters[0].cluster.insecure-skip-tls-verify must be true or false, got a string",
        ),
        ("users: {u: {token: a}}", "users must be a list, got a mapping"),
        ("users: [u]", "users[0] must be a mapping, got a string"),
        ("users: [{name: u, user: abc}]", "users[0].user must be a mapping, got a string"),
        ("users: [{name: u, user: {as-groups: dev}}]", "users[0].user.as-groups must be a list, got a string"),
        ("users: [{name: u, user: {as-groups: [dev, 1]}}]", "users[0].user.as-groups[1] must be a string"),
        ("users: [{name: u, user: {as-user-extra: {k: v}}}]", "users[0].user.as-user-extra.k must be a list"),
        (
            "users: [{name: u, user: {exec: {env: [{name: A, value: 1}]}}}]",
            "users[0].user.exec.env[0].value must be a string",
        ),
        (
            "users: [{name: u, user: {auth-provider: {config: {a: 1}}}}]",
            "users[0].user.auth-provider.config.a must be a string",
        ),
        ("contexts: [{name: a, context: {extensions: {}}}]", "contexts[0].context.extensions must be a list"),
        ("current-context: [a]", "current-context must be a string, got a list"),
        ("preferences: 1", "preferences must be a mapping, got a number"),
        ("just a token", "the kubeconfig must be a mapping, got a string"),
        ("- a", "the kubeconfig must be a mapping, got a list"),
    ],
)
def test_wrong_types_are_errors_that_name_file_and_field(text, message):
    with pytest.raises(ConfigError) as caught:
        parse(text, "/home/me/config")
    assert str(caught.value).startswith('error loading config file "/home/me/config": ')
    assert message in str(caught.value)
    assert "12345" not in str(caught.value)


@pytest.mark.behaviour("1.2.2")
def test_unknown_fields_are_ignored_and_names_are_case_sensitive():
    config = parse("users: [{name: u, colour: red, user: {Token: abc, tokenfile: f, more: {}}}]\nwhatever: 1")
    assert config == Kubeconfig(users={"u": AuthInfo()})


@pytest.mark.behaviour("1.2.3")
def test_dates_and_times_are_strings_in_a_kubeconfig_too():
    config = parse("users: [{name: 2001-01-01, user: {token: 1:30}}]")
    assert config.users["2001-01-01"].token == "1:30"


@pytest.mark.behaviour("1.2.4")
@pytest.mark.parametrize("kind", ["clusters", "users", "contexts", "extensions"])
def test_a_name_twice_in_one_list_is_an_error(kind):
    with pytest.raises(ConfigError, match=f'duplicate name "a" in list {kind}'):
        parse(f"{kind}: [{{name: a}}, {{name: b}}, {{name: a}}]")


@pytest.mark.behaviour("1.2.7")
def test_data_is_base64():
    text = "users: [{name: u, user: {client-key-data: %s}}]"
    assert parse(text % '"YW\\nI=\\r\\n"').users["u"].client_key_data == b"ab", "line breaks are skipped, as in Go"
    for bad in ("SECRET!", "YQ", "ключ", "'Y Q=='"):
        with pytest.raises(ConfigError, match=r"users\[0\]\.user\.client-key-data is not valid base64") as caught:
            parse(text % bad)
        assert "SECRET" not in str(caught.value)


def test_interactive_mode_is_defaulted_for_v1beta1_only():
    text = "users: [{name: u, user: {exec: {command: a, apiVersion: client.authentication.k8s.io/%s}}}]"
    assert parse(text % "v1beta1").users["u"].exec.interactive_mode == "IfAvailable"
    assert parse(text % "v1").users["u"].exec.interactive_mode == ""


@pytest.mark.behaviour("1.1.12")
def test_documents_of_one_file_merge_like_files():
    config = parse(
        "current-context: a\nusers: [{name: u, user: {token: x}}]\n---\ncurrent-context: b\nusers: [{name: u, user: {username: w}}, {name: v}]"
    )
    assert config == Kubeconfig(current_context="a", users={"u": AuthInfo(token="x"), "v": AuthInfo()})


# ------------------------------------------------------------------ files


@pytest.mark.behaviour("1.1.10")
def test_stanzas_remember_their_file_and_do_not_write_it(put):
    path = put("config", FULL)
    config = load_file(path)
    assert {config.clusters["c"].origin, config.users["u"].origin, config.contexts["dev"].origin} == {path}
    assert config.files == (path,)
    assert path not in encode(config).decode()
    assert config == FULL_CONFIG, "the origin does not count for equality"


@pytest.mark.behaviour("1.1.5", "1.1.6")
def test_files_that_cannot_be_read(put, tmp_path):
    with pytest.raises(KubeconfigNotFoundError, match="does not exist: correct the path") as caught:
        load_file(tmp_path / "nope")
    assert isinstance(caught.value, FileNotFoundError)
    assert (caught.value.errno, caught.value.filename) == (2, str(tmp_path / "nope"))
    with pytest.raises(ConfigError, match=r'error loading config file ".*": cannot read it: Is a directory'):
        load_file(tmp_path)
    with pytest.raises(ConfigError, match="error loading config file"):
        load_file("a\0b")
    for content in (b"\x7fELF\x02\x01\x00\xff", b"a: [", b"\xff\xfe\x00", b"users: [{name: u, user: {token: 'SECRET}]"):
        path = put("bad", content)
        with pytest.raises(ConfigError) as bad:
            load_file(path)
        assert str(bad.value).startswith(f'error loading config file "{path}": ')
        assert "SECRET" not in "".join(traceback.format_exception(bad.value))


# ------------------------------------------------------------------ merge


@pytest.mark.behaviour("1.3.1")
def test_a_stanza_comes_whole_from_the_first_file_that_has_its_name():
    first = parse("users: [{name: u, user: {token: a}}]\nclusters: [{name: c, cluster: {server: s}}]")
    second = parse(
        "users: [{name: u, user: {username: b, password: p}}, {name: v, user: {token: d}}]\nextensions: [{name: e, extension: 2}]"
    )
    assert merge(first, second) == Kubeconfig(
        users={"u": AuthInfo(token="a"), "v": AuthInfo(token="d")},
        clusters={"c": Cluster(server="s")},
        extensions={"e": 2},
    )


@pytest.mark.behaviour("1.3.2")
def test_the_first_scalar_that_is_set_wins():
    empty, first, second = (
        parse("current-context: ''\npreferences: {colors: false}"),
        parse("current-context: a"),
        parse("current-context: b\npreferences: {colors: true}"),
    )
    assert merge(empty, first, second) == Kubeconfig(current_context="a", colors=True)
    assert merge() == Kubeconfig()


@pytest.mark.behaviour("1.3.3", "1.3.4")
def test_relative_paths_are_meant_from_the_folder_of_their_file(put, tmp_path):
    one = put("one/config", "clusters: [{name: c, cluster: {certificate-authority: ../pki/ca.crt}}]")
    two = put(
        "two/config",
        "users: [{name: u, user: {client-certificate: u.crt, client-key: /abs/u.key, tokenFile: sub/token, exec: {command: ./plugin}}},"
        "{name: bare, user: {exec: {command: plugin}}}, {name: sub, user: {exec: {command: bin/plugin}}}]",
    )
    config = resolve_paths(merge(load_file(one), load_file(two)))
    assert config.clusters["c"].certificate_authority == str(tmp_path / "pki/ca.crt")
    user = config.users["u"]
    assert user.client_certificate == str(tmp_path / "two/u.crt")
    assert user.client_key == "/abs/u.key"
    assert user.token_file == str(tmp_path / "two/sub/token")
    assert user.exec.command == str(tmp_path / "two/plugin")
    assert config.users["bare"].exec.command == "plugin"
    assert config.users["sub"].exec.command == str(tmp_path / "two/bin/plugin")


@pytest.mark.behaviour("1.3.3")
def test_a_relative_kubeconfig_path_is_meant_from_the_working_directory(put, tmp_path, monkeypatch):
    put("sub/config", "clusters: [{name: c, cluster: {certificate-authority: ca.crt}}]")
    monkeypatch.chdir(tmp_path)
    config = resolve_paths(load_file("sub/config"))
    assert config.clusters["c"].certificate_authority == str(tmp_path / "sub/ca.crt")


@pytest.mark.behaviour("1.1.11")
def test_without_a_file_paths_stay_as_written():
    config = parse("clusters: [{name: c, cluster: {certificate-authority: ca.crt}}]")
    assert resolve_paths(config).clusters["c"].certificate_authority == "ca.crt"


# ------------------------------------------------------------------ encode


@pytest.mark.behaviour("1.2.5", "1.2.7")
def test_lists_are_written_sorted_by_name():
    config = Kubeconfig(
        users={"b": AuthInfo(token="x"), "a": AuthInfo(client_key_data=b"k")}, contexts={"z": Context()}
    )
    assert to_dict(config) == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [],
        "users": [
            {"name": "a", "user": {"client-key-data": base64.b64encode(b"k").decode()}},
            {"name": "b", "user": {"token": "x"}},
        ],
        "contexts": [{"name": "z", "context": {"cluster": "", "user": ""}}],
        "current-context": "",
    }


def test_tokens_that_look_like_other_types_are_quoted():
    config = Kubeconfig(users={"yes": AuthInfo(token="1e3", password="2001-01-01", username="08")})
    assert parse(encode(config)) == config


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["y", "08", "1e3", "~", "=", "<<", "0o17", "null", "1:30"]
)
texts = st.lists(text, max_size=3).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | text,
    lambda v: st.lists(v, max_size=2) | st.dictionaries(text, v, max_size=2),
    max_leaves=4,
)
extensions = st.dictionaries(text, json_values, max_size=2)
clusters = st.builds(
    Cluster,
    server=text,
    tls_server_name=text,
    insecure_skip_tls_verify=st.booleans(),
    certificate_authority=text,
    certificate_authority_data=st.binary(max_size=8),
    proxy_url=text,
    disable_compression=st.booleans(),
    extensions=extensions,
)
plugins = st.builds(
    ExecConfig,
    command=text,
    args=texts,
    env=st.lists(st.tuples(text, text), max_size=2).map(tuple),
    api_version=text,
    install_hint=text,
    provide_cluster_info=st.booleans(),
    interactive_mode=text,
)
users = st.builds(
    AuthInfo,
    client_certificate=text,
    client_certificate_data=st.binary(max_size=8),
    client_key=text,
    client_key_data=st.binary(max_size=8),
    token=text,
    token_file=text,
    impersonate=text,
    impersonate_uid=text,
    impersonate_groups=texts,
    impersonate_extra=st.dictionaries(text, texts, max_size=2),
    username=text,
    password=text,
    auth_provider=st.none() | st.builds(AuthProviderConfig, name=text, config=st.dictionaries(text, text, max_size=2)),
    exec=st.none() | plugins,
    extensions=extensions,
)
contexts = st.builds(Context, cluster=text, user=text, namespace=text, extensions=extensions)


def kubeconfigs(names=text):
    return st.builds(
        Kubeconfig,
        clusters=st.dictionaries(names, clusters, max_size=2),
        users=st.dictionaries(names, users, max_size=2),
        contexts=st.dictionaries(names, contexts, max_size=2),
        current_context=text,
        colors=st.booleans(),
        preferences_extensions=extensions,
        extensions=extensions,
    )


# The strategies above build a lot for one example.
heavy = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])

few_names = st.sampled_from(["a", "b"])


@pytest.mark.behaviour("1.2.5", "1.2.6")
@heavy
@given(kubeconfigs())
def test_what_is_encoded_parses_back(config):
    assert parse(encode(config)) == config


@pytest.mark.behaviour("1.3.1", "1.3.2")
@heavy
@given(kubeconfigs(few_names), kubeconfigs(few_names), kubeconfigs(few_names))
def test_merge_is_associative_idempotent_and_has_a_neutral_element(a, b, c):
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge(a, b, c)
    assert merge(a, a) == a
    assert merge(a, Kubeconfig()) == a == merge(Kubeconfig(), a)


@pytest.mark.behaviour("1.3.1", "1.3.2")
@heavy
@given(kubeconfigs(few_names), kubeconfigs(few_names))
def test_the_first_of_a_merge_is_untouched(a, b):
    merged = merge(a, b)
    for attribute in ("clusters", "users", "contexts", "extensions", "preferences_extensions"):
        mine, both = getattr(a, attribute), getattr(merged, attribute)
        assert {name: both[name] for name in mine} == mine
        assert set(both) == set(mine) | set(getattr(b, attribute))
    assert merged.current_context == (a.current_context or b.current_context)


@heavy
@given(users, users)
def test_overlay_prefers_what_is_set(base, over):
    merged = overlay(base, over)
    assert overlay(merged, over) == merged
    assert overlay(AuthInfo(), base) == base
    assert overlay(base, AuthInfo()) == base
    assert merged.token == (over.token or base.token)
    assert merged.impersonate_groups == (over.impersonate_groups or base.impersonate_groups)
    assert merged.extensions == {**base.extensions, **over.extensions}


MARK = "hunter2secret"


@pytest.mark.behaviour("1.2.8")
@given(
    users,
    st.sampled_from(["token", "password", "client_key_data", "exec args", "exec env", "exec config", "auth-provider"]),
)
def test_no_credential_shows_in_any_text_of_a_user(user, where):
    changes = {
        "token": {"token": MARK},
        "password": {"password": MARK},
        "client_key_data": {"client_key_data": MARK.encode()},
        "exec args": {"exec": ExecConfig(command="a", args=(MARK,))},
        "exec env": {"exec": ExecConfig(command="a", env=(("A", MARK),))},
        "exec config": {"exec": ExecConfig(command="a", config={"a": MARK})},
        "auth-provider": {"auth_provider": AuthProviderConfig(name="a", config={"a": MARK})},
    }
    secret = user.copy(**changes[where])
    for shown in (secret, Kubeconfig(users={"u": secret})):
        assert MARK not in repr(shown) + str(shown) + f"{shown}"


@pytest.mark.behaviour("1.2.8")
@given(st.integers(0, 400), st.sampled_from(["", "\t", "'", "[", "*", "!", "\x01", "- ", ": ", "\n"]))
def test_no_broken_kubeconfig_shows_its_credentials(position, broken):
    secrets = {
        "token": MARK,
        "password": MARK,
        "auth-provider": {"name": "x", "config": {"k": MARK}},
        "client-key-data": base64.b64encode(MARK.encode()).decode(),
    }
    good = "users:\n- name: u\n  user:\n" + "".join(
        f"    {key}: {json.dumps(value) if isinstance(value, dict) else value}\n" for key, value in secrets.items()
    )
    text = good[:position] + broken + good[position:]
    try:
        shown = repr(parse(text, "f"))
    except ConfigError as error:
        shown = "".join(traceback.format_exception(error))
        while error.__context__ is not None:
            error = error.__context__
            shown += str(error)
    if f"name: {MARK}" not in text:
        assert MARK not in shown


def test_stanzas_can_be_copied_and_refuse_unknown_fields():
    assert Cluster().copy(server="s") == Cluster(server="s")
    with pytest.raises(TypeError):
        Cluster().copy(sever="s")
