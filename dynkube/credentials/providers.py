"""Which source gives the credential of a configuration."""

from __future__ import annotations

from dynkube.config.model import AuthProviderConfig, ExecConfig, RESTConfig
from dynkube.errors import ConfigError
from dynkube.transport import CredentialSource

__all__ = ["source_for"]

_FURTHER = "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
# CG/plugin/pkg/client/auth/{azure,gcp}
_REMOVED = {
    "azure": (
        "The azure auth plugin has been removed.\nPlease use the https://github.com/Azure/kubelogin kubectl/client-go "
        f"credential plugin instead.\nSee {_FURTHER} for further details"
    ),
    "gcp": (
        'The gcp auth plugin has been removed.\nPlease use the "gke-gcloud-auth-plugin" kubectl/client-go credential '
        "plugin instead.\nSee https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke "
        "for further details"
    ),
}


def source_for(config: RESTConfig) -> CredentialSource | None:
    """Who gives the credential of a configuration; None where it is a static one.

    The same source for equal configurations, in the whole process: a credential is fetched once for all of them.
    Nothing is run here.

    Raises:
        ConfigError: The exec or auth-provider stanza cannot be used; there is no such auth-provider (any more).

    >>> source_for(RESTConfig(host="https://kube.example", bearer_token="abc")) is None
    True
    >>> gone = AuthProviderConfig(name="openstack")
    >>> source_for(RESTConfig(host="https://kube.example", auth_provider=gone, user="me"))
    Traceback (most recent call last):
    dynkube.errors.ConfigError: user 'me': no Auth Provider found for name "openstack"; there is "oidc"
    """
    plugin = config.credential_plugin
    if plugin is None:
        return None
    owner = f"user {config.user!r}" if config.user else "the configuration"
    where = f"{owner} (in {config.source})" if config.source else owner
    try:
        return _source(config, plugin)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _source(config: RESTConfig, plugin: ExecConfig | AuthProviderConfig) -> CredentialSource:
    if isinstance(plugin, ExecConfig):
        from dynkube.credentials.exec import exec_authenticator

        return exec_authenticator(config)
    if plugin.name == "oidc":
        from dynkube.credentials.oidc import oidc_provider

        return oidc_provider(config)
    raise ConfigError(_REMOVED.get(plugin.name) or f'no Auth Provider found for name "{plugin.name}"; there is "oidc"')
