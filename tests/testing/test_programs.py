"""Where the programs are, and what they are given."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dynkube.errors import ConfigError
from dynkube.testing import ControlPlane
from dynkube.testing.programs import Files, find_assets, program_environment, reserve_port


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    for name in ("etcd", "kube-apiserver"):
        (tmp_path / name).touch(mode=0o755)
    return tmp_path


class TestAssets:
    def test_a_path_wins_over_the_variable(self, assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBEBUILDER_ASSETS", "/elsewhere")
        assert find_assets(assets) == assets

    def test_the_variable(self, assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
        assert find_assets(None) == assets

    @pytest.mark.parametrize("value", [None, ""])
    def test_neither(self, value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
        if value is not None:
            monkeypatch.setenv("KUBEBUILDER_ASSETS", value)
        with pytest.raises(ConfigError, match=r"\$KUBEBUILDER_ASSETS is not set; .* assets= .*setup-envtest"):
            ControlPlane()

    def test_a_program_is_missing(self, assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
        with pytest.raises(ConfigError, match=r"\$KUBEBUILDER_ASSETS names .* has no program test-node"):
            ControlPlane(test_node=True)
        (assets / "etcd").chmod(0o644)
        with pytest.raises(ConfigError, match=r"assets= names .* has no program etcd"):
            ControlPlane(assets)


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ({"api_server_args": "--v=4"}, "api_server_args= must be a sequence"),
            ({"api_server_args": ("v=4",)}, "'v=4' is no flag"),
            ({"token_users": {"": ()}}, "token_users= names a user ''"),
            ({"token_users": {"bob": "dev"}}, "groups of 'bob' must be a sequence"),
            ({"token_users": {"bob": ("a,b",)}}, "groups of 'bob' .* without a comma"),
        ],
    )
    def test_what_cannot_work_is_refused_before_anything_starts(
        self, assets: Path, arguments: dict[str, object], complaint: str
    ) -> None:
        with pytest.raises(ConfigError, match=complaint):
            ControlPlane(assets, **arguments)  # type: ignore[arg-type]

    def test_extra_flags_come_last(self, tmp_path: Path) -> None:
        files = Files(folder=tmp_path, assets=tmp_path)
        assert files.api_server(1, service_accounts=True, extra=("--v=4",))[-1] == "--v=4"

    def test_the_service_account_plugin_needs_who_makes_service_accounts(self, tmp_path: Path) -> None:
        files = Files(folder=tmp_path, assets=tmp_path)
        assert "--disable-admission-plugins=ServiceAccount" in files.api_server(1, service_accounts=False, extra=())
        assert "ServiceAccount" not in " ".join(files.api_server(1, service_accounts=True, extra=()))


def test_a_reserved_port_refuses_connections_and_takes_a_listener() -> None:
    with reserve_port() as holder:
        address = holder.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with socket.socket() as thief, pytest.raises(OSError, match="in use"):
            thief.bind(address)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            listener.listen()
            socket.create_connection(address).close()


def test_programs_do_not_inherit_what_leads_them_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "https_proxy", "ETCD_NAME", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("KEPT", "x")
    environment = program_environment()
    assert environment["KEPT"] == "x"
    assert not {"KUBECONFIG", "https_proxy", "ETCD_NAME", "KUBERNETES_SERVICE_HOST"} & set(environment)
