"""What a list or a watch may ask for, and what is wrong with it (AM/apis/meta/internalversion)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dynkube.fields import FieldSelector
from dynkube.labels import LabelSelector
from dynkube.schema import GroupKind
from dynkube.testing.apiserver.words import fielderrors, statuses
from dynkube.testing.apiserver.words.fielderrors import FieldError

__all__ = ["EXACT", "NOT_OLDER_THAN", "ListOptions", "parse_revision", "validate_list_options"]

EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"
_KIND = GroupKind("meta.k8s.io", "ListOptions")
_MAX_REVISION = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """metav1.ListOptions with the selectors parsed: of lists, watches and delete collections."""

    label_selector: LabelSelector = field(default_factory=LabelSelector)
    field_selector: FieldSelector = field(default_factory=FieldSelector)
    watch: bool = False
    allow_watch_bookmarks: bool = False
    resource_version: str = ""
    resource_version_match: str = ""
    timeout_seconds: int | None = None
    limit: int = 0
    continue_token: str = ""
    send_initial_events: bool | None = None

    def defaulted(self) -> ListOptions:
        """A watch from no or any resourceVersion begins with what is there (SetListOptionsDefaults)."""
        if self.send_initial_events is not None or self.resource_version_match:
            return self
        if not self.watch or self.resource_version not in {"", "0"}:
            return self
        return replace(self, send_initial_events=True, resource_version_match=NOT_OLDER_THAN)

    @property
    def selects_all(self) -> bool:
        """Whether no selector says anything."""
        return not self.label_selector.requirements and not self.field_selector.requirements

    def exact_field(self, name: str) -> str | None:
        """The value that the field selector wants a field to have, if it wants one (RequiresExactMatch)."""
        wanted = [each.value for each in self.field_selector.requirements if each.field == name and not each.negated]
        return wanted[0] if wanted else None


def validate_list_options(options: ListOptions) -> None:
    """Refuse options that contradict each other; of options that are `ListOptions.defaulted` already.

    Raises:
        StatusError: 422, with a cause for each problem.
    """
    errors = list(_watch_errors(options) if options.watch else _list_errors(options))
    if errors:
        raise statuses.invalid(_KIND, "", errors)


def _list_errors(options: ListOptions) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    if options.resource_version_match:
        errors += _match_errors(options)
    if options.send_initial_events is not None:
        errors.append(fielderrors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _match_errors(options: ListOptions) -> Sequence[FieldError]:
    match = options.resource_version_match
    problems = []
    if not options.resource_version:
        problems.append("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if options.continue_token:
        problems.append("resourceVersionMatch is forbidden when continue is provided")
    errors = [fielderrors.forbidden("resourceVersionMatch", each) for each in problems]
    if match not in {EXACT, NOT_OLDER_THAN}:
        errors.append(fielderrors.not_supported("resourceVersionMatch", match, (EXACT, NOT_OLDER_THAN, "")))
    if match == EXACT and options.resource_version == "0":
        problem = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        errors.append(fielderrors.forbidden("resourceVersionMatch", problem))
    return errors


def _watch_errors(options: ListOptions) -> Sequence[FieldError]:
    match, initial = options.resource_version_match, options.send_initial_events
    errors = []
    if initial is not None and match != NOT_OLDER_THAN:
        problem = f"sendInitialEvents requires setting resourceVersionMatch to {NOT_OLDER_THAN}"
        errors.append(fielderrors.forbidden("resourceVersionMatch", problem))
    if not match:
        return errors
    if initial is None:
        problem = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(fielderrors.forbidden("resourceVersionMatch", problem))
    if match != NOT_OLDER_THAN:
        errors.append(fielderrors.not_supported("resourceVersionMatch", match, (NOT_OLDER_THAN,)))
    if options.continue_token:
        problem = "resourceVersionMatch is forbidden when continue is provided"
        errors.append(fielderrors.forbidden("resourceVersionMatch", problem))
    return errors


def parse_revision(text: str) -> int:
    """The number of a resourceVersion; 0 for "" and "0" (AS/storage/api_object_versioner.go).

    Raises:
        ValueError: It is none; with the words of the refusal.

    >>> parse_revision("17"), parse_revision("")
    (17, 0)
    >>> parse_revision("-1")
    Traceback (most recent call last):
    ...
    ValueError: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax
    """
    if text in {"", "0"}:
        return 0
    problem = ""
    if not (text.isascii() and text.isdigit()):
        problem = "invalid syntax"
    elif int(text) > _MAX_REVISION:
        problem = "value out of range"
    if problem:
        shown = fielderrors.invalid("", text).body.removeprefix("Invalid value: ")
        detail = f"strconv.ParseUint: parsing {shown}: {problem}"
        raise ValueError(str(fielderrors.invalid("resourceVersion", text, detail)))
    return int(text)
