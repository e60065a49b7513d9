from __future__ import annotations

import logging

import pytest

from dynkube.config.incluster import InCluster, in_cluster_config, read_token
from dynkube.config.kubeconfig import AuthInfo, Cluster, Context
from dynkube.config.model import TLSConfig
from dynkube.config.overrides import Overrides
from dynkube.errors import ConfigError, NotInClusterError


@pytest.mark.behaviour("1.7.1", "1.11.1")
@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("10.0.0.1", "https://10.0.0.1:443"),
        ("kube.example", "https://kube.example:443"),
        ("fd00::1", "https://[fd00::1]:443"),
    ],
)
def test_the_host(pod, host, url):
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    assert in_cluster_config(environ=environ, root=str(pod.parents[4])).base_url == url


@pytest.mark.behaviour("1.7.1")
@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"KUBERNETES_SERVICE_HOST": "h"},
        {"KUBERNETES_SERVICE_PORT": "1"},
        {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": ""},
    ],
)
def test_not_in_a_cluster(pod, environ):
    with pytest.raises(NotInClusterError) as caught:
        in_cluster_config(environ=environ, root=str(pod.parents[4]))
    assert str(caught.value) == (
        "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined"
    )


@pytest.mark.behaviour("1.7.2")
def test_token_and_ca(pod, pod_environ):
    config = in_cluster_config(environ=pod_environ, root=str(pod.parents[4]))
    assert config.bearer_token == "pod-token"
    assert config.bearer_token_file == str(pod / "token")
    assert config.tls == TLSConfig(ca_file=str(pod / "ca.crt"))
    assert "pod-token" not in repr(config)


@pytest.mark.behaviour("1.7.2")
def test_a_missing_token_is_an_error(pod, pod_environ):
    (pod / "token").unlink()
    with pytest.raises(ConfigError, match=r"token file .*/token: No such file"):
        in_cluster_config(environ=pod_environ, root=str(pod.parents[4]))


@pytest.mark.behaviour("1.7.2")
@pytest.mark.parametrize("content", [None, "", "garbage"])
def test_a_bad_ca_is_only_logged(pod, pod_environ, caplog, content):
    if content is None:
        (pod / "ca.crt").unlink()
    else:
        (pod / "ca.crt").write_text(content)
    with caplog.at_level(logging.ERROR, "dynkube.config"):
        config = in_cluster_config(environ=pod_environ, root=str(pod.parents[4]))
    assert config.tls == TLSConfig()
    assert config.is_tls
    assert "expected to load root CA config from" in caplog.text


@pytest.mark.behaviour("1.7.3")
def test_possible(pod, pod_environ):
    root = str(pod.parents[4])
    assert InCluster(environ=pod_environ, root=root).possible()
    assert not InCluster(environ={}, root=root).possible()
    (pod / "token").unlink()
    assert not InCluster(environ=pod_environ, root=root).possible()
    (pod / "token").mkdir()
    assert not InCluster(environ=pod_environ, root=root).possible()


@pytest.mark.behaviour("1.7.5")
def test_overrides_that_count(pod, pod_environ):
    def config(cluster=None, user=None):
        overrides = Overrides(cluster_info=cluster or Cluster(), auth_info=user or AuthInfo(), timeout=5)
        return InCluster(environ=pod_environ, root=str(pod.parents[4])).rest_config(overrides)

    assert config(Cluster(server="https://other")).base_url == "https://other"
    assert config(Cluster(certificate_authority="/other.crt")).tls == TLSConfig(ca_file="/other.crt")
    token = config(user=AuthInfo(token="mine"))
    assert (token.bearer_token, token.bearer_token_file) == ("mine", "")
    file = config(user=AuthInfo(token_file="/mine"))
    assert (file.bearer_token, file.bearer_token_file) == ("", "/mine")
    rest = config(
        Cluster(insecure_skip_tls_verify=True, proxy_url="http://p", tls_server_name="n"),
        AuthInfo(username="u", impersonate="j"),
    )
    assert rest == config()
    assert rest.timeout is None


def test_a_token_is_never_sent_to_a_plain_http_override(pod, pod_environ):
    with pytest.raises(ConfigError, match="plain http"):
        InCluster(environ=pod_environ, root=str(pod.parents[4])).rest_config(
            Overrides(cluster_info=Cluster(server="http://other"))
        )


@pytest.mark.behaviour("1.7.6", "1.11.1")
def test_namespace(pod, pod_environ):
    def namespace(overrides=None, **environ):
        return InCluster(environ={**pod_environ, **environ}, root=str(pod.parents[4])).namespace(overrides)

    assert namespace(Overrides(context=Context(namespace="x")), POD_NAMESPACE="env") == ("x", True)
    assert namespace(POD_NAMESPACE="env") == ("env", False)
    assert namespace() == ("pod-ns", False)
    (pod / "namespace").write_text(" \n")
    assert namespace() == ("default", False)
    (pod / "namespace").unlink()
    assert namespace() == ("default", False)


def test_the_environment_is_read_when_asked(pod, pod_environ, monkeypatch):
    for name in pod_environ:
        monkeypatch.delenv(name, raising=False)
    found = InCluster(root=str(pod.parents[4]))
    assert not found.possible()
    for name, value in pod_environ.items():
        monkeypatch.setenv(name, value)
    assert found.possible()


@pytest.mark.behaviour("2.2.6")
def test_read_token(put, tmp_path):
    assert read_token(put("t", " abc\n")) == "abc"
    for content, problem in [("", "it is empty"), (" \n", "it is empty"), ("ключ", "it holds no token")]:
        with pytest.raises(ConfigError, match=problem):
            read_token(put("t", content))
    with pytest.raises(ConfigError, match="No such file"):
        read_token(str(tmp_path / "nope"))
