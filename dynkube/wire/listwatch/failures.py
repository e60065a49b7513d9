"""What a failure means: expired, ahead of the server, or what no waiting heals."""

from __future__ import annotations

from dynkube.errors import (
    APIStatusError,
    CredentialError,
    DecodeError,
    ExpiredError,
    FrameTooLargeError,
    GoneError,
    StoreReadError,
    TimeoutStatusError,
    TLSError,
    TransportError,
)

__all__ = ["Judge", "as_expired", "code_of", "is_expired", "is_too_large"]

# 4xx that time may heal: request timeout, expired, too early, too many requests.
_PASSING = frozenset({408, 410, 425, 429})
# So many answers in a row that cannot be decoded, and waiting is no help.
_GARBAGE_BEFORE_FAIL = 5
# What comes of the server and the way there. The rest is the driver's own end (cancelled, closed, past its deadline),
# or a defect.
_OF_THE_SERVER = (APIStatusError, TransportError, DecodeError)


class Judge:
    """Says which failures are final; knows what has worked so far.

    Args:
        heal: nothing is final that the server, the network or an administrator may mend: permission, a CRD that is
            not there yet, a certificate.
    """

    def __init__(self, *, heal: bool) -> None:
        self._heal = heal
        self._ever_connected = self._ever_decoded = False
        self._garbage = 0

    def connected(self) -> None:
        """The server answered."""
        self._ever_connected = True

    def decoded(self) -> None:
        """What the server answered made sense."""
        self._ever_connected = self._ever_decoded = True
        self._garbage = 0

    def is_final(self, error: Exception) -> bool:
        """Whether waiting cannot heal this."""
        if isinstance(error, DecodeError):
            self._garbage += 1
        if self._heal and isinstance(error, _OF_THE_SERVER):
            return False
        return self._is_final(error)

    def _is_final(self, error: Exception) -> bool:
        if isinstance(error, APIStatusError):
            code = code_of(error)
            return 400 <= code < 500 and code not in _PASSING
        if isinstance(error, TransportError):
            # A wrong CA stays wrong, and a plugin that is not installed is missing next time, too; a handshake that a
            # dying server broke off is another matter, and so is a plugin that worked before.
            return isinstance(error, TLSError | CredentialError) and not self._ever_connected
        if isinstance(error, DecodeError):
            too_often = self._garbage >= _GARBAGE_BEFORE_FAIL
            return isinstance(error, FrameTooLargeError) or not self._ever_decoded or too_often
        # Cancelled, closed, past the deadline, refused before it was sent, or a defect.
        return True

    def needs_a_list(self, error: Exception) -> bool:
        """Whether a watch from the last version is no way on.

        An object that could not be read has been deleted for it, and the watch says so again and again; and what was
        not found may be another thing when it is there again: a CRD that went and came back.
        """
        if isinstance(error, StoreReadError):
            return True
        code = code_of(error)
        return self._heal and 400 <= code < 500 and code not in _PASSING | {401, 403}


def code_of(error: Exception | None) -> int:
    """The HTTP status that an error stands for; 0 for none."""
    return (error.code or error.http_status) if isinstance(error, APIStatusError) else 0


def is_expired(error: Exception | None) -> bool:
    """Whether a resourceVersion or a continue token is too old."""
    return isinstance(error, ExpiredError | GoneError) or code_of(error) == 410


def is_too_large(error: Exception | None) -> bool:
    """Whether the server is behind the version asked for (AS/storage/errors.go, NewTooLargeResourceVersionError)."""
    if not isinstance(error, APIStatusError):
        return False
    if error.has_cause("ResourceVersionTooLarge"):
        return True
    # Servers before 1.19 say it in words only (CG/tools/cache/reflector.go, isTooLargeResourceVersionError).
    texts = (error.message, *(cause.message for cause in error.causes))
    return isinstance(error, TimeoutStatusError) and any("Too large resource version" in text for text in texts)


def as_expired(error: Exception) -> Exception:
    """The `ExpiredError` for any 410: older servers say Gone, and to the caller it is the same."""
    if isinstance(error, ExpiredError) or not isinstance(error, APIStatusError):
        return error
    return ExpiredError(
        {**error.status, "reason": "Expired"}, http_status=error.http_status, method=error.method, path=error.path
    )
