"""A person's decision on a schema change: the form, the answer, and what the ledger makes of it."""

from typing import Any, Literal, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.input import RunInput, read_flow_run_input
from pydantic import ConfigDict, Field, create_model

from blocks.shop import Live
from domain.errors import Refused
from domain.journal import Approval


class Answer(RunInput):
    """What the form sends back; checked again here, since the server drops a form's limits."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["approve", "reject"] = Field(title="Decision")
    decided_by: str = Field(title="Your name", min_length=1, max_length=100)
    reason: str = Field(default="", title="Reason", max_length=500)
    plan: str = Field(title="Digest of the plan you read")


def answer_form(approval: Approval, text: str) -> type[Answer]:
    """The form of one approval: ``text`` is its Markdown, and the plan's digest its only choice."""
    digest = approval.plan_digest
    plan: Any = (Literal[digest], Field(default=digest, title="Digest of the plan you read"))
    form = create_model("SchemaChange", __base__=Answer, plan=plan)
    form._description = text
    return cast(type[Answer], form)


def stored_answer(key: str) -> Answer | None:
    """The answer that this flow run was given at a gate before, whatever happened since.

    A retry after a crash clears the gate's memory on the server, and a gate that was answered once
    can never be resumed again; its answer is still there.
    """
    stored = read_flow_run_input(f"suspended-{key}-response")
    return Answer.model_validate(stored) if stored is not None else None


@task(task_run_name="{answer.decision} by {answer.decided_by}", cache_policy=NO_CACHE)
def record_answer(live: Live, approval: Approval, answer: Answer) -> str:
    """ "" when the ledger takes the answer, else why it does not count."""
    try:
        live.ledger.approvals.decide(
            approval.id,
            answer.plan,
            {"approve": "approved", "reject": "rejected"}[answer.decision],
            answer.decided_by.strip(),
            answer.reason,
        )
    except Refused as refusal:
        return str(refusal)
    return ""
