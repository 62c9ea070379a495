"""Who stands at the gateway in tests, what is behind it, and how it is served."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from fastapi import APIRouter, FastAPI

from blocks.people import People, Tokens
from deployments.gateway import Behind, GatewaySettings, create
from deployments.stack.processes import until
from domain.access.people import Signed
from domain.access.roles import Grant
from domain.errors import Refused

ALL: Mapping[str, tuple[Grant, ...]] = {
    "viv": (Grant("viewer"),),
    "rel": (Grant("releaser"),),
    "app": (Grant("approver"),),
    "adm": (Grant("admin"),),
    "nob": (),
    "stage": (Grant("releaser", ("staging",)),),
    "web": (Grant("releaser", (), ("web",)),),
    "prod": (Grant("approver", ("production",)),),
}
SHOP, PASSWORD = "teashop", "four small tea-pots"
ROUTE, SERVICES = ("staging", "production"), ("web", "api")


@dataclass(frozen=True)
class Crowd:
    people: People
    tokens: Tokens


@dataclass
class Answers:
    """Hooks that note what they are asked; ``refusal`` is what they say no with."""

    routers: tuple[APIRouter, ...] = ()
    refusal: str = ""
    landing: str = "/gate/"
    asked: list[tuple[str, UUID, Any]] = field(default_factory=list)

    def may_resume(
        self, signed: Signed, flow_run: UUID, run_input: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        self.asked.append((signed.person.name, flow_run, run_input))
        if self.refusal:
            raise Refused(self.refusal)
        return None if run_input is None else dict(run_input)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@dataclass
class Gateway:
    """One that is being served; everybody gets a client of their own."""

    url: str
    crowd: Crowd
    hooks: Answers
    app: FastAPI
    verify: Any = True
    clients: list[httpx.Client] = field(default_factory=list)

    def anonymous(self, **more: Any) -> httpx.Client:
        client = httpx.Client(base_url=self.url, verify=self.verify, timeout=30, **more)
        self.clients.append(client)
        return client

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def machine(self, name: str, *scope: Grant) -> httpx.Client:
        """With a token; its scope is everything the person may unless told."""
        token = self.crowd.tokens.issue(name, "tests", scope or (Grant("admin"),), 1)
        return self.anonymous(headers={"Authorization": f"Bearer {token}"})

    def browser(self, name: str) -> httpx.Client:
        """Signed in through the form; its calls come from the gateway's own pages."""
        client = self.anonymous(headers={"Origin": self.url})
        answer = sign_in(client, name)
        assert answer.status_code == 303, answer.text
        return client


def sign_in(
    client: httpx.Client, name: str, password: str = PASSWORD, wanted: str = "", code: str = ""
) -> httpx.Response:
    form = {"form_token": form_token(client), "name": name, "password": password,
            "code": code, "next": wanted}  # fmt: skip
    return client.post("/gate/sign-in", data=form)


def form_token(client: httpx.Client, page: str = "/gate/sign-in") -> str:
    return client.get(page).text.split('name="form_token" value="')[1].split('"')[0]


@contextmanager
def served(
    crowd: Crowd, prefect_url: str, hooks: Answers | None = None, **more: Any
) -> Iterator[Gateway]:
    """The gateway by uvicorn in a thread, as ``python -m deployments.gateway`` serves it."""
    from deployments.gateway.serving import server

    port = free_port()
    scheme = "https" if more.get("tls_key") else "http"
    url, hooks = f"{scheme}://127.0.0.1:{port}", hooks or Answers()
    settings = GatewaySettings(**{"public_url": url, "port": port, **more})
    behind = Behind(prefect_url, SHOP, ROUTE, SERVICES)
    app = create(settings, crowd.people, crowd.tokens, behind, hooks)
    serving = server(app, settings)
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        assert until(lambda: serving.started, 10), "the gateway did not start"
        gateway = Gateway(url, crowd, hooks, app)
        yield gateway
        gateway.close()
    finally:
        serving.should_exit = True
        thread.join(20)
