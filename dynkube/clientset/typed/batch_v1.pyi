"""batch/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.expansions.streaming import PortForwarding
from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.clientset.typed._subresources import GetStatus, PatchStatus
from dynkube.dynamic.verbs import (
    ApplyStatusVerb,
    ApplyVerb,
    CreateVerb,
    DeleteCollectionVerb,
    DeleteVerb,
    GetVerb,
    ListVerb,
    PatchVerb,
    TableVerb,
    UpdateStatusVerb,
    UpdateVerb,
    WaitVerb,
    WatchVerb,
)

class CronJobs(
    GetStatus,
    PatchStatus,
    GetVerb,
    ListVerb,
    TableVerb,
    CreateVerb,
    UpdateVerb,
    UpdateStatusVerb,
    PatchVerb,
    ApplyVerb,
    ApplyStatusVerb,
    DeleteVerb,
    DeleteCollectionVerb,
    WatchVerb,
    WaitVerb,
    ResourceClient,
):
    """CronJob objects."""

class Jobs(
    PortForwarding,
    GetStatus,
    PatchStatus,
    GetVerb,
    ListVerb,
    TableVerb,
    CreateVerb,
    UpdateVerb,
    UpdateStatusVerb,
    PatchVerb,
    ApplyVerb,
    ApplyStatusVerb,
    DeleteVerb,
    DeleteCollectionVerb,
    WatchVerb,
    WaitVerb,
    ResourceClient,
):
    """Job objects."""

class BatchV1(GroupVersionClient):
    """The resources of batch/v1."""
    def cronjobs(self, namespace: str) -> CronJobs:
        """CronJob (cj), in a namespace, "" for all of them."""
    def jobs(self, namespace: str) -> Jobs:
        """Job, in a namespace, "" for all of them."""
