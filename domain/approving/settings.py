"""What ``environments.X.approvals`` in shop.yaml asks of an approval."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from domain.fields import STRICT, Range

FRESH_SECONDS = 300.0


@dataclass(frozen=True)
class Approving:
    """Who has to approve, and how.

    ``signed``: only what was said signed in, at the gateway, counts; typed names do not. ``quorum``
    people approve; each of ``groups``, and one of ``any_of``, has at least one of them. With
    ``second_factor`` each proves it again, at most ``fresh_seconds`` before. ``releases`` says
    whether every release needs an approval, or only a schema change that needs a person.
    """

    __pydantic_config__ = STRICT
    signed: bool = False
    quorum: Annotated[int, Range(1, 5)] = 1
    groups: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    second_factor: bool = False
    releases: Literal["schema", "always"] = "schema"
    fresh_seconds: Annotated[float, Range(10, 3600)] = FRESH_SECONDS


TYPED = Approving()
"""Where shop.yaml says nothing: one typed name that is not the requester's."""


def objections(approving: Approving) -> tuple[str, ...]:
    """What does not agree within one environment's approvals, each beginning with its field."""
    return tuple(_objections(approving))


def _objections(approving: Approving) -> Iterator[str]:
    if not approving.signed:
        for name in ("quorum", "groups", "any_of", "second_factor"):
            value = getattr(approving, name)
            if value != getattr(TYPED, name):
                yield f"{name} is {_shown(value)}, signed is false: a typed name proves nobody"
    for name in ("groups", "any_of"):
        groups = getattr(approving, name)
        if not all(group.strip() for group in groups) or len(set(groups)) < len(groups):
            yield f"{name} is {_shown(groups)}: each group has a name and stands there once"


def _shown(value: object) -> str:
    return ", ".join(map(repr, value)) if isinstance(value, tuple) else str(value)
