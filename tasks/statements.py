"""Signed statements: given at the gateway, and proven before anything is done because of them."""

from dataclasses import replace
from secrets import token_hex

from blocks.shop import Live
from blocks.signing import Signing
from domain.approving.quorum import Standing
from domain.approving.settings import Approving
from domain.approving.statement import Proves, SignedStatement, Speaker, Statement
from domain.errors import Refused
from domain.journal import Approval, Decision
from domain.markdown import plain


def policy_of(live: Live, approval: Approval) -> Approving:
    """What the environment of an approval asks of it, as shop.yaml says now."""
    row = live.ledger.deployments.get(approval.deployment)
    return live.environment(row.environment).approvals


def proves_of(live: Live) -> Proves:
    """Proves signatures by this shop's key."""
    return Signing(live.state).proves


def give_statement(
    live: Live, approval: Approval, plan_digest: str, speaker: Speaker, said: Decision
) -> Standing:
    """What a person who is signed in says to the plan they read, signed and kept.

    Answers what all that was said comes to. Refused, audited, when it does not count.
    """
    bound = replace(live.ledger.approvals.question(approval.id).bound, plan_digest=plan_digest)
    own = replace(said, decided_by=speaker.person)
    statement = Statement(bound, speaker, own, live.ledger.approvals.now(), token_hex(16))
    signing = Signing(live.state)
    signed = SignedStatement(statement.text, signing.sign(statement.text))
    return live.ledger.approvals.state(signed, policy_of(live, approval), signing.proves)


def standing_of(live: Live, approval: Approval) -> str:
    """Markdown: who approved so far and who is missing; "" where one typed name is enough."""
    approving = policy_of(live, approval)
    if not approving.signed:
        return ""
    standing = live.ledger.approvals.standing(approval.id, approving, proves_of(live))
    return f"**{plain(standing.sentence.capitalize())}**"


def verified(live: Live, deployment: int, plan_digest: str) -> Approval:
    """The approval of this very plan, proven now. Refused when it is missing or not complete.

    Resuming a flow is only a wake-up, and a row of a table no proof: where statements are signed,
    they are counted once more, and theirs is the window.
    """
    rows = live.ledger.approvals.of_deployment(deployment)
    found = next((one for one in rows if one.plan_digest == plan_digest), None)
    if found is None or found.decision != "approved":
        state = found.decision if found else "missing"
        raise Refused(f"the approval of the plan {plan_digest[:19]} is {state}")
    approving = policy_of(live, found)
    if not approving.signed:
        return found
    standing = live.ledger.approvals.standing(found.id, approving, proves_of(live))
    if standing.state != "approved":
        raise Refused(f"approval {found.id} is not proven: {standing.sentence}")
    return replace(found, begins_at=standing.begins_at, ends_at=standing.ends_at)
