"""When a plugin runs, for whom, and how often."""

from __future__ import annotations

import copy
import gc
import logging
import os
import threading
import time

import certs
import pytest
from plugins import credential
from scripted import HOLD, ScriptedServer, chunk, json_response, response_head

from dynkube import CancelledError, ConnectionLostError, CredentialError, UnauthorizedError
from dynkube.config import RESTConfig, TLSConfig
from dynkube.credentials import source_for
from dynkube.credentials.renewal import FAILED_EARLY, Lease, Renewal
from dynkube.transport import CallScope, CancelToken, Credential, Transport

HOST = "https://kube.example"
UNAUTHORIZED = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Unauthorized", "code": 401}


def takes(*tokens):
    """A handler that knows these tokens and no other."""

    def answer(request):
        known = [f"Bearer {token}" for token in tokens]
        return (
            json_response({"kind": "Ok"})
            if request.header("Authorization")[:1] in ([each] for each in known)
            else refused(request)
        )

    return answer


def refused(_request):
    return json_response(UNAUTHORIZED | {"message": "Unauthorized"}, 401)


def version(client, **options):
    return client.get().abs_path("/version").do(**options)


def tokens_of(server) -> list[str]:
    return [(request.header("Authorization") or [""])[0] for request in server.requests]


class Scripted(Renewal):
    """Gives what a list says: leases, and errors to be raised."""

    def __init__(self, *script, clock=time.time):
        super().__init__("script", clock=clock)
        self.script = list(script)
        self.fetches = 0

    def _fetch(self, rejected, scope):
        self.fetches += 1
        next_ = self.script.pop(0)
        next_ = next_(scope) if callable(next_) else next_
        if isinstance(next_, Exception):
            raise next_
        return next_


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


# ------------------------------------------------------------------ kept, and renewed in time


class TestKeeping:
    @pytest.mark.behaviour("1.9.7")
    def test_without_an_expiry_it_is_kept(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="t"))
        server.on(takes("t"))
        client = client_of(server, exec=plugin.exec())
        assert plugin.runs == 0  # a client that is made asks nobody
        for _ in range(3):
            version(client)
        assert plugin.runs == 1

    @pytest.mark.behaviour("1.9.7")
    def test_one_for_the_whole_process(self, plugins, server, client_of):
        plugin, other = plugins.make(credential(token="t")), plugins.make(credential(token="t"))
        server.on(takes("t"))
        for _ in range(2):
            version(client_of(server, exec=plugin.exec()))
        assert plugin.runs == 1
        same = RESTConfig(host=HOST, exec=plugin.exec())
        assert source_for(same) is source_for(same.copy(host="https://elsewhere", namespace="x"))
        for different in (
            plugin.exec(args=("x",)),
            plugin.exec(env=(("A", "b"),)),
            plugin.exec(provide_cluster_info=True),
            other.exec(),
        ):
            assert source_for(same.copy(exec=different)) is not source_for(same)
        told = same.copy(exec=plugin.exec(provide_cluster_info=True))
        assert source_for(told) is not source_for(told.copy(host="https://elsewhere"))

    @pytest.mark.behaviour("1.9.7")
    @pytest.mark.parametrize(("life", "early"), [(100, 10), (600, 60), (86400, 60), (1, 0.1)])
    def test_it_is_renewed_early(self, plugins, life, early):
        from dynkube.credentials import ExecAuthenticator

        plugin = plugins.make(credential(token="t", expires=life))
        clock = Clock()
        clock.now = time.time()
        source = ExecAuthenticator(plugin.exec(), clock=clock)
        source.obtain(CallScope())
        lease = source._held
        assert lease.expires_at == pytest.approx(clock.now + life, abs=1.1)
        assert lease.expires_at - lease.renew_at == pytest.approx(early, abs=0.2)
        clock.now = lease.renew_at - 0.01
        assert source.current() is not None
        clock.now = lease.renew_at
        assert source.current() is None
        source.obtain(CallScope())
        assert plugin.runs == 2

    @pytest.mark.behaviour("1.9.7")
    def test_one_that_has_expired_already_is_sent_and_not_kept(self, plugins, server, client_of, caplog):
        plugin = plugins.make(credential(token="old", expires=-5))
        server.on(takes("old"))
        client = client_of(server, exec=plugin.exec())
        for _ in range(2):
            version(client)  # our clock may be wrong: the server decides
        assert plugin.runs == 2
        assert "gave a credential that has expired already" in caplog.text

    def test_while_it_is_still_good_a_failure_is_only_logged(self, caplog):
        clock = Clock()
        good = Lease(Credential("t"), clock.now + 90, clock.now + 100)
        source = Scripted(good, CredentialError("down"), CredentialError("still down"), clock=clock)
        first = source.obtain(CallScope())
        clock.now += 95
        assert source.obtain(CallScope()) is first
        assert source.current() is first  # and nobody tries again for a while
        assert "cannot be renewed yet, the last credential stays in use: down" in caplog.text
        clock.now += FAILED_EARLY
        with pytest.raises(CredentialError, match="still down"):
            source.obtain(CallScope())

    def test_while_one_renews_early_the_others_use_what_there_is(self, in_thread):
        clock, renewing, go = Clock(), threading.Event(), threading.Event()

        def slow(scope):
            renewing.set()
            assert go.wait(10)
            return Lease(Credential("new"))

        source = Scripted(Lease(Credential("old"), clock.now + 90, clock.now + 100), slow, clock=clock)
        source.obtain(CallScope())
        clock.now += 95
        result = in_thread(source.obtain, CallScope())
        assert renewing.wait(10)
        assert source.obtain(CallScope()).token == "old"
        go.set()
        assert result().token == "new"


