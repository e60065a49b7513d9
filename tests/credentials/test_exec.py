"""What a plugin is told, what it may print, and what comes of it when it fails."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import pty
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import certs
import pytest
from plugins import V1, V1BETA1, credential
from scripted import json_response
from tracebacks import shown_in

from dynkube import CancelledError, ConfigError, CredentialError, DeadlineExceededError, ExecPluginError
from dynkube.config import ExecConfig, PluginPolicy, RESTConfig, TLSConfig, rest_config_from_kubeconfig
from dynkube.credentials import ExecAuthenticator, source_for
from dynkube.credentials.exec import cluster_info
from dynkube.observers import Observer
from dynkube.transport import CallScope, CancelToken, Credential

HOST = "https://kube.example"


def ask(plugin: ExecConfig, *, scope: CallScope | None = None, cluster=None, **options) -> Credential:
    return ExecAuthenticator(plugin, cluster, **options).obtain(scope or CallScope())


def failure(plugin: ExecConfig, **options) -> ExecPluginError:
    with pytest.raises(ExecPluginError) as caught:
        ask(plugin, **options)
    return caught.value


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_gone(pid: int) -> None:
    end = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < end, f"process {pid} goes on running"
        time.sleep(0.01)


def wait_for(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# ------------------------------------------------------------------ what it is told


class TestWhatItIsTold:
    @pytest.mark.behaviour("1.9.2")
    def test_its_environment_is_ours_then_the_configs_then_the_info(self, plugins, monkeypatch):
        monkeypatch.setenv("SHARED", "ours")
        monkeypatch.setenv("INHERITED", "yes")
        plugin = plugins.make(credential(token="t")).script('env > "$(dirname "$0")/env"; cat "$(dirname "$0")/output"')
        env = (("SHARED", "first"), ("SHARED", "last"), ("KUBERNETES_EXEC_INFO", "no"), ("NAME", "a=b c"))
        ask(plugin.exec(env=env))
        told = dict(line.split("=", 1) for line in plugin.note("env").splitlines() if "=" in line)
        assert (told["SHARED"], told["INHERITED"], told["NAME"]) == ("last", "yes", "a=b c")
        assert json.loads(told["KUBERNETES_EXEC_INFO"])["kind"] == "ExecCredential"

    @pytest.mark.behaviour("1.9.2")
    def test_its_arguments_are_handed_on_and_its_stdin_is_empty(self, plugins):
        plugin = plugins.make(credential(token="t")).script(
            'printf "%s\\n" "$@" > "$(dirname "$0")/args"; cat > "$(dirname "$0")/stdin"; cat "$(dirname "$0")/output"'
        )
        ask(plugin.exec(args=("get-token", "--for", "a b", "")))
        assert plugin.note("args") == "get-token\n--for\na b\n\n"
        assert plugin.note("stdin") == ""

    @pytest.mark.behaviour("1.9.3")
    @pytest.mark.parametrize("version", [V1, V1BETA1])
    def test_the_info_without_the_cluster(self, plugins, version):
        plugin = plugins.make(credential(version, token="t")).script(
            'printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; cat "$(dirname "$0")/output"'
        )
        source_for(RESTConfig(host=HOST, exec=plugin.exec(version))).obtain(CallScope())
        assert json.loads(plugin.note("info")) == {
            "kind": "ExecCredential",
            "apiVersion": version,
            "spec": {"interactive": False},
        }

    @pytest.mark.behaviour("1.9.3")
    def test_the_info_with_the_cluster(self, plugins, tmp_path):
        ca = tmp_path / "ca.pem"
        ca.write_bytes(certs.good().ca_data)
        plugin = plugins.make(credential(token="t")).script(
            'printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; cat "$(dirname "$0")/output"'
        )
        config = RESTConfig(
            host="https://kube.example/prefix",
            tls=TLSConfig(ca_file=str(ca), server_name="other.example"),
            proxy_url="http://proxy:3128",
            disable_compression=True,
            exec=plugin.exec(provide_cluster_info=True, config={"audience": ["x"]}),
        )
        source_for(config).obtain(CallScope())
        import base64

        assert json.loads(plugin.note("info"))["spec"] == {
            "cluster": {
                "server": "https://kube.example/prefix",
                "tls-server-name": "other.example",
                "certificate-authority-data": base64.b64encode(ca.read_bytes()).decode(),
                "proxy-url": "http://proxy:3128",
                "disable-compression": True,
                "config": {"audience": ["x"]},
            },
            "interactive": False,
        }

    @pytest.mark.behaviour("1.9.3")
    def test_the_least_that_there_is_to_tell_of_a_cluster(self):
        config = RESTConfig(host=HOST, tls=TLSConfig(insecure=True), exec=ExecConfig(command="x"))
        assert cluster_info(config) == {"server": HOST, "insecure-skip-tls-verify": True, "config": None}

    @pytest.mark.behaviour("1.9.3")
    def test_a_ca_that_cannot_be_read_names_the_file(self):
        plugin = ExecConfig(command="x", api_version=V1, interactive_mode="Never", provide_cluster_info=True)
        config = RESTConfig(host=HOST, tls=TLSConfig(ca_file="/nope/ca.pem"), exec=plugin, user="eks")
        with pytest.raises(ConfigError, match=r"user 'eks': certificate-authority /nope/ca.pem: No such file"):
            source_for(config)


# ------------------------------------------------------------------ standard input


class TestStandardInput:
    @pytest.mark.behaviour("1.9.4")
    @pytest.mark.parametrize(
        ("mode", "terminal", "unavailable", "interactive"),
        [
            ("Never", True, False, False),
            ("IfAvailable", True, False, True),
            ("IfAvailable", False, False, False),
            ("IfAvailable", True, True, False),
            ("Always", True, False, True),
        ],
    )
    def test_who_is_interactive(self, plugins, mode, terminal, unavailable, interactive):
        plugin = plugins.make(credential(token="t")).script(
            'printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; cat "$(dirname "$0")/output"'
        )
        stanza = plugin.exec(interactive_mode=mode, stdin_unavailable=unavailable)
        ask(stanza, is_terminal=lambda: terminal)
        assert json.loads(plugin.note("info"))["spec"]["interactive"] is interactive

    @pytest.mark.behaviour("1.9.4")
    def test_always_without_a_terminal_is_an_error(self, plugins):
        plugin = plugins.make(credential(token="t"))
        stanza = plugin.exec(interactive_mode="Always")
        error = failure(stanza, is_terminal=lambda: False)
        assert "exec plugin cannot support interactive mode: standard input is not a terminal" in str(error)
        taken = replace(stanza, stdin_unavailable=True)
        assert str(failure(taken, is_terminal=lambda: True)).count("standard input is unavailable (") == 1
        taken = replace(taken, stdin_unavailable_message="used by -f -")
        assert "standard input is unavailable: used by -f -" in str(failure(taken, is_terminal=lambda: True))
        assert plugin.runs == 0

    @pytest.mark.behaviour("1.9.4")
    def test_the_default_mode_is_v1beta1s_alone(self, plugins):
        plugin = plugins.make(credential(V1BETA1, token="t"))
        assert ask(plugin.exec(V1BETA1, interactive_mode=""), is_terminal=lambda: False).token == "t"
        with pytest.raises(ConfigError, match='unknown interactiveMode: ""; want Never, IfAvailable or Always'):
            ExecAuthenticator(plugin.exec(V1, interactive_mode=""))
        with pytest.raises(ConfigError, match='unknown interactiveMode: "Sometimes"'):
            ExecAuthenticator(plugin.exec(V1, interactive_mode="Sometimes"))

    @pytest.mark.behaviour("1.9.4")
    def test_a_plugin_prompts_on_a_terminal(self, plugins, tmp_path):
        """The real thing: dynkube's process has a terminal for its stdin, and the plugin asks there."""
        plugin = plugins.make().script(
            'printf "Password: " >&2; read -r answer; '
            'printf \'{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}\' "$answer"'
        )
        code = textwrap.dedent(f"""
            from dynkube.config import ExecConfig
            from dynkube.credentials import ExecAuthenticator
            from dynkube.transport import CallScope
            plugin = ExecConfig(command={str(plugin.path)!r}, api_version={V1!r}, interactive_mode="Always")
            print("token", ExecAuthenticator(plugin).obtain(CallScope(20)).token)
        """)
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        os.close(theirs)
        try:
            assert child.stderr.read(10) == b"Password: "  # it is seen at once
            os.write(ours, b"open sesame\n")
            assert child.stdout.read() == b"token open sesame\n"
            assert child.wait(10) == 0
        finally:
            child.kill()
            child.communicate()
            os.close(ours)

    @pytest.mark.behaviour("1.9.4")
    def test_without_a_terminal_it_cannot_ask_anywhere(self, plugins):
        """It has no controlling terminal either, so that what asks on /dev/tty fails instead of hanging."""
        plugin = plugins.make().script("(: < /dev/tty) 2>/dev/null && exit 0; exit 4")
        assert failure(plugin.exec()).exit_code == 4


