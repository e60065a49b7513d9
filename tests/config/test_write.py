from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.config.kubeconfig import AuthInfo, Cluster, Context, Kubeconfig, encode, load_file, parse, to_dict
from dynkube.config.model import AuthProviderConfig, ExecConfig
from dynkube.config.write import KubeconfigFiles, flatten, minify, modify_config, redact, shorten, write_file
from dynkube.errors import ConfigError


def context(name):
    return lambda config: config.copy(current_context=name)


def add_user(name, **fields):
    return lambda config: config.copy(users={**config.users, name: AuthInfo(**fields)})


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def two(put):
    """Two files of $KUBECONFIG, and the environment that lists them."""
    a = put(
        "a",
        "users: [{name: u, user: {token: a, tokenFile: rel}}, {name: both, user: {token: a}}]\ncontexts: [{name: dev}]\ncurrent-context: ''",
    )
    b = put(
        "b",
        "users: [{name: v, user: {token: b}}, {name: both, user: {token: b}}]\nclusters: [{name: c, cluster: {server: s}}]\ncurrent-context: b",
    )
    return a, b, {"KUBECONFIG": f"{a}{os.pathsep}{b}"}


# ------------------------------------------------------------------ locks


@pytest.mark.behaviour("1.8.1")
def test_locks_are_held_for_all_files_and_released(two):
    a, b, environ = two
    seen = []
    modify_config(
        lambda config: seen.append([os.path.exists(f"{each}.lock") for each in (a, b)]) or config, environ=environ
    )
    assert seen == [[True, True]]
    with pytest.raises(RuntimeError, match="change"):
        modify_config(lambda config: (_ for _ in ()).throw(RuntimeError("change")), environ=environ)
    assert not any(os.path.exists(f"{each}.lock") for each in (a, b))


@pytest.mark.behaviour("1.8.1")
def test_an_existing_lock_is_an_error_and_stays(two):
    a, b, environ = two
    with open(f"{b}.lock", "w"):
        pass
    with pytest.raises(
        ConfigError, match=rf"{b}\.lock exists: somebody is changing {b}; when nobody is, remove that file"
    ):
        modify_config(context("x"), environ=environ)
    assert os.path.exists(f"{b}.lock")
    assert not os.path.exists(f"{a}.lock"), "the lock that was taken first is given back"
    assert load_file(a).current_context == ""


@pytest.mark.behaviour("1.8.1")
def test_a_second_change_in_between_finds_the_lock(two):
    _, _, environ = two

    def nested(config):
        with pytest.raises(ConfigError, match=r"\.lock exists"):
            modify_config(context("y"), environ=environ)
        return config.copy(current_context="x")

    assert modify_config(nested, environ=environ).current_context == "x"


# ------------------------------------------------------------------ what goes where


@pytest.mark.behaviour("1.8.2", "1.1.10")
def test_each_stanza_goes_to_its_file_of_origin(two):
    a, b, environ = two
    before_a = load_file(a)

    def change(config):
        users = {name: each for name, each in config.users.items() if name != "v"}
        clusters = {"c": config.clusters["c"].copy(server="new"), "n": Cluster(server="n")}
        return config.copy(users=users, clusters=clusters)

    found = modify_config(change, environ=environ)
    assert load_file(b) == parse(
        "users: [{name: both, user: {token: b}}]\nclusters: [{name: c, cluster: {server: new}}]\ncurrent-context: b"
    )
    assert load_file(a) == before_a.copy(clusters={"n": Cluster(server="n")}), "new stanzas go to the first that exists"
    assert found == KubeconfigFiles(environ=environ).load()
    assert (found.clusters["c"].origin, found.clusters["n"].origin) == (b, a)


@pytest.mark.behaviour("1.8.2")
def test_only_files_that_change_are_written(two):
    a, b, environ = two
    written = {each: os.stat(each).st_ino for each in (a, b)}
    modify_config(lambda config: config, environ=environ)
    modify_config(KubeconfigFiles(environ=environ).load(), environ=environ)
    assert {each: os.stat(each).st_ino for each in (a, b)} == written
    modify_config(
        lambda config: config.copy(users={**config.users, "v": AuthInfo(token="new", origin=b)}), environ=environ
    )
    assert os.stat(a).st_ino == written[a]
    assert os.stat(b).st_ino != written[b]


@pytest.mark.behaviour("1.8.2")
def test_a_stanza_hidden_by_an_earlier_file_is_not_touched(two):
    a, b, environ = two
    found = modify_config(
        lambda config: config.copy(users={n: u for n, u in config.users.items() if n != "both"}), environ=environ
    )
    assert "both" not in load_file(a).users
    assert load_file(b).users["both"].token == "b"
    assert found.users["both"].token == "b"


