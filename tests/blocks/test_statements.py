"""Approvals by people who sign: on a real ledger, with a real key, proven before they are used."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from prefect.logging import disable_run_logger

from blocks.ledger import Cut, Ledger
from blocks.ledger.pauses import Pauses
from blocks.ledger.store import Store
from blocks.shop import Live
from blocks.signing import Signing, fingerprint, proves
from deployments.stack.processes import until
from domain.approving.quorum import Standing
from domain.approving.settings import Approving
from domain.approving.statement import SignedStatement, Speaker, Statement
from domain.errors import BadInput, Failed, Refused, Unavailable
from domain.journal import Approval, Decision, Deployment
from domain.manifest import Manifest, Part, to_record
from tasks.approve import Answer, answer_form, record_answer
from tasks.deployment import Deploying, deploying
from tasks.safe_point import safe_point, wait_for_let_go
from tasks.statements import give_statement, standing_of, verified

PLAN = "sha256:plan"
WAIT_SECONDS = 30.0
HOLD_SECONDS = 60.0


@dataclass
class Declared:
    approvals: Approving
    lease_seconds: float = 30


@dataclass
class Room:
    """A shop of which only the people who approve are open."""

    ledger: Ledger
    state: Path
    approvals: Approving = field(default_factory=lambda: Approving(signed=True, quorum=2))

    def environment(self, _: str) -> Declared:
        return Declared(self.approvals)

    @property
    def live(self) -> Live:
        return cast(Live, self)


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Room:
    ledger = Ledger(database_url)
    ledger.migrate()
    return Room(ledger, tmp_path)


def opened(room: Room, kind: str = "release") -> Deployment:
    when = datetime(2026, 11, 24, tzinfo=UTC)
    cut = Cut("run-1", "main", "c0ffee", when, "Ann", "sale", ("storefront",), ("production",))
    version = room.ledger.releases.open(cut, date(2026, 11, 24)).version
    part = Part("storefront", "web", "sha256:a", version, "")
    manifest = Manifest(version, "c0ffee", "", "", (part,))
    room.ledger.releases.record_manifest(version, to_record(manifest))
    return room.ledger.deployments.open(version, "production", kind, "run-1", "Ann")


def asked(room: Room, seconds: float = 3600) -> Approval:
    return room.ledger.approvals.open(opened(room), PLAN, seconds)


def speaker(person: str, *groups: str, factor_seconds: float = 0) -> Speaker:
    return Speaker(
        person, groups, "password", datetime.now(UTC) - timedelta(seconds=factor_seconds)
    )


def say(room: Room, approval: Approval, who: Speaker | str, plan: str = PLAN) -> Standing:
    one = speaker(who) if isinstance(who, str) else who
    said = Decision("approved", one.person)
    return give_statement(room.live, approval, plan, one, said)


def alter(room: Room, statement: str) -> None:
    with psycopg.connect(room.ledger.url) as connection:
        connection.execute(statement)


def actions(room: Room) -> list[tuple[str, str]]:
    rows = psycopg.connect(room.ledger.url).execute("SELECT actor, action FROM audit ORDER BY id")
    return [(str(actor), str(action)) for actor, action in rows.fetchall()]


def test_two_people_approve_and_the_step_proves_it(room: Room) -> None:
    approval = asked(room)

    first = say(room, approval, "bo")
    second = say(room, approval, "cy")

    assert (first.state, first.missing, second.state) == ("waiting", 1, "approved")
    found = verified(room.live, approval.deployment, PLAN)
    assert (found.decision, found.decided_by) == ("approved", "bo, cy")
    assert room.ledger.verify() == ()


def test_the_audit_says_who_decided_what_about_which_plan(room: Room) -> None:
    approval = asked(room)

    say(room, approval, "bo")

    told = "approved by bo: 2026.11.24.1 in production, plan sha256:plan"
    assert ("bo", told) in actions(room)


@pytest.mark.parametrize(
    ("who", "plan", "why"),
    [
        (speaker("ann"), PLAN, "somebody else has to approve it"),
        (speaker("bo"), "sha256:old", "the plan is sha256:plan now"),
        (replace(speaker("bo"), via="token"), PLAN, "answered with a token"),
        (speaker("bo", factor_seconds=4000), PLAN, "bo's second factor was proved"),
    ],
)
def test_what_does_not_count_is_refused_with_its_reason_and_audited(
    room: Room, who: Speaker, plan: str, why: str
) -> None:
    room.approvals = Approving(signed=True, second_factor=True, fresh_seconds=3600)
    approval = asked(room)

    with pytest.raises(Refused, match=why):
        say(room, approval, who, plan)

    refused = [action for actor, action in actions(room) if actor == who.person]
    assert room.ledger.approvals.get(approval.id).decision == "waiting"
    assert len(refused) == 1
    assert refused[0].startswith("refused: ")


def test_an_answer_counts_once_and_is_not_taken_back(room: Room) -> None:
    approval = asked(room)
    say(room, approval, "bo")

    with pytest.raises(Refused, match=r"Bo approved it at .* already"):
        say(room, approval, "Bo")

    assert room.ledger.approvals.get(approval.id).decision == "waiting"


def test_an_answer_after_the_end_does_not_count(room: Room) -> None:
    approval = asked(room, seconds=0)

    with pytest.raises(Refused, match="expired at"):
        say(room, approval, "bo")

    assert room.ledger.approvals.expire(approval.id).decision == "expired"


def locked_out(room: Room) -> int:
    """How many sessions of the ledger wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with psycopg.connect(room.ledger.url) as connection:
        row = connection.execute(query, [connection.info.dbname]).fetchone()
    return int(row[0]) if row else 0


