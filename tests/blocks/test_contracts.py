"""Contracts from outside: published texts, feeds, surfaces and clients, findings in the ledger."""

import ast
import gzip
import re
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from blocks.contracts import published
from blocks.contracts.compare import compared
from blocks.contracts.feed import notices
from blocks.contracts.seen import Seen
from blocks.ledger import Ledger
from domain.contracts.findings import Found
from domain.contracts.notices import Notice
from domain.contracts.surfaces import SURFACES, of_channel
from domain.errors import BadInput, Refused, Unavailable

ROOT = Path(__file__).parents[2]
SPECS = ROOT.parent / "shared" / "specs"
LOOPBACK = "127.0.0.1"

# What is published


@pytest.fixture
def site() -> Iterator[str]:
    """A server that answers with the status that its path names, and is silent at /silent."""
    ended = threading.Event()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/silent":
                ended.wait(30)
            self.send_response(200 if self.path == "/silent" else int(self.path[1:]))
            self.end_headers()
            self.wfile.write(b'{"swagger": "2.0"}')

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    with ThreadingHTTPServer((LOOPBACK, 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        ended.set()
        server.shutdown()


def test_a_text_is_read_from_a_url_or_beside_shop_yaml(site: str, tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text('swagger: "2.0"')
    (tmp_path / "api.json.gz").write_bytes(gzip.compress(b'{"swagger": "2.0"}'))

    texts = [
        published.text_at(place, tmp_path, 5)
        for place in (f"{site}/200", "api.yaml", "api.json.gz", str(tmp_path / "api.yaml"))
    ]

    assert [published.understood(text, "it") for text in texts] == [{"swagger": "2.0"}] * 4


@pytest.mark.parametrize(("path", "error"), [("/503", Unavailable), ("/429", Unavailable)])
def test_a_site_in_trouble_is_worth_another_try(
    site: str, path: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"{path} answered {path[1:]}"):
        published.text_at(site + path, Path(), 5)


@pytest.mark.parametrize("place", ["/404", "/401"])
def test_a_page_that_is_not_there_is_a_wrong_address(site: str, place: str) -> None:
    with pytest.raises(BadInput, match=place):
        published.text_at(site + place, Path(), 5)


def test_nobody_is_waited_for_longer_than_the_limit(site: str) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        published.text_at(f"{site}/silent", Path(), 0.2)


def test_nobody_at_home_is_unavailable() -> None:
    with create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(Unavailable, match="does not answer"):
        published.text_at(f"http://{LOOPBACK}:{port}/", Path(), 1)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadInput, match=r"gone\.json cannot be read"):
        published.text_at("gone.json", Path(), 1)


def test_a_text_is_bounded_packed_and_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "MOST_BYTES", 1000)
    (tmp_path / "large").write_bytes(b"x" * 1001)
    (tmp_path / "bomb").write_bytes(gzip.compress(b"x" * 1001))
    (tmp_path / "cut").write_bytes(gzip.compress(b"x" * 500)[:-6])

    for name, said in {"large": "over 1000", "bomb": "over 1000", "cut": "cut short"}.items():
        with pytest.raises(BadInput, match=said):
            published.text_at(name, tmp_path, 1)


def test_a_bomb_is_not_unpacked_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "MOST_BYTES", 1_000_000)
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(50_000_000), 1))

    tracemalloc.start()
    with pytest.raises(BadInput, match="over 1000000 bytes"):
        published.text_at("bomb", tmp_path, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 10_000_000


@pytest.mark.parametrize("content", [b"{", b"a: [", b"\xff\xfe\x00", b"[" * 200_000])
def test_what_is_neither_json_nor_yaml_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match="neither JSON nor YAML"):
        published.understood(content, "it")


# What was seen


def test_the_text_agreed_with_last_is_kept_by_its_digest(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "contracts")

    assert seen.last("amazon/orders") is None
    first = seen.agree("amazon/orders", b"one")
    second = seen.agree("amazon/orders", b"two")
    other = seen.agree("ebay", b"one")

    assert (seen.last("amazon/orders"), seen.last("ebay")) == (b"two", b"one")
    assert first == other != second
    assert len(list((tmp_path / "contracts").glob("*.gz"))) == 2


# Feeds

FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:e="http://e.test/ns"><channel><title>Deprecations</title>
<item><title>Inventory API: getInventoryItems</title><description>It <b>ends</b>.</description>
<link>https://e.test/1</link><e:deprecationDate>2026-12-01</e:deprecationDate>
<e:decommissionDate>Tue, 01 Jun 2027 00:00:00 GMT</e:decommissionDate></item>
<item><title>Without dates</title><deprecationDate/></item>
</channel></rss>"""


def test_entries_of_a_feed_are_read_with_their_dates() -> None:
    first, second = notices(FEED.encode(), "the feed")

    assert first == Notice(
        "Inventory API: getInventoryItems", "It ends.", "https://e.test/1",
        date(2026, 12, 1), date(2027, 6, 1),
    )  # fmt: skip
    assert second == Notice("Without dates", "", "", None, None)


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE rss [<!ENTITY a "aaaa">]><rss><item><title>&a;</title></item></rss>',
        '<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>',
        "<rss><item>",
        "",
    ],
)
def test_a_feed_with_a_document_type_or_none_at_all_is_refused(content: str) -> None:
    with pytest.raises(BadInput, match="the feed is no RSS"):
        notices(content.encode(), "the feed")


# Surfaces


def words_of(channel: str) -> set[str]:
    """Every word in a string of the client's code."""
    sources = (ROOT / "blocks" / "channels" / channel).rglob("*.py")
    nodes = (node for source in sources for node in ast.walk(ast.parse(source.read_text())))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {word for text in texts if isinstance(text, str) for word in re.findall(r"\w+", text)}


@pytest.mark.parametrize("channel", ["amazon", "ebay", "magento", "shopee"])
def test_a_surface_names_nothing_that_its_client_does_not(channel: str) -> None:
    known = words_of(channel)

    for surface in of_channel(channel):
        for operation in surface.operations:
            names = (*operation.sends, *operation.writes, *operation.reads, *operation.most)
            named = set(re.findall(r"\w+", " ".join(names)))
            in_path = set(re.findall(r"{(\w+)}", operation.call))
            assert named - in_path <= known, operation.call


# Magento and the ledger


def test_magentos_specification_fits_the_client() -> None:
    if not SPECS.exists():
        pytest.skip("the official specifications are not beside this copy of the project")
    text = published.text_at("magento/admin-schema-2.4.9.yaml", SPECS, 10)

    assert compared(SURFACES["magento"], None, text) == ()
    gone = text.replace(b"grand_total:", b"total_of_all:")
    broken = {one.subject for one in compared(SURFACES["magento"], text, gone)
              if one.kind == "breaking"}  # fmt: skip
    assert broken == {"GET /V1/orders response items[].grand_total"}


BROKEN = Found("breaking", "GET /orders response nextToken", "is missing")
ENDS = Found("deprecation", "API version 1", "is pinned", date(2027, 10, 1))


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    made = Ledger(database_url)
    made.migrate()
    return made


def test_the_same_finding_twice_is_one_row(ledger: Ledger) -> None:
    (first,) = ledger.findings.record("amazon", "orders", [BROKEN])
    again = ledger.findings.record("amazon", "orders", [BROKEN, ENDS])
    ledger.findings.record("amazon", "orders, next", [BROKEN])

    assert first in again
    assert len(again) == 2
    assert len(ledger.findings.all()) == 3
    assert ledger.verify() == ()


def test_what_is_no_longer_found_is_gone_for_its_own_source_only(ledger: Ledger) -> None:
    ledger.findings.record("amazon", "orders", [BROKEN])
    ledger.findings.record("ebay", "orders", [BROKEN])

    (gone,) = ledger.findings.record("amazon", "orders", [])

    assert gone.gone_at is not None
    assert [one.channel for one in ledger.findings.all() if one.gone_at is None] == ["ebay"]


def test_an_acceptance_says_who_and_why_and_counts_once(ledger: Ledger) -> None:
    (row,) = ledger.findings.record("amazon", "orders", [BROKEN])

    for by, reason in (("", "why"), ("ann", " ")):
        with pytest.raises(BadInput, match="by and reason"):
            ledger.findings.accept(row.id, by, reason)
    accepted = ledger.findings.accept(row.id, " ann ", "the client reads both")
    with pytest.raises(Refused, match="accepted by ann"):
        ledger.findings.accept(row.id, "bob", "me, too")
    with pytest.raises(Refused, match="no finding 'x'"):
        ledger.findings.accept("x", "bob", "who knows")

    assert (accepted.accepted_by, accepted.open) == ("ann", False)
    assert ledger.findings.record("amazon", "orders", [BROKEN]) == (accepted,)
    assert ledger.verify() == ()


def test_what_went_and_comes_again_has_to_be_accepted_again(ledger: Ledger) -> None:
    (first,) = ledger.findings.record("amazon", "orders", [BROKEN])
    ledger.findings.accept(first.id, "ann", "known")
    ledger.findings.record("amazon", "orders", [])

    with pytest.raises(Refused, match="is gone"):
        ledger.findings.accept(first.id, "ann", "known")
    (again,) = ledger.findings.record("amazon", "orders", [BROKEN])

    assert again.open
    assert again.found_at > first.found_at


def test_what_people_were_told_is_remembered(ledger: Ledger) -> None:
    (row,) = ledger.findings.record("shopify", "admin", [ENDS])

    ledger.findings.told(row.id, 90)

    (known,) = ledger.findings.record("shopify", "admin", [ENDS])
    assert (known.told_days, known.decided_on) == (90, date(2027, 10, 1))
