"""Who we are to the server: certificates, tokens, impersonation, trust."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from raw import RawClient

import dynkube

REVIEWS = dynkube.GroupVersionResource("authentication.k8s.io", "v1", "selfsubjectreviews")


def whoami(client: dynkube.DynamicClient) -> dict[str, Any]:
    answer = client.resource(REVIEWS).create({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    info = answer["status"]["userInfo"]
    return dict(info)


def edited(kubeconfig: Path, folder: Path, *, cluster: dict[str, Any] | None = None, user: Any = None) -> Path:
    """A copy of a kubeconfig with a few fields of its cluster or user replaced (None removes)."""
    document = yaml.safe_load(Path(kubeconfig).read_text())
    for stanza, changes in ((document["clusters"][0]["cluster"], cluster), (document["users"][0]["user"], user)):
        for field, value in (changes or {}).items():
            stanza.pop(field, None)
            if value is not None:
                stanza[field] = value
    path = folder / "edited.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


class TestCertificates:
    @pytest.mark.behaviour("1.2.7")
    def test_from_data(self, server) -> None:  # type: ignore[no-untyped-def]
        with server.connect(server.user("alice", ("developers",))) as client:
            info = whoami(client)
        assert info["username"] == "alice"
        assert "developers" in info["groups"]

    @pytest.mark.behaviour("1.3.3")
    def test_from_files_relative_to_the_kubeconfig(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        kubeconfig = server.user("bob")
        user = yaml.safe_load(Path(kubeconfig).read_text())["users"][0]["user"]
        for name in ("certificate", "key"):
            (tmp_path / f"bob.{name}").write_bytes(base64.b64decode(user[f"client-{name}-data"]))
        changes = {
            "client-certificate-data": None,
            "client-key-data": None,
            "client-certificate": "bob.certificate",
            "client-key": "bob.key",
        }
        with dynkube.connect(kubeconfig=edited(kubeconfig, tmp_path, user=changes)) as client:
            assert whoami(client)["username"] == "bob"

    @pytest.mark.behaviour("2.1.2")
    def test_no_key_is_left_on_disk(self, server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        with server.connect(server.user("carol")) as client:
            assert whoami(client)["username"] == "carol"
            assert list(tmp_path.iterdir()) == []


class TestAnonymous:
    @pytest.mark.behaviour("1.6.8")
    def test_an_anonymous_copy_has_trust_and_no_credentials(self, server) -> None:  # type: ignore[no-untyped-def]
        with dynkube.DynamicClient(server.config.anonymous()) as client:
            with pytest.raises((dynkube.ForbiddenError, dynkube.UnauthorizedError)) as caught:
                client.resource(dynkube.GroupVersionResource("", "v1", "secrets")).list()
            assert "system:anonymous" in str(caught.value) or caught.value.code == 401

    @pytest.mark.behaviour("2.8.7")
    def test_a_wrong_token_is_unauthorized(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        changes = {"client-certificate-data": None, "client-key-data": None, "token": "wrong-token"}
        path = edited(server.kubeconfig, tmp_path, user=changes)
        with dynkube.connect(kubeconfig=path) as client, pytest.raises(dynkube.UnauthorizedError) as caught:
            whoami(client)
        assert "wrong-token" not in str(caught.value) + repr(caught.value)
        assert "credentials" in str(caught.value) or "Unauthorized" in str(caught.value)


class TestTokens:
    def service_account_token(self, client: dynkube.DynamicClient, namespace: str, name: str) -> str:
        accounts = client.resource("serviceaccounts").namespace(namespace)
        if accounts.get_or_none(name) is None:
            accounts.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        return str(accounts.subresource("token").create(request, name=name)["status"]["token"])

    @pytest.mark.behaviour("1.6.4")
    def test_a_token(self, server, client: dynkube.DynamicClient, namespace: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        token = self.service_account_token(client, namespace, "robot")
        changes = {"client-certificate-data": None, "client-key-data": None, "token": token}
        with dynkube.connect(kubeconfig=edited(server.kubeconfig, tmp_path, user=changes)) as robot:
            assert whoami(robot)["username"] == f"system:serviceaccount:{namespace}:robot"

    @pytest.mark.behaviour("2.2.6")
    def test_a_token_file(self, server, client: dynkube.DynamicClient, namespace: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        (tmp_path / "token").write_text(self.service_account_token(client, namespace, "robot") + "\n")
        changes = {"client-certificate-data": None, "client-key-data": None, "tokenFile": "token"}
        with dynkube.connect(kubeconfig=edited(server.kubeconfig, tmp_path, user=changes)) as robot:
            assert whoami(robot)["username"] == f"system:serviceaccount:{namespace}:robot"

    @pytest.mark.behaviour("1.6.4")
    def test_a_file_wins_over_a_token(
        self,
        server,
        client: dynkube.DynamicClient,
        namespace: str,
        tmp_path: Path,  # type: ignore[no-untyped-def]
    ) -> None:
        (tmp_path / "token").write_text(self.service_account_token(client, namespace, "filed"))
        changes = {
            "client-certificate-data": None,
            "client-key-data": None,
            "token": self.service_account_token(client, namespace, "written"),
            "tokenFile": "token",
        }
        with dynkube.connect(kubeconfig=edited(server.kubeconfig, tmp_path, user=changes)) as robot:
            assert whoami(robot)["username"].endswith(":filed")


class TestImpersonation:
    @pytest.mark.behaviour("2.2.3")
    def test_user_groups_and_extra(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        changes = {
            "as": "jane",
            "as-uid": "1234",
            "as-groups": ["developers", "admins"],
            "as-user-extra": {"example.org/scope%": ["one", "two"]},
        }
        with dynkube.connect(kubeconfig=edited(server.kubeconfig, tmp_path, user=changes)) as client:
            # jane herself may do nothing; whoami is open to all who are authenticated
            info = whoami(client)
        assert (info["username"], info["uid"]) == ("jane", "1234")
        assert {"developers", "admins"} <= set(info["groups"])
        assert info["extra"]["example.org/scope%"] == ["one", "two"]

    @pytest.mark.behaviour("2.2.5")
    def test_groups_are_lines_of_their_own(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        changes = {"as": "jane", "as-groups": ["with,comma", "other"]}
        with dynkube.connect(kubeconfig=edited(server.kubeconfig, tmp_path, user=changes)) as client:
            assert {"with,comma", "other"} <= set(whoami(client)["groups"])

    @pytest.mark.behaviour("2.2.3")
    def test_who_may_not_is_refused(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        path = edited(server.user("plain"), tmp_path, user={"as": "jane"})
        with dynkube.connect(kubeconfig=path) as client, pytest.raises(dynkube.ForbiddenError, match="impersonate"):
            whoami(client)


class TestTrust:
    @pytest.mark.behaviour("2.1.1")
    def test_another_ca_is_refused_and_named(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        other = Path(__file__).with_name("other-ca.pem").read_bytes()
        changes = {"certificate-authority-data": base64.b64encode(other).decode()}
        path = edited(server.kubeconfig, tmp_path, cluster=changes)
        with dynkube.connect(kubeconfig=path) as client, pytest.raises(dynkube.TLSError, match="certificate-authority"):
            client.discovery.server_version()

    @pytest.mark.behaviour("2.1.8")
    def test_the_environments_trust_does_not_count(
        self,
        server,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
    ) -> None:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(server.ca_data)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(bundle))
        path = edited(server.kubeconfig, tmp_path, cluster={"certificate-authority-data": None})
        with dynkube.connect(kubeconfig=path) as client, pytest.raises(dynkube.TLSError):
            client.discovery.server_version()

    @pytest.mark.behaviour("2.1.1")
    def test_insecure(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        changes = {"certificate-authority-data": None, "insecure-skip-tls-verify": True}
        with dynkube.connect(kubeconfig=edited(server.kubeconfig, tmp_path, cluster=changes)) as client:
            assert client.rest.get().abs_path("/readyz").do_raw() == b"ok"

    @pytest.mark.behaviour("2.1.3")
    def test_a_server_name_is_what_is_verified(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        good = edited(server.kubeconfig, tmp_path, cluster={"tls-server-name": "kubernetes.default.svc"})
        with dynkube.connect(kubeconfig=good) as client:
            assert client.rest.get().abs_path("/readyz").do_raw() == b"ok"
        wrong = edited(server.kubeconfig, tmp_path, cluster={"tls-server-name": "elsewhere.example"})
        with dynkube.connect(kubeconfig=wrong) as client, pytest.raises(dynkube.TLSError, match=r"elsewhere\.example"):
            client.rest.get().abs_path("/readyz").do_raw()

    @pytest.mark.behaviour("1.6.2")
    def test_plain_http_to_it_sends_no_credentials_and_says_what_is_wrong(self, server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        address = server.url.removeprefix("https://")
        path = edited(server.kubeconfig, tmp_path, cluster={"server": f"http://{address}"})
        with dynkube.connect(kubeconfig=path) as client, pytest.raises(dynkube.DynkubeError, match="https"):
            client.rest.get().abs_path("/readyz").do_raw()


class TestAllowed:
    @pytest.mark.behaviour("2.8.9")
    def test_a_rule_lets_a_user_read_and_no_more(self, server, client: dynkube.DynamicClient, namespace: str) -> None:  # type: ignore[no-untyped-def]
        from dynkube.testing import AccessRule

        server.allow(
            AccessRule(user="reader", verbs=("get", "list", "watch"), resources=("configmaps",), namespace=namespace)
        )
        gvr = dynkube.GroupVersionResource("", "v1", "configmaps")
        with server.connect(server.user("reader")) as reader:
            handle = reader.resource(gvr).namespace(namespace)
            assert handle.list().kind == "ConfigMapList"
            with pytest.raises(dynkube.ForbiddenError):
                handle.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
            with pytest.raises(dynkube.ForbiddenError):
                reader.resource(gvr).list()

    def test_the_raw_client_is_the_admin(self, raw: RawClient) -> None:
        assert raw.request("GET", "/api/v1/secrets").status == 200
