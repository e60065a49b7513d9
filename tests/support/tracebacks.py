"""What a traceback would show."""

from __future__ import annotations


def shown_in(error: BaseException) -> list[str]:
    """All that a traceback which prints locals would show of an error: texts and the locals of every frame."""
    seen, found, queue = set(), [], [error]
    while queue:
        each = queue.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        found += [str(each), repr(each), repr(each.__dict__), *getattr(each, "__notes__", [])]
        trace = each.__traceback__
        while trace is not None:
            if "/dynkube/" in trace.tb_frame.f_code.co_filename:
                found += [repr(value) for value in trace.tb_frame.f_locals.values()]
            trace = trace.tb_next
        queue += [each.__cause__, each.__context__]
    return found
