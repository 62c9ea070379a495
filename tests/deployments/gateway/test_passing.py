"""Who passes to a real Prefect server, with what, and that nobody else does."""

import json
import logging
import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import httpx
import pyotp
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from domain.access.people import Person
from domain.access.roles import Grant
from tests.deployments.gateway.prefect_shop import PrefectShop, prefect_shop
from tests.deployments.gateway.street import PASSWORD, SHOP, Crowd, Gateway, served

pytestmark = [pytest.mark.story, pytest.mark.timeout(280)]

CHANGES = {
    "POST /deployments/{id}/create_flow_run": {"rel", "adm"},
    "POST /flow_runs/{id}/resume": {"rel", "app", "adm"},
    "POST /flow_runs/{id}/set_state": {"rel", "adm"},
}
"""Calls that change something, and who is let as far as being asked what exactly."""

ADMINS_LOOK = {"GET /admin/settings", "GET /admin/storage"}
FORMS_LOOK = {"POST /ui/schemas/validate"}
BLANK = {"GET /admin/settings", "POST /block_documents/filter", "POST /block_documents/count"}
"""Answered by the gateway itself, with nothing in it."""

WRITES = re.compile(
    r"(PUT|PATCH|DELETE) .*|POST /(artifacts|automations|block_documents|block_schemas|block_types"
    r"|concurrency_limits|deployments|events|flow_runs|flows|logs|saved_searches|task_runs"
    r"|v2/concurrency_limits|variables|work_pools|work_queues)/?"
    r"|POST .*(bulk_delete|bulk_set_state|bulk|increment|decrement|with-lease|renew|reset"
    r"|pause_deployment|resume_deployment|schedule|schedules|heartbeat|input|install_system.*"
    r"|get_runs|get_scheduled_flow_runs|queues|templates/validate)"
    r"|POST /task_runs/{id}/set_state"
)
"""What must pass for nobody, written down apart from the rules that are being tested."""


@pytest.fixture(scope="module")
def shop(prefect_url: str) -> PrefectShop:
    return prefect_shop(prefect_url)


@pytest.fixture(scope="module")
def gateway(crowd: Crowd, prefect_url: str, shop: PrefectShop) -> Iterator[Gateway]:
    with served(crowd, prefect_url) as serving:
        for rate in (serving.app.state.gate.signing_in, serving.app.state.gate.changing):
            rate.burst = rate.per_second = 10_000
        yield serving


@pytest.fixture(autouse=True)
def willing(gateway: Gateway) -> None:
    gateway.hooks.refusal = ""
    gateway.hooks.asked.clear()


@pytest.fixture(scope="module")
def browsers(gateway: Gateway) -> dict[str, httpx.Client]:
    names = ("viv", "rel", "app", "adm", "nob", "stage", "web", "prod")
    return {name: gateway.browser(name) for name in names}


def endpoints(shop: PrefectShop) -> list[tuple[str, str]]:
    """Of the server itself, so that a new one is seen; its paths without /api."""
    paths = shop.asked("GET", "/api/openapi.json")["paths"]
    return [(method.upper(), path) for path, has in sorted(paths.items()) for method in has]


def concrete(path: str) -> str:
    """A path of things that are not there: what passes is answered with 404 or 422, or works."""
    filled = re.sub(r"\{(id|schedule_id|lease_id)\}", str(uuid4()), path)
    filled = filled.replace("{checksum}", f"sha256:{'0' * 64}")
    return "/api" + re.sub(r"\{[^}]+\}", "no-such-thing", filled)


def passing(client: httpx.Client, calls: list[tuple[str, str]]) -> set[str]:
    return {
        f"{method} {path}"
        for method, path in calls
        if passed(client.request(method, concrete(path), json={}))
    }


def passed(answer: httpx.Response) -> bool:
    """Whether the gateway let it go on, whatever Prefect then said."""
    return answer.status_code not in (400, 401, 403, 404, 405) or "gateway" not in told(answer)


def told(answer: httpx.Response) -> str:
    """Refusals of the gateway name it, or say who may not."""
    text = answer.text
    is_ours = "may not" in text or "sign in first" in text or "does not pass" in text
    return f"gateway {text}" if is_ours else text


