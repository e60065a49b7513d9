"""The way into the server: who asks, as whom, and may they. One `Access` for each server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from dynkube.schema import GroupResource
from dynkube.testing.apiserver import statuses
from dynkube.testing.apiserver.access import escalation, identities
from dynkube.testing.apiserver.access.authentication import Authentication, Authenticator, bearer_warnings
from dynkube.testing.apiserver.access.decisions import ALLOWED, Decision, Refusal, refusal
from dynkube.testing.apiserver.access.impersonation import Impersonator, wanted_user
from dynkube.testing.apiserver.access.objects import RBAC, Objects
from dynkube.testing.apiserver.access.rbac import Policy, Rule
from dynkube.testing.apiserver.access.tokens import TokenError, TokenIssuer
from dynkube.testing.apiserver.messages import Request, RequestInfo, UserInfo
from dynkube.testing.apiserver.resources import Object

__all__ = ["Access"]

_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Access:
    """Authentication, impersonation and authorization.

    The order is the real server's: `authenticate` (401), `impersonate` (400, 403), `authorize` (403).
    The real one classifies a request for flow control between the last two, so only answers from
    `authorize` on have the X-Kubernetes-Pf-* headers.

    Args:
        objects: What is stored: roles, bindings, service accounts, and what tokens are bound to.
        tokens: Static tokens, and whose they are; may be added to later.
        now: The server's clock, for tokens that expire.

    Attributes:
        issuer: Signs service account tokens.
        refusals: Rules that refuse whatever RBAC allows; may be changed at any time.
    """

    def __init__(
        self,
        objects: Objects,
        *,
        tokens: Mapping[str, UserInfo] | None = None,
        now: Callable[[], datetime] = _utc_now,
        issuer: TokenIssuer | None = None,
    ) -> None:
        self.issuer = issuer or TokenIssuer()
        self.refusals: list[Refusal] = []
        self._policy = Policy(objects)
        self._authenticator = Authenticator(objects, self.issuer, tokens if tokens is not None else {}, now)
        self._impersonator = Impersonator(self.decide)

    # ------------------------------------------------------------------ who

    def authenticate(self, request: Request) -> UserInfo:
        """Who sent the request, with the groups that follow; ``system:anonymous`` for no credentials.

        Raises:
            StatusError: 401, the credentials are no good.
        """
        try:
            return self._authenticator.authenticate(request).user
        except TokenError:
            raise statuses.unauthorized() from None

    def review_token(self, request: Request, audiences: Sequence[str] = ()) -> Authentication:
        """Who a request with these credentials would come from, for these audiences (TokenReview).

        Raises:
            TokenError: Nobody; with the reason.
        """
        return self._authenticator.authenticate(request, audiences)

    def warnings(self, request: Request) -> Sequence[str]:
        """Texts for Warning headers of whatever answer the request gets."""
        return bearer_warnings(request)

    def impersonate(self, user: UserInfo, request: Request, about: RequestInfo) -> UserInfo:
        """As whom the request goes on: ``user``, or whom its Impersonate-* headers name.

        Raises:
            StatusError: 400, the headers are incomplete; 403, the user may not.
        """
        wanted = wanted_user(request.headers)
        return user if wanted is None else self._impersonator.impersonate(user, wanted, about)

    # ------------------------------------------------------------------ may they

    def authorize(self, user: UserInfo, about: RequestInfo) -> None:
        """Return if a user may do this.

        Raises:
            StatusError: 403.
        """
        decision = self.decide(user, about)
        if not decision.allowed:
            raise refusal(user, about, decision.reason)

    def decide(self, user: UserInfo, about: RequestInfo) -> Decision:
        """Whether a user may do this, and why: rules of refusal, then ``system:masters``, then RBAC."""
        for rule in self.refusals:
            if rule.matches(user, about):
                return Decision(denied=True, reason=rule.reason)
        return ALLOWED if identities.MASTERS in user.groups else self._policy.decide(user, about)

    def rules(self, user: UserInfo, namespace: str, problems: list[str]) -> Iterator[Rule]:
        """The RBAC rules that apply to a user in a namespace (SelfSubjectRulesReview).

        Args:
            user: Who.
            namespace: Where.
            problems: Filled with what kept rules from being found.
        """
        for grant in self._policy.grants(user, namespace, problems):
            yield grant.rule

    # ------------------------------------------------------------------ granting

    def check_grant(self, user: UserInfo, about: RequestInfo, obj: Object, old: Object | None = None) -> None:
        """Return if a user may write this role or binding; other objects always pass.

        Nobody may grant what they do not hold themselves, unless they are in ``system:masters``, may
        ``escalate`` the role, or ``bind`` the role that a binding refers to.

        Args:
            user: Who writes.
            about: The request.
            obj: The role or binding to be stored.
            old: What it replaces.

        Raises:
            StatusError: 403; 404, a binding's role does not exist.
        """
        if about.group != RBAC or identities.MASTERS in user.groups:
            return
        if old is not None and escalation.changes_only_garbage(obj, old):
            return
        if about.resource in _ROLES:
            self._check_role(user, about, obj, old)
        elif about.resource in _BINDINGS:
            self._check_binding(user, about, obj)

    def _check_role(self, user: UserInfo, about: RequestInfo, obj: Object, old: Object | None) -> None:
        asked = RequestInfo(
            verb="escalate", path="", is_resource=True, group=RBAC, version="*",
            resource=about.resource, name=about.name, namespace=about.namespace,
        )  # fmt: skip
        if self.decide(user, asked).allowed:
            return
        self._check_rules(user, about, obj, obj.get("rules") or ())
        aggregates = escalation.has_aggregation(obj) or (old is not None and escalation.has_aggregation(old))
        if aggregates and escalation.missing_rights(self._policy, user, about.namespace, escalation.FULL_AUTHORITY):
            problem = "must have cluster-admin privileges to use the aggregationRule"
            raise escalation.refuse_role(_resource(about), _name(obj), problem)

    def _check_binding(self, user: UserInfo, about: RequestInfo, obj: Object) -> None:
        reference = obj.get("roleRef") or {}
        if self._may_bind(user, about.namespace, reference):
            return
        self._check_rules(user, about, obj, self._policy.rules(reference, about.namespace))

    def _may_bind(self, user: UserInfo, namespace: str, reference: Mapping[str, str]) -> bool:
        resource = {"ClusterRole": "clusterroles", "Role": "roles"}.get(reference.get("kind", ""))
        if resource is None:
            return False
        asked = RequestInfo(
            verb="bind", path="", is_resource=True, group=reference.get("apiGroup", ""), version="*",
            resource=resource, name=reference.get("name", ""), namespace=namespace,
        )  # fmt: skip
        return self.decide(user, asked).allowed

    def _check_rules(self, user: UserInfo, about: RequestInfo, obj: Object, rules: Sequence[Rule]) -> None:
        problem = escalation.missing_rights(self._policy, user, about.namespace, rules)
        if problem:
            raise escalation.refuse_role(_resource(about), _name(obj), problem)


def _resource(about: RequestInfo) -> GroupResource:
    return GroupResource(about.group, about.resource)


def _name(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))
