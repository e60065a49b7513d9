"""The small rules of built-in kinds: addresses, images, schedules, indexes, paths, amounts; in a real server's words."""

from __future__ import annotations

from typing import Any

import pytest

from dynkube.testing.apiserver.builtin import addresses, internal
from dynkube.testing.apiserver.builtin.batch.indexes import IndexesError, count_indexes, overlap
from dynkube.testing.apiserver.builtin.batch.schedules import schedule, time_zone
from dynkube.testing.apiserver.builtin.gojson import problem_of
from dynkube.testing.apiserver.builtin.images import default_pull_policy
from dynkube.testing.apiserver.builtin.keypairs import key_pair_problem
from dynkube.testing.apiserver.builtin.pod.paths import local_path
from dynkube.testing.apiserver.builtin.resourcenames import container_resource_name, quota_resource_name
from dynkube.testing.apiserver.builtin.rules import same
from dynkube.testing.apiserver.builtin.selectors import matches
from dynkube.testing.apiserver.decoding.empties import Empty, with_empties


def said(errors: Any) -> list[str]:
    return [each.body.removeprefix("Invalid value: ") for each in errors]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("1.2.3.4", []),
        ("fd00::1", []),
        ("", ['"": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
        ("1.2.3", ['"1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
        ("1.2.3.04", ['"1.2.3.04": must not have leading 0s']),
        ("::ffff:1.2.3.4", ['"::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address']),
        ("fe80::1%eth0", ['"fe80::1%eth0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
    ],
)
def test_addresses(text: str, problems: list[str]) -> None:
    assert said(addresses.ip(text, "a")) == problems
    assert said(addresses.ip(text, "a", [text])) == []


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("1.2.3.4", []),
        ("fd00::1", []),
        ("x", []),
        ("01.2.3.4", ['a: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"']),
        ("FD00::1", ['a: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")']),
    ],
)  # fmt: skip
def test_odd_addresses(text: str, warnings: list[str]) -> None:
    assert addresses.ip_warnings(text, "a") == warnings


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("10.0.0.0/8", []),
        ("10.0.0.1/8", ['"10.0.0.1/8": must not have bits set beyond the prefix length']),
        ("010.0.0.0/8", ['"010.0.0.0/8": must not have leading 0s in IP or prefix length']),
        ("10.0.0.0", ['"10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']),
        ("10.0.0.0/33", ['"10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']),
    ],
)
def test_ranges(text: str, problems: list[str]) -> None:
    assert said(addresses.cidr(text, "a")) == problems


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("a:1", "IfNotPresent"),
        ("registry:5000/a", "Always"),
        ("registry:5000/a:1", "IfNotPresent"),
        (f"a@sha256:{'0' * 64}", "IfNotPresent"),
        (f"a:latest@sha256:{'0' * 64}", "Always"),
        ("A", "IfNotPresent"),
        ("", "IfNotPresent"),
        ("a b", "IfNotPresent"),
        ("0" * 64, "IfNotPresent"),
    ],
)
def test_images(image: str, policy: str) -> None:
    assert default_pull_policy(image) == policy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("* * * * *", ""),
        ("*/5 1-3,7 ? jan-mar MON", ""),
        ("@hourly", ""),
        ("@every 1h30m", ""),
        ("CRON_TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
    ],
)
def test_schedules(text: str, problem: str) -> None:
    assert [each.detail for each in schedule(text, None, "a", may_name_zone=False)] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("zone", "problem"),
    [
        (None, ""),
        ("UTC", ""),
        ("Europe/Berlin", ""),
        ("", "timeZone must be nil or non-empty string"),
        ("Europe/Nowhere", "unknown time zone Europe/Nowhere"),
        ("../x", "unknown time zone ../x"),
        ("Local", "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"),
    ],
)
def test_time_zones(zone: str | None, problem: str) -> None:
    assert [each.detail for each in time_zone(zone, "a")] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 0),
        ("0", 1),
        ("0,2-4", 4),
        ("5", 'too large index: "5"'),
        ("2,1", "non-increasing order, previous: 2, current: 1"),
        ("3-2", "non-increasing order, previous: 3, current: 2"),
        ("1-2-3", 'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by \'-\''),
        ("x", 'cannot convert string to integer for index: "x"'),
    ],
)  # fmt: skip
def test_indexes(text: str, found: int | str) -> None:
    if isinstance(found, int):
        assert count_indexes(text, 5) == found
        return
    with pytest.raises(IndexesError) as caught:
        count_indexes(text, 5)
    assert str(caught.value) == found


