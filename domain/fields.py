"""Kinds of fields in ``shop.yaml``, each with its smallest and largest value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints


@dataclass(frozen=True)
class Range:
    """Smallest and largest value a field may have, both included; pydantic reads it."""

    ge: float
    le: float

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {**handler(source), "ge": self.ge, "le": self.le}


class OneOf:
    """Beside a union of dataclasses: pydantic tells by their ``kind`` which one is meant."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        choices = {
            kind: handler.generate_schema(one) for one in get_args(source) for kind in kinds(one)
        }
        return {"type": "tagged-union", "choices": choices, "discriminator": "kind"}


def kinds(one: type) -> tuple[str, ...]:
    """The values of ``kind`` by which a dataclass of a union is known."""
    return get_args(get_type_hints(one)["kind"])


STRICT = {"extra": "forbid"}
Seconds = Annotated[float, Range(0.1, 86_400)]
Percent = Annotated[float, Range(0, 100)]
Share = Annotated[float, Range(0, 1)]
Weight = Annotated[int, Range(1, 100)]
