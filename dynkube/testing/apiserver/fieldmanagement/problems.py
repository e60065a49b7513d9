"""What field management cannot do."""

from __future__ import annotations

__all__ = ["ProblemError"]


class ProblemError(Exception):
    """A value is not of its type, a set of fields is none, a version cannot be converted.

    The text is the real server's.
    An update forgets all owners then; an apply fails with it.
    """
