"""What may be a name, with the words of a refusal: texts, none where nothing is wrong.

From AM/util/validation/validation.go and AM/api/validate/content, which word the same rule differently:
names of objects are counted in characters, keys and values of labels in bytes. Both count bytes.
`objectmeta` makes field errors of the texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "config_map_key",
    "dns1035_label",
    "dns1123_label",
    "dns1123_subdomain",
    "dns1123_subdomain_with_underscore",
    "group_id",
    "http_header_name",
    "in_range",
    "label_key",
    "label_value",
    "mask_trailing_dash",
    "path_segment_name",
    "percent",
    "port_name",
    "port_number",
    "regex_error",
    "relaxed_env_var_name",
    "user_id",
    "wildcard_dns1123_subdomain",
]

_NONE: tuple[str, ...] = ()

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_WITH_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_WITH_UNDERSCORE = rf"{_LABEL_WITH_UNDERSCORE}(\.{_LABEL_WITH_UNDERSCORE})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_PORT = re.compile("[-a-z0-9]+")
_LETTER = re.compile("[a-z]")
_PERCENT = "[0-9]+%"
_HEADER = "[-A-Za-z0-9]+"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_RE_LABEL = re.compile(_LABEL)
_RE_SUBDOMAIN = re.compile(_SUBDOMAIN)
_RE_SUBDOMAIN_WITH_UNDERSCORE = re.compile(_SUBDOMAIN_WITH_UNDERSCORE)
_RE_LABEL_1035 = re.compile(_LABEL_1035)
_RE_KEY = re.compile(_KEY)
_RE_VALUE = re.compile(_VALUE)
_RE_CONFIG_KEY = re.compile(_CONFIG_KEY)

_ENDS = "must start and end with an alphanumeric character"


def regex_error(text: str, pattern: str, *examples: str) -> str:
    """What does not match a pattern is told the pattern, and what would match (RegexError)."""
    shown = " or ".join(f"'{each}', " for each in examples)
    return f"{text} ({f'e.g. {shown}' if examples else ''}regex used for validation is '{pattern}')"


_KEY_WORDS = f"must consist of alphanumeric characters, '-', '_' or '.', and {_ENDS}"
_KEY_ERROR = regex_error(_KEY_WORDS, _KEY, "MyName", "my.name", "123-abc")
_VALUE_ERROR = regex_error(
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and {_ENDS}",
    _VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_LABEL_ERROR = regex_error(
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_ENDS}",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_ERROR = regex_error(
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and {_ENDS}",
    _SUBDOMAIN,
    "example.com",
)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _too_long(value: str, limit: int, unit: str = "characters") -> Sequence[str]:
    return [f"must be no more than {limit} {unit}"] if _size(value) > limit else _NONE


def mask_trailing_dash(prefix: str) -> str:
    """A generateName prefix may end in a dash: random letters follow (maskTrailingDash)."""
    return f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def dns1123_subdomain(name: str, *, prefix: bool = False) -> Sequence[str]:
    """What keeps a text from being a DNS subdomain; of a prefix, from beginning one."""
    judged = mask_trailing_dash(name) if prefix else name
    if len(judged) <= 253 and _RE_SUBDOMAIN.fullmatch(judged):
        return _NONE
    problems = _too_long(judged, 253)
    return problems if _RE_SUBDOMAIN.fullmatch(judged) else [*problems, _SUBDOMAIN_ERROR]


def dns1123_label(name: str, *, prefix: bool = False) -> Sequence[str]:
    """What keeps a text from being a DNS label (RFC 1123); of a prefix, from beginning one."""
    judged = mask_trailing_dash(name) if prefix else name
    problems = _too_long(judged, 63)
    if _RE_LABEL.fullmatch(judged):
        return problems
    return [*problems, "must not contain dots" if _RE_SUBDOMAIN.fullmatch(judged) else _LABEL_ERROR]


def dns1035_label(name: str, *, prefix: bool = False) -> Sequence[str]:
    """What keeps a text from being a DNS label that starts with a letter (RFC 1035)."""
    judged = mask_trailing_dash(name) if prefix else name
    problems = _too_long(judged, 63)
    if _RE_LABEL_1035.fullmatch(judged):
        return problems
    words = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character"
    )
    return [*problems, regex_error(words, _LABEL_1035, "my-name", "abc-123")]


def dns1123_subdomain_with_underscore(name: str) -> Sequence[str]:
    """A subdomain whose labels may hold underscores."""
    problems = _too_long(name, 253)
    if _RE_SUBDOMAIN_WITH_UNDERSCORE.fullmatch(name):
        return problems
    words = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and "
    return [*problems, regex_error(words + _ENDS, _SUBDOMAIN_WITH_UNDERSCORE, "example.com")]


def wildcard_dns1123_subdomain(name: str) -> Sequence[str]:
    """``*.`` and a subdomain, the host of an Ingress rule."""
    problems = _too_long(name, 253)
    if re.fullmatch(_WILDCARD, name):
        return problems
    words = (
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
    )
    return [*problems, regex_error(words, _WILDCARD, "*.example.com")]


def label_key(key: str) -> Sequence[str]:
    """A qualified name: a name of at most 63 bytes, with a DNS subdomain and a slash before it or not."""
    if len(key) <= 63 and _RE_KEY.fullmatch(key):
        return _NONE
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        shown = f"{_KEY_ERROR} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {shown}"]
    problems = _prefix(prefix) if slash else []
    if not name:
        problems.append("name part must be non-empty")
    elif _size(name) > 63:
        problems.append("name part must be no more than 63 bytes")
    if not _RE_KEY.fullmatch(name):
        problems.append(f"name part {_KEY_ERROR}")
    return problems


def _prefix(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    problems = list(_too_long(prefix, 253, "bytes"))
    if not _RE_SUBDOMAIN.fullmatch(prefix):
        problems.append(_SUBDOMAIN_ERROR)
    return [f"prefix part {each}" for each in problems]


def label_value(value: str) -> Sequence[str]:
    """Empty, or at most 63 bytes."""
    if len(value) <= 63 and _RE_VALUE.fullmatch(value):
        return _NONE
    problems = _too_long(value, 63, "bytes")
    return problems if _RE_VALUE.fullmatch(value) else [*problems, _VALUE_ERROR]


def config_map_key(key: str) -> Sequence[str]:
    """A key of a ConfigMap's or Secret's data: it may become the name of a file."""
    if len(key) <= 253 and not key.startswith(".") and _RE_CONFIG_KEY.fullmatch(key):
        return _NONE
    problems = list(_too_long(key, 253))
    if not _RE_CONFIG_KEY.fullmatch(key):
        words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(regex_error(words, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return [*problems, *_leads_out(key)]


def _leads_out(value: str) -> Sequence[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else _NONE


def relaxed_env_var_name(name: str) -> Sequence[str]:
    """The name of an environment variable, by the rule of today: printable ASCII without ``=``."""
    if not name:
        return ["environment variable name must be non-empty"]
    if name.isascii() and name.isprintable() and "=" not in name:
        return _NONE
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def port_name(name: str) -> Sequence[str]:
    """The name of a port (IANA_SVC_NAME)."""
    problems = list(_too_long(name, 15))
    if not _PORT.fullmatch(name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not _LETTER.search(name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def in_range(value: int, low: int, high: int) -> Sequence[str]:
    """A number between two, both included."""
    return _NONE if low <= value <= high else [f"must be between {low} and {high}, inclusive"]


def port_number(port: int) -> Sequence[str]:
    """1-65535."""
    return in_range(port, 1, 65535)


def user_id(uid: int) -> Sequence[str]:
    """A UNIX user (32 bits, signed, as libcontainer has them)."""
    return in_range(uid, 0, 2**31 - 1)


def group_id(gid: int) -> Sequence[str]:
    """A UNIX group."""
    return in_range(gid, 0, 2**31 - 1)


def percent(value: str) -> Sequence[str]:
    """Such as ``25%``."""
    if re.fullmatch(_PERCENT, value):
        return _NONE
    words = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_error(words, _PERCENT, "1%", "93%")]


def http_header_name(name: str) -> Sequence[str]:
    """A field of an HTTP header."""
    if re.fullmatch(_HEADER, name):
        return _NONE
    words = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_error(words, _HEADER, "X-Header-Name")]


def path_segment_name(name: str, *, prefix: bool = False) -> Sequence[str]:
    """What can stand in a path as it is; names of RBAC objects obey nothing else."""
    if not prefix and name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in name]
