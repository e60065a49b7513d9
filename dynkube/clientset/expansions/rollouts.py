"""kubectl's verbs for workloads and nodes, as methods; see `dynkube.workloads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynkube.clientset.methods import ClientMethod, Deferred, HandleMethod
from dynkube.clientset.resource import ResourceClient

if TYPE_CHECKING:
    from dynkube import workloads
else:
    workloads = Deferred("dynkube.workloads")

__all__ = ["Draining", "Exposing", "PausableRollouts", "Rollouts", "Scaling"]


class Rollouts(ResourceClient):
    """``kubectl rollout``: Deployments, StatefulSets and DaemonSets."""

    __slots__ = ()
    rollout_status = HandleMethod(workloads.rollout_status)
    watch_rollout = HandleMethod(workloads.watch_rollout)
    rollout_restart = HandleMethod(workloads.rollout_restart)
    rollout_history = HandleMethod(workloads.rollout_history)
    rollout_revision = HandleMethod(workloads.rollout_revision)
    rollout_undo = HandleMethod(workloads.rollout_undo)


class PausableRollouts(Rollouts):
    """Deployments: their rollouts can be paused, too.

    ``rollback`` is client-go's name of old (CG/kubernetes/typed/extensions/v1beta1/deployment_expansion.go). No server
    has that subresource any more; it does what ``rollout_undo`` does.
    """

    __slots__ = ()
    rollout_pause = HandleMethod(workloads.rollout_pause)
    rollout_resume = HandleMethod(workloads.rollout_resume)
    rollback = HandleMethod(workloads.rollout_undo)


class Scaling(ResourceClient):
    """``kubectl scale``: whatever has a scale."""

    __slots__ = ()
    scale = HandleMethod(workloads.scale)


class Exposing(ResourceClient):
    """``kubectl expose``: what a service can lead to."""

    __slots__ = ()
    expose = HandleMethod(workloads.expose)


class Draining(ResourceClient):
    """``kubectl cordon``, ``uncordon`` and ``drain``: nodes."""

    __slots__ = ()
    cordon = HandleMethod(workloads.cordon)
    uncordon = HandleMethod(workloads.uncordon)
    drain = ClientMethod(workloads.drain)
    plan_drain = ClientMethod(workloads.plan_drain)
