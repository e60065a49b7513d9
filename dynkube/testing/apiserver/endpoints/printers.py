"""Which columns a resource prints in, built-in or custom."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from dynkube.testing.apiserver import printing
from dynkube.testing.apiserver.words.resources import Resource

if TYPE_CHECKING:
    from dynkube.testing.apiserver.customresources.strategy import CustomResourceStrategy

__all__ = ["printer_of"]


@lru_cache(256)
def printer_of(resource: Resource, body: Resource) -> printing.Printer:
    """Of what is answered about a resource in one version.

    The cells of a built-in kind are computed from what is stored, those of a custom one from what the
    request's version shows: its columns are that version's.

    Args:
        resource: What the path names.
        body: What is answered: the same, or what a subresource of it is, such as a Scale.
    """
    if not resource.is_custom:
        return printing.printer_for(body.gvr)
    from dynkube.testing.apiserver.customresources.columns import printer, scale_printer

    strategy = cast("CustomResourceStrategy", resource.strategy)
    row = strategy.schema.row
    return printer(row) if body is resource else scale_printer(row)
