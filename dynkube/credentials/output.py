"""What a plugin prints: an ``ExecCredential``, read without a word of it getting into an error.

See CG/pkg/apis/clientauthentication/v1/types.go; the messages are those of exec.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynkube import codec
from dynkube.config.model import TLSConfig
from dynkube.config.yaml import load_yaml
from dynkube.errors import ConfigError, DecodeError, InvalidRequestError
from dynkube.quantities import parse_time
from dynkube.transport import Credential
from dynkube.transport.tls import check_client_certificate

__all__ = ["Given", "read_output"]


@dataclass(frozen=True, slots=True)
class Given:
    """A credential as a plugin gave it, and when it expires (seconds since 1970; None for not by time)."""

    credential: Credential
    expires: float | None = None


class _Bad(Exception):  # noqa: N818 - never leaves this room
    pass


def read_output(output: bytes, api_version: str) -> Given | str:
    """The credential in the output of a plugin that is configured to speak ``api_version``; or what is wrong.

    Nothing is raised: a traceback's local variables would hold the credential.

    >>> text = '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "abc"}}'
    >>> read_output(text.encode(), "client.authentication.k8s.io/v1")
    Given(credential=Credential(token), expires=None)
    >>> read_output(text.encode(), "client.authentication.k8s.io/v1beta1").partition(",")[0]
    'exec plugin is configured to use API version client.authentication.k8s.io/v1beta1'
    """
    try:
        return _given(_document(output), api_version)
    except _Bad as bad:
        return str(bad)


def _document(output: bytes) -> dict[str, Any]:
    if not output.strip():
        raise _Bad("decoding stdout: it printed nothing; want an ExecCredential in JSON")
    document = _json(output)
    if document is None:
        document = _yaml(output)
    if not isinstance(document, dict):
        raise _Bad(f"decoding stdout: its {len(output)} bytes are no object; want an ExecCredential in JSON")
    return document


def _json(output: bytes) -> Any:
    try:
        return codec.decode(output)
    except DecodeError:  # its text quotes the output
        return None


def _yaml(output: bytes) -> Any:
    try:
        return load_yaml(output, "stdout")
    except DecodeError:
        return None


def _given(document: dict[str, Any], api_version: str) -> Given:
    _check_type(document, api_version)
    status = document.get("status")
    if status is None:
        raise _Bad("exec plugin didn't return a status field")
    if not isinstance(status, dict):
        raise _Bad("decoding stdout: status is no object")
    token, certificate, key = (_text(status, each) for each in ("token", "clientCertificateData", "clientKeyData"))
    if not token and not certificate and not key:
        raise _Bad("exec plugin didn't return a token or cert/key pair")
    if bool(certificate) != bool(key):
        raise _Bad("exec plugin returned only certificate or key, not both")
    if not (token.isascii() and token.isprintable()):
        raise _Bad("exec plugin returned a token with a line break or another character that no header can carry")
    credential = Credential(token, certificate.encode() or None, key.encode() or None)
    _check_pair(credential)
    return Given(credential, _expiration(status))


def _check_type(document: dict[str, Any], api_version: str) -> None:
    kind, version = document.get("kind"), document.get("apiVersion")
    if not isinstance(kind, str) or not kind:
        raise _Bad("decoding stdout: Object 'Kind' is missing; want an ExecCredential")
    if not isinstance(version, str) or not version:
        raise _Bad("decoding stdout: Object 'apiVersion' is missing; want an ExecCredential")
    if kind != "ExecCredential":
        raise _Bad(f"decoding stdout: it is of kind {kind[:60]!r}; want an ExecCredential")
    if version != api_version:
        raise _Bad(
            f"exec plugin is configured to use API version {api_version}, plugin returned version {version[:60]}; "
            "make apiVersion of the user's exec stanza what the plugin speaks"
        )


def _text(status: dict[str, Any], name: str) -> str:
    value = status.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Bad(f"decoding stdout: status.{name} is no string")
    return value


def _expiration(status: dict[str, Any]) -> float | None:
    text = status.get("expirationTimestamp")
    if text is None:
        return None
    try:
        return parse_time(text).timestamp()
    except InvalidRequestError:
        raise _Bad("decoding stdout: status.expirationTimestamp is no time (RFC 3339)") from None


def _check_pair(credential: Credential) -> None:
    if credential.cert_data is None:
        return
    try:
        check_client_certificate(TLSConfig(cert_data=credential.cert_data, key_data=credential.key_data))
    except ConfigError as error:
        problem = str(error).partition(": ")[2]
        raise _Bad(f"failed parsing client key/certificate: {problem}") from None
