"""The record that candidates agree on, and the Lease it is kept in (CG/tools/leaderelection/resourcelock)."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dynkube.arguments import checked_methods, checked_text
from dynkube.errors import InvalidRequestError
from dynkube.labels import validate_label_key, validate_label_value
from dynkube.schema import GroupVersionResource, is_dns_label, is_dns_subdomain
from dynkube.transport import CancelToken

if TYPE_CHECKING:
    from dynkube.dynamic import DynamicClient
    from dynkube.events import EventRecorder

__all__ = ["LeaderElectionRecord", "LeaseLock", "Lock", "checked_lock", "default_identity"]

_LEASES = GroupVersionResource("coordination.k8s.io", "v1", "leases")


def default_identity() -> str:
    """A name for this candidate that no other has: the host's, and a random part (as client-go's users make it).

    Example:
        >>> default_identity() == default_identity()
        False
    """
    return f"{socket.gethostname()}_{uuid.uuid4()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElectionRecord:
    """Who leads, and for how long (resourcelock.LeaderElectionRecord): the spec of a Lease.

    Attributes:
        holder_identity: the leader; ``""`` where it has let go.
        lease_duration_seconds: whole seconds that others wait after the record has last changed.
        acquire_time: when this leader began (RFC 3339, microseconds); for people only.
        renew_time: when it last renewed; for people only.
        leader_transitions: how often another one has taken over.
        preferred_holder: who is to have it next, in coordinated elections.
        strategy: how coordinated elections choose.
    """

    holder_identity: str = ""
    lease_duration_seconds: int = 0
    acquire_time: str = ""
    renew_time: str = ""
    leader_transitions: int = 0
    preferred_holder: str = ""
    strategy: str = ""

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> LeaderElectionRecord:
        """The record in a Lease's ``spec``; what is missing there is empty.

        Example:
            >>> LeaderElectionRecord.from_spec({"holderIdentity": "a", "leaseDurationSeconds": 15}).holder_identity
            'a'
        """
        values = {field: spec.get(key) for field, key in _FIELDS.items()}
        return cls(**{field: value for field, value in values.items() if value is not None})

    def to_spec(self) -> dict[str, Any]:
        """The ``spec`` of a Lease with this record."""
        spec = {key: getattr(self, field) for field, key in _FIELDS.items()}
        return {key: value for key, value in spec.items() if value or key in _ALWAYS}


_FIELDS = {
    "holder_identity": "holderIdentity",
    "lease_duration_seconds": "leaseDurationSeconds",
    "acquire_time": "acquireTime",
    "renew_time": "renewTime",
    "leader_transitions": "leaseTransitions",
    "preferred_holder": "preferredHolder",
    "strategy": "strategy",
}
_ALWAYS = ("holderIdentity", "leaseDurationSeconds", "leaseTransitions")


class Lock(Protocol):
    """Where a record is kept; `LeaseLock` is one. A `LeaderElector` uses it from one thread."""

    @property
    def name(self) -> str:
        """What logs and metrics call it."""

    @property
    def identity(self) -> str:
        """The name of this candidate."""

    def get(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> LeaderElectionRecord:
        """Read the record, and remember its version; `NotFoundError` where there is none."""

    def create(
        self, record: LeaderElectionRecord, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> None:
        """Make the record, if there is none."""

    def update(
        self, record: LeaderElectionRecord, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> None:
        """Replace the version that was last read or written; an error where somebody else was quicker."""

    def record_event(self, message: str) -> None:
        """Tell users of the cluster that something has happened."""


def checked_lock(lock: Lock) -> Lock:
    """A `Lock`, of ours or anybody's.

    Raises:
        InvalidRequestError: it lacks a method that one has, or its identity is empty.
    """
    checked_methods("lock", lock, "a Lock, such as a LeaseLock", "get", "create", "update", "record_event")
    _check_identity(lock.identity)
    return lock


class LeaseLock:
    """A record in a Lease (resourcelock.LeaseLock); client-go has no other kind any more.

    Args:
        client: the client to speak through.
        name: the Lease's name. It is made when it is first needed.
        namespace: the Lease's namespace; the client's own by default.
        identity: the name of this candidate: see `default_identity`.
        labels: labels for the Lease; those that it has besides stay.
        recorder: records an event on the Lease when leadership begins and ends.

    Raises:
        InvalidRequestError: a name, identity or label that can be none, no client, or no recorder.

    Example:
        >>> import dynkube
        >>> client = dynkube.DynamicClient(dynkube.RESTConfig(host="https://127.0.0.1:6443"))
        >>> LeaseLock(client, "widgets", "shop", identity="one")
        LeaseLock('shop/widgets', identity='one')
        >>> client.close()
    """

    def __init__(
        self,
        client: DynamicClient,
        name: str,
        namespace: str = "",
        *,
        identity: str,
        labels: Mapping[str, str] | None = None,
        recorder: EventRecorder | None = None,
    ) -> None:
        checked_methods("client", client, "a DynamicClient", "resource")
        if recorder is not None:
            checked_methods("recorder", recorder, "an EventRecorder", "event")
        _check_identity(identity)
        self._namespace = namespace or client.config.namespace or "default"
        _check_name("namespace", self._namespace, is_dns_label)
        _check_name("name", name, is_dns_subdomain)
        self._leases = client.resource(_LEASES).namespace(self._namespace)
        self._lease_name = name
        self._labels = _checked_labels(labels)
        self._recorder = recorder
        self._lease: dict[str, Any] | None = None
        self.identity = identity
        self.name = f"{self._namespace}/{name}"

    def get(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> LeaderElectionRecord:
        """Read the Lease.

        Args:
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Raises:
            NotFoundError: there is none.
        """
        self._lease = self._leases.get(self._lease_name, timeout=timeout, cancel=cancel)
        return LeaderElectionRecord.from_spec(self._lease.get("spec") or {})

    def create(
        self, record: LeaderElectionRecord, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> None:
        """Create the Lease.

        Args:
            record: what it says.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Raises:
            AlreadyExistsError: somebody else was quicker.
        """
        metadata: dict[str, Any] = {"name": self._lease_name, "namespace": self._namespace}
        if self._labels:
            metadata["labels"] = self._labels
        lease = {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": record.to_spec(),
        }  # fmt: skip
        self._lease = self._leases.create(lease, timeout=timeout, cancel=cancel)

    def update(
        self, record: LeaderElectionRecord, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> None:
        """Replace the Lease that was last read or written.

        Args:
            record: what it is to say.
            timeout: seconds for the whole call.
            cancel: a token that ends the call.

        Raises:
            ConflictError: somebody else has changed it since.
            InvalidRequestError: it has never been read or written.
        """
        if self._lease is None:
            raise InvalidRequestError("the lease has not been read yet: call get or create first")
        lease = deepcopy(self._lease)
        lease["spec"] = record.to_spec()
        if self._labels:
            lease["metadata"]["labels"] = {**(lease["metadata"].get("labels") or {}), **self._labels}
        self._lease = self._leases.update(lease, timeout=timeout, cancel=cancel)

    def record_event(self, message: str) -> None:
        """Record an event on the Lease, if there is a recorder."""
        if self._recorder is not None and self._lease is not None:
            self._recorder.event(self._lease, "Normal", "LeaderElection", f"{self.identity} {message}")

    def __repr__(self) -> str:
        return f"LeaseLock({self.name!r}, identity={self.identity!r})"


def _check_identity(identity: object) -> None:
    if not checked_text("identity", identity):
        raise InvalidRequestError("identity: it is empty; default_identity() makes one")


def _check_name(argument: str, name: object, is_one: Callable[[str], bool]) -> None:
    """The server would refuse the Lease each time, and the candidate try again for ever."""
    if not isinstance(name, str) or not is_one(name):
        raise InvalidRequestError(
            f"{argument}: want a name of lower case letters, digits and '-', such as 'shop-controller', got {name!r}"
        )


def _checked_labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise InvalidRequestError(f"labels: want a dict of text to text, got {labels!r}")
    return {
        validate_label_key(key, "labels: the key"): validate_label_value(value, f"labels: the value of {key!r}")
        for key, value in labels.items()
    }
