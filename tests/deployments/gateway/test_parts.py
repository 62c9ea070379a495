"""What of the gateway is pure: paths, rates, forms, settings, and what a request becomes."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from deployments.gateway.bodies import json_of
from deployments.gateway.forms import Forms
from deployments.gateway.gate import Behind
from deployments.gateway.paths import SAFE, local, straight
from deployments.gateway.rates import Rate
from deployments.gateway.starts import STARTS, places, started
from deployments.gateway.words import CHINESE, ENGLISH
from domain.access.gateway import GatewaySettings, objections
from domain.access.people import Person, Signed
from domain.access.roles import Grant
from domain.errors import BadInput, Refused

BEHIND = Behind("http://127.0.0.1:1", "teashop", ("staging", "production"), ("web", "api"))
TRICKS = (
    "/api/%2e%2e/admin", "/api/../admin", "/api/./flows", "//api/flows", "/api//flows",
    "/api/flows%2ffilter", "/api/flows%2Ffilter", "/api/flows%5cfilter", "/api/flows\\filter",
    "/API/flows", "/Api", "/api/%66lows", "/api/flows%00", "/api/flows%0a", "/api/%ff",
    "/api/flows%252ffilter", "/api/deployments/../admin/settings", "", "api", "/%61pi/flows",
)  # fmt: skip


def signed(*grants: Grant, via: str = "password") -> Signed:
    return Signed(Person("ann", "Ann", grants), grants, via, "s")  # type: ignore[arg-type]


@pytest.mark.parametrize("path", TRICKS)
def test_an_odd_spelling_of_a_path_is_none(path: str) -> None:
    assert straight(path.encode()) is None


@given(some.binary(max_size=60).map(lambda tail: b"/" + tail))
def test_a_path_that_passes_reads_the_same_however_often_it_is_decoded(raw: bytes) -> None:
    path = straight(raw)

    if path is not None:
        assert quote(path, safe=SAFE).encode() == raw
        assert "%" not in path
        assert not {"", ".", ".."} & set(path.split("/")[1:-1])


@given(some.text(max_size=40))
def test_a_next_page_never_leaves_the_gateway(target: str) -> None:
    found = local(target)

    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert found.isascii()
    assert found.isprintable()


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)",
               "/a\r\nSet-Cookie: a=b", "/%2f/evil.example", "evil", ""],
)  # fmt: skip
def test_another_machine_is_no_next_page(target: str) -> None:
    assert local(target) == "/gate/"


def test_a_burst_passes_and_then_one_waits_as_long_as_told() -> None:
    rate = Rate(burst=3, per_second=0.5)

    waits = [rate.wait("a", 100.0) for _ in range(4)]

    assert waits == [0, 0, 0, 2]
    assert rate.wait("b", 100.0) == 0
    assert rate.wait("a", 101.0) > 0
    assert rate.wait("a", 102.0) == 0


def test_a_form_token_fits_its_own_browser_only() -> None:
    forms, one, other = Forms(), Forms().browser(), Forms().browser()

    assert forms.fits(one, forms.token(one))
    assert not forms.fits(other, forms.token(one))
    assert not Forms().fits(one, forms.token(one))
    assert not forms.fits("", forms.token(""))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"public_url": "http://shop.example"}, "https, except on this machine"),
        ({"public_url": "shop.example"}, "a scheme and a host"),
        ({"public_url": "https://shop.example/tradewind"}, "with no path"),
        ({"public_url": "https://shop.example", "tls_key": "key.pem"}, "both or none"),
    ],
)
def test_settings_that_do_not_go_together_are_told(more: dict[str, str], sentence: str) -> None:
    (found,) = objections(GatewaySettings(port=443, **more))

    assert sentence in found


def test_an_origin_is_written_as_browsers_write_it() -> None:
    settings = GatewaySettings("https://Shop.example:443/", 8443)

    assert settings.origin == "https://shop.example"
    assert settings.hosts == ("shop.example", "127.0.0.1:8443")


def test_both_languages_say_everything() -> None:
    assert CHINESE.keys() == ENGLISH.keys()


@pytest.mark.parametrize(
    ("flow", "request_", "expected"),
    [
        ("release", {}, ("staging", "production")),
        ("release", {"until": "staging", "environment": "nowhere"}, ("staging",)),
        ("release", {"environment": "staging"}, ("staging", "production")),
        ("promote", {"to_environment": "production"}, ("production",)),
        ("rollback", {"environment": "staging"}, ("staging",)),
        ("rollback", {}, ("staging", "production")),
    ],
)
def test_a_request_is_for_these_places(
    flow: str, request_: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert places(STARTS[flow], request_, BEHIND.route) == expected


def test_a_run_starts_under_the_persons_own_name_and_with_nothing_but_the_form() -> None:
    body = {
        "parameters": {"shop": "teashop", "request": {"ref": "main", "requested_by": "the boss"}},
        "job_variables": {"command": "rm -rf /"}, "context": {}, "work_queue_name": "other",
        "infrastructure_document_id": "x", "parent_task_run_id": "y", "labels": {"a": "b"},
        "enforce_parameter_schema": False, "idempotency_key": "k", "name": "n", "tags": ["t"],
        "state": {"type": "SCHEDULED", "message": "later", "data": "pickle",
                  "state_details": {"scheduled_time": "2030-01-01T00:00:00Z", "cache_key": "c"}},
    }  # fmt: skip

    found = started(body, STARTS["release"], signed(Grant("releaser")), BEHIND)

    assert found == {
        "parameters": {"shop": "teashop", "request": {"ref": "main", "requested_by": "ann"}},
        "idempotency_key": "ann:k", "name": "n", "tags": ["t"],
        "state": {"type": "SCHEDULED", "message": "later",
                  "state_details": {"scheduled_time": "2030-01-01T00:00:00Z"}},
    }  # fmt: skip


def test_a_form_without_a_name_gets_none() -> None:
    body = {"parameters": {"request": {"environment": "staging", "version": "1"}}}

    found = started(body, STARTS["make-good"], signed(Grant("releaser")), BEHIND)

    assert "requested_by" not in found["parameters"]["request"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"parameters": []},
        {"parameters": {"request": "main"}},
        {"parameters": {"request": {}, "shop": "another"}},
        {"parameters": {"request": {"until": ["staging"]}}},
        {"parameters": {"request": {"services": "web"}}},
        {"parameters": {"request": {}}, "state": {"type": "RUNNING"}},
    ],
)
def test_a_body_that_is_no_form_is_bad_input(body: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        started(body, STARTS["release"], signed(Grant("admin")), BEHIND)


@given(
    some.sampled_from([(), ("staging",), ("production",)]),
    some.sampled_from([(), ("web",), ("api",), ("web", "api")]),
    some.sampled_from(["", "staging", "production"]),
    some.lists(some.sampled_from(["web", "api"]), max_size=2, unique=True),
)
def test_a_release_starts_only_where_every_place_and_service_is_granted(
    environments: tuple[str, ...], services: tuple[str, ...], until: str, asked: list[str]
) -> None:
    who = signed(Grant("releaser", environments, services))
    body = {"parameters": {"request": {"until": until, "services": asked}}}
    wanted = {"staging"} if until == "staging" else {"staging", "production"}
    may = (not environments or wanted <= {*environments}) and (
        not services or {*(asked or ["web", "api"])} <= {*services}
    )

    try:
        started(body, STARTS["release"], who, BEHIND)
        passed = True
    except Refused:
        passed = False

    assert passed == may


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"1", b"[" * 100_000])
def test_what_is_no_json_object_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        json_of(body)


def test_the_pages_need_nothing_from_outside_and_no_script() -> None:
    folder = Path(__file__).parents[3] / "deployments" / "gateway"
    pages = [*folder.glob("templates/*.html"), folder / "style.css"]

    for page in pages:
        text = page.read_text()
        assert "<script" not in text
        assert "http://" not in text
        assert "https://" not in text
        assert "style=" not in text
