"""From kubeconfig, overrides and environment to a `RESTConfig`; `load_config` is the door for everybody.

`DirectClientConfig` works on a kubeconfig at hand; `ClientConfig` reads the files when first asked and falls back to
the pod's service account. (clientcmd's DirectClientConfig and DeferredLoadingClientConfig.)
"""

from __future__ import annotations

import logging
import os
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from dynkube.config.incluster import InCluster, read_token
from dynkube.config.kubeconfig import AuthInfo, Cluster, Context, Kubeconfig, parse
from dynkube.config.loader import LoadingRules
from dynkube.config.model import ExecConfig, Impersonation, PluginPolicy, RESTConfig, TLSConfig, redact_url
from dynkube.config.overrides import Overrides, default_cluster, layered_cluster, layered_context, layered_user
from dynkube.config.validation import EMPTY_CLUSTER, cluster_problems, context_not_found, suggest, user_problems
from dynkube.errors import ConfigError, ContextNotFoundError, EmptyConfigError, InvalidConfigError

__all__ = [
    "ClientConfig",
    "DirectClientConfig",
    "build_config_from_flags",
    "load_config",
    "rest_config_from_kubeconfig",
]

_log = logging.getLogger("dynkube.config")

EXEC_EXTENSION = "client.authentication.k8s.io/exec"

Prompt = Callable[[str, bool], str]
"""Asks a person: the label, and whether the answer is secret."""


