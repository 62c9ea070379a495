"""Kinds of fields in ``shop.yaml``, each with its smallest and largest value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Range:
    """Smallest and largest value a field may have, both included; pydantic reads it."""

    ge: float
    le: float

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {**handler(source), "ge": self.ge, "le": self.le}


STRICT = {"extra": "forbid"}
Seconds = Annotated[float, Range(0.1, 86_400)]
Percent = Annotated[float, Range(0, 100)]
Share = Annotated[float, Range(0, 1)]
Weight = Annotated[int, Range(1, 100)]
