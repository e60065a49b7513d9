"""One collection on one server: the two requests that lists, pages, watches and waits are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynkube.errors import DecodeError
from dynkube.options import ListOptions
from dynkube.records import RecordList, record_of
from dynkube.rest import RESTClient, WatchStream
from dynkube.schema import GroupVersionResource
from dynkube.transport import CancelToken
from dynkube.unstructured import UnstructuredList
from dynkube.wire.request import ACCEPT_JSON, list_request, watch_request
from dynkube.wire.response import decode_list, decode_records
from dynkube.wire.warnings import WarningHandler

__all__ = ["Collection", "metadata_of"]


@dataclass(frozen=True, slots=True)
class Collection:
    """A resource in one namespace or in all of them, in one representation.

    Attributes:
        rest: what to speak through.
        gvr: the resource.
        namespace: ``""`` for all of them, or for a cluster-scoped resource.
        accept: the media type: whole objects, or their metadata.
        warnings: who is told of a page's warnings, instead of the client's handler.
    """

    rest: RESTClient
    gvr: GroupVersionResource
    namespace: str = ""
    accept: str = ACCEPT_JSON
    warnings: WarningHandler | None = None

    def check(self, options: ListOptions) -> None:
        """Say now what is wrong with the options, before anything is sent.

        Raises:
            InvalidRequestError: a selector does not parse, or the options exclude each other.
        """
        list_request(self.gvr, namespace=self.namespace, options=options)

    def page(
        self, options: ListOptions, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> UnstructuredList:
        """One list request."""
        request = list_request(self.gvr, namespace=self.namespace, options=options, accept=self.accept)
        found = decode_list(self.rest.execute(request, timeout=timeout, cancel=cancel, warnings=self.warnings))
        return found if self.accept is ACCEPT_JSON else _metadata_of_list(found)

    def records(
        self, options: ListOptions, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> RecordList:
        """One list request, whose objects stay undecoded."""
        request = list_request(self.gvr, namespace=self.namespace, options=options, accept=self.accept)
        found = decode_records(self.rest.execute(request, timeout=timeout, cancel=cancel))
        if self.accept is ACCEPT_JSON or found.kind == "PartialObjectMetadataList":
            return found
        objects = [record_of(metadata_of(record.decode())) for record in found.objects]
        return RecordList(found.kind, found.api_version, found.metadata, objects)

    def open_watch(
        self,
        options: ListOptions,
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        idle_timeout: float | None = None,
    ) -> WatchStream:
        """One watch request."""
        request = watch_request(self.gvr, namespace=self.namespace, options=options, accept=self.accept)
        return self.rest.watch(request, timeout=timeout, cancel=cancel, idle_timeout=idle_timeout)


def metadata_of(obj: dict[str, Any]) -> dict[str, Any]:
    """A server that ignores the Accept header sends the whole object: keep its metadata (CG/metadata/metadata.go)."""
    if obj.get("kind") in {"PartialObjectMetadata", "Status"}:
        return obj
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("uid") or metadata.get("resourceVersion")):
        raise DecodeError(f"object does not appear to match the ObjectMeta schema: it is a {obj.get('kind')}")
    return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata}


def _metadata_of_list(found: UnstructuredList) -> UnstructuredList:
    if found.kind != "PartialObjectMetadataList":
        found.objects[:] = [metadata_of(obj) for obj in found.objects]
    return found