# ------------------------------------------------------------------ many threads


class TestManyThreads:
    @pytest.mark.behaviour("1.9.7")
    def test_the_plugin_runs_once_for_all_of_them(self, plugins, server, client_of, in_thread):
        plugin = plugins.make(credential(token="t"))
        plugin.script(f"sleep 0.3; {plugin.prints}")
        server.on(takes("t"))
        clients = [client_of(server, exec=plugin.exec()) for _ in range(2)]
        for result in [in_thread(version, clients[number % 2]) for number in range(16)]:
            result()
        assert plugin.runs == 1

    @pytest.mark.behaviour("1.9.7")
    def test_its_failure_is_that_of_all_who_waited(self, plugins, server, client_of, in_thread):
        plugin = plugins.make().script("sleep 0.5; exit 3")
        client = client_of(server, exec=plugin.exec())
        results = [in_thread(version, client) for _ in range(8)]
        for result in results:
            with pytest.raises(CredentialError, match="exit code 3") as caught:
                result()
            assert caught.value.url == f"{server.url}/version"
        assert plugin.runs < 8
        assert server.requests == []

    def test_when_the_one_who_fetches_is_cancelled_another_one_takes_over(self, in_thread):
        fetching = threading.Event()

        def hangs(scope):
            fetching.set()
            scope.sleep(60)

        source = Scripted(hangs, Lease(Credential("t")))
        token = CancelToken()
        first = in_thread(source.obtain, CallScope(cancel=token))
        assert fetching.wait(10)
        second = in_thread(source.obtain, CallScope())
        while not source._flight.waiting or len(source._flight.waiting) < 2:
            time.sleep(0.005)
        token.cancel()
        with pytest.raises(CancelledError):
            first()
        assert second().token == "t"

    def test_a_ctrl_c_between_two_steps_leaves_nobody_waiting(self, monkeypatch):
        source = Scripted(Lease(Credential("t")))
        with monkeypatch.context() as patch:
            patch.setattr(source, "_lead", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                source.obtain(CallScope())
        assert source.obtain(CallScope(5)).token == "t"

    def test_each_waits_for_as_long_as_its_own_call_may_take(self, in_thread):
        fetching, go = threading.Event(), threading.Event()

        def slow(scope):
            fetching.set()
            assert go.wait(10)
            return Lease(Credential("t"))

        source = Scripted(slow)
        first = in_thread(source.obtain, CallScope())
        assert fetching.wait(10)
        with pytest.raises(TimeoutError, match=r"longer than its timeout of 0\.1 s"):
            source.obtain(CallScope(0.1))
        token = CancelToken()
        waiting = in_thread(source.obtain, CallScope(cancel=token))
        token.cancel()
        with pytest.raises(CancelledError):
            waiting()
        go.set()
        assert first().token == "t"
        assert source.fetches == 1

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # of Python 3.12 and later
    def test_a_forked_child_does_not_wait_for_the_parents_thread(self, in_thread):
        fetching, go = threading.Event(), threading.Event()

        def slow(scope):
            fetching.set()
            assert go.wait(10)
            return Lease(Credential("t"))

        source = Scripted(slow, Lease(Credential("child")))
        first = in_thread(source.obtain, CallScope())
        assert fetching.wait(10)
        child = os.fork()
        if child == 0:
            os._exit(0 if source.obtain(CallScope(5)).token == "child" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        go.set()
        assert first().token == "t"

    def test_nothing_goes_wrong_when_it_expires_all_the_time(self, in_thread):
        """Each use is of one that is good, one fetch runs at a time, and nobody waits for ever."""

        class Hasty(Renewal):
            def __init__(self):
                super().__init__("hasty")
                self.fetching = threading.Lock()
                self.fetches = 0

            def _fetch(self, rejected, scope):
                assert self.fetching.acquire(blocking=False)
                self.fetches += 1
                time.sleep(0.002)
                now = time.time()
                self.fetching.release()
                if self.fetches % 7 == 0:
                    raise CredentialError("now and then")
                return Lease(Credential(f"t{self.fetches}"), now + 0.008, now + 0.01)

        source, end = Hasty(), time.monotonic() + 1

        def use(number):
            used = 0
            while time.monotonic() < end:
                scope = CallScope(0.004 if number % 4 == 0 else 10)
                try:
                    found = source.current() or source.obtain(scope)
                    if used % 50 == 0:
                        assert source.renew(found, scope) is not found
                except (CredentialError, TimeoutError):
                    continue
                used += 1
            return used

        used = [result() for result in [in_thread(use, number) for number in range(12)]]
        assert min(used) > 0
        assert source.fetches > 10
        assert source._flight is None


# ------------------------------------------------------------------ what wins over it


class TestWhatWins:
    @pytest.mark.behaviour("1.9.10")
    def test_a_static_credential_turns_it_off(self, plugins, server, client_of, tmp_path):
        plugin = plugins.make(credential(token="of the plugin"))
        server.on(lambda request: json_response({}))
        file = tmp_path / "token"
        file.write_text("f")
        pair = certs.client("static")
        for static in ({"bearer_token": "t"}, {"bearer_token_file": str(file)}, {"username": "u", "password": "p"}):
            version(client_of(server, exec=plugin.exec(), **static))
        tls = TLSConfig(ca_data=server.ca_data, cert_data=pair.certificate, key_data=pair.key)
        with Transport(RESTConfig(host=server.url, tls=tls, exec=plugin.exec())):
            pass
        assert tokens_of(server) == ["Bearer t", "Bearer f", "Basic dTpw"]
        assert plugin.runs == 0

    @pytest.mark.behaviour("1.9.10")
    def test_an_authorization_header_on_the_request_wins_and_so_does_its_401(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="of the plugin"))
        server.on(refused)
        client = client_of(server, exec=plugin.exec())
        with pytest.raises(UnauthorizedError):
            client.get().abs_path("/version").header("Authorization", "Bearer mine").do()
        assert tokens_of(server) == ["Bearer mine"]
        assert plugin.runs == 0

    @pytest.mark.behaviour("1.9.10")
    def test_so_does_that_of_a_users_auth_class(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="of the plugin"))
        server.on(lambda request: json_response({}))

        def auth(request):
            request.headers["Authorization"] = "Bearer of the class"
            return request

        version(client_of(server, exec=plugin.exec(), auth=auth))
        assert tokens_of(server) == ["Bearer of the class"]
        assert plugin.runs == 0

    def test_a_transport_alone_runs_no_plugin(self, plugins, server):
        from dynkube import ConfigError

        plugin = plugins.make(credential(token="t"))
        config = RESTConfig(host=server.url, tls=TLSConfig(ca_data=server.ca_data), exec=plugin.exec())
        with pytest.raises(ConfigError, match="the exec plugin 'plugin' gives the credential, and nobody runs it here"):
            Transport(config)

    def test_a_failing_plugin_is_never_an_anonymous_request(self, plugins, server, client_of):
        plugin = plugins.make().script("exit 3")
        client = client_of(server, exec=plugin.exec())
        with pytest.raises(CredentialError):
            version(client)
        with pytest.raises(CredentialError):
            client.get().abs_path("/api/v1/pods").param("watch", "1").watch()
        with pytest.raises(CredentialError):
            client.post().abs_path("/api/v1/pods").body({}).do()
        assert server.requests == []


