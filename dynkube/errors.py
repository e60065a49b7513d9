"""Every error dynkube raises on purpose.

::

    DynkubeError
    ├── ConfigError                       kubeconfig, in-cluster or RESTConfig is unusable
    │   ├── KubeconfigNotFoundError       (also FileNotFoundError) an explicit path is missing
    │   ├── InvalidConfigError            one or several problems, in ``.problems``
    │   │   └── ContextNotFoundError      the chosen context does not exist
    │   ├── EmptyConfigError              nothing configures a server
    │   └── NotInClusterError             no service account environment here
    ├── InvalidRequestError               (also ValueError) refused before any I/O
    ├── TransportError                    no complete HTTP response came back
    │   ├── ConnectError                  refused, unreachable, unknown host, proxy
    │   │   └── TLSError                  handshake or certificate verification failed
    │   ├── RequestTimeoutError           connect or read timed out (not the caller's deadline)
    │   ├── ConnectionLostError           reset, EOF or broken in the middle
    │   ├── CredentialError               not sent: its credential could not be had
    │   │   └── ExecPluginError           the plugin that gives it: ``.command``, ``.exit_code``, ``.stderr``
    │   └── UpgradeError                  the server does not speak the protocol that a stream needs
    ├── DecodeError                       bytes that are not what they claim to be
    │   └── FrameTooLargeError            one watch frame above the limit
    ├── DeadlineExceededError             (also TimeoutError) the caller's ``timeout=`` ran out
    ├── CancelledError                    the caller's ``cancel=`` was set
    ├── ClosedError                       the client or stream was closed
    ├── APIStatusError                    the server answered with a failure ``Status``
    │   └── one subclass per reason       NotFoundError, ConflictError, ...
    ├── DiscoveryError                    discovery failed
    │   └── PartialDiscoveryError         some group versions failed: ``.failures``, ``.resource_map``
    ├── NoMatchError                      no such resource or kind
    │   ├── NoResourceMatchError
    │   └── NoKindMatchError
    ├── AmbiguousMatchError               several resources or kinds fit: ``.candidates``
    │   ├── AmbiguousResourceError
    │   └── AmbiguousKindError
    ├── InformerError                     an informer or its store was asked for what it cannot do
    │   ├── UnknownIndexError             (also LookupError) no index of this name
    │   ├── IndexConflictError            an index of this name is there already
    │   ├── InformerStoppedError          it has stopped: it does not start again and takes no handler
    │   ├── NotWatchableError             the resource has no list, or no watch
    │   └── MutatedObjectError            debug mode: somebody changed an object of the store: ``.key``
    ├── WatchClosedError                  a watch ended before what was waited for
    ├── WorkloadError                     a verb for workloads does not fit the object as it is; in kubectl's words
    │   ├── RolloutError                  a rollout that failed, or was refused
    │   ├── ScalePreconditionError        ``.precondition``, ``.expected``, ``.actual``
    │   ├── ExposeError                   no service can be made of it
    │   └── DrainError                    pods that may not, or could not be taken off: ``.pending``, ``.errors``
    │       └── DrainTimeoutError         (also DeadlineExceededError) they were not gone in time
    ├── StreamError                       a command, copy or forwarded port that does not work
    │   ├── CommandExitError              it ended with another code than 0: ``.exit_code``, ``.stdout``, ``.stderr``
    │   ├── CopyError                     ``tar`` in the container, or what it sent
    │   ├── PodNotRunningError            the pod has ended, or does not run in time
    │   └── PortForwardError              a port that cannot be listened on, or not be reached: ``.port``
    ├── TerminalError                     raised by a controller's ``reconcile``: do not try again
    └── AggregateError                    several errors at once: ``.errors``

The reasons and their texts are those of apimachinery's ``pkg/api/errors`` and
``pkg/apis/meta/v1`` (StatusReason).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

__all__ = [
    "REASON_OF_CODE",
    "STATUS_ERRORS",
    "APIStatusError",
    "AggregateError",
    "AlreadyExistsError",
    "AmbiguousKindError",
    "AmbiguousMatchError",
    "AmbiguousResourceError",
    "ApplyConflict",
    "BadRequestError",
    "CancelledError",
    "ClosedError",
    "CommandExitError",
    "ConfigError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "ContextNotFoundError",
    "CopyError",
    "CredentialError",
    "DeadlineExceededError",
    "DecodeError",
    "DiscoveryError",
    "DrainError",
    "DrainTimeoutError",
    "DynkubeError",
    "EmptyConfigError",
    "ExecPluginError",
    "ExpiredError",
    "ExposeError",
    "ForbiddenError",
    "FrameTooLargeError",
    "GoneError",
    "IndexConflictError",
    "InformerError",
    "InformerStoppedError",
    "InternalServerError",
    "InvalidConfigError",
    "InvalidError",
    "InvalidRequestError",
    "KubeconfigNotFoundError",
    "MethodNotAllowedError",
    "MutatedObjectError",
    "NoKindMatchError",
    "NoMatchError",
    "NoResourceMatchError",
    "NotAcceptableError",
    "NotFoundError",
    "NotInClusterError",
    "NotWatchableError",
    "PartialDiscoveryError",
    "PodNotRunningError",
    "PortForwardError",
    "RequestEntityTooLargeError",
    "RequestTimeoutError",
    "RolloutError",
    "ScalePreconditionError",
    "ServerTimeoutError",
    "ServiceUnavailableError",
    "StatusCause",
    "StoreReadError",
    "StreamError",
    "TLSError",
    "TerminalError",
    "TimeoutStatusError",
    "TooManyRequestsError",
    "TransportError",
    "UnauthorizedError",
    "UnknownIndexError",
    "UnsupportedMediaTypeError",
    "UpgradeError",
    "WatchClosedError",
    "WorkloadError",
    "find_status_error",
    "is_reason",
    "reason_of",
    "status_error_class",
    "suggests_client_delay",
]


class DynkubeError(Exception):
    """Root of every error that dynkube raises on purpose.

    ``partial`` is what a call had got when it failed, where the call says that it keeps that (an ``ExecResult`` of
    `dynkube.streams.exec_command`), else None.
    """

    partial: Any = None


# --------------------------------------------------------------------------- configuration


class ConfigError(DynkubeError):
    """The configuration cannot be used; the message names the file or field and the fix."""


class KubeconfigNotFoundError(ConfigError, FileNotFoundError):
    """An explicitly named kubeconfig does not exist (clientcmd's ExplicitPath)."""

    def __str__(self) -> str:
        # OSError.__str__ looks at errno and filename; the message is ours.
        return str(self.args[0]) if self.args else "kubeconfig not found"


class InvalidConfigError(ConfigError):
    """The configuration contradicts itself or names what is not there.

    ``problems`` holds each finding as text. The message is that of clientcmd's
    ``errConfigurationInvalid``: ``invalid configuration: <p>`` or, for several,
    ``invalid configuration: [<p>, <q>]``.
    """

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        text = self.problems[0] if len(self.problems) == 1 else "[" + ", ".join(self.problems) + "]"
        super().__init__(f"invalid configuration: {text}")


class ContextNotFoundError(InvalidConfigError):
    """The context asked for is in none of the kubeconfig files."""


class EmptyConfigError(ConfigError):
    """Nothing configures a server (clientcmd's ErrEmptyConfig)."""

    DEFAULT = (
        "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
    )

    def __init__(self, message: str = DEFAULT) -> None:
        super().__init__(message)


class NotInClusterError(ConfigError):
    """The service account environment of a pod is not here (rest.ErrNotInCluster)."""

    DEFAULT = (
        "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined"
    )

    def __init__(self, message: str = DEFAULT) -> None:
        super().__init__(message)


# --------------------------------------------------------------------------- requests


class InvalidRequestError(DynkubeError, ValueError):
    """The arguments can never make a valid request; nothing was sent."""


class TransportError(DynkubeError):
    """No complete HTTP response came back.

    ``method`` and ``url`` say what was asked (never with credentials).
    """

    def __init__(self, message: str, *, method: str = "", url: str = "") -> None:
        self.method = method
        self.url = url
        super().__init__(message)


class ConnectError(TransportError):
    """No connection: refused, unreachable, unknown host, or the proxy said no."""


class TLSError(ConnectError):
    """The TLS handshake failed, or the server's certificate is not trusted."""


class RequestTimeoutError(TransportError):
    """Connecting or reading took longer than the transport's own timeouts."""


class ConnectionLostError(TransportError):
    """The connection was reset or closed before the response was complete.

    ``response_started`` tells whether the status line had been read: before it,
    client-go calls this a "probable EOF" and may repeat a GET; after it, never.
    """

    def __init__(self, message: str, *, method: str = "", url: str = "", response_started: bool = False) -> None:
        self.response_started = response_started
        super().__init__(message, method=method, url=url)


class CredentialError(TransportError):
    """The request was not sent, since the credential for it could not be had or renewed.

    An error of its own, never a request without the credential. Whoever gives it (a plugin, an identity provider) may
    succeed the next time.
    """


class ExecPluginError(CredentialError):
    """An exec credential plugin failed, or gave what is no credential.

    ``command`` is the plugin as it is configured, ``exit_code`` what it ended with (None when it did not run to
    its end, negative for a signal), ``stderr`` the end of what it wrote there, with the secrets of its configuration
    masked.
    """

    def __init__(
        self,
        message: str,
        *,
        command: str = "",
        exit_code: int | None = None,
        stderr: str = "",
        method: str = "",
        url: str = "",
    ) -> None:
        self.command = command
        self.exit_code = exit_code
        self.stderr = stderr
        super().__init__(message, method=method, url=url)


class UpgradeError(TransportError):
    """The server, or something in between, does not speak the protocol that a stream needs.

    It answered a WebSocket's request as any other, or chose a subprotocol that was not offered.
    """


class DecodeError(DynkubeError):
    """Bytes that are not what they claim to be: JSON, gzip, a watch event, a kubeconfig."""


class FrameTooLargeError(DecodeError):
    """One watch frame is larger than the limit (16 MiB, as in client-go's framer)."""


class DeadlineExceededError(DynkubeError, TimeoutError):
    """The caller's ``timeout=`` (seconds, the whole call) ran out."""


class CancelledError(DynkubeError):
    """The caller's ``cancel=`` token was cancelled."""


class ClosedError(DynkubeError):
    """The client or stream has been closed."""


# --------------------------------------------------------------------------- API status


class StatusCause:
    """One entry of ``status.details.causes``: reason, message and field."""

    __slots__ = ("field", "message", "reason")

    def __init__(self, reason: str = "", message: str = "", field: str = "") -> None:
        self.reason = reason
        self.message = message
        self.field = field

    def __repr__(self) -> str:
        return f"StatusCause(reason={self.reason!r}, message={self.message!r}, field={self.field!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StatusCause):
            return NotImplemented
        return (self.reason, self.message, self.field) == (other.reason, other.message, other.field)

    def __hash__(self) -> int:
        return hash((self.reason, self.message, self.field))


class ApplyConflict(StatusCause):
    """A field that another manager owns, out of a server-side apply conflict.

    ``manager`` is the other manager's name, ``field`` the path it owns.
    """

    __slots__ = ("manager",)

    def __init__(self, manager: str, field: str, message: str) -> None:
        super().__init__("FieldManagerConflict", message, field)
        self.manager = manager

    def __repr__(self) -> str:
        return f"ApplyConflict(manager={self.manager!r}, field={self.field!r})"


class APIStatusError(DynkubeError):
    """The server answered with a failure.

    ``status`` is the ``Status`` object as a dict: the server's own where it sent
    one, else the generic one that client-go makes of the HTTP code. ``code`` and
    ``reason`` are the Status's, which may differ from ``http_status``
    (AM/api/errors/errors.go). ``method`` and ``path`` say what was asked; ``hint``
    what to do next, when dynkube knows.
    """

    reason_name: ClassVar[str] = ""
    """The Status reason that this class stands for."""

    def __init__(
        self,
        status: Mapping[str, Any],
        *,
        http_status: int = 0,
        method: str = "",
        path: str = "",
        hint: str = "",
    ) -> None:
        self.status: dict[str, Any] = dict(status)
        self.http_status = http_status or self.code
        self.method = method
        self.path = path
        self.hint = hint
        super().__init__(self.message)

    @property
    def code(self) -> int:
        """The Status's code (0 when it has none)."""
        code = self.status.get("code")
        return code if isinstance(code, int) else 0

    @property
    def reason(self) -> str:
        """The Status's reason, ``""`` when unknown."""
        return _text(self.status.get("reason"))

    @property
    def message(self) -> str:
        """The Status's message."""
        return _text(self.status.get("message"))

    @property
    def details(self) -> dict[str, Any]:
        """``status.details``: name, group, kind, uid, causes, retryAfterSeconds."""
        details = self.status.get("details")
        return details if isinstance(details, dict) else {}

    @property
    def causes(self) -> tuple[StatusCause, ...]:
        """``status.details.causes``; server-side apply conflicts come as `ApplyConflict`."""
        causes = self.details.get("causes")
        if not isinstance(causes, list):
            return ()
        return tuple(_cause(cause) for cause in causes if isinstance(cause, dict))

    @property
    def conflicts(self) -> tuple[ApplyConflict, ...]:
        """The fields that other managers own, out of a server-side apply conflict."""
        return tuple(cause for cause in self.causes if isinstance(cause, ApplyConflict))

    @property
    def retry_after_seconds(self) -> int:
        """``status.details.retryAfterSeconds``, 0 when absent."""
        seconds = self.details.get("retryAfterSeconds")
        return seconds if isinstance(seconds, int) and not isinstance(seconds, bool) else 0

    def has_cause(self, reason: str) -> bool:
        """Whether a cause with this reason is in the details (HasStatusCause)."""
        return any(cause.reason == reason for cause in self.causes)

    def __str__(self) -> str:
        asked = f" [{self.method} {self.path}]" if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.message or self.reason or f'HTTP {self.http_status}'}{asked}{hint}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code}, reason={self.reason!r}, message={self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"http_status": self.http_status, "method": self.method, "path": self.path, "hint": self.hint}
        return (_rebuild_status_error, (type(self), self.status, state))


