"""One credential for a whole process, fetched by one thread at a time and kept until its time is over: `Renewal`."""

from __future__ import annotations

import copy
import itertools
import logging
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from dynkube.errors import CredentialError
from dynkube.forks import renew_in_child
from dynkube.transport import CallScope, Credential

__all__ = ["Lease", "Renewal"]

_log = logging.getLogger("dynkube.credentials")

FAILED_EARLY = 5.0
"""Seconds before another attempt to renew a credential that is still good."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A credential, and how long it may be used.

    Attributes:
        credential: The credential.
        renew_at: When to fetch the next one, in seconds of the clock; infinity for when the server refuses this one.
        expires_at: When it is of no use any more.
    """

    credential: Credential
    renew_at: float = float("inf")
    expires_at: float = float("inf")


class _Flight:
    """A fetch under way: one thread leads it, the others wait for what comes of it."""

    def __init__(self) -> None:
        self.waiting: set[threading.Event] = set()
        self.credential: Credential | None = None
        self.error: CredentialError | None = None


class Renewal(ABC):
    """A source of credentials (`dynkube.transport.CredentialSource`) that fetches the next one when it is time.

    Threads that need it meanwhile wait for the one that fetches, each for as long as its own call may take; where the
    fetching thread is interrupted, another one takes over. A failure is theirs, too. While the credential is still
    good nobody waits: only the one thread that renews it early does, and its failure is logged.

    Args:
        what: For log messages.
        clock: Seconds since 1970.
    """

    def __init__(self, what: str, *, clock: Callable[[], float] = time.time) -> None:
        self._what = what
        self._clock = clock
        self._serials = itertools.count(1)
        self._held: Lease | None = None
        self._listeners: list[weakref.WeakMethod[Callable[[Credential], object]]] = []
        self.renew_after_fork()
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """In a forked child: nobody fetches there, whatever the parent's threads were doing."""
        self._lock = threading.Lock()
        self._flight: _Flight | None = None

    @abstractmethod
    def _fetch(self, rejected: Credential | None, scope: CallScope) -> Lease:
        """Get a credential; one thread at a time is in here.

        Args:
            rejected: The one that the server refused, if that is the reason.
            scope: Ends the attempt.

        Raises:
            CredentialError: It cannot be had.
        """

    # ------------------------------------------------------------- what transports ask

    def current(self) -> Credential | None:
        """The credential, where it can be had at once."""
        held = self._held
        return held.credential if held is not None and self._clock() < held.renew_at else None

    def obtain(self, scope: CallScope) -> Credential:
        """The credential, whatever it takes to get it.

        Raises:
            CredentialError: It cannot be had.
            CancelledError: The scope's token was cancelled.
            DeadlineExceededError: The scope's deadline passed.
        """
        return self._get(None, scope)

    def renew(self, rejected: Credential, scope: CallScope) -> Credential:
        """Another credential than one that the server refused, unless there is none; see `obtain`."""
        return self._get(rejected, scope)

    def listen(self, listener: Callable[[Credential], object]) -> None:
        """Have a bound method called when the client certificate has changed, for as long as its object lives."""
        with self._lock:
            self._listeners = [each for each in self._listeners if each() is not None]
            self._listeners.append(weakref.WeakMethod(listener))

    # ------------------------------------------------------------- one flight at a time

    def _get(self, rejected: Credential | None, scope: CallScope) -> Credential:
        while True:
            scope.check()
            mine, woken = _Flight(), threading.Event()
            try:
                with self._lock:
                    found = self._usable(rejected)
                    if found is not None:
                        return found
                    flight = self._flight
                    if flight is None:
                        self._flight = flight = mine
                    flight.waiting.add(woken)
                if flight is mine:
                    return self._lead(mine, rejected, scope)
            finally:
                # However it ended: a Ctrl-C may come between any two steps, and the others must not wait for ever.
                if self._flight is mine:
                    self._land(mine, None, None)
            with scope.guard(woken.set):
                woken.wait()
            if flight.error is not None:
                raise copy.copy(flight.error)
            if flight.credential is not None:
                return flight.credential
            # Its leader was interrupted: look again, and perhaps lead.

    def _usable(self, rejected: Credential | None) -> Credential | None:
        """The credential that is held, if it will do."""
        held, now = self._held, self._clock()
        if held is None or held.credential is rejected or now >= held.expires_at:
            return None
        # Once its time has come one thread renews it, and to the others it is good until it expires.
        return held.credential if now < held.renew_at or self._flight is not None or rejected is not None else None

    def _lead(self, flight: _Flight, rejected: Credential | None, scope: CallScope) -> Credential:
        before = self._held
        try:
            lease = self._fetch(rejected, scope)
            lease = replace(lease, credential=replace(lease.credential, serial=next(self._serials)))
            if before is not None and before.credential.same_as(lease.credential):
                lease = replace(lease, credential=before.credential)
        except CredentialError as error:
            postponed = self._postponed(before) if rejected is None else None
            if postponed is None:
                self._land(flight, None, error)
                raise
            _log.warning("%s: cannot be renewed yet, the last credential stays in use: %s", self._what, error)
            self._land(flight, postponed, None)
            return postponed.credential
        self._land(flight, lease, None)
        if before is not None and not before.credential.same_certificate(lease.credential):
            self._tell(lease.credential)
        return lease.credential

    def _postponed(self, held: Lease | None) -> Lease | None:
        """The lease that is held, to be renewed a little later; None when it is over."""
        now = self._clock()
        if held is None or now >= held.expires_at:
            return None
        return replace(held, renew_at=min(now + FAILED_EARLY, held.expires_at))

    def _land(self, flight: _Flight, lease: Lease | None, error: CredentialError | None) -> None:
        with self._lock:
            if lease is not None:
                self._held = lease
                flight.credential = lease.credential
            flight.error = error
            if self._flight is flight:
                self._flight = None
            waiting = list(flight.waiting)
        for woken in waiting:
            woken.set()

    def _tell(self, credential: Credential) -> None:
        with self._lock:
            listeners = [each() for each in self._listeners]
        for listener in listeners:
            if listener is None:
                continue
            try:
                listener(credential)
            except Exception:  # noqa: BLE001 - the others still want to know
                _log.exception("%s: a client could not take the new client certificate", self._what)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._what}>"