# ------------------------------------------------------------------ refused


class TestRefused:
    @pytest.mark.behaviour("1.9.8")
    def test_a_401_renews_once_and_sends_again(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="old"))
        server.on(takes("old"))
        client = client_of(server, exec=plugin.exec())
        version(client)
        plugin.gives(credential(token="new"))
        server.on(takes("new"))
        assert version(client).object() == {"kind": "Ok"}
        version(client)
        assert tokens_of(server) == ["Bearer old", "Bearer old", "Bearer new", "Bearer new"]
        assert plugin.runs == 2
        assert server.connection_count == 1

    @pytest.mark.behaviour("1.9.8")
    def test_a_post_too_and_once_only(self, plugins, server, client_of):
        plugin = plugins.make().script('n=$(wc -l < "$(dirname "$0")/runs"); sed "s/N/$n/" "$(dirname "$0")/output"')
        plugin.gives(credential(token="tN"))
        server.on(refused)
        client = client_of(server, exec=plugin.exec())
        with pytest.raises(UnauthorizedError):
            client.post().abs_path("/api/v1/pods").body({"a": 1}).do()
        assert [each.split("t")[-1].strip() for each in tokens_of(server)] == ["1", "2"]
        assert {request.body for request in server.requests} == {b'{"a":1}\n'}

    @pytest.mark.behaviour("1.9.8")
    def test_the_same_credential_is_not_sent_again(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="t"))
        server.on(refused)
        client = client_of(server, exec=plugin.exec())
        with pytest.raises(UnauthorizedError) as caught:
            version(client)
        assert len(server.requests) == 1
        assert plugin.runs == 2
        assert "its plugin or issuer gave the same" in str(caught.value)

    @pytest.mark.behaviour("1.9.8")
    def test_a_plugin_that_fails_then_is_told_with_the_401(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="t"))
        server.on(takes("t"))
        client = client_of(server, exec=plugin.exec())
        version(client)
        server.on(refused)
        plugin.script('echo "log in again" >&2; exit 4')
        for ask in (version, lambda client: client.get().abs_path("/api/v1/pods").param("watch", "1").watch()):
            with pytest.raises(UnauthorizedError, match="failed with exit code 4; it said: log in again"):
                ask(client)

    @pytest.mark.behaviour("1.9.8")
    def test_a_body_that_can_be_sent_once_is_not_sent_again(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="old"))
        server.on(takes("old"))
        client = client_of(server, exec=plugin.exec())
        version(client)
        plugin.gives(credential(token="new"))
        server.on(takes("new"))
        request = client.post().abs_path("/api/v1/pods").body(iter([b"{}"]))
        with pytest.raises(UnauthorizedError, match="there is another one now, but this body cannot be sent again"):
            request.do()
        version(client)
        assert tokens_of(server)[-1] == "Bearer new"
        assert plugin.runs == 2

    @pytest.mark.behaviour("1.9.8")
    def test_a_403_is_an_answer(self, plugins, server, client_of):
        from dynkube import ForbiddenError

        plugin = plugins.make(credential(token="t"))
        server.on(lambda request: json_response({"kind": "Status", "reason": "Forbidden", "code": 403}, 403))
        with pytest.raises(ForbiddenError):
            version(client_of(server, exec=plugin.exec()))
        assert (plugin.runs, len(server.requests)) == (1, 1)

    @pytest.mark.behaviour("1.9.8")
    def test_many_refused_at_once_renew_once(self, plugins, server, client_of, in_thread):
        plugin = plugins.make(credential(token="old"))
        server.on(takes("old"))
        client = client_of(server, exec=plugin.exec())
        version(client)
        plugin.gives(credential(token="new")).script(f"sleep 0.3; {plugin.prints}")
        server.on(takes("new"))
        for result in [in_thread(version, client) for _ in range(10)]:
            assert result().object() == {"kind": "Ok"}
        assert plugin.runs == 2

    @pytest.mark.behaviour("1.9.8")
    def test_watches_and_streams_renew_as_they_begin(self, plugins, server, client_of):
        plugin = plugins.make(credential(token="old"))
        server.on(takes("old"))
        client = client_of(server, exec=plugin.exec())
        version(client)
        event = b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'

        def answer(request):
            if request.header("Authorization") != ["Bearer new"]:
                return refused(request)
            return (
                response_head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
                + chunk(event)
                + b"0\r\n\r\n"
            )

        plugin.gives(credential(token="new"))
        server.on(answer)
        with client.get().abs_path("/api/v1/pods").param("watch", "1").watch() as events:
            assert [each.object["metadata"]["name"] for each in events] == ["a"]
        with client.get().abs_path("/log").stream() as stream:
            assert stream.read_all() == event
        assert tokens_of(server)[1:] == ["Bearer old", "Bearer new", "Bearer new"]
        assert server.connection_count == 1

    def test_a_watch_outlives_a_plugin_that_fails_for_a_while(self, plugins, server, client_of):
        """A watch that has been under way takes a failing plugin for a bad network: it waits, and goes on."""
        from dynkube import DynamicClient, GroupVersionResource

        plugin = plugins.make(credential(token="t", expires=-5))  # so it runs for each request
        script = plugin.path.read_text()
        client = client_of(server, exec=plugin.exec())
        page = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "5"}, "items": []}
        event = b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"%s","resourceVersion":"%d"}}}\n'
        server.reply_json(page)
        server.stream(event % (b"a", 6))
        server.stream(event % (b"b", 7), HOLD)
        events = iter(
            DynamicClient(client.config, rest=client).resource(GroupVersionResource("", "v1", "pods")).watch()
        )
        assert next(events).object["metadata"]["name"] == "a"
        plugin.script("exit 3")
        timer = threading.Timer(0.3, lambda: plugin.path.write_text(script))
        timer.start()
        assert next(events).object["metadata"]["name"] == "b"
        timer.join()
        events.close()
        assert plugin.runs > 3


