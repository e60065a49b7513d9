"""Rows and columns: the Tables that ``kubectl get`` prints, and objects cut down to their metadata.

Pure: objects in, dicts out; what ages are told from is passed in. The columns of built-in kinds are
recorded; their cells are computed as kubernetes' ``pkg/printers/internalversion/printers.go`` does.
"""

from __future__ import annotations

from dynkube.testing.apiserver.printing.printers import Cells, Printer, printer_for
from dynkube.testing.apiserver.printing.tables import (
    check_include,
    list_refused,
    object_refused,
    partial,
    partial_list,
    table,
    table_of_list,
)

__all__ = [
    "Cells",
    "Printer",
    "check_include",
    "list_refused",
    "object_refused",
    "partial",
    "partial_list",
    "printer_for",
    "table",
    "table_of_list",
]
