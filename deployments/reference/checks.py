"""The checks of stock and orders, and what a shop's own queries have to answer."""

from deployments.reference.page import page, table
from domain.checks.catalogue import CHECKS
from domain.checks.settings import OPTIONAL, QUERIES
from domain.markdown import code

SAID = (
    "After a release, and every hour, each channel's stock and orders are compared with the shop's"
    " own. A *critical* check that fails takes the release back (`checks.restores: high` makes"
    " *high* do so, too), *high* and *warning* are told, *validity* makes everything of its channel"
    " unknown, which is never a pass. E is the stock here that a channel should show, C the stock"
    " there.\n\nThresholds and windows are fields of [shop.yaml](shop-yaml.md); how a verdict is"
    " made is told in [channels](../how-to/channels.md)."
)


def checks() -> str:
    """The catalogue, and the columns of the queries."""
    rows = [
        (
            one.id, one.title, code(one.formula), one.severity,
            ", ".join(f"`{query}`" for query in one.needs),
            "the usual" if one.tolerated else "none",
        )
        for one in CHECKS
    ]  # fmt: skip
    head = ("Check", "What it finds", "What must hold", "Severity", "Needs", "New ones tolerated")
    return page(f"The {len(CHECKS)} checks", SAID, (table(head, rows), _queries()))


def _queries() -> str:
    rows = [(f"`{name}`", _columns(needed), _columns(OPTIONAL.get(name, ()))) for name, needed in
            QUERIES.items()]  # fmt: skip
    said = (
        "## Queries\n\nOf `environments.NAME.checks`: each answers for the channel `%(channel)s`,"
        " and from `%(since)s` on. *Needs* above names those without which a check is not made."
    )
    return f"{said}\n\n{table(('Query', 'Its columns', 'It may answer besides'), rows)}"


def _columns(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{one}`" for one in columns)
