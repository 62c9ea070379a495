"""A candidate's errors as a gate: looked at beside the canary, and proven before it is believed."""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from prefect import task

from blocks.incidents.connected import Incidents
from domain.canary import Verdict
from domain.errors import BadRelease, Failed, TradewindError
from domain.host import Served
from domain.incidents.judgement import Limits, Seen, joined, judge
from domain.plan import Change
from tasks.deployment import Deploying
from tasks.retries import STEP

CHECK = "check errors"
LOOKS = ThreadPoolExecutor(2, thread_name_prefix="errors")
USUAL_ALPHA = 0.01
NOBODY = (Served(0, 0, 0, 0), Served(0, 0, 0, 0))
"""Where requests were not counted, the two versions' errors are not compared."""


class Errors:
    """One service's candidate beside what served before it, from a moment on."""

    def __init__(self, under_way: Deploying, change: Change, since: datetime) -> None:
        self._tracker = _guarding(under_way, change)
        self._under_way, self._change, self._since = under_way, change, since
        self._pending: Future[Seen] | None = None
        self._asked_at = 0.0
        self.seen = Seen(problem="nobody has looked yet")

    def beside(self, canary: Verdict, served: tuple[Served, Served]) -> Verdict:
        """The canary's verdict, unless what was last seen blames the release. Never waits.

        A tracker that is slow must not keep the canary from seeing that customers suffer.
        """
        if self._tracker is None:
            return canary
        self._ask(self._tracker)
        found = judge(self.seen, served, self._limits(self._tracker))
        return joined(canary, found, required=False) if found.decision == "restore" else canary

    def proven(self, verdict: Verdict, served: tuple[Served, Served]) -> Verdict:
        """The last word: looks once more when an event of our own has arrived after all others.

        A verdict that is no *promote* stays as it is.
        """
        if self._tracker is None or verdict.decision != "promote":
            return verdict
        self.seen = self._arrived(self._tracker)
        found = judge(self.seen, served, self._limits(self._tracker))
        return joined(verdict, found, self._tracker.settings.required)

    def recorded(self) -> Mapping[str, Any]:
        """For the step's outcome: counts, issues with their links; empty where nobody looks."""
        if self._tracker is None:
            return {}
        release = self._tracker.name(self._change.after.version)
        return {"service": self._change.service, "release": release, **asdict(self.seen)}

    def _ask(self, tracker: Incidents) -> None:
        """In the background, when the last answer is here and not too young."""
        if self._pending and self._pending.done():
            self.seen, self._pending = self._pending.result(), None
        due = time.monotonic() >= self._asked_at + tracker.settings.poll_seconds
        if self._pending is None and due:
            self._asked_at = time.monotonic()
            self._pending = LOOKS.submit(self._look, tracker)

    def _look(self, tracker: Incidents) -> Seen:
        change, place, since = self._change, self._under_way.environment, self._since
        assert change.before is not None  # only then there is something to compare with
        return tracker.look(
            tracker.arm(change.service, change.after.version, place, since),
            tracker.arm(change.service, change.before.version, place, since),
        )

    def _arrived(self, tracker: Incidents) -> Seen:
        """Waits for our own event; what is seen without it is told, but proves nothing."""
        settings, event, problem = tracker.settings, "", ""
        deadline = time.monotonic() + settings.wait_seconds
        while time.monotonic() < deadline:
            try:
                event = event or self._sent(tracker)
                if tracker.arrived(self._change.service, event):
                    return _with_proof(self._look(tracker))
                problem = f"no event arrived within {settings.wait_seconds:g} s"
            except TradewindError as error:
                event, problem = "", str(error)
            time.sleep(min(settings.poll_seconds, max(0.0, deadline - time.monotonic())))
        last = self._look(tracker)
        return Seen(last.new_issues, last.candidate, last.baseline, False, last.problem or problem)

    def _sent(self, tracker: Incidents) -> str:
        after = self._change.after
        return tracker.probe(self._change.service, after.version, self._under_way.environment)

    def _limits(self, tracker: Incidents) -> Limits:
        of, canary = tracker.settings, self._under_way.canary
        alpha = canary.alpha if canary else USUAL_ALPHA
        return Limits(of.max_new_issues, of.max_error_events, alpha)


def _guarding(under_way: Deploying, change: Change) -> Incidents | None:
    """The tracker, where it has a say: a first version has nothing to go back to."""
    tracker = under_way.live.incidents
    asked = change.before is not None and under_way.row.kind == "release"
    return tracker if tracker and asked and tracker.settings.guards(under_way.environment) else None


def _with_proof(seen: Seen) -> Seen:
    return Seen(seen.new_issues, seen.candidate, seen.baseline, not seen.problem, seen.problem)


def check_errors(under_way: Deploying) -> None:
    """Once everything has moved: workers too, and services without a canary."""
    for change in under_way.plan.changes:
        if _guarding(under_way, change):
            judge_errors(under_way, change)


@task(task_run_name="{change.service}: errors of {change.after.version}", **STEP)
def judge_errors(under_way: Deploying, change: Change) -> None:
    """Of the whole deployment; new kinds of errors blame the release."""
    name = f"{CHECK} of {change.service}"
    found = under_way.step(name, partial(_judged, under_way, change))
    what = f"{change.service}: {'; '.join(found['reasons'])}"
    if found["decision"] == "restore":
        raise BadRelease(what)
    if found["decision"] != "promote":
        raise Failed(f"inconclusive, so not passed: {what}")


def _judged(under_way: Deploying, change: Change) -> Mapping[str, Any]:
    errors = Errors(under_way, change, under_way.row.created_at)
    verdict = errors.proven(Verdict("promote", ()), NOBODY)
    return {
        "decision": verdict.decision,
        "reasons": verdict.reasons,
        "errors": errors.recorded(),
    }
