"""Tar streams out of folders and into them; what is unpacked stays in its folder, whatever the stream says.

See KC/cmd/cp/cp.go (8.4.2, 8.4.4 in docs/reference/parity). Nothing is written through a link, neither one of the
stream's nor one that was there: every folder on the way is opened by itself, below the one before (O_NOFOLLOW).
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dynkube.errors import CopyError
from dynkube.streams.websocket import PIECE

__all__ = ["CopyProgress", "CopyResult", "SkippedEntry", "Tally", "pack", "unpack"]

_PIECE = 1 << 18
_SENT = 4 * PIECE  # bytes that are sent at once
_LONGEST_HEADER = 2**20  # bytes of a name, or of extended headers, that one entry may have


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """Where a copy is.

    Attributes:
        name: the file that is being copied.
        file_bytes: bytes of it so far.
        file_size: its size in bytes.
        total_bytes: bytes of all files so far.
    """

    name: str
    file_bytes: int
    file_size: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """Something that was not copied, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What was copied.

    Attributes:
        files: number of files, links among them.
        total_bytes: bytes of their contents.
        skipped: what was left out.
    """

    files: int
    total_bytes: int
    skipped: tuple[SkippedEntry, ...] = ()


class Tally:
    """Counts a copy, and tells its progress."""

    def __init__(self, progress: Callable[[CopyProgress], None] | None = None) -> None:
        self._progress = progress
        self._files = 0
        self._bytes = 0
        self._skipped: list[SkippedEntry] = []

    def file(self) -> None:
        """One more file is complete."""
        self._files += 1

    def skip(self, name: str, reason: str) -> None:
        """Something is left out."""
        self._skipped.append(SkippedEntry(name, reason))

    def bytes(self, name: str, count: int, so_far: int, size: int) -> None:
        """So many more bytes of a file."""
        self._bytes += count
        if self._progress is not None:
            self._progress(CopyProgress(name, so_far, size, self._bytes))

    def result(self) -> CopyResult:
        """What has been counted."""
        return CopyResult(self._files, self._bytes, tuple(self._skipped))


# --------------------------------------------------------------------------- packing


def pack(source: Path, name: str, sink: IO[bytes], tally: Tally) -> None:
    """Write a file, or a folder with all that is in it, to ``sink`` as a tar stream.

    Args:
        source: what to pack; links in it are packed as links.
        name: what it is called in the stream.
        sink: a file to write to.
        tally: counts.

    Raises:
        OSError: something cannot be read.
        CopyError: a file became shorter while it was read.
    """
    # GNU's format: busybox knows no other way to write long names. Names are bytes: surrogates become what they were.
    with tarfile.open(
        fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape", bufsize=_SENT
    ) as tar:
        for path, entry_name in _walk(source, name):
            _pack_one(tar, path, entry_name, tally)


def _walk(source: Path, name: str) -> Iterator[tuple[str, str]]:
    waiting = [(str(source), name)]
    while waiting:
        path, entry_name = waiting.pop()
        yield path, entry_name
        if os.path.isdir(path) and (path == str(source) or not os.path.islink(path)):
            names = sorted(os.listdir(path), reverse=True)
            waiting += [(os.path.join(path, each), f"{entry_name}/{each}") for each in names]


def _pack_one(tar: tarfile.TarFile, path: str, name: str, tally: Tally) -> None:
    tar.inodes.clear()  # type: ignore[attr-defined]  # else the second name of a file would become a hard link
    entry: tarfile.TarInfo | None = tar.gettarinfo(path, arcname=name)  # None for a socket
    if entry is None or not (entry.isreg() or entry.isdir() or entry.issym()):
        tally.skip(path, "neither a file nor a folder nor a link")
        return
    if not entry.isreg():
        tar.addfile(entry)
        if entry.issym():
            tally.file()
        return
    with open(path, "rb") as file:
        entry.size = os.fstat(file.fileno()).st_size
        counted = _Counted(file, path, entry.size, tally)
        try:
            tar.addfile(entry, counted)
        except OSError as error:
            if counted.ended_early:
                raise CopyError(f"{path}: it became shorter while it was copied; copy it again") from error
            raise
    tally.file()


class _Counted:
    """A file that tells how far it has been read."""

    def __init__(self, file: IO[bytes], name: str, size: int, tally: Tally) -> None:
        self._file = file
        self._name = name
        self._size = size
        self._tally = tally
        self._done = 0
        self.ended_early = False

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        self.ended_early = len(data) < size
        self._tally.bytes(self._name, len(data), self._done, self._size)
        return data


# --------------------------------------------------------------------------- unpacking


class _Entry(tarfile.TarInfo):
    """An entry whose header may not fill the memory; the two methods read a name, or headers, of any announced size."""

    def _proc_gnulong(self, tar: Any) -> Any:
        self._check_size()
        return super()._proc_gnulong(tar)  # type: ignore[misc]

    def _proc_pax(self, tar: Any) -> Any:
        self._check_size()
        return super()._proc_pax(tar)  # type: ignore[misc]

    def _check_size(self) -> None:
        if self.size > _LONGEST_HEADER:
            raise CopyError(f"tar contents corrupted: a header of {self.size} bytes")


def unpack(stream: IO[bytes], prefix: str, destination: Path, tally: Tally, *, preserve: bool) -> None:
    """Unpack a tar stream whose entries all begin with ``prefix``, which ``destination`` takes the place of.

    Args:
        stream: a file to read from.
        prefix: a path without a leading slash; ``""`` for everything.
        destination: a path that need not exist.
        tally: counts, and takes what is left out: links that lead out of the destination, devices, ...
        preserve: keep modes, without the set-id bits, and modification times.

    Raises:
        CopyError: an entry is elsewhere, or leads out of the destination, or the stream is cut or no tar.
        OSError: something cannot be written.
    """
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", tarinfo=_Entry, encoding="utf-8", errors="surrogateescape", bufsize=_PIECE
        ) as tar:
            folder = _Folder(destination, prefix, tally, preserve=preserve)
            for entry in tar:
                tar.members = []  # type: ignore[attr-defined]  # it would keep every entry
                folder.take(tar, entry)
            folder.finish()
    except tarfile.TarError as error:
        raise CopyError(f"tar contents corrupted: {error}") from error


def _inside(name: str, prefix: str) -> tuple[str, ...]:
    """The parts of an entry's name below the prefix.

    >>> _inside("./var/log/a", "var/log"), _inside("var/log/", "var/log")
    (('a',), ())
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    wanted = [part for part in prefix.split("/") if part]
    if ".." in parts:
        raise CopyError(f"tar contents corrupted: the entry {name!r} leads elsewhere; nothing of it was written")
    if parts[: len(wanted)] != wanted:
        raise CopyError(f"tar contents corrupted: {name!r} is not below {prefix!r}; nothing of it was written")
    return tuple(parts[len(wanted) :])