class DirectClientConfig:
    """A kubeconfig, with overrides, as a connection configuration.

    Args:
        config: The kubeconfig; relative paths in it are used as they are.
        context: The context; empty for the kubeconfig's current one.
        overrides: What wins over the kubeconfig.
        prompt: Asks for user name and password when the user has no credentials at all; None for never.
    """

    def __init__(
        self,
        config: Kubeconfig,
        *,
        context: str = "",
        overrides: Overrides | None = None,
        prompt: Prompt | None = None,
    ) -> None:
        self._config = config
        self._context = context
        self._overrides = overrides if overrides is not None else Overrides()
        self._prompt = prompt
        self._answers: tuple[str, str] | None = None

    def raw_config(self) -> Kubeconfig:
        """The kubeconfig, without the overrides."""
        return self._config

    def confirm_usable(self) -> None:
        """Check what `rest_config` would use.

        Raises:
            EmptyConfigError: Nothing names a server.
            ContextNotFoundError: The context does not exist.
            InvalidConfigError: All the problems at once.
        """
        self._check_overriding_names()
        name = self._context_name
        if name and name not in self._config.contexts:
            raise ContextNotFoundError(context_not_found(name, self._config))
        problems = self._unknown_user()
        problems += user_problems(self._user_name, self._user())
        problems += cluster_problems(self._cluster_name, self._cluster())
        if problems == [EMPTY_CLUSTER]:
            raise EmptyConfigError(f"{EmptyConfigError.DEFAULT}{self._why_empty()}")
        if problems:
            raise InvalidConfigError(problems)

    def namespace(self) -> tuple[str, bool]:
        """The namespace, and whether an override says so: else the context's, else ``default``.

        Raises:
            ConfigError: No override says it, and the rest cannot be used.
        """
        if self._overrides.context.namespace:
            return self._overrides.context.namespace, True
        self.confirm_usable()
        return self._context_stanza().namespace or "default", False

    def rest_config(self) -> RESTConfig:
        """The connection configuration.

        Raises:
            EmptyConfigError: Nothing names a server.
            ContextNotFoundError: The context does not exist.
            ConfigError: Anything else that is wrong; the message names the file and the field.
        """
        self.confirm_usable()
        user, cluster = self._user(), self._cluster()
        namespace, explicit = self.namespace()
        source = user.origin or cluster.origin or self._context_stanza().origin
        try:
            fields = self._server(cluster) | self._identity(user, cluster)
            return RESTConfig(
                **fields,
                timeout=self._overrides.seconds,
                namespace=namespace,
                namespace_explicit=explicit,
                source=source,
                context=self._context_name,
                user=self._user_name,
            )
        except ConfigError as error:
            names = [("cluster", self._cluster_name), ("user", self._user_name)]
            place = ", ".join(f'{kind} "{name}"' for kind, name in names if name) or "overrides"
            place += f" (in {source})" if source else ""
            raise InvalidConfigError(f"{place}: {error}") from error

    # ------------------------------------------------------------- which stanzas

    @property
    def _context_name(self) -> str:
        return self._overrides.current_context or self._context or self._config.current_context

    @property
    def _user_name(self) -> str:
        return self._overrides.context.user or self._context_stanza().user

    @property
    def _cluster_name(self) -> str:
        return self._overrides.context.cluster or self._context_stanza().cluster

    def _context_stanza(self) -> Context:
        return layered_context(self._config.contexts.get(self._context_name, Context()), self._overrides)

    def _user(self) -> AuthInfo:
        return layered_user(self._config.users.get(self._user_name, AuthInfo()), self._overrides)

    def _cluster(self) -> Cluster:
        return layered_cluster(self._config.clusters.get(self._cluster_name, Cluster()), self._overrides)

    def _check_overriding_names(self) -> None:
        over, config = self._overrides, self._config
        if over.context.user and over.context.user not in config.users:
            hint = suggest(over.context.user, config.users, "users")
            raise InvalidConfigError(f'auth info "{over.context.user}" does not exist{hint}')
        if over.current_context and over.current_context not in config.contexts:
            hint = suggest(over.current_context, config.contexts)
            files = f" in {', '.join(config.files)}" if config.files else ""
            raise ContextNotFoundError(f'context "{over.current_context}" does not exist{files}{hint}')
        if over.context.cluster and over.context.cluster not in config.clusters:
            hint = suggest(over.context.cluster, config.clusters, "clusters")
            raise InvalidConfigError(f'cluster "{over.context.cluster}" does not exist{hint}')

    def _unknown_user(self) -> list[str]:
        # client-go goes anonymous here, and the server's 401 or 403 names nobody who could be corrected.
        name = self._user_name
        if not name or name in self._config.users or self._overrides.auth_info != AuthInfo():
            return []
        stanza = self._context_stanza()
        place = f" (in {stanza.origin})" if stanza.origin else ""
        hint = suggest(name, self._config.users, "users")
        return [f'user "{name}" was not found for context "{self._context_name}"{place}{hint}']

    def _why_empty(self) -> str:
        name = self._cluster_name
        if name:
            return f' (context "{self._context_name}" names cluster "{name}", which no kubeconfig defines)'
        if self._config.contexts and not self._context_name:
            listed = ", ".join(sorted(self._config.contexts))
            return f" (no context is chosen: set current-context or name one of: {listed})"
        return ""

    # ------------------------------------------------------------- their content

    def _server(self, cluster: Cluster) -> dict[str, Any]:
        return {
            "host": _host(cluster.server),
            "proxy_url": cluster.proxy_url,
            "disable_compression": cluster.disable_compression,
        }

    def _identity(self, user: AuthInfo, cluster: Cluster) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if user.impersonate:
            fields["impersonate"] = Impersonation(
                user=user.impersonate,
                uid=user.impersonate_uid,
                groups=user.impersonate_groups,
                extra=user.impersonate_extra,
            )
        # Trust and credentials are for a server that is explicitly https, as in client-go.
        if _is_https(cluster.server):
            return fields | _tls(user, cluster) | self._credentials(user, cluster)
        if user.copy(impersonate="", origin="") != AuthInfo():
            shown = redact_url(cluster.server)
            _log.warning("credentials of user %r are not used: server %s is no https:// URL", self._user_name, shown)
        return fields

    def _credentials(self, user: AuthInfo, cluster: Cluster) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "username": user.username,
            "password": user.password,
            "bearer_token": user.token,
            "bearer_token_file": user.token_file,
            "auth_provider": user.auth_provider,
            "exec": _plugin(user.exec, cluster, self._overrides.plugin_policy),
        }
        if user.token_file and not user.token:
            fields["bearer_token"] = read_token(user.token_file)
        known = any((user.username, fields["bearer_token"], user.auth_provider, user.exec))
        if not known and not (user.client_certificate or user.client_certificate_data) and self._prompt is not None:
            if self._answers is None:
                self._answers = (
                    self._prompt("Please enter Username: ", False),
                    self._prompt("Please enter Password: ", True),
                )
            fields["username"], fields["password"] = self._answers
        return fields


def _host(server: str) -> str:
    """A server's URL without query and fragment, when it has a path."""
    try:
        parts = urlsplit(server)
    except ValueError:
        return server  # RESTConfig refuses it
    if parts.scheme and parts.netloc and len(parts.path) > 1:
        return parts._replace(query="", fragment="").geturl()
    return server


def _is_https(server: str) -> bool:
    return server[:8].lower() == "https://"


