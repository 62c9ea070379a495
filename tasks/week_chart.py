"""The picture of the last weeks: deployments by day, lead time, recovery, and where time went."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from domain.figures.days import RESULTS, Day, days
from domain.figures.dora import failures, leads
from domain.figures.facts import Moved
from domain.figures.reckoning import Reckoning

Draw = Callable[[Any], None]
Dots = Mapping[str, Sequence[tuple[datetime, float]]]
COLOURS: Mapping[str, str] = {
    "done": "#2e7d32", "rolled back": "#ef6c00", "halted": "#c62828", "refused": "#9e9e9e",
}  # fmt: skip
DAY = timedelta(days=1)
DATES: Any = {
    "date.autoformatter.day": "%-d %b",
    "date.autoformatter.hour": "%-d %b",
    "date.interval_multiples": False,
}
"""Ticks are short and as far from one another all along the axis."""
LINE, MOST_STAGES, MOST_PLACES = "#1565c0", 10, 6
PLACES = ("#1565c0", "#6a1b9a", "#00838f", "#ad1457", "#558b2f", "#4e342e")
LEGEND: Mapping[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}


def data_uri(found: Reckoning, title: str, zone: tzinfo) -> str:
    """A PNG as a data URI; ``zone`` is whose days are counted."""
    from matplotlib import rc_context  # half a second to import: only where a chart is drawn
    from matplotlib.figure import Figure

    history = found.history
    by_day = days(history.moved, history.since, history.until, zone)
    panels: list[Draw] = [
        partial(_draw_days, by_day=by_day),
        partial(_draw_dots, dots=_leads(history.moved), zone=zone, label="lead time, h"),
        partial(_draw_dots, dots=_recoveries(history.moved), zone=zone, label="recovery, h"),
        partial(_draw_stages, found=found),
    ]
    with rc_context(DATES):
        figure = Figure(figsize=(10, 11), layout="constrained")
        axes = figure.subplots(len(panels), 1)
        for draw, panel in zip(panels, axes, strict=True):
            draw(panel)
        for panel in axes[1:3]:
            panel.sharex(axes[0])
        axes[0].set_xlim(by_day[0].day - DAY, by_day[-1].day + DAY)
        figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()


def _draw_days(axes: Any, by_day: Sequence[Day]) -> None:
    """Each day a bar, its results on top of one another."""
    shown: list[date] = [one.day for one in by_day]
    below = [0] * len(by_day)
    for result in RESULTS:
        heights = [one.ends.get(result, 0) for one in by_day]
        axes.bar(shown, heights, bottom=below, color=COLOURS[result], label=result)
        below = [low + high for low, high in zip(below, heights, strict=True)]
    axes.set(ylabel="deployments a day")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(**LEGEND)


def _draw_dots(axes: Any, dots: Dots, zone: tzinfo, label: str) -> None:
    """One dot each, by environment; hours reach from minutes to weeks, so their axis is a log's."""
    for colour, (place, values) in zip(PLACES, dots.items(), strict=False):
        moments = [at.astimezone(zone).replace(tzinfo=None) for at, _ in values]
        hours = [max(seconds, 1) / 3600 for _, seconds in values]
        axes.plot(moments, hours, "o", color=colour, label=place, markersize=5)
    axes.set(ylabel=label)
    if dots:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.legend(**LEGEND)
    else:
        _say_none(axes)


def _draw_stages(axes: Any, found: Reckoning) -> None:
    """The stages that took longest, the longest on top."""
    longest = found.stages[:MOST_STAGES][::-1]
    names = [f"{one.stage}, {one.environment}" for one in longest]
    axes.barh(names, [(one.took.median or 0) / 60 for one in longest], color=LINE)
    axes.set(xlabel="median of each stage, min")
    if not longest:
        _say_none(axes)


def _say_none(axes: Any) -> None:
    axes.text(0.5, 0.5, "none yet", transform=axes.transAxes, ha="center", va="center")


def _leads(moved: Sequence[Moved]) -> Dots:
    return {place: found for place in _places(moved) if (found := list(leads(_of(moved, place))))}


def _recoveries(moved: Sequence[Moved]) -> Dots:
    found = {
        place: [
            (one.moved.finished_at, one.seconds)
            for one in failures(_of(moved, place))
            if one.seconds is not None and one.moved.finished_at is not None
        ]
        for place in _places(moved)
    }
    return {place: dots for place, dots in found.items() if dots}


def _places(moved: Sequence[Moved]) -> list[str]:
    return sorted({one.environment for one in moved})[:MOST_PLACES]


def _of(moved: Sequence[Moved], place: str) -> list[Moved]:
    return [one for one in moved if one.environment == place]
