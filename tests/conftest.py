"""What every test shares: the control plane's fixtures, and what happens where there is none.

A test that uses the fixture ``control_plane`` is marked ``controlplane`` by itself; one that starts
a server of its own says so with the mark. Without ``$KUBEBUILDER_ASSETS`` those are skipped, and the
summary says so loudly; with it, a conformance case that is skipped counts as failed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["dynkube.testing.plugin"]

CONFORMANCE = Path(__file__).parent / "conformance"
NO_CONTROL_PLANE = "no control plane: $KUBEBUILDER_ASSETS is not set"

# CI tries the same examples each time; elsewhere they are new ones. A busy machine is no failure.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure() -> None:
    # A shell's job in the background ignores Ctrl-C, and whatever it starts would, too: several tests send it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def has_control_plane(config: pytest.Config) -> bool:
    return bool(os.environ.get("KUBEBUILDER_ASSETS") or config.getoption("--control-plane-assets"))


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by mark
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = has_control_plane(config)
    for item in items:
        if "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker("controlplane")
        if not here and item.get_closest_marker("controlplane"):
            item.add_marker(pytest.mark.skip(reason=NO_CONTROL_PLANE))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and CONFORMANCE in item.path.parents and has_control_plane(item.config):
        report.outcome = "failed"
        report.longrepr = f"a conformance case must not be skipped where there is a control plane: {report.longrepr}"
    return report


def pytest_report_teststatus(report: pytest.TestReport):
    """One paragraph at the end says it better than a line for each of hundreds."""
    if report.skipped and NO_CONTROL_PLANE in str(report.longrepr):
        return "left out", "s", ("LEFT OUT", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = terminalreporter.stats.get("left out", ())
    if left_out:
        terminalreporter.section("LEFT OUT: no control plane", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{len(left_out)} tests that need a real API server did not run: the conformance suite, the tour, and the "
            "documentation's examples among them."
        )
        terminalreporter.line(
            "Set $KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver (`setup-envtest use -p path` prints one)."
        )
