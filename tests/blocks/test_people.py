"""People, sessions and tokens on a real PostgreSQL, with a clock that the tests turn."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pyotp
import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from blocks.ledger import Ledger
from blocks.people import People, Tokens
from deployments.cli import app
from deployments.people import key_of
from deployments.stack.postgres import Postgres
from domain.access.people import Person, Session
from domain.access.roles import Grant
from domain.errors import BadInput, Failed, Refused

KEY, PASSWORD = Fernet.generate_key(), "four tea-pots and a spoon"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""The same hash at less cost: what counts here are the answers."""

HERE = "192.0.2.7"
ANN = Person("ann", "Ann", (Grant("admin"),), ("owners",))
BO = Person("bo", "Bo", (Grant("releaser", ("staging",)), Grant("approver")))
NUMBERS = count(1)
WRONG = "name, password or code is wrong"


class Clock:
    """Says what the test says; starts in the middle of a code's half minute."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **parts: float) -> datetime:
        self.now += timedelta(**parts)
        return self.now


class Shop:
    """People and tokens of a fresh ledger: Ann has a second factor, Bo has none."""

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        self.url, self.secret, self.clock = url, secret, clock
        self.ledger = Ledger(url)
        self.people = People(url, KEY, clock, CHEAP)
        self.tokens = Tokens(url, clock)

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now)

    def session(self, name: str = "ann") -> Session:
        self.clock.later(minutes=5)
        code = self.code() if name == "ann" else ""
        return self.people.signed_in(name, PASSWORD, code, HERE)

    def refused(self, name: str, password: str, code: str, address: str = HERE) -> str:
        with pytest.raises(Refused) as refusal:
            self.people.signed_in(name, password, code, address)
        return str(refusal.value)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()


def secret_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["secret"][0]


@pytest.fixture(scope="module")
def furnished(postgres: Postgres) -> tuple[str, str]:
    """A database to be copied, and Ann's secret."""
    postgres.create("people")
    url, clock = postgres.url("people"), Clock()
    Ledger(url).migrate()
    people = People(url, KEY, clock, CHEAP)
    people.add(ANN, PASSWORD, "ann")
    people.add(BO, PASSWORD, "ann")
    secret = secret_of(people.enrol_totp("ann"))
    people.confirm_totp("ann", pyotp.TOTP(secret).at(clock.now))
    return "people", secret


@pytest.fixture
def shop(postgres: Postgres, furnished: tuple[str, str]) -> Iterator[Shop]:
    template, secret = furnished
    clock, name = Clock(), f"people_{next(NUMBERS)}"
    clock.later(minutes=5)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield Shop(postgres.url(name), secret, clock)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_whoever_proves_who_they_are_is_signed_in(shop: Shop) -> None:
    session = shop.session()

    signed = shop.people.session(session.token, shop.clock.now)

    assert signed is not None
    assert (signed.person, signed.via, signed.factor_at) == (ANN, "password", shop.clock.now)
    assert signed.may("manage")


def test_without_a_second_factor_none_was_proved(shop: Shop) -> None:
    signed = shop.people.session(shop.session("bo").token, shop.clock.now)

    assert signed is not None
    assert signed.factor_at is None
    with pytest.raises(Refused, match="bo has no second factor: enrol one first"):
        shop.people.fresh_factor(signed.session, "123456")


def test_whatever_is_wrong_the_answer_is_one_sentence(shop: Shop) -> None:
    shop.people.disable("bo", "ann")
    good = shop.code()

    said = {
        shop.refused("ann", "four tea-pots and a fork", good),
        shop.refused("ann", PASSWORD, "000000" if good != "000000" else "111111"),
        shop.refused("ann", PASSWORD, ""),
        shop.refused("nobody", PASSWORD, good),
        shop.refused("bo", PASSWORD, ""),
        shop.refused("Ann\0'; DROP TABLE people", PASSWORD, good),
        shop.refused("ann", "é\ud800" * 500, "é\ud800"),
    }

    assert said == {WRONG}


