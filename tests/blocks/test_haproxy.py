"""A real HAProxy under a real supervisord, moved between versions under strict customers."""

import http.client
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from blocks.hosts.agent import haproxy, processes, slots
from blocks.hosts.agent.files import Refusal, port_of, read, write
from blocks.hosts.agent.units import unit_path, weights_path
from blocks.hosts.bundle import bundle
from deployments.stack.processes import until

VERSION, COOKIE = "x-tradewind-version", "set-cookie"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A host's folder with a long path, supervised, its proxy being HAProxy."""
    folder = tmp_path_factory.mktemp("host") / ("a-folder-far-down-" * 6)
    tools = {"haproxy": installed(), "python": sys.executable}
    for name in ("proxy", "logs", "units", "programs"):
        (folder / name).mkdir(parents=True)
    write(folder / "tools.json", tools)
    (folder / "agent").write_bytes(bundle().content)
    supervisord = str(Path(sys.executable).with_name("supervisord"))
    processes.begin(folder, {"supervisord": supervisord})
    haproxy.begin(folder, tools)
    yield folder
    processes.end(folder, 30)


def installed() -> str:
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if found:
        return found
    if os.environ.get("CI") and os.geteuid() == 0:
        pytest.fail("haproxy is not installed")
    pytest.skip("haproxy is not installed")


class Shop(BaseHTTPRequestHandler):
    """Answers its version; ``/slow`` takes until the gate opens, ``/cut`` gets no answer."""

    protocol_version = "HTTP/1.1"
    version = "0"
    gate = threading.Event()

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == "/slow":
            self.gate.wait(20)
        self.send_response(500 if self.path == "/sick" else 200)
        self.send_header("Content-Length", str(len(self.version)))
        self.end_headers()
        self.wfile.write(self.version.encode())

    do_POST = do_GET  # noqa: N815 the standard library's name

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


@contextmanager
def running(home: Path, *units: str, sticky: bool = False, **page: Any) -> Iterator[str]:
    """Units of one service with a server behind each; answers the service."""
    service = units[0].partition("@")[0]
    servers = []
    for name in units:
        shop = type("Version", (Shop,), {"version": name.partition("@")[2], **page})
        servers.append(Server(("127.0.0.1", 0), shop))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        declare(home, name, servers[-1].server_port, sticky)
    haproxy.publish(home)
    try:
        yield service
    finally:
        for name in units:
            unit_path(home, name).unlink()
        haproxy.publish(home)
        for server in servers:
            server.shutdown()
            server.server_close()


def declare(home: Path, name: str, port: int, sticky: bool = False) -> None:
    service, _, version = name.partition("@")
    unit = {"service": service, "version": version, "kind": "web", "port": port, "sticky": sticky}
    write(unit_path(home, name), unit)


def route(home: Path, service: str, weights: Mapping[str, int]) -> None:
    write(weights_path(home, service), weights)
    haproxy.publish(home)
    assert haproxy.applied(home, service)


def connection(home: Path, service: str) -> http.client.HTTPConnection:
    port = port_of(home, f"listener-{service}")
    return http.client.HTTPConnection("127.0.0.1", port, timeout=20)


def get(
    home: Path, service: str, path: str = "/", headers: Mapping[str, str] | None = None
) -> tuple[int, str, http.client.HTTPMessage]:
    one = connection(home, service)
    one.request("GET", path, headers=dict(headers or {}))
    answer = one.getresponse()
    body = answer.read().decode()
    one.close()
    return answer.status, body, answer.headers


def answers(home: Path, service: str, count: int) -> Counter[str]:
    return Counter(get(home, service)[1] for _ in range(count))


class Customers:
    """On a connection each, kept alive; they post and never post again."""

    def __init__(self, home: Path, service: str, pause_seconds: float = 0) -> None:
        self.served = Counter[str]()
        self.failed: list[str] = []
        self._over = threading.Event()
        self._pause = pause_seconds
        self._threads = [
            threading.Thread(target=self._buy, args=(connection(home, service),)) for _ in range(4)
        ]

    def __enter__(self) -> "Customers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def buy(self, count: int) -> None:
        """Waits until that many more requests were answered."""
        before = sum(self.served.values())
        assert until(lambda: sum(self.served.values()) >= before + count or bool(self.failed), 30)

    def _buy(self, shop: http.client.HTTPConnection) -> None:
        shop.connect()
        shop.auto_open = 0  # a connection that the proxy ends is a failure, too
        while not self._over.wait(self._pause):
            try:
                shop.request("POST", "/", b"{}")
                answer = shop.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                return
            if answer.status != 200:
                self.failed.append(str(answer.status))
            self.served[str(answer.headers[VERSION])] += 1


