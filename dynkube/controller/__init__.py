"""Controllers: a function that is called until the cluster is as it should be.

In the manner of controller-runtime and kube-rs, on `dynkube.informers` and `dynkube.workqueue`::

    def reconcile(request):
        widget = request.object
        if widget is None:  # it is gone
            return None
        ...  # look, compare, change
        return Result(requeue_after=60)

    Controller(client, "widgets.example.com", reconcile).owns("deployments.apps").run(cancel=token)
"""

from __future__ import annotations

from dynkube.controller.controller import Controller
from dynkube.controller.finalizers import ensure_finalizer, remove_finalizer, with_finalizer
from dynkube.controller.owners import has_owner, set_controller_reference
from dynkube.controller.predicates import (
    Predicate,
    annotations_changed,
    generation_changed,
    labels_changed,
    resource_version_changed,
)
from dynkube.controller.request import Request, Result
from dynkube.errors import TerminalError

__all__ = [
    "Controller",
    "Predicate",
    "Request",
    "Result",
    "TerminalError",
    "annotations_changed",
    "ensure_finalizer",
    "generation_changed",
    "has_owner",
    "labels_changed",
    "remove_finalizer",
    "resource_version_changed",
    "set_controller_reference",
    "with_finalizer",
]
