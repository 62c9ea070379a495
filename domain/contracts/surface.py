"""What a client uses of a channel's API: only a change that touches this can break it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from domain.channel import Rate


@dataclass(frozen=True)
class Operation:
    """One call, ``METHOD /path`` as the specification writes it, and its name there.

    ``sends`` names parameters; ``writes`` and ``reads`` are fields of the body and of the answer by
    dotted path, with ``[]`` after an array ("" is the whole). By parameter or path, ``values`` are
    those relied on, and ``most`` is how much is sent or asked for at once. ``rate`` is relied on.
    """

    call: str
    name: str = ""
    sends: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)
    rate: Rate | None = None


@dataclass(frozen=True)
class End:
    """From ``on`` the channel no longer promises to serve ``subject``."""

    subject: str
    on: date
    detail: str


@dataclass(frozen=True)
class Surface:
    """One API of a channel, as one client uses it; ``titles`` are what notices call it.

    ``documents`` says that it is GraphQL: the client's documents stand for operations, and
    ``values`` are those relied on by enum.
    """

    channel: str
    titles: tuple[str, ...]
    operations: tuple[Operation, ...] = ()
    ends: tuple[End, ...] = ()
    documents: bool = False
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
