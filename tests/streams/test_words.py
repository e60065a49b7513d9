"""Channels, SPDY's frames, ports and targets: what streams say, without a socket."""

from __future__ import annotations

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynkube
from dynkube.errors import APIStatusError, DecodeError, InternalServerError, InvalidRequestError
from dynkube.streams.channels import exit_code_of, resize_message, stream_query
from dynkube.streams.ports import PortSpec, listen_addresses, parse_port, pod_port, service_port
from dynkube.streams.spdy import Frame, Session
from dynkube.streams.targets import choose_container, container_names, selector_of

# ---------------------------------------------------------------------- the error channel


@pytest.mark.behaviour("8.1.4")
def test_the_exit_code_is_in_the_causes():
    status = {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "137"}]},
    }
    assert exit_code_of(json.dumps(status).encode()) == 137
    assert exit_code_of(b'{"status": "Success"}') == 0


@pytest.mark.behaviour("8.1.4")
def test_another_failure_is_raised_in_its_words():
    status = {"status": "Failure", "reason": "InternalError", "message": "it broke", "code": 500}
    with pytest.raises(InternalServerError, match=r"it broke \[GET /x\]"):
        exit_code_of(json.dumps(status).encode(), path="/x")
    with pytest.raises(APIStatusError):
        exit_code_of(b'{"status": "Failure"}')


@pytest.mark.parametrize("message", [b"", b"{", b"[]", b"1", b'{"status": "Failure", "reason": "NonZeroExitCode"}'])
def test_what_is_no_status_is_told(message):
    with pytest.raises(DecodeError, match="error channel"):
        exit_code_of(message)


@given(
    st.dictionaries(
        st.sampled_from(["status", "reason", "details", "code", "message"]),
        st.one_of(st.none(), st.integers(), st.text(), st.lists(st.none())),
    )
)
def test_any_status_is_a_code_or_an_error_of_ours(status):
    try:
        assert isinstance(exit_code_of(json.dumps(status).encode()), int)
    except (APIStatusError, DecodeError):
        pass


@pytest.mark.behaviour("8.1.5")
def test_a_stream_request_asks_for_what_is_wanted():
    query = stream_query(container="c", command=["a", "-b"], stdin=True, stdout=True, stderr=True, tty=True)
    assert query == (
        ("command", "a"),
        ("command", "-b"),
        ("container", "c"),
        ("stdin", "true"),
        ("stdout", "true"),
        ("tty", "true"),
    )
    with pytest.raises(InvalidRequestError, match="at least one"):
        stream_query(container="c", stdin=False, stdout=False, stderr=False, tty=False)


@pytest.mark.behaviour("8.1.6")
@pytest.mark.parametrize("size", [(0, 1), (1, 65536), (True, 1), (1.5, 1)])
def test_a_terminals_size_is_two_numbers(size):
    assert resize_message(65535, 1) == b'{"Width":65535,"Height":1}'
    with pytest.raises(InvalidRequestError, match="want a number of characters"):
        resize_message(*size)


# ---------------------------------------------------------------------- SPDY


@given(st.lists(st.tuples(st.sampled_from([1, 3]), st.binary(max_size=50), st.booleans())), st.integers(1, 20))
def test_frames_are_the_same_however_they_come(frames, size):
    wire = b"".join(Session.data(stream, data, end=end) for stream, data, end in frames)
    session = Session()
    found = [frame for start in range(0, len(wire), size) for frame in session.feed(wire[start : start + size])]
    assert found == [Frame(stream, data, end) for stream, data, end in frames]


@pytest.mark.behaviour("8.2.3")
def test_a_stream_is_opened_with_its_headers_packed():
    session = Session()
    unpacker = zlib.decompressobj()
    for stream in (1, 3):
        frame = session.open(stream, {"streamType": "data", "port": "80"}, end=stream == 1)
        version, kind, flags_length, number, _, _ = struct.unpack_from("!HHIIIH", frame)
        assert (version, kind, flags_length >> 24, number) == (0x8003, 1, int(stream == 1), stream)
        assert flags_length & 0xFFFFFF == len(frame) - 8
        block = unpacker.decompress(frame[18:])
        assert block == b"\0\0\0\2\0\0\0\x0astreamtype\0\0\0\4data\0\0\0\4port\0\0\0\x0280"


def test_the_other_side_may_reset_ask_and_go():
    session = Session()
    reset = struct.pack("!HHIII", 0x8003, 3, 8, 3, 5)
    ping = struct.pack("!HHII", 0x8003, 6, 4, 2)
    away = struct.pack("!HHIII", 0x8003, 7, 8, 3, 0)
    reply = struct.pack("!HHII", 0x8003, 2, 1 << 24 | 4, 3)
    settings = struct.pack("!HHII", 0x8003, 4, 4, 0)
    found = list(session.feed(reset + ping + settings + reply + away))
    assert found == [Frame(3, reset=True), Frame(0, ping=ping), Frame(3, end=True), Frame(0, reset=True)]
    with pytest.raises(DecodeError, match="not a frame of SPDY"):
        list(session.feed(b"\x80\x02\0\1\0\0\0\0"))


