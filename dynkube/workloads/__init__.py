"""Workloads in kubectl's words: roll out and back, scale, drain, expose, and who owns what.

Functions over a `DynamicClient` or a `ResourceHandle` that is bound to a namespace. Objects in and out are plain dicts;
what a verb refuses is a `WorkloadError` with kubectl's message. The requests are kubectl's, too: nothing here needs
more rights than kubectl does.

The counterparts are kubectl's pkg/cmd/{rollout,scale,drain,expose}, pkg/polymorphichelpers and pkg/drain.
"""

from __future__ import annotations

from dynkube.workloads.cordoning import CordonResult, cordon, uncordon
from dynkube.workloads.draining import drain, plan_drain
from dynkube.workloads.drainvalues import DrainEvent, DrainResult, DrainStep
from dynkube.workloads.exposing import expose, service_for
from dynkube.workloads.history import Revision, RollbackResult, rollout_history, rollout_revision, rollout_undo
from dynkube.workloads.owners import Dependents, OwnerTree, children, owner_tree
from dynkube.workloads.podfilters import DrainPlan, PodDecision, PodFilter, PodReason
from dynkube.workloads.rollout import rollout_pause, rollout_restart, rollout_resume, rollout_status, watch_rollout
from dynkube.workloads.scaling import scale
from dynkube.workloads.status import RolloutStatus, rollout_status_of

__all__ = [
    "CordonResult",
    "Dependents",
    "DrainEvent",
    "DrainPlan",
    "DrainResult",
    "DrainStep",
    "OwnerTree",
    "PodDecision",
    "PodFilter",
    "PodReason",
    "Revision",
    "RollbackResult",
    "RolloutStatus",
    "children",
    "cordon",
    "drain",
    "expose",
    "owner_tree",
    "plan_drain",
    "rollout_history",
    "rollout_pause",
    "rollout_restart",
    "rollout_resume",
    "rollout_revision",
    "rollout_status",
    "rollout_status_of",
    "rollout_undo",
    "scale",
    "service_for",
    "uncordon",
    "watch_rollout",
]
