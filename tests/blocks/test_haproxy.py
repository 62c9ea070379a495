"""What only HAProxy has: slots, a process for each service, and its runtime socket."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from blocks.hosts.agent import haproxy, processes, slots, supervisord
from blocks.hosts.agent.files import Refusal
from blocks.hosts.agent.units import unit_path
from tests.shopfront import Shopfront, shopfront


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopfront]:
    """In a folder whose path is longer than a socket's may be."""
    folder = tmp_path_factory.mktemp("host") / ("a-folder-far-down-" * 6)
    with shopfront(folder, haproxy) as made:
        yield made


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def test_weights_are_kept_to_the_request(front: Shopfront) -> None:
    with front.serving("exact@1", "exact@2", "exact@3") as service:
        front.route(service, {"1": 89, "2": 10, "3": 1})
        first = front.answers(service, 100)
        front.route(service, {"1": 50, "2": 50, "3": 0})
        second = front.answers(service, 100)
        front.kill(service)
        third = front.answers(service, 100)

    assert first == {"1": 89, "2": 10, "3": 1}
    assert second == third == {"1": 50, "2": 50}


@pytest.mark.parametrize("version", ["2\n    server evil 127.0.0.1:9", "2;shutdown", "2 x", ""])
def test_a_name_that_would_be_a_command_is_refused_and_others_are_served(
    front: Shopfront, version: str
) -> None:
    with front.serving("steady@1") as service, front.serving("zebra@1", "zebra@2") as other:
        front.route(service, {"1": 100})
        front.route(other, {"1": 100})
        front.declare(f"steady@{version}", 9)
        front.weigh(other, {"2": 100})

        refusal = refused(lambda: haproxy.publish(front.home))

        unit_path(front.home, f"steady@{version}").unlink()
        assert (refusal.kind, "a name is 63 letters" in str(refusal)) == ("refused", True)
        assert front.get(service).body == "1"
        assert front.get(other).body == "2"


def test_more_versions_than_slots_are_refused(front: Shopfront) -> None:
    with front.serving(*(f"many@{number}" for number in range(8))) as service:
        front.route(service, {"3": 100})
        front.declare("many@9", 9)

        refusal = refused(lambda: haproxy.publish(front.home))

        unit_path(front.home, "many@9").unlink()
        assert str(refusal) == "many: 9 versions at once, of 8 at most"
        assert front.get(service).body == "3"


def test_slots_are_handed_out_in_turn() -> None:
    known: dict[str, Any] = {}
    taken = []
    for version in range(2, 12):
        known = slots.allotted("web", known, [str(version - 1), str(version)])
        taken += [slot for slot, held in known["slots"].items() if held == str(version)]

    assert taken == ["s2", "s3", "s4", "s5", "s6", "s7", "s8", "s1", "s2", "s3"]


def test_weights_rise_before_others_fall() -> None:
    seen = {"s1": (8001, 100), "s2": (8002, 0), "s3": (8003, 0)}
    wanted = {"s1": slots.Server("1", 8001, 0), "s2": slots.Server("2", 8002, 100)}

    said = list(slots.changes("web", (seen, wanted), ({}, {})))

    assert said == [
        "set server web/s2 weight 100",
        "set server web/s1 weight 0",
        "set server web/s3 state maint",
    ]


def test_a_slot_is_used_again_by_another_version(front: Shopfront) -> None:
    with front.serving("round@0") as service:
        front.route(service, {"0": 100})
        for number in range(1, 10):
            with front.serving(f"round@{number}"):
                front.route(service, {"0": 0, str(number): 100})
                assert front.answers(service, 2) == {str(number): 2}
                front.route(service, {"0": 100})

        assert front.answers(service, 2) == {"0": 2}


def test_the_proxy_of_a_service_without_units_ends(front: Shopfront) -> None:
    with front.serving("gone@1"):
        assert processes.state_of(front.home, "proxy-gone") in ("STARTING", "RUNNING")

    left = [path.name for path in (front.home / "proxy").glob("*gone*") if path.suffix != ".log"]
    assert processes.state_of(front.home, "proxy-gone") == "ABSENT"
    assert left == []


def test_a_proxy_that_supervisord_gave_up_is_started_again(front: Shopfront) -> None:
    with front.serving("stopped@1") as service:
        front.route(service, {"1": 100})
        supervisord.call(front.home, "stopProcess", "proxy-stopped")
        assert not front.applied(service)
        assert front.active("stopped@1") == 1

        haproxy.publish(front.home)

        assert front.applied(service)
        assert front.get(service).body == "1"


def test_only_the_owner_may_speak_to_the_runtime_socket(front: Shopfront) -> None:
    with front.serving("own@1"):
        assert (front.home / "proxy" / "own.sock").stat().st_mode & 0o777 == 0o600


def test_a_host_without_haproxy_is_refused(front: Shopfront) -> None:
    refusal = refused(lambda: haproxy.begin(front.home, {"haproxy": "/nowhere/haproxy"}))

    assert (refusal.kind, "/nowhere/haproxy" in str(refusal)) == ("refused", True)