def test_nothing_passes_for_whom_it_may_not(
    gateway: Gateway, shop: PrefectShop, browsers: dict[str, httpx.Client]
) -> None:
    roles = {name: browsers[name] for name in ("nob", "viv", "rel", "app", "adm")}
    clients = {"anonymous": gateway.anonymous(), **roles, "token": gateway.machine("adm")}

    with ThreadPoolExecutor(len(clients)) as pool:
        sets = pool.map(lambda client: passing(client, endpoints(shop)), clients.values())
    found = dict(zip(clients, sets, strict=True))

    counts = {who: len(calls) for who, calls in found.items()}
    print(f"{len(endpoints(shop))} calls of Prefect's API; passing: {counts}")
    everything = set().union(*found.values())
    wrong = sorted(call for call in everything if WRITES.fullmatch(call) and call not in CHANGES)
    assert wrong == [], f"{len(wrong)} pass where none may pass"
    assert found["anonymous"] == found["nob"] == set()
    for call, allowed in CHANGES.items():
        assert {who for who in ("viv", "rel", "app", "adm") if call in found[who]} == allowed
    assert found["adm"] - found["viv"] == {*CHANGES, *FORMS_LOOK, *ADMINS_LOOK} - BLANK
    assert found["token"] == found["adm"] - {"GET /admin/storage"}, "a token manages nothing"
    assert not any("block_documents" in call for call in everything - BLANK)


def test_every_page_of_blocks_is_empty(browsers: dict[str, httpx.Client]) -> None:
    answer = browsers["adm"].post("/api/block_documents/filter", json={"include_secrets": True})

    assert answer.json() == []


@pytest.mark.parametrize(
    "path",
    ["/api/%2e%2e/api/deployments/", "//api/deployments/", "/api/Deployments/",
     "/api/deployments/../admin/settings", "/API/deployments/", "/api/flows/%2e%2e/deployments/",
     "/api/x/..%2fdeployments/", "/api/deployments%2f", "/api\\deployments\\", "/api/deployments//",
     "/api;/deployments/", "/api/deployments;x=1/", "/./api/deployments/"],
)  # fmt: skip
def test_no_spelling_of_a_refused_path_passes(
    gateway: Gateway, shop: PrefectShop, path: str
) -> None:
    token = gateway.crowd.tokens.issue("adm", "tests", (Grant("admin"),), 1)
    before = shop.asked("POST", "/api/deployments/count", {})
    flow = shop.asked("GET", "/api/flows/name/release")["id"]

    status = raw(gateway, "POST", path, token, {"name": f"sneaked-{uuid4()}", "flow_id": flow})

    assert status in (400, 403, 404, 405)
    assert shop.asked("POST", "/api/deployments/count", {}) == before


def raw(gateway: Gateway, method: str, path: str, token: str, body: Any) -> int:
    """Sent exactly as written: no client puts the path right."""
    connection = HTTPConnection(gateway.url.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.putrequest(method, path, skip_accept_encoding=True)
    text = json.dumps(body).encode()
    for name, value in {**headers, "Content-Length": str(len(text))}.items():
        connection.putheader(name, value)
    connection.endheaders(text)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "HEAD", "PROPFIND"])
def test_no_other_method_reaches_the_api(gateway: Gateway, method: str) -> None:
    token = gateway.crowd.tokens.issue("adm", "tests", (Grant("admin"),), 1)

    assert raw(gateway, method, "/api/flows/filter", token, {}) in (400, 403, 405)


