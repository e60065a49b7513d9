"""Paths with a domain before them, which name programs: ``acme.io/foo``."""

from __future__ import annotations

import re

from dynkube.testing.apiserver.builtin.rules import Errors, each
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import invalid, required

__all__ = ["domain_prefixed_path"]

_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def domain_prefixed_path(path: str, field: str) -> Errors:
    """One of them (IsDomainPrefixedPath)."""
    host, slash, rest = path.partition("/")
    if not path:
        yield required(field)
    elif not slash or not host or not rest:
        yield invalid(field, path, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from each(field, host, names.dns1123_subdomain(host))
        if not re.fullmatch(_PATH, rest):
            yield invalid(field, rest, names.regex_error("Invalid path", _PATH))
