"""A clock that goes on where a candidate waits, and a lock in memory that breaks on request."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

from dynkube.errors import AlreadyExistsError, ConflictError, ConnectionLostError, NotFoundError
from dynkube.leaderelection import LeaderElectionRecord


def status(error, reason, code):
    return error({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason})


class Time:
    """Seconds; the day of time is written into leases, and nobody must go by it."""

    def __init__(self):
        self.now = 1000.0
        self.day = datetime(2026, 1, 1, tzinfo=UTC)
        self.waits = []
        self.at_wait = lambda: None

    def __call__(self):
        return self.now

    def wait(self, token, seconds):
        self.waits.append(round(seconds, 6))
        self.now += seconds
        self.at_wait()


class Cluster:
    """One record with a version, as a server has it, and what was asked of it."""

    def __init__(self):
        self.record = None
        self.version = 0
        self.requests = []
        self.at = {}  # number of the request -> what happens then
        self.lock = threading.Lock()

    def happen(self, verb, timeout):
        self.requests.append(verb)
        self.timeout = timeout
        self.at.pop(len(self.requests), lambda: None)()

    def put(self, **fields):
        """Somebody else writes."""
        base = self.record or LeaderElectionRecord()
        self.record = replace(base, **fields)
        self.version += 1


class MemoryLock:
    def __init__(self, cluster, identity="baz"):
        self.cluster, self.identity, self.name = cluster, identity, "foo/bar"
        self.events, self.seen = [], None

    def get(self, *, timeout=None, cancel=None):
        self.cluster.happen("get", timeout)
        if self.cluster.record is None:
            raise status(NotFoundError, "NotFound", 404)
        self.seen = self.cluster.version
        return self.cluster.record

    def create(self, record, *, timeout=None, cancel=None):
        self.cluster.happen("create", timeout)
        if self.cluster.record is not None:
            raise status(AlreadyExistsError, "AlreadyExists", 409)
        self._write(record)

    def update(self, record, *, timeout=None, cancel=None):
        self.cluster.happen("update", timeout)
        if self.seen != self.cluster.version:
            raise status(ConflictError, "Conflict", 409)
        self._write(record)

    def _write(self, record):
        self.cluster.record = record
        self.cluster.version += 1
        self.seen = self.cluster.version

    def record_event(self, message):
        self.events.append(message)


def lost():
    raise ConnectionLostError("the connection was lost")
