"""The oidc auth-provider, against a real issuer; and the auth-providers that are gone."""

from __future__ import annotations

import base64
import json
import threading
import time

import certs
import pytest
import yaml
from issuer import Issuer
from scripted import json_response
from tracebacks import shown_in

from dynkube import ConfigError, CredentialError, DeadlineExceededError, UnauthorizedError
from dynkube.config import AuthProviderConfig, RESTConfig, TLSConfig, load_config
from dynkube.credentials import OIDCProvider, source_for
from dynkube.rest import RESTClient
from dynkube.transport import CallScope

HOST = "https://kube.example"


@pytest.fixture
def issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def kubeconfig(tmp_path, server):
    """Writes a kubeconfig whose user has these settings; called again, it changes them."""
    path = tmp_path / "config"

    def write(settings, user="jane"):
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "c",
                    "cluster": {
                        "server": server.url,
                        "certificate-authority-data": base64.b64encode(server.ca_data).decode(),
                    },
                }
            ],
            "users": [
                {"name": user, "user": {"auth-provider": {"name": "oidc", "config": settings}}},
                {"name": "other", "user": {"token": "untouched"}},
            ],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": user}}],
            "current-context": "x",
        }
        path.write_text(json.dumps(content))
        return path

    return write


def written(path, user="jane") -> dict[str, str]:
    users = {each["name"]: each["user"] for each in yaml.safe_load(path.read_text())["users"]}
    assert users["other"] == {"token": "untouched"}
    return users[user]["auth-provider"]["config"]


@pytest.fixture
def connect():
    made = []

    def connect(path):
        client = RESTClient(load_config(kubeconfig=path, environ={}))
        made.append(client)
        return client

    yield connect
    for client in made:
        client.close()


def version(client):
    return client.get().abs_path("/version").do()


def sent(server) -> list[str]:
    return [request.header("Authorization")[0].removeprefix("Bearer ") for request in server.requests]


def failure(settings, **options) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        OIDCProvider(settings, **options).obtain(CallScope(20))
    return caught.value


# ------------------------------------------------------------------ the id-token


