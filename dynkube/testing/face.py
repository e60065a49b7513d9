"""`ServerFace`: what every test server has, so that a test can be written for one and run on another.

`ControlPlane` and `APIServer` have it. What is the same in both is written here; what each does in
its own way is abstract.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from dynkube.errors import ConfigError, InvalidRequestError
from dynkube.testing.rules import AccessRule

if TYPE_CHECKING:
    from dynkube.config import RESTConfig
    from dynkube.dynamic import DynamicClient

__all__ = ["DEFAULT_TOKEN_USERS", "BrokenAPI", "ServerFace", "checked_token_users"]

DEFAULT_TOKEN_USERS: Mapping[str, Sequence[str]] = {"token-user": ()}
"""Users with a static token, and their groups, where nothing else is said."""

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
# X.509 (RFC 5280, appendix A): the common name and an organization's have at most so many characters.
_LONGEST_NAME = 64


class BrokenAPI(Protocol):
    """What `ServerFace.break_group` returns; a context manager that removes the API."""

    def behave(self, how: str) -> None:
        """Break in another way."""

    def repair(self) -> None:
        """Be well."""

    def remove(self) -> None:
        """Be gone."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class ServerFace(ABC):
    """A Kubernetes API server for tests; a context manager, and `start` and `stop` do the same by hand."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------ life

    @abstractmethod
    def start(self) -> None:
        """Start, and return when requests are answered. A running one stays as it is."""

    @abstractmethod
    def stop(self) -> None:
        """End, with all that was made: objects, kubeconfigs, connections. Idempotent."""

    # ------------------------------------------------------------------ what clients need

    @property
    @abstractmethod
    def url(self) -> str:
        """``https://127.0.0.1:<port>``; the same after a restart."""

    @property
    @abstractmethod
    def ca_data(self) -> bytes:
        """The certificate (PEM) of the authority that signed the server's."""

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """A kubeconfig of the admin (group ``system:masters``), 0600; gone after `stop`."""

    @property
    def config(self) -> RESTConfig:
        """The admin's `dynkube.config.RESTConfig`."""
        from dynkube.config import load_config

        return load_config(kubeconfig=self.kubeconfig)

    def connect(self, kubeconfig: str | os.PathLike[str] | None = None, **options: Any) -> DynamicClient:
        """A client of the admin, or of a kubeconfig that `user` or `token_user` gave.

        Args:
            kubeconfig: Default: the admin's.
            **options: Those of `dynkube.connect`.
        """
        from dynkube.dynamic import connect

        return connect(kubeconfig=self.kubeconfig if kubeconfig is None else kubeconfig, **options)

    # ------------------------------------------------------------------ other users

    def user(self, name: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig with a new client certificate for this user. Without `allow` it may do next to nothing.

        Raises:
            InvalidRequestError: The name or a group is empty or longer than 64 characters (X.509).
        """
        if isinstance(groups, str):
            raise InvalidRequestError(
                f"user: groups= must be a sequence of strings, such as ('developers',), not {groups!r}"
            )
        for each in (name, *groups):
            if not 0 < len(each) <= _LONGEST_NAME:
                raise InvalidRequestError(
                    f"user: {each!r} must have 1 to {_LONGEST_NAME} characters: it goes into a certificate"
                )
        return self._certificate_kubeconfig(name, groups)

    @abstractmethod
    def _certificate_kubeconfig(self, name: str, groups: Sequence[str]) -> Path:
        """A new kubeconfig of a user with a new client certificate."""

    def token_user(self, name: str = "token-user") -> Path:
        """A kubeconfig with the bearer token of a user that ``token_users=`` named at the start.

        Raises:
            InvalidRequestError: It names no such user.
        """
        known = self._token_users
        if name not in known:
            shown = ", ".join(sorted(known)) or "none"
            raise InvalidRequestError(
                f"token_user: no user {name!r} ({shown}): name it in {type(self).__name__}(token_users=...)"
            )
        return self._token_kubeconfig(name)

    @property
    @abstractmethod
    def _token_users(self) -> Sequence[str]:
        """The names of the users with a static token."""

    @abstractmethod
    def _token_kubeconfig(self, name: str) -> Path:
        """A new kubeconfig of a user with a static token."""

    def allow(self, rule: AccessRule) -> None:
        """Grant a rule by RBAC, and return when it is in force.

        Raises:
            ControlPlaneError: The server refused it (its namespace must exist), or did not follow.
        """
        base = f"{_RBAC}/namespaces/{rule.namespace}" if rule.namespace else _RBAC
        prefix = "" if rule.namespace else "Cluster"
        role = {"metadata": {"generateName": "dynkube-"}, "rules": [rule.policy_rule()]}
        name = self._create(f"{base}/{prefix.lower()}roles", role)["metadata"]["name"]
        binding = {
            "metadata": {"name": name},
            "subjects": [rule.subject()],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": f"{prefix}Role", "name": name},
        }
        self._create(f"{base}/{prefix.lower()}rolebindings", binding)

    @abstractmethod
    def _create(self, path: str, obj: Mapping[str, Any]) -> dict[str, Any]:
        """POST an object as the admin; it must succeed."""

    # ------------------------------------------------------------------ trouble

    @abstractmethod
    def pause(self) -> None:
        """Stand still: connections stay open, nobody answers."""

    @abstractmethod
    def resume(self) -> None:
        """Go on after `pause`."""

    @abstractmethod
    def kill(self) -> None:
        """End the API server at once. Until `restart`, connecting is refused; what is stored stays."""

    @abstractmethod
    def restart(self) -> None:
        """End the API server in an orderly way, unless it is dead already, and start it on the same port."""

    @abstractmethod
    def expire_history(self) -> None:
        """Make everything before this moment too old: resourceVersions, and continue tokens.

        A list at an exact older resourceVersion and an older continue token get HTTP 410; a watch
        from an older resourceVersion gets an ERROR event with code 410. Every connection is cut.
        """

    @abstractmethod
    def break_group(self, group_version: str, how: str = "unavailable") -> BrokenAPI:
        """Serve a group version by an aggregated API that is broken, and return when the API server shows it.

        ================  ==========================================================================
        ``how``           what a client gets at ``/apis/<group>/<version>``
        ================  ==========================================================================
        ``unavailable``   503: the API behind it says so
        ``refused``       503: nobody listens there
        ``stale``         503, after it was well: known, then lost
        ``html``          200 with a page of HTML
        ``garbage``       200 with truncated JSON
        ``empty``         200 with no body
        ``hang``          nothing: the request waits until somebody's timeout
        ``healthy``       an APIResourceList with one resource, ``gizmos``
        ================  ==========================================================================

        In aggregated discovery the version is ``Stale``, without resources, in the first five, and
        ``Current`` in the others (``empty``: without resources).

        Args:
            group_version: One that the server does not have yet, such as ``broken.example.com/v1``.
            how: In which way; the handle's ``behave(how)`` changes it.

        Returns:
            A handle with ``behave(how)``, ``repair()`` and ``remove()``; a context manager that
            removes it.

        Raises:
            InvalidRequestError: No such way, or the group version does not look like one.
            ControlPlaneError: The group version exists, or the server did not come to show it.
        """


def checked_token_users(token_users: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Users with a static token and their groups, one by one.

    Raises:
        ConfigError: A user or a group cannot be one.
    """
    for user, groups in token_users.items():
        if not user:
            raise ConfigError("token_users= names a user ''")
        if isinstance(groups, str) or any("," in group for group in groups):
            message = f"token_users=: the groups of {user!r} must be a sequence of strings without a comma"
            raise ConfigError(message)
        yield user, tuple(groups)
