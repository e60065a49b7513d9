"""A clientset on both servers: every row of behaviour 9.1-9.3, with the request that it sends."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from manifests import GROUP, config_map, crd, deployment, pod, widget
from sentrequests import Sent, SentRequests

import dynkube
from dynkube.clientset import ResourceClient
from dynkube.clientset.groups import DiscoveredGroupVersion
from dynkube.polling import poll_until
from dynkube.testing import APIServer

MERGE, STRATEGIC, APPLY = (
    f"application/{each}" for each in ("merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
)


@pytest.fixture
def wire() -> SentRequests:
    return SentRequests()


@pytest.fixture
def clientset(server, wire: SentRequests) -> Iterator[dynkube.Clientset]:  # type: ignore[no-untyped-def]
    with dynkube.Clientset(wire.config(server.config)) as clientset:
        yield clientset


def custom(clientset: dynkube.Clientset, group: str) -> DiscoveredGroupVersion:
    """A custom group; kube-apiserver shows it a moment after its definition is established."""

    def version() -> DiscoveredGroupVersion | None:
        try:
            return clientset.group(group).version("v1")
        except dynkube.NoMatchError:
            return None

    found = poll_until(version, interval=0.2, timeout=30, immediate=True)
    assert found is not None
    return found


def named(obj: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], **metadata}}


# ------------------------------------------------------------------ 9.1 the verbs


def service(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}


def ingress(name: str) -> dict[str, Any]:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"defaultBackend": backend},
    }


def replica_set(name: str) -> dict[str, Any]:
    return {**deployment(name), "kind": "ReplicaSet"}


def stateful_set(name: str) -> dict[str, Any]:
    return {**deployment(name), "kind": "StatefulSet"}


def cluster_role(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [],
    }


def secret(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"a": "b"}}


def namespaced(prefix: str, plural: str) -> Callable[[str], str]:
    return lambda namespace: f"{prefix}/namespaces/{namespace}/{plural}"


# The resource, its path, an object of it, and whether it has a status to write.
MANAGED: dict[str, tuple[Callable[[dynkube.Clientset, str], Any], Callable[[str], str], Callable[[str], Any], bool]] = {
    "deployments": (lambda c, ns: c.apps_v1.deployments(ns), namespaced("/apis/apps/v1", "deployments"), deployment, True),
    "services": (lambda c, ns: c.core_v1.services(ns), namespaced("/api/v1", "services"), service, True),
    "ingresses": (
        lambda c, ns: c.networking_v1.ingresses(ns), namespaced("/apis/networking.k8s.io/v1", "ingresses"), ingress, True,
    ),
    "replicasets": (lambda c, ns: c.apps_v1.replicasets(ns), namespaced("/apis/apps/v1", "replicasets"), replica_set, True),
    "pods": (lambda c, ns: c.core_v1.pods(ns), namespaced("/api/v1", "pods"), pod, True),
    "statefulsets": (
        lambda c, ns: c.apps_v1.statefulsets(ns), namespaced("/apis/apps/v1", "statefulsets"), stateful_set, True,
    ),
    "configmaps": (lambda c, ns: c.core_v1.configmaps(ns), namespaced("/api/v1", "configmaps"), config_map, False),
    "secrets": (lambda c, ns: c.core_v1.secrets(ns), namespaced("/api/v1", "secrets"), secret, False),
    "clusterroles": (
        lambda c, _: c.rbac_v1.clusterroles(), lambda _: "/apis/rbac.authorization.k8s.io/v1/clusterroles", cluster_role, False,
    ),
    "widgets": (
        lambda c, ns: custom(c, GROUP).widgets(ns), namespaced(f"/apis/{GROUP}/v1", "widgets"), widget, True,
    ),
}  # fmt: skip


@pytest.mark.behaviour("9.1.1", "9.1.3", "9.1.7")
@pytest.mark.parametrize("plural", MANAGED)
def test_a_life_from_create_to_delete(
    clientset: dynkube.Clientset, wire: SentRequests, request: pytest.FixtureRequest, namespace: str, plural: str
) -> None:
    if plural == "widgets":
        request.getfixturevalue("widgets")
    choose, path_of, make, has_status = MANAGED[plural]
    resource, path, name = choose(clientset, namespace), path_of(namespace), f"{namespace}-x"
    made = make(name)

    def sent(call: Callable[[], Any]) -> tuple[str, dict[str, str], str]:
        request = wire.one(call)
        return request.line, request.query, request.content_type

    json, one = "application/json", f"{path}/{name}"
    assert sent(lambda: resource.create(made, field_manager="me")) == (f"POST {path}", {"fieldManager": "me"}, json)
    assert wire.last.body == made
    at = resource.list(limit=1).resource_version  # which a server's cache waits for
    assert sent(lambda: resource.get(name, resource_version=at)) == (f"GET {one}", {"resourceVersion": at}, "")
    found = resource.list(field_selector=f"metadata.name={name}", limit=5)
    assert wire.last.query == {"fieldSelector": f"metadata.name={name}", "limit": "5"}
    assert [(each["kind"], each["apiVersion"]) for each in found] == [(made["kind"], made["apiVersion"])]
    assert sent(lambda: resource.patch(name, {"metadata": {"labels": {"a": "b"}}}))[::2] == (f"PATCH {one}", MERGE)
    current = resource.get(name)
    assert sent(lambda: resource.update(current, dry_run=True)) == (f"PUT {one}", {"dryRun": "All"}, json)
    owned = {"apiVersion": made["apiVersion"], "kind": made["kind"], "metadata": {"name": name, "labels": {"c": "d"}}}
    assert sent(lambda: resource.apply(owned, field_manager="you")) == (
        f"PATCH {one}", {"fieldManager": "you", "force": "false"}, APPLY,
    )  # fmt: skip
    if has_status:
        current = resource.get(name)
        assert sent(lambda: resource.update_status(current)) == (f"PUT {one}/status", {}, json)
        assert sent(lambda: resource.apply_status(owned, field_manager="you", force=True)) == (
            f"PATCH {one}/status", {"fieldManager": "you", "force": "true"}, APPLY,
        )  # fmt: skip
        assert sent(lambda: resource.get_status(name))[0] == f"GET {one}/status"
    with resource.watch_once(resource_version=found.resource_version, timeout_seconds=1) as events:
        assert next(iter(events)).object["metadata"]["name"] == name
    assert (wire.last.line, wire.last.query["watch"]) == (f"GET {path}", "true")
    assert sent(lambda: resource.delete(name, propagation_policy="Background")) == (f"DELETE {one}", {}, json)
    assert wire.last.body["propagationPolicy"] == "Background"
    assert resource.get_or_none(name) is None or plural == "pods"


@pytest.mark.behaviour("9.1.3")
def test_delete_collection(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    maps = clientset.core_v1.configmaps(namespace)
    maps.create(config_map("old", labels={"app": "old"}))
    request = wire.one(lambda: maps.delete_collection(label_selector="app=old", grace_period_seconds=0))
    assert request.line == f"DELETE /api/v1/namespaces/{namespace}/configmaps"
    assert (request.query, request.body["gracePeriodSeconds"]) == ({"labelSelector": "app=old"}, 0)
    assert maps.get_or_none("old") is None


@pytest.mark.behaviour("9.1.3")
def test_an_empty_namespace_is_all_of_them_for_collections(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str
) -> None:
    clientset.core_v1.configmaps(namespace).create(config_map("here", labels={"one": namespace}))
    everywhere = clientset.core_v1.configmaps("")
    (found,) = everywhere.list(label_selector=f"one={namespace}")
    assert (wire.last.path, found["metadata"]["namespace"]) == ("/api/v1/configmaps", namespace)
    everywhere.watch_once(timeout_seconds=1).close()
    assert (wire.last.path, wire.last.query["watch"]) == ("/api/v1/configmaps", "true")
    with pytest.raises(dynkube.MethodNotAllowedError):
        everywhere.delete_collection(label_selector="one=none", all_namespaces=True)
    assert wire.last.line == "DELETE /api/v1/configmaps"


@pytest.mark.behaviour("9.1.3", "9.1.4")
def test_what_is_about_one_object_names_it_and_its_namespace(clientset: dynkube.Clientset, wire: SentRequests) -> None:
    everywhere, here = clientset.core_v1.configmaps(""), clientset.core_v1.configmaps("default")
    before = len(wire.all)
    refusals: list[tuple[Callable[[], Any], str]] = [
        (lambda: everywhere.create(named(config_map("a"), namespace="default")), "an empty namespace may not be set during creation"),
        (lambda: everywhere.get("a"), "an empty namespace may not be set when a resource name is provided"),
        (lambda: everywhere.delete("a"), "an empty namespace may not be set when a resource name is provided"),
        (lambda: here.get(""), "name is required"),
        (lambda: here.update({"metadata": {}}), "name is required"),
        (lambda: here.apply({"apiVersion": "v1", "kind": "ConfigMap"}, field_manager="me"), "name is required"),
        (lambda: here.apply(None, field_manager="me"), "obj must be a dict"),
        (lambda: clientset.apps_v1.deployments("default").update_status({"metadata": {}}), "name is required"),
    ]  # fmt: skip
    for call, message in refusals:
        with pytest.raises(dynkube.InvalidRequestError, match=message):
            call()
    assert {each.path for each in wire.all[before:]} <= {"/apis/apps/v1"}


@pytest.mark.behaviour("9.1.6")
def test_the_servers_limit_is_the_calls_too(clientset: dynkube.Clientset, wire: SentRequests) -> None:
    maps = clientset.core_v1.configmaps("default")
    maps.list()
    assert wire.one(lambda: maps.list(timeout_seconds=7)).query == {"timeoutSeconds": "7"}


@pytest.mark.behaviour("9.1.5", "9.3.1a")
def test_absent_verbs_are_absent(clientset: dynkube.Clientset) -> None:
    core = clientset.core_v1
    assert methods(core.bindings("default")) == {"create"}
    assert methods(core.componentstatuses()) == {"get", "get_or_none", "list", "iter", "table"}
    assert not hasattr(core.namespaces(), "delete_collection")
    assert methods(clientset.authentication_v1.tokenreviews()) == {"create"}
    assert not hasattr(clientset.apps_v1.daemonsets("default"), "get_scale")
    with pytest.raises(AttributeError, match=r"bindings of v1 have no 'list'. The server serves them with create"):
        core.bindings("default").list()


def methods(resource: ResourceClient) -> set[str]:
    return {each for each in dir(resource) if not each.startswith("_")} - set(dir(ResourceClient))


@pytest.mark.behaviour("9.1.1", "9.3.4")
def test_only_the_version_that_is_used_is_discovered_and_only_once(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str
) -> None:
    for _ in range(3):
        clientset.apps_v1.deployments(namespace).list()
    assert [each.path for each in wire.all] == [
        "/apis/apps/v1",
        *[f"/apis/apps/v1/namespaces/{namespace}/deployments"] * 3,
    ]


# ------------------------------------------------------------------ 9.1.2 names


@pytest.mark.behaviour("9.1.2")
def test_every_group_of_kubernetes_has_client_gos_name(
    clientset: dynkube.Clientset, client: dynkube.DynamicClient
) -> None:
    own = [
        each
        for each in client.discovery.resource_map().group_versions()
        if "." not in each.group or each.group.endswith(".k8s.io")
    ]
    names = [each for each in dir(clientset) if each.rpartition("_")[2].startswith("v")]
    assert {getattr(clientset, each).group_version for each in names} == set(own)
    assert {"core_v1", "rbac_v1", "flowcontrol_v1", "apiextensions_v1", "autoscaling_v2"} <= set(names)


@pytest.fixture
def gateways(client: dynkube.DynamicClient, unique: str) -> Iterator[str]:
    """A CRD in a group that begins like one of Kubernetes' own."""
    group = f"networking.{unique}.dev"
    crds = client.resource("customresourcedefinitions")
    crds.create(crd("gateways", "Gateway", group=group))
    crds.wait(f"gateways.{group}", condition="Established", timeout=30)
    yield group
    crds.delete(f"gateways.{group}")


