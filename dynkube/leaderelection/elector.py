"""The candidate: acquire, renew, let go (CG/tools/leaderelection/leaderelection.go)."""

from __future__ import annotations

import logging
import math
import random as _random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from queue import SimpleQueue

from dynkube.arguments import checked_function, checked_seconds, checked_text
from dynkube.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    DynkubeError,
    InvalidRequestError,
    NotFoundError,
)
from dynkube.leaderelection.lock import LeaderElectionRecord, Lock, checked_lock
from dynkube.observers import LeaderChange, Observer, checked_observers, notify
from dynkube.polling import jitter
from dynkube.quantities import format_micro_time
from dynkube.transport import CallScope, CancelToken

__all__ = ["LeaderElector"]

_log = logging.getLogger("dynkube.leaderelection")

JITTER_FACTOR = 1.2


class LeaderElector:
    """A candidate that leads while it holds a lock.

    Args:
        lock: what all candidates compete for.
        lease_duration: whole seconds that the others wait after the leader's last renewal before one takes over.
        renew_deadline: seconds from the first try to renew, after which the leader stops if none has succeeded.
        retry_period: seconds between tries; those who wait take up to 1.2 times longer, by chance.
        on_started_leading: the work. It is called on a thread of its own, with a `CancelToken` that is cancelled when
            the leadership ends. It may return and stay the leader. What it raises ends `run`, SystemExit included.
        on_stopped_leading: called without arguments when `run` ends, **even if it has never led**.
        on_new_leader: called with the name of each leader that is seen, this one included, in order, on a thread of its
            own.
        release_on_cancel: when `run` is cancelled or interrupted, wait for the work to end, and let go, so that another
            can take over at once. Work that does not end within the lease keeps it until it runs out.
        name: what metrics and logs call the election; the lock's name by default.
        observers: who is told when the leadership begins and ends: ``config.observers``, for one.
        clock: seconds, only ever rising.
        now: the time of day, for what is written into the lease.
        random: numbers from 0 to 1, for the jitter.
        wait: waits on a token for a number of seconds.

    Raises:
        InvalidRequestError: times that do not go together, a function that is missing or takes something else, no lock
            with an identity, or no observers.

    Example:
        >>> from dynkube.leaderelection import LeaderElector
        >>> def start(lock):
        ...     elector = LeaderElector(lock, on_started_leading=print, on_stopped_leading=print)
        ...     elector.run()  # blocks until the leadership is lost
    """

    def __init__(
        self,
        lock: Lock,
        *,
        lease_duration: int = 15,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
        on_started_leading: Callable[[CancelToken], object],
        on_stopped_leading: Callable[[], object],
        on_new_leader: Callable[[str], object] | None = None,
        release_on_cancel: bool = False,
        name: str = "",
        observers: Iterable[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[], float] = _random.random,
        wait: Callable[[CancelToken, float], object] = CancelToken.wait,
    ) -> None:
        _check_times(lease_duration, renew_deadline, retry_period)
        checked_text("name", name)
        self._lock = checked_lock(lock)
        self._lease_duration = lease_duration
        self._renew_deadline = renew_deadline
        self._retry_period = retry_period
        self._on_started = checked_function("on_started_leading", on_started_leading, "leading")
        self._on_stopped = checked_function("on_stopped_leading", on_stopped_leading)
        if on_new_leader is not None:
            checked_function("on_new_leader", on_new_leader, "leader")
        self._on_new_leader = on_new_leader
        self._release_on_cancel = release_on_cancel
        self.name = name or lock.name
        self._observers = checked_observers(observers)
        self._clock, self._now = checked_function("clock", clock), checked_function("now", now)
        self._random = checked_function("random", random)
        self._wait = checked_function("wait", wait, "token", "seconds")
        # One request may not use up the time in which several must be possible (resourcelock.NewFromKubeconfig).
        self._request_timeout = max(1.0, renew_deadline / 2)
        self._observed = LeaderElectionRecord()
        self._observed_at = clock()
        self._leads_until: float | None = None  # from when the last renewal was sent; None when it does not lead
        self._reported = ""
        self._running = threading.Lock()

    # ---------------------------------------------------------------- looking

    @property
    def identity(self) -> str:
        """The name of this candidate."""
        return self._lock.identity

    @property
    def leader(self) -> str:
        """The leader that was last seen; ``""`` where none was."""
        return self._observed.holder_identity

    @property
    def is_leader(self) -> bool:
        """Whether this candidate leads, and its lease has not run out: by the clock, at this moment."""
        until = self._leads_until
        return until is not None and self._clock() < until

    def is_healthy(self, tolerance: float = 0.0) -> bool:
        """False if it should have stopped leading and has not: for a liveness probe (LeaderElector.Check).

        Args:
            tolerance: seconds after the end of its lease for which it still counts as healthy.

        Raises:
            InvalidRequestError: the tolerance is no number of 0 or more.
        """
        checked_seconds("tolerance", tolerance)
        until = self._leads_until
        return until is None or self._clock() <= until + tolerance

    # ---------------------------------------------------------------- running

    def run(self, *, cancel: CancelToken | None = None) -> None:
        """Wait for the lock, lead while it can be renewed, and return when the leadership has ended.

        Call it again to be a candidate again. Errors of the server do not end it: it tries again.

        Ctrl-C ends it as ``cancel`` does: the work is told to end and waited for, the lease released if it is to be,
        and then KeyboardInterrupt goes up. A second Ctrl-C ends that wait. A signal handler that calls `sys.exit` on
        this thread does the same, with SystemExit.

        Args:
            cancel: a token that ends it, in any state.

        Raises:
            InvalidRequestError: it is running already, or ``cancel`` is no token.
            KeyboardInterrupt: Ctrl-C.
            BaseException: what ``on_started_leading`` raised, SystemExit included.
        """
        CallScope(cancel=cancel)  # says what is no token
        if not self._running.acquire(blocking=False):
            raise InvalidRequestError(f"{self.name}: this elector is running already")
        stop = CancelToken()
        unsubscribe = cancel.subscribe(stop.cancel) if cancel is not None else _nothing
        teller = _Teller(self._on_new_leader, self.name) if self._on_new_leader is not None else None
        try:
            self._run(stop, teller)
        finally:
            unsubscribe()
            if teller is not None:
                teller.close()
            self._leads_until = None
            self._running.release()
            self._on_stopped()

    def _run(self, stop: CancelToken, teller: _Teller | None) -> None:
        if not self._acquire(stop, teller):
            return
        work = _Work(self._on_started, stop, self.name)
        try:
            self._tell(leading=True)
            self._renew(stop, teller)
            cancelled = stop.cancelled
            work.token.cancel()
            if cancelled:
                self._let_go(work)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if not stop.cancelled:  # else it ends the wait for the work
                self._let_go_after(interrupt, stop, work)
            raise
        finally:
            work.token.cancel()
            self._leads_until = None
            self._tell(leading=False)
        if work.error is not None:
            raise work.error

    def _acquire(self, stop: CancelToken, teller: _Teller | None) -> bool:
        _log.info("%s: %s waits to become the leader", self.name, self.identity)
        while not stop.cancelled:
            succeeded = self._try(stop)
            self._report(teller)
            if succeeded:
                return True
            self._wait(stop, jitter(self._retry_period, JITTER_FACTOR, random=self._random))
        return False

    def _renew(self, stop: CancelToken, teller: _Teller | None) -> None:
        """Until the lease cannot be renewed, or ``stop`` is cancelled."""
        while not stop.cancelled:
            self._wait(stop, self._retry_period)
            renewed = self._renew_in_time(stop)
            self._report(teller)
            if not renewed:
                return

    def _renew_in_time(self, stop: CancelToken) -> bool:
        """False when the leadership is lost, or ``stop`` cancelled."""
        give_up = self._clock() + self._renew_deadline
        while not stop.cancelled:
            deadline = min(give_up, self._leads_until or 0.0)
            if self._clock() >= deadline:
                return False
            if self._try(stop, deadline):
                return True
            if self._leads_until is not None:
                self._wait(stop, max(0.0, min(self._retry_period, deadline - self._clock())))
        return False

    # ---------------------------------------------------------------- one try

    def _try(self, stop: CancelToken, deadline: float = math.inf) -> bool:
        """Acquire or renew, once (tryAcquireOrRenew)."""
        try:
            return self._try_fast(stop, deadline) or self._try_slow(stop, deadline)
        except (AlreadyExistsError, ConflictError) as error:
            _log.debug("%s: somebody else was quicker: %s", self.name, error)
        except DynkubeError as error:
            if not stop.cancelled:
                _log.warning("%s: %s could not acquire or renew the lease: %s", self.name, self.identity, error)
        return False

    def _try_fast(self, stop: CancelToken, deadline: float) -> bool:
        """A leader writes without reading first: nobody else can have written since."""
        if not self.is_leader:
            return False
        try:
            self._write(self._renewal(self._observed), self._lock.update, stop, deadline)
        except DynkubeError as error:
            if stop.cancelled:
                raise
            _log.debug("%s: the lease has changed, or the server did not answer: %s", self.name, error)
            return False
        return True

    def _try_slow(self, stop: CancelToken, deadline: float) -> bool:
        try:
            record = self._lock.get(timeout=self._timeout(deadline), cancel=stop)
        except NotFoundError:
            self._write(self._new_record(0), self._lock.create, stop, deadline)
            return True
        if record != self._observed:
            self._observe(record)
        if record.holder_identity == self.identity:
            self._write(self._renewal(record), self._lock.update, stop, deadline)
            return True
        if self._leads_until is not None:
            self._leads_until = None  # another has it; client-go goes on for the rest of its renew deadline
            return False
        if record.holder_identity and not self._has_run_out():
            _log.debug("%s: the lease is held by %s", self.name, record.holder_identity)
            return False
        self._write(self._new_record(record.leader_transitions + 1), self._lock.update, stop, deadline)
        return True

    def _write(
        self, record: LeaderElectionRecord, write: Callable[..., None], stop: CancelToken, deadline: float
    ) -> None:
        sent = self._clock()
        write(record, timeout=self._timeout(deadline), cancel=stop)
        self._observe(record)
        self._leads_until = sent + self._lease_duration

    def _timeout(self, deadline: float) -> float:
        left = deadline - self._clock()
        if left <= 0:
            raise DeadlineExceededError(f"{self.name}: no time is left for another request")
        return min(self._request_timeout, left)

    def _observe(self, record: LeaderElectionRecord) -> None:
        """Take note of a record that differs from the last one: only then does its time begin anew."""
        self._observed = record
        self._observed_at = self._clock()

    def _has_run_out(self) -> bool:
        return self._clock() >= self._observed_at + self._observed.lease_duration_seconds

    def _new_record(self, transitions: int) -> LeaderElectionRecord:
        now = format_micro_time(self._now())
        return LeaderElectionRecord(
            holder_identity=self.identity,
            lease_duration_seconds=self._lease_duration,
            acquire_time=now,
            renew_time=now,
            leader_transitions=transitions,
        )

    def _renewal(self, record: LeaderElectionRecord) -> LeaderElectionRecord:
        return LeaderElectionRecord(
            holder_identity=self.identity,
            lease_duration_seconds=self._lease_duration,
            acquire_time=record.acquire_time,
            renew_time=format_micro_time(self._now()),
            leader_transitions=record.leader_transitions,
        )

    # ---------------------------------------------------------------- the end

    def _let_go(self, work: _Work) -> None:
        """After a cancel: wait for the work while the lease lasts, and release what is not needed any more."""
        if self._leads_until is None:
            return
        ended = work.ended.wait(max(0.0, self._leads_until - self._clock()))
        if not self._release_on_cancel:
            return
        if ended:
            self._release()
        else:
            _log.warning("%s: the work goes on although it was cancelled; the lease is left to run out", self.name)

    def _let_go_after(self, interrupt: BaseException, stop: CancelToken, work: _Work) -> None:
        """As after a cancel; whoever waits at the keyboard is told for what."""
        reason = type(interrupt).__name__
        _log.warning("%s: %s: waits for the work to end; another one ends the wait", self.name, reason)
        stop.cancel()
        work.token.cancel()
        self._let_go(work)

    def _release(self) -> None:
        """Name no holder, for one second, so that the next one need not wait (LeaderElector.release)."""
        try:
            record = self._lock.get(timeout=self._request_timeout)
            # client-go looks at what it saw last, and can so take the lease away from another who has just got it.
            if record.holder_identity != self.identity:
                return
            now = format_micro_time(self._now())
            released = LeaderElectionRecord(
                lease_duration_seconds=1,
                acquire_time=now,
                renew_time=now,
                leader_transitions=record.leader_transitions,
            )
            self._lock.update(released, timeout=self._request_timeout)
            self._observe(released)
        except DynkubeError as error:
            _log.warning("%s: %s could not release the lease: %s", self.name, self.identity, error)

    # ---------------------------------------------------------------- telling

    def _report(self, teller: _Teller | None) -> None:
        leader = self._observed.holder_identity
        if leader != self._reported:
            self._reported = leader
            if teller is not None:
                teller.tell(leader)

    def _tell(self, *, leading: bool) -> None:
        _log.info("%s: %s %s", self.name, self.identity, "became leader" if leading else "stopped leading")
        self._lock.record_event("became leader" if leading else "stopped leading")
        change = LeaderChange(name=self.name, identity=self.identity, leading=leading)
        notify(self._observers, lambda observer: observer.on_leader_change, change)

    def __repr__(self) -> str:
        return f"LeaderElector({self.name!r}, identity={self.identity!r}, is_leader={self.is_leader})"


