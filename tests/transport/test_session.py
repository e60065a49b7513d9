"""Users' sessions, adapters, auth classes and mocks go on working."""

from __future__ import annotations

import gzip
import io

import certs
import pytest
import requests
import responses
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase, HTTPDigestAuth
from scripted import HOLD, ScriptedServer, json_response

from dynkube.config.model import RESTConfig, TLSConfig
from dynkube.errors import ConnectError, InvalidRequestError, TLSError, TransportError
from dynkube.transport import CallScope, CancelToken, Transport
from dynkube.wire.messages import Request

GET = Request("GET", "/api")


class Signing(AuthBase):
    """Sets a header of its own, over what is on the request already."""

    def __call__(self, request):
        request.headers["X-Signature"] = f"{request.method} {request.url} {request.headers['User-Agent']}"
        return request


class Broken(AuthBase):
    def __call__(self, request):
        raise KeyError("no key for you")


# ------------------------------------------------------------- mocks


@pytest.fixture
def mocks():
    with responses.RequestsMock() as mocks:
        yield mocks


@pytest.mark.parametrize("session", [None, requests.Session()])
def test_responses_mocks(mocks, connect, session):
    mocks.get("https://kube:6443/api/v1/pods", json={"items": []}, headers={"Warning": '299 - "x"'})
    transport = connect(None, host="https://kube:6443", tls=TLSConfig(), bearer_token="abc", session=session)
    answer = transport.send(Request("GET", "/api/v1/pods", (("limit", "1"),)))
    assert (answer.status, answer.body) == (200, b'{"items": []}')
    assert answer.headers.get("warning") == '299 - "x"'
    assert answer.headers.getlist("warning") == ['299 - "x"']
    (call,) = mocks.calls
    assert call.request.headers["Authorization"] == "Bearer abc"
    assert call.request.params == {"limit": "1"}
    assert isinstance(call.response, requests.Response)


def test_a_mock_of_a_stream(mocks, connect):
    mocks.get("https://kube:6443/api", body=gzip.compress(b"0123456789"), headers={"Content-Encoding": "gzip"})
    transport = connect(None, host="https://kube:6443", tls=TLSConfig())
    with transport.stream(GET) as stream:
        assert stream.read(4) == b"0123"
        assert stream.read_all() == b"456789"
        assert stream.read() == b""


def test_a_mock_that_is_missing_says_so(mocks, connect):
    with pytest.raises(ConnectError, match="doesn't match any registered mock"):
        connect(None, host="https://kube:6443", tls=TLSConfig()).send(GET)


def test_a_mock_that_raises(mocks, connect):
    mocks.get("https://kube:6443/api", body=requests.exceptions.SSLError("bad"))
    with pytest.raises(TLSError):
        connect(None, host="https://kube:6443", tls=TLSConfig()).send(GET)


# ------------------------------------------------------------- auth


@pytest.mark.parametrize("way", ["auth", "session"])
def test_an_auth_class(server, connect, way):
    session = requests.Session()
    if way == "session":
        session.auth = Signing()
    server.reply_json({})
    connect(
        server, user_agent="me", bearer_token="abc", session=session, auth=Signing() if way == "auth" else None
    ).send(GET)
    (request,) = server.requests
    assert request.header("X-Signature") == [f"GET {server.url}/api me"]
    assert request.header("Authorization") == ["Bearer abc"]


def test_an_auth_class_that_authorizes_replaces_the_config(server, connect):
    session = requests.Session()
    session.auth = ("jane", "x")
    server.reply_json({})
    connect(server, bearer_token="abc", session=session).send(GET)
    assert server.requests[0].header("Authorization") == ["Basic amFuZTp4"]


def test_auth_wins_over_that_of_the_session(server, connect):
    session = requests.Session()
    session.auth = Broken()
    server.reply_json({})
    connect(server, session=session, auth=Signing()).send(GET)


def test_digest_auth_asks_again(server, connect):
    server.reply_json({}, 401, [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])
    server.reply_json({"in": 1})
    assert connect(server, auth=HTTPDigestAuth("jane", "x")).send(GET).body == b'{"in": 1}'
    assert server.requests[1].header("Authorization")[0].startswith("Digest ")
    assert server.connection_count == 1


def test_what_an_auth_class_raises_comes_out(server, connect):
    with pytest.raises(KeyError, match="no key for you"):
        connect(server, auth=Broken()).send(GET)


def test_an_auth_class_cannot_send_credentials_elsewhere(server, connect):
    class Elsewhere(AuthBase):
        def __call__(self, request):
            request.url = f"http://localhost:{server.port}/api"
            return request

    with pytest.raises(InvalidRequestError, match="speaks to"):
        connect(server, bearer_token="abc", auth=Elsewhere()).send(GET)
    assert server.connection_count == 0


