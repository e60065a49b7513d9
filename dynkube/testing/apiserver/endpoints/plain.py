"""Answers of net/http: plain text."""

from __future__ import annotations

from dynkube.testing.apiserver.words.messages import Response

__all__ = ["no_page", "plain_text"]


def plain_text(code: int, text: str) -> Response:
    """A text, as it is."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    return Response(status=code, headers=headers, body=text.encode("utf-8", "surrogateescape"))


def no_page() -> Response:
    """Where nothing is."""
    return plain_text(404, "404 page not found\n")
