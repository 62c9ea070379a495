"""Snippets for other CI systems: sound by their schemas, and their scripts release and follow."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import tree_sitter
import tree_sitter_groovy
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.blocks.forge_servers import listening

SNIPPETS = Path(__file__).parent.parent / "docs" / "snippets"
API_TOKEN = "tw_of_a_program"  # noqa: S105 of the server below
LIMIT_SECONDS = 30
COMMIT = "b" * 40
pytestmark = pytest.mark.skipif(
    shutil.which("jq") is None or shutil.which("curl") is None, reason="needs curl and jq"
)


@dataclass
class Gateway:
    """The two addresses of the gateway; a run goes through ``states``, the last one is final."""

    address: str = ""
    states: list[tuple[str, str]] = field(default_factory=list)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks: int = 0
    away: int = 0

    def routes(self) -> list[Route]:
        return [
            Route("/releases", self.release, methods=["POST"]),
            Route("/releases/{run}", self.look),
        ]

    async def release(self, request: Request) -> Response:
        wish = await request.json()
        refused = self._refused(request)
        if refused is None and set(wish) != {"ref", "until", "services", "reason"}:
            refused = JSONResponse({"detail": f"the form has {sorted(wish)}"}, 422)
        if refused is not None:
            return refused
        self.keys.setdefault(request.headers["idempotency-key"], wish)
        if self.away > 0:  # the run was made, its answer is lost
            self.away -= 1
            return JSONResponse({"detail": "away"}, 503)
        return JSONResponse(self._shown(0), 201)

    async def look(self, request: Request) -> Response:
        shown = self._shown(min(self.looks, len(self.states) - 1))
        self.looks += 1
        return self._refused(request) or JSONResponse(shown)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {API_TOKEN}":
            return JSONResponse({"detail": "sign in first"}, 401)
        return None

    def _shown(self, number: int) -> dict[str, Any]:
        state, message = self.states[number]
        final = number == len(self.states) - 1
        return {
            "run": "6f1c", "state": state, "version": "2026.11.24.1", "message": message,
            "final": final,
        }  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Gateway]:
    made = Gateway()
    with listening(Starlette(routes=made.routes())) as made.address:
        yield made


@pytest.fixture
def gateway(served: Gateway) -> Gateway:
    served.states = [("Running", "canary"), ("Running", "canary"), ("Completed", "2 services")]
    served.keys, served.looks, served.away = {}, 0, 0
    return served


def github() -> str:
    made = yaml.safe_load((SNIPPETS / "github-actions.yml").read_text())
    return str(made["jobs"]["release"]["steps"][0]["run"])


def gitlab() -> str:
    return str(yaml.safe_load((SNIPPETS / "gitlab-ci.yml").read_text())["release"]["script"][0])


def jenkins() -> str:
    """The text between the three quotes, as Groovy hands it to the shell."""
    (found,) = re.findall(r"sh '''(.*?)'''", (SNIPPETS / "Jenkinsfile").read_text(), re.DOTALL)
    head, _, script = str(found).partition("\n")
    assert head == "#!/bin/sh"
    return dedent(script).rstrip(" ")


SCRIPTS = {"github": github, "gitlab": gitlab, "jenkins": jenkins}
snippets = pytest.mark.parametrize("snippet", sorted(SCRIPTS))


def run(snippet: str, gateway: Gateway, **more: str) -> "subprocess.CompletedProcess[str]":
    variables = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "TRADEWIND_URL": gateway.address,
        "TRADEWIND_TOKEN": API_TOKEN, "REF": COMMIT, "UNTIL": "staging",
        "REASON": 'push to "main" by $(ann) \\ `x`', "KEY": "ci-1", "POLL_SECONDS": "0", **more,
    }  # fmt: skip
    return subprocess.run(
        ["sh", "-c", SCRIPTS[snippet]()],
        env=variables, capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("github-actions.yml", ["vendor.github-workflows"]),
        ("gitlab-ci.yml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
)
def test_a_snippet_is_sound_by_its_system_s_schema(
    file: str, options: list[str], tmp_path: Path
) -> None:
    broken = tmp_path / file
    text = (SNIPPETS / file).read_text()
    broken.write_text(text.replace("timeout", "timeuot"))

    told = [
        CliRunner().invoke(check_jsonschema, ["--builtin-schema", *options, str(place)])
        for place in (SNIPPETS / file, broken)
    ]

    assert [one.exit_code for one in told] == [0, 1], told[0].output


def test_the_jenkinsfile_is_groovy_with_one_declarative_pipeline() -> None:
    text = (SNIPPETS / "Jenkinsfile").read_bytes()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))

    whole, cut = parser.parse(text).root_node, parser.parse(text[:-20]).root_node

    calls = [one for one in whole.named_children if one.type == "expression_statement"]
    assert not whole.has_error
    assert cut.has_error
    assert [(one.text or b"").split()[0] for one in calls] == [b"pipeline"]
    for section in ("agent any", "options {", "environment {", "stages {", "steps {"):
        assert section in text.decode()


def test_all_three_run_the_same_script_which_groovy_does_not_alter() -> None:
    assert github() == gitlab() == jenkins()
    assert "\\" not in github()


@snippets
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_script_is_sound_for_the_shell(snippet: str, shell: str) -> None:
    checked = subprocess.run(
        [shell, "-n"], input=SCRIPTS[snippet](), text=True, timeout=LIMIT_SECONDS
    )

    assert checked.returncode == 0


def test_nothing_of_a_push_is_written_into_a_script() -> None:
    """What a branch or a person is called reaches the script as a variable, never as its text."""
    assert "${{" not in github()
    assert "CI_COMMIT_REF_NAME" not in gitlab()


@snippets
def test_a_release_is_followed_until_it_has_completed(snippet: str, gateway: Gateway) -> None:
    ended = run(snippet, gateway)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "2026.11.24.1 Running: canary", "2026.11.24.1 Completed: 2 services",
    ]  # fmt: skip
    (wish,) = gateway.keys.values()
    assert wish == {
        "ref": COMMIT, "until": "staging", "services": [],
        "reason": 'push to "main" by $(ann) \\ `x`',
    }  # fmt: skip
    assert list(gateway.keys) == ["ci-1"]


@pytest.mark.parametrize("state", ["Restored", "Refused", "Failed"])
def test_a_release_that_ends_otherwise_fails_the_job(gateway: Gateway, state: str) -> None:
    gateway.states = [("Running", "canary"), (state, "checkout failures\n::error::9 %")]

    ended = run("gitlab", gateway)

    assert ended.returncode != 0
    assert ended.stdout.splitlines()[-1] == f"2026.11.24.1 {state}: checkout failures ::error::9 %"


def test_an_answer_that_was_lost_starts_no_second_release(gateway: Gateway) -> None:
    gateway.away = 1

    ended = run("github", gateway)

    assert (ended.returncode, len(gateway.keys)) == (0, 1), ended.stderr


def test_a_refusal_is_shown_and_fails_the_job_at_once(gateway: Gateway) -> None:
    ended = run("gitlab", gateway, TRADEWIND_TOKEN="tw_of_a_stranger")  # noqa: S106 a wrong one

    assert ended.returncode != 0
    assert "sign in first" in ended.stderr
    assert gateway.keys == {}


def test_nobody_is_waited_for_beyond_the_limit(gateway: Gateway) -> None:
    gateway.states = [("Suspended", "waits for an approval")] * 1000

    ended = run("jenkins", gateway, LIMIT_SECONDS="0")

    assert ended.returncode == 1
    assert "run 6f1c goes on" in ended.stderr


def test_the_token_stands_in_no_argument_and_no_output(gateway: Gateway, tmp_path: Path) -> None:
    """Other people on a CI machine see arguments: a curl that keeps its own is put in front."""
    real, kept = shutil.which("curl"), tmp_path / "arguments"
    spy = tmp_path / "curl"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{kept}\nexec {real} "$@"\n')
    spy.chmod(0o755)

    ended = run("github", gateway, PATH=f"{tmp_path}:/usr/bin:/bin")

    assert ended.returncode == 0
    assert "/releases" in kept.read_text()
    assert API_TOKEN not in kept.read_text() + ended.stdout + ended.stderr
