"""The command line: ``dynkube demo``.

It talks to the roof (``import dynkube``) and to the public faces only, as a user's program does.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

__all__ = ["main"]

_DEMO = """\
A tour of dynkube on a real API server: discovery, a new kind, lists, patches, conflicts, a scale
subresource, and a watch that outlives the connection. It deletes everything that it makes.

Which server: --kubeconfig and --context name one; else the tour starts a control plane of its own
from the programs in $KUBEBUILDER_ASSETS; else it takes $KUBECONFIG, if that leads to this machine
(kind, minikube, ...). It never takes ~/.kube/config by itself.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments after the program's name; those of the process by default.

    Returns:
        The exit status: 0, 1 when something failed, 2 when the tour has no server to go to.
        (argparse exits with 2 by itself when the arguments are wrong.)
    """
    arguments = _parser().parse_args(argv)
    # A TERM ends the tour as Ctrl-C does: through its clean-up.
    previous = signal.signal(signal.SIGTERM, _exit)
    try:
        return _demo(arguments)
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)


def _parser() -> argparse.ArgumentParser:
    import dynkube

    parser = argparse.ArgumentParser(prog="dynkube", description="A dynamic Kubernetes client for Python.")
    parser.add_argument("--version", action="version", version=f"dynkube {dynkube.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="a tour on a real API server",
        description=_DEMO,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    demo.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig of the cluster to use")
    demo.add_argument("--context", metavar="NAME", help="a context of the kubeconfig; its current one by default")
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    import dynkube
    from dynkube.cli import tour

    try:
        tour.run(kubeconfig=arguments.kubeconfig, context=arguments.context)
    except tour.NoServerError as error:
        print(f"dynkube demo: {error}", file=sys.stderr)
        return 2
    except dynkube.DynkubeError as error:
        print(f"dynkube demo: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    sys.exit(128 + number)
