"""What an authorizer says, and the words in which a refusal is told (AS/endpoints/handlers/responsewriters)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dynkube.schema import GroupResource
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.fielderrors import quoted
from dynkube.testing.apiserver.words.messages import RequestInfo, UserInfo

__all__ = ["ALLOWED", "NO_OPINION", "Decision", "Refusal", "quoted_list", "refusal"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, denied, or (neither) no opinion, which ends in a refusal as well."""

    allowed: bool = False
    denied: bool = False
    reason: str = ""


ALLOWED = Decision(allowed=True)
"""Without a reason: what the group ``system:masters`` gets."""
NO_OPINION = Decision()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A rule that refuses whatever RBAC allows, also to the admin: a test's way to a real 403.

    Each field is a value or a sequence of them; ``"*"`` is everything, and so is a field left out.
    A resource is ``pods`` or, for a subresource, ``pods/status`` (``pods/*`` for all of them and
    ``pods``); ``""`` as a namespace is the cluster scope. ``path`` is of requests that are for no
    resource: a rule with it refuses only these, and a rule without it only resources.

    >>> rule = Refusal(verb=("create", "update"), resource="pods", namespace="shop", reason="quota")
    >>> about = RequestInfo(verb="create", path="", is_resource=True, resource="pods", namespace="shop")
    >>> rule.matches(UserInfo("alice"), about)
    True
    """

    verb: str | Sequence[str] = "*"
    group: str | Sequence[str] = "*"
    resource: str | Sequence[str] = "*"
    namespace: str | Sequence[str] = "*"
    name: str | Sequence[str] = "*"
    user: str | Sequence[str] = "*"
    path: str | Sequence[str] = ()
    reason: str = ""
    """Ends the message: ``... in the namespace "shop": quota``."""

    def matches(self, user: UserInfo, about: RequestInfo) -> bool:
        """Whether the rule is about this request of this user."""
        if not (_holds(self.verb, about.verb) and _holds(self.user, user.name)):
            return False
        if self.path or not about.is_resource:
            return not about.is_resource and _holds(self.path, about.path)
        return (
            _holds(self.group, about.group)
            and _holds_resource(self.resource, about.resource, about.subresource)
            and _holds(self.namespace, about.namespace)
            and _holds(self.name, about.name)
        )


def _holds(wanted: str | Sequence[str], value: str) -> bool:
    values = (wanted,) if isinstance(wanted, str) else wanted
    return "*" in values or value in values


def _holds_resource(wanted: str | Sequence[str], resource: str, subresource: str) -> bool:
    values = (wanted,) if isinstance(wanted, str) else wanted
    full = f"{resource}/{subresource}" if subresource else resource
    return "*" in values or full in values or f"{resource}/*" in values


def refusal(user: UserInfo, about: RequestInfo, reason: str = "") -> statuses.StatusError:
    """403 for a user who may not (ForbiddenStatusError, errors.go).

    >>> print(refusal(UserInfo("jane"), RequestInfo(verb="get", path="/metrics")))
    forbidden: User "jane" cannot get path "/metrics"
    """
    problem = _escaped(_sentence(user.name, about))
    error = statuses.forbidden(
        GroupResource(about.group, about.resource), about.name, f"{problem}: {reason}" if reason else problem
    )
    error.headers["X-Content-Type-Options"] = "nosniff"
    return error


def quoted_list(texts: Iterable[str]) -> str:
    """Strings as Go's ``%q`` prints a slice of them.

    >>> quoted_list(["a", "b"])
    '["a" "b"]'
    """
    return "[" + " ".join(map(quoted, texts)) + "]"


def _sentence(user: str, about: RequestInfo) -> str:
    who = f"User {quoted(user)} cannot {about.verb}"
    if not about.is_resource:
        return f"{who} path {quoted(about.path)}"
    resource = f"{about.resource}/{about.subresource}" if about.subresource else about.resource
    place = f"in the namespace {quoted(about.namespace)}" if about.namespace else "at the cluster scope"
    return f"{who} resource {quoted(resource)} in API group {quoted(about.group)} {place}"


def _escaped(text: str) -> str:
    # Nothing that looks like valid HTML (errors.go, sanitizer).
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
