"""Webhooks over HTTP: proven by their raw bytes, started once, and silent to strangers."""

import hmac
import json
import logging
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from blocks.forges import Connected
from blocks.forges.gitea import Gitea
from blocks.forges.github import GitHub
from blocks.forges.gitlab import GitLab
from deployments.gateway.webhooks import MOST_BYTES, router
from domain.errors import BadInput
from domain.forge.rules import Wish
from domain.forge.settings import Forge, Kind, Rule
from tests.blocks.forge_servers import PROJECT, TOKEN, Pull, Truth, forge_server, listening
from tests.domain.forge import payloads
from tests.domain.forge.payloads import HEAD, OLD, ZEROS

CLIENTS = {"github": GitHub, "gitlab": GitLab, "gitea": Gitea}
KINDS: tuple[Kind, ...] = ("github", "gitlab", "gitea")
OLDER, NEWER = "the secret of the last year", "the secret of this year"
SIGNING = "whsec_" + b64encode(b"k" * 32).decode()
RULES = (
    Rule("push", "main", until="staging"),
    Rule("comment", "main", "/release staging", until="staging"),
)
MISSING = "${env:HOOK}"
kinds = pytest.mark.parametrize("kind", KINDS)


@dataclass
class Runs:
    """Runs by their key, as Prefect's server keeps them."""

    started: dict[str, Wish] = field(default_factory=dict)

    def start(self, wish: Wish, key: str) -> str:
        self.started.setdefault(key, wish)
        return f"run-{list(self.started).index(key)}"

    def only(self) -> Wish:
        (found,) = self.started.values()
        return found


