"""Plugins and identity providers against API servers: who the server says that we are."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import certs
import pytest
import yaml
from issuer import CLIENT_ID, Issuer
from plugins import V1, V1BETA1, Plugin, Plugins, credential

import dynkube
from dynkube import DynamicClient, ExecPluginError, GroupVersionResource, UnauthorizedError
from dynkube.credentials import source_for
from dynkube.testing import AccessRule, ControlPlane
from dynkube.transport import CallScope

REVIEWS = GroupVersionResource("authentication.k8s.io", "v1", "selfsubjectreviews")
CONFIGMAPS = GroupVersionResource("", "v1", "configmaps")


def user_of(kubeconfig: Path) -> dict[str, str]:
    return yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]


def with_user(server, folder: Path, user: dict) -> Path:
    """A kubeconfig of this server with another user stanza."""
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["users"][0]["user"] = user
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def plugins(tmp_path):
    return Plugins(tmp_path)


@pytest.fixture
def client_of(server, tmp_path):
    """A client whose user has this plugin."""
    made: list[DynamicClient] = []

    def client_of(plugin: Plugin, **stanza) -> DynamicClient:
        kubeconfig = with_user(server, tmp_path, {"exec": plugin.stanza(**stanza)})
        made.append(dynkube.connect(kubeconfig=kubeconfig))
        return made[-1]

    yield client_of
    for client in made:
        client.close()


def whoami(client: DynamicClient) -> dict:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    return client.resource(REVIEWS).create(review)["status"]["userInfo"]


def token_of(server) -> str:
    return user_of(server.token_user())["token"]


def certificate_of(server, name: str, *groups: str) -> dict[str, bytes]:
    user = user_of(server.user(name, groups))
    return {
        "cert": base64.b64decode(user["client-certificate-data"]),
        "key": base64.b64decode(user["client-key-data"]),
    }


# ------------------------------------------------------------------ exec plugins


@pytest.mark.behaviour("1.9.2", "1.9.7")
def test_a_token_of_a_plugin(server, plugins, client_of):
    plugin = plugins.make(credential(token=token_of(server), expires=3600))
    client = client_of(plugin)
    for _ in range(3):
        assert whoami(client)["username"] == "token-user"
    assert plugin.runs == 1


@pytest.mark.behaviour("1.9.9")
def test_a_client_certificate_of_a_plugin(server, plugins, client_of):
    client = client_of(plugins.make(credential(**certificate_of(server, "jane", "dev"))))
    user = whoami(client)
    assert (user["username"], "dev" in user["groups"]) == ("jane", True)


@pytest.mark.behaviour("1.9.9")
def test_token_and_certificate_together(server, plugins, client_of):
    """The server takes the certificate's word first."""
    both = credential(token=token_of(server), **certificate_of(server, "jane"))
    assert whoami(client_of(plugins.make(both)))["username"] == "jane"


@pytest.mark.behaviour("1.9.3")
def test_a_plugin_that_uses_the_cluster_that_it_is_told_of(server, plugins, client_of):
    """As aws and gcloud do: it gets everything from KUBERNETES_EXEC_INFO."""
    plugin = plugins.make(credential(token=token_of(server))).script(
        'printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; cat "$(dirname "$0")/output"'
    )
    assert whoami(client_of(plugin, provideClusterInfo=True))["username"] == "token-user"
    cluster = json.loads(plugin.note("info"))["spec"]["cluster"]
    assert cluster["server"] == server.url
    assert base64.b64decode(cluster["certificate-authority-data"]) == server.ca_data


@pytest.mark.behaviour("1.9.8")
def test_a_revoked_token_is_renewed_and_the_create_sent_again(server, plugins, client_of, client, namespace):
    server.allow(AccessRule(user="token-user", verbs=("create", "get"), resources=("configmaps",), namespace=namespace))
    plugin = plugins.make(credential(token="no token of this server"))
    mine = client_of(plugin)
    with pytest.raises(UnauthorizedError, match="gave the same"):
        whoami(mine)
    plugin.gives(credential(token=token_of(server)))
    mine.resource(CONFIGMAPS).namespace(namespace).create({"metadata": {"name": "once"}, "data": {"a": "1"}})
    assert client.resource(CONFIGMAPS).namespace(namespace).get("once")["data"] == {"a": "1"}
    assert plugin.runs == 3


