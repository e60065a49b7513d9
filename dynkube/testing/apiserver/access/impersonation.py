"""Acting as somebody else: the Impersonate-* headers (AS/endpoints/filters/impersonation).

Since 1.36 five modes are tried, and the first that allows it decides whose request it is. Four are
constrained: besides "may X impersonate Y" they ask "may X do this request while impersonating"
(``impersonate-on:<mode>:<verb>``). The last is the one from before, with the verb ``impersonate``. The
mode that a user last succeeded with is tried first, as the real server does, which shows: the node
modes put the user into ``system:nodes``, the last mode does not. What a refusal says comes from the
mode that was tried first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from dynkube.testing.apiserver.access import identities
from dynkube.testing.apiserver.access.decisions import Decision, refusal
from dynkube.testing.apiserver.access.rbac import aggregated
from dynkube.testing.apiserver.words import fielderrors, names, statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.messages import Headers, RequestInfo, UserInfo

__all__ = ["Impersonator", "wanted_user"]

Decide = Callable[[UserInfo, RequestInfo], Decision]

_EXTRA = "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"
_MANY = 4
"""From this many groups or extra values on, one question for all of them (``*``) is tried first."""
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_PATH_FORMAT = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def wanted_user(headers: Headers) -> UserInfo | None:
    """As whom a request wants to act; None where it has no such header.

    Raises:
        StatusError: 400, groups, a uid or extra without a user.
    """
    name, uid = headers.get("Impersonate-User") or "", headers.get("Impersonate-Uid") or ""
    groups = tuple(headers.get_all("Impersonate-Group"))
    extra: dict[str, list[str]] = {}
    for header, value in headers:
        if header.lower().startswith(_EXTRA):
            extra.setdefault(_unescaped(header[len(_EXTRA) :].lower()), []).append(value)
    user = UserInfo(name, groups, uid, extra)
    if name:
        return user
    if not (groups or uid or extra):
        return None
    error = statuses.bad_request(f"requested &{_go_syntax(user)} without impersonating a user name")
    error.headers["X-Content-Type-Options"] = "nosniff"
    raise error


class Impersonator:
    """Decides whether one user may act as another. Keeps which mode each user last succeeded with."""

    def __init__(self, decide: Decide) -> None:
        self._modes = (
            _AssociatedNode(decide),
            _Constrained(decide, "arbitrary-node", _is_plain_node),
            _Constrained(decide, "serviceaccount", _is_plain_service_account),
            _Constrained(decide, "user-info", _is_other_user),
            _Legacy(decide),
        )
        self._last: dict[str, int] = {}

    def impersonate(self, requestor: UserInfo, wanted: UserInfo, about: RequestInfo) -> UserInfo:
        """The user in whose name the request goes on.

        Args:
            requestor: Who asks.
            wanted: As whom they want to act.
            about: The request.

        Raises:
            StatusError: 403, no mode allows it.
        """
        first_refusal: statuses.StatusError | None = None
        for number in self._order(requestor.name):
            try:
                user = self._modes[number].user(requestor, wanted, about)
            except statuses.StatusError as error:
                first_refusal = first_refusal or error
                continue
            if user is not None:
                self._last[requestor.name] = number
                return user
        assert first_refusal is not None  # the last mode either allows or refuses
        raise first_refusal

    def _order(self, name: str) -> Sequence[int]:
        order = list(range(len(self._modes)))
        last = self._last.get(name)
        return order if last is None else [last, *(each for each in order if each != last)]


# ------------------------------------------------------------------ modes


@dataclass(frozen=True, slots=True)
class _Legacy:
    """Users, groups, uids and extras by the verb ``impersonate`` (impersonationModeState)."""

    decide: Decide
    verb: str = "impersonate"
    is_constrained: bool = False

    def user(self, requestor: UserInfo, wanted: UserInfo, _about: RequestInfo) -> UserInfo | None:
        self._check_name(requestor, wanted)
        if wanted.uid:
            self._check(requestor, self._question("uids", wanted.uid))
        self._check_groups(requestor, wanted.groups)
        self._check_extra(requestor, wanted.extra)
        return _with_groups(wanted, is_constrained=self.is_constrained)

    def _check(self, requestor: UserInfo, about: RequestInfo) -> None:
        _check(self.decide, requestor, about)

    def _check_name(self, requestor: UserInfo, wanted: UserInfo) -> None:
        account, node = identities.service_account_of(wanted.name), identities.node_of(wanted.name)
        if account is not None:
            about = replace(self._question("serviceaccounts", account[1]), namespace=account[0])
        elif node is not None and self.is_constrained:
            about = self._question("nodes", node)
        else:
            about = self._question("users", wanted.name)
        self._check(requestor, about)

    def _check_groups(self, requestor: UserInfo, groups: Sequence[str]) -> None:
        about = self._question("groups", "")
        if self.is_constrained:
            self._check_group_names(requestor, groups, about)
            if len(groups) >= _MANY and self.decide(requestor, replace(about, name="*")).allowed:
                return
        for group in groups:
            self._check(requestor, replace(about, name=group))

    def _check_group_names(self, requestor: UserInfo, groups: Sequence[str], about: RequestInfo) -> None:
        if "" in groups:
            raise refusal(requestor, about, "impersonating the empty string group is not allowed")
        if identities.MASTERS in groups:
            about = replace(about, name=identities.MASTERS)
            raise refusal(requestor, about, "impersonating the system:masters group is not allowed")

    def _check_extra(self, requestor: UserInfo, extra: Mapping[str, Sequence[str]]) -> None:
        about = self._question("userextras", "")
        if self.is_constrained and extra:
            problem = next(filter(None, (_extra_problem(*each) for each in extra.items())), "")
            if problem:
                raise refusal(requestor, about, problem)
            is_large = len(extra) >= _MANY or sum(map(len, extra.values())) >= _MANY
            if is_large and self.decide(requestor, replace(about, subresource="*", name="*")).allowed:
                return
        for key, values in extra.items():
            for value in values:
                self._check(requestor, replace(about, subresource=key, name=value))

    def _question(self, resource: str, name: str) -> RequestInfo:
        is_core = not self.is_constrained and resource in ("users", "groups", "serviceaccounts")
        group = "" if is_core else _AUTHENTICATION
        return RequestInfo(
            verb=self.verb, path="", is_resource=True, group=group, version="v1", resource=resource, name=name
        )


class _Constrained:
    """A mode for some users, which also asks for ``impersonate-on:<mode>:<verb>`` on the request."""

    def __init__(self, decide: Decide, mode: str, applies: Callable[[UserInfo, UserInfo], bool]) -> None:
        self._decide = decide
        self._mode = mode
        self._applies = applies
        self._state = _Legacy(decide, f"impersonate:{mode}", is_constrained=True)

    def user(self, requestor: UserInfo, wanted: UserInfo, about: RequestInfo) -> UserInfo | None:
        if not self._applies(wanted, requestor):
            return None
        _check(self._decide, requestor, replace(about, verb=f"impersonate-on:{self._mode}:{about.verb}"))
        return self._state.user(requestor, wanted, about)


class _AssociatedNode(_Constrained):
    """A service account whose token names a node acts as that node.

    Its questions name no node (``*``): what is allowed for one is allowed for all that the account runs on.
    """

    def __init__(self, decide: Decide) -> None:
        def decide_for_all(user: UserInfo, about: RequestInfo) -> Decision:
            asked = replace(about, name="*") if about.verb == "impersonate:associated-node" else about
            decision = decide(user, asked)
            if not decision.allowed:
                raise refusal(user, asked, decision.reason)
            return decision

        super().__init__(decide_for_all, "associated-node", _is_own_node)


def _is_own_node(wanted: UserInfo, requestor: UserInfo) -> bool:
    node = identities.node_of(wanted.name)
    return (
        _is_only_name(wanted)
        and node is not None
        and identities.service_account_of(requestor.name) is not None
        and list(requestor.extra.get(identities.NODE_NAME, ())) == [node]
    )


def _is_plain_node(wanted: UserInfo, _requestor: UserInfo) -> bool:
    return _is_only_name(wanted) and identities.node_of(wanted.name) is not None


def _is_plain_service_account(wanted: UserInfo, _requestor: UserInfo) -> bool:
    return _is_only_name(wanted) and identities.service_account_of(wanted.name) is not None


def _is_other_user(wanted: UserInfo, _requestor: UserInfo) -> bool:
    return identities.node_of(wanted.name) is None and identities.service_account_of(wanted.name) is None


def _is_only_name(user: UserInfo) -> bool:
    return not (user.uid or user.groups or user.extra)


def _with_groups(wanted: UserInfo, *, is_constrained: bool) -> UserInfo:
    """With the groups that follow from the name."""
    groups = list(wanted.groups)
    account = identities.service_account_of(wanted.name)
    if account is not None and not groups:
        groups += identities.service_account_groups(account[0])
    if is_constrained and identities.node_of(wanted.name) is not None:
        groups = [identities.NODES]
    if wanted.name == identities.ANONYMOUS:
        implied = identities.UNAUTHENTICATED
    else:
        implied = "" if identities.UNAUTHENTICATED in groups else identities.AUTHENTICATED
    if implied and implied not in groups:
        groups.append(implied)
    return replace(wanted, groups=tuple(groups))


def _check(decide: Decide, requestor: UserInfo, about: RequestInfo) -> None:
    decision = decide(requestor, about)
    if not decision.allowed:
        raise refusal(requestor, about, decision.reason)


# ------------------------------------------------------------------ words


def _extra_problem(key: str, values: Sequence[str]) -> str:
    """What the constrained modes do not take as extra (validateExtra)."""
    if not key:
        return "impersonating the empty string key in extra is not allowed"
    problems = _prefixed_path_problems(key)
    if problems:
        return f"impersonating an invalid key in extra is not allowed: {aggregated(problems)}"
    if "" in values:
        return "impersonating the empty string value in extra is not allowed"
    return ""


def _prefixed_path_problems(key: str) -> list[str]:
    # AM/util/validation, IsDomainPrefixedPath
    host, _, path = key.partition("/")
    if not host or not path:
        wanted = 'must be a domain-prefixed path (such as "acme.io/foo")'
        return [str(fielderrors.invalid("extra.key", key, wanted))]
    problems = [str(fielderrors.invalid("extra.key", host, each)) for each in names.dns1123_subdomain(host)]
    if not re.fullmatch(_PATH_FORMAT, path):
        wanted = names.regex_error("Invalid path", _PATH_FORMAT)
        problems.append(str(fielderrors.invalid("extra.key", path, wanted)))
    return problems


def _unescaped(key: str) -> str:
    # url.PathUnescape; what is not escaped properly stays as it is.
    return key if _BAD_ESCAPE.search(key) else unquote(key)


def _go_syntax(user: UserInfo) -> str:
    """A user as Go's ``%#v`` prints one."""
    groups = f"[]string{_braced(user.groups)}" if user.groups else "[]string(nil)"
    values = ", ".join(f"{quoted(key)}:[]string{_braced(user.extra[key])}" for key in sorted(user.extra))
    extra = f"map[string][]string{{{values}}}" if user.extra else "map[string][]string(nil)"
    return f"user.DefaultInfo{{Name:{quoted(user.name)}, UID:{quoted(user.uid)}, Groups:{groups}, Extra:{extra}}}"


def _braced(texts: Sequence[str]) -> str:
    return "{" + ", ".join(map(quoted, texts)) + "}"
