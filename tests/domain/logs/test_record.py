"""A line of whatever writer becomes a document; many writers' lines come in one order."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.logs.merging import Wanted, merged, printable, shown
from domain.logs.record import (
    MOST_CHARACTERS,
    MOST_FIELDS,
    Origin,
    moment,
    stamp,
    wrapped,
)
from domain.logs.settings import (
    ElasticsearchSink,
    FileSink,
    Logs,
    LokiSink,
    OtlpSink,
    objections,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def test_plain_text_is_a_message_at_the_time_of_the_line_before() -> None:
    line = wrapped("Traceback (most recent call last):", NOON)

    assert line["message"] == "Traceback (most recent call last):"
    assert (line["@timestamp"], line["labels.time"]) == (stamp(NOON), "approximate")


def test_an_ecs_line_keeps_its_fields_by_dotted_names() -> None:
    written = {
        "@timestamp": "2026-11-28T13:00:00.5+01:00",
        "log": {"level": "ERROR", "logger": "shop"},
        "message": "no stock",
        "error": {"type": "KeyError", "stack_trace": "a\nb"},
        "tags": ["one"],
    }

    line = wrapped(json.dumps(written), NOON)

    assert line["@timestamp"] == "2026-11-28T12:00:00.500000Z"
    assert (line["log.level"], line["log.logger"]) == ("error", "shop")
    assert (line["message"], line["error.type"]) == ("no stock", "KeyError")
    assert line["tags"] == '["one"]'
    assert "labels.time" not in line


def test_other_loggers_words_are_understood() -> None:
    line = wrapped('{"time":"2026-11-28T12:00:01Z","severity":"WARN","msg":"slow"}', NOON)

    assert (line["log.level"], line["message"]) == ("warn", "slow")
    assert line["@timestamp"] == "2026-11-28T12:00:01.000000Z"


@given(st.text() | ANY_JSON.map(json.dumps) | ANY_JSON.map(lambda one: json.dumps({"a": one})))
def test_every_line_becomes_one_flat_document(text: str) -> None:
    line = wrapped(text, NOON)

    assert {"@timestamp", "log.level", "message"} <= line.keys()
    assert moment(line["@timestamp"]) is not None
    assert not any(isinstance(value, dict | list) for value in line.values())


def test_a_line_is_bounded_in_length_depth_and_fields() -> None:
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"a": deep}

    long = wrapped("x" * (MOST_CHARACTERS + 7), NOON)
    wide = wrapped(json.dumps({f"f{number}": number for number in range(5000)}), NOON)
    nested = wrapped(json.dumps(deep), NOON)

    assert long["message"].endswith("… (7 characters more)")
    assert len(wide) < MOST_FIELDS + 10
    assert max(map(len, nested)) < 20
    assert wrapped("[" * 100_000, NOON)["message"].startswith("[[")
    assert wrapped('{"a":' * 100_000, NOON)["message"].startswith('{"a"')


@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=6))
def test_streams_in_order_come_out_in_order(streams: list[list[int]]) -> None:
    lines = [
        [{"@timestamp": stamp(NOON + timedelta(seconds=at)), "from": number} for at in sorted(one)]
        for number, one in enumerate(streams)
    ]

    found = list(merged(lines))

    assert [one["@timestamp"] for one in found] == sorted(
        one["@timestamp"] for many in lines for one in many
    )
    for number, many in enumerate(lines):
        assert [one for one in found if one["from"] == number] == many


@given(st.lists(st.integers(0, 50), max_size=20))
def test_a_clock_that_goes_back_never_reorders_a_writers_lines(times: list[int]) -> None:
    lines = [
        {"@timestamp": stamp(NOON + timedelta(seconds=at)), "n": n} for n, at in enumerate(times)
    ]

    found = [one["n"] for one in merged([lines])]

    assert found == list(range(len(times)))


def test_only_what_is_wanted_is_shown() -> None:
    line = {"@timestamp": stamp(NOON), "service.name": "web", "service.environment": "staging"}

    assert Wanted().wants(line)
    assert Wanted("web", "staging", NOON).wants(line)
    assert not Wanted("other").wants(line)
    assert not Wanted(environment="production").wants(line)
    assert not Wanted(since=NOON + timedelta(seconds=1)).wants(line)


@given(st.text())
def test_nothing_shown_steers_a_terminal(text: str) -> None:
    line = {"@timestamp": stamp(NOON), "service.name": text, "message": text, "log.level": text}

    assert all(one.isprintable() for one in shown(line).split("\n"))
    assert printable(text).isprintable()


def test_the_origin_names_only_what_is_known() -> None:
    fields = Origin("web", "2026.11.28.1", "staging", "staging-1").fields()

    assert fields["service.version"] == "2026.11.28.1"
    assert "labels.flow_run" not in fields


def test_settings_that_would_leak_or_escape_are_objected_to() -> None:
    logs = Logs(
        {
            "file": FileSink(path="../out"),
            "elastic": ElasticsearchSink(
                "https://elastic.example", headers={"Authorization": "ApiKey hunter2-hunter2"}
            ),
            "loki": LokiSink("https://name:word-of-pass@loki.example"),
            "otlp": OtlpSink("collector:4318"),
        }
    )

    said = dict(objections(logs))

    assert set(said) == {
        ("logs", "sinks", "file", "path"),
        ("logs", "sinks", "elastic", "headers", "Authorization"),
        ("logs", "sinks", "loki", "url"),
        ("logs", "sinks", "otlp", "url"),
    }
    assert not any(secret in str(said) for secret in ("hunter2", "word-of-pass"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:3100", "${file:secrets/loki}"])
def test_good_settings_pass(url: str) -> None:
    logs = Logs({"loki": LokiSink(url, headers={"Authorization": "Bearer ${file:secrets/loki}"})})

    assert list(objections(logs)) == []
