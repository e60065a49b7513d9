"""The one error that only the testing room has."""

from __future__ import annotations

from dynkube.errors import DynkubeError

__all__ = ["ControlPlaneError"]


class ControlPlaneError(DynkubeError):
    """A control plane, real or embedded, did not start, is not running, or did not do what it was told.

    Of a program of the real one the message names the program and its flags (paths and addresses:
    the secrets are in the files) and ends with the tail of its log.
    """