class BadRequestError(APIStatusError):
    """400 BadRequest."""

    reason_name = "BadRequest"


class UnauthorizedError(APIStatusError):
    """401 Unauthorized: no credentials, or wrong ones."""

    reason_name = "Unauthorized"


class ForbiddenError(APIStatusError):
    """403 Forbidden: this user may not do that."""

    reason_name = "Forbidden"


class NotFoundError(APIStatusError):
    """404 NotFound."""

    reason_name = "NotFound"


class MethodNotAllowedError(APIStatusError):
    """405 MethodNotAllowed: the resource does not have this verb."""

    reason_name = "MethodNotAllowed"


class NotAcceptableError(APIStatusError):
    """406 NotAcceptable."""

    reason_name = "NotAcceptable"


class AlreadyExistsError(APIStatusError):
    """409 AlreadyExists. Not a `ConflictError`: only the reason tells them apart."""

    reason_name = "AlreadyExists"


class ConflictError(APIStatusError):
    """409 Conflict: the object changed meanwhile, or other managers own fields (``.conflicts``)."""

    reason_name = "Conflict"


class GoneError(APIStatusError):
    """410 Gone. An expired resourceVersion is an `ExpiredError`, which is no `GoneError`."""

    reason_name = "Gone"


class ExpiredError(APIStatusError):
    """410 Expired: the resourceVersion or continue token is too old."""

    reason_name = "Expired"

    @property
    def continue_token(self) -> str:
        """The token with which a paged list may go on with newer data, or ``""``.

        See AS/storage/etcd3/errors.go (handleCompactedErrorForPaging).
        """
        metadata = self.status.get("metadata")
        return _text(metadata.get("continue")) if isinstance(metadata, dict) else ""


