"""Security contexts of pods and containers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dynkube.testing.apiserver.builtin import internal
from dynkube.testing.apiserver.builtin.pod.paths import descending_path
from dynkube.testing.apiserver.builtin.rules import Errors, Json, each, listed, mapping, one_of, word
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import (
    child,
    duplicate,
    forbidden,
    index,
    invalid,
    not_supported,
    required,
    too_long,
)

__all__ = ["apparmor_profile", "container_context", "operating_system", "pod_context", "windows_host_process"]

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = rf"^({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}$"
_OF_IPC = frozenset({
    "kernel.sem", "kernel.shm", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    "kernel.msg", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
})  # fmt: skip


def pod_context(spec: Json, field: str) -> Errors:
    """``securityContext`` of a pod (validatePodSpecSecurityContext)."""
    context = mapping(spec, "securityContext")
    yield from _ids(context, ("fsGroup", "runAsUser", "runAsGroup"), field)
    for number, gid in enumerate(listed(context, "supplementalGroups")):
        yield from each(index(child(field, "supplementalGroups"), number), gid, names.group_id(gid))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        said = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(child(field, "shareProcessNamespace"), True, said)
    yield from _sysctls(spec, listed(context, "sysctls"), child(field, "sysctls"))
    yield from _choice(context, "fsGroupChangePolicy", ("Always", "OnRootMismatch"), field)
    yield from _seccomp(context.get("seccompProfile"), child(field, "seccompProfile"))
    yield from _windows_options(context.get("windowsOptions"), child(field, "windowsOptions"))
    yield from apparmor_profile(context.get("appArmorProfile"), child(field, "appArmorProfile"))
    yield from _choice(context, "supplementalGroupsPolicy", ("Merge", "Strict"), field)
    yield from _choice(context, "seLinuxChangePolicy", ("Recursive",), field)


def _choice(context: Json, name: str, supported: Sequence[str], field: str) -> Errors:
    value = context.get(name)
    if value is not None:
        yield from one_of(value, supported, child(field, name))


def _ids(context: Json, fields: Sequence[str], field: str) -> Errors:
    for name in fields:
        value = context.get(name)
        if value is not None:
            yield from each(child(field, name), value, names.user_id(value))


def _sysctls(spec: Json, sysctls: Sequence[Json], field: str) -> Errors:
    seen: set[str] = set()
    for number, sysctl in enumerate(sysctls):
        where = child(index(field, number), "name")
        name = sysctl.get("name", "")
        if not name:
            yield required(where)
        elif len(name.encode()) > 253 or not re.fullmatch(_SYSCTL[1:-1], name):
            yield invalid(where, name, f"must have at most 253 characters and match regex {_SYSCTL}")
        elif name in seen:
            yield duplicate(where, name)
        yield from _host_sysctl(spec, name, where)
        seen.add(name)


def _host_sysctl(spec: Json, name: str, field: str) -> Errors:
    """What the host's namespaces would share (ValidateHostSysctl)."""
    normal = _dotted(name)
    if spec.get("hostNetwork") and normal.startswith("net."):
        yield invalid(field, name, "may not be specified when 'hostNetwork' is true")
    elif spec.get("hostIPC") and (normal in _OF_IPC or normal.startswith("fs.mqueue.")):
        yield invalid(field, name, "may not be specified when 'hostIPC' is true")


def _dotted(name: str) -> str:
    """The form with dots, where slashes come first (NormalizeName)."""
    dot, slash = name.find("."), name.find("/")
    if slash == -1 or (dot != -1 and dot < slash):
        return name
    return name.translate(str.maketrans("./", "/."))


# ------------------------------------------------------------------ containers


