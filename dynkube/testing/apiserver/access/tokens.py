"""Service account tokens: JWTs that this server signs and knows again (KUBE/pkg/serviceaccount).

An issuer makes its key (ECDSA P-256, so ES256) when it is first needed; tokens of another server,
or of this one before it started anew with another key, are of no use.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dynkube import codec
from dynkube.errors import DecodeError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["ISSUER", "TokenError", "TokenIssuer"]

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""What tokens name as their issuer; also the one audience that the API server accepts."""
_LEGACY = "kubernetes/serviceaccount"
_REMEMBERED = 1024


class TokenError(Exception):
    """A token is not good; the message says why, as a TokenReview tells it."""


class TokenIssuer:
    """Signs claims and checks signatures."""

    def __init__(self, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self._good: set[str] = set()  # to check a signature takes longer than all else that a small request needs

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def key_id(self) -> str:
        """What the header's ``kid`` says (keyIDFromPublicKey)."""
        return _encode(hashlib.sha256(self._public_key_der).digest())

    @cached_property
    def _public_key_der(self) -> bytes:
        from cryptography.hazmat.primitives import serialization

        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(encoding, form)

    @cached_property
    def json_web_key(self) -> dict[str, str]:
        """The public key as ``/openid/v1/jwks`` lists it."""
        numbers = self._key.public_key().public_numbers()
        x, y = (_encode(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
        return {"use": "sig", "kty": "EC", "kid": self.key_id, "crv": "P-256", "alg": "ES256", "x": x, "y": y}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A token with these claims, the issuer's name among them; claims are sorted, as the real server's are."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        header = {"alg": "ES256", "kid": self.key_id}
        payload = {"iss": self.issuer} | dict(claims)
        text = f"{_encode(codec.encode(header))}.{_encode(codec.encode(dict(sorted(payload.items()))))}"
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def verify(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of this issuer; None for what is no token of this issuer at all.

        Raises:
            TokenError: It claims to be of this issuer, but its signature is not.
        """
        parts = token.split(".")
        if len(parts) != 3:
            return None
        header, claims = (_decode_object(part) for part in parts[:2])
        signature = _decode(parts[2])
        if header is None or claims is None or signature is None or claims.get("iss") not in (self.issuer, _LEGACY):
            return None
        if (header.get("kid") or self.key_id) != self.key_id:
            raise TokenError("invalid signature, no keys found")
        if token not in self._good:
            if not self._is_signed(f"{parts[0]}.{parts[1]}".encode(), signature):
                raise TokenError("go-jose/go-jose: error in cryptographic primitive")
            if len(self._good) == _REMEMBERED:
                self._good.clear()
            self._good.add(token)
        return claims

    def _is_signed(self, data: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        if len(signature) != 64:
            return False
        numbers = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        try:
            self._key.public_key().verify(encode_dss_signature(*numbers), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _decode_object(text: str) -> dict[str, Any] | None:
    data = _decode(text)
    if data is None:
        return None
    try:
        value = codec.decode(data)
    except DecodeError:
        return None
    return value if isinstance(value, dict) else None
