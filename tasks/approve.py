"""A person's decision on a schema change: the form, the answer, and what the ledger makes of it."""

from datetime import UTC, datetime
from typing import Any, Literal, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.input import RunInput, read_flow_run_input
from pydantic import ConfigDict, Field, create_model

from blocks.shop import Live
from domain.approving.settings import Approving
from domain.errors import BadInput, Refused
from domain.journal import Approval, Decision, same_person
from tasks.statements import policy_of, proves_of

Choice = Literal["approve now", "approve for a window", "reject"]
WINDOW = "2026-11-24 02:00+08:00"


def placed(number: int) -> dict[str, Any]:
    """Where a field stands in the form: the server forgets the order of a schema's fields."""
    return {"position": number}


class Answer(RunInput):
    """What the form sends back; checked again here, since the server drops a form's limits."""

    model_config = ConfigDict(extra="forbid")
    decision: Choice = Field(title="Decision", json_schema_extra=placed(0))
    decided_by: str = Field(
        title="Your name", min_length=1, max_length=100, json_schema_extra=placed(1)
    )
    reason: str = Field(
        default="",
        title="Reason (needed to reject)",
        max_length=500,
        json_schema_extra=placed(2),
    )
    begins: str = Field(
        default="", title=f"Window begins (as {WINDOW})", json_schema_extra=placed(3)
    )
    ends: str = Field(default="", title="Window ends", json_schema_extra=placed(4))
    plan: str = Field(title="Digest of the plan you read", json_schema_extra=placed(5))


class SignedAnswer(Answer):
    """The form where only signed statements count: the gateway writes the name, and takes the code.

    A code never gets further than the gateway, which proves it there.
    """

    decided_by: str = Field(
        default="whoever is signed in",
        title="Your name, written by the gateway",
        max_length=100,
        json_schema_extra=placed(1),
    )


def answer_form(approval: Approval, text: str, approving: Approving) -> type[Answer]:
    """The form of one approval: ``text`` is its Markdown, and the plan's digest its only choice."""
    digest = approval.plan_digest
    title = "Digest of the plan you read"
    fields: dict[str, Any] = {
        "plan": (
            Literal[digest],
            Field(default=digest, title=title, json_schema_extra=placed(5)),
        )
    }
    if approving.second_factor:
        title = "Code of your second factor (needed to approve)"
        fields["code"] = (str, Field(default="", title=title, json_schema_extra=placed(6)))
    base: type[Answer] = SignedAnswer if approving.signed else Answer
    form = create_model("SchemaChange", __base__=base, **fields)
    form._description = text
    return form


def stored_answer(key: str) -> Answer | None:
    """The answer that this flow run was given at a gate before, whatever happened since.

    A retry after a crash clears the gate's memory on the server, and a gate that was answered once
    can never be resumed again; its answer is still there.
    """
    found = read_flow_run_input(f"suspended-{key}-response")
    if found is None:
        return None
    stored = cast(dict[str, Any], found)  # in a synchronous flow
    return SignedAnswer.model_validate({name: stored[name] for name in stored if name != "code"})


@task(task_run_name="{answer.decision} by {answer.decided_by}", cache_policy=NO_CACHE)
def record_answer(live: Live, approval: Approval, answer: Answer) -> str:
    """ "" when the ledger takes the answer, else why it does not count.

    What was said at the gateway is in the ledger already, signed; the answer only woke the run.
    """
    approving = policy_of(live, approval)
    if approving.signed and _said(live, approval, answer.decided_by):
        return ""
    try:
        live.ledger.approvals.decide(approval.id, answer.plan, decision_of(answer), approving)
    except Refused as refusal:
        return str(refusal)
    return ""


def _said(live: Live, approval: Approval, name: str) -> bool:
    said = live.ledger.approvals.statements(approval.id, proves_of(live))
    return any(same_person(one.person, name) for one in said)


def decision_of(answer: Answer) -> Decision:
    """Refused, naming the field, when the window is none."""
    who = answer.decided_by.strip()
    if answer.decision == "reject":
        return Decision("rejected", who, answer.reason)
    if answer.decision == "approve now":
        return Decision("approved", who, answer.reason)
    begins, ends = moment("begins", answer.begins), moment("ends", answer.ends)
    return Decision("approved", who, answer.reason, begins, ends)


def moment(field: str, text: str) -> datetime:
    """A time with its zone, in UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{field} is {text!r}: a date, a time and a zone, as {WINDOW}") from None
    if found.tzinfo is None:
        raise BadInput(f"{field} is {text!r}, in no time zone: one as in {WINDOW} is needed")
    return found.astimezone(UTC)
