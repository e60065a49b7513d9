"""The error tree: reasons, predicates, causes, messages."""

from __future__ import annotations

import pickle

import pytest

from dynkube import errors
from dynkube.errors import (
    AggregateError,
    AlreadyExistsError,
    ApplyConflict,
    ConflictError,
    ExpiredError,
    GoneError,
    InvalidConfigError,
    NotFoundError,
    PartialDiscoveryError,
    ServerTimeoutError,
    StatusCause,
    TooManyRequestsError,
    find_status_error,
    is_reason,
    reason_of,
    status_error_class,
    suggests_client_delay,
)


@pytest.mark.behaviour("2.8.9")
@pytest.mark.parametrize("reason", sorted(errors.STATUS_ERRORS))
def test_every_reason_has_a_class_and_a_predicate(reason: str) -> None:
    cls = status_error_class(reason, 0)
    assert cls.reason_name == reason
    assert is_reason(cls({"reason": reason}), reason)


@pytest.mark.behaviour("2.8.9")
def test_an_unknown_reason_goes_by_its_code() -> None:
    assert status_error_class("TooBad", 404) is NotFoundError
    assert is_reason(NotFoundError({"reason": "TooBad", "code": 404}), "NotFound")
    assert status_error_class("TooBad", 418) is errors.APIStatusError


@pytest.mark.behaviour("2.8.10")
def test_some_go_by_name_alone_and_some_by_code_alone() -> None:
    conflict = {"reason": "AlreadyExists", "code": 409}
    assert not is_reason(AlreadyExistsError(conflict), "Conflict")
    assert not is_reason(ConflictError({"reason": "Odd", "code": 409}), "AlreadyExists")
    assert not is_reason(ExpiredError({"reason": "Expired", "code": 410}), "Gone")
    assert is_reason(GoneError({"reason": "Gone", "code": 410}), "Gone")
    assert is_reason(errors.APIStatusError({"reason": "Timeout", "code": 429}), "TooManyRequests")
    assert is_reason(errors.APIStatusError({"reason": "Timeout", "code": 413}), "RequestEntityTooLarge")


@pytest.mark.behaviour("2.8.11")
def test_the_reason_is_found_through_the_chain_of_causes() -> None:
    wrapped = ValueError("wrapped")
    wrapped.__cause__ = NotFoundError({"reason": "NotFound", "code": 404})
    assert reason_of(wrapped) == "NotFound"
    assert isinstance(find_status_error(wrapped), NotFoundError)
    assert is_reason(wrapped, "NotFound")
    assert reason_of(ValueError()) == ""
    assert not is_reason(None, "NotFound")


@pytest.mark.behaviour("2.8.11")
def test_who_suggests_a_delay() -> None:
    later = {"details": {"retryAfterSeconds": 7}}
    assert suggests_client_delay(TooManyRequestsError(later)) == 7
    assert suggests_client_delay(TooManyRequestsError({})) is None
    assert suggests_client_delay(ServerTimeoutError({"reason": "ServerTimeout"})) == 0
    assert suggests_client_delay(ValueError()) is None


@pytest.mark.behaviour("2.8.11")
def test_causes() -> None:
    error = errors.InvalidError(
        {"details": {"causes": [{"reason": "FieldValueInvalid", "field": "a", "message": "b"}]}}
    )
    assert error.causes == (StatusCause("FieldValueInvalid", "b", "a"),)
    assert error.has_cause("FieldValueInvalid")
    assert not error.has_cause("Other")


@pytest.mark.parametrize(
    ("message", "manager"),
    [
        ('conflict with "one" using apps/v1', "one"),
        ('conflict with "kubectl" with subresource "scale" using apps/v1', "kubectl"),
        ("conflict with controller", "controller"),
    ],
)
def test_apply_conflicts_name_the_manager(message: str, manager: str) -> None:
    cause = {"reason": "FieldManagerConflict", "field": ".spec.replicas", "message": message}
    error = ConflictError({"details": {"causes": [cause, {"reason": "Other"}]}})
    assert error.conflicts == (ApplyConflict(manager, ".spec.replicas", message),)
    assert error.conflicts[0].manager == manager


@pytest.mark.parametrize(
    "status", [{}, {"details": None}, {"details": {"causes": 3, "retryAfterSeconds": True}}, {"code": "x"}]
)
def test_a_status_may_hold_anything(status: dict[str, object]) -> None:
    error = errors.APIStatusError(status)
    assert (error.code, error.reason, error.causes, error.retry_after_seconds) == (0, "", (), 0)
    assert str(error)


def test_a_status_error_survives_pickling() -> None:
    error = NotFoundError({"code": 404, "message": "no"}, method="GET", path="/a", hint="look")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.status) == (NotFoundError, str(error), error.status)
    assert str(error) == "no [GET /a]; look"


@pytest.mark.behaviour("2.8.13")
def test_an_aggregate_is_flat_and_without_doubles() -> None:
    inner = AggregateError([ValueError("a"), ValueError("b")])
    error = AggregateError([inner, ValueError("a"), ValueError("c")])
    assert str(error) == "[a, b, c]"
    assert len(error.errors) == 4
    assert str(AggregateError([ValueError("only")])) == "only"


@pytest.mark.behaviour("1.5.4")
def test_configuration_problems() -> None:
    assert str(InvalidConfigError("a")) == "invalid configuration: a"
    assert str(InvalidConfigError(["a", "b"])) == "invalid configuration: [a, b]"


@pytest.mark.behaviour("3.1.11")
def test_a_partial_discovery_lists_its_failures_in_order() -> None:
    error = PartialDiscoveryError({"b/v1": ValueError("two"), "a/v1": ValueError("one")})
    assert str(error) == "unable to retrieve the complete list of server APIs: a/v1: one, b/v1: two"


def test_everything_is_a_dynkube_error() -> None:
    tree = [each for name in errors.__all__ if isinstance(each := getattr(errors, name), type)]
    assert all(issubclass(each, errors.DynkubeError) for each in tree if issubclass(each, BaseException))


@pytest.mark.parametrize(
    "error",
    [
        errors.ScalePreconditionError("replicas", "3", "5"),
        errors.DrainError(["a", errors.RolloutError("b")], node="n1", pending=[("shop", "web-1")]),
        errors.DrainTimeoutError([errors.DrainTimeoutError(["late"])], node="n1", pending=[("shop", "web-1")]),
    ],
)
def test_errors_of_workloads_keep_what_they_know(error: errors.WorkloadError) -> None:
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied)) == (type(error), str(error))
    kept = {key: value for key, value in vars(error).items() if key != "errors"}
    assert {key: value for key, value in vars(copied).items() if key != "errors"} == kept
