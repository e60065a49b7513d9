"""How others check service account tokens: the OpenID documents (KUBE/pkg/routes/openidmetadata.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynkube import codec
from dynkube.testing.apiserver.access import TokenIssuer
from dynkube.testing.apiserver.endpoints.negotiation import accepts_route
from dynkube.testing.apiserver.endpoints.routes import method_not_allowed, resource_missing
from dynkube.testing.apiserver.words.messages import Request, Response

__all__ = ["OpenID"]

_CONFIGURATION = [".well-known", "openid-configuration"]
_KEYS = ["openid", "v1", "jwks"]


class OpenID:
    """The two documents.

    Args:
        issuer: Whose tokens they are about.
        address: Of the server: ``127.0.0.1:6443``.
    """

    def __init__(self, issuer: TokenIssuer, address: str) -> None:
        self._issuer = issuer
        self._address = address

    def answer(self, request: Request, parts: Sequence[str]) -> Response | None:
        """The answer to a request for one of them; None for other paths.

        Raises:
            StatusError: It is refused.
        """
        if parts[: len(_CONFIGURATION)] == _CONFIGURATION:
            return _page(request, parts == _CONFIGURATION, "application/json", self._configuration)
        if parts[: len(_KEYS)] == _KEYS:
            return _page(request, parts == _KEYS, "application/jwk-set+json", self._keys)
        return None

    def _configuration(self) -> Mapping[str, Any]:
        return {
            "issuer": self._issuer.issuer,
            "jwks_uri": f"https://{self._address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def _keys(self) -> Mapping[str, Any]:
        return {"keys": [self._issuer.json_web_key]}


def _page(request: Request, is_there: bool, content_type: str, make: Callable[[], Mapping[str, Any]]) -> Response:
    if not is_there:
        raise resource_missing()
    if request.method != "GET":
        raise method_not_allowed()
    refusal = accepts_route(request.headers.get("accept") or "", is_list=False, produced=(content_type,))
    if refusal is not None:
        raise refusal
    headers = [("Content-Type", content_type), ("Cache-Control", "public, max-age=3600")]
    return Response(status=200, headers=headers, body=codec.encode(make()))
