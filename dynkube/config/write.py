"""Changing kubeconfig files (`modify_config`), and the views that ``kubectl config`` has of them."""

from __future__ import annotations

import base64
import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynkube.config.kubeconfig import (
    AuthInfo,
    Cluster,
    Kubeconfig,
    absolute,
    encode,
    load_file,
    map_cluster_paths,
    map_user_paths,
)
from dynkube.config.loader import LoadingRules, kubeconfig_paths
from dynkube.config.model import REDACTED
from dynkube.errors import ConfigError, InvalidRequestError, KubeconfigNotFoundError

__all__ = ["KubeconfigFiles", "flatten", "minify", "modify_config", "redact", "shorten", "write_file"]

_STANZAS = ("clusters", "users", "contexts")
# What prints as DATA+OMITTED once it is base64 again, as in kubectl config view.
_OMITTED = base64.b64decode("DATA+OMITTED")

Change = Callable[[Kubeconfig], Kubeconfig]


# --------------------------------------------------------------------------- which files


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeconfigFiles:
    """The files that ``kubectl config`` would change (clientcmd's PathOptions).

    Args:
        explicit_path: The one file, instead of those of ``$KUBECONFIG`` or the default one.
        environ: The environment; None for that of the process, at the time of each call.
    """

    explicit_path: str = ""
    environ: Mapping[str, str] | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, the strongest first."""
        return (self.explicit_path,) if self.explicit_path else kubeconfig_paths(self._environ())

    def default_path(self) -> str:
        """Where a new stanza goes: the only file; of several the first that exists, and when none does, the last.

        (`LoadingRules.default_path` takes the first then; client-go has both rules.)

        Raises:
            ConfigError: The environment names no file.
        """
        paths = self.paths
        if not paths:
            raise ConfigError("no kubeconfig to write to: set KUBECONFIG or HOME, or name a file")
        return next((each for each in paths if os.path.exists(each)), paths[-1])

    def load(self) -> Kubeconfig:
        """The files merged, with the paths in them as they are written; empty when there are none.

        Raises:
            ConfigError: A file cannot be read.
        """
        try:
            return LoadingRules(
                explicit_path=self.explicit_path, precedence=self.paths, resolve_paths=False, warn=_ignore
            ).load()
        except KubeconfigNotFoundError:
            return Kubeconfig()

    def _environ(self) -> Mapping[str, str]:
        return os.environ if self.environ is None else self.environ


def _ignore(_warning: object) -> None:
    """A file that is not there yet is no surprise to whoever writes it."""


# --------------------------------------------------------------------------- changing them


def modify_config(
    change: Change | Kubeconfig,
    *,
    kubeconfig: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    relativize: bool = False,
) -> Kubeconfig:
    """Change the kubeconfig files; each changed stanza is written to the file that it came from.

    A new stanza goes to the default file (`KubeconfigFiles.default_path`), and so does a new current context; clearing
    the current context changes the first file that sets one. ``<file>.lock`` is held meanwhile for each file, as
    kubectl does.

    Args:
        change: Gets the merged kubeconfig, its paths as they are written, and returns the wanted one; or that one
            itself, made from what `KubeconfigFiles.load` returned (then somebody else's change in between is lost).
        kubeconfig: The one file to change, instead of those of the environment.
        environ: The environment; None for that of the process, at the time of this call.
        relativize: Whether paths in changed stanzas become relative to the file's folder, where they are below it.

    Returns:
        The kubeconfig as it is now.

    Raises:
        ConfigError: Somebody else holds a lock, or a file cannot be read or written.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/config"
    >>> modify_config(lambda config: config.copy(current_context="dev"), kubeconfig=path).current_context
    'dev'
    """
    path = os.fspath(kubeconfig) if kubeconfig is not None else ""
    files = KubeconfigFiles(explicit_path=path, environ=environ)
    with _locked(files.paths):
        before = files.load()
        after = change(before) if callable(change) else change
        edits = _edits(files, before, after, relativize)
        # All is read, and anything wrong is known, before the first file is written.
        for target, content in [(target, _edited(target, each)) for target, each in edits.items()]:
            write_file(content, target)
        return files.load() if edits else before


def write_file(config: Kubeconfig, path: str | os.PathLike[str]) -> None:
    """Write a whole kubeconfig file: a new one with mode 0600, its folders with 0755; never half of it.

    Raises:
        ConfigError: It cannot be written.
    """
    # A link stays a link: what it points to is replaced.
    target = os.path.realpath(path)
    try:
        _make_folder(os.path.dirname(target))
        _replace(target, encode(config))
    except InvalidRequestError as error:
        raise ConfigError(
            f"cannot write kubeconfig {os.fspath(path)}: an extension holds what YAML does not: {error}"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot write kubeconfig {os.fspath(path)}: {error.strerror or error}") from error


def _replace(target: str, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".kubeconfig-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner_and_mode(target, temporary)
        os.replace(temporary, target)
    except OSError as error:
        os.unlink(temporary)
        if error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        Path(target).write_bytes(content)  # a single file mounted into a container cannot be replaced
    except BaseException:
        os.unlink(temporary)
        raise


def _make_folder(path: str) -> None:
    if not os.path.isdir(path):
        if os.path.exists(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        _make_folder(os.path.dirname(path))  # os.makedirs would give the mode to the last one only
        os.makedirs(path, mode=0o755, exist_ok=True)


def _keep_owner_and_mode(target: str, temporary: str) -> None:
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return
    os.chmod(temporary, found.st_mode & 0o777)
    if hasattr(os, "chown") and (found.st_uid, found.st_gid) != (os.getuid(), os.getgid()):
        try:
            os.chown(temporary, found.st_uid, found.st_gid)
        except PermissionError:
            pass


@contextmanager
def _locked(paths: tuple[str, ...]) -> Iterator[None]:
    with ExitStack() as held:
        # In one order everywhere, so that two processes never wait for each other's second lock.
        for path in sorted(set(paths)):
            held.callback(_unlock, _lock(path))
        yield


def _lock(path: str) -> str:
    name = f"{path}.lock"
    try:
        _make_folder(os.path.dirname(os.path.abspath(name)))
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise ConfigError(f"{name} exists: somebody is changing {path}; when nobody is, remove that file") from error
    except OSError as error:
        raise ConfigError(f"cannot lock kubeconfig {path}: {error.strerror or error}") from error
    return name


def _unlock(name: str) -> None:
    Path(name).unlink(missing_ok=True)


def _edits(files: KubeconfigFiles, before: Kubeconfig, after: Kubeconfig, relativize: bool) -> dict[str, list[Change]]:
    """What to do to which file."""
    edits: dict[str, list[Change]] = {}
    for attribute in _STANZAS:
        old, new = getattr(before, attribute), getattr(after, attribute)
        for name, stanza in new.items():
            if name not in old or old[name] != stanza:
                target = stanza.origin or files.default_path()
                kept = stanza.copy(origin=target)
                edits.setdefault(target, []).append(_set(attribute, name, _relative(kept) if relativize else kept))
        for name in [each for each in old if each not in new]:
            target = old[name].origin or files.default_path()
            edits.setdefault(target, []).append(_delete(attribute, name))
    for target, values in _scalar_edits(files, before, after):
        edits.setdefault(target, []).append(_copy(values))
    return edits


def _scalar_edits(
    files: KubeconfigFiles, before: Kubeconfig, after: Kubeconfig
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if after.current_context != before.current_context:
        setter = files.default_path() if after.current_context else _setter_of_current_context(files)
        yield setter, {"current_context": after.current_context}
    preferences = {name: getattr(after, name) for name in ("colors", "preferences_extensions")}
    if any(getattr(before, name) != value for name, value in preferences.items()):
        files.default_path()  # says so when there is no file
        yield files.paths[0], preferences
    if after.extensions != before.extensions:
        yield files.default_path(), {"extensions": after.extensions}


def _setter_of_current_context(files: KubeconfigFiles) -> str:
    return next(path for path in files.paths if _read(path).current_context)


def _set(attribute: str, name: str, stanza: Any) -> Change:
    return lambda config: config.copy(**{attribute: {**getattr(config, attribute), name: stanza}})


def _delete(attribute: str, name: str) -> Change:
    return lambda config: config.copy(**{attribute: {n: s for n, s in getattr(config, attribute).items() if n != name}})


def _copy(values: Mapping[str, Any]) -> Change:
    return lambda config: config.copy(**values)


def _edited(path: str, changes: list[Change]) -> Kubeconfig:
    config = _read(path)
    for change in changes:
        config = change(config)
    return config


def _read(path: str) -> Kubeconfig:
    try:
        return load_file(path)
    except KubeconfigNotFoundError:
        return Kubeconfig()


def _relative(stanza: Any) -> Any:
    if isinstance(stanza, Cluster):
        return map_cluster_paths(stanza, _below)
    return map_user_paths(stanza, _below) if isinstance(stanza, AuthInfo) else stanza


def _below(path: str, origin: str) -> str:
    """The path from the folder of ``origin``, unless that would climb out of it."""
    found = absolute(path, origin)
    relative = os.path.relpath(found, os.path.dirname(os.path.abspath(origin)))
    return found if relative == ".." or relative.startswith(f"..{os.sep}") else relative


# --------------------------------------------------------------------------- views


def minify(config: Kubeconfig, context: str = "") -> Kubeconfig:
    """Only one context with its cluster and its user; the current context when none is named.

    Raises:
        ConfigError: There is no such context, cluster or user.
    """
    name = context or config.current_context
    if not name:
        raise ConfigError("current-context must exist in order to minify")
    found = _locate("context", name, config.contexts)
    clusters = {found.cluster: _locate("cluster", found.cluster, config.clusters)} if found.cluster else {}
    users = {found.user: _locate("user", found.user, config.users)} if found.user else {}
    return config.copy(contexts={name: found}, clusters=clusters, users=users, current_context=name)


def _locate(kind: str, name: str, stanzas: Mapping[str, Any]) -> Any:
    if name not in stanzas:
        raise ConfigError(f"cannot locate {kind} {name}")
    return stanzas[name]


def flatten(config: Kubeconfig) -> Kubeconfig:
    """The certificates and keys inside instead of by path, so that the kubeconfig can be moved elsewhere.

    Raises:
        ConfigError: A file cannot be read, or a stanza has both path and data.
    """
    return config.copy(
        clusters={
            name: _inlined(each, f"cluster {name}", "certificate_authority") for name, each in config.clusters.items()
        },
        users={
            name: _inlined(each, f"user {name}", "client_certificate", "client_key")
            for name, each in config.users.items()
        },
    )


def _inlined(stanza: Any, what: str, *attributes: str) -> Any:
    changes: dict[str, Any] = {}
    for attribute in attributes:
        path = getattr(stanza, attribute)
        if not path:
            continue
        key = attribute.replace("_", "-")
        if getattr(stanza, f"{attribute}_data"):
            raise ConfigError(f"{what}: cannot have values for both path and contents: {key} and {key}-data")
        try:
            content = Path(absolute(path, stanza.origin) if stanza.origin else path).read_bytes()
        except OSError as error:
            raise ConfigError(f"{what}: cannot read {key} {path}: {error.strerror or error}") from error
        changes |= {attribute: "", f"{attribute}_data": content}
    return stanza.copy(**changes)


def redact(config: Kubeconfig) -> Kubeconfig:
    """``REDACTED`` for every token, password and private key, and for what plugins and auth-providers are told."""
    return config.copy(users={name: _redacted(each) for name, each in config.users.items()})


def _redacted(user: AuthInfo) -> AuthInfo:
    plugin, provider = user.exec, user.auth_provider
    if plugin is not None:
        env = tuple((name, REDACTED) for name, _ in plugin.env)
        plugin = replace(plugin, args=(REDACTED,) * len(plugin.args), env=env)
    if provider is not None:
        provider = replace(provider, config=dict.fromkeys(provider.config, REDACTED))
    return user.copy(
        token=user.token and REDACTED,
        password=user.password and REDACTED,
        client_key_data=user.client_key_data and REDACTED.encode(),
        exec=plugin,
        auth_provider=provider,
    )


def shorten(config: Kubeconfig) -> Kubeconfig:
    """What a person wants to see: credentials as in `redact`, and ``DATA+OMITTED`` for certificates and keys."""
    hidden = redact(config)
    return hidden.copy(
        clusters={name: _omitted(each, "certificate_authority_data") for name, each in hidden.clusters.items()},
        users={
            name: _omitted(each, "client_certificate_data", "client_key_data") for name, each in hidden.users.items()
        },
    )


def _omitted(stanza: Any, *attributes: str) -> Any:
    return stanza.copy(**{each: _OMITTED for each in attributes if getattr(stanza, each)})
