"""A hotfix of the sample shop: from the request to all customers, and where the time goes."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from blocks import prefect_runs as runs
from tasks.deployment import scope_of
from tasks.hotfix import HotfixRequest
from tasks.starting import start_once
from tests.bench.results import Result
from tests.flows.world import Settings, World, opened

LIMIT_SECONDS = 900.0
FIXED = "# the fix\n"


def hotfix() -> Result:
    """The whole route of the sample shop as it is, five channels and customers included.

    A person is played who approves as soon as the gate is there.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder,
        opened(Path(folder) / "shop", as_it_is) as world,
    ):
        approve(world, world.start())
        world.street.open_doors()
        broken(world)
        asked_at = datetime.now(UTC)
        run = ask(world)
        approve(world, run)
        return measured(world, run, asked_at)


def as_it_is(settings: Settings) -> None:
    """Nothing is made quicker than the demo has it."""


def broken(world: World) -> None:
    """A fix on a branch of its own."""
    world.sample.branch_off("fix")
    file = world.folder / "storefront" / "__init__.py"
    file.write_text(f"{file.read_text()}{FIXED}")
    world.sample.commit("Fix the checkout")


def ask(world: World) -> UUID:
    commit = world.live.repository.resolve("fix")
    request = HotfixRequest(
        service="storefront", ref=commit, incident="INC-1",
        reason="checkout answers 500", requested_by="ann",
    )  # fmt: skip
    return start_once(world.live, "hotfix", request.model_dump(), "bench")


def approve(world: World, run: UUID) -> None:
    """Follows a run to its end; whatever it asks on the way is approved at once."""
    while (ended := runs.follow(run, LIMIT_SECONDS)).waits:
        for approval in world.live.ledger.approvals.waiting():
            said = {"decision": "approve now", "decided_by": "bo", "plan": approval.plan_digest}
            runs.answer(run, said)
    assert ended.completed, ended


def measured(world: World, run: UUID, asked_at: datetime) -> Result:
    release = world.release(run)
    assert release is not None
    row = world.deployment(release.version, "production")
    steps = {step.name: step.finished_at for step in world.live.ledger.steps(scope_of(row))}
    times = {
        "a worker has taken it, and it is cut": release.created_at,
        "tested, built, in staging": row.created_at,
        "all customers have it": steps["route storefront 100"],
        "stock and orders proven": release.finished_at,
    }
    rows = tuple(
        (what, f"{(at - asked_at).total_seconds():.0f}")
        for what, at in times.items()
        if isinstance(at, datetime)
    )
    return Result("A hotfix of the sample shop", ("reached", "seconds after the request"), rows)
