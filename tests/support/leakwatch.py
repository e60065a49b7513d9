"""What no log line and no error may show, looked for while the whole conformance suite runs.

`LeakWatch` reads each line that dynkube logs, at every level, and each of its errors as it ends (text, repr, fields,
pickle), and keeps what shows a credential: a bearer token or a private key of the suite's own users, any private key
of the test authority's making, any signed token of a service account.
"""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import yaml

from dynkube.errors import DynkubeError
from dynkube.testing import ServerFace

__all__ = ["SECRET_DATA", "LeakWatch"]

# The beginning of every P-256 key in PKCS 8, plain or once more in base64; a JWT with its signature.
_KEY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"
_KEY_DATA = "TUlHSEFnRUFNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQkcwd2F3SUJBUVFn"
_JWT = r"eyJhbGciOi[\w-]+\.[\w-]+\.[\w-]{20}"
# Of every Secret that the suite makes to be hunted for, as text and as data.
SECRET_TEXT = "hunter2 the secret's data"
SECRET_DATA = "aHVudGVyMiB0aGUgc2VjcmV0J3MgZGF0YQ=="


class LeakWatch(logging.Handler):
    """Keeps what shows a credential in `found`."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.found: list[str] = []
        self.lines = self.errors = 0
        self._marks = [_KEY, _KEY_DATA, SECRET_TEXT, SECRET_DATA]
        self._pattern = self._compiled()

    def hunt_for(self, server: ServerFace) -> None:
        """The credentials of a server's users are what is looked for, too."""
        for path in (server.kubeconfig, server.token_user()):
            for entry in yaml.safe_load(path.read_text())["users"]:
                user = entry["user"]
                self._marks += [user[name] for name in ("token", "client-key-data") if name in user]
        self._pattern = self._compiled()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Read everything from here on."""
        logger = logging.getLogger("dynkube")
        level = logger.level
        logger.addHandler(self)
        logger.setLevel(1)
        watched: Any = DynkubeError
        # A function, so that it is bound to the error that ends; keeping errors would keep what their frames hold.
        watched.__del__ = lambda error: self.read_error(error)  # noqa: PLW0108
        try:
            yield
        finally:
            del watched.__del__
            logger.setLevel(level)
            logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        self._read(f"log {record.name}", f"{self.format(record)} {record.args!r}")

    def read_error(self, error: Exception) -> None:
        """Look at an error that ends."""
        self.errors += 1
        shown = [str(error), repr(error), repr(error.__dict__), *getattr(error, "__notes__", [])]
        with suppress(Exception):
            shown.append(pickle.dumps(error).decode("latin-1"))
        self._read(type(error).__name__, "\n".join(shown))

    def _read(self, where: str, text: str) -> None:
        match = self._pattern.search(text)
        if match:
            self.found.append(f"{where}: {text[max(0, match.start() - 120) : match.end() + 20]}")

    def _compiled(self) -> re.Pattern[str]:
        return re.compile("|".join([_JWT, *map(re.escape, self._marks)]))