def _tls(user: AuthInfo, cluster: Cluster) -> dict[str, Any]:
    return {
        "tls": TLSConfig(
            insecure=cluster.insecure_skip_tls_verify,
            server_name=cluster.tls_server_name,
            ca_file=cluster.certificate_authority,
            ca_data=cluster.certificate_authority_data or None,
            cert_file=user.client_certificate,
            cert_data=user.client_certificate_data or None,
            key_file=user.client_key,
            key_data=user.client_key_data or None,
        )
    }


def _plugin(plugin: ExecConfig | None, cluster: Cluster, policy: PluginPolicy | None) -> ExecConfig | None:
    if plugin is None:
        return None
    hint = _harmless(plugin.install_hint)
    allowed = policy if policy is not None else plugin.plugin_policy
    config = cluster.extensions.get(EXEC_EXTENSION)
    return replace(plugin, install_hint=hint, config=config, plugin_policy=allowed)


def _harmless(text: str) -> str:
    """Control characters, which could drive a terminal, as ``U+001B``; line breaks and tabs stay."""
    return "".join(
        char if char in "\t\n\v\f\r" or unicodedata.category(char)[0] != "C" else f"U+{ord(char):04X}" for char in text
    )


class ClientConfig:
    """A configuration that is loaded when first asked for: kubeconfig files, else the pod's service account.

    The service account counts only when the files configure no server at all, or no more than the defaults; a
    kubeconfig that is wrong is an error inside a pod, too.

    Args:
        rules: Which files; None for `LoadingRules.default`.
        overrides: What wins over the files.
        in_cluster: The service account; None for that of this pod.
        prompt: As for `DirectClientConfig`.
    """

    def __init__(
        self,
        rules: LoadingRules | None = None,
        overrides: Overrides | None = None,
        *,
        in_cluster: InCluster | None = None,
        prompt: Prompt | None = None,
    ) -> None:
        self._rules = rules
        self._overrides = overrides if overrides is not None else Overrides()
        self._in_cluster = in_cluster if in_cluster is not None else InCluster()
        self._prompt = prompt
        self._lock = threading.Lock()
        self._loaded: tuple[LoadingRules, DirectClientConfig] | None = None

    def raw_config(self) -> Kubeconfig:
        """The merged kubeconfig, without the overrides.

        Raises:
            ConfigError: A file cannot be read.
        """
        return self._load()[1].raw_config()

    def rest_config(self) -> RESTConfig:
        """The connection configuration.

        Raises:
            EmptyConfigError: No file names a server, and this is no pod.
            ConfigError: What is wrong, with file and field.
        """
        rules, direct = self._load()
        empty: EmptyConfigError | None = None
        config: RESTConfig | None = None
        try:
            config = direct.rest_config()
        except EmptyConfigError as error:
            empty = error
        if (config is None or rules.is_default_config(config)) and self._in_cluster.possible():
            _log.debug("using the in-cluster configuration")
            return self._in_cluster.rest_config(self._overrides)
        if config is None:
            raise EmptyConfigError(f"{empty}{_looked_at(rules)}")
        namespace, explicit = self.namespace()
        return config.copy(namespace=namespace, namespace_explicit=explicit)

    def namespace(self) -> tuple[str, bool]:
        """The namespace, and whether an override says so: else the context's, in a pod the pod's, else ``default``.

        Raises:
            ConfigError: What is wrong, with file and field; that nothing is configured is no error in a pod.
        """
        _, direct = self._load()
        in_cluster = self._in_cluster.possible()
        try:
            namespace, explicit = direct.namespace()
        except EmptyConfigError:
            if not in_cluster:
                raise
            return self._in_cluster.namespace()
        if explicit or not in_cluster or namespace != "default" or self._says_default(direct):
            return namespace, explicit
        return self._in_cluster.namespace()

    def _says_default(self, direct: DirectClientConfig) -> bool:
        raw = direct.raw_config()
        context = raw.contexts.get(self._overrides.current_context or raw.current_context)
        return context is not None and bool(context.namespace)

    def _load(self) -> tuple[LoadingRules, DirectClientConfig]:
        with self._lock:
            if self._loaded is None:
                rules = self._rules if self._rules is not None else LoadingRules.default()
                direct = DirectClientConfig(rules.load(), overrides=self._overrides, prompt=self._prompt)
                self._loaded = rules, direct
            return self._loaded


