"""authorization.k8s.io/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic.verbs import CreateVerb

class LocalSubjectAccessReviews(CreateVerb, ResourceClient):
    """LocalSubjectAccessReview objects."""

class SelfSubjectAccessReviews(CreateVerb, ResourceClient):
    """SelfSubjectAccessReview objects."""

class SelfSubjectRulesReviews(CreateVerb, ResourceClient):
    """SelfSubjectRulesReview objects."""

class SubjectAccessReviews(CreateVerb, ResourceClient):
    """SubjectAccessReview objects."""

class AuthorizationV1(GroupVersionClient):
    """The resources of authorization.k8s.io/v1."""
    def localsubjectaccessreviews(self, namespace: str) -> LocalSubjectAccessReviews:
        """LocalSubjectAccessReview, in a namespace, "" for all of them."""
    def selfsubjectaccessreviews(self) -> SelfSubjectAccessReviews:
        """SelfSubjectAccessReview, cluster-scoped."""
    def selfsubjectrulesreviews(self) -> SelfSubjectRulesReviews:
        """SelfSubjectRulesReview, cluster-scoped."""
    def subjectaccessreviews(self) -> SubjectAccessReviews:
        """SubjectAccessReview, cluster-scoped."""
