"""ConfigMap, Secret, ServiceAccount (pkg/apis/core/validation, pkg/registry/core)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from dynkube.schema import GroupVersion
from dynkube.testing.apiserver.builtin.native import NativeStrategy
from dynkube.testing.apiserver.builtin.rules import Errors, Json, each, listed, mapping
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import forbidden, invalid, key, required, too_long
from dynkube.testing.apiserver.words.objectmeta import IMMUTABLE
from dynkube.testing.apiserver.words.resources import Object

__all__ = ["ConfigMapStrategy", "SecretStrategy", "ServiceAccountStrategy"]

_LIMIT = 1024 * 1024
_FROZEN = "field is immutable when `immutable` is set"
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"


class _Freezable(NativeStrategy):
    """A kind that may be marked immutable."""

    frozen: ClassVar[Sequence[str]]
    """The fields that stay as they are then."""
    strictly: ClassVar[Sequence[str]]
    """Those of them for which an empty map is not the same as none."""

    def judge_freezing(self, obj: Json, old: Json) -> Errors:
        """What is marked immutable stays so, and stays as it is."""
        if not old.get("immutable"):
            return
        if not obj.get("immutable"):
            yield forbidden("immutable", _FROZEN)
        sent = as_sent(obj)
        for name in self.frozen:
            is_emptied = name in self.strictly and sent.get(name) == {} and name not in old
            if is_emptied or mapping(obj, name) != mapping(old, name):
                yield forbidden(name, _FROZEN)


class ConfigMapStrategy(_Freezable):
    """ConfigMaps."""

    frozen: ClassVar[Sequence[str]] = ("data", "binaryData")
    strictly: ClassVar[Sequence[str]] = ("binaryData",)

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        data, binary = mapping(obj, "data"), mapping(obj, "binaryData")
        size = 0
        for name, value in data.items():
            if problems := names.config_map_key(name):
                yield from each(key("data", name), name, problems)
            if name in binary:
                yield invalid(key("data", name), name, "duplicate of key present in binaryData")
            size += len(value) if value.isascii() else len(value.encode())
        for name, value in binary.items():
            yield from each(key("binaryData", name), name, names.config_map_key(name))
            size += _decoded_size(value or "")
        if size > _LIMIT:
            yield too_long("[]", _LIMIT)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        yield from self.judge_freezing(obj, old)
        yield from self.judge_new(obj)


def _decoded_size(encoded: str) -> int:
    return len(encoded) // 4 * 3 - encoded[-2:].count("=")


class SecretStrategy(_Freezable):
    """Secrets."""

    frozen: ClassVar[Sequence[str]] = ("data",)
    strictly: ClassVar[Sequence[str]] = ("data",)

    def complete(self, obj: Object, group_version: GroupVersion) -> None:
        """See `NativeStrategy`; text becomes data."""
        obj.setdefault("type", "Opaque")
        text = obj.pop("stringData", None)
        if text:
            added = {name: base64.b64encode(value.encode()).decode() for name, value in text.items()}
            obj["data"] = {**mapping(obj, "data"), **added}

    def judge_new(self, obj: Object) -> Errors:
        """See `NativeStrategy`."""
        data = mapping(obj, "data")
        for name in data:
            yield from each(key("data", name), name, names.config_map_key(name))
        if sum(_decoded_size(value or "") for value in data.values()) > _LIMIT:
            yield too_long("data", _LIMIT)
        rule = _TYPES.get(obj.get("type", ""))
        if rule is not None:
            yield from rule(obj, data)

    def judge_change(self, obj: Object, old: Object) -> Errors:
        """See `NativeStrategy`."""
        if obj.get("type") != old.get("type"):
            yield invalid("type", obj.get("type", ""), IMMUTABLE)
        yield from self.judge_freezing(obj, old)
        yield from self.judge_new(obj)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        if obj.get("type") != "kubernetes.io/tls":
            return []
        from dynkube.testing.apiserver.builtin.keypairs import key_pair_problem

        problem = key_pair_problem(_bytes(obj, "tls.crt"), _bytes(obj, "tls.key"))
        return [problem] if problem else []

    def selectable_fields(self, obj: Object) -> Mapping[str, str]:
        """See `Strategy`."""
        return {"type": obj.get("type", "")}


def _bytes(obj: Json, name: str) -> bytes:
    try:
        return base64.b64decode(mapping(obj, "data").get(name) or "")
    except (ValueError, binascii.Error):
        return b""


def _token(obj: Json, _: Json) -> Errors:
    account = "kubernetes.io/service-account.name"
    if not mapping(obj["metadata"], "annotations").get(account):
        yield required(key("metadata.annotations", account))


def _json_in(name: str) -> Callable[[Json, Json], Errors]:
    def rule(obj: Json, data: Json) -> Errors:
        if name not in data:
            yield required(key("data", name))
            return
        from dynkube.testing.apiserver.builtin.gojson import problem_of

        problem = problem_of(_bytes(obj, name), dict, "map[string]interface {}")
        if problem:
            yield invalid(key("data", name), "<secret contents redacted>", problem)

    return rule


def _basic_auth(_: Json, data: Json) -> Errors:
    if "username" not in data and "password" not in data:
        yield required(key("data", "username"))
        yield required(key("data", "password"))


def _ssh_auth(_: Json, data: Json) -> Errors:
    if not data.get("ssh-privatekey"):
        yield required(key("data", "ssh-privatekey"))


def _tls(_: Json, data: Json) -> Errors:
    for name in ("tls.crt", "tls.key"):
        if name not in data:
            yield required(key("data", name))


_TYPES: Mapping[str, Callable[[Json, Json], Errors]] = {
    "kubernetes.io/service-account-token": _token,
    "kubernetes.io/dockercfg": _json_in(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _json_in(".dockerconfigjson"),
    "kubernetes.io/basic-auth": _basic_auth,
    "kubernetes.io/ssh-auth": _ssh_auth,
    "kubernetes.io/tls": _tls,
}


class ServiceAccountStrategy(NativeStrategy):
    """ServiceAccounts; references to secrets are names and nothing else."""

    def prepare_for_create(self, obj: Object) -> None:
        """See `Strategy`."""
        _only_names(obj)

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """See `Strategy`."""
        _only_names(obj)

    def warnings(self, obj: Object, old: Object | None, subresource: str) -> Sequence[str]:
        """See `Strategy`."""
        before = {} if old is None else mapping(old["metadata"], "annotations")
        if _MOUNTABLE in before or _MOUNTABLE not in mapping(obj["metadata"], "annotations"):
            return []
        said = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        return [f"metadata.annotations[{_MOUNTABLE}]: {said}"]


def _only_names(obj: Object) -> None:
    if listed(obj, "secrets"):
        obj["secrets"] = [{"name": each_one["name"]} if each_one.get("name") else {} for each_one in obj["secrets"]]
