"""A tour of dynkube on an API server; ``dynkube demo`` runs it.

It uses public names only, prints what it does, and deletes everything that it made, also when it
fails or is interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import dynkube
from dynkube.informers import InformerFactory
from dynkube.testing import APIServer, ControlPlane, FaultProxy, ServerFace

__all__ = ["run"]

GROUP = "tour.dynkube.example"
BOOKS = dynkube.GroupVersionResource(GROUP, "v1", "books")
DEPLOYMENT = "dynkube-tour"
IMAGE = "registry.k8s.io/pause:3.10"
PATIENCE = 60.0  # seconds for each wait


@dataclass(frozen=True)
class Stage:
    """Where the tour plays: one server, and a way to break the connection to it."""

    config: dynkube.RESTConfig
    watched: dynkube.RESTConfig
    """The same server, over the connection that will be broken."""
    interrupt: Callable[[], str]
    """Breaks the connection and says how."""


def run(*, kubeconfig: str | None = None, context: str | None = None, control_plane: bool = False) -> None:
    """Go on the tour.

    Args:
        kubeconfig: the cluster to use; without it and ``context``, an embedded API server.
        context: a context of the kubeconfig.
        control_plane: go to a control plane, started from ``$KUBEBUILDER_ASSETS``, instead.

    Raises:
        DynkubeError: something failed; what was made until then is deleted.
    """
    with (
        stage(kubeconfig, context, control_plane=control_plane) as scene,
        dynkube.DynamicClient(scene.config) as client,
        ExitStack() as cleanup,
    ):
        print(f"A tour of dynkube on {scene.config.host}")
        tell("kubeconfig", f"{Path(scene.config.source).name}, context {scene.config.context}")
        what_the_server_has(client)
        a_new_kind(client, cleanup)
        custom_resources(client)
        two_field_managers(client)
        a_deployment(client, cleanup)
        a_watch(client, scene)
        a_local_copy(client)
        a_clientset(client)
        title("Deleting everything")
        # Leaving the stack deletes what is on it, as it does after a failure.


# ---------------------------------------------------------------- where


@contextmanager
def stage(kubeconfig: str | None, context: str | None, *, control_plane: bool) -> Iterator[Stage]:
    if kubeconfig or context:
        with a_cluster(dynkube.load_config(kubeconfig=kubeconfig, context=context)) as scene:
            yield scene
    else:
        with ControlPlane() if control_plane else APIServer() as server:
            yield a_server_of_ours(server)


def a_server_of_ours(server: ServerFace) -> Stage:
    def interrupt() -> str:
        server.restart()
        return "the API server was restarted"

    return Stage(config=server.config, watched=server.config, interrupt=interrupt)


@contextmanager
def a_cluster(config: dynkube.RESTConfig) -> Iterator[Stage]:
    """Somebody's cluster is not restarted: the watch goes through a proxy that cuts its connections."""
    if config.proxy_url or not config.is_tls:
        yield Stage(config=config, watched=config, interrupt=lambda: "the connection is left alone here")
        return
    url = urlsplit(config.base_url)
    host_name = url.hostname or ""
    with FaultProxy(host_name, url.port or 443, raw=True) as proxy:

        def interrupt() -> str:
            proxy.cut_all()
            return "the watch's connection was cut"

        tls = replace(config.tls, server_name=config.tls.server_name or host_name)
        host = f"https://127.0.0.1:{proxy.port}{config.path_prefix}"
        yield Stage(config=config, watched=config.copy(host=host, tls=tls, trust_env=False), interrupt=interrupt)


# ---------------------------------------------------------------- what


def what_the_server_has(client: dynkube.DynamicClient) -> None:
    title("What the server has")
    tell("version", client.discovery.server_version().git_version)
    groups = [group.name or "(core)" for group in client.discovery.server_groups()]
    tell(f"{len(groups)} groups", ", ".join(groups[:6]) + ", ...")
    for name in ("deploy", "Role", "v1/pods"):
        tell(f"resource({name!r})", client.resource(name))


def a_new_kind(client: dynkube.DynamicClient, cleanup: ExitStack) -> None:
    title("A new kind")
    definitions = client.resource("customresourcedefinitions")
    made = definitions.create(book_definition())
    name = name_of(made)
    cleanup.callback(delete, definitions, name)
    definitions.wait(name, condition="Established", timeout=PATIENCE)
    tell("created", f"{name}; it is Established")
    tell("resource('bk')", until_served(client, "bk"))


