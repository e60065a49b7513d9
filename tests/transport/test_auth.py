from __future__ import annotations

import base64
import logging

import pytest
from urllib3 import HTTPHeaderDict

from dynkube._version import __version__
from dynkube.config.model import Impersonation, RESTConfig
from dynkube.errors import ConfigError, InvalidRequestError
from dynkube.transport.auth import Credentials, TokenFile, default_user_agent


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def credentials(**fields):
    return Credentials(RESTConfig(host="https://kube:6443", **fields))


def sent(made, *given):
    headers = made.headers(given)
    made.authorize(headers)
    return list(headers.items())


# ------------------------------------------------------------- which headers


@pytest.mark.behaviour("2.2.9")
def test_the_user_agent_says_who_and_where():
    name, *rest = default_user_agent().split(" ")
    assert name == f"dynkube/{__version__}"
    assert rest[0].startswith("(")
    assert "/" in rest[0]
    assert ("User-Agent", "mine/1") in sent(credentials(user_agent="mine/1"))


@pytest.mark.behaviour("1.6.5")
def test_gzip_is_asked_for_unless_disabled():
    assert ("Accept-Encoding", "gzip") in sent(credentials())
    assert "Accept-Encoding" not in dict(sent(credentials(disable_compression=True)))


def test_bearer_and_basic():
    assert ("Authorization", "Bearer abc") in sent(credentials(bearer_token="abc"))
    basic = "Basic " + base64.b64encode("jane:pässword".encode()).decode()
    assert ("Authorization", basic) in sent(credentials(username="jane", password="pässword"))
    assert "Authorization" not in dict(sent(credentials()))


@pytest.mark.behaviour("2.2.1")
def test_each_header_that_is_there_stays():
    made = credentials(bearer_token="abc", user_agent="mine/1", impersonate=Impersonation(user="u", groups=["g"]))
    given = [
        ("authorization", "Basic x"),
        ("user-agent", "other"),
        ("impersonate-user", "v"),
        ("ACCEPT-encoding", "br"),
    ]
    assert sent(made, *given) == given


@pytest.mark.behaviour("1.6.3", "2.2.3", "2.2.4", "2.2.5")
def test_impersonation_has_a_line_for_each_value():
    user = Impersonation(user="jane", uid="7", groups=["a", "b,c"], extra={"example.org/foo%": ["x", "y"]})
    lines = [each for each in sent(credentials(impersonate=user)) if each[0].startswith("Impersonate")]
    assert lines == [
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b,c"),
        ("Impersonate-Extra-example.org%2Ffoo%25", "x"),
        ("Impersonate-Extra-example.org%2Ffoo%25", "y"),
    ]


def test_names_beyond_ascii_go_as_utf_8():
    lines = dict(sent(credentials(impersonate=Impersonation(user="jürgen"))))
    assert lines["Impersonate-User"].encode("latin-1") == "jürgen".encode()


@pytest.mark.behaviour("1.6.2")
def test_credentials_over_plain_http_need_permission():
    config = RESTConfig(host="http://kube", bearer_token="abc", allow_plain_http_credentials=True)
    assert ("Authorization", "Bearer abc") in sent(Credentials(config))
    with pytest.raises(ConfigError, match="plain http"):
        config.copy(allow_plain_http_credentials=False)


@pytest.mark.parametrize("header", [("X Y", "v"), ("", "v"), ("X", "a\r\nInjected: yes"), ("X:", "v")])
def test_a_header_that_is_none_is_refused_without_its_value(header):
    with pytest.raises(InvalidRequestError, match="header") as caught:
        credentials().headers((header,))
    assert "Injected" not in str(caught.value)


def test_nothing_shows_a_credential():
    assert "abc" not in repr(credentials(bearer_token="abc"))


# ------------------------------------------------------------- token files


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "token"
    path.write_text(" first \n")
    return path


@pytest.mark.behaviour("2.2.6")
def test_a_token_file_is_read_again_after_50_s(path, clock):
    source = TokenFile(str(path), clock=clock)
    assert source.token() == "first"
    path.write_text("second\n")
    clock.now += 49
    assert source.token() == "first"
    clock.now += 1.1
    assert source.token() == "second"


@pytest.mark.behaviour("2.2.6")
def test_the_last_good_token_stays_while_the_file_is_unreadable(path, clock, caplog):
    source = TokenFile(str(path), clock=clock)
    path.unlink()
    clock.now += 60
    with caplog.at_level(logging.ERROR, "dynkube.transport"):
        assert source.token() == "first"
    assert str(path) in caplog.text
    assert "first" not in caplog.text
    path.write_text("second")  # the next request looks again, without waiting
    assert source.token() == "second"


@pytest.mark.behaviour("2.2.6", "1.6.4")
def test_the_file_wins_over_the_initial_token_while_readable(path, clock):
    source = TokenFile(str(path), initial="initial", clock=clock)
    assert source.token() == "first"


@pytest.mark.behaviour("2.2.6", "1.6.4")
def test_the_initial_token_serves_while_the_file_is_unreadable(tmp_path, clock):
    path = tmp_path / "later"
    source = TokenFile(str(path), initial="initial", clock=clock)
    assert source.token() == "initial"
    path.write_text("first")
    assert source.token() == "first"


@pytest.mark.behaviour("2.2.6", "1.6.4")
@pytest.mark.parametrize(
    ("content", "problem"), [(None, "No such file"), (b" \n", "empty"), (b"a\nb", "control"), (b"\xff", "not text")]
)
def test_a_useless_file_without_initial_token_is_an_error_that_names_it(tmp_path, content, problem):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as caught:
        TokenFile(str(path))
    assert str(path) in str(caught.value)


@pytest.mark.behaviour("2.2.6")
def test_a_file_that_becomes_empty_is_a_failure_too(path, clock):
    source = TokenFile(str(path), clock=clock)
    path.write_text("")
    clock.now += 60
    assert source.token() == "first"


def test_the_token_is_not_in_the_repr(path):
    assert "first" not in repr(TokenFile(str(path)))


@pytest.mark.behaviour("2.2.1")
def test_the_file_is_left_alone_when_the_request_has_its_own_authorization(path):
    made = credentials(bearer_token_file=str(path))
    headers = HTTPHeaderDict({"Authorization": "Basic x"})
    made.authorize(headers)
    assert headers["Authorization"] == "Basic x"
