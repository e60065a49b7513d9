"""Plugins, servers that want what they give, and clients that end with the test."""

from __future__ import annotations

import threading

import pytest
from plugins import Plugins
from scripted import ScriptedServer

from dynkube.config import RESTConfig, TLSConfig
from dynkube.rest import RESTClient


@pytest.fixture
def plugins(tmp_path):
    return Plugins(tmp_path)


@pytest.fixture
def server():
    """Answers every request; one with the Authorization that `refuse` names gets a 401."""
    with ScriptedServer(tls=True) as server:
        yield server


@pytest.fixture
def client_of():
    """A REST client of a server with these fields of its configuration."""
    made = []

    def client_of(server, **fields):
        session = fields.pop("session", None)
        auth = fields.pop("auth", None)
        tls = TLSConfig(ca_data=server.ca_data)
        client = RESTClient(RESTConfig(host=server.url, tls=tls, **fields), session=session, auth=auth)
        made.append(client)
        return client

    yield client_of
    for client in made:
        client.close()


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