def test_a_wrong_password_does_not_use_up_the_code(shop: Shop) -> None:
    shop.refused("ann", "four tea-pots and a fork", shop.code())

    assert shop.people.signed_in("ann", PASSWORD, shop.code(), HERE).person == ANN


def test_one_code_counts_once_also_for_eight_at_the_same_moment(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        tries = [
            pool.submit(shop.people.signed_in, "ann", PASSWORD, shop.code(), HERE) for _ in range(8)
        ]
    outcomes = [one.exception() for one in tries]

    assert sum(one is None for one in outcomes) == 1
    assert {type(one) for one in outcomes if one} == {Refused}


def test_after_five_failures_a_name_waits_and_is_told_until_when(shop: Shop) -> None:
    began = shop.clock.now
    for number in range(5):
        assert shop.refused("ann", "wrong", "", f"192.0.2.{number}") == WRONG

    said = shop.refused("ann", PASSWORD, shop.code(), "198.51.100.1")
    other = shop.people.signed_in("bo", PASSWORD, "", HERE)
    shop.clock.later(minutes=15)

    assert said == f"too many failed tries; try again at {began + timedelta(minutes=15):%F %T} UTC"
    assert other.person == BO
    assert shop.people.signed_in("ann", PASSWORD, shop.code(), HERE).person == ANN


def test_a_name_that_nobody_has_is_limited_alike(shop: Shop) -> None:
    said = [shop.refused("nobody", "wrong", "") for _ in range(6)]

    assert said[:5] == [WRONG] * 5
    assert said[5].startswith("too many failed tries; try again at")


def test_twenty_failures_stop_an_address_and_no_other(shop: Shop) -> None:
    said = [shop.refused(f"somebody{number}", "wrong", "") for number in range(20)]

    assert said == [WRONG] * 20
    assert shop.refused("bo", PASSWORD, "").startswith("too many failed tries")
    assert shop.people.signed_in("bo", PASSWORD, "", "198.51.100.1").person == BO


def test_many_tries_at_once_are_no_way_around_the_limit(shop: Shop) -> None:
    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda _: shop.refused("ann", "wrong", ""), range(12)))

    assert said.count(WRONG) == 5


def test_good_tries_are_no_failures(shop: Shop) -> None:
    for _ in range(8):
        shop.people.signed_in("bo", PASSWORD, "", HERE)

    assert shop.rows("SELECT * FROM login_failures") == []


def test_a_session_ends_when_idle_and_at_last(shop: Shop) -> None:
    idle, used = shop.session(), shop.session()
    begun = shop.clock.now

    kept = [
        shop.people.session(used.token, begun + timedelta(hours=hours)) is not None
        for hours in (4, 8, 11.9)
    ]

    assert kept == [True, True, True]
    assert shop.people.session(used.token, begun + timedelta(hours=12)) is None
    assert shop.people.session(idle.token, begun + timedelta(hours=8)) is None


def test_signing_out_ends_a_session_and_no_other(shop: Shop) -> None:
    one, other = shop.session(), shop.session()

    shop.people.end_session(one.token)

    assert shop.people.session(one.token, shop.clock.now) is None
    assert shop.people.session(other.token, shop.clock.now) is not None


@pytest.mark.parametrize("how", ["disable", "set_password", "end_all"])
def test_what_shuts_somebody_out_ends_all_their_sessions(shop: Shop, how: str) -> None:
    sessions = [shop.session(), shop.session()]
    act = {
        "disable": lambda: shop.people.disable("ann", "bo"),
        "set_password": lambda: shop.people.set_password("ann", "another good password", "ann"),
        "end_all": lambda: shop.people.end_all("ann"),
    }[how]

    act()

    assert [shop.people.session(one.token, shop.clock.now) for one in sessions] == [None, None]


def test_a_changed_grant_counts_at_the_next_call(shop: Shop) -> None:
    session = shop.session()

    shop.people.regrant("ann", (Grant("viewer"),), "bo")
    signed = shop.people.session(session.token, shop.clock.now)

    assert signed is not None
    assert signed.may("view")
    assert not signed.may("release", "staging")


