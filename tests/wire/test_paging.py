from __future__ import annotations

from dataclasses import dataclass

import pytest

from dynkube.errors import DecodeError, ExpiredError
from dynkube.options import ListOptions
from dynkube.wire.paging import Pager


@dataclass
class Page:
    resource_version: str
    continue_token: str = ""


def expired(token: str) -> ExpiredError:
    return ExpiredError({"code": 410, "reason": "Expired", "metadata": {"continue": token}})


def query(pager: Pager) -> dict[str, str]:
    assert pager.request is not None
    return dict(pager.request.to_query())


@pytest.mark.behaviour("5.1.10", "7.1.3", "7.1.4")
def test_pages_after_the_first_carry_the_token_and_no_version() -> None:
    options = ListOptions(label_selector="a=b", resource_version="5", resource_version_match="Exact")
    pager = Pager(options, page_size=3)
    assert query(pager) == {
        "labelSelector": "a=b",
        "limit": "3",
        "resourceVersion": "5",
        "resourceVersionMatch": "Exact",
    }
    pager.on_page(Page("5", "one"))
    assert query(pager) == {"labelSelector": "a=b", "limit": "3", "continue": "one"}
    pager.on_page(Page("5", "two"))
    assert query(pager) == {"labelSelector": "a=b", "limit": "3", "continue": "two"}
    pager.on_page(Page("5"))
    assert pager.request is None
    assert (pager.resource_version, pager.pages, pager.inconsistent) == ("5", 3, False)
    with pytest.raises(RuntimeError, match="complete"):
        pager.on_page(Page("5"))


def test_a_limit_of_the_caller_is_the_page_size() -> None:
    assert query(Pager(ListOptions(limit=7))) == {"limit": "7"}
    assert query(Pager()) == {"limit": "500"}
    assert query(Pager(page_size=0)) == {}


@pytest.mark.behaviour("5.1.10")
def test_an_expired_token_goes_on_with_the_one_offered_and_says_so() -> None:
    pager = Pager(page_size=1)
    pager.on_page(Page("5", "one"))
    pager.on_expired(expired("newer"))
    assert pager.inconsistent
    assert query(pager) == {"limit": "1", "continue": "newer"}
    pager.on_page(Page("9"))
    assert pager.request is None
    assert pager.resource_version == "5"


@pytest.mark.behaviour("5.1.10", "7.1.3")
@pytest.mark.parametrize(("started", "offered"), [(True, ""), (False, "newer"), (False, "")])
def test_expired_without_a_token_to_go_on_with_is_the_callers(started: bool, offered: str) -> None:
    pager = Pager(ListOptions(resource_version="5"), page_size=1)
    if started:
        pager.on_page(Page("5", "one"))
    error = expired(offered)
    with pytest.raises(ExpiredError) as caught:
        pager.on_expired(error)
    assert caught.value is error
    assert not pager.inconsistent


def test_a_caller_may_begin_in_the_middle() -> None:
    pager = Pager(ListOptions(continue_token="mine", limit=2))
    assert query(pager) == {"continue": "mine", "limit": "2"}
    pager.on_expired(expired("newer"))
    assert query(pager) == {"continue": "newer", "limit": "2"}


def test_a_server_that_repeats_its_token_would_never_end() -> None:
    pager = Pager()
    pager.on_page(Page("5", "one"))
    with pytest.raises(DecodeError, match="never ends"):
        pager.on_page(Page("5", "one"))
