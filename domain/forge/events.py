"""A forge's official payloads, understood: what happened to which commit, and who did it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import BadInput, Refused
from domain.forge.settings import EventKind, Forge

Payload = Mapping[str, Any]
BRANCH, TAG = "refs/heads/", "refs/tags/"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_BOT = re.compile(r".*\[bot\]|(project|group)_\d+_bot(_\w+)?|gitea-actions", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """What happened. ``ref`` is a branch's or tag's name and only ever data.

    A comment has the ``number`` of its change and no ref and commit: those the forge is asked for.
    ``forced`` is None where the forge does not say; ``before`` is what the branch was.
    """

    kind: EventKind
    project: str
    actor: str
    delivery: str
    ref: str = ""
    commit: str = ""
    text: str = ""
    number: int = 0
    before: str = ""
    deleted: bool = False
    forced: bool | None = False
    automatic: bool = False


@dataclass(frozen=True)
class Ignored:
    """Nothing is to be done, and why."""

    reason: str


def parse(forge: Forge, name: str, payload: Payload, delivery: str) -> Event | Ignored:
    """The event called ``name`` in the forge's header.

    Raises BadInput for a field that is missing or of another shape, Refused for another project.
    """
    if forge.kind == "gitlab":
        return _gitlab(forge, payload, delivery)
    readers = {"push": _pushed, "pull_request": _merged, "issue_comment": _commented}
    if name not in readers:
        return Ignored(f"{name[:40]!r} starts nothing, {', '.join(readers)} may")
    _of_project(forge, _text(payload, "repository", "full_name"))
    return readers[name](payload, _actor(payload, forge, delivery))


def _actor(payload: Payload, forge: Forge, delivery: str) -> dict[str, Any]:
    """GitHub says of what type an account is, Gitea does not."""
    login = _text(payload, "sender", "login")
    automatic = _at(payload, "sender", "type") == "Bot" or bool(_BOT.fullmatch(login))
    return {
        "actor": login, "automatic": automatic, "project": forge.project, "delivery": delivery
    }  # fmt: skip


def _pushed(payload: Payload, about: dict[str, Any]) -> Event | Ignored:
    """GitHub and Gitea push tags by the same event; an annotated one has its commit in the head."""
    after = _text(payload, "after")
    head = _at(payload, "head_commit", "id")
    tag, forced = _text(payload, "ref").startswith(TAG), payload.get("forced")
    known = {
        "before": _text(payload, "before"),
        "deleted": _at(payload, "deleted") is True or not after.strip("0"),
        "forced": forced if isinstance(forced, bool) else None,
    }
    return _to_ref(_text(payload, "ref"), str(head) if tag and head else after, known, about)


def _merged(payload: Payload, about: dict[str, Any]) -> Event | Ignored:
    change = _mapping(payload, "pull_request")
    if payload.get("action") != "closed" or change.get("merged") is not True:
        return Ignored("a change that was not merged starts nothing")
    commit = _commit(change, "merge_commit_sha")
    number = _number(change, "number")
    return Event("merge", ref=_text(change, "base", "ref"), commit=commit, number=number, **about)


def _commented(payload: Payload, about: dict[str, Any]) -> Event | Ignored:
    issue = _mapping(payload, "issue")
    if payload.get("action") != "created":
        return Ignored("only a new comment starts anything")
    if not issue.get("pull_request") and payload.get("is_pull") is not True:
        return Ignored("a comment on an issue starts nothing")
    text = _text(payload, "comment", "body")
    return Event("comment", text=text, number=_number(issue, "number"), **about)


def _gitlab(forge: Forge, payload: Payload, delivery: str) -> Event | Ignored:
    readers = {
        "push": _gitlab_pushed, "tag_push": _gitlab_pushed,
        "merge_request": _gitlab_merged, "note": _gitlab_commented,
    }  # fmt: skip
    kind = str(payload.get("object_kind"))
    if kind not in readers:
        return Ignored(f"{kind[:40]!r} starts nothing, {', '.join(readers)} may")
    number, path = (
        _number(payload, "project", "id"),
        _text(payload, "project", "path_with_namespace"),
    )
    _of_project(forge, str(number) if forge.project.isdigit() else path)
    login = _text(payload, *(("user_username",) if "push" in kind else ("user", "username")))
    about = {"actor": login, "automatic": bool(_BOT.fullmatch(login))}
    return readers[kind](payload, {**about, "project": forge.project, "delivery": delivery})


def _gitlab_pushed(payload: Payload, about: dict[str, Any]) -> Event | Ignored:
    """GitLab does not say that a push was forced; of a tag ``checkout_sha`` is the commit."""
    after = _text(payload, "after")
    known = {
        "before": _text(payload, "before"), "deleted": not after.strip("0"), "forced": None
    }  # fmt: skip
    return _to_ref(_text(payload, "ref"), str(payload.get("checkout_sha") or after), known, about)


def _gitlab_merged(payload: Payload, about: dict[str, Any]) -> Event | Ignored:
    """A fast-forward leaves no commit of its own: then the last one of the source is it."""
    change = _mapping(payload, "object_attributes")
    if change.get("action") != "merge":
        return Ignored("a change that was not merged starts nothing")
    made = [name for name in ("merge_commit_sha", "squash_commit_sha") if change.get(name)]
    commit = _commit(change, *(made[:1] or ("last_commit", "id")))
    number = _number(change, "iid")
    return Event("merge", ref=_text(change, "target_branch"), commit=commit, number=number, **about)


def _gitlab_commented(payload: Payload, about: dict[str, Any]) -> Event | Ignored:
    """GitLab says which head the comment was made on: it must still be that one."""
    note = _mapping(payload, "object_attributes")
    if note.get("noteable_type") != "MergeRequest":
        return Ignored("a comment that is not on a merge request starts nothing")
    if note.get("system") is True or note.get("action", "create") != "create":
        return Ignored("only a new comment starts anything")
    number = _number(payload, "merge_request", "iid")
    seen = _commit(payload, "merge_request", "last_commit", "id")
    return Event("comment", text=_text(note, "note"), number=number, before=seen, **about)


def _to_ref(ref: str, commit: str, known: dict[str, Any], about: dict[str, Any]) -> Event | Ignored:
    for start, kind in ((BRANCH, "push"), (TAG, "tag")):
        if ref.startswith(start):
            sound = "" if known["deleted"] else _commit({"after": commit}, "after")
            name = ref.removeprefix(start)
            made: EventKind = "push" if kind == "push" else "tag"
            return Event(made, ref=name, commit=sound, **known, **about)
    return Ignored(f"{ref[:100]!r} is neither a branch nor a tag")


def _of_project(forge: Forge, told: str) -> None:
    if told.casefold() != forge.project.casefold():
        raise Refused(f"the event is of {told[:100]!r}, this hook is for {forge.project!r}")


def _at(payload: Any, *path: str) -> Any:
    for name in path:
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload


def _text(payload: Payload, *path: str) -> str:
    found = _at(payload, *path)
    if not isinstance(found, str) or not found:
        raise BadInput(f"{'.'.join(path)} is {type(found).__name__}: a text is needed")
    return found


def _number(payload: Payload, *path: str) -> int:
    found = _at(payload, *path)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise BadInput(f"{'.'.join(path)} is {type(found).__name__}: a number from 1 on is needed")
    return found


def _mapping(payload: Payload, name: str) -> Payload:
    found = payload.get(name)
    if not isinstance(found, Mapping):
        raise BadInput(f"{name} is {type(found).__name__}: an object is needed")
    return found


def _commit(payload: Payload, *path: str) -> str:
    found = _text(payload, *path)
    if not _COMMIT.fullmatch(found):
        raise BadInput(
            f"{'.'.join(path)} is {found[:80]!r}: 40 or 64 hexadecimal digits are needed"
        )
    return found
