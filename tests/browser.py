"""A headless Chromium, and what people do with Prefect's pages in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from prefect.client.orchestration import get_client


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips where nobody could install it; on CI as root that is a failure."""
    program = shutil.which("chromium")
    if program is None and os.environ.get("CI") and os.getuid() == 0:
        pytest.fail("Chromium is missing: `make browser` installs it")
    if program is None:
        pytest.skip("Chromium is not installed, and only root can have it from Debian")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


def fill_release_form(page: Page, pages: str, shop: str, name: str) -> UUID:
    """Starts a release by the form in Prefect's ``pages``; the deployment's id."""
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(f"release/{shop}")
    page.goto(f"{pages}/deployments/deployment/{deployment.id}/run")
    expect(page.get_by_text("Branch, tag or commit")).to_be_visible()
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(lambda address: not address.endswith("/run"))
    return deployment.id
