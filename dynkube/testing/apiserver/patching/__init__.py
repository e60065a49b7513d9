"""What patches make of objects: JSON Patch, JSON Merge Patch and strategic merge, as the API server applies them.

`json_patch`, `merge_patch` and `strategic_merge` take an object as it is encoded in the version of the request, and the
bytes of a patch; what they make of it is not yet known to be an object of the kind: `decoding` says that.
`read_applied` reads the object of a server-side apply, which `fieldmanagement` merges.
"""

from __future__ import annotations

from dynkube.testing.apiserver.patching.patches import (
    Patched,
    json_patch,
    merge_patch,
    patched_text,
    read_applied,
    strategic_merge,
)
from dynkube.testing.apiserver.patching.refusals import invalid_patch

__all__ = ["Patched", "invalid_patch", "json_patch", "merge_patch", "patched_text", "read_applied", "strategic_merge"]
