"""What stands behind the API server's streams: handlers that a test gives, over the wire of kube-apiserver and kubelet.

================  ============================================================================================
room              what it has
================  ============================================================================================
`handlers`        which handler answers for which pod: the face `APIServer.pods`, and the proxies
`sessions`        what a handler gets
`containerlogs`   a container's log, which a test writes
`processes`       a handler that runs commands of this machine
`commands`        exec and attach over WebSocket; `forwarding`, `logserving`, `proxying` the others
`channels`        several streams over one connection; below it `websockets`, `handshakes`, `frames` and `spdy`
`pipes`           between the event loop and a handler's thread
================  ============================================================================================

Nothing here knows objects, users or paths: `subresources` does, and calls it when all that is checked.
"""

from __future__ import annotations

from dynkube.testing.apiserver.streaming.handlers import Behind, Pods, Proxies

__all__ = ["Behind", "Pods", "Proxies"]
