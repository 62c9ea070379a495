"""The first three things to do about a failure, each with its command where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.failure.facts import Trouble

REPLAYED = ("test", "build", "start")


@dataclass(frozen=True)
class Doing:
    """One thing to do; ``command`` is "" where only a person can."""

    what: str
    command: str = ""


def first_three(trouble: Trouble, cause: str, name: str) -> tuple[Doing, ...]:
    """In this order. A halted environment comes before everything else."""
    if trouble.state == "halted":
        return _halted(trouble)
    return (*_of_cause(trouble, cause, name), _again(trouble))[:3]


def _halted(trouble: Trouble) -> tuple[Doing, ...]:
    place = trouble.place.environment if trouble.place else trouble.broken.where
    return (
        Doing("See what runs where, and what differs from what should", f"tradewind drift {place}"),
        Doing(
            "Keep everybody else out until it is put right",
            f"tradewind hold {place} --by YOU --reason '{trouble.version} halted'",
        ),
        Doing("See what it can go back to", f"tradewind rollback {place} --by YOU"),
    )


AGAIN = ""
"""In a cause's place for a sentence: the stage alone, once more."""
READ = "tradewind trace {version}"
OF_CAUSES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "environment variables": (
        (
            "Declare {name} in shop.yaml, under services.{service}.environment or"
            " environments.NAME.environment; a secret as a reference",
            "",
        ),
        (AGAIN, ""),
    ),
    "dependency conflicts": (
        ("Put the requirement right and lock it anew, with its hashes", ""),
        (AGAIN, ""),
    ),
    "network": (
        ("Make sure that what is named above answers from this machine and the hosts", ""),
        (AGAIN, ""),
    ),
    "permissions": (
        ("Give the account named above the right that it lacks, and no more", ""),
        (AGAIN, ""),
    ),
    "script errors": ((AGAIN, ""), ("Correct the code and commit it", "")),
    "a bad canary": (
        ("Read the verdicts and their numbers", READ),
        ("Correct the code and commit it", ""),
    ),
    "stock or orders": (
        ("See which SKUs and orders differ now", "tradewind divergences {where}"),
        (
            "Tell the channels again what it told wrongly",
            "tradewind make-good {where} {version}",
        ),
    ),
    "the schema change": (
        ("Read what was planned and rehearsed", READ),
        ("Correct the migration, in smaller steps where it locks, and commit it", ""),
    ),
    "a person said no": (
        ("Read who said no and why", READ),
        ("Talk to them, and change what they asked for", ""),
    ),
    "a freeze or a stop": (
        ("See what holds until when", "tradewind calendar"),
        ("Wait, or have it lifted by two people", "tradewind freeze override --help"),
    ),
    "the rules of releases": (
        ("See what served there since", READ),
        ("Commit on top of what serves", ""),
    ),
    "its run was cancelled": (
        ("Ask whoever cancelled it", "tradewind audit --version {version}"),
        ("See that everything is as it should be", "tradewind drift"),
    ),
}
OF_OTHERS = (("Read every step and what it said", READ), (AGAIN, ""))


def _of_cause(trouble: Trouble, cause: str, name: str) -> tuple[Doing, ...]:
    about = {
        "version": trouble.version,
        "where": trouble.broken.where,
        "service": trouble.broken.service or "SERVICE",
        "name": name or "the variable",
    }
    return tuple(
        Doing(said.format(**about), command.format(**about))
        if said != AGAIN
        else _tried_again(trouble)
        for said, command in OF_CAUSES.get(cause, OF_OTHERS)
    )


def _tried_again(trouble: Trouble) -> Doing:
    """The stage alone, in debug mode, where it can be replayed."""
    stage, replayed_in = trouble.broken.stage, trouble.replayed_in
    if stage not in REPLAYED or not replayed_in:
        return Doing("Read every step and what it said", f"tradewind trace {trouble.version}")
    return Doing(
        f"Run this stage alone in {replayed_in}, with all its output; what serves stays",
        f"tradewind replay {trouble.version} --from {stage} --by YOU",
    )


def _again(trouble: Trouble) -> Doing:
    code = " from a commit that differs" if trouble.quarantined else ""
    return Doing(
        f"Release again{code}, under a new number",
        f"tradewind release --ref {trouble.ref} --by YOU",
    )
