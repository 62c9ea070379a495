"""From the facts of a failure to what a person needs: its cause, what holds now, what to do."""

import re
from dataclasses import dataclass
from typing import Literal

from domain.failure.causes import recognised
from domain.failure.doing import Doing, first_three
from domain.failure.facts import Place, Trouble
from domain.failure.telltales import Usual

Cause = (
    Usual
    | Literal[
        "a bad canary", "stock or orders", "the schema change", "a person said no",
        "a freeze or a stop", "not healthy", "the rules of releases", "its run was cancelled",
        "not recognised",
    ]
)  # fmt: skip
MOST_EVIDENCE = 6
MOST_LINE = 300
FROZEN = re.compile(r"\bmay not go on; wait until\b|\bheld(?: \w+)? by\b|\bcanary is missing\b")
RULED = re.compile(r"\bwould overtake\b|\bis quarantined\b|\bhas another deployment under way\b")
CANCELLED = "its run was cancelled"
SENTENCES: dict[str, str] = {
    "environment variables": "{who} needs {what}, which is not there {where}.",
    "permissions": "{who} is not allowed something that it needs {where}.",
    "network": "{who} could not reach something that it needs {where}.",
    "dependency conflicts": "A dependency of {who} is missing or does not fit {where}.",
    "script errors": "{who} ended with an error of its own {where}.",
    "a bad canary": "The canary of {who} was worse than what served, or nothing could be told.",
    "stock or orders": "Stock or orders did not agree with the channels after the change, or"
    " nothing could be told.",
    "the schema change": "The change of the schema was refused or failed.",
    "a person said no": "The release was not approved.",
    "a freeze or a stop": "A freeze, or a person who stopped the environment, held it up.",
    "not healthy": "{who} did not become healthy, or its pages did not answer, {where}.",
    "the rules of releases": "A rule of releases stopped it before anything was changed.",
    "its run was cancelled": "A person cancelled its run.",
    "not recognised": "None of the usual causes was recognised; what it said is below.",
}


@dataclass(frozen=True)
class Explanation:
    """``cause`` names it and ``sentence`` says it; ``evidence`` are lines as they were found."""

    version: str
    state: str
    where: str
    stage: str
    cause: Cause
    sentence: str
    evidence: tuple[str, ...]
    restored: tuple[str, ...]
    todo: tuple[Doing, ...]


def explained(trouble: Trouble) -> Explanation:
    """Everything a page says, from the facts alone."""
    broken = trouble.broken
    cause, line, name = _cause(trouble)
    return Explanation(
        trouble.version,
        trouble.state,
        broken.where,
        broken.stage,
        cause,
        _sentence(trouble, cause, name),
        _evidence(trouble, line),
        (*_now(trouble.place), *_kept_out(trouble)),
        first_three(trouble, cause, name),
    )


def _cause(trouble: Trouble) -> tuple[Cause, str, str]:
    """The cause, the line that tells it, and what that is about."""
    broken, said = trouble.broken, trouble.broken.said
    if trouble.decision:
        return "a person said no", trouble.decision, ""
    if said == CANCELLED:
        return "its run was cancelled", said, ""
    for cause, pattern in _RULES:
        if broken.stage in ("cut", "prepare") and pattern.search(said):
            return cause, said, ""
    found = recognised((*broken.output, said))
    if broken.stage == "canary" and broken.step.startswith("watch ") and not _crashed(trouble):
        return "a bad canary", said, ""
    if broken.stage == "check" and not _crashed(trouble):
        return "stock or orders", said, ""
    if _of_the_schema(trouble) and (found is None or found.cause == "script errors"):
        return "the schema change", said, ""
    if found is None:
        return ("not healthy" if broken.stage == "start" else "not recognised"), said, ""
    return found.cause, found.line, found.name


_RULES: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    ("a freeze or a stop", FROZEN),
    ("the rules of releases", RULED),
)


def _crashed(trouble: Trouble) -> bool:
    """The step itself failed, as when a host is away: then it is no verdict."""
    return trouble.broken.said.startswith(("Unavailable: ", "Failed: "))


def _of_the_schema(trouble: Trouble) -> bool:
    step = trouble.broken.step
    return step.startswith(("migrate", "plan migration", "back up", "prove the backup"))


def _sentence(trouble: Trouble, cause: Cause, name: str) -> str:
    where = trouble.broken.where
    stage = f"in its {trouble.broken.stage} stage"
    said = SENTENCES[cause].format(
        who=trouble.broken.service or "the release",
        what=f"the environment variable {name}" if name else "an environment variable",
        where=stage if where == "release" else f"{stage} in {where}",
    )
    return said[:1].upper() + said[1:]


def _evidence(trouble: Trouble, line: str) -> tuple[str, ...]:
    """The tell-tale line, what the step said, and the end of its output; each once.

    How all of it ended only where the step said nothing.
    """
    tails = [one for text in trouble.broken.output for one in text.splitlines()[-3:]]
    said = trouble.broken.said or trouble.outcome
    found = (line, *said.splitlines()[:2], *tails)
    lines = dict.fromkeys(one.strip()[:MOST_LINE] for one in found if one.strip())
    return tuple(lines)[:MOST_EVIDENCE]


def _now(place: Place | None) -> tuple[str, ...]:
    """What serves where it stopped, said as far as it is known and no further."""
    if place is None or not place.touched:
        serves = f" {_versions(place)}" if place and place.now else ""
        return (f"Nothing that serves was changed.{serves}",)
    return (_serving(place), *_undone(place), _orders(place))


def _serving(place: Place) -> str:
    if place.state == "halted":
        return f"A person is needed: not everything in {place.environment} could be taken back."
    if not place.before:
        return f"Nothing served in {place.environment} before: there is nothing to go back to."
    if dict(place.now) != dict(place.before):
        return (
            f"What serves now is not what served before it, maybe a later one. {_versions(place)}"
        )
    return f"What served before serves again in full. {_versions(place)}"


def _versions(place: Place) -> str:
    shown = ", ".join(f"{service} {version}" for service, version in sorted(place.now.items()))
    return f"In {place.environment}: {shown or 'nothing'}."


def _undone(place: Place) -> tuple[str, ...]:
    done = f"Taken back: {', '.join(place.restored)}." if place.restored else ""
    left = f"Not taken back: {', '.join(place.lost)}." if place.lost else ""
    return tuple(filter(None, (done, left)))


def _orders(place: Place) -> str:
    if place.orders == "kept":
        return "The checks found no order lost."
    if place.orders == "differ":
        return "The checks found orders that differ; see `tradewind divergences`."
    return "Whether orders were lost was not checked: it stopped before its checks."


def _kept_out(trouble: Trouble) -> tuple[str, ...]:
    if not trouble.quarantined:
        return ()
    return ("What was new in it is in quarantine: the same code stays out under any number.",)