def test_an_auth_class_may_change_the_body(server, connect):
    class Wrapping(AuthBase):
        def __call__(self, request):
            request.body = b"[" + request.body + b"]"
            return request

    server.reply_json({})
    connect(server, auth=Wrapping()).send(Request("POST", "/api", body=b"{}"))
    assert server.requests[0].body == b"[{}]"


# ------------------------------------------------------------- session


@pytest.mark.behaviour("2.1.8", "2.2.1")
def test_headers_of_the_session(server, connect):
    session = requests.Session()
    session.headers["X-Trace"] = "t"
    session.headers["X-Bytes"] = b"b"
    session.headers["User-Agent"] = "mine/1"
    server.reply_json({})
    connect(server, session=session, user_agent="config/1").send(Request("GET", "/api", headers=(("x-trace", "own"),)))
    (request,) = server.requests
    assert request.header("X-Trace") == ["own"]
    assert request.header("X-Bytes") == ["b"]
    assert request.header("User-Agent") == ["mine/1"]
    assert request.header("Accept-Encoding") == ["gzip"]
    assert request.header("Connection") == []
    assert request.header("Accept") == []


def test_hooks_see_a_response_and_may_replace_it(server, connect):
    session = requests.Session()
    seen = []

    def hook(response, *_, **__):
        seen.append((response.status_code, response.json(), response.request.url))
        replaced = requests.Response()
        replaced.status_code = 299
        replaced.raw = io.BytesIO(b"replaced")
        replaced.headers["X-Hook"] = "1"
        return replaced

    session.hooks["response"].append(hook)
    server.on(lambda request: json_response({"a": 1}))
    transport = connect(server, session=session)
    answer = transport.send(GET)
    assert (answer.status, answer.body, answer.headers.get("x-hook")) == (299, b"replaced", "1")
    assert seen == [(200, {"a": 1}, f"{server.url}/api")]
    with transport.stream(GET) as stream:
        assert stream.read(3) == b"rep"
        assert stream.read_all() == b"laced"


def test_a_hook_that_reads_the_body_leaves_it_readable(server, connect):
    session = requests.Session()
    session.hooks["response"].append(lambda response, *_, **__: response.content and None)
    server.on(lambda request: json_response({"a": 1}))
    transport = connect(server, session=session)
    assert transport.send(GET).body == b'{"a": 1}'
    with transport.stream(GET) as stream:
        assert stream.read_all() == b'{"a": 1}'


def test_a_hook_that_raises_leaves_no_connection(server, connect):
    session = requests.Session()

    def hook(response, *_, **__):
        raise KeyError("hook")

    session.hooks["response"].append(hook)
    server.stream(b"one", HOLD)
    with pytest.raises(KeyError, match="hook"):
        connect(server, session=session).send(GET)
    server.wait_for_ends(1)


def test_cookies_of_the_session(server, connect):
    session = requests.Session()
    transport = connect(server, session=session)
    server.reply_json({}, headers=[("Set-Cookie", "sticky=1; Path=/")])
    server.reply_json({})
    transport.send(GET)
    transport.send(GET)
    assert server.requests[0].header("Cookie") == []
    assert server.requests[1].header("Cookie") == ["sticky=1"]


