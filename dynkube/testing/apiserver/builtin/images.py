"""References of container images, as far as defaulting reads them (github.com/distribution/reference)."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["default_pull_policy"]

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{_DIGEST}))?",
    re.ASCII,
)
_IDENTIFIER = re.compile("[a-f0-9]{64}")
_HEX = {"sha256": 64, "sha384": 96, "sha512": 128}


@lru_cache(maxsize=1024)
def default_pull_policy(image: str) -> str:
    """``Always`` for what is tagged ``latest`` or not at all, else ``IfNotPresent``; no image is no reference."""
    return "Always" if _tag(image) == "latest" else "IfNotPresent"


def _tag(image: str) -> str:
    """The tag of a reference; ``latest`` where it has neither tag nor digest, "" where it is none (ParseImageName)."""
    if _IDENTIFIER.fullmatch(image):
        return ""
    domain, remote = _split(image)
    path = remote.partition(":")[0]
    found = _REFERENCE.fullmatch(f"{domain}/{remote}") if path == path.lower() else None
    # The name is counted without its domain.
    if found is None or len(found["name"].partition("/")[2]) > 255 or not _is_known_digest(found["digest"]):
        return ""
    return found["tag"] or ("" if found["digest"] else "latest")


def _split(image: str) -> tuple[str, str]:
    """The registry's domain and what is there (splitDockerDomain)."""
    domain, slash, remote = image.partition("/")
    if not slash:
        return "docker.io", f"library/{image}"
    if domain == "index.docker.io":
        domain = "docker.io"
    elif domain != "localhost" and not (set(domain) & {".", ":"}) and domain.lower() == domain:
        domain, remote = "docker.io", image
    return domain, f"library/{remote}" if domain == "docker.io" and "/" not in remote else remote


def _is_known_digest(digest: str | None) -> bool:
    if digest is None:
        return True
    algorithm, _, value = digest.partition(":")
    return _HEX.get(algorithm) == len(value) and value == value.lower()
