"""API tests that cannot be run are named before anything is changed, those in shop.yaml too."""

import shutil
from pathlib import Path

import pytest
import yaml

from blocks.shop import Live
from domain.apitests.settings import ApiTests, Collection, OpenApi
from domain.errors import BadInput
from examples.repository import SampleRepository
from tasks.apitests import lacking

COLLECTION = Collection("storefront/tests/checkout.postman_collection.json")


@pytest.fixture
def live(tmp_path: Path) -> Live:
    sample = SampleRepository(tmp_path / "shop")
    return Live(sample.folder / "shop.yaml", tmp_path / "state")


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        (ApiTests((COLLECTION,), OpenApi("storefront/openapi.json")), ""),
        (ApiTests(openapi=OpenApi("/openapi.json")), ""),
        (ApiTests((Collection("storefront/none.json"),)), "'storefront/none.json': not in commit"),
        (ApiTests((Collection("storefront/tests"),)), "'storefront/tests': it is no file"),
    ],
)
def test_what_the_commit_lacks_is_named(live: Live, suite: ApiTests, said: str) -> None:
    told = list(lacking(live, "storefront", suite, live.repository.resolve("main")))

    assert len(told) == bool(said), told
    assert said in "".join(told)


def test_a_machine_without_node_is_told_what_it_needs(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, git = live.repository.resolve("main"), shutil.which("git")
    (tmp_path / "git").symlink_to(str(git))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    told = list(lacking(live, "storefront", ApiTests((COLLECTION,)), commit))

    assert told == [
        "services.storefront.api.postman needs node and npm on this machine:"
        " not found beside Tradewind's Python nor on PATH"
    ]


@pytest.mark.parametrize(
    ("service", "api", "said"),
    [
        ("order-sync", {"openapi": {"at": "/x"}}, "services.order-sync.api is given: only a web"),
        ("storefront", {}, "services.storefront.api names neither postman nor openapi"),
        ("storefront", {"openapi": {"at": "/x", "seed": -1}}, "api.openapi.seed is -1"),
    ],
)
def test_what_is_declared_wrongly_is_named(
    live: Live, service: str, api: dict[str, object], said: str
) -> None:
    settings = yaml.safe_load(live.path.read_text())
    settings["services"][service]["api"] = api
    live.path.write_text(yaml.safe_dump(settings))

    with pytest.raises(BadInput) as refused:
        Live(live.path, live.state)

    assert said in str(refused.value)