@pytest.mark.behaviour("9.1.2")
def test_a_custom_group_goes_by_its_whole_name(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str, gateways: str
) -> None:
    found = custom(clientset, gateways)
    found.gateways(namespace).list()
    assert wire.last.path == f"/apis/{gateways}/v1/namespaces/{namespace}/gateways"
    found.resource("gateways", "").list()
    assert wire.last.path == f"/apis/{gateways}/v1/gateways"
    assert found.gateways(namespace).get_scale
    assert not hasattr(clientset.networking_v1, "gateways")


@pytest.mark.behaviour("9.1.1")
def test_what_the_server_does_not_serve_is_told_with_what_it_does(clientset: dynkube.Clientset) -> None:
    told: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: clientset.app_v1, AttributeError, "did you mean 'apps_v1'.* serves core_v1, "),
        (lambda: clientset.apps_v9, AttributeError, "does not serve apps/v9; it serves apps/v1"),
        (lambda: clientset.apps_v1.deployment, AttributeError, "did you mean 'deployments'"),
        (lambda: clientset.core_v1.deployments, AttributeError, "deployments are served by apps_v1"),
        (
            lambda: clientset.core_v1.resource("podz", "x"),
            dynkube.NoResourceMatchError,
            "did you mean 'pods'.* serves bindings, ",
        ),
        (lambda: clientset.group("aps").version("v1"), dynkube.NoMatchError, "no group 'aps': did you mean 'apps'"),
        (lambda: clientset.group("apps").version("v9"), dynkube.NoMatchError, "it serves apps/v1"),
        (lambda: clientset.core_v1.pods("x").lst, AttributeError, "did you mean 'list'"),
    ]
    for call, kind, message in told:
        with pytest.raises(kind, match=message):
            call()


