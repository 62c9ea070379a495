"""What people read of the contracts in the morning."""

from collections.abc import Mapping, Sequence
from datetime import date

from domain.contracts.findings import KINDS, Finding
from domain.markdown import code, plain

MOST_ROWS = 200


def page(findings: Sequence[Finding], silent: Mapping[str, str], today: date) -> str:
    """Markdown: sources that did not answer, then every finding that is not gone, worst first.

    ``silent`` says of each source why nothing is known of it.
    """
    lines = ["# Contracts", ""]
    lines += [f"- **{plain(name)}** was not read: {plain(why)}" for name, why in silent.items()]
    shown = sorted(
        (one for one in findings if one.gone_at is None),
        key=lambda one: (
            KINDS.index(one.kind),
            one.decided_on or date.max,
            one.channel,
            one.subject,
        ),
    )
    if not shown:
        return "\n".join([*lines, "Nothing has changed that anybody needs to know."])
    lines += [
        "",
        "| | channel | source | what | since | ends | id |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(one, today) for one in shown[:MOST_ROWS]]
    more = len(shown) - MOST_ROWS
    return "\n".join([*lines, *([f"\n{more} more are in the ledger."] if more > 0 else [])])


def _row(one: Finding, today: date) -> str:
    by = f" (accepted by {plain(one.accepted_by)})" if one.accepted_by else ""
    kind = f"**{one.kind}**" if one.kind == "breaking" and one.open else one.kind
    cells = (
        f"{kind}{by}", one.channel, one.source, f"{code(one.subject)} {plain(one.detail)}",
        f"{one.found_at:%Y-%m-%d}", _ends(one, today), code(one.id),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _ends(one: Finding, today: date) -> str:
    if one.decided_on is None:
        return ""
    left = (one.decided_on - today).days
    return f"{one.decided_on} ({f'in {left} days' if left > 0 else 'over'})"
