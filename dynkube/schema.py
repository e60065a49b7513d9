"""How Kubernetes names its types: groups, versions, kinds and resources, and the grammar of arguments.

A *kind* is what an object says it is (``apps/v1, Kind=Deployment``); a *resource* is where it
lives (``apps/v1, Resource=deployments``). The core group's name is ``""``. The values here are
plain and unchecked, so that a partial one (a resource without its version) can be asked for in
a mapper; the ``parse`` functions check what people write.

The nouns and the ``str()`` of each are those of apimachinery's ``pkg/runtime/schema``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dynkube.errors import InvalidRequestError

__all__ = [
    "GroupKind",
    "GroupResource",
    "GroupVersion",
    "GroupVersionKind",
    "GroupVersionResource",
    "KindArg",
    "ResourceArg",
    "gvk_of",
    "is_dns_label",
    "is_dns_subdomain",
    "is_kube_version",
    "kube_version_key",
    "parse_kind_arg",
    "parse_resource_arg",
]

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_DNS_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# Wider than a CRD's plural (a DNS label): adapters for custom metrics serve names with "." and "_".
_RESOURCE = re.compile(r"[a-z0-9](?:[-a-z0-9_.]*[a-z0-9])?")
_KUBE_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")

_GVR_FORMS = (
    "want 'group/version/resource' such as 'apps/v1/deployments', or 'version/resource' such as 'v1/pods' for "
    "the core group"
)


@dataclass(frozen=True, slots=True, order=True)
class GroupVersion:
    """An API group in one version, what ``apiVersion`` says.

    >>> str(GroupVersion.parse("apps/v1")), str(GroupVersion("", "v1"))
    ('apps/v1', 'v1')
    """

    group: str
    version: str

    @classmethod
    def parse(cls, text: str, *, argument: str = "apiVersion") -> GroupVersion:
        """Read ``"apps/v1"``, or ``"v1"`` for the core group.

        Args:
            text: the value of an ``apiVersion`` field.
            argument: what the error calls the value.

        Returns:
            The group version.

        Raises:
            InvalidRequestError: ``text`` is no group version.
        """
        if not isinstance(text, str):
            raise InvalidRequestError(f"{argument}: want a string such as 'apps/v1', got {_shown(text)}")
        group, slash, version = text.rpartition("/")
        if (slash and not _DNS_SUBDOMAIN.fullmatch(group)) or not _DNS_LABEL.fullmatch(version):
            raise InvalidRequestError(
                f"{argument}: unexpected GroupVersion string: {_shown(text)}: want 'group/version' such as 'apps/v1', "
                "or 'v1' for the core group"
            )
        return cls(group, version)

    @property
    def api_version(self) -> str:
        """The value of ``apiVersion``: ``"apps/v1"``, or ``"v1"`` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def with_kind(self, kind: str) -> GroupVersionKind:
        """The kind of that name in this group version."""
        return GroupVersionKind(self.group, self.version, kind)

    def with_resource(self, resource: str) -> GroupVersionResource:
        """The resource of that (plural) name in this group version."""
        return GroupVersionResource(self.group, self.version, resource)

    def __str__(self) -> str:
        return self.api_version


@dataclass(frozen=True, slots=True, order=True)
class GroupKind:
    """A kind in any version.

    >>> str(GroupKind("apps", "Deployment"))
    'Deployment.apps'
    """

    group: str
    kind: str

    def with_version(self, version: str) -> GroupVersionKind:
        """This kind in one version."""
        return GroupVersionKind(self.group, version, self.kind)

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


@dataclass(frozen=True, slots=True, order=True)
class GroupResource:
    """A resource in any version.

    >>> str(GroupResource("apps", "deployments")), str(GroupResource("", "pods"))
    ('deployments.apps', 'pods')
    """

    group: str
    resource: str

    def with_version(self, version: str) -> GroupVersionResource:
        """This resource in one version."""
        return GroupVersionResource(self.group, version, self.resource)

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


