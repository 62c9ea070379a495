"""What the rest of Tradewind lends to the gateway."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from fastapi import APIRouter

from domain.access.people import Signed

RunInput = dict[str, Any]


class Hooks(Protocol):
    """``routers`` are mounted as they are; each asks ``signed`` or ``needs`` itself.

    ``landing`` is the page for whoever signs in and wants no other: ``/gate/`` where none is lent.
    """

    @property
    def landing(self) -> str: ...

    @property
    def routers(self) -> tuple[APIRouter, ...]: ...

    def may_resume(
        self, signed: Signed, flow_run: UUID, run_input: Mapping[str, Any] | None
    ) -> RunInput | None:
        """The answer as it may go to the waiting run; Refused with a sentence for the screen.

        Called in a thread, once name and second factor are in place; it may keep a statement.
        """
        ...
