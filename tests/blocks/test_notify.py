"""Telling people: what each chat's cloud gets, what it refuses, and what a dead chat costs."""

import logging
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from pathlib import Path
from threading import Event as Signal
from typing import Any, cast

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from prefect.logging import disable_run_logger

from blocks.chats import deliver
from blocks.ledger import Cut, Ledger
from blocks.ledger.notices import Notices
from blocks.ledger.store import Store
from blocks.notify import Notifier
from deployments.stack.postgres import Postgres
from domain.errors import BadInput
from domain.journal import Approval, Decision, Deployment
from domain.notices.messages import Facts, Message
from domain.notices.schedule import MOST_ATTEMPTS, PAUSES_SECONDS, Topic
from domain.notices.settings import Notify, Target
from tasks.notify import remind_waiting, retry_undelivered, tell
from tests.chats import TEAMS, Call, Clouds
from tests.engines import served_port

PAGE = "https://release.example/runs/flow-run/7"
DONE = Message("tea · Done · 3 → production", "Version: 3\nNext: Nothing.", PAGE, "success")
FACTS = Facts("tea", "2026.11.24.3", "production", "ann", "serves in production", link=PAGE)
TOPIC = Topic("done", "2026.11.24.3")
TEXT = f"{DONE.title}\n{DONE.body}\n{PAGE}"
LIST = f"- Version: 3\n- Next: Nothing.\n\n[Tradewind]({PAGE})"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clouds]:
    with Clouds(tmp_path).running() as made:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{made.address}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.certificate))
        yield made


@pytest.fixture(scope="module")
def migrated(postgres: Postgres) -> Ledger:
    postgres.create("notices")
    made = Ledger(postgres.url("notices"))
    made.migrate()
    return made


@pytest.fixture
def ledger(migrated: Ledger) -> Ledger:
    """Where nobody was told anything yet."""
    with psycopg.connect(migrated.url) as connection:
        connection.execute("TRUNCATE notices")
    return migrated


def notifier(ledger: Ledger, targets: Mapping[str, Target], seconds: float = 10) -> Notifier:
    """Its addresses stand in clear, where shop.yaml has references."""
    return Notifier(targets, lambda url: url, Notices(Store(ledger.url)), seconds)


def closed() -> str:
    """A webhook at a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"json://127.0.0.1:{listening.getsockname()[1]}/"


def time_passes(ledger: Ledger, column: str = "next_at") -> None:
    with psycopg.connect(ledger.url) as connection:
        connection.execute(f"UPDATE notices SET {column} = {column} - interval '1 day'")


@pytest.mark.parametrize(
    ("address", "host", "path", "content"),
    [
        ("wecombot://wecom-key", "qyapi.weixin.qq.com", "/cgi-bin/webhook/send",
         {"msgtype": "text", "text": {"content": TEXT}}),
        ("dingtalk://SECding@t0ken", "oapi.dingtalk.com", "/robot/send",
         {"msgtype": "markdown",
          "markdown": {"title": DONE.title, "text": f"### {DONE.title}\n\n{LIST}"}}),
        ("feishu://fei-secret@t0ken", "open.feishu.cn", "/open-apis/bot/v2/hook/t0ken",
         {"msg_type": "text", "content": {"text": TEXT}}),
        ("lark://fei-secret@t0ken", "open.larksuite.com", "/open-apis/bot/v2/hook/t0ken",
         {"msg_type": "text", "content": {"text": TEXT}}),
    ],
)  # fmt: skip
def test_a_robot_takes_a_message_signed_as_it_asks(
    clouds: Clouds, address: str, host: str, path: str, content: dict[str, Any]
) -> None:
    assert deliver(address, DONE) == ""

    (call,) = clouds.calls
    assert (call.host, call.path) == (host, path)
    assert content.items() <= call.content.items()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("dingtalk://SECwrong@t0ken", 310000),
        ("dingtalk://t0ken", 310000),
        ("feishu://t0ken", 19021),
        ("wecombot://other-key", 93000),
    ],
)
def test_a_robot_that_answers_200_and_refuses_was_not_told(
    clouds: Clouds, address: str, code: int
) -> None:
    assert deliver(address, DONE) == f"it answered with error {code}"


def test_slack_gets_lines_and_teams_a_list(clouds: Clouds) -> None:
    reasons = [deliver(one, DONE) for one in (SLACK, f"workflows://{TEAMS}/flow/signature")]

    slack, teams = (call.content["attachments"][0] for call in clouds.calls)
    assert reasons == ["", ""]
    assert (slack["title"], slack["text"]) == (DONE.title, f"{DONE.body}\n{PAGE}")
    assert [part["text"] for part in teams["content"]["body"]] == [DONE.title, LIST]


def test_a_webhook_gets_json(clouds: Clouds) -> None:
    assert deliver(f"json://{clouds.address}/hook", DONE) == ""

    content = clouds.calls[0].content
    assert (content["title"], content["message"]) == (DONE.title, f"{DONE.body}\n{PAGE}")
    assert content["type"] == "success"


class Mailbox:
    """What an SMTP server was given."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the name is aiosmtpd's
        self.letters.append(envelope)
        return "250 OK"