# ------------------------------------------------------------------ 9.2 subresources

SCALED = {
    "deployments": ("apps_v1", deployment),
    "replicasets": ("apps_v1", replica_set),
    "statefulsets": ("apps_v1", stateful_set),
    "replicationcontrollers": ("core_v1", lambda name: {
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": name},
        "spec": {**deployment(name)["spec"], "selector": {"app": name}},
    }),
}  # fmt: skip


@pytest.mark.behaviour("9.2.1", "9.2.2")
@pytest.mark.parametrize("plural", [*SCALED, "widgets"])
def test_scale(
    clientset: dynkube.Clientset, wire: SentRequests, request: pytest.FixtureRequest, namespace: str, plural: str
) -> None:
    if plural == "widgets":
        request.getfixturevalue("widgets")
        resource, made = custom(clientset, GROUP).widgets(namespace), widget("web", replicas=1)
    else:
        group, make = SCALED[plural]
        resource, made = getattr(getattr(clientset, group), plural)(namespace), make("web")
    resource.create(made)
    path = f"{wire.last.path}/web/scale"
    scale = resource.get_scale("web")
    assert (wire.last.line, scale["kind"], scale["apiVersion"]) == (f"GET {path}", "Scale", "autoscaling/v1")
    scale["spec"]["replicas"] = 2
    assert resource.update_scale("web", scale)["spec"] == {"replicas": 2}
    assert (wire.last.line, wire.last.body) == (f"PUT {path}", scale)
    assert resource.patch_scale("web", {"spec": {"replicas": 3}})["spec"] == {"replicas": 3}
    assert (wire.last.line, wire.last.content_type) == (f"PATCH {path}", MERGE)
    owned = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}}
    if plural == "widgets":  # kube-apiserver takes no apply to the scale of a custom resource
        with pytest.raises(dynkube.InternalServerError, match="request to convert CR to an invalid group/version"):
            resource.apply_scale("web", owned, field_manager="me", force=True)
    else:
        assert resource.apply_scale("web", owned, field_manager="me", force=True)["spec"] == {"replicas": 4}
        assert resource.get("web")["spec"]["replicas"] == 4
    sent = next(each for each in reversed(wire.all) if each.method == "PATCH")
    assert (sent.line, sent.content_type, sent.body) == (f"PATCH {path}", APPLY, owned)