# ------------------------------------------------------------------ what it prints


class TestWhatItPrints:
    @pytest.mark.behaviour("1.9.1")
    @pytest.mark.parametrize(
        "version", ["", "v1", "client.authentication.k8s.io/v1alpha1", "client.authentication.k8s.io/v2"]
    )
    def test_other_api_versions_are_refused(self, plugins, version):
        plugin = plugins.make(credential(token="t"))
        with pytest.raises(ConfigError, match=rf'exec plugin: invalid apiVersion "{version}"'):
            source_for(RESTConfig(host=HOST, exec=plugin.exec(version)))

    @pytest.mark.behaviour("1.9.5")
    def test_yaml_will_do(self, plugins):
        plugin = plugins.make(f"kind: ExecCredential\napiVersion: {V1}\nstatus:\n  token: abc\n")
        assert ask(plugin.exec()).token == "abc"

    @pytest.mark.behaviour("1.9.5")
    @pytest.mark.parametrize(
        ("output", "problem"),
        [
            ("", "decoding stdout: it printed nothing"),
            ("Please log in first, hunter2-token", "decoding stdout: its 34 bytes are no object"),
            ("{hunter2-token", "decoding stdout: its 14 bytes are no object"),
            (b"\xff\xfe\x00hunter2-token", "decoding stdout: "),
            ("[]", "decoding stdout: its 2 bytes are no object"),
            ({"apiVersion": V1, "status": {"token": "hunter2-token"}}, "decoding stdout: Object 'Kind' is missing"),
            ({"kind": "ExecCredential", "status": {"token": "hunter2-token"}}, "Object 'apiVersion' is missing"),
            (
                {"kind": "Pod", "apiVersion": V1, "status": {"token": "hunter2-token"}},
                "it is of kind 'Pod'; want an Exec",
            ),
            (
                credential(V1BETA1, token="hunter2-token"),
                f"exec plugin is configured to use API version {V1}, plugin returned version {V1BETA1}; make apiVersion",
            ),
            ({"kind": "ExecCredential", "apiVersion": V1}, "exec plugin didn't return a status field"),
            ({"kind": "ExecCredential", "apiVersion": V1, "status": ["hunter2-token"]}, "status is no object"),
            (credential(), "exec plugin didn't return a token or cert/key pair"),
            (credential(token=""), "exec plugin didn't return a token or cert/key pair"),
            (credential(token=["hunter2-token"]), "decoding stdout: status.token is no string"),
            (credential(token="a", cert="hunter2-token"), "exec plugin returned only certificate or key, not both"),
            (credential(key="hunter2-token"), "exec plugin returned only certificate or key, not both"),
            (
                credential(cert="hunter2-token", key="hunter2-token"),
                "failed parsing client key/certificate: not a cert",
            ),
            (credential(token="hunter2-token\n"), "a token with a line break or another character that no header"),
            (credential(token="hunter2-token", expirationTimestamp="soon"), "status.expirationTimestamp is no time"),
            (credential(token="hunter2-token", expirationTimestamp=5), "status.expirationTimestamp is no time"),
        ],
    )
    def test_what_is_no_credential_is_an_error_in_the_real_words(self, plugins, output, problem):
        plugin = plugins.make(output)
        error = failure(plugin.exec())
        assert problem in str(error)
        assert str(error).startswith("getting credentials: ")
        assert str(plugin.path) in str(error)
        assert (error.command, error.exit_code) == (str(plugin.path), 0)
        assert "hunter2" not in shown_in(error)

    @pytest.mark.behaviour("1.9.5")
    def test_a_key_of_another_certificate_is_told(self, plugins):
        one, other = certs.client("one"), certs.client("other")
        error = failure(plugins.make(credential(cert=one.certificate, key=other.key)).exec())
        assert "failed parsing client key/certificate: the key does not belong to the certificate" in str(error)

    @pytest.mark.behaviour("1.9.5")
    def test_endless_output_ends(self, plugins):
        plugin = plugins.make().script('echo $$ > "$(dirname "$0")/pid"; exec yes hunter2-token')
        error = failure(plugin.exec())
        assert "decoding stdout: more than 1048576 bytes" in str(error)
        wait_gone(int(plugin.note("pid")))

    @pytest.mark.behaviour("1.9.9")
    def test_token_and_certificate_together(self, plugins):
        pair = certs.client("both")
        given = ask(plugins.make(credential(token="t", cert=pair.certificate, key=pair.key)).exec())
        assert (given.token, given.cert_data, given.key_data) == ("t", pair.certificate, pair.key)


