"""Rows of a ledger, made up for the dashboard's tests."""

from datetime import UTC, datetime, timedelta

from domain.dashboard.facts import Running, Waiting
from domain.journal import FINAL, Approval, Deployment, Release

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WORDS = {
    "timeline": "The last 30 days", "result_well": "went well", "result_back": "taken back",
    "result_stuck": "halted", "result_refused": "refused", "result_moving": "under way",
    "route": "The route of", "commit": "Commit", "one_host": "1 host", "hosts": "hosts",
    "serves": "serves", "nothing": "nothing yet", "state not reached": "not reached",
}  # fmt: skip


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def deployment(
    number: int, state: str, days: float = 0.0, environment: str = "production", reason: str = ""
) -> Deployment:
    began = ago(days)
    ended = began if state in FINAL else None
    return Deployment(
        number, f"2026.11.1.{number}", environment, "release", f"run-{number}", "ann", state,
        reason, 1, {}, began, ended,
    )  # fmt: skip


def release(number: int, state: str, route: tuple[str, ...] = ("staging", "production")) -> Release:
    ended = None if state in ("open", "built") else NOW
    return Release(
        f"2026.11.1.{number}", f"run-{number}", "main", "c0ffee0123", "ann", "sale", ("web",),
        route, state, "", NOW, NOW, ended,  # type: ignore[arg-type]  # any state, by name
    )  # fmt: skip


def running(
    service: str, version: str, environment: str = "production", days: float = 1
) -> Running:
    return Running(environment, service, version, "sha256:13e936d2aa", ago(days))


def waiting(of: Deployment) -> Waiting:
    expires = NOW + timedelta(hours=23)
    return Waiting(Approval(1, of.id, "plan", "ann", "waiting", "", "", expires, None), of)
