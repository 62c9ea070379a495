"""What a shop lends to its gateway: routes of its own, and what an answer to a gate means."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError

from blocks import prefect_runs as runs
from blocks.shop import Live
from deployments.gateway import dashboard, environments, metrics, overrides, releases, webhooks
from deployments.gateway.starts import permit
from domain.access.people import Signed
from domain.approving.statement import Speaker
from domain.errors import BadInput
from domain.forge.rules import Wish
from domain.forge.settings import Forge
from domain.journal import Approval
from tasks.answered import waiting_at
from tasks.approve import SignedAnswer, decision_of
from tasks.starting import start_once
from tasks.statements import give_statement, policy_of


class Lent:
    """Hooks of one shop."""

    landing = dashboard.PAGE

    def __init__(self, live: Live) -> None:
        self._live = live
        self.routers: tuple[APIRouter, ...] = (
            dashboard.router(live),
            metrics.router(live),
            releases.router(live),
            environments.router(live),
            overrides.router(live),
            webhooks.router(self._forge, self._secrets, self._started),
        )

    def may_resume(
        self, signed: Signed, flow_run: UUID, run_input: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        """An approval is permitted where it waits; where statements are signed, it is kept as one.

        What waits for no approval (a window, a rollback's choice) was permitted by the run.
        """
        approval = waiting_at(self._live, str(flow_run))
        if approval is None or run_input is None:
            return None if run_input is None else dict(run_input)
        self._permit(signed, approval)
        if policy_of(self._live, approval).signed:
            self._stated(signed, approval, run_input)
        return dict(run_input)

    def _permit(self, signed: Signed, approval: Approval) -> None:
        row = self._live.ledger.deployments.get(approval.deployment)
        release = self._live.ledger.releases.get(row.version)
        permit(signed, "approve", (row.environment,), release.services)

    def _stated(self, signed: Signed, approval: Approval, run_input: Mapping[str, Any]) -> None:
        try:
            answer = SignedAnswer.model_validate(dict(run_input))
        except ValidationError as error:
            raise BadInput(*(f"{one['loc']}: {one['msg']}" for one in error.errors())) from error
        person = signed.person
        speaker = Speaker(person.name, person.groups, signed.via, signed.factor_at)
        give_statement(self._live, approval, answer.plan, speaker, decision_of(answer))

    def _forge(self, name: str) -> Any:
        return self._live.forge if name == self._live.shop.shop else None

    def _secrets(self, forge: Forge) -> tuple[str, ...]:
        return tuple(self._live.reference(one).strip() for one in forge.webhook_secrets)

    def _started(self, wish: Wish, key: str) -> str:
        asked = {"ref": wish.commit, "reason": wish.reason, "requested_by": wish.requested_by}
        if wish.starts == "test":
            shop = self._live.shop.shop
            return str(runs.start(f"ci/{shop}", {"shop": shop, "request": asked}, key))
        return str(start_once(self._live, "release", {**asked, "until": wish.until}, key))
