from __future__ import annotations

import gzip
import http.client
import io
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from dynkube.errors import DecodeError
from dynkube.transport.body import Dechunker, Gunzip, read_whole


def pieces_of(data, cuts):
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


cuts = st.lists(st.integers(0, 10_000), max_size=20)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=10), cuts)
def test_any_cutting_of_any_chunks_gives_the_content(chunks, cuts):
    framed = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nTrailer: x\r\n\r\n"
    dechunker = Dechunker()
    content = b"".join(dechunker.feed(piece) for piece in pieces_of(framed, cuts))
    assert content == b"".join(chunks)
    assert dechunker.done
    assert dechunker.rest == b""


def test_what_comes_after_the_end_is_kept_apart():
    dechunker = Dechunker()
    assert dechunker.feed(b"1\r\na\r\n0\r\n\r\nHTTP/1.1") == b"a"
    assert dechunker.done
    assert dechunker.rest == b"HTTP/1.1"


def test_an_end_that_is_cut_is_no_end():
    dechunker = Dechunker()
    dechunker.feed(b"1\r\na\r\n0\r\n")
    assert not dechunker.done


@pytest.mark.parametrize(
    "framed", [b"x\r\n", b"-1\r\n", b"\r\n", b"+1\r\na", b"0x1\r\n", b"1\r\nab\r\n", b"f" * 16 + b"\r\n", b"1" * 70_000]
)
def test_framing_that_is_broken_is_an_error(framed):
    with pytest.raises(http.client.HTTPException):
        Dechunker().feed(framed)


@given(st.lists(st.binary(max_size=500), min_size=1, max_size=4), cuts)
def test_any_cutting_of_any_gzip_members_gives_the_text(members, cuts):
    zipped = b"".join(gzip.compress(member) for member in members)
    decoder = Gunzip()
    text = b"".join(decoder.feed(piece) for piece in pieces_of(zipped, cuts))
    decoder.finish()
    assert text == b"".join(members)


def test_what_is_not_gzip_is_an_error():
    with pytest.raises(DecodeError, match="not gzip"):
        Gunzip().feed(b"<html>")


def test_gzip_that_ends_early_is_an_error():
    decoder = Gunzip()
    decoder.feed(gzip.compress(b"x" * 1000)[:-9])
    with pytest.raises(DecodeError, match="ends early"):
        decoder.finish()


def test_an_empty_body_is_an_empty_text():
    decoder = Gunzip()
    decoder.finish()
    raw = HTTPResponse(io.BytesIO(b""), preload_content=False)
    assert read_whole(raw, gunzip=True) == b""


def test_read_whole_reads_all():
    text = bytes(range(256)) * 5000
    assert read_whole(HTTPResponse(io.BytesIO(text), preload_content=False), gunzip=False) == text
    zipped = HTTPResponse(io.BytesIO(gzip.compress(text)), preload_content=False)
    assert read_whole(zipped, gunzip=True) == text


def test_a_damaged_gzip_is_an_error():
    zipped = bytearray(gzip.compress(bytes(range(256)) * 10))
    zipped[40] ^= 0xFF
    decoder = Gunzip()
    with pytest.raises(DecodeError):
        decoder.feed(bytes(zipped))
        decoder.finish()


def test_a_text_that_packs_well_comes_in_bounded_pieces():
    text = b"0" * 20_000_000
    decoder = Gunzip()
    pieces = list(decoder.texts(gzip.compress(text)))
    decoder.finish()
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) <= 1 << 20


@given(st.integers(-3, 3), st.integers(1, 3))
def test_a_flushed_text_comes_whole_whatever_its_length(offset, mebibytes):
    text = b"0123456789abcdef" * (mebibytes << 16)
    text = text + b"x" * offset if offset >= 0 else text[:offset]
    packer = zlib.compressobj(wbits=31)
    decoder = Gunzip()
    assert decoder.feed(packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)) == text