def _looked_at(rules: LoadingRules) -> str:
    if not rules.paths:
        return "; no kubeconfig was looked for: set KUBECONFIG or HOME, or name a file"
    shown = [each if os.path.exists(each) else f"{each} (does not exist)" for each in rules.paths]
    return f"; looked at {', '.join(shown)}, and this is no pod of a cluster"


# --------------------------------------------------------------------------- the doors


def load_config(
    *,
    context: str | None = None,
    kubeconfig: str | os.PathLike[str] | None = None,
    namespace: str | None = None,
    overrides: Overrides | None = None,
    environ: Mapping[str, str] | None = None,
) -> RESTConfig:
    """The configuration that kubectl would use here.

    The files of ``$KUBECONFIG`` merged, or ``~/.kube/config``; when they configure no server at all, the service
    account of the pod that this runs in.

    Args:
        context: The context to use, instead of the kubeconfig's current one.
        kubeconfig: The one file to read, instead of those.
        namespace: The namespace to use, instead of the context's.
        overrides: Any other value that wins over the kubeconfig.
        environ: The environment; None for that of the process, at the time of this call.

    Raises:
        KubeconfigNotFoundError: ``kubeconfig`` does not exist.
        ContextNotFoundError: No such context; the message lists those that there are.
        EmptyConfigError: Nothing configures a server, and this is no pod.
        ConfigError: A file cannot be read or contradicts itself; the message names file and field.
    """
    over = overrides if overrides is not None else Overrides()
    if context:
        over = over.copy(current_context=context)
    if namespace:
        over = over.copy(context=over.context.copy(namespace=namespace))
    rules = LoadingRules.default(environ)
    if kubeconfig is not None and os.fspath(kubeconfig):
        rules = rules.copy(explicit_path=os.fspath(kubeconfig))
    return _client_config(rules, over, environ).rest_config()


def build_config_from_flags(
    master_url: str = "", kubeconfig_path: str | os.PathLike[str] = "", *, environ: Mapping[str, str] | None = None
) -> RESTConfig:
    """The configuration for a controller's two flags (clientcmd's BuildConfigFromFlags).

    With neither, the service account of the pod, or else what `load_config` finds.

    Args:
        master_url: The server, instead of the kubeconfig's.
        kubeconfig_path: The kubeconfig.
        environ: The environment; None for that of the process, at the time of this call.

    Raises:
        ConfigError: As `load_config`.
    """
    path = os.fspath(kubeconfig_path)
    if not path and not master_url:
        _log.warning("neither --kubeconfig nor --master was given: using the in-cluster configuration, if there is one")
        try:
            return InCluster(environ=environ).rest_config()
        except ConfigError as error:
            _log.warning("%s; falling back to the default configuration", error)
        return load_config(environ=environ)
    overrides = Overrides(cluster_info=Cluster(server=master_url))
    return _client_config(LoadingRules(explicit_path=path), overrides, environ).rest_config()


def rest_config_from_kubeconfig(
    data: bytes | str, *, context: str | None = None, overrides: Overrides | None = None
) -> RESTConfig:
    """The configuration in a kubeconfig's content, without any file, environment or pod.

    Relative paths in it are used as they are: from the working directory.

    Args:
        data: The content, YAML or JSON.
        context: The context to use, instead of the current one.
        overrides: What wins over the content.

    Raises:
        ConfigError: The content is no kubeconfig, or cannot be used.

    >>> rest_config_from_kubeconfig('''
    ... clusters: [{name: c, cluster: {server: "https://kube.example"}}]
    ... users: [{name: u, user: {token: abc}}]
    ... contexts: [{name: dev, context: {cluster: c, user: u, namespace: shop}}]
    ... current-context: dev
    ... ''')
    RESTConfig(host='https://kube.example', bearer_token=REDACTED, namespace='shop', context='dev', user='u')
    """
    return DirectClientConfig(parse(data), context=context or "", overrides=overrides).rest_config()


def _client_config(rules: LoadingRules, overrides: Overrides, environ: Mapping[str, str] | None) -> ClientConfig:
    if overrides.cluster_defaults == Cluster():
        overrides = overrides.copy(cluster_defaults=default_cluster(environ, legacy=False))
    defaults = Overrides(cluster_defaults=overrides.cluster_defaults, timeout=overrides.timeout)
    default = DirectClientConfig(Kubeconfig(), overrides=defaults)
    rules = rules.copy(default_config=default.rest_config)
    return ClientConfig(rules, overrides, in_cluster=InCluster(environ=environ))