def container_context(context: Json | None, field: str, *, host_users: bool) -> Errors:
    """``securityContext`` of a container (ValidateSecurityContext)."""
    if context is None:
        return
    yield from _ids(context, ("runAsUser", "runAsGroup"), field)
    mount = context.get("procMount")
    if mount is not None:
        yield from one_of(mount, ("Default", "Unmasked"), child(field, "procMount"))
        if host_users and mount == "Unmasked":
            yield invalid(child(field, "procMount"), mount, "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(context.get("seccompProfile"), child(field, "seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        yield from _no_escalation(context, field)
    yield from _windows_options(context.get("windowsOptions"), child(field, "windowsOptions"))
    yield from apparmor_profile(context.get("appArmorProfile"), child(field, "appArmorProfile"))


def _no_escalation(context: Json, field: str) -> Errors:
    said = "cannot set `allowPrivilegeEscalation` to false and "
    if context.get("privileged"):
        yield invalid(field, internal.shown(context, "core.SecurityContext"), f"{said}`privileged` to true")
    for capability in listed(mapping(context, "capabilities"), "add"):
        if capability == "CAP_SYS_ADMIN":
            value = internal.shown(context, "core.SecurityContext")
            yield invalid(field, value, f"{said}`capabilities.Add` CAP_SYS_ADMIN")


def _seccomp(profile: Json | None, field: str) -> Errors:
    if profile is None:
        return
    kind, where = profile.get("type", ""), child(field, "type")
    if not kind:
        yield required(where, "type is required when seccompProfile is set")
    else:
        yield from one_of(kind, _PROFILES, where)
    path, where = profile.get("localhostProfile"), child(field, "localhostProfile")
    if kind != "Localhost":
        if path is not None:
            value = internal.shown(profile, "core.SeccompProfile")
            yield invalid(where, value, "can only be set when seccomp type is Localhost")
    elif path is None:
        yield required(where, "must be set when seccomp type is Localhost")
    else:
        yield from descending_path(path, where)


def apparmor_profile(profile: Json | None, field: str) -> Errors:
    """An ``appArmorProfile`` (ValidateAppArmorProfileField)."""
    if profile is None:
        return
    kind, path = profile.get("type", ""), profile.get("localhostProfile")
    where = child(field, "localhostProfile")
    if kind == "Localhost":
        yield from _apparmor_path(path, where)
    elif kind in _PROFILES:
        if path is not None:
            yield invalid(where, path, "can only be set when AppArmor type is Localhost")
    elif not kind:
        yield required(child(field, "type"), "type is required when appArmorProfile is set")
    else:
        yield not_supported(child(field, "type"), kind, _PROFILES)


def _apparmor_path(path: str | None, field: str) -> Errors:
    if path is None:
        yield required(field, "must be set when AppArmor type is Localhost")
        return
    if path.strip() != path:
        yield invalid(field, path, "must not be padded with whitespace")
    elif not path:
        yield required(field, "must be set when AppArmor type is Localhost")
    if len(path.encode()) > 4095:
        yield too_long(field, 4095)


# ------------------------------------------------------------------ Windows

_DNS_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{{0,14}}|{_DNS_PART}(?:\.{_DNS_PART})*")
_BAD_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def _windows_options(options: Json | None, field: str) -> Errors:
    if options is None:
        return
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        yield from each(child(field, "gmsaCredentialSpecName"), name, names.dns1123_subdomain(name))
    spec = options.get("gmsaCredentialSpec")
    if spec is not None:
        where = child(field, "gmsaCredentialSpec")
        if not spec:
            yield invalid(where, spec, "gmsaCredentialSpec cannot be an empty string")
        elif len(spec.encode()) > 64 * 1024:
            yield invalid(where, spec, "gmsaCredentialSpec size must be under 64 KiB")
    user = options.get("runAsUserName")
    if user is not None:
        yield from each(child(field, "runAsUserName"), word(user), _user_name(user))


def _user_name(name: str) -> Sequence[str]:
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if re.search(r"[\x00-\x1f\x7f]", name):
        return ["runAsUserName cannot contain control characters"]
    if name.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = name.rpartition("\\")
    problems = []
    if len(domain.encode()) >= 256:
        problems.append("runAsUserName's Domain length must be under 256 characters")
    if backslash and not _DOMAIN.fullmatch(domain):
        problems.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    if not user:
        problems.append("runAsUserName's User cannot be empty")
    elif len(user.encode()) > 104:
        problems.append("runAsUserName's User length must not be longer than 104 characters")
    if re.fullmatch("[. ]+", user):
        problems.append("runAsUserName's User cannot contain only periods or spaces")
    if _BAD_USER.search(user):
        problems.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return problems


def windows_host_process(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    """All containers are processes of a Windows host, or none (validateWindowsHostProcessPod)."""
    of_pod = mapping(mapping(spec, "securityContext"), "windowsOptions").get("hostProcess")
    count = 0
    for container, where in containers:
        own = mapping(mapping(container, "securityContext"), "windowsOptions").get("hostProcess")
        if of_pod is not None and own is not None and of_pod != own:
            said = f"pod hostProcess value must be identical if both are specified, was {str(of_pod).lower()}"
            yield invalid(child(where, "securityContext", "windowsOptions", "hostProcess"), own, said)
        count += bool(of_pod if own is None else own)
    if count:
        if count != len(containers):
            said = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
            yield invalid(field, "", said)
        if not spec.get("hostNetwork"):
            said = "hostNetwork must be true if pod contains any hostProcess containers"
            yield invalid(child(field, "hostNetwork"), False, said)


def operating_system(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    """What an operating system does not have (validateOS, validateLinux, validateWindows)."""
    system = spec.get("os")
    if system is None:
        return
    name = system.get("name", "")
    if not name:
        yield required(child(field, "os", "name"))
    elif name not in ("linux", "windows"):
        yield not_supported(child(field, "os"), name, ("linux", "windows"))
    elif name == "linux":
        yield from _linux(spec, containers, field)
    else:
        yield from _windows(spec, containers, field)


def _linux(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    said = "windows options cannot be set for a linux pod"
    for owner, where in ((spec, field), *containers):
        if mapping(owner, "securityContext").get("windowsOptions") is not None:
            yield forbidden(child(where, "securityContext", "windowsOptions"), said)


_NOT_ON_WINDOWS = (
    ("securityContext", "appArmorProfile"), ("securityContext", "seLinuxOptions"), ("", "hostUsers"), ("", "hostPID"),
    ("", "hostIPC"), ("securityContext", "seccompProfile"), ("securityContext", "fsGroup"),
    ("securityContext", "fsGroupChangePolicy"), ("securityContext", "sysctls"), ("", "shareProcessNamespace"),
    ("securityContext", "runAsUser"), ("securityContext", "runAsGroup"), ("securityContext", "supplementalGroups"),
    ("securityContext", "supplementalGroupsPolicy"), ("securityContext", "seLinuxChangePolicy"),
)  # fmt: skip
_NOT_IN_WINDOWS_CONTAINERS = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip


def _windows(spec: Json, containers: Sequence[tuple[Json, str]], field: str) -> Errors:
    said = "cannot be set for a windows pod"
    for parent, name in _NOT_ON_WINDOWS:
        if (mapping(spec, parent) if parent else spec).get(name) is not None:
            yield forbidden(child(field, parent, name) if parent else child(field, name), said)
    for container, where in containers:
        context = mapping(container, "securityContext")
        for name in _NOT_IN_WINDOWS_CONTAINERS:
            if context.get(name) is not None:
                yield forbidden(child(where, "securityContext", name), said)
