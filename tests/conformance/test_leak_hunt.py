"""The leak hunt: recognisable credentials and Secrets in runs that fail in every way, and a search of all that is left.

Searched are: logs at every level (those of the wire, too), warnings, texts, reprs and pickles of errors, tracebacks
that print locals, temporary and cache folders, and the command lines and environments of plugins.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import logging
import os
import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import certs
import pytest
from issuer import Issuer
from leakwatch import SECRET_DATA, LeakWatch
from manifests import SECRETS
from networkfaults import FAULTS
from plugins import Plugin, Plugins, credential
from scripted import ScriptedServer, json_response
from tracebacks import shown_in

import dynkube
from dynkube.config import AuthProviderConfig
from dynkube.discovery import DiscoveryClient, DiskCache
from dynkube.testing import AccessRule, FaultProxy, ServerFace
from dynkube.wire.retry import RetryPolicy

PASSWORD = "hunter2-passw0rd"
ARGUMENT = "hunter2-argument"
VARIABLE = "hunter2-variable"
DATA = SECRET_DATA
PAIR = base64.b64encode(f"me:{PASSWORD}".encode()).decode()[:16]
ALL_LEVELS = 1


def pem_lines(pem: bytes) -> list[str]:
    return [line for line in pem.decode().splitlines() if line and not line.startswith("-")]


@pytest.fixture
def proxy(server) -> Iterator[FaultProxy]:  # type: ignore[no-untyped-def]
    rules = ({"resources": ("*",), "api_groups": ("*",)}, {"non_resource_urls": ("*",)})
    for rule in rules:
        server.allow(AccessRule(user="token-user", verbs=("*",), **rule))
    with FaultProxy.before(server) as proxy:
        yield proxy


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugins(tmp_path).make()


@pytest.fixture(params=["token", "password", "plugin", "oidc"])
def signed_in(
    request: pytest.FixtureRequest,
    server,
    proxy: FaultProxy,
    plugin: Plugin,  # type: ignore[no-untyped-def]
) -> Iterator[tuple[dynkube.RESTConfig, list[str]]]:
    """A configuration, and the texts that must not show."""
    plain = dynkube.RESTConfig(host=proxy.url, tls=dynkube.TLSConfig(ca_data=proxy.ca_data), timeout=0.2)
    token = dynkube.load_config(kubeconfig=server.token_user()).bearer_token
    if request.param == "token":
        yield plain.copy(bearer_token=token), [token]
    elif request.param == "password":
        yield plain.copy(username="me", password=PASSWORD), [PASSWORD, PAIR]
    elif request.param == "plugin":
        pair = certs.client("jane")
        plugin.gives(credential(token=token, cert=pair.certificate, key=pair.key))
        command = plugin.exec(env=(("PASSWORD", VARIABLE),), args=("--token", ARGUMENT))
        yield plain.copy(exec=command, timeout=10), [token, VARIABLE, ARGUMENT, *pem_lines(pair.key)]
    else:
        with Issuer() as issuer:
            settings = issuer.login("jane", life=600)
            provider = AuthProviderConfig(name="oidc", config=settings)
            secrets = [settings[name] for name in ("id-token", "refresh-token", "client-secret")]
            yield plain.copy(auth_provider=provider), secrets


def what_is_done(client: dynkube.DynamicClient) -> Iterator[Callable[[], object]]:
    """Calls with a Secret in what is sent and what comes back."""
    secrets = client.resource(SECRETS).namespace("default")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hunted"}, "data": {"x": DATA}}
    yield lambda: secrets.create(secret)
    yield lambda: secrets.create({**secret, "metadata": {"name": "other"}, "stringData": {"x": b"bytes"}})
    yield lambda: secrets.apply(secret, field_manager="hunt")
    yield lambda: secrets.patch("hunted", {"data": {"y": DATA}})
    yield lambda: secrets.get("hunted")
    yield lambda: list(secrets.iter(limit=1))
    yield lambda: next(secrets.watch_once(resource_version="0", timeout_seconds=1, timeout=0.2), None)
    yield lambda: secrets.wait("hunted", condition="Ready", timeout=0.2)
    yield lambda: client.discovery.server_groups(timeout=0.2)
    yield lambda: secrets.delete("hunted")


def about(error: BaseException) -> Iterator[str]:
    """All that an error can show; the arguments of the public call are the caller's own."""
    yield shown_in(error, public=False)
    with contextlib.suppress(Exception):
        yield pickle.dumps(error).decode("latin-1")


