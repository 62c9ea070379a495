"""Signing in and out through the real gateway, with people in a real database."""

import logging
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import APIRouter, Depends

from deployments.gateway import needs, signed
from domain.access.people import Person, Signed
from domain.access.roles import Grant
from domain.errors import Failed
from tests.deployments.gateway.street import (
    PASSWORD,
    Answers,
    Crowd,
    Gateway,
    form_token,
    served,
    sign_in,
)

NOWHERE = "http://127.0.0.1:9"
"""No Prefect: nothing here gets that far."""

lent = APIRouter()


@lent.get("/own/name")
def name(who: Signed = Depends(signed)) -> dict[str, str]:  # noqa: B008 FastAPI's way
    return {"name": who.person.name, "via": who.via}


@lent.post("/own/stop", dependencies=[Depends(needs("stop"))])
def stop() -> dict[str, str]:
    return {"stopped": "yes"}


@lent.get("/own/trouble")
def trouble() -> None:
    raise ZeroDivisionError("the secret is four tea-pots")


@lent.get("/own/failure")
def failure() -> None:
    raise Failed("half of it was done")


@pytest.fixture
def gateway(crowd: Crowd) -> Iterator[Gateway]:
    with served(crowd, NOWHERE, Answers((lent,))) as serving:
        yield serving


def test_a_person_signs_in_and_goes_on_to_the_page_that_was_wanted(gateway: Gateway) -> None:
    client = gateway.anonymous(headers={"Origin": gateway.url})
    asked = client.get("/v2/runs?tab=1", headers={"Accept": "text/html"})

    answer = sign_in(client, "viv", wanted="/v2/runs?tab=1")

    assert asked.status_code == 303
    assert asked.headers["location"] == "/gate/sign-in?next=%2Fv2%2Fruns%3Ftab%3D1"
    assert (answer.status_code, answer.headers["location"]) == (303, "/v2/runs?tab=1")
    assert client.get("/own/name").json() == {"name": "viv", "via": "password"}


def test_the_cookie_is_for_this_host_unreadable_and_new_each_time(gateway: Gateway) -> None:
    client = gateway.anonymous(headers={"Origin": gateway.url})
    client.cookies.set("tradewind", "chosen-by-somebody-else")

    first, second = sign_in(client, "viv"), sign_in(client, "viv")

    cookie = first.headers["set-cookie"]
    assert "chosen-by-somebody-else" not in cookie
    assert cookie != second.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {*cookie.split("; ")}


def test_whatever_was_wrong_the_sentence_is_the_same(gateway: Gateway) -> None:
    client = gateway.anonymous(headers={"Origin": gateway.url})

    answers = [sign_in(client, who, password) for who, password in
               (("viv", "wrong password"), ("nobody-at-all", PASSWORD), ("viv", ""))]  # fmt: skip

    said = {one.text.split('role="alert">')[1].split("<")[0] for one in answers}
    assert [one.status_code for one in answers] == [401, 401, 401]
    assert len(said) == 1
    assert "tradewind" not in client.cookies


def test_signing_out_ends_the_session_on_the_server(gateway: Gateway) -> None:
    client = gateway.browser("viv")
    stolen = client.cookies["tradewind"]

    client.post("/gate/sign-out", data={"form_token": form_token(client, "/gate/")})

    thief = gateway.anonymous(cookies={"tradewind": stolen})
    assert thief.get("/own/name").status_code == 401
    assert "tradewind" not in client.cookies


def test_a_disabled_person_is_out_at_once(gateway: Gateway) -> None:
    people = gateway.crowd.people
    people.add(Person("leaver", "", (Grant("admin"),)), PASSWORD, "tests")
    client = gateway.browser("leaver")

    people.disable("leaver", "tests")

    assert client.get("/own/name").status_code == 401


def test_a_second_factor_is_asked_for_and_proved_again_on_the_home_page(gateway: Gateway) -> None:
    people = gateway.crowd.people
    people.add(Person("fay", "", (Grant("approver"),)), PASSWORD, "tests")
    secret = pyotp.parse_uri(people.enrol_totp("fay"))
    assert isinstance(secret, pyotp.TOTP)
    now = datetime.now(UTC)
    people.confirm_totp("fay", secret.at(now - timedelta(seconds=secret.interval)))
    client = gateway.anonymous(headers={"Origin": gateway.url})

    without = sign_in(client, "fay")
    with_it = sign_in(client, "fay", code=secret.at(now))
    proved = client.post(
        "/gate/factor",
        data={"form_token": form_token(client, "/gate/"), "code": secret.at(now)},
    )

    assert (without.status_code, with_it.status_code) == (401, 303)
    assert 'role="alert"' in proved.text, "one code counts once"
    assert "Proved just now." in client.get("/gate/").text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_another_sites_form_changes_nothing(gateway: Gateway, headers: dict[str, str]) -> None:
    client = gateway.browser("adm")
    cookies = {"tradewind": client.cookies["tradewind"]}
    victim = gateway.anonymous(cookies=cookies, headers=headers)

    answers = [victim.post("/own/stop"), victim.post("/gate/sign-out"),
               victim.post("/api/flow_runs/filter", json={})]  # fmt: skip

    assert [one.status_code for one in answers] == [403, 403, 403]
    assert client.post("/own/stop").json() == {"stopped": "yes"}


def test_an_own_form_needs_its_token_too(gateway: Gateway) -> None:
    client = gateway.browser("adm")

    answer = client.post("/gate/sign-out", data={"form_token": "f" * 64})

    assert answer.status_code == 403
    assert client.get("/own/name").status_code == 200


