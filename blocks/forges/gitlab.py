"""GitLab: REST API v4, and its webhooks, signed ones (``webhook-signature``) and older ones."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from blocks.forges import PAGE, Calls, Delivery, Proof, calls, segment, understood, worst
from domain.errors import Refused
from domain.forge.protection import Branch, Reviewed
from domain.forge.rules import Change
from domain.forge.settings import Forge
from domain.forge.statuses import Status

TOLD = {"pending": "running", "success": "success", "failure": "failed"}
UNDER_WAY = ("created", "running")
DEVELOPER = 30
SIGNING = "whsec_"
MOST_SECONDS_APART = 300


def delivered(proof: Proof) -> Delivery | None:
    """None unless it is signed by one of the secrets that sign, or has one of the others.

    A retry has the id of the first time; ``X-Gitlab-Event-UUID`` is of GitLabs without one.
    """
    headers = proof.headers
    signed = "webhook-signature" in headers
    if not (_signed(proof) if signed else _has_token(proof)):
        return None
    names = ("webhook-id",) if signed else ("idempotency-key", "x-gitlab-event-uuid")
    known = next((headers[name] for name in names if headers.get(name)), "")
    return Delivery(headers.get("x-gitlab-event", ""), known, known)


def _signed(proof: Proof) -> bool:
    """Standard Webhooks: HMAC-SHA256 over id, time and body, in base64 after "v1,"."""
    about = [proof.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp")]
    if not all(about) or not _recent(about[1], proof.now_seconds):
        return False
    message = b".".join((*(one.encode() for one in about), proof.body))
    given = [
        one.removeprefix("v1,").encode()
        for one in proof.headers["webhook-signature"].split()
        if one.startswith("v1,")
    ]
    made = [b64encode(hmac.digest(key, message, sha256)) for key in _signing_keys(proof)]
    matching = [hmac.compare_digest(one, other) for one in made for other in given]
    return any(matching)


def _recent(told: str, now_seconds: float) -> bool:
    return told.isdecimal() and abs(int(told) - now_seconds) <= MOST_SECONDS_APART


def _signing_keys(proof: Proof) -> list[bytes]:
    """32 bytes in base64 after their mark; what is none signs nothing."""
    keys = []
    for secret in proof.usable():
        if secret.startswith(SIGNING.encode()):
            try:
                keys.append(b64decode(secret.removeprefix(SIGNING.encode()), validate=True))
            except binascii.Error:
                continue
    return [key for key in keys if len(key) >= 32]


def _has_token(proof: Proof) -> bool:
    """A secret that signs is never taken as a token: it does not travel."""
    given = proof.headers.get("x-gitlab-token", "").encode()
    plain = [one for one in proof.usable() if not one.startswith(SIGNING.encode())]
    matching = [hmac.compare_digest(one, given) for one in plain]
    return any(matching)


class GitLab:
    """One project, by a token with the scope ``api``."""

    def __init__(self, forge: Forge, token: str) -> None:
        self.at = f"/api/v4/projects/{segment(forge.project)}"
        self.calls: Calls = calls("gitlab", forge.endpoint, {"PRIVATE-TOKEN": token})

    @understood
    def change(self, number: int) -> Change:
        found = self.calls.get(f"{self.at}/merge_requests/{number}")
        own = found["source_project_id"] == found["target_project_id"]
        opened = found["state"] == "opened"
        return Change(found["iid"], found["sha"], found["target_branch"], opened, own)

    @understood
    def may_write(self, login: str) -> bool:
        """From Developer on; the search also finds similar names."""
        pages = self.calls.pages(f"{self.at}/members/all", query=login, per_page=PAGE)
        return any(
            one["username"].casefold() == login.casefold()
            and one["state"] == "active"
            and one["access_level"] >= DEVELOPER
            for page in pages
            for one in page
        )

    @understood
    def branch(self, name: str, commit: str) -> Branch:
        found = self.calls.found(f"{self.at}/repository/branches/{segment(name)}")
        if found is None:
            return Branch(name, False, False)
        return Branch(name, found["protected"] is True, self.has(found["commit"]["id"], commit))

    @understood
    def has(self, newer: str, older: str) -> bool:
        """Their merge base is ``older`` itself."""
        answer = self.calls.found(
            f"{self.at}/repository/merge_base?refs[]={segment(newer)}&refs[]={segment(older)}"
        )
        return answer is not None and answer.get("id") == older

    @understood
    def reviews(self, commit: str, branches: Sequence[str]) -> tuple[Reviewed, ...]:
        path = f"{self.at}/repository/commits/{segment(commit)}/merge_requests"
        merged = [
            change
            for page in self.calls.pages(path, per_page=PAGE)
            for change in page
            if change["state"] == "merged" and change["target_branch"] in branches
        ]
        return tuple(self._reviewed(change) for change in merged)

    def _reviewed(self, change: dict[str, Any]) -> Reviewed:
        """GitLab does not say of which head an approval is: it takes older ones back itself."""
        told = self.calls.get(f"{self.at}/merge_requests/{change['iid']}/approvals")
        logins = tuple(one["user"]["username"] for one in told["approved_by"])
        others = tuple(login for login in logins if login != change["author"]["username"])
        return Reviewed(change["iid"], change["web_url"], others)

    @understood
    def checks(self, commit: str) -> dict[str, str]:
        """Jobs of pipelines and what others told; only the latest of each name."""
        path = f"{self.at}/repository/commits/{segment(commit)}/statuses"
        pages = self.calls.pages(path, per_page=PAGE)
        return worst([(one["name"], one["status"]) for page in pages for one in page])

    @understood
    def tell(self, status: Status) -> None:
        said = {
            "state": TOLD[status.state], "name": status.context,
            "description": status.description,
            **({"target_url": status.url} if status.url else {}),
        }  # fmt: skip
        try:
            self.calls.ask("POST", f"{self.at}/statuses/{segment(status.commit)}", json=said)
        except Refused as error:
            if "Cannot transition status" not in str(error):  # it is in this state already
                raise
        self._deploy(status)

    def _deploy(self, status: Status) -> None:
        wanted, latest = TOLD[status.state], self._latest(status)
        if latest is None or latest["status"] not in (*UNDER_WAY, wanted):
            ref = {"ref": status.ref, "tag": False, "sha": status.commit}
            made = {"environment": status.environment, "status": wanted, **ref}
            self.calls.ask("POST", f"{self.at}/deployments", json=made)
        elif latest["status"] != wanted:
            path = f"{self.at}/deployments/{latest['id']}"
            self.calls.ask("PUT", path, json={"status": wanted})

    def _latest(self, status: Status) -> dict[str, Any] | None:
        """Of this commit in this environment."""
        found = self.calls.get(
            f"{self.at}/deployments", environment=status.environment, order_by="id",
            sort="desc", per_page=PAGE,
        )  # fmt: skip
        return next((one for one in found if one["sha"] == status.commit), None)
