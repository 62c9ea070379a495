"""``searchCriteria``: groups of filters that all must hold, of each of which one is enough."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from examples.marketplace.magento.operation import Problem
from examples.marketplace.market import Market

MOST_PAGE, OTHERWISE = 300, 20
FILTER = re.compile(
    r"searchCriteria\[filter(?:G|_g)roups\]\[(\w+)\]\[filters\]\[(\w+)\]\[(\w+)\]", re.ASCII
)
SORT = re.compile(r"searchCriteria\[sort(?:O|_o)rders\]\[(\w+)\]\[(field|direction)\]", re.ASCII)
WHOLE = re.compile(r"[1-9][0-9]{0,8}")
Row = Mapping[str, Any]
CONDITIONS: dict[str, Callable[[Any, str], bool]] = {
    "eq": lambda value, given: str(value) == given,
    "neq": lambda value, given: str(value) != given,
    "in": lambda value, given: str(value) in given.split(","),
    "nin": lambda value, given: str(value) not in given.split(","),
    "gt": lambda value, given: value > type(value)(given),
    "gteq": lambda value, given: value >= type(value)(given),
    "lt": lambda value, given: value < type(value)(given),
    "lteq": lambda value, given: value <= type(value)(given),
}


@dataclass(frozen=True)
class Filter:
    field: str
    value: str
    condition: str

    def holds(self, row: Row) -> bool:
        """Raises Problem for a field that the rows do not have."""
        if self.field not in row:
            raise Problem(400, "Invalid attribute name: %fieldName", fieldName=self.field)
        try:
            return CONDITIONS[self.condition](row[self.field], self.value)
        except (ValueError, TypeError) as error:
            raise Problem(400, "Invalid value of a filter", fieldValue=self.value) from error

    def shown(self) -> dict[str, str]:
        return {"field": self.field, "value": self.value, "condition_type": self.condition}


@dataclass(frozen=True)
class Criteria:
    """Pages are counted from 1; ``sorts`` are (field, whether backwards)."""

    groups: tuple[tuple[Filter, ...], ...]
    sorts: tuple[tuple[str, bool], ...]
    size: int
    number: int

    def answer(self, market: Market, rows: Sequence[Row]) -> dict[str, Any]:
        """Past the end it is the last page that comes."""
        found = [row for row in rows if self._fits(row)]
        for field, backwards in reversed(self.sorts):
            if found and not isinstance(found[0].get(field), str | int | float):
                raise Problem(400, "Invalid attribute name: %fieldName", fieldName=field)
            found.sort(key=itemgetter(field), reverse=backwards)
        last = max(1, -(-len(found) // self.size))
        step = self.size + market.faults.page_gap
        page, _ = market.page(found, (min(self.number, last) - 1) * step, self.size)
        return {
            "items": [dict(row) for row in page],
            "search_criteria": self._shown(),
            "total_count": len(found),
        }

    def _fits(self, row: Row) -> bool:
        return all(any(one.holds(row) for one in group) for group in self.groups)

    def _shown(self) -> dict[str, Any]:
        return {
            "filter_groups": [
                {"filters": [one.shown() for one in group]} for group in self.groups
            ],
            "sort_orders": [
                {"field": field, "direction": "DESC" if backwards else "ASC"}
                for field, backwards in self.sorts
            ],
            "page_size": self.size,
            "current_page": self.number,
        }  # fmt: skip


def criteria(query: Mapping[str, str]) -> Criteria:
    """Raises Problem for what Magento does not take."""
    size = _whole(query, "searchCriteria[pageSize]", OTHERWISE)
    if size > MOST_PAGE:
        raise Problem(400, f"Maximum SearchCriteria pageSize is {MOST_PAGE}")
    number = _whole(query, "searchCriteria[currentPage]", 1)
    return Criteria(_groups(query), _sorts(query), size, number)


def _whole(query: Mapping[str, str], name: str, otherwise: int) -> int:
    given = query.get(name, str(otherwise))
    if not WHOLE.fullmatch(given):
        message = 'The "%fieldValue" value\'s type is invalid. The "int" type was expected.'
        raise Problem(400, message, fieldValue=given)
    return int(given)


def _groups(query: Mapping[str, str]) -> tuple[tuple[Filter, ...], ...]:
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for name, value in query.items():
        if found := FILTER.fullmatch(name):
            group, place, part = found.groups()
            groups.setdefault(group, {}).setdefault(place, {})[part] = value
    return tuple(tuple(map(_filter, group.values())) for group in groups.values())


def _filter(parts: Mapping[str, str]) -> Filter:
    condition = parts.get("conditionType") or parts.get("condition_type") or "eq"
    if condition not in CONDITIONS:
        raise Problem(400, "Invalid condition type", fieldValue=condition)
    if not parts.get("field"):
        raise Problem(400, '"%fieldName" is required. Enter and try again.', fieldName="field")
    return Filter(parts["field"], parts.get("value", ""), condition)


def _sorts(query: Mapping[str, str]) -> tuple[tuple[str, bool], ...]:
    orders: dict[str, dict[str, str]] = {}
    for name, value in query.items():
        if found := SORT.fullmatch(name):
            orders.setdefault(found[1], {})[found[2]] = value
    return tuple(
        (one["field"], one.get("direction", "DESC").upper() == "DESC")
        for one in orders.values()
        if one.get("field")
    )