class TestTheIdToken:
    @pytest.mark.behaviour("1.10.2")
    def test_it_is_used_while_it_is_good(self, issuer, server, kubeconfig, connect):
        settings = issuer.login("jane")
        server.on(lambda request: json_response({}))
        client = connect(kubeconfig(settings))
        version(client)
        version(client)
        assert sent(server) == [settings["id-token"]] * 2
        assert issuer.asked == []

    @pytest.mark.behaviour("1.10.2")
    def test_until_ten_seconds_before_its_end(self, issuer):
        settings = issuer.login("jane", life=100)
        end = int(time.time()) + 100
        clock = type("Clock", (), {"now": end - 12.0})()
        provider = OIDCProvider(settings, clock=lambda: clock.now)
        assert provider.obtain(CallScope()).token == settings["id-token"]
        clock.now = end - 9.0
        assert provider.current() is None
        assert provider.obtain(CallScope(20)).token != settings["id-token"]
        assert issuer.refreshes == 1

    @pytest.mark.behaviour("1.10.2")
    @pytest.mark.behaviour("2.2.7")
    def test_an_expired_one_is_renewed_and_written_back(self, issuer, server, kubeconfig, connect):
        settings = issuer.login("jane", life=5)
        path = kubeconfig(settings)
        path.chmod(0o640)
        server.on(lambda request: json_response({}))
        version(connect(path))
        now = written(path)
        assert sent(server) == [now["id-token"]]
        assert now["id-token"] != settings["id-token"]
        assert now["refresh-token"] != settings["refresh-token"]
        assert {name for name in now if now[name] != settings[name]} == {"id-token", "refresh-token"}
        assert path.stat().st_mode & 0o777 == 0o640
        assert [each.name for each in path.parent.iterdir()] == ["config"]  # no lock, no half of it
        version(connect(path))  # loaded again, the new tokens are known
        assert issuer.refreshes == 1

    @pytest.mark.behaviour("1.10.2")
    @pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"]])
    def test_how_the_client_says_who_it_is(self, issuer, methods):
        issuer.metadata |= {"token_endpoint_auth_methods_supported": methods} if methods else {}
        settings = issuer.login("jane", life=-60)
        OIDCProvider(settings).obtain(CallScope(20))
        (asked,) = [each for each in issuer.asked if each.method == "POST"]
        in_form = methods == ["client_secret_post"]
        assert bool(asked.authorization) is not in_form
        assert ("client_secret" in asked.form) is in_form
        assert asked.form["refresh_token"] == settings["refresh-token"]

    @pytest.mark.behaviour("1.10.2")
    def test_many_threads_and_clients_refresh_once(self, issuer, server, kubeconfig, connect, in_thread):
        path = kubeconfig(issuer.login("jane", life=-60))
        server.on(lambda request: json_response({}))
        clients = [connect(path) for _ in range(3)]
        for result in [in_thread(version, clients[number % 3]) for number in range(12)]:
            result()
        assert issuer.refreshes == 1
        assert len(set(sent(server))) == 1

    @pytest.mark.behaviour("1.10.2")
    def test_what_kubectl_has_written_meanwhile_is_taken(self, issuer, server, kubeconfig, connect):
        path = kubeconfig(issuer.login("jane", life=-60))
        client = connect(path)
        newer = issuer.login("jane")
        kubeconfig(newer)
        server.on(lambda request: json_response({}))
        version(client)
        assert sent(server) == [newer["id-token"]]
        assert issuer.refreshes == 0

    @pytest.mark.behaviour("1.10.2")
    def test_a_refresh_token_that_somebody_else_has_used_first(self, issuer, kubeconfig, server, connect):
        """Somebody else's refresh and ours cross: the issuer refuses ours, and the file has theirs."""
        settings = issuer.login("jane", life=-60)
        path = kubeconfig(settings)
        theirs = issuer.login("jane")

        def crossing(asked):
            if asked.method == "POST" and asked.form["refresh_token"] == settings["refresh-token"]:
                kubeconfig(theirs)
                return 400, {"error": "invalid_grant"}
            return None

        issuer.answer = crossing
        server.on(lambda request: json_response({}))
        version(connect(path))
        assert sent(server) == [theirs["id-token"]]

    @pytest.mark.behaviour("1.10.2")
    def test_another_login_counts_for_a_config_that_is_loaded_after_it(self, issuer, server, kubeconfig, connect):
        first = issuer.login("jane")
        path = kubeconfig(first)
        server.on(lambda request: json_response({}))
        version(connect(path))
        second = issuer.login("jane")
        version(connect(kubeconfig(second)))
        assert sent(server) == [first["id-token"], second["id-token"]]

    @pytest.mark.behaviour("1.10.2")
    def test_a_kubeconfig_that_cannot_be_written_is_no_reason_to_fail(
        self, issuer, server, kubeconfig, connect, caplog, monkeypatch
    ):
        monkeypatch.setattr("dynkube.credentials.oidc.LOCKED_FOR", 0.3)
        path = kubeconfig(issuer.login("jane", life=-60))
        lock = path.with_name("config.lock")
        lock.touch()
        server.on(lambda request: json_response({}))
        version(connect(path))
        assert "could not persist new tokens (user 'jane' in " in caplog.text
        assert "hunter2" not in caplog.text
        lock.unlink()

    @pytest.mark.behaviour("1.10.2")
    def test_a_lock_that_is_held_for_a_moment_is_waited_for(self, issuer, server, kubeconfig, connect):
        path = kubeconfig(issuer.login("jane", life=-60))
        lock = path.with_name("config.lock")
        lock.touch()
        threading.Timer(0.3, lock.unlink).start()
        server.on(lambda request: json_response({}))
        version(connect(path))
        assert written(path)["id-token"] == sent(server)[0]

    @pytest.mark.behaviour("2.2.7")
    def test_a_401_renews_it_and_sends_again(self, issuer, server, kubeconfig, connect):
        settings = issuer.login("jane")
        unauthorized = json_response({"kind": "Status", "reason": "Unauthorized", "code": 401}, 401)
        server.on(
            lambda request: (
                unauthorized
                if request.header("Authorization") == [f"Bearer {settings['id-token']}"]
                else json_response({})
            )
        )
        path = kubeconfig(settings)
        version(connect(path))
        assert sent(server) == [settings["id-token"], written(path)["id-token"]]

    def test_a_401_that_cannot_be_helped_says_why(self, issuer, server, kubeconfig, connect):
        settings = issuer.login("jane")
        del settings["refresh-token"]
        server.on(lambda request: json_response({"kind": "Status", "reason": "Unauthorized", "code": 401}, 401))
        with pytest.raises(UnauthorizedError, match="cannot refresh without refresh-token; log in again"):
            version(connect(kubeconfig(settings)))

    def test_a_config_without_a_file_is_renewed_in_memory(self, issuer):
        provider = AuthProviderConfig(name="oidc", config=issuer.login("jane", life=-60))
        config = RESTConfig(host=HOST, auth_provider=provider)
        first = source_for(config).obtain(CallScope(20))
        assert source_for(config).obtain(CallScope(20)) is first
        assert issuer.refreshes == 1

    def test_a_static_credential_turns_it_off(self):
        provider = AuthProviderConfig(name="oidc", config={})
        assert source_for(RESTConfig(host=HOST, auth_provider=provider, bearer_token="t")) is None
        pair = certs.client("jane")
        certificate = TLSConfig(cert_data=pair.certificate, key_data=pair.key)
        with pytest.raises(ConfigError, match="Must provide idp-issuer-url"):
            source_for(RESTConfig(host=HOST, auth_provider=provider, tls=certificate))