# ------------------------------------------------------------------ how it fails


class TestHowItFails:
    @pytest.mark.behaviour("1.9.6")
    def test_an_exit_code_comes_with_what_it_said(self, plugins, capfd):
        plugin = plugins.make().script('echo "token expired, run: login" >&2; exit 3')
        error = failure(plugin.exec())
        assert isinstance(error, CredentialError)
        assert str(error) == (
            f"getting credentials: exec: executable {plugin.path} failed with exit code 3; "
            "it said: token expired, run: login"
        )
        assert (error.command, error.exit_code, error.stderr) == (str(plugin.path), 3, "token expired, run: login")
        assert capfd.readouterr().err == "token expired, run: login\n"  # as if it were ours
        assert pickle.loads(pickle.dumps(error)).exit_code == 3

    @pytest.mark.behaviour("1.9.6")
    def test_a_signal(self, plugins):
        error = failure(plugins.make().script("kill -KILL $$").exec())
        assert "was ended by signal 9" in str(error)
        assert error.exit_code == -9

    @pytest.mark.behaviour("1.9.6")
    def test_much_that_it_says_is_cut(self, plugins):
        error = failure(plugins.make().script("yes noise | head -c 300000 >&2; echo the end >&2; exit 1").exec())
        assert len(error.stderr) <= 2048
        assert len(str(error)) < 1000
        assert str(error).endswith("the end")

    @pytest.mark.behaviour("1.9.6")
    @pytest.mark.parametrize("readable", ["gone", "mode"])
    def test_a_missing_program_comes_with_help(self, plugins, readable, tmp_path):
        path = tmp_path / "no-such-plugin"
        if readable == "mode":
            path.write_text("#!/bin/sh\n")
        plugin = ExecConfig(command=str(path), api_version=V1, interactive_mode="Never", install_hint="brew install it")
        error = failure(plugin)
        assert f"exec: executable {path} not found" in str(error)
        assert "client-go credential plugin that is not installed" in str(error)
        assert str(error).endswith("\n\nbrew install it")
        assert error.exit_code is None

    @pytest.mark.behaviour("1.9.6")
    def test_the_help_does_not_flood(self):
        plugin = ExecConfig(command="no-such-plugin", api_version=V1, interactive_mode="Never", install_hint="brew it")
        source = ExecAuthenticator(plugin)
        texts = []
        for _ in range(12):
            with pytest.raises(ExecPluginError) as caught:
                source.obtain(CallScope())
            texts.append(str(caught.value))
        assert ["brew it" in each for each in texts] == [True] * 10 + [False] * 2
        assert texts[-1] == "getting credentials: exec: executable no-such-plugin not found"

    @pytest.mark.behaviour("1.9.6")
    def test_a_program_that_the_system_cannot_run(self, plugins):
        plugin = plugins.make().script("exit 0")
        plugin.path.write_text("#!/no/such/interpreter\n")
        error = failure(plugin.exec())
        assert f"exec: No such file or directory (exec plugin {plugin.path})" in str(error)
        error = failure(plugins.make(credential(token="t")).exec(env=(("A=B", "hunter2-value"),)))
        assert "exec: illegal environment variable name" in str(error)
        assert "hunter2" not in shown_in(error)

    def test_no_secret_of_its_stanza_is_in_what_it_said(self, plugins):
        jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJodW50ZXIyIn0.hunter2"
        said = [
            "env hunter2-env",
            "args hunter2-arg hunter2-option hunter2-after",
            f"sent {jwt}",
            "password=hunter2-inline Bearer hunter2-bearer",
            "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
            "region eu-west-1 is down",
        ]
        script = "cat >&2 <<'END'\n" + "\n".join(said) + "\nEND\nexit 1"
        error = failure(
            plugins.make()
            .script(script)
            .exec(
                env=(("SECRET", "hunter2-env"),),
                args=(
                    "--client-secret=hunter2-option",
                    "--password",
                    "hunter2-after",
                    "--token",
                    "hunter2-arg",
                    "--region=eu-west-1",
                ),
            )
        )
        assert "hunter2" not in shown_in(error)
        assert "region eu-west-1 is down" in error.stderr

    def test_a_secret_whose_beginning_is_cut_off_does_not_show_either(self, plugins):
        key = "hunter2hunter2\n" * 1500 + "-----END PRIVATE KEY-----\nno such profile\n"
        for said in (f"-----BEGIN PRIVATE KEY-----\n{key}", f"SECRET={'hunter2' * 400} \nno such profile"):
            plugin = plugins.make(said).script('cat "$(dirname "$0")/output" >&2; exit 1')
            error = failure(plugin.exec(env=(("SECRET", "hunter2" * 400),)))
            assert "hunter2" not in error.stderr + str(error)
            assert error.stderr.endswith("no such profile")

    def test_what_could_drive_a_terminal_is_made_harmless(self, plugins):
        error = failure(plugins.make().script(r"printf '\033[2Jgone\007' >&2; exit 1").exec())
        assert error.stderr == "�[2Jgone�"

    @pytest.mark.behaviour("1.9.13")
    def test_a_program_in_the_current_folder_is_not_run_by_its_name(self, plugins, monkeypatch):
        plugin = plugins.make(credential(token="t"), name="planted")
        monkeypatch.chdir(plugin.folder)
        stanza = replace(plugin.exec(), command="planted")
        for path in (".", "", f"{os.pathsep}/usr/bin"):
            error = failure(stanza, environ={"PATH": path})
            assert "planted" in str(error)
            assert plugin.runs == 0
        assert "current folder only" in str(failure(stanza, environ={"PATH": "."}))

    @pytest.mark.behaviour("1.9.6")
    def test_a_bare_name_is_looked_for_on_the_path(self, plugins):
        plugin = plugins.make(credential(token="t"), name="aws-like")
        environ = {"PATH": f"/nope{os.pathsep}{plugin.folder}{os.pathsep}/bin{os.pathsep}/usr/bin"}
        assert ask(replace(plugin.exec(), command="aws-like"), environ=environ).token == "t"


