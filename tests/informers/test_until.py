"""Conditions over events, one after the other."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest
from informing import PATIENCE
from manifests import CONFIGMAPS, config_map

import dynkube
from dynkube.errors import (
    CancelledError,
    DeadlineExceededError,
    ExpiredError,
    ForbiddenError,
    InformerStoppedError,
    InvalidRequestError,
    WatchClosedError,
)
from dynkube.informers import until, until_with_sync
from dynkube.testing import APIServer, Refusal
from dynkube.transport import CancelToken
from dynkube.wire.watch import EventType, WatchEvent

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def client(server: APIServer) -> Iterator[dynkube.DynamicClient]:
    with server.connect() as client:
        yield client


@pytest.fixture
def configmaps(client: dynkube.DynamicClient) -> dynkube.ResourceHandle:
    namespace = f"until-{next(_numbers)}"
    client.resource("namespaces").create({"metadata": {"name": namespace}})
    return client.resource(CONFIGMAPS).namespace(namespace)


def added(event: WatchEvent) -> bool:
    return event.type is EventType.ADDED


def modified(event: WatchEvent) -> bool:
    return event.type is EventType.MODIFIED


def deleted(event: WatchEvent) -> bool:
    return event.type is EventType.DELETED


def events(*kinds: str) -> Iterator[WatchEvent]:
    return iter([WatchEvent(EventType(kind), {"number": number}) for number, kind in enumerate(kinds)])


@pytest.mark.behaviour("6.6")
class TestUntil:
    def test_it_takes_events_until_each_condition_is_met(self) -> None:
        stream = events("ADDED", "ADDED", "MODIFIED", "DELETED")
        found = until(stream, added, modified)
        assert found is not None
        assert found.object == {"number": 2}
        assert next(stream).object == {"number": 3}

    def test_the_next_condition_sees_the_same_event_first(self) -> None:
        stream = events("ADDED", "MODIFIED")
        found = until(stream, added, added)
        assert found is not None
        assert found.object == {"number": 0}
        assert next(stream).object == {"number": 1}

    def test_without_conditions_nothing_is_taken(self) -> None:
        stream = events("ADDED")
        assert until(stream) is None
        assert next(stream).object == {"number": 0}

    def test_events_that_end_before_are_an_error(self) -> None:
        with pytest.raises(WatchClosedError, match="before condition 2 of 2 was met"):
            until(events("ADDED", "ADDED"), added, deleted)

    def test_a_condition_that_is_none_and_events_that_are_none_are_refused(self) -> None:
        with pytest.raises(InvalidRequestError, match=r"condition 2: want a function of \(event\), got 3"):
            until(events("ADDED"), added, 3)  # type: ignore[arg-type]
        with pytest.raises(
            InvalidRequestError, match=r"events: want a watch, such as handle.watch\(timeout=30\), got 3"
        ):
            until(3, added)  # type: ignore[arg-type]

    def test_what_a_condition_raises_ends_it(self) -> None:
        with pytest.raises(KeyError):
            until(events("ADDED"), lambda event: event.object["missing"])

    @pytest.mark.behaviour("6.7")
    def test_over_a_watch_that_resumes(self, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.create(config_map("a"))["metadata"]["resourceVersion"]
        configmaps.patch("a", {"data": {"x": "1"}})
        configmaps.delete("a")
        with configmaps.watch(resource_version=version, timeout=PATIENCE) as watch:
            found = until(watch, modified, deleted)
        assert found is not None
        assert found.object["data"]["x"] == "1"
        with configmaps.watch(timeout=0.05) as watch, pytest.raises(DeadlineExceededError):
            until(watch, added)

    def test_a_version_that_has_expired_ends_it(self, server: APIServer, configmaps: dynkube.ResourceHandle) -> None:
        version = configmaps.create(config_map("a"))["metadata"]["resourceVersion"]
        configmaps.patch("a", {"data": {"x": "1"}})
        server.expire_history()
        with configmaps.watch(resource_version=version, timeout=PATIENCE) as watch, pytest.raises(ExpiredError):
            until(watch, deleted)


@pytest.mark.behaviour("6.7")
class TestUntilWithSync:
    def test_it_begins_with_what_is_there(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        found = until_with_sync(configmaps, added, timeout=PATIENCE)
        assert found is not None
        assert found.object["metadata"]["name"] == "a"

    def test_a_precondition_that_is_met_ends_it_with_nothing(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        assert (
            until_with_sync(configmaps, deleted, precondition=lambda store: len(store) == 1, timeout=PATIENCE) is None
        )

    def test_a_precondition_that_is_not_met_lets_the_events_decide(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        met = []

        def delete(event: WatchEvent) -> bool:
            configmaps.delete("a")
            return met.append(event) is None

        found = until_with_sync(
            configmaps, delete, deleted, precondition=lambda store: not len(store), timeout=PATIENCE
        )
        assert found is not None
        assert (found.type, len(met)) == ("DELETED", 1)
        assert not found.final_state_unknown

    def test_it_survives_a_version_that_has_expired(
        self, server: APIServer, configmaps: dynkube.ResourceHandle
    ) -> None:
        configmaps.create(config_map("a"))

        def interrupt(event: WatchEvent) -> bool:
            configmaps.create(config_map("b"))
            server.expire_history()
            return event.object["metadata"]["name"] == "a"

        found = until_with_sync(
            configmaps, interrupt, lambda event: event.object["metadata"]["name"] == "b", timeout=PATIENCE
        )
        assert found is not None

    def test_only_what_is_selected_is_seen(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("a"))
        configmaps.create(config_map("b"))
        found = until_with_sync(configmaps, added, field_selector="metadata.name=b", timeout=PATIENCE)
        assert found is not None
        assert found.object["metadata"]["name"] == "b"

    def test_its_deadline_and_its_token_end_it(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(DeadlineExceededError):
            until_with_sync(configmaps, added, timeout=0.2)
        token = CancelToken()
        threading.Timer(0.05, token.cancel).start()
        with pytest.raises(CancelledError):
            until_with_sync(configmaps, added, cancel=token, timeout=PATIENCE)

    def test_its_deadline_says_what_the_server_said(
        self, server: APIServer, configmaps: dynkube.ResourceHandle, caplog: pytest.LogCaptureFixture
    ) -> None:
        withdraw = server.refuse(
            Refusal(resource="configmaps", namespace=configmaps.bound_namespace, reason="not today")
        )
        try:
            with pytest.raises(DeadlineExceededError) as late:
                until_with_sync(configmaps, added, timeout=1)
            with pytest.raises(
                DeadlineExceededError, match=r"informer configmaps \(last error: .*not today.* has not synced"
            ):
                until_with_sync(configmaps, added, precondition=lambda _store: True, timeout=1)
        finally:
            withdraw()
        assert str(late.value).startswith(
            "the conditions were not met by informer configmaps within 1 s: it has not synced (last error: "
        )
        assert isinstance(late.value.__cause__, ForbiddenError)
        assert "informer configmaps: " in caplog.text

    def test_a_client_that_is_closed_ends_it(
        self, client: dynkube.DynamicClient, configmaps: dynkube.ResourceHandle
    ) -> None:
        configmaps.create(config_map("a"))

        def close(event: WatchEvent) -> bool:
            client.close()
            return event.object["metadata"]["name"] == "a"

        with pytest.raises(InformerStoppedError):
            until_with_sync(configmaps, close, deleted, timeout=PATIENCE)

    def test_a_condition_that_is_no_function_is_refused(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(InvalidRequestError, match=r"condition 1: want a function of \(event\), got 'ADDED'"):
            until_with_sync(configmaps, "ADDED")  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError, match=r"precondition: want a function of \(store\), got 3"):
            until_with_sync(configmaps, added, precondition=3)  # type: ignore[arg-type]
