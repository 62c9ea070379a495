"""What somebody reads who approves a whole release, whatever happens to its schema."""

from collections.abc import Iterable, Sequence

from domain.journal import Approval, Deployment
from domain.markdown import plain
from domain.plan import Change


def page(
    row: Deployment, approval: Approval, changes: Iterable[Change], schema: str,
    why: Sequence[str] = (),
) -> str:  # fmt: skip
    """Markdown for whoever approves; ``schema`` is a sentence on what happens to it.

    ``why`` are paragraphs of Markdown on what it is for.
    """
    return "\n".join(
        (
            f"## Release of {plain(row.version)} into {plain(row.environment)}",
            *(f"{paragraph}\n" for paragraph in why),
            f"Asked for by **{plain(row.requested_by)}**. Somebody else has to approve it before"
            f" {approval.expires_at:%Y-%m-%d %H:%M} UTC.",
            "",
            "| Service | Serves now | Next |",
            "|---|---|---|",
            *map(_row, changes),
            "",
            f"- Schema: {plain(schema)}",
            f"- Digest of the plan: `{approval.plan_digest}`",
        )
    )


def _row(change: Change) -> str:
    before = plain(change.before.version) if change.before else "nothing"
    return f"| {plain(change.service)} | {before} | {plain(change.after.version)} |"
