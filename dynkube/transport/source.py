"""Credentials that change while a client runs: the value, and what a transport asks of whoever renews it.

Those who renew them (exec plugins, auth-providers) live a floor above, in `dynkube.credentials`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dynkube.transport.scope import CallScope

__all__ = ["Credential", "CredentialSource"]


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """What a request authenticates with: a bearer token, a client certificate, or both.

    Attributes:
        token: Sent as ``Authorization: Bearer``; empty for none.
        cert_data: The client certificate (PEM, with its chain).
        key_data: Its private key (PEM).
        serial: Rises with each new credential of one source; no part of what makes two of them equal.

    >>> Credential(token="abc")
    Credential(token)
    """

    token: str = ""
    cert_data: bytes | None = None
    key_data: bytes | None = None
    serial: int = 0

    def same_as(self, other: Credential) -> bool:
        """Whether both authenticate in the same way."""
        return self.token == other.token and self.same_certificate(other)

    def same_certificate(self, other: Credential) -> bool:
        """Whether both show the same client certificate, or none."""
        return self.cert_data == other.cert_data and self.key_data == other.key_data

    def __repr__(self) -> str:
        kinds = [name for name, given in (("token", self.token), ("certificate", self.cert_data)) if given]
        return f"Credential({', '.join(kinds)})"


class CredentialSource(Protocol):
    """Where a transport has its credential from. Every method may be called from many threads."""

    def current(self) -> Credential | None:
        """The credential to use now; None when it takes time to get it."""

    def obtain(self, scope: CallScope) -> Credential:
        """The credential to use now, whatever it takes to get it.

        Raises:
            CredentialError: It cannot be had.
            CancelledError: The scope's token was cancelled.
            DeadlineExceededError: The scope's deadline passed.
        """

    def renew(self, rejected: Credential, scope: CallScope) -> Credential:
        """The credential to use instead of one that the server refused with a 401; it may be the same again.

        Raises:
            CredentialError: As `obtain`.
        """

    def listen(self, listener: Callable[[Credential], object]) -> None:
        """Have a bound method called when the client certificate has changed, for as long as its object lives."""