def access(home: Path, service: str) -> list[dict[str, Any]]:
    log = home / "proxy" / f"access-{service}.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def pid_of(home: Path, service: str) -> int:
    told = processes.supervisor(home).getProcessInfo(haproxy.program_of(service))
    return int(told["pid"])


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def test_traffic_moves_back_and_forth_without_a_lost_request(home: Path) -> None:
    with running(home, "web@1") as service:
        route(home, service, {"1": 100})
        before = pid_of(home, service)

        with Customers(home, service) as customers, running(home, "web@2"):
            for share in (10, 50, 100, 50, 0, 100, 0, 50, 100, 0):
                route(home, service, {"1": 100 - share, "2": share})
                customers.buy(100)
            assert until(lambda: haproxy.active(home, "web@2") == 0, 10)

        assert customers.failed == []
        assert set(customers.served) == {"1", "2"}
        assert pid_of(home, service) == before
        logged = Counter(line["cluster"].partition("@")[2] for line in access(home, service))
        assert logged == customers.served


def test_a_post_is_not_lost_to_a_server_that_closes_its_idle_connections(home: Path) -> None:
    with running(home, "brief@1", timeout=0.02) as service:
        route(home, service, {"1": 100})

        with Customers(home, service, pause_seconds=0.0195) as customers:
            customers.buy(800)

    assert customers.failed == []


def test_weights_are_kept_to_the_request(home: Path) -> None:
    with running(home, "exact@1", "exact@2", "exact@3") as service:
        route(home, service, {"1": 89, "2": 10, "3": 1})
        first = answers(home, service, 100)
        route(home, service, {"1": 50, "2": 50, "3": 0})
        second = answers(home, service, 100)

    assert first == {"1": 89, "2": 10, "3": 1}
    assert second == {"1": 50, "2": 50}


def test_a_header_asks_for_a_version_that_has_no_customers(home: Path) -> None:
    with running(home, "tried@1", "tried@2", sticky=True) as service:
        before = get(home, service, headers={VERSION: "2"})
        route(home, service, {"1": 100})
        asked = get(home, service, headers={VERSION: "2", "cookie": "tradewind-tried=1~x"})
        unknown = get(home, service, headers={VERSION: "3"})

    assert [before[:2], asked[:2], unknown[:2]] == [(200, "2"), (200, "2"), (200, "1")]
    assert asked[2][VERSION] == "2"
    assert asked[2][COOKIE] is None


def test_a_session_stays_with_its_version_until_that_has_no_weight(home: Path) -> None:
    with running(home, "cart@1", "cart@2", sticky=True) as service:
        route(home, service, {"1": 50, "2": 50})
        kept = {}
        for _ in range(2):
            _, version, headers = get(home, service)
            kept[version] = headers[COOKIE].partition(";")[0]
        again = {
            version: {get(home, service, headers={"cookie": f"a=b; {kept[version]}"})[1]}
            for version in kept
            for _ in range(10)
        }
        route(home, service, {"1": 1, "2": 99})
        still = get(home, service, headers={"cookie": kept["1"]})
        route(home, service, {"2": 100})
        moved = get(home, service, headers={"cookie": kept["1"]})

    assert set(kept) == {"1", "2"}
    assert again == {"1": {"1"}, "2": {"2"}}
    assert (still[1], still[2][COOKIE]) == ("1", None)
    assert moved[1] == "2"
    assert moved[2][COOKIE].startswith("tradewind-cart=2~")


def test_without_a_sticky_unit_no_cookie_is_set(home: Path) -> None:
    with running(home, "free@1") as service:
        route(home, service, {"1": 100})

        assert get(home, service)[2][COOKIE] is None


def test_a_version_is_drained_when_its_last_session_ends(home: Path) -> None:
    gate = threading.Event()
    with running(home, "drained@1", "drained@2", gate=gate) as service:
        route(home, service, {"1": 100})
        answered: list[tuple[int, str]] = []
        slow = threading.Thread(target=lambda: answered.append(get(home, service, "/slow")[:2]))
        slow.start()
        assert until(lambda: haproxy.active(home, "drained@1") == 1, 10)
        route(home, service, {"2": 100})

        assert get(home, service)[1] == "2"
        assert haproxy.active(home, "drained@1") == 1
        assert haproxy.active(home, "drained@2") == 0
        gate.set()
        assert until(lambda: haproxy.active(home, "drained@1") == 0, 10)
        slow.join()
        assert answered == [(200, "1")]


def test_a_killed_proxy_comes_back_with_its_weights(home: Path) -> None:
    with running(home, "killed@1", "killed@2", sticky=True) as service:
        route(home, service, {"1": 100})
        route(home, service, {"1": 30, "2": 70})
        before = pid_of(home, service)
        time.sleep(1.1)  # supervisord takes a program for started after one second

        os.kill(before, signal.SIGKILL)

        assert until(lambda: haproxy.applied(home, service), 20)
        assert pid_of(home, service) != before
        assert answers(home, service, 100) == {"1": 30, "2": 70}
        assert get(home, service, headers={"cookie": "tradewind-killed=1~x"})[1] == "1"


