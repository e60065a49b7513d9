"""The command line: ``dynkube demo`` and ``dynkube serve``.

It talks to the roof (``import dynkube``) and to the public faces only, as a user's program does.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

__all__ = ["main"]

_DEMO = """\
A tour of dynkube: discovery, a new kind, lists, patches, conflicts, a scale subresource, and a
watch that outlives the connection. It deletes everything that it makes.

It goes to an API server that it starts for itself, in this process. --kubeconfig and --context
name a cluster instead; --control-plane starts etcd and kube-apiserver from the programs in
$KUBEBUILDER_ASSETS.
"""

_SERVE = """\
Starts an API server that answers as kube-apiserver answers, on loopback, and prints the path of a
kubeconfig for its admin. It runs until it is interrupted (Ctrl-C or SIGTERM); then it is gone, and
the kubeconfig with it.

    dynkube serve --kubeconfig /tmp/k &
    kubectl --kubeconfig /tmp/k get namespaces
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments after the program's name; those of the process by default.

    Returns:
        The exit status: 0, or 1 when something failed, in one line on standard error.
        (argparse exits with 2 by itself when the arguments are wrong.)
    """
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], None] = arguments.run
    # A TERM ends a command as Ctrl-C does: through its clean-up.
    previous = signal.signal(signal.SIGTERM, _exit)
    try:
        return _run(command, arguments)
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run(command: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    import dynkube

    try:
        command(arguments)
    except dynkube.DynkubeError as error:
        print(f"dynkube {arguments.command}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    import dynkube

    parser = argparse.ArgumentParser(prog="dynkube", description="A dynamic Kubernetes client for Python.")
    parser.add_argument("--version", action="version", version=f"dynkube {dynkube.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_serve(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo", help="a tour of dynkube", description=_DEMO, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = demo.add_mutually_exclusive_group()
    where.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig of a cluster to use")
    where.add_argument("--control-plane", action="store_true", help="start a control plane from $KUBEBUILDER_ASSETS")
    demo.add_argument("--context", metavar="NAME", help="a context of the kubeconfig; its current one by default")
    demo.set_defaults(run=_demo)


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve", help="run an API server", description=_SERVE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    serve.add_argument("--kubeconfig", metavar="FILE", help="where to write the kubeconfig; a temporary file else")
    serve.add_argument(
        "--objects", metavar="PATH", action="append", default=[],
        help="a YAML or JSON file, or a folder of them, whose objects are there from the start; may be repeated",
    )  # fmt: skip
    serve.add_argument(
        "--run-workloads", action="store_true", help="let pods run and workloads become available, with nothing behind"
    )
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on; %(default)s by default")
    serve.add_argument("--port", type=int, default=0, help="the port to listen on; a free one by default")
    serve.add_argument("--allow-remote", action="store_true", help="let --host be an address that other machines reach")
    serve.set_defaults(run=_serve)


def _demo(arguments: argparse.Namespace) -> None:
    from dynkube.cli import tour

    tour.run(kubeconfig=arguments.kubeconfig, context=arguments.context, control_plane=arguments.control_plane)


def _serve(arguments: argparse.Namespace) -> None:
    from dynkube.cli import serve

    serve.run(
        host=arguments.host,
        port=arguments.port,
        allow_remote=arguments.allow_remote,
        kubeconfig=arguments.kubeconfig,
        objects=arguments.objects,
        run_workloads=arguments.run_workloads,
    )


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    sys.exit(128 + number)
