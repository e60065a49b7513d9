"""Namespaces, services, configuration, storage, access: defaults, refusals, what may not change; the same on both servers."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from both import Both, Side
from kinds import CONTAINER, Kind, causes, chosen, setting, together, warnings


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# ------------------------------------------------------------------ namespaces


@pytest.fixture
def namespaces(both: Both) -> Kind:
    return Kind(both, "v1", "Namespace", "namespaces", namespaced=False)


class TestNamespaces:
    def test_defaults(self, both: Both, namespaces: Kind) -> None:
        name = both.unique
        made = namespaces.create(name).json()
        assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
        assert (made["spec"], made["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})

    def test_its_label_comes_back(self, both: Both, namespaces: Kind) -> None:
        name = both.unique
        namespaces.create(name, metadata={"labels": {"kubernetes.io/metadata.name": "other", "a": "b"}})
        namespaces.merge({"metadata": {"labels": {"kubernetes.io/metadata.name": None}}}, name)

    @pytest.mark.parametrize("name", ["A", "a.b", "a" * 64, "-", ""])
    def test_bad_names(self, namespaces: Kind, name: str) -> None:
        assert namespaces.create(name).status == 422

    def test_finalizers_are_changed_elsewhere(self, both: Both, namespaces: Kind) -> None:
        name = both.unique
        namespaces.create(name, spec={"finalizers": ["a/b", "kubernetes"]})
        namespaces.merge({"spec": {"finalizers": ["c/d"]}}, name)
        namespaces.change(setting("spec/finalizers", ["c/d", "x"]), name, at="finalize")
        namespaces.change(setting("spec/finalizers", ["c/d"]), name, at="finalize")

    def test_status_is_apart(self, both: Both, namespaces: Kind) -> None:
        name = both.unique
        namespaces.create(name, status={"phase": "Terminating"})
        namespaces.merge({"status": {"phase": "Terminating"}}, name)
        conditions = [{"type": "X", "status": "True"}]
        namespaces.merge({"status": {"conditions": conditions}, "metadata": {"labels": {"a": "b"}}}, name, at="status")
        namespaces.merge({"status": {"phase": "Terminating"}}, name, at="status")

    def test_pod_security_levels(self, both: Both, namespaces: Kind) -> None:
        namespaces.create(both.unique, metadata={"labels": {"pod-security.kubernetes.io/enforce": "baseline"}})


# ------------------------------------------------------------------ ConfigMaps and Secrets


@pytest.fixture
def config_maps(both: Both) -> Kind:
    return Kind(both, "v1", "ConfigMap", "configmaps")


@pytest.fixture
def secrets(both: Both) -> Kind:
    return Kind(both, "v1", "Secret", "secrets")


class TestConfigMaps:
    def test_it_is_as_it_was_sent(self, config_maps: Kind) -> None:
        config_maps.create(data={"a.b-c_D": "é", "e": ""}, binaryData={"b": encoded("x")}, immutable=False)
        config_maps.get()

    @pytest.mark.parametrize("name", ["a b", "", ".", "..", "..a", "a" * 254, "ü", "a/b"])
    def test_bad_keys(self, config_maps: Kind, name: str) -> None:
        assert config_maps.create(data={name: "x"}).status == 422
        assert config_maps.create(binaryData={name: encoded("x")}).status == 422

    def test_a_key_of_both(self, config_maps: Kind) -> None:
        [(field, said)] = causes(config_maps.create(data={"a": "x"}, binaryData={"a": encoded("x")}))
        assert (field, said) == ("data[a]", 'Invalid value: "a": duplicate of key present in binaryData')

    def test_too_much(self, config_maps: Kind) -> None:
        config_maps.create(data={"a": "x" * 1024 * 1024})
        assert config_maps.create("b", data={"a": "x" * 1024 * 1024, "b": "x"}).status == 422

    def test_immutable(self, config_maps: Kind) -> None:
        config_maps.create(data={"a": "x"}, immutable=True)
        assert config_maps.merge({"metadata": {"labels": {"a": "b"}}}).status == 200
        assert config_maps.merge({"data": {"a": "y"}}).status == 422
        assert config_maps.merge({"binaryData": {"a": encoded("x")}, "immutable": False}).status == 422
        assert len(causes(config_maps.merge({"data": None, "immutable": None}))) == 2

    def test_nothing_is_not_the_same_as_empty(self, config_maps: Kind) -> None:
        config_maps.create(immutable=True)
        assert config_maps.change(setting("data", {})).status == 200
        assert causes(config_maps.change(setting("binaryData", {}))) == [
            ("binaryData", "Forbidden: field is immutable when `immutable` is set")
        ]


SECRET_TYPES: dict[str, list[dict[str, Any]]] = {
    "kubernetes.io/tls": [{}, {"data": {"tls.crt": "", "tls.key": ""}}, {"stringData": {"tls.crt": "x", "tls.key": "y"}}],
    "kubernetes.io/basic-auth": [{}, {"stringData": {"username": "u"}}],
    "kubernetes.io/ssh-auth": [{}, {"stringData": {"ssh-privatekey": ""}}, {"stringData": {"ssh-privatekey": "k"}}],
    "kubernetes.io/dockercfg": [{}, {"stringData": {".dockercfg": "{}"}}, {"stringData": {".dockercfg": "[]"}}],
    "kubernetes.io/dockerconfigjson": [{}, {"stringData": {".dockerconfigjson": "{"}}, {"stringData": {".dockerconfigjson": '{"auths":{}}'}}],
    "kubernetes.io/service-account-token": [{}],
    "bootstrap.kubernetes.io/token": [{}],
    "": [{}],
    "example.com/own": [{}],
}  # fmt: skip


class TestSecrets:
    def test_text_becomes_data(self, secrets: Kind) -> None:
        made = secrets.create(stringData={"a": "é", "b": "y"}, data={"b": encoded("x"), "c": ""}).json()
        assert made["data"] == {"a": encoded("é"), "b": encoded("y"), "c": ""}
        assert (made["type"], "stringData" in made) == ("Opaque", False)
        secrets.merge({"stringData": {"c": "z"}})

    @pytest.mark.parametrize("kind", SECRET_TYPES)
    def test_types(self, secrets: Kind, kind: str) -> None:
        for number, fields in enumerate(SECRET_TYPES[kind]):
            secrets.create(f"a{number}", type=kind, **fields)

    def test_a_key_pair_is_warned_of(self, secrets: Kind) -> None:
        text = {"tls.crt": "x", "tls.key": "y"}
        said = warnings(secrets.create(type="kubernetes.io/tls", stringData=text))
        assert said == ["tls: failed to find any PEM data in certificate input"]

    def test_what_is_no_base64(self, secrets: Kind) -> None:
        assert secrets.create(data={"a": "!"}).status == 400

    def test_the_type_stays(self, secrets: Kind) -> None:
        secrets.create(type="a/b")
        [(field, said)] = causes(secrets.merge({"type": "c/d"}))
        assert (field, said) == ("type", 'Invalid value: "c/d": field is immutable')
        secrets.merge({"type": None})

    def test_immutable(self, secrets: Kind) -> None:
        secrets.create(stringData={"a": "x"}, immutable=True)
        assert secrets.merge({"stringData": {"a": "y"}}).status == 422
        assert secrets.merge({"stringData": {"a": "x"}}).status == 200
        secrets.change(setting("immutable"))

    def test_bad_keys(self, secrets: Kind) -> None:
        secrets.create(stringData={"a b": "x"})

    def test_a_tokens_account(self, secrets: Kind) -> None:
        about = {"annotations": {"kubernetes.io/service-account.name": "none"}}
        secrets.create(type="kubernetes.io/service-account-token", metadata=about)


class TestServiceAccounts:
    def test_references_are_names(self, both: Both) -> None:
        accounts = Kind(both, "v1", "ServiceAccount", "serviceaccounts")
        secrets = [{"name": "s", "namespace": "x", "kind": "Secret"}, {}]
        made = accounts.create(secrets=secrets, imagePullSecrets=[{"name": "p"}], automountServiceAccountToken=False)
        assert made.json()["secrets"] == [{"name": "s"}, {}]
        accounts.merge({"secrets": [{"name": "t", "uid": "u"}]})

    def test_an_annotation_is_warned_of(self, both: Both) -> None:
        accounts = Kind(both, "v1", "ServiceAccount", "serviceaccounts")
        about = {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
        assert len(warnings(accounts.create(metadata=about))) == 1
        accounts.merge({"metadata": {"labels": {"a": "b"}}})
        accounts.create("A_")


# ------------------------------------------------------------------ services

PORTS = [{"port": 80}]
SERVICES: dict[str, dict[str, Any]] = {
    "ClusterIP": {"ports": PORTS, "selector": {"a": "b"}},
    "headless": {"ports": PORTS, "clusterIP": "None"},
    "headless without ports": {"clusterIP": "None", "selector": {"a": "b"}},
    "NodePort": {"type": "NodePort", "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b", "protocol": "UDP"}]},
    "one node port for two protocols": {"type": "NodePort", "ports": [{"port": 53, "name": "a", "protocol": "UDP"}, {"port": 53, "name": "b"}]},
    "LoadBalancer": {"type": "LoadBalancer", "ports": PORTS},
    "LoadBalancer, local": {"type": "LoadBalancer", "ports": PORTS, "externalTrafficPolicy": "Local"},
    "LoadBalancer without node ports": {"type": "LoadBalancer", "ports": PORTS, "allocateLoadBalancerNodePorts": False, "loadBalancerClass": "a.b/c"},
    "ExternalName": {"type": "ExternalName", "externalName": "a.example"},
    "affinity": {"ports": PORTS, "sessionAffinity": "ClientIP"},
    "both families, if there are": {"ports": PORTS, "ipFamilyPolicy": "PreferDualStack"},
    "target ports": {"ports": [{"port": 80, "name": "a", "targetPort": "http"}, {"port": 81, "name": "b", "targetPort": 8081, "appProtocol": "h2"}]},
}  # fmt: skip
BAD_SERVICES: dict[str, dict[str, Any]] = {
    "no ports": {},
    "ports without names": {"ports": [{"port": 80}, {"port": 81}]},
    "ports that are none": {"ports": [{"port": 0, "name": "A"}, {"port": 70000, "name": "b", "protocol": "HTTP", "targetPort": "A_"}]},
    "one port twice": {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
    "a type that there is not": {"ports": PORTS, "type": "Other"},
    "an address that is none": {"ports": PORTS, "clusterIP": "x"},
    "an address of elsewhere": {"ports": PORTS, "clusterIP": "1.2.3.4"},
    "an address with a zero": {"ports": PORTS, "clusterIP": "10.0.0.010"},
    "addresses that differ": {"ports": PORTS, "clusterIP": "10.0.0.200", "clusterIPs": ["10.0.0.201"]},
    "a family that there is not": {"ports": PORTS, "ipFamilies": ["IPv6"]},
    "families that are none": {"ports": PORTS, "ipFamilies": ["IPv5", "IPv5"]},
    "both families": {"ports": PORTS, "ipFamilyPolicy": "RequireDualStack"},
    "a name of nothing": {"type": "ExternalName"},
    "a name that is none": {"type": "ExternalName", "externalName": "A_b", "clusterIP": "None"},
    "affinity that there is not": {"ports": PORTS, "sessionAffinity": "Always"},
    "affinity for too long": {"ports": PORTS, "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 90000}}},
    "policies of nothing": {"ports": PORTS, "externalTrafficPolicy": "Local", "internalTrafficPolicy": "Here"},
    "a node port without nodes": {"ports": [{"port": 80, "nodePort": 31234}]},
    "a node port out of range": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
    "a node port twice": {"type": "NodePort", "ports": [{"port": 80, "name": "a", "nodePort": 31234}, {"port": 81, "name": "b", "nodePort": 31234}]},
    "headless from outside": {"type": "NodePort", "ports": PORTS, "clusterIP": "None"},
    "external addresses": {"ports": PORTS, "externalIPs": ["127.0.0.1", "x"]},
    "ranges of nothing": {"ports": PORTS, "loadBalancerSourceRanges": ["10.0.0.0/8"]},
    "ranges that are none": {"type": "LoadBalancer", "ports": PORTS, "loadBalancerSourceRanges": ["10.0.0.0"]},
    "a selector that is none": {"ports": PORTS, "selector": {"a b": "c"}},
    "a class of nothing": {"ports": PORTS, "loadBalancerClass": "a"},
    "distribution": {"ports": PORTS, "trafficDistribution": "Everywhere"},
}  # fmt: skip


@pytest.fixture
def services(both: Both) -> Kind:
    return Kind(both, "v1", "Service", "services")


class TestServices:
    @pytest.mark.parametrize("what", SERVICES)
    def test_made(self, services: Kind, what: str) -> None:
        assert services.create(spec=SERVICES[what]).status == 201
        services.merge({"metadata": {"labels": {"a": "b"}}})

    def test_defaults(self, services: Kind) -> None:
        spec = services.create(spec={"ports": PORTS}).json()["spec"]
        assert spec["clusterIPs"] == [spec["clusterIP"]]
        del spec["clusterIP"], spec["clusterIPs"]
        assert spec == {
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        }

    @pytest.mark.parametrize("what", BAD_SERVICES)
    def test_refused(self, services: Kind, what: str) -> None:
        assert services.create(spec=BAD_SERVICES[what]).status == 422

    def test_without_a_spec(self, services: Kind) -> None:
        services.create()
        services.create("1a", spec={"ports": PORTS})
        services.create("a.b", spec={"ports": PORTS})

    def test_an_address_is_nobody_elses(self, services: Kind) -> None:
        address = services.create(spec={"ports": PORTS}).json()["spec"]["clusterIP"]
        assert address.startswith("10.0.0.")

        def taken(side: Side) -> dict[str, Any]:
            stored = side.raw.request("GET", f"{services.path}/a").json()["spec"]["clusterIP"]
            return services.manifest("b", spec={"ports": PORTS, "clusterIP": stored})

        assert services.both.post(services.path, taken, mask=chosen).status == 422
        services.delete()

    def test_a_node_port_is_nobody_elses(self, services: Kind) -> None:
        ports = [{"port": 80, "nodePort": 32123}]
        assert services.create(spec={"type": "NodePort", "ports": ports}).status == 201
        again = services.create("b", spec={"type": "NodePort", "ports": ports})
        assert causes(again) == [("spec.ports[0].nodePort", "Invalid value: 32123: provided port is already allocated")]
        services.delete()
        assert services.create("b", spec={"type": "NodePort", "ports": ports}).status == 201
        services.delete("b")

    def test_a_dry_run_takes_nothing(self, services: Kind) -> None:
        ports = [{"port": 80, "nodePort": 32124}]
        body = services.manifest(spec={"type": "NodePort", "ports": ports})
        for _ in range(2):
            assert services.both.post(f"{services.path}?dryRun=All", body).status == 201

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("spec/clusterIP", "10.0.0.9"),
            ("spec/clusterIP", "None"),
            ("spec/clusterIPs", []),
            ("spec/ipFamilies", ["IPv6"]),
            ("spec/ipFamilyPolicy", "RequireDualStack"),
            ("spec/ports", []),
            ("spec/type", "Other"),
        ],
    )
    def test_what_may_not_change(self, services: Kind, path: str, value: Any) -> None:
        services.create(spec={"ports": PORTS})
        services.change(setting(path, value))

    def test_from_type_to_type(self, services: Kind) -> None:
        services.create(spec={"ports": PORTS})
        for change in (
            {"type": "NodePort"},
            {"type": "LoadBalancer", "externalTrafficPolicy": "Local"},
            {"type": "NodePort"},
            {"type": "ClusterIP"},
            {"type": "ExternalName", "externalName": "a.example"},
            {"type": "ClusterIP", "externalName": None},
        ):
            assert services.merge({"spec": change}).status == 200

    def test_a_name_outside_has_no_address(self, services: Kind) -> None:
        services.create(spec={"ports": PORTS})
        services.merge({"spec": {"type": "ExternalName", "externalName": "a.example", "ports": None}})
        services.get()

    def test_what_is_left_out_is_kept(self, services: Kind) -> None:
        services.create(spec={"type": "NodePort", "ports": PORTS})
        replaced = services.manifest(spec={"type": "NodePort", "ports": PORTS, "selector": {"a": "b"}})
        assert services.change(lambda _: replaced).json()["spec"]["ports"][0]["nodePort"] >= 30000

    def test_status_is_apart(self, services: Kind) -> None:
        services.create(spec={"type": "LoadBalancer", "ports": PORTS})
        status = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
        assert services.merge({"status": status}).json()["status"] == {"loadBalancer": {}}
        services.merge({"status": status, "spec": {"selector": {"a": "b"}}}, at="status")
        services.merge({"status": {"loadBalancer": {"ingress": [{"ip": "x", "hostname": "1.2.3.4"}]}}}, at="status")
        services.merge({"spec": {"type": "ClusterIP"}})

    def test_warned_of(self, services: Kind) -> None:
        about = {"annotations": {"service.kubernetes.io/topology-aware-hints": "auto"}}
        services.create(metadata=about, spec={"ports": PORTS, "externalIPs": ["1.2.3.4"]})
        services.create("b", spec={"type": "LoadBalancer", "ports": PORTS, "loadBalancerIP": "1.2.3.4"})
        services.create("c", spec={"ports": PORTS, "clusterIP": "None", "sessionAffinity": "ClientIP"})


# ------------------------------------------------------------------ ingresses and network policies


def to(service: str = "s", port: Any = 80) -> dict[str, Any]:
    return {"service": {"name": service, "port": {"number": port} if isinstance(port, int) else {"name": port}}}


def path_of(path: str = "/", kind: str | None = "Prefix", **backend: Any) -> dict[str, Any]:
    return {"path": path, "backend": backend or to()} | ({"pathType": kind} if kind else {})


BAD_INGRESSES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no rules": {"rules": []},
    "an address for a host": {"rules": [{"host": "1.2.3.4", "http": {"paths": [path_of()]}}]},
    "a host with a star in it": {"rules": [{"host": "a.*.b", "http": {"paths": [path_of()]}}]},
    "no type": {"rules": [{"http": {"paths": [path_of(kind=None)]}}]},
    "a type that there is not": {"rules": [{"http": {"paths": [path_of(kind="Regex")]}}]},
    "paths that are none": {"rules": [{"http": {"paths": [path_of("a"), path_of("/a//b"), path_of("/%2f"), path_of("/..")]}}]},
    "no paths": {"rules": [{"http": {"paths": []}}]},
    "a service without a port": {"defaultBackend": {"service": {"name": "s"}}},
    "a port that is none": {"defaultBackend": to("S_", 0)},
    "a name and a number": {"defaultBackend": {"service": {"name": "s", "port": {"number": 1, "name": "a"}}}},
    "a resource and a service": {"defaultBackend": {**to(), "resource": {"kind": "X", "name": "y"}}},
    "a class that is none": {"defaultBackend": to(), "ingressClassName": "A_"},
    "hosts of certificates": {"defaultBackend": to(), "tls": [{"hosts": ["A_", "*.a"], "secretName": "S_"}]},
}  # fmt: skip


@pytest.fixture
def ingresses(both: Both) -> Kind:
    return Kind(both, "networking.k8s.io/v1", "Ingress", "ingresses")


class TestIngresses:
    def test_made(self, ingresses: Kind) -> None:
        rules = [
            {"host": "*.a.example", "http": {"paths": [path_of("/a", "Exact"), path_of("", "ImplementationSpecific")]}}
        ]
        made = ingresses.create(
            spec={"rules": rules, "tls": [{"hosts": ["a.example"]}], "ingressClassName": "c"}
        ).json()
        assert (made["metadata"]["generation"], made["status"]) == (1, {"loadBalancer": {}})

    @pytest.mark.parametrize("what", BAD_INGRESSES)
    def test_refused(self, ingresses: Kind, what: str) -> None:
        assert ingresses.create(spec=BAD_INGRESSES[what]).status == 422

    def test_an_annotation_beside_a_class(self, ingresses: Kind) -> None:
        about = {"annotations": {"kubernetes.io/ingress.class": "a"}}
        assert ingresses.create(metadata=about, spec={"defaultBackend": to(), "ingressClassName": "b"}).status == 422
        assert len(warnings(ingresses.create(metadata=about, spec={"defaultBackend": to()}))) == 1

    def test_status_is_apart(self, ingresses: Kind) -> None:
        ingresses.create(spec={"defaultBackend": to()})
        status = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4", "ports": [{"port": 1, "protocol": "TCP"}]}]}}
        ingresses.merge({"status": status})
        ingresses.merge({"status": status, "spec": {"ingressClassName": "x"}}, at="status")
        ingresses.merge({"status": {"loadBalancer": {"ingress": [{"ip": "x"}]}}}, at="status")
        ingresses.merge({"spec": {"ingressClassName": "x"}})

    def test_a_class_by_default(self, both: Both, ingresses: Kind) -> None:
        classes = Kind(both, "networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False)
        name = both.unique
        about = {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
        classes.create(name, metadata=about, spec={"controller": "a.b/c"})
        try:
            made = ingresses.create(spec={"defaultBackend": to()}).json()
            assert made["spec"]["ingressClassName"] == name
            classes.merge({"spec": {"controller": "d.e/f"}}, name)
        finally:
            classes.delete(name)

    def test_network_policies(self, both: Both) -> None:
        policies = Kind(both, "networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
        made = policies.create(
            spec={"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 1}]}]}
        )
        assert made.json()["spec"]["policyTypes"] == ["Ingress", "Egress"]
        policies.create(
            "b", spec={"ingress": [{"from": [{}, {"ipBlock": {"cidr": "x"}}], "ports": [{"port": "A_", "endPort": 5}]}]}
        )
        policies.merge({"spec": {"policyTypes": ["Both"]}})


# ------------------------------------------------------------------ claims and volumes

CLAIM: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "nothing": {"accessModes": [], "resources": {}},
    "a mode that there is not": {"accessModes": ["Any"]},
    "alone and not": {"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]},
    "nothing asked for": {"resources": {"requests": {"storage": "0"}}},
    "other things asked for": {"resources": {"requests": {"cpu": "1"}}},
    "a class that is none": {"storageClassName": "A_"},
    "a volume mode": {"volumeMode": "Other"},
    "a selector": {"selector": {"matchExpressions": [{"key": "a b", "operator": "Like"}]}},
    "a source without a name": {"dataSource": {"kind": "PersistentVolumeClaim", "name": ""}},
}


@pytest.fixture
def claims(both: Both) -> Kind:
    return Kind(both, "v1", "PersistentVolumeClaim", "persistentvolumeclaims")


class TestPersistentVolumeClaims:
    def test_defaults(self, claims: Kind) -> None:
        made = claims.create(spec=CLAIM, status={"phase": "Bound"}).json()
        assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
        assert (made["spec"]["volumeMode"], made["status"]) == ("Filesystem", {"phase": "Pending"})

    @pytest.mark.parametrize("what", BAD_CLAIMS)
    def test_refused(self, claims: Kind, what: str) -> None:
        assert claims.create(spec={**CLAIM, **BAD_CLAIMS[what]}).status == 422

    def test_what_may_not_change(self, claims: Kind) -> None:
        claims.create(spec={**CLAIM, "volumeName": "v"})
        for change in ({"accessModes": ["ReadOnlyMany"]}, {"volumeName": "w"}, {"storageClassName": "c"}):
            claims.merge({"spec": change})

    def test_it_grows_when_it_is_bound(self, both: Both, claims: Kind) -> None:
        classes = Kind(both, "storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
        name = both.unique
        classes.create(name, provisioner="a.b/c", allowVolumeExpansion=True)
        claims.create(spec={**CLAIM, "storageClassName": name, "volumeName": "v"})
        larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
        assert claims.merge(larger).status == 422
        claims.merge({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}, at="status")
        assert claims.merge(larger).status == 200
        assert claims.merge({"spec": {"resources": {"requests": {"storage": "512Mi"}}}}).status == 422

    def test_one_that_may_not_grow(self, claims: Kind) -> None:
        claims.create(spec={**CLAIM, "storageClassName": "", "volumeName": "v"})
        claims.merge({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}, at="status")
        assert claims.merge({"spec": {"resources": {"requests": {"storage": "2Gi"}}}}).status == 403

    def test_status_is_apart(self, claims: Kind) -> None:
        claims.create(spec=CLAIM)
        claims.merge({"status": {"phase": "Bound"}})
        claims.merge({"status": {"phase": "Lost"}, "spec": {"volumeName": "v"}}, at="status")
        claims.merge({"status": {"capacity": {"storage": "-1"}}}, at="status")

    def test_warned_of(self, claims: Kind) -> None:
        about = {"annotations": {"volume.beta.kubernetes.io/storage-class": "c"}}
        claims.create(metadata=about, spec={**CLAIM, "resources": {"requests": {"storage": "1500m"}}})

    def test_a_class_by_default(self, both: Both, claims: Kind) -> None:
        classes = Kind(both, "storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
        name = both.unique
        about = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
        made = classes.create(name, metadata=about, provisioner="a.b/c").json()
        assert (made["reclaimPolicy"], made["volumeBindingMode"]) == ("Delete", "Immediate")
        try:
            assert claims.create(spec=CLAIM).json()["spec"]["storageClassName"] == name
            assert claims.create("b", spec={**CLAIM, "storageClassName": ""}).json()["spec"]["storageClassName"] == ""
            classes.merge({"provisioner": "x", "reclaimPolicy": "Retain", "parameters": {"a": "b"}}, name)
        finally:
            classes.delete(name)

    def test_volumes(self, both: Both) -> None:
        volumes = Kind(both, "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
        name = both.unique
        spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}
        made = volumes.create(name, spec=spec).json()
        assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
        volumes.merge({"spec": {"hostPath": {"path": "/b"}}}, name)
        volumes.merge({"spec": {"capacity": {"storage": "2Gi"}}, "status": {"phase": "Bound"}}, name)
        volumes.merge({"status": {"phase": "Available", "message": "m"}}, name, at="status")
        volumes.create(both.unique, spec={**spec, "nfs": {"server": "s", "path": "/"}})
        volumes.create(both.unique, spec={"capacity": {}, "accessModes": []})
        volumes.merge({"metadata": {"finalizers": None}}, name)
        volumes.delete(name)


# ------------------------------------------------------------------ RBAC

RULE: dict[str, Any] = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
BAD_RULES: list[dict[str, Any]] = [
    {},
    {"verbs": ["get"]},
    {"verbs": ["get"], "resources": ["pods"]},
    {"verbs": ["get"], "apiGroups": [""], "nonResourceURLs": ["/a"]},
    {"verbs": ["get"], "nonResourceURLs": ["/healthz"]},
    {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "nonResourceURLs": ["/a"]},
]


class TestRBAC:
    def test_rules_as_they_were_sent(self, both: Both) -> None:
        roles = Kind(both, "rbac.authorization.k8s.io/v1", "Role", "roles")
        roles.create(rules=[{**RULE, "resourceNames": ["a"]}])
        roles.create("a:b", rules=[])
        assert roles.create("c").json()["rules"] is None
        roles.merge({"rules": []})

    @pytest.mark.parametrize("rule", BAD_RULES)
    def test_bad_rules(self, both: Both, rule: dict[str, Any]) -> None:
        Kind(both, "rbac.authorization.k8s.io/v1", "Role", "roles").create(rules=[RULE, rule])
        cluster = Kind(both, "rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False)
        cluster.create(both.unique, rules=[rule])

    def test_aggregated(self, both: Both) -> None:
        cluster = Kind(both, "rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False)
        cluster.create(both.unique, aggregationRule={"clusterRoleSelectors": [{"matchLabels": {both.unique: "b"}}]})
        cluster.create(both.unique, aggregationRule={"clusterRoleSelectors": []})

    def test_bindings(self, both: Both) -> None:
        bindings = Kind(both, "rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
        subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]
        made = bindings.create(roleRef={"kind": "ClusterRole", "name": "view"}, subjects=subjects).json()
        assert made["roleRef"] == role
        assert made["subjects"][0]["apiGroup"] == "rbac.authorization.k8s.io"
        bindings.merge({"subjects": None})
        [(field, said)] = causes(bindings.merge({"roleRef": {"name": "edit"}}))
        assert field == "roleRef"
        assert said.endswith("cannot change roleRef")

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"roleRef": {"kind": "User", "name": "x"}},
            {"roleRef": {"kind": "Role", "name": ""}},
            {"roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": "x"}},
            {"subjects": [{}, {"kind": "User"}, {"kind": "Robot", "name": "r"}]},
            {"subjects": [{"kind": "ServiceAccount", "name": "A_"}, {"kind": "User", "name": "u", "apiGroup": "x"}]},
        ],
    )
    def test_bad_bindings(self, both: Both, fields: dict[str, Any]) -> None:
        role = {"kind": "ClusterRole", "name": "view"}
        bindings = Kind(both, "rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
        everywhere = Kind(
            both, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
        )
        bindings.create(**{"roleRef": role, **fields})
        everywhere.create(both.unique, **{"roleRef": role, **fields})


# ------------------------------------------------------------------ events


class TestEvents:
    def test_two_kinds_are_one_object(self, both: Both) -> None:
        core = Kind(both, "v1", "Event", "events")
        new = Kind(both, "events.k8s.io/v1", "Event", "events")
        about = {"kind": "Pod", "name": "p", "namespace": both.namespace}
        core.create(involvedObject=about, reason="R", message="m", type="Normal", count=2, source={"component": "c"})
        assert new.get().json()["deprecatedSource"] == {"component": "c"}
        more = {"eventTime": "2026-01-01T00:00:00.123456Z", "reportingController": "a.b/c", "reportingInstance": "i"}
        new.create("b", regarding=about, action="A", reason="R", type="Normal", note="n", **more)
        assert core.get("b").json()["message"] == "n"
        new.create("c", regarding=about, **more)
        core.create("d", involvedObject={"kind": "Pod", "namespace": "elsewhere"})
        core.merge({"count": 3, "message": "x"})


# ------------------------------------------------------------------ what else there is


class TestOthers:
    def test_quotas(self, both: Both) -> None:
        quotas = Kind(both, "v1", "ResourceQuota", "resourcequotas")
        quotas.create(spec={"hard": {"requests.cpu": "1000", "count/configmaps": "1000"}})
        quotas.create("b", spec={"hard": {"pods": "-1"}, "scopes": ["BestEffort", "Some"]})
        quotas.merge({"spec": {"scopes": ["BestEffort"]}})
        quotas.merge({"status": {"hard": {"pods": "1"}, "used": {"pods": "0"}}})
        quotas.delete()

    def test_limits(self, both: Both) -> None:
        limits = Kind(both, "v1", "LimitRange", "limitranges")
        limits.create(spec={"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}}]})
        limits.create("b", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "2"}}]})

    def test_disruption_budgets(self, both: Both) -> None:
        budgets = Kind(both, "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
        budgets.create(spec={"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}})
        budgets.create("b", spec={"minAvailable": 1, "maxUnavailable": "150%"})
        budgets.merge({"spec": {"minAvailable": "50%"}, "status": {"currentHealthy": 5}})
        budgets.merge({"status": {"currentHealthy": 5, "expectedPods": -1}}, at="status")

    def test_leases(self, both: Both) -> None:
        leases = Kind(both, "coordination.k8s.io/v1", "Lease", "leases")
        leases.create(
            spec={"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000001Z"}
        )
        leases.create("b", spec={"leaseDurationSeconds": 0, "leaseTransitions": -1})

    def test_endpoint_slices(self, both: Both) -> None:
        slices = Kind(both, "discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
        slices.create(addressType="IPv4", endpoints=[{"addresses": ["1.2.3.4"]}], ports=[{"port": 80}])
        slices.create("b", addressType="IPv4", endpoints=[{"addresses": ["x"]}], ports=[{"port": 0, "name": "A"}])
        slices.merge({"addressType": "IPv6"})

    def test_endpoints_are_deprecated(self, both: Both) -> None:
        endpoints = Kind(both, "v1", "Endpoints", "endpoints")
        endpoints.create(subsets=[{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 80}]}])
        endpoints.create("b", subsets=[{"addresses": [{"ip": "127.0.0.1"}]}])

    def test_nodes(self, both: Both) -> None:
        nodes = Kind(both, "v1", "Node", "nodes", namespaced=False)
        name = both.unique
        made = nodes.create(name, spec={"podCIDR": "10.1.0.0/24"}, status={"capacity": {"cpu": "1"}}).json()
        assert made["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
        nodes.merge({"spec": {"podCIDR": "10.2.0.0/24"}}, name)
        nodes.merge({"spec": {"unschedulable": True}, "status": {"phase": "Running"}}, name)
        nodes.merge({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, name, at="status")
        nodes.delete(name)

    def test_priority_classes(self, both: Both) -> None:
        classes = Kind(both, "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False)
        name = both.unique
        assert classes.create(name, value=5).json()["preemptionPolicy"] == "PreemptLowerPriority"
        classes.merge({"value": 6}, name)
        classes.merge({"preemptionPolicy": "Never"}, name)
        classes.merge({"description": "d"}, name)
        classes.create(both.unique, value=2_000_000_000)
        classes.create("system-mine", value=1)
        classes.delete(name)

    def test_generated_names_of_templates(self, both: Both) -> None:
        templates = Kind(both, "v1", "PodTemplate", "podtemplates")
        templates.create(template={"spec": {"containers": [CONTAINER]}})
        templates.change(
            together(setting("template/metadata/labels", {"a": "b"}), setting("metadata/labels", {"a b": "c"}))
        )
        templates.create("b", template={})
