"""Signing in with a company's account, against an OpenID provider on this machine."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from deployments.gateway import Oidc
from domain.access.people import Person
from domain.access.roles import Grant
from tests.deployments.gateway.issuer import CLIENT, CLIENT_SECRET, Issuer, issuing
from tests.deployments.gateway.street import PASSWORD, Crowd, Gateway, served

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def gateway(crowd: Crowd, issuer: Issuer) -> Iterator[Gateway]:
    """Where "ona" is linked to the issuer's subject-1."""
    crowd.people.add(Person("ona", "", (Grant("viewer"),)), PASSWORD, "tests")
    crowd.people.link("ona", issuer.url, "subject-1", "tests")
    oidc = Oidc(issuer.url, CLIENT, CLIENT_SECRET)
    with served(crowd, NOWHERE, oidc=oidc) as serving:
        serving.app.state.gate.signing_in.burst = 1000
        serving.app.state.gate.signing_in.per_second = 1000
        yield serving


@pytest.fixture(autouse=True)
def honest(issuer: Issuer) -> None:
    issuer.lies, issuer.published, issuer.subject = {}, None, "subject-1"


def callback(client: httpx.Client, wanted: str = "/gate/") -> str:
    """The address that the issuer sends the browser back to."""
    start = client.get("/gate/oidc/start", params={"next": wanted})
    assert start.status_code == 303, start.text
    return httpx.get(start.headers["location"]).headers["location"]


def test_a_linked_person_signs_in_and_goes_on(gateway: Gateway) -> None:
    client = gateway.anonymous()

    answer = client.get(callback(client, "/v2/runs"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/v2/runs")
    assert "tradewind" in client.cookies
    assert "Ona" in client.get("/gate/").text or "ona" in client.get("/gate/").text


def test_somebody_who_is_not_linked_reads_why(gateway: Gateway, issuer: Issuer) -> None:
    client = gateway.anonymous()
    issuer.subject = "a stranger"

    answer = client.get(callback(client))

    assert answer.status_code == 403
    assert "belongs to nobody here yet" in answer.text
    assert "tradewind" not in client.cookies


@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"nonce": "of another sign-in"},
        {"exp": 1},
        {"sub": None},
    ],
)
def test_an_answer_that_does_not_prove_who_it_is_counts_for_nothing(
    gateway: Gateway, issuer: Issuer, lies: dict[str, Any]
) -> None:
    client = gateway.anonymous()
    issuer.lies = lies

    answer = client.get(callback(client))

    assert answer.status_code == 403, answer.text
    assert "tradewind" not in client.cookies


def test_an_answer_signed_by_somebody_else_counts_for_nothing(
    gateway: Gateway, issuer: Issuer
) -> None:
    client = gateway.anonymous()
    issuer.published = RSAKey.generate_key(2048, {"kid": "1"})

    assert client.get(callback(client)).status_code == 403


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(gateway: Gateway) -> None:
    victim, attacker = gateway.anonymous(), gateway.anonymous()
    attacker.get("/gate/sign-in")
    stolen, used = callback(victim), callback(attacker)

    in_another = attacker.get(stolen)
    first, second = attacker.get(used), attacker.get(used)

    assert in_another.status_code == 403
    assert (first.status_code, second.status_code) == (303, 403)


def test_a_code_without_its_verifier_is_not_taken(gateway: Gateway, issuer: Issuer) -> None:
    client, other = gateway.anonymous(), gateway.anonymous()
    foreign = httpx.URL(callback(other)).params["code"]

    answer = client.get(httpx.URL(callback(client)).copy_set_param("code", foreign))

    assert answer.status_code == 403
    assert "did not take the code" in answer.text