# ------------------------------------------------------------------ client certificates


@pytest.fixture
def mutual():
    """A server that asks for a client certificate."""
    with ScriptedServer(tls=True, client_ca=certs.authority("clients").certificate) as server:
        yield server


def with_certificate(pair, **status):
    return credential(cert=pair.certificate, key=pair.key, **status)


class TestCertificates:
    @pytest.mark.behaviour("1.9.9")
    def test_a_certificate_is_shown_and_no_token_sent(self, plugins, mutual, client_of):
        plugin = plugins.make(with_certificate(certs.client("jane", "dev")))
        mutual.on(lambda request: json_response({}))
        client = client_of(mutual, exec=plugin.exec())
        for _ in range(2):
            version(client)
        assert ["CN=jane" in request.peer for request in mutual.requests] == [True, True]
        assert tokens_of(mutual) == ["", ""]
        assert (plugin.runs, mutual.connection_count) == (1, 1)

    @pytest.mark.behaviour("1.9.9")
    def test_token_and_certificate_are_both_used(self, plugins, mutual, client_of):
        mutual.on(lambda request: json_response({}))
        version(client_of(mutual, exec=plugins.make(with_certificate(certs.client("jane"), token="t")).exec()))
        assert tokens_of(mutual) == ["Bearer t"]
        assert "CN=jane" in mutual.requests[0].peer

    @pytest.mark.behaviour("1.9.9")
    def test_a_changed_token_keeps_the_connections(self, plugins, mutual, client_of):
        pair = certs.client("jane")
        plugin = plugins.make(with_certificate(pair, token="old"))
        mutual.on(takes("old"))
        client = client_of(mutual, exec=plugin.exec())
        version(client)
        plugin.gives(with_certificate(pair, token="new"))
        mutual.on(takes("new"))
        version(client)
        assert mutual.connection_count == 1

    @pytest.mark.behaviour("1.9.9")
    def test_a_changed_certificate_closes_them_all_and_those_of_other_clients(
        self, plugins, mutual, client_of, in_thread
    ):
        plugin = plugins.make(with_certificate(certs.client("old"), token="old"))
        begun = response_head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        mutual.on(takes("old"))
        client, other = (client_of(mutual, exec=plugin.exec()) for _ in range(2))
        version(client)
        mutual.reply(begun, chunk(b"x"), HOLD)
        watch = other.get().abs_path("/watch").stream()
        assert watch.read() == b"x"
        ended = in_thread(watch.read)
        version(other)  # an idle connection of the other one
        assert mutual.connection_count == 2

        plugin.gives(with_certificate(certs.client("new"), token="new"))
        mutual.on(takes("new"))
        version(client)
        with pytest.raises(ConnectionLostError):
            ended()
        watch.close()
        mutual.wait_for_ends(2)
        version(other)
        assert ["CN=new" in request.peer for request in mutual.requests[-2:]] == [True, True]
        assert plugin.runs == 2

    @pytest.mark.behaviour("1.9.9")
    def test_a_call_under_way_ends_as_it_should(self, plugins, mutual, client_of, in_thread):
        """Cut off in its middle, nobody could tell whether a write has happened."""
        plugin = plugins.make(with_certificate(certs.client("old"), token="old"))
        mutual.on(takes("old"))
        client = client_of(mutual, exec=plugin.exec())
        version(client)
        go = threading.Event()
        mutual.reply(go, json_response({"kind": "Slow"}))
        slow = in_thread(lambda: client.post().abs_path("/api/v1/pods").body({}).do().object())
        mutual.wait_for_requests(2)
        plugin.gives(with_certificate(certs.client("new"), token="new"))
        mutual.on(takes("new"))
        version(client)
        go.set()
        assert slow() == {"kind": "Slow"}
        mutual.wait_for_ends(1)

    def test_a_client_that_cannot_take_it_does_not_keep_it_from_the_others(self, caplog):
        class Client:
            def __init__(self, problem=None):
                self.problem, self.shown = problem, []

            def show(self, credential):
                self.shown.append(credential)
                if self.problem:
                    raise self.problem

        broken, sound = Client(OSError("no more descriptors")), Client()
        source = Scripted(Lease(Credential("a", b"1", b"1")), Lease(Credential("b", b"2", b"2")))
        for client in (broken, sound):
            source.listen(client.show)
        first = source.obtain(CallScope())
        assert source.renew(first, CallScope()) is sound.shown[0] is broken.shown[0]
        assert "a client could not take the new client certificate" in caplog.text

    def test_clients_that_are_gone_are_not_kept(self, plugins, mutual, client_of):
        plugin = plugins.make(with_certificate(certs.client("jane")))
        mutual.on(lambda request: json_response({}))
        config = RESTConfig(host=mutual.url, tls=TLSConfig(ca_data=mutual.ca_data), exec=plugin.exec())
        source = source_for(config)
        for _ in range(5):
            Transport(config, source=source).close()
        gc.collect()
        Transport(config, source=source).close()
        assert len(source._listeners) <= 2

    def test_a_users_own_adapter_cannot_show_it(self, plugins, mutual, client_of):
        import requests
        from requests.adapters import HTTPAdapter

        from dynkube import ConfigError

        class Adapter(HTTPAdapter):
            pass

        session = requests.Session()
        session.mount("https://", Adapter())
        client = client_of(mutual, session=session, exec=plugins.make(with_certificate(certs.client("jane"))).exec())
        with pytest.raises(ConfigError, match="an adapter of its own cannot show the client certificate"):
            version(client)


def test_a_credential_shows_nothing():
    pair = certs.client("jane")
    whole = Credential("hunter2", pair.certificate, pair.key)
    assert repr(whole) == "Credential(token, certificate)"
    assert "hunter2" not in repr(Lease(whole)) + repr(Scripted(Lease(whole)))
    assert copy.copy(whole).same_as(whole)


def test_the_log_says_when_it_ran(plugins, server, client_of, caplog):
    server.on(lambda request: json_response({}))
    with caplog.at_level(logging.DEBUG, "dynkube.credentials"):
        version(client_of(server, exec=plugins.make(credential(token="hunter2")).exec()))
    assert "exec plugin plugin: exit code 0 after 0." in caplog.text
    assert "hunter2" not in caplog.text
