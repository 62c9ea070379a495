"""A local host with a real supervisord and a real Envoy, moved between versions under traffic."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.artifacts import Artifacts, Ingredients
from blocks.hosts import Host, Parcel
from blocks.hosts.agent_host import AgentHost
from blocks.hosts.local import local_host
from deployments.stack.processes import until
from domain.artifact import Artifact
from domain.digest import digest_of
from domain.errors import Failed, Fenced, Refused
from domain.host import Unit
from domain.shop import Stop

SERVER = """
import json, os, pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
FAILS = {fails!r}
role = pathlib.Path(os.environ["TRADEWIND_ROLE_FILE"]).read_text()

class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        code = 500 if FAILS and self.path == "/buy" else 200
        self.answer(code, {{"version": {version!r}, "role": role}})
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        global role
        role = {{"/drain": "standby", "/resume": "working"}}.get(self.path, role)
        self.do_GET()
    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *args): pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentHost]:
    made = local_host("here", tmp_path_factory.mktemp("host"), {})
    made.prepare()
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return Artifacts(tmp_path_factory.mktemp("artifacts"))


def placed(host: Host, artifacts: Artifacts, unit: tuple[str, str, str], code: str) -> Unit:
    """A received and started unit (service, version, kind) running ``code``."""
    service, version, kind = unit
    folder = artifacts.folder / f"source-{service}-{version}"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "server.py").write_text(code)
    made = built(artifacts, service, folder / "app")
    host.place(artifacts.parcel(made.digest), 1)
    ready = Unit(service, version, made.digest, kind, ("python", "server.py"), {}, Stop())
    host.start(ready, "working", 1)
    return ready


def built(artifacts: Artifacts, service: str, source: Path) -> Artifact:
    """An artifact of ``source`` alone."""
    return artifacts.build(Ingredients(service, source, source / "none", "s", "r"))


def server(version: str, fails: bool = False) -> str:
    return SERVER.format(version=version, fails=fails)


def test_traffic_moves_between_versions_without_a_lost_request(
    host: Host, artifacts: Artifacts
) -> None:
    for version, fails in (("1", False), ("2", True)):
        placed(host, artifacts, ("web", version, "web"), server(version, fails))
        host.health(f"web@{version}", "/health", 20)
    host.route("web", {"1": 100}, 1)
    port, seen, failed, over = host.observe().listeners["web"], set[str](), list[str](), []

    def buy() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not over:
            connection.request("POST", "/look", body=b"{}", headers={"Cookie": "session=a"})
            answer = connection.getresponse()
            answer.read()
            seen.add(answer.headers["x-tradewind-version"])
            if answer.status != 200:
                failed.append(f"{answer.status}")

    customer = threading.Thread(target=buy)
    customer.start()
    for weights in ({"1": 50, "2": 50}, {"2": 100}, {"1": 50, "2": 50}, {"1": 100}, {"2": 100}):
        host.route("web", weights, 1)
    host.drain("web", "1", 10)
    over.append("")
    customer.join()

    assert failed == []
    assert seen == {"1", "2"}
    with pytest.raises(Refused, match="still has weight"):
        host.retire("web@2", 1)
    host.retire("web@1", 1)
    assert set(host.observe().units) == {"web@2"}


def test_errors_are_counted_by_version_and_once_per_session(
    host: Host, artifacts: Artifacts
) -> None:
    placed(host, artifacts, ("sick", "1", "web"), server("1", fails=True))
    host.health("sick@1", "/health", 20)
    host.route("sick", {"1": 100}, 1)
    port = host.observe().listeners["sick"]
    before = host.counts("sick", 0, 1000).cursor

    for session in ("a", "a", "b"):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/buy", headers={"Cookie": f"session={session}"})
        connection.getresponse().read()
        connection.close()

    assert until(lambda: host.counts("sick", before, 1000).of("1").requests == 3, 10)
    counted = host.counts("sick", before, 1000).of("1")
    assert (counted.errors, counted.first_errors, counted.slow) == (3, 2, 0)
    assert host.counts("sick", before, -1).of("1").slow == 3
    assert host.smoke("sick", "1", ("/", "/buy")) == {"/": 200, "/buy": 500}