@pytest.mark.behaviour("1.9.8")
def test_a_403_does_not_run_the_plugin_again(raw, namespace, plugins, client_of):
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    raw.request("POST", accounts, {"metadata": {"name": "powerless"}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = raw.request("POST", f"{accounts}/powerless/token", request).json()["status"]["token"]
    plugin = plugins.make(credential(token=token))
    client = client_of(plugin)
    with pytest.raises(dynkube.ForbiddenError):
        client.resource(CONFIGMAPS).namespace("kube-system").list()
    assert plugin.runs == 1


@pytest.mark.behaviour("1.9.9")
def test_a_watch_goes_on_with_a_new_certificate(server, plugins, client_of, client, namespace):
    """The old certificate's connections are closed, the watch opens one with the new, and nothing is missed."""
    rule = {"verbs": ("get", "list", "watch"), "resources": ("configmaps",), "namespace": namespace}
    for user in ("first", "second"):
        server.allow(AccessRule(user=user, **rule))
    admin = client.resource(CONFIGMAPS).namespace(namespace)
    before = len(admin.list())
    plugin = plugins.make(credential(token="a", **certificate_of(server, "first")))
    mine = client_of(plugin)
    with mine.resource(CONFIGMAPS).namespace(namespace).watch(timeout=60) as events:
        stream = iter(events)
        admin.create({"metadata": {"name": "one"}})
        seen = [next(stream).object["metadata"]["name"] for _ in range(before + 1)]
        plugin.gives(credential(token="b", **certificate_of(server, "second")))
        source = source_for(mine.config)
        source.renew(source.current(), CallScope(20))  # as after a 401 of any other request
        admin.create({"metadata": {"name": "two"}})
        assert "one" in seen
        assert next(stream).object["metadata"]["name"] == "two"
    assert whoami(mine)["username"] == "second"
    assert plugin.runs == 2


@pytest.mark.behaviour("1.9.6", "1.9.10")
def test_a_failing_plugin_is_no_anonymous_request_and_a_header_goes_without_it(server, plugins, client_of):
    client = client_of(plugins.make().script('echo "log in first" >&2; exit 3'))
    with pytest.raises(ExecPluginError, match="exit code 3; it said: log in first"):
        client.rest.get().abs_path("/version").do()  # which an anonymous user may read
    header = f"Bearer {token_of(server)}"
    answer = client.rest.get().abs_path("/api").header("Authorization", header).do()
    assert answer.object()["kind"] == "APIVersions"


@pytest.mark.behaviour("1.9.7")
def test_many_threads_and_clients_of_one_plugin(server, plugins, client_of):
    plugin = plugins.make(credential(token=token_of(server)))
    plugin.script(f"sleep 0.2; {plugin.prints}")
    clients = [client_of(plugin) for _ in range(3)]
    names: list[str] = []
    threads = [
        threading.Thread(target=lambda number=number: names.append(whoami(clients[number % 3])["username"]))
        for number in range(9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert names == ["token-user"] * 9
    assert plugin.runs == 1


@pytest.mark.controlplane
@pytest.mark.behaviour("1.9.2", "1.9.3")
@pytest.mark.parametrize("version", [V1, V1BETA1])
@pytest.mark.parametrize(
    "cluster",
    [
        None,
        {},
        {"tls-server-name": "kubernetes", "disable-compression": True},
        {"insecure-skip-tls-verify": True, "certificate-authority-data": None},
        {"extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": ["a"], "n": 1}}]},
    ],
)
def test_the_plugin_is_told_what_kubectl_tells_it(control_plane, plugins, tmp_path, version, cluster):
    plugin = plugins.make(credential(version, token=token_of(control_plane))).script(
        'printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; cat "$(dirname "$0")/output"'
    )
    stanza = plugin.stanza(version, provideClusterInfo=cluster is not None, interactiveMode="IfAvailable")
    path = with_user(control_plane, tmp_path, {"exec": stanza})
    config = yaml.safe_load(path.read_text())
    told = config["clusters"][0]["cluster"]
    for name, value in (cluster or {}).items():
        told.pop(name, None)
        if value is not None:
            told[name] = value
    path.write_text(json.dumps(config))

    run_kubectl(path, "get", "--raw", "/version")
    kubectls = json.loads(plugin.note("info"))
    with dynkube.connect(kubeconfig=path) as client:
        client.discovery.server_version()
    assert json.loads(plugin.note("info")) == kubectls
    assert plugin.runs == 2


def run_kubectl(kubeconfig: Path, *args: str) -> str:
    kubectl = Path(os.environ["KUBEBUILDER_ASSETS"]) / "kubectl"
    command = [str(kubectl), "--kubeconfig", str(kubeconfig), *args]
    found = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return found.stdout


# ------------------------------------------------------------------ OIDC


@pytest.fixture(scope="module")
def issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def oidc_server(issuer, tmp_path_factory):
    """A kube-apiserver that trusts the issuer."""
    ca = tmp_path_factory.mktemp("issuer") / "ca.pem"
    ca.write_bytes(certs.good().ca_data)
    flags = {
        "issuer-url": issuer.url,
        "client-id": CLIENT_ID,
        "ca-file": ca,
        "username-claim": "sub",
        "username-prefix": "oidc:",
        "groups-claim": "groups",
        "groups-prefix": "oidc:",
        "signing-algs": "ES256",
    }
    with ControlPlane(api_server_args=tuple(f"--oidc-{name}={value}" for name, value in flags.items())) as plane:
        yield plane


def until_known(client: DynamicClient, issuer: Issuer) -> dict:
    """Who we are; the server gets the issuer's keys a moment after its start."""
    end = time.monotonic() + 30
    while True:
        try:
            return whoami(client)
        except UnauthorizedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@pytest.mark.controlplane
@pytest.mark.behaviour("1.10.2")
def test_an_id_token_is_taken_renewed_and_written_back(oidc_server, issuer, tmp_path):
    settings = issuer.login("jane", "dev", life=600)
    path = with_user(oidc_server, tmp_path, {"auth-provider": {"name": "oidc", "config": settings}})
    with dynkube.connect(kubeconfig=path) as client:
        user = until_known(client, issuer)
    assert user["username"] == "oidc:jane"
    assert "oidc:dev" in user["groups"]

    expired = issuer.login("joan", life=-60)
    path = with_user(oidc_server, tmp_path, {"auth-provider": {"name": "oidc", "config": expired}})
    with dynkube.connect(kubeconfig=path) as client:
        assert whoami(client)["username"] == "oidc:joan"
    now = user_of(path)["auth-provider"]["config"]
    assert now["id-token"] != expired["id-token"]
    assert now["refresh-token"] != expired["refresh-token"]


@pytest.mark.controlplane
@pytest.mark.behaviour("1.10.2")
def test_kubectl_and_dynkube_take_turns_with_one_kubeconfig(oidc_server, issuer, tmp_path):
    """Each renews with the refresh token that the other one has written."""
    path = with_user(
        oidc_server, tmp_path, {"auth-provider": {"name": "oidc", "config": issuer.login("jane", life=-60)}}
    )
    with dynkube.connect(kubeconfig=path) as client:
        until_known(client, issuer)
        mine = user_of(path)["auth-provider"]["config"]
        expire(path, issuer)
        found = json.loads(run_kubectl(path, "auth", "whoami", "-o", "json"))
        assert found["status"]["userInfo"]["username"] == "oidc:jane"
        theirs = user_of(path)["auth-provider"]["config"]
        assert theirs["refresh-token"] != mine["refresh-token"]
        expire(path, issuer)
    with dynkube.connect(kubeconfig=path) as client:
        assert whoami(client)["username"] == "oidc:jane"
    last = user_of(path)["auth-provider"]["config"]
    assert last["refresh-token"] not in (mine["refresh-token"], theirs["refresh-token"])


def expire(path: Path, issuer: Issuer) -> None:
    """Put an expired id-token into the kubeconfig, beside the refresh token that is there."""
    config = yaml.safe_load(path.read_text())
    config["users"][0]["user"]["auth-provider"]["config"]["id-token"] = issuer.id_token("jane", life=-60)
    path.write_text(json.dumps(config))