class _Work:
    """``on_started_leading`` on a thread of its own, which does not hold up the interpreter's end."""

    def __init__(self, function: Callable[[CancelToken], object], stop: CancelToken, name: str) -> None:
        self.token = CancelToken()
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._function = function
        self._stop = stop
        self._unsubscribe = stop.subscribe(self.token.cancel)
        threading.Thread(target=self._run, name=f"dynkube-leader {name}", daemon=True).start()

    def _run(self) -> None:
        try:
            self._function(self.token)
        except BaseException as error:  # noqa: BLE001 - run() raises it; a leader that does nothing leads for ever
            if self.token.cancelled:  # or is over already
                _log.exception("on_started_leading failed after its leadership had ended")
            elif not isinstance(error, Exception):
                _log.error("on_started_leading ended in %r: so does its leadership", error)  # threads hide SystemExit
            self.error = error
            self._stop.cancel()
        finally:
            self._unsubscribe()
            self.ended.set()


class _Teller:
    """``on_new_leader`` on a thread of its own, which begins with the first leader and ends with `close`."""

    def __init__(self, function: Callable[[str], object], name: str) -> None:
        self._function = function
        self._name = name
        self._leaders: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def tell(self, leader: str) -> None:
        self._leaders.put(leader)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"dynkube-new-leader {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._leaders.put(None)

    def _run(self) -> None:
        while (leader := self._leaders.get()) is not None:
            try:
                self._function(leader)
            except BaseException:  # noqa: BLE001 - others' code; the next leader is told all the same
                _log.exception("%s: on_new_leader failed", self._name)


def _check_times(lease_duration: int, renew_deadline: float, retry_period: float) -> None:
    """client-go's checks (NewLeaderElector)."""
    for name, value in (
        ("lease_duration", lease_duration), ("renew_deadline", renew_deadline), ("retry_period", retry_period),
    ):  # fmt: skip
        checked_seconds(name, value, above=0)
    if not isinstance(lease_duration, int):
        raise InvalidRequestError(f"lease_duration: a lease lasts whole seconds, got {lease_duration!r}")
    if lease_duration <= renew_deadline:
        raise InvalidRequestError("lease_duration: must be greater than renew_deadline")
    if renew_deadline <= retry_period * JITTER_FACTOR:
        raise InvalidRequestError(f"renew_deadline: must be greater than retry_period * {JITTER_FACTOR}")


def _nothing() -> None:
    """Undo nothing."""
