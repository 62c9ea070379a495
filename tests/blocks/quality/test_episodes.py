"""A divergence lasts from the look that sees it first to the one that finds it right."""

from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from domain.checks.looks import Divergence, Look, Usual
from tests.blocks.quality.shop import AMAZON, EBAY, NOW, Channel, Shop, listed, sold


@pytest.fixture
def shop(database_url: str) -> Shop:
    """Every SKU has five units; nothing is pushed and no event is counted."""
    shop = Shop(database_url).open()
    for name in (AMAZON, EBAY):
        for sku in ("CUP", "POT", "TEA"):
            shop.stock(5, sku, channel=name)
    return shop


def seen(shop: Shop, minute: int = 0, *, name: str = AMAZON, reason: str = "",
         asked: tuple[str, ...] = (), **levels: int) -> Look:  # fmt: skip
    """A look at ``minute`` past noon; a channel shows five units of what is not said."""
    shown = {"CUP": 5, "POT": 5, "TEA": 5, **levels}
    rows = tuple(
        listed(quantity, sku) for sku, quantity in shown.items() if sku in (asked or shown)
    )
    queries = {name: text for name, text in shop.ours().queries.items()
               if name not in ("pushes", "events")}  # fmt: skip
    return shop.look(
        Channel(rows, name=name, reason=reason), at=NOW + timedelta(minutes=minute),
        ours=replace(shop.ours(), queries=queries), asked={name: asked} if asked else {},
    )  # fmt: skip


def wrong(shop: Shop) -> list[tuple[str, str, datetime]]:
    """What is open: SKU, what the channel shows, since when."""
    found = shop.quality().open_divergences("production")
    return [(one.key, one.theirs, one.since) for one in found]


def test_a_violation_opens_goes_on_and_ends(shop: Shop) -> None:
    seen(shop, 0, TEA=4)
    seen(shop, 10, TEA=3)
    assert wrong(shop) == [("TEA", "3", NOW)]

    right = seen(shop, 20)

    assert wrong(shop) == []
    assert list(shop.quality().seen_by("production", right.id)) == []


def test_the_rows_of_a_look_are_those_that_stood_then(shop: Shop) -> None:
    first = seen(shop, 0, TEA=4, CUP=4)
    seen(shop, 10, TEA=4)
    seen(shop, 20)

    rows = list(shop.quality().seen_by("production", first.id))

    assert [(row.key, row.ours, row.theirs) for row in rows] == [
        ("CUP", "5", "4"),
        ("TEA", "5", "4"),
    ]
    assert rows[0] == Divergence(
        AMAZON, "INV-01", "CUP", "5", "4", "5 to 5 expected, 0 of it under way", NOW,
        NOW + timedelta(minutes=10),
    )  # fmt: skip


@pytest.mark.parametrize("blind", [{"reason": "429 QuotaExceeded"}, {"asked": ("CUP",)}])
def test_what_a_look_could_not_see_stays_as_it_is(
    shop: Shop, blind: dict[str, str | tuple[str, ...]]
) -> None:
    seen(shop, 0, TEA=4)

    seen(shop, 10, **blind)  # type: ignore[arg-type]

    assert wrong(shop) == [("TEA", "4", NOW)]


def test_an_unknown_channel_opens_nothing(shop: Shop) -> None:
    seen(shop, 0, TEA=4, reason="429 QuotaExceeded")

    assert wrong(shop) == []


def test_a_sample_is_compared_with_the_same_skus_here(shop: Shop) -> None:
    found = seen(shop, 0, TEA=4, asked=("CUP", "TEA")).parts[AMAZON]

    assert (found.compared["INV-06"], found.violating) == (2, {"INV-01": 1})
    assert (found.skus, found.sampled) == (3, 2)


def test_looking_once_more_at_what_is_wrong_ends_what_became_right(shop: Shop) -> None:
    seen(shop, 0, TEA=4, CUP=4)

    seen(shop, 10, TEA=4, asked=("CUP", "TEA"))

    assert wrong(shop) == [("TEA", "4", NOW)]


def test_a_sku_that_is_gone_on_both_sides_is_wrong_no_more(shop: Shop) -> None:
    shop.look(Channel((listed(5, "JUG"),)))
    assert "JUG" in [key for key, _, _ in wrong(shop)]

    shop.look(Channel())

    assert "JUG" not in [key for key, _, _ in wrong(shop)]


def test_channels_do_not_end_each_others_divergences(shop: Shop) -> None:
    seen(shop, 0, TEA=4)

    seen(shop, 10, name=EBAY)

    assert wrong(shop) == [("TEA", "4", NOW)]


def test_only_what_began_after_the_baseline_and_was_seen_twice_persists(shop: Shop) -> None:
    before = seen(shop, 0, CUP=4)
    first = seen(shop, 10, CUP=4, POT=4, TEA=4)
    again = seen(shop, 20, CUP=4, TEA=4)

    new = shop.quality().persisting("production", before.id, first.id, again.id)

    assert [row.key for row in new[AMAZON]["INV-01"].rows] == ["TEA"]
    assert (new[AMAZON]["INV-01"].count, new[AMAZON]["INV-01"].top) == (1, 0)


def test_what_became_right_in_between_does_not_persist(shop: Shop) -> None:
    before = seen(shop, 0)
    first = seen(shop, 10, TEA=4)
    seen(shop, 20)
    again = seen(shop, 30, TEA=4)

    assert shop.quality().persisting("production", before.id, first.id, again.id) == {}


@pytest.mark.parametrize(("offered", "top"), [(4, 0), (400, 1)])
def test_best_sellers_of_which_too_many_are_offered_are_counted_apart(
    shop: Shop, offered: int, top: int
) -> None:
    shop.order("a")
    before = seen(shop, 0)
    first = seen(shop, 10, TEA=offered, CUP=4)

    new = shop.quality().persisting("production", before.id, first.id, first.id)

    assert (new[AMAZON]["INV-01"].count, new[AMAZON]["INV-01"].top) == (2, top)


def test_usual_is_what_came_and_went_in_the_windows_before(shop: Shop) -> None:
    windows = [
        seen(shop, 0, CUP=4, TEA=4).id,
        seen(shop, 10, CUP=4, POT=4).id,
        seen(shop, 20, CUP=4).id,
    ]

    usual = shop.quality().usual("production", windows)

    assert usual[AMAZON]["INV-01"] == Usual(changing=2, compared=9, keys=2)
    assert usual[AMAZON]["INV-03"] == Usual(changing=0, compared=9)


def test_history_has_the_looks_before_oldest_first(shop: Shop) -> None:
    looks = [seen(shop, minute, TEA=4) for minute in (0, 10, 20, 30)]

    found = shop.quality().history("production", looks[3].id, 2)

    assert found == tuple(looks[1:3])
    assert shop.quality().history("production", count=1) == (looks[3],)


def test_a_beginning_knows_the_last_look_that_could_have_seen_it(shop: Shop) -> None:
    seen(shop, 0, CUP=4)
    seen(shop, 10, CUP=4, reason="429 QuotaExceeded")
    seen(shop, 20, CUP=4, TEA=4)
    old, new = shop.quality().beginnings("production")
    assert (old.clean_before, new.clean_before, new.since) == (
        None,
        NOW,
        NOW + timedelta(minutes=20),
    )

    shop.quality().suspect("production", {new: "2026.11.24-1"})

    suspected = {one.key: one.suspected for one in shop.quality().open_divergences("production")}
    assert suspected == {"CUP": "", "TEA": "2026.11.24-1"}
    assert shop.quality().beginnings("production") == (old,)


def test_a_missing_order_that_arrives_late_is_missing_no_more(shop: Shop) -> None:
    shop.look(Channel((), (sold("a"),)))
    shop.order("a")

    found = shop.look(Channel((), (sold("a"),)))

    open_now = {one.check for one in shop.quality().open_divergences("production")}
    assert "ORD-01" not in found.parts[AMAZON].violating
    assert "ORD-01" not in open_now


def test_nothing_is_left_of_a_look_but_what_it_saw(shop: Shop) -> None:
    seen(shop, 0, TEA=4)

    with psycopg.connect(shop.url) as connection:
        query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'recon%'"
        assert connection.execute(query).fetchall() == []
