"""authentication.k8s.io/v1. Written by tests/recording/stubs.py."""

from __future__ import annotations

from dynkube.clientset.groups import GroupVersionClient
from dynkube.clientset.resource import ResourceClient
from dynkube.dynamic.verbs import CreateVerb

class SelfSubjectReviews(CreateVerb, ResourceClient):
    """SelfSubjectReview objects."""

class TokenReviews(CreateVerb, ResourceClient):
    """TokenReview objects."""

class AuthenticationV1(GroupVersionClient):
    """The resources of authentication.k8s.io/v1."""
    def selfsubjectreviews(self) -> SelfSubjectReviews:
        """SelfSubjectReview, cluster-scoped."""
    def tokenreviews(self) -> TokenReviews:
        """TokenReview, cluster-scoped."""