class RequestEntityTooLargeError(APIStatusError):
    """413 RequestEntityTooLarge."""

    reason_name = "RequestEntityTooLarge"


class UnsupportedMediaTypeError(APIStatusError):
    """415 UnsupportedMediaType: for one, a strategic merge patch of a custom resource."""

    reason_name = "UnsupportedMediaType"


class InvalidError(APIStatusError):
    """422 Invalid: the object does not validate; ``.causes`` names the fields."""

    reason_name = "Invalid"


class TooManyRequestsError(APIStatusError):
    """429 TooManyRequests."""

    reason_name = "TooManyRequests"


class InternalServerError(APIStatusError):
    """500 InternalError."""

    reason_name = "InternalError"


class ServiceUnavailableError(APIStatusError):
    """503 ServiceUnavailable."""

    reason_name = "ServiceUnavailable"


class TimeoutStatusError(APIStatusError):
    """504 Timeout: the server gave up waiting, it may still be processing."""

    reason_name = "Timeout"


class ServerTimeoutError(APIStatusError):
    """500 ServerTimeout: try again later; nothing was done."""

    reason_name = "ServerTimeout"


class StoreReadError(APIStatusError):
    """500 StorageReadError: an object in the store cannot be decoded or decrypted."""

    reason_name = "StorageReadError"


