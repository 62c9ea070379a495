"""The weekly report as people read it, in Markdown, and its one sentence."""

from collections.abc import Iterable, Iterator, Mapping

from domain.figures.facts import History
from domain.figures.reckoning import Line, Reckoning
from domain.figures.spread import span
from domain.markdown import plain, size

MOST_ROWS = 40


def sentence(found: Reckoning, last: str) -> str:
    """What everybody is told: how the ``last`` environment did."""
    line = next((one for one in found.overall if one.environment == last), None)
    if line is None:
        return f"no release yet in {last} in the last {found.days:.0f} days"
    dora, success = line.dora, line.success
    return (
        f"{last} in {found.days:.0f} days: {dora.deployments:,} deployed,"
        f" {success.restored:,} rolled back, {success.unsafe:,} not safe;"
        f" lead time {span(dora.lead.median) or 'not known yet'}"
    )


def report(found: Reckoning, title: str, week: str) -> str:
    """Everything, most wanted first; ``week`` says how the last seven days were."""
    head = (f"# {plain(title)}", f"**This week**: {plain(week)}.")
    return "\n\n".join((*head, *_introduction(found.history), *_sections(found)))


def _introduction(history: History) -> Iterator[str]:
    yield f"{history.since:%Y-%m-%d %H:%M} to {history.until:%Y-%m-%d %H:%M} UTC."
    if not history.whole:
        yield f"**Only the newest {len(history.moved):,} deployments are counted.**"


def _sections(found: Reckoning) -> Iterator[str]:
    if not found.lines:
        yield "There has been no release yet."
        return
    yield "## Was it safe"
    yield "\n".join(f"- **{plain(one.environment)}**: {one.success.told(found.agreed_percent)}."
                    for one in found.overall)  # fmt: skip
    yield "## How fast, how often, how well"
    yield _table(
        ("Where", "Service", "Deployments", "Lead time", "Failed", "Recovery", "Rework"),
        (_dora(one) for one in found.lines),
    )
    yield "DORA's five; shares with their 95 % interval, times as the median."
    yield from _optional("## Where the time went", ("Where", "Stage", "Took"), _stages(found))
    yield from _optional("## How long people were waited for", ("Where", "Took"), _waits(found))
    yield from _optional("## Verdicts", ("Where", "Of", "Given"), _verdicts(found))
    yield from _optional(
        "## What it cost",
        ("Release", "Compute", "Kept", "Registry", "Price"),
        _costs(found),
    )


def _dora(line: Line) -> tuple[str, ...]:
    dora = line.dora
    ill = f"; {dora.ill} not yet" if dora.ill else ""
    return (
        plain(line.environment), plain(line.service) or "**all**",
        f"{dora.deployments:,}, {dora.per_week:.1f} a week", str(dora.lead), str(dora.failed),
        f"{dora.recovery}{ill}", str(dora.rework),
    )  # fmt: skip


def _stages(found: Reckoning) -> Iterator[tuple[str, ...]]:
    for one in found.stages:
        yield plain(one.environment), plain(one.stage), str(one.took)


def _waits(found: Reckoning) -> Iterator[tuple[str, ...]]:
    for place, took in found.waits.items():
        yield plain(place), str(took)


def _verdicts(found: Reckoning) -> Iterator[tuple[str, ...]]:
    for (place, stage), given in found.verdicts.items():
        yield plain(place), plain(stage), counted(given)


def _costs(found: Reckoning) -> Iterator[tuple[str, ...]]:
    for one in found.costs:
        yield (
            one.version, f"{one.compute_minutes:.1f} min", f"{one.storage_gb_months:.4f} GB-months",
            size(one.registry_gb * 1e9), str(one),
        )  # fmt: skip


def counted(given: Mapping[str, int]) -> str:
    """
    >>> counted({"promote": 3, "restore": 1})
    'promote 3, restore 1'
    """
    return ", ".join(f"{verdict} {times:,}" for verdict, times in given.items())


def _optional(
    heading: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> Iterator[str]:
    """Nothing where there are no rows; a sentence where there are too many."""
    known = list(rows)
    if known:
        yield heading
        yield _table(columns, known[:MOST_ROWS])
    if len(known) > MOST_ROWS:
        yield f"{len(known) - MOST_ROWS:,} more rows are in `tradewind figures --json`."


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (columns, ("---",) * len(columns), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