@pytest.mark.behaviour("2.1.8")
def test_netrc_has_no_influence(server, connect, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password sesame\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for session in (None, requests.Session()):
        server.reply_json({})
        connect(server, session=session, bearer_token="abc").send(GET)
        server.reply_json({})
        connect(server, session=session).send(GET)
    sent = [request.header("Authorization") for request in server.requests]
    assert sent == [["Bearer abc"], [], ["Bearer abc"], []]


def test_the_session_stays_as_it_was(tls_server, connect):
    session = requests.Session()
    before = (dict(session.adapters), session.verify, session.cert, session.trust_env, dict(session.headers))
    tls_server.reply_json({})
    transport = connect(tls_server, session=session)
    transport.send(GET)
    transport.close()
    assert (dict(session.adapters), session.verify, session.cert, session.trust_env, dict(session.headers)) == before


# ------------------------------------------------------------- adapters


class Counting(HTTPAdapter):
    """As users write them: a subclass that does a little more."""

    def __init__(self, **options):
        self.sent = []
        super().__init__(**options)

    def send(self, request, **options):
        self.sent.append((request.url, options["verify"], options["cert"], options["timeout"]))
        return super().send(request, **options)


class Canned(BaseAdapter):
    """Answers without any network."""

    def send(self, request, **options):
        answer = requests.Response()
        answer.status_code = 200
        answer.request = request
        answer.url = request.url
        answer.headers["Content-Type"] = "application/json"
        answer.raw = io.BytesIO(b"canned")
        return answer

    def close(self):
        pass


def test_a_mounted_adapter_is_used_with_the_configs_trust(tls_server, connect):
    session, adapter = requests.Session(), Counting()
    session.mount("https://", adapter)
    transport = connect(tls_server, session=session, bearer_token="abc")
    for _ in range(2):
        tls_server.reply_json({})
        assert transport.send(GET).status == 200
    assert len(adapter.sent) == 2
    assert adapter.sent[0][3] == (30.0, 60.0)
    assert tls_server.requests[0].header("Authorization") == ["Bearer abc"]
    tls_server.stream(b"one")
    with transport.stream(GET) as stream:
        assert stream.read_all() == b"one"
    tls_server.reply_json({})


@pytest.mark.behaviour("2.1.1", "2.1.8")
def test_a_mounted_adapter_trusts_nobody_else(tls_server, connect, tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(tls_server.ca_data)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    for tls in (TLSConfig(ca_data=certs.wrong_authority().ca_data), TLSConfig()):
        session = requests.Session()
        session.mount("https://", Counting())
        with pytest.raises(TLSError):
            connect(tls_server, session=session, tls=tls).send(GET)


@pytest.mark.parametrize("data", [True, False])
def test_a_mounted_adapter_shows_the_client_certificate(connect, tmp_path, data):
    pair = certs.client("jane")
    (tmp_path / "cert").write_bytes(pair.certificate)
    (tmp_path / "key").write_bytes(pair.key)
    (tmp_path / "ca").write_bytes(certs.good().ca_data)
    if data:
        tls = TLSConfig(ca_data=certs.good().ca_data, cert_data=pair.certificate, key_data=pair.key)
    else:
        tls = TLSConfig(ca_file=tmp_path / "ca", cert_file=tmp_path / "cert", key_file=tmp_path / "key")
    session = requests.Session()
    session.mount("https://", Counting())
    with ScriptedServer(tls=True, client_ca=certs.authority("clients").certificate) as server:
        server.reply_json({})
        connect(server, session=session, tls=tls).send(GET)
        assert "CN=jane" in server.requests[0].peer


def test_the_sessions_own_verify_counts_for_its_own_adapters(tls_server, connect, recwarn):
    session = requests.Session()
    session.verify = False
    session.mount("https://", Counting())
    tls_server.reply_json({})
    assert connect(tls_server, session=session, tls=TLSConfig()).send(GET).status == 200
    assert {warning.category.__name__ for warning in recwarn} == {"InsecureRequestWarning"}


def test_insecure_reaches_a_mounted_adapter(tls_server, connect, recwarn):
    session = requests.Session()
    session.mount("https://", Counting())
    tls_server.reply_json({})
    assert connect(tls_server, session=session, tls=TLSConfig(insecure=True)).send(GET).status == 200


def test_an_adapter_without_network(connect):
    session = requests.Session()
    session.mount("https://", Canned())
    transport = connect(None, host="https://kube:6443", tls=TLSConfig(), session=session)
    answer = transport.send(GET)
    assert (answer.body, answer.headers.get("content-type")) == (b"canned", "application/json")
    with transport.stream(GET) as stream:
        assert stream.read() == b"canned"
        assert stream.read() == b""


def test_an_adapter_with_retries_is_the_users(connect):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=2))
    transport = connect(None, host="http://127.0.0.1:1", tls=TLSConfig(), session=session)
    with pytest.raises(TransportError):
        transport.send(GET)


def test_the_read_of_a_mounted_adapter_ends_at_the_deadline(server, connect):
    session = requests.Session()
    session.mount("http://", Counting())
    server.reply(HOLD)
    transport = connect(server, session=session)
    with pytest.raises(TimeoutError):
        transport.send(GET, scope=CallScope(0.3))


def test_a_stream_of_a_mounted_adapter_can_be_interrupted(server, connect, in_thread):
    session = requests.Session()
    session.mount("http://", Counting())
    token = CancelToken()
    server.stream(b"one", HOLD)
    stream = connect(server, session=session).stream(GET, scope=CallScope(None, token))
    assert stream.read() == b"one"
    reading = in_thread(stream.read)
    token.cancel()
    with pytest.raises(Exception, match="cancel"):
        reading()
    stream.close()


def test_the_class_can_be_used_without_a_config_of_its_own(mocks):
    mocks.get("http://kube/api", json={})
    with Transport(RESTConfig(host="http://kube"), session=requests.Session()) as transport:
        assert transport.send(GET).body == b"{}"
