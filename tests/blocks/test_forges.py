"""Clients of the three forges, and what the tasks make of them, against servers of their shapes."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prefect.logging import disable_run_logger
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from blocks.forges import Connected, ForgeClient
from blocks.forges.gitea import Gitea
from blocks.forges.github import GitHub
from blocks.forges.gitlab import GitLab
from domain.errors import BadInput, Refused, Unavailable
from domain.forge.settings import Forge, Required, objections
from domain.forge.statuses import Status
from tasks.forge import protection_evidence, report_status
from tests.blocks.forge_servers import BOT, PROJECT, TOKEN, Pull, Truth, forge_server, listening

ROOT, OLD, HEAD, SIDE = "0" * 39 + "1", "a" * 40, "b" * 40, "c" * 40
SOURCE = "d" * 40
CLIENTS = {"github": GitHub, "gitlab": GitLab, "gitea": Gitea}
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROUTE = ("staging", "production")
RUNNING = Status("2026.11.24.1", HEAD, "main", "staging", "pending", "canary", "https://tw/1")


@dataclass
class Shop:
    """As much of a live shop as the tasks look at."""

    forge: Connected | None


@dataclass
class Stand:
    kind: str
    truth: Truth
    client: ForgeClient
    settings: Forge
    pauses: list[float]

    def shop(self, required: Required | None) -> Shop:
        return Shop(Connected(replace(self.settings, required=required), self.client, "main"))

    def asked(self, required: Required, commit: str = HEAD) -> tuple[str, ...]:
        return protection_evidence(self.shop(required), commit, "main", ROUTE, NOON)[0]


def truth() -> Truth:
    """main is OLD then HEAD, which came by change 12; SIDE is on a branch nobody protects."""
    made = Truth(parents={OLD: ROOT, HEAD: OLD, SIDE: OLD, SOURCE: OLD, ROOT: "-"})
    made.branches = {"main": (HEAD, True), "side/way": (SIDE, False)}
    made.pulls = {12: Pull(12, SOURCE, merged_as=HEAD, approvals=[("bo", SOURCE, True)])}
    made.checks = [
        (HEAD, "test", "success"),
        (HEAD, "ci/lint", "success"),
        (HEAD, "e2e", "success"),
    ]
    return made


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, tuple[Truth, str]]]:
    """One of each kind, with its truth and its address."""
    truths = {kind: Truth() for kind in CLIENTS}
    with ExitStack() as stack:
        yield {
            kind: (known, stack.enter_context(forge_server(kind, known)))
            for kind, known in truths.items()
        }


@pytest.fixture(params=sorted(CLIENTS))
def stand(request: pytest.FixtureRequest, servers: dict[str, tuple[Truth, str]]) -> Iterator[Stand]:
    kind, pauses = request.param, list[float]()
    known, endpoint = servers[kind]
    known.become(truth())
    settings = Forge(kind, endpoint, PROJECT, "${env:FORGE_TOKEN}")
    client = CLIENTS[kind](settings, TOKEN)
    client.calls.pause = pauses.append
    yield Stand(kind, known, client, settings, pauses)
    client.calls.http.close()


def test_only_who_may_write_is_told_so(stand: Stand) -> None:
    known = {login: stand.client.may_write(login) for login in ("ann", "eve", "nobody", "an")}

    assert known == {"ann": True, "eve": False, "nobody": False, "an": False}


def test_a_change_is_told_with_its_head_target_and_origin(stand: Stand) -> None:
    stand.truth.pulls[13] = Pull(13, SIDE, "side/way", own=False)

    merged, foreign = stand.client.change(12), stand.client.change(13)

    assert (merged.head, merged.target, merged.open, merged.own) == (SOURCE, "main", False, True)
    assert (foreign.head, foreign.target, foreign.open, foreign.own) == (
        SIDE, "side/way", True, False
    )  # fmt: skip


def test_a_branch_is_told_with_its_protection_and_what_it_has(stand: Stand) -> None:
    main, side = stand.client.branch("main", OLD), stand.client.branch("side/way", HEAD)
    gone = stand.client.branch("--upload-pack=touch /tmp/x", HEAD)

    assert (main.protected, main.has_commit) == (True, True)
    assert (side.protected, side.has_commit) == (False, False)
    assert (gone.protected, gone.has_commit) == (False, False)


def test_an_older_commit_is_in_a_newer_one_and_not_the_other_way_round(stand: Stand) -> None:
    has = stand.client.has

    assert (has(HEAD, OLD), has(HEAD, HEAD), has(OLD, HEAD), has(HEAD, SIDE)) == (
        True, True, False, False
    )  # fmt: skip
    assert not has(HEAD, "e" * 40)


def test_a_name_that_leads_up_is_refused_before_anything_is_asked(stand: Stand) -> None:
    with pytest.raises(BadInput, match=r"name is '\.\.'"):
        stand.client.branch("..", HEAD)

    assert stand.truth.asked == []


def test_a_reviewed_checked_commit_on_a_protected_branch_has_no_objection(stand: Stand) -> None:
    required = Required(reviews=1, checks=("test", "ci/lint", "e2e"), protected=True)

    against, kept = protection_evidence(stand.shop(required), HEAD, "main", ROUTE, NOON)

    assert against == ()
    assert kept["asked_at"] == "2026-11-24T12:00:00+00:00"
    assert kept["shown"]["checks"] == {"test": "success", "ci/lint": "success", "e2e": "success"}
    assert kept["shown"]["reviewed"][0]["approved_by"] == ("bo",)
    assert TOKEN not in str(kept)


def test_everything_that_is_missing_is_named_at_once(stand: Stand) -> None:
    stand.truth.branches["main"] = (HEAD, False)
    stand.truth.checks = [(HEAD, "test", "failure"), (OLD, "e2e", "success")]
    required = Required(reviews=2, checks=("test", "e2e"), protected=True)

    against = stand.asked(required)

    assert against[0] == "bbbbbbbbbb is on main, which the forge does not protect"
    assert against[1] == "change 12 has 1 reviews of what was merged against 2"
    word = "failed" if stand.kind == "gitlab" else "failure"
    assert against[2] == f"check 'test' on bbbbbbbbbb is {word!r}, 'success' is required"
    assert against[3].startswith("check 'e2e' on bbbbbbbbbb is 'nothing shown'")


def test_a_commit_beside_the_protected_branch_is_not_let_through(stand: Stand) -> None:
    protected = Required(protected=True)

    against = stand.asked(protected, SIDE)

    assert against == (
        "cccccccccc is on none of the branches main: it has to be on a protected one",
    )


def test_a_commit_that_nobody_merged_has_no_reviews(stand: Stand) -> None:
    against = stand.asked(Required(reviews=1), OLD)

    assert against == ("aaaaaaaaaa came with no merged change: 0 reviews against 1",)


@pytest.mark.parametrize(
    ("login", "head", "official"),
    [("ann", SOURCE, True), ("bo", OLD, True), (BOT, SOURCE, False), ("eve", SOURCE, False)],
    ids=["the author", "of an older head", "a bot", "who may not write"],
)
def test_an_approval_that_proves_nothing_does_not_count(
    stand: Stand, login: str, head: str, official: bool
) -> None:
    stand.truth.pulls[12].approvals = [(login, head, official)]

    against = stand.asked(Required(reviews=1))

    assert len(against) == 1
    assert "change 12 has 0 reviews of what was merged" in against[0]


def test_a_second_check_of_the_same_name_does_not_hide_the_first(stand: Stand) -> None:
    for states in (("success", "failure"), ("failure", "success"), ("queued", "success")):
        stand.truth.checks = [(HEAD, "test", state) for state in states]

        assert len(stand.asked(Required(checks=("test",)))) == 1


def test_a_skipped_check_did_not_succeed(stand: Stand) -> None:
    stand.truth.checks = [(HEAD, "test", "skipped")]

    assert "is 'skipped', 'success' is required" in stand.asked(Required(checks=("test",)))[0]


def test_checks_beyond_the_first_page_are_found(stand: Stand) -> None:
    stand.truth.checks = [(HEAD, f"test {number}", "success") for number in range(9)]

    assert stand.asked(Required(checks=("test 8",))) == ()


def test_what_has_more_pages_than_are_read_is_not_known(stand: Stand) -> None:
    stand.truth.page = 1
    stand.truth.checks = [(HEAD, f"test {number}", "success") for number in range(11)]

    assert "more than 10 pages" in stand.asked(Required(checks=("test 1",)))[0]


def test_an_environment_that_requires_nothing_asks_nothing(stand: Stand) -> None:
    required = Required(protected=True, environments=("production",))

    answer = protection_evidence(stand.shop(required), SIDE, "side/way", ("staging",), NOON)

    assert answer == ((), {})
    assert stand.truth.asked == []


def test_a_forge_that_does_not_answer_is_not_a_yes(stand: Stand) -> None:
    stand.truth.away = 1000
    required = Required(protected=True)

    against, kept = protection_evidence(stand.shop(required), HEAD, "main", ROUTE, NOON)

    assert len(against) == 1
    assert "answered 503" in against[0]
    assert against[0].endswith("not known is not passed")
    assert (kept["shown"], kept["commit"]) == (None, HEAD)


def test_an_answer_of_another_shape_is_not_a_yes(stand: Stand) -> None:
    at = {"github": "/repos/ann/shop/", "gitea": "/api/v1/repos/ann/shop/"}
    path = at.get(stand.kind, "/api/v4/projects/ann/shop/repository/") + "branches/main"
    stand.truth.answers = {path: {"protected": True}}

    assert "has another shape" in stand.asked(Required(protected=True))[0]


def test_a_refused_token_is_not_a_yes(stand: Stand) -> None:
    stranger = CLIENTS[stand.kind](stand.settings, "another token")
    shop = Shop(
        Connected(replace(stand.settings, required=Required(protected=True)), stranger, "main")
    )

    against, _ = protection_evidence(shop, HEAD, "main", ROUTE, NOON)

    assert "answered 401" in against[0]


def test_a_passing_fault_is_tried_again_with_growing_pauses(stand: Stand) -> None:
    stand.truth.away, stand.truth.away_status = 2, 429

    assert stand.client.may_write("ann")
    assert stand.pauses == [0.5, 1.0]


def test_a_lasting_fault_ends_after_four_attempts(stand: Stand) -> None:
    stand.truth.away = 1000

    with pytest.raises(Unavailable, match="answered 503"):
        stand.client.may_write("ann")

    assert len(stand.truth.asked) == 4


def test_a_status_and_a_deployment_are_written_back(stand: Stand) -> None:
    done = replace(RUNNING, state="success", says="done")

    stand.client.tell(RUNNING)
    stand.client.tell(done)

    words = ["running", "success"] if stand.kind == "gitlab" else ["pending", "success"]
    assert [one["state"] for one in stand.truth.told] == words
    first = stand.truth.told[0]
    assert (first["commit"], first["context"]) == (HEAD, "tradewind/staging")
    assert (first["description"], first["target_url"]) == ("2026.11.24.1: canary", "https://tw/1")
    deployed = {"github": [["in_progress", "success"]], "gitlab": [["running", "success"]]}
    assert [one["states"] for one in stand.truth.deployments] == deployed.get(stand.kind, [])


def test_telling_again_makes_no_second_deployment(stand: Stand) -> None:
    failed = replace(RUNNING, state="failure", says="rolled back")

    for status in (RUNNING, RUNNING, failed, failed):
        stand.client.tell(status)

    assert len(stand.truth.deployments) == (0 if stand.kind == "gitea" else 1)


def test_a_status_that_the_forge_refuses_is_an_error(stand: Stand) -> None:
    stranger = CLIENTS[stand.kind](stand.settings, "another token")

    with pytest.raises(Refused, match="answered 401"):
        stranger.tell(RUNNING)


def test_a_ruleset_protects_a_branch_at_github(servers: dict[str, tuple[Truth, str]]) -> None:
    known, endpoint = servers["github"]
    known.become(truth())
    known.branches["main"], known.ruled = (HEAD, False), {"main"}
    client = GitHub(Forge("github", endpoint, PROJECT, ""), TOKEN)

    assert client.branch("main", HEAD).protected


def test_an_answer_that_drips_is_given_up() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async def endpoint(_: Request) -> Response:
        return StreamingResponse(drip())

    with listening(Starlette(routes=[Route("/{path:path}", endpoint)])) as endpoint_url:
        client = GitHub(Forge("github", endpoint_url, PROJECT, ""), TOKEN)
        client.calls.all_seconds = 0.3

        with pytest.raises(Unavailable, match=r"bytes in 0\.3 s, and more"):
            client.may_write("ann")


def test_the_example_of_the_how_to_is_a_sound_forge() -> None:
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "git.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)

    told = yaml.safe_load(example)["forge"]
    forge = TypeAdapter(Forge).validate_python(told)

    assert list(objections(forge, ROUTE)) == []
    assert [rule.event for rule in forge.rules] == ["push", "push", "push", "tag", "comment"]
    for wrong in ({"reviews": 11}, {"review": 1}):
        with pytest.raises(ValidationError):
            TypeAdapter(Forge).validate_python({**told, "required": wrong})


def test_a_dead_forge_never_stops_a_release() -> None:
    client = GitHub(Forge("github", "http://127.0.0.1:9", PROJECT, ""), TOKEN)
    client.calls.pause = lambda _: None
    shop = Shop(Connected(Forge("github", "http://127.0.0.1:9", PROJECT, ""), client, "main"))

    with disable_run_logger():
        told = report_status.fn(shop, RUNNING)

    assert "does not answer" in told


def test_without_a_forge_nothing_is_told_and_nothing_is_required() -> None:
    shop = Shop(None)

    assert report_status.fn(shop, RUNNING) == ""
    assert protection_evidence(shop, HEAD, "main", ROUTE, NOON) == ((), {})
