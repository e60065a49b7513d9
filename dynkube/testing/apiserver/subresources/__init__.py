"""What hangs below a resource, and the kinds that are created without being stored.

The registry's pipelines stay generic; this room says what is special about one subresource. There are
four shapes (the real server's ``rest`` interfaces):

===============  ============================================  ==================================================
shape            which                                         who does what
===============  ============================================  ==================================================
`find_action`    pods/binding, bindings, pods/eviction,        the endpoint decodes the body as
                 serviceaccounts/token, and the reviews        ``action.body``; `Registry.act` is a create up to
                                                               storage, then calls ``action.run``
`find_view`      scale, built in and custom                    the endpoint reads, updates, patches and applies
                                                               objects of ``view.body``; `View.through` makes
                                                               changes of the view changes of the object
`find_strategy`  certificatesigningrequests/approval,          a write of the object itself, by this strategy
                 namespaces/finalize                           (``Scope.strategy_override``)
`connect`        log, exec, attach, portforward, proxy         answers by itself
===============  ============================================  ==================================================

``status`` is the registry's own, and so are pods/resize and pods/ephemeralcontainers: the strategy of pods knows
them. `CertificateChecks` and `TopologyLabels` are admission plugins.
"""

from __future__ import annotations

from dynkube.testing.apiserver.subresources.actions import find_action, perform
from dynkube.testing.apiserver.subresources.certificatechecks import CertificateChecks
from dynkube.testing.apiserver.subresources.connections import connect
from dynkube.testing.apiserver.subresources.finding import find_strategy, find_view
from dynkube.testing.apiserver.subresources.shapes import Action, Call, View
from dynkube.testing.apiserver.subresources.topologylabels import TopologyLabels

__all__ = [
    "Action",
    "Call",
    "CertificateChecks",
    "TopologyLabels",
    "View",
    "connect",
    "find_action",
    "find_strategy",
    "find_view",
    "perform",
]
