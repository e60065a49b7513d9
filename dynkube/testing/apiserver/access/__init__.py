"""Who sends a request, in whose name it goes on, and whether they may.

`Access` is the face; `StoredObjects` is what it reads of the storage; a `Refusal` is a rule by which a
test has requests refused; `GrantCheck` is an admission plugin for roles and bindings. Requests are
judged by `RequestInfo` (`requestinfo`).
"""

from __future__ import annotations

from dynkube.testing.apiserver.access.authentication import Authentication
from dynkube.testing.apiserver.access.decisions import Decision, Refusal
from dynkube.testing.apiserver.access.escalation import GrantCheck
from dynkube.testing.apiserver.access.gate import Access
from dynkube.testing.apiserver.access.objects import Objects, StoredObjects
from dynkube.testing.apiserver.access.tokens import TokenError, TokenIssuer

__all__ = [
    "Access",
    "Authentication",
    "Decision",
    "GrantCheck",
    "Objects",
    "Refusal",
    "StoredObjects",
    "TokenError",
    "TokenIssuer",
]
