"""A server that replays recorded watch frames as fast as the reader takes them.

The real server's initial events are bound by the server: it encodes each of them anew. This one has them ready.
``python replay.py FRAMES CERTIFICATE``: prints its port; every GET is answered with the frames, each in a chunk of
its own and sent on its own, as the API server does it. Then it holds the connection until the client closes it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from pathlib import Path

_HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


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
        while not sock.recv(65536).endswith(b"\r\n\r\n"):
            pass
        sock.sendall(_HEADER)
        for chunk in chunks:
            sock.sendall(chunk)
        while sock.recv(65536):
            pass


if __name__ == "__main__":
    serve(*sys.argv[1:])