def test_of_several_last_votes_at_once_exactly_one_makes_the_transition(room: Room) -> None:
    approval = asked(room)
    say(room, approval, "bo")
    outcomes: list[str] = []

    def vote(person: str) -> None:
        try:
            outcomes.append(say(room, approval, person).state)
        except Refused as refusal:
            outcomes.append(str(refusal)[:28])

    voters = [threading.Thread(target=vote, args=(name,)) for name in ("cy", "di", "ed")]
    with psycopg.connect(room.ledger.url) as gate:
        gate.execute("SELECT 1 FROM approvals FOR UPDATE")
        for one in voters:
            one.start()
        assert until(lambda: locked_out(room) == len(voters), WAIT_SECONDS)
    for one in voters:
        one.join(WAIT_SECONDS)

    assert sorted(outcomes) == ["approval 1 was already appro"] * 2 + ["approved"]
    assert len(room.ledger.approvals.statements(approval.id, Signing(room.state).proves)) == 2
    assert room.ledger.verify() == ()


def test_a_typed_name_does_not_count_where_statements_are_signed(room: Room) -> None:
    approval = asked(room)
    typed = Answer(decision="approve now", decided_by="bo", plan=PLAN)

    with disable_run_logger():
        problem = record_answer.fn(room.live, approval, typed)

    assert problem == "a typed name does not count here: sign in at the gateway, and answer there"
    assert room.ledger.approvals.get(approval.id).decision == "waiting"


def test_what_was_said_at_the_gateway_only_wakes_the_run(room: Room) -> None:
    approval = asked(room)
    say(room, approval, speaker("bo", "dev"))
    woken = Answer(decision="approve now", decided_by="bo", plan=PLAN)

    with disable_run_logger():
        assert record_answer.fn(room.live, approval, woken) == ""

    shown = standing_of(room.live, approval)
    assert shown == "**Waiting for 1 more; approved so far by bo**"


def test_a_row_that_says_approved_is_no_proof(room: Room) -> None:
    approval = asked(room)
    say(room, approval, "bo")

    alter(room, "UPDATE approvals SET decision = 'approved', decided_by = 'bo, cy'")

    with pytest.raises(Refused, match="not proven: waiting for 1 more"):
        verified(room.live, approval.deployment, PLAN)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE statements SET text = replace(text, 'cy', 'di') WHERE person = 'cy'",
        "UPDATE statements SET signature = (SELECT max(signature) FROM statements)",
        "DELETE FROM statements WHERE person = 'cy'",
        "UPDATE approvals SET expires_at = expires_at + interval '1 day'",
        'UPDATE releases SET manifest = manifest || \'{"commit": "beef"}\'',
    ],
)
def test_a_statement_that_was_tampered_with_counts_nothing(room: Room, tampering: str) -> None:
    approval = asked(room)
    say(room, approval, "bo")
    say(room, approval, "cy")
    assert verified(room.live, approval.deployment, PLAN).decision == "approved"

    alter(room, tampering)

    with pytest.raises(Refused, match="not proven"):
        verified(room.live, approval.deployment, PLAN)
    assert room.ledger.verify() != ()


def test_a_statement_by_another_key_is_refused(room: Room, tmp_path: Path) -> None:
    approval, foreign = asked(room), Signing(tmp_path / "elsewhere")
    bound = room.ledger.approvals.question(approval.id).bound
    now = room.ledger.approvals.now()
    forged = Statement(bound, speaker("bo"), Decision("approved", "bo"), now, "1").text
    Signing(room.state).sign("the shop's own key is there")

    with pytest.raises(Refused, match="not signed by this shop's key"):
        room.ledger.approvals.state(
            SignedStatement(forged, foreign.sign(forged)),
            room.approvals,
            Signing(room.state).proves,
        )


def test_a_key_is_made_once_whoever_asks_first(tmp_path: Path) -> None:
    keys: list[str] = []
    makers = [
        threading.Thread(target=lambda: keys.append(Signing(tmp_path).public_key)) for _ in range(8)
    ]
    for one in makers:
        one.start()
    for one in makers:
        one.join(WAIT_SECONDS)

    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert (tmp_path / "signing" / "private.pem").stat().st_mode & 0o777 == 0o600
    assert until(lambda: Signing(tmp_path).proves("a", Signing(tmp_path).sign("a")), WAIT_SECONDS)
    assert sorted(one.name for one in (tmp_path / "signing").iterdir()) == [
        "private.pem",
        "public.key",
    ]


