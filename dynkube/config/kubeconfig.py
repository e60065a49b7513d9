"""The content of kubeconfig files as values: `parse`, `merge`, `resolve_paths`, `encode`.

`Kubeconfig` and its parts are frozen; ``copy(...)`` makes a changed one. Each cluster, user and context remembers the
file it came from (``origin``), which counts neither for equality nor when it is written: relative paths are meant from
that file's folder, and changes are written back to it. No ``repr`` shows a credential.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from dynkube.config.model import SECRET, SECRET_VALUES, AuthProviderConfig, ExecConfig, redacted_repr
from dynkube.config.yaml import dump_yaml, load_all
from dynkube.errors import ConfigError, DecodeError, KubeconfigNotFoundError

__all__ = ["AuthInfo", "Cluster", "Context", "Kubeconfig", "encode", "load_file", "merge", "parse", "resolve_paths"]

URL: Final[Mapping[str, str]] = {"repr": "url"}


class _Stanza:
    """What clusters, users and contexts have in common."""

    __slots__ = ()

    def copy(self, **changes: Any) -> Self:
        """A copy with some fields changed. Raises TypeError for a keyword that is no field."""
        return replace(self, **changes)  # type: ignore[type-var]

    __repr__ = redacted_repr


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cluster(_Stanza):
    """A server: where it is and how to trust it (``clusters`` of a kubeconfig)."""

    server: str = field(default="", metadata=URL)
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: bytes = b""
    proxy_url: str = field(default="", metadata=URL)
    disable_compression: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict, metadata=SECRET_VALUES, hash=False)
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AuthInfo(_Stanza):
    """A user: credentials, and as whom to act (``users`` of a kubeconfig).

    >>> AuthInfo(token="abc", client_key_data=b"key", impersonate="jane")
    AuthInfo(client_key_data=REDACTED, token=REDACTED, impersonate='jane')
    """

    client_certificate: str = ""
    client_certificate_data: bytes = b""
    client_key: str = ""
    client_key_data: bytes = field(default=b"", metadata=SECRET)
    token: str = field(default="", metadata=SECRET)
    token_file: str = ""
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    impersonate_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    username: str = ""
    password: str = field(default="", metadata=SECRET)
    auth_provider: AuthProviderConfig | None = None
    exec: ExecConfig | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict, metadata=SECRET_VALUES, hash=False)
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Context(_Stanza):
    """A cluster, a user and a namespace by one name (``contexts`` of a kubeconfig)."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""
    extensions: Mapping[str, Any] = field(default_factory=dict, metadata=SECRET_VALUES, hash=False)
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Kubeconfig(_Stanza):
    """A kubeconfig, of one file or merged of several; stanzas by name.

    ``files`` are those that it was read from, in order; they do not count for equality.
    """

    clusters: Mapping[str, Cluster] = field(default_factory=dict, hash=False)
    users: Mapping[str, AuthInfo] = field(default_factory=dict, hash=False)
    contexts: Mapping[str, Context] = field(default_factory=dict, hash=False)
    current_context: str = ""
    colors: bool = False
    preferences_extensions: Mapping[str, Any] = field(default_factory=dict, metadata=SECRET_VALUES, hash=False)
    extensions: Mapping[str, Any] = field(default_factory=dict, metadata=SECRET_VALUES, hash=False)
    files: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is configured (clientcmd's IsConfigEmpty)."""
        return self == Kubeconfig()


# --------------------------------------------------------------------------- reading

# One table per stanza, for reading and for writing: YAML name, attribute, kind.
_CLUSTER_FIELDS: Final = (
    ("server", "server", "str"),
    ("tls-server-name", "tls_server_name", "str"),
    ("insecure-skip-tls-verify", "insecure_skip_tls_verify", "bool"),
    ("certificate-authority", "certificate_authority", "str"),
    ("certificate-authority-data", "certificate_authority_data", "data"),
    ("proxy-url", "proxy_url", "str"),
    ("disable-compression", "disable_compression", "bool"),
    ("extensions", "extensions", "extensions"),
)
_USER_FIELDS: Final = (
    ("client-certificate", "client_certificate", "str"),
    ("client-certificate-data", "client_certificate_data", "data"),
    ("client-key", "client_key", "str"),
    ("client-key-data", "client_key_data", "data"),
    ("token", "token", "str"),
    ("tokenFile", "token_file", "str"),
    ("as", "impersonate", "str"),
    ("as-uid", "impersonate_uid", "str"),
    ("as-groups", "impersonate_groups", "strings"),
    ("as-user-extra", "impersonate_extra", "lists"),
    ("username", "username", "str"),
    ("password", "password", "str"),
    ("auth-provider", "auth_provider", "auth-provider"),
    ("exec", "exec", "exec"),
    ("extensions", "extensions", "extensions"),
)
_CONTEXT_FIELDS: Final = (
    ("cluster", "cluster", "str"),
    ("user", "user", "str"),
    ("namespace", "namespace", "str"),
    ("extensions", "extensions", "extensions"),
)
_EXEC_FIELDS: Final = (
    ("command", "command", "str"),
    ("args", "args", "strings"),
    ("env", "env", "env"),
    ("apiVersion", "api_version", "str"),
    ("installHint", "install_hint", "str"),
    ("provideClusterInfo", "provide_cluster_info", "bool"),
    ("interactiveMode", "interactive_mode", "str"),
)
_AUTH_PROVIDER_FIELDS: Final = (("name", "name", "str"), ("config", "config", "strings by name"))
_Fields = tuple[tuple[str, str, str], ...]

# Versions for which an absent interactiveMode means IfAvailable; v1 wants it said (clientcmd's api/v1/defaults.go).
_LENIENT_EXEC_VERSIONS: Final = ("client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1alpha1")


class _BadKubeconfig(Exception):  # noqa: N818 - never leaves this module
    """A problem in the content, with the path of the field."""


def parse(data: bytes | str, path: str | os.PathLike[str] = "") -> Kubeconfig:
    r"""The kubeconfig in ``data``, YAML or JSON; several YAML documents are merged like several files.

    Types are strict, as in kubectl: ``token: 12345`` is an error, no string. Unknown fields are ignored. Paths are left
    as they are written (see `resolve_paths`). Nothing at all is an empty kubeconfig.

    Args:
        data: The content.
        path: The file it comes from, which its stanzas remember; empty for none.

    Raises:
        ConfigError: No kubeconfig; the message names the file and the line or the field, and quotes no value.

    >>> config = parse("users: [{name: me, user: {token: abc}}]")
    >>> config.users["me"]
    AuthInfo(token=REDACTED)
    """
    origin = os.fspath(path)
    try:
        documents = load_all(data, "kubeconfig") if data else []
        parsed = [_document(each, origin) for each in documents]
    except (DecodeError, _BadKubeconfig) as error:
        cause = str(error)
    else:
        return merge(*parsed).copy(files=(origin,) if origin else ())
    prefix = f'error loading config file "{origin}"' if origin else "error loading kubeconfig"
    raise ConfigError(f"{prefix}: {cause.removeprefix('kubeconfig: ')}")


def load_file(path: str | os.PathLike[str]) -> Kubeconfig:
    """The kubeconfig in one file, its paths as they are written.

    Raises:
        KubeconfigNotFoundError: The file does not exist.
        ConfigError: The file cannot be read, or holds no kubeconfig.
    """
    name = os.fspath(path)
    try:
        data = Path(name).read_bytes()
    except FileNotFoundError as error:
        raise not_found(name) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise ConfigError(f'error loading config file "{name}": cannot read it: {reason}') from error
    return parse(data, name)


def not_found(path: str) -> KubeconfigNotFoundError:
    """The error for an explicitly named file that does not exist, with ``errno`` and ``filename`` set."""
    error = KubeconfigNotFoundError(f"kubeconfig {path!r} does not exist: correct the path, or leave it out")
    error.errno, error.filename = 2, path
    return error


def _document(document: Any, origin: str) -> Kubeconfig:
    content = _mapping(document, "", "the kubeconfig")
    for key, expected in (("kind", "Config"), ("apiVersion", "v1")):
        found = _string(content.get(key), key)
        if found not in ("", expected):
            raise _BadKubeconfig(f'{key} is "{found}", a kubeconfig has "{expected}": is this a kubeconfig?')
    preferences = _mapping(content.get("preferences"), "preferences")
    return Kubeconfig(
        clusters=_named(
            content, "clusters", "cluster", lambda v, w: Cluster(origin=origin, **_stanza(v, w, "cluster"))
        ),
        users=_named(content, "users", "user", lambda v, w: AuthInfo(origin=origin, **_stanza(v, w, "user"))),
        contexts=_named(
            content, "contexts", "context", lambda v, w: Context(origin=origin, **_stanza(v, w, "context"))
        ),
        current_context=_string(content.get("current-context"), "current-context"),
        colors=_bool(preferences.get("colors"), "preferences.colors"),
        preferences_extensions=_named(preferences, "extensions", "extension", _anything, "preferences."),
        extensions=_named(content, "extensions", "extension", _anything),
    )


_T = TypeVar("_T")


def _named(
    content: Mapping[str, Any], key: str, inner: str, read: Callable[[Any, str], _T], prefix: str = ""
) -> dict[str, _T]:
    """A list of ``{name, <inner>}`` as a mapping."""
    result: dict[str, _T] = {}
    for index, entry in enumerate(_list(content.get(key), prefix + key)):
        where = f"{prefix}{key}[{index}]"
        item = _mapping(entry, where)
        name = _string(item.get("name"), f"{where}.name")
        if name in result:
            raise _BadKubeconfig(f'{where}.name: duplicate name "{name}" in list {prefix}{key}: rename one of them')
        result[name] = read(item.get(inner), f"{where}.{inner}")
    return result


def _stanza(value: Any, where: str, kind: str) -> dict[str, Any]:
    table = {"cluster": _CLUSTER_FIELDS, "user": _USER_FIELDS, "context": _CONTEXT_FIELDS}[kind]
    return _read(value, where, table)


def _read(value: Any, where: str, table: _Fields) -> dict[str, Any]:
    content = _mapping(value, where)
    # An absent field, and a null, is the attribute's default.
    present = [each for each in table if content.get(each[0]) is not None]
    return {attribute: _READERS[kind](content[key], f"{where}.{key}") for key, attribute, kind in present}


def _anything(value: Any, _where: str) -> Any:
    return value


def _type_name(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean (put it in quotes for a string)"
    if isinstance(value, int | float):
        return "a number (put it in quotes for a string)"
    names: dict[type, str] = {str: "a string", list: "a list", dict: "a mapping"}
    return names.get(type(value), "something else")


def _mapping(value: Any, where: str, what: str = "") -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _BadKubeconfig(f"{what or where} must be a mapping, got {_type_name(value).partition(' (')[0]}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _BadKubeconfig(f"{where} must be a list, got {_type_name(value).partition(' (')[0]}")
    return value


def _string(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _BadKubeconfig(f"{where} must be a string, got {_type_name(value)}")
    return value


def _bool(value: Any, where: str) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _BadKubeconfig(f"{where} must be true or false, got {_type_name(value).partition(' (')[0]}")
    return value


def _data(value: Any, where: str) -> bytes:
    text = _string(value, where)
    try:
        # Like Go's decoder: line breaks are skipped, anything else that is no base64 is refused.
        return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise _BadKubeconfig(f"{where} is not valid base64: it must be the base64 form of a PEM file's bytes")


def _strings(value: Any, where: str) -> tuple[str, ...]:
    return tuple(_string(each, f"{where}[{index}]") for index, each in enumerate(_list(value, where)))


def _lists(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    return {key: _strings(each, f"{where}.{key}") for key, each in _mapping(value, where).items()}


def _strings_by_name(value: Any, where: str) -> dict[str, str]:
    return {key: _string(each, f"{where}.{key}") for key, each in _mapping(value, where).items()}


def _extensions(value: Any, where: str) -> dict[str, Any]:
    parent, _, key = where.rpartition(".")
    return _named({key: value}, key, "extension", _anything, f"{parent}.")


def _env(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    entries = [(_mapping(each, f"{where}[{i}]"), f"{where}[{i}]") for i, each in enumerate(_list(value, where))]
    return tuple(
        (_string(entry.get("name"), f"{at}.name"), _string(entry.get("value"), f"{at}.value")) for entry, at in entries
    )


def _exec(value: Any, where: str) -> ExecConfig:
    found = ExecConfig(**_read(value, where, _EXEC_FIELDS))
    if not found.interactive_mode and found.api_version in _LENIENT_EXEC_VERSIONS:
        return replace(found, interactive_mode="IfAvailable")
    return found


def _auth_provider(value: Any, where: str) -> AuthProviderConfig:
    return AuthProviderConfig(**_read(value, where, _AUTH_PROVIDER_FIELDS))


_READERS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "str": _string,
    "bool": _bool,
    "data": _data,
    "strings": _strings,
    "lists": _lists,
    "strings by name": _strings_by_name,
    "extensions": _extensions,
    "env": _env,
    "exec": _exec,
    "auth-provider": _auth_provider,
}


# --------------------------------------------------------------------------- merging


def merge(*configs: Kubeconfig) -> Kubeconfig:
    r"""One kubeconfig of several, the first of them the strongest.

    A stanza is taken whole from the first that has its name; equal-named stanzas are never mixed. A scalar is the first
    that is not empty. (clientcmd's ClientConfigLoadingRules.Load.)

    >>> first, second = parse("current-context: a"), parse("current-context: b\npreferences: {colors: true}")
    >>> merge(first, second)
    Kubeconfig(current_context='a', colors=True)
    """
    by_strength = configs[::-1]

    def layered(attribute: str) -> dict[str, Any]:
        return {name: each for config in by_strength for name, each in getattr(config, attribute).items()}

    return Kubeconfig(
        clusters=layered("clusters"),
        users=layered("users"),
        contexts=layered("contexts"),
        current_context=next((each.current_context for each in configs if each.current_context), ""),
        colors=any(each.colors for each in configs),
        preferences_extensions=layered("preferences_extensions"),
        extensions=layered("extensions"),
        files=tuple(dict.fromkeys(file for each in configs for file in each.files)),
    )


# --------------------------------------------------------------------------- paths


def map_paths(config: Kubeconfig, change: Callable[[str, str], str]) -> Kubeconfig:
    """A copy in which every path is ``change(path, origin)``; stanzas without origin stay."""
    return config.copy(
        clusters={name: map_cluster_paths(each, change) for name, each in config.clusters.items()},
        users={name: map_user_paths(each, change) for name, each in config.users.items()},
    )


def map_cluster_paths(cluster: Cluster, change: Callable[[str, str], str]) -> Cluster:
    """`map_paths` for one cluster."""
    if not cluster.origin or not cluster.certificate_authority:
        return cluster
    return cluster.copy(certificate_authority=change(cluster.certificate_authority, cluster.origin))


def map_user_paths(user: AuthInfo, change: Callable[[str, str], str]) -> AuthInfo:
    """`map_paths` for one user."""
    if not user.origin:
        return user
    names = ("client_certificate", "client_key", "token_file")
    changes: dict[str, Any] = {name: change(getattr(user, name), user.origin) for name in names if getattr(user, name)}
    # A bare command is looked for on PATH; only one with a separator is a path (GetAuthInfoFileReferences).
    if user.exec is not None and os.sep in user.exec.command:
        changes["exec"] = replace(user.exec, command=change(user.exec.command, user.origin))
    return user.copy(**changes)


def resolve_paths(config: Kubeconfig) -> Kubeconfig:
    """A copy whose relative paths are meant from the folder of the file that each stanza came from."""
    return map_paths(config, absolute)


def absolute(path: str, origin: str) -> str:
    """``path`` as meant in the file ``origin``."""
    return (
        os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(origin)), path))
        if not os.path.isabs(path)
        else path
    )


# --------------------------------------------------------------------------- writing


def to_dict(config: Kubeconfig) -> dict[str, Any]:
    """The kubeconfig as plain data, as it is written; lists sorted by name, what is empty left out."""
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": _entries(config.clusters, "cluster", _CLUSTER_FIELDS, always=("server",)),
        "users": _entries(config.users, "user", _USER_FIELDS),
        "contexts": _entries(config.contexts, "context", _CONTEXT_FIELDS, always=("cluster", "user")),
        "current-context": config.current_context,
    }
    preferences: dict[str, Any] = {}
    if config.colors:
        preferences["colors"] = True
    if config.preferences_extensions:
        preferences["extensions"] = _extension_entries(config.preferences_extensions)
    if preferences:
        content["preferences"] = preferences
    if config.extensions:
        content["extensions"] = _extension_entries(config.extensions)
    return content


def encode(config: Kubeconfig) -> bytes:
    """The kubeconfig as YAML, as kubectl writes it.

    >>> print(encode(Kubeconfig(current_context="dev")).decode(), end="")
    apiVersion: v1
    clusters: []
    contexts: []
    current-context: dev
    kind: Config
    users: []
    """
    return dump_yaml(to_dict(config)).encode()


def _entries(
    stanzas: Mapping[str, Any], inner: str, table: _Fields, always: Iterable[str] = ()
) -> list[dict[str, Any]]:
    return [{"name": name, inner: _write(each, table, always)} for name, each in sorted(stanzas.items())]


def _write(value: Any, table: _Fields, always: Iterable[str] = ()) -> dict[str, Any]:
    written = {}
    for key, attribute, kind in table:
        content = getattr(value, attribute)
        if content or key in always:
            written[key] = _WRITERS[kind](content)
    return written


def _extension_entries(extensions: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "extension": content} for name, content in sorted(extensions.items())]


