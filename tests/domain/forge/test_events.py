"""Payloads of three forges: each becomes the same event, or nothing, or an objection."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadInput, Refused
from domain.forge.events import Event, Ignored, parse
from domain.forge.settings import Forge, Kind
from tests.domain.forge import payloads
from tests.domain.forge.payloads import HEAD, NUMBER, OLD, PROJECT

KINDS: tuple[Kind, ...] = ("github", "gitlab", "gitea")
kinds = pytest.mark.parametrize("kind", KINDS)


def forge(kind: Kind, project: str = PROJECT) -> Forge:
    return Forge(kind, "https://forge.example", project, "${env:TOKEN}")


def read(kind: Kind, said: tuple[str, Any]) -> Event | Ignored:
    return parse(forge(kind), *said, "delivery-1")


@kinds
def test_a_push_names_branch_commit_and_who(kind: Kind) -> None:
    event = read(kind, payloads.push(kind))

    assert isinstance(event, Event)
    assert (event.kind, event.ref, event.commit, event.actor) == ("push", "main", HEAD, "ann")
    assert (event.before, event.delivery, event.project) == (OLD, "delivery-1", PROJECT)
    assert not event.deleted


@kinds
def test_an_annotated_tag_names_its_commit_not_its_own_object(kind: Kind) -> None:
    event = read(kind, payloads.tag(kind))

    assert isinstance(event, Event)
    assert (event.kind, event.ref, event.commit) == ("tag", "v1", HEAD)


@kinds
def test_a_deleted_branch_is_flagged(kind: Kind) -> None:
    event = read(kind, payloads.deleted(kind))

    assert isinstance(event, Event)
    assert (event.deleted, event.commit) == (True, "")


def test_a_forced_push_is_flagged_where_the_forge_says_so() -> None:
    told = [read(kind, payloads.push(kind)) for kind in KINDS]
    forced = read("github", payloads.push("github", forced=True))

    assert [one.forced for one in told if isinstance(one, Event)] == [False, None, None]
    assert isinstance(forced, Event)
    assert forced.forced


@kinds
def test_a_merge_names_the_target_and_the_commit_it_made(kind: Kind) -> None:
    event = read(kind, payloads.merge(kind))

    assert isinstance(event, Event)
    assert (event.kind, event.ref, event.commit, event.number) == ("merge", "main", HEAD, 12)


def test_a_fast_forward_at_gitlab_is_the_last_commit_of_the_source() -> None:
    event = read("gitlab", payloads.merge("gitlab", merge_commit_sha=None))

    assert isinstance(event, Event)
    assert event.commit == OLD


@kinds
def test_a_change_that_is_closed_without_a_merge_is_nothing(kind: Kind) -> None:
    more = {"action": "close"} if kind == "gitlab" else {"merged": False}

    assert isinstance(read(kind, payloads.merge(kind, **more)), Ignored)


@kinds
def test_a_comment_names_its_change_and_no_commit(kind: Kind) -> None:
    event = read(kind, payloads.comment(kind, "/release staging"))

    assert isinstance(event, Event)
    assert (event.kind, event.text, event.number) == ("comment", "/release staging", 12)
    assert (event.ref, event.commit, event.actor) == ("", "", "bo")


@kinds
def test_an_edited_comment_is_nothing(kind: Kind) -> None:
    action = "update" if kind == "gitlab" else "edited"

    assert isinstance(read(kind, payloads.comment(kind, "/release", action=action)), Ignored)


@kinds
def test_a_comment_that_is_on_no_change_is_nothing(kind: Kind) -> None:
    name, body = payloads.comment(kind, "/release staging")
    on = {"object_attributes": {**body.get("object_attributes", {}), "noteable_type": "Issue"}}
    issue = on if kind == "gitlab" else {"issue": {"number": 12}}

    assert isinstance(read(kind, (name, {**body, **issue})), Ignored)


@kinds
def test_an_event_of_another_project_is_refused(kind: Kind) -> None:
    name, body = payloads.push(kind)

    with pytest.raises(Refused, match="this hook is for 'eve/shop'"):
        parse(forge(kind, "eve/shop"), name, body, "d")


def test_a_gitlab_project_may_be_given_by_its_number() -> None:
    name, body = payloads.push("gitlab")

    assert isinstance(parse(forge("gitlab", NUMBER), name, body, "d"), Event)
    with pytest.raises(Refused, match="is of '7', this hook is for '8'"):
        parse(forge("gitlab", "8"), name, body, "d")


@kinds
def test_an_event_nobody_waits_for_is_nothing(kind: Kind) -> None:
    assert isinstance(read(kind, ("star", {"object_kind": "emoji"})), Ignored)


@kinds
@pytest.mark.parametrize("commit", ["--upload-pack=x", "main", "B" * 40, "b" * 39, 7, None])
def test_a_commit_that_is_none_is_named_with_what_is_needed(kind: Kind, commit: object) -> None:
    name, body = payloads.push(kind, after=commit, checkout_sha=commit)

    with pytest.raises(BadInput, match="after is"):
        read(kind, (name, body))


@pytest.mark.parametrize(
    ("kind", "login"),
    [
        ("github", "dependabot[bot]"), ("gitlab", "project_7_bot_c0ffee"),
        ("gitlab", "group_12_bot"), ("gitea", "gitea-actions"),
    ],
)  # fmt: skip
def test_a_program_is_known_as_one(kind: Kind, login: str) -> None:
    event = read(kind, payloads.comment(kind, "/release staging", by=login))

    assert isinstance(event, Event)
    assert event.automatic


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.text(min_size=1, max_size=60))
def test_a_branch_may_have_any_name_and_stays_a_name(kind: Kind, name: str) -> None:
    event = read(kind, payloads.push(kind, ref=f"refs/heads/{name}"))

    assert isinstance(event, Event)
    assert (event.ref, event.commit) == (name, HEAD)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.data(), st.sampled_from(KINDS))
def test_a_field_of_any_other_shape_is_an_objection_never_an_accident(
    data: st.DataObject, kind: Kind
) -> None:
    making = data.draw(st.sampled_from([payloads.push, payloads.tag, payloads.merge]))
    name, body = data.draw(st.sampled_from([making(kind), payloads.comment(kind, "/release x")]))
    spoilt = {**body, data.draw(st.sampled_from(sorted(body))): data.draw(JSON)}

    try:
        found = read(kind, (name, spoilt))
    except (BadInput, Refused):
        return

    assert isinstance(found, Event | Ignored)