def test_a_crash_loop_is_never_healthy(host: Host, artifacts: Artifacts) -> None:
    placed(host, artifacts, ("crash", "1", "web"), "raise SystemExit('no such table')")

    with pytest.raises(Failed, match=r"(?s)FATAL.*no such table"):
        host.health("crash@1", "/health", 60)


def test_what_never_answers_is_told_with_what_it_wrote(host: Host, artifacts: Artifacts) -> None:
    mute = "import time\nprint('waiting for a key', flush=True)\ntime.sleep(60)"
    placed(host, artifacts, ("mute", "1", "web"), mute)

    with pytest.raises(Failed, match=r"(?s)is healthy on /health: not within 3 s: .*for a key"):
        host.health("mute@1", "/health", 3)


def test_a_worker_keeps_its_role_when_it_is_started_again(host: Host, artifacts: Artifacts) -> None:
    placed(host, artifacts, ("sync", "1", "worker"), server("1"))
    host.health("sync@1", "/health", 20)

    assert host.role("sync@1", "standby", 1)["role"] == "standby"
    assert host.observe().units["sync@1"].role == "standby"
    assert host.role("sync@1", "working", 1)["role"] == "working"


def test_weights_that_make_no_sense_change_nothing(host: Host) -> None:
    for weights in ({"1": 50}, {"nowhere": 100}):
        with pytest.raises(Refused, match="weights of none are"):
            host.route("none", weights, 1)


def test_an_artifact_that_is_not_what_it_says_is_refused(
    host: Host, artifacts: Artifacts, tmp_path: Path
) -> None:
    (tmp_path / ("a" * 64)).write_bytes(b"x")
    listing = {"files": [["app/a", False, 1, "a" * 64]]}

    with pytest.raises(Refused, match="a piece is 2d711642b726, expected aaaaaaaaaaaa"):
        host.place(Parcel(digest_of(listing), listing, tmp_path), 1)
    with pytest.raises(Refused, match="the listing is sha256:"):
        host.place(Parcel("sha256:" + "0" * 64, listing, tmp_path), 1)


@pytest.mark.parametrize(
    "path", ["../out", "/etc/passwd", "app/../../out", "app//x", "app/./x", ""]
)
def test_a_file_that_leads_out_of_the_artifact_is_refused(
    host: Host, tmp_path: Path, path: str
) -> None:
    listing = {"files": [[path, False, 1, "a" * 64]]}

    with pytest.raises(Refused, match="plain files inside only"):
        host.place(Parcel(digest_of(listing), listing, tmp_path), 1)


def test_an_older_epoch_is_fenced(tmp_path: Path) -> None:
    lonely = local_host("lonely", tmp_path / "lonely", {})
    with pytest.raises(Refused):
        lonely.route("web", {}, 7)

    with pytest.raises(Fenced, match="epoch 6 is over"):
        lonely.route("web", {}, 6)


def test_a_host_that_ends_is_gone_before_it_begins_again(
    tmp_path: Path, artifacts: Artifacts
) -> None:
    """A unit that takes a while to end still has its port, of which the next one is in need."""
    slow = server("1").replace(
        "ThreadingHTTPServer((",
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), os._exit(0)))\n"
        "ThreadingHTTPServer((",
    )
    host = local_host("again", tmp_path, {})
    host.prepare()
    placed(host, artifacts, ("slow", "1", "web"), slow)
    host.health("slow@1", "/health", 20)

    host.shutdown()
    host.prepare()
    host.health("slow@1", "/health", 20)

    written = (tmp_path / "logs" / "slow@1.log").read_text()
    host.shutdown()
    assert "Address already in use" not in written
