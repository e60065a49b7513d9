"""Strategic merge patches: AM/util/strategicpatch/patch.go, as the server uses it.

Lists of objects are merged by a key, lists of scalars as sets, where the type says so; directives in the patch say
the rest: ``$patch``, ``$retainKeys``, ``$deleteFromPrimitiveList/x``, ``$setElementOrder/x``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from dynkube.testing.apiserver.decoding.containernodes import Pointer, Slice, Struct
from dynkube.testing.apiserver.decoding.typenodes import Field, Node
from dynkube.testing.apiserver.patching import ordering
from dynkube.testing.apiserver.patching.refusals import patch_rejected
from dynkube.testing.apiserver.words.govalues import plain
from dynkube.testing.apiserver.words.statuses import StatusError, bad_request, status

__all__ = ["merge_strategically"]

_PATCH: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_DELETE_FROM_LIST: Final = "$deleteFromPrimitiveList"
_SET_ORDER: Final = "$setElementOrder"

_Map = dict[str, Any]
_List = list[Any]


def merge_strategically(original: _Map, patch: _Map, node: Node) -> _Map:
    """Merge a patch into an object.

    Args:
        original: The object, changed in place.
        patch: Floats stay floats in it; changed in place, and shared by the result.
        node: The type of the object.

    Returns:
        The merged object: ``original``, or with a directive at the top another one.

    Raises:
        StatusError: The patch is malformed: 400, or 422, or for most of what is wrong 500, as the real server does.
    """
    return _merge_map(original, patch, node)


# --------------------------------------------------------------------------- objects


def _merge_map(original: _Map, patch: _Map, node: Node) -> _Map:
    if _PATCH in patch:
        return _replacement(patch)
    _retain_keys(original, patch)
    _merge_ordered_lists(original, patch, node)
    for name, value in patch.items():
        key, deletes = name, name.startswith(_DELETE_FROM_LIST)
        if deletes:
            key = _field_of(name, _DELETE_FROM_LIST) or key
        if value is None:
            original.pop(key, None)
        elif key in original and type(original[key]) is type(value):
            _merge_field(original, key, value, node, deletes=deletes)
        elif not deletes:
            _discard_nulls(value)
            _put(original, key, value)
    return original


def _merge_field(original: _Map, key: str, value: Any, node: Node, *, deletes: bool) -> None:
    """Merge a value into one of the same type."""
    if isinstance(value, dict):
        field = _lookup(node, key)
        if _strategy(field) == "replace":
            original[key] = value
        else:
            original[key] = _merge_map(original[key], value, field.node)
    elif isinstance(value, list):
        item, field = _lookup_list(node, key)
        original[key] = _merge_list(original[key], value, item, field, deletes=deletes)
    else:
        _put(original, key, value)


def _replacement(patch: _Map) -> _Map:
    """What comes of a patch with a ``$patch`` of its own."""
    directive = patch[_PATCH]
    if directive == "replace":
        del patch[_PATCH]
        return patch
    if directive == "delete":
        return {}
    return _fail_directive(directive, patch)


def _retain_keys(original: _Map, patch: _Map) -> None:
    if _RETAIN_KEYS not in patch:
        return
    retained = patch.pop(_RETAIN_KEYS)
    if not isinstance(retained, list):
        raise bad_request("invalid patch format of retainKeys")
    for key, value in patch.items():
        is_kept = value is None or key.startswith((_DELETE_FROM_LIST, _SET_ORDER)) or key in retained
        if not is_kept:
            raise bad_request("invalid patch format of retainKeys")
    for key in [each for each in original if each not in retained]:
        del original[key]


def _put(original: _Map, key: str, value: Any) -> None:
    kept, keeps = _without_directives(value)
    if keeps:
        original[key] = kept
    else:
        original.pop(key, None)


def _without_directives(value: Any) -> tuple[Any, bool]:
    """What stays of a value that is new, and whether anything does: directives have nothing to direct."""
    if isinstance(value, dict):
        if _PATCH in value:
            return None, False
        for key in list(value):
            kept, keeps = _without_directives(value[key])
            if keeps:
                value[key] = kept
            else:
                del value[key]
        return value, True
    if isinstance(value, list):
        return [kept for kept, keeps in map(_without_directives, value) if keeps], True
    return value, True


def _discard_nulls(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, each in value.items() if each is None]:
            del value[key]
        for each in value.values():
            _discard_nulls(each)
    elif isinstance(value, list):
        for each in value:
            _discard_nulls(each)


# --------------------------------------------------------------------------- lists


def _merge_ordered_lists(original: _Map, patch: _Map, node: Node) -> None:
    """Merge the lists that the patch has an order for, and take both out of it (mergePatchIntoOriginal)."""
    for name in [each for each in patch if each.startswith(_SET_ORDER)]:
        order = patch.pop(name)
        if not isinstance(order, list):
            _fail_type("[]interface {}", order)
        key = _field_of(name, _SET_ORDER)
        if key is None:
            raise bad_request("invalid patch format of setElementOrder list")
        for values in (original, patch):
            if key in values and not isinstance(values[key], list):
                _fail_type("[]interface {}", values[key])
        item, field = _lookup_list(node, key)
        _check_order(patch.get(key) or [], order, field.merge_key)
        if key in original or key in patch:
            original[key] = _merged_in_order(original.get(key), patch.pop(key, None), order, item, field)


def _merged_in_order(current: _List | None, patch: _List | None, order: _List, item: Node, field: Field) -> _List:
    if patch is None:
        merged = current or []
    elif current is None:
        merged, _ = _without_directives(patch)
    else:
        merged = _merge_list(current, patch, item, field, deletes=False)
    live = current or []
    return _in_order(merged, order, live, field.merge_key, _item_type(live, patch or []))


def _check_order(patch: _List, order: _List, merge_key: str) -> None:
    """The items of the patch have to come in the order that it says (validatePatchWithSetOrderList)."""
    if not order or not patch:
        return
    items = ordering.without_deletions(patch) if merge_key else patch
    at = place = 0
    while at < len(items) and place < len(order):
        if isinstance(items[at], dict) and _PATCH in items[at]:
            at += 1
            continue
        at += _are_same(items[at], order[place], merge_key)
        place += 1
    if at < len(items) and place >= len(order):
        _fail(f"The order in patch list:\n{plain(patch)}\n doesn't match {_SET_ORDER} list:\n{plain(order)}\n")


def _are_same(one: Any, other: Any, merge_key: str) -> bool:
    if not merge_key:
        return ordering.equal(one, other)
    for each in (one, other):
        if not isinstance(each, dict):
            _fail_type("map[string]interface {}", each)
        if merge_key not in each:
            _fail_key(each, merge_key)
    return ordering.equal(one[merge_key], other[merge_key])


def _merge_list(original: _List, patch: _List, item: Node, field: Field, *, deletes: bool) -> _List:
    """Merge a list into another, which is left as Go leaves it: see `ordering.Shared`."""
    if _strategy(field) != "merge" and not deletes:
        return patch
    if not original and not patch:
        return original
    kind = _item_type(original, patch)
    merge_key = field.merge_key
    if kind is not dict:
        if deletes:
            return [each for each in original if not ordering.contains(patch, each)]
        return _in_order(ordering.deduplicated([*original, *patch]), patch, original, merge_key, kind)
    if not merge_key:
        _fail(f"cannot merge lists without merge key for {item.kind}")
    items = ordering.Shared(original)
    patch, replaces = _after_directives(items, patch, merge_key)
    if replaces:
        return _in_order(patch, [], patch, merge_key, kind)
    live = list(items)
    _merge_items(items, patch, item, merge_key)
    return _in_order(list(items), patch, live, merge_key, kind)


def _after_directives(items: ordering.Shared, patch: _List, merge_key: str) -> tuple[_List, bool]:
    """Do what ``$patch`` says in items of the patch (mergeSliceWithSpecialElements).

    Returns:
        The other items, and whether they are all that there shall be.
    """
    others, replaces = [], False
    for each in patch:
        directive = each.get(_PATCH)
        if _PATCH not in each:
            others.append(each)
        elif directive == "delete":
            if merge_key not in each:
                _fail_key(each, merge_key)
            while (index := _find(items, merge_key, each[merge_key])) is not None:
                items.delete(index)
        elif directive == "replace":
            replaces = True
        elif directive == "merge":
            _fail("merging lists cannot yet be specified in the patch")
        else:
            _fail_directive(directive, each)
    return others, replaces


def _merge_items(items: ordering.Shared, patch: _List, item: Node, merge_key: str) -> None:
    for each in patch:
        if merge_key not in each:
            _fail_key(each, merge_key)
        index = _find(items, merge_key, each[merge_key])
        if index is None:
            items.append(each)
        else:
            items.set(index, _merge_map(items[index], each, item))


def _find(items: Sequence[Any], merge_key: str, value: Any) -> int | None:
    """The index of the first object whose merge key has this value (findMapInSliceBasedOnKeyValue)."""
    for index, each in enumerate(items):
        if not isinstance(each, dict):
            _fail(f"value for key {index} is not a map")
        if merge_key in each and ordering.equal(each[merge_key], value):
            return index
    return None


def _in_order(merged: _List, patch_order: _List, live_order: _List, merge_key: str, kind: type) -> _List:
    """The items that the patch has an order for, and among them the rest, in the order that they had."""
    if merge_key:
        _check_keys(merged, merge_key)
        in_patch = [_find(patch_order, merge_key, each[merge_key]) is not None for each in merged]
    else:
        in_patch = [ordering.contains(patch_order, each) for each in merged]
    patched = [each for each, is_in in zip(merged, in_patch, strict=True) if is_in]
    others = [each for each, is_in in zip(merged, in_patch, strict=True) if not is_in]
    if kind is dict:
        _check_keys([*patch_order, *live_order], merge_key)
    key_of: Callable[[Any], Any] = (lambda value: value.get(merge_key)) if kind is dict else (lambda value: value)
    by_patch, by_live = ordering.Places(patch_order, key_of), ordering.Places(live_order, key_of)
    return ordering.interleaved(by_live.sorted(others), by_patch.sorted(patched), by_live)


def _check_keys(items: _List, merge_key: str) -> None:
    for each in items:
        if not isinstance(each, dict):
            _fail_type("map[string]interface {}", each)
        if merge_key not in each:
            _fail_key(each, merge_key)


def _item_type(*lists: _List) -> type:
    """The one type of all items (sliceElementType)."""
    found: type | None = None
    for each in (item for items in lists for item in items):
        if found is None:
            found = type(each)
            if found is list:  # lists of lists are not supported, of which the message says nothing
                raise patch_rejected()
        elif type(each) is not found:
            _fail(f"list element types are not identical: {plain(list(lists))}")
    if found is None:
        _fail("no elements in any of the given slices")
    return found


# --------------------------------------------------------------------------- types


def _lookup(node: Node, key: str) -> Field:
    """What the type says of a field, whatever the case of its name (LookupPatchMetadataForStruct)."""
    struct = node.item if isinstance(node, Pointer) else node
    if not isinstance(struct, Struct):
        return _fail(f"merging an object in json but data type is not struct, instead is: {struct.kind}")
    field = struct.fields.get(key)
    if field is None:
        folded = key.casefold()
        field = next((each for name, each in struct.fields.items() if name.casefold() == folded), None)
    if field is None:
        owner = struct.name.rpartition(".")[2]
        return _fail(f'unable to find api field in struct {owner} for the json field "{key}"')
    return field


def _lookup_list(node: Node, key: str) -> tuple[Node, Field]:
    """The type of a list's items, and what the type says of the list."""
    field = _lookup(node, key)
    found = field.node
    if isinstance(found, Slice):
        return found.item, field
    if isinstance(found, Pointer):
        item = found.item
        return (item.item if isinstance(item, Slice) else item), field
    return _fail("expected slice or array type, but got: struct")


def _strategy(field: Field) -> str:
    """The strategy beside ``retainKeys``."""
    return next((each for each in field.strategies if each != "retainKeys"), "")


def _field_of(name: str, prefix: str) -> str | None:
    head, slash, field = name.partition("/")
    if not slash or head != prefix:
        if prefix == _DELETE_FROM_LIST:
            raise bad_request("invalid patch format of primitive list")
        return None
    return field


# --------------------------------------------------------------------------- refusals


def _fail(message: str) -> NoReturn:
    """What the patch code finds wrong is nothing that the endpoint knows: 500, and no reason."""
    raise StatusError(status(500, "", message))


def _fail_type(expected: str, value: Any) -> NoReturn:
    _fail(f"expected a {expected}, but received a {ordering.type_name(value)}")


def _fail_key(item: _Map, merge_key: str) -> NoReturn:
    _fail(f"map: {plain(item)} does not contain declared merge key: {merge_key}")


def _fail_directive(directive: Any, patch: _Map) -> NoReturn:
    shown = directive if isinstance(directive, str) else f"%!s({ordering.type_name(directive)}={plain(directive)})"
    _fail(f"unknown patch type: {shown} in map: {plain(patch)}")
