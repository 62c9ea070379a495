"""Changes of Amazon's own models, made in memory: which of them break the client."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.contracts.facts import facts_of
from domain.contracts.judgement import findings
from domain.contracts.surfaces import SURFACES

AMAZON = Path(__file__).parents[3].parent / "shared" / "specs" / "amazon"
SEARCH = "/orders/2026-01-01/orders"
Change = Callable[[dict[str, Any]], None]


def properties(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["definitions"][name]["properties"]
    return found


@pytest.fixture
def orders() -> dict[str, Any]:
    """Amazon's own model of orders."""
    if not AMAZON.exists():
        pytest.skip("the official models are not beside this copy of the project")
    found: dict[str, Any] = json.loads((AMAZON / "orders_2026-01-01.json").read_text())
    return found


def amazon(before: dict[str, Any], change: Change) -> dict[str, set[str]]:
    """What is said of a change of Amazon's model, by kind."""
    after = copy.deepcopy(before)
    change(after)
    found = findings(facts_of(before), facts_of(after), SURFACES["amazon-orders"])
    return {
        kind: {f"{one.subject} {one.detail}" for one in found if one.kind == kind}
        for kind in {one.kind for one in found}
    }


def test_a_renamed_token_of_amazons_is_breaking(orders: dict[str, Any]) -> None:
    def rename(document: dict[str, Any]) -> None:
        pagination = properties(document, "Pagination")
        pagination["nextPageToken"] = pagination.pop("nextToken")

    assert amazon(orders, rename) == {
        "breaking": {
            f"GET {SEARCH} response pagination.nextToken is missing, renamed to"
            " pagination.nextPageToken (new beside it, of the same type)"
        }
    }


def test_a_removed_filter_of_amazons_is_breaking(orders: dict[str, Any]) -> None:
    def remove(document: dict[str, Any]) -> None:
        search = document["paths"][SEARCH]["get"]
        search["parameters"] = [
            one for one in search["parameters"] if one["name"] != "lastUpdatedAfter"
        ]

    assert amazon(orders, remove) == {
        "breaking": {f"GET {SEARCH} parameter lastUpdatedAfter is missing"}
    }


@pytest.mark.parametrize(("rate", "kind"), [("0.004", "breaking"), ("0.0167", "warning")])
def test_a_changed_rate_of_amazons_is_read_from_its_words(
    orders: dict[str, Any], rate: str, kind: str
) -> None:
    def change(document: dict[str, Any]) -> None:
        search = document["paths"][SEARCH]["get"]
        search["description"] = search["description"].replace("0.0056", rate)

    (said,) = amazon(orders, change)[kind]

    assert f"may be called {rate} times a second with a burst of 20" in said


def test_a_removal_that_amazon_announces_is_counted_down(orders: dict[str, Any]) -> None:
    def announce(document: dict[str, Any]) -> None:
        search = document["paths"][SEARCH]["get"]
        search["description"] += " This operation will be removed on March 27, 2027."

    (said,) = amazon(orders, announce)["deprecation"]

    assert said == f"GET {SEARCH} This operation will be removed on March 27, 2027."


@pytest.mark.parametrize(
    "change",
    [
        lambda it: properties(it, "Buyer").clear(),
        lambda it: properties(it, "Order").update(parcels={"type": "integer"}),
        lambda it: it["paths"].pop("/orders/2026-01-01/orders/{orderId}"),
        lambda it: properties(it, "OrderPackage").pop("packageReferenceId"),
    ],
)
def test_changes_of_amazons_that_nobody_uses_are_information(
    orders: dict[str, Any], change: Change
) -> None:
    assert set(amazon(orders, change)) == {"information"}


@pytest.mark.parametrize(
    ("surface", "model"),
    [
        ("amazon-orders", "orders_2026-01-01"),
        ("amazon-fba-inventory", "fbaInventory"),
        ("amazon-listings", "listingsItems_2021-08-01"),
    ],
)
def test_amazons_models_fit_the_client(surface: Any, model: str) -> None:
    if not AMAZON.exists():
        pytest.skip("the official models are not beside this copy of the project")

    document = json.loads((AMAZON / f"{model}.json").read_text())

    assert findings(None, facts_of(document), SURFACES[surface]) == ()
