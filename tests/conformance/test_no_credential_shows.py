"""Whatever happens, a credential is in the request and nowhere else: not in a text, a log, a repr or a file."""

from __future__ import annotations

import logging
import pickle
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from manifests import CONFIGMAPS, SECRETS, config_map

import dynkube
from dynkube.testing import Fault, FaultProxy
from dynkube.testing.faults import Moment

TOKEN = "t0ken-that-must-not-show"
PASSWORD = "passw0rd-that-must-not-show"
SECRET = "czNjcmV0LXZhbHVl"
MARKS = (TOKEN, PASSWORD, SECRET)


@pytest.fixture
def proxy(server) -> Iterator[FaultProxy]:  # type: ignore[no-untyped-def]
    with FaultProxy.before(server) as proxy:
        yield proxy


def configs(proxy: FaultProxy) -> list[dynkube.RESTConfig]:
    plain = dynkube.RESTConfig(host=proxy.url, tls=dynkube.TLSConfig(ca_data=proxy.ca_data), timeout=2)
    return [
        plain.copy(bearer_token=TOKEN),
        plain.copy(username="me", password=PASSWORD),
        plain.copy(bearer_token=TOKEN, proxy_url=f"http://me:{PASSWORD}@127.0.0.1:9"),
    ]


def what_a_user_does(client: dynkube.DynamicClient) -> Iterator[Callable[[], object]]:
    configmaps = client.resource(CONFIGMAPS).namespace("default")
    yield client.discovery.server_groups
    yield client.discovery.server_version
    yield configmaps.list
    yield lambda: list(configmaps.iter(limit=1))
    yield lambda: configmaps.get("absent")
    yield lambda: configmaps.create(config_map("a"))
    yield lambda: configmaps.apply(config_map("a"), field_manager="me")
    yield lambda: configmaps.patch("a", {"data": {"x": "1"}})
    yield lambda: configmaps.delete("a")
    yield lambda: list(configmaps.watch_once(resource_version="1", timeout_seconds=1))
    secrets = client.resource(SECRETS).namespace("default")
    yield lambda: secrets.create({"metadata": {"name": "a"}, "data": {"x": SECRET}})
    yield lambda: client.rest.get().abs_path("/version").header("Authorization", f"Bearer {TOKEN}").do()


FAULTS = [
    None,
    Fault.cut(at="connect"),
    Fault.cut(after_body_bytes=5),
    Fault.cut(after_header_bytes=30),
    Fault.answer(500, body=b"broken", content_type="text/plain"),
    Fault.answer(401),
    Fault.answer(429),
    Fault.answer(200, body=b"<html>", content_type="text/html"),
    Fault.answer(200, body=b'{"kind":'),
]


def shown(error: BaseException) -> str:
    parts = [*traceback.format_exception(error), repr(error), str(error), repr(vars(error)), repr(error.args)]
    try:
        parts.append(pickle.dumps(error).decode("latin-1"))
    except Exception as not_pickled:
        parts.append(repr(not_pickled))
    return "\n".join(parts)


@pytest.mark.behaviour("1.2.8", "2.2.10")
@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_in_no_failure(
    proxy: FaultProxy,
    fault: Fault | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    if fault is not None:  # a lost connection is tried again after a second: a few are enough
        proxy.inject(fault, times=4 if fault.moment is Moment.CONNECT else None)
    for config in configs(proxy):
        with dynkube.DynamicClient(config) as client:
            texts += [repr(config), str(config), repr(client), repr(client.rest), repr(client.discovery)]
            for act in what_a_user_does(client):
                try:
                    act()
                except (dynkube.DynkubeError, ValueError) as error:
                    texts.append(shown(error))
    texts += [record.getMessage() for record in caplog.records]
    texts += [str(record.exc_info) for record in caplog.records]
    texts += [repr(each) for each in proxy.requests]
    texts += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in texts if any(mark in text for mark in MARKS)]