# ------------------------------------------------------------------ what goes wrong


class TestWhatGoesWrong:
    @pytest.mark.behaviour("1.10.2")
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"idp-issuer-url": ""}, "Must provide idp-issuer-url"),
            ({"client-id": ""}, "Must provide client-id"),
            ({"idp-issuer-url": "http://issuer"}, "must be an https:// URL"),
            ({"idp-certificate-authority-data": "%%%"}, "is not valid base64"),
        ],
    )
    def test_settings_that_cannot_work(self, changes, problem):
        settings = {"idp-issuer-url": "https://issuer", "client-id": "c", "id-token": "hunter2", **changes}
        config = RESTConfig(host=HOST, user="jane", auth_provider=AuthProviderConfig(name="oidc", config=settings))
        with pytest.raises(ConfigError, match=r"^user 'jane': oidc: ") as caught:
            source_for(config)
        assert problem in str(caught.value)

    @pytest.mark.behaviour("1.10.2")
    @pytest.mark.parametrize(
        "token",
        ["", "hunter2", "a.b.c", "a.!!!.c", "a.e30.c", "a.eyJleHAiOiJ4In0.c", "a.eyJleHAiOjk5OTk5OTk5OTl9.c\r\nX: y"],
    )
    def test_without_a_good_id_token_and_a_refresh_token(self, issuer, token):
        settings = issuer.login("jane")
        del settings["refresh-token"]
        error = failure(settings | {"id-token": token})
        assert "No valid id-token, and cannot refresh without refresh-token; log in again" in str(error)
        assert issuer.asked == []

    @pytest.mark.behaviour("1.10.2")
    @pytest.mark.parametrize(
        ("path", "answer", "problem"),
        [
            ("/.well-known/openid-configuration", (500, b"hunter2"), "failed to query metadata endpoint"),
            (
                "/.well-known/openid-configuration",
                (200, b"<html>hunter2"),
                "failed to decode provider discovery object",
            ),
            ("/.well-known/openid-configuration", (200, {}), "doesn't contain a token_endpoint"),
            ("/.well-known/openid-configuration", (200, {"token_endpoint": "http://h"}), "is no https:// URL"),
            ("/.well-known/openid-configuration", (200, {"token_endpoint": "https://[h"}), "is no URL"),
            (
                "/.well-known/openid-configuration",
                (200, {"issuer": "https://evil"}),
                "says that it is the issuer 'https",
            ),
            (
                "/token",
                (400, {"error": "invalid_grant", "error_description": "too\x1b old"}),
                "HTTP 400 invalid_grant: too� old; log in",
            ),
            ("/token", (503, b"busy"), "failed to refresh token: HTTP 503"),
            ("/token", (200, b"hunter2"), "failed to refresh token: HTTP 200"),
            ("/token", (200, {"access_token": "hunter2"}), "token response did not contain an id_token"),
            ("/token", (200, {"id_token": "hunter2"}), "ID Token is not a valid JWT"),
        ],
    )
    def test_an_issuer_that_does_not_help(self, issuer, path, answer, problem):
        issuer.answer = lambda asked: answer if asked.path.endswith(path) else None
        settings = issuer.login("jane", life=-60)
        error = failure(settings, user="jane")
        assert problem in str(error)
        assert str(error).startswith("getting credentials: oidc: ")
        assert "hunter2" not in shown_in(error)

    @pytest.mark.behaviour("1.10.2")
    def test_an_issuer_whose_certificate_is_not_trusted_hears_no_token(self, issuer):
        stranger = certs.authority("somebody else").certificate
        settings = issuer.login("jane", life=-60)
        settings["idp-certificate-authority-data"] = base64.b64encode(stranger).decode()
        error = failure(settings)
        assert "the server's certificate is not trusted" in str(error)
        assert issuer.asked == []

    @pytest.mark.behaviour("1.10.2")
    def test_its_ca_may_be_in_a_file(self, issuer, tmp_path):
        settings = issuer.login("jane", life=-60)
        del settings["idp-certificate-authority-data"]
        ca = tmp_path / "ca.pem"
        ca.write_bytes(issuer.ca_data)
        provider = OIDCProvider(settings | {"idp-certificate-authority": str(ca)})
        assert provider.obtain(CallScope(20)).token
        assert "No such file" in str(failure(settings | {"idp-certificate-authority": str(tmp_path / "none")}))

    def test_an_issuer_that_hangs_ends_with_the_call(self, issuer, server, kubeconfig, connect):
        go = threading.Event()
        issuer.answer = lambda asked: go.wait(20) and None
        client = connect(kubeconfig(issuer.login("jane", life=-60)))
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            client.get().abs_path("/version").timeout(0.5).do()
        assert time.monotonic() - began < 10
        go.set()
        assert server.requests == []

    def test_nothing_shows_a_token(self, issuer):
        settings = issuer.login("jane", life=-60)
        provider = OIDCProvider(settings)
        provider.obtain(CallScope(20))
        shown = "".join(repr(value) for value in (provider, provider._tokens, provider._secret, provider._held))
        assert "hunter2" not in shown
        assert settings["id-token"] not in shown


# ------------------------------------------------------------------ other auth-providers


@pytest.mark.behaviour("1.10.1")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("azure", "The azure auth plugin has been removed.\nPlease use the https://github.com/Azure/kubelogin kubectl"),
        ("gcp", 'The gcp auth plugin has been removed.\nPlease use the "gke-gcloud-auth-plugin" kubectl/client-go'),
        ("openstack", 'no Auth Provider found for name "openstack"'),
        ("", 'no Auth Provider found for name ""'),
    ],
)
def test_the_ones_that_are_gone_say_what_to_use(name, text):
    config = RESTConfig(host=HOST, auth_provider=AuthProviderConfig(name=name), user="jane", source="/home/me/config")
    with pytest.raises(ConfigError) as caught:
        RESTClient(config)
    assert str(caught.value).startswith(f"user 'jane' (in /home/me/config): {text}")


@pytest.mark.behaviour("1.9.12")
def test_exec_and_auth_provider_together():
    from dynkube.config import ExecConfig

    with pytest.raises(ConfigError, match="exec and auth_provider cannot be used in combination"):
        RESTConfig(host=HOST, exec=ExecConfig(command="x"), auth_provider=AuthProviderConfig(name="oidc"))
