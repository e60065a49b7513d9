"""client-go's names for groups and versions."""

from __future__ import annotations

import pytest

from dynkube.clientset.names import attribute_of, group_version_of
from dynkube.schema import GroupVersion


@pytest.mark.behaviour("9.1.2")
@pytest.mark.parametrize(
    ("name", "group", "version"),
    [
        ("core_v1", "", "v1"),
        ("apps_v1", "apps", "v1"),
        ("rbac_v1", "rbac.authorization.k8s.io", "v1"),
        ("internal_v1alpha1", "internal.apiserver.k8s.io", "v1alpha1"),
        ("flowcontrol_v1beta3", "flowcontrol.apiserver.k8s.io", "v1beta3"),
        ("storagemigration_v1beta1", "storagemigration.k8s.io", "v1beta1"),
        ("apiextensions_v1", "apiextensions.k8s.io", "v1"),
        ("metrics_v1beta1", "metrics.k8s.io", "v1beta1"),
    ],
)
def test_a_name_leads_to_a_group_and_version_and_back(name: str, group: str, version: str) -> None:
    assert group_version_of(name) == GroupVersion(group, version)
    assert attribute_of(GroupVersion(group, version)) == name


@pytest.mark.parametrize("name", ["apps", "apps_v", "apps_v1x", "Apps_v1", "networking_istio_io_v1", "apps_v1_", "_v1"])
def test_other_names_lead_nowhere(name: str) -> None:
    assert group_version_of(name) is None


@pytest.mark.parametrize("group", ["networking.istio.io", "apps.example.com", "k8s.io"])
def test_other_groups_have_no_name(group: str) -> None:
    assert attribute_of(GroupVersion(group, "v1")) == ""
