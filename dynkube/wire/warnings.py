"""The server's ``Warning`` headers, and who is told.

The API server warns about deprecated versions, unknown fields and the like in ``Warning: 299``
headers (KEP-1693). Parsing follows RFC 7234 5.5 as AM/util/net/http.go (ParseWarningHeaders)
does: a malformed header ends there, and what parsed before it counts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

__all__ = [
    "ServerWarning",
    "WarningHandler",
    "WarningWriter",
    "log_warning",
    "parse_warning_headers",
    "suppress_warnings",
]

_log = logging.getLogger("dynkube.warnings")

# code SP agent SP "text" [SP "date"], then a comma or the end.
_VALUE = re.compile(r'\s*(\d{3}) (\S+) "((?:[^"\\]|\\.)*)"(?: "([^"]*)")?\s*(?:,|$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
# Also a warning must not steer the terminal it is shown on.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """One warning of the server.

    Attributes:
        code: 299 in everything Kubernetes sends.
        agent: who warns, ``"-"`` when nobody says.
        text: what about.
    """

    code: int
    agent: str
    text: str


WarningHandler = Callable[[ServerWarning], None]
"""Takes each warning with code 299 and a text; called on the thread of the request."""


def parse_warning_headers(lines: Iterable[str]) -> tuple[ServerWarning, ...]:
    r"""Parse the ``Warning`` headers of a response.

    Args:
        lines: each header line's value; one line may hold several warnings.

    Returns:
        The warnings up to the first malformed place of each line.

    Example:
        >>> parse_warning_headers(['299 - "use \\"v1\\"", 299 - "really"'])
        (ServerWarning(code=299, agent='-', text='use "v1"'), ServerWarning(code=299, agent='-', text='really'))
    """
    return tuple(warning for line in lines for warning in _parse_line(line))


def _parse_line(line: str) -> Iterable[ServerWarning]:
    position = 0
    while position < len(line):
        found = _VALUE.match(line, position)
        if found is None:
            return
        position = found.end()
        text = _decode_words(_ESCAPED.sub(r"\1", found[3]))
        yield ServerWarning(int(found[1]), found[2], _CONTROL.sub("", text))


def _decode_words(text: str) -> str:
    if not _ENCODED_WORD.search(text):
        return text
    from email.header import decode_header, make_header  # rare, and costly to import

    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError):
        return text


def suppress_warnings(warning: ServerWarning) -> None:
    """Ignore warnings."""


def log_warning(warning: ServerWarning) -> None:
    """Log warnings to the logger ``dynkube.warnings``: what happens by default."""
    _log.warning("%s", warning.text)


class WarningWriter:
    """Writes ``Warning: <text>`` lines to a stream, as kubectl does on stderr.

    Thread-safe.

    Args:
        stream: where to write.
        deduplicate: write each text once only.
        color: write ``Warning:`` in bold yellow; whether the stream is a terminal that wants it is
            the caller's to know.

    Example:
        >>> import sys
        >>> writer = WarningWriter(sys.stdout)
        >>> writer(ServerWarning(299, "-", "v1beta1 is deprecated"))
        Warning: v1beta1 is deprecated
        >>> writer(ServerWarning(299, "-", "v1beta1 is deprecated"))
        >>> writer.count
        2
    """

    def __init__(self, stream: TextIO, *, deduplicate: bool = True, color: bool = False) -> None:
        self._stream = stream
        self._deduplicate = deduplicate
        self._prefix = "\x1b[33;1mWarning:\x1b[0m" if color else "Warning:"
        # No lock on this floor: setdefault() and append() are each one step.
        self._written: dict[str, object] = {}
        self._came = bytearray()

    @property
    def count(self) -> int:
        """How many warnings came, those that were written before included."""
        return len(self._came)

    def __call__(self, warning: ServerWarning) -> None:
        """Write one warning."""
        self._came.append(0)
        mine = object()
        if self._deduplicate and self._written.setdefault(warning.text, mine) is not mine:
            return
        self._stream.write(f"{self._prefix} {warning.text}\n")
