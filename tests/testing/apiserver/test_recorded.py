"""What the archive holds; the numbers are those of kube-apiserver 1.36.3 with all APIs on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from raw import RawClient

from dynkube.schema import GroupVersionKind, GroupVersionResource
from dynkube.testing import ControlPlane
from dynkube.testing.apiserver import recorded

PODS = GroupVersionResource("", "v1", "pods")


def row(group: str, version: str, plural: str) -> recorded.ResourceRecord:
    return recorded.resource(GroupVersionResource(group, version, plural))


def test_all_resources_are_there() -> None:
    assert len(recorded.resources()) == 89
    assert len({each.gvr.group for each in recorded.resources()}) == 22


def test_a_resource_is_as_discovery_shows_it() -> None:
    pods = row("", "v1", "pods")
    assert (pods.kind, pods.singular, pods.namespaced, pods.list_kind) == ("Pod", "pod", True, "PodList")
    assert (pods.short_names, pods.categories) == (("po",), ("all",))
    assert pods.verbs == ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
    assert pods.storage_version_hash == "xPOwRZ+Yhw8="


def test_a_subresource_names_the_kind_of_its_body() -> None:
    assert row("", "v1", "pods").subresources["eviction"].kind == GroupVersionKind("policy", "v1", "Eviction")
    assert row("apps", "v1", "deployments").subresources["scale"].kind == GroupVersionKind("autoscaling", "v1", "Scale")
    assert row("apps", "v1", "deployments").subresources["status"].kind == GroupVersionKind("apps", "v1", "Deployment")


def test_several_versions_of_a_resource_are_stored_as_one() -> None:
    hpa = GroupVersionKind("autoscaling", "v2", "HorizontalPodAutoscaler")
    assert {row("autoscaling", each, "horizontalpodautoscalers").storage for each in ("v1", "v2")} == {hpa}


def test_both_events_are_stored_in_the_core_group() -> None:
    core = GroupVersionKind("", "v1", "Event")
    assert row("", "v1", "events").storage == row("events.k8s.io", "v1", "events").storage == core


def test_a_deprecated_version_has_its_warning() -> None:
    expected = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    assert row("", "v1", "endpoints").warning == expected
    assert row("", "v1", "pods").warning == ""


def test_what_cannot_be_listed_has_no_list_kind() -> None:
    assert row("authorization.k8s.io", "v1", "subjectaccessreviews").list_kind == ""


def test_every_listable_resource_has_columns() -> None:
    missing = [each.gvr for each in recorded.resources() if each.list_kind and not recorded.columns(each.gvr)]
    assert missing == []


def test_columns_of_pods() -> None:
    names = [each["name"] for each in recorded.columns(PODS)]
    assert names == ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"]


def test_the_schema_of_every_stored_kind_is_there() -> None:
    stored = [each for each in recorded.resources() if each.storage_version_hash]
    found = [
        recorded.definitions(each.gvr.group, each.gvr.version).find_kind(each.gvr.group, each.gvr.version, each.kind)
        for each in stored
    ]
    assert None not in found


def test_schemas_say_how_lists_merge() -> None:
    containers = recorded.definitions("", "v1").find("io.k8s.api.core.v1.PodSpec").properties["containers"]
    assert (containers.list_type, containers.list_map_keys) == ("map", ("name",))
    assert (containers.patch_merge_key, containers.patch_strategies) == ("name", {"merge"})


def test_the_schema_of_metadata() -> None:
    assert recorded.object_meta().properties["finalizers"].patch_strategies == {"merge"}


def test_an_unknown_group_version_has_no_document() -> None:
    with pytest.raises(KeyError):
        recorded.definitions("apps", "v9")


def test_the_objects_of_a_fresh_server_take_the_servers_own_values() -> None:
    made = recorded.objects(now="2026-01-02T03:04:05Z", port=6443, authority="PEM\n")
    by_name = {(each["kind"], each["metadata"]["name"]): each for each in made}
    assert [each["metadata"]["name"] for each in made[:4]] == [
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    ]
    assert by_name["Service", "kubernetes"]["spec"]["ports"][0]["targetPort"] == 6443
    assert by_name["ConfigMap", "extension-apiserver-authentication"]["data"]["client-ca-file"] == "PEM\n"
    tracking = by_name["ConfigMap", "kube-apiserver-legacy-service-account-token-tracking"]
    assert tracking["data"] == {"since": "2026-01-02"}
    assert {each["metadata"]["creationTimestamp"] for each in made} == {"2026-01-02T03:04:05Z"}
    assert not [each for each in made if "uid" in each["metadata"] or "resourceVersion" in each["metadata"]]


def test_the_bootstrap_roles_are_there() -> None:
    made = recorded.objects(now="2026-01-02T03:04:05Z", port=1, authority="")
    roles = {each["metadata"]["name"] for each in made if each["kind"] == "ClusterRole"}
    assert roles >= {"cluster-admin", "admin", "edit", "view", "system:discovery"}
    assert len(roles) == 69


def test_the_objects_are_the_callers_own() -> None:
    recorded.objects(now="2026-01-02T03:04:05Z", port=1, authority="")[0].clear()
    assert recorded.objects(now="2026-01-02T03:04:05Z", port=1, authority="")[0]["kind"] == "Namespace"


def test_the_archive_is_small_and_carries_no_time() -> None:
    with zipfile.ZipFile(recorded.ARCHIVE) as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())
    assert recorded.ARCHIVE.stat().st_size < 3 * 2**20


@pytest.mark.controlplane
@pytest.mark.parametrize("step", ["version", "resources", "objects", "columns", "openapi"])
def test_the_archive_is_what_the_real_server_says(fresh_server: RawClient, step: str) -> None:
    made = record().STEPS[step](fresh_server)
    assert [name for name, data in made.items() if recorded.read(name) != data] == []


@pytest.fixture(scope="module")
def fresh_server() -> Iterator[RawClient]:
    with ControlPlane() as server:
        raw = RawClient(server.kubeconfig)
        if raw.request("GET", "/version").body != recorded.version():
            pytest.skip("this control plane is not the one that was recorded")
        yield raw


def record() -> ModuleType:
    """tests/recording/record.py."""
    path = Path(__file__).parents[2] / "recording/record.py"
    spec = importlib.util.spec_from_file_location("record", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_import_opens_nothing() -> None:
    code = (
        "import sys; opened = []; sys.addaudithook(lambda name, args: name == 'open' and opened.append(str(args[0])));"
        "import dynkube.testing.apiserver.recorded; print([each for each in opened if each.endswith('.zip')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_largest_document_is_read_quickly() -> None:
    recorded.definitions.cache_clear()
    began = time.perf_counter()
    recorded.definitions("", "v1")
    assert time.perf_counter() - began < 0.3  # 10 ms on an idle machine
