"""What a statement does to the version before, by a list of what is known; the rest is unknown."""

import re

from domain.schema.alterations import judged_alteration
from domain.schema.backfills import judged_update, update_in
from domain.schema.judgement import FAILS, NAME, OLD, OWN, Judgement, Made, Rule, ruled
from domain.schema.tokens import parts, shape
from domain.schema.touched import targets

RECORD = Judgement("expand", "the migrator's own record")
_RECORD = re.compile(
    r"(?:insert into|update|delete from|create table(?: if not exists)?) "
    r'(?:(?:[^ ]+ \. )?"?(?:alembic_version|django_migrations)"?|"?tradewind"? \. [^ ]+) .*'
)
_HIDDEN = re.compile(r".*\( (?:insert into|update(?! [,)])|delete from|merge into) .*")
_THING = (
    "table|view|materialized view|index|type|domain|sequence|function|procedure|schema|extension"
)
_SORT = "(?:(?:global |local )?(?:temp |temporary )|unlogged |unique )?(?:recursive )?"
_CREATE = re.compile(
    rf"create (?P<replaces>or replace )?{_SORT}(?P<what>{_THING}) (?:concurrently )?"
    rf"(?P<maybe>if not exists )?(?P<name>(?!on ){NAME})(?P<arguments> \( [^)]* \))?.*"
)
_UNIQUE = re.compile(
    rf"create unique index (?:concurrently )?(?:if not exists )?(?:(?!on ){NAME} )?on (?:only )?"
    rf"(?P<table>{NAME}) (?:using [^ ]+ )?\( (?P<columns>[^()]*) \)(?!.* nulls not distinct).*"
)
_DROP = re.compile(
    rf"drop (?P<what>{_THING}) (?:concurrently )?(?:if exists )?(?P<names>.+?)"
    "(?: cascade| restrict)?"
)
_ALTER = re.compile(rf"alter (?P<what>{_THING}) (?:if exists )?(?P<name>{NAME}) .*")
_SETVAL = re.compile(r"select (?:pg_catalog \. )?setval \((?!.* into ).*")
_CALL = re.compile(r"((?:[^ ]+ \. )?[^ ]+) \(")
_CALLS = ", ( setval nextval currval pg_get_serial_sequence coalesce greatest least max min count"
_HARMLESS = frozenset(_CALLS.split())
_SETTING = (
    "lock_timeout|statement_timeout|transaction_timeout|idle_in_transaction_session_timeout"
    "|client_min_messages|client_encoding|work_mem|maintenance_work_mem|application_name"
    "|max_parallel_maintenance_workers|check_function_bodies|default_tablespace"
    "|default_table_access_method|xmloption|row_security"
)
_RULES: tuple[Rule, ...] = (
    ("create or replace .*", "contract", f"replaces what {OLD} may use"),
    ("create unique index .*", "contract", FAILS),
    ("create (?:constraint trigger|trigger|rule|policy) .*", "contract",
     f"changes what statements of {OLD} do"),
    (f"create {_SORT}(?:{_THING}|statistics|collation|database|tablespace) .*", "expand",
     f"{OLD} does not know it"),
    ("drop (?:schema|database|owned) .*", "irreversible", "all that is in it is lost"),
    (f"drop (?:{_THING}|trigger|policy|rule|statistics|collation|tablespace) .*", "contract",
     f"{OLD} may use it"),
    ("alter type .* add value .*", "expand", f"{OLD} does not write it"),
    (rf"alter (?:{_THING}|trigger|policy) .* (?:rename|set schema|owner to) .*", "contract",
     f"{OLD} uses it as it was"),
    ("alter type .* drop attribute .*", "contract", f"{OLD} may use it"),
    ("alter sequence .*", "expand", "is about numbers to come"),
    (r"alter index .* (?:attach partition .*|(?:re)?set \( .*)", "expand", "is about storage"),
    ("comment on .*", "expand", "only says something"),
    ("grant .*", "expand", "gives a right"),
    ("revoke .*", "contract", f"{OLD} may need the right"),
    ("(?:analyze|vacuum|reindex)(?: .*)?|refresh materialized view .*", "expand",
     "changes no row of a table"),
    (rf"set (?:session |local )?(?:{_SETTING}) (?:to|=) .*|set constraints .*", "expand",
     "is a setting of the session"),
    ("truncate .*|delete from .*", "irreversible", "rows are lost"),
    ("merge into .*|insert into .* on conflict .* do update .*", "irreversible",
     "what is in rows may be overwritten"),
    ("insert into .*", "backfill", "adds rows"),
)  # fmt: skip


def judged(statement: str, made: Made) -> Judgement:
    """Adds to ``made`` what the statement makes."""
    words = shape(statement)
    if _HIDDEN.fullmatch(words):
        return Judgement.of("unknown", words, "a query inside of it changes rows")
    if _RECORD.fullmatch(words):
        return RECORD
    if update := update_in(statement):
        return judged_update(update, made)
    return judged_alteration(words, made) or _judged(words, made)


def _judged(words: str, made: Made) -> Judgement:
    judgement = ruled(words, _RULES, words)
    if judgement is None:
        return _queried(words)
    tables = targets(words)
    own_tables = bool(tables) and all(made.has("table", table) for table in tables)
    if _is_own(words, made) or own_tables or _is_never_twice(words, made):
        judgement = OWN
    _note(words, made)
    return judgement


def _queried(words: str) -> Judgement:
    """Of queries only those that set a sequence, with functions that are known to do no more."""
    calls = {call.removeprefix("pg_catalog . ") for call in _CALL.findall(words)}
    if _SETVAL.fullmatch(words) and calls <= _HARMLESS:
        return Judgement.of("expand", words, "is about numbers to come")
    return Judgement.of("unknown", words, "no rule knows it: nobody can tell what it does")


def _is_own(words: str, made: Made) -> bool:
    """Whether what is replaced, altered or dropped was made by this migration."""
    if (found := _CREATE.fullmatch(words)) and found["replaces"]:
        return made.has(found["what"], _made_name(found))
    if found := _ALTER.fullmatch(words):
        return made.has(found["what"], found["name"])
    dropped = _dropped(words)
    return bool(dropped) and all(made.has(what, name) for what, name in dropped)


def _is_never_twice(words: str, made: Made) -> bool:
    """A unique index with a column that the version before leaves NULL."""
    found = _UNIQUE.fullmatch(words)
    names = found["columns"].split(" , ") if found else []
    columns = [made.column(found["table"], name) for name in names] if found else []
    return any(column and not column.default for column in columns)


def _note(words: str, made: Made) -> None:
    found = _CREATE.fullmatch(words)
    if found and not found["replaces"] and not found["maybe"]:
        made.make(found["what"], _made_name(found))
    for what, name in _dropped(words):
        made.drop(what, name)


def _dropped(words: str) -> list[tuple[str, str]]:
    found = _DROP.fullmatch(words)
    listed = parts(found["names"].split(" "), ",") if found else []
    return [(found["what"], " ".join(name)) for name in listed if found]


def _made_name(found: "re.Match[str]") -> str:
    """A routine is one with its arguments."""
    routine = found["what"] in ("function", "procedure")
    return found["name"] + (found["arguments"] or "" if routine else "")
