"""Does an informer ever lie? Random faults, real processes that write, and a judge, in the manner of etcd's robustness tests.

One *trial* is one random schedule (`schedules`) on one server. Writers (`writers`), each a process of its own, create,
change and delete ConfigMaps, pods and objects of a CRD, straight at the server. Informers in both representations follow
the same objects through a `FaultProxy` that the schedule torments, beside the server itself (`arena`): connections are
cut, stalled and left half-open, history is compacted, the API server is killed and etcd restarted, tokens and permissions
are taken away, the wall clock jumps, the CRD is deleted and comes back. What every handler is told is written down
(`recording`); when the writers have ended and the faults are over, the judge (`judging`) compares it with what the server
has and with what the writers know that they wrote.

One command runs one schedule again::

    python tests/soak/informers.py --server embedded --seed 17
"""
