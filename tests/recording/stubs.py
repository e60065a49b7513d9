"""Writes dynkube/clientset/typed/*.pyi: what type checkers and editors know of a clientset.

    python tests/recording/stubs.py                           # from the recorded discovery of the embedded server
    python tests/recording/stubs.py --kubeconfig PATH         # from another server's

Each group and version of Kubernetes' own becomes a module, each resource a class with the bases that it gets at run time
(dynkube/clientset/composing.py), so a signature stands in one place only: at the verb. tests/clientset/test_stubs.py
holds the files to what this writes.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import dynkube
from dynkube.clientset.composing import class_name, compose
from dynkube.clientset.groups import resources_beside
from dynkube.clientset.names import attribute_of
from dynkube.clientset.subresources import subresource_methods
from dynkube.resources import APIResource, ResourceMap
from dynkube.schema import GroupVersion
from dynkube.testing import APIServer

FOLDER = Path(__file__).parents[2] / "dynkube/clientset/typed"
SUBRESOURCES = "_subresources"
_WIDTH = 120
_BY = "Written by tests/recording/stubs.py."


def stubs(served: ResourceMap) -> dict[str, str]:
    """The files, by name.

    Args:
        served: what a server shows.
    """
    modules = {attribute_of(each): each for each in sorted(served.resources, key=attribute_of) if attribute_of(each)}
    files = {f"{name}.pyi": group_version_stub(name, each, served) for name, each in modules.items()}
    files[f"{SUBRESOURCES}.pyi"] = subresources_stub(each for gv in modules.values() for each in served.resources[gv])
    files["__init__.pyi"] = known_groups_stub(modules)
    return files


def group_version_stub(attribute: str, group_version: GroupVersion, served: ResourceMap) -> str:
    """One group and version: a class for each resource, and one with the resources as methods."""
    everything = served.resources[group_version]
    listed = sorted((*everything, *resources_beside(group_version)), key=lambda each: each.name)
    resources = [each for each in listed if not each.subresource and each.name.isidentifier()]
    imports: dict[str, set[str]] = {"dynkube.clientset.groups": {"GroupVersionClient"}}
    classes = [resource_class(each, everything, imports) for each in resources]
    accessors = "".join(accessor(each) for each in resources)
    title = camel(attribute)
    return (
        f'"""{group_version}. {_BY}"""\n\nfrom __future__ import annotations\n\n{import_lines(imports)}'
        + "".join(f"\n{each}" for each in classes)
        + f'\nclass {title}(GroupVersionClient):\n    """The resources of {group_version}."""\n{accessors}'
    )


def resource_class(resource: APIResource, everything: Iterable[APIResource], imports: dict[str, set[str]]) -> str:
    """The class of a resource, with the bases that `compose` gives it; adds what must be imported."""
    parts = tuple(each for each in everything if each.name.startswith(f"{resource.name}/"))
    made = compose(resource, parts)
    own = [camel(name) for name in vars(made) if name in subresource_methods(parts)]
    imports.setdefault(f"dynkube.clientset.typed.{SUBRESOURCES}", set()).update(own)
    bases = []
    for base in made.__bases__:
        home = "dynkube.dynamic.verbs" if base.__module__.startswith("dynkube.dynamic.verbs") else base.__module__
        imports.setdefault(home, set()).add(base.__name__)
        bases.append(base.__name__)
    expansions = [base.__name__ for base in made.__bases__ if ".expansions." in base.__module__]
    others = [each for each in bases if each not in expansions]
    name = class_name(resource)
    renamed = [f"_{each}" if each == name else each for each in (*expansions, *own, *others)]
    if name in expansions:
        home = next(base.__module__ for base in made.__bases__ if base.__name__ == name)
        imports[home].discard(name)
        imports[home].add(f"{name} as _{name}")
    return class_statement(name, renamed) + f'    """{resource.kind} objects."""\n'


def class_statement(name: str, bases: Iterable[str]) -> str:
    """``class X(A, B):``, over several lines where one is too short."""
    line = f"class {name}({', '.join(bases)}):\n"
    if len(line) <= _WIDTH + 1:
        return line
    return f"class {name}(\n" + "".join(f"    {each},\n" for each in bases) + "):\n"


def accessor(resource: APIResource) -> str:
    """A resource as a method of its group and version."""
    argument = ", namespace: str" if resource.namespaced else ""
    where = 'in a namespace, "" for all of them' if resource.namespaced else "cluster-scoped"
    short = f" ({', '.join(resource.short_names)})" if resource.short_names else ""
    text = f"{resource.kind}{short}, {where}."
    return f'    def {resource.name}(self{argument}) -> {class_name(resource)}:\n        """{text}"""\n'


def subresources_stub(resources: Iterable[APIResource]) -> str:
    """A class for each method of each subresource."""
    methods: dict[str, str] = {}
    for each in resources:
        if each.subresource:
            for name, method in subresource_methods([each]).items():
                methods.setdefault(name, signature(method))
    head = (
        f'"""The methods of subresources, a class each. {_BY}"""\n\nfrom __future__ import annotations\n\n'
        "from collections.abc import Mapping\nfrom typing import Any\n\n"
        "from dynkube.clientset.resource import ResourceClient\nfrom dynkube.patches import PatchType\n"
        "from dynkube.transport import CancelToken\n"
    )
    return head + "".join(
        f"\nclass {camel(name)}(ResourceClient):\n    def {name}{text}: ...\n" for name, text in sorted(methods.items())
    )


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


def known_groups_stub(modules: Mapping[str, GroupVersion]) -> str:
    """The base class of a clientset, with every group and version that was seen."""
    imports = {f"dynkube.clientset.typed.{name}": {camel(name)} for name in modules}
    properties = "".join(
        f'    @property\n    def {name}(self) -> {camel(name)}:\n        """{each}."""\n'
        for name, each in modules.items()
    )
    return (
        f'"""What a clientset has. {_BY}"""\n\nfrom __future__ import annotations\n\n{import_lines(imports)}\n'
        f"class KnownGroups:\n{properties}"
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


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """The files that are there."""
    return ((each.name, each.read_text()) for each in sorted(folder.glob("*.pyi")))


def main() -> None:
    """Write the files anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", help="another server than the embedded one")
    arguments = parser.parse_args()
    if arguments.kubeconfig:
        with dynkube.connect(kubeconfig=arguments.kubeconfig) as client:
            served = client.discovery.resource_map()
    else:
        served = recorded()
    FOLDER.mkdir(exist_ok=True)
    files = stubs(served)
    for old, _ in written(FOLDER):
        if old not in files:
            (FOLDER / old).unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
