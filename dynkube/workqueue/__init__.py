"""A queue for the keys of objects that need work: no key twice, none at two workers at once, later on request.

client-go's util/workqueue (7.5 in docs/reference/parity)::

    queue = Workqueue("deployments")

    def work():
        while (key := queue.get()) is not None:
            try:
                reconcile(key)
                queue.forget(key)
            except Exception:
                queue.add_rate_limited(key)
            finally:
                queue.done(key)

`dynkube.controller` does that, and watches what fills the queue.
"""

from __future__ import annotations

from dynkube.workqueue.fifo import Workqueue
from dynkube.workqueue.limiters import (
    BucketRateLimiter,
    ItemExponentialFailureRateLimiter,
    ItemFastSlowRateLimiter,
    ItemRateLimiter,
    MaxOfRateLimiter,
    WithMaxWaitRateLimiter,
    default_controller_rate_limiter,
)
from dynkube.workqueue.parallel import parallelize_until

__all__ = [
    "BucketRateLimiter",
    "ItemExponentialFailureRateLimiter",
    "ItemFastSlowRateLimiter",
    "ItemRateLimiter",
    "MaxOfRateLimiter",
    "WithMaxWaitRateLimiter",
    "Workqueue",
    "default_controller_rate_limiter",
    "parallelize_until",
]
