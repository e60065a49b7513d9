"""The bytes of streams without a socket: WebSocket frames and SPDY frames, in whatever pieces they come."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynkube.testing.apiserver.streaming import spdy
from dynkube.testing.apiserver.streaming.frames import (
    BINARY,
    CLOSE,
    MAX_PAYLOAD_BYTES,
    TEXT,
    Frame,
    FrameError,
    FrameReader,
    encode_frame,
)


def masked(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """A frame as clients send it."""
    head = bytearray(encode_frame(opcode, b"\0" * len(payload))[: -len(payload) or None])
    head[1] |= 0x80
    return bytes(head) + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class TestFrames:
    @given(
        st.lists(st.tuples(st.sampled_from([TEXT, BINARY, CLOSE]), st.binary(max_size=400))),
        st.binary(min_size=4, max_size=4),
        st.integers(1, 50),
    )
    def test_frames_are_the_same_in_whatever_pieces_they_come(
        self, frames: list[tuple[int, bytes]], mask: bytes, piece: int
    ) -> None:
        data = b"".join(masked(opcode, payload, mask) for opcode, payload in frames)
        reader = FrameReader()
        got = [frame for at in range(0, len(data), piece) for frame in reader.feed(data[at : at + piece])]
        assert got == [Frame(opcode, payload) for opcode, payload in frames]

    @pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
    def test_sizes_have_three_forms(self, size: int) -> None:
        payload = os.urandom(size)
        (frame,) = FrameReader().feed(masked(BINARY, payload, b"\x01\x02\x03\x04"))
        assert frame.payload == payload

    def test_a_client_masks(self) -> None:
        with pytest.raises(FrameError, match="is masked"):
            list(FrameReader().feed(encode_frame(BINARY, b"x")))

    def test_no_frame_is_larger_than_the_real_server_takes(self) -> None:
        head = bytes((0x82, 0xFF)) + (MAX_PAYLOAD_BYTES + 1).to_bytes(8, "big")
        with pytest.raises(FrameError, match="too large"):
            list(FrameReader().feed(head))


def opened(stream: int, compressor: zlib._Compress, **headers: str) -> bytes:
    """A frame that opens a stream, as a client sends it."""
    block = len(headers).to_bytes(4, "big")
    for text in (text for pair in headers.items() for text in pair):
        block += len(text).to_bytes(4, "big") + text.encode()
    packed = compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
    payload = stream.to_bytes(4, "big") + bytes(6) + packed
    return b"\x80\x03\x00\x01\x00" + len(payload).to_bytes(3, "big") + payload


class TestSPDY:
    @pytest.mark.parametrize("with_dictionary", [True, False])
    def test_headers_are_compressed_in_one_stream_for_the_whole_session(self, *, with_dictionary: bool) -> None:
        compressor = zlib.compressobj(zdict=spdy._dictionary()) if with_dictionary else zlib.compressobj()
        data = opened(1, compressor, streamtype="error", port="80") + opened(
            3, compressor, streamtype="data", port="80"
        )
        frames = list(spdy.Session().feed(data))
        assert [(each.kind, each.stream, each.headers["streamtype"]) for each in frames] == [
            ("open", 1, "error"),
            ("open", 3, "data"),
        ]

    def test_the_dictionary_is_the_drafts(self) -> None:
        assert (len(spdy._dictionary()), zlib.adler32(spdy._dictionary())) == (1423, 0xE3C6A7C2)

    @given(st.binary(max_size=200), st.booleans(), st.integers(1, 9))
    def test_data_comes_in_whatever_pieces(self, data: bytes, is_last: bool, piece: int) -> None:
        sent = spdy.data_frame(3, data, is_last=is_last)
        session = spdy.Session()
        frames = [frame for at in range(0, len(sent), piece) for frame in session.feed(sent[at : at + piece])]
        assert frames == [spdy.Frame("data", 3, data=data, is_last=is_last)]

    def test_pings_resets_and_the_end(self) -> None:
        session = spdy.Session()
        goaway = b"\x80\x03\x00\x07\x00\x00\x00\x08" + bytes(8)
        settings = b"\x80\x03\x00\x04\x00\x00\x00\x04" + bytes(4)
        frames = list(session.feed(session.pong(7) + settings + session.reset(5) + goaway))
        assert [(each.kind, each.stream) for each in frames] == [("ping", 7), ("reset", 5), ("end", 0)]

    @pytest.mark.parametrize(
        "data",
        [b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01", b"\x80\x03\x00\x01\x00\x00\x00\x0c" + b"\xff" * 12],
    )
    def test_what_is_none(self, data: bytes) -> None:
        with pytest.raises(spdy.SPDYError):
            list(spdy.Session().feed(data))
