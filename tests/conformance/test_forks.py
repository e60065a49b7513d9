"""A process that forks while its threads are busy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "support/forking.py"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks at descriptors in /proc")
def test_after_a_fork_with_eight_busy_threads_both_processes_go_on_with_sockets_of_their_own(server):
    command = [sys.executable, "-W", "error", PROGRAM, server.kubeconfig]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=150)
    assert run.stderr == ""
    rounds = json.loads(run.stdout)
    assert len(rounds) == 5
    for each in rounds:
        assert each["child"].get("gets") == each["parent"]["gets"] == 100, each["child"]
        assert each["child"]["sockets"]
        assert not {*each["child"]["sockets"]} & {*each["parent"]["sockets"]}
