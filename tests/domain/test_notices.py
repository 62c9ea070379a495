"""Notices: short, safe in every chat, in two languages, and told again at the right time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.notices.messages import MOST_BYTES, Facts, Message, markdown_of, page_of, text_of, told
from domain.notices.plain import cut, plain
from domain.notices.schedule import MOST_ATTEMPTS, Notice, Topic, due
from domain.notices.settings import EVENTS, Event, Language, Notify, Target, objections
from domain.notices.words import WORDS

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAGE = "https://release.example/runs/flow-run/7"
RELEASE = Facts("tea", "2026.11.24.3", "production", "ann", "stock differs", None, PAGE)
MARKUP = "<>@[]*`~#!&|\\"
PART = st.text(st.sampled_from(f"{MARKUP}_:/ \n中a") | st.characters(codec="utf-8"), max_size=20)
FREE = st.builds(lambda part, times: part * times, PART, st.sampled_from((1, 1, 80)))
EVENT, LANGUAGE = st.sampled_from(EVENTS), st.sampled_from(tuple(WORDS))
unhurried = settings(deadline=None)  # the machine may be busy


def test_a_notice_says_what_where_who_how_and_what_next() -> None:
    message = told("restored", RELEASE, "en")

    assert message == Message(
        "tea · Restored · 2026.11.24.3 → production",
        "Version: 2026.11.24.3\n"
        "Environment: production\n"
        "By: ann\n"
        "Outcome: stock differs\n"
        "Next: The old version serves again. Find the cause before the next release.",
        PAGE,
        "failure",
    )


def test_a_chinese_notice_asks_for_an_approval_in_time() -> None:
    waiting = replace(RELEASE, outcome="", until=NOON)

    message = told("waiting", waiting, "zh", reminder=2)

    assert message.title == "tea · 等待您审批（第 2 次提醒） · 2026.11.24.3 → production"
    assert message.body == (
        "版本：2026.11.24.3\n环境：production\n发起人：ann\n截止时间：2026-11-24 12:00 UTC\n"
        "下一步：请阅读变更计划并作出决定；申请人不能批准自己的变更。"
    )


def test_the_link_stands_last_as_text_and_as_markdown() -> None:
    message = Message("t", "By: ann\nNext: Nothing.", PAGE, "info")

    assert text_of(message) == f"By: ann\nNext: Nothing.\n{PAGE}"
    assert markdown_of(message) == f"- By: ann\n- Next: Nothing.\n\n[Tradewind]({PAGE})"
    assert text_of(replace(message, link="")) == message.body


@unhurried
@given(EVENT, LANGUAGE, st.builds(Facts, FREE, FREE, FREE, FREE, FREE), st.integers(0, 9999))
def test_whatever_others_wrote_is_short_and_no_markup(
    event: Event, language: Language, facts: Facts, reminder: int
) -> None:
    message = told(event, replace(facts, link=PAGE), language, reminder)

    assert len(f"{message.title}\n{text_of(message)}".encode()) <= MOST_BYTES
    assert not set(MARKUP) & set(message.title + message.body)
    assert "://" not in message.title + message.body
    assert all(one.isprintable() for one in message.title + message.body.replace("\n", ""))
    assert len(message.body.splitlines()) <= 6


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("@all", "＠all"),
        ("<!channel> <@U1> <at id=all></at>", "‹！channel› ‹＠U1› ‹at id=all›‹/at›"),
        ("[release](https://evil.example)", "［release］(https：//evil.example)"),
        ("feature/gift_notes_2", "feature/gift_notes_2"),
        ("__loud__ _x", "＿＿loud＿＿ ＿x"),
        ("two\nlines\u202egnp", "two linesgnp"),
    ],
)
def test_mentions_and_links_of_others_are_only_words(written: str, shown: str) -> None:
    assert plain(written, 200) == shown


@pytest.mark.parametrize(
    "said",
    [
        "postgresql://shop:hunter2@db/shop does not answer",
        "login: password=hunter2 refused",
        "PGPASSWORD='hunter2' psql",
        'answered {"access_token": "hunter2"}',
        "Authorization: Bearer hunter2",
        "https://x.example/hook?sign=hunter2&a=1",
        "AGE-SECRET-KEY-hunter2",
    ],
)
def test_what_reads_like_a_secret_is_left_out(said: str) -> None:
    assert "hunter2" not in plain(said, 200)


@unhurried
@given(FREE, st.integers(3, 100))
def test_cut_text_fits_and_whole_text_stays(text: str, most: int) -> None:
    shown = cut(text, most)

    assert len(shown.encode()) <= most
    assert shown == text or shown.endswith("…") or "?" in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_event_has_its_words(language: Language) -> None:
    said = WORDS[language].events

    assert set(said) == set(EVENTS)
    assert len({headline for headline, _ in said.values()}) == len(EVENTS)


@unhurried
@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(1, 90_000), st.booleans())
def test_people_are_reminded_until_they_answer_and_not_before_time(
    since: int, past: int, remind: int, answered: bool
) -> None:
    now = NOON + timedelta(seconds=past)
    first = due(now, NOON, None, remind, answered)
    again = due(now, NOON - timedelta(seconds=since), NOON, remind, answered)

    assert first is not answered
    assert again is (not answered and past >= remind)


def test_a_notice_is_given_up_after_its_last_attempt() -> None:
    notice = Notice(Topic("done", "1"), "chat", told("done", RELEASE, "en"))

    assert not replace(notice, attempts=MOST_ATTEMPTS - 1).given_up
    assert replace(notice, attempts=MOST_ATTEMPTS).given_up


def test_a_target_hears_what_it_asked_for_and_what_concerns_everybody() -> None:
    target = Target("${env:CHAT}", events=("done", "nightly"), environments=("production",))

    assert target.wants("done", "production")
    assert target.wants("nightly", "")
    assert not target.wants("done", "staging")
    assert not target.wants("started", "production")


def test_an_address_in_clear_and_an_unknown_environment_are_refused() -> None:
    chats = {
        "clear": Target("slack://hunter2/b/c"),
        "half": Target("slack://${env:A}/b/c"),
        "far": Target("${file:secrets/chat}", environments=("moon",)),
    }
    notify = Notify(chats, public_url="https://ann:hunter2@release.example")

    found = list(objections(notify, ("staging", "production")))

    assert [where for where, _ in found] == [
        ("notify", "targets", "clear", "url"),
        ("notify", "targets", "half", "url"),
        ("notify", "targets", "far", "environments"),
        ("notify", "public_url"),
    ]
    assert found[2][1].endswith("environments has 'moon', known are staging, production")
    assert "hunter2" not in str(found)


def test_a_page_has_an_address_only_where_people_reach_it() -> None:
    assert page_of("https://release.example/", "runs", "flow-run", "7") == PAGE
    assert page_of("", "runs", "flow-run", "7") == ""
