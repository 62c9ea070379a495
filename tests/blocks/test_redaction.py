"""Redaction: a planted secret is in nothing that is written, and nothing else is changed."""

import base64
import html
import io
import json
import logging
import os
import re
import shlex
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.logging.handlers import APILogHandler, set_api_log_sink
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from uvicorn.logging import AccessFormatter

from blocks import redaction
from blocks.commands import run
from blocks.redaction import Redactor, redacted
from blocks.redaction.encodings import LONGEST

CANARY = "canary/2b1e 'q\"<ü>&\\x"
PLAIN = "canary-plain-5d0c"
WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": lambda value: repr(value)[1:-1],
    "ascii": lambda value: ascii(value)[1:-1],
    "bytes": lambda value: repr(value.encode())[2:-1],
    "json": lambda value: json.dumps(value)[1:-1],
    "json in UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "json for pages": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "shell": lambda value: shlex.quote(value).removeprefix("'").removesuffix("'"),
    "html": html.escape,
    "html text": lambda value: html.escape(value, quote=False),
    "percent": lambda value: quote(value, safe=""),
    "percent in a path": quote,
    "percent in small letters": lambda value: re.sub(
        "%..", lambda found: found[0].lower(), quote(value, safe="")
    ),
    "form": quote_plus,
    "hex": lambda value: value.encode().hex(),
    "large hex": lambda value: value.encode().hex().upper(),
    "base64": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode())
    .decode().rstrip("="),
}  # fmt: skip
unhurried = settings(deadline=None, max_examples=60)  # the machine may be busy
secrets = st.text(min_size=6, max_size=40).filter(lambda text: len(text.strip()) >= 6)


@pytest.fixture(scope="module", autouse=True)
def learnt() -> None:
    for value in (CANARY, PLAIN):
        redaction.learn(value)


def shown(redactor: Redactor, pieces: Sequence[bytes]) -> bytes:
    stream = redactor.stream()
    return b"".join([*map(stream.passed, pieces), stream.rest()])


def cut(text: bytes, places: Sequence[int]) -> list[bytes]:
    """In pieces; a place beyond the text is at its end."""
    starts = [0, *sorted(places)]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
@pytest.mark.parametrize("secret", [CANARY, PLAIN])
def test_a_secret_is_found_however_it_is_written(
    written: Callable[[str], str], secret: str
) -> None:
    assert redacted(f"before {written(secret)}, after") == "before ***, after"


@unhurried
@given(secrets, st.sampled_from([*WRITTEN.values()]))
def test_any_secret_is_found_however_it_is_written(
    secret: str, written: Callable[[str], str]
) -> None:
    redactor = Redactor()
    redactor.add(secret)

    said = redactor.redacted(f"«{written(secret.strip())}»")

    assert said.startswith("«***")


@unhurried
@given(secrets, st.binary(max_size=9), st.binary(max_size=9), st.sampled_from([b"+/", b"-_"]))
def test_inside_of_base64_exactly_the_secrets_letters_are_hidden(
    secret: str, before: bytes, after: bytes, others: bytes
) -> None:
    redactor, raw = Redactor(), secret.strip().encode()
    redactor.add(secret)
    whole = base64.b64encode(before + raw + after, others).decode()

    said = redactor.redacted(whole)

    first, last = 8 * len(before) // 6, -(-8 * len(before + raw) // 6)
    assert said == f"{whole[:first]}***{whole[last:]}"


@unhurried
@given(
    st.lists(secrets, min_size=1, max_size=4),
    st.lists(st.one_of(st.integers(0, 3), st.binary(max_size=12)), max_size=12),
    st.lists(st.integers(0, 400), max_size=12),
    st.sampled_from([*WRITTEN.values()]),
)
def test_cut_anywhere_a_stream_shows_what_the_whole_would(
    values: list[str],
    parts: list[int | bytes],
    places: list[int],
    written: Callable[[str], str],
) -> None:
    redactor = Redactor()
    for value in values:
        redactor.add(value)
    forms = [written(value.strip()).encode("utf-8", "surrogatepass") for value in values]
    text = b"".join(forms[one % len(forms)] if isinstance(one, int) else one for one in parts)

    assert shown(redactor, cut(text, places)) == shown(redactor, [text])


