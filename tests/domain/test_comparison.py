"""Two environments side by side: what is named, and what refuses a promotion."""

from dataclasses import replace

from domain.comparison import Difference, Place, Seen, comparison, differences
from domain.host import Facts
from domain.manifest import Manifest, Part

CONFIGURATION = "sha256:cfg"
PARTS = (
    Part("web", "web", "sha256:aa", "2026.11.24.1", "e"),
    Part("sync", "worker", "sha256:bb", "2026.11.24.1", "e"),
)
MANIFEST = Manifest("2026.11.24.1", "c0ffee", CONFIGURATION, "m", PARTS)
RELEASED = {part.service: frozenset((part.digest,)) for part in PARTS}
KEYS = {"web": frozenset(("DATABASE_URL",)), "sync": frozenset(("DATABASE_URL",))}


def host(name: str, serving: dict[str, frozenset[str]] = RELEASED, **facts: str) -> Seen:
    known = Facts(name, "3.11.2", "6.1", "x86_64", "20.10", "envoy 1.40", "4.3", "a9", 10**9, 0)
    return Seen(replace(known, **facts), serving)


def place(environment: str, *hosts: Seen, keys: dict[str, frozenset[str]] = KEYS) -> Place:
    return Place(environment, hosts or (host(f"{environment}-1"),), keys, {})


def compared(source: Place, target: Place) -> tuple[Difference, ...]:
    return differences(source, target, MANIFEST, CONFIGURATION)


def test_the_same_on_both_sides_is_no_difference() -> None:
    found = compared(place("staging"), place("production"))

    assert found == ()
    assert comparison("staging", "production", found) == "# staging and production do not differ"


def test_other_versions_are_named_with_the_hosts_that_have_them_and_refuse_nothing() -> None:
    hosts = host("p1"), host("p2", python="3.9.2", engine="")

    found = compared(place("staging"), place("production", *hosts))

    assert [str(one) for one in found] == [
        "python: staging has 3.11.2, production has 3.11.2 (p1) and 3.9.2 (p2)",
        "engine: staging has 20.10, production has 20.10 (p1) and none (p2)",
    ]
    assert not any(one.refuses for one in found)


def test_a_host_that_does_not_answer_refuses() -> None:
    (found,) = compared(place("staging"), replace(place("production"), away={"p9": "no route"}))

    assert found.refuses
    assert str(found) == "hosts: staging misses none, production misses p9"


def test_free_disk_and_the_clock_are_not_compared() -> None:
    fuller = host("p1")
    fuller = replace(fuller, facts=replace(fuller.facts, disk_free_bytes=1, clock_offset_seconds=9))

    assert compared(place("staging"), place("production", fuller)) == ()


def test_a_variable_that_the_target_lacks_refuses_and_one_that_it_adds_is_named() -> None:
    staging = place("staging", keys={**KEYS, "web": frozenset(("DATABASE_URL", "GIFT_WRAP"))})
    production = place("production", keys={**KEYS, "web": frozenset(("DATABASE_URL", "CDN"))})

    lacked, added = compared(staging, production)

    assert str(lacked) == "variable GIFT_WRAP of web: staging has it, production lacks it"
    assert str(added) == "variable CDN of web: staging lacks it, production has it"
    assert (lacked.refuses, added.refuses) == (True, False)


def test_another_digest_than_the_manifests_in_the_source_refuses() -> None:
    other = host("s2", {**RELEASED, "web": frozenset(("sha256:cc",))})

    (found,) = compared(place("staging", host("s1"), other), place("production"))

    assert found.refuses
    assert found.source == "staging serves sha256:aa (s1) and sha256:cc (s2)"


def test_a_service_that_does_not_serve_in_the_source_refuses() -> None:
    nobody = {"web": RELEASED["web"]}

    (found,) = compared(place("staging", host("s1", nobody)), place("production"))

    assert found.refuses
    assert str(found).startswith("digest of sync: staging serves nothing")


def test_a_worker_need_not_work_on_every_host() -> None:
    without = host("s2", {"web": RELEASED["web"]})

    assert compared(place("staging", host("s1"), without), place("production")) == ()


def test_what_the_target_serves_before_is_named_and_an_empty_target_is_not() -> None:
    older = host("p1", {"web": frozenset(("sha256:00",))})

    (found,) = compared(place("staging"), place("production", older))

    assert not found.refuses
    assert str(found) == "digest of web: staging's is sha256:aa, production serves sha256:00"


def test_another_shop_yaml_than_the_releases_is_named() -> None:
    (found,) = differences(place("staging"), place("production"), MANIFEST, "sha256:now")

    assert not found.refuses
    assert "2026.11.24.1 was built by shop.yaml sha256:cfg" in str(found)


def test_what_refuses_comes_first_and_is_marked_for_people() -> None:
    staging = place("staging", keys={**KEYS, "web": frozenset(("DATABASE_URL", "GIFT_WRAP"))})

    found = compared(staging, place("production", host("p1", kernel="6.6")))

    assert [one.refuses for one in found] == [True, False]
    assert comparison("staging", "production", found).count("has to be accepted") == 1