@dataclass(frozen=True, slots=True, order=True)
class GroupVersionKind:
    """A kind in one version, as an object names its own type.

    >>> str(GroupVersionKind("apps", "v1", "Deployment"))
    'apps/v1, Kind=Deployment'
    """

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """``"apps/v1"``, or ``"v1"`` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        """The group and version alone."""
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        """The kind without its version."""
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


@dataclass(frozen=True, slots=True, order=True)
class GroupVersionResource:
    """A resource in one version: where objects of a kind are kept.

    >>> GroupVersionResource.parse("v1/pods")
    GroupVersionResource(group='', version='v1', resource='pods')
    >>> str(GroupVersionResource("apps", "v1", "deployments"))
    'apps/v1, Resource=deployments'
    """

    group: str
    version: str
    resource: str

    @classmethod
    def parse(cls, text: str, *, argument: str = "resource") -> GroupVersionResource:
        """Read ``"apps/v1/deployments"``, or ``"v1/pods"`` for the core group.

        Args:
            text: group, version and plural resource name, with slashes between.
            argument: what the error calls the value.

        Returns:
            The resource.

        Raises:
            InvalidRequestError: ``text`` is not of that form; the message says what it looks like.
        """
        if not isinstance(text, str):
            raise InvalidRequestError(f"{argument}: {_GVR_FORMS}, got {_shown(text)}")
        parts = text.split("/")
        problem = _gvr_problem(parts)
        if problem:
            raise InvalidRequestError(f"{argument}: {_shown(text)} is no GroupVersionResource: {problem}; {_GVR_FORMS}")
        group, version, resource = parts if len(parts) == 3 else ("", *parts)
        return cls(group, version, resource)

    @property
    def path(self) -> str:
        """The form that `parse` reads: ``"apps/v1/deployments"``, ``"v1/pods"``."""
        return f"{self.api_version}/{self.resource}"

    @property
    def api_version(self) -> str:
        """``"apps/v1"``, or ``"v1"`` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        """The group and version alone."""
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        """The resource without its version."""
        return GroupResource(self.group, self.resource)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Resource={self.resource}"


class ResourceArg(NamedTuple):
    """The two readings of an argument such as ``deployments.v1.apps``.

    ``versioned`` takes the second word for a version and is None without a third word;
    ``unversioned`` takes all that follows the first dot for the group.
    """

    versioned: GroupVersionResource | None
    unversioned: GroupResource


class KindArg(NamedTuple):
    """The two readings of an argument such as ``Deployment.v1.apps``; see `ResourceArg`."""

    versioned: GroupVersionKind | None
    unversioned: GroupKind


def parse_resource_arg(text: str) -> ResourceArg:
    """Read ``resource``, ``resource.group`` or ``resource.version.group`` as kubectl does.

    Whether the second word is a version only the server can tell (``pods.metrics.k8s.io``), so
    both readings come back; try the versioned one first (ParseResourceArg).

    >>> parse_resource_arg("deployments.v1.apps").versioned
    GroupVersionResource(group='apps', version='v1', resource='deployments')
    >>> parse_resource_arg("deployments.apps")
    ResourceArg(versioned=None, unversioned=GroupResource(group='apps', resource='deployments'))
    """
    name, group, versioned = _split_arg(text)
    return ResourceArg(
        GroupVersionResource(versioned[1], versioned[0], name) if versioned else None, GroupResource(group, name)
    )


def parse_kind_arg(text: str) -> KindArg:
    """Read ``Kind``, ``Kind.group`` or ``Kind.version.group`` as kubectl does (ParseKindArg).

    >>> parse_kind_arg("Deployment.v1.apps").versioned
    GroupVersionKind(group='apps', version='v1', kind='Deployment')
    """
    name, group, versioned = _split_arg(text)
    return KindArg(GroupVersionKind(versioned[1], versioned[0], name) if versioned else None, GroupKind(group, name))


