"""Tar streams: what is packed comes back, and nothing hostile leaves its folder."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynkube.errors import CopyError
from dynkube.streams.tarfolders import CopyProgress, CopyResult, Tally, pack, unpack


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(data), link, mode
    return info, data


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    found.seek(0)
    return found


def unpacked(stream: io.BytesIO, destination: Path, prefix: str = "top", *, preserve: bool = False) -> CopyResult:
    tally = Tally()
    unpack(stream, prefix, destination, tally, preserve=preserve)
    return tally.result()


# ---------------------------------------------------------------------- there and back


@pytest.mark.behaviour("8.4.2", "8.4.4")
def test_what_is_packed_comes_back(tmp_path):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a").write_bytes(b"1")
    (source / "sub" / "b").write_bytes(b"22")
    (source / "link").symlink_to("sub/b")
    os.link(source / "a", source / "same")
    found, tally = io.BytesIO(), Tally()
    pack(source, "top", found, tally)
    assert tally.result() == CopyResult(4, 4)
    found.seek(0)
    assert unpacked(found, tmp_path / "back") == CopyResult(4, 4)
    assert (tmp_path / "back" / "link").read_bytes() == b"22"
    assert (tmp_path / "back" / "same").read_bytes() == b"1"


def test_what_is_neither_file_nor_folder_nor_link_is_left_out(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    tally = Tally()
    pack(tmp_path, "top", io.BytesIO(), tally)
    assert [each.reason for each in tally.result().skipped] == ["neither a file nor a folder nor a link"]


def test_a_file_that_shrinks_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"12345")
    real = os.fstat
    monkeypatch.setattr(os, "fstat", lambda number: os.stat_result((*real(number)[:6], 10, *real(number)[7:])))
    with pytest.raises(CopyError, match="became shorter"):
        pack(tmp_path / "file", "top", io.BytesIO(), Tally())


def test_progress_is_told_file_by_file(tmp_path):
    told: list[CopyProgress] = []
    tally = Tally(told.append)
    unpack(archive(entry("top/a", data=b"12"), entry("top/b", data=b"345")), "top", tmp_path, tally, preserve=False)
    assert told == [CopyProgress("top/a", 2, 2, 2), CopyProgress("top/b", 3, 3, 5)]


def test_modes_and_times_are_kept_on_request_without_set_id_bits(tmp_path):
    info, data = entry("top/a", data=b"1", mode=0o6751)
    info.mtime = 1_000_000_000
    unpacked(archive((info, data)), tmp_path, preserve=True)
    status = (tmp_path / "a").stat()
    assert (status.st_mode & 0o7777, status.st_mtime) == (0o751, 1_000_000_000)


def test_one_file_takes_the_destinations_name(tmp_path):
    unpacked(archive(entry("var/log/a", data=b"1")), tmp_path / "new" / "name", "var/log/a")
    assert (tmp_path / "new" / "name").read_bytes() == b"1"


def test_hard_links_are_second_names(tmp_path):
    unpacked(archive(entry("top/a", data=b"1"), entry("top/b", tarfile.LNKTYPE, link="top/a")), tmp_path)
    assert (tmp_path / "b").samefile(tmp_path / "a")


# ---------------------------------------------------------------------- hostile streams


@pytest.mark.behaviour("8.4.2")
@pytest.mark.parametrize(
    "name", ["../evil", "top/../../evil", "/etc/evil", "elsewhere", "top/sub/../../../evil", "topper/evil"]
)
def test_an_entry_that_leads_elsewhere_ends_the_copy(tmp_path, name):
    with pytest.raises(CopyError, match="tar contents corrupted"):
        unpacked(archive(entry(name, data=b"evil")), tmp_path / "in")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.behaviour("8.4.2")
@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../../x", "a/../..", "sub/../../x", "./../x"])
def test_a_link_that_leads_out_is_left_out(tmp_path, target):
    result = unpacked(archive(entry("top/link", tarfile.SYMTYPE, link=target)), tmp_path / "in")
    assert result.skipped[0].reason == f"a link that leads out of the folder, to {target}"
    assert not (tmp_path / "in" / "link").is_symlink()


def test_nothing_is_written_through_a_link(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "door").symlink_to(outside)
    with pytest.raises(CopyError, match="'door' on the way there is a link"):
        unpacked(archive(entry("top/door/evil", data=b"evil")), inside)
    assert not list(outside.iterdir())


def test_a_link_in_a_files_place_is_replaced_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a").symlink_to(precious)
    unpacked(archive(entry("top/a", data=b"new")), inside)
    assert precious.read_bytes() == b"precious"
    assert (inside / "a").read_bytes() == b"new"


def test_a_link_of_the_streams_own_is_no_way_out_either(tmp_path):
    stream = archive(
        entry("top/here", tarfile.SYMTYPE, link="."),
        entry("top/up", tarfile.SYMTYPE, link="here/.."),
        entry("top/here/evil", data=b"evil"),
    )
    with pytest.raises(CopyError, match="on the way there is a link"):
        unpacked(stream, tmp_path / "in")
    assert not (tmp_path / "in" / "up").is_symlink()
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_left_out(tmp_path, kind):
    result = unpacked(archive(entry("top/device", kind), entry("top/a", data=b"1")), tmp_path)
    assert [each.name for each in result.skipped] == ["top/device"]
    assert result.files == 1


def test_a_hard_link_to_elsewhere_ends_the_copy(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    with pytest.raises(CopyError, match="corrupted"):
        unpacked(archive(entry("top/a", tarfile.LNKTYPE, link="../precious")), tmp_path / "in")


def test_a_name_that_would_fill_the_memory_is_refused(tmp_path):
    stream = archive(entry("top/" + "x" * 2_000_000, data=b"1"))
    with pytest.raises(CopyError, match="a header of"):
        unpacked(stream, tmp_path)


@pytest.mark.parametrize("size", [1, 511, 512, 700, 1030])
def test_a_stream_that_is_cut_is_told(tmp_path, size):
    stream = io.BytesIO(archive(entry("top/a", data=b"1" * 600)).getvalue()[:size])
    with pytest.raises(CopyError, match="tar contents corrupted"):
        unpacked(stream, tmp_path)


def test_what_is_no_tar_is_told(tmp_path):
    with pytest.raises(CopyError, match="corrupted"):
        unpacked(io.BytesIO(b"no tar at all" * 100), tmp_path)


names = st.text(st.sampled_from("ab./\\\n é"), min_size=1, max_size=12)
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])


@pytest.mark.behaviour("8.4.2")
@given(st.lists(st.tuples(names, kinds, names), max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_stays_in_its_folder(tmp_path_factory, entries):
    root = tmp_path_factory.mktemp("any")
    stream = archive(
        *(entry(f"top/{name}", kind, b"x" if kind == tarfile.REGTYPE else b"", link) for name, kind, link in entries)
    )
    try:
        unpacked(stream, root / "deep" / "in")
    except (CopyError, OSError):
        pass
    assert {path.name for path in root.iterdir()} <= {"deep"}
    assert {path.name for path in (root / "deep").iterdir()} <= {"in"} if (root / "deep").exists() else True
    for path in (root / "deep").rglob("*"):
        if path.exists():  # a link to itself leads nowhere
            assert Path(os.path.realpath(path)).is_relative_to(root / "deep" / "in")
