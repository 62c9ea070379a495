"""Both of Prefect's UIs through the gateway, in a real browser: they work, and nothing leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import chromium
from tests.deployments.gateway.prefect_shop import PrefectShop, prefect_shop
from tests.deployments.gateway.street import PASSWORD, Crowd, Gateway, served

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(280)]

SHOWN_MS = 40_000
TELEMETRY = "https://sr-client-cfg.amplitude.com/"
"""The one address that Prefect's newer UI asks for; the policy must stop it, and may say so."""


@dataclass
class Watched:
    """A page, every request that it really made, and every error it told of."""

    page: Page
    requested: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self._noted(said.type, said.text))

    def _noted(self, kind: str, text: str) -> None:
        if kind == "error" and "Content Security Policy" in text and TELEMETRY not in text:
            self.errors.append(text)


@pytest.fixture(scope="module")
def shop(prefect_url: str) -> PrefectShop:
    return prefect_shop(prefect_url)


@pytest.fixture(scope="module")
def gateway(crowd: Crowd, prefect_url: str) -> Iterator[Gateway]:
    with served(crowd, prefect_url) as serving:
        yield serving


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    with chromium() as browser:
        yield browser.new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture
def watched(context: BrowserContext, gateway: Gateway) -> Iterator[Watched]:
    """Somebody who is not signed in yet."""
    context.clear_cookies()
    page = context.new_page()
    page.set_default_timeout(SHOWN_MS)
    expect.set_options(timeout=SHOWN_MS)
    watching = Watched(page)
    yield watching
    page.close()
    outside = [url for url in watching.requested
               if not url.startswith((f"{gateway.url}/", "data:", "blob:"))]  # fmt: skip
    assert outside == []
    assert watching.errors == []


def sign_in(page: Page, gateway: Gateway, name: str, wanted: str) -> None:
    page.goto(f"{gateway.url}{wanted}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/gate/sign-in" not in url)


def test_a_person_signs_in_starts_a_release_and_reads_why_an_answer_is_refused(
    watched: Watched, gateway: Gateway, shop: PrefectShop
) -> None:
    page, run = watched.page, shop.waiting(ref="main")
    gateway.hooks.refusal = "adm asked for this release: somebody else decides"

    sign_in(page, gateway, "adm", f"/v2/deployments/deployment/{shop.deployments['release']}/run")
    page.get_by_label("Your name").fill("the boss")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(lambda url: not url.endswith("/run"))
    page.goto(f"{gateway.url}/v2/runs/flow-run/{run}")
    page.get_by_role("button", name="Open menu").first.click()
    page.get_by_role("menuitem", name="Resume").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Decision").click()
    page.get_by_role("option", name="approve now").click()
    dialog.get_by_label("Your name").fill("somebody else")
    dialog.get_by_role("button", name="Resume").click()

    expect(page.get_by_text(gateway.hooks.refusal)).to_be_visible()
    newest = shop.asked("POST", "/api/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})
    assert "adm" in [one["parameters"]["request"].get("requested_by") for one in newest]


def test_the_older_pages_work_for_somebody_who_may_only_look(
    watched: Watched, gateway: Gateway, shop: PrefectShop, context: BrowserContext
) -> None:
    page, run = watched.page, shop.waiting(ref="main")
    version = {"name": "prefect_ui_version", "value": "v1", "url": gateway.url}
    context.add_cookies([version])  # type: ignore[list-item]  # a TypedDict, spelled out

    sign_in(page, gateway, "viv", f"/runs/flow-run/{run}")

    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.goto(f"{gateway.url}/events")
    expect(page.get_by_text("Flow run suspended").first).to_be_visible()
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    page.goto(f"{gateway.url}/")
    page.wait_for_url(f"{gateway.url}/dashboard*")
    expect(page.get_by_text("tradewind").first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_own_pages_fit_the_screen(
    watched: Watched, gateway: Gateway, shop: PrefectShop, width: int
) -> None:
    page, run = watched.page, shop.waiting(ref="main")
    page.set_viewport_size({"width": width, "height": 844})
    wide = "document.documentElement.scrollWidth"

    page.goto(f"{gateway.url}/gate/sign-in")
    sign_in_wide = page.evaluate(wide)
    sign_in(page, gateway, "prod", "/gate/")

    expect(page.locator(f'a[href="/v2/runs/flow-run/{run}"]')).to_be_visible()
    expect(page.get_by_text("approver")).to_be_visible()
    assert (sign_in_wide, page.evaluate(wide)) == (width, width)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/gate/sign-in")
