"""Request targets: path and query, as Go's net/url reads them."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

__all__ = ["parse_query", "split_target", "unescape_path"]

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split_target(target: str) -> tuple[str, str]:
    """The path of a request target, still escaped, and its query.

    Raises:
        ValueError: The target is no path, or has a ``%`` that escapes nothing: net/http answers a bare 400.

    >>> split_target("/api/v1/namespaces/a%2Fb?watch=1")
    ('/api/v1/namespaces/a%2Fb', 'watch=1')
    >>> split_target("http://127.0.0.1:6443/version")
    ('/version', '')
    """
    path, _, query = target.partition("?")
    scheme, separator, rest = path.partition("://")
    if separator and "/" not in scheme:
        path = "/" + rest.partition("/")[2]
    if not path.startswith("/") or _BROKEN_ESCAPE.search(path):
        raise ValueError(f"no request target: {target!r}")
    return path, query


def parse_query(query: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a query, in order; what cannot be read is left out (url.ParseQuery).

    >>> parse_query("limit=5&labelSelector=a%3Db+%21c&watch&bad=%zz&old=1;x=2")
    (('limit', '5'), ('labelSelector', 'a=b !c'), ('watch', ''))
    """
    found = []
    for pair in query.split("&"):
        if pair and ";" not in pair and not _BROKEN_ESCAPE.search(pair):
            name, _, value = pair.partition("=")
            found.append((unquote_plus(name), unquote_plus(value)))
    return tuple(found)


def unescape_path(path: str) -> str:
    """The path as routes see it: an escaped slash is a slash.

    >>> unescape_path("/api/v1/namespaces/a%2Fb")
    '/api/v1/namespaces/a/b'
    """
    return unquote(path)
