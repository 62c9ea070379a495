"""Telling people: once, again while nobody answers, and never at the cost of a release."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from blocks.ledger.notices import Notices
from blocks.ledger.store import Store
from blocks.notify import Notifier, Sent
from blocks.shop import Live
from domain.errors import TradewindError
from domain.journal import Approval, Deployment, Release
from domain.notices.messages import Facts, page_of
from domain.notices.schedule import Topic, due
from domain.notices.settings import Event, Notify

ENDS: dict[str, Event] = {
    "released": "done",
    "refused": "refused",
    "restored": "restored",
    "halted": "halted",
}
STATES: dict[str, Event] = {
    "done": "done",
    "refused": "refused",
    "rolled back": "restored",
    "halted": "halted",
}


def declared(live: Live) -> Notify:
    """Nobody is told where shop.yaml names nobody."""
    return live.shop.notify or Notify()


def notifier_of(live: Live) -> Notifier:
    notices = Notices(Store(live.ledger_url))
    return Notifier(declared(live).targets, live.reference, notices)


@task(task_run_name="tell {event}: {key}", cache_policy=NO_CACHE)
def tell(live: Live, event: Event, key: str, facts: Facts) -> None:
    """Each target once for this event and ``key``; whoever cannot be reached now is told later."""
    _kept_quiet(live, lambda: notifier_of(live).tell(Topic(event, key), facts))


def tell_end(live: Live, release: Release) -> None:
    """How a finished release ended."""
    if release.state in ENDS:
        tell(live, ENDS[release.state], release.version, facts_of(live, release))


@task(task_run_name="tell who holds what", cache_policy=NO_CACHE)
def tell_held(live: Live) -> None:
    """Every environment that a person stopped, once."""
    for place, sentence in live.ledger.pauses.held().items():
        facts = Facts(live.shop.shop, environment=place, outcome=sentence)
        tell(live, "stopped", f"{place} {sentence}", facts)


@task(task_run_name="tell what ended", cache_policy=NO_CACHE)
def tell_ended(live: Live) -> None:
    """Deployments of a run of their own, which no release's end tells of: each once."""
    for row in live.ledger.deployments.ended_lately():
        own = live.ledger.releases.get(row.version).flow_run == row.flow_run
        if not own and row.state in STATES:
            outcome = f"{row.kind} of {row.environment} is {row.state}. {row.reason}".strip()
            facts = Facts(
                live.shop.shop, row.version, row.environment, row.requested_by, outcome,
                link=run_page(live, row.flow_run),
            )  # fmt: skip
            tell(live, STATES[row.state], f"deployment {row.id}", facts)


def tell_waiting(live: Live, row: Deployment, approval: Approval) -> None:
    """That an approval waits for somebody."""
    tell(live, "waiting", _approval(approval), _waiting(live, row, approval))


@task(task_run_name="remind of what waits", cache_policy=NO_CACHE)
def remind_waiting(live: Live) -> None:
    """Again, every ``remind_seconds`` until somebody answers."""
    _kept_quiet(live, lambda: _reminded(live))


@task(task_run_name="tell again what was not delivered", cache_policy=NO_CACHE)
def retry_undelivered(live: Live) -> None:
    """What a chat did not take, until it does or the attempts are over."""
    _kept_quiet(live, notifier_of(live).retry)


def facts_of(live: Live, release: Release) -> Facts:
    """What is told of a release."""
    return Facts(
        live.shop.shop, release.version, release.route[-1], release.requested_by,
        release.outcome, link=run_page(live, release.flow_run),
    )  # fmt: skip


def run_page(live: Live, flow_run: str) -> str:
    """Where people see a run."""
    return page_of(pages_of(live), "runs", "flow-run", flow_run)


def artifact_page(live: Live, key: str) -> str:
    """Where people read a report."""
    return page_of(pages_of(live), "artifacts", "key", key)


def pages_of(live: Live) -> str:
    """Prefect's pages as people reach them: as told, else through the gateway; "" for no links."""
    gateway = live.shop.gateway
    return declared(live).public_url or (f"{gateway.origin}/v2" if gateway else "")


def _reminded(live: Live) -> Iterator[Sent]:
    notices, seconds = Notices(Store(live.ledger_url)), declared(live).remind_seconds
    for row in live.ledger.deployments.unfinished():
        for approval in live.ledger.approvals.of_deployment(row.id):
            at, reminders = notices.last_told("waiting", _approval(approval))
            answered = approval.decision != "waiting"
            if due(datetime.now(UTC), row.created_at, at, seconds, answered):
                again = Topic("waiting", _approval(approval), reminders + 1 if at else 0)
                yield from notifier_of(live).tell(again, _waiting(live, row, approval))


def _waiting(live: Live, row: Deployment, approval: Approval) -> Facts:
    return Facts(
        live.shop.shop, row.version, row.environment, row.requested_by,
        until=approval.expires_at, link=run_page(live, row.flow_run),
    )  # fmt: skip


def _approval(approval: Approval) -> str:
    return f"approval {approval.id}"


def _kept_quiet(live: Live, telling: Callable[[], Iterable[Sent]]) -> None:
    """A release goes on, whatever a chat or the telling comes to: it is in the log, and retried."""
    if not declared(live).targets:
        return
    try:
        for one in telling():
            _logged(one)
    except TradewindError as error:
        get_run_logger().warning("people were not told: %s", error)


def _logged(sent: Sent) -> None:
    if not sent.delivered:
        left = "given up" if sent.notice.given_up else "tried again later"
        get_run_logger().warning("%s was not told, %s: %s", sent.notice.target, left, sent.reason)
