"""A script is taken apart as psql does it."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schema.sql import statements
from domain.schema.tokens import RESERVED, plain, shape, tokens

WHOLE = (
    "SELECT ';', 'it''s; '",
    "SELECT E'\\';', e'\\\\'",
    "SELECT '\\'",
    "SELECT U&'\\0061;' UESCAPE '!', N';', b'1', X'0f'",
    "SELECT 'a'\n  'b;', E'\\''  -- goes on\n '\\';'",
    "DO $$ BEGIN; SELECT '; END $$",
    "DO $a$ $b$ ; $$ ; $a$",
    'CREATE TABLE "a;b" ("c""; -- d" int)',
    "SELECT 1 /* ; /* ; */ ; ' */ + 2",
    "SELECT 1 -- ; it's\n + 2",
    "SELECT a$1$ FROM b$;".removesuffix(";"),
    "SELECT $1, 1.5e-3, .5, 0x1F, 1_000, a::int, b -> 'c', -1, 5 --1\n",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "create or replace procedure shop.p() begin atomic insert into t values (1); end",
    "CREATE TABLE öäü (begin int, 値 text)",
    "ROLLBACK TO SAVEPOINT s",
)


def test_each_statement_is_kept_as_it_was_written() -> None:
    script = "-- all\n" + " ;\n/* then */ ".join(WHOLE) + ";"

    assert statements(script) == tuple(one.removesuffix(" --1\n") for one in WHOLE)


@pytest.mark.parametrize(
    "script",
    ["", ";;", " -- only\n", "/* a */ ; -- b", "BEGIN; COMMIT;", "begin work;end;",
     "START TRANSACTION ISOLATION LEVEL SERIALIZABLE; COMMIT TRANSACTION"],
)  # fmt: skip
def test_what_is_no_statement_of_its_own_is_left_out(script: str) -> None:
    assert statements(script) == ()


def test_alembics_script_is_the_statements_in_it() -> None:
    script = """BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL
);

-- Running upgrade  -> 0001

COMMIT;

CREATE INDEX CONCURRENTLY i ON orders (note);

BEGIN;

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;

COMMIT;
"""

    assert statements(script) == (
        "CREATE TABLE alembic_version (\n    version_num VARCHAR(32) NOT NULL\n)",
        "CREATE INDEX CONCURRENTLY i ON orders (note)",
        "INSERT INTO alembic_version (version_num) VALUES ('0001')"
        " RETURNING alembic_version.version_num",
    )


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("SELECT 1;\n\\connect shop", r"line 2: \\connect is a command of psql's"),
        ("COPY t (a) FROM STDIN;\nit's\n\\.\n", "COPY FROM STDIN has its rows in the script"),
        ("copy t from /* here */ stdin with csv", "COPY FROM STDIN"),
        ("SELECT 1;\nSELECT 'a", "line 2: ' has no end"),
        ('SELECT "a', 'line 1: " has no end'),
        ("SELECT E'\\'", "line 1: E' has no end"),
        ("SELECT /* /* */", r"line 1: /\* has no end"),
        ("\n\nDO $a$ $b$", r"line 3: \$a\$ has no end"),
        ("ROLLBACK", "ROLLBACK would end a transaction"),
        ("COMMIT AND CHAIN", "COMMIT AND CHAIN would end"),
        ("COMMIT PREPARED 'a'", "COMMIT PREPARED '' would end"),
        ("prepare transaction 'a'", "PREPARE TRANSACTION '' would end"),
    ],
)
def test_what_cannot_run_here_is_refused_by_name(script: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        statements(script)


def test_a_copy_from_a_query_is_a_statement() -> None:
    assert len(statements("COPY t TO STDOUT; COPY t FROM PROGRAM 'from stdin'")) == 2


@given(st.lists(st.sampled_from(WHOLE)), st.sampled_from([";", ";\n", "; -- c\n", " /* */ ;;"]))
def test_what_is_joined_is_taken_apart_again(chosen: list[str], joint: str) -> None:
    once = statements(joint.join(chosen))

    assert statements(joint.join(once)) == once
    assert len(once) == len(chosen)


@given(st.text(st.sampled_from("ab'\"$;-/*\\E( )\n"), max_size=40))
def test_any_text_that_is_taken_apart_once_is_the_same_taken_apart_again(text: str) -> None:
    try:
        once = statements(text)
    except ValueError:
        return

    assert statements(";\n".join(once)) == once


@given(st.text(max_size=60))
def test_tokens_lose_nothing_but_space(text: str) -> None:
    try:
        found = list(tokens(text))
    except ValueError:
        return

    between = text
    for token in reversed(found):
        assert text[token.start : token.end] == token.text
        between = between[: token.start] + between[token.end :]
    assert between.strip(" \t\n\r\f\v") == ""


@given(st.text(min_size=1, max_size=20).filter(lambda text: "\x1f" not in text))
def test_a_quoted_name_is_one_word_and_comes_back_as_it_was(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'

    assert " " not in shape(quoted)
    assert plain(shape(quoted)) in (name, quoted)


def test_the_reserved_words_are_postgresqls(database_url: str) -> None:
    query = "SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')"
    with psycopg.connect(database_url) as connection:
        found = {word for (word,) in connection.execute(query)}

    assert found == RESERVED
