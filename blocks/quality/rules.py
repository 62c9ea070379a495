"""The checks that are made row by row: each says in SQL what it compares, and when that is wrong.

A rule is NULL where a row is not compared: a side is missing, or an honest lag may explain it.
"""

from dataclasses import dataclass

DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Decimal places of a currency where they are not 2; source: ISO 4217, list one (minor units)."""


def _half_a_minor_unit(currency: str) -> str:
    cases = ""
    for digits, codes in DIGITS.items():
        listed = ", ".join(repr(code) for code in codes.split())
        cases += f" WHEN {currency} IN ({listed}) THEN {half(digits)}"
    return f"CASE{cases} ELSE {half(2)} END"


def half(digits: int) -> str:
    """Half a minor unit as an exact number.

    >>> half(0), half(2)
    ('0.5', '0.005')
    """
    return f"0.{'0' * digits}5"


@dataclass(frozen=True)
class Rule:
    """``violated`` over one row of a table, ``ours`` and ``theirs`` what is shown of it.

    ``needs`` is what has to be there, or the check is not made: a query of shop.yaml, one of its
    columns, or the opening.
    """

    check: str
    violated: str
    ours: str
    theirs: str
    detail: str = "''"
    needs: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        """Its name in the table.

        >>> Rule("INV-01", "", "", "").column
        'inv_01'
        """
        return self.check.lower().replace("-", "_")


STOCK = (
    Rule("INV-01", """CASE WHEN here AND there THEN CASE
        WHEN distance <= greatest(%(units)s, %(share)s * expected) THEN false
        WHEN unsettled OR theirs < lowest AND fell_unseen OR theirs > highest AND rose_unseen
        THEN NULL ELSE true END END""",
        "expected", "theirs",
        "concat(lowest, ' to ', highest, ' expected, ', under_way, ' of it under way')"),
    Rule("INV-03", "coalesce(quantity < 0, false) OR coalesce(theirs < 0, false)",
         "quantity", "theirs"),
    Rule("INV-04", """CASE WHEN here AND there AND expected = 0 THEN CASE
        WHEN theirs <= cancelled_lately OR NOT their_active THEN false
        WHEN most > 0 OR unsettled OR rose_unseen THEN NULL ELSE true END END""",
        "expected", "theirs"),
    Rule("INV-05", """CASE
        WHEN here AND there AND active AND their_active AND expected > buffer THEN CASE
        WHEN theirs > 0 THEN false
        WHEN lowest <= buffer OR unsettled OR fell_unseen THEN NULL ELSE true END END""",
        "expected", "theirs"),
    Rule("INV-06", """CASE WHEN here AND there THEN false
        WHEN here AND active AND NOT new_here OR there AND NOT new_there THEN true END""",
        "CASE WHEN here THEN 'listed' ELSE 'absent' END",
        "CASE WHEN there THEN 'listed' ELSE 'absent' END"),
    Rule("INV-07", """CASE WHEN here AND opened THEN
        change NOT BETWEEN restocked_since - sold_since
                       AND restocked_since - sold_since + cancelled_before
        AND (pool IS NULL OR change NOT BETWEEN restocked_since - sold_anywhere_since
                       AND restocked_since - sold_anywhere_since + cancelled_before) END""",
        "change", "restocked_since - sold_since",
        "concat('moved by ', change, ', ', sold_since, ' were sold, other movements are ',"
        " restocked_since)", ("opening",)),
    Rule("INV-08", "CASE WHEN here AND opened THEN change <> moved_since END",
         "change", "moved_since", "concat('moved by ', change, ', movements say ', moved_since)",
         ("opening",)),
    Rule("INV-09", "CASE WHEN here AND opened AND quantity - change > 0"
         " THEN 2 * abs(change) > quantity - change END",
         "quantity", "theirs", "concat(quantity - change, ' before')", ("opening",)),
    Rule("INV-10", """CASE WHEN here AND there AND pushable_since < %(pushed)s
        THEN pushed IS DISTINCT FROM expected AND theirs <> expected END""",
        "expected", "pushed", "concat('not pushed since ', pushable_since)", ("pushes",)),
)  # fmt: skip
"""Over ``stock``: E is ``expected`` (now) and from ``least`` to ``most`` (within the window)."""

POOLS = (
    Rule("INV-02", """CASE WHEN whole THEN CASE WHEN theirs <= pool_quantity THEN false
        WHEN theirs <= pool_quantity + lately OR unsettled THEN NULL ELSE true END END""",
        "pool_quantity", "theirs", "concat(channels, ' channels')", ("stock.pool",)),
)  # fmt: skip

ORDERS = (
    Rule("ORD-01", """CASE WHEN progress IN ('open', 'shipped') AND created_at >= %(since)s
        AND (here OR updated_at < %(imported)s) THEN NOT here END""",
        "'absent'", "progress", "concat('placed ', created_at)"),
    Rule("ORD-02", "CASE WHEN here THEN copies > 1 OR repeated_key END",
         "copies", "1", "CASE WHEN repeated_key THEN 'its idempotency key is there twice' END"),
    Rule("ORD-03", """CASE WHEN here AND placed_at >= %(since)s AND placed_at <= %(at)s
        AND (there OR coalesce(imported_at, placed_at) < %(settled)s) THEN NOT there END""",
        "coalesce(status, 'there')", "'absent'", "concat('placed ', placed_at)"),
    Rule("ORD-04", f"""CASE WHEN here AND there AND their_total IS NOT NULL
        AND progress <> 'cancelled' THEN CASE
        WHEN currency = their_currency
             AND abs(total - their_total) <= {_half_a_minor_unit('their_currency')} THEN false
        WHEN changed_lately THEN NULL ELSE true END END""",
        "concat(total, ' ', currency)", "concat(their_total, ' ', their_currency)"),
    Rule("ORD-05", """CASE WHEN here AND there AND their_basket IS NOT NULL
        AND progress <> 'cancelled' THEN CASE
        WHEN basket = their_basket THEN false WHEN changed_lately THEN NULL ELSE true END END""",
        "our_shown", "their_shown"),
    Rule("ORD-06", """CASE WHEN here AND progress = 'cancelled' THEN CASE WHEN cancelled THEN false
        WHEN updated_at < %(settled)s THEN NOT cancelled END END""",
        "coalesce(status, 'open')", "progress", "concat('cancelled ', updated_at)",
        ("orders.status or orders.cancelled",)),
    Rule("ORD-08", """CASE WHEN there AND progress <> 'cancelled' AND shipped_at < %(shipped)s
        THEN progress <> 'shipped' END""",
        "concat('shipped ', shipped_at)", "progress", "''", ("orders.shipped_at",)),
    Rule("TZ-01", "CASE WHEN here AND there THEN abs(late_seconds) > 450 AND"
         " abs(late_seconds - 900 * round(late_seconds / 900)) <= 5 END",
         "placed_at", "created_at", "concat(late_seconds / 3600, ' h apart')"),
    Rule("HOOK-01", """CASE WHEN there AND updated_at >= %(since)s AND updated_at < %(settled)s
        THEN NOT received END""", "'no event'", "progress", "concat('changed ', updated_at)",
        ("events",)),
)  # fmt: skip

RULES = {"stock": STOCK, "pools": POOLS, "orders": ORDERS}


def made(there: frozenset[str]) -> dict[str, tuple[Rule, ...]]:
    """By table the rules that have all they need."""
    return {
        table: tuple(rule for rule in rules if _has_all(rule, there))
        for table, rules in RULES.items()
    }


def _has_all(rule: Rule, there: frozenset[str]) -> bool:
    return all(any(one in there for one in need.split(" or ")) for need in rule.needs)
