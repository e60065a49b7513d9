"""From bytes to objects: what clients send, as the API server's decoders read it, and what they say against it.

- `decode_object`: the body of a create or an update becomes an object of the kind that the endpoint takes;
- `decode_delete_options`: the body of a DELETE;
- `decode_body`: any body, for who does the rest;
- `gotypes`: the Go types of the built-in kinds, and what they make of an object.

Below them: JSON and YAML as Go reads them (`jsontext`, `yamltext`), protobuf, quantities, times.
"""

from __future__ import annotations

from dynkube.testing.apiserver.decoding.body import Decoded, decode_body
from dynkube.testing.apiserver.decoding.empties import Empty, empties, with_empties
from dynkube.testing.apiserver.decoding.gotypes import GoTypes, gotypes
from dynkube.testing.apiserver.decoding.objects import Normalize, Target, decode_delete_options, decode_object
from dynkube.testing.apiserver.decoding.problems import IGNORE, STRICT, WARN, DecodingError

__all__ = [
    "IGNORE",
    "STRICT",
    "WARN",
    "Decoded",
    "DecodingError",
    "Empty",
    "GoTypes",
    "Normalize",
    "Target",
    "decode_body",
    "decode_delete_options",
    "decode_object",
    "empties",
    "gotypes",
    "with_empties",
]
