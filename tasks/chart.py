"""The picture of a deployment: weights, failed requests and stock divergence over time."""

import base64
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from domain.story import Divergence, Point

Draw = Callable[[Any, datetime], None]
NEW, OLD, STOCK = "#c62828", "#1565c0", "#6a1b9a"


def data_uri(title: str, points: Sequence[Point], stock: Sequence[Divergence]) -> str:
    """A PNG as a data URI, since the Prefect UI shows images by address only."""
    from matplotlib.figure import Figure  # half a second to import: only where a chart is drawn

    start = min([point.at for point in points] + [look.at for look in stock])
    shown: list[Draw] = []
    if points:
        shown += [partial(_draw_weight, points=points), partial(_draw_failed, points=points)]
    if stock:
        shown += [partial(_draw_stock, stock=stock)]
    figure = Figure(figsize=(9, 2 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)
    for draw, panel in zip(shown, panels.flat, strict=True):
        draw(panel, start)
    panels.flat[-1].set(xlabel="seconds since the deployment's first look")
    figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()


def _draw_weight(axes: Any, start: datetime, points: Sequence[Point]) -> None:
    axes.step(_seconds(start, points), [point.weight for point in points], where="post", color=NEW)
    axes.set(ylabel="weight, %", ylim=(0, 105))


def _draw_failed(axes: Any, start: datetime, points: Sequence[Point]) -> None:
    seconds = _seconds(start, points)
    axes.plot(seconds, [_or_gap(p.candidate_failed) for p in points], color=NEW, label="candidate")
    axes.plot(seconds, [_or_gap(p.baseline_failed) for p in points], color=OLD, label="baseline")
    axes.set(ylabel="failed, %")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", frameon=False)


def _draw_stock(axes: Any, start: datetime, stock: Sequence[Divergence]) -> None:
    axes.plot(_seconds(start, stock), [look.units for look in stock], "o-", color=STOCK)
    axes.set(ylabel="stock off by, units")
    axes.set_ylim(bottom=0)


def _seconds(start: datetime, looks: Sequence[Point | Divergence]) -> list[float]:
    return [(look.at - start).total_seconds() for look in looks]


def _or_gap(value: float | None) -> float:
    return float("nan") if value is None else value
