"""What shop.yaml may say of drills."""

import pytest

from domain.drills.settings import Agreed, Drills, Marker, agreed_of, objections, place_of

ROUTE = ("staging", "production")
WHOLE = Marker("INSERT %(key)s", "SELECT %(key)s", "DELETE %(key)s")


def said(drills: Drills, route: tuple[str, ...] = ROUTE, migrated: bool = True) -> list[str]:
    return [text for _, text in objections(drills, route, migrated)]


def test_drills_are_on_the_first_environment_of_the_route() -> None:
    assert place_of(Drills(), ROUTE) == "staging"
    assert said(Drills()) == []


def test_customers_are_never_drilled_with() -> None:
    assert said(Drills(environment="production")) == [
        "drills.environment is 'production', the route has before its last: staging"
    ]
    assert said(Drills(), ("production",)) == [
        "drills.environment is '', the route has before its last: none"
    ]


@pytest.mark.parametrize(
    ("drills", "migrated", "text"),
    [
        (Drills(kinds=()), True, "drills.kinds is empty"),
        (Drills(kinds=("host", "host")), True, "a kind may stand there once"),
        (Drills(marker=WHOLE), False, "drills.marker is given, migrations is missing"),
        (Drills(marker=Marker("a %(key)s", "b", "c %(key)s")), True, "drills.marker.find is 'b'"),
    ],
)
def test_what_cannot_be_meant_is_named(drills: Drills, migrated: bool, text: str) -> None:
    (found,) = said(drills, migrated=migrated)

    assert text in found


def test_a_kind_has_its_own_agreement_or_the_usual_one() -> None:
    drills = Drills(agreed={"host": Agreed(5, 1)})

    assert agreed_of(drills, "host") == Agreed(5, 1)
    assert agreed_of(drills, "database").rto_seconds == 1800