def test_the_second_factor_is_proved_again_and_its_time_kept(shop: Shop) -> None:
    token = shop.session().token
    signed = shop.people.session(token, shop.clock.now)
    assert signed is not None
    with pytest.raises(Refused, match="was used already: wait for the next one"):
        shop.people.fresh_factor(signed.session, shop.code())

    later = shop.clock.later(minutes=20)
    proved = shop.people.fresh_factor(signed.session, shop.code())

    assert proved.factor_at == later
    assert shop.people.session(token, later) == proved


def test_a_stolen_session_cannot_guess_the_second_factor(shop: Shop) -> None:
    signed = shop.people.session(shop.session().token, shop.clock.now)
    assert signed is not None
    shop.clock.later(minutes=5)

    for _ in range(5):
        with pytest.raises(Refused, match="code is wrong"):
            shop.people.fresh_factor(signed.session, "abcdef")
    with pytest.raises(Refused, match="too many failed tries"):
        shop.people.fresh_factor(signed.session, shop.code())


def test_the_cookie_itself_and_a_token_prove_no_second_factor(shop: Shop) -> None:
    shop.tokens.issue("ann", "ann", (Grant("admin"),), 1)
    token = shop.tokens.all()[0]

    for name in (shop.session().token, f"token {token.id}", ""):
        with pytest.raises(Refused, match="no such session"):
            shop.people.fresh_factor(name, shop.code())


def test_an_older_second_factor_holds_until_the_new_one_is_confirmed(shop: Shop) -> None:
    new = secret_of(shop.people.enrol_totp("ann"))
    with pytest.raises(Refused, match="code is wrong"):
        shop.people.confirm_totp("ann", "abcdef")
    by_old = shop.session()

    shop.clock.later(minutes=5)
    shop.people.confirm_totp("ann", pyotp.TOTP(new).at(shop.clock.now))
    shop.clock.later(minutes=5)

    assert by_old.person == ANN
    assert shop.refused("ann", PASSWORD, shop.code()) == WRONG
    now = pyotp.TOTP(new).at(shop.clock.now)
    assert shop.people.signed_in("ann", PASSWORD, now, HERE).person == ANN


def test_a_second_factor_opens_only_with_its_key_and_for_its_person(shop: Shop) -> None:
    shop.people.enrol_totp("bo")
    sealed = "UPDATE people SET totp_pending = (SELECT totp FROM people WHERE name = 'ann')"
    with psycopg.connect(shop.url) as connection:
        connection.execute(f"{sealed} WHERE name = 'bo'")

    with pytest.raises(Failed, match="of bo was sealed for ann"):
        shop.people.confirm_totp("bo", shop.code())
    with pytest.raises(Failed, match="of ann was sealed with another key"):
        People(shop.url, Fernet.generate_key(), shop.clock).signed_in("ann", PASSWORD, "1", HERE)

    assert any("people bo was changed behind" in line for line in shop.ledger.verify())


def test_a_linked_identity_is_that_person_and_an_address_of_mail_is_nobody(shop: Shop) -> None:
    shop.people.link("bo", "https://sign-on.example", "0815", "ann")

    found = shop.people.from_oidc("https://sign-on.example", "0815", "bo@example.com")
    session = shop.people.begin("bo", "oidc", HERE)
    signed = shop.people.session(session.token, shop.clock.now)

    assert found == BO
    assert signed is not None
    assert (signed.via, signed.factor_at) == ("oidc", None)
    assert shop.people.from_oidc("https://other.example", "0815", "bo@example.com") is None
    assert shop.people.from_oidc("https://sign-on.example", "bo", "bo@example.com") is None


def test_whoever_is_disabled_comes_in_by_no_door(shop: Shop) -> None:
    shop.people.link("bo", "https://sign-on.example", "0815", "ann")
    token = shop.tokens.issue("bo", "ann", (Grant("releaser"),), 1)

    shop.people.disable("bo", "ann")

    assert shop.people.from_oidc("https://sign-on.example", "0815", "") is None
    assert shop.tokens.found(token, shop.clock.now) is None
    with pytest.raises(Refused, match=WRONG):
        shop.people.begin("bo", "oidc", HERE)
    with pytest.raises(Refused, match="bo is disabled"):
        shop.tokens.issue("bo", "ann", (Grant("viewer"),), 1)
    assert shop.people.enable("bo", "ann") == BO


