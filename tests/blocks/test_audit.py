"""The audit of a real ledger: found by who and what, exported, and proven far from it."""

import csv
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.ledger import Cut, Ledger
from blocks.shop import Live
from blocks.signed_heads import SignedHeads, verify_export
from blocks.signing import Signing, fingerprint
from deployments import audit
from domain.audit import START, Entry, Head, SignedHead, Wanted, breaks, digest_of_entry
from domain.errors import BadInput, Refused
from domain.journal import Decision
from tasks.audit import sign_head

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Tea:
    shop: str = "tea"


@dataclass
class Room:
    """A shop of which only the records are open."""

    ledger: Ledger
    state: Path
    shop: Tea = Tea()

    @property
    def live(self) -> Live:
        return cast(Live, self)

    @property
    def heads(self) -> SignedHeads:
        return SignedHeads("tea", self.state, self.ledger.audit)

    @property
    def key(self) -> str:
        return fingerprint(Signing(self.state).public_key)


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Room:
    """With a release that was approved for production, and another one."""
    ledger = Ledger(database_url)
    ledger.migrate()
    for run, by in (("run-1", "ann"), ("run-2", "=cmd()")):
        cut = Cut(run, "main", "c0ffee", NOW, by, "sale", ("storefront",), ("production",))
        ledger.releases.open(cut, date(2026, 11, 24))
    row = ledger.deployments.open("2026.11.24.1", "production", "release", "run-1", "ann")
    approval = ledger.approvals.open(row, "sha256:plan", 3600)
    ledger.approvals.decide(approval.id, "sha256:plan", Decision("approved", "Bo"))
    lease = ledger.leases.take("production", "run-1/a", 30)
    assert lease is not None
    ledger.journal(f"deployment:{row.id}", lease).once("migrate", dict)
    ledger.journal("release:2026.11.24.2", lease).once("build", dict)
    ledger.pauses.hold("staging", "cy", "peak")
    return Room(ledger, tmp_path)


def found(room: Room, **wanted: Any) -> list[tuple[str, str]]:
    return [(row["actor"], row["row"]) for row in audit.find(room.live, Wanted(**wanted))]


def alter(room: Room, statement: str) -> None:
    with psycopg.connect(room.ledger.url) as connection:
        connection.execute(statement)


def exported(room: Room, name: str = "export.jsonl") -> Path:
    place = room.state / name
    place.write_text("".join(audit.export(room.live)))
    return place


def test_what_one_person_did_is_found_however_the_name_is_written(room: Room) -> None:
    (row,) = audit.find(room.live, Wanted(who="bo"))

    assert row["action"] == "approved by Bo: 2026.11.24.1 in production, plan sha256:plan"
    assert (row["row"], row["version"], row["environment"]) == (
        "approvals 1", "2026.11.24.1", "production",
    )  # fmt: skip


def test_everything_about_a_version_is_found_with_its_steps_and_approvals(room: Room) -> None:
    assert {row for _, row in found(room, version="2026.11.24.1")} == {
        "releases 2026.11.24.1",
        "deployments 1",
        "approvals 1",
        "steps deployment:1 / migrate",
    }
    assert {row for _, row in found(room, version="2026.11.24.2")} == {
        "releases 2026.11.24.2",
        "steps release:2026.11.24.2 / build",
    }


def test_everything_in_an_environment_is_found_with_its_holds(room: Room) -> None:
    assert found(room, environment="staging") == [("cy", "pauses staging")]
    assert ("run-1/a", "leases production") in found(room, environment="production")


def test_conditions_all_hold_together(room: Room) -> None:
    hour = timedelta(hours=1)
    now = room.ledger.approvals.now()

    assert found(room, what="APPROVED BY", version="2026.11.24.1") == [("Bo", "approvals 1")]
    assert found(room, since=now - hour, until=now + hour) == found(room)
    assert found(room, until=now - hour) == found(room, since=now + hour) == []


def test_what_was_typed_as_a_time_is_read_or_named() -> None:
    asked = audit.wanted("2026-11-24", "2026-11-25T02:00+08:00", {"who": "bo"})

    assert (asked.since, asked.who) == (datetime(2026, 11, 24, tzinfo=UTC), "bo")
    assert asked.until == datetime(2026, 11, 24, 18, tzinfo=UTC)
    with pytest.raises(BadInput, match="since is 'yesterday'"):
        audit.wanted("yesterday", "", {})


def test_no_cell_of_a_spreadsheet_is_a_formula(room: Room) -> None:
    lines = list(csv.DictReader(audit.find_csv(room.live, Wanted())))

    assert "'=cmd()" in {line["actor"] for line in lines}
    assert len(lines) == room.ledger.audit.head().count


def test_an_export_proves_itself_without_the_ledger(room: Room) -> None:
    place = exported(room)

    assert audit.verify(place, (), room.key) == ()
    assert len(place.read_text().splitlines()) == room.ledger.audit.head().count + 1
    assert audit.verify(place, (), "sha256:other")[0].endswith("expected is sha256:other")
    with pytest.raises(BadInput, match="key is empty"):
        audit.verify(place, (), "")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"actor":"Bo"', '"actor":"Cy"', "was changed"),
        ('"count":', '"count":1', "signature of the head"),
        ('"shop":"tea"', '"shop":"toy"', "signature of the head"),
    ],
)
def test_a_changed_export_is_found(room: Room, old: str, new: str, why: str) -> None:
    place = exported(room)

    place.write_text(place.read_text().replace(old, new, 1))

    assert any(why in line for line in audit.verify(place, (), room.key))