@pytest.mark.behaviour("1.8.2")
def test_the_default_file(put, tmp_path):
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    environ = {"KUBECONFIG": f"{a}{os.pathsep}{b}", "HOME": str(tmp_path)}
    assert KubeconfigFiles(environ=environ).default_path() == b, "the last when none exists"
    assert KubeconfigFiles(environ={"KUBECONFIG": a}).default_path() == a
    assert KubeconfigFiles(environ={"HOME": str(tmp_path)}).default_path() == str(tmp_path / ".kube/config")
    assert KubeconfigFiles(environ=environ, explicit_path="/x").default_path() == "/x"
    put("a", "")
    put("b", "")
    assert KubeconfigFiles(environ=environ).default_path() == a, "the first that exists"
    with pytest.raises(ConfigError, match="set KUBECONFIG or HOME, or name a file"):
        KubeconfigFiles(environ={}).default_path()
    with pytest.raises(ConfigError, match="no kubeconfig to write to"):
        modify_config(context("x"), environ={})


@pytest.mark.behaviour("1.8.3")
def test_setting_the_current_context_writes_the_default_file(two):
    a, b, environ = two
    assert modify_config(context("x"), environ=environ).current_context == "x"
    assert (load_file(a).current_context, load_file(b).current_context) == ("x", "b")


@pytest.mark.behaviour("1.8.3")
def test_clearing_the_current_context_edits_the_first_file_that_sets_it(two):
    a, b, environ = two
    assert modify_config(context(""), environ=environ).current_context == ""
    assert (load_file(a).current_context, load_file(b).current_context) == ("", "")
    modify_config(context("x"), environ=environ)
    write_file(load_file(b).copy(current_context="b"), b)
    assert modify_config(context(""), environ=environ).current_context == "b"


def test_preferences_and_extensions(two):
    a, _, environ = two
    found = modify_config(lambda config: config.copy(colors=True, extensions={"e": 1}), environ=environ)
    assert (found.colors, found.extensions) == (True, {"e": 1})
    assert load_file(a).colors


def test_an_explicit_file_is_alone(two, tmp_path):
    a, _, environ = two
    path = tmp_path / "own"
    modify_config(add_user("w", token="t"), kubeconfig=path, environ=environ)
    modify_config(context("x"), kubeconfig=path, environ=environ)
    modify_config(context(""), kubeconfig=path, environ=environ)
    assert load_file(path) == Kubeconfig(users={"w": AuthInfo(token="t")})
    assert "w" not in load_file(a).users


def test_nothing_is_written_when_a_file_cannot_be_read(two, put):
    a, _, environ = two
    put("b", "a: [")
    before = Path(a).read_bytes()
    with pytest.raises(ConfigError, match="error loading config file"):
        modify_config(context("x"), environ=environ)
    assert Path(a).read_bytes() == before


# ------------------------------------------------------------------ how it is written


@pytest.mark.behaviour("1.8.4")
def test_new_files_are_private(tmp_path):
    path = tmp_path / "deep" / "er" / "config"
    old = os.umask(0)
    try:
        modify_config(add_user("u", token="t"), kubeconfig=path)
    finally:
        os.umask(old)
    assert mode(path) == 0o600
    assert mode(path.parent) == mode(path.parent.parent) == 0o755
    assert os.listdir(path.parent) == ["config"]


