"""One leader among several processes, by a Lease.

client-go's tools/leaderelection (7.6 in docs/reference/parity)::

    lock = LeaseLock(client, "widgets", "shop", identity=default_identity())
    elector = LeaderElector(lock, on_started_leading=work, on_stopped_leading=lambda: log.info("no longer the leader"))
    elector.run(cancel=token)

``work`` is called on a thread of its own, with a `CancelToken` that ends its leadership.

What is promised, as far as each process's own clock runs at the right speed:

- Whether somebody else's lease has run out is judged by the time since its record was last *seen to change* on this
  process's monotonic clock, never by the times that stand in the lease. Wall clocks may be wrong, and may jump.
- The leader counts the other way round: its lease lasts from when it *sent* the last renewal that succeeded. Nobody
  else can have seen that one earlier, so its time is over before anybody takes over. Where a renewal does not come
  through, it stops at ``renew_deadline`` or at the end of the lease, whichever is first.
- A process that was frozen finds its time over as soon as it looks: `LeaderElector.is_leader` is False, before anything
  has been sent.

Work that was begun while leading and does not look at its token may still go on afterwards: nothing in the process can
take it back. Give what it writes a condition: an update with the object's resourceVersion is one.
"""

from __future__ import annotations

from dynkube.leaderelection.elector import LeaderElector
from dynkube.leaderelection.lock import LeaderElectionRecord, LeaseLock, Lock, default_identity

__all__ = ["LeaderElectionRecord", "LeaderElector", "LeaseLock", "Lock", "default_identity"]