@pytest.mark.parametrize(
    ("name", "port", "message"),
    [
        ("steady@2", 70000, "haproxy calls steady bad"),
        ("steady@2\n    server evil 127.0.0.1:9", 9, "a name is 63 letters"),
        ("steady@2;shutdown", 9, "a name is 63 letters"),
    ],
)
def test_a_bad_configuration_is_refused_and_the_last_good_one_serves(
    home: Path, name: str, port: int, message: str
) -> None:
    with running(home, "steady@1") as service, running(home, "zebra@1", "zebra@2") as other:
        route(home, service, {"1": 100})
        route(home, other, {"1": 100})
        files = [home / "proxy" / f for f in ("steady.cfg", "steady.map", "slots-steady.json")]
        good = [path.read_text() for path in files]
        declare(home, name, port)
        write(weights_path(home, other), {"2": 100})

        refusal = refused(lambda: haproxy.publish(home))
        unit_path(home, name).unlink()

        assert (refusal.kind, message in str(refusal)) == ("refused", True)
        assert [path.read_text() for path in files] == good
        assert get(home, service)[:2] == (200, "1")
        assert get(home, other)[:2] == (200, "2")


def test_more_versions_than_slots_are_refused(home: Path) -> None:
    with running(home, *(f"many@{number}" for number in range(8))) as service:
        route(home, service, {"3": 100})
        declare(home, "many@9", 9)

        refusal = refused(lambda: haproxy.publish(home))
        unit_path(home, "many@9").unlink()

        assert str(refusal) == "many: 9 versions at once, of 8 at most"
        assert get(home, service)[1] == "3"


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


def test_every_answer_is_logged_the_proxys_own_too(home: Path) -> None:
    with running(home, "logged@1") as service:
        get(home, service)
        route(home, service, {"1": 100})
        get(home, service, "/sick", {"cookie": 'a="b\\"; c=' + "d" * 80})
        get(home, service, "/cut")
        declare(home, "logged@2", 1)
        haproxy.publish(home)
        get(home, service, headers={VERSION: "2"})
        nonsense(port_of(home, f"listener-{service}"))
        give_up(home, service)

        assert until(lambda: len(access(home, service)) == 6, 10)
        assert [
            (line["cluster"], line["code"], line["session"]) for line in access(home, service)
        ] == [
            ("-", 503, ""),
            ("logged@1", 500, ('a="b\\"; c=' + "d" * 80)[:64]),
            ("logged@1", 502, ""),
            ("logged@2", 503, ""),
            ("-", 400, ""),
            ("logged@1", 0, ""),
        ]
        assert all(0 <= line["ms"] < 20_000 for line in access(home, service))


def nonsense(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as one:
        one.sendall(b"BUY\r\n\r\n")
        assert b" 400 " in one.recv(100)


def give_up(home: Path, service: str) -> None:
    """A customer who leaves in the middle of what he sends."""
    with socket.create_connection(("127.0.0.1", port_of(home, f"listener-{service}")), 10) as one:
        one.sendall(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nab")
        assert until(lambda: haproxy.active(home, f"{service}@1") == 1, 10)


def test_a_new_service_leaves_the_proxies_of_the_others_alone(home: Path) -> None:
    with running(home, "first@1") as service:
        route(home, service, {"1": 100})
        before = pid_of(home, service)

        with Customers(home, service) as customers, running(home, "second@1") as other:
            route(home, other, {"1": 100})
            customers.buy(50)
            assert get(home, other)[1] == "1"
        haproxy.begin(home, read(home / "tools.json"))

        assert customers.failed == []
        assert pid_of(home, service) == before


def test_the_proxy_of_a_service_without_units_ends(home: Path) -> None:
    with running(home, "gone@1"):
        assert processes.state_of(home, "proxy-gone") in ("STARTING", "RUNNING")

    assert processes.state_of(home, "proxy-gone") == "ABSENT"
    assert [path.name for path in (home / "proxy").glob("*gone*") if path.suffix != ".log"] == []


def test_a_proxy_that_supervisord_gave_up_is_started_again(home: Path) -> None:
    with running(home, "stopped@1") as service:
        route(home, service, {"1": 100})
        processes.supervisor(home).stopProcess("proxy-stopped")
        assert not haproxy.applied(home, service)
        assert haproxy.active(home, "stopped@1") == 1

        haproxy.publish(home)

        assert haproxy.applied(home, service)
        assert get(home, service)[1] == "1"


def test_only_the_owner_may_speak_to_the_runtime_socket(home: Path) -> None:
    with running(home, "own@1"):
        assert (home / "proxy" / "own.sock").stat().st_mode & 0o777 == 0o600


def test_a_host_without_haproxy_is_refused(home: Path) -> None:
    refusal = refused(lambda: haproxy.begin(home, {"haproxy": "/nowhere/haproxy"}))

    assert (refusal.kind, "/nowhere/haproxy" in str(refusal)) == ("refused", True)
