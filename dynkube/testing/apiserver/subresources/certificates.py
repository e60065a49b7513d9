"""The two that answer a CertificateSigningRequest: who approves or denies, and who signs.

KUBE/pkg/registry/certificates/certificates/strategy.go.
"""

# A strategy answers every question that is asked of a kind; few of the answers need every argument.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynkube.testing.apiserver.builtin.certificates import request_change
from dynkube.testing.apiserver.subresources.strategies import Narrowed, restore
from dynkube.testing.apiserver.words.fielderrors import FieldError
from dynkube.testing.apiserver.words.resources import Object, Strategy

__all__ = ["ApprovalStrategy", "SigningStrategy"]

_Condition = Mapping[str, Any]


class _Answering(Narrowed):
    """Writes conditions.

    Args:
        kind: The strategy of the kind.
        now: The time, as it is written down.
    """

    def __init__(self, kind: Strategy, now: str) -> None:
        super().__init__(kind)
        self._now = now

    def _date(self, obj: Object, old: Object) -> None:
        """Say when conditions were written, in place, unless the writer does."""
        before = _conditions(old)
        for condition in _conditions(obj):
            condition["lastUpdateTime"] = condition.get("lastUpdateTime") or self._now
            condition["lastTransitionTime"] = condition.get("lastTransitionTime") or self._transition(condition, before)

    def _transition(self, condition: _Condition, before: Sequence[_Condition]) -> str:
        same = (each for each in before if (each["type"], each["status"]) == (condition["type"], condition["status"]))
        return next((each["lastTransitionTime"] for each in same if each.get("lastTransitionTime")), self._now)


def _conditions(obj: Object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    return found


class ApprovalStrategy(_Answering):
    """certificatesigningrequests/approval: only the conditions."""

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """All but the conditions."""
        return (("spec",), ("status", "certificate"))

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep all but the conditions, and say when they were written."""
        self._date(obj, old)
        conditions = _conditions(obj)
        restore(obj, old, "spec", "status")
        status = obj.setdefault("status", {})
        status.pop("conditions", None)
        if conditions:
            status["conditions"] = conditions

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """What a condition says, and that none is taken back."""
        return list(request_change(obj, old, approves=True))


class SigningStrategy(_Answering):
    """certificatesigningrequests/status: the certificate, and conditions of how that went."""

    def reset_fields(self, subresource: str) -> Sequence[tuple[str, ...]]:
        """All but the certificate, they say."""
        return (("spec",), ("status", "conditions"))

    def prepare_for_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep spec and what was approved or denied, and say when conditions were written."""
        restore(obj, old, "spec")
        conditions = _conditions(obj)
        for kind in ("Approved", "Denied"):
            places = [number for number, each in enumerate(conditions) if each.get("type") == kind]
            before = [each for each in _conditions(old) if each.get("type") == kind]
            if len(places) == len(before):
                for place, condition in zip(places, before, strict=True):
                    conditions[place] = dict(condition)
        self._date(obj, old)

    def validate_update(self, obj: Object, old: Object, subresource: str) -> Sequence[FieldError]:
        """That it is a certificate, the first, and that nothing is approved by the way."""
        return list(request_change(obj, old, signs=True))
