"""A credential is in the request, and in no traceback: also in one that prints the local variables of every frame."""

from __future__ import annotations

import base64

import certs
import pytest
from issuer import Issuer
from plugins import credential
from scripted import CLOSE, RESET, ScriptedServer
from tracebacks import shown_in

from dynkube import DynkubeError
from dynkube.config import AuthProviderConfig, RESTConfig
from dynkube.rest import RESTClient
from dynkube.transport import CallScope

ANSWERS = {
    "closed": (CLOSE,),
    "reset": (RESET,),
    "cut in the header": (b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE),
    "cut in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", CLOSE),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", CLOSE),
    "corrupt gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",),
    "refused": (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",),
    "forbidden": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",),
}


@pytest.fixture
def issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(params=["static", "plugin", "oidc"])
def signed_in(request, plugins):
    """Fields of a configuration, and the texts that must not show."""
    pair = certs.client("jane")
    key = [line for line in pair.key.decode().splitlines() if not line.startswith("-")]
    if request.param == "static":
        return {"bearer_token": "hunter2-token"}, ["hunter2-token"]
    if request.param == "plugin":
        given = credential(token="hunter2-token", cert=pair.certificate, key=pair.key)
        plugin = plugins.make(given).exec(env=(("KEY", "hunter2-env"),), args=("hunter2-arg",))
        return {"exec": plugin}, ["hunter2", *key]
    issuer = request.getfixturevalue("issuer")
    settings = issuer.login("jane")
    marks = ["hunter2", settings["id-token"].rpartition(".")[2]]
    return {"auth_provider": AuthProviderConfig(name="oidc", config=settings)}, marks


@pytest.mark.behaviour("1.2.8", "2.2.10")
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_frame_of_a_failed_call_shows_the_credential(signed_in, server, client_of, answer):
    fields, marks = signed_in
    client = client_of(server, **fields)
    calls = (
        lambda: client.get().abs_path("/api/v1/pods").stream().read_all(),
        lambda: client.post().abs_path("/api/v1/pods").body({"a": 1}).do(),
        lambda: client.put().abs_path("/api/v1/pods/a").body({"a": 1}).do(),
    )
    for call in calls:
        for _ in range(2):  # a renewal asks twice
            server.reply(*answer)
        with pytest.raises(DynkubeError) as caught:
            call()
        shown = shown_in(caught.value)
        assert [mark for mark in marks if mark in shown] == []


@pytest.mark.behaviour("1.2.8")
def test_nor_does_one_of_a_server_that_is_not_there(signed_in):
    fields, marks = signed_in
    client = RESTClient(RESTConfig(host="https://127.0.0.1:1", **fields))
    with client, pytest.raises(DynkubeError) as caught:
        client.get().abs_path("/version").do()
    shown = shown_in(caught.value)
    assert [mark for mark in marks if mark in shown] == []


@pytest.mark.behaviour("1.2.8")
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_nor_does_one_of_an_issuer_that_breaks_down(answer):
    """The refresh token and the client's secret are in the body and the header of that request."""
    from dynkube.credentials import OIDCProvider

    with Issuer() as issuer, ScriptedServer(tls=True) as broken:
        issuer.metadata["token_endpoint"] = f"{broken.url}/token"
        broken.reply(*answer)
        provider = OIDCProvider(issuer.login("jane", life=-60))
        with pytest.raises(DynkubeError) as caught:
            provider.obtain(CallScope(20))
    shown = shown_in(caught.value)
    secret = base64.b64encode(b"kubernetes:hunter2").decode()[:20]
    assert [mark for mark in ("hunter2", secret) if mark in shown] == []
