"""Which tables a statement changes or locks."""

import re

from domain.schema.judgement import NAME
from domain.schema.tokens import parts, plain

_END = "(?: restart identity| continue identity)?(?: cascade| restrict)?"
_HOOK = "(?:or replace )?(?:constraint )?(?:trigger|policy)"
_HOW = "(?:full|freeze|verbose|analyze)"
_INDEX = rf"(?:concurrently )?(?:if not exists )?(?:(?!on ){NAME} )?on (?:only )?"
_TARGETS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"alter table (?:if exists )?(?:only )?({NAME}) .*",
        rf"create (?:[a-z]+ ){{,2}}table (?:if not exists )?({NAME}) .*",
        rf"create (?:unique )?index {_INDEX}({NAME}) .*",
        rf"drop table (?:if exists )?(.+?){_END}",
        rf"truncate (?:table )?(.+?){_END}",
        rf"(?:insert into|update|delete from|merge into) (?:only )?({NAME})(?: .*)?",
        rf"(?:create|drop) {_HOOK} .*? on ({NAME})(?: .*)?",
        rf"create (?:or replace )?rule [^ ]+ as on [a-z]+ to ({NAME}) .*",
        rf"drop rule .*? on ({NAME})(?: .*)?",
        rf"comment on table ({NAME}) is .*",
        rf"comment on column ({NAME}) \. [^ ]+ is .*",
        rf"(?:grant|revoke) .*? on (?:table )?({NAME}(?: , {NAME})*) (?:to|from) .*",
        rf"reindex (?:\( .*? \) )?table (?:concurrently )?({NAME})",
        rf"(?:analyze|vacuum) (?:\( .*? \) )?(?:{_HOW} )*(?!{_HOW}$)([^(].*)",
        rf"refresh materialized view (?:concurrently )?({NAME})(?: .*)?",
    )
)
_OTHERS = re.compile(rf" (?:references|partition of|attach partition|detach partition) ({NAME})")


def targets(shape: str) -> tuple[str, ...]:
    """The names of the tables a statement is about, as in ``shape``."""
    found = next((found for pattern in _TARGETS if (found := pattern.fullmatch(shape))), None)
    listed = parts(found[1].split(" "), ",") if found else []
    return tuple(_name(words) for words in listed)


def touched(shape: str) -> tuple[str, ...]:
    """Those, and the tables they refer to or are parts of, as one writes them."""
    names = targets(shape)
    others = _OTHERS.findall(shape) if names else []
    return tuple(dict.fromkeys(plain(name) for name in (*names, *others)))


def _name(words: list[str]) -> str:
    """Without ONLY before it, and a star or a list of columns after it."""
    own = words[1:] if words[0] == "only" else words
    until = next((at for at, word in enumerate(own) if word in ("*", "(")), len(own))
    return " ".join(own[:until])
