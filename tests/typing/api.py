"""A user's program, checked by mypy --strict and basedpyright, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, assert_type

import requests

import dynkube
from dynkube import DynamicClient, GroupVersionResource, NotFoundError, PatchType, ResourceHandle, streams
from dynkube.controller import (
    Controller,
    Request,
    Result,
    generation_changed,
    remove_finalizer,
    set_controller_reference,
    with_finalizer,
)
from dynkube.events import EventRecorder
from dynkube.informers import (
    FilteringHandler,
    HandlerRegistration,
    InformerFactory,
    InformerStatus,
    Lister,
    ResourceEventHandler,
    SharedInformer,
    StoredObject,
    index_by_owner,
)
from dynkube.leaderelection import LeaderElector, LeaseLock, default_identity
from dynkube.observers import Attempt
from dynkube.polling import Backoff, on_error, poll_until
from dynkube.ratelimit import TokenBucket
from dynkube.testing import (
    AccessRule,
    APIServer,
    ContainerLog,
    ContainerSession,
    ControlPlane,
    Fault,
    FaultProxy,
    LocalProcess,
    LogRequest,
    PortForwardSession,
    ProxyRequest,
    ProxyResponse,
)
from dynkube.transport import proxy_for
from dynkube.workloads import (
    CordonResult,
    Dependents,
    DrainEvent,
    DrainPlan,
    DrainResult,
    DrainStep,
    OwnerTree,
    PodDecision,
    PodReason,
    Revision,
    RollbackResult,
    RolloutStatus,
    children,
    cordon,
    drain,
    expose,
    owner_tree,
    plan_drain,
    rollout_history,
    rollout_restart,
    rollout_revision,
    rollout_status,
    rollout_undo,
    scale,
    watch_rollout,
)
from dynkube.workqueue import ItemExponentialFailureRateLimiter, Workqueue, parallelize_until

DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


def connecting() -> DynamicClient:
    config = dynkube.load_config(context="prod", kubeconfig=Path("config"))
    assert_type(config, dynkube.RESTConfig)
    assert_type(config.copy(namespace="shop"), dynkube.RESTConfig)
    dynkube.DynamicClient(dynkube.in_cluster_config()).close()
    dynkube.DynamicClient(dynkube.build_config_from_flags("https://h:6443", "config")).close()
    with dynkube.connect(namespace="shop", warnings=dynkube.suppress_warnings) as client:
        assert_type(client, DynamicClient)
    return DynamicClient(config)


def handles(client: DynamicClient, manifest: Mapping[str, Any]) -> ResourceHandle:
    client.resource_for(manifest)
    client.resource("deployments.v1.apps").namespace("shop").subresource("scale")
    return client.resource(DEPLOYMENTS).namespace("shop")


def reading(handle: ResourceHandle) -> list[str]:
    assert_type(handle.get("api", timeout=5), dict[str, Any])
    assert_type(handle.get_or_none("api"), dict[str, Any] | None)
    found = handle.list(label_selector="app=api", limit=500)
    assert_type(found, dynkube.UnstructuredList)
    assert_type(found.continue_token, str)
    assert_type(found[0], dict[str, Any])
    names = [str(obj["metadata"]["name"]) for obj in found]
    names += [str(obj["metadata"]["name"]) for obj in handle.iter(limit=100, field_selector="metadata.name=api")]
    selector = dynkube.LabelSelector.parse("app in (a, b)")
    names += [str(obj["metadata"]["name"]) for obj in handle.list(label_selector=selector)]
    return names


def writing(handle: ResourceHandle, obj: dict[str, Any]) -> None:
    cancel = dynkube.CancelToken()
    assert_type(handle.create(obj, dry_run=True, field_validation="Strict"), dict[str, Any])
    handle.update(obj, cancel=cancel)
    handle.update_status(obj)
    handle.patch("api", {"spec": {"replicas": 3}})
    handle.patch("api", [{"op": "remove", "path": "/spec/paused"}], type=PatchType.JSON)
    handle.apply(obj, field_manager="me", force=True)
    handle.delete("api", propagation_policy="Foreground", grace_period_seconds=0)
    handle.delete_collection(label_selector="app=old")
    try:
        handle.apply(obj, field_manager="me")
    except dynkube.ConflictError as error:
        assert_type([(each.manager, each.field) for each in error.conflicts], list[tuple[str, str]])
    except NotFoundError as error:
        assert_type(error.reason, str)


def watching(handle: ResourceHandle) -> None:
    with handle.watch(label_selector="app=api", timeout=60) as events:
        for event in events:
            assert_type(event, dynkube.WatchEvent)
            assert_type(event.object, dict[str, Any])
            if event.type == dynkube.EventType.DELETED:
                break
    with handle.watch_once(timeout_seconds=10, allow_watch_bookmarks=True) as once:
        for event in once:
            assert_type(event.type, dynkube.EventType)
    handle.wait("api", condition="Available", timeout=60)


def discovering(client: DynamicClient) -> None:
    for group in client.discovery.server_groups():
        assert_type(group, dynkube.APIGroup)
    assert_type(client.mapper.rest_mapping(dynkube.GroupKind("apps", "Deployment"), "v1"), dynkube.RESTMapping)


class Shelf(ResourceEventHandler):
    def on_add(self, obj: Mapping[str, Any], is_in_initial_list: bool) -> None:
        print(obj["metadata"]["name"], is_in_initial_list)


def informing(client: DynamicClient, failed: Callable[[SharedInformer, Exception], None]) -> list[dict[str, Any]]:
    def node_of(pod: dict[str, Any]) -> list[str]:
        return [str(pod["spec"].get("nodeName", ""))]

    def added(pod: StoredObject, is_in_initial_list: bool) -> None:
        assert_type(pod.key, str)
        assert_type(is_in_initial_list, bool)

    factory = InformerFactory(client, namespace="shop", compact=True, recent=10, resync=60, on_watch_error=failed)
    informer = factory.for_resource("pods", label_selector="app=api", indexers={"owner": index_by_owner})
    informer.add_indexers({"node": node_of})
    assert_type(informer.add_event_handler(on_add=added, resync=0), HandlerRegistration)
    informer.add_event_handler(FilteringHandler(lambda pod: bool(pod["spec"]), Shelf()), name="shelf")
    with factory:
        factory.wait_for_cache_sync(timeout=30)
        assert_type(informer.status, InformerStatus)
        assert_type(informer.lister().namespace("shop"), Lister)
        assert_type(informer.lister().get("api"), dict[str, Any])
        assert_type(informer.indexer.get(("shop", "api")), dict[str, Any] | None)
        found = informer.indexer.by_index("node", "n1")
    InformerFactory(client, resnyc=60)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    informer.add_event_handler(on_add=print, on_ad=print)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    return found


class Slow(dynkube.Observer):
    def on_attempt(self, attempt: Attempt) -> None:
        assert_type(attempt.status, int | None)
        assert_type(attempt.template, str)


def traced(send: Callable[[requests.PreparedRequest], requests.Response]) -> Callable[[Any], requests.Response]:
    def send_traced(request: requests.PreparedRequest) -> requests.Response:
        request.headers["X-Trace"] = "1"
        return send(request)

    return send_traced


def seeing(config: dynkube.RESTConfig) -> None:
    config = config.copy(observers=[Slow()], qps=20.0, burst=40).wrap(traced)
    dynkube.RESTConfig(host="https://kube", rate_limiter=TokenBucket(20, 40), observers=(Slow(),))
    with dynkube.DynamicClient(config, retry=dynkube.PersistentRetryPolicy(extra_retries=5)):
        proxy = proxy_for(config)
        if proxy is not None:
            assert_type(proxy.port, int)


def testing() -> None:
    with ControlPlane(api_server_args=("--v=2",)) as server, FaultProxy.before(server, raw=True) as proxy:
        assert_type(server.kubeconfig, Path)
        server.user("jane", groups=("developers",))
        server.allow(AccessRule(user="jane", verbs=("get",), resources=("pods",)))
        proxy.inject(Fault.reset())
        proxy.cut_all()
        with server.connect() as client:
            client.resource(DEPLOYMENTS).list()


def containers_of_the_embedded_server() -> None:
    def shell(session: ContainerSession) -> int:
        for line in session.stdin:
            session.stdout.write(line.upper())
        return 3

    def tail(request: LogRequest) -> Iterator[str]:
        yield from [request.pod, request.container]

    def greet(session: PortForwardSession) -> None:
        session.connection.sendall(b"hello")

    def page(request: ProxyRequest) -> ProxyResponse:
        return ProxyResponse(status=404, body=request.path)

    with APIServer() as server:
        withdraw = server.pods.on_exec("Linux", pod="api")
        assert_type(withdraw(), None)
        server.pods.on_exec(shell, namespace="shop", container="main")
        server.pods.on_attach(LocalProcess("cat", directory=Path("/")))
        server.pods.on_log(tail)
        server.pods.on_log(LocalProcess("tail", "-F", "service.log"))
        server.pods.on_port_forward(greet, port=80)
        server.pods.on_port_forward(8080)
        server.on_proxy(page, resource="services")
        assert_type(server.pods.log("shop", "api"), ContainerLog)
        server.pods.on_exec(tail)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        server.pods.on_exec(shell, pods="api")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def rollouts(deployments: ResourceHandle) -> None:
    assert_type(rollout_status(deployments, "web", on_progress=print, timeout=60), RolloutStatus)
    for status in watch_rollout(deployments, "web", revision=2):
        assert_type(status.done, bool)
    assert_type(rollout_restart(deployments, "web", field_manager="me"), dict[str, Any])
    assert_type(rollout_history(deployments, "web"), tuple[Revision, ...])
    assert_type(rollout_revision(deployments, "web", 2).template, dict[str, Any])
    assert_type(rollout_undo(deployments, "web", to_revision=2, dry_run=True), RollbackResult)
    assert_type(scale(deployments, "web", 3, current_replicas=2, wait=True, timeout=60), dict[str, Any])
    assert_type(expose(deployments, "web", port=[80, 443], target_port="http"), dict[str, Any])
    rollout_status(deployments, name=7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    scale(deployments, "web", replicas="3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    rollout_undo(deployments, "web", 2)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def draining(client: DynamicClient, pod: Mapping[str, Any]) -> None:
    def keep(candidate: Mapping[str, Any]) -> PodDecision:
        return PodDecision(delete="pet" not in candidate, reason=PodReason.WARNING, message="a pet")

    def progress(event: DrainEvent) -> None:
        if event.step is DrainStep.RETRYING:
            assert_type(event.error, dynkube.DynkubeError | None)

    assert_type(cordon(client.resource("nodes"), "n1"), CordonResult)
    assert_type(plan_drain(client, "n1", filters=[keep]), DrainPlan)
    result = drain(client, "n1", ignore_daemonsets=True, on_progress=progress, timeout=600)
    assert_type(result, DrainResult)
    assert_type(children(client, pod), Dependents)
    assert_type(owner_tree(client, pod, resources=["pods"]).owners, tuple[OwnerTree, ...])
    drain(client, "n1", ignore_daemonset=True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def retries(deployments: ResourceHandle) -> None:
    assert_type(dynkube.retry_on_conflict(lambda: deployments.get("web"), timeout=60), dict[str, Any])
    assert_type(
        on_error(lambda: 7, retriable=lambda error: isinstance(error, OSError), backoff=Backoff(duration=1)), int
    )
    assert_type(poll_until(lambda: "ready", interval=1, immediate=True), str)
    dynkube.retry_on_conflict(deployments.get("web"))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def queues() -> None:
    queue: Workqueue[tuple[str, str]] = Workqueue("pods", rate_limiter=ItemExponentialFailureRateLimiter(1, 60))
    queue.add(("shop", "api"))
    while (key := queue.get(timeout=60)) is not None:
        assert_type(key, tuple[str, str])
        queue.done(key)
    parallelize_until(4, 100, print, chunk_size=10)
    queue.add("shop/api")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def controllers(client: DynamicClient, widgets: ResourceHandle) -> None:
    def make(widget: dict[str, Any]) -> Result:
        set_controller_reference({"metadata": {"name": "owned"}}, widget)
        return Result(requeue_after=60)

    def reconcile(request: Request) -> Result | None:
        if request.object is None:
            return None
        assert_type(remove_finalizer(widgets, request.object, "a.example.com/b"), dict[str, Any] | None)
        return with_finalizer(widgets, request.object, "a.example.com/b", apply=make, cleanup=print)

    controller = Controller(client, "widgets", reconcile, predicate=generation_changed, concurrency=4)
    assert_type(controller.owns("deployments").watches("nodes", lambda node: [("shop", "api")]), Controller)
    with EventRecorder(client, "widgets") as recorder:
        recorder.event({}, "Normal", "Made", "it is there", action="Making")
        recorder.event({}, "normal", "Made", "no")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    elector = LeaderElector(
        LeaseLock(client, "widgets", identity=default_identity()),
        on_started_leading=lambda leading: controller.run(cancel=leading, drain_timeout=0),
        on_stopped_leading=lambda: None,
    )
    assert_type(elector.is_leader, bool)
    Controller(client, "widgets", lambda: None)  # type: ignore[arg-type,misc] # pyright: ignore[reportArgumentType]


def streaming(client: DynamicClient, pods: ResourceHandle) -> None:
    with streams.logs(pods, "api", follow=True, tail_lines=1) as log:
        for line in log:
            assert_type(line, streams.LogLine)
            assert_type(line.pod, str)
            if isinstance(line, streams.LogGap):
                assert_type(line.reason, str)
    assert_type(streams.logs(pods, label_selector="app=api").text(), str)
    result = streams.exec_command(pods, "api", ["ls"], input=b"", check=True)
    assert_type((result.exit_code, result.stdout, result.text), tuple[int | None, bytes, str])
    with streams.exec_process(pods, "api", ["sh"], stdin=True) as process:
        assert_type(process.wait(), int)
        assert_type(process.stdin, IO[bytes] | None)
    assert_type(streams.copy_from_pod(pods, "api", "/etc", Path("etc")).skipped, tuple[streams.SkippedEntry, ...])
    with streams.port_forward(pods, "api", 80, "8080:http") as forward:
        assert_type((forward.local_port, forward.ports[1].remote), tuple[int, int])
    with streams.proxy(client, port=8001) as running:
        assert_type(running.url, str)
    streams.exec_command(pods, "api", ["ls"], stdn=b"")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    streams.logs(pods, "api", tail="1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
