from __future__ import annotations

import logging
import os

import pytest

from dynkube.config.loader import LoadingRules, MissingConfigWarning, home_folder, kubeconfig_paths
from dynkube.config.model import RESTConfig
from dynkube.errors import AggregateError, ConfigError, EmptyConfigError, KubeconfigNotFoundError


def rules(**environ):
    return LoadingRules.default(environ)


@pytest.mark.behaviour("1.1.1", "1.11.1")
def test_kubeconfig_lists_files_each_once():
    listed = os.pathsep.join(["/a", "b", "", "/a", "/c"])
    assert kubeconfig_paths({"KUBECONFIG": listed, "HOME": "/home/me"}) == ("/a", "b", "/c")


@pytest.mark.behaviour("1.1.1", "1.11.1")
@pytest.mark.parametrize("environ", [{}, {"KUBECONFIG": ""}])
def test_without_kubeconfig_it_is_the_default_file(environ):
    assert kubeconfig_paths({**environ, "HOME": "/home/me"}) == (os.path.join("/home/me", ".kube", "config"),)


@pytest.mark.behaviour("1.1.2")
def test_only_separators_are_set_and_empty(put, tmp_path):
    put(".kube/config", "current-context: default")
    found = rules(KUBECONFIG=os.pathsep, HOME=str(tmp_path))
    assert found.paths == ()
    assert found.load().is_empty


@pytest.mark.behaviour("1.1.3")
def test_entries_are_taken_as_written(put, tmp_path, monkeypatch):
    put("config", "current-context: here")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert rules(KUBECONFIG="config").load().current_context == "here"
    for entry in ("~/config", "$HOME/config", "${HOME}/config"):
        assert rules(KUBECONFIG=entry).paths == (entry,)
        assert rules(KUBECONFIG=entry).load().is_empty