# ------------------------------------------------------------------ which may run


class TestPolicy:
    @pytest.mark.behaviour("1.9.11")
    @pytest.mark.parametrize(
        ("type_", "allowlist", "problem"),
        [
            ("Some", None, 'unknown plugin policy: "Some"'),
            ("DenyAll", ["a"], 'plugin policy is "DenyAll" but allowlist is non-nil'),
            ("", [], 'plugin policy is "" but allowlist is non-nil'),
            ("AllowAll", ["a"], 'plugin policy is "AllowAll" but allowlist is non-nil'),
            ("Allowlist", None, 'set to "Allowlist", but allowlist is unspecified'),
            ("Allowlist", [], 'set to "Allowlist", but allowlist is empty; use "DenyAll" policy instead'),
            ("Allowlist", ["a", ""], "empty allowlist entry #2"),
            ("Allowlist", ["/a/../b"], 'non-normalized file path: "/a/../b" vs "/b"'),
            ("Allowlist", "aws", "must be a list of str"),
        ],
    )
    def test_a_policy_that_contradicts_itself(self, type_, allowlist, problem):
        with pytest.raises(ConfigError) as caught:
            PluginPolicy(type_, allowlist)
        assert problem in str(caught.value)

    @pytest.mark.behaviour("1.9.11")
    def test_all_or_none(self, plugins):
        plugin = plugins.make(credential(token="t"))
        for policy in (PluginPolicy(), PluginPolicy("AllowAll")):
            assert ask(plugin.exec(plugin_policy=policy)).token == "t"
        ran = plugin.runs
        error = failure(plugin.exec(plugin_policy=PluginPolicy("DenyAll")))
        assert f'plugin "{plugin.path}" not allowed: policy set to "DenyAll"' in str(error)
        assert plugin.runs == ran

    @pytest.mark.behaviour("1.9.11")
    def test_an_allow_list_matches_names_and_resolved_paths(self, plugins):
        plugin, other = (
            plugins.make(credential(token="t"), name="login"),
            plugins.make(credential(token="x"), name="login"),
        )
        environ = {"PATH": f"{plugin.folder}{os.pathsep}/bin{os.pathsep}/usr/bin"}
        by_name = replace(plugin.exec(), command="login")
        for stanza, entry in [
            (by_name, "login"),
            (by_name, str(plugin.path)),
            (plugin.exec(), str(plugin.path)),
            (plugin.exec(), "login"),
        ]:
            allowed = replace(stanza, plugin_policy=PluginPolicy("Allowlist", ["/bin/other", entry]))
            assert ask(allowed, environ=environ).token == "t"
        for stanza, entry in [(by_name, "log"), (by_name, str(other.path)), (other.exec(), "login")]:
            refused = replace(stanza, plugin_policy=PluginPolicy("Allowlist", [entry]))
            error = failure(refused, environ=environ)
            assert "is not permitted by the credential plugin allowlist" in str(error)
        assert other.runs == 0

    @pytest.mark.behaviour("1.9.11")
    def test_the_caller_says_it_for_a_kubeconfig(self, plugins):
        from dynkube.config import Overrides

        plugin = plugins.make(credential(token="t"))
        kubeconfig = {
            "clusters": [{"name": "c", "cluster": {"server": HOST}}],
            "users": [{"name": "u", "user": {"exec": plugin.stanza()}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        overrides = Overrides(plugin_policy=PluginPolicy("DenyAll"))
        config = rest_config_from_kubeconfig(json.dumps(kubeconfig), overrides=overrides)
        with pytest.raises(ExecPluginError, match="not allowed"):
            source_for(config).obtain(CallScope())
        assert source_for(rest_config_from_kubeconfig(json.dumps(kubeconfig))).obtain(CallScope()).token == "t"


# ------------------------------------------------------------------ an end to those that hang

HANGS = 'echo $$ > "$(dirname "$0")/pid"; sleep 1000 & echo $! > "$(dirname "$0")/child"; wait'


def pids_of(plugin) -> list[int]:
    wait_for(lambda: plugin.note("child").strip())
    return [int(plugin.note("pid")), int(plugin.note("child"))]


class TestHanging:
    @pytest.mark.behaviour("1.9.7")
    def test_its_own_timeout(self, plugins):
        plugin = plugins.make().script(HANGS)
        began = time.monotonic()
        error = failure(plugin.exec(timeout=0.5))
        assert time.monotonic() - began < 10
        assert f"executable {plugin.path} took longer than 0.5 s, and was ended" in str(error)
        for pid in pids_of(plugin):
            wait_gone(pid)

    def test_the_calls_deadline(self, plugins):
        plugin = plugins.make().script(HANGS)
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            ask(plugin.exec(), scope=CallScope(0.5))
        assert time.monotonic() - began < 10
        for pid in pids_of(plugin):
            wait_gone(pid)

    def test_a_call_of_a_client_ends_in_its_deadline(self, plugins, server, client_of):
        plugin = plugins.make().script(HANGS)
        client = client_of(server, exec=plugin.exec())
        with pytest.raises(DeadlineExceededError, match=r"longer than its timeout of 0\.5 s"):
            client.get().abs_path("/version").timeout(0.5).do()
        assert server.requests == []
        for pid in pids_of(plugin):
            wait_gone(pid)

    def test_cancelling_from_another_thread(self, plugins, server, client_of, in_thread):
        plugin = plugins.make().script(HANGS)
        client, token = client_of(server, exec=plugin.exec()), CancelToken()
        result = in_thread(lambda: client.get().abs_path("/version").do(cancel=token))
        pids = pids_of(plugin)
        token.cancel()
        with pytest.raises(CancelledError, match="cancel= token"):
            result()
        for pid in pids:
            wait_gone(pid)

    def test_closing_the_client(self, plugins, server, client_of, in_thread):
        from dynkube import ClosedError

        plugin = plugins.make().script(HANGS)
        client = client_of(server, exec=plugin.exec())
        result = in_thread(lambda: client.get().abs_path("/version").do())
        pids = pids_of(plugin)
        client.close()
        with pytest.raises(ClosedError):
            result()
        for pid in pids:
            wait_gone(pid)

    def test_one_that_ignores_sigterm(self, plugins):
        plugin = plugins.make().script(f"trap '' TERM; {HANGS}; wait; wait")
        error = failure(plugin.exec(timeout=0.5))
        assert "took longer" in str(error)
        for pid in pids_of(plugin):
            wait_gone(pid)

    @pytest.mark.parametrize("mode", ["Never", "Always"])
    def test_ctrl_c(self, plugins, mode):
        """SIGINT to the process alone, as a signal handler of a daemon would send it; the plugin ends as well."""
        plugin = plugins.make().script(HANGS)
        code = textwrap.dedent(f"""
            from dynkube.config import ExecConfig
            from dynkube.credentials import ExecAuthenticator
            from dynkube.transport import CallScope
            plugin = ExecConfig(command={str(plugin.path)!r}, api_version={V1!r}, interactive_mode={mode!r})
            try:
                ExecAuthenticator(plugin, is_terminal=lambda: True).obtain(CallScope())
            except KeyboardInterrupt:
                print("interrupted")
        """)
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        pids = pids_of(plugin)
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=10)[0] == b"interrupted\n"
        for pid in pids:
            wait_gone(pid)

    @pytest.mark.parametrize("mode", ["Never", "Always"])
    def test_ctrl_c_on_a_terminal(self, plugins, mode):
        """The key itself: the terminal tells an interactive plugin, dynkube tells one that is not.

        What an interactive one left in its background may outlive it: a shell lets that ignore the key, and the
        plugin may be gone before anybody can look whose children are whose.
        """
        plugin = plugins.make().script(HANGS)
        code = textwrap.dedent(f"""
            from dynkube.config import ExecConfig
            from dynkube.credentials import ExecAuthenticator
            from dynkube.transport import CallScope
            plugin = ExecConfig(command={str(plugin.path)!r}, api_version={V1!r}, interactive_mode={mode!r})
            try:
                ExecAuthenticator(plugin).obtain(CallScope())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """)
        # A session with that terminal as its own, as a shell's window has it.
        login = "import os, fcntl, termios, sys; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", login, sys.executable, "-c", code]
        child = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.close(theirs)
        try:
            pids = pids_of(plugin)
            os.write(ours, b"\x03")
            assert child.communicate(timeout=10)[0] == b"interrupted\n"
            for pid in pids if mode == "Never" else pids[:1]:
                wait_gone(pid)
        finally:
            child.kill()
            child.wait()
            if plugin.note("child").strip():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(plugin.note("child")), signal.SIGKILL)
            os.close(ours)

    def test_a_process_that_exits_meanwhile_takes_it_along(self, plugins):
        plugin = plugins.make().script(HANGS)
        code = textwrap.dedent(f"""
            import threading, time, os
            from dynkube.config import ExecConfig
            from dynkube.credentials import ExecAuthenticator
            from dynkube.transport import CallScope
            plugin = ExecConfig(command={str(plugin.path)!r}, api_version={V1!r}, interactive_mode="Never")
            thread = threading.Thread(target=ExecAuthenticator(plugin).obtain, args=(CallScope(),), daemon=True)
            thread.start()
            while not os.path.exists({str(plugin.folder / "child")!r}):
                time.sleep(0.01)
        """)
        subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
        for pid in pids_of(plugin):
            wait_gone(pid)

    def test_a_helper_that_keeps_the_pipe_does_not_keep_the_caller(self, plugins):
        """A plugin may leave an agent behind that caches its login."""
        plugin = plugins.make(credential(token="t")).script(
            'cat "$(dirname "$0")/output"; sleep 30 & echo $! > "$(dirname "$0")/child"'
        )
        began = time.monotonic()
        assert ask(plugin.exec()).token == "t"
        assert time.monotonic() - began < 10
        agent = int(plugin.note("child"))
        assert is_running(agent)
        os.kill(agent, signal.SIGKILL)

    def test_nothing_is_left_behind(self, plugins):
        """No descriptor, thread or zombie, however it ended."""
        good, bad, slow = plugins.make(credential(token="t")), plugins.make("x"), plugins.make().script(HANGS)
        failure(slow.exec(timeout=0.2))  # the watchdog's thread is there from now on
        with pytest.raises(DeadlineExceededError):
            ask(slow.exec(), scope=CallScope(0.2))
        descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for _ in range(3):
            ask(good.exec())
            failure(bad.exec())
            failure(slow.exec(timeout=0.2))
            with pytest.raises(DeadlineExceededError):
                ask(slow.exec(), scope=CallScope(0.2))
        assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (descriptors, threads)
        children = " ".join(each.read_text() for each in Path("/proc/self/task").glob("*/children")).split()
        states = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in children]
        assert "Z" not in states


