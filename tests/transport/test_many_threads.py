"""One transport, many threads, calls that are cancelled at any moment."""

from __future__ import annotations

import random
import threading

import pytest
from scripted import ScriptedServer, response

from dynkube.errors import CancelledError, ClosedError
from dynkube.transport import CallScope, CancelToken
from dynkube.wire.messages import Request


@pytest.mark.behaviour("2.11.3")
@pytest.mark.parametrize("tls", [False, True])
def test_a_call_that_is_cancelled_never_disturbs_another(connect, in_thread, tls):
    with ScriptedServer(tls=tls) as server:
        server.on(lambda request: response(request.target.encode() * 50))
        transport = connect(server)

        def cancelled_at_random(seed):
            dice, outcomes = random.Random(seed), {"done": 0, "cancelled": 0}
            for number in range(60):
                token = CancelToken()
                timer = threading.Timer(dice.random() * 0.004, token.cancel)
                timer.start()
                target = f"/{seed}/{number}"
                try:
                    body = transport.send(Request("POST", target, body=b"{}"), scope=CallScope(None, token)).body
                    assert body == target.encode() * 50
                    outcomes["done"] += 1
                except CancelledError:
                    outcomes["cancelled"] += 1
                timer.join()
            return outcomes

        def never_cancelled(seed):
            # POST: a replay would hide a connection that somebody else has cut.
            for number in range(150):
                target = f"/{seed}/{number}"
                assert transport.send(Request("POST", target, body=b"{}")).body == target.encode() * 50

        threads = [in_thread(cancelled_at_random, seed) for seed in range(4)]
        quiet = [in_thread(never_cancelled, seed) for seed in range(4, 8)]
        for each in quiet:
            each()
        outcomes = [each() for each in threads]
        assert sum(outcome["cancelled"] for outcome in outcomes) > 0


def test_closing_while_many_call(connect, in_thread):
    with ScriptedServer() as server:
        server.on(lambda request: response(b"{}"))
        transport = connect(server)
        begun = threading.Barrier(9)

        def call():
            begun.wait(10)
            while True:
                transport.send(Request("GET", "/api"))

        calls = [in_thread(call) for _ in range(8)]
        begun.wait(10)
        server.wait_for_requests(50)
        transport.close()
        for each in calls:
            with pytest.raises(ClosedError):
                each()
