"""``tradewind logs VERSION``: what flows, agents and services wrote about a release, by time."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.terminal import Json, live
from domain.errors import BadInput
from domain.logs.merging import Wanted, merged, shown
from domain.logs.record import LONG_AGO

if TYPE_CHECKING:
    from blocks.logs import Sealed
    from blocks.shop import Live

FOLLOW_SECONDS = 1.0
AGO = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def logs(
    version: Annotated[str, typer.Argument(help="Of the release.")],
    service: Annotated[str, typer.Option(help="Only this one; tradewind: its flows.")] = "",
    environment: Annotated[str, typer.Option(help="Only what was written there.")] = "",
    since: Annotated[str, typer.Option(help="15m, 2h, 3d, or 2026-11-28T11:00Z.")] = "",
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """What flows, host agents and services wrote about a release, by time; no secrets."""
    wanted = Wanted(service, environment, _moment(since))
    for line in lines(live(), version, wanted, follow=follow):
        print(line.text if as_json else shown(line.document))
        sys.stdout.flush()


def lines(
    shop: "Live", version: str, wanted: Wanted, *, follow: bool = False
) -> Iterator["Sealed"]:
    """One at a time, redacted; Refused when there is no such release."""
    from blocks.logs import Sealed
    from tasks.logs import learn_secrets, streams

    if wanted.environment:
        shop.environment(wanted.environment)
    unknown = learn_secrets(shop)
    if unknown:
        said = f"what these refer to is not known here and cannot be redacted: {', '.join(unknown)}"
        print(said, file=sys.stderr)
    found = streams(shop, version, wanted)
    while True:
        yield from (Sealed(line) for line in merged(found) if wanted.wants(line))
        if not follow:
            return
        time.sleep(FOLLOW_SECONDS)


def _moment(text: str) -> datetime:
    """A time with its zone, or so long ago."""
    if not text:
        return LONG_AGO
    if text[:-1].isdecimal() and len(text) < 8 and text[-1] in AGO:
        return datetime.now(UTC) - timedelta(seconds=int(text[:-1]) * AGO[text[-1]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min
    if found.tzinfo is None:
        needed = "15m, 2h, 3d or a time with its zone, as 2026-11-28T11:00Z, is needed"
        raise BadInput(f"since is {text!r}: {needed}")
    return found.astimezone(UTC)
