"""Bugsink, by its REST API: releases, issues and events of a project that has a number."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from blocks.forges import understood
from blocks.incidents import PROBE, asking, telling, text
from domain.errors import Refused
from domain.incidents.release import Arm, Cut, Deploy, Issue

API = "/api/canonical/0"
MOST_PAGES = 4
"""Of 250 rows each: as many are enough for a verdict."""


class Bugsink:
    """It takes events of every level for errors; see ``cannot`` for what it has no place for."""

    cannot: tuple[str, ...] = ("commits", "deploys", "links back")

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._calls = asking("Bugsink", self._url + API, token)
        self._told = telling("Bugsink", self._url + API, token)

    @understood
    def record(self, cut: Cut) -> None:
        """In every project by itself: Bugsink's releases are a project's."""
        for project in cut.projects:
            try:
                told = {"project": int(project), "version": cut.name}
                self._told.ask("POST", "/releases/", json=told)
            except Refused as refusal:
                if "already exists" not in str(refusal):
                    raise

    def deployed(self, deploy: Deploy) -> None:
        """Nothing: Bugsink knows no deploys."""

    @understood
    def new_issues(self, arm: Arm) -> tuple[Issue, ...]:
        found = [row for row in self._issues(arm) if row["events_at"][:1] == [arm.name]]
        return tuple(self._issue(arm, row) for row in found)

    @understood
    def error_events(self, arm: Arm) -> int:
        return sum(self._events(arm, row) for row in self._issues(arm))

    @understood
    def has(self, project: str, event: str) -> bool:
        asked = {"project": project, "event_id": event}
        return self._calls.found("/events/lookup/", **asked) is not None

    def page(self, project: str, name: str) -> str:
        return f"{self._url}/issues/{project}/all/?q=" + quote(_tagged(release=name), safe="")

    def _issue(self, arm: Arm, row: Mapping[str, Any]) -> Issue:
        link = f"{self._url}/issues/issue/{row['id']}/event/last/"
        title = text(row, "calculated_type", "calculated_value")
        return Issue(row["friendly_id"], title, link, self._events(arm, row))

    def _issues(self, arm: Arm) -> Iterator[Mapping[str, Any]]:
        """With events of this arm, the latest first; our own are none."""
        wanted = _tagged(release=arm.name, environment=arm.environment)
        asked = {"project": arm.project, "q": wanted, "sort": "last_seen", "order": "desc"}
        for row in self._rows("/issues/", asked):
            if _at(row["last_seen"]) < arm.since:
                return
            if row["calculated_value"] != PROBE:
                yield row

    def _events(self, arm: Arm, row: Mapping[str, Any]) -> int:
        wanted = _tagged(release=arm.name, environment=arm.environment)
        rows = self._rows("/events/", {"issue": row["id"], "q": wanted, "order": "desc"})
        return sum(_at(one["ingested_at"]) >= arm.since for one in rows)

    def _rows(self, path: str, asked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        cursor: Mapping[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = self._calls.get(path, **asked, **cursor)
            yield from answer["results"]
            if not answer["next"]:
                return
            cursor = {"cursor": httpx.URL(answer["next"]).params["cursor"]}


def _tagged(**tags: str) -> str:
    return " ".join(f'{name}:"{_escaped(value)}"' for name, value in tags.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
