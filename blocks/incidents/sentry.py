"""Sentry, by its web API: releases with commits and deploys, issues, counts of error events."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from blocks.forges import segment, understood
from blocks.incidents import PROBE, asking, telling
from domain.incidents.release import Arm, Commit, Cut, Deploy, Issue

MOST_MESSAGE = 1000
MOST_ISSUES = 100
AHEAD = timedelta(minutes=5)
"""Events of clocks that run fast are counted, too."""


class Sentry:
    """One organisation of sentry.io or of a Sentry of one's own; projects are slugs."""

    cannot: tuple[str, ...] = ()

    def __init__(self, url: str, organization: str, token: str) -> None:
        self._url, self._organization = url.rstrip("/"), organization
        self._of = f"/organizations/{segment(organization)}"
        self._calls = asking("Sentry", f"{self._url}/api/0", token)
        self._told = telling("Sentry", f"{self._url}/api/0", token)

    @understood
    def record(self, cut: Cut) -> None:
        told = {
            "version": cut.name,
            "projects": list(cut.projects),
            "ref": cut.commits[0].id if cut.commits else None,
            "url": cut.url or None,
            "commits": [_commit(one, cut.repository) for one in cut.commits],
        }
        self._told.ask("POST", f"{self._of}/releases/", json=told)

    @understood
    def deployed(self, deploy: Deploy) -> None:
        told = {
            "environment": deploy.environment,
            "name": deploy.name,
            "url": deploy.url or None,
            "projects": list(deploy.projects),
            "dateStarted": deploy.begun_at.isoformat(),
            "dateFinished": deploy.ended_at.isoformat(),
        }
        path = f"{self._of}/releases/{segment(deploy.name)}/deploys/"
        self._told.ask("POST", path, json=told)

    @understood
    def new_issues(self, arm: Arm) -> tuple[Issue, ...]:
        first = f'{_errors(arm)} firstRelease:"{arm.name}"'
        rows = self._calls.get(
            f"{self._of}/issues/", **_asked(arm, first), limit=MOST_ISSUES, sort="date"
        )
        return tuple(_issue(row) for row in rows if row["title"] != PROBE)

    @understood
    def error_events(self, arm: Arm) -> int:
        wanted = f'{_errors(arm)} release:"{arm.name}"'
        asked = {"field": "count()", "dataset": "errors", **_asked(arm, wanted)}
        (row,) = self._calls.get(f"{self._of}/events/", **asked)["data"]
        return int(row["count()"])

    @understood
    def has(self, project: str, event: str) -> bool:
        path = f"/projects/{segment(self._organization)}/{segment(project)}/events/{event}/"
        return self._calls.found(path) is not None

    def page(self, project: str, name: str) -> str:
        return f"{self._url}{self._of}/releases/{quote(name, safe='')}/"


def _errors(arm: Arm) -> str:
    """Our own events are no errors by their level."""
    return f"project:{arm.project} level:[error,fatal]"


def _asked(arm: Arm, query: str) -> dict[str, str]:
    """Sentry reads times without a zone as UTC."""
    since, until = (
        moment.astimezone(UTC).replace(tzinfo=None).isoformat()
        for moment in (arm.since, datetime.now(UTC) + AHEAD)
    )
    return {"query": query, "environment": arm.environment, "start": since, "end": until}


def _issue(row: Mapping[str, Any]) -> Issue:
    return Issue(row["shortId"], row["title"], row["permalink"], int(row["count"]))


def _commit(commit: Commit, repository: str) -> dict[str, str]:
    return {
        "id": commit.id,
        "repository": repository,
        "message": commit.message[:MOST_MESSAGE],
        "author_name": commit.author_name,
        "author_email": commit.author_email,
        "timestamp": commit.at.isoformat(),
    }
