"""Drift: nothing is named while all is well, and everything that is not is named with its host."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.drift import Drift, Expected, Found, drift, drift_report, warm
from domain.host import Observed, Running, unit_name
from domain.plan import Serving

NEW, OLD = "2026.11.24.2", "2026.11.24.1"
KINDS = {"web": "web", "sync": "worker", "mail": "worker", "report": "job"}
EXPECTED = Expected(
    "production",
    {name: Serving(NEW, f"sha256:{name}-new") for name in KINDS},
    {name: Serving(OLD, f"sha256:{name}-old") for name in KINDS},
    KINDS,
    frozenset(("sync",)),
    7,
    "sha256:cfg",
)
HOSTS = ("p1", "p2", "p3")


def unit(service: str, version: str, *, at_work: bool) -> Running:
    kind = KINDS.get(service, "web")
    digest = f"sha256:{service}-{'new' if version == NEW else 'old'}"
    role = "working" if at_work or kind == "web" else "standby"
    weight = 100 if at_work and kind == "web" else 0
    state = "SCHEDULED" if kind == "job" else "RUNNING"
    return Running(service, version, digest, kind, 8000, state, role, weight)


def host(*units: Running, epoch: int = 7) -> Observed:
    return Observed({unit_name(one.service, one.version): one for one in units}, {}, epoch)


def first(*, first_host: bool) -> Observed:
    """As it should be: all traffic on the new version, single work on the first host only."""
    return host(
        unit("web", NEW, at_work=True),
        unit("web", OLD, at_work=False),
        unit("mail", NEW, at_work=True),
        unit("mail", OLD, at_work=False),
        *(unit(name, NEW, at_work=first_host) for name in ("sync", "report")),
        *(unit(name, OLD, at_work=False) for name in ("sync", "report")),
    )


def well(**other: Observed | str) -> Found:
    hosts = {name: first(first_host=name == HOSTS[0]) for name in HOSTS}
    return Found({**hosts, **other}, EXPECTED.configuration)


def changed(seen: Observed, service: str, version: str, **fields: object) -> Observed:
    name = unit_name(service, version)
    one = replace(seen.units[name], **fields)  # type: ignore[arg-type]
    return replace(seen, units={**seen.units, name: one})


def without(seen: Observed, service: str, version: str) -> Observed:
    gone = unit_name(service, version)
    return replace(seen, units={name: one for name, one in seen.units.items() if name != gone})


def test_as_it_should_be_nothing_is_named() -> None:
    assert drift(EXPECTED, well()) == ()


SECOND = first(first_host=False)
LATER = "2026.11.24.3"
CASES: dict[str, tuple[Observed | str, tuple[str, str, str, str]]] = {
    "a host that does not answer": ("no route", ("", "host", "no route", "an answer")),
    "a host that missed a deployment": (
        replace(SECOND, epoch=6),
        ("", "epoch", "6", "7 or above"),
    ),
    "a service that is not there": (
        without(changed(SECOND, "web", OLD, weight=100), "web", NEW),
        ("web", "unit", "absent", NEW),
    ),
    "traffic on the older version": (
        changed(changed(SECOND, "web", OLD, weight=50), "web", NEW, weight=50),
        ("web", "weight", f"50 % on {OLD}, 50 % on {NEW}", f"100 % on {NEW}"),
    ),
    "weights that are not 100 in all": (
        changed(SECOND, "web", NEW, weight=90),
        ("web", "weight", f"90 % on {NEW}", f"100 % on {NEW}"),
    ),
    "no traffic at all": (
        changed(SECOND, "web", NEW, weight=0),
        ("web", "weight", "no traffic", f"100 % on {NEW}"),
    ),
    "other content under the same version": (
        changed(SECOND, "web", NEW, digest="sha256:evil"),
        ("web", "digest", "sha256:evil", "sha256:web-new"),
    ),
    "a unit that does not run": (
        changed(SECOND, "sync", NEW, state="FATAL"),
        ("sync", "state", f"{NEW} is FATAL", "RUNNING"),
    ),
    "the older worker at work": (
        changed(SECOND, "sync", OLD, role="working"),
        ("sync", "role", f"{OLD} works", f"{NEW} works"),
    ),
    "a worker that stands by where all of them work": (
        changed(SECOND, "mail", NEW, role="standby"),
        ("mail", "role", f"{NEW} stands by", f"{NEW} works"),
    ),
    "a worker that nobody placed there": (
        without(SECOND, "sync", NEW),
        ("sync", "unit", "absent", NEW),
    ),
    "a version that nobody released there": (
        host(*SECOND.units.values(), unit("web", LATER, at_work=False)),
        ("web", "unit", LATER, f"{OLD} or {NEW}"),
    ),
    "a service that nobody knows": (
        host(*SECOND.units.values(), unit("miner", NEW, at_work=False)),
        ("miner", "unit", NEW, "no such service"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_as_it_should_be_is_named_with_its_host(case: str) -> None:
    seen, finding = CASES[case]

    found = drift(EXPECTED, well(p2=seen))

    assert Drift("production", "p2", *finding) in found
    assert all(one.host == "p2" for one in found)


def test_two_of_what_must_be_alone_are_named() -> None:
    for service in ("sync", "report"):
        second = changed(SECOND, service, NEW, role="working")

        found = drift(EXPECTED, well(p2=second))

        assert found == (
            Drift("production", "", service, "role", "works on p1, p2", "works on one host"),
        )


def test_nobody_at_work_is_named_unless_an_unseen_host_may_be() -> None:
    nobody = Drift("production", "", "sync", "role", "nobody works", f"{NEW} works")
    idle = changed(well().hosts["p1"], "sync", NEW, role="standby")  # type: ignore[arg-type]

    assert drift(EXPECTED, well(p1=idle)) == (nobody,)
    assert nobody not in drift(EXPECTED, well(p1=idle, p2="no route"))


def test_a_service_that_left_shop_yaml_but_serves_on_is_named() -> None:
    expected = replace(EXPECTED, kinds={name: KINDS[name] for name in ("web", "sync", "mail")})

    found = drift(expected, well())

    assert found == (
        Drift("production", "", "report", "service", f"{NEW} serves", "not in shop.yaml"),
    )


def test_a_shop_yaml_that_was_changed_since_is_named_once() -> None:
    found = drift(replace(EXPECTED, configuration="sha256:now"), well())

    assert found == (Drift("production", "", "", "configuration", "sha256:cfg", "sha256:now"),)


def test_where_nothing_was_deployed_nothing_is_expected() -> None:
    empty = Expected("production", {}, {}, KINDS, frozenset(), 0, "sha256:cfg")

    assert drift(empty, Found({"p1": host(epoch=0)}, "")) == ()


def test_the_version_before_is_what_was_replaced_last_in_each_service() -> None:
    serving = {"web": Serving("3", "c"), "sync": Serving("1", "x")}
    history = [
        {"web": {"version": "2", "digest": "b"}, "sync": {"version": "1", "digest": "x"}},
        {"web": {"version": "1", "digest": "a"}, "sync": {"version": "1", "digest": "x"}},
        {},
    ]

    assert warm(serving, history) == {"web": Serving("2", "b")}


CHANGES: tuple[Callable[[Observed, str, str], Observed | str], ...] = (
    without,
    lambda seen, service, version: changed(seen, service, version, digest="sha256:other"),
    lambda seen, service, version: changed(seen, service, version, weight=99),
    lambda seen, _service, _version: replace(seen, epoch=3),
    lambda _seen, _service, _version: "no answer",
)


@given(st.sampled_from(HOSTS), st.sampled_from(CHANGES))
def test_any_change_of_what_customers_meet_is_found_on_its_host(
    name: str, change: Callable[[Observed, str, str], Observed | str]
) -> None:
    seen = well().hosts[name]
    assert isinstance(seen, Observed)

    found = drift(EXPECTED, well(**{name: change(seen, "web", NEW)}))

    assert {one.host for one in found} == {name}


@given(st.permutations(HOSTS))
def test_the_order_of_the_hosts_does_not_matter(order: list[str]) -> None:
    seen = {**well().hosts, "p2": "no answer", "p3": changed(SECOND, "web", NEW, weight=1)}

    found = drift(EXPECTED, Found({name: seen[name] for name in order}, "sha256:cfg"))

    assert set(found) == set(drift(EXPECTED, Found(seen, "sha256:cfg")))


def test_the_report_has_a_row_for_each() -> None:
    text = drift_report(drift(EXPECTED, well(p2="no | route")))

    assert text.startswith("# Not as it should be: 1")
    assert "| production | p2 |  | host | no \\| route | an answer |" in text
