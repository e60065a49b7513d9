"""A client inside a pod, whose bound token is replaced and the first one revoked, while it works."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from manifests import PODS, SECRETS

import dynkube
from dynkube.config.incluster import SERVICE_ACCOUNT_FOLDER
from dynkube.testing import AccessRule, ControlPlane

ACCOUNT = "system:serviceaccount:default:robot"
SERVICE_ACCOUNTS = dynkube.GroupVersionResource("", "v1", "serviceaccounts")

# What runs in the pod: it asks who it is, over and over, by a clock that runs 100 times as fast, so that the minute
# after which a token file is read again is over in half a second. One line for each answer, and what the token was.
PROGRAM = """
import sys, time
import dynkube
from dynkube.config import in_cluster_config
from dynkube.transport import Transport

config = in_cluster_config(root=sys.argv[1])
transport = Transport(config, clock=lambda: time.monotonic() * 100)
with dynkube.RESTClient(config, transport=transport) as rest:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    while True:
        try:
            path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            user = rest.post().abs_path(path).body(review).do().object()["status"]["userInfo"]
            ids = user["extra"]["authentication.kubernetes.io/credential-id"]
            print("I am", user["username"], "by", ids[0], flush=True)
        except dynkube.DynkubeError as error:
            print("FAILED", type(error).__name__, error, flush=True)
        time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(controller_manager=True, test_node=True) as plane:
        yield plane


@pytest.fixture
def admin(plane: ControlPlane) -> Iterator[dynkube.DynamicClient]:
    with plane.connect() as client:
        yield client


class Mount:
    """The folder of a service account, as a pod has it."""

    def __init__(self, folder: Path, plane: ControlPlane, admin: dynkube.DynamicClient) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._accounts = admin.resource(SERVICE_ACCOUNTS).namespace("default")
        self._secrets = admin.resource(SECRETS).namespace("default")
        (folder / "ca.crt").write_bytes(plane.ca_data or b"")
        (folder / "namespace").write_text("default")

    def write_token(self, bound_to: str) -> str:
        """Write a token that is good for as long as this Secret is there."""
        uid = self._secrets.create({"metadata": {"name": bound_to}})["metadata"]["uid"]
        reference = {"kind": "Secret", "apiVersion": "v1", "name": bound_to, "uid": uid}
        spec = {"expirationSeconds": 600, "boundObjectRef": reference}
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        token = self._accounts.subresource("token").create(asked, name="robot")["status"]["token"]
        new = self.folder / "token.new"
        new.write_text(token)
        new.replace(self.folder / "token")
        return token

    def revoke(self, bound_to: str) -> None:
        self._secrets.delete(bound_to)


def who(plane: ControlPlane, token: str) -> str:
    """What the server makes of a token."""
    config = dynkube.RESTConfig(host=plane.url, tls=dynkube.TLSConfig(ca_data=plane.ca_data), bearer_token=token)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    with dynkube.DynamicClient(config) as client:
        found: dict[str, Any] = client.resource("authentication.k8s.io/v1/selfsubjectreviews").create(review)
    return str(found["status"]["userInfo"]["username"])


def until_revoked(plane: ControlPlane, token: str) -> None:
    """The server keeps a token that it has seen for some seconds."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            who(plane, token)
        except dynkube.UnauthorizedError:
            return
        time.sleep(0.25)
    raise AssertionError("the first token was never revoked")


@pytest.mark.controlplane
@pytest.mark.behaviour("1.7.1", "1.7.2", "2.2.6")
def test_a_pod_goes_on_when_its_token_is_replaced_and_the_first_revoked(
    plane: ControlPlane, admin: dynkube.DynamicClient, tmp_path: Path
) -> None:
    admin.resource(SERVICE_ACCOUNTS).namespace("default").create({"metadata": {"name": "robot"}})
    plane.allow(AccessRule(user=ACCOUNT, verbs=("*",), resources=("configmaps",), namespace="default"))
    mount = Mount(tmp_path / SERVICE_ACCOUNT_FOLDER, plane, admin)
    first = mount.write_token("first")
    program = tmp_path / "robot.py"
    program.write_text(PROGRAM)
    where = urlsplit(plane.url)
    container = {
        "name": "robot",
        "image": "none",
        "command": [sys.executable, str(program), str(tmp_path)],
        "env": [
            {"name": "KUBERNETES_SERVICE_HOST", "value": where.hostname},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(where.port)},
            {"name": "PYTHONPATH", "value": str(Path(dynkube.__file__).parents[1])},
        ],
    }
    pods = admin.resource(PODS).namespace("default")
    pods.create({"metadata": {"name": "robot"}, "spec": {"serviceAccountName": "robot", "containers": [container]}})
    pods.wait("robot", condition="Ready", timeout=60)

    log = admin.rest.get().request_uri("/api/v1/namespaces/default/pods/robot/log?follow=true").timeout(100).stream()
    with log:
        lines = Lines(log)
        ids = {lines.next_id()}
        second = mount.write_token("second")
        while len(ids) < 2:
            ids.add(lines.next_id())
        mount.revoke("first")
        until_revoked(plane, first)
        seen = lines.count
        while lines.count < seen + 10:
            ids.add(lines.next_id())
    assert who(plane, second) == ACCOUNT
    assert len(ids) == 2, "nothing failed, and there were two tokens"
    pods.delete("robot", grace_period_seconds=0)


class Lines:
    """The pod's log, line by line, each of which must say who it is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = b""
        self.count = 0

    def next_id(self) -> str:
        """The id of the token that it was known by."""
        while b"\n" not in self._left:
            chunk = self._stream.read()
            assert chunk, self._left
            self._left += chunk
        line, _, self._left = self._left.partition(b"\n")
        self.count += 1
        assert line.startswith(f"I am {ACCOUNT} by ".encode()), line
        return line.rpartition(b" ")[2].decode()
