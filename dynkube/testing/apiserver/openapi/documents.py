"""The OpenAPI documents of a server: recorded ones of what is built in, composed ones of CRDs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dynkube import codec
from dynkube.testing.apiserver import recorded
from dynkube.testing.apiserver.openapi.customs import custom_document, is_published, served_versions
from dynkube.testing.apiserver.openapi.ordering import encode
from dynkube.testing.apiserver.openapi.swagger import definitions_of, swagger
from dynkube.testing.apiserver.openapi.swaggermessages import swagger_message
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["Document", "OpenAPI"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document, its hash, and since when it is what it is."""

    data: bytes
    hash: str
    made: datetime


class OpenAPI:
    """The documents; each is made when it is first asked for, and kept until `invalidate`.

    Args:
        crds: Gives all CRDs that there are now.
        now: Tells the time.

    Attributes:
        changed: When there was last another set of CRDs.
    """

    def __init__(self, crds: Callable[[], Iterable[Object]], now: Callable[[], datetime]) -> None:
        self._list_crds = crds
        self._now = now
        self._began = self.changed = now()
        self._crds: list[Object] | None = None
        self._custom: dict[str, Document] = {}
        self._swagger: Document | None = None
        self._swagger_message: Document | None = None

    def invalidate(self) -> None:
        """CRDs have come, gone or changed. Documents that stay the same keep their time."""
        self._crds = None
        self._swagger = self._swagger_message = None
        self.changed = self._now()

    def root(self) -> bytes:
        """``/openapi/v3``: where the document of each path is; the address changes with the document."""
        hashes = {**recorded.load("openapi/v3.json"), **{path: each.hash for path, each in self._customs.items()}}
        paths = {path: {"serverRelativeURL": self.address(path, hashes[path])} for path in sorted(hashes)}
        return codec.encode({"paths": paths})

    @staticmethod
    def address(path: str, hash: str) -> str:  # noqa: A002 - what the parameter is called
        """The path of a document, with its hash."""
        return f"/openapi/v3/{path}?hash={hash}"

    def find(self, path: str) -> Document | None:
        """The OpenAPI v3 document of a path such as ``apis/apps/v1``."""
        found = self._customs.get(path)
        hashes: Mapping[str, str] = recorded.load("openapi/v3.json")
        if found is None and path in hashes:
            return Document(recorded.openapi_v3(path), hashes[path], self._began)
        return found

    def swagger(self) -> Document:
        """The OpenAPI v2 document of everything."""
        if self._swagger is None:
            crds = self._published
            self._swagger = self._document(swagger(crds, definitions_of(crds)))
        return self._swagger

    def swagger_message(self) -> Document:
        """The same in protobuf; its hash is that of the JSON."""
        if self._swagger_message is None:
            crds, json = self._published, self.swagger()
            data = swagger_message(crds, definitions_of(crds))
            self._swagger_message = Document(data, json.hash, json.made)
        return self._swagger_message

    @property
    def _published(self) -> list[Object]:
        if self._crds is None:
            self._crds = [each for each in self._list_crds() if is_published(each)]
        return self._crds

    @property
    def _customs(self) -> Mapping[str, Document]:
        """The documents of group versions that CRDs serve."""
        if self._crds is None:
            kept, self._custom = self._custom, {}
            for (group, version), crds in _by_version(self._published).items():
                path = f"apis/{group}/{version}"
                made = self._document(encode(custom_document(crds, version)))
                before = kept.get(path)
                self._custom[path] = before if before is not None and before.hash == made.hash else made
        return self._custom

    def _document(self, data: bytes) -> Document:
        return Document(data, hashlib.sha512(data).hexdigest().upper(), self._now())


def _by_version(crds: Iterable[Object]) -> Mapping[tuple[str, str], list[Object]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for crd in crds:
        for row in served_versions(crd):
            found.setdefault((crd["spec"]["group"], row["name"]), []).append(crd)
    return found
