"""APIs behind the server that answer badly: what `APIServer.break_group` hands back.

The embedded counterpart of `dynkube.testing.BrokenGroup`: the same ways, the same answers, without a
second server. kube-aggregator passes on what the API behind it says, and answers 503 for one that
is not available. No APIService is made for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from dynkube import codec
from dynkube.errors import InvalidRequestError
from dynkube.schema import GroupVersionResource
from dynkube.testing.apiserver.discovery import ServedVersion
from dynkube.testing.apiserver.testbench.effects import PAGE
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import ConnectionCut, Request, Response
from dynkube.testing.apiserver.words.resources import Resource, Strategy
from dynkube.testing.apiserver.words.schemas import ANYTHING

__all__ = ["AggregatedAPI", "AggregatedAPIs"]

_GROUP_VERSION: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+/v[0-9]+((alpha|beta)[0-9]+)?")
_HEALTHY: Final = "healthy"
_HANG: Final = "hang"
_PRIORITY: Final = 100
_JSON: Final = ("Content-Type", "application/json")
_GARBAGE_BYTES: Final = 40


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to answer: whether aggregated discovery calls it stale, and whether it lists its resources."""

    is_stale: bool = False
    has_resources: bool = False


_WAYS: Final[Mapping[str, _Way]] = {
    "empty": _Way(),
    "garbage": _Way(is_stale=True),
    _HANG: _Way(has_resources=True),
    _HEALTHY: _Way(has_resources=True),
    "html": _Way(is_stale=True),
    "refused": _Way(is_stale=True),
    "stale": _Way(is_stale=True),
    "unavailable": _Way(is_stale=True),
}


class AggregatedAPI:
    """One group version that an API behind the server serves, well or badly; a context manager that removes it.

    Made by `APIServer.break_group`, which says what the ways are.

    Attributes:
        group_version: ``broken.example.com/v1``.
        how: The way in which it answers; ``removed`` in the end.
    """

    def __init__(self, group_version: str, how: str, change: Callable[[Callable[[], None]], None]) -> None:
        self.group_version = group_version
        self.how = _checked(how)
        self._change = change
        self._group, _, self._version = group_version.partition("/")
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<AggregatedAPI {self.group_version}: {self.how}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    def behave(self, how: str) -> None:
        """Break it in another way.

        Raises:
            InvalidRequestError: There is no such way, or it has been removed.
        """
        _checked(how)
        if self.how == "removed":
            raise InvalidRequestError(f"{self.group_version} has been removed: call break_group() again")
        self._become(how)

    def repair(self) -> None:
        """Let it answer well: one resource, ``gizmos``."""
        self.behave(_HEALTHY)

    def remove(self) -> None:
        """Serve the group version no more. Idempotent."""
        if self.how != "removed":
            self._become("removed")

    def _become(self, how: str) -> None:
        def become() -> None:
            self.how = how
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

        self._change(become)

    # ------------------------------------------------------------------ the server's side

    def served(self) -> ServedVersion:
        """As discovery shows it."""
        way = _WAYS[self.how]
        return ServedVersion(
            group=self._group,
            version=self._version,
            group_priority=_PRIORITY,
            version_priority=_PRIORITY,
            resources=[self._gizmos()] if way.has_resources else [],
            is_local=False,
            is_stale=way.is_stale,
        )

    def _gizmos(self) -> Resource:
        return Resource(
            gvr=GroupVersionResource(self._group, self._version, "gizmos"),
            kind="Gizmo",
            singular="gizmo",
            namespaced=True,
            verbs=("get", "list"),
            storage_version=self._version,
            strategy=Strategy(),
            load_schema=lambda: ANYTHING,
        )

    def has(self, path: str) -> bool:
        """Whether a path is its affair."""
        root = f"/apis/{self.group_version}"
        return path == root or path.startswith(f"{root}/")

    async def answer(self, request: Request) -> Response:
        """What a client gets.

        Raises:
            ConnectionCut: It hung, and behaves in another way now.
        """
        if self.how == _HANG:
            await self._changed.wait()
            raise ConnectionCut
        if self.how == _HEALTHY:
            return self._well(request.path)
        resources = codec.encode(self._resource_list())
        answers = {
            "empty": (_JSON, b""),
            "garbage": (_JSON, resources[:_GARBAGE_BYTES]),
            "html": (("Content-Type", "text/html"), PAGE),
        }
        found = answers.get(self.how)
        if found is not None:
            return Response(status=200, headers=[found[0]], body=found[1])
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
        return Response(status=503, headers=headers, body=b"service unavailable\n")

    def _well(self, path: str) -> Response:
        api_version = self.group_version
        if path.rstrip("/") == f"/apis/{api_version}":
            body: Any = self._resource_list()
        elif path.endswith("/gizmos"):
            body = {"kind": "GizmoList", "apiVersion": api_version, "metadata": {}, "items": []}
        else:
            body = statuses.status(404, "NotFound", f"nothing is served at {path}")
        return Response(status=body.get("code", 200), headers=[_JSON], body=codec.encode(body))

    def _resource_list(self) -> Mapping[str, Any]:
        gizmos = {
            "name": "gizmos",
            "singularName": "gizmo",
            "namespaced": True,
            "kind": "Gizmo",
            "verbs": ["get", "list"],
        }
        head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": self.group_version}
        return {**head, "resources": [gizmos]}


class AggregatedAPIs:
    """All group versions of APIs behind one server; owned by its loop.

    Args:
        changed: Called after each change: discovery is another.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._apis: dict[str, AggregatedAPI] = {}
        self._tell = changed

    def __iter__(self) -> Iterator[ServedVersion]:
        return iter([each.served() for each in self._apis.values()])

    def add(self, group_version: str, how: str, run: Callable[[Callable[[], None]], None]) -> AggregatedAPI:
        """Serve one more.

        Args:
            group_version: One that is not served yet.
            how: A way to answer.
            run: Does something on the loop, and waits for it.

        Raises:
            InvalidRequestError: It is served, looks like none, or there is no such way.
        """
        if not _GROUP_VERSION.fullmatch(group_version):
            message = (
                f"break_group: {group_version!r} is no group and version that can be aggregated: "
                "write 'group.example.com/v1'"
            )
            raise InvalidRequestError(message)
        if group_version in self._apis:
            raise InvalidRequestError(f"break_group: {group_version} is there already: use its handle")

        def change(become: Callable[[], None]) -> None:
            run(lambda: self._change(api, become))

        api = AggregatedAPI(group_version, how, change)
        self._apis[group_version] = api
        self._tell()
        return api

    def _change(self, api: AggregatedAPI, become: Callable[[], None]) -> None:
        become()
        if api.how == "removed":
            self._apis.pop(api.group_version, None)
        self._tell()

    def clear(self) -> None:
        """Remove all."""
        for each in tuple(self._apis.values()):
            each.remove()

    def find(self, path: str) -> AggregatedAPI | None:
        """Whose affair a path is; None for the server's own."""
        if not self._apis:
            return None
        return next((each for each in self._apis.values() if each.has(path)), None)


def _checked(how: str) -> str:
    if how not in _WAYS:
        raise InvalidRequestError(f"break_group: how={how!r} is none of {', '.join(sorted(_WAYS))}")
    return how
