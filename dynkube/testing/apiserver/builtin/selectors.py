"""Label selectors of workloads, and the labels of their templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynkube.testing.apiserver.builtin.rules import Errors, Json, listed, mapping
from dynkube.testing.apiserver.builtin.sent import as_sent
from dynkube.testing.apiserver.words import names
from dynkube.testing.apiserver.words.fielderrors import child, invalid, required
from dynkube.testing.apiserver.words.objectmeta import validate_label_selector

__all__ = ["is_usable", "matches", "required_selector", "shown_selector", "template_labels"]

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def shown_selector(selector: Json | None) -> Any:
    """As metav1.LabelSelector is encoded: its keys in order, without what is empty."""
    if selector is None:
        return None
    shown: dict[str, Any] = {}
    if selector.get("matchLabels"):
        shown["matchLabels"] = dict(sorted(selector["matchLabels"].items()))
    if selector.get("matchExpressions"):
        shown["matchExpressions"] = [
            {name: each[name] for name in ("key", "operator", "values") if name in each}
            for each in selector["matchExpressions"]
        ]
    return shown


def is_usable(selector: Json | None) -> bool:
    """Whether it can be made a selector of (LabelSelectorAsSelector)."""
    for key, value in mapping(selector or {}, "matchLabels").items():
        if names.label_key(key) or names.label_value(value):
            return False
    return all(map(_is_usable_requirement, listed(selector or {}, "matchExpressions")))


def _is_usable_requirement(requirement: Json) -> bool:
    operator, values = requirement.get("operator", ""), listed(requirement, "values")
    if operator not in _OPERATORS or names.label_key(requirement.get("key", "")):
        return False
    return bool(values) == (operator in ("In", "NotIn")) and not any(map(names.label_value, values))


def matches(selector: Json | None, labels: Mapping[str, str]) -> bool:
    """Whether a usable selector matches; nothing matches no selector at all."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in mapping(selector, "matchLabels").items()):
        return False
    return all(_fits(requirement, labels) for requirement in listed(selector, "matchExpressions"))


def _fits(requirement: Json, labels: Mapping[str, str]) -> bool:
    key, operator = requirement.get("key", ""), requirement.get("operator", "")
    if operator in ("Exists", "DoesNotExist"):
        return bool((key in labels) == (operator == "Exists"))
    is_in = key in labels and labels[key] in listed(requirement, "values")
    return bool(is_in == (operator == "In"))


def required_selector(selector: Json | None, field: str, of_kind: str) -> Errors:
    """A selector that must be there and select something."""
    if selector is None:
        yield required(field)
        return
    yield from validate_label_selector(selector, field)
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid(field, {}, f"empty selector is invalid for {of_kind}")


def template_labels(selector: Json | None, template: Json, field: str) -> Errors:
    """Labels that the selector matches; an empty selector, which is refused elsewhere, is not asked."""
    is_empty = selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")
    labels = mapping(mapping(template, "metadata"), "labels")
    if not is_empty and not matches(selector, labels):
        shown = as_sent(dict(sorted(labels.items())) or None, "spec", "template", "metadata", "labels")
        yield invalid(child(field, "metadata", "labels"), shown, "`selector` does not match template `labels`")
