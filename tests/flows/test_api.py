"""Stories about API tests: a release that breaks its clients is taken back before they see it."""

from collections.abc import Iterator

import pytest

from tests.flows.world import Settings, World, opened, quick

COLLECTION = "storefront/tests/checkout.postman_collection.json"


def only_the_storefront(settings: Settings) -> None:
    """To staging and no further, with both kinds of API tests."""
    quick(settings)
    production = settings["environments"]["production"]
    del production["channels"], production["checks"], settings["migrations"]["load"]
    for worker in ("order-sync", "inventory-sync"):
        del settings["services"][worker]
    settings["services"]["storefront"]["api"] = {
        "postman": [{"path": COLLECTION}],
        "openapi": {"at": "/openapi.json", "max_examples": 5, "phases": ["examples", "fuzzing"]},
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("shop"), only_the_storefront) as everything:
        yield everything


def break_answers(world: World) -> str:
    """A branch whose pages lost their version, and that answers 201 to a key it knows."""
    world.sample.branch_off("numbers")
    page = world.folder / "storefront" / "__main__.py"
    text = page.read_text()
    text = text.replace('"version": os.environ', '"wersion": os.environ')
    page.write_text(
        text.replace("self.answer(201 if new else 200, order)", "self.answer(201, order)")
    )
    world.sample.commit("Other answers")
    world.sample.switch("main")
    return "numbers"


@pytest.mark.story
@pytest.mark.long
@pytest.mark.timeout(500)
def test_a_release_that_breaks_its_clients_is_restored_in_staging_with_the_request_named(
    world: World,
) -> None:
    good = world.released(until="staging")

    bad = world.released(break_answers(world), until="staging")

    assert (good.state, bad.state) == ("released", "restored"), (good.outcome, bad.outcome)
    assert "The same key makes no second order (POST /checkout): answers 200" in bad.outcome
    assert "schemathesis openapi.json" in bad.outcome
    assert "Response violates schema" in bad.outcome
    assert world.weights("staging") == {f"storefront@{good.version}": 100}
    step = world.live.ledger.steps(f"deployment:{world.deployment(good.version, 'staging').id}")
    (outcome,) = (one.outcome for one in step if one.name == "api tests storefront")
    assert [one["failed"] for one in outcome["results"]] == [0, 0]
    assert outcome["reasons"][0] == ("newman checkout: 4 requests, 0 of 6 checks failed")
