"""Gitea (and Forgejo): REST API v1, and its signed webhooks; it knows no deployments."""

from collections.abc import Sequence

from blocks.forges import (
    Calls,
    Delivery,
    Proof,
    calls,
    key_of_body,
    segment,
    signed_in_hex,
    understood,
    worst,
)
from blocks.forges.github import approvals, change_of, reviewed
from domain.forge.protection import Branch, Reviewed
from domain.forge.rules import Change
from domain.forge.settings import Forge
from domain.forge.statuses import Status

WRITERS = ("owner", "admin", "write")
PAGE = 50
"""Gitea's own limit, unless its operator chose another."""


def delivered(proof: Proof) -> Delivery | None:
    """None unless ``X-Gitea-Signature`` is by one of the secrets."""
    if not signed_in_hex(proof, proof.headers.get("x-gitea-signature", "")):
        return None
    named = proof.headers.get("x-gitea-event", ""), proof.headers.get("x-gitea-delivery", "")
    return Delivery(*named, key_of_body(proof.body))


class Gitea:
    """One repository, by a token that reads it and writes statuses."""

    def __init__(self, forge: Forge, token: str) -> None:
        self.project = forge.project
        self.at = "/api/v1/repos/" + "/".join(map(segment, forge.project.split("/")))
        self.calls: Calls = calls("gitea", forge.endpoint, {"Authorization": f"token {token}"})

    @understood
    def change(self, number: int) -> Change:
        return change_of(self.calls.get(f"{self.at}/pulls/{number}"), self.project)

    @understood
    def may_write(self, login: str) -> bool:
        found = self.calls.found(f"{self.at}/collaborators/{segment(login)}/permission")
        return bool(found) and found.get("permission") in WRITERS

    @understood
    def branch(self, name: str, commit: str) -> Branch:
        found = self.calls.found(f"{self.at}/branches/{segment(name)}")
        if found is None:
            return Branch(name, False, False)
        return Branch(name, found["protected"] is True, self.has(found["commit"]["id"], commit))

    @understood
    def has(self, newer: str, older: str) -> bool:
        """Nothing is in ``older`` that is not in ``newer``."""
        found = self.calls.found(f"{self.at}/compare/{segment(newer)}...{segment(older)}")
        return found is not None and found["total_commits"] == 0

    @understood
    def reviews(self, commit: str, branches: Sequence[str]) -> tuple[Reviewed, ...]:
        """Gitea knows the one change whose merge made the commit."""
        found = self.calls.found(f"{self.at}/commits/{segment(commit)}/pull")
        if found is None or found["merged"] is not True or found["base"]["ref"] not in branches:
            return ()
        path = f"{self.at}/pulls/{found['number']}/reviews"
        given = [one for page in self.calls.pages(path, limit=PAGE) for one in page]
        counting = [one for one in given if one["official"] and not one["dismissed"]]
        return (reviewed(found, [*approvals(counting, found["user"]["login"], "APPROVED")]),)

    @understood
    def checks(self, commit: str) -> dict[str, str]:
        pages = self.calls.pages(f"{self.at}/commits/{segment(commit)}/status", limit=PAGE)
        return worst(
            [(one["context"], one["status"]) for page in pages for one in page["statuses"] or ()]
        )

    @understood
    def tell(self, status: Status) -> None:
        said = {
            "state": status.state, "context": status.context,
            "description": status.description, "target_url": status.url,
        }  # fmt: skip
        self.calls.ask("POST", f"{self.at}/statuses/{segment(status.commit)}", json=said)