@pytest.mark.parametrize(
    ("ours", "theirs", "found"), [("0,2", "1,3", None), ("0-3", "2", 2), ("4", "1,4", 4), ("", "1", None)]
)
def test_indexes_of_both(ours: str, theirs: str, found: int | None) -> None:
    assert overlap(ours, theirs, 9) == found


@pytest.mark.parametrize(
    ("path", "problems"),
    [
        ("a/b", []),
        ("/a", ['"/a": must be a relative path']),
        ("../a", ["\"../a\": must not contain '..'"]),
        ("..a", ["\"..a\": must not start with '..'"]),
    ],
)
def test_paths(path: str, problems: list[str]) -> None:
    assert said(local_path(path, "a")) == problems


@pytest.mark.parametrize(
    ("name", "is_fine"),
    [
        ("cpu", True),
        ("example.com/gpu", True),
        ("gpu", False),
        ("hugepages-2Mi", True),
        ("requests.example.com/gpu", False),
    ],
)
def test_resources_of_containers(name: str, is_fine: bool) -> None:
    assert (list(container_resource_name(name, "a")) == []) == is_fine


@pytest.mark.parametrize(("name", "is_fine"), [("pods", True), ("count/x.example", True), ("gpu", False)])
def test_resources_of_quotas(name: str, is_fine: bool) -> None:
    assert (list(quota_resource_name(name, "a")) == []) == is_fine


@pytest.mark.parametrize(
    ("selector", "is_match"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"a": "b"}}, True),
        ({"matchLabels": {"a": "c"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, False),
        ({"matchExpressions": [{"key": "z", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_selectors(selector: dict[str, Any] | None, is_match: bool) -> None:
    assert matches(selector, {"a": "b"}) == is_match


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, True),
        ({"a": "1"}, {"a": "1000m"}, False),
        ({"a": []}, {}, True),
        ({"a": {}}, {}, False),  # a struct that is there; a map would have gone when it was decoded
        ([{"a": None}], [{}], True),
        (0, False, True),
    ],
)
def test_sameness(one: Any, other: Any, is_same: bool) -> None:
    assert same(one, other) == is_same


def test_values_as_the_server_shows_its_own() -> None:
    shown = internal.shown({"key": "a", "operator": "Exists"}, "core.Toleration")
    assert list(shown.items()) == [
        ("Key", "a"),
        ("Operator", "Exists"),
        ("Value", ""),
        ("Effect", ""),
        ("TolerationSeconds", None),
    ]
    assert internal.difference({"key": "a"}, {"key": "<"}, "core.Toleration") == (
        '@@ -1,5 +1,5 @@\n {\n- "Key": "a",\n+ "Key": "\\u003c",\n  "Operator": "",\n  "Value": "",\n  "Effect": "",\n'
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{}", ""),
        (b"null", ""),
        (b"[]", "json: cannot unmarshal array into Go value of type T"),
        (b"{", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
    ],
)
def test_json_in_secrets(text: bytes, problem: str) -> None:
    assert problem_of(text, dict, "T") == problem


PEM = b"-----BEGIN %s-----\nAAAA\n-----END %s-----\n"
CERTIFICATE, KEY = (PEM % (kind, kind) for kind in (b"CERTIFICATE", b"PRIVATE KEY"))


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        (b"", b"", "tls: failed to find any PEM data in certificate input"),
        (
            KEY,
            KEY,
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may "
            "have been switched",
        ),
        (CERTIFICATE, b"", "tls: failed to find any PEM data in key input"),
        (CERTIFICATE, CERTIFICATE, "tls: found a certificate rather than a key in the PEM for the private key"),
        (CERTIFICATE, KEY, "x509: malformed certificate"),
    ],
)
def test_key_pairs(certificate: bytes, key: bytes, problem: str) -> None:
    assert key_pair_problem(certificate, key) == problem


@pytest.mark.parametrize(
    ("value", "paths", "found"),
    [
        ({"a": 1}, [], {"a": 1}),
        ({"a": 1}, [("b",)], {"a": 1, "b": []}),
        ({"a": [1]}, [("a",)], {"a": [1]}),
        ({"a": {"b": 1}}, [("a", "c")], {"a": {"b": 1, "c": []}}),
        ({"a": [{}]}, [("a", 0, "b"), ("a", 1, "b")], {"a": [{"b": []}]}),
        ({"a": None}, [("b", "c")], {"a": None}),
    ],
)
def test_what_was_there_and_empty(value: Any, paths: list[tuple[str | int, ...]], found: Any) -> None:
    assert with_empties(value, [Empty(path, []) for path in paths]) == found
