"""What both proxies promise: a real Envoy and a real HAProxy under a real supervisord."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from blocks.hosts.agent import envoy, haproxy
from blocks.hosts.agent.files import Refusal, read
from blocks.hosts.agent.units import unit_path
from deployments.stack.processes import until
from tests.shopfront import VERSION, Answer, Customers, Shopfront, shopfront


@pytest.fixture(scope="module", params=[envoy, haproxy], ids=["envoy", "haproxy"])
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shopfront]:
    with shopfront(tmp_path_factory.mktemp("host") / "home", request.param) as made:
        yield made


def test_traffic_moves_back_and_forth_without_a_lost_request(front: Shopfront) -> None:
    with front.serving("web@1") as service:
        front.route(service, {"1": 100})
        before = front.pid(service)

        with Customers(front, service) as customers, front.serving("web@2"):
            for share in (10, 50, 100, 50, 0, 100, 0, 50, 100, 0):
                front.route(service, {"1": 100 - share, "2": share})
                customers.buy(100)
            assert until(lambda: front.active("web@2") == 0, 10)

        assert customers.failed == []
        assert set(customers.served) == {"1", "2"}
        assert front.pid(service) == before
        assert until(lambda: _by_version(front, service) == customers.served, 10)


def _by_version(front: Shopfront, service: str) -> Counter[str]:
    return Counter(line["cluster"].partition("@")[2] for line in front.logged(service))


def test_a_post_is_not_lost_to_a_server_that_closes_its_idle_connections(front: Shopfront) -> None:
    with front.serving("brief@1", idle_seconds=0.02) as service:
        front.route(service, {"1": 100})

        with Customers(front, service, pause_seconds=0.0195) as customers:
            customers.buy(800)

    assert customers.failed == []


def test_a_header_asks_for_a_version_that_has_no_customers(front: Shopfront) -> None:
    with front.serving("tried@1", "tried@2", sticky=True) as service:
        assert until(lambda: front.get(service, headers={VERSION: "2"}).status == 200, 20)
        nobody = front.get(service)
        front.route(service, {"1": 100})

        asked = front.get(service, headers={VERSION: "2", "cookie": "tradewind-tried=1~x"})
        unknown = front.get(service, headers={VERSION: "3"})

    assert nobody.status in (404, 503)
    assert asked == Answer(200, "2", "2", "")
    assert unknown.version == "1"


def test_a_session_stays_with_its_version_until_that_has_no_weight(front: Shopfront) -> None:
    with front.serving("cart@1", "cart@2", sticky=True) as service:
        front.route(service, {"1": 50, "2": 50})
        cookies: dict[str, str] = {}
        while len(cookies) < 2:
            first = front.get(service)
            cookies[first.body] = first.cookie
        again = {
            version: {front.get(service, headers={"cookie": f"a=b; {cookie}"}) for _ in range(20)}
            for version, cookie in cookies.items()
        }
        front.route(service, {"1": 1, "2": 99})
        still = front.get(service, headers={"cookie": cookies["1"]})
        front.route(service, {"1": 0, "2": 100})
        moved = front.get(service, headers={"cookie": cookies["1"]})

    assert again == {version: {Answer(200, version, version, "")} for version in ("1", "2")}
    assert still == Answer(200, "1", "1", "")
    assert (moved.body, moved.cookie.partition("~")[0]) == ("2", "tradewind-cart=2")


def test_a_version_is_not_taken_for_one_that_begins_alike(front: Shopfront) -> None:
    with front.serving("alike@1", "alike@12", sticky=True) as service:
        front.route(service, {"1": 50, "12": 50})

        seen = [
            front.get(service, headers={"cookie": f"tradewind-alike={version}~x"}).body
            for version in ("1", "12")
            for _ in range(10)
        ]

    assert Counter(seen) == {"1": 10, "12": 10}


def test_without_a_sticky_unit_no_cookie_is_set(front: Shopfront) -> None:
    with front.serving("free@1") as service:
        front.route(service, {"1": 100})

        assert front.get(service) == Answer(200, "1", "1", "")


def test_a_version_is_drained_when_its_last_request_ends(front: Shopfront) -> None:
    gate, answered = threading.Event(), list[Answer]()
    with front.serving("drained@1", "drained@2", gate=gate) as service:
        front.route(service, {"1": 100})
        slow = threading.Thread(target=lambda: answered.append(front.get(service, "/slow")))
        slow.start()
        assert until(lambda: front.active("drained@1") == 1, 10)
        front.route(service, {"2": 100})

        assert front.get(service).body == "2"
        assert front.active("drained@1") == 1
        assert until(lambda: front.active("drained@2") == 0, 10)
        gate.set()
        assert until(lambda: front.active("drained@1") == 0, 10)
        slow.join()
        assert answered == [Answer(200, "1", "1", "")]


def test_a_killed_proxy_comes_back_as_it_was(front: Shopfront) -> None:
    with front.serving("killed@1", "killed@2", sticky=True) as service:
        front.route(service, {"1": 100})
        front.route(service, {"1": 1, "2": 99})

        front.kill(service)

        assert front.answers(service, 20)["2"] > 10
        assert front.get(service, headers={"cookie": "tradewind-killed=1~x"}).body == "1"


def test_a_bad_configuration_is_refused_and_the_last_good_one_serves(front: Shopfront) -> None:
    with front.serving("steady@1") as service:
        front.route(service, {"1": 100})
        good = _files(front)
        front.declare("steady@2", 70000)

        with pytest.raises(Refusal, match=r"(?s)calls .* bad.*(70000|65535)") as caught:
            front.proxy.publish(front.home)

        unit_path(front.home, "steady@2").unlink()
        assert caught.value.kind == "refused"
        assert _files(front) == good
        assert front.get(service).body == "1"
        front.kill(service)
        assert front.get(service).body == "1"


def _files(front: Shopfront) -> dict[str, str]:
    """What a proxy would start from."""
    kinds = (".json", ".cfg", ".map")
    found = (path for path in (front.home / "proxy").iterdir() if path.suffix in kinds)
    return {path.name: path.read_text() for path in found}


def test_every_answer_is_logged_the_proxys_own_too(front: Shopfront) -> None:
    with front.serving("logged@1") as service:
        front.route(service, {"1": 100})
        front.declare("logged@2", 1)
        front.route(service, {"1": 100})
        front.get(service, "/sick", {"cookie": 'a="b\\"; c=' + "d" * 80})
        front.get(service, "/cut")
        front.get(service, headers={VERSION: "2"})
        front.route(service, {})
        front.get(service)
        front.route(service, {"1": 100})
        leave(front, service)

        assert until(lambda: len(front.logged(service)) == 5, 10)
        lines = [
            (line["cluster"] or "-", line["code"] in (404, 502, 503) or line["code"])
            for line in front.logged(service)
        ]
        assert lines == [
            ("logged@1", 500),
            ("logged@1", True),
            ("logged@2", True),
            ("-", True),
            ("logged@1", 0),
        ]
        sessions = [line["session"] or "" for line in front.logged(service)]
        assert sessions == [('a="b\\"; c=' + "d" * 80)[:64], "", "", "", ""]
        assert all(0 <= line["ms"] < 20_000 for line in front.logged(service))
        unit_path(front.home, "logged@2").unlink()


def leave(front: Shopfront, service: str) -> None:
    """A customer goes away in the middle of what he sends."""
    with socket.create_connection(("127.0.0.1", front.port(service)), 10) as one:
        one.sendall(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nab")
        assert until(lambda: front.active(f"{service}@1") == 1, 10)


def test_nonsense_in_a_cookie_is_one_line_of_json_too(front: Shopfront) -> None:
    with front.serving("odd@1") as service:
        front.route(service, {"1": 100})

        with socket.create_connection(("127.0.0.1", front.port(service)), 10) as one:
            one.sendall(b'GET / HTTP/1.1\r\nHost: shop\r\nCookie: "\\\xff\xfe\xc3\x28\t\r\n\r\n')
            assert b" 200 " in one.recv(100)
            one.sendall(b"BUY\r\n\r\n")
            assert until(lambda: b" 400 " in one.recv(200), 10)

        assert until(lambda: [line["code"] for line in front.logged(service)] == [200, 400], 10)


def test_a_new_service_and_a_second_begin_leave_customers_alone(front: Shopfront) -> None:
    with front.serving("first@1") as service:
        front.route(service, {"1": 100})
        before = front.pid(service)

        with Customers(front, service) as customers:
            with front.serving("second@1") as other:
                front.route(other, {"1": 100})
                customers.buy(50)
                assert front.get(other).body == "1"
            front.proxy.begin(front.home, read(front.home / "tools.json"))
            customers.buy(50)

        assert customers.failed == []
        assert front.pid(service) == before
