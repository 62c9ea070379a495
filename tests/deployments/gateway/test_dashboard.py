"""The dashboard on real ledgers: empty, small, large, halted; who sees what; how it looks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from playwright.sync_api import Page, expect

from blocks.ledger import Cut, Ledger
from blocks.shop import Live
from deployments.gateway import dashboard, environments
from deployments.gateway.starts import STARTS
from deployments.gateway.words import CHINESE, ENGLISH
from deployments.settings import write_secret
from domain.journal import Deployment
from domain.plan import Serving
from tests.browser import chromium
from tests.deployments.gateway.street import ALL, Answers, Crowd, Gateway, served, sign_in

NOWHERE = "http://127.0.0.1:9"
DAY = date(2026, 11, 24)
MADE = datetime(2026, 11, 24, tzinfo=UTC)
PLACES = ("dev", "qa", "staging", "production")


@dataclass(frozen=True)
class Shop:
    """A shop with so many services and places, and what its ledger holds."""

    live: Live

    @property
    def ledger(self) -> Ledger:
        return self.live.ledger

    def released(self, run: str, *, state: str = "done", reason: str = "") -> Deployment:
        """One release of everything, to each place in turn; in the last one it ends as told."""
        shop = self.live.shop
        cut = Cut(run, "main", "c0ffee01", MADE, "ann", "sale", tuple(shop.services), shop.route)
        version = self.ledger.releases.open(cut, DAY).version
        for place in shop.route[:-1]:
            self.moved(version, place, run)
        last = self.moved(version, shop.route[-1], run, state, reason)
        ended = {"done": "released", "rolled back": "restored", "halted": "halted"}
        if state in ended:
            self.ledger.releases.finish(version, ended[state], reason)
        return last

    def moved(
        self, version: str, place: str, run: str, state: str = "done", reason: str = ""
    ) -> Deployment:
        ledger = self.ledger
        row = ledger.deployments.open(version, place, "release", run, "ann")
        lease = ledger.leases.take(place, "test", 30)
        assert lease is not None
        if state in ("halted", "rolled back"):
            ledger.deployments.advance(row.id, "rolling back", lease)
        ledger.deployments.advance(row.id, state, lease, reason)
        if state == "done":
            serving = {name: Serving(version, f"sha256:{version}") for name in
                       self.live.shop.services}  # fmt: skip
            ledger.deployments.serve(row, serving, lease)
        ledger.leases.release(lease)
        return ledger.deployments.get(row.id)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Callable[..., Shop]:
    """Made with so many services and places; its ledger is empty."""

    def made(services: int = 1, places: tuple[str, ...] = PLACES[2:]) -> Shop:
        state = tmp_path / ".tradewind"
        write_secret(state / "databases" / "ledger", database_url)
        file = tmp_path / "shop.yaml"
        file.write_text(yaml.safe_dump(declared(services, places), sort_keys=False))
        live = Live(file, state)
        live.ledger.migrate()
        return Shop(live)

    return made


def declared(services: int, places: tuple[str, ...]) -> dict[str, Any]:
    service = {
        "kind": "worker", "paths": ["x"], "command": ["x"], "requirements": "r.lock",
        "test": {"command": ["x"], "requirements": "r.lock"},
    }  # fmt: skip
    return {
        "shop": "teashop", "repository": ".", "route": list(places),
        "services": {f"service-{number:02}": service for number in range(services)},
        "environments": {name: {"hosts": [{"name": f"{name}-{number}"} for number in range(2)]}
                         for name in places},
    }  # fmt: skip


@contextmanager
def gate(crowd: Crowd, shop: Shop) -> Iterator[Gateway]:
    routers = (dashboard.router(shop.live), environments.router(shop.live))
    with served(crowd, NOWHERE, Answers(routers, landing=dashboard.PAGE)) as serving:
        yield serving


def page_of(gateway: Gateway, name: str = "viv", **headers: str) -> str:
    answer = signed_in(gateway, name).get(dashboard.PAGE, headers=headers)
    assert answer.status_code == 200
    return answer.text


def signed_in(gateway: Gateway, name: str) -> httpx.Client:
    """With a session of their own; how one comes by it is told elsewhere."""
    session = gateway.crowd.people.begin(name, "oidc", "127.0.0.1")
    return gateway.anonymous(cookies={"tradewind": session.token})


def told(gateway: Gateway, name: str = "viv") -> dict[str, Any]:
    answer = gateway.machine(name).get("/dashboard.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_before_the_first_release_it_says_so_in_ones_language(
    crowd: Crowd, shop: Callable[..., Shop]
) -> None:
    with gate(crowd, shop()) as gateway:
        english, chinese = page_of(gateway), page_of(gateway, **{"Accept-Language": "zh-CN"})
        said = told(gateway)

    assert "Nothing needs a person." in english
    assert "There has been no release yet." in english
    assert "尚无发布" in chinese
    assert (said["needs"], said["releases"], said["success"]["safe_percent"]) == ([], [], None)


def test_whatever_may_be_started_has_a_name_in_both_languages() -> None:
    wanted = {f"start_{flow}" for flow in STARTS}

    assert wanted <= set(ENGLISH)
    assert set(ENGLISH) == set(CHINESE)


def test_whoever_signs_in_comes_there_unless_there_is_nothing_to_see(
    crowd: Crowd, shop: Callable[..., Shop]
) -> None:
    with gate(crowd, shop()) as gateway:
        client = gateway.anonymous(headers={"Origin": gateway.url})
        landed = sign_in(client, "viv")
        wanted = sign_in(gateway.anonymous(headers={"Origin": gateway.url}), "viv", wanted="/v2/x")
        nobody = signed_in(gateway, "nob").get(dashboard.PAGE)
        refused = gateway.machine("nob").get("/dashboard.json")
        stranger = httpx.get(f"{gateway.url}/dashboard.json")

    assert landed.headers["location"] == dashboard.PAGE
    assert wanted.headers["location"] == "/v2/x"
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/gate/")
    assert (refused.status_code, stranger.status_code) == (403, 401)


def test_a_halted_release_is_the_first_thing_one_reads(
    crowd: Crowd, shop: Callable[..., Shop]
) -> None:
    small = shop()
    small.released("run-1")
    halted = small.released("run-2", state="halted", reason="the host <does> not answer")

    with gate(crowd, small) as gateway:
        page, said = page_of(gateway), told(gateway)

    (need,) = said["needs"]
    assert (need["concern"], need["where"]) == ("halted", "production")
    assert (said["success"]["safe_percent"], said["success"]["agreed_percent"]) == (75.0, 99.9)
    assert f"{halted.version}: the host &lt;does&gt; not answer" in page
    assert page.index("a person is needed") < page.index("<svg")
    assert "<does>" not in page


def test_an_open_gate_says_who_may_answer_and_never_who_asked(
    crowd: Crowd, shop: Callable[..., Shop]
) -> None:
    small = shop()
    row = small.released("run-1", state="awaiting approval")
    small.ledger.approvals.open(row, "sha256:plan", 86_400)
    small.ledger.pauses.hold("staging", "app", "orders look odd")

    with gate(crowd, small) as gateway:
        page, said = page_of(gateway), told(gateway)

    (waits,) = said["gates"]
    assert [one for one in waits["people"] if one in ALL] == ["adm", "app", "prod"]
    assert (waits["run"], waits["environment"]) == ("run-1", "production")
    assert [one["concern"] for one in said["needs"]] == ["held", "waiting"]
    assert said["under_way"] == [row.version]
    assert 'href="/v2/runs/flow-run/run-1"' in page
    assert "held by app: orders look odd" in page


def test_a_drill_that_was_missed_is_seen_at_once(crowd: Crowd, shop: Callable[..., Shop]) -> None:
    small = shop()
    content = yaml.safe_load(small.live.path.read_text())
    small.live.path.write_text(yaml.safe_dump({**content, "drills": {"kinds": ["service"]}}))
    drilled = Shop(Live(small.live.path, small.live.state))
    drilled.released("run-1")
    with psycopg.connect(drilled.ledger.url) as connection:
        connection.execute(
            "UPDATE deployments SET created_at = now() - interval '200 days',"
            " finished_at = now() - interval '200 days'"
        )

    with gate(crowd, drilled) as gateway:
        page, said = page_of(gateway), told(gateway)

    (one,) = said["drills"]
    assert (one["kind"], one["state"]) == ("service", "overdue")
    assert "0 / 1" in page
    assert "never passed; it was due on" in page


def test_somebody_of_one_environment_sees_that_one(crowd: Crowd, shop: Callable[..., Shop]) -> None:
    small = shop()
    small.released("run-1", state="halted", reason="a secret of production")

    with gate(crowd, small) as gateway:
        page, said = page_of(gateway, "stage"), told(gateway, "stage")

    assert [one["name"] for one in said["environments"]] == ["staging"]
    assert said["needs"] == []
    assert "a secret of production" not in page


def test_what_is_older_than_the_picture_is_not_in_it_but_serves(
    crowd: Crowd, shop: Callable[..., Shop]
) -> None:
    small = shop()
    small.released("run-1")
    with psycopg.connect(small.ledger.url) as connection:
        for table in ("releases", "deployments"):
            connection.execute(
                f"UPDATE {table} SET created_at = now() - interval '90 days',"
                " finished_at = now() - interval '90 days'"
            )

    with gate(crowd, small) as gateway:
        page, said = page_of(gateway), told(gateway)

    assert said["releases"] == []
    assert said["services"][0]["places"]["production"]["version"] == "2026.11.24.1"
    assert "90 d ago" in page


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page(locale="en-GB")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("services", "places", "releases"),
    [(1, ("production",), 0), (1, PLACES[2:], 1), (60, PLACES, 4)],
)
def test_it_fits_a_phone_and_a_desk_and_nothing_is_blocked(
    crowd: Crowd, shop: Callable[..., Shop], page: Page, services: int, places: tuple[str, ...],
    releases: int,
) -> None:  # fmt: skip
    large, blocked = shop(services, places), []
    for number in range(releases):
        large.released(f"run-{number}", state="rolled back" if number % 5 == 3 else "done")
    page.on("console", lambda said: blocked.append(said.text) if said.type == "error" else None)

    with gate(crowd, large) as gateway:
        session = crowd.people.begin("viv", "oidc", "127.0.0.1")
        page.context.add_cookies([{"name": "tradewind", "value": session.token,
                                   "url": gateway.url}])  # fmt: skip
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(f"{gateway.url}{dashboard.PAGE}")
            expect(page.get_by_role("heading", name="What runs where")).to_be_visible()
            wide = page.evaluate("document.documentElement.scrollWidth")
            drawn = page.locator("svg.timeline:visible")
            assert (wide, drawn.count()) == (width, 1)

    assert blocked == []
