"""A scripted server and a transport to it."""

from __future__ import annotations

import threading

import pytest
from scripted import ScriptedServer

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.transport import Transport


@pytest.fixture
def server():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def tls_server():
    with ScriptedServer(tls=True) as server:
        yield server


@pytest.fixture
def connect():
    """Make transports that are closed when the test ends: ``connect(server, bearer_token="t")``."""
    made = []

    def connect(server, *, session=None, auth=None, **fields):
        if server is not None:
            fields.setdefault("host", server.url)
            fields.setdefault("tls", TLSConfig(ca_data=server.ca_data))
        if not fields["host"].startswith("https"):
            fields.setdefault("allow_plain_http_credentials", True)
        transport = Transport(RESTConfig(**fields), session=session, auth=auth)
        made.append(transport)
        return transport

    yield connect
    for transport in made:
        transport.close()


@pytest.fixture
def in_thread():
    """Run a function on a thread; calling the result waits for it and hands out its value or exception."""
    threads = []

    def start(function, *args):
        outcome = []

        def run():
            try:
                outcome.append((True, function(*args)))
            except BaseException as error:
                outcome.append((False, error))

        thread = threading.Thread(target=run, daemon=True)
        threads.append(thread)
        thread.start()

        def result():
            thread.join(20)
            assert not thread.is_alive(), "the call does not end"
            good, value = outcome[0]
            if good:
                return value
            raise value

        return result

    yield start
    for thread in threads:
        thread.join(20)