def test_a_mail_has_the_facts_as_a_list_with_a_link() -> None:
    mailbox = Mailbox()
    server = Controller(mailbox, "127.0.0.1", served_port())
    address = f"mailto://127.0.0.1:{server.port}/bo@tea.example?from=tw@tea.example&mode=insecure"
    server.start()
    try:
        reason = deliver(address, DONE)
    finally:
        server.stop()

    (letter,) = mailbox.letters
    mail = message_from_bytes(letter.original_content or b"", policy=policy.default)
    page = mail.get_body(("html",))
    assert (reason, letter.rcpt_tos) == ("", ["bo@tea.example"])
    assert mail["Subject"] == DONE.title
    assert page is not None
    assert "<li>Version: 3</li>" in page.get_content()
    assert f'<a href="{PAGE}">Tradewind</a>' in page.get_content()


@pytest.mark.parametrize(
    "address",
    [
        "json://hunter2:hunter2@127.0.0.1:9/hunter2?password=hunter2",
        "dingtalk://hunter2!@hunter2",
        "dingtalk://hunter2@hunter2",
        "slack://hunter2/hunter2/hunter2",
        "hunter2://hunter2",
        "mailto://hunter2:hunter2@127.0.0.1:9?from=hunter2",
        "hunter2",
    ],
)
def test_nothing_of_an_address_is_logged_or_told(
    clouds: Clouds, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    clouds.rules["hooks.slack.com"] = lambda _call: (403, "invalid_token")

    with caplog.at_level(logging.DEBUG):
        reason = deliver(address, DONE)

    assert reason
    assert "hunter2" not in f"{reason}{caplog.text}"


def test_what_others_log_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("apprise").warning("another program's")

    assert "another program's" in caplog.text


def test_each_target_is_told_once_in_its_language(clouds: Clouds, ledger: Ledger) -> None:
    hook = f"json://{clouds.address}"
    staging = Target(f"{hook}/staging", environments=("staging",))
    failures = Target(f"{hook}/failures", events=("failed",))
    chats = {"en": Target(f"{hook}/en"), "zh": Target(f"{hook}/zh", "zh")}
    told = notifier(ledger, {**chats, "staging": staging, "failures": failures})

    first = told.tell(TOPIC, FACTS)
    again = told.tell(TOPIC, FACTS)

    titles = {call.path: call.content["title"] for call in clouds.calls}
    assert [one.delivered for one in first] == [True, True]
    assert again == ()
    assert titles == {
        "/en": "tea · Done · 2026.11.24.3 → production",
        "/zh": "tea · 已完成 · 2026.11.24.3 → production",
    }


def test_several_who_tell_at_the_same_time_tell_once(clouds: Clouds, ledger: Ledger) -> None:
    told = notifier(ledger, {"chat": Target(f"json://{clouds.address}/")})

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda _: told.tell(TOPIC, FACTS), range(8)))

    assert len(clouds.calls) == 1
    assert sorted(map(len, sent)) == [0] * 7 + [1]


def test_dead_chats_keep_nobody_waiting(clouds: Clouds, ledger: Ledger) -> None:
    over = Signal()

    def never(_call: Call) -> tuple[int, Any]:
        over.wait(60)
        return 200, "ok"

    clouds.rules["hooks.slack.com"] = never
    well = Target(f"json://{clouds.address}/")
    chats = {"closed": Target(closed()), "silent": Target(SLACK), "well": well}

    sent = notifier(ledger, chats, seconds=1).tell(TOPIC, FACTS)

    silent_still = not over.is_set()
    over.set()
    assert silent_still
    assert {one.notice.target: one.reason for one in sent} == {
        "closed": "it does not answer",
        "silent": "it did not answer within 1 s",
        "well": "",
    }


