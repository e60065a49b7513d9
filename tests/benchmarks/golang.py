"""Builds the program that drives client-go, where there is a Go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["build"]

_SOURCE = Path(__file__).parent / "clientgo"
_BUILD_SECONDS = 900


def build(folder: Path) -> Path | None:
    """The program in ``folder``; None, and the reason on stderr, without Go or the modules."""
    go = shutil.which("go")
    if go is None:
        print("client-go is left out: there is no Go on the path", file=sys.stderr)
        return None
    program = folder / "clientgo"
    environment = {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    built = subprocess.run(
        [go, "build", "-o", str(program), "."],
        cwd=_SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if built.returncode:
        print(f"client-go is left out: go build failed:\n{built.stderr[-2000:]}", file=sys.stderr)
        return None
    return program