def _write_exec(value: ExecConfig) -> dict[str, Any]:
    return _write(value, _EXEC_FIELDS, always=("command", "provideClusterInfo"))


def _write_auth_provider(value: AuthProviderConfig) -> dict[str, Any]:
    return _write(value, _AUTH_PROVIDER_FIELDS, always=("name",))


def _same(value: Any) -> Any:
    return value


_WRITERS: Final[dict[str, Callable[[Any], Any]]] = {
    "str": _same,
    "bool": _same,
    "data": lambda data: base64.b64encode(data).decode(),
    "strings": list,
    "lists": lambda extra: {key: list(values) for key, values in extra.items()},
    "strings by name": dict,
    "extensions": _extension_entries,
    "env": lambda env: [{"name": name, "value": value} for name, value in env],
    "exec": _write_exec,
    "auth-provider": _write_auth_provider,
}


# --------------------------------------------------------------------------- layering of one stanza over another

_S = TypeVar("_S", Cluster, AuthInfo, Context)


def overlay(base: _S, over: _S) -> _S:
    """``base`` with what is set in ``over``: a value that is not empty replaces, mappings are joined key by key.

    (clientcmd's merge.go: so an overriding False changes nothing, and an overriding list replaces.)
    """
    changes: dict[str, Any] = {}
    for each in fields(over):
        value = getattr(over, each.name)
        if isinstance(value, Mapping):
            changes[each.name] = {**getattr(base, each.name), **value}
        elif value or (value is not None and each.default is None):
            changes[each.name] = value
    return replace(base, **changes)
