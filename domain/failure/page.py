"""An explanation as a page in Markdown; nothing that a program printed is taken for markup."""

from domain.failure.doing import Doing
from domain.failure.explanation import Explanation
from domain.markdown import block, code, plain


def page(found: Explanation) -> str:
    """Stage, cause, evidence, what holds now, and the first three things to do."""
    where = "" if found.where == "release" else f" in {plain(found.where)}"
    return "\n\n".join(
        (
            f"# {plain(found.version)} {found.state}: {found.cause}",
            f"**{plain(found.sentence)}** Stage: *{found.stage}*{where}.",
            "## Evidence",
            block("\n".join(found.evidence) or "nothing was recorded", "text"),
            "## What holds now",
            "\n".join(f"- {plain(line)}" for line in found.restored),
            "## First three things to do",
            "\n".join(f"{n}. {_doing(one)}" for n, one in enumerate(found.todo, 1)),
        )
    )


def _doing(one: Doing) -> str:
    return f"{plain(one.what)}: {code(one.command)}" if one.command else f"{plain(one.what)}."
