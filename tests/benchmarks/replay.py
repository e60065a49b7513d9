"""A server that replays recorded watch frames as fast as the reader takes them.

The real server's initial events are bound by the server: it encodes each of them anew. This one has them ready.
``python replay.py FRAMES CERTIFICATE``: prints its port; every watch is answered with the frames, each in a chunk of
its own and sent on its own, as the API server does it. Then it holds the connection until the client closes it. A list is
empty, and so is what a watch begins with that asks for initial events: an informer gets everything as events.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from pathlib import Path

_HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_LIST = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}'
_LISTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_LIST), _LIST)
_SYNCED = (
    b'{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"1",'
    b'"annotations":{"k8s.io/initial-events-end":"true"}}}}\n'
)


def serve(frames_path: str, certificate_path: str) -> None:
    """Answer until the process is ended."""
    chunks = [
        b"%x\r\n%b\r\n" % (len(frame), frame) for frame in Path(frames_path).read_bytes().splitlines(keepends=True)
    ]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_answer, args=(context, connection, chunks), daemon=True).start()


def _answer(context: ssl.SSLContext, plain: socket.socket, chunks: list[bytes]) -> None:
    with contextlib.suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as sock:
        request = _request(sock)
        while b"watch=" not in request:
            sock.sendall(_LISTED)
            request = _request(sock)
        sock.sendall(_HEADER)
        if b"sendInitialEvents=true" in request:
            sock.sendall(b"%x\r\n%b\r\n" % (len(_SYNCED), _SYNCED))
        for chunk in chunks:
            sock.sendall(chunk)
        while sock.recv(65536):
            pass


def _request(sock: ssl.SSLSocket) -> bytes:
    """The head of the next request."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionAbortedError
        head += piece
    return head


if __name__ == "__main__":
    serve(*sys.argv[1:])
