"""What goes over the wire: objects, lists, statuses, in JSON or YAML, whole or as Table or metadata.

Bytes of entries are joined, not encoded again, wherever the request's version shows what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dynkube import codec
from dynkube.errors import InvalidRequestError
from dynkube.testing.apiserver import printing, recorded
from dynkube.testing.apiserver.endpoints.negotiation import Accepted
from dynkube.testing.apiserver.endpoints.printers import printer_of
from dynkube.testing.apiserver.registry.versions import in_request, shows_as_stored
from dynkube.testing.apiserver.storage import Entry, Page, Rendering
from dynkube.testing.apiserver.words.resources import Object, Resource

__all__ = ["Shape", "encode"]

_NO_UTF_8 = re.compile("[\ud800-\udfff]")


def encode(value: Any, accepted: Accepted | None) -> tuple[str, bytes]:
    """Content type and body of a value; indented JSON without a newline where nothing was agreed on."""
    try:
        return _encoded(value, accepted)
    except (InvalidRequestError, UnicodeEncodeError):
        return _encoded(_sound(value), accepted)


def _encoded(value: Any, accepted: Accepted | None) -> tuple[str, bytes]:
    if accepted is None:
        return "application/json", _indented(value)
    if accepted.media_type == "application/yaml":
        from dynkube.testing.apiserver.endpoints.yamltext import dump

        return accepted.media_type, dump(value)
    return accepted.media_type, _indented(value) if accepted.pretty else codec.encode(value) + b"\n"


def _indented(value: Any) -> bytes:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, separators=(",", ": ")).encode()


def _sound(value: Any) -> Any:
    """A value without what is no UTF-8: a name in a path can be that, and is quoted where it is refused."""
    if isinstance(value, dict):
        return {name: _sound(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_sound(each) for each in value]
    return _NO_UTF_8.sub("\ufffd", value) if isinstance(value, str) else value


class Shape:
    """How the objects of a resource are shown to one request.

    Args:
        resource: In the version of the request.
        accepted: What was agreed on.
        now: What ages are told from.
        include: What goes into the rows of a Table.
        parent: What the path names, where objects are of a subresource of it.
    """

    def __init__(
        self,
        resource: Resource,
        accepted: Accepted,
        now: Callable[[], datetime],
        include: str = "Metadata",
        parent: Resource | None = None,
    ) -> None:
        self._resource = resource
        self._parent = parent or resource
        self._accepted = accepted
        self._include = include
        self._now = now

    # ------------------------------------------------------------------ one object

    def entry(self, entry: Entry) -> tuple[str, bytes]:
        """Content type and body of a stored object."""
        if self._is_plain_json:
            return self._accepted.media_type, self._text(entry) + b"\n"
        return self.object(entry.object())

    def object(self, obj: Object) -> tuple[str, bytes]:
        """Content type and body of an object in its storage version."""
        return encode(self._shaped(obj, headers=True), self._accepted)

    def _shaped(self, obj: Object, *, headers: bool) -> Any:
        kind, version = self._accepted.kind, self._accepted.group_version.version
        if not kind:
            return in_request(self._resource, obj)
        if kind == "PartialObjectMetadata":
            return printing.partial(obj, version)
        if kind == "PartialObjectMetadataList":
            raise printing.object_refused(self._resource)
        return printing.table(
            printer_of(self._parent, self._resource),
            self._printed(obj),
            now=self._now(),
            version=version,
            include=self._include,
            headers=headers,
            convert=self._convert,
        )

    def _printed(self, obj: Object) -> Object:
        """What cells are computed from."""
        return in_request(self._resource, obj) if self._resource.is_custom else obj

    def _convert(self, obj: Object) -> Object:
        return in_request(self._resource, obj)

    @property
    def _is_plain_json(self) -> bool:
        accepted = self._accepted
        return not accepted.kind and not accepted.pretty and accepted.media_type == "application/json"

    def _text(self, entry: Entry) -> bytes:
        """The JSON of a stored object in the version of the request."""
        if shows_as_stored(self._resource, entry):
            return entry.text(_head(self._resource))
        return codec.encode(in_request(self._resource, entry.object()))

    # ------------------------------------------------------------------ lists

    def page(self, page: Page) -> tuple[str, bytes]:
        """Content type and body of a list."""
        if self._is_plain_json:
            return self._accepted.media_type, self._list_text(page)
        metadata = _list_metadata(page)
        kind, version = self._accepted.kind, self._accepted.group_version.version
        objects = [entry.object() for entry in page.entries]
        if kind == "PartialObjectMetadata":
            raise printing.list_refused(self._resource)
        if kind == "PartialObjectMetadataList":
            return encode(printing.partial_list(objects, metadata, version), self._accepted)
        if kind:
            table = printing.table_of_list(
                printer_of(self._parent, self._resource),
                [self._printed(each) for each in objects],
                metadata,
                now=self._now(),
                version=version,
                include=self._include,
                convert=self._convert,
            )
            return encode(table, self._accepted)
        return encode(codec.decode(self._list_text(page)), self._accepted)

    def _list_text(self, page: Page) -> bytes:
        resource = self._resource
        kind, version = resource.list_kind or f"{resource.kind}List", resource.group_version.api_version
        metadata = codec.encode(_list_metadata(page))
        if resource.is_custom:
            items = b",".join([self._text(entry) for entry in page.entries])
            metadata = codec.encode({"continue": page.continue_token, **_list_metadata(page)})
            head = b'{"apiVersion":"%b","items":[%b],"kind":"%b","metadata":%b}\n'
            return head % (version.encode(), items, kind.encode(), metadata)
        items = b",".join([self._item(entry) for entry in page.entries])
        head = b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[%b]}\n'
        return head % (kind.encode(), version.encode(), metadata, items)

    def _item(self, entry: Entry) -> bytes:
        """An item of a list of a built-in kind: it has no apiVersion and kind of its own."""
        if shows_as_stored(self._resource, entry):
            return entry.body
        shown = in_request(self._resource, entry.object())
        return codec.encode({name: value for name, value in shown.items() if name not in ("apiVersion", "kind")})

    # ------------------------------------------------------------------ watches

    def rendering(self) -> Rendering:
        """How a watch shows its objects."""
        accepted, resource = self._accepted, self._resource
        bare = {"kind": resource.kind, "apiVersion": resource.group_version.api_version}
        return Rendering(
            key=(resource.gvr, accepted.kind, accepted.group_version, self._include),
            render=self._render,
            blank=bare if resource.is_custom else recorded.blank(resource.gvr),
        )

    def _render(self, entry: Entry, is_first: bool) -> bytes:
        if not self._accepted.kind:
            return self._text(entry)
        return codec.encode(self._shaped(entry.object(), headers=is_first))


def _head(resource: Resource) -> bytes:
    kind, version = resource.kind.encode(), resource.group_version.api_version.encode()
    if resource.is_custom:
        return b'{"apiVersion":"%b","kind":"%b",' % (version, kind)
    return b'{"kind":"%b","apiVersion":"%b",' % (kind, version)


def _list_metadata(page: Page) -> Mapping[str, Any]:
    metadata: dict[str, Any] = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    return metadata