def test_the_environment_is_read_when_asked(put, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", put("one", "current-context: one"))
    assert LoadingRules.default().load().current_context == "one"
    monkeypatch.setenv("KUBECONFIG", put("two", "current-context: two"))
    assert LoadingRules.default().load().current_context == "two"


@pytest.mark.behaviour("1.1.4")
def test_missing_files_are_skipped_one_by_one(put, tmp_path):
    heard = []
    listed = os.pathsep.join([str(tmp_path / "nope"), put("there", "current-context: there")])
    assert rules(KUBECONFIG=listed).copy(warn=heard.append).load().current_context == "there"
    assert heard == []


@pytest.mark.behaviour("1.1.4")
def test_one_warning_when_all_are_missing(tmp_path):
    heard = []
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert rules(KUBECONFIG=f"{a}{os.pathsep}{b}").copy(warn=heard.append).load().is_empty
    (warning,) = heard
    assert isinstance(warning, MissingConfigWarning)
    assert str(warning) == f"Config not found: {a}, {b}"
    assert warning.missing == (a, b)


@pytest.mark.behaviour("1.1.4")
def test_the_warning_goes_to_the_log_by_default_and_not_for_the_default_file(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "dynkube.config"):
        rules(HOME=str(tmp_path)).load()
        assert caplog.messages == []
        rules(KUBECONFIG=str(tmp_path / "a")).load()
    assert caplog.messages == [f"Config not found: {tmp_path / 'a'}"]


@pytest.mark.behaviour("1.1.5")
def test_an_explicit_path_is_alone_and_must_exist(put, tmp_path):
    other = put("other", "current-context: other")
    explicit = rules(KUBECONFIG=other, HOME=str(tmp_path)).copy(explicit_path=put("explicit", "colors: 1"))
    assert explicit.paths == (str(tmp_path / "explicit"),)
    assert explicit.load().is_empty
    with pytest.raises(FileNotFoundError) as caught:
        explicit.copy(explicit_path=str(tmp_path / "nope")).load()
    assert isinstance(caught.value, KubeconfigNotFoundError)
    assert isinstance(caught.value, ConfigError)
    assert str(tmp_path / "nope") in str(caught.value)


@pytest.mark.behaviour("1.1.6")
def test_all_unreadable_files_are_named(put, tmp_path):
    good, bad, worse = put("good", "current-context: x"), put("bad", "a: ["), str(tmp_path)
    with pytest.raises(ConfigError) as one:
        rules(KUBECONFIG=os.pathsep.join([good, bad])).load()
    assert str(one.value).startswith(f'error loading config file "{bad}": line ')
    with pytest.raises(ConfigError) as both:
        rules(KUBECONFIG=os.pathsep.join([bad, good, worse])).load()
    assert f'error loading config file "{bad}": ' in str(both.value)
    assert f'error loading config file "{worse}": cannot read it: Is a directory' in str(both.value)
    assert isinstance(both.value.__cause__, AggregateError)


@pytest.mark.behaviour("1.1.6")
@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_an_error(put):
    path = put("secret", "current-context: x")
    os.chmod(path, 0)
    with pytest.raises(ConfigError, match="cannot read it: Permission denied"):
        rules(KUBECONFIG=path).load()


@pytest.mark.behaviour("1.1.6")
def test_a_path_through_a_file_is_not_a_missing_file(put):
    with pytest.raises(ConfigError, match="cannot read it: Not a directory"):
        rules(KUBECONFIG=os.path.join(put("file", ""), "config")).load()


@pytest.mark.behaviour("1.1.7")
def test_a_zero_byte_file_is_empty(put):
    assert rules(KUBECONFIG=put("empty", b"")).load().is_empty


@pytest.mark.behaviour("1.3.1", "1.3.2", "1.3.3")
def test_files_merge_and_their_paths_resolve(put, tmp_path):
    one = put("one/config", "users: [{name: u, user: {tokenFile: token}}]\ncurrent-context: ''")
    two = put(
        "two/config", "users: [{name: u, user: {token: t}}, {name: v, user: {tokenFile: token}}]\ncurrent-context: two"
    )
    config = rules(KUBECONFIG=f"{one}{os.pathsep}{two}").load()
    assert config.users["u"].token == ""
    assert config.users["u"].token_file == str(tmp_path / "one/token")
    assert config.users["v"].token_file == str(tmp_path / "two/token")
    assert config.current_context == "two"
    assert config.files == (one, two)


@pytest.mark.behaviour("1.3.5")
def test_to_edit_paths_stay(put):
    path = put("config", "users: [{name: u, user: {tokenFile: token}}]")
    assert rules(KUBECONFIG=path).copy(resolve_paths=False).load().users["u"].token_file == "token"


@pytest.mark.behaviour("1.8.2")
def test_default_path_takes_the_first_when_none_exists(put, tmp_path):
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    found = LoadingRules(precedence=(a, b))
    assert found.default_path() == a
    put("b", "")
    assert found.default_path() == b
    assert found.copy(explicit_path="/x").default_path() == "/x"
    assert LoadingRules().default_path() == ""


@pytest.mark.behaviour("1.1.8", "1.11.1")
def test_home_is_the_variable_alone():
    assert home_folder({"HOME": "/home/me", "USERPROFILE": "x"}, windows=False) == "/home/me"
    assert home_folder({}, windows=False) == ""
    assert kubeconfig_paths({}) == (), "not .kube/config in the working directory"


@pytest.mark.behaviour("1.1.8", "1.11.1")
def test_home_on_windows(tmp_path):
    def folder(name, *, config=False):
        path = tmp_path / name
        (path / ".kube").mkdir(parents=True)
        if config:
            (path / ".kube" / "config").write_text("")
        return str(path)

    home, profile = folder("home"), folder("profile")
    with_config = folder("drive", config=True)
    drive, path = with_config[:4], with_config[4:]
    everything = {"HOME": home, "HOMEDRIVE": drive, "HOMEPATH": path, "USERPROFILE": profile}
    assert home_folder(everything, windows=True) == with_config
    assert home_folder({"HOME": home, "USERPROFILE": profile}, windows=True) == home
    assert home_folder({"HOME": "/nope", "USERPROFILE": profile}, windows=True) == profile
    assert home_folder({"HOMEDRIVE": "N:", "HOMEPATH": "\\me", "USERPROFILE": "/nope"}, windows=True) == "/nope"
    assert home_folder({"HOMEDRIVE": "N:", "HOMEPATH": "\\me"}, windows=True) == "N:\\me"
    assert home_folder({"HOMEDRIVE": "N:"}, windows=True) == ""


@pytest.mark.behaviour("1.7.4")
def test_is_default_config():
    default = RESTConfig(host="http://localhost:8080")

    def failing():
        raise EmptyConfigError

    assert not LoadingRules().is_default_config(default)
    assert not LoadingRules(default_config=failing).is_default_config(default)
    found = LoadingRules(default_config=lambda: default)
    assert found.is_default_config(default)
    assert found.is_default_config(default.copy(namespace="x", namespace_explicit=True))
    assert not found.is_default_config(default.copy(host="http://other"))
