"""Which hosts are put right, and where single work goes."""

from domain.drift import Drift
from domain.host import Observed, Running
from domain.plan import Serving
from domain.repair import Single, behind, single, superfluous


def running(service: str, version: str, role: str = "standby") -> Running:
    return Running(service, version, "sha256:1", "worker", 1, "RUNNING", role, 0)


def host(*units: Running) -> Observed:
    return Observed({f"{unit.service}@{unit.version}": unit for unit in units}, {}, 1)


def test_a_host_that_answers_and_differs_is_put_right() -> None:
    drifts = (
        Drift("production", "a", "web", "weight", "no traffic", "100 % on 2"),
        Drift("production", "b", "", "host", "no answer", "an answer"),
        Drift("production", "", "", "configuration", "1", "2"),
        Drift("production", "", "sync", "role", "nobody works", "2 works"),
    )

    assert behind(drifts, ("a", "c")) == {
        "a": (
            "web weight: no traffic, should be 100 % on 2",
            "sync role: nobody works, should be 2 works",
        )
    }


def test_what_neither_serves_nor_served_last_is_superfluous() -> None:
    observed = host(running("sync", "1"), running("sync", "2"), running("sync", "3"))
    one, two = (Serving(version, "sha256:1") for version in "12")

    assert superfluous(observed, {"sync": two}, {"sync": one}) == (running("sync", "3"),)


def test_single_work_is_on_one_host() -> None:
    idle, busy = host(running("sync", "2")), host(running("sync", "2", "working"))

    assert single("sync@2", {"a": idle, "b": busy}, (), True) == Single("b", ())
    assert single("sync@2", {"a": busy, "b": busy}, (), True) == Single("a", ("b",))
    assert single("sync@2", {"a": idle, "b": idle}, (), True) == Single("a", ())


def test_who_must_be_alone_does_not_begin_while_a_host_is_away() -> None:
    idle = host(running("sync", "2"))

    assert single("sync@2", {"a": idle}, ("b",), True) == Single("", ())
    assert single("sync@2", {"a": idle}, ("b",), False) == Single("a", ())
