"""Real Newman against a real server: counted, the failing request named, secrets kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from blocks.apitests.newman import Newman
from blocks.apitests.running import Target
from blocks.redaction import learn
from domain.apitests.results import Failure, said
from domain.apitests.settings import Collection
from tests.blocks.apitests.small_server import Served, collection, expects

SECRET = "a-token-of-staging-41"  # noqa: S105 of the server below
DECLARED = Collection("small.postman_collection.json")


def target(server: Served, folder: Path, *requests: tuple[str, str, str]) -> Target:
    (folder / DECLARED.path).write_text(collection(*requests))
    return Target(server.address, folder)


def test_a_good_service_passes_and_is_counted(
    newman: Newman, server: Served, tmp_path: Path
) -> None:
    look = ("Look", "{{baseUrl}}/thing", expects(200) + "\npm.test.skip('later', () => 1);")

    found = newman.tried(DECLARED, target(server, tmp_path, look), {})

    assert found.passed, found
    assert (found.requests, found.total, found.failed, found.skipped) == (1, 2, 0, 1)
    assert said(found) == "newman small: 1 requests, 0 of 2 checks failed, 1 skipped"


def test_a_failing_request_is_named_with_its_expectation_and_answer(
    newman: Newman, server: Served, tmp_path: Path
) -> None:
    good = ("Look", "{{baseUrl}}/thing", expects(200))
    bad = ("Buy one", "{{baseUrl}}/broken", expects(200))

    found = newman.tried(DECLARED, target(server, tmp_path, good, bad), {})

    assert (found.requests, found.total, found.failed) == (2, 2, 1)
    assert found.failures == (
        Failure(
            "Buy one (GET /broken)",
            "answers 200: expected response to have status code 200 but got 500",
            '500 Internal Server Error: {"error": "a pipe burst"}',
        ),
    )


def test_after_the_first_failure_nothing_more_is_asked_where_that_is_wanted(
    newman: Newman, server: Served, tmp_path: Path
) -> None:
    requests = [(f"{number}", "{{baseUrl}}/broken", expects(200)) for number in range(3)]

    newman.tried(replace(DECLARED, bail=True), target(server, tmp_path, *requests), {})

    assert len(server.seen) == 1


def test_values_of_references_reach_the_server_and_no_report(
    newman: Newman, server: Served, tmp_path: Path
) -> None:
    learn(SECRET)
    echo = f"pm.test('of ' + pm.environment.get('token'), () => {{ throw new Error('{SECRET}') }});"
    (tmp_path / "staging.json").write_text(
        '{"values": [{"key": "token", "value": "old"}, {"key": "page", "value": "thing"}]}'
    )
    declared = replace(DECLARED, environment="staging.json")
    ready = target(server, tmp_path, ("Echo", "{{baseUrl}}/{{page}}?token={{token}}", echo))

    found = newman.tried(declared, ready, {"token": SECRET})

    assert [path for _, path, _ in server.seen] == [f"/thing?token={SECRET}"]
    assert found.failed == 1
    assert SECRET not in str(found)


def test_a_collection_that_tests_nothing_has_not_passed(
    newman: Newman, server: Served, tmp_path: Path
) -> None:
    found = newman.tried(DECLARED, target(server, tmp_path, ("Look", "{{baseUrl}}/thing", "")), {})

    assert not found.passed
    assert said(found) == "newman small: no tests run"


def test_one_that_does_not_end_is_ended(newman: Newman, server: Served, tmp_path: Path) -> None:
    hang = ("Hang", "{{baseUrl}}/thing", "while (true) {}")
    ready = target(server, tmp_path, hang)

    found = newman.tried(replace(DECLARED, timeout_seconds=2), ready, {})

    assert found.problem == "did not end within 2 s"


def test_what_is_no_collection_is_told(newman: Newman, server: Served, tmp_path: Path) -> None:
    (tmp_path / DECLARED.path).write_text("no JSON")

    found = newman.tried(DECLARED, Target(server.address, tmp_path), {})

    assert found.problem.startswith("ended with exit code 1 and no report: ")


def test_programs_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    assert Newman(tmp_path).missing() == ("node", "npm")
