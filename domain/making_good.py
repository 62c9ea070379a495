"""Making good: stock that a bad version told the channels is told again as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.digest import digest_of
from domain.markdown import plain

MOST_ROWS = 50


@dataclass(frozen=True)
class Correction:
    """One SKU on one channel: what is for sale ``there``, and what should be (both in units)."""

    channel: str
    sku: str
    there: int
    truth: int


@dataclass(frozen=True)
class Blamed:
    """A version that was taken back, and when it could write: aware times, the end excluded."""

    version: str
    environment: str
    since: datetime
    until: datetime


def plan_digest(blamed: Blamed, corrections: Sequence[Correction]) -> str:
    """What an approval is bound to: which SKUs, not how many units, since people go on buying."""
    touched = sorted((one.channel, one.sku) for one in corrections)
    return digest_of({"version": blamed.version, "environment": blamed.environment, "sku": touched})


def page(
    blamed: Blamed, written: Mapping[str, int], corrections: Sequence[Correction], digest: str
) -> str:
    """Markdown for whoever approves; ``written`` counts SKUs that the version wrote, by channel."""
    wrote = ", ".join(f"{plain(channel)} {count:,}" for channel, count in sorted(written.items()))
    rows = [
        f"| {plain(one.channel)} | {plain(one.sku)} | {one.there} | {one.truth} |"
        for one in corrections[:MOST_ROWS]
    ]
    more = len(corrections) - MOST_ROWS
    return "\n".join(
        (
            f"## Stock to be told again after {plain(blamed.version)}",
            f"{plain(blamed.version)} served in {plain(blamed.environment)} from"
            f" {blamed.since:%Y-%m-%d %H:%M:%S} to {blamed.until:%H:%M:%S} UTC and told stock to"
            f" the channels ({wrote or 'none'} SKUs). {len(corrections):,} of them are not right.",
            "",
            "Approved, each is told its own stock as it is at that moment, and looked at again"
            " until nothing differs.",
            "",
            "| Channel | SKU | There now | Should be |",
            "|---|---|---|---|",
            *rows,
            *((f"\n… and {more:,} more",) if more > 0 else ()),
            "",
            f"- Digest of the plan: `{digest}`",
        )
    )


def concluded(corrections: int, residual: int, seconds: float) -> str:
    """
    >>> concluded(12, 0, 90)
    '12 told again, 0 still differ, after 1.5 min'
    """
    return f"{corrections:,} told again, {residual:,} still differ, after {seconds / 60:.1f} min"
