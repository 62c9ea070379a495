"""Payloads in the shapes that GitHub, GitLab and Gitea document, as small as they may be."""

from typing import Any

PROJECT, NUMBER = "ann/shop", "7"
OLD, HEAD, TAGGED = "a" * 40, "b" * 40, "d" * 40
ZEROS = "0" * 40
Payload = dict[str, Any]


def push(kind: str, **more: Any) -> tuple[str, Payload]:
    """The event's name in the header, and the body; ``more`` replaces fields."""
    ref = {"ref": "refs/heads/main", "before": OLD, "after": HEAD}
    if kind == "gitlab":
        about = {"object_kind": "push", "user_username": "ann", "checkout_sha": HEAD}
        return "Push Hook", {**ref, **about, **_gitlab_project(), **more}
    about = {"sender": {"login": "ann", "type": "User"}, "head_commit": {"id": HEAD}}
    told = {"deleted": False, "forced": False} if kind == "github" else {}
    return "push", {**ref, **about, **told, **_repository(), **more}


def tag(kind: str) -> tuple[str, Payload]:
    """An annotated one: ``after`` is the tag's own object, the commit stands elsewhere."""
    name, body = push(kind, ref="refs/tags/v1", before=ZEROS, after=TAGGED)
    if kind == "gitlab":
        return "Tag Push Hook", {**body, "object_kind": "tag_push"}
    return name, body


def deleted(kind: str) -> tuple[str, Payload]:
    gone = {"gitlab": {"checkout_sha": None}, "github": {"deleted": True, "head_commit": None}}
    return push(kind, after=ZEROS, **gone.get(kind, {"head_commit": None}))


def merge(kind: str, **more: Any) -> tuple[str, Payload]:
    if kind == "gitlab":
        change = {
            "iid": 12, "action": "merge", "target_branch": "main", "merge_commit_sha": HEAD,
            "last_commit": {"id": OLD},
        }  # fmt: skip
        about = {"object_kind": "merge_request", "user": {"username": "ann"}}
        return "Merge Request Hook", {
            **about, "object_attributes": {**change, **more}, **_gitlab_project()
        }  # fmt: skip
    change = {
        "number": 12, "merged": True, "merge_commit_sha": HEAD, "base": {"ref": "main"}, **more
    }  # fmt: skip
    sender = {"login": "ann", "type": "User"}
    return "pull_request", {
        "action": "closed", "pull_request": change, "sender": sender, **_repository()
    }  # fmt: skip


def comment(kind: str, text: str, by: str = "bo", action: str = "") -> tuple[str, Payload]:
    """On change 12, whose head is HEAD; GitHub and Gitea do not say so."""
    if kind == "gitlab":
        note = {"note": text, "noteable_type": "MergeRequest", "action": action or "create"}
        change = {"iid": 12, "last_commit": {"id": HEAD}}
        return "Note Hook", {
            "object_kind": "note", "user": {"username": by}, "object_attributes": note,
            "merge_request": change, **_gitlab_project(),
        }  # fmt: skip
    issue: Payload = {"number": 12, "pull_request": {"url": "https://forge/pulls/12"}}
    sender = {"login": by, "type": "Bot" if by.endswith("[bot]") else "User"}
    return "issue_comment", {
        "action": action or "created", "issue": issue, "comment": {"body": text},
        "sender": sender, **_repository(),
    }  # fmt: skip


def _repository() -> Payload:
    return {"repository": {"id": int(NUMBER), "full_name": PROJECT}}


def _gitlab_project() -> Payload:
    return {"project": {"id": int(NUMBER), "path_with_namespace": PROJECT}}
