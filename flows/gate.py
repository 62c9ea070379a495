"""The gate before a schema change: a typed form in the Prefect UI, bound to the plan's digest."""

import time
from datetime import UTC, datetime

from prefect.flow_runs import suspend_flow_run

from blocks.shop import Live
from domain.errors import Refused
from domain.journal import Approval
from tasks.approve import Answer, answer_form, record_answer, stored_answer
from tasks.notify import tell_waiting
from tasks.prepare import Prepared
from tasks.runs import about_to_wait
from tasks.statements import policy_of, standing_of

MOST_ANSWERS = 5


def decided(live: Live, prepared: Prepared) -> None:
    """Waits for a person where one is needed; Refused when the change is not approved.

    Waiting ends the process, and the flow comes back by running from the top. The ledger decides
    whether an answer counts (right digest, in time, not the requester); why one does not is shown
    on the next form, and where several have to approve, who is still missing.
    """
    approval, problem = prepared.approval, ""
    if approval is None:
        return
    for attempt in range(MOST_ANSWERS + policy_of(live, approval).quorum - 1):
        found = live.ledger.approvals.get(approval.id)
        if found.decision == "approved":
            wait_for_window(found)
            return
        if found.decision != "waiting":
            raise Refused(f"{found.decision} by {found.decided_by or 'nobody'}: {found.reason}")
        tell_waiting(live, prepared.deployment, approval)
        shown = (problem, standing_of(live, approval), prepared.text)
        given = asked(live, approval, "\n\n".join(filter(None, shown)), attempt)
        problem = record_answer(live, approval, given)
    last = problem or "an answer that the ledger had already"
    raise Refused(f"{MOST_ANSWERS} answers that do not count, the last: {last}")


def wait_for_window(approval: Approval) -> None:
    """Until the approved window begins; over it is refused.

    ``reconcile`` wakes the run; one that a person woke too early waits again.
    """
    while approval.too_early(datetime.now(UTC)):
        assert approval.ends_at is not None  # a window has both
        seconds = int((approval.ends_at - datetime.now(UTC)).total_seconds())
        key = f"window-{approval.id}-{int(time.time())}"
        about_to_wait()
        suspend_flow_run(timeout=max(1, seconds), key=key)
    if approval.too_late(datetime.now(UTC)):
        raise Refused(
            f"approval {approval.id} was for a window that ended {approval.ends_at:%F %R} UTC"
        )


def asked(live: Live, approval: Approval, text: str, attempt: int) -> Answer:
    """The person's answer. Each attempt has a key of its own: an answered gate never reopens."""
    seconds = max(1, int((approval.expires_at - datetime.now(UTC)).total_seconds()))
    key = f"schema-{approval.id}-{attempt}"
    stored = stored_answer(key)
    if stored is not None:
        return stored
    form = answer_form(approval, text, policy_of(live, approval))
    about_to_wait()
    return suspend_flow_run(wait_for_input=form, timeout=seconds, key=key)