@pytest.mark.behaviour("1.2.8", "2.2.10")
def test_nothing_shows_whatever_happens(  # type: ignore[no-untyped-def]
    proxy: FaultProxy,
    signed_in: tuple[dynkube.RESTConfig, list[str]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    config, marks = signed_in
    left, cache = tmp_path / "left", tmp_path / "cache"
    left.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(left))
    caplog.set_level(ALL_LEVELS)
    caplog.set_level(ALL_LEVELS, logger="dynkube.http")
    shown: list[str] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for name in ("", *FAULTS):
            if "stall" in name and config.timeout > 1:
                continue  # the plugin's long deadline is for the plugin
            fault = proxy.inject(FAULTS[name](), times=None) if name else None
            rest = dynkube.RESTClient(config, retry=RetryPolicy(max_retries=0))
            discovery = DiscoveryClient(rest, cache=DiskCache(directory=cache))
            with dynkube.DynamicClient(config, rest=rest, discovery=discovery) as client:
                shown += [repr(config), repr(client), repr(client.rest), repr(client.rest.transport)]
                for act in what_is_done(client):
                    try:
                        act()
                    except (dynkube.DynkubeError, StopIteration) as error:
                        shown += about(error)
            proxy.resume()
            if fault is not None:
                fault.remove()
    assert caplog.records
    shown += [f"{record.getMessage()} {record.args!r} {record.exc_info}" for record in caplog.records]
    shown += [repr(each.message) for each in warned]
    shown += [each.read_bytes().decode("latin-1") for each in (*left.rglob("*"), *cache.rglob("*")) if each.is_file()]
    shown += capfd.readouterr()
    for mark in (*marks, DATA):
        assert not [text[max(0, text.index(mark) - 80) :][:200] for text in shown if mark in text]


@pytest.mark.behaviour("1.9.3", "1.9.4")
def test_a_plugin_is_told_what_it_must_know_and_no_more(  # type: ignore[no-untyped-def]
    server, proxy: FaultProxy, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command line and environment, as /proc shows them: the stanza's, ours and KUBERNETES_EXEC_INFO."""
    if not Path("/proc/self/environ").exists():
        monkeypatch.undo()
        return
    monkeypatch.setenv("OURS", "of the process")
    token = dynkube.load_config(kubeconfig=server.token_user()).bearer_token
    plugin.gives(credential(token=token))
    here = plugin.folder
    plugin.script(f"cat /proc/$$/cmdline > {here}/cmdline; cat /proc/$$/environ > {here}/environ; {plugin.prints}")
    command = plugin.exec(env=(("PASSWORD", VARIABLE),), args=("--token", ARGUMENT), provide_cluster_info=True)
    tls = dynkube.TLSConfig(ca_data=proxy.ca_data)
    with dynkube.DynamicClient(dynkube.RESTConfig(host=proxy.url, tls=tls, exec=command)) as client:
        client.resource(SECRETS).namespace("default").list()
    argv = plugin.note("cmdline").split("\0")[:-1]
    assert argv[-2:] == ["--token", ARGUMENT]
    environ = dict(each.split("=", 1) for each in plugin.note("environ").split("\0") if each)
    assert environ["PASSWORD"] == VARIABLE
    assert environ["OURS"] == "of the process"
    assert json.loads(environ["KUBERNETES_EXEC_INFO"])["spec"]["cluster"]["server"] == proxy.url
    added = environ.keys() - os.environ.keys() - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert added == {"PASSWORD", "KUBERNETES_EXEC_INFO"}
    assert token not in plugin.note("environ") + plugin.note("cmdline")


@pytest.mark.behaviour("2.1.10")
@pytest.mark.parametrize("place", ["another host", "another port", "plain http", "no scheme"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_elsewhere_carries_nothing(  # type: ignore[no-untyped-def]
    server, proxy: FaultProxy, place: str, status: int
) -> None:
    token = dynkube.load_config(kubeconfig=server.token_user()).bearer_token
    tls = place != "plain http"
    with ScriptedServer(tls=tls) as elsewhere:
        elsewhere.on(lambda request: json_response({}))
        port = elsewhere.url.rpartition(":")[2]
        location = {
            "another host": f"https://localhost:{port}/version",
            "another port": f"{elsewhere.url}/version",
            "plain http": f"http://127.0.0.1:{port}/version",
            "no scheme": f"//127.0.0.1:{port}/version",
        }[place]
        proxy.inject(dynkube.testing.Fault.answer(status, headers={"Location": location}), times=None)
        trust = dynkube.TLSConfig(ca_data=(proxy.ca_data or b"") + certs.good().ca_data)
        with dynkube.RESTClient(dynkube.RESTConfig(host=proxy.url, tls=trust, bearer_token=token)) as rest:
            with pytest.raises(dynkube.DynkubeError):
                rest.get().abs_path("/version").do()
            with pytest.raises(dynkube.DynkubeError):
                rest.post().abs_path("/version").body({"a": "b"}).do()
            with pytest.raises(dynkube.DynkubeError):
                rest.get().abs_path("/version").stream()
        assert elsewhere.requests == []
        assert elsewhere.connection_count == 0


class TestWatchOverTheWholeRun:
    """`leak_watch` in conftest.py; were it blind, it would find nothing in any case."""

    @pytest.mark.parametrize("text", [SECRET_DATA, "eyJhbGciOiJSUzI1NiJ9.eyJhIjoiYiJ9." + "s" * 40])
    def test_it_sees_log_lines_and_errors(self, text: str) -> None:
        watch = LeakWatch()
        watch.emit(logging.makeLogRecord({"name": "dynkube.http", "msg": "a %s", "args": (text,)}))
        assert len(watch.found) == 1
        watch.read_error(ValueError(text))  # one of ours would be found by the watch of the run
        assert len(watch.found) == 2

    def test_it_sees_the_users_of_the_servers(self, server: ServerFace) -> None:
        watch = LeakWatch()
        watch.hunt_for(server)
        token = dynkube.load_config(kubeconfig=server.token_user()).bearer_token
        watch.emit(logging.makeLogRecord({"msg": f"Authorization: Bearer {token}"}))
        assert len(watch.found) == 1

    def test_it_reads_what_happens(self, leak_watch: LeakWatch, client: dynkube.DynamicClient) -> None:
        lines, errors = leak_watch.lines, leak_watch.errors
        with pytest.raises(dynkube.NotFoundError):
            client.resource(SECRETS).namespace("none").get("none")
        gc.collect()
        assert leak_watch.lines > lines
        assert leak_watch.errors > errors
