"""Error trackers: a real Bugsink, and Sentry's web API as it is documented."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from blocks.incidents import PROBE
from blocks.incidents.bugsink import Bugsink as BugsinkApi
from blocks.incidents.connected import Incidents
from blocks.incidents.sentry import Sentry as SentryApi
from deployments.stack.processes import until
from domain.errors import BadInput, Refused, Unavailable
from domain.incidents.release import Arm, Commit, Cut, Deploy
from domain.incidents.settings import Sentry
from tests.bugsink import Bugsink, Reporter

SECONDS = 10.0
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
ORGANIZATION = "/api/0/organizations/acme"
ARM = Arm("storefront", "shop@2", "production", AT)
COMMIT = Commit("c0ffee", "Sell tea", "Ann", "ann@example.com", AT)


@dataclass(frozen=True)
class Shop:
    """A shop with a project of its own."""

    incidents: Incidents
    dsn: str
    begun_at: datetime

    def arms(self, candidate: str = "2", baseline: str = "1") -> tuple[Arm, Arm]:
        both = (candidate, baseline)
        ours, theirs = (
            self.incidents.arm("web", version, "production", self.begun_at) for version in both
        )
        return ours, theirs


def connected(url: str, token: str, project: str, dsn: str) -> Incidents:
    secrets = {"the token": token, "the dsn": dsn}
    settings = Sentry("bugsink", url, project, "the token", "the dsn")
    return Incidents(settings, "shop", secrets.__getitem__)


@pytest.fixture
def shop(bugsink: Bugsink, request: pytest.FixtureRequest) -> Shop:
    project, dsn = bugsink.project(request.node.name[-40:])
    incidents = connected(bugsink.url, bugsink.token, project, dsn)
    return Shop(incidents, dsn, datetime.now(UTC))


def test_only_what_no_release_had_before_is_new(shop: Shop) -> None:
    Reporter(shop.dsn, "shop@1").fails("Known", 3)
    candidate = Reporter(shop.dsn, "shop@2")
    candidate.fails("Known", 2)
    candidate.fails("New", 4)

    seen = shop.incidents.look(*shop.arms())

    (issue,) = seen.new_issues
    assert (issue.title, issue.events) == ("New: of a test", 4)
    assert issue.link.startswith(f"{shop.incidents.settings.url}/issues/issue/")
    assert (seen.candidate, seen.baseline, seen.problem) == (6, 3, "")


def test_what_the_release_did_elsewhere_or_earlier_does_not_count(shop: Shop) -> None:
    Reporter(shop.dsn, "shop@2", "staging").fails("New", 2)
    Reporter(shop.dsn, "shop@1").fails("Known", 2)

    later = [replace(arm, since=datetime.now(UTC) + timedelta(hours=1)) for arm in shop.arms()]

    assert shop.incidents.look(*shop.arms()).candidate == 0
    assert shop.incidents.look(later[0], later[1]).baseline == 0


def test_our_own_event_arrives_and_is_no_error(shop: Shop) -> None:
    event = shop.incidents.probe("web", "2", "production")

    assert until(lambda: shop.incidents.arrived("web", event), SECONDS)
    seen = shop.incidents.look(*shop.arms())
    assert (seen.new_issues, seen.candidate, seen.problem) == ((), 0, "")


def test_an_event_that_was_never_sent_has_not_arrived(shop: Shop) -> None:
    assert not shop.incidents.arrived("web", "0" * 32)


def test_a_release_is_recorded_once_however_often_it_is_told(bugsink: Bugsink, shop: Shop) -> None:
    project = shop.incidents.settings.project
    cut = Cut("shop@3", (project,), "ann/shop", (COMMIT,))

    shop.incidents.tracker.record(cut)
    shop.incidents.tracker.record(cut)

    assert [row["version"] for row in bugsink.rows("releases", project=project)] == ["shop@3"]
    assert shop.incidents.tracker.cannot == ("commits", "deploys", "links back")


def test_a_token_that_is_not_known_leaves_errors_unknown(bugsink: Bugsink, shop: Shop) -> None:
    stranger = connected(bugsink.url, "0" * 40, shop.incidents.settings.project, shop.dsn)

    assert "answered 40" in stranger.look(*shop.arms()).problem


def test_what_is_no_dsn_is_bad_input(bugsink: Bugsink) -> None:
    broken = connected(bugsink.url, bugsink.token, "1", "https://no-key.example.com")

    with pytest.raises(BadInput, match=r"sentry\.dsn of web is no DSN"):
        broken.probe("web", "2", "production")


@dataclass
class Told:
    """What Sentry was asked, and what it answers by path."""

    asked: list[tuple[str, str, dict[str, list[str]], Any]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def address(told: Told) -> Iterator[str]:
    """Of a server with documented paths and shapes; 404 for what it does not know."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            path, query = unquote(url.path), parse_qs(url.query)
            told.asked.append((self.command, path, query, body))
            cursor = "".join(query.get("cursor", [""]))
            found = told.answers.get(path + cursor)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        do_POST = do_GET  # noqa: N815 named so by the standard library

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def sentry(address: str) -> SentryApi:
    return SentryApi(address, "acme", "a token")