def test_a_secret_that_is_missing_keeps_only_its_own_target_silent(
    clouds: Clouds, ledger: Ledger
) -> None:
    def resolve(url: str) -> str:
        if url.startswith("${"):
            raise BadInput("${file:chat}: it cannot be read")
        return url

    chats = {"lost": Target("${file:chat}"), "well": Target(f"json://{clouds.address}/")}
    sent = Notifier(chats, resolve, Notices(Store(ledger.url))).tell(TOPIC, FACTS)

    assert {one.notice.target: one.reason for one in sent} == {
        "lost": "${file:chat}: it cannot be read",
        "well": "",
    }


def test_what_was_not_delivered_is_tried_again_later_and_then_is(
    clouds: Clouds, ledger: Ledger
) -> None:
    clouds.rules["127.0.0.1"] = lambda _call: (503, "")
    told = notifier(ledger, {"chat": Target(f"json://{clouds.address}/")})

    (sent,) = told.tell(TOPIC, FACTS)
    too_early = told.retry()
    time_passes(ledger)
    clouds.rules.pop("127.0.0.1")
    (again,) = told.retry()
    time_passes(ledger)

    assert (sent.reason, again.reason) == ("it answered with error 503", "")
    assert too_early == told.retry() == ()
    assert clouds.calls[0].content == clouds.calls[1].content


def test_attempts_end_and_their_pauses_grow(clouds: Clouds, ledger: Ledger) -> None:
    told = notifier(ledger, {"chat": Target(closed())})
    query = "SELECT extract(epoch FROM next_at - clock_timestamp()) AS pause FROM notices"
    told.tell(TOPIC, FACTS)
    pauses, left = [float((Store(ledger.url).row(query) or {})["pause"])], []
    for _ in range(MOST_ATTEMPTS):
        time_passes(ledger)
        left.append([one.notice.given_up for one in told.retry()])
        pauses.append(float((Store(ledger.url).row(query) or {})["pause"]))

    assert left == [[False], [False], [False], [True], []]
    for pause, said in zip(pauses, PAUSES_SECONDS, strict=False):
        assert said - 10 < pause <= said


@dataclass
class Room:
    """A shop of which only the people to be told are open."""

    ledger: Ledger
    shop: Any
    ledger_url: str = field(init=False)

    def __post_init__(self) -> None:
        self.ledger_url = self.ledger.url

    def reference(self, url: str) -> str:
        return url


@dataclass(frozen=True)
class Tea:
    notify: Notify | None
    shop: str = "tea"
    gateway: None = None


def room(ledger: Ledger, *addresses: str) -> Any:
    chats = {f"chat{number}": Target(url) for number, url in enumerate(addresses)}
    return cast(Any, Room(ledger, Tea(Notify(chats, 1800, "https://release.example"))))


def asked(ledger: Ledger) -> tuple[Deployment, Approval]:
    when = datetime(2026, 11, 24, tzinfo=UTC)
    cut = Cut("run-1", "main", "c0ffee", when, "ann", "sale", ("storefront",), ("staging",))
    version = ledger.releases.open(cut, date(2026, 11, 24)).version
    row = ledger.deployments.open(version, "staging", "release", "run-1", "ann")
    return row, ledger.approvals.open(row, "sha256:plan", 3600)


def test_whoever_has_to_answer_is_reminded_until_they_do(clouds: Clouds, ledger: Ledger) -> None:
    _, approval = asked(ledger)
    live = room(ledger, f"json://{clouds.address}/")

    with disable_run_logger():
        remind_waiting.fn(live)
        remind_waiting.fn(live)
        time_passes(ledger, "told_at")
        remind_waiting.fn(live)
        ledger.approvals.decide(approval.id, "sha256:plan", Decision("approved", "bo"))
        time_passes(ledger, "told_at")
        remind_waiting.fn(live)

    assert [call.content["title"] for call in clouds.calls] == [
        "tea · Waiting for you · 2026.11.24.1 → staging",
        "tea · Waiting for you (reminder 1) · 2026.11.24.1 → staging",
    ]
    assert "https://release.example/runs/flow-run/run-1" in clouds.calls[0].content["message"]
    assert ledger.verify() == ()


def test_telling_never_fails_a_release(ledger: Ledger, postgres: Postgres) -> None:
    dead = room(ledger, closed(), "nonsense")
    away = room(Ledger(postgres.url("no_such_database")), closed())

    with disable_run_logger():
        for live in (dead, away, Room(ledger, Tea(None))):
            tell.fn(live, "done", "2026.11.24.3", FACTS)
            retry_undelivered.fn(live)
            remind_waiting.fn(live)

    assert len(Store(ledger.url).rows("SELECT * FROM notices WHERE reason != ''")) == 2
