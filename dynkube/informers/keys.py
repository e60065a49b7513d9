"""Names of objects in a store: ``"namespace/name"``, or ``"name"`` for what lives in no namespace.

The counterparts in client-go are CG/tools/cache/store.go (MetaNamespaceKeyFunc, SplitMetaNamespaceKey) and
CG/tools/cache/object-names.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from dynkube.errors import InvalidRequestError

__all__ = ["Key", "ObjectName", "key_text", "object_key", "object_name", "split_key"]


class ObjectName(NamedTuple):
    """The namespace and the name of an object; as text, its key.

    Attributes:
        namespace: ``""`` for a cluster-scoped object.
        name: of the object.

    Example:
        >>> str(ObjectName("shop", "api")), str(ObjectName("", "node-1"))
        ('shop/api', 'node-1')
    """

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


Key: TypeAlias = str | tuple[str, str]
"""What a store takes for a key: ``"shop/api"``, or ``("shop", "api")``, of which an `ObjectName` is one."""


def key_text(key: Key) -> str:
    """A key as text.

    Raises:
        InvalidRequestError: It is neither text nor a namespace and a name.

    Example:
        >>> key_text(("shop", "api")), key_text(ObjectName("", "node-1")), key_text("shop/api")
        ('shop/api', 'node-1', 'shop/api')
    """
    if isinstance(key, str):
        return key
    given: object = key
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(each, str) for each in given):
        return f"{key[0]}/{key[1]}" if key[0] else key[1]
    raise InvalidRequestError(f"key: want 'namespace/name' or (namespace, name), got {key!r}")


def split_key(key: str) -> ObjectName:
    """The namespace and the name that a key is made of.

    Raises:
        InvalidRequestError: It has more than two parts.

    Example:
        >>> split_key("shop/api")
        ObjectName(namespace='shop', name='api')
        >>> split_key("a/b/c")
        Traceback (most recent call last):
        ...
        dynkube.errors.InvalidRequestError: unexpected key format: "a/b/c"
    """
    if not isinstance(key, str):
        raise InvalidRequestError(f"key: want text, got a {type(key).__name__}")
    parts = key.split("/")
    if len(parts) > 2:
        raise InvalidRequestError(f'unexpected key format: "{key}"')
    return ObjectName("", parts[0]) if len(parts) == 1 else ObjectName(*parts)


def object_name(obj: Mapping[str, Any]) -> ObjectName:
    """The namespace and the name of an object: a dict, a tombstone, or what a handler got in compact mode.

    Raises:
        InvalidRequestError: It has no name.

    Example:
        >>> object_name({"metadata": {"namespace": "shop", "name": "api"}})
        ObjectName(namespace='shop', name='api')
    """
    # What is stored as bytes has both outside of them, and is not decoded for it.
    name, namespace = getattr(obj, "name", None), getattr(obj, "namespace", None)
    if name is None:
        metadata: object = getattr(obj, "get", lambda _field: None)("metadata")
        if isinstance(metadata, Mapping):
            name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        raise InvalidRequestError("couldn't create key for object: it has no metadata.name")
    return ObjectName(namespace or "", name)


def object_key(obj: Mapping[str, Any]) -> str:
    """The key of an object; see `object_name`.

    Raises:
        InvalidRequestError: It has no name.

    Example:
        >>> object_key({"metadata": {"namespace": "shop", "name": "api"}})
        'shop/api'
    """
    return str(object_name(obj))
