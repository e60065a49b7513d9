"""Sphinx configuration; ``tox -e docs`` builds the documentation without a warning."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from dynkube._version import __version__

sys.path.insert(0, str(Path(__file__).parent))

import listwatch
import scenarios

project = "dynkube"
author = "The dynkube authors"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"dynkube {release}"

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "imported-members": False, "show-inheritance": True}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# `Name` in a docstring is that name, wherever dynkube defines it.
default_role = "py:obj"

# A type variable in the line of bases.
nitpick_ignore = [("py:obj", "dynkube.wire.watch.ObjectT"), ("py:obj", "dynkube.workqueue.fifo._T")]


def resolve(app, env, node, contnode):
    """Find a name wherever dynkube documents it: ``RESTConfig``, ``dynkube.RESTConfig``, ``dynkube.config.RESTConfig``.

    What is not found is code, a type of the standard library, or an inner type in a signature; it stays as it stands.
    Only a dotted name of ours in a text must exist.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip(".~")
    ours = target.startswith("dynkube.")
    objects = env.get_domain("py").objects
    for wanted in (target, target.rpartition(".")[2]) if ours else (target,):
        fits = sorted((name for name in objects if name == wanted or name.endswith(f".{wanted}")), key=len)
        if fits:
            return link(app, node, contnode.astext(), fits[0], objects[fits[0]])
    return None if ours and node.get("reftype") == "obj" else contnode


def link(app, node, text, name, entry):
    child = nodes.literal("", text, classes=["xref", "py"])
    target = app.builder.get_relative_uri(node["refdoc"], entry.docname) + f"#{entry.node_id}"
    return nodes.reference("", "", child, internal=True, refuri=target, reftitle=name)


class ListWatchDiagram(Directive):
    """The list-watch machine's states, drawn from its code."""

    def run(self):
        return [nodes.raw("", listwatch.svg(), format="html")]


class Lines(Directive):
    """Markdown that a function writes."""

    def run(self):
        node = nodes.Element()
        self.state.nested_parse(StringList(self.lines(), self.name), self.content_offset, node, match_titles=True)
        return node.children


class ListWatchTable(Lines):
    """The rows that the numbers in the diagram mean."""

    lines = staticmethod(listwatch.table)


class ClientGoScenarios(Lines):
    """client-go's test functions, and ours."""

    lines = staticmethod(scenarios.tables)


def setup(app):
    app.add_directive("list-watch-diagram", ListWatchDiagram)
    app.add_directive("list-watch-table", ListWatchTable)
    app.add_directive("clientgo-scenarios", ClientGoScenarios)
    app.connect("missing-reference", resolve)
