"""What type checkers know of a clientset: see typed.pyi. At run time there is nothing here.

::

    if TYPE_CHECKING:
        from dynkube.clientset.typed import AppsV1

    def restart(deployments: AppsV1.Deployments) -> None: ...
"""

from __future__ import annotations

from typing import NoReturn

__all__: list[str] = []


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"{name} is a type for checkers only: import it under `if TYPE_CHECKING:`; "
        "at run time a resource's class is made from what its server shows"
    )