# Which class a reason becomes; a reason that is not here is an APIStatusError.
STATUS_ERRORS: Mapping[str, type[APIStatusError]] = {
    cls.reason_name: cls
    for cls in (
        BadRequestError,
        UnauthorizedError,
        ForbiddenError,
        NotFoundError,
        MethodNotAllowedError,
        NotAcceptableError,
        AlreadyExistsError,
        ConflictError,
        GoneError,
        ExpiredError,
        RequestEntityTooLargeError,
        UnsupportedMediaTypeError,
        InvalidError,
        TooManyRequestsError,
        InternalServerError,
        ServiceUnavailableError,
        TimeoutStatusError,
        ServerTimeoutError,
        StoreReadError,
    )
}

# Which reason an HTTP code stands for when the Status names no known one.
REASON_OF_CODE: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}

# Reasons that count on the code alone, whatever the reason says (IsTooManyRequests,
# IsRequestEntityTooLargeError).
_CODE_ALONE = frozenset({"TooManyRequests", "RequestEntityTooLarge"})
# Reasons that count only by name (IsAlreadyExists, IsServerTimeout, IsResourceExpired, IsStoreReadError).
_NAME_ALONE = frozenset({"AlreadyExists", "ServerTimeout", "Expired", "StorageReadError"})


def status_error_class(reason: str, code: int) -> type[APIStatusError]:
    """The class for a Status: by its reason, else, where the reason is unknown, by its code."""
    known = STATUS_ERRORS.get(reason)
    if known is not None:
        return known
    return STATUS_ERRORS.get(REASON_OF_CODE.get(code, ""), APIStatusError)


