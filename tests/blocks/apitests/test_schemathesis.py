"""Real schemathesis against a real server: each kind of bug is found and named."""

import json
from pathlib import Path

from blocks.apitests.running import Target
from blocks.apitests.schemathesis import Schemathesis
from blocks.redaction import learn
from domain.apitests.settings import OpenApi
from tests.blocks.apitests.small_server import BUGS, Served, document

SECRET = "a-token-of-staging-42"  # noqa: S105 of the server below
EXPECTED = {
    "500": "Server error; Undocumented status code (Received: 500 Documented: 200)",
    "schema": 'Response violates schema ("sku" is a required property)',
    "content type": "Undocumented Content-Type (Received: text/plain Documented: application/json)",
}


def test_a_good_service_passes_by_the_document_that_it_serves(
    schemathesis: Schemathesis, server: Served, tmp_path: Path
) -> None:
    learn(SECRET)
    headers = {"Authorization": f"Bearer {SECRET}"}

    found = schemathesis.tried(
        OpenApi("/openapi.json", max_examples=3), Target(server.address, tmp_path), headers
    )

    assert found.passed, found
    assert found.requests > 0
    assert SECRET not in str(found)
    tried = [sent for _, path, sent in server.seen if path.startswith("/thing")]
    assert {sent["Authorization"] for sent in tried} == {f"Bearer {SECRET}"}


def test_every_kind_of_bug_is_named_with_its_request(
    schemathesis: Schemathesis, server: Served, tmp_path: Path
) -> None:
    pages = ("/thing", *BUGS.values())
    (tmp_path / "api.json").write_text(json.dumps(document(*pages)))

    found = schemathesis.tried(
        OpenApi("api.json", max_examples=3, phases=("fuzzing",)),
        Target(server.address, tmp_path),
        {},
    )

    told = {one.request: one for one in found.failures}
    assert not found.passed
    assert {told[f"GET {page}"].expectation for page in BUGS.values()} == set(EXPECTED.values())
    assert told["GET /broken"].answer.startswith("[500] Internal Server Error: ")
    assert "a pipe burst" in told["GET /broken"].answer
    assert "GET /thing" not in told


def test_pages_that_are_left_out_are_not_asked_for(
    schemathesis: Schemathesis, server: Served, tmp_path: Path
) -> None:
    (tmp_path / "api.json").write_text(json.dumps(document("/thing", "/broken")))
    declared = OpenApi("api.json", max_examples=3, phases=("fuzzing",), exclude=("/broken",))

    found = schemathesis.tried(declared, Target(server.address, tmp_path), {})

    assert found.passed, found
    assert "/broken" not in {path for _, path, _ in server.seen}


def test_a_document_that_tests_nothing_has_not_passed(
    schemathesis: Schemathesis, server: Served, tmp_path: Path
) -> None:
    (tmp_path / "api.json").write_text(json.dumps(document()))

    found = schemathesis.tried(OpenApi("api.json"), Target(server.address, tmp_path), {})

    assert not found.passed
    assert (found.total, found.failed) == (0, 0)
