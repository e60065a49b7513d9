"""What the Go type of metadata holds, of any object's metadata (GetObjectMetaWithOptions, SetObjectMeta)."""

from __future__ import annotations

from typing import Any

from dynkube.testing.apiserver.decoding import DecodingError, gotypes

__all__ = ["normalize_metadata"]

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_WORDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array"}


def normalize_metadata(obj: dict[str, Any], path: str = "") -> list[str]:
    """Make of an object's metadata what ObjectMeta holds, in place.

    Returns:
        ``unknown field "metadata.x"`` for each field that goes; ``path`` is the object's.

    Raises:
        DecodingError: A value is of a wrong type; with the words of Go's decoder.
    """
    if "metadata" not in obj:
        return []
    metadata = obj["metadata"]
    if metadata is None:
        metadata = obj["metadata"] = {}
    if not isinstance(metadata, dict):
        word = _WORDS[type(metadata)]
        raise DecodingError(f"json: cannot unmarshal {word} into Go value of type v1.ObjectMeta")
    at = f"{path}.metadata" if path else "metadata"
    return gotypes().normalize(metadata, _OBJECT_META, at=at)
