"""``spec.conversion`` (AE/apis/apiextensions/validation/validation.go, AS/util/webhook/validation.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dynkube.testing.apiserver.customresources.badvalues import bad_value
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    FieldError,
    child,
    forbidden,
    index,
    invalid,
    not_supported,
    required,
)

__all__ = ["conversion_errors"]

Raw = Mapping[str, Any]

_PATH = "spec.conversion"
_CLIENT = "spec.conversion.webhookClientConfig"
_REVIEWED = ("v1", "v1beta1")
_FORM = "; desired format: https://host[/path]"
_NO_WEBHOOK = "should not be set when strategy is not set to Webhook"


def conversion_errors(conversion: Raw | None) -> Iterator[FieldError]:
    """How objects get from one version to another."""
    if conversion is None:
        return
    strategy = conversion.get("strategy", "")
    where = child(_PATH, "strategy")
    if not strategy:
        yield required(where)
    elif strategy not in ("None", "Webhook"):
        yield not_supported(where, strategy, ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    client, reviewed = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or ()
    if strategy != "Webhook":
        yield from _unwanted(client, reviewed)
        return
    yield from _client(client)
    yield from _review_versions(reviewed)


def _unwanted(client: Raw | None, reviewed: Sequence[str]) -> Iterator[FieldError]:
    if client is not None:
        yield forbidden(_CLIENT, _NO_WEBHOOK)
    if reviewed:
        yield forbidden(child(_PATH, "conversionReviewVersions"), _NO_WEBHOOK)


def _client(client: Raw | None) -> Iterator[FieldError]:
    if client is None:
        yield required(_CLIENT, "required when strategy is set to Webhook")
        return
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(_CLIENT, "exactly one of url or service is required")
    elif url is not None:
        yield from _url(url, child(_CLIENT, "url"))
    elif service is not None:
        yield from _service(service, child(_CLIENT, "service"))


def _url(url: str, path: str) -> Iterator[FieldError]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield required(path, f"url must be a valid URL: {error}{_FORM}")
        return
    if parts.scheme != "https":
        yield invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        yield invalid(path, host, f"host must be specified{_FORM}")
    if at:
        yield invalid(path, user, "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(path, parts.query, "query parameters are not permitted in the URL")


def _service(service: Raw, path: str) -> Iterator[FieldError]:
    # The server hands name and namespace over in each other's place: so are they called in its answers.
    for name, other in (("name", "namespace"), ("namespace", "name")):
        if not service.get(other):
            yield required(child(path, name))
    problems = names.port_number(service.get("port", 443))
    if problems:
        yield invalid(child(path, "port"), service.get("port"), f"port is not valid: {', '.join(problems)}")
    yield from _service_path(service.get("path") or "", child(path, "path"))


def _service_path(told: str, path: str) -> Iterator[FieldError]:
    if told in ("", "/"):
        return
    if told == "//":
        yield invalid(path, told, "segment[0] may not be empty")
        return
    if not told.startswith("/"):
        yield invalid(path, told, "must start with a '/'")
    for number, step in enumerate(told[1:].removesuffix("/").split("/")):
        problems = names.dns1123_subdomain(step) if step else ()
        if not step:
            yield invalid(path, told, f"segment[{number}] may not be empty")
        for problem in problems:
            yield invalid(path, told, f"segment[{number}]: {problem}")


def _review_versions(versions: Sequence[str]) -> Iterator[FieldError]:
    path = child(_PATH, "conversionReviewVersions")
    if not versions:
        yield required(path)
        return
    for number, name in enumerate(versions):
        if name in versions[:number]:
            yield invalid(index(path, number), name, "duplicate version")
            continue
        yield from (invalid(index(path, number), name, problem) for problem in names.dns1035_label(name))
    if not any(name in _REVIEWED for name in versions):
        text = f"must include at least one of {', '.join(_REVIEWED)}"
        yield invalid(path, bad_value(list(versions)), text)
