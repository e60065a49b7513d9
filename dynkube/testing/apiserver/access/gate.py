"""The way into the server: who asks, as whom, and may they. One `Access` for each server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from dynkube.testing.apiserver.access import identities
from dynkube.testing.apiserver.access.authentication import Authentication, Authenticator, bearer_warnings
from dynkube.testing.apiserver.access.decisions import ALLOWED, Decision, Refusal, refusal
from dynkube.testing.apiserver.access.impersonation import Impersonator, wanted_user
from dynkube.testing.apiserver.access.objects import Objects
from dynkube.testing.apiserver.access.rbac import Policy, Rule
from dynkube.testing.apiserver.access.tokens import TokenError, TokenIssuer
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.messages import Request, RequestInfo, UserInfo

__all__ = ["Access"]


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
        policy: RBAC alone.
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
        self.policy = Policy(objects)
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
        return ALLOWED if identities.MASTERS in user.groups else self.policy.decide(user, about)

    def rules(self, user: UserInfo, namespace: str, problems: list[str]) -> Iterator[Rule]:
        """The RBAC rules that apply to a user in a namespace (SelfSubjectRulesReview).

        Args:
            user: Who.
            namespace: Where.
            problems: Filled with what kept rules from being found.
        """
        for grant in self.policy.grants(user, namespace, problems):
            yield grant.rule
