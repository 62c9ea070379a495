"""A release from commit to customers, as one JSON-ready answer: what, who, when, by what proof."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from blocks.shop import Live
from domain.errors import TradewindError
from domain.journal import Approval, Deployment, Release
from domain.report import seconds_between
from tasks.figures import cost_of
from tasks.proofs import checks, errors, evidence, hosts, manifest_record
from tasks.report import stages
from tasks.statements import policy_of, proves_of

MOST_COMMITS = 20
Row = dict[str, Any]


def trace(live: Live, version: str) -> Row:
    """Refused when there is no such release."""
    release = live.ledger.releases.get(version)
    rows = live.ledger.deployments.of_release(version)
    manifest = manifest_record(live, release)
    return {
        "release": asdict(release),
        "commit": commit(live, release, rows),
        "route": list(route(release, rows)),
        "people": list(people(live, release, rows)),
        "evidence": evidence(live, release, rows),
        "hosts": list(hosts(live, rows, manifest)),
        "checks": list(checks(live, rows)),
        "errors": list(errors(live, rows)),
        "cost": cost_of(live, version),
        "parts": manifest.pop("parts", []),
        "manifest": manifest,
        "stages": [asdict(one) for one in stages(live, release)],
    }


def commit(live: Live, release: Release, rows: tuple[Deployment, ...]) -> Row:
    """What it is, and what it contains that what served before did not.

    ``problem`` says why git does not tell, where it does not.
    """
    found: Row = {"id": release.commit, "ref": release.ref, "at": release.committed_at}
    before = _before(live, release, rows)
    try:
        found["subject"] = live.repository.subject(release.commit)
        if before is not None:
            count, newest = live.repository.between(before.commit, release.commit, MOST_COMMITS)
            found |= {"since": before.version, "commits": count, "newest": list(newest)}
    except TradewindError as error:
        found["problem"] = str(error)
    return found


def _before(live: Live, release: Release, rows: tuple[Deployment, ...]) -> Release | None:
    """The release that served before it, at the end of its route or as far as it came."""
    there = [row for row in rows if row.kind == "release"]
    place = there[-1].environment if there else release.route[-1]
    for done in live.ledger.deployments.done(place):
        earlier = not there or done.id < there[-1].id
        if earlier and done.kind != "restore" and done.version != release.version:
            return live.ledger.releases.get(done.version)
    return None


def route(release: Release, rows: tuple[Deployment, ...]) -> Iterator[Row]:
    """From the commit on, with what each part took."""
    cut = seconds_between(release.committed_at, release.created_at)
    yield _stretch("commit to cut", "cut", (release.committed_at, release.created_at), cut)
    for row in rows:
        name = row.environment if row.kind == "release" else f"{row.kind} of {row.environment}"
        took = seconds_between(row.created_at, row.finished_at)
        yield _stretch(name, row.state, (row.created_at, row.finished_at), took)
    whole = seconds_between(release.committed_at, release.finished_at)
    span = (release.committed_at, release.finished_at)
    yield _stretch("commit to end", release.state, span, whole)


def _stretch(what: str, state: str, span: tuple[Any, Any], seconds: float | None) -> Row:
    return {"what": what, "state": state, "began": span[0], "ended": span[1], "seconds": seconds}


def people(live: Live, release: Release, rows: tuple[Deployment, ...]) -> Iterator[Row]:
    """Everybody who asked, approved, said no or lifted a freeze, with what they said."""
    yield _did(release.requested_by, "asked for it", release.created_at, release.reason)
    hotfix = live.ledger.hotfixes.of(release.version)
    if hotfix is not None:
        yield _did(release.requested_by, "as a hotfix", hotfix.asked_at, hotfix.incident)
    for row in rows:
        if row.flow_run != release.flow_run:
            what = {"release": "promotion"}.get(row.kind, row.kind)
            yield _did(row.requested_by, f"{what} in {row.environment}", row.created_at, "")
        for approval in live.ledger.approvals.of_deployment(row.id):
            yield from _answers(live, row, approval)
        for lifted in live.ledger.overrides.during(
            row.environment, row.created_at, row.finished_at
        ):
            made = lifted.override
            what = f"lifted {', '.join(made.events)} in {row.environment}"
            yield _did(f"{made.by} and {made.second}", what, lifted.seconded_at, made.reason)


def _answers(live: Live, row: Deployment, approval: Approval) -> Iterator[Row]:
    """Signed statements where they are asked for, each proven; a typed name else."""
    signed = live.ledger.approvals.statements(approval.id, proves_of(live))
    for one in signed:
        what = f"{one.said.decision}, signed, in {row.environment}"
        yield _did(one.person, what, one.said_at, one.said.reason)
    if not signed:
        unproven = policy_of(live, approval).signed and approval.decided_by
        what = f"{approval.decision}{', not proven,' if unproven else ''} in {row.environment}"
        yield _did(approval.decided_by or "nobody", what, approval.decided_at, approval.reason)


def _did(who: str, did: str, at: Any, said: str) -> Row:
    return {"who": who, "did": did, "at": at, "said": said}
