"""What can be wrong with a kubeconfig, in clientcmd's words, each problem with its file.

`validate` looks at all of it, `confirm_usable` at one context; both are stricter than making a connection from it
(`dynkube.config.clientconfig`), which needs neither a user nor a context.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from dynkube.config.kubeconfig import AuthInfo, Cluster, Context, Kubeconfig
from dynkube.config.model import ExecConfig, proxy_url_problem, redact_url
from dynkube.errors import ContextNotFoundError, EmptyConfigError, InvalidConfigError
from dynkube.schema import is_dns_label

__all__ = ["confirm_usable", "is_config_invalid", "is_context_not_found", "is_empty_config", "validate"]

NO_CONTEXT = "no context chosen: set current-context or name a context"
EMPTY_CLUSTER = "cluster has no server defined"
_INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")


# --------------------------------------------------------------------------- predicates


def is_empty_config(error: BaseException | None) -> bool:
    """Whether the error says that nothing configures a server."""
    return isinstance(error, EmptyConfigError)


def is_context_not_found(error: BaseException | None) -> bool:
    """Whether the error says that the chosen context does not exist, or that none was chosen."""
    return isinstance(error, ContextNotFoundError) or (
        isinstance(error, InvalidConfigError) and "context was not found for specified context" in str(error)
    )


def is_config_invalid(error: BaseException | None) -> bool:
    """Whether the error says that the configuration contradicts itself, or is empty."""
    return isinstance(error, InvalidConfigError | EmptyConfigError)


# --------------------------------------------------------------------------- whole kubeconfigs


def validate(config: Kubeconfig) -> None:
    """Check every stanza; a context's user and cluster must exist.

    Raises:
        EmptyConfigError: There is nothing in it.
        InvalidConfigError: All the problems at once.

    >>> from dynkube.config.kubeconfig import parse
    >>> validate(parse("{contexts: [{name: dev, context: {cluster: c, user: u}}], users: [{name: u}]}"))
    Traceback (most recent call last):
    dynkube.errors.InvalidConfigError: invalid configuration: cluster "c" was not found for context "dev"
    """
    if config.is_empty:
        raise EmptyConfigError
    problems: list[str] = []
    missing = config.current_context and config.current_context not in config.contexts
    if missing:
        problems.append(context_not_found(config.current_context, config))
    for name, context in sorted(config.contexts.items()):
        problems += context_problems(name, context, config)
    for name, user in sorted(config.users.items()):
        problems += user_problems(name, user)
    for name, cluster in sorted(config.clusters.items()):
        problems += cluster_problems(name, cluster)
    raise_problems(problems, context_missing=bool(missing))


def confirm_usable(config: Kubeconfig, context: str = "") -> None:
    """Check one context with its cluster and user; the current one when none is named.

    Raises:
        EmptyConfigError: There is nothing in it.
        ContextNotFoundError: No such context, or none was chosen.
        InvalidConfigError: All the problems at once.
    """
    if config.is_empty:
        raise EmptyConfigError
    name = context or config.current_context
    if not name:
        raise ContextNotFoundError(NO_CONTEXT)
    found = config.contexts.get(name)
    if found is None:
        raise ContextNotFoundError(context_not_found(name, config))
    problems = context_problems(name, found, config)
    problems += user_problems(found.user, config.users.get(found.user, AuthInfo()))
    problems += cluster_problems(found.cluster, config.clusters.get(found.cluster, Cluster()))
    raise_problems(problems)


def raise_problems(problems: list[str], *, context_missing: bool = False) -> None:
    """Raise what the problems amount to; nothing when there are none."""
    if problems and context_missing and len(problems) == 1:
        raise ContextNotFoundError(problems)
    if problems:
        raise InvalidConfigError(problems)


def context_not_found(name: str, config: Kubeconfig) -> str:
    """The problem of a context that does not exist, with those that do."""
    return f"context was not found for specified context: {name}{suggest(name, config.contexts)}{_where(config.files)}"


def suggest(name: str, existing: Iterable[str], what: str = "contexts") -> str:
    """A near miss and what there is, as the end of a message."""
    names = sorted(existing)
    if not names:
        return f" (there are no {what})"
    near = difflib.get_close_matches(name, names, n=1)
    hint = f'did you mean "{near[0]}"? ' if near else ""
    more = ", ..." if len(names) > 20 else ""
    return f" ({hint}{what}: {', '.join(names[:20])}{more})"


def _where(files: tuple[str, ...]) -> str:
    return f" in {', '.join(files)}" if files else ""


# --------------------------------------------------------------------------- stanzas


def context_problems(name: str, context: Context, config: Kubeconfig) -> list[str]:
    """What is wrong with a context (clientcmd's validateContext)."""
    problems = []
    if not name:
        problems.append("empty context name is not allowed")
    for kind, target, existing in (("user", context.user, config.users), ("cluster", context.cluster, config.clusters)):
        if not target:
            problems.append(f'{kind} was not specified for context "{name}"')
        elif target not in existing:
            problems.append(f'{kind} "{target}" was not found for context "{name}"')
    if context.namespace and not is_dns_label(context.namespace):
        problems.append(
            f'namespace "{context.namespace}" for context "{name}" does not conform to the kubernetes DNS_LABEL rules'
        )
    return _located(problems, context.origin)


def cluster_problems(name: str, cluster: Cluster) -> list[str]:
    """What is wrong with a cluster (clientcmd's validateClusterInfo)."""
    if cluster == Cluster() and not cluster.origin:
        return [EMPTY_CLUSTER]
    problems = []
    if not cluster.server:
        problems.append(f'no server found for cluster "{name}"' if name else "default cluster has no server defined")
    if cluster.proxy_url:
        problem = proxy_url_problem(cluster.proxy_url)
        if problem:
            shown = redact_url(cluster.proxy_url)
            problems.append(f'invalid \'proxy-url\' "{shown}" for cluster "{name}": {problem}')
    if cluster.certificate_authority and cluster.certificate_authority_data:
        problems.append(
            f"certificate-authority-data and certificate-authority are both specified for {name}. "
            "certificate-authority-data will override."
        )
    problems += _unreadable("certificate-authority", cluster.certificate_authority, name)
    return _located(problems, cluster.origin)


def user_problems(name: str, user: AuthInfo) -> list[str]:
    """What is wrong with a user (clientcmd's validateAuthInfo)."""
    problems = []
    if user.client_certificate or user.client_certificate_data:
        problems += _client_certificate_problems(name, user)
    elif user.client_key or user.client_key_data:
        # client-go ignores such a key, and goes anonymous.
        problems.append(f"client-key-data or client-key is specified for {name} without a client-certificate")
    if user.exec is not None:
        if user.auth_provider is not None:
            problems.append(f"authProvider cannot be provided in combination with an exec plugin for {name}")
        problems += _exec_problems(name, user.exec)
    methods = [method for method, given in _methods(user) if given]
    if len(methods) > 1:
        problems.append(
            f"more than one authentication method found for {name}; found [{' '.join(methods)}], only one is allowed"
        )
    if not user.impersonate and (user.impersonate_uid or user.impersonate_groups or user.impersonate_extra):
        problems.append(f"requesting uid, groups or user-extra for {name} without impersonating a user")
    return _located(problems, user.origin)


def _methods(user: AuthInfo) -> tuple[tuple[str, bool], ...]:
    return (("token", bool(user.token)), ("basicAuth", bool(user.username or user.password)))


def _client_certificate_problems(name: str, user: AuthInfo) -> list[str]:
    problems = []
    if user.client_certificate and user.client_certificate_data:
        problems.append(
            f"client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
        )
    if user.client_key and user.client_key_data:
        problems.append(f"client-key-data and client-key are both specified for {name}; client-key-data will override")
    if not user.client_key and not user.client_key_data:
        problems.append(
            f"client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        )
    problems += _unreadable("client-cert", user.client_certificate, name)
    return problems + _unreadable("client-key", user.client_key, name)


def _exec_problems(name: str, plugin: ExecConfig) -> list[str]:
    suffix = f"must be specified for {name} to use exec authentication plugin"
    problems = []
    if not plugin.command:
        problems.append(f"command {suffix}")
    if not plugin.api_version:
        problems.append(f"apiVersion {suffix}")
    problems += [f"env variable name {suffix}" for variable, _ in plugin.env if not variable]
    if not plugin.interactive_mode:
        problems.append(f"interactiveMode {suffix}")
    elif plugin.interactive_mode not in _INTERACTIVE_MODES:
        problems.append(
            f'invalid interactiveMode for {name}: "{plugin.interactive_mode}" (it is one of Never, IfAvailable, Always)'
        )
    return problems


def _unreadable(what: str, path: str, name: str) -> list[str]:
    if not path:
        return []
    try:
        with open(path, "rb"):
            return []
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        return [f"unable to read {what} {path} for {name} due to open {path}: {reason}"]


def _located(problems: list[str], origin: str) -> list[str]:
    return [f"{problem} (in {origin})" for problem in problems] if origin else problems
