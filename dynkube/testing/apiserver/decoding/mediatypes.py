"""What a body is written in, by its Content-Type (AS/endpoints/handlers/negotiation, NegotiateInputSerializer)."""

from __future__ import annotations

import re
from typing import Final

from dynkube.testing.apiserver.words.statuses import unsupported_media_type

__all__ = ["JSON", "PROTOBUF", "YAML", "body_media_type"]

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"

_ACCEPTED: Final = (JSON, YAML, PROTOBUF)
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 1521's word
_PARAMETER: Final = re.compile(rf'\s*;\s*({_TOKEN})\s*=\s*(?:{_TOKEN}|"(?:[^"\\\r\n]|\\.)*")')
_END: Final = re.compile(r"\s*;?\s*")


def body_media_type(content_type: str | None) -> str:
    """`JSON` (also where nothing is said), `YAML` or `PROTOBUF`.

    Raises:
        StatusError: 415.
    """
    if not content_type:
        return JSON
    end = content_type.find(";")
    name = (content_type if end < 0 else content_type[:end]).strip().lower()
    if name not in _ACCEPTED or (end >= 0 and not _are_parameters(content_type[end:])):
        accepted = ", ".join(_ACCEPTED)
        raise unsupported_media_type(
            f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        )
    return name


def _are_parameters(text: str) -> bool:
    """Whether Go's ``mime.ParseMediaType`` takes them: well-formed, each once."""
    names: set[str] = set()
    at = 0
    while (found := _PARAMETER.match(text, at)) is not None:
        if found[1].lower() in names:
            return False
        names.add(found[1].lower())
        at = found.end()
    return _END.fullmatch(text, at) is not None