@pytest.mark.behaviour("1.8.4")
def test_an_existing_mode_and_a_link_stay(put, tmp_path):
    path = put("real", "")
    os.chmod(path, 0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    modify_config(context("x"), kubeconfig=link)
    assert link.is_symlink()
    assert mode(path) == 0o640
    assert load_file(path).current_context == "x"


def test_a_failing_write_leaves_the_old_file_and_no_rubbish(put, tmp_path):
    path = put("config", "current-context: old")
    bad = Kubeconfig(extensions={"e": object()})
    with pytest.raises(ConfigError, match="a value of type object has no YAML form"):
        write_file(bad, path)
    assert load_file(path).current_context == "old"
    assert os.listdir(tmp_path) == ["config"]
    with pytest.raises(ConfigError, match=r"cannot write kubeconfig .*Not a directory"):
        write_file(Kubeconfig(), os.path.join(path, "sub"))
    with pytest.raises(ConfigError, match="cannot lock kubeconfig"):
        modify_config(context("x"), kubeconfig=os.path.join(path, "sub"))


@pytest.mark.behaviour("1.3.5", "1.8.4")
def test_relative_paths_survive(put):
    path = put("config", "users: [{name: u, user: {tokenFile: sub/token, client-key: ../key}}]")
    modify_config(lambda config: config.copy(users={"u": config.users["u"].copy(username="me")}), kubeconfig=path)
    assert load_file(path).users["u"] == AuthInfo(token_file="sub/token", client_key="../key", username="me")


@pytest.mark.behaviour("1.8.4")
def test_relativize_never_climbs(put, tmp_path):
    path = put("kube/config", "users: [{name: old, user: {tokenFile: t}}]")
    inside, outside = str(tmp_path / "kube/sub/token"), str(tmp_path / "key")
    new = AuthInfo(token_file=inside, client_key=outside, exec=ExecConfig(command=str(tmp_path / "kube/plugin")))
    cluster = Cluster(certificate_authority=str(tmp_path / "kube/ca.crt"))
    bare = AuthInfo(exec=ExecConfig(command="plugin"))
    modify_config(
        lambda config: config.copy(
            users={**config.users, "new": new, "bare": bare}, clusters={"c": cluster}, contexts={"x": Context()}
        ),
        kubeconfig=path,
        relativize=True,
    )
    found = load_file(path)
    assert found.users["new"] == AuthInfo(token_file="sub/token", client_key=outside, exec=ExecConfig(command="plugin"))
    assert found.clusters["c"].certificate_authority == "ca.crt"
    assert found.users["old"].token_file == "t"
    assert found.users["bare"] == bare


# ------------------------------------------------------------------ views

FULL = Kubeconfig(
    clusters={"c": Cluster(server="s", certificate_authority_data=b"ca"), "d": Cluster(server="d")},
    users={
        "u": AuthInfo(
            token="SECRET",
            password="SECRET",
            client_key_data=b"SECRET",
            client_certificate_data=b"cert",
            exec=ExecConfig(command="aws", args=("SECRET",), env=(("A", "SECRET"),)),
            auth_provider=AuthProviderConfig(name="oidc", config={"id-token": "SECRET"}),
        ),
        "v": AuthInfo(token_file="t"),
    },
    contexts={
        "x": Context(cluster="c", user="u"),
        "y": Context(cluster="d", user="v"),
        "z": Context(cluster="gone", user="u"),
    },
    current_context="x",
)


@pytest.mark.behaviour("1.8.5")
def test_minify():
    assert minify(FULL) == FULL.copy(
        clusters={"c": FULL.clusters["c"]}, users={"u": FULL.users["u"]}, contexts={"x": FULL.contexts["x"]}
    )
    assert minify(FULL, "y").current_context == "y"
    assert minify(Kubeconfig(contexts={"x": Context()}), "x").contexts == {"x": Context()}
    for config, message in [
        (Kubeconfig(), "current-context must exist in order to minify"),
        (Kubeconfig(current_context="q"), "cannot locate context q"),
        (FULL.copy(current_context="z"), "cannot locate cluster gone"),
        (FULL.copy(users={}), "cannot locate user u"),
    ]:
        with pytest.raises(ConfigError, match=message):
            minify(config)


@pytest.mark.behaviour("1.8.5")
def test_flatten(put, tmp_path):
    put("kube/ca.crt", "ca")
    put("kube/u.crt", "cert")
    key = put("u.key", "key")
    path = put(
        "kube/config",
        f"clusters: [{{name: c, cluster: {{certificate-authority: ca.crt}}}}]\nusers: [{{name: u, user: {{client-certificate: u.crt, client-key: {key}}}}}]",
    )
    flat = flatten(load_file(path))
    assert flat == Kubeconfig(
        clusters={"c": Cluster(certificate_authority_data=b"ca")},
        users={"u": AuthInfo(client_certificate_data=b"cert", client_key_data=b"key")},
    )
    assert flatten(flat) == flat
    with pytest.raises(ConfigError, match="user u: cannot read client-key /nope: No such file"):
        flatten(Kubeconfig(users={"u": AuthInfo(client_key="/nope")}))
    with pytest.raises(ConfigError, match="cluster c: cannot have values for both path and contents"):
        flatten(Kubeconfig(clusters={"c": Cluster(certificate_authority="a", certificate_authority_data=b"b")}))


@pytest.mark.behaviour("1.8.5", "1.2.8")
def test_redact_and_shorten():
    for view in (redact(FULL), shorten(FULL)):
        text = encode(view).decode()
        assert "SECRET" not in text
        assert base64.b64encode(b"SECRET").decode() not in text
        assert view.users["u"].token == "REDACTED"
        assert view.users["v"] == FULL.users["v"]
    assert redact(FULL).clusters == FULL.clusters
    user = to_dict(shorten(FULL))["users"][0]["user"]
    assert user["client-key-data"] == user["client-certificate-data"] == "DATA+OMITTED"
    assert to_dict(shorten(FULL))["clusters"][0]["cluster"]["certificate-authority-data"] == "DATA+OMITTED"
    assert FULL.users["u"].token == "SECRET"


@pytest.mark.behaviour("1.8.5")
def test_equality_ignores_where_it_came_from():
    assert AuthInfo(token="a", origin="/x") == AuthInfo(token="a", origin="/y")
    assert AuthInfo(token="a") != AuthInfo(token="b")
    assert Kubeconfig(files=("a",)) == Kubeconfig()


names = st.sampled_from(["a", "b", "c"])
configs = st.builds(
    Kubeconfig,
    clusters=st.dictionaries(names, st.builds(Cluster, server=names)),
    users=st.dictionaries(names, st.builds(AuthInfo, token=names)),
    contexts=st.dictionaries(names, st.builds(Context, cluster=names)),
    current_context=names | st.just(""),
    colors=st.booleans(),
)


@pytest.mark.behaviour("1.8.2", "1.8.3")
@given(configs, configs)
def test_one_file_becomes_what_was_asked_for(tmp_path_factory, before, after):
    path = tmp_path_factory.mktemp("kube") / "config"
    write_file(before, path)
    assert modify_config(after, kubeconfig=path) == after
    assert load_file(path) == after
