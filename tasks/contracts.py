"""Contracts: every published specification against what our clients use, written down and told."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, date, datetime

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event

from blocks.contracts.compare import compared
from blocks.contracts.feed import notices
from blocks.contracts.published import text_at
from blocks.contracts.seen import Seen
from blocks.shop import Live
from domain.contracts.findings import (
    LIVE,
    Finding,
    Found,
    aged,
    objections,
    settled,
    to_tell,
    version_findings,
)
from domain.contracts.notices import about
from domain.contracts.page import page
from domain.contracts.settings import Contracts
from domain.contracts.surfaces import SURFACES, of_channel
from domain.errors import Refused, TradewindError
from domain.notices.messages import Facts
from tasks.notify import artifact_page, tell
from tasks.retries import STEP

CONTRACTS = "contracts"
ENDS = "tradewind.contract.ends"
"""The event of an end that came closer than a threshold."""


def declared(live: Live) -> Contracts:
    """Refused when shop.yaml names no contracts."""
    if live.shop.contracts is None:
        raise Refused(f"contracts is missing in {live.path.name}: there is nothing to compare")
    return live.shop.contracts


def compare_all(live: Live) -> dict[str, str]:
    """Every source and feed; by name why one was not read, which ends no other."""
    silent = {}
    steps = [(compare, name) for name in declared(live).sources]
    steps += [(read_feed, name) for name in declared(live).feeds]
    for step, name in steps:
        try:
            step(live, name)
        except TradewindError as error:
            get_run_logger().error("%s: %s", name, error)
            silent[name] = str(error)
    return silent


@task(task_run_name="compare {name}", **STEP)
def compare(live: Live, name: str) -> None:
    """With what was agreed last, and with the version to come.

    While a breaking finding or a warning is open, the text agreed with stays the older one: so it
    is found every night, until somebody accepts it or the channel takes it back.
    """
    source = declared(live).sources[name]
    surface, seen = SURFACES[source.surface], Seen(live.state / "contracts")
    now = _text(live, source.at)
    found = aged(compared(surface, seen.last(name), now), today())
    if settled(live.ledger.findings.record(surface.channel, name, found)):
        seen.agree(name, now)
    if source.next:
        coming = aged(compared(surface, now, _text(live, source.next)), today())
        live.ledger.findings.record(surface.channel, to_come(name), coming)


@task(task_run_name="read feed {name}", **STEP)
def read_feed(live: Live, name: str) -> None:
    """Deprecations of what is used of the feed's channel."""
    feed = declared(live).feeds[name]
    entries = notices(_text(live, feed.at), feed.at)
    found = aged(about(entries, of_channel(feed.channel)), today())
    live.ledger.findings.record(feed.channel, name, found)


def ask_live(live: Live) -> dict[str, str]:
    """Each kind of channel over all environments: the version answered against that asked for.

    By channel why one did not answer, which ends no other.
    """
    found: dict[str, tuple[Found, ...]] = {}
    silent = {}
    for place, environment in live.shop.environments.items():
        for name, channel in environment.channels.items():
            try:
                told = answered(live, place, name)
            except TradewindError as error:
                get_run_logger().error("%s: %s", name, error)
                silent[name] = str(error)
            else:
                found[channel.kind] = (*found.get(channel.kind, ()), *told)
    for kind, every in found.items():
        live.ledger.findings.record(kind, LIVE, tuple(dict.fromkeys(every)))
    return silent


@task(task_run_name="ask {name} for its version", **STEP)
def answered(live: Live, environment: str, name: str) -> tuple[Found, ...]:
    reading = live.channels(environment)[name].orders_since(datetime.now(UTC))
    deque(reading, maxlen=0)
    return version_findings(reading.fetch.pinned, reading.fetch.version)


@task(task_run_name="forget what is no longer declared", **STEP)
def forget_undeclared(live: Live) -> None:
    """Findings of sources that shop.yaml does not name any more are gone."""
    shown = {(one.channel, one.source) for one in live.ledger.findings.all() if not one.gone_at}
    for channel, source in shown - {*_declared_pairs(live)}:
        if source != LIVE:
            live.ledger.findings.record(channel, source, ())


@task(task_run_name="tell what ends", **STEP)
def tell_endings(live: Live) -> None:
    """Each threshold once: a warning in the log, and an event that an automation may act on."""
    for finding, days in to_tell(live.ledger.findings.all(), today()):
        get_run_logger().warning(
            "%s: %s %s ends on %s", finding.source, finding.subject, finding.detail,
            finding.decided_on,
        )  # fmt: skip
        emit_event(event=ENDS, resource=_resource(finding), payload={"days": days})
        sentence = f"{finding.source}: {finding.subject} ends on {finding.decided_on}"
        facts = Facts(live.shop.shop, outcome=sentence, link=artifact_page(live, CONTRACTS))
        tell(live, "contract", f"{finding.id} {days}", facts)
        live.ledger.findings.told(finding.id, days)


@task(task_run_name="report the contracts", **STEP)
def report_contracts(live: Live, silent: dict[str, str]) -> None:
    """What the ledger has of contracts, and what stops the next release."""
    findings = live.ledger.findings.all()
    for objection in objections(findings):
        get_run_logger().warning("%s", objection)
    stopping = len(objections(findings))
    create_markdown_artifact(
        page(findings, silent, today()),
        key=CONTRACTS,
        description=f"{stopping} findings stop the next release, {len(silent)} sources not read",
    )


def to_come(name: str) -> str:
    """How the findings about a source's version to come are filed."""
    return f"{name}, next"


def today() -> date:
    return datetime.now(UTC).date()


def _text(live: Live, place: str) -> bytes:
    return text_at(place, live.path.parent, declared(live).timeout_seconds)


def _declared_pairs(live: Live) -> Iterator[tuple[str, str]]:
    for name, source in declared(live).sources.items():
        channel = SURFACES[source.surface].channel
        yield channel, name
        if source.next:
            yield channel, to_come(name)
    for name, feed in declared(live).feeds.items():
        yield feed.channel, name


def _resource(finding: Finding) -> dict[str, str]:
    return {
        "prefect.resource.id": f"tradewind.contract.{finding.id}",
        "prefect.resource.name": f"{finding.subject} ends on {finding.decided_on}",
        "tradewind.channel": finding.channel,
    }
