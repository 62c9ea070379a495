"""The first three things to do about a failure, each with its command where there is one."""

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


def _of_cause(trouble: Trouble, cause: str, name: str) -> tuple[Doing, ...]:
    table: dict[str, tuple[Doing, ...]] = {
        "environment variables": (
            Doing(
                f"Declare {name or 'the variable'} in shop.yaml, under services."
                f"{trouble.broken.service or 'SERVICE'}.environment or"
                " environments.NAME.environment; a secret as a reference"
            ),
            _tried_again(trouble),
        ),
        "dependency conflicts": (
            Doing("Put the requirement right and lock it anew, with its hashes"),
            _tried_again(trouble),
        ),
        "network": (
            Doing("Make sure that what is named above answers from this machine and the hosts"),
            _tried_again(trouble),
        ),
        "permissions": (
            Doing("Give the account named above the right that it lacks, and no more"),
            _tried_again(trouble),
        ),
        "script errors": (_tried_again(trouble), Doing("Correct the code and commit it")),
        "a bad canary": (
            Doing("Read the verdicts and their numbers", f"tradewind trace {trouble.version}"),
            Doing("Correct the code and commit it"),
        ),
        "stock or orders": (
            Doing(
                "See which SKUs and orders differ now",
                f"tradewind divergences {trouble.broken.where}",
            ),
            Doing(
                "Tell the channels again what it told wrongly",
                f"tradewind make-good {trouble.broken.where} {trouble.version}",
            ),
        ),
        "the schema change": (
            Doing("Read what was planned and rehearsed", f"tradewind trace {trouble.version}"),
            Doing("Correct the migration, in smaller steps where it locks, and commit it"),
        ),
        "a person said no": (
            Doing("Read who said no and why", f"tradewind trace {trouble.version}"),
            Doing("Talk to them, and change what they asked for"),
        ),
        "a freeze or a stop": (
            Doing("See what holds until when", "tradewind calendar"),
            Doing("Wait, or have it lifted by two people", "tradewind freeze override --help"),
        ),
        "the rules of releases": (
            Doing("See what served there since", f"tradewind trace {trouble.version}"),
            Doing("Commit on top of what serves"),
        ),
        "its run was cancelled": (
            Doing("Ask whoever cancelled it", f"tradewind audit --version {trouble.version}"),
            Doing("See that everything is as it should be", "tradewind drift"),
        ),
    }
    read = Doing("Read every step and what it said", f"tradewind trace {trouble.version}")
    return table.get(cause, (read, _tried_again(trouble)))


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
