"""Names and what is wrong with them; the texts are those that kube-apiserver 1.36.3 was seen to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dynkube.testing.apiserver.words import names

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
KEY = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize("name", ["a", "0", "a.b", "a-b.c-d", "a" * 253])
def test_a_subdomain_is_a_name(name: str) -> None:
    assert not names.dns1123_subdomain(name)


@pytest.mark.parametrize("name", ["", "A", "a.", "-a", "a..b", "_a", ".", "..", "a/b", "a%b", "é", "a\n"])
def test_what_is_no_subdomain_is_told_the_rule(name: str) -> None:
    assert list(names.dns1123_subdomain(name)) == [SUBDOMAIN]


def test_a_name_is_counted_in_characters_but_measured_in_bytes() -> None:
    assert list(names.dns1123_subdomain("a" * 254)) == ["must be no more than 253 characters"]
    assert list(names.dns1123_subdomain("é" * 127)) == ["must be no more than 253 characters", SUBDOMAIN]


def test_a_prefix_may_end_in_a_dash_but_not_be_one() -> None:
    assert not names.dns1123_subdomain("web-", prefix=True)
    assert not names.dns1123_subdomain("a.-", prefix=True)
    assert list(names.dns1123_subdomain("-", prefix=True)) == [SUBDOMAIN]
    assert list(names.dns1123_subdomain("web-")) == [SUBDOMAIN]


def test_a_label_has_no_dots() -> None:
    assert list(names.dns1123_label("a.b")) == ["must not contain dots"]
    assert list(names.dns1123_label("A.b")) == [LABEL]
    assert list(names.dns1123_label("a" * 64)) == ["must be no more than 63 characters"]


def test_an_rfc_1035_label_starts_with_a_letter() -> None:
    assert not names.dns1035_label("a1")
    [problem] = names.dns1035_label("1a")
    assert problem.startswith("a DNS-1035 label must consist of")
    assert problem.endswith(
        "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
    )


@pytest.mark.parametrize("key", ["a", "A_b.c-9", "example.com/Name", "a" * 63, f"{'b' * 253}/a"])
def test_a_qualified_name_is_a_label_key(key: str) -> None:
    assert not names.label_key(key)


@pytest.mark.parametrize(
    ("key", "problems"),
    [
        ("", ["name part must be non-empty", f"name part {KEY}"]),
        ("a/", ["name part must be non-empty", f"name part {KEY}"]),
        ("/a", ["prefix part must be non-empty"]),
        (
            "a/b/c",
            [f"a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"],
        ),
        ("A/a", [f"prefix part {SUBDOMAIN}"]),
        ("-", [f"name part {KEY}"]),
        ("a" * 64, ["name part must be no more than 63 bytes"]),
        ("é", [f"name part {KEY}"]),
        (f"{'a' * 254}/a", ["prefix part must be no more than 253 bytes"]),
    ],
)
def test_a_bad_label_key_is_told_which_part_is_wrong(key: str, problems: list[str]) -> None:
    assert list(names.label_key(key)) == problems


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ("", []),
        ("a_B.9", []),
        ("-", [VALUE]),
        ("a b", [VALUE]),
        ("x" * 64, ["must be no more than 63 bytes"]),
        ("é" * 32, ["must be no more than 63 bytes", VALUE]),
    ],
)
def test_label_values(value: str, problems: list[str]) -> None:
    assert list(names.label_value(value)) == problems


@pytest.mark.parametrize(
    ("key", "problems"),
    [
        ("a_B.9-", []),
        (".a", []),
        (".", ["must not be '.'"]),
        ("..", ["must not be '..'"]),
        ("..a", ["must not start with '..'"]),
        ("a" * 254, ["must be no more than 253 characters"]),
        (
            "a b",
            [
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
            ],
        ),
    ],
)
def test_keys_of_config_maps_and_secrets(key: str, problems: list[str]) -> None:
    assert list(names.config_map_key(key)) == problems


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("http", []),
        ("a" * 16, ["must be no more than 15 characters"]),
        ("1-2", ["must contain at least one letter (a-z)"]),
        ("a--b", ["must not contain consecutive hyphens"]),
        ("-a", ["must not begin or end with a hyphen"]),
        ("A-", ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                "must contain at least one letter (a-z)",
                "must not begin or end with a hyphen"]),
    ],
)  # fmt: skip
def test_names_of_ports(name: str, problems: list[str]) -> None:
    assert list(names.port_name(name)) == problems


def test_names_of_rbac_objects_need_only_fit_into_a_path() -> None:
    assert not names.path_segment_name("system:a B")
    assert list(names.path_segment_name("..")) == ["may not be '..'"]
    assert list(names.path_segment_name("a/b%")) == ["may not contain '/'", "may not contain '%'"]
    assert not names.path_segment_name("..", prefix=True)


@pytest.mark.parametrize(
    ("rule", "good", "bad", "words"),
    [
        (names.percent, "25%", "25", "a valid percent string must be a numeric string followed by an ending '%'"),
        (names.http_header_name, "X-Name", "a b", "a valid HTTP header must consist of alphanumeric characters or '-'"),
        (names.relaxed_env_var_name, "9 a", "a=b", "a valid environment variable name must consist only of printable"),
        (names.wildcard_dns1123_subdomain, "*.a.b", "*.*.a", "a wildcard DNS-1123 subdomain must start with '*.'"),
        (names.dns1123_subdomain_with_underscore, "_a.b_c", "a_", "a lowercase RFC 1123 subdomain must consist"),
    ],
)
def test_each_rule_has_its_words(rule: Callable[[str], Sequence[str]], good: str, bad: str, words: str) -> None:
    assert not rule(good)
    [problem] = rule(bad)
    assert problem.startswith(words)


def test_numbers_have_a_range() -> None:
    assert not names.port_number(65535)
    assert list(names.port_number(0)) == ["must be between 1 and 65535, inclusive"]
    assert list(names.user_id(-1)) == ["must be between 0 and 2147483647, inclusive"]
    assert not names.group_id(2**31 - 1)
