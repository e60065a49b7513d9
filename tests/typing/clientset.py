"""A clientset as type checkers see it: what is there, and what is refused before anything runs; never run.

A line that is refused says so to both checkers; one that is let pass has an ignore too many, which is an error of its own.
"""

from __future__ import annotations

from typing import Any, assert_type

import dynkube
from dynkube.clientset.typed import AppsV1, CoreV1


def known(config: dynkube.RESTConfig) -> None:
    with dynkube.Clientset(config) as clientset:
        pods = clientset.core_v1.pods("shop")
        assert_type(pods, CoreV1.Pods)
        assert_type(pods.list(label_selector="app=api"), dynkube.UnstructuredList)
        assert_type(pods.get("api", timeout=5), dict[str, Any])
        assert_type(pods.evict("api", grace_period_seconds=0), dict[str, Any])
        assert_type(pods.update_ephemeral_containers("api", {}), dict[str, Any])
        assert_type(pods.proxy_get("api", "metrics", port=8080), bytes)
        assert_type(pods.handle, dynkube.ResourceHandle)
        assert_type(pods.exec("api", ["true"]).exit_code, int | None)
        for line in pods.logs("api", follow=True):
            print(line)
        clientset.core_v1.nodes().drain("one", ignore_daemonsets=True)
        clientset.core_v1.serviceaccounts("shop").create_token("default", {})
        deployments = clientset.apps_v1.deployments("shop")
        assert_type(deployments, AppsV1.Deployments)
        assert_type(deployments.get_scale("api"), dict[str, Any])
        deployments.rollout_status("api", timeout=60)
        deployments.scale("api", 3, wait=True)
        clientset.policy_v1.evictions("shop").evict("api")
        clientset.authorization_v1.selfsubjectaccessreviews().create({})
        clientset.rest_client("apps/v1").get().namespace("shop").resource("deployments").do()


def unknown(clientset: dynkube.Clientset) -> None:
    """Of a custom resource a checker knows the verbs."""
    stable = clientset.group("stable.example.com").version("v1")
    assert_type(stable.crontabs("shop").get("mine"), dict[str, Any])
    stable.crontabs("shop").get_scale("mine")
    stable.resource("cron-tabs", "shop").list(limit=5)


def misspelt(clientset: dynkube.Clientset) -> None:
    clientset.core_v1.pods("shop").lst()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.apps_v1.deployments("shop").get_scal("a")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.batch_v1.jobs("shop").updatestatus({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.networking_v1.ingresses("shop").gett("a")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.policy_v1.poddisruptionbudgets("shop").aply({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def unserved(clientset: dynkube.Clientset) -> None:
    clientset.core_v1.bindings("shop").list()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.apps_v1.daemonsets("shop").get_scale("a")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.batch_v1.cronjobs("shop").evict("a")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.networking_v1.ingressclasses().update_status({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.policy_v1.evictions("shop").list()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def without_namespace(clientset: dynkube.Clientset) -> None:
    clientset.core_v1.pods()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.apps_v1.deployments()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.batch_v1.jobs()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.networking_v1.networkpolicies()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.policy_v1.poddisruptionbudgets()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.core_v1.nodes("shop")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def wrong_options(clientset: dynkube.Clientset) -> None:
    clientset.core_v1.pods("shop").list(selector="a=b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.apps_v1.deployments("shop").scale("a", 3, waiting=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.batch_v1.jobs("shop").delete("a", cascade=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.networking_v1.ingresses("shop").apply({})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    clientset.policy_v1.poddisruptionbudgets("shop").get("a", timeout="5s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def unknown_names(clientset: dynkube.Clientset) -> None:
    clientset.app_v1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    clientset.core_v1.deployments("shop")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