@dataclass
class Gate:
    """The webhooks' endpoint, the forges behind it, and what was started."""

    http: httpx.Client
    truths: dict[str, Truth]
    secrets: list[str] = field(default_factory=list)
    runs: Runs = field(default_factory=Runs)

    def active(self, forge: Forge) -> tuple[str, ...]:
        if self.secrets == [MISSING]:
            raise BadInput(f"{MISSING}: the environment variable HOOK is not set")
        return tuple(self.secrets)

    def start(self, wish: Wish, key: str) -> str:
        return self.runs.start(wish, key)

    def post(self, kind: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        about = {"content-type": "application/json", **headers}
        return self.http.post(f"/hooks/{kind}", content=body, headers=about)

    def deliver(
        self, kind: str, said: tuple[str, Any], secret: str = NEWER, delivery: str = "d-1"
    ) -> httpx.Response:
        body = json.dumps(said[1]).encode()
        return self.post(kind, body, signed(kind, said[0], body, secret, delivery))


def signed(kind: str, event: str, body: bytes, secret: str, delivery: str) -> dict[str, str]:
    """The headers that the forge sends."""
    made = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {
        "github": {
            "X-GitHub-Event": event, "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={made}",
        },
        "gitlab": {
            "X-Gitlab-Event": event, "X-Gitlab-Event-UUID": "of all that one event caused",
            "Idempotency-Key": delivery, "X-Gitlab-Token": secret,
        },
        "gitea": {
            "X-Gitea-Event": event, "X-Gitea-Delivery": delivery, "X-Gitea-Signature": made,
        },
    }[kind]  # fmt: skip


def standard(body: bytes, delivery: str, seconds: float, secret: str = SIGNING) -> dict[str, str]:
    """GitLab's newer headers, by the specification Standard Webhooks."""
    told = str(int(seconds))
    message = b".".join((delivery.encode(), told.encode(), body))
    made = b64encode(hmac.digest(b"k" * 32, message, sha256)).decode()
    return {
        "X-Gitlab-Event": "Push Hook", "webhook-id": delivery, "webhook-timestamp": told,
        "webhook-signature": f"v1,{made}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Gate]:
    """One of every part for the whole module."""
    with ExitStack() as stack:
        truths = {kind: Truth() for kind in KINDS}
        known: dict[str, Connected] = {}
        for kind in KINDS:
            at = stack.enter_context(forge_server(kind, truths[kind]))
            settings = Forge(kind, at, PROJECT, "${env:TOKEN}", rules=RULES)
            client = CLIENTS[kind](settings, TOKEN)
            client.calls.pause = lambda _: None
            known[kind] = Connected(settings, client, "main")
        application = FastAPI()
        gate = Gate(httpx.Client(), truths)
        application.include_router(router(known.get, gate.active, gate.start))
        gate.http = httpx.Client(base_url=stack.enter_context(listening(application)))
        yield gate


@pytest.fixture
def gate(running: Gate) -> Gate:
    """As on the first day: HEAD came after OLD, change 12 is open, two secrets are active."""
    for truth in running.truths.values():
        truth.become(Truth(parents={HEAD: OLD, OLD: ZEROS}, pulls={12: Pull(12, HEAD)}))
    running.secrets[:], running.runs = [OLDER, NEWER], Runs()
    return running


@kinds
def test_a_proven_push_starts_its_commit(gate: Gate, kind: Kind) -> None:
    answer = gate.deliver(kind, payloads.push(kind))

    assert (answer.status_code, answer.json()) == (200, {"run": "run-0"})
    wish = gate.runs.only()
    assert (wish.starts, wish.commit, wish.until) == ("release", HEAD, "staging")
    assert wish.reason == f"{kind}: push to main by ann (delivery d-1)"


@kinds
def test_the_same_delivery_is_the_same_run(gate: Gate, kind: Kind) -> None:
    answers = [gate.deliver(kind, payloads.push(kind)) for _ in range(3)]

    assert [one.json() for one in answers] == [{"run": "run-0"}] * 3
    assert len(gate.runs.started) == 1


@kinds
def test_another_push_is_another_run(gate: Gate, kind: Kind) -> None:
    for delivery, before in (("d-1", OLD), ("d-2", ZEROS)):
        gate.deliver(kind, payloads.push(kind, before=before), delivery=delivery)

    assert len(gate.runs.started) == 2


@pytest.mark.parametrize("kind", ["github", "gitea"])
def test_a_captured_body_under_a_new_id_starts_nothing_new(gate: Gate, kind: Kind) -> None:
    for delivery in ("d-1", "d-2"):
        gate.deliver(kind, payloads.push(kind), delivery=delivery)

    assert len(gate.runs.started) == 1


@kinds
def test_both_secrets_count_while_they_rotate_and_no_other(gate: Gate, kind: Kind) -> None:
    said = payloads.push(kind)

    answers = [
        gate.deliver(kind, said, secret).status_code
        for secret in (OLDER, NEWER, "the secret of somebody", "")
    ]

    assert answers == [200, 200, 401, 401]


@kinds
def test_a_stranger_is_told_nothing(gate: Gate, kind: Kind) -> None:
    wrong = gate.deliver(kind, payloads.push(kind), "the secret of somebody")
    body = json.dumps(payloads.push("github")[1]).encode()
    nobody = gate.post("nothing-here", body, signed("github", "push", body, NEWER, "d"))
    bare = gate.post(kind, b"{}", {})

    for answer in (wrong, nobody, bare):
        assert (answer.status_code, answer.content) == (401, b"")
    assert gate.runs.started == {}


@kinds
@pytest.mark.parametrize("secrets", [[], [""], ["short"]])
def test_a_secret_that_is_missing_or_short_proves_nothing(
    gate: Gate, kind: Kind, secrets: list[str]
) -> None:
    gate.secrets[:] = secrets

    answer = gate.deliver(kind, payloads.push(kind), secrets[0] if secrets else "")

    assert answer.status_code == 401


def test_a_secret_that_cannot_be_resolved_is_for_the_log_alone(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    gate.secrets[:] = [MISSING]

    answer = gate.deliver("github", payloads.push("github"))

    assert answer.status_code == 503
    assert "HOOK" not in answer.text
    assert "HOOK is not set" in caplog.text


@pytest.mark.parametrize("kind", ["github", "gitea"])
def test_the_signature_is_of_the_raw_bytes(gate: Gate, kind: Kind) -> None:
    name, payload = payloads.push(kind)
    body = json.dumps(payload).encode()
    headers = signed(kind, name, body, NEWER, "d-1")

    altered = gate.post(kind, body.replace(b"main", b"wain"), headers)
    spaced = gate.post(kind, json.dumps(payload, indent=1).encode(), headers)

    assert (altered.status_code, spaced.status_code) == (401, 401)


def test_a_signed_delivery_of_gitlab_counts_with_its_id_and_its_time(gate: Gate) -> None:
    gate.secrets[:] = [SIGNING]
    body = json.dumps(payloads.push("gitlab")[1]).encode()
    now = time.time()
    headers = standard(body, "d-1", now)

    good = gate.post("gitlab", body, headers)
    two = gate.post(
        "gitlab", body, {**headers, "webhook-signature": f"v1,x {headers['webhook-signature']}"}
    )
    old = gate.post("gitlab", body, standard(body, "d-1", now - 3600))
    renamed = gate.post("gitlab", body, {**headers, "webhook-id": "d-2"})
    altered = gate.post("gitlab", body + b" ", headers)

    statuses = [one.status_code for one in (good, two, old, renamed, altered)]
    assert statuses == [200, 200, 401, 401, 401]
    assert list(gate.runs.started) == ["hook-gitlab-d-1"]


def test_a_signing_secret_is_no_token_and_a_bad_signature_is_not_rescued(gate: Gate) -> None:
    gate.secrets[:] = [SIGNING, NEWER]
    body = json.dumps(payloads.push("gitlab")[1]).encode()
    token = signed("gitlab", "Push Hook", body, NEWER, "d-1")

    as_token = gate.post("gitlab", body, {**token, "X-Gitlab-Token": SIGNING})
    rescued = gate.post("gitlab", body, {**token, "webhook-signature": "v1,eA=="})

    assert (as_token.status_code, rescued.status_code) == (401, 401)


@kinds
def test_a_writer_s_command_releases_the_head_that_the_forge_tells(gate: Gate, kind: Kind) -> None:
    answer = gate.deliver(kind, payloads.comment(kind, "/release staging"))

    assert answer.json() == {"run": "run-0"}
    wish = gate.runs.only()
    assert (wish.commit, wish.until, wish.requested_by) == (HEAD, "staging", "bo")


@kinds
@pytest.mark.parametrize("login", ["eve", "mallory"])
def test_a_command_of_somebody_who_may_not_write_starts_nothing(
    gate: Gate, kind: Kind, login: str
) -> None:
    answer = gate.deliver(kind, payloads.comment(kind, "/release staging", by=login))

    assert answer.json() == {"nothing": f"{login} may not write to {PROJECT}"}
    assert gate.runs.started == {}


@kinds
def test_a_comment_that_is_no_command_asks_the_forge_nothing(gate: Gate, kind: Kind) -> None:
    answer = gate.deliver(kind, payloads.comment(kind, "looks good"))

    assert "nothing" in answer.json()
    assert gate.truths[kind].asked == []


def test_a_head_pushed_after_the_comment_is_not_released(gate: Gate) -> None:
    gate.truths["gitlab"].pulls[12].head = OLD

    answer = gate.deliver("gitlab", payloads.comment("gitlab", "/release staging"))

    said = "the head of change 12 has moved since the comment"
    assert answer.json() == {"nothing": said}


@pytest.mark.parametrize("kind", ["gitlab", "gitea"])
def test_a_forced_push_is_found_where_the_payload_does_not_say(gate: Gate, kind: Kind) -> None:
    gate.deliver(kind, payloads.push(kind, before="e" * 40))

    assert gate.runs.only().reason == f"{kind}: push to main by ann, forced (delivery d-1)"


@kinds
def test_a_deleted_branch_starts_nothing(gate: Gate, kind: Kind) -> None:
    assert gate.deliver(kind, payloads.deleted(kind)).json() == {"nothing": "'main' was deleted"}


@kinds
def test_a_branch_with_the_name_of_an_option_is_only_a_name(gate: Gate, kind: Kind) -> None:
    named = "--upload-pack=touch /tmp/x"

    answer = gate.deliver(kind, payloads.push(kind, ref=f"refs/heads/{named}"))

    assert answer.json() == {"nothing": f"no rule for a push to {named!r}"}


@kinds
def test_an_unknown_event_is_nothing_to_do(gate: Gate, kind: Kind) -> None:
    _, payload = payloads.push(kind)
    other = ("star", {**payload, "object_kind": "emoji"})

    answer = gate.deliver(kind, other)

    assert answer.status_code == 200
    assert "starts nothing" in answer.json()["nothing"]


@kinds
def test_an_event_of_another_project_is_refused(gate: Gate, kind: Kind) -> None:
    other = {"id": 9, "full_name": "eve/shop", "path_with_namespace": "eve/shop"}

    answer = gate.deliver(kind, payloads.push(kind, repository=other, project=other))

    assert answer.status_code == 403
    assert "'eve/shop'" in answer.json()["detail"]


def test_a_forge_that_does_not_answer_is_asked_again_later(gate: Gate) -> None:
    gate.truths["github"].away = 1000

    answer = gate.deliver("github", payloads.comment("github", "/release staging"))

    assert answer.status_code == 503
    assert "127.0.0.1" not in answer.text
    assert gate.runs.started == {}


def test_what_is_too_large_no_json_or_no_object_is_refused(gate: Gate) -> None:
    large, lines = b" " * (MOST_BYTES + 1), (b"x" * 65_536 for _ in range(100))
    form = {"content-type": "application/x-www-form-urlencoded"}
    texts = [b"{", b"[]", b"[" * 100_000]

    answers = [
        gate.post("github", large, {}),
        gate.http.post(
            "/hooks/github", content=lines, headers={"content-type": "application/json"}
        ),
        gate.post("github", b"payload=%7B%7D", form),
        *(gate.post("github", text, signed("github", "push", text, NEWER, "d")) for text in texts),
    ]

    assert [one.status_code for one in answers] == [413, 413, 415, 400, 400, 400]


@pytest.mark.parametrize("delivery", ["", "d\t1", "x" * 101])
def test_a_delivery_without_a_sound_id_is_refused(gate: Gate, delivery: str) -> None:
    answer = gate.deliver("github", payloads.push("github"), delivery=delivery)

    assert answer.status_code == 400
    assert gate.runs.started == {}


def test_every_delivery_is_logged_with_its_time_and_no_secret(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tradewind.gateway"):
        gate.deliver("github", payloads.push("github"))
        gate.deliver("gitlab", payloads.push("gitlab"), "the secret of somebody")

    assert "delivery d-1: github: push to main by ann (delivery d-1), run run-0" in caplog.text
    assert "hook 'github': 200 in" in caplog.text
    assert "hook 'gitlab': 401 in" in caplog.text
    assert "secret" not in caplog.text