def create(client: httpx.Client, deployment: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/deployments/{deployment}/create_flow_run", json=body)


def test_a_run_starts_with_the_persons_name_and_without_job_variables(
    shop: PrefectShop, browsers: dict[str, httpx.Client], caplog: pytest.LogCaptureFixture
) -> None:
    typed = {"ref": "main", "requested_by": "the boss"}
    with caplog.at_level(logging.INFO, logger="tradewind.gateway"):
        answer = create(
            browsers["rel"],
            shop.deployments["release"],
            parameters={"shop": SHOP, "request": typed},
            job_variables={"command": "touch /tmp/owned"},
            idempotency_key="k",
            work_queue_name="other",
        )

    assert answer.status_code == 201, answer.text
    run = shop.run(answer.json()["id"])
    assert run["parameters"]["request"]["requested_by"] == "rel"
    assert run["job_variables"] in ({}, None)
    assert run["idempotency_key"] == "rel:k"
    assert run["work_queue_name"] == "default"
    assert any("rel (password) POST" in line and line.endswith(": 201") for line in caplog.messages)


def test_one_persons_key_never_gives_anothers_run(
    shop: PrefectShop, browsers: dict[str, httpx.Client]
) -> None:
    def started(who: str) -> str:
        body = {"parameters": {"request": {"ref": "main"}}, "idempotency_key": "same"}
        return str(create(browsers[who], shop.deployments["release"], **body).json()["id"])

    assert started("rel") == started("rel")
    assert started("rel") != started("adm")


@pytest.mark.parametrize(
    ("who", "flow", "request_", "status"),
    [
        ("viv", "release", {}, 403),
        ("app", "release", {}, 403),
        ("stage", "release", {}, 403),
        ("stage", "release", {"until": "staging"}, 201),
        ("stage", "promote", {"to_environment": "production"}, 403),
        ("stage", "rollback", {"environment": "production"}, 403),
        ("stage", "rollback", {"environment": "staging"}, 201),
        ("web", "release", {"services": ["web"]}, 201),
        ("web", "release", {"services": ["web", "api"]}, 403),
        ("web", "release", {}, 403),
        ("adm", "nightly", {}, 403),
        ("adm", "release", {"until": 7}, 422),
        ("adm", "make-good", {"environment": "staging"}, 201),
    ],
)
def test_who_starts_what_where(
    shop: PrefectShop,
    browsers: dict[str, httpx.Client],
    who: str,
    flow: str,
    request_: dict[str, Any],
    status: int,
) -> None:
    answer = create(browsers[who], shop.deployments[flow], parameters={"request": request_})

    assert answer.status_code == status, answer.text
    if status != 201:
        assert answer.json()["detail"]


def test_an_answer_carries_the_persons_name_and_never_the_code(
    gateway: Gateway, shop: PrefectShop
) -> None:
    people = gateway.crowd.people
    people.add(Person("cody", "", (Grant("approver"),)), PASSWORD, "tests")
    secret = pyotp.parse_uri(people.enrol_totp("cody"))
    assert isinstance(secret, pyotp.TOTP)
    now, step = datetime.now(UTC), timedelta(seconds=secret.interval)
    people.confirm_totp("cody", secret.at(now - step))
    session = people.begin("cody", "oidc", "")
    client = gateway.anonymous(
        headers={"Origin": gateway.url}, cookies={"tradewind": session.token}
    )
    run = shop.waiting(ref="main")
    typed = {"decision": "approve now", "decided_by": "somebody else"}

    wrong = client.post(
        f"/api/flow_runs/{run}/resume", json={"run_input": {**typed, "code": "000000"}}
    )
    asked_before = list(gateway.hooks.asked)
    code = secret.at(datetime.now(UTC))
    answer = client.post(
        f"/api/flow_runs/{run}/resume", json={"run_input": {**typed, "code": code}}
    )

    assert (wrong.status_code, asked_before) == (403, [])
    assert answer.json()["status"] == "ACCEPT", answer.text
    expected = {"decision": "approve now", "decided_by": "cody"}
    assert gateway.hooks.asked[-1][2] == expected
    assert shop.answer(run) == expected


def test_what_the_hook_refuses_stays_waiting_and_is_told(
    gateway: Gateway, shop: PrefectShop, browsers: dict[str, httpx.Client]
) -> None:
    run = shop.waiting(ref="main")
    gateway.hooks.refusal = "adm asked for this release: somebody else decides"

    answer = browsers["adm"].post(
        f"/api/flow_runs/{run}/resume", json={"run_input": {"decision": "approve now"}}
    )

    assert answer.status_code == 403
    assert answer.json() == {"detail": gateway.hooks.refusal}
    assert shop.run(run)["state"]["name"] == "Suspended"


def test_who_answers_what(
    gateway: Gateway, shop: PrefectShop, browsers: dict[str, httpx.Client]
) -> None:
    schema_change, choice = (
        shop.waiting(ref="main"),
        shop.waiting("rollback", environment="staging"),
    )
    staging_only = shop.waiting(ref="main", until="staging")
    machine = gateway.machine("adm")

    def answers(client: httpx.Client, run: str) -> int:
        given = {"run_input": {"decision": "reject", "decided_by": "x"}}
        return client.post(f"/api/flow_runs/{run}/resume", json=given).status_code

    assert [answers(browsers[one], schema_change) for one in ("viv", "rel", "stage")] == [403] * 3
    assert answers(machine, schema_change) == 403, "a token has no second factor"
    assert answers(browsers["prod"], staging_only) == 403
    assert gateway.hooks.asked == []
    assert answers(browsers["prod"], schema_change) in (200, 201)
    assert answers(browsers["app"], choice) == 403
    assert answers(browsers["stage"], choice) in (200, 201)
    assert "decided_by" in (gateway.hooks.asked[0][2] or {})


def test_only_cancelling_may_be_set_and_never_by_force(
    shop: PrefectShop, browsers: dict[str, httpx.Client]
) -> None:
    run = shop.started("release", ref="main")

    def sets(who: str, **body: Any) -> int:
        return browsers[who].post(f"/api/flow_runs/{run}/set_state", json=body).status_code

    refused = [
        sets("adm", state={"type": kind}, force=True)
        for kind in ("COMPLETED", "RUNNING", "SCHEDULED", "PAUSED", "CANCELLED", "cancelling", None)
    ]
    assert refused == [403] * 7  # fmt: skip
    assert sets("viv", state={"type": "CANCELLING"}) == 403
    assert sets("stage", state={"type": "CANCELLING"}) == 403
    assert shop.run(run)["state"]["type"] == "SCHEDULED"
    assert sets("rel", state={"type": "CANCELLING", "data": "x"}, force=True) in (200, 201)
    assert shop.run(run)["state"]["type"] in ("CANCELLING", "CANCELLED")


def test_a_body_of_more_than_a_mebibyte_is_refused(browsers: dict[str, httpx.Client]) -> None:
    answer = browsers["adm"].post("/api/flow_runs/filter", content=b" " * (1024 * 1024 + 1))

    assert answer.status_code == 413


def test_changes_are_bounded_per_person(crowd: Crowd, prefect_url: str, shop: PrefectShop) -> None:
    with served(crowd, prefect_url) as gateway:
        rate = gateway.app.state.gate.changing
        rate.burst, rate.per_second = 2, 0.001
        first, second = gateway.browser("rel"), gateway.browser("rel")

        codes = [create(client, shop.deployments["nightly"]).status_code for client in
                 (first, second, first)]  # fmt: skip
        reads = first.post("/api/flow_runs/filter", json={}).status_code

        assert codes == [403, 403, 429]
        assert reads == 200


def test_nothing_of_the_person_reaches_prefect(crowd: Crowd, prefect_url: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    behind = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with listening, served(crowd, behind) as gateway, ThreadPoolExecutor(1) as pool:
        client = gateway.browser("viv")
        client.headers.update({"Authorization": "Basic eDp5", "X-Forwarded-Host": "evil"})
        client.cookies.set("prefect_ui_version", "v1")
        asking = pool.submit(client.get, "/v2/dashboard")
        connection, _ = listening.accept()
        sent = connection.recv(65_536).decode().casefold()
        connection.close()
        answer = asking.result(20)

    assert answer.json() == {"detail": "Prefect does not answer: RemoteProtocolError"}
    assert "get /v2/dashboard" in sent
    assert "cookie: prefect_ui_version=v1\r\n" in sent
    assert "tradewind" not in sent
    assert "authorization" not in sent
    assert "evil" not in sent


def events(gateway: Gateway, path: str = "/api/events/out", **more: Any) -> Any:
    url = gateway.url.replace("http", "ws", 1) + path
    return connect(url, subprotocols=["prefect"], open_timeout=20, proxy=None, **more)


def cookie_of(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": f"tradewind={client.cookies['tradewind']}"}


@pytest.mark.parametrize("path", ["/api/events/out", "/api/logs/out"])
def test_a_stream_needs_a_session_and_the_gateways_own_page(
    gateway: Gateway, browsers: dict[str, httpx.Client], path: str
) -> None:
    own = cookie_of(browsers["viv"])
    nobody = cookie_of(browsers["nob"])

    for headers, origin in (({}, gateway.url), (own, "https://evil.example"), (own, None),
                            (own, "null"), (nobody, gateway.url)):  # fmt: skip
        with pytest.raises(InvalidStatus):
            events(gateway, path, additional_headers=headers, origin=origin)


@pytest.mark.parametrize("path", ["/api/events/in", "/api/task_runs/subscriptions/scheduled", "/x"])
def test_no_other_stream_passes(
    gateway: Gateway, browsers: dict[str, httpx.Client], path: str
) -> None:
    with pytest.raises(InvalidStatus):
        events(gateway, path, additional_headers=cookie_of(browsers["adm"]), origin=gateway.url)


def test_events_arrive_until_the_person_signs_out(
    gateway: Gateway, shop: PrefectShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployments.gateway.sockets.LOOK_AGAIN_SECONDS", 0.2)
    client = gateway.browser("viv")
    everything = {"occurred": {"since": "2026-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}}

    with events(gateway, additional_headers=cookie_of(client), origin=gateway.url) as stream:
        stream.send(json.dumps({"type": "auth", "token": "whatever"}))
        greeting = json.loads(stream.recv(timeout=20))
        stream.send(json.dumps({"type": "filter", "filter": everything}))
        run = shop.started("release", ref="main")
        kinds = Counter[str]()
        while f"prefect.flow-run.{run}" not in kinds:
            kinds[
                json.loads(stream.recv(timeout=30))["event"]["resource"]["prefect.resource.id"]
            ] += 1
        gateway.crowd.people.end_all("viv")
        with pytest.raises(ConnectionClosed):
            drained(stream)

    assert greeting == {"type": "auth_success"}


def drained(stream: ClientConnection) -> None:
    """Whatever still comes, until nothing can."""
    while True:
        stream.recv(timeout=20)


def test_the_ui_is_told_to_call_the_gateway(gateway: Gateway, prefect_url: str) -> None:
    client = gateway.browser("nob")

    assert client.get("/ui-settings").status_code == 403
    settings = gateway.browser("viv").get("/ui-settings").json()
    assert settings["api_url"] == f"{gateway.url}/api"
    assert settings["auth"] is None
    assert prefect_url not in json.dumps(settings)
