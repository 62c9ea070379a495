"""Five releases: what each brings, how it must end, and what happened."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table

from blocks import prefect_runs as runs
from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from deployments.apply import apply
from deployments.demo.street import Audit, Street
from deployments.settings import state_of
from deployments.stack import Stack
from domain.journal import Deployment, Release
from domain.report import cell, duration, seconds_between
from examples.repository import SampleRepository
from tasks.deployment import scope_of

console = Console(width=None if sys.stdout.isatty() else 120)


@dataclass(frozen=True)
class Chapter:
    """One release of the story; ``because`` must stand in the ledger's reason."""

    title: str
    ref: str
    state: str
    because: str = ""
    approved: bool = False


@dataclass(frozen=True)
class Told:
    """How it went, by the ledger and by what customers wrote down."""

    chapter: Chapter
    release: Release
    deployments: tuple[Deployment, ...]
    restored_seconds: float | None
    sent: int
    dropped: int
    errors: int
    orders: Audit


@dataclass(frozen=True)
class Stage:
    """Where it is played, how long a release and all of it may take, what happens meanwhile."""

    stack: type[Stack] = Stack
    run_seconds: float = 240.0
    most_seconds: float = 300.0
    meanwhile: Callable[[Live, Stack], AbstractContextManager[None]] = lambda *_: nullcontext()


ONE_MACHINE = Stage()
CHAPTERS = (
    Chapter("the shop", "main", "released"),
    Chapter("gift notes, with a schema change", "gift-notes", "released", "", True),
    Chapter("stock decremented twice", "double-decrement", "restored", "INV-"),
    Chapter("5 % of checkouts fail", "failing-checkouts", "restored", "storefront at"),
    Chapter("tests fail", "failing-tests", "refused", "tests"),
)


def tell(folder: Path, keep: bool, stage: Stage = ONE_MACHINE) -> int:
    """Everything, unattended; the exit code."""
    begun = time.monotonic()
    sample = SampleRepository(folder)
    live = Live(folder / "shop.yaml", state_of(folder / "shop.yaml"))
    stack = stage.stack(live)
    try:
        with said("PostgreSQL, Prefect, a worker, the hosts, the marketplaces"):
            stack.up()
            street = Street(live, stack)
            street.open_marketplaces()
            apply(live, PrefectServer())
        console.print(f"Prefect UI: {stack.ui}")
        with stage.meanwhile(live, stack):
            releases = [told_release(street, sample, stage, one) for one in range(len(CHAPTERS))]
        street.close_doors()
        street.settle()
        told = [accounted(live, street, *one) for one in releases]
        took = time.monotonic() - begun
        console.print(drawn(told))
        console.print(
            "dropped: no answer but the proxy's; failed: the version itself answered with an error"
        )
        return promised(street, told, took, stage.most_seconds)
    finally:
        if keep:
            console.print(f"still up: {stack.ui}; end it with")
            tradewind = Path(sys.executable).with_name("tradewind")
            console.print(f"  {tradewind} --shop {folder / 'shop.yaml'} down", soft_wrap=True)
        else:
            stack.down()


def told_release(
    street: Street, sample: SampleRepository, stage: Stage, number: int
) -> tuple[Chapter, Release, float, float]:
    """Commits the change, releases it through Prefect's API, and answers its gate."""
    chapter, begun = CHAPTERS[number], time.time()
    prepared(sample, number)
    live = street.live
    shop = live.shop.shop
    request = {"ref": chapter.ref, "requested_by": "Ann", "reason": chapter.title}
    with said(f"release {number + 1}: {chapter.title}"):
        run = runs.start(f"release/{shop}", {"shop": shop, "request": request})
        ended = runs.follow(run, stage.run_seconds)
        if chapter.approved and ended.waits:
            approve(live, run)
            ended = runs.follow(run, stage.run_seconds)
    console.print(f"  {ended.name}: {cell(ended.message, 160)}", markup=False)
    if number == 0 and ended.completed:
        street.open_doors()
    release = live.ledger.releases.of_flow_run(str(run))
    assert release is not None, f"the release was not even cut: {ended.message}"
    return chapter, release, begun, time.time()


def prepared(sample: SampleRepository, number: int) -> None:
    """Release 2 becomes part of main; the bad ones are branches from there."""
    if number == 1:
        sample.branch(CHAPTERS[1].ref, "0001")
        sample.merge(CHAPTERS[1].ref)
    elif number > 1:
        sample.branch(CHAPTERS[number].ref, f"{number:04}")


