"""The examples in the docstrings."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import dynkube

MODULES = sorted(
    found.name for found in pkgutil.walk_packages(dynkube.__path__, "dynkube.") if not found.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["dynkube", *MODULES])
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
