"""Nights of the contracts flow: a specification that changes, and people who accept it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State
from prefect.testing.utilities import prefect_test_harness

from blocks.ledger import Ledger
from blocks.shop import ShopBlock
from domain.contracts.findings import Finding, objections
from domain.contracts.surfaces import SURFACES
from flows.contracts import contracts

SHOP: dict[str, Any] = {
    "shop": "small",
    "repository": ".",
    "route": ["production"],
    "services": {
        "sync": {
            "kind": "worker",
            "paths": ["sync"],
            "command": ["python", "-m", "sync"],
            "requirements": "requirements.lock",
            "test": {"command": ["pytest"], "requirements": "requirements.lock"},
        }
    },
    "environments": {"production": {"hosts": [{"name": "one"}]}},
    "contracts": {"sources": {"stock": {"surface": "amazon-fba-inventory", "at": "stock.json"}}},
}


@pytest.fixture(scope="module", autouse=True)
def prefect() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


def specification() -> dict[str, Any]:
    """Just what the client uses of Amazon's stock."""
    (operation,) = SURFACES["amazon-fba-inventory"].operations
    method, path = operation.call.split()
    answer: dict[str, Any] = {}
    for read in operation.reads:
        place = answer
        for name in read.split("."):
            inner = place.setdefault("properties", {}).setdefault(name.removesuffix("[]"), {})
            place = inner.setdefault("items", {}) if name.endswith("[]") else inner
        place["type"] = "string"
    parameters = [{"name": name, "in": "query", "type": "string"} for name in operation.sends]
    return {
        "swagger": "2.0",
        "paths": {
            path: {
                method.lower(): {
                    "description": "Returns stock.",
                    "parameters": parameters,
                    "responses": {"200": {"schema": answer}},
                }
            }
        },
    }


def the_one(document: dict[str, Any]) -> dict[str, Any]:
    """Its only operation."""
    (item,) = document["paths"].values()
    found: dict[str, Any] = item["get"]
    return found


def rename_token(document: dict[str, Any]) -> None:
    answer = the_one(document)["responses"]["200"]["schema"]
    pagination = answer["properties"]["pagination"]["properties"]
    pagination["cursor"] = pagination.pop("nextToken")


@dataclass(frozen=True)
class Nights:
    folder: Path
    ledger: Ledger

    def publish(self, document: dict[str, Any], name: str = "stock.json") -> None:
        (self.folder / name).write_text(json.dumps(document))

    def declare(self, **contracts: Any) -> None:
        shop = {**SHOP, "contracts": {**SHOP["contracts"], **contracts}}
        (self.folder / "shop.yaml").write_text(yaml.safe_dump(shop))

    def pass_one(self) -> State[Any]:
        state: State[Any] = contracts("small", return_state=True)
        return state

    def findings(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.ledger.findings.all() if one.gone_at is None)


@pytest.fixture
def nights(tmp_path: Path, database_url: str) -> Nights:
    made = Nights(tmp_path, Ledger(database_url))
    made.ledger.migrate()
    made.declare()
    made.publish(specification())
    (tmp_path / "state" / "databases").mkdir(parents=True)
    (tmp_path / "state" / "databases" / "ledger").write_text(database_url)
    block = ShopBlock(path=str(tmp_path / "shop.yaml"), state=str(tmp_path / "state"))
    block.save("small", overwrite=True)
    return made


def artifact() -> str:
    """The newest page under the flow's key."""
    chosen = ArtifactFilter(key=ArtifactFilterKey(any_=["contracts"]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=chosen)
    return str(max(found, key=lambda one: one.created).data)


def test_a_broken_contract_is_found_every_night_until_somebody_accepts_it(nights: Nights) -> None:
    assert nights.pass_one().is_completed()
    assert nights.findings() == ()
    changed = specification()
    rename_token(changed)
    nights.publish(changed)

    for _ in range(2):
        assert nights.pass_one().is_completed()
        (finding,) = nights.findings()
        assert "renamed to pagination.cursor" in finding.detail
        assert len(objections(nights.findings())) == 1
    assert finding.id in artifact()

    nights.ledger.findings.accept(finding.id, "ann", "the client reads both")
    nights.pass_one()
    assert objections(nights.findings()) == ()
    nights.pass_one()
    assert nights.findings() == ()
    assert nights.ledger.verify() == ()


def test_a_change_that_is_taken_back_needs_nobody(nights: Nights) -> None:
    nights.pass_one()
    changed = specification()
    rename_token(changed)
    nights.publish(changed)
    nights.pass_one()
    assert objections(nights.findings())

    nights.publish(specification())
    nights.pass_one()

    assert nights.findings() == ()


def test_a_version_to_come_is_compared_before_it_comes(nights: Nights) -> None:
    coming = specification()
    rename_token(coming)
    nights.publish(coming, "next.json")
    source = {"surface": "amazon-fba-inventory", "at": "stock.json"}
    nights.declare(sources={"stock": {**source, "next": "next.json"}})

    nights.pass_one()

    assert [(one.source, one.kind) for one in nights.findings()] == [("stock, next", "breaking")]
    nights.declare()
    nights.pass_one()
    assert nights.findings() == ()


def test_a_source_that_is_silent_is_named_and_ends_no_other(nights: Nights) -> None:
    gone = {"surface": "amazon-orders", "at": "gone.json"}
    stock = {"surface": "amazon-fba-inventory", "at": "stock.json"}
    nights.declare(sources={"orders": gone, "stock": stock})
    changed = specification()
    rename_token(changed)
    nights.publish(changed)

    state = nights.pass_one()

    assert (state.is_failed(), state.message) == (True, "not read: orders")
    assert [one.source for one in nights.findings()] == ["stock"]
    assert "gone.json cannot be read" in artifact().replace("\\", "")


def test_an_announced_end_is_told_once_per_threshold(nights: Nights) -> None:
    ending = specification()
    on = (datetime.now(UTC) + timedelta(days=100)).date()
    the_one(ending)["description"] += f" It will be removed on {on}."
    nights.publish(ending)

    nights.pass_one()

    (finding,) = nights.findings()
    assert (finding.kind, finding.decided_on, finding.told_days) == ("deprecation", on, 180)
    before = len(audit_of(nights))
    nights.pass_one()
    assert len(audit_of(nights)) == before


def audit_of(nights: Nights) -> list[Any]:
    """What the ledger wrote about telling people."""
    query = "SELECT id FROM audit WHERE action LIKE 'tell of %%'"
    return nights.ledger.findings._store.rows(query)


def test_deprecations_of_a_feed_are_told_where_they_are_used(nights: Nights) -> None:
    item = "<item><title>Inventory API: {}</title><decommissionDate>{}</decommissionDate></item>"
    names = ("getInventoryItems", "createOffer")
    items = "".join(item.format(name, "2099-01-01") for name in names)
    (nights.folder / "feed.xml").write_text(f"<rss><channel>{items}</channel></rss>")
    nights.declare(feeds={"ebay": {"channel": "ebay", "at": "feed.xml"}})

    nights.pass_one()

    assert [one.subject for one in nights.findings()] == ["Inventory API: getInventoryItems"]


def test_without_contracts_there_is_nothing_to_compare(nights: Nights) -> None:
    shop = {name: value for name, value in SHOP.items() if name != "contracts"}
    (nights.folder / "shop.yaml").write_text(yaml.safe_dump(shop))

    state = nights.pass_one()

    assert state.name == "Refused"
    assert "contracts is missing in shop.yaml" in str(state.message)
