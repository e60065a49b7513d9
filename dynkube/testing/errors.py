"""The one error that only the testing room has."""

from __future__ import annotations

from dynkube.errors import DynkubeError

__all__ = ["ControlPlaneError"]


class ControlPlaneError(DynkubeError):
    """A program of the control plane did not start, died, or did not do what it was told.

    The message names the program and its flags (paths and addresses: the secrets are in the
    files) and ends with the tail of its log.
    """
