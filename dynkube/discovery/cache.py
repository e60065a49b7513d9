"""Where discovery documents are kept between calls, and between processes.

A cache is a policy (`MemoryCache`, `DiskCache`, `KubectlCache`); opened for a config it is a
`Store` of documents by request target. A store keeps bytes and ETags and judges nothing: whoever reads
a document out of it decides whether it is young enough.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import stat
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from cachetools import LRUCache

from dynkube.codec import decode_object, encode
from dynkube.config.model import RESTConfig
from dynkube.errors import DecodeError
from dynkube.forks import renew_in_child

__all__ = ["CachedDocument", "DiscoveryCache", "DiskCache", "KubectlCache", "MemoryCache", "Store"]

_log = logging.getLogger("dynkube.discovery")

_DISK_TTL = 6 * 3600.0
_MEMORY_TTL = 600.0
_MEMORY_DOCUMENTS = 512
_FORMAT = 1
_HEADER_BYTES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedDocument:
    """A document as the server sent it.

    Attributes:
        body: its bytes.
        content_type: with parameters: aggregated documents are told by them.
        etag: the server's, ``""`` where it sends none.
        fetched: when the server last said so, in seconds since the epoch; 0 when it is not to be used
            without asking.
    """

    body: bytes = field(repr=False)
    content_type: str = "application/json"
    etag: str = ""
    fetched: float = 0.0


class Store(Protocol):
    """Documents of one server, as one user sees it. Safe for many threads."""

    def load(self, target: str) -> CachedDocument | None:
        """The document of that request target, of any age; None when there is none that can be trusted."""

    def save(self, target: str, document: CachedDocument) -> None:
        """Keep a document. A store that cannot, does not: nothing is raised."""


class DiscoveryCache(Protocol):
    """A policy: how long documents hold, and where they are kept."""

    @property
    def ttl(self) -> float:
        """Seconds for which a document is used without asking."""

    def open(self, config: RESTConfig) -> Store:
        """The store for this server and user."""


# --------------------------------------------------------------------------- memory


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCache:
    """Keeps documents for as long as the client lives. This is the default.

    Attributes:
        ttl: seconds for which they are used without asking; 10 minutes.
        size: how many; the one that was not used for longest goes first.

    Example:
        >>> MemoryCache(ttl=60).ttl
        60
    """

    ttl: float = _MEMORY_TTL
    size: int = _MEMORY_DOCUMENTS

    def open(self, config: RESTConfig) -> Store:
        """An empty store."""
        del config
        return _MemoryStore(self.size)


class _MemoryStore:
    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._documents: LRUCache[str, CachedDocument] = LRUCache(size)
        renew_in_child(self)

    def renew_after_fork(self) -> None:
        """No thread of the parent holds this lock, or is in the middle of a change."""
        if self._lock.locked():
            self._documents = LRUCache(self._documents.maxsize)
        self._lock = threading.Lock()

    def load(self, target: str) -> CachedDocument | None:
        with self._lock:
            return self._documents.get(target)

    def save(self, target: str, document: CachedDocument) -> None:
        with self._lock:
            self._documents[target] = document


# --------------------------------------------------------------------------- disk


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskCache:
    """Keeps documents in files that are this user's alone, so that a process starts without a request.

    One file for each document, with its ETag and a checksum, written in one step. Folders are 0700
    and files 0600. What another user could have written is neither read nor written: a folder or file
    that is somebody else's, a symbolic link, or writable for group or others.

    Attributes:
        directory: the folder; ``$XDG_CACHE_HOME/dynkube`` by default, else ``~/.cache/dynkube``.
        ttl: seconds for which they are used without asking; 6 hours, as in kubectl.
    """

    directory: str | os.PathLike[str] | None = None
    ttl: float = _DISK_TTL

    def open(self, config: RESTConfig) -> Store:
        """The store for this server and this identity: who sees what may depend on who asks."""
        base = Path(self.directory) if self.directory is not None else _default_directory()
        if base is None:
            _log.warning("no discovery cache on disk: neither $XDG_CACHE_HOME nor a home directory is there")
            return _MemoryStore(_MEMORY_DOCUMENTS)
        return _DiskStore((base, base / _host_folder(config), base / _host_folder(config) / _identity(config)))


def _default_directory() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the specification has relative ones ignored
        return Path(base) / "dynkube"
    home = os.path.expanduser("~")
    return Path(home) / ".cache" / "dynkube" if os.path.isabs(home) else None


def _host_folder(config: RESTConfig) -> str:
    parts = urlsplit(config.base_url)
    text = f"{parts.scheme}_{parts.netloc}{config.path_prefix}".rstrip("/")
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", text)
    # Names that differ only in what was replaced must not meet, and none may be too long.
    return f"{name[:120]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _identity(config: RESTConfig) -> str:
    """A digest of who asks; of what is secret only where nothing else tells users apart."""
    tls, who = config.tls, config.impersonate
    parts = [
        config.username,
        config.bearer_token_file or config.bearer_token,
        tls.cert_file,
        hashlib.sha256(tls.cert_data).hexdigest() if tls.cert_data else "",
        config.exec.command if config.exec else "",
        [list(config.exec.args), [list(pair) for pair in config.exec.env]] if config.exec else [],
        [config.auth_provider.name, config.user, config.source] if config.auth_provider else [],
        [who.user, who.uid, list(who.groups), sorted((key, list(each)) for key, each in who.extra.items())],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class _DiskStore:
    """The last of ``folders`` holds the files; all of them have to be ours."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        self._warned = False

    def load(self, target: str) -> CachedDocument | None:
        if not self._usable(create=False):
            return None
        try:
            data, fetched = _read_own(self._path(target))
            return _unpack(data, target, fetched)
        except FileNotFoundError:
            return None
        except _RefusedError as refused:
            self._warn(refused)
        except (OSError, ValueError, DecodeError) as error:
            _log.info("discovery cache: %s is unusable and fetched anew: %s", self._path(target), error)
        return None

    def save(self, target: str, document: CachedDocument) -> None:
        if not self._usable(create=True):
            return
        try:
            _write_own(self._path(target), _pack(target, document), document.fetched)
        except OSError as error:
            _log.info("discovery cache: cannot write %s: %s", self._path(target), error)

    def _path(self, target: str) -> Path:
        return self._folders[-1] / f"{hashlib.sha256(target.encode()).hexdigest()[:32]}.json"

    def _usable(self, *, create: bool) -> bool:
        try:
            for folder in self._folders:
                if create:
                    _make_own_folder(folder)
                _check_own(folder, os.lstat(folder), stat.S_ISDIR)
        except FileNotFoundError:
            return False
        except _RefusedError as refused:
            self._warn(refused)
            return False
        except OSError as error:
            _log.info("discovery cache: %s", error)
            return False
        return True

    def _warn(self, refused: _RefusedError) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("discovery cache not used: %s", refused)


