"""Lists: which state they show, which page of it, and how the next page is asked for.

Which state is chosen by resourceVersion, its match, limit and continue together: AS/storage/util.go
(ValidateListOptions), AS/storage/cacher/delegator.go, watch_cache.go and AS/storage/etcd3/store.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dynkube.testing.apiserver.storage.collection import Collection
from dynkube.testing.apiserver.storage.entries import Entry, key_of
from dynkube.testing.apiserver.storage.options import EXACT, NOT_OLDER_THAN, ListOptions, parse_revision
from dynkube.testing.apiserver.storage.selection import Selection
from dynkube.testing.apiserver.storage.tokens import Continuation, decode_continue, encode_continue
from dynkube.testing.apiserver.words import statuses
from dynkube.testing.apiserver.words.names import path_segment_name

__all__ = ["Page", "list_entries"]

_EXPIRED = "The resourceVersion for the provided list is too old."
_CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
_LATEST = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list: its entries, and what its metadata says."""

    entries: Sequence[Entry]
    revision: int
    continue_token: str = ""
    remaining: int | None = None
    """remainingItemCount; None where it is not said."""


def list_entries(
    collection: Collection, namespace: str, options: ListOptions, *, namespaced: bool, latest: int
) -> Page:
    """List what a request asks for.

    Args:
        collection: Of the resource.
        namespace: Of the request; "" for all.
        options: Valid ones.
        namespaced: Whether objects of the resource are in namespaces.
        latest: The store's revision.

    Raises:
        StatusError: 400, 410 or 504; see `Store.list`.
    """
    token = _continuation(options)
    selection = Selection(options, namespace or _selected_namespace(options, token))
    has_key = bool(selection.namespace) == namespaced and not path_segment_name(selection.name or "")
    if selection.name and has_key and token is None:
        return _list_one(collection, selection, options, latest)
    revision = token.revision if token else _exact_revision(options)
    start = _absolute(token.start, namespace) if token else ""
    if revision == _LATEST:
        _require(0 if token else _minimum(options), latest)
        return _cut(collection.current(selection.namespace, start), selection, options, latest)
    _require(revision, latest)
    if revision < collection.log.compacted:
        raise _expired(token)
    entries = collection.at(revision, selection.namespace, start)
    return _cut(entries, selection, options, revision)


def _list_one(collection: Collection, selection: Selection, options: ListOptions, latest: int) -> Page:
    """Of one name: read like a single object, where only Match=Exact asks for the past."""
    revision = latest
    if options.resource_version_match == EXACT:
        revision = _exact_revision(options)
    _require(_minimum(options), latest)
    if revision < collection.log.compacted:
        raise _expired(None)
    key = key_of(selection.namespace, selection.name or "")
    entries = collection.at(revision, selection.namespace, key)[:1] if revision < latest else []
    if revision == latest and (found := collection.get(key)) is not None:
        entries = [found]
    return Page(entries=[each for each in entries if each.key == key and selection.matches(each)], revision=revision)


def _cut(entries: Sequence[Entry], selection: Selection, options: ListOptions, revision: int) -> Page:
    """The page that begins with the first of these entries. A limit says nothing to a list at "0"."""
    limit = options.limit if options.limit > 0 and options.resource_version != "0" else len(entries)
    if selection.is_unfiltered:
        chosen, rest = entries[:limit], len(entries) - limit
    else:
        chosen, rest = _filtered(entries, selection, limit)
    if rest <= 0 or not chosen:
        return Page(entries=chosen, revision=revision)
    # A zero byte behind the last key: the least key that follows it.
    # Within what was listed; a list that a field selector narrowed to a namespace loses its place by that, as there.
    start = chosen[-1].key.removeprefix(f"{selection.namespace}/") + "\0"
    return Page(
        entries=chosen,
        revision=revision,
        continue_token=encode_continue(start, revision),
        remaining=rest if selection.is_unfiltered else None,
    )


def _filtered(entries: Sequence[Entry], selection: Selection, limit: int) -> tuple[Sequence[Entry], int]:
    """Up to ``limit`` entries that are selected, and how many stand behind the last of them."""
    chosen: list[Entry] = []
    for position, entry in enumerate(entries):
        if selection.matches_within(entry):
            chosen.append(entry)
            if len(chosen) == limit:
                return chosen, len(entries) - position - 1
    return chosen, 0


# ---------------------------------------------------------------------- what the options say


def _continuation(options: ListOptions) -> Continuation | None:
    if not options.continue_token:
        return None
    try:
        token = decode_continue(options.continue_token)
    except ValueError as error:
        raise statuses.bad_request(f"invalid continue token: {error}") from None
    if options.resource_version not in {"", "0"}:
        raise statuses.bad_request("specifying resource version is not allowed when using continue")
    return token if token.revision > 0 else Continuation(token.start, _LATEST)


def _minimum(options: ListOptions) -> int:
    """The revision that the list must not be older than."""
    try:
        return parse_revision(options.resource_version)
    except ValueError as error:
        raise statuses.bad_request(f"invalid resource version: {error}") from None


def _exact_revision(options: ListOptions) -> int:
    """The one revision that the list must show; the latest where any that is fresh enough will do."""
    revision = _minimum(options)
    # A limit with a resourceVersion means exactly that one, unless the match says otherwise.
    is_exact = options.resource_version_match == EXACT or (
        options.resource_version_match != NOT_OLDER_THAN and options.limit > 0 and revision > 0
    )
    return revision if is_exact else _LATEST


def _selected_namespace(options: ListOptions, token: Continuation | None) -> str:
    """A field selector may narrow a list of all namespaces to one (registry/store.go, ListPredicate)."""
    return (options.exact_field("metadata.namespace") or "") if token is None else ""


def _absolute(start: str, namespace: str) -> str:
    return f"{namespace}/{start}" if namespace else start


def _require(revision: int, latest: int) -> None:
    if revision > latest:
        raise statuses.resource_version_too_large(revision, latest)


def _expired(token: Continuation | None) -> statuses.StatusError:
    if token is None:
        return statuses.expired(_EXPIRED)
    return statuses.expired(_CONTINUE_EXPIRED, **{"continue": encode_continue(token.start, _LATEST)})
