"""A private folder for kubeconfigs, made when first needed and gone with its server."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["PrivateFolder"]


class PrivateFolder:
    """0700, in the folder for temporary files; only the process that made it removes it."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._path: Path | None = None
        self._process = os.getpid()

    @property
    def path(self) -> Path:
        """Where it is."""
        if self._path is None:
            self._path = Path(tempfile.mkdtemp(prefix=self._prefix))
        return self._path

    def remove(self) -> None:
        """Remove it and what is in it. Idempotent."""
        path, self._path = self._path, None
        if path is not None and self._process == os.getpid():
            shutil.rmtree(path, ignore_errors=True)
