"""What squawk knows to be dangerous about statements: what they lock, rewrite or scan."""

import json
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from domain.errors import Unavailable
from domain.schema.tokens import tokens

SQUAWK = Path(sys.executable).parent / "squawk"
LIMIT_SECONDS = 30.0
POSTGRES = "14"
"""The oldest that is still supported; for newer ones squawk says the same."""
SYNTAX = "syntax-error"
EXCLUDED = frozenset(
    {
        # each unit runs with our own limits, once, and in a transaction only where it may
        "require-timeout-settings",
        "require-lock-timeout",
        "require-statement-timeout",
        "prefer-robust-stmts",
        "transaction-nesting",
        "ban-uncommitted-transaction",
        "ban-concurrent-index-creation-in-transaction",
        # the statement's kind says it already: the version before breaks
        "adding-required-field",
        "ban-drop-column",
        "ban-drop-database",
        "ban-drop-not-null",
        "ban-drop-table",
        "renaming-column",
        "renaming-table",
        # taste: costs neither a reader nor a writer anything now
        "ban-char-field",
        "ban-create-domain-with-constraint",
        "prefer-bigint-over-int",
        "prefer-bigint-over-smallint",
        "prefer-identity",
        "prefer-text-field",
        "prefer-timestamp-tz",
        "require-enum-value-ordering",
    }
)


@dataclass(frozen=True)
class Danger:
    """``help`` is a way out, "" where squawk knows none."""

    rule: str
    message: str
    help: str


def dangers(
    statements: Sequence[str], program: Path = SQUAWK, limit_seconds: float = LIMIT_SECONDS
) -> tuple[tuple[Danger, ...], ...]:
    """Those of each statement, which squawk judges by the statements before it.

    Raises Unavailable when squawk cannot run or takes too long.
    """
    found = _linted(statements, program, limit_seconds)
    broken = [any(one.rule == SYNTAX for one in own) for own in found]
    if not any(broken):
        return found
    # of a script with an error squawk says nothing else
    whole = ["" if bad else one for bad, one in zip(broken, statements, strict=True)]
    rest = _linted(whole, program, limit_seconds)
    return tuple(own or others for own, others in zip(found, rest, strict=True))


def _linted(
    statements: Sequence[str], program: Path, limit_seconds: float
) -> tuple[tuple[Danger, ...], ...]:
    texts = [f"{_without_comments(statement)};\n" for statement in statements]
    starts = list(accumulate((text.count("\n") for text in texts), initial=0))
    found: list[list[Danger]] = [[] for _ in texts]
    for finding in _findings("".join(texts), program, limit_seconds):
        if finding["rule_name"] not in EXCLUDED:
            danger = Danger(finding["rule_name"], finding["message"], finding["help"] or "")
            own = found[min(bisect_right(starts, finding["line"]), len(texts)) - 1]
            own.extend([] if danger in own else [danger])
    return tuple(map(tuple, found))


def _without_comments(statement: str) -> str:
    """A comment can tell squawk to be silent; what is dangerous is not the author's to say."""
    bare, at = "", 0
    for token in tokens(statement):
        if token.kind == "comment":
            bare, at = f"{bare}{statement[at : token.start]} ", token.end
    return bare + statement[at:]


def _findings(script: str, program: Path, limit_seconds: float) -> list[dict[str, Any]]:
    command = [
        str(program),
        "--reporter=json",
        f"--pg-version={POSTGRES}",
        "--assume-in-transaction",
    ]
    try:
        ran = subprocess.run(
            [*command, "--config=/dev/null"], input=script.encode(), timeout=limit_seconds,
            capture_output=True, check=False,
        )  # fmt: skip
        found: list[dict[str, Any]] = json.loads(ran.stdout)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"squawk did not end within {limit_seconds:.1f} s") from error
    except OSError as error:
        raise Unavailable(f"squawk cannot run: {error}") from error
    except ValueError as error:
        said = ran.stderr.decode(errors="replace").strip()[-1000:]
        raise Unavailable(f"squawk ended with {ran.returncode}: {said}") from error
    return found
