"""Every resource of a server where client-go and kubectl users expect it, found by discovery.

::

    clientset = dynkube.Clientset(dynkube.load_config())
    clientset.core_v1.pods("shop").list(label_selector="app=api")
    clientset.apps_v1.deployments("shop").get_scale("api")
    clientset.group("stable.example.com").version("v1").crontabs("shop").get("mine")

The counterparts in client-go are kubernetes/clientset.go and kubernetes/typed. Here is no generated code: each
resource's class is put together from the verbs and subresources that its server shows. Type checkers and editors read
a stub that was generated from a recorded discovery (dynkube/clientset/typed.pyi).
"""

from __future__ import annotations

from dynkube.clientset.clientset import Clientset
from dynkube.clientset.groups import Group, GroupVersionClient, GroupVersionREST, ResourceAccessor
from dynkube.clientset.resource import ResourceClient

__all__ = ["Clientset", "Group", "GroupVersionClient", "GroupVersionREST", "ResourceAccessor", "ResourceClient"]
