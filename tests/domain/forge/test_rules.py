"""Rules: which event starts what, who is heard, and what never starts anything."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.forge.events import Event, Ignored
from domain.forge.rules import Change, Wish, addressed, confirmed, decide
from domain.forge.settings import EventKind, Forge, Required, Rule, Starts, objections

HEAD, OTHER = "b" * 40, "c" * 40
RULES = (
    Rule("push", "main", until="staging"),
    Rule("push", "wip/*", starts="nothing"),
    Rule("push", "*", starts="test"),
    Rule("tag", "v*"),
    Rule("comment", "main", "/release staging", until="staging"),
    Rule("comment", "*", "/release", people=("Ann",)),
)
FORGE = Forge("github", "https://forge.example", "ann/shop", "${env:TOKEN}", rules=RULES)
PUSH = Event("push", "ann/shop", "ann", "d-1", ref="main", commit=HEAD)
SAID = Event("comment", "ann/shop", "bo", "d-2", text="/release staging", number=12)
CHANGE = Change(12, HEAD, "main", open=True, own=True)


def started(event: Event, forge: Forge = FORGE) -> Wish:
    found = decide(forge, event)
    assert isinstance(found, Wish), found
    return found


def ignored(event: Event, forge: Forge = FORGE) -> str:
    found = decide(forge, event)
    assert isinstance(found, Ignored), found
    return found.reason


def heard(event: Event, change: Change = CHANGE, may_write: bool = True) -> Event:
    found = confirmed(event, change, may_write)
    assert isinstance(found, Event), found
    return found


def test_a_push_starts_what_its_rule_says_of_the_very_commit() -> None:
    wish = started(PUSH)

    assert (wish.starts, wish.commit, wish.until) == ("release", HEAD, "staging")
    assert wish.requested_by == "ann"
    assert wish.reason == "github: push to main by ann (delivery d-1)"


def test_the_first_rule_that_fits_decides() -> None:
    wip, other = replace(PUSH, ref="wip/x/y"), replace(PUSH, ref="feature")

    assert ignored(wip) == "the rule for a push to wip/* starts nothing"
    assert started(other).starts == "test"


def test_a_tag_is_matched_by_its_name() -> None:
    assert started(replace(PUSH, kind="tag", ref="v1")).until == ""
    assert ignored(replace(PUSH, kind="tag", ref="latest")) == "no rule for a tag to 'latest'"


def test_a_deleted_branch_starts_nothing() -> None:
    assert ignored(replace(PUSH, deleted=True, commit="")) == "'main' was deleted"


def test_a_forced_push_says_so_in_the_reason() -> None:
    assert "by ann, forced" in started(replace(PUSH, forced=True)).reason


def test_who_is_ignored_starts_nothing_in_whatever_spelling() -> None:
    forge = replace(FORGE, ignored=("Tradewind",))

    assert ignored(replace(PUSH, actor="tradewind"), forge) == "tradewind is not listened to"


def test_a_login_is_told_as_the_person_tradewind_knows() -> None:
    forge = replace(FORGE, people={"Ann": "ann.smith"})

    assert started(PUSH, forge).requested_by == "ann.smith"


def test_a_command_releases_the_head_that_the_forge_told() -> None:
    assert addressed(FORGE, SAID)

    wish = started(heard(SAID))

    assert (wish.commit, wish.until, wish.requested_by) == (HEAD, "staging", "bo")
    assert wish.reason == "github: comment to main of change 12 by bo (delivery d-2)"


@pytest.mark.parametrize(
    "text",
    [
        "", "please /release staging", "> /release staging", "```\n/release staging",
        "/release staging now please", "/release production", "/releasestaging", "/release",
        "/release staging ; rm -rf /", "/RELEASE STAGING",
    ],
)  # fmt: skip
def test_words_that_are_not_the_command_ask_nobody(text: str) -> None:
    assert not addressed(FORGE, replace(SAID, text=text))


@pytest.mark.parametrize("text", ["/release staging", "  /release   staging \n\nthanks!"])
def test_the_command_stands_in_the_first_line(text: str) -> None:
    assert addressed(FORGE, replace(SAID, text=text))


def test_a_command_may_name_the_commit_it_means() -> None:
    meant = replace(SAID, text=f"/release staging {HEAD[:7]}")
    another = replace(SAID, text=f"/release staging {OTHER[:7]}")

    assert started(heard(meant)).commit == HEAD
    assert addressed(FORGE, another)
    assert ignored(heard(another)).startswith("no rule for a comment")


def test_only_the_people_of_a_rule_may_give_its_command() -> None:
    assert addressed(FORGE, replace(SAID, text="/release", actor="ann"))
    assert not addressed(FORGE, replace(SAID, text="/release", actor="bo"))


def test_a_program_gives_no_commands_but_may_merge() -> None:
    assert not addressed(FORGE, replace(SAID, automatic=True))
    assert started(replace(PUSH, automatic=True)).starts == "release"


@pytest.mark.parametrize(
    ("change", "may_write", "why"),
    [
        (CHANGE, False, "bo may not write to ann/shop"),
        (replace(CHANGE, open=False), True, "change 12 is closed"),
        (replace(CHANGE, own=False), True, "change 12 comes from a fork"),
    ],
)
def test_a_command_that_does_not_count_says_why(change: Change, may_write: bool, why: str) -> None:
    assert confirmed(SAID, change, may_write) == Ignored(why)


def test_a_head_that_moved_since_the_comment_is_not_released() -> None:
    found = confirmed(replace(SAID, before=OTHER), CHANGE, may_write=True)

    assert found == Ignored("the head of change 12 has moved since the comment")


@settings(deadline=None)
@given(
    st.sampled_from(["push", "merge", "tag", "comment"]),
    st.sampled_from(["release", "test", "nothing"]),
    st.text(max_size=30),
    st.booleans(),
    st.booleans(),
)
def test_what_starts_is_a_full_commit_of_somebody_who_is_heard(
    kind: EventKind, starts: Starts, name: str, deleted: bool, automatic: bool
) -> None:
    forge = replace(FORGE, rules=(Rule(kind, "*", "/go", starts),), ignored=("eve",))
    told = replace(PUSH, kind=kind, ref=name, text="/go", deleted=deleted, automatic=automatic)

    found = decide(forge, told)

    silent = deleted or starts == "nothing" or (automatic and kind == "comment")
    assert isinstance(found, Ignored) == silent
    assert isinstance(found, Ignored) or found.commit == HEAD
    assert isinstance(decide(forge, replace(told, actor="Eve")), Ignored)


def test_sound_settings_have_no_objection() -> None:
    forge = replace(FORGE, webhook_secrets=("a", "b"), required=Required(environments=("staging",)))

    assert list(objections(forge, ("staging", "production"))) == []


def test_everything_wrong_with_a_forge_is_listed_at_once() -> None:
    rules = (Rule("push", command="/go"), Rule("comment"), Rule("push", until="prod"))
    required = Required(environments=("moon",))
    bad = Forge("github", "http://forge", "shop", "", ("a", "a", "b"), rules, required)

    found = dict(objections(bad, ("staging", "production")))

    assert found[("forge", "endpoint")].endswith("http:// only on this machine")
    assert found[("forge", "project")] == "forge.project is 'shop': owner/name is needed"
    assert "3 references, 2 different: at most 2" in found[("forge", "webhook_secrets")]
    assert "a rule on push has none" in found[("forge", "rules", "0", "command")]
    assert "a rule on comment needs a command" in found[("forge", "rules", "1", "command")]
    known = "known are staging, production"
    assert found[("forge", "rules", "2", "until")] == f"forge.rules.2.until is 'prod', {known}"
    assert ("forge", "required", "environments") in found


@pytest.mark.parametrize(
    ("endpoint", "fine"),
    [
        ("https://gitlab.example", True), ("http://127.0.0.1:3000", True),
        ("http://gitlab.example", False), ("https://ann:secret@forge", False), ("forge", False),
    ],
)  # fmt: skip
def test_a_token_never_travels_in_the_clear(endpoint: str, fine: bool) -> None:
    found = dict(objections(replace(FORGE, endpoint=endpoint), ("staging",)))

    assert (("forge", "endpoint") not in found) == fine
