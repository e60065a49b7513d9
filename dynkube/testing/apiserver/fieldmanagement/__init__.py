"""Field management: who owns which fields of an object, and server-side apply.

structured-merge-diff and apimachinery's ``util/managedfields``, in rooms of their own, all pure:

- `elements`, `fieldsets`: paths, and sets of fields as tries (``fieldsV1``);
- `mergetypes`: what a schema says about merging; `listitems`: what tells items of lists apart;
- `validation`, `values`, `comparison`, `merging`, `removal`, `reconciling`: what is done with a value and its type;
- `managers`: ``metadata.managedFields``; `conflicts`: the 409;
- `versions`, `updating`: whose fields are whose after a write, in whatever versions managers speak;
- `lastapplied`: the way over from client-side ``kubectl apply``; `scale`: managers through the scale subresource;
- `fieldmanager`: the whole of it, for a request.
"""

from __future__ import annotations

from dynkube.testing.apiserver.fieldmanagement.fieldmanager import apply, keep_times, update
from dynkube.testing.apiserver.fieldmanagement.managers import manager_name
from dynkube.testing.apiserver.fieldmanagement.problems import ProblemError
from dynkube.testing.apiserver.fieldmanagement.scale import from_scale, to_scale
from dynkube.testing.apiserver.fieldmanagement.versions import Version, Versions

__all__ = [
    "ProblemError",
    "Version",
    "Versions",
    "apply",
    "from_scale",
    "keep_times",
    "manager_name",
    "to_scale",
    "update",
]
