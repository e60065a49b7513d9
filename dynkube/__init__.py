"""dynkube: a dynamic, discovery-driven Kubernetes client.

Any resource by GroupVersionResource, as plain dicts::

    import dynkube

    with dynkube.connect() as client:
        for pod in client.resource("pods").namespace("shop").list():
            print(pod["metadata"]["name"])

This is the roof: every public name, imported when it is first used (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynkube._version import __version__
    from dynkube.clientset import Clientset
    from dynkube.config import (
        Impersonation,
        RESTConfig,
        TLSConfig,
        build_config_from_flags,
        in_cluster_config,
        load_config,
    )
    from dynkube.discovery import DiscoveryClient
    from dynkube.dynamic import (
        DynamicClient,
        PageIterator,
        ResourceHandle,
        Watch,
        connect,
    )
    from dynkube.errors import (
        AggregateError,
        AlreadyExistsError,
        AmbiguousKindError,
        AmbiguousMatchError,
        AmbiguousResourceError,
        APIStatusError,
        ApplyConflict,
        BadRequestError,
        CancelledError,
        ClosedError,
        ConfigError,
        ConflictError,
        ConnectError,
        ConnectionLostError,
        ContextNotFoundError,
        CredentialError,
        DeadlineExceededError,
        DecodeError,
        DiscoveryError,
        DrainError,
        DrainTimeoutError,
        DynkubeError,
        EmptyConfigError,
        ExecPluginError,
        ExpiredError,
        ExposeError,
        ForbiddenError,
        FrameTooLargeError,
        GoneError,
        InternalServerError,
        InvalidConfigError,
        InvalidError,
        InvalidRequestError,
        KubeconfigNotFoundError,
        MethodNotAllowedError,
        NoKindMatchError,
        NoMatchError,
        NoResourceMatchError,
        NotAcceptableError,
        NotFoundError,
        NotInClusterError,
        PartialDiscoveryError,
        RequestEntityTooLargeError,
        RequestTimeoutError,
        RolloutError,
        ScalePreconditionError,
        ServerTimeoutError,
        ServiceUnavailableError,
        StatusCause,
        StoreReadError,
        TimeoutStatusError,
        TLSError,
        TooManyRequestsError,
        TransportError,
        UnauthorizedError,
        UnsupportedMediaTypeError,
        WorkloadError,
    )
    from dynkube.fields import FieldSelector
    from dynkube.labels import LabelSelector
    from dynkube.observers import Observer
    from dynkube.options import (
        ApplyOptions,
        CreateOptions,
        DeleteOptions,
        GetOptions,
        ListOptions,
        PatchOptions,
        Preconditions,
        UpdateOptions,
    )
    from dynkube.patches import PatchType
    from dynkube.polling import retry_on_conflict
    from dynkube.resources import (
        APIGroup,
        APIResource,
        APIResourceList,
        ResourceMap,
    )
    from dynkube.rest import (
        RESTClient,
        RESTRequest,
        WatchStream,
        set_default_warning_handler,
    )
    from dynkube.restmapper import (
        RESTMapper,
        RESTMapping,
    )
    from dynkube.schema import (
        GroupKind,
        GroupResource,
        GroupVersion,
        GroupVersionKind,
        GroupVersionResource,
    )
    from dynkube.transport import CancelToken
    from dynkube.unstructured import UnstructuredList
    from dynkube.wire.retry import PersistentRetryPolicy, RetryPolicy
    from dynkube.wire.warnings import (
        ServerWarning,
        WarningHandler,
        WarningWriter,
        log_warning,
        suppress_warnings,
    )
    from dynkube.wire.watch import (
        EventType,
        WatchEvent,
    )

__all__ = [
    "APIGroup",
    "APIResource",
    "APIResourceList",
    "APIStatusError",
    "AggregateError",
    "AlreadyExistsError",
    "AmbiguousKindError",
    "AmbiguousMatchError",
    "AmbiguousResourceError",
    "ApplyConflict",
    "ApplyOptions",
    "BadRequestError",
    "CancelToken",
    "CancelledError",
    "Clientset",
    "ClosedError",
    "ConfigError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "ContextNotFoundError",
    "CreateOptions",
    "CredentialError",
    "DeadlineExceededError",
    "DecodeError",
    "DeleteOptions",
    "DiscoveryClient",
    "DiscoveryError",
    "DrainError",
    "DrainTimeoutError",
    "DynamicClient",
    "DynkubeError",
    "EmptyConfigError",
    "EventType",
    "ExecPluginError",
    "ExpiredError",
    "ExposeError",
    "FieldSelector",
    "ForbiddenError",
    "FrameTooLargeError",
    "GetOptions",
    "GoneError",
    "GroupKind",
    "GroupResource",
    "GroupVersion",
    "GroupVersionKind",
    "GroupVersionResource",
    "Impersonation",
    "InternalServerError",
    "InvalidConfigError",
    "InvalidError",
    "InvalidRequestError",
    "KubeconfigNotFoundError",
    "LabelSelector",
    "ListOptions",
    "MethodNotAllowedError",
    "NoKindMatchError",
    "NoMatchError",
    "NoResourceMatchError",
    "NotAcceptableError",
    "NotFoundError",
    "NotInClusterError",
    "Observer",
    "PageIterator",
    "PartialDiscoveryError",
    "PatchOptions",
    "PatchType",
    "PersistentRetryPolicy",
    "Preconditions",
    "RESTClient",
    "RESTConfig",
    "RESTMapper",
    "RESTMapping",
    "RESTRequest",
    "RequestEntityTooLargeError",
    "RequestTimeoutError",
    "ResourceHandle",
    "ResourceMap",
    "RetryPolicy",
    "RolloutError",
    "ScalePreconditionError",
    "ServerTimeoutError",
    "ServerWarning",
    "ServiceUnavailableError",
    "StatusCause",
    "StoreReadError",
    "TLSConfig",
    "TLSError",
    "TimeoutStatusError",
    "TooManyRequestsError",
    "TransportError",
    "UnauthorizedError",
    "UnstructuredList",
    "UnsupportedMediaTypeError",
    "UpdateOptions",
    "WarningHandler",
    "WarningWriter",
    "Watch",
    "WatchEvent",
    "WatchStream",
    "WorkloadError",
    "__version__",
    "build_config_from_flags",
    "connect",
    "in_cluster_config",
    "load_config",
    "log_warning",
    "retry_on_conflict",
    "set_default_warning_handler",
    "suppress_warnings",
]

_NAMES_BY_MODULE: dict[str, tuple[str, ...]] = {
    "dynkube._version": ("__version__",),
    "dynkube.clientset": ("Clientset",),
    "dynkube.config": (
        "Impersonation",
        "RESTConfig",
        "TLSConfig",
        "build_config_from_flags",
        "in_cluster_config",
        "load_config",
    ),
    "dynkube.discovery": ("DiscoveryClient",),
    "dynkube.dynamic": (
        "DynamicClient",
        "PageIterator",
        "ResourceHandle",
        "Watch",
        "connect",
    ),
    "dynkube.errors": (
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
        "ConfigError",
        "ConflictError",
        "ConnectError",
        "ConnectionLostError",
        "ContextNotFoundError",
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
        "InternalServerError",
        "InvalidConfigError",
        "InvalidError",
        "InvalidRequestError",
        "KubeconfigNotFoundError",
        "MethodNotAllowedError",
        "NoKindMatchError",
        "NoMatchError",
        "NoResourceMatchError",
        "NotAcceptableError",
        "NotFoundError",
        "NotInClusterError",
        "PartialDiscoveryError",
        "RequestEntityTooLargeError",
        "RequestTimeoutError",
        "RolloutError",
        "ScalePreconditionError",
        "ServerTimeoutError",
        "ServiceUnavailableError",
        "StatusCause",
        "StoreReadError",
        "TLSError",
        "TimeoutStatusError",
        "TooManyRequestsError",
        "TransportError",
        "UnauthorizedError",
        "UnsupportedMediaTypeError",
        "WorkloadError",
    ),
    "dynkube.fields": ("FieldSelector",),
    "dynkube.labels": ("LabelSelector",),
    "dynkube.observers": ("Observer",),
    "dynkube.options": (
        "ApplyOptions",
        "CreateOptions",
        "DeleteOptions",
        "GetOptions",
        "ListOptions",
        "PatchOptions",
        "Preconditions",
        "UpdateOptions",
    ),
    "dynkube.patches": ("PatchType",),
    "dynkube.polling": ("retry_on_conflict",),
    "dynkube.resources": (
        "APIGroup",
        "APIResource",
        "APIResourceList",
        "ResourceMap",
    ),
    "dynkube.rest": (
        "RESTClient",
        "RESTRequest",
        "WatchStream",
        "set_default_warning_handler",
    ),
    "dynkube.restmapper": (
        "RESTMapper",
        "RESTMapping",
    ),
    "dynkube.schema": (
        "GroupKind",
        "GroupResource",
        "GroupVersion",
        "GroupVersionKind",
        "GroupVersionResource",
    ),
    "dynkube.transport": ("CancelToken",),
    "dynkube.unstructured": ("UnstructuredList",),
    "dynkube.wire.retry": ("PersistentRetryPolicy", "RetryPolicy"),
    "dynkube.wire.warnings": (
        "ServerWarning",
        "WarningHandler",
        "WarningWriter",
        "log_warning",
        "suppress_warnings",
    ),
    "dynkube.wire.watch": (
        "EventType",
        "WatchEvent",
    ),
}
_HOMES = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
