"""Lists, pages, selectors, tables and metadata."""

from __future__ import annotations

import logging

import pytest
from manifests import config_map, widget

import dynkube


def names(objects) -> list[str]:  # type: ignore[no-untyped-def]
    return sorted(obj["metadata"]["name"] for obj in objects)


@pytest.fixture
def seven(configmaps: dynkube.ResourceHandle) -> dynkube.ResourceHandle:
    for number in range(7):
        configmaps.create(
            config_map(f"cm-{number}", labels={"n": str(number), "parity": "odd" if number % 2 else "even"})
        )
    return configmaps


class TestList:
    @pytest.mark.behaviour("5.1.5")
    def test_items_carry_kind_and_apiversion(self, seven: dynkube.ResourceHandle) -> None:
        found = seven.list(label_selector="n")
        assert len(found) == 7
        assert {(obj["apiVersion"], obj["kind"]) for obj in found} == {("v1", "ConfigMap")}
        assert found.kind == "ConfigMapList"
        assert found.resource_version

    @pytest.mark.behaviour("5.1.5")
    def test_of_custom_resources(self, widgets: dynkube.ResourceHandle) -> None:
        widgets.create(widget("a"))
        found = widgets.list()
        assert found.kind == "WidgetList"
        assert [obj["kind"] for obj in found] == ["Widget"]

    @pytest.mark.behaviour("5.2.8")
    @pytest.mark.parametrize(
        ("selector", "expected"),
        [
            ("parity=odd", 3),
            ("parity==odd", 3),
            ("parity!=odd,n", 4),
            ("n in (1,2,3)", 3),
            ("n notin (1,2,3),n", 4),
            ("!n", None),
            ("n>4", 2),
            ("n<2", 2),
        ],
    )
    def test_label_selectors_mean_here_what_they_mean_there(
        self, seven: dynkube.ResourceHandle, selector: str, expected: int | None
    ) -> None:
        parsed = dynkube.LabelSelector.parse(selector)
        everything = seven.list()
        here = names(obj for obj in everything if parsed.matches(obj["metadata"].get("labels", {})))
        assert names(seven.list(label_selector=selector)) == here
        assert names(seven.list(label_selector=parsed)) == here
        assert expected is None or len(here) == expected

    @pytest.mark.behaviour("2.5.2")
    def test_field_selector(self, seven: dynkube.ResourceHandle) -> None:
        assert names(seven.list(field_selector="metadata.name=cm-3")) == ["cm-3"]

    @pytest.mark.behaviour("5.2.8")
    def test_a_selector_that_does_not_parse_is_never_sent(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match="selector"):
            configmaps.list(label_selector="a in (b")

    @pytest.mark.behaviour("2.5.2")
    def test_a_field_the_server_cannot_select_by(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.BadRequestError, match="field selector"):
            configmaps.list(field_selector="data.key=1")

    @pytest.mark.behaviour("2.5.8")
    def test_exact_version(self, seven: dynkube.ResourceHandle) -> None:
        before = seven.list()
        seven.create(config_map("later", labels={"n": "9"}))
        again = seven.list(resource_version=before.resource_version, resource_version_match="Exact")
        assert names(again) == names(before)

    @pytest.mark.behaviour("2.5.8")
    def test_not_older_than(self, seven: dynkube.ResourceHandle) -> None:
        version = seven.create(config_map("later"))["metadata"]["resourceVersion"]
        found = seven.list(resource_version=version, resource_version_match="NotOlderThan")
        assert "later" in names(found)

    @pytest.mark.behaviour("2.5.8")
    def test_rules_that_the_server_has_are_checked_before(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(dynkube.InvalidRequestError, match=r"resource_version|resourceVersion"):
            configmaps.list(resource_version_match="Exact")

    def test_an_empty_list(self, configmaps: dynkube.ResourceHandle) -> None:
        found = configmaps.list(label_selector="nobody=has-this")
        assert list(found) == []
        assert not found.continue_token

    def test_an_unknown_keyword_is_a_type_error(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises(TypeError, match="labelSelector"):
            configmaps.list(labelSelector="a=b")  # type: ignore[call-arg]


class TestPages:
    @pytest.mark.behaviour("5.1.10")
    def test_limit_and_continue(self, seven: dynkube.ResourceHandle) -> None:
        first = seven.list(limit=3)
        assert len(first) == 3
        assert first.continue_token
        assert first.remaining_item_count is not None
        rest = seven.list(limit=100, continue_token=first.continue_token)
        assert len(first) + len(rest) == len(seven.list())
        assert not rest.continue_token

    @pytest.mark.behaviour("5.1.10")
    def test_remaining_may_be_unknown_with_a_selector(self, seven: dynkube.ResourceHandle) -> None:
        page = seven.list(limit=2, label_selector="n")
        assert page.continue_token
        assert page.remaining_item_count is None

    @pytest.mark.behaviour("7.1.4")
    def test_iter_pages_behind_the_scenes(self, seven: dynkube.ResourceHandle) -> None:
        assert names(seven.iter(limit=2, label_selector="n")) == [f"cm-{number}" for number in range(7)]

    @pytest.mark.behaviour("7.1.3")
    def test_later_pages_carry_no_resource_version(self, seven: dynkube.ResourceHandle) -> None:
        version = seven.list().resource_version
        found = names(seven.iter(limit=3, resource_version=version, resource_version_match="Exact", label_selector="n"))
        assert len(found) == 7

    @pytest.mark.behaviour("5.1.10")
    def test_pages_show_one_version(self, seven: dynkube.ResourceHandle) -> None:
        pages = seven.iter(limit=3, label_selector="n")
        seen = [next(pages)["metadata"]["name"]]
        seven.create(config_map("cm-9", labels={"n": "9"}))
        seen += names(pages)
        assert "cm-9" not in seen
        assert len(seen) == 7

    @pytest.mark.behaviour("5.1.10")
    def test_a_continue_token_that_is_none(self, configmaps: dynkube.ResourceHandle) -> None:
        with pytest.raises((dynkube.BadRequestError, dynkube.ExpiredError, dynkube.APIStatusError)):
            configmaps.list(limit=1, continue_token="nonsense")

    @pytest.mark.behaviour("5.1.10")
    def test_an_expired_token_is_an_expired_error_with_a_way_on(
        self,
        server,
        seven: dynkube.ResourceHandle,  # type: ignore[no-untyped-def]
    ) -> None:
        first = seven.list(limit=3)
        server.expire_history()
        with pytest.raises(dynkube.ExpiredError) as caught:
            seven.list(limit=3, continue_token=first.continue_token)
        assert caught.value.code == 410
        assert not isinstance(caught.value, dynkube.GoneError)
        rest = seven.list(continue_token=caught.value.continue_token)
        assert len(first) + len(rest) == len(seven.list())

    @pytest.mark.behaviour("5.1.10")
    def test_iter_goes_on_when_its_token_expires_and_says_so(
        self,
        server,
        seven: dynkube.ResourceHandle,
        caplog: pytest.LogCaptureFixture,  # type: ignore[no-untyped-def]
    ) -> None:
        pages = seven.iter(limit=3, label_selector="n")
        seen = [next(pages)["metadata"]["name"]]
        server.expire_history()
        with caplog.at_level(logging.WARNING, logger="dynkube"):
            seen += names(pages)
        assert sorted(seen) == [f"cm-{number}" for number in range(7)]
        assert pages.inconsistent
        assert "inconsistent" in caplog.text or "newer" in caplog.text

    @pytest.mark.behaviour("2.8.10")
    def test_an_exact_list_of_an_expired_version(
        self,
        server,
        seven: dynkube.ResourceHandle,  # type: ignore[no-untyped-def]
    ) -> None:
        version = seven.list().resource_version
        server.expire_history()
        with pytest.raises(dynkube.ExpiredError):
            seven.list(resource_version=version, resource_version_match="Exact")


class TestOtherForms:
    @pytest.mark.behaviour("5.5.1")
    def test_metadata_only(self, seven: dynkube.ResourceHandle) -> None:
        found = seven.metadata_only().list(label_selector="n")
        assert {obj["kind"] for obj in found} == {"PartialObjectMetadata"}
        assert all("data" not in obj for obj in found)

    @pytest.mark.behaviour("5.5.2")
    def test_metadata_of_one(self, seven: dynkube.ResourceHandle) -> None:
        got = seven.metadata_only().get("cm-1")
        assert (got["kind"], got["metadata"]["name"]) == ("PartialObjectMetadata", "cm-1")

    @pytest.mark.behaviour("5.5.2")
    def test_metadata_of_a_patch(self, seven: dynkube.ResourceHandle) -> None:
        got = seven.metadata_only().patch("cm-1", {"metadata": {"labels": {"x": "y"}}})
        assert got["metadata"]["labels"]["x"] == "y"
        assert got["kind"] == "PartialObjectMetadata"

    def test_table(self, seven: dynkube.ResourceHandle) -> None:
        table = seven.table(label_selector="n")
        assert table["kind"] == "Table"
        assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert sorted(row["cells"][0] for row in table["rows"]) == [f"cm-{number}" for number in range(7)]

    def test_table_of_one(self, seven: dynkube.ResourceHandle) -> None:
        assert [row["cells"][0] for row in seven.table("cm-2")["rows"]] == ["cm-2"]

    @pytest.mark.behaviour("2.6.4")
    def test_a_large_list_comes_compressed_and_is_not_noticed(self, configmaps: dynkube.ResourceHandle) -> None:
        configmaps.create(config_map("large", text="x" * 300_000))
        assert len(configmaps.get("large")["data"]["text"]) == 300_000
