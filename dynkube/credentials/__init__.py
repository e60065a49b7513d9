"""Credentials that somebody else gives: exec plugins and identity providers.

`source_for` has the one of a configuration; every client asks it by itself.
"""

from __future__ import annotations

from dynkube.credentials.exec import ExecAuthenticator
from dynkube.credentials.oidc import OIDCProvider
from dynkube.credentials.providers import source_for

__all__ = ["ExecAuthenticator", "OIDCProvider", "source_for"]