def test_events_of_bugsink_are_counted_over_its_pages(address: str, told: Told) -> None:
    api = "/api/canonical/0"
    issue = {"id": "7", "last_seen": "2026-11-28T13:00:00Z", "calculated_value": "no sku"}
    event = {"ingested_at": "2026-11-28T13:00:00Z"}
    told.answers |= {
        f"{api}/issues/": {"next": None, "results": [issue]},
        f"{api}/events/": {"next": f"{address}{api}/events/?cursor=more", "results": [event] * 2},
        f"{api}/events/more": {"next": None, "results": [event]},
    }

    assert BugsinkApi(address, "a token").error_events(ARM) == 3


def test_bugsink_answering_something_else_leaves_errors_unknown(address: str, told: Told) -> None:
    told.answers["/api/canonical/0/issues/"] = {"detail": "another shape"}

    with pytest.raises(Unavailable, match="has another shape"):
        BugsinkApi(address, "a token").error_events(ARM)


def test_sentry_gets_the_release_its_commits_and_its_deploy(sentry: SentryApi, told: Told) -> None:
    told.answers |= {
        f"{ORGANIZATION}/releases/": {},
        f"{ORGANIZATION}/releases/shop@2/deploys/": {},
    }

    sentry.record(Cut("shop@2", ("storefront",), "ann/shop", (COMMIT,), "https://tradewind/2"))
    sentry.deployed(Deploy("shop@2", ("storefront",), "production", AT, AT, "https://tradewind/2"))

    (_, _, _, release), (_, _, _, deploy) = told.asked
    assert release["version"] == "shop@2"
    assert release["projects"] == ["storefront"]
    assert release["url"] == "https://tradewind/2"
    assert release["commits"] == [
        {
            "id": "c0ffee",
            "repository": "ann/shop",
            "message": "Sell tea",
            "author_name": "Ann",
            "author_email": "ann@example.com",
            "timestamp": "2026-11-28T12:00:00+00:00",
        }
    ]
    assert (deploy["environment"], deploy["projects"]) == ("production", ["storefront"])


def test_sentry_is_asked_for_errors_first_seen_in_the_release(
    sentry: SentryApi, told: Told
) -> None:
    row = {"shortId": "SHOP-7", "title": "KeyError: sku", "permalink": "https://s/7", "count": "12"}
    told.answers[f"{ORGANIZATION}/issues/"] = [row, {**row, "title": PROBE}]

    (issue,) = sentry.new_issues(ARM)

    assert (issue.id, issue.link, issue.events) == ("SHOP-7", "https://s/7", 12)
    (_, _, asked, _) = told.asked[0]
    (query,) = asked["query"]
    assert query == 'project:storefront level:[error,fatal] firstRelease:"shop@2"'
    assert (asked["environment"], asked["start"]) == (["production"], ["2026-11-28T12:00:00"])


def test_sentry_counts_the_error_events_of_a_release(sentry: SentryApi, told: Told) -> None:
    told.answers[f"{ORGANIZATION}/events/"] = {"data": [{"count()": 42}]}

    assert sentry.error_events(ARM) == 42
    (_, _, asked, _) = told.asked[0]
    assert (asked["field"], asked["dataset"]) == (["count()"], ["errors"])


def test_sentry_says_whether_an_event_has_arrived(sentry: SentryApi, told: Told) -> None:
    told.answers["/api/0/projects/acme/storefront/events/abc/"] = {"id": "abc"}

    assert sentry.has("storefront", "abc")
    assert not sentry.has("storefront", "def")


def test_a_refusal_of_sentry_is_one(sentry: SentryApi) -> None:
    with pytest.raises(Refused, match="answered 404"):
        sentry.error_events(ARM)


def test_the_page_of_a_release_is_in_its_organisation(sentry: SentryApi) -> None:
    assert sentry.page("storefront", "shop@2").endswith("/organizations/acme/releases/shop%402/")
