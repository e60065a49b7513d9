"""Writes dynkube/clientset/typed.pyi: what type checkers and editors know of a clientset.

    python tests/recording/stubs.py                           # from the recorded discovery of the embedded server
    python tests/recording/stubs.py --kubeconfig PATH         # from another server's

Each group and version of Kubernetes' own becomes a class, with a class in it for each resource, which has the bases that
it gets at run time (dynkube/clientset/composing.py): a signature stands in one place only, at the verb.
tests/clientset/test_stubs.py holds the file to what this writes.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path

import dynkube
from dynkube.clientset.composing import class_name, compose
from dynkube.clientset.groups import resources_beside
from dynkube.clientset.names import attribute_of
from dynkube.clientset.subresources import subresource_methods
from dynkube.resources import APIResource, ResourceMap
from dynkube.schema import GroupVersion
from dynkube.testing import APIServer

FILE = Path(__file__).parents[2] / "dynkube/clientset/typed.pyi"
_WIDTH = 120
_HEAD = '''"""What a clientset has, for type checkers and editors. Written by tests/recording/stubs.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

'''
Imports = dict[str, set[str]]


def stub(served: ResourceMap) -> str:
    """The file.

    Args:
        served: what a server shows.
    """
    versions = {attribute_of(each): each for each in sorted(served.resources, key=attribute_of) if attribute_of(each)}
    imports: Imports = {
        "dynkube.clientset.groups": {"GroupVersionClient"},
        "dynkube.clientset.resource": {"ResourceClient"},
        "dynkube.patches": {"PatchType"},
        "dynkube.transport": {"CancelToken"},
    }
    groups = [group_version_class(name, served.resources[each], each, imports) for name, each in versions.items()]
    subresources = subresource_classes(each for gv in versions.values() for each in served.resources[gv])
    return (
        _HEAD
        + import_lines(imports)
        + "".join(f"\n{each}" for each in (*subresources, *groups, known_groups(versions)))
    )


def group_version_class(
    attribute: str, everything: Iterable[APIResource], group_version: GroupVersion, imports: Imports
) -> str:
    """One group and version: the resources as methods, and in it a class for each of them."""
    everything = tuple(everything)
    listed = sorted((*everything, *resources_beside(group_version)), key=lambda each: each.name)
    resources = [each for each in listed if not each.subresource and each.name.isidentifier()]
    classes = "\n".join(resource_class(each, everything, imports) for each in resources)
    return (
        f'class {camel(attribute)}(GroupVersionClient):\n    """The resources of {group_version}."""\n\n'
        + indented(classes)
        + "\n"
        + "".join(accessor(each) for each in resources)
    )


def resource_class(resource: APIResource, everything: Iterable[APIResource], imports: Imports) -> str:
    """The class of a resource, with the bases that `compose` gives it; adds what must be imported."""
    parts = tuple(each for each in everything if each.name.startswith(f"{resource.name}/"))
    made = compose(resource, parts)
    expansions, verbs = [], []
    for base in made.__bases__:
        if ".expansions." in base.__module__:
            imports.setdefault(base.__module__, set()).add(f"{base.__name__} as _{base.__name__}")
            expansions.append(f"_{base.__name__}")
        else:
            home = "dynkube.dynamic.verbs" if ".verbs." in base.__module__ else base.__module__
            imports.setdefault(home, set()).add(base.__name__)
            verbs.append(base.__name__)
    own = [f"_{camel(name)}" for name in vars(made) if name in subresource_methods(parts)]
    return class_statement(class_name(resource), (*expansions, *own, *verbs)) + f'    """{resource.kind} objects."""\n'


def class_statement(name: str, bases: Iterable[str]) -> str:
    """``class X(A, B):``, over several lines where one is too short."""
    line = f"class {name}({', '.join(bases)}):\n"
    if len(line) + 4 <= _WIDTH + 1:
        return line
    return f"class {name}(\n" + "".join(f"    {each},\n" for each in bases) + "):\n"


def indented(text: str) -> str:
    """As the body of a class."""
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def accessor(resource: APIResource) -> str:
    """A resource as a method of its group and version."""
    argument = ", namespace: str" if resource.namespaced else ""
    where = 'in a namespace, "" for all of them' if resource.namespaced else "cluster-scoped"
    short = f" ({', '.join(resource.short_names)})" if resource.short_names else ""
    text = f"{resource.kind}{short}, {where}."
    return f'    def {resource.name}(self{argument}) -> {class_name(resource)}:\n        """{text}"""\n'


def subresource_classes(resources: Iterable[APIResource]) -> list[str]:
    """A class for each method of each subresource."""
    methods: dict[str, str] = {}
    for each in resources:
        if each.subresource:
            for name, method in subresource_methods([each]).items():
                methods.setdefault(name, signature(method))
    return [
        f"class _{camel(name)}(ResourceClient):\n    def {name}{text}: ...\n" for name, text in sorted(methods.items())
    ]


def signature(method: object) -> str:
    """A signature, one parameter a line."""
    found = inspect.signature(method)  # type: ignore[arg-type]
    lines = []
    for parameter in found.parameters.values():
        if parameter.name == "self":
            lines.append("self")
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in lines:
            lines.append("*")
        lines.append(str(parameter).replace("'", ""))
    returned = str(found.return_annotation).strip("'").replace("_Object", "dict[str, Any]")
    one_line = f"({', '.join(lines)}) -> {returned}"
    if len(one_line) <= 60:
        return one_line
    return "(\n" + "".join(f"        {each},\n" for each in lines) + f"    ) -> {returned}"


def known_groups(versions: Mapping[str, GroupVersion]) -> str:
    """The base class of a clientset, with every group and version that was seen."""
    return "class KnownGroups:\n" + "".join(
        f'    @property\n    def {name}(self) -> {camel(name)}:\n        """{each}."""\n'
        for name, each in versions.items()
    )


def import_lines(imports: Mapping[str, set[str]]) -> str:
    """The imports as ruff writes them."""
    return "".join(import_line(module, names) for module, names in sorted(imports.items()) if names)


def import_line(module: str, names: Iterable[str]) -> str:
    """One import."""
    listed = sorted(names)
    aliased = [each for each in listed if " as " in each]
    plain = [each for each in listed if " as " not in each]
    text = "".join(f"from {module} import {each}\n" for each in aliased)
    if not plain:
        return text
    line = f"from {module} import {', '.join(plain)}\n"
    if len(line) > _WIDTH + 1:
        line = f"from {module} import (\n" + "".join(f"    {each},\n" for each in plain) + ")\n"
    return line + text


def camel(name: str) -> str:
    """``get_scale`` as ``GetScale``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def recorded() -> ResourceMap:
    """What the embedded server shows: the recorded discovery of a real one."""
    with APIServer() as server, server.connect() as client:
        return client.discovery.resource_map()


def main() -> None:
    """Write the file anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", help="another server than the embedded one")
    arguments = parser.parse_args()
    if arguments.kubeconfig:
        with dynkube.connect(kubeconfig=arguments.kubeconfig) as client:
            served = client.discovery.resource_map()
    else:
        served = recorded()
    FILE.write_text(stub(served))


if __name__ == "__main__":
    main()
