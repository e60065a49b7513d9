"""What a forked child makes anew."""

from __future__ import annotations

import gc
import os
import threading
import warnings

import pytest

from dynkube import codec, forks
from dynkube.config.model import RESTConfig
from dynkube.ratelimit import TokenBucket
from dynkube.rest import RESTClient


def in_child(function):
    """What ``function`` returns in a forked child: True or False; nothing else of the child goes on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the test runner
        pid = os.fork()
    if pid == 0:
        code = 2
        try:
            code = 0 if function() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_only_what_lives_is_renewed_and_one_failure_does_not_stop_the_others(monkeypatch):
    class Renewed:
        def __init__(self, fails=False):
            self.times, self.fails = 0, fails

        def renew_after_fork(self):
            self.times += 1
            if self.fails:
                raise RuntimeError

    kept, broken, dropped = Renewed(), Renewed(fails=True), Renewed()
    for each in (broken, kept, dropped):
        forks.renew_in_child(each)
    del dropped, each
    gc.collect()
    assert in_child(lambda: (kept.times, broken.times) == (1, 1)) == 0
    assert kept.times == 0


def test_the_collector_comes_back_in_a_child_of_a_thread_that_decodes():
    begun, over = threading.Event(), threading.Event()

    def decode():
        with codec.gc_paused():
            begun.set()
            over.wait(10)

    thread = threading.Thread(target=decode)
    thread.start()
    begun.wait(10)
    assert not gc.isenabled()

    def child():
        with codec.gc_paused():
            paused = not gc.isenabled()
        return paused and gc.isenabled()

    code = in_child(child)
    over.set()
    thread.join()
    assert code == 0
    assert gc.isenabled()


@pytest.mark.parametrize("closed", [False, True])
def test_a_closed_client_is_closed_in_the_child_too(closed):
    client = RESTClient(RESTConfig(host="http://127.0.0.1:1"))
    if closed:
        client.close()
    assert in_child(lambda: client._closing.cancelled is closed) == 0
    client.close()


def test_a_bucket_whose_lock_is_held_gives_tokens_in_the_child():
    bucket = TokenBucket(1, 5)
    with bucket._lock:
        code = in_child(lambda: bucket.reserve() == 0)
    assert code == 0