@unhurried
@given(st.text(max_size=6), st.integers(0, 60), st.lists(st.integers(0, 60), max_size=60))
def test_a_secret_that_repeats_itself_is_one_mark(rest: str, more: int, places: list[int]) -> None:
    redactor = Redactor()
    redactor.add("aaaaaa")
    text = ("a" * (6 + more) + rest.replace("a", "")).encode("utf-8", "surrogatepass")

    assert shown(redactor, cut(text, places)) == b"***" + text[6 + more :]


@unhurried
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_nothing_else_is_changed(text: bytes, places: list[int]) -> None:
    redactor = Redactor()
    redactor.add(PLAIN)

    assert shown(redactor, cut(text, places)) == text


def test_of_two_secrets_that_overlap_nothing_is_left() -> None:
    redactor = Redactor()
    redactor.add("abcdefgh")
    redactor.add("efghijkl")

    assert redactor.redacted("<abcdefghijkl>") == "<***>"


def test_a_short_value_is_no_secret_and_text_without_one_is_the_same() -> None:
    redactor, text = Redactor(), "a shop sells tea"
    for value in ("shop", "", "     a     "):
        redactor.add(value)

    assert redactor.redacted(text) == text


def test_lines_of_a_key_are_found_where_a_log_indents_them() -> None:
    redactor, lines = Redactor(), ["-----BEGIN KEY-----", "QUFB" * 16, "QkJC" * 16, "CgwI"]
    redactor.add("\n".join(lines) + "\n")

    said = redactor.redacted("\n  | ".join(lines))

    assert said == "-----BEGIN KEY-----\n  | ***\n  | ***\n  | CgwI"


def test_a_very_long_secret_is_found_piece_by_piece() -> None:
    redactor = Redactor()
    secret = "".join(f"{number:x}." for number in range(LONGEST))
    redactor.add(secret)

    assert redactor.redacted(f"<{secret}>") == "<***>"
    assert redactor.redacted(base64.b64encode(secret.encode()).decode()).strip("=") == "***"
    assert redactor.patterns.longest <= 4 * LONGEST


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with one handler of its own, made after the secret was learnt."""
    logger, said = logging.getLogger(f"tests.{uuid.uuid4()}"), io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    yield logger, said
    logger.removeHandler(handler)


def test_a_log_has_no_secret_in_messages_arguments_and_exceptions(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, said = log

    logger.error(f"said {PLAIN}")
    logger.error("%s, %r and %d of %s", PLAIN, {"token": CANARY}, 3, ValueError(PLAIN))
    logger.error("%(a)s", {"a": PLAIN})
    logger.error("canary-%s", PLAIN.removeprefix("canary-"))
    try:
        raise KeyError(PLAIN) from ValueError(CANARY)
    except KeyError:
        logger.exception("failed", stack_info=True)

    text = said.getvalue()
    assert not [form for form in WRITTEN.values() if form(PLAIN) in text or form(CANARY) in text]
    assert text.startswith("said ***\n***, {'token': '***'} and 3 of ***\n***\n***\nfailed\n")
    assert "KeyError: '***'" in text


def test_a_record_without_a_secret_is_as_it_was(log: tuple[logging.Logger, io.StringIO]) -> None:
    records = list[logging.LogRecord]()
    logger, _ = log
    logger.addFilter(lambda record: bool(records.append(record)) or True)
    given, error = {"a": 1}, ValueError("x")

    logger.error("%s %s", given, 2.5, exc_info=error)

    assert records[0].args == (given, 2.5)
    assert records[0].exc_info == (ValueError, error, None)
    assert records[0].exc_text in (None, "ValueError: x")


def test_what_came_by_extra_is_clean_for_handlers_that_install_knew(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, said = log
    logger.handlers[0].setFormatter(logging.Formatter("%(message)s %(account)s %(parts)s"))
    redaction.install()

    logger.error("called", extra={"account": PLAIN, "parts": [CANARY, 1]})

    assert said.getvalue() == "called *** ['***', 1]\n"


def test_a_record_that_cannot_be_put_together_shows_no_secret(
    log: tuple[logging.Logger, io.StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    logger, _ = log
    record = logger.makeRecord(logger.name, logging.ERROR, "", 1, "%s and %s", (PLAIN,), None)

    logger.handlers[0].handle(record)

    said = capsys.readouterr().err
    assert "Arguments: ('***',)" in said
    assert PLAIN not in said


def test_the_servers_own_format_of_requests_is_kept(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, said = log
    logger.handlers[0].setFormatter(AccessFormatter("%(request_line)s %(status_code)s"))

    logger.info("not shown")
    logger.error('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/?key={PLAIN}", "1.1", 200)

    assert said.getvalue() == "GET /?key=*** HTTP/1.1 200 OK\n"


def test_prefects_server_is_sent_no_secret() -> None:
    sent, logger = list[dict[str, Any]](), logging.getLogger(f"tests.{uuid.uuid4()}")
    logger.addHandler(APILogHandler())
    set_api_log_sink(sent.append)

    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        logger.error("calling with %s", PLAIN, extra={"flow_run_id": str(uuid.uuid4())})
    set_api_log_sink(None)

    assert [one["message"] for one in sent] == ["calling with ***"]


CHILD = f"""
import base64, json, os, sys, time, urllib.parse
secret = {CANARY!r}
print(secret, json.dumps(secret), urllib.parse.quote(secret), flush=True)
print(base64.b64encode(("shop:" + secret).encode()).decode(), flush=True)
for byte in ("in bytes: " + secret + "\\n").encode():
    os.write(2, bytes([byte]))
raise ValueError(secret)
"""


def test_a_childs_output_is_kept_without_the_secret(tmp_path: Path) -> None:
    ran = run([sys.executable, "-c", CHILD], tmp_path / "log", 20)

    kept = (tmp_path / "log").read_text()
    assert ran.exit_code == 1
    assert ran.tail == kept
    assert not [form for form in WRITTEN.values() if form(CANARY) in kept]
    assert kept.startswith('*** "***" ***\n')
    assert "in bytes: ***\n" in kept
    assert kept.endswith("ValueError: ***\n")


def test_output_is_kept_to_the_last_byte_whatever_its_size(tmp_path: Path) -> None:
    program = f"import sys\nfor n in range(100_000): sys.stdout.write(f'{{n}} {PLAIN}\\n')"

    run([sys.executable, "-c", program], tmp_path / "log", 30)

    expected = "".join(f"{number} ***\n" for number in range(100_000))
    assert (tmp_path / "log").read_text() == expected


def test_who_is_ended_by_the_limit_has_said_what_is_kept(tmp_path: Path) -> None:
    ran = run(["sh", "-c", f"echo begun {PLAIN}; exec sleep 60"], tmp_path / "log", 0.5)

    assert ran.exit_code is None
    assert ran.tail == "begun ***\n"


def test_nobody_waits_for_a_grandchild_that_left_and_holds_the_output(tmp_path: Path) -> None:
    leaves = "subprocess.Popen(['sleep', '60'], start_new_session=True).pid"

    ran = run([sys.executable, "-c", f"import subprocess; print({leaves})"], tmp_path / "log", 20)

    left = int(ran.tail)
    os.kill(left, 0)  # it goes on
    os.kill(left, signal.SIGKILL)
    assert ran.exit_code == 0
    assert ran.seconds < 10


def test_output_that_finds_no_room_ends_the_child_and_is_told() -> None:
    with pytest.raises(OSError, match="No space left"):
        run(["yes"], Path("/dev/full"), 20)
