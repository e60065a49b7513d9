"""Client-side rate limiting: the bucket, and clients that share one."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time

import pytest
from scripted import ScriptedServer, json_response

from dynkube.config.model import RESTConfig
from dynkube.errors import CancelledError, ClosedError, ConfigError, DeadlineExceededError, InvalidRequestError
from dynkube.observers import Observer
from dynkube.ratelimit import RateLimiter, TokenBucket
from dynkube.rest import RESTClient
from dynkube.transport import CancelToken
from dynkube.wire.messages import Request

GET = Request("GET", "/api/v1/namespaces/shop/pods")
WATCH = Request("GET", "/api/v1/pods", (("watch", "1"),), verb="watch")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Waits(Observer):
    def __init__(self):
        self.seconds = []

    def on_limiter_wait(self, wait):
        self.seconds.append(wait.seconds)


@pytest.fixture
def server():
    with ScriptedServer() as server:
        server.on(lambda request: json_response({"kind": "PodList", "items": []}))
        yield server


@pytest.fixture
def config_of(server):
    def config_of(**fields):
        return RESTConfig(host=server.url, **fields)

    return config_of


class TestTheBucket:
    @pytest.mark.behaviour("2.3.1")
    def test_it_starts_full_and_refills_at_its_rate(self):
        clock = Clock()
        bucket = TokenBucket(5, 3, clock=clock)
        assert [bucket.reserve() for _ in range(4)] == [0, 0, 0, pytest.approx(0.2)]
        clock.now += 0.4
        assert bucket.reserve() == pytest.approx(0)
        clock.now += 1000
        assert [bucket.reserve() for _ in range(4)] == [0, 0, 0, pytest.approx(0.2)]

    @pytest.mark.behaviour("2.3.3")
    def test_a_wait_that_does_not_fit_takes_no_token(self):
        bucket = TokenBucket(1, 1, clock=Clock())
        assert bucket.reserve() == 0
        assert bucket.reserve(within=0.9) is None
        assert bucket.reserve(within=1.0) == pytest.approx(1.0)

    def test_a_place_that_is_given_back_is_the_next_ones(self):
        bucket = TokenBucket(1, 1, clock=Clock())
        bucket.reserve()
        bucket.reserve()
        bucket.release()
        assert bucket.reserve() == pytest.approx(1.0)

    @pytest.mark.parametrize(
        ("qps", "burst", "argument"),
        [
            (0, 1, "qps"), (-1, 1, "qps"), (float("nan"), 1, "qps"), ("5", 1, "qps"),
            (1, 0, "burst"), (1, "5", "burst"), (1, 1.5, "burst"),
        ],
    )  # fmt: skip
    def test_numbers_out_of_range(self, qps, burst, argument):
        with pytest.raises(InvalidRequestError, match=f"^{argument}: want"):
            TokenBucket(qps, burst)

    def test_it_is_a_limiter_and_travels_by_pickle(self):
        bucket = pickle.loads(pickle.dumps(TokenBucket(5, 3)))
        assert isinstance(bucket, RateLimiter)
        assert repr(bucket) == "TokenBucket(qps=5, burst=3)"


class TestTheConfiguration:
    @pytest.mark.behaviour("2.3.1")
    def test_there_is_no_limit_unless_one_is_asked_for(self):
        assert RESTConfig(host="https://kube").limiter is None
        assert repr(RESTConfig(host="https://kube", qps=2.5).limiter) == "TokenBucket(qps=2.5, burst=10)"

    @pytest.mark.behaviour("2.3.1")
    def test_a_limiter_of_the_users_wins_and_is_shared_by_copies(self):
        bucket = TokenBucket(1, 1)
        config = RESTConfig(host="https://kube", qps=50, burst=100, rate_limiter=bucket)
        assert config.limiter is bucket
        assert config.copy(namespace="shop").limiter is bucket

    @pytest.mark.behaviour("2.3.2")
    def test_qps_without_burst_is_an_error(self):
        with pytest.raises(ConfigError, match="burst is required to be greater than 0"):
            RESTConfig(host="https://kube", qps=5, burst=0)
        assert RESTConfig(host="https://kube", qps=5, burst=0, rate_limiter=TokenBucket(1, 1)).limiter.qps == 1

    @pytest.mark.parametrize(
        "fields",
        [{"qps": -1}, {"qps": "5"}, {"qps": True}, {"qps": float("inf")}, {"burst": 1.5}, {"rate_limiter": 5}],
    )
    def test_what_is_no_limit(self, fields):
        with pytest.raises(ConfigError, match=next(iter(fields))):
            RESTConfig(host="https://kube", **fields)

    def test_a_configuration_with_a_limit_travels_by_pickle(self):
        assert pickle.loads(pickle.dumps(RESTConfig(host="https://kube", qps=5))).limiter.qps == 5


class TestClients:
    @pytest.mark.behaviour("2.3.2")
    def test_all_clients_of_a_configuration_share_one_bucket(self, config_of):
        waits = Waits()
        config = config_of(qps=20, burst=2, observers=(waits,))
        config.limiter._clock = lambda: config.limiter._at  # however slow the machine is, nothing comes back meanwhile
        with RESTClient(config) as one, RESTClient(config) as other:
            for client in (one, other, one, other):
                client.execute(GET)
        assert waits.seconds == [0, 0, pytest.approx(0.05), pytest.approx(0.1)]

    @pytest.mark.behaviour("2.3.4", "2.7.3")
    def test_repetitions_are_throttled_and_the_first_attempt_of_a_watch_is_not(self, server, config_of):
        waits = Waits()
        with RESTClient(config_of(qps=1000, observers=(waits,))) as client:
            for send, throttled in ((client.execute, 2), (client.watch, 1)):
                waits.seconds.clear()
                server.reply_json({}, 429, {"Retry-After": "0"})
                answer = send(GET if throttled == 2 else WATCH)
                assert len(waits.seconds) == throttled
                if throttled == 1:
                    answer.close()

    @pytest.mark.behaviour("2.3.3")
    def test_a_wait_that_cannot_fit_the_timeout_is_refused_at_once(self, config_of):
        with RESTClient(config_of(qps=0.01, burst=1)) as client:
            client.execute(GET)
            began = time.monotonic()
            with pytest.raises(DeadlineExceededError, match=r"^client rate limiter Wait returned an error: .*deadline"):
                client.execute(GET, timeout=20)
            assert time.monotonic() - began < 5

    @pytest.mark.behaviour("2.3.3", "2.11.3")
    @pytest.mark.parametrize("how", ["cancel", "close"])
    def test_a_wait_can_be_ended_and_gives_its_place_back(self, server, config_of, how):
        bucket = TokenBucket(0.01, 1)
        with RESTClient(config_of(rate_limiter=bucket)) as client:
            client.execute(GET)
            before = bucket.reserve(within=1000)
            bucket.release()
            token = CancelToken()
            ending, error = {"cancel": (token.cancel, CancelledError), "close": (client.close, ClosedError)}[how]
            timer = threading.Timer(0.1, ending)
            timer.start()
            with pytest.raises(error):
                client.execute(GET, cancel=token)
            timer.join()
            assert bucket.reserve(within=1000) == pytest.approx(before, abs=5)
        assert len(server.requests) == 1

    @pytest.mark.behaviour("2.11.3")
    def test_ctrl_c_ends_a_wait_and_gives_its_place_back(self, config_of):
        bucket = TokenBucket(0.01, 1)
        with RESTClient(config_of(rate_limiter=bucket)) as client:
            client.execute(GET)
            timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                client.execute(GET)
            timer.join()
        assert bucket.reserve() < 101

    @pytest.mark.behaviour("2.3.5")
    def test_long_waits_are_logged_with_their_reason(self, config_of, caplog):
        config = config_of(qps=12, burst=1)
        config.limiter._clock = lambda: config.limiter._at
        with RESTClient(config) as client, caplog.at_level("DEBUG", "dynkube.rest"):
            client.execute(GET)
            client.execute(GET)
        (line,) = [each.message for each in caplog.records if "waited" in each.message]
        assert "GET /api/v1/namespaces/shop/pods: client-side throttling, not priority and fairness" in line
