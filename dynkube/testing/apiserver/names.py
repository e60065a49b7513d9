"""What may be a name, with the words of a refusal (AM/util/validation/validation.go, AM/api/validation)."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["dns1123_subdomain", "mask_trailing_dash"]

_DNS1123_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DNS1123_SUBDOMAIN_ERROR = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def dns1123_subdomain(name: str, *, prefix: bool = False) -> Sequence[str]:
    """What keeps a text from being a DNS subdomain; of a prefix, from beginning one."""
    judged = mask_trailing_dash(name) if prefix else name
    problems = [] if len(judged) <= 253 else ["must be no more than 253 bytes"]
    return problems if _DNS1123_SUBDOMAIN.fullmatch(judged) else [*problems, _DNS1123_SUBDOMAIN_ERROR]


def mask_trailing_dash(prefix: str) -> str:
    """A generateName prefix may end in a dash: random letters follow (maskTrailingDash)."""
    return f"{prefix[:-1]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix
