"""What Tradewind itself tells an error tracker: faults, their host, no refusals, no secrets."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from blocks.errors_reported import before_send, on_host
from blocks.redaction import learn
from domain.errors import BadInput, Failed, Refused


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events.append(envelope.get_event())


@pytest.fixture
def kept() -> Iterator[Kept]:
    """An SDK as Tradewind sets it up, with the usual integrations."""
    transport = Kept()
    before = sentry_sdk.get_global_scope().client
    sentry_sdk.init(
        dsn="http://key@127.0.0.1/1", transport=transport, before_send=before_send,
        include_local_variables=False,
    )  # fmt: skip
    yield transport
    sentry_sdk.get_global_scope().set_client(before)


def logged(error: Exception) -> None:
    """As Prefect does it when a flow raises."""
    try:
        raise error
    except Exception:
        logging.getLogger("a flow").exception("it failed")


def test_a_fault_is_sent_with_the_host_it_happened_on(kept: Kept) -> None:
    def fails() -> None:
        with on_host("web-1"):
            raise Failed("the disk is full")

    with pytest.raises(Failed) as raised:
        fails()
    logged(raised.value)

    (event,) = kept.events
    assert event["tags"]["host"] == "web-1"
    assert event["exception"]["values"][-1]["value"].startswith("the disk is full")


@pytest.mark.parametrize("error", [Refused("no"), BadInput("wrong")])
def test_what_is_an_answer_is_not_sent(kept: Kept, error: Exception) -> None:
    logged(error)

    assert kept.events == []


def test_a_line_of_a_log_is_no_event(kept: Kept) -> None:
    logging.getLogger("a flow").error("Finished in state Failed")

    assert kept.events == []


def test_no_secret_leaves_in_an_event(kept: Kept) -> None:
    learn("a very secret word")

    logged(Failed("the token 'a very secret word' is not known"))

    (event,) = kept.events
    assert "secret word" not in str(event)
    assert "the token '***' is not known" in event["extra"]["traceback"]


def test_an_answer_with_a_secret_in_it_is_not_sent_either(kept: Kept) -> None:
    learn("a very secret word")

    logged(Refused("the token 'a very secret word' is not known"))

    assert kept.events == []
