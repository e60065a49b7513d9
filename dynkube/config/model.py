"""What a connection needs to know, as one frozen value: `RESTConfig`.

The value checks itself when it is made, so that whoever holds one holds one that can be used: a contradiction is a
`dynkube.errors.ConfigError` that names the field. No ``repr`` shows a credential. Nothing here reads a file or the
environment; `dynkube.config.loader` does.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, quote, urlsplit

from dynkube.errors import ConfigError

if TYPE_CHECKING:
    from dynkube.observers import Observer
    from dynkube.ratelimit import RateLimiter

__all__ = ["AuthProviderConfig", "ExecConfig", "Impersonation", "PluginPolicy", "RESTConfig", "TLSConfig", "Wrapper"]

Wrapper = Callable[[Callable[[Any], Any]], Callable[[Any], Any]]
"""Middleware: takes a function that sends a ``requests.PreparedRequest`` and returns a ``requests.Response``, and
returns one that does more."""

REDACTED = "REDACTED"

SECRET: Mapping[str, str] = {"repr": "secret"}
"""Metadata of a dataclass field that `redacted_repr` shows as ``REDACTED``."""

SECRET_VALUES: Mapping[str, str] = {"repr": "secret values"}
"""Metadata of a mapping, or of pairs, whose names may be seen and whose values may not."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
# What may stand in a header line after its name: no control characters, and Latin-1 only.
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# RFC 9110 5.6.2, without "%", which is the escape character (rest of 2.2.4: transport/round_trippers.go).
_HEADER_TOKEN_BYTES = frozenset(b"!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
PROXY_SCHEMES = ("http", "https", "socks5")


# --------------------------------------------------------------------------- repr


def redacted_repr(value: Any) -> str:
    """``repr`` of a dataclass: what differs from its default, never a secret, bytes by their length only."""
    shown = []
    for each in fields(value):
        if not each.repr:
            continue
        content = getattr(value, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if content == default:
            continue
        shown.append(f"{each.name}={_show(content, each.metadata.get('repr', ''))}")
    return f"{type(value).__qualname__}({', '.join(shown)})"


def _show(content: Any, kind: str) -> str:
    if kind == "secret":
        return REDACTED
    if kind == "secret values":
        names = content if isinstance(content, Mapping) else (name for name, _ in content)
        return "{" + ", ".join(f"{name!r}: {REDACTED}" for name in names) + "}"
    if kind == "url":
        return repr(redact_url(content))
    if isinstance(content, bytes):
        return f"<{len(content)} bytes>"
    return repr(content)


def redact_url(url: str) -> str:
    """The URL without the user name and the password that it may carry.

    >>> redact_url("http://me:secret@proxy:3128")
    'http://REDACTED@proxy:3128'
    """
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    # Up to the last "@": an unescaped password may hold "/" and "@" itself.
    return f"{scheme}{separator}{REDACTED}@{rest.rpartition('@')[2]}" if "@" in rest else url


# --------------------------------------------------------------------------- parts


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TLSConfig:
    """Whom to trust, and the client certificate.

    ``*_data`` are the bytes of a PEM file and win over ``*_file`` of the same name. With a CA, that CA alone is
    trusted; without one, the system's trust store is.

    Args:
        insecure: Do not verify the server's certificate.
        server_name: The name to ask for (SNI) and to verify, instead of the host's.
        ca_file: Path of a PEM bundle of the authorities to trust.
        ca_data: The bundle itself.
        cert_file: Path of the client certificate (PEM, with its chain).
        cert_data: The client certificate itself.
        key_file: Path of the client certificate's private key (PEM).
        key_data: The private key itself.

    Raises:
        ConfigError: A CA together with ``insecure``, a certificate without a key, or a key without a certificate.

    >>> TLSConfig(ca_file="ca.crt", key_file="k", cert_file="c", key_data=b"...")
    TLSConfig(ca_file='ca.crt', cert_file='c', key_file='k', key_data=REDACTED)
    """

    insecure: bool = False
    server_name: str = ""
    ca_file: str = ""
    ca_data: bytes | None = None
    cert_file: str = ""
    cert_data: bytes | None = None
    key_file: str = ""
    key_data: bytes | None = field(default=None, metadata=SECRET)

    def __post_init__(self) -> None:
        _check_bool("tls.insecure", self.insecure)
        _check_str("tls.server_name", self.server_name)
        for name in ("ca", "cert", "key"):
            _set_path(self, f"{name}_file", f"tls.{name}_file")
            data = getattr(self, f"{name}_data")
            if data is not None and not isinstance(data, bytes):
                raise ConfigError(f"tls.{name}_data must be bytes (a PEM file's content), got {_type(data)}")
            object.__setattr__(self, f"{name}_data", data or None)
        if self.insecure and self.has_ca:
            raise ConfigError(
                "specifying a root certificates file with the insecure flag is not allowed: "
                "set either tls.insecure or tls.ca_file / tls.ca_data"
            )
        if self._has_cert != self._has_key:
            given, missing = ("cert", "key") if self._has_cert else ("key", "cert")
            raise ConfigError(
                f"tls.{given}_file or tls.{given}_data is set, and neither tls.{missing}_file nor tls.{missing}_data: "
                "a client certificate needs both certificate and key"
            )

    @property
    def has_ca(self) -> bool:
        """Whether a CA is configured, so that the system's trust store does not count."""
        return bool(self.ca_file or self.ca_data)

    @property
    def has_client_certificate(self) -> bool:
        """Whether a client certificate is configured."""
        return self._has_cert and self._has_key

    @property
    def _has_cert(self) -> bool:
        return bool(self.cert_file or self.cert_data)

    @property
    def _has_key(self) -> bool:
        return bool(self.key_file or self.key_data)

    __repr__ = redacted_repr


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Impersonation:
    """As whom to act: the server checks that the credentials may impersonate.

    Args:
        user: The user name; needed as soon as anything else is given.
        uid: The user's UID.
        groups: The groups; each becomes a header line of its own.
        extra: Further attributes, several values each.

    Raises:
        ConfigError: ``uid``, ``groups`` or ``extra`` without ``user``, or a value that no header can carry.

    >>> Impersonation(user="jane", groups=["dev", "ops"]).headers()
    (('Impersonate-User', 'jane'), ('Impersonate-Group', 'dev'), ('Impersonate-Group', 'ops'))
    """

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check_header("impersonate.user", self.user)
        _check_header("impersonate.uid", self.uid)
        object.__setattr__(self, "groups", _str_tuple("impersonate.groups", self.groups))
        if not isinstance(self.extra, Mapping):
            raise ConfigError(f"impersonate.extra must be a mapping of names to lists of str, got {_type(self.extra)}")
        for key in self.extra:
            _check_str("a name in impersonate.extra", key)
        extra = {key: _str_tuple(f"impersonate.extra[{key!r}]", values) for key, values in self.extra.items()}
        object.__setattr__(self, "extra", extra)
        if not self.user and (self.uid or self.groups or self.extra):
            # client-go checks this in clientcmd only, and would send an empty Impersonate-User otherwise.
            raise ConfigError("impersonate.uid, impersonate.groups and impersonate.extra need impersonate.user")

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The header lines, in order and with repetitions; empty when nobody is impersonated.

        The keys of ``extra`` are escaped as the server unescapes them: each byte that no header name may hold, and
        ``%``, becomes ``%XX`` (client-go's transport/round_trippers.go).

        >>> Impersonation(user="u", extra={"example.org/a%": ["x"]}).headers()[1]
        ('Impersonate-Extra-example.org%2Fa%25', 'x')
        """
        if not self.user:
            return ()
        lines = [("Impersonate-User", self.user)]
        if self.uid:
            lines.append(("Impersonate-Uid", self.uid))
        lines += [("Impersonate-Group", group) for group in self.groups]
        for key, values in self.extra.items():
            lines += [(f"Impersonate-Extra-{_escape_header_name(key)}", value) for value in values]
        return tuple(lines)

    def __bool__(self) -> bool:
        return bool(self.user)

    __repr__ = redacted_repr


@dataclass(frozen=True, slots=True)
class PluginPolicy:
    """Which exec plugins may run, whatever a kubeconfig names (kubectl has it in its kuberc).

    Args:
        type: ``AllowAll`` (also the empty default), ``DenyAll`` or ``Allowlist``.
        allowlist: With ``Allowlist``: the commands that may run. A name is the program of that name on the PATH; a
            path is that program alone.

    Raises:
        ConfigError: The two contradict each other, or the list holds what is no command.

    >>> PluginPolicy("Allowlist", ["aws", "/usr/bin/kubelogin"])
    PluginPolicy(type='Allowlist', allowlist=('aws', '/usr/bin/kubelogin'))
    """

    type: str = ""
    allowlist: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.allowlist is not None:
            object.__setattr__(self, "allowlist", _str_tuple("exec.plugin_policy.allowlist", self.allowlist))
        problem = self._problem()
        if problem:
            raise ConfigError(f"invalid plugin policy: {problem}")

    def _problem(self) -> str:
        # In the words of CG/plugin/pkg/client/auth/exec/exec.go, ValidatePluginPolicy.
        if self.type in ("", "AllowAll", "DenyAll"):
            if self.allowlist is None:
                return ""
            return (
                f'misconfigured credential plugin allowlist: plugin policy is "{self.type}" but allowlist is non-nil; '
                'leave it out, or say "Allowlist"'
            )
        if self.type != "Allowlist":
            return f'unknown plugin policy: "{self.type}" (it is one of AllowAll, DenyAll, Allowlist)'
        if self.allowlist is None:
            return 'credential plugin policy set to "Allowlist", but allowlist is unspecified'
        if not self.allowlist:
            return 'credential plugin policy set to "Allowlist", but allowlist is empty; use "DenyAll" policy instead'
        return next((problem for problem in map(_entry_problem, enumerate(self.allowlist, 1)) if problem), "")


def _entry_problem(numbered: tuple[int, str]) -> str:
    number, command = numbered
    if not command:
        return f"misconfigured credential plugin allowlist: empty allowlist entry #{number}"
    cleaned = os.path.normpath(command)
    return f'non-normalized file path: "{command}" vs "{cleaned}"' if cleaned != command else ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ExecConfig:
    """An exec credential plugin as a kubeconfig describes it (``exec`` of a user).

    Args:
        command: The program.
        args: Its arguments.
        env: Additional environment, as pairs of name and value.
        api_version: ``client.authentication.k8s.io/v1`` or ``/v1beta1``.
        install_hint: Shown when the program is missing; control characters are made harmless.
        provide_cluster_info: Whether the plugin is told about the cluster.
        interactive_mode: ``Never``, ``IfAvailable`` or ``Always``.
        config: What the cluster says to the plugin (its extension ``client.authentication.k8s.io/exec``).
        plugin_policy: Which plugins may run.
        stdin_unavailable: Whether standard input is taken (for a manifest, say), so that no plugin may read it.
        stdin_unavailable_message: Taken for what; for the message.
        timeout: Seconds that the plugin may take; a call's own deadline ends it earlier.

    The last four are no part of a kubeconfig.
    """

    command: str = ""
    args: tuple[str, ...] = field(default=(), metadata=SECRET)
    env: tuple[tuple[str, str], ...] = field(default=(), metadata=SECRET_VALUES)
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""
    config: Any = field(default=None, metadata=SECRET, hash=False)
    plugin_policy: PluginPolicy = field(default_factory=PluginPolicy)
    stdin_unavailable: bool = False
    stdin_unavailable_message: str = ""
    timeout: float = 300.0

    def __post_init__(self) -> None:
        _check_str("exec.command", self.command)
        if not isinstance(self.plugin_policy, PluginPolicy):
            raise ConfigError(f"exec.plugin_policy must be a PluginPolicy, got {_type(self.plugin_policy)}")
        object.__setattr__(self, "timeout", _seconds("exec.timeout", self.timeout))
        object.__setattr__(self, "args", _str_tuple("exec.args", self.args))
        object.__setattr__(self, "env", tuple((name, value) for name, value in self.env))

    __repr__ = redacted_repr


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AuthProviderConfig:
    """A legacy auth-provider of a kubeconfig's user (``auth-provider``).

    Args:
        name: ``oidc``, or one of those that are gone (``gcp``, ``azure``).
        config: Its settings, credentials among them.
    """

    name: str = ""
    config: Mapping[str, str] = field(default_factory=dict, metadata=SECRET_VALUES, hash=False)

    def __post_init__(self) -> None:
        _check_str("auth_provider.name", self.name)
        object.__setattr__(self, "config", dict(self.config))

    __repr__ = redacted_repr


# --------------------------------------------------------------------------- the whole


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RESTConfig:
    """How to reach one API server, and as whom (client-go's ``rest.Config``).

    Make one by hand, or have `dynkube.config.load_config` make it from a kubeconfig or from a pod's service account.

    Args:
        host: ``host``, ``host:port`` or a URL. A path in the URL precedes every request path. Without a scheme it is
            https when ``tls`` says anything about certificates, else http.
        tls: Trust and client certificate.
        username: For basic authentication.
        password: For basic authentication.
        bearer_token: Sent as ``Authorization: Bearer``.
        bearer_token_file: A file with the token, read again as it rotates; wins over ``bearer_token`` while readable.
        impersonate: As whom to act.
        exec: A credential plugin.
        auth_provider: A legacy auth-provider.
        proxy_url: ``http://``, ``https://`` or ``socks5://``; wins over the environment's proxies.
        trust_env: Whether, without ``proxy_url``, ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` count. Nothing
            else of the environment ever does.
        disable_compression: Do not ask for gzip.
        timeout: Seconds that a whole call may take; None for no limit.
        user_agent: The User-Agent header; empty for dynkube's own.
        qps: Requests a second in the long run, over all clients of this configuration; 0 for no limit on this side.
        burst: Requests at once before ``qps`` counts.
        rate_limiter: A limiter of yours, instead of ``qps`` and ``burst``; shared with the copies of the configuration.
        observers: Who is told of each request, repetition and wait (`dynkube.observers`).
        wrappers: Middleware around the sending of requests; `wrap` adds one.
        namespace: What a namespaced call uses when it names none.
        namespace_explicit: Whether the caller chose ``namespace``; False when it came from the kubeconfig's context,
            from the pod, or from nowhere.
        allow_plain_http_credentials: Say True to send credentials over plain http, readable by anyone on the way.
        source: Where this came from: the kubeconfig's path, or empty. For messages only, like the next two.
        context: The kubeconfig's context.
        user: The name of the kubeconfig's user.

    Raises:
        ConfigError: Fields that contradict each other or that can never work; the message names them.

    >>> config = RESTConfig(host="https://kube.example:6443/cluster-7", bearer_token="abc")
    >>> config
    RESTConfig(host='https://kube.example:6443/cluster-7', bearer_token=REDACTED)
    >>> config.base_url, config.path_prefix
    ('https://kube.example:6443', '/cluster-7')
    >>> config.copy(timeout=30).anonymous()
    RESTConfig(host='https://kube.example:6443/cluster-7', timeout=30.0)
    """

    host: str = field(metadata={"repr": "url"})
    tls: TLSConfig = field(default_factory=TLSConfig)
    username: str = ""
    password: str = field(default="", metadata=SECRET)
    bearer_token: str = field(default="", metadata=SECRET)
    bearer_token_file: str = ""
    impersonate: Impersonation = field(default_factory=Impersonation)
    exec: ExecConfig | None = None
    auth_provider: AuthProviderConfig | None = None
    proxy_url: str = field(default="", metadata={"repr": "url"})
    trust_env: bool = True
    disable_compression: bool = False
    timeout: float | None = None
    user_agent: str = ""
    qps: float = 0.0
    burst: int = 10
    rate_limiter: RateLimiter | None = field(default=None, hash=False)
    observers: Sequence[Observer] = field(default=(), hash=False)
    wrappers: Sequence[Wrapper] = field(default=(), repr=False, hash=False)
    namespace: str = "default"
    namespace_explicit: bool = False
    allow_plain_http_credentials: bool = False
    source: str = field(default="", compare=False)
    context: str = field(default="", compare=False)
    user: str = field(default="", compare=False)
    _base_url: str = field(default="", init=False, repr=False, compare=False)
    _path_prefix: str = field(default="", init=False, repr=False, compare=False)
    _limiter: RateLimiter | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_types()
        base_url, path_prefix = split_host(self.host, default_tls=self._defaults_to_tls())
        object.__setattr__(self, "_base_url", base_url)
        object.__setattr__(self, "_path_prefix", path_prefix)
        if self.proxy_url:
            problem = proxy_url_problem(self.proxy_url)
            if problem:
                raise ConfigError(f"proxy_url {redact_url(self.proxy_url)!r}: {problem}")
        self._check_credentials()
        if self.timeout is not None:
            object.__setattr__(self, "timeout", _seconds("timeout", self.timeout))
        _check_namespace(self.namespace)
        self._set_up_hooks()

    # ------------------------------------------------------------- reading it

    @property
    def base_url(self) -> str:
        """Scheme, host and port: ``https://kube.example:6443``."""
        return self._base_url

    @property
    def path_prefix(self) -> str:
        """What precedes every request path: ``/cluster-7``, or empty; never with a slash at its end."""
        return self._path_prefix

    @property
    def is_tls(self) -> bool:
        """Whether the server is spoken to over https."""
        return self._base_url.startswith("https:")

    @property
    def has_token(self) -> bool:
        """Whether a bearer token or a file with one is configured."""
        return bool(self.bearer_token or self.bearer_token_file)

    @property
    def has_basic_auth(self) -> bool:
        """Whether a user name for basic authentication is configured."""
        return bool(self.username)

    @property
    def limiter(self) -> RateLimiter | None:
        """The one rate limiter of all clients of this configuration; None for no limit.

        >>> config = RESTConfig(host="https://kube.example", qps=5)
        >>> config.limiter
        TokenBucket(qps=5, burst=10)
        >>> config.limiter is config.limiter, config.copy().limiter is config.limiter
        (True, False)
        """
        return self._limiter

    # ------------------------------------------------------------- others made from it

    def wrap(self, wrapper: Wrapper) -> Self:
        """A copy whose requests go through ``wrapper`` too (client-go's Config.Wrap).

        Each wrapper is around those that were there before, so the last one sees a request first, and its answer
        last. All of them come after impersonation, User-Agent and Authorization.

        Args:
            wrapper: Takes a function that sends a ``requests.PreparedRequest`` and returns a ``requests.Response``;
                returns another such function.

        >>> def traced(send):
        ...     def send_traced(request):
        ...         request.headers["X-Trace"] = "1"
        ...         return send(request)
        ...     return send_traced
        >>> config = RESTConfig(host="https://kube.example").wrap(traced)
        """
        return replace(self, wrappers=(*self.wrappers, wrapper))

    def copy(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked like any other.

        Raises:
            TypeError: A keyword that is no field.
            ConfigError: The result contradicts itself.
        """
        return replace(self, **changes)

    def anonymous(self) -> Self:
        """A copy without credentials and impersonation, with the same server, trust, proxy and timeouts.

        (client-go's AnonymousClientConfig.)
        """
        trust = TLSConfig(
            insecure=self.tls.insecure,
            server_name=self.tls.server_name,
            ca_file=self.tls.ca_file,
            ca_data=self.tls.ca_data,
        )
        # A host without a scheme must not turn into plain http when its client certificate goes.
        host = self.host if _URL.match(self.host) else f"{self.base_url}{self.path_prefix}"
        return replace(
            self,
            host=host,
            tls=trust,
            username="",
            password="",
            bearer_token="",
            bearer_token_file="",
            impersonate=Impersonation(),
            exec=None,
            auth_provider=None,
            user="",
        )

    @property
    def credential_plugin(self) -> ExecConfig | AuthProviderConfig | None:
        """The plugin that gives the credential; None where a static one does, or nothing.

        A static credential turns a plugin off, as in client-go: it never runs. To an exec plugin that is a token, a
        password or a client certificate; to an auth-provider, what makes an Authorization header.
        """
        static_header = self.has_token or self.has_basic_auth
        if self.exec is not None and not static_header and not self.tls.has_client_certificate:
            return self.exec
        return self.auth_provider if not static_header else None

    def require_static_credentials(self) -> None:
        """Refuse a configuration whose credential comes from an exec plugin or an auth-provider.

        For whoever runs no plugin. A static credential turns a plugin off, so a configuration with both passes.

        Raises:
            ConfigError: It takes a plugin to authenticate.
        """
        plugin = self.credential_plugin
        if plugin is None:
            return
        if isinstance(plugin, ExecConfig):
            what = f"the exec plugin {os.path.basename(plugin.command)!r}"
        else:
            what = f"the auth-provider {plugin.name!r}"
        owner = f" of user {self.user!r}" if self.user else ""
        file = f" (in {self.source})" if self.source else ""
        raise ConfigError(
            f"{what}{owner}{file} gives the credential, and nobody runs it here: use a client, or a Transport with "
            "source=dynkube.credentials.source_for(config)"
        )

    __repr__ = redacted_repr

    # ------------------------------------------------------------- checks

    def _defaults_to_tls(self) -> bool:
        return self.tls.has_ca or self.tls.has_client_certificate or self.tls.insecure

    def _check_types(self) -> None:
        for name, expected in (("tls", TLSConfig), ("impersonate", Impersonation)):
            if not isinstance(getattr(self, name), expected):
                raise ConfigError(f"{name} must be a {expected.__name__}, got {_type(getattr(self, name))}")
        for name in ("trust_env", "disable_compression", "namespace_explicit", "allow_plain_http_credentials"):
            _check_bool(name, getattr(self, name))
        for name in ("host", "username", "password", "proxy_url", "namespace", "source", "context", "user"):
            _check_str(name, getattr(self, name))
        _set_path(self, "bearer_token_file", "bearer_token_file")
        # A newline at the end of a token is a common slip; it would break the header, or worse, add one.
        _check_header("bearer_token", self.bearer_token)
        _check_header("user_agent", self.user_agent)

    def _set_up_hooks(self) -> None:
        qps, burst = self.qps, self.burst
        if type(qps) not in (int, float) or not math.isfinite(qps) or qps < 0:
            raise ConfigError(f"qps must be a number of requests a second, or 0 for no limit, got {qps!r}")
        if type(burst) is not int:
            raise ConfigError(f"burst must be a whole number, got {_type(burst)}")
        for name in ("observers", "wrappers"):
            object.__setattr__(self, name, _tuple(name, getattr(self, name)))
        for wrapper in self.wrappers:
            if not callable(wrapper):
                raise ConfigError(f"each of wrappers must be a function, got {_type(wrapper)}")
        limiter = self.rate_limiter
        if limiter is None and qps:
            if burst < 1:  # client-go's kubernetes.NewForConfig
                raise ConfigError(
                    "burst is required to be greater than 0 when rate_limiter is not set and qps is greater than 0"
                )
            from dynkube.ratelimit import TokenBucket

            limiter = TokenBucket(qps, burst)
        elif limiter is not None and not hasattr(limiter, "reserve"):
            raise ConfigError(f"rate_limiter must have reserve() and release(), got {_type(limiter)}")
        object.__setattr__(self, "_limiter", limiter)

    def _check_credentials(self) -> None:
        if self.has_basic_auth and self.has_token:
            raise ConfigError(
                "username/password or bearer token may be set, but not both: "
                "remove username and password, or bearer_token and bearer_token_file"
            )
        if self.password and not self.username:
            raise ConfigError("password is set without username: basic authentication needs both")
        if self.exec is not None and not self.exec.command:
            raise ConfigError("exec.command is empty: name the program to run")
        if self.exec is not None and self.auth_provider is not None:
            raise ConfigError("exec and auth_provider cannot be used in combination: remove one of them")
        if not self.is_tls and not self.allow_plain_http_credentials:
            self._check_nothing_to_overhear()

    def _check_nothing_to_overhear(self) -> None:
        given = {
            "username": self.has_basic_auth,
            "bearer_token": bool(self.bearer_token),
            "bearer_token_file": bool(self.bearer_token_file),
            "tls.cert_file / tls.cert_data": self.tls.has_client_certificate,
            "exec": self.exec is not None,
            "auth_provider": self.auth_provider is not None,
        }
        present = [name for name, is_given in given.items() if is_given]
        if present:
            raise ConfigError(
                f"{' and '.join(present)} would be sent over plain http to {self.base_url}: write host as an https:// "
                "URL, or say allow_plain_http_credentials=True where anyone on the way may read them"
            )


# --------------------------------------------------------------------------- hosts and proxies


def split_host(host: str, *, default_tls: bool) -> tuple[str, str]:
    """The base URL and the path prefix of a host, as `RESTConfig.host` takes it.

    >>> split_host("kube:6443", default_tls=True)
    ('https://kube:6443', '')

    Raises:
        ConfigError: No host, or one that is neither a URL nor a ``host:port`` pair.
    """
    if not host:
        raise ConfigError("host is empty: host must be a URL or a host:port pair, such as https://kube.example:6443")
    with_scheme = bool(_URL.match(host))
    # RFC 3986 has no blanks or control characters; the standard library would strip some of them without a word.
    if _UNPRINTABLE.search(host):
        raise ConfigError(f"host {redact_url(host)!r} holds a blank or a control character")
    parts = _split(host if with_scheme else f"{'https' if default_tls else 'http'}://{host}")
    if parts is None:
        raise ConfigError(f"host {redact_url(host)!r} is no URL or host:port pair")
    problem = _authority_problem(parts)
    if problem:
        raise ConfigError(f"host {redact_url(host)!r} is no URL or host:port pair: {problem}")
    if not with_scheme and parts.path not in ("", "/"):
        raise ConfigError(f'host must be a URL or a host:port pair: "{redact_url(host)}"; begin it with https://')
    prefix = quote(parts.path, safe="/%:@!$&'()*+,;=~-._").rstrip("/")
    return f"{parts.scheme}://{parts.netloc.removesuffix(':')}", prefix


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:  # its text may quote a password
        return None


def _authority_problem(parts: SplitResult) -> str:
    if parts.scheme not in ("http", "https"):
        return f"unsupported scheme {parts.scheme!r}, must be http or https"
    if parts.username is not None or parts.password is not None:
        # net/http would turn them into an Authorization header of its own.
        return "it holds a user name or a password; they belong into username and password"
    if not parts.hostname:
        return "it names no host"
    return "" if _has_good_port(parts) else "its port is not a number from 0 to 65535"


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port >= 0
    except ValueError:
        return False


def proxy_url_problem(url: str) -> str:
    """What is wrong with a proxy URL, in the words of clientcmd's parseProxyURL; empty when nothing is."""
    parts = _split(url)
    if parts is None or _UNPRINTABLE.search(url) or not _has_good_port(parts):
        return f"could not parse: {redact_url(url)}"
    if parts.scheme not in PROXY_SCHEMES:
        return f'unsupported scheme "{parts.scheme}", must be http, https, or socks5'
    return "" if parts.hostname else "it names no host"


# --------------------------------------------------------------------------- checks of one value


def _type(value: object) -> str:
    return type(value).__name__


def _check_str(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be a str, got {_type(value)}")


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False, got {_type(value)}")


def _check_header(name: str, value: object) -> None:
    _check_str(name, value)
    assert isinstance(value, str)
    if not _HEADER_VALUE.fullmatch(value):
        raise ConfigError(
            f"{name} holds a newline or another character that no HTTP header can carry: strip whitespace from its ends"
        )


def _check_namespace(namespace: str) -> None:
    if not namespace:
        raise ConfigError('namespace is empty: leave it out for "default"')
    if namespace in (".", "..") or not re.fullmatch(r"[^/%\x00-\x20\x7f]+", namespace):
        raise ConfigError(f"namespace {namespace!r} is no namespace name (lower case letters, digits and '-')")


def _set_path(holder: object, attribute: str, name: str) -> None:
    """Turn a path-like into str, in place."""
    value = getattr(holder, attribute)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
        object.__setattr__(holder, attribute, value)
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be a path, got {_type(value)}")


def _tuple(name: str, values: object) -> tuple[Any, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ConfigError(f"{name} must be a list, got {_type(values)}")
    return tuple(values)


def _str_tuple(name: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ConfigError(f"{name} must be a list of str, got {_type(values)}")
    result = tuple(values)
    for each in result:
        if name.startswith("exec."):
            _check_str(f"each of {name}", each)
        else:
            _check_header(f"each of {name}", each)
    return result


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} must be a number of seconds or None, got {_type(value)}")
    if not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{name} must be more than 0 seconds (None for no limit), got {value}")
    return float(value)


def _escape_header_name(key: str) -> str:
    return "".join(chr(byte) if byte in _HEADER_TOKEN_BYTES else f"%{byte:02X}" for byte in key.encode())
