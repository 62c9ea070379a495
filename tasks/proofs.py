"""What proves a release: gates, protections, backups, digests on hosts, verdicts, errors."""

from collections.abc import Iterator, Mapping
from typing import Any

from blocks.shop import Live
from domain.errors import Refused
from domain.host import Observed
from domain.journal import Deployment, Release, Step
from tasks.check import CHECK
from tasks.deployment import scope_of
from tasks.drift import observed
from tasks.schema import BACKUP, REHEARSAL

Row = dict[str, Any]
TEST, START, WATCH = "test ", "start ", "watch "


def manifest_record(live: Live, release: Release) -> Row:
    """Empty for a release that was never built."""
    try:
        return live.ledger.releases.manifest(release.version)
    except Refused:
        return {}


def evidence(live: Live, release: Release, rows: tuple[Deployment, ...]) -> Row:
    """Each service's gate, what the forge confirmed, and the proof of each backup."""
    steps = live.ledger.steps(f"release:{release.version}")
    return {
        "gates": [_gate(step) for step in steps if step.name.startswith(TEST)],
        "protections": live.ledger.releases.evidence(release.version),
        "backups": [one for row in rows for one in _backup(row, live.ledger.steps(scope_of(row)))],
    }


def _gate(step: Step) -> Row:
    """Of a gate that crashed only its error is known."""
    outcome, counted = step.outcome, step.outcome.get("counted", {})
    return {
        "service": step.name.removeprefix(TEST),
        "passed": step.status == "done" and not outcome.get("reasons"),
        "tests": counted.get("tests"),
        "failed": counted.get("failures", 0) + counted.get("errors", 0),
        "coverage_percent": counted.get("coverage_percent"),
        "seconds": outcome.get("ended", {}).get("seconds"),
        "said": outcome.get("error") or "; ".join(outcome.get("reasons", ())),
    }


def _backup(row: Deployment, steps: tuple[Step, ...]) -> Iterator[Row]:
    """A backup counts once it was restored and compared, which the rehearsal's step says."""
    done = {step.name: step.outcome for step in steps if step.status == "done"}
    if done.get(BACKUP):
        proven = done.get(REHEARSAL, {})
        yield {
            "environment": row.environment,
            "taken_at": done[BACKUP]["taken_at"],
            "kind": done[BACKUP]["kind"],
            "tables": len(done[BACKUP]["tables"]),
            "proven": bool(proven),
            "rehearsal_seconds": proven.get("rehearsal", {}).get("seconds"),
        }


def hosts(live: Live, rows: tuple[Deployment, ...], manifest: Mapping[str, Any]) -> Iterator[Row]:
    """Per environment and service: where it was started, and where that digest runs now."""
    started: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        for step in live.ledger.steps(scope_of(row)):
            if step.name.startswith(START) and step.status == "done":
                there = started.setdefault(row.environment, {})
                service = step.name.removeprefix(START)
                there.setdefault(service, set()).update(step.outcome.get("sent_bytes", ()))
    for place, services in started.items():
        seen = observed(live, place) if place in live.shop.environments else {}
        for part in manifest.get("parts", ()):
            if part["service"] in services:
                ran = sorted(services[part["service"]])
                yield {"environment": place, **_running(part, seen), "started_on": ran}


def _running(part: Mapping[str, Any], seen: Mapping[str, Observed | str]) -> Row:
    now = [
        f"{host}: {f'{unit.weight} %' if unit.kind == 'web' else unit.role}"
        for host, one in seen.items()
        if not isinstance(one, str)
        for unit in one.units.values()
        if unit.service == part["service"] and unit.digest == part["digest"]
    ]
    away = [f"{host}: does not answer" for host, one in seen.items() if isinstance(one, str)]
    names = ("service", "version", "digest")
    return {**{name: part[name] for name in names}, "runs_now": [*now, *away]}


def checks(live: Live, rows: tuple[Deployment, ...]) -> Iterator[Row]:
    """Every verdict of a canary, and every check of every channel."""
    for row in rows:
        for step in live.ledger.steps(scope_of(row)):
            if step.name.startswith(WATCH) and "decision" in step.outcome:
                said = "; ".join(step.outcome["reasons"])
                what = step.name.removeprefix(WATCH)
                yield _check(row, "canary", (what, step.outcome["decision"], said))
            for one in step.outcome.get("outcomes", ()) if step.name == CHECK else ():
                yield _check(row, one["channel"], (one["check"], one["result"], one["detail"]))


def _check(row: Deployment, of: str, found: tuple[str, str, str]) -> Row:
    what, verdict, said = found
    return {
        "environment": row.environment, "of": of, "what": what, "verdict": verdict, "said": said
    }  # fmt: skip


def errors(live: Live, rows: tuple[Deployment, ...]) -> Iterator[Row]:
    """What the error tracker counted at each weight, where there is one."""
    for row in rows:
        for step in live.ledger.steps(scope_of(row)):
            if step.name.startswith(WATCH) and step.outcome.get("errors"):
                what = step.name.removeprefix(WATCH)
                yield {
                    "environment": row.environment, "what": what, "errors": step.outcome["errors"]
                }  # fmt: skip
