"""Plans: what moves, in which order, and what is refused."""

from domain.manifest import Manifest, Part, from_record, to_record
from domain.plan import Serving, overtaking, plan, quarantined

STOREFRONT = Part("storefront", "web", "sha256:aa", "2026.11.24.2", "e1")
ORDER_SYNC = Part("order-sync", "worker", "sha256:bb", "2026.11.24.1", "e2")
MANIFEST = Manifest("2026.11.24.2", "c0ffee", "cfg", "mig", (ORDER_SYNC, STOREFRONT))


def test_only_services_whose_digest_differs_are_moved() -> None:
    serving = {
        "storefront": Serving("2026.11.24.1", "sha256:old"),
        "order-sync": Serving("2026.11.24.1", "sha256:bb"),
    }

    planned = plan(MANIFEST, "production", serving)

    assert [change.service for change in planned.changes] == ["storefront"]
    assert planned.changes[0].before == serving["storefront"]


def test_customers_come_before_background_work() -> None:
    planned = plan(MANIFEST, "production", {})

    assert [change.kind for change in planned.changes] == ["web", "worker"]


def test_an_older_release_never_overtakes_a_newer_one_that_passed() -> None:
    assert overtaking("2026.11.24.9", "2026.11.24.10", "production") == (
        "2026.11.24.9 would overtake 2026.11.24.10, which already passed in production",
    )
    assert overtaking("2026.11.24.11", "2026.11.24.10", "production") == ()
    assert overtaking("2026.11.24.1", None, "production") == ()


def test_the_same_bad_code_under_a_new_number_stays_out() -> None:
    found = quarantined(MANIFEST, {"sha256:bb": "stock decremented twice"})

    assert found == ("order-sync sha256:bb is quarantined: stock decremented twice",)


def test_a_manifest_survives_its_record() -> None:
    assert from_record(to_record(MANIFEST)) == MANIFEST
