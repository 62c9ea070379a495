"""Lines reach every kind of sink: structured, redacted, bounded, and never waited for."""

import json
import logging
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from blocks import logs
from blocks.logs import Sealed, labelled
from blocks.logs.outbox import MOST_CHARACTERS, Outbox
from blocks.logs.sinks import LinesInFile, Outcome, opened
from blocks.redaction import learn
from deployments.stack.processes import until
from domain.errors import BadInput
from domain.logs.settings import (
    ElasticsearchSink,
    FileSink,
    Logs,
    LokiSink,
    OtlpSink,
    Sink,
)
from tests.blocks.logs.collectors import Collector, collecting

LOG = logging.getLogger("a.test.of.shipping")
PLANTED = "planted/secret\"of 'the' test"


@pytest.fixture(params=["elasticsearch", "loki", "otlp"])
def collector(request: pytest.FixtureRequest) -> Iterator[Collector]:
    with collecting(request.param) as made:
        yield made


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    LOG.setLevel(logging.INFO)
    yield
    logs.end()


def sink_of(collector: Collector, **headers: str) -> Sink:
    kinds = {"/_bulk": ElasticsearchSink, "/v1/logs": OtlpSink}
    return kinds.get(collector.path, LokiSink)(collector.url, headers=headers)


def settings(*sinks: Sink, **changed: float) -> Logs:
    wanted = {"flush_seconds": 0.05, "timeout_seconds": 2, **changed}
    return Logs({f"sink-{number}": one for number, one in enumerate(sinks)}, **wanted)  # type: ignore[arg-type]


def begin(state: Path, limits: Logs) -> None:
    logs.begin(limits, lambda text: text.replace("${env:KEY}", "word-of-the-key"), state)


def test_a_line_arrives_with_what_it_is_about(collector: Collector, tmp_path: Path) -> None:
    begin(tmp_path, settings(sink_of(collector, **{"X-Scope-OrgID": "${env:KEY}"})))

    with labelled(release="2026.11.28.1", deployment="7", environment="staging", flow_run="r-1"):
        LOG.warning("stock of %s is low", "TEA-001")

    assert until(lambda: "stock of TEA-001 is low" in collector.messages, 10)
    line = collector.taken[0]
    assert line["labels.release"] == "2026.11.28.1"
    assert (line["labels.deployment"], line["labels.flow_run"]) == ("7", "r-1")
    assert "staging" in str(line)
    assert {name.lower(): one for name, one in collector.headers[0].items()}[
        "x-scope-orgid"
    ] == "word-of-the-key"


def test_no_form_of_a_secret_reaches_any_sink(collector: Collector, tmp_path: Path) -> None:
    learn(PLANTED)
    learn("90210902109021")
    begin(tmp_path, settings(sink_of(collector), FileSink()))

    with labelled(release=PLANTED):
        LOG.info("plain %s", PLANTED, extra={"flow_run_id": PLANTED})
    LOG.info(json.dumps({"nested": {PLANTED: PLANTED}}))
    with suppress(ValueError):
        raise_and_log()
    LOG.handle(foreign_record())
    assert (shipping := logs.begin(None, str, tmp_path)) is None
    logs.end()

    assert shipping is None
    sent = b"".join(collector.bodies) + (tmp_path / "logs" / "tradewind.ndjson").read_bytes()
    assert b"plain ***" in sent
    assert b"90210902109021" not in sent
    for form in (PLANTED, json.dumps(PLANTED)[1:-1], json.dumps(json.dumps(PLANTED))[2:-2]):
        assert form.encode() not in sent


def raise_and_log() -> None:
    try:
        raise ValueError(f"no door for {PLANTED}")
    except ValueError:
        LOG.exception("it failed with %d", 90210902109021)
        raise


def foreign_record() -> logging.LogRecord:
    """One that was not made by the process's own factory."""
    return logging.LogRecord(LOG.name, logging.INFO, "", 0, f"foreign {PLANTED}", None, None)


def test_a_sealed_line_is_redacted_whatever_it_was_made_of() -> None:
    learn(PLANTED)
    learn("55501555015550")

    line = Sealed({"a": PLANTED, PLANTED: 1, "n": 55501555015550, "l": [PLANTED], "ok": True})

    assert PLANTED not in line.text
    assert "55501555015550" not in line.text
    assert json.loads(line.text) == line.document
    assert line.document["ok"] is True


def test_a_busy_sink_is_asked_again(collector: Collector, tmp_path: Path) -> None:
    collector.troubles = [503, 429]
    begin(tmp_path, settings(sink_of(collector)))

    LOG.info("patience")
    (counts,) = logs.end().values()

    assert collector.messages == ["patience"]
    assert (counts.sent, counts.missing) == (1, 0)


def test_only_the_lines_that_were_too_many_are_sent_again(tmp_path: Path) -> None:
    with collecting("elasticsearch") as collector:
        told: list[str] = []

        def bad(document: dict[str, object]) -> int:
            """The second one is too much once, the third one is wrong for ever."""
            told.append(message := str(document["message"]))
            return {"two": 429 if told.count("two") == 1 else 0, "three": 400}.get(message, 0)

        collector.bad = bad
        begin(tmp_path, settings(sink_of(collector), flush_seconds=0.5))

        for word in ("one", "two", "three"):
            LOG.info(word)
        (counts,) = logs.end().values()

    assert collector.messages == ["one", "two"]
    assert told == ["one", "two", "three", "two"]
    assert (counts.sent, counts.refused, counts.lost) == (2, 1, 0)


def test_what_a_sink_refuses_is_counted_and_told_to_its_readers(
    collector: Collector, tmp_path: Path
) -> None:
    collector.bad = lambda document: 400 if document["message"] == "wrong" else 0
    begin(tmp_path, settings(sink_of(collector)))

    LOG.info("wrong")
    assert until(lambda: len(collector.bodies) == 1, 10)
    LOG.info("right")
    (counts,) = logs.end().values()

    assert counts.refused == 1
    assert "right" in collector.messages
    assert any("1 log lines are missing before this one" in one for one in collector.messages)


def test_a_dead_sink_takes_no_time_from_whoever_writes_and_is_counted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections, and never answers
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        limits = settings(LokiSink(url), timeout_seconds=60, max_queue=100, batch_lines=50)
        box = Outbox("deaf", lambda: opened(limits.sinks["sink-0"], str, tmp_path, 60), limits)

        for number in range(2000):
            box.put({"message": f"line {number}"})
        first_attempt_is_under_way = box.counts.lost == box.counts.sent == 0
        counts = box.close(0.5)

    assert first_attempt_is_under_way
    assert counts.sent == 0
    assert counts.dropped >= 2000 - 100 - 50
    assert counts.missing >= 2000 - 50


def test_a_sink_whose_secret_cannot_be_had_harms_nobody(tmp_path: Path) -> None:
    def unknown(text: str) -> str:
        raise BadInput(f"{text} is not set")

    logs.begin(settings(LokiSink("${env:LOKI}"), FileSink()), unknown, tmp_path)

    LOG.info("still here")
    counts = logs.end()

    assert counts["sink-0"].refused >= 1
    assert "still here" in (tmp_path / "logs" / "tradewind.ndjson").read_text()


class Stuck:
    """A sink that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.stuck, self.seen = True, list[str]()

    def send(self, lines: list[Sealed]) -> Outcome:
        until(lambda: not self.stuck, 30)
        self.seen += [str(one.document["message"]) for one in lines]
        return Outcome()

    def close(self) -> None: ...


def test_the_oldest_lines_make_room_in_bounded_memory() -> None:
    stuck = Stuck()
    box = Outbox("stuck", lambda: stuck, settings(max_queue=1000, batch_lines=10))  # type: ignore[arg-type,return-value]
    box.put({"message": "first"})
    tracemalloc.start()

    for number in range(2000):
        box.put({"message": f"{number} " + "x" * 30_000})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stuck.stuck = False
    counts = box.close(30)

    assert peak < 2 * MOST_CHARACTERS
    assert stuck.seen[-1].startswith("1999 ")
    assert any("log lines are missing" in one for one in stuck.seen)
    assert counts.dropped > 1000
    assert counts.lost == 0


def test_files_are_bounded_and_no_line_is_cut(tmp_path: Path) -> None:
    sink = LinesInFile(tmp_path / "all.ndjson", 1000, 2)

    for number in range(300):
        sink.send([Sealed({"message": f"line {number}"})])

    files = [one for one in tmp_path.iterdir() if not one.name.endswith(".lock")]
    lines = [json.loads(line) for one in files for line in one.read_text().splitlines()]
    assert len(files) == 3
    assert all(one.stat().st_size <= 1000 for one in files)
    assert max(int(one["message"].split()[1]) for one in lines) == 299


def test_the_same_settings_keep_what_is_there(tmp_path: Path) -> None:
    limits = settings(FileSink())

    first = logs.begin(limits, str, tmp_path)
    again = logs.begin(limits, str, tmp_path)
    other = logs.begin(limits, str, tmp_path / "other")

    assert first is again
    assert other is not first
    assert logging.root.handlers.count(other) == 1  # type: ignore[arg-type]
    assert first not in logging.root.handlers
