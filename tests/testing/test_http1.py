"""The scanner that finds message boundaries: it loses no byte, however the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.testing._http1 import Head, Kind, Scanner, request_body, response_body


def scanned(data: bytes, cuts: list[int], *, method: str = "GET", requests: bool = False) -> list[tuple[Kind, bytes]]:
    scanner = Scanner(request_body if requests else lambda head: response_body(head, method))
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [piece for start, end in pairwise(places) for piece in scanner.feed(data[start:end])]
    pieces += scanner.finish()
    return [(piece.kind, piece.data) for piece in pieces]


def joined(pieces: list[tuple[Kind, bytes]]) -> list[tuple[Kind, bytes]]:
    """Neighbours of one kind as one, so that cuts do not show."""
    out: list[tuple[Kind, bytes]] = []
    for kind, data in pieces:
        if out and out[-1][0] is kind and kind in {Kind.BODY, Kind.OTHER, Kind.FRAMING}:
            out[-1] = (kind, out[-1][1] + data)
        else:
            out.append((kind, data))
    return out


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


bodies = st.binary(max_size=60)
messages = st.one_of(
    bodies.map(lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)),
    st.lists(st.binary(min_size=1, max_size=20), max_size=4).map(
        lambda parts: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(parts)
    ),
    st.just(b"HTTP/1.1 204 No Content\r\n\r\n"),
    st.just(b"HTTP/1.1 100 Continue\r\n\r\n"),
)
cuts = st.lists(st.integers(0, 400), max_size=12)


@given(st.lists(messages, max_size=4), cuts)
def test_cuts_do_not_matter(stream, cuts):
    data = b"".join(stream)
    pieces = scanned(data, cuts)
    assert b"".join(part for _, part in pieces) == data
    assert joined(pieces) == joined(scanned(data, []))
    assert sum(kind is Kind.END for kind, _ in pieces) == len(stream)


@given(st.binary(max_size=200), cuts)
def test_no_byte_is_lost_of_anything(data, cuts):
    assert b"".join(part for _, part in scanned(data, cuts)) == data
    assert b"".join(part for _, part in scanned(data, cuts, requests=True)) == data


def test_a_chunked_body_piece_by_piece():
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
    assert scanned(head + b"3\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n", []) == [
        (Kind.HEAD, head),
        (Kind.FRAMING, b"3\r\n"),
        (Kind.BODY, b"abc"),
        (Kind.CHUNK_END, b"\r\n"),
        (Kind.FRAMING, b"0\r\n"),
        (Kind.FRAMING, b"Trailer: 1\r\n"),
        (Kind.FRAMING, b"\r\n"),
        (Kind.END, b""),
    ]


@pytest.mark.parametrize(
    ("status", "method", "kinds"),
    [
        ("200 OK", "GET", [Kind.HEAD, Kind.BODY, Kind.END]),
        ("200 OK", "HEAD", [Kind.HEAD, Kind.END, Kind.OTHER]),
        ("304 Not Modified", "GET", [Kind.HEAD, Kind.END, Kind.OTHER]),
        ("101 Switching Protocols", "GET", [Kind.HEAD, Kind.OTHER]),
        ("200", "GET", [Kind.HEAD, Kind.BODY, Kind.END]),
    ],
)
def test_bodies_that_end_with_the_connection_or_are_none(status, method, kinds):
    pieces = scanned(f"HTTP/1.1 {status}\r\n\r\n".encode() + b"\x00rest", [], method=method)
    assert [kind for kind, _ in pieces] == kinds


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"A" * ((1 << 20) + 1),
    ],
)
def test_what_is_not_http_is_passed_on_as_it_is(data):
    scanner = Scanner(lambda head: response_body(head, "GET"))
    passed = b"".join(piece.data for piece in scanner.feed(data))
    assert passed == data
    assert not scanner.http


def test_heads():
    head = Head(("HTTP/1.1", "200", "OK"), (("a", "1"), ("b", "2"), ("a", "3")))
    assert (head.values("a"), head.status) == (["1", "3"], 200)
    assert Head(("GET", "/", "HTTP/1.1"), ()).status == 0