# ---------------------------------------------------------------------- ports


@pytest.mark.behaviour("8.2.1")
@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (5000, PortSpec(0, 5000)),
        ("5000", PortSpec(5000, 5000)),
        ("8888:5000", PortSpec(8888, 5000)),
        ("0:5000", PortSpec(0, 5000)),
        (":5000", PortSpec(0, 5000)),
        ("http", PortSpec(0, "http")),
        ("80:http", PortSpec(80, "http")),
    ],
)
def test_ports_are_kubectls_grammar(spec, found):
    assert parse_port(spec) == found


@pytest.mark.behaviour("8.2.1")
@pytest.mark.parametrize(
    "spec", [0, -1, 65536, True, None, "", ":", "1:2:3", "x:1", "65536:1", "1:65536", "1:0", "-1:5", "\u0661:1"]
)
def test_what_is_no_port_is_refused(spec):
    with pytest.raises(InvalidRequestError, match="ports: "):
        parse_port(spec)


@pytest.mark.behaviour("8.2.2")
def test_addresses_are_addresses_or_localhost():
    assert listen_addresses(["::1", "localhost", "127.0.0.1"]) == (("127.0.0.1",), ("127.0.0.1", "::1"), ("::1",))
    with pytest.raises(InvalidRequestError, match=r"example.org is not a valid IP"):
        listen_addresses("example.org")
    with pytest.raises(InvalidRequestError, match="want at least one"):
        listen_addresses([])


POD = {
    "metadata": {"name": "p"},
    "spec": {
        "containers": [
            {
                "name": "a",
                "ports": [
                    {"name": "http", "containerPort": 8080},
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                ],
            }
        ]
    },
}


def service(**port: object) -> dict[str, object]:
    return {"metadata": {"name": "s"}, "spec": {"ports": [port]}}


@pytest.mark.behaviour("8.2.6")
def test_a_services_port_is_looked_up_by_number_name_and_target():
    assert service_port(service(port=80, targetPort="http"), POD, 80) == 8080
    assert service_port(service(port=80, name="web", targetPort=81), POD, "web") == 81
    assert service_port(service(port=80), POD, 80) == 80
    headless = service(port=80, targetPort=81)
    headless["spec"]["clusterIP"] = "None"
    assert service_port(headless, POD, 80) == 80


@pytest.mark.behaviour("8.2.6")
def test_a_port_for_udp_alone_is_refused():
    with pytest.raises(InvalidRequestError, match="UDP protocol is not supported for 53"):
        pod_port(POD, 53)
    with pytest.raises(InvalidRequestError, match="UDP protocol is not supported for dns"):
        pod_port(POD, "dns")
    assert pod_port(POD, 9999) == 9999


# ---------------------------------------------------------------------- targets


@pytest.mark.behaviour("8.1.12", "8.3.2")
def test_the_container_that_is_meant():
    pod = {
        "metadata": {"name": "p", "annotations": {"kubectl.kubernetes.io/default-container": "b"}},
        "spec": {
            "containers": [{"name": "a"}, {"name": "b"}],
            "initContainers": [{"name": "i"}],
            "ephemeralContainers": [{"name": "e"}],
        },
    }
    assert container_names(pod) == ["i", "a", "b", "e"]
    assert choose_container(pod, None) == "b"
    assert choose_container(pod, "a") == "a"
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "gone"}
    assert choose_container(pod, None) == "a"
    with pytest.raises(InvalidRequestError, match="no containers"):
        choose_container({"metadata": {"name": "p"}}, None)


@pytest.mark.behaviour("8.2.6", "8.3.2")
def test_a_workloads_selector_is_a_label_selector():
    client = dynkube.DynamicClient(dynkube.RESTConfig(host="https://127.0.0.1:1"))
    deployments = client.resource(dynkube.GroupVersionResource("apps", "v1", "deployments"))
    expressions = [{"key": "a", "operator": "In", "values": ["1", "2"]}, {"key": "b", "operator": "DoesNotExist"}]
    selector = {"matchLabels": {"c": "3"}, "matchExpressions": expressions}
    assert selector_of(deployments, {"spec": {"selector": selector}}) == "c=3,a in (1,2),!b"
    services = client.resource(dynkube.GroupVersionResource("", "v1", "services"))
    assert selector_of(services, {"spec": {"selector": {"c": "3", "a": "1"}}}) == "a=1,c=3"
    with pytest.raises(InvalidRequestError, match="has no selector"):
        selector_of(services, {"metadata": {"name": "s"}, "spec": {}})
    client.close()
