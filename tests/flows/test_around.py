"""Around a release: a push starts it, the forge confirms it, two people approve, a chat hears."""

import hmac
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import CompletedProcess, run
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest

from blocks import prefect_runs as runs
from blocks.people import People
from deployments.people import key_of
from deployments.settings import write_secret
from deployments.stack.processes import until
from domain.access.people import Person
from domain.access.roles import Grant
from tests.blocks.forge_servers import TOKEN, Truth, forge_server
from tests.deployments.gateway.street import PASSWORD, free_port, sign_in
from tests.domain.forge import payloads
from tests.flows.world import Settings, World, opened, smallest

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

RUN_SECONDS = 180.0
HOOK = "a secret of this webhook"


@dataclass
class Chat:
    """A webhook of our own that keeps what it is told."""

    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                heard.append(json.loads(self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def titles(self) -> list[str]:
        return [str(one["title"]) for one in self.heard]


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    made = Chat()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth()


@pytest.fixture(scope="module")
def code_of() -> dict[str, pyotp.TOTP]:
    """By name."""
    return {}


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    chat: Chat,
    truth: Truth,
    code_of: dict[str, pyotp.TOTP],
) -> Iterator[World]:
    folder, stack = tmp_path_factory.mktemp("around") / "shop", ExitStack()
    secrets = folder / ".tradewind" / "secrets"
    write_secret(secrets / "forge", TOKEN)
    write_secret(secrets / "hook", HOOK)
    write_secret(secrets / "chat", f"json://127.0.0.1:{chat.server.server_port}/")
    with stack:
        endpoint = stack.enter_context(forge_server("gitea", truth))

        def guarded(settings: Settings) -> None:
            smallest(settings)
            port = free_port()
            settings["gateway"] = {"public_url": f"http://127.0.0.1:{port}", "port": port}
            settings["forge"] = {
                "kind": "gitea", "endpoint": endpoint, "project": "ann/shop",
                "token": "${file:secrets/forge}", "webhook_secrets": ["${file:secrets/hook}"],
                "rules": [{"event": "push", "branches": "main"}],
                "required": {"checks": ["unit"], "protected": True},
            }  # fmt: skip
            settings["notify"] = {"targets": {"chat": {"url": "${file:secrets/chat}"}}}
            production = settings["environments"]["production"]
            production |= {
                "canary": None,
                "approvals": {
                    "signed": True,
                    "second_factor": True,
                    "quorum": 2,
                    "releases": "always",
                },
            }

        opening = stack.enter_context(opened(folder, guarded))
        for name in ("bo", "cy"):
            code_of[name] = with_second_factor(opening, name)
        yield opening


def with_second_factor(world: World, name: str) -> pyotp.TOTP:
    """An approver whose codes it answers; enrolled a while ago, since a code counts once."""
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    people = People(world.live.ledger_url, key_of(world.live.state), lambda: earlier)
    people.add(Person(name, grants=(Grant("approver"),)), PASSWORD, "test")
    enrolled = pyotp.TOTP(pyotp.parse_uri(people.enrol_totp(name)).secret)
    people.confirm_totp(name, enrolled.at(earlier))
    return enrolled


def door(world: World) -> str:
    assert world.live.shop.gateway is not None
    return world.live.shop.gateway.origin


def pushed(world: World, delivery: str, signature: str = "") -> httpx.Response:
    commit = world.live.repository.resolve("main")
    about = {"after": commit, "before": payloads.ZEROS, "head_commit": {"id": commit}}
    name, body = payloads.push("gitea", **about)
    raw = json.dumps(body).encode()
    signed = signature or hmac.new(HOOK.encode(), raw, sha256).hexdigest()
    headers = {
        "content-type": "application/json", "x-gitea-event": name,
        "x-gitea-delivery": delivery, "x-gitea-signature": signed,
    }  # fmt: skip
    shop = world.live.shop.shop
    return httpx.post(f"{door(world)}/hooks/{shop}", content=raw, headers=headers, timeout=30)


def approves(world: World, run: UUID, name: str, code: str) -> httpx.Response:
    """Signed in at the gateway, by the call that Prefect's page makes."""
    (approval,) = world.live.ledger.approvals.waiting()
    answer = {"decision": "approve now", "plan": approval.plan_digest}
    with httpx.Client(base_url=door(world), headers={"Origin": door(world)}, timeout=30) as client:
        assert sign_in(client, name, code=code).status_code == 303
        return client.post(f"/api/flow_runs/{run}/resume", json={"run_input": answer})


def approves_in_a_terminal(
    world: World, version: str, name: str, code: str
) -> CompletedProcess[str]:
    """``tradewind approve``; password and code are read from its input."""
    command = [sys.executable, "-m", "deployments.cli", "--shop", str(world.live.path)]
    return run(
        [*command, "approve", version, "--by", name],
        input=f"{PASSWORD}\n{code}\n", text=True, capture_output=True, timeout=RUN_SECONDS,
    )  # fmt: skip


def confirmed(world: World, truth: Truth) -> None:
    """At the forge: the head of main, which is protected, passed its checks."""
    commit = world.live.repository.resolve("main")
    truth.parents[commit] = "the commit before"
    truth.branches["main"] = (commit, True)
    truth.checks.append((commit, "unit", "success"))


def test_a_push_that_is_not_signed_starts_nothing(world: World) -> None:
    assert pushed(world, "d-0", "0" * 64).status_code == 401


def test_a_push_that_the_forge_does_not_confirm_is_refused(world: World, truth: Truth) -> None:
    asked = UUID(pushed(world, "d-1").json()["run"])

    ended = runs.follow(asked, RUN_SECONDS)

    assert ended.name == "Refused"
    assert "unit" in ended.message
    assert world.release(asked) is None


def test_a_push_is_released_once_two_people_approved_it(
    world: World, chat: Chat, truth: Truth, code_of: dict[str, pyotp.TOTP]
) -> None:
    confirmed(world, truth)
    first, again = pushed(world, "d-2"), pushed(world, "d-2")
    assert first.json() == again.json(), first.text
    asked = UUID(first.json()["run"])
    assert runs.follow(asked, RUN_SECONDS).waits
    waiting = world.release(asked)
    assert waiting is not None

    wrong = approves_in_a_terminal(world, waiting.version, "bo", "000000")
    one = approves_in_a_terminal(world, waiting.version, "bo", code_of["bo"].now())
    later = datetime.now(UTC) + timedelta(seconds=30)
    twice = approves(world, asked, "bo", code_of["bo"].at(later))
    two = approves(world, asked, "cy", code_of["cy"].now())

    assert (wrong.returncode, one.returncode) == (2, 3), wrong.stderr + one.stderr
    assert "code is wrong" in wrong.stderr
    assert twice.status_code == 403, "the same person counts once"
    assert two.is_success, two.text
    assert until(lambda: ended(world, asked), RUN_SECONDS)
    release = world.release(asked)
    assert release is not None
    assert (release.state, release.requested_by) == ("released", "ann")
    assert "success" in {str(one.get("state")) for one in truth.told}
    assert until(lambda: heard(chat, release.version) >= 3, RUN_SECONDS), "began, waits, done"
    assert world.live.ledger.verify() == ()


def ended(world: World, run: UUID) -> bool:
    release = world.release(run)
    return release is not None and release.finished_at is not None


def heard(chat: Chat, version: str) -> int:
    return sum(version in title for title in chat.titles)
