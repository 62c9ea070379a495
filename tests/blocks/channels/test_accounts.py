"""Accounts as blocks: what shop.yaml says is in them, and a client reads with it."""

import re
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from blocks.channels.accounts import ACCOUNTS, account_of
from blocks.shop import Live
from domain.account import Channel
from domain.channel import Rate
from domain.errors import BadInput
from examples.marketplace.__main__ import KINDS
from tests.blocks.channels.market import Plenty, Served, serving

SAMPLE = Path(__file__).parents[3] / "examples" / "shop" / "shop.yaml"
REFERENCE = re.compile(r"\$\{file:([^}]+)\}")
ADDRESSES = ("endpoint", "token_endpoint")


def declared(kind: str) -> Channel:
    """Of the simulator, every value of it behind a reference."""
    known = import_module(f"examples.marketplace.{kind}").CLIENT
    stated = {name: f"${{env:{name}}}" for name in known}
    addresses = {"amazon": ADDRESSES}.get(kind, ADDRESSES[:1])
    market = {"marketplace": "ATVPDKIKX0DER"} if kind == "amazon" else {}
    channel: Channel = TypeAdapter(Channel).validate_python(
        {"kind": kind, **market, **stated, **{name: f"${{env:{name}}}" for name in addresses}}
    )
    return channel


def resolving(served: Served, kind: str) -> Callable[[str], str]:
    known = import_module(f"examples.marketplace.{kind}").CLIENT
    values = {**known, **dict.fromkeys(ADDRESSES, served.url)}
    return lambda text: values[text[6:-1]] if text.startswith("${env:") else text


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_made_of_the_references_reads(kind: str, tmp_path: Path) -> None:
    with serving(kind) as served:
        served.market.account.set_stock("TEA-001", 42, served.market.clock())
        account = account_of(declared(kind))

        client = account.client(resolving(served, kind), Plenty(), tmp_path)
        rows = [(row.sku, row.quantity) for row in client.stock()]

    assert rows == [("TEA-001", 42)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_has_what_the_file_says_and_no_secret(kind: str, tmp_path: Path) -> None:
    channel = declared(kind)
    known = import_module(f"examples.marketplace.{kind}").CLIENT
    account = account_of(channel)

    with serving(kind) as served:
        account.client(resolving(served, kind), Plenty(), tmp_path)
    shown = account.model_dump_json()

    assert {one.name for one in fields(channel)} - {"kind"} == set(type(account).model_fields)
    assert not any(value in shown for name, value in known.items() if name in secrets(kind))


def secrets(kind: str) -> set[str]:
    """The fields of a kind that are called so."""
    words = ("secret", "token", "key", "password")
    named = {one for one in ACCOUNTS[kind].model_fields if one.endswith(words)}
    return named - {"token_endpoint"}


def test_a_reference_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    def nowhere(text: str) -> str:
        raise BadInput(f"{text}: the environment variable is not set")

    with pytest.raises(BadInput, match="env:"):
        account_of(declared("shopee")).client(nowhere, Plenty(), tmp_path)


def test_the_wait_of_the_file_is_the_clients(tmp_path: Path) -> None:
    class Nothing:
        waits: list[float] = []  # noqa: RUF012

        def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
            self.waits.append(wait_seconds)
            return False

    with serving("shopee") as served:
        account = account_of(declared("shopee")).model_copy(update={"wait_seconds": 7})
        list(account.client(resolving(served, "shopee"), Nothing(), tmp_path).stock())

    assert [round(wait) for wait in Nothing.waits] == [7]


def test_a_live_shop_hands_out_the_same_clients_every_time(tmp_path: Path) -> None:
    for name in (*REFERENCE.findall(SAMPLE.read_text()), "databases/ledger"):
        held = tmp_path / name
        held.parent.mkdir(parents=True, exist_ok=True)
        held.write_text("4711")
    live = Live(SAMPLE, tmp_path)

    clients = live.channels("production")

    assert set(clients) == set(live.environment("production").channels)
    assert live.channels("production") is clients
    assert live.channels("staging") == {}