def find_status_error(error: BaseException | None) -> APIStatusError | None:
    """The `APIStatusError` in ``error`` or in its chain of causes, or None."""
    for each in _chain(error):
        if isinstance(each, APIStatusError):
            return each
    return None


def reason_of(error: BaseException | None) -> str:
    """The Status reason of ``error``, looking through ``__cause__`` (ReasonForError)."""
    found = find_status_error(error)
    return found.reason if found is not None else ""


def is_reason(error: BaseException | None, reason: str) -> bool:
    """Whether ``error`` has that Status reason, by client-go's rules.

    True when the reason is equal, or when the Status's own reason is not a known
    one and its code stands for ``reason`` (AM/api/errors/errors.go, IsNotFound and
    its siblings). AlreadyExists, ServerTimeout, Expired and StorageReadError match by
    reason only; TooManyRequests and RequestEntityTooLarge also by code alone.

    >>> is_reason(NotFoundError({"code": 404, "reason": "NotFound"}), "NotFound")
    True
    """
    found = find_status_error(error)
    if found is None:
        return False
    if found.reason == reason:
        return True
    if reason in _NAME_ALONE:
        return False
    if reason not in _CODE_ALONE and found.reason in STATUS_ERRORS:
        return False
    return REASON_OF_CODE.get(found.code) == reason


def suggests_client_delay(error: BaseException | None) -> int | None:
    """Seconds after which the server wants the call repeated, or None (SuggestsClientDelay).

    A ServerTimeout always asks for it (its seconds may be 0); any other only with
    ``retryAfterSeconds`` above 0.
    """
    found = find_status_error(error)
    if found is None:
        return None
    if found.reason == "ServerTimeout" or found.retry_after_seconds > 0:
        return found.retry_after_seconds
    return None


# --------------------------------------------------------------------------- discovery and mapping


class DiscoveryError(DynkubeError):
    """Discovery of the server's resources failed."""


