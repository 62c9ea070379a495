"""What a forge confirms of a commit: everything required, or an objection for each lack."""

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.forge.protection import (
    Branch,
    Inquiry,
    Reviewed,
    Shown,
    evidence,
    objections,
    unknown,
)
from domain.forge.settings import Required
from domain.forge.statuses import MOST_CHARACTERS, Status

COMMIT = "b" * 40
ASKED = Inquiry(
    "github at https://forge", "ann/shop", COMMIT, "main", datetime(2026, 11, 24, tzinfo=UTC)
)
STATES = st.sampled_from(["success", "failure", "pending", "skipped"])
LOGINS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4).map(tuple)


@settings(deadline=None)
@given(
    st.integers(0, 3),
    st.lists(st.sampled_from(["test", "lint"]), unique=True).map(tuple),
    st.booleans(),
    st.builds(Branch, st.just("main"), st.booleans(), st.booleans()),
    st.lists(st.builds(Reviewed, st.integers(1, 9), st.just("url"), LOGINS, LOGINS), max_size=2),
    st.dictionaries(st.sampled_from(["test", "lint"]), STATES),
)
def test_nothing_passes_that_the_forge_does_not_confirm(
    least: int,
    names: tuple[str, ...],
    protected: bool,
    branch: Branch,
    reviewed: list[Reviewed],
    checks: dict[str, str],
) -> None:
    required = Required(least, names, protected)

    against = objections(required, COMMIT, Shown((branch,), tuple(reviewed), checks))

    enough = max((len(one.approved_by) for one in reviewed), default=0) >= least
    green = all(checks.get(name) == "success" for name in names)
    guarded = not protected or (branch.protected and branch.has_commit)
    assert (against == ()) == (enough and green and guarded)


def test_protection_counts_only_on_a_branch_that_has_the_commit() -> None:
    branches = (Branch("main", True, False), Branch("side", False, True))

    against = objections(Required(protected=True), COMMIT, Shown(branches))

    assert against == ("bbbbbbbbbb is on side, which the forge does not protect",)


def test_approvals_of_an_older_head_are_told_apart() -> None:
    shown = Shown(reviewed=(Reviewed(12, "url", ("bo",), ("cy",)),))

    against = objections(Required(reviews=2), COMMIT, shown)

    said = "change 12 has 1 reviews of what was merged (1 more of an older head) against 2"
    assert against == (said,)


def test_silence_is_an_objection_and_kept_as_evidence() -> None:
    (against,) = unknown(ASKED, "does not answer")
    kept = evidence(ASKED, Required(reviews=1), None, "does not answer")

    assert against.endswith("(does not answer): not known is not passed")
    assert (kept["shown"], kept["reason"]) == (None, "does not answer")
    assert json.loads(json.dumps(kept))["required"]["reviews"] == 1


def test_a_requirement_concerns_only_its_environments() -> None:
    required = Required(reviews=1, environments=("production",))

    assert required.concerns(("staging", "production"))
    assert not required.concerns(("staging",))
    assert Required(reviews=1).concerns(("staging",))
    assert not Required().concerns(("staging", "production"))


@settings(deadline=None)
@given(st.text(max_size=400))
def test_a_description_is_never_longer_than_the_forges_take(says: str) -> None:
    status = Status("2026.11.24.1", COMMIT, "main", "staging", "pending", says)

    assert len(status.description) <= MOST_CHARACTERS
    assert status.description.startswith("2026.11.24.1: ")