def test_a_key_that_others_may_read_signs_nothing(tmp_path: Path) -> None:
    Signing(tmp_path).sign("a")
    (tmp_path / "signing" / "private.pem").chmod(0o640)

    with pytest.raises(BadInput, match="mode 0640, limit 0600"):
        Signing(tmp_path).sign("a")


def test_what_is_no_signature_proves_nothing(tmp_path: Path) -> None:
    key = Signing(tmp_path).public_key
    good = Signing(tmp_path).sign("a")

    assert proves(key, "a", good)
    assert not any((proves(key, "b", good), proves(key, "a", "no base64!"), proves("", "a", good)))
    assert fingerprint(key).startswith("sha256:")


def test_the_form_asks_for_a_code_only_where_a_second_factor_is_needed(room: Room) -> None:
    approval = asked(room)

    typed = answer_form(approval, "", Approving()).model_fields
    signed = answer_form(approval, "", Approving(signed=True, second_factor=True)).model_fields

    assert ("code" in typed, typed["decided_by"].is_required()) == (False, True)
    assert ("code" in signed, signed["decided_by"].is_required()) == (True, False)


@pytest.fixture
def under_way(room: Room) -> Iterator[Deploying]:
    row = opened(room)
    with deploying(room.live, row.id, "me") as made:
        yield made


def test_all_environments_are_held_at_once_and_let_go_with_a_reason(room: Room) -> None:
    pauses = room.ledger.pauses
    pauses.hold("*", "ann", "payments are down")
    pauses.hold("production", "bo", "stocktaking")

    assert pauses.held_by("staging") == "held with every environment by ann: payments are down"
    assert pauses.held_by("production").startswith("held by bo: stocktaking; held with every")
    with pytest.raises(BadInput, match="reason is empty"):
        pauses.let_go("*", "ann", " ")
    pauses.let_go("*", "ann", "they are back")

    assert pauses.held() == {"production": "held by bo: stocktaking"}
    assert pauses.last_word("staging") == "let go by ann: they are back"
    assert ("ann", "let * go: they are back") in actions(room)


class Watched(Pauses):
    """Counts how often somebody asked whether it is held."""

    looks = 0

    def held_by(self, environment: str) -> str:
        self.looks += 1
        return super().held_by(environment)


def test_what_is_held_goes_on_once_it_is_let_go(under_way: Deploying) -> None:
    pauses = Watched(Store(under_way.live.ledger.url))
    under_way.live.ledger.pauses = pauses
    pauses.hold("production", "ann", "peak")
    outcome: list[Any] = []

    def wait() -> None:
        with disable_run_logger():
            outcome.append(wait_for_let_go.fn(under_way, WAIT_SECONDS))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert until(lambda: pauses.looks > 0, WAIT_SECONDS)
    assert outcome == []
    pauses.let_go("production", "ann", "over")
    waiting.join(WAIT_SECONDS)

    assert outcome == [""]


def test_a_hold_has_a_limit_that_is_told(under_way: Deploying) -> None:
    under_way.live.ledger.pauses.hold("*", "ann", "peak")

    with disable_run_logger():
        told = wait_for_let_go.fn(under_way, 0.0)

    assert told == (
        "production is held with every environment by ann: peak, for 0 s, which is the limit"
    )


def frozen() -> tuple[str, ...]:
    return ("black friday holds production",)


def test_what_speaks_against_it_refuses_before_anything_was_touched(under_way: Deploying) -> None:
    with pytest.raises(Refused, match="black friday"):
        safe_point(under_way, [tuple, frozen], HOLD_SECONDS)

    assert under_way.state == "refused"


def test_what_speaks_against_it_later_fails_so_that_it_is_taken_back(under_way: Deploying) -> None:
    under_way.step("prepare hosts", dict)

    with pytest.raises(Failed, match="black friday"):
        safe_point(under_way, [frozen], HOLD_SECONDS)

    assert under_way.state == "planned"


def test_a_rollback_is_never_held(room: Room) -> None:
    row = opened(room, "rollback")
    room.ledger.pauses.hold("*", "ann", "peak")

    with deploying(room.live, row.id, "me") as under_way:
        safe_point(under_way, [frozen], HOLD_SECONDS)


def test_a_ledger_that_does_not_answer_lets_nobody_go(under_way: Deploying) -> None:
    pauses = under_way.live.ledger.pauses
    pauses.hold("production", "ann", "peak")
    away = Deploying(under_way.live, under_way.row, under_way.lease)
    away.live = cast(Live, Room(Ledger("postgresql://127.0.0.1:1/none"), Path()))

    with disable_run_logger():
        told = wait_for_let_go.fn(away, 0.0)

    assert "held: the ledger does not answer" in told
    with pytest.raises(Unavailable):
        away.live.ledger.pauses.held()
