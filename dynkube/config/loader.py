"""Which kubeconfig files count, and reading them: `LoadingRules`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from dynkube.config.kubeconfig import Kubeconfig, load_file, merge, not_found, resolve_paths
from dynkube.config.model import RESTConfig
from dynkube.errors import AggregateError, ConfigError, KubeconfigNotFoundError

__all__ = ["LoadingRules", "MissingConfigWarning", "home_folder", "kubeconfig_paths"]

_log = logging.getLogger("dynkube.config")


class MissingConfigWarning(UserWarning):
    """None of the files that ``$KUBECONFIG`` lists exists; ``missing`` are their paths."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(f"Config not found: {', '.join(missing)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingRules:
    """Which files make the kubeconfig, and how (clientcmd's ClientConfigLoadingRules).

    Args:
        explicit_path: The one file to read; it must exist. Nothing else is looked at then.
        precedence: The files to merge otherwise, the strongest first; those that do not exist are skipped.
        resolve_paths: Whether relative paths in a file become absolute, from the folder of that file. To edit a
            kubeconfig, leave them.
        warn_if_all_missing: Whether to warn when no file of ``precedence`` exists.
        warn: Gets the warning; None for the log.
        default_config: The configuration that the defaults alone amount to; a pod prefers its service account to it.

    >>> LoadingRules.default({"KUBECONFIG": "a:b::a", "HOME": "/home/me"}).precedence
    ('a', 'b')
    >>> LoadingRules.default({"HOME": "/home/me"}).precedence
    ('/home/me/.kube/config',)
    """

    explicit_path: str = ""
    precedence: tuple[str, ...] = ()
    resolve_paths: bool = True
    warn_if_all_missing: bool = False
    warn: Callable[[MissingConfigWarning], object] | None = None
    default_config: Callable[[], RESTConfig] | None = None

    @classmethod
    def default(cls, environ: Mapping[str, str] | None = None) -> Self:
        """What kubectl does: the files of ``$KUBECONFIG``, or else ``~/.kube/config``; read now from ``environ``."""
        environ = os.environ if environ is None else environ
        return cls(precedence=kubeconfig_paths(environ), warn_if_all_missing=bool(environ.get("KUBECONFIG")))

    def copy(self, **changes: Any) -> Self:
        """A copy with some fields changed. Raises TypeError for a keyword that is no field."""
        return replace(self, **changes)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that are looked at, the strongest first."""
        return (self.explicit_path,) if self.explicit_path else tuple(each for each in self.precedence if each)

    def default_path(self) -> str:
        """The explicit file; else the first that exists, else the first."""
        paths = self.paths
        return next((each for each in paths if os.path.exists(each)), paths[0] if paths else "")

    def load(self) -> Kubeconfig:
        """The files, read and merged; empty when there are none.

        Raises:
            KubeconfigNotFoundError: The explicit file does not exist.
            ConfigError: Files that cannot be read or parsed, all of them named.
        """
        configs, missing, problems = [], [], []
        for path in self.paths:
            try:
                configs.append(load_file(path))
            except KubeconfigNotFoundError:
                if self.explicit_path:
                    raise not_found(path) from None
                missing.append(path)
            except ConfigError as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            aggregate = AggregateError(problems)
            raise ConfigError(str(aggregate)) from aggregate
        if self.warn_if_all_missing and missing and not configs:
            self._warn(MissingConfigWarning(tuple(missing)))
        merged = merge(*configs)
        return resolve_paths(merged) if self.resolve_paths else merged

    def is_default_config(self, config: RESTConfig) -> bool:
        """Whether ``config`` is no more than the defaults (namespaces aside)."""
        if self.default_config is None:
            return False
        try:
            default = self.default_config()
        except ConfigError:
            return False
        return default == config.copy(namespace=default.namespace, namespace_explicit=default.namespace_explicit)

    def _warn(self, warning: MissingConfigWarning) -> None:
        if self.warn is None:
            _log.warning("%s", warning)
        else:
            self.warn(warning)


def kubeconfig_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The files of ``KUBECONFIG``, each once; when it is not set, or empty, the default file.

    Entries are taken as written: ``~`` and ``$VAR`` mean nothing, a relative one is meant from the working directory.

    >>> kubeconfig_paths({"KUBECONFIG": ":", "HOME": "/home/me"})
    ()
    """
    listed = environ.get("KUBECONFIG", "")
    if listed:
        return tuple(dict.fromkeys(each for each in listed.split(os.pathsep) if each))
    home = home_folder(environ)
    # client-go would fall back to .kube/config in the working directory: anyone's file, in a shared folder.
    return (os.path.join(home, ".kube", "config"),) if home else ()


def home_folder(environ: Mapping[str, str], *, windows: bool = os.name == "nt") -> str:
    r"""The home folder by the environment alone, as client-go finds it; empty when it says none.

    On Windows it is the first of ``HOME``, ``HOMEDRIVE`` with ``HOMEPATH``, and ``USERPROFILE`` that holds a
    ``.kube\config``; else the first that exists and can be written to; else the first that exists; else the first
    that is set (``HOME``, ``USERPROFILE``, ``HOMEDRIVE`` with ``HOMEPATH``).
    """
    home = environ.get("HOME", "")
    if not windows:
        return home
    drive, path = environ.get("HOMEDRIVE", ""), environ.get("HOMEPATH", "")
    drive_path = drive + path if drive and path else ""
    profile = environ.get("USERPROFILE", "")
    for candidate in filter(None, (home, drive_path, profile)):
        if os.path.exists(os.path.join(candidate, ".kube", "config")):
            return candidate
    by_order = [each for each in (home, profile, drive_path) if each]
    existing = [each for each in by_order if os.path.isdir(each)]
    writable = [each for each in existing if os.access(each, os.W_OK)]
    return next(iter(writable or existing or by_order), "")