def test_a_token_needs_no_cookie_and_is_never_helped_by_one(gateway: Gateway) -> None:
    browser, machine = gateway.browser("adm"), gateway.machine("rel")
    wrong = {"Authorization": "Bearer tw_wrong"}

    answers = [browser.get("/own/name", headers=wrong), machine.post("/own/stop"),
               machine.get("/own/name")]  # fmt: skip

    assert [one.status_code for one in answers] == [401, 200, 200]
    assert answers[2].json() == {"name": "rel", "via": "token"}


def test_a_lent_route_refuses_whoever_lacks_the_permission(gateway: Gateway) -> None:
    answers = [gateway.anonymous().post("/own/stop"), gateway.machine("viv").post("/own/stop"),
               gateway.machine("app", Grant("viewer")).post("/own/stop"),
               gateway.machine("app").post("/own/stop")]  # fmt: skip

    assert [one.status_code for one in answers] == [401, 403, 403, 200]
    assert answers[1].json() == {"detail": "viv may not stop; an admin can grant it"}


def test_attempts_are_bounded_per_address(gateway: Gateway) -> None:
    client = gateway.anonymous(headers={"Origin": gateway.url})
    gateway.app.state.gate.signing_in.per_second = 0.001
    token = form_token(client)
    form = {"form_token": token, "name": "nobody-at-all", "password": "x", "next": ""}

    codes = [client.post("/gate/sign-in", data=form) for _ in range(11)]

    assert codes[-1].status_code == 429
    assert int(codes[-1].headers["retry-after"]) >= 1


def test_behind_a_proxy_only_the_address_it_noted_counts(crowd: Crowd) -> None:
    with served(crowd, NOWHERE, behind_proxy=True) as gateway:
        gateway.app.state.gate.signing_in.per_second = 0.001
        client = gateway.anonymous(headers={"Origin": gateway.url})
        form = {"form_token": form_token(client), "name": "x", "password": "x", "next": ""}

        def attempt(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            return client.post("/gate/sign-in", data=form, headers=headers).status_code

        spoofed = [attempt(f"10.9.9.{number}, 192.0.2.1") for number in range(11)]

        assert spoofed[-1] == 429, "what the browser itself wrote must not count"
        assert attempt("192.0.2.2") != 429


def test_no_answer_shows_a_trace_or_a_secret(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL, logger="tradewind.gateway"):
        answers = [gateway.anonymous().get(path) for path in ("/own/trouble", "/own/failure")]

    assert [one.status_code for one in answers] == [500, 500]
    assert "tea-pots" not in answers[0].text
    assert answers[1].json() == {"detail": "half of it was done"}
    assert all("Traceback" not in one.text for one in answers)
    assert all(one.headers["x-content-type-options"] == "nosniff" for one in answers)


def test_the_access_log_names_everybody_who_may_have_changed_something(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="tradewind.gateway"):
        gateway.browser("app").post("/own/stop")
        gateway.machine("viv").post("/own/stop")
        gateway.anonymous().post("/own/stop")

    lines = [one.getMessage() for one in caplog.records if "/own/stop" in one.getMessage()]
    assert lines == [
        "app (password) POST /own/stop: 200",
        "viv (token) POST /own/stop: 403",
        "nobody POST /own/stop: 401",
    ]


def test_every_answer_carries_the_safety_headers_and_no_name(gateway: Gateway) -> None:
    client = gateway.anonymous()

    for answer in (client.get("/gate/sign-in"), client.get("/api/flows/x"),
                   client.get("/api/%2e%2e/x"), client.get("/gate/style.css"),
                   client.request("TRACE", "/gate/")):  # fmt: skip
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers


def test_another_hosts_name_and_an_odd_path_are_turned_away(gateway: Gateway) -> None:
    client = gateway.anonymous()

    assert client.get("/gate/health", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/gate/health").json() == {"gateway": "answers"}
    assert client.get("/gate//health").status_code == 400


def test_too_long_a_form_is_not_read_to_its_end(gateway: Gateway) -> None:
    client = gateway.anonymous(headers={"Origin": gateway.url})

    answer = client.post("/gate/sign-in", content=b"a=" + b"b" * 20_000)

    assert answer.status_code == 413


def test_the_pages_speak_the_browsers_language(gateway: Gateway) -> None:
    client = gateway.anonymous()

    chinese = client.get("/gate/sign-in", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    english = client.get("/gate/sign-in", headers={"Accept-Language": "de"})

    assert "<h1>登录</h1>" in chinese.text
    assert "<h1>Sign in</h1>" in english.text


def test_what_somebody_typed_is_shown_as_text(gateway: Gateway) -> None:
    client = gateway.anonymous(headers={"Origin": gateway.url})

    answer = sign_in(client, '"><script>alert(1)</script>', "x", wanted='"><script>')

    assert "<script" not in answer.text


def test_with_a_certificate_it_speaks_tls_and_its_cookies_are_bound_to_the_host(
    crowd: Crowd, tmp_path: Path
) -> None:
    certificate, key = certified(tmp_path)
    trusting = ssl.create_default_context(cafile=certificate)

    with served(crowd, NOWHERE, tls_certificate=certificate, tls_key=key) as gateway:
        gateway.verify = trusting
        client = gateway.anonymous(headers={"Origin": gateway.url})
        answer = sign_in(client, "viv")

        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-tradewind=")
        assert {"Secure", "HttpOnly", "Path=/"} <= {*cookie.split("; ")}
        assert "max-age=31536000" in answer.headers["strict-transport-security"]
        assert client.get("/gate/").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{gateway.url}/gate/health")


def certified(folder: Path) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now, day = datetime.now(UTC), timedelta(days=1)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "certificate.pem"), str(folder / "key.pem")