class PartialDiscoveryError(DiscoveryError):
    """Some group versions could not be discovered (client-go's ErrGroupDiscoveryFailed).

    ``failures`` maps each group version (as its string, ``"metrics.k8s.io/v1beta1"``) to its
    error; ``resource_map`` is what was found.
    """

    def __init__(self, failures: Mapping[str, Exception], resource_map: Any = None) -> None:
        self.failures: dict[str, Exception] = dict(sorted(failures.items()))
        self.resource_map = resource_map
        listed = ", ".join(f"{version}: {error}" for version, error in self.failures.items())
        super().__init__(f"unable to retrieve the complete list of server APIs: {listed}")


class NoMatchError(DynkubeError):
    """Nothing on the server matches; ``suggestions`` are near misses."""

    def __init__(self, message: str, *, suggestions: Iterable[str] = ()) -> None:
        self.suggestions: tuple[str, ...] = tuple(suggestions)
        if self.suggestions:
            message = f"{message}; did you mean {' or '.join(repr(each) for each in self.suggestions)}?"
        super().__init__(message)


class NoResourceMatchError(NoMatchError):
    """No resource matches (meta.NoResourceMatchError)."""


class NoKindMatchError(NoMatchError):
    """No kind matches (meta.NoKindMatchError)."""


class AmbiguousMatchError(DynkubeError):
    """More than one resource or kind fits; ``candidates`` holds them, best first."""

    def __init__(self, message: str, candidates: Iterable[Any] = ()) -> None:
        self.candidates: tuple[Any, ...] = tuple(candidates)
        super().__init__(message)


class AmbiguousResourceError(AmbiguousMatchError):
    """More than one resource fits (meta.AmbiguousResourceError)."""


class AmbiguousKindError(AmbiguousMatchError):
    """More than one kind fits (meta.AmbiguousKindError)."""


class TerminalError(DynkubeError):
    """Raise it in a controller's ``reconcile`` where trying again would not help before the object changes."""


class AggregateError(DynkubeError):
    """Several errors at once (AM/util/errors): message ``[a, b]``, repeated texts once."""

    def __init__(self, errors: Iterable[BaseException]) -> None:
        self.errors: tuple[BaseException, ...] = tuple(_flatten(errors))
        super().__init__(_joined(self.errors))


# --------------------------------------------------------------------------- informers


class InformerError(DynkubeError):
    """An informer, or its store, was asked for what it cannot do; the message says what, and what it can."""


class UnknownIndexError(InformerError, LookupError):
    """There is no index of this name (CG/tools/cache/thread_safe_store.go)."""


class IndexConflictError(InformerError):
    """An index of this name is there already."""


class InformerStoppedError(InformerError):
    """The informer has stopped: it does not start again, and takes no handler. Make a new one."""


class NotWatchableError(InformerError):
    """The resource cannot be listed, or not be watched, so no informer can follow it."""


class MutatedObjectError(InformerError):
    """Somebody changed an object that belongs to the store (debug mode only).

    ``key`` is the object's, ``path`` the first place that differs, such as ``.spec.replicas``.
    """

    def __init__(self, message: str, *, key: str = "", path: str = "") -> None:
        self.key = key
        self.path = path
        super().__init__(message)


class WatchClosedError(DynkubeError):
    """The events of a watch ended before the condition that was waited for (CG/tools/watch/until.go)."""


# --------------------------------------------------------------------------- workloads


class WorkloadError(DynkubeError):
    """A verb for workloads that does not fit the object, or that failed; the message is kubectl's."""


class RolloutError(WorkloadError):
    """A rollout has failed (its deadline is over, it was deleted), or a verb is refused (paused, no history)."""


