"""A stack whose database and Prefect run elsewhere starts nothing of its own."""

from pathlib import Path

import psycopg
import pytest

from blocks.shop import Live
from deployments.settings import GIVEN_POSTGRES, GIVEN_PREFECT, prefect_environment, state_of
from deployments.stack import Stack
from deployments.stack.postgres import GivenPostgres, Postgres
from domain.errors import BadInput
from tests.deployments.gateway.street import free_port

SHOP = """
shop: teapots
repository: .
route: [staging]
services:
  web: {kind: web, paths: [web], command: [run], requirements: r.txt,
        test: {command: [test], requirements: r.txt}}
environments:
  staging: {hosts: []}
"""
HOSTS = """[{name: one, address: host.example, host_key: ssh-ed25519
  AAAAC3NzaC1lZDI1NTE5AAAAIJ7tL0dRVmoBfFVQXlqR4zBJ1rYgkqHxm1Z2kpr3Bc9V}], ssh: {key: k}"""


@pytest.fixture
def given(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop.yaml, where addresses are given as several machines would have them."""
    secret = tmp_path / "address"
    secret.write_text(postgres.url("postgres") + "\n")
    monkeypatch.setenv(GIVEN_POSTGRES, str(secret))
    monkeypatch.setenv(GIVEN_PREFECT, f"http://127.0.0.1:{free_port()}/api")
    shop = tmp_path / "shop.yaml"
    shop.write_text(SHOP.replace("[]", HOSTS))
    return shop


def test_databases_are_made_where_the_address_says_and_nothing_is_started(given: Path) -> None:
    live = Live(given, state_of(given))
    stack = Stack(live)

    stack.up()
    stack.up()

    kept = live.ledger_url
    assert "/ledger" in kept
    with psycopg.connect(kept) as connection:
        assert connection.execute("SELECT count(*) FROM releases").fetchone() == (0,)
    assert not (live.state / "postgres").exists()
    assert not (live.state / "logs").exists()
    assert [part.runs for part in stack.status()] == [False, False], "nobody answers there"
    stack.down()


def test_a_host_on_one_machine_only_is_refused_before_anything_is_made(given: Path) -> None:
    given.write_text(SHOP.replace("[]", "[{name: one}]"))

    with pytest.raises(BadInput, match="the address of host one is local"):
        Stack(Live(given, state_of(given))).up()

    assert not (state_of(given) / "databases").exists()


def test_every_process_is_told_the_given_address(given: Path, tmp_path: Path) -> None:
    told = prefect_environment(state_of(given))

    assert told["PREFECT_API_URL"].endswith("/api")
    assert not (state_of(given) / "stack.json").exists(), "no port of its own is chosen"


def test_a_given_server_has_an_address_for_each_database() -> None:
    there = GivenPostgres("postgresql://ann:secret@db:5433/postgres?sslmode=require")

    assert there.url("ledger") == "postgresql://ann:secret@db:5433/ledger?sslmode=require"