@pytest.mark.behaviour("9.2.3")
def test_ephemeral_containers_by_both_names(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    pods = clientset.core_v1.pods(namespace)
    pods.create(pod("api"))
    path = f"/api/v1/namespaces/{namespace}/pods/api/ephemeralcontainers"
    debugged = pods.get_ephemeral_containers("api")
    assert (wire.last.line, debugged["kind"]) == (f"GET {path}", "Pod")
    assert pods.get_ephemeralcontainers("api")["kind"] == "Pod"
    debugged["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "registry.example/debug:1"}]
    found = pods.update_ephemeral_containers("api", debugged)
    assert (wire.last.line, wire.last.body) == (f"PUT {path}", debugged)
    assert [each["name"] for each in found["spec"]["ephemeralContainers"]] == ["debug"]
    assert wire.one(lambda: pods.update_ephemeralcontainers("api", found)).line == f"PUT {path}"


@pytest.mark.behaviour("9.2.4")
def test_resize(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    pods = clientset.core_v1.pods(namespace)
    sized = pod("api")
    sized["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
    made = pods.create(sized)
    made["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "200m"
    found = pods.update_resize("api", made)
    assert (wire.last.line, wire.last.body) == (f"PUT /api/v1/namespaces/{namespace}/pods/api/resize", made)
    assert found["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "200m"}
    assert pods.get_resize("api")["kind"] == "Pod"
    more = {"name": "main", "resources": {"requests": {"cpu": "300m"}}}
    found = pods.patch_resize("api", {"spec": {"containers": [more]}}, type=dynkube.PatchType.STRATEGIC)
    assert wire.last.content_type == STRATEGIC
    assert found["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "300m"}


@pytest.mark.behaviour("9.2.5")
def test_tokens_of_service_accounts(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    accounts = clientset.core_v1.serviceaccounts(namespace)
    accounts.create({"metadata": {"name": "robot"}})
    body = {"spec": {"expirationSeconds": 3600}}
    token = accounts.create_token("robot", body, dry_run=True)
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/robot/token"
    assert (wire.last.line, wire.last.query, wire.last.body) == (f"POST {path}", {"dryRun": "All"}, body)
    assert (token["kind"], token["apiVersion"]) == ("TokenRequest", "authentication.k8s.io/v1")


@pytest.mark.behaviour("9.2.6")
def test_the_approval_of_a_signing_request(clientset: dynkube.Clientset, wire: SentRequests, unique: str) -> None:
    requests = clientset.certificates_v1.certificatesigningrequests()
    spec = {
        "request": base64.b64encode(signing_request()).decode(),
        "signerName": "example.com/mine",
        "usages": ["client auth"],
    }
    made = requests.create({"metadata": {"name": unique}, "spec": spec})
    try:
        made["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "Test", "message": "yes"}]}
        approved = requests.update_approval(unique, made)
        path = f"/apis/certificates.k8s.io/v1/certificatesigningrequests/{unique}/approval"
        assert (wire.last.line, wire.last.body) == (f"PUT {path}", made)
        assert approved["status"]["conditions"][0]["type"] == "Approved"
        assert requests.get_approval(unique)["metadata"]["name"] == unique
    finally:
        requests.delete(unique)


def signing_request() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "robot")])
    signed = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    )
    return signed.public_bytes(Encoding.PEM)


@pytest.mark.behaviour("9.2.7")
def test_reviews(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    asked = {"namespace": namespace, "verb": "get", "resource": "pods"}
    own = clientset.authorization_v1.selfsubjectaccessreviews().create({"spec": {"resourceAttributes": asked}})
    assert (wire.last.line, own["status"]["allowed"]) == (
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        True,
    )
    other = {"spec": {"user": "nobody", "resourceAttributes": asked}}
    assert clientset.authorization_v1.subjectaccessreviews().create(other)["status"]["allowed"] is False
    assert wire.last.path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    clientset.authorization_v1.localsubjectaccessreviews(namespace).create(other)
    assert wire.last.path == f"/apis/authorization.k8s.io/v1/namespaces/{namespace}/localsubjectaccessreviews"
    rules = clientset.authorization_v1.selfsubjectrulesreviews().create({"spec": {"namespace": namespace}})
    assert rules["status"]["resourceRules"]
    assert (
        clientset.authentication_v1.tokenreviews().create({"spec": {"token": "x"}})["status"].get("authenticated")
        is None
    )
    assert wire.last.path == "/apis/authentication.k8s.io/v1/tokenreviews"
    assert clientset.authentication_v1.selfsubjectreviews().create({})["status"]["userInfo"]["username"]


# ------------------------------------------------------------------ 9.3 expansions


@pytest.fixture
def node(client: dynkube.DynamicClient, unique: str) -> Iterator[str]:
    nodes = client.resource("nodes")
    nodes.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": unique}})
    yield unique
    nodes.delete(unique)


@pytest.mark.behaviour("9.3.1")
@pytest.mark.parametrize("way", ["bind", "bindings", "create_binding"])
def test_binding_a_pod(clientset: dynkube.Clientset, wire: SentRequests, namespace: str, node: str, way: str) -> None:
    pods = clientset.core_v1.pods(namespace)
    pods.create(pod("api"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "api"},
        "target": {"kind": "Node", "name": node},
    }
    if way == "bindings":
        clientset.core_v1.bindings(namespace).create(binding)
        assert wire.last.line == f"POST /api/v1/namespaces/{namespace}/bindings"
    else:
        pods.bind(binding) if way == "bind" else pods.create_binding("api", binding)
        assert wire.last.line == f"POST /api/v1/namespaces/{namespace}/pods/api/binding"
    assert wire.last.body == binding
    assert pods.get("api")["spec"]["nodeName"] == node


V1, V1BETA1 = ({"apiVersion": f"policy/{each}", "kind": "Eviction"} for each in ("v1", "v1beta1"))


@pytest.mark.behaviour("9.3.1")
@pytest.mark.parametrize(
    ("evict", "body"),
    [
        (lambda c, ns, e: c.core_v1.pods(ns).evict("api"), V1),
        (lambda c, ns, e: c.core_v1.pods(ns).evict_v1(e), V1),
        (lambda c, ns, e: c.core_v1.pods(ns).evict_v1beta1(e), V1BETA1),
        (lambda c, ns, e: c.core_v1.pods(ns).create_eviction("api", {**V1, **e}), V1),
        (lambda c, ns, e: c.policy_v1.evictions(ns).evict("api"), V1),
        (lambda c, ns, e: c.policy_v1.evictions("").evict({"metadata": {"name": "api", "namespace": ns}}), V1),
    ],
    ids=["by name", "v1", "v1beta1", "create_eviction", "policy", "policy, in the namespace of the eviction"],
)  # fmt: skip
def test_evicting_a_pod(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str, evict: Any, body: Any
) -> None:
    pods = clientset.core_v1.pods(namespace)
    pods.create(pod("api"))
    evict(clientset, namespace, {"metadata": {"name": "api"}})
    assert wire.last.line == f"POST /api/v1/namespaces/{namespace}/pods/api/eviction"
    assert {key: wire.last.body[key] for key in body} == body
    assert wire.last.body["metadata"]["name"] == "api"
    assert pods.get_or_none("api") is None


@pytest.mark.behaviour("9.3.1")
def test_the_options_of_an_eviction(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    pods = clientset.core_v1.pods(namespace)
    pods.create(pod("api"))
    pods.evict("api", grace_period_seconds=5, dry_run=True)
    assert wire.last.body["deleteOptions"] == {"gracePeriodSeconds": 5, "dryRun": ["All"]}
    assert pods.get("api")


PROXIED = [
    ({}, "web", ""),
    ({"port": 8080}, "web:8080", ""),
    ({"scheme": "https"}, "https:web:", ""),
    ({"scheme": "http", "port": "http"}, "http:web:http", ""),
    ({"path": "metrics"}, "web", "/metrics"),
    ({"path": "/a b/50%/", "params": {"q": "1"}}, "web", "/a%20b/50%25/"),
]


@pytest.mark.behaviour("9.3.1", "9.3.2")
@pytest.mark.parametrize("plural", ["pods", "services"])
def test_proxies(clientset: dynkube.Clientset, wire: SentRequests, server: Any, namespace: str, plural: str) -> None:
    """The real server proxies to nothing here: what it says of that is an error of the right kind."""
    resource = getattr(clientset.core_v1, plural)(namespace)
    if isinstance(server, APIServer):
        server.on_proxy("a page", resource=plural, namespace=namespace)
    resource.create(pod("web") if plural == "pods" else service("web"))
    pages = 0
    for options, name, suffix in PROXIED:
        before = len(wire.all)
        try:
            pages += resource.proxy_get("web", **options) == b"a page"
        except dynkube.APIStatusError as error:
            assert error.code in {400, 404, 500, 503}  # noqa: PT017 - on one of the servers
        sent = wire.all[before]  # a page without a path is redirected to "/"
        assert sent.line == f"GET /api/v1/namespaces/{namespace}/{plural}/{name}/proxy{suffix}"
        assert sent.query == options.get("params", {})
    if isinstance(server, APIServer):
        assert pages == (len(PROXIED) if plural == "pods" else 4)  # the service has one port only, without a name


@pytest.mark.behaviour("9.3.1")
def test_the_proxy_of_a_node(clientset: dynkube.Clientset, wire: SentRequests, node: str) -> None:
    with pytest.raises(dynkube.APIStatusError):  # it has no address
        clientset.core_v1.nodes().proxy_get(node, "healthz", port=10250)
    assert wire.last.line == f"GET /api/v1/nodes/{node}:10250/proxy/healthz"


@pytest.mark.behaviour("9.3.1")
def test_the_status_of_a_node_is_patched_by_keys(clientset: dynkube.Clientset, wire: SentRequests, node: str) -> None:
    nodes = clientset.core_v1.nodes()
    ready, full = ({"type": each, "status": "False"} for each in ("Ready", "DiskPressure"))
    nodes.patch_status(node, {"status": {"conditions": [ready]}})
    assert (wire.last.line, wire.last.content_type) == (f"PATCH /api/v1/nodes/{node}/status", STRATEGIC)
    found = nodes.patch_status(node, {"status": {"conditions": [full]}})
    assert {each["type"] for each in found["status"]["conditions"]} == {"Ready", "DiskPressure"}


@pytest.mark.behaviour("9.3.1")
def test_finalizing_a_namespace(clientset: dynkube.Clientset, wire: SentRequests, namespace: str) -> None:
    namespaces = clientset.core_v1.namespaces()
    current = namespaces.get(namespace)
    current["spec"]["finalizers"] = ["kubernetes", "example.com/mine"]
    found = namespaces.finalize(current)
    assert (wire.last.line, wire.last.body) == (f"PUT /api/v1/namespaces/{namespace}/finalize", current)
    assert set(found["spec"]["finalizers"]) == {"kubernetes", "example.com/mine"}
    found["spec"]["finalizers"] = ["kubernetes"]
    assert namespaces.update_finalize(namespace, found)["spec"]["finalizers"] == ["kubernetes"]


def core_event(namespace: str, name: str = "it") -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": namespace, "name": "api", "uid": "u-1"}
    return {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
        "involvedObject": about, "reason": "Testing", "message": "m", "type": "Normal",
    }  # fmt: skip


def new_event(namespace: str, name: str = "it") -> dict[str, Any]:
    event = core_event(namespace, name)
    return {
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": event["metadata"],
        "regarding": event["involvedObject"], "reason": "Testing", "note": "m", "type": "Normal", "action": "Test",
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "example.com/c", "reportingInstance": "c-1",
    }  # fmt: skip


@pytest.mark.behaviour("9.3.1")
@pytest.mark.parametrize(("group", "make"), [("core_v1", core_event), ("events_v1", new_event)])
def test_events_are_written_where_they_say(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str, group: str, make: Any
) -> None:
    everywhere = getattr(clientset, group).events("")
    path = f"{'/api/v1' if group == 'core_v1' else '/apis/events.k8s.io/v1'}/namespaces/{namespace}/events"
    made = everywhere.create_with_event_namespace(make(namespace))
    assert (wire.last.line, wire.last.body) == (f"POST {path}", make(namespace))
    if group == "core_v1":
        made["message"] = "other"
    else:
        made["series"] = {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}
    made = everywhere.update_with_event_namespace(made)
    assert wire.last.line == f"PUT {path}/it"
    found = everywhere.patch_with_event_namespace(made, {"metadata": {"labels": {"a": "b"}}})
    assert (wire.last.line, wire.last.content_type) == (f"PATCH {path}/it", STRATEGIC)
    assert found["metadata"]["labels"] == {"a": "b"}
    elsewhere = getattr(clientset, group).events("elsewhere")
    for call in (elsewhere.create_with_event_namespace, elsewhere.update_with_event_namespace):
        with pytest.raises(
            dynkube.InvalidRequestError, match=f"an event with namespace '{namespace}' in namespace 'elsewhere'"
        ):
            call(make(namespace))


@pytest.mark.behaviour("9.3.1")
@pytest.mark.parametrize(
    ("group", "make", "about"), [("core_v1", core_event, "involvedObject"), ("events_v1", new_event, "regarding")]
)
def test_searching_events(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str, group: str, make: Any, about: str
) -> None:
    events = getattr(clientset, group).events(namespace)
    events.create(make(namespace))
    events.create({**make(namespace, "other"), about: {**make(namespace)[about], "name": "other"}})
    subject = {"kind": "Pod", "metadata": {"name": "api", "namespace": namespace, "uid": "u-1"}}
    for given in (subject, make(namespace)[about]):
        assert [each["metadata"]["name"] for each in events.search(given)] == ["it"]
        assert wire.last.query == {
            "fieldSelector": f"{about}.kind=Pod,{about}.name=api,{about}.namespace={namespace},{about}.uid=u-1"
        }
    assert str(events.get_field_selector(kind="Pod")) == f"{about}.kind=Pod"
    with pytest.raises(dynkube.InvalidRequestError, match="won't be able to find any events of namespace 'x'"):
        events.search({"kind": "Pod", "metadata": {"name": "api", "namespace": "x"}})


@pytest.mark.behaviour("9.3.4")
def test_the_rest_client_of_a_group_and_version(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str
) -> None:
    apps = clientset.rest_client("apps/v1")
    apps.get().namespace(namespace).resource("deployments").do()
    clientset.apps_v1.rest_client.get().resource("deployments").do()
    clientset.rest_client("v1").get().resource("nodes").do()
    sent = [each.path for each in wire.all if each.path != "/apis/apps/v1"]
    assert sent == [f"/apis/apps/v1/namespaces/{namespace}/deployments", "/apis/apps/v1/deployments", "/api/v1/nodes"]
    assert clientset.discovery.server_version().major == "1"


def lines(sent: list[Sent]) -> list[str]:
    return [each.line for each in sent]


@pytest.mark.behaviour("9.3.1b")
def test_logs_are_text_whatever_discovery_calls_them(
    clientset: dynkube.Clientset, wire: SentRequests, namespace: str
) -> None:
    pods = clientset.core_v1.pods(namespace)
    pods.create(pod("api"))
    assert not any(hasattr(pods, f"get_{each}") for each in ("log", "exec", "attach", "portforward", "proxy"))
    assert pods.logs("api", container="main").text() == ""  # it runs nowhere
    assert f"GET /api/v1/namespaces/{namespace}/pods/api/log" in lines(wire.all)
