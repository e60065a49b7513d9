"""WebSockets go the way that requests go: proxies, names of certificates, credentials and their renewal, wrappers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import certs
import pytest
from realproxies import http_proxy, socks_proxy

import dynkube
from dynkube import streams
from dynkube.config.model import TLSConfig
from dynkube.testing import APIServer, FaultProxy, LocalProcess

PODS = dynkube.GroupVersionResource("", "v1", "pods")
LIMIT = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer(run_workloads=True, token_users={"admin": ("system:masters",)}) as server:
        server.pods.on_exec(LocalProcess())
        with server.connect() as client:
            spec = {"containers": [{"name": "c", "image": "i"}]}
            client.resource(PODS).namespace("default").create({"metadata": {"name": "p"}, "spec": spec})
        yield server


def token_of(server: APIServer) -> str:
    return dynkube.load_config(kubeconfig=server.token_user("admin")).bearer_token


def cat(config: dynkube.RESTConfig, size: int = 1_000_000) -> None:
    """Data there and back."""
    data = os.urandom(size)
    with dynkube.DynamicClient(config) as client:
        pods = client.resource(PODS).namespace("default")
        assert streams.exec_command(pods, "p", ["cat"], input=data, timeout=LIMIT).stdout == data


@contextlib.contextmanager
def https_proxy(folder: Path) -> Iterator[int]:
    """A proxy that is spoken to over TLS, and knows CONNECT."""
    pair = certs.good().pair
    (folder / "pair").write_bytes(pair.key + pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair")
    loop = asyncio.new_event_loop()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer))

    running = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield running.sockets[0].getsockname()[1]

    async def end() -> None:
        running.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result(LIMIT)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


# ---------------------------------------------------------------------- proxies


@pytest.mark.parametrize("proxy", [http_proxy, socks_proxy])
def test_a_stream_goes_through_the_configs_proxy(server, proxy):
    scheme = "http" if proxy is http_proxy else "socks5"
    with proxy() as port:
        cat(replace(server.config, proxy_url=f"{scheme}://127.0.0.1:{port}"))


def test_a_stream_goes_through_tls_in_tls(server, tmp_path):
    with https_proxy(tmp_path) as port:
        trust = replace(server.config.tls, ca_data=server.config.tls.ca_data + certs.good().ca_data)
        cat(replace(server.config, proxy_url=f"https://127.0.0.1:{port}", tls=trust))


def test_a_proxy_that_is_not_there_is_told(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(dynkube.ConnectError, match="proxy"):
        cat(replace(server.config, proxy_url=f"http://127.0.0.1:{port}"))


# ---------------------------------------------------------------------- who we are, whom we trust


def test_the_servers_name_is_the_configs(server):
    with FaultProxy.before(server, certificate=certs.other_host("kubernetes.example").pair) as proxy:
        trust = TLSConfig(ca_data=certs.good().ca_data, server_name="kubernetes.example")
        cat(dynkube.RESTConfig(host=proxy.url, tls=trust, bearer_token=token_of(server)))
        with pytest.raises(dynkube.TLSError):
            cat(dynkube.RESTConfig(host=proxy.url, tls=replace(trust, server_name=""), bearer_token=token_of(server)))


def test_an_impersonated_user_is_who_is_refused(server):
    config = replace(server.config, impersonate=dynkube.Impersonation(user="mallory"))
    with dynkube.DynamicClient(config) as client, pytest.raises(dynkube.ForbiddenError, match="mallory"):
        pods = client.resource(PODS).namespace("default")
        streams.exec_command(pods, "p", ["true"], container="c", timeout=LIMIT)


def test_wrappers_see_the_request_of_a_stream(server):
    seen = []

    def wrap(send):
        def sending(request):
            seen.append(request.url)
            return send(request)

        return sending

    cat(server.config.wrap(wrap), 1000)
    assert [each for each in seen if "/pods/p/exec?" in each]


def test_observers_are_told_of_a_stream_as_of_a_request(server):
    attempts = []

    class Watcher(dynkube.Observer):
        def on_attempt(self, attempt):
            attempts.append((attempt.path, attempt.status))

    cat(replace(server.config, observers=(Watcher(),)), 1000)
    assert ("/api/v1/namespaces/default/pods/p/exec", 101) in attempts


# ---------------------------------------------------------------------- Ctrl-C


def test_an_interrupt_ends_a_command_and_restores_everything(server, tmp_path):
    program = f"""
import threading
import dynkube
from dynkube import streams
client = dynkube.connect(kubeconfig={str(server.kubeconfig)!r})
pods = client.resource(dynkube.GroupVersionResource("", "v1", "pods")).namespace("default")
try:
    streams.exec_command(pods, "p", ["sh", "-c", "echo ready; sleep 600"], stdout=open({str(tmp_path / "out")!r}, "wb", 0))
except KeyboardInterrupt:
    print([each.name for each in threading.enumerate() if each.name.startswith("dynkube-std")])
client.close()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            _wait_for(tmp_path / "out", process)
            process.send_signal(signal.SIGINT)
            said, problems = process.communicate(timeout=LIMIT)
        finally:
            process.kill()  # where it has not ended
    assert (said, problems, process.returncode) == (b"[]\n", b"", 0)


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    while not (path.exists() and path.read_bytes()):
        assert process.poll() is None, process.communicate()
        pause.wait(0.02)