class ScalePreconditionError(WorkloadError):
    """The object is not at the size or the version that the caller expects (kubectl's PreconditionError).

    ``precondition`` is ``"replicas"`` or ``"resource version"``, ``expected`` the caller's value, ``actual`` the
    object's, both as text.
    """

    def __init__(self, precondition: str, expected: str, actual: str) -> None:
        self.precondition = precondition
        self.expected = expected
        self.actual = actual
        super().__init__(f"Expected {precondition} to be {expected}, was {actual}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.precondition, self.expected, self.actual))


class ExposeError(WorkloadError):
    """No service can be made of the object: no ports, no selector that a service can have, the wrong kind."""


class DrainError(WorkloadError):
    """A node could not be drained; what was done up to here stays done.

    ``node`` is its name, ``errors`` what went wrong, one for each reason or pod, and ``pending`` the pods that were to
    go and are not known to be gone, as ``(namespace, name)``. The message is that of kubectl, whose flags have the
    names of `dynkube.workloads.drain`'s options: ``--ignore-daemonsets`` is ``ignore_daemonsets=True``.
    """

    def __init__(
        self, errors: Iterable[BaseException | str], *, node: str = "", pending: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.errors: tuple[BaseException | str, ...] = tuple(errors)
        self.node = node
        self.pending: tuple[tuple[str, str], ...] = tuple(pending)
        super().__init__(_joined(self.errors))

    def __str__(self) -> str:
        # OSError.__str__, which DrainTimeoutError would have, looks at errno and filename; the message is ours.
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_drain_error, (type(self), self.errors, self.node, self.pending))


class DrainTimeoutError(DrainError, DeadlineExceededError):
    """The ``timeout=`` of a drain ran out before all pods were gone: see ``.pending``."""


# --------------------------------------------------------------------------- streams


class StreamError(DynkubeError):
    """A command in a container, a copy or a forwarded port does not work, though the API server does."""


class CommandExitError(StreamError):
    """A command in a container ended with another code than 0 (client-go's CodeExitError).

    ``command`` is what was run, ``exit_code`` what it ended with, ``stdout`` and ``stderr`` what it wrote, as far as
    that was collected.
    """

    def __init__(self, command: Sequence[str], exit_code: int, *, stdout: bytes = b"", stderr: bytes = b"") -> None:
        self.command = tuple(command)
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        said = stderr.decode("utf-8", "replace").strip()[-300:]
        super().__init__(f"command terminated with exit code {exit_code}{': ' if said else ''}{said}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_command_exit_error, (type(self), self.command, self.exit_code, self.stdout, self.stderr))


class CopyError(StreamError):
    """A copy failed: ``tar`` in the container, or what it sent is not what was asked for."""


class PodNotRunningError(StreamError):
    """The pod has ended, or does not run in time, so nothing can be done in it."""


class PortForwardError(StreamError):
    """A port cannot be listened on here, or not be reached in the pod; ``port`` is its number, 0 for none."""

    def __init__(self, message: str, *, port: int = 0) -> None:
        self.port = port
        super().__init__(message)


# --------------------------------------------------------------------------- helpers


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _cause(cause: Mapping[str, Any]) -> StatusCause:
    reason, message, field = (_text(cause.get(key)) for key in ("reason", "message", "field"))
    if reason == "FieldManagerConflict":
        return ApplyConflict(_conflicting_manager(message), field, message)
    return StatusCause(reason, message, field)


def _conflicting_manager(message: str) -> str:
    # structured-merge-diff's words: `conflict with "manager" using apps/v1` or
    # `conflict with "manager" with subresource "scale" using ...` or `conflict with manager`.
    _, quote, rest = message.partition('"')
    return rest.partition('"')[0] if quote else message.removeprefix("conflict with ").split(" ")[0]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def _flatten(errors: Iterable[BaseException]) -> Iterator[BaseException]:
    for each in errors:
        if isinstance(each, AggregateError):
            yield from each.errors
        else:
            yield each


def _joined(errors: Iterable[BaseException | str]) -> str:
    texts = list(dict.fromkeys(str(each) for each in errors))
    return texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"


def _rebuild_drain_error(
    cls: type[DrainError], errors: Sequence[BaseException | str], node: str, pending: Sequence[tuple[str, str]]
) -> DrainError:
    return cls(errors, node=node, pending=pending)


def _rebuild_command_exit_error(
    cls: type[CommandExitError], command: Sequence[str], exit_code: int, stdout: bytes, stderr: bytes
) -> CommandExitError:
    return cls(command, exit_code, stdout=stdout, stderr=stderr)


def _rebuild_status_error(
    cls: type[APIStatusError], status: Mapping[str, Any], state: Mapping[str, Any]
) -> APIStatusError:
    return cls(status, **state)