def approve(live: Live, run: UUID) -> None:
    """A second person reads the plan and approves it through the API."""
    release = live.ledger.releases.of_flow_run(str(run))
    assert release is not None
    (row,) = (d for d in live.ledger.deployments.of_release(release.version) if not d.finished)
    (approval,) = live.ledger.approvals.of_deployment(row.id)
    runs.answer(
        run, {"decision": "approve now", "decided_by": "Bo", "plan": approval.plan_digest}
    )  # fmt: skip


def accounted(live: Live, street: Street, chapter: Chapter, release: Release,
              begun: float, ended: float) -> Told:  # fmt: skip
    """A release with what customers met in its time."""
    lines = street.seen(begun, ended)
    rows = live.ledger.deployments.of_release(release.version)
    return Told(
        chapter,
        live.ledger.releases.get(release.version),
        rows,
        restored_seconds(live, rows),
        len(lines),
        sum(line["outcome"] == "dropped" for line in lines),
        sum(line["outcome"] in ("error", "refused") for line in lines),
        street.audit(lines),
    )


def restored_seconds(live: Live, rows: tuple[Deployment, ...]) -> float | None:
    """From the verdict to the end of the way back."""
    for row in rows:
        for step in live.ledger.steps(scope_of(row)):
            if step.name == "blame":
                return seconds_between(step.started_at, row.finished_at)
    return None


def drawn(told: list[Told]) -> Table:
    table = Table(title="What happened", title_justify="left", show_lines=True)
    for name in ("Release", "Result, and why"):
        table.add_column(name, overflow="fold")
    for name in ("Commit to customers", "Verdict to restored", "Requests", "Orders"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in told:
        live = one.release.state == "released"
        took = seconds_between(one.release.committed_at, one.release.finished_at)
        table.add_row(
            f"{one.release.version}\n{one.chapter.title}",
            f"{one.release.state}: {cell(one.release.outcome, 150)}",
            duration(took) if live else "",
            duration(one.restored_seconds),
            f"{one.sent:,} sent\n{one.dropped} dropped\n{one.errors} failed",
            f"{one.orders.taken:,} taken\n{one.orders.lost} lost\n{one.orders.doubled} doubled",
        )
    return table


def promised(street: Street, told: list[Told], took: float, most_seconds: float) -> int:
    """Prints every broken promise; 1 when there is one."""
    broken = [*_broken_releases(told), *_broken_orders(street), *_broken_end(street.live, told)]
    if took > most_seconds:
        broken.append(f"took {took:.0f} s, at most {most_seconds:.0f} s are allowed")
    for one in broken:
        console.print(f"broken: {one}", style="bold red", markup=False)
    console.print(f"{took:.0f} s, {'promises broken' if broken else 'every promise kept'}")
    return 1 if broken else 0


def _broken_releases(told: list[Told]) -> Iterator[str]:
    for one in told:
        version, release = one.release.version, one.release
        if release.state != one.chapter.state:
            yield f"{version} is {release.state}, should be {one.chapter.state}: {release.outcome}"
        if one.chapter.because not in release.outcome:
            yield f"{version} ended by {release.outcome!r}, not by {one.chapter.because!r}"
        if one.errors and one.chapter.ref != "failing-checkouts":
            yield f"{one.errors} requests of {one.sent} failed during {version}"


def _broken_orders(street: Street) -> Iterator[str]:
    """Over the whole time, between the releases, too."""
    lines = street.seen()
    orders = street.audit(lines)
    dropped = sum(line["outcome"] == "dropped" for line in lines)
    if dropped:
        yield f"{dropped} of {len(lines)} requests were dropped"
    if orders.lost or orders.doubled:
        yield f"of {orders.taken} orders {orders.lost} were lost, {orders.doubled} doubled"
    if not orders.taken:
        yield "nobody bought anything"


def _broken_end(live: Live, told: list[Told]) -> Iterator[str]:
    yield from (f"ledger: {one}" for one in live.ledger.verify())
    good = {one.release.version for one in told if one.chapter.state == "released"}
    for host in live.hosts("production"):
        for unit in host.observe().units.values():
            if unit.weight and (unit.version not in good or unit.weight != 100):
                yield f"{unit.service} {unit.version} has {unit.weight} % of traffic"


@contextmanager
def said(what: str) -> Iterator[None]:
    begun = time.monotonic()
    console.print(f"[bold]{what}[/bold]")
    with console.status(what):
        yield
    console.print(f"  {duration(time.monotonic() - begun)}")