# ------------------------------------------------------------------ what is told of it


class TestWhatIsSeen:
    def test_nothing_shows_the_credential(self, plugins, caplog, client_of, server):
        pair = certs.client("hunter2")
        plugin = plugins.make(credential(token="hunter2-token", cert=pair.certificate, key=pair.key))
        server.on(lambda request: json_response({"kind": "Status", "status": "Failure", "code": 500}, 500))
        with caplog.at_level(logging.DEBUG):
            client = client_of(server, exec=plugin.exec(env=(("KEY", "hunter2-env"),), args=("hunter2-arg",)))
            with pytest.raises(Exception, match="HTTP 500") as caught:
                client.get().abs_path("/version").do()
        source = source_for(client.config)
        shown = [repr(each) for each in (client, client.transport, source, source.current(), client.config)]
        assert "hunter2" not in caplog.text + "".join(shown) + "".join(
            str(each) for each in (caught.value, caught.value.__dict__)
        )

    def test_observers_are_told_of_each_run(self, plugins, server, client_of):
        class Told(Observer):
            def __init__(self):
                self.calls = []

            def on_exec(self, call):
                self.calls.append(call)

        told = Told()
        server.on(lambda request: json_response({}))
        good, bad = plugins.make(credential(token="t")), plugins.make().script("exit 3")
        for plugin in (good, bad):
            client = client_of(server, exec=plugin.exec(), observers=[told])
            for _ in range(2):
                try:
                    client.get().abs_path("/version").do()
                except ExecPluginError:
                    pass
        assert [(call.command, call.exit_code, call.error) for call in told.calls] == [
            ("plugin", 0, ""),
            ("plugin", 3, "ExecPluginError"),
            ("plugin", 3, "ExecPluginError"),
        ]
        assert all(0 < call.seconds < 5 for call in told.calls)