def test_an_export_without_its_last_lines_is_found(room: Room) -> None:
    place = exported(room)

    place.write_text("".join(place.read_text().splitlines(keepends=True)[:-2]))

    assert "its head says" in audit.verify(place, (), room.key)[0]


def test_an_older_export_is_the_beginning_of_a_newer_one(room: Room) -> None:
    older, head = exported(room, "older.jsonl"), room.heads.sign(NOW)
    room.ledger.pauses.let_go("staging", "cy", "over")

    newer = exported(room, "newer.jsonl")

    assert audit.verify(newer, (older, head), room.key) == ()
    (cut_off,) = audit.verify(older, (newer,), room.key)
    assert cut_off.endswith("it was cut off")


def rewritten(room: Room) -> None:
    """What a thief of the database would do: the last entry never was, and the chain holds."""
    alter(
        room,
        "DELETE FROM pauses; DELETE FROM audit WHERE id = (SELECT max(id) FROM audit);"
        "UPDATE audit_head SET (count, digest) ="
        " (SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1)",
    )


def test_a_rewritten_end_is_found_by_a_head_that_was_signed_before(room: Room) -> None:
    head = room.heads.sign(NOW)

    rewritten(room)

    assert room.ledger.verify() == (), "the chain by itself cannot tell"
    assert "it was cut off" in audit.verify_live(room.live)[0]
    assert "it was cut off" in audit.verify(exported(room), (head,), room.key)[0]
    with pytest.raises(Refused, match="is not the one that was signed"):
        room.heads.sign(NOW + timedelta(days=1))


def test_a_head_is_written_once_and_again_when_the_audit_grew(room: Room) -> None:
    first = room.heads.sign(NOW)
    again = room.heads.sign(NOW + timedelta(hours=1))
    room.ledger.pauses.let_go("staging", "cy", "over")
    grown = room.heads.sign(NOW + timedelta(days=1))

    assert (first.name, again) == ("head-20261124T120000Z.json", first)
    assert grown.name == "head-20261125T120000Z.json"
    assert [one.count for one in room.heads.kept()] == [
        json.loads(first.read_text())["count"],
        room.ledger.audit.head().count,
    ]
    assert audit.verify_live(room.live) == ()


def test_the_head_is_signed_once_a_day(room: Room) -> None:
    sign_head.fn(room.live)
    room.ledger.pauses.let_go("staging", "cy", "over")
    sign_head.fn(room.live)

    assert len(room.heads.kept()) == 1


def test_a_head_by_another_key_is_named(room: Room, tmp_path: Path) -> None:
    other = SignedHeads("tea", tmp_path / "other", room.ledger.audit)
    foreign = other.sign(NOW)
    place = room.heads.sign(NOW)

    place.write_text(foreign.read_text())

    with pytest.raises(BadInput, match="expected is"):
        audit.verify_live(room.live)


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json"])
def test_a_file_that_is_no_export_is_named(tmp_path: Path, text: str) -> None:
    place = tmp_path / "x"
    place.write_text(text)

    with pytest.raises(BadInput, match="does not begin with a signed head"):
        verify_export(place, (), "")


def chain(count: int) -> list[tuple[Entry, str]]:
    made: list[tuple[Entry, str]] = []
    for number in range(1, count + 1):
        previous = made[-1][1] if made else START
        entry = Entry(number, "now", "did", "ann", "row", "content", previous)
        made.append((entry, digest_of_entry(entry)))
    return made


def end(of: list[tuple[Entry, str]]) -> Head:
    return Head(len(of), of[-1][1] if of else START)


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))
def test_a_chain_holds_with_every_end_that_it_once_had(a: int, b: int, c: int) -> None:
    short, middle, long = (chain(count) for count in sorted((a, b, c)))

    assert breaks(long, end(long), [end(short), end(middle)]) == ()
    assert (breaks(short, end(short), [end(long)]) == ()) == (len(short) == len(long))


@given(st.integers(1, 8), st.integers(0, 7), st.sampled_from(["action", "actor", "row", "at"]))
def test_another_history_of_the_same_length_is_found(count: int, place: int, field: str) -> None:
    place %= count
    told = chain(count)
    other = told[:place]
    for entry, _ in told[place:]:
        previous = other[-1][1] if other else START
        changed = {field: "other"} if entry.id == place + 1 else {}
        entry = replace(entry, previous=previous, **changed)
        other.append((entry, digest_of_entry(entry)))

    assert breaks(other, end(other)) == ()
    assert breaks(other, end(other), [end(told)]) != ()


def test_a_head_of_nothing_is_a_head() -> None:
    empty = SignedHead("tea", 0, START, "now", "key")

    assert breaks([], empty.head, [empty.head]) == ()
