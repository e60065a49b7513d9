"""Names of resources that are asked for, limited and counted (pkg/apis/core/helper/helpers.go)."""

from __future__ import annotations

from dynkube.errors import InvalidRequestError
from dynkube.quantities import Quantity
from dynkube.testing.apiserver.builtin.rules import NOT_INTEGER, Errors, amount, each
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import invalid

__all__ = [
    "container_resource_name",
    "is_extended",
    "is_huge_page",
    "is_native",
    "is_standard_quota",
    "is_whole",
    "may_overcommit",
    "page_multiple",
    "quota_resource_name",
    "resource_name",
    "resource_quantity",
]

HUGE_PAGES = "hugepages-"
_REQUESTS = "requests."
_FOR_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTED = frozenset(
    {
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    }
)  # fmt: skip
_MEASURED = frozenset({"cpu", "memory", "ephemeral-storage"})
_FOR_QUOTA = (
    _COUNTED
    | _MEASURED
    | {f"{prefix}{name}" for prefix in ("requests.", "limits.") for name in _MEASURED}
    | {"requests.storage"}
)
_STANDARD = _FOR_QUOTA | {"storage"}


def is_huge_page(name: str) -> bool:
    """Whether it is ``hugepages-2Mi`` or the like."""
    return name.startswith(HUGE_PAGES)


def is_native(name: str) -> bool:
    """Whether it is Kubernetes' own: without a domain, or with one of its."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether it is somebody else's, such as a device."""
    if is_native(name) or name.startswith(_REQUESTS):
        return False
    return not names.label_key(f"{_REQUESTS}{name}")


def may_overcommit(name: str) -> bool:
    """Whether a limit may exceed its request."""
    return is_native(name) and not is_huge_page(name)


def _is_quota_huge_page(name: str) -> bool:
    return name.startswith((HUGE_PAGES, f"{_REQUESTS}{HUGE_PAGES}"))


def is_standard_quota(name: str) -> bool:
    """Whether a quota knows it by itself (IsStandardQuotaResourceName)."""
    return name in _FOR_QUOTA or _is_quota_huge_page(name)


def resource_name(name: str, field: str) -> Errors:
    """Any resource (validateResourceName)."""
    problems = names.label_key(name)
    yield from each(field, name, problems)
    if not problems and "/" not in name and name not in _STANDARD and not _is_quota_huge_page(name):
        yield invalid(field, name, "must be a standard resource type or fully qualified")


def container_resource_name(name: str, field: str) -> Errors:
    """A resource that a container may ask for (validateContainerResourceName)."""
    if name in _FOR_CONTAINERS:
        return
    yield from resource_name(name, field)
    if "/" not in name:
        if not is_huge_page(name):
            yield invalid(field, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(field, name, "doesn't follow extended resource name standard")


def quota_resource_name(name: str, field: str) -> Errors:
    """A resource that a quota may limit (ValidateResourceQuotaResourceName)."""
    yield from resource_name(name, field)
    if "/" not in name and name not in _FOR_QUOTA and not _is_quota_huge_page(name):
        yield invalid(field, name, "must be a standard resource for quota")


def resource_quantity(name: str, text: str, field: str) -> Errors:
    """How much of it: not less than nothing, and whole where it is counted (ValidateResourceQuantityValue)."""
    quantity = amount(text)
    if quantity.nano < 0:
        yield invalid(field, text, "must be greater than or equal to 0")
    if (name in _COUNTED or is_extended(name)) and not is_whole(text):
        yield invalid(field, text, NOT_INTEGER)


def is_whole(text: str) -> bool:
    """Whether there is no fraction."""
    return amount(text).milli_value % 1000 == 0


def page_multiple(name: str, text: str, field: str) -> Errors:
    """Huge pages come as wholes (validateResourceQuantityHugePageValue)."""
    page = _page_size(name)
    if page is None or page.nano <= 0 or page.milli_value % 1000 or amount(text).value % page.value:
        yield invalid(field, text, f"{text} is not positive integer multiple of {name}")


def _page_size(name: str) -> Quantity | None:
    try:
        return Quantity.parse(name.removeprefix(HUGE_PAGES))
    except InvalidRequestError:
        return None