def test_a_token_may_what_its_person_now_may_and_no_more_than_it_was_given(shop: Shop) -> None:
    token = shop.tokens.issue("bo", "ann", (Grant("admin", ("staging",)),), 30)

    signed = shop.tokens.found(token, shop.clock.now)
    shop.people.regrant("bo", (Grant("viewer"),), "ann")
    less = shop.tokens.found(token, shop.clock.now)

    assert signed is not None
    assert less is not None
    assert len(token) == len("tw_") + 43
    assert signed.via == "token"
    assert signed.may("release", "staging")
    assert not signed.may("release", "production")
    assert not signed.may("approve", "staging")
    assert not less.may("release", "staging")


def test_a_token_ends_when_it_is_over_or_revoked(shop: Shop) -> None:
    token = shop.tokens.issue("bo", "ann", (Grant("releaser"),), 1)
    number = shop.tokens.all()[0].id
    now = shop.clock.now

    over = shop.tokens.found(token, now + timedelta(days=1))
    alive = shop.tokens.found(token, now + timedelta(hours=23))
    revoked = shop.tokens.revoke(number, "ann")

    assert (over, revoked.revoked_by) == (None, "ann")
    assert alive is not None
    assert shop.tokens.found(token, now) is None
    for nothing in ("", "tw_", token[:-1], token.upper(), "tw_\0" + "x" * 42):
        assert shop.tokens.found(nothing, now) is None
    with pytest.raises(Refused, match=f"token {number} was revoked by ann"):
        shop.tokens.revoke(number, "ann")
    with pytest.raises(Refused, match="there is no token 'none'"):
        shop.tokens.revoke("none", "ann")


def test_bad_input_is_refused_before_anything_changes(shop: Shop) -> None:
    before = shop.rows("SELECT count(*) FROM audit")
    unknown = replace(ANN, name="cy", grants=(Grant("viewer", ("a b",)),))

    for act in (
        lambda: shop.people.add(replace(ANN, name="Cy"), PASSWORD, "ann"),
        lambda: shop.people.add(replace(ANN, name="cy"), "short", "ann"),
        lambda: shop.people.add(unknown, PASSWORD, "ann"),
        lambda: shop.people.set_password("ann", "short", "ann"),
        lambda: shop.people.regroup("ann", ("a b",), "ann"),
        lambda: shop.tokens.issue("bo", "ann", (), 1),
        lambda: shop.tokens.issue("bo", "ann", (Grant("viewer"),), 0),
    ):
        with pytest.raises(BadInput):
            act()
    for act in (
        lambda: shop.people.add(ANN, PASSWORD, "ann"),
        lambda: shop.people.get("nobody"),
        lambda: shop.people.disable("nobody", "ann"),
        lambda: shop.people.confirm_totp("ann", "123456"),
    ):
        with pytest.raises(Refused):
            act()

    assert shop.rows("SELECT count(*) FROM audit") == before


def test_nothing_secret_is_stored_in_clear_and_the_audit_has_digests_only(shop: Shop) -> None:
    session = shop.session()
    token = shop.tokens.issue("bo", "ann", (Grant("viewer"),), 1)
    tables = ("people", "identities", "tokens", "sessions", "login_failures", "used_codes", "audit")

    stored = "".join(str(shop.rows(f"SELECT t::text FROM {table} t")) for table in tables)

    for secret in (PASSWORD, shop.secret, session.token, token, token.removeprefix("tw_")):
        assert secret not in stored
    assert stored.count("$argon2id$v=19$m=64,t=1,p=1$") == 2
    assert "$argon2id" not in str(shop.rows("SELECT a::text FROM audit a"))


