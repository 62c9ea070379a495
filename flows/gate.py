"""The gate before a schema change: a typed form in the Prefect UI, bound to the plan's digest."""

from datetime import UTC, datetime

from prefect.flow_runs import suspend_flow_run

from blocks.shop import Live
from domain.errors import Refused
from domain.journal import Approval
from tasks.approve import Answer, answer_form, record_answer, stored_answer

MOST_ANSWERS = 5


def decided(live: Live, approval: Approval, text: str) -> None:
    """Waits for a person by ending the process; the flow comes back by running from the top.

    The ledger decides whether an answer counts (right digest, in time, not the requester); why one
    does not is shown on the next form. Raises Refused after ``MOST_ANSWERS`` that do not count.
    """
    refusal = ""
    for attempt in range(MOST_ANSWERS):
        if live.ledger.approvals.get(approval.id).decision != "waiting":
            return
        refusal = record_answer(live, approval, asked(approval, f"{refusal}\n\n{text}", attempt))
    raise Refused(f"{MOST_ANSWERS} answers that do not count, the last: {refusal}")


def asked(approval: Approval, text: str, attempt: int) -> Answer:
    """The person's answer. A key of its own for each attempt: an answered gate never opens again."""
    seconds = max(1, int((approval.expires_at - datetime.now(UTC)).total_seconds()))
    key = f"schema-{approval.id}-{attempt}"
    stored = stored_answer(key)
    if stored is not None:
        return stored
    form = answer_form(approval, text)
    return suspend_flow_run(wait_for_input=form, timeout=seconds, key=key)
