"""Where the server is and who we are: kubeconfig files, the pod's service account, and `RESTConfig`.

`load_config` is what kubectl would do here. Values and files only: nothing in here speaks to a network.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynkube.config.clientconfig import (
        ClientConfig,
        DirectClientConfig,
        build_config_from_flags,
        load_config,
        rest_config_from_kubeconfig,
    )
    from dynkube.config.incluster import InCluster, in_cluster_config
    from dynkube.config.kubeconfig import (
        AuthInfo,
        Cluster,
        Context,
        Kubeconfig,
        encode,
        load_file,
        merge,
        parse,
        resolve_paths,
    )
    from dynkube.config.loader import LoadingRules, MissingConfigWarning
    from dynkube.config.model import (
        AuthProviderConfig,
        ExecConfig,
        Impersonation,
        PluginPolicy,
        RESTConfig,
        TLSConfig,
    )
    from dynkube.config.overrides import Overrides, default_cluster
    from dynkube.config.validation import (
        confirm_usable,
        is_config_invalid,
        is_context_not_found,
        is_empty_config,
        validate,
    )
    from dynkube.config.write import KubeconfigFiles, flatten, minify, modify_config, redact, shorten, write_file
    from dynkube.config.yaml import dump_yaml, load_all, load_yaml

__all__ = [
    "AuthInfo",
    "AuthProviderConfig",
    "ClientConfig",
    "Cluster",
    "Context",
    "DirectClientConfig",
    "ExecConfig",
    "Impersonation",
    "InCluster",
    "Kubeconfig",
    "KubeconfigFiles",
    "LoadingRules",
    "MissingConfigWarning",
    "Overrides",
    "PluginPolicy",
    "RESTConfig",
    "TLSConfig",
    "build_config_from_flags",
    "confirm_usable",
    "default_cluster",
    "dump_yaml",
    "encode",
    "flatten",
    "in_cluster_config",
    "is_config_invalid",
    "is_context_not_found",
    "is_empty_config",
    "load_all",
    "load_config",
    "load_file",
    "load_yaml",
    "merge",
    "minify",
    "modify_config",
    "parse",
    "redact",
    "resolve_paths",
    "rest_config_from_kubeconfig",
    "shorten",
    "validate",
    "write_file",
]

# Whoever has a RESTConfig already does not pay for reading kubeconfigs: each module is imported when first used.
_HOMES = {
    "clientconfig": (
        "ClientConfig",
        "DirectClientConfig",
        "build_config_from_flags",
        "load_config",
        "rest_config_from_kubeconfig",
    ),
    "incluster": ("InCluster", "in_cluster_config"),
    "kubeconfig": (
        "AuthInfo",
        "Cluster",
        "Context",
        "Kubeconfig",
        "encode",
        "load_file",
        "merge",
        "parse",
        "resolve_paths",
    ),
    "loader": ("LoadingRules", "MissingConfigWarning"),
    "model": ("AuthProviderConfig", "ExecConfig", "Impersonation", "PluginPolicy", "RESTConfig", "TLSConfig"),
    "overrides": ("Overrides", "default_cluster"),
    "validation": ("confirm_usable", "is_config_invalid", "is_context_not_found", "is_empty_config", "validate"),
    "write": ("KubeconfigFiles", "flatten", "minify", "modify_config", "redact", "shorten", "write_file"),
    "yaml": ("dump_yaml", "load_all", "load_yaml"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