class _RefusedError(Exception):
    """Another user could have written this."""


def _make_own_folder(folder: Path) -> None:
    # Those above the cache are created as the user's umask has it; ours are private.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)


def _check_own(path: Path, found: os.stat_result, is_kind: Any) -> None:
    if not is_kind(found.st_mode):
        raise _RefusedError(f"{path} is a link or no {'folder' if is_kind is stat.S_ISDIR else 'file'}; remove it")
    if found.st_uid != os.geteuid():
        raise _RefusedError(f"{path} belongs to another user; remove it or choose another directory")
    if found.st_mode & 0o022:
        raise _RefusedError(f"{path} can be written by others; chmod go-w {path}")


def _read_own(path: Path) -> tuple[bytes, float]:
    """The content and the time of the last change."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if os.path.islink(path):
            raise _RefusedError(f"{path} is a link; remove it") from error
        raise
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        _check_own(path, found, stat.S_ISREG)
        return file.read(), found.st_mtime


def _write_own(path: Path, data: bytes, fetched: float) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # 0600, and never one that exists
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.utime(name, (fetched, fetched))
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _pack(target: str, document: CachedDocument) -> bytes:
    header = {
        "format": _FORMAT,
        "target": target,
        "contentType": document.content_type,
        "etag": document.etag,
        "sha256": _checksum(target, document.content_type, document.etag, document.body),
    }
    return encode(header) + b"\n" + document.body


def _unpack(data: bytes, target: str, fetched: float) -> CachedDocument:
    line, newline, body = data.partition(b"\n")
    if not newline or len(line) > _HEADER_BYTES:
        raise ValueError("no header")
    header = decode_object(line, what="header")
    content_type, etag = str(header.get("contentType")), str(header.get("etag"))
    if header.get("format") != _FORMAT or header.get("target") != target:
        raise ValueError("the header is of another document")
    if header.get("sha256") != _checksum(target, content_type, etag, body):
        raise ValueError("the checksum is wrong")
    return CachedDocument(body=body, content_type=content_type, etag=etag, fetched=fetched)


def _checksum(target: str, content_type: str, etag: str, body: bytes) -> str:
    digest = hashlib.sha256("\n".join((target, content_type, etag, "")).encode())
    digest.update(body)
    return digest.hexdigest()


# --------------------------------------------------------------------------- kubectl's folder


@dataclass(frozen=True, slots=True, kw_only=True)
class KubectlCache:
    """Reads what kubectl has cached, and writes nothing there; only on request.

    kubectl's files have no checksum and its folder may be writable for the group; take them where
    that is no concern. What is not in them, or too old, is asked of the server and kept in memory.

    Attributes:
        directory: kubectl's cache; ``$KUBECACHEDIR`` by default, else ``~/.kube/cache``.
        ttl: seconds for which the files are used without asking; 6 hours, as in kubectl.
    """

    directory: str | os.PathLike[str] | None = None
    ttl: float = _DISK_TTL

    def open(self, config: RESTConfig) -> Store:
        """The store for this server; kubectl does not tell users apart."""
        base = self.directory or os.environ.get("KUBECACHEDIR") or os.path.expanduser("~/.kube/cache")
        parts = urlsplit(config.base_url)
        # The rule of CR/genericclioptions/config_flags.go (computeDiscoverCacheDir).
        host = re.sub(r"[^(\w/.)]", "_", f"{parts.netloc}{config.path_prefix}".rstrip("/"), flags=re.ASCII)
        return _KubectlStore(Path(base) / "discovery" / host)


class _KubectlStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newer = _MemoryStore(_MEMORY_DOCUMENTS)

    def load(self, target: str) -> CachedDocument | None:
        newer = self._newer.load(target)
        if newer is not None:
            return newer
        try:
            return self._read(target)
        except (OSError, DecodeError):
            return None

    def save(self, target: str, document: CachedDocument) -> None:
        self._newer.save(target, document)

    def _read(self, target: str) -> CachedDocument | None:
        if target in {"/api", "/apis"}:
            path = self._folder / "servergroups.json"
            document = _root_of_kubectl(target, decode_object(path.read_bytes(), what=str(path)))
        else:
            segments = [unquote(segment) for segment in target.split("/")[2:]]
            if target.partition("?")[1] or not _is_group_version(target, segments):
                return None
            path = self._folder.joinpath(*segments, "serverresources.json")
            document = decode_object(path.read_bytes(), what=str(path))
        return CachedDocument(body=encode(document), fetched=path.stat().st_mtime)


def _root_of_kubectl(target: str, found: dict[str, Any]) -> dict[str, Any]:
    # kubectl keeps one list, the core group under the name "".
    listed = found.get("groups")
    groups = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if not groups:
        raise DecodeError("no groups in it")
    if target == "/apis":
        return {"kind": "APIGroupList", "groups": [each for each in groups if each.get("name")]}
    return {"kind": "APIVersions", "versions": list(_core_versions(groups))}


def _core_versions(groups: list[dict[str, Any]]) -> Iterator[Any]:
    for each in groups:
        versions = each.get("versions")
        if not each.get("name") and isinstance(versions, list):
            yield from (version.get("version") for version in versions if isinstance(version, dict))


def _is_group_version(target: str, segments: list[str]) -> bool:
    plain = all(segment and not segment.startswith(".") and "/" not in segment for segment in segments)
    wanted = {"/api/": 1, "/apis/": 2}
    return plain and any(target.startswith(prefix) and len(segments) == count for prefix, count in wanted.items())


def refreshed(document: CachedDocument, fetched: float) -> CachedDocument:
    """The same document, confirmed by the server at that time."""
    return replace(document, fetched=fetched)