def test_a_password_is_hashed_at_the_librarys_own_cost(shop: Shop) -> None:
    People(shop.url, KEY, shop.clock).set_password("bo", "another good password", "ann")

    stored = shop.rows("SELECT password FROM people WHERE name = 'bo'")[0][0]

    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert shop.people.signed_in("bo", "another good password", "", HERE).person == BO


def test_every_change_of_people_and_tokens_is_audited_and_verified(shop: Shop) -> None:
    shop.session()
    shop.tokens.issue("bo", "ann", (Grant("viewer"),), 1)

    clean = shop.ledger.verify()
    with psycopg.connect(shop.url) as connection:
        connection.execute(
            "UPDATE people SET grants = (SELECT grants FROM people WHERE name='ann')"
        )

    assert clean == ()
    assert shop.ledger.verify() == ("people bo was changed behind the ledger's back",)
    assert ("add bo", "ann", "people bo") in shop.rows('SELECT action, actor, "row" FROM audit')


class Terminal:
    """``tradewind`` on a shop's folder with that ledger."""

    def __init__(self, folder: Path, url: str) -> None:
        self.shop = folder / "shop.yaml"
        self.shop.write_text(SHOP)
        self.state = folder / ".tradewind"
        (self.state / "databases").mkdir(parents=True)
        (self.state / "databases" / "ledger").write_text(url)

    def __call__(self, *arguments: str, typed: str = "") -> str:
        command = ["--shop", str(self.shop), *arguments]
        ran = CliRunner().invoke(app, command, input=typed, catch_exceptions=False)
        return ran.output


SHOP = """
shop: teapots
repository: .
route: [staging]
services:
  web: {kind: web, paths: [web], command: [run], requirements: r.txt,
        test: {command: [test], requirements: r.txt}}
environments:
  staging: {hosts: [{name: one}]}
"""


def test_people_and_tokens_from_the_command_line(shop: Shop, tmp_path: Path) -> None:
    tradewind = Terminal(tmp_path, shop.url)
    cy = PASSWORD + "\n"

    tradewind("people", "add", "cy", "--role", "releaser", "-e", "staging", "--by", "ann", typed=cy)
    tradewind("people", "grant", "cy", "--role", "viewer", "--by", "ann")
    tradewind("people", "revoke-grant", "cy", "--role", "viewer", "--by", "ann")
    token = tradewind("tokens", "issue", "cy", "--role", "releaser", "--by", "ann").strip()
    listed = json.loads(tradewind("people", "list", "--json"))["people"]

    assert shop.people.get("cy").grants == (Grant("releaser", ("staging",)),)
    assert [(one["name"], one["factor"]) for one in listed] == [
        ("ann", True),
        ("bo", False),
        ("cy", False),
    ]
    assert shop.tokens.found(token, datetime.now(UTC)) is not None
    assert token not in tradewind("tokens", "list", "--json")
    assert shop.people.signed_in("cy", PASSWORD, "", HERE).person.name == "cy"


def test_a_second_factor_from_the_command_line(shop: Shop, tmp_path: Path) -> None:
    tradewind = Terminal(tmp_path, shop.url)

    with pytest.raises(Refused, match="code is wrong"):
        tradewind("people", "totp", "bo", "--by", "ann", typed="abcdef\n")

    assert not shop.people.has_totp("bo")
    assert (tradewind.state / "people.key").stat().st_mode & 0o777 == 0o600
    assert key_of(tradewind.state) == key_of(tradewind.state)


def test_the_command_line_knows_the_shops_own_names(shop: Shop, tmp_path: Path) -> None:
    tradewind = Terminal(tmp_path, shop.url)

    with pytest.raises(BadInput, match="environment is 'stagin', the shop has staging"):
        tradewind("people", "grant", "bo", "--role", "viewer", "-e", "stagin", "--by", "ann")
    with pytest.raises(BadInput, match="role is 'root'"):
        tradewind("people", "grant", "bo", "--role", "root", "--by", "ann")
    with pytest.raises(Refused, match="bo has no grant viewer, but releaser in staging, approver"):
        tradewind("people", "revoke-grant", "bo", "--role", "viewer", "--by", "ann")