def gvk_of(obj: Mapping[str, Any], *, argument: str = "object") -> GroupVersionKind:
    """The type that an object says it has.

    Args:
        obj: an object as a dict.
        argument: what the error calls it.

    Returns:
        Group, version and kind, from ``apiVersion`` and ``kind``.

    Raises:
        InvalidRequestError: no mapping, or without a usable ``kind`` or ``apiVersion``.

    >>> gvk_of({"apiVersion": "v1", "kind": "Pod"})
    GroupVersionKind(group='', version='v1', kind='Pod')
    """
    if not isinstance(obj, Mapping):
        raise InvalidRequestError(f"{argument}: want a dict with apiVersion and kind, got {_shown(obj)}")
    kind = obj.get("kind")
    if not isinstance(kind, str) or not kind:
        got = f", got {_shown(kind)}" if kind else ""
        raise InvalidRequestError(f"{argument}: Object 'Kind' is missing: set kind, such as 'Deployment'{got}")
    api_version = obj.get("apiVersion")
    if not api_version:
        raise InvalidRequestError(f"{argument}: {kind} has no apiVersion: set one, such as 'apps/v1'")
    return GroupVersion.parse(api_version, argument=f"{argument}.apiVersion").with_kind(kind)


def is_dns_label(text: str) -> bool:
    """Whether it is a DNS label of RFC 1123, as namespaces' names are (AM/pkg/util/validation/validation.go).

    >>> is_dns_label("shop"), is_dns_label("A_B"), is_dns_label("a" * 64)
    (True, False, False)
    """
    return len(text) <= 63 and _DNS_LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """Whether it is a DNS subdomain of RFC 1123, as most objects' names are (likewise).

    >>> is_dns_subdomain("widgets.example.com"), is_dns_subdomain("a..b"), is_dns_subdomain("")
    (True, False, False)
    """
    return len(text) <= 253 and _DNS_SUBDOMAIN.fullmatch(text) is not None


def is_kube_version(version: str) -> bool:
    """Whether a version follows Kubernetes' convention: ``v1``, ``v2beta3``, ``v1alpha1``."""
    return _KUBE_VERSION.fullmatch(version) is not None


def kube_version_key(version: str) -> tuple[int, int, int, str]:
    """A sort key that puts the version to prefer first (AM/version/helpers.go).

    Stable before beta before alpha, higher numbers first; names outside the convention come
    last, in alphabetical order.

    >>> sorted(["v1alpha1", "foo", "v1", "v2beta1", "v10"], key=kube_version_key)
    ['v10', 'v1', 'v2beta1', 'v1alpha1', 'foo']
    """
    found = _KUBE_VERSION.fullmatch(version)
    if found is None:
        return (3, 0, 0, version)
    major, stage, minor = found.groups()
    rank = {None: 0, "beta": 1, "alpha": 2}[stage]
    return (rank, -int(major), -int(minor or 0), version)


def _split_arg(text: str) -> tuple[str, str, tuple[str, str] | None]:
    """The first word, all behind it, and (version, group) where there are three words or more."""
    name, _, rest = text.partition(".")
    version, dot, group = rest.partition(".")
    return name, rest, (version, group) if dot else None


def _gvr_problem(parts: list[str]) -> str:
    """What is wrong with the slash-separated parts of a GVR string, ``""`` when nothing is."""
    if len(parts) < 2:
        return "it names no version"
    if len(parts) > 3:
        return "it has too many parts (a subresource is asked for on the handle, not in the name)"
    if len(parts) == 2 and is_kube_version(parts[1]):
        return "it names a group version and no resource"
    return _segment_problem(*parts) if len(parts) == 3 else _segment_problem(None, *parts)


def _segment_problem(group: str | None, version: str, resource: str) -> str:
    if group is not None and not _DNS_SUBDOMAIN.fullmatch(group):
        return f"{_shown(group)} is no API group"
    # The core group has conventional versions only: "apps/deployments" has forgotten its version.
    if not (is_kube_version(version) if group is None else _DNS_LABEL.fullmatch(version)):
        return f"{_shown(version)} is no version"
    if not _RESOURCE.fullmatch(resource):
        return f"{_shown(resource)} is no resource name (lower-case, plural: 'deployments', not 'Deployment')"
    return ""


def _shown(value: object) -> str:
    """A value for a message: bounded, and escaped on one line."""
    text = repr(value) if isinstance(value, str) else f"{type(value).__name__}"
    return text if len(text) <= 100 else text[:97] + "..."
