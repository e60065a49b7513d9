"""What a traceback would show, one that prints the local variables of every frame."""

from __future__ import annotations

import traceback

__all__ = ["shown_in"]


def shown_in(error: BaseException, *, public: bool = True) -> str:
    """Texts and locals of an error and of what led to it, from the first frame of dynkube's on: ours and those below.

    Args:
        error: The error.
        public: Whether the first frame counts, too: that of the public call, whose arguments are the caller's own.
    """
    found: list[str] = []
    queue: list[BaseException | None] = [error]
    seen: set[int] = set()
    while queue:
        each = queue.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        frames = [frame for frame, _ in traceback.walk_tb(each.__traceback__)]
        first = next((i for i, frame in enumerate(frames) if "/dynkube/" in frame.f_code.co_filename), 0)
        below = [
            frame
            for frame in frames[first if public or each is not error else first + 1 :]
            if "/tests/" not in frame.f_code.co_filename
        ]
        found += [f"{name} = {value!r}" for frame in below for name, value in frame.f_locals.items()]
        found += [str(each), repr(each), repr(each.__dict__), *getattr(each, "__notes__", [])]
        queue += [each.__cause__, each.__context__]
    return "\n".join(found)