def _stays_inside(target: str, depth: int) -> bool:
    """Whether a link's target is in the folder, for a link in a folder so deep below its top.

    ``..`` may come first only: after a name it goes up from wherever that, a link perhaps, leads to.

    >>> _stays_inside("../a", 1), _stays_inside("../a", 0), _stays_inside("a/../..", 5), _stays_inside("/etc", 5)
    (True, False, False, False)
    """
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    return not posixpath.isabs(target) and ups <= depth and ".." not in parts[ups:]


class _Folder:
    """Where a stream is unpacked."""

    def __init__(self, destination: Path, prefix: str, tally: Tally, *, preserve: bool) -> None:
        self._destination = destination
        self._prefix = prefix
        self._tally = tally
        self._preserve = preserve
        self._folders: list[tuple[tuple[str, ...], tarfile.TarInfo]] = []

    def take(self, tar: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        """Write one entry."""
        parts = _inside(entry.name, self._prefix)
        if entry.isdir():
            with self._open_folder(parts, entry.name):
                self._folders.append((parts, entry))
        elif entry.isreg():
            self._file(tar, entry, parts)
        elif entry.issym() or entry.islnk():
            self._link(entry, parts)
        else:
            self._tally.skip(entry.name, "a device, a pipe or the like")

    def finish(self) -> None:
        """Modes and times of folders, which had to be written to before."""
        if not self._preserve:
            return
        for parts, entry in reversed(self._folders):
            with self._open_folder(parts, entry.name) as folder:
                os.fchmod(folder, entry.mode & 0o777)
                os.utime(folder, (entry.mtime, entry.mtime))

    # ------------------------------------------------------------- one kind each

    def _file(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, parts: tuple[str, ...]) -> None:
        if not parts:
            self._destination.parent.mkdir(parents=True, exist_ok=True)
            # What the caller names may be a link of the caller's.
            self._write(tar, entry, os.open(self._destination, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
            return
        with self._open_folder(parts[:-1], entry.name) as folder:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
            _make_way(folder, parts[-1], stat.S_ISLNK)
            try:
                descriptor = os.open(parts[-1], flags, 0o666, dir_fd=folder)
            except OSError as error:
                self._tally.skip(entry.name, f"cannot be written here: {error.strerror}")
                return
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                self._tally.skip(entry.name, "something that is no file is in its place")
                return
        self._write(tar, entry, descriptor)

    def _write(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, descriptor: int) -> None:
        with open(descriptor, "wb", buffering=0) as file:
            source = tar.extractfile(entry)
            assert source is not None
            done = 0
            while done < entry.size:
                data = source.read(min(_PIECE, entry.size - done))
                if not data:
                    raise CopyError(f"tar contents corrupted: {entry.name!r} ends after {done} of {entry.size} bytes")
                view = memoryview(data)
                while view:
                    view = view[file.write(view) or 0 :]
                done += len(data)
                self._tally.bytes(entry.name, len(data), done, entry.size)
            if self._preserve:
                os.fchmod(descriptor, entry.mode & 0o777)
                os.utime(descriptor, (entry.mtime, entry.mtime))
        self._tally.file()

    def _link(self, entry: tarfile.TarInfo, parts: tuple[str, ...]) -> None:
        if not parts:
            self._tally.skip(entry.name, f"a link, to {entry.linkname}; name what it leads to")
            return
        if entry.issym() and not _stays_inside(entry.linkname, len(parts) - 1):
            self._tally.skip(entry.name, f"a link that leads out of the folder, to {entry.linkname}")
            return
        with self._open_folder(parts[:-1], entry.name) as folder:
            _make_way(folder, parts[-1], lambda mode: not stat.S_ISDIR(mode))
            try:
                if entry.issym():
                    os.symlink(entry.linkname, parts[-1], dir_fd=folder)
                else:
                    self._second_name(entry, folder, parts[-1])
            except OSError as error:
                self._tally.skip(entry.name, f"the link cannot be made: {error.strerror}")
                return
        self._tally.file()

    def _second_name(self, entry: tarfile.TarInfo, folder: int, name: str) -> None:
        first = _inside(entry.linkname, self._prefix)
        with self._open_folder(first[:-1], entry.name) as other:
            os.link(first[-1], name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)

    # ------------------------------------------------------------- the way there

    @contextlib.contextmanager
    def _open_folder(self, parts: tuple[str, ...], name: str) -> Iterator[int]:
        """The folder at ``parts`` below the destination, made where it is missing."""
        self._destination.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._destination, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts:
                descriptor = _below(descriptor, part, name)
            yield descriptor
        finally:
            os.close(descriptor)


def _make_way(folder: int, name: str, disposable: Callable[[int], bool]) -> None:
    """Remove what is in an entry's place, if it is of a kind that may be: a link is replaced, never followed."""
    with contextlib.suppress(FileNotFoundError):
        if disposable(os.lstat(name, dir_fd=folder).st_mode):
            os.unlink(name, dir_fd=folder)


def _below(descriptor: int, part: str, name: str) -> int:
    """The folder ``part`` in an open folder, which is closed."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, 0o777, dir_fd=descriptor)
        below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError as error:
        raise CopyError(
            f"{name!r}: {part!r} on the way there is a link, or no folder; what is below it was not written"
        ) from error
    else:
        os.close(descriptor)
        return below
