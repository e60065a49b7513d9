"""Connections that the clients of one server have in common (CG/transport/cache.go).

Two transports with the same server, trust, client certificate and proxy send over the same connections: who asks is in
the header of each request.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable

from dynkube.forks import renew_in_child
from dynkube.transport.adapter import ServerAdapter

__all__ = ["lease", "release"]


class _Shelf:
    """The adapters in use, by what they are for; whoever drops one without closing does not keep it."""

    def __init__(self) -> None:
        self._adapters: weakref.WeakValueDictionary[Hashable, ServerAdapter] = weakref.WeakValueDictionary()
        self._users: weakref.WeakKeyDictionary[ServerAdapter, weakref.WeakSet[object]] = weakref.WeakKeyDictionary()
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock."""
        self._lock = threading.Lock()

    def lease(self, key: Hashable, user: object, make: Callable[[], ServerAdapter]) -> ServerAdapter:
        with self._lock:
            adapter = self._adapters.get(key)
            if adapter is not None:
                self._users[adapter].add(user)
                return adapter
        made = make()  # reads files and certificates: nobody has to wait for that
        with self._lock:
            adapter = self._adapters.get(key)
            if adapter is None:
                adapter = self._adapters[key] = made
                self._users[adapter] = weakref.WeakSet()
            self._users[adapter].add(user)
        return adapter

    def release(self, adapter: ServerAdapter, user: object) -> None:
        with self._lock:
            users = self._users.get(adapter)
            if users is not None:
                users.discard(user)
                if users:
                    return
                del self._users[adapter]
                for key in [key for key, each in self._adapters.items() if each is adapter]:
                    del self._adapters[key]
        adapter.close()


_SHELF = _Shelf()
renew_in_child(_SHELF)


def lease(key: Hashable, user: object, make: Callable[[], ServerAdapter]) -> ServerAdapter:
    """The adapter for ``key``, made if nobody has one.

    Args:
        key: All that its connections depend on.
        user: Who sends over it, until `release`, or until it is collected.
        make: Makes one.
    """
    return _SHELF.lease(key, user, make)


def release(adapter: ServerAdapter, user: object) -> None:
    """``user`` needs it no more; the last one to say so closes it."""
    _SHELF.release(adapter, user)
