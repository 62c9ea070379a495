"""GitHub: REST API 2022-11-28, and its signed webhooks."""

from collections.abc import Iterator, Sequence
from typing import Any

from blocks.forges import (
    PAGE,
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
from domain.forge.protection import Branch, Reviewed
from domain.forge.rules import Change
from domain.forge.settings import Forge
from domain.forge.statuses import Status

DEPLOYED = {"pending": "in_progress", "success": "success", "failure": "failure"}
WRITERS = ("admin", "maintain", "write")
PROTECTING = ("pull_request", "update", "non_fast_forward", "required_status_checks")
"""Kinds of rules, any of which makes a branch protected by a ruleset."""


def delivered(proof: Proof) -> Delivery | None:
    """None unless ``X-Hub-Signature-256`` is by one of the secrets."""
    if not signed_in_hex(
        proof, proof.headers.get("x-hub-signature-256", "").removeprefix("sha256=")
    ):
        return None
    named = proof.headers.get("x-github-event", ""), proof.headers.get("x-github-delivery", "")
    return Delivery(*named, key_of_body(proof.body))


class GitHub:
    """One repository, by a token that reads it and writes statuses and deployments."""

    def __init__(self, forge: Forge, token: str) -> None:
        self.project = forge.project
        self.at = "/repos/" + "/".join(map(segment, forge.project.split("/")))
        self.calls: Calls = calls(
            "github",
            forge.endpoint,
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )

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
        protected = found["protected"] is True or self._ruled(name)
        return Branch(name, protected, self.has(found["commit"]["sha"], commit))

    def _ruled(self, name: str) -> bool:
        """A ruleset protects as well as the older branch protection does."""
        rules = self.calls.found(f"{self.at}/rules/branches/{segment(name)}") or ()
        return any(rule["type"] in PROTECTING for rule in rules)

    @understood
    def has(self, newer: str, older: str) -> bool:
        found = self.calls.found(f"{self.at}/compare/{segment(newer)}...{segment(older)}")
        return found is not None and found["status"] in ("identical", "behind")

    @understood
    def reviews(self, commit: str, branches: Sequence[str]) -> tuple[Reviewed, ...]:
        pages = self.calls.pages(f"{self.at}/commits/{segment(commit)}/pulls", per_page=PAGE)
        merged = [
            change
            for page in pages
            for change in page
            if change["merged_at"] and change["base"]["ref"] in branches
        ]
        return tuple(self._reviewed(change) for change in merged)

    def _reviewed(self, change: dict[str, Any]) -> Reviewed:
        path = f"{self.at}/pulls/{change['number']}/reviews"
        given = [one for page in self.calls.pages(path, per_page=PAGE) for one in page]
        approving = [
            (login, head)
            for login, head in approvals(given, change["user"]["login"], "APPROVED")
            if self.may_write(login)
        ]
        return reviewed(change, approving)

    @understood
    def checks(self, commit: str) -> dict[str, str]:
        """Runs of checks, and statuses: GitHub has both."""
        at = f"{self.at}/commits/{segment(commit)}"
        runs = [
            (one["name"], one["conclusion"] or one["status"])
            for page in self.calls.pages(f"{at}/check-runs", per_page=PAGE)
            for one in page["check_runs"]
        ]
        told = [
            (one["context"], one["state"])
            for page in self.calls.pages(f"{at}/status", per_page=PAGE)
            for one in page["statuses"]
        ]
        return worst([*runs, *told])

    @understood
    def tell(self, status: Status) -> None:
        said = {
            "state": status.state, "context": status.context,
            "description": status.description, "target_url": status.url or None,
        }  # fmt: skip
        self.calls.ask("POST", f"{self.at}/statuses/{segment(status.commit)}", json=said)
        number = self._known(status) or self._made(status)
        deployed = {
            "state": DEPLOYED[status.state], "description": status.description,
            "log_url": status.url, "environment": status.environment,
        }  # fmt: skip
        self.calls.ask("POST", f"{self.at}/deployments/{number}/statuses", json=deployed)

    def _known(self, status: Status) -> int:
        found = self.calls.get(
            f"{self.at}/deployments", sha=status.commit, environment=status.environment,
            per_page=PAGE,
        )  # fmt: skip
        return next((one["id"] for one in found if one["description"] == status.version), 0)

    def _made(self, status: Status) -> int:
        """Of the commit as it is: GitHub must neither merge into it nor ask for checks again."""
        wish = {
            "ref": status.commit, "environment": status.environment, "auto_merge": False,
            "required_contexts": [], "description": status.version,
            "payload": {"version": status.version},
        }  # fmt: skip
        made: int = self.calls.ask("POST", f"{self.at}/deployments", json=wish).json()["id"]
        return made


def change_of(found: dict[str, Any], project: str) -> Change:
    """GitHub and Gitea tell a pull request alike; that of a fork may have lost its repository."""
    source = (found["head"].get("repo") or {}).get("full_name", "")
    own = source.casefold() == project.casefold()
    return Change(
        found["number"], found["head"]["sha"], found["base"]["ref"], found["state"] == "open", own
    )


def approvals(given: Sequence[dict[str, Any]], author: str, word: str) -> Iterator[tuple[str, str]]:
    """Who approves by their last word, and which head; bots do not count, comments say nothing."""
    last = {
        one["user"]["login"]: one
        for one in given
        if one["user"] and one["state"] not in ("COMMENTED", "COMMENT", "PENDING", "REQUEST_REVIEW")
    }
    for login, one in last.items():
        if one["state"] == word and login != author and one["user"].get("type") != "Bot":
            yield login, one["commit_id"]


def reviewed(change: dict[str, Any], approving: Sequence[tuple[str, str]]) -> Reviewed:
    """Approvals of the head that was merged, apart from those of an older one."""
    head = change["head"]["sha"]
    return Reviewed(
        change["number"],
        change["html_url"],
        tuple(login for login, seen in approving if seen == head),
        tuple(login for login, seen in approving if seen != head),
    )