def until_served(client: dynkube.DynamicClient, name: str) -> dynkube.ResourceHandle:
    """An established kind takes a moment until discovery shows it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return client.resource(name)
        except dynkube.NoMatchError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def custom_resources(client: dynkube.DynamicClient) -> None:
    title(f"Custom resources by {BOOKS}")
    books = client.resource(BOOKS).namespace(client.config.namespace)
    for name, pages, shelf in (("emma", 474, "novels"), ("dune", 412, "novels"), ("walden", 352, "essays")):
        books.create(book(name, pages, shelf))
    tell("list(shelf=novels)", names(books.list(label_selector="shelf=novels")))
    page = books.list(limit=2)
    tell("list(limit=2)", f"{names(page)}; {page.remaining_item_count} more behind its continue token")
    tell("iter(limit=2)", names(books.iter(limit=2)))
    patched = books.patch("dune", [{"op": "replace", "path": "/spec/pages", "value": 896}])
    tell("JSON Patch", f"dune: {patched['spec']}")
    patched = books.patch("dune", {"spec": {"lentTo": "paul"}})
    tell("merge patch", f"dune: {patched['spec']}")
    applied = books.apply(book("ulysses", 730, "novels"), field_manager="librarian")
    tell("apply", f"{name_of(applied)}: {applied['spec']}")


def two_field_managers(client: dynkube.DynamicClient) -> None:
    title("Two field managers")
    books = client.resource(BOOKS).namespace(client.config.namespace)
    other = book("ulysses", 1000, "novels")
    try:
        books.apply(other, field_manager="printer")
    except dynkube.ConflictError as error:
        print(f"   ConflictError: {error}")
        for conflict in error.conflicts:
            tell("conflict", f"{conflict.manager!r} owns {conflict.field}")
    taken = books.apply(other, field_manager="printer", force=True)
    tell("force=True", f"pages: {taken['spec']['pages']}")


def a_deployment(client: dynkube.DynamicClient, cleanup: ExitStack) -> None:
    title("A Deployment")
    deployments = client.resource("deployments.apps").namespace(client.config.namespace)
    deployments.create(deployment())
    cleanup.callback(delete, deployments, DEPLOYMENT)
    sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "sidecar", "image": IMAGE}]}}}}
    patched = deployments.patch(DEPLOYMENT, sidecar, type=dynkube.PatchType.STRATEGIC)
    containers = [each["name"] for each in patched["spec"]["template"]["spec"]["containers"]]
    tell("strategic patch", f"containers merged by name: {', '.join(sorted(containers))}")
    scale = deployments.subresource("scale")
    current = scale.get(DEPLOYMENT)
    current["spec"]["replicas"] = 2
    updated = scale.update(current)
    tell("scale", f"a {updated['kind']} of {updated['apiVersion']}: {updated['spec']}")
    tell("the Deployment", f"replicas: {deployments.get(DEPLOYMENT)['spec']['replicas']}")


def a_watch(client: dynkube.DynamicClient, scene: Stage) -> None:
    title("A watch, while another client writes")
    writer = client.resource(BOOKS).namespace(client.config.namespace)
    with dynkube.DynamicClient(scene.watched) as other:
        books = other.resource(BOOKS).namespace(other.config.namespace)
        with books.watch(timeout=PATIENCE) as events:
            seen: dict[str, dict[str, Any]] = {}
            follow(events, seen, len(writer.list()))
            writer.create(book("beloved", 324, "novels"))
            follow(events, seen, 1)
            print(f"   ... {scene.interrupt()}")
            writer.delete("walden")
            follow(events, seen, 1)
            writer.patch("emma", {"spec": {"lentTo": "harriet"}})
            follow(events, seen, 1)
            after = {name_of(each): each for each in writer.list()}
            tell("seen == server", seen == after)


def follow(events: Iterator[dynkube.WatchEvent], seen: dict[str, dict[str, Any]], count: int) -> None:
    """Take that many events, and do to ``seen`` what they say."""
    for _ in range(count):
        event = next(events)
        name = name_of(event.object)
        tell(event.type, name)
        if event.type == dynkube.EventType.DELETED:
            seen.pop(name)
        else:
            seen[name] = event.object


def a_local_copy(client: dynkube.DynamicClient) -> None:
    title("An informer: a local copy, kept current")
    books = client.resource(BOOKS).namespace(client.config.namespace)
    told: SimpleQueue[str] = SimpleQueue()
    with InformerFactory(client, namespace=client.config.namespace, compact=True) as factory:
        informer = factory.for_resource(BOOKS)
        informer.add_indexers({"pages": lambda obj: ["long" if pages(obj) > 500 else "short"]})
        factory.start()
        factory.wait_for_cache_sync(timeout=PATIENCE)
        tell("lister().list()", names(informer.lister().list()))
        tell("by_index('pages')", names(informer.indexer.by_index("pages", "long")))
        informer.add_event_handler(on_update=lambda old, new: told.put(f"{name_of(new)}: {pages(old)} -> {pages(new)}"))
        books.patch("emma", {"spec": {"pages": 512}})
        tell("on_update", told.get(timeout=PATIENCE))


def a_clientset(client: dynkube.DynamicClient) -> None:
    title("A clientset, by discovery")
    clientset = dynkube.Clientset(client)
    deployments = clientset.apps_v1.deployments(client.config.namespace)
    tell("apps_v1.deployments", f"get_scale: {deployments.get_scale(DEPLOYMENT)['spec']}")
    books = clientset.group(GROUP).version("v1").books(client.config.namespace)
    tell("the new kind, too", names(books.list(label_selector="shelf=novels")))


# ---------------------------------------------------------------- small things


def title(text: str) -> None:
    print(f"\n{text}")


def tell(what: str, value: object) -> None:
    print(f"   {what:<22} {value}")


def name_of(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"]["name"])


def pages(obj: Mapping[str, Any]) -> int:
    return int(obj["spec"]["pages"])


def names(objects: Iterable[dict[str, Any]]) -> str:
    return ", ".join(name_of(each) for each in objects)


def delete(handle: dynkube.ResourceHandle, name: str) -> None:
    """Delete an object and wait until it is gone."""
    handle.delete(name, propagation_policy="Background")
    handle.wait(name, condition="delete", timeout=PATIENCE)
    tell("deleted", f"{handle.gvr.group_resource} {name}")


def book(name: str, pages: int, shelf: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Book",
        "metadata": {"name": name, "labels": {"shelf": shelf}},
        "spec": {"pages": pages},
    }


def book_definition() -> dict[str, Any]:
    spec = {"type": "object", "properties": {"pages": {"type": "integer"}, "lentTo": {"type": "string"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"books.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": "books", "singular": "book", "kind": "Book", "shortNames": ["bk"]},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def deployment() -> dict[str, Any]:
    labels = {"app": DEPLOYMENT}
    containers = [{"name": "web", "image": IMAGE}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }
