"""Requests for a release: every objection at once, each naming what and the limit."""

from dataclasses import replace

from domain.request import Asked, objections, route_until

GOOD = Asked(
    ref="main",
    commit="c0ffee0000000000",
    services=("storefront",),
    route=("staging", "production"),
    known_services=("order-sync", "storefront"),
    known_route=("staging", "production"),
    released_before=("order-sync",),
    held={},
    not_descended_from={},
    requested_by="ann",
)


def test_a_good_request_has_no_objection() -> None:
    assert objections(GOOD) == ()


def test_every_objection_is_listed_at_once() -> None:
    bad = replace(
        GOOD,
        services=("storefrnt",),
        released_before=(),
        held={"production": "2026.11.24.2 (canary)"},
        not_descended_from={"staging": "badc0de000000"},
        requested_by=" ",
    )

    found = objections(bad)

    assert len(found) == 6
    assert "service is 'storefrnt', known are order-sync, storefront" in found
    assert "production is held by 2026.11.24.2 (canary)" in found
    assert any("would overtake a newer one" in one for one in found)


def test_a_service_that_was_never_released_cannot_be_left_out() -> None:
    (found,) = objections(replace(GOOD, released_before=()))

    assert found == "service 'order-sync' has never been released: it cannot be left out"


def test_an_unknown_last_environment_is_kept_for_the_objections() -> None:
    assert route_until(("staging", "production"), "prod") == ("prod",)
    assert route_until(("staging", "production"), "") == ("staging", "production")
