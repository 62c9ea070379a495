"""Pictures for the docs, of a real stack: ``python -m tests.screenshots`` writes docs/pictures."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import httpx
import yaml
from PIL import Image
from playwright.sync_api import Browser, Page

from blocks import prefect_runs as runs
from blocks.people import People
from deployments.people import key_of
from domain.access.people import Person
from domain.access.roles import Grant, Role
from tests.browser import chromium
from tests.deployments.gateway.street import free_port
from tests.flows.test_gate import report_of
from tests.flows.world import Settings, World, opened, quick

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PROMOTIONS = Path(__file__).parents[1] / "blocks" / "calendars" / "promotions.yaml"
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
STAFF: dict[str, Role] = {"ann": "releaser", "bo": "approver", "cy": "admin"}
MOST_BYTES, COLOURS = 200_000, 256
SHOWN_MS, SETTLED_MS, RUN_SECONDS = 60_000, 1500, 600.0


@dataclass(frozen=True)
class Shot:
    """A page by its name; ``ready`` opens what has to be open, and waits for it."""

    name: str
    path: str
    ready: Callable[[Page], None]
    signed_in: bool = True
    whole: bool = False


def main() -> None:
    """A release that serves, one whose tests fail, one that waits; then the pictures of them."""
    with tempfile.TemporaryDirectory(prefix="tradewind-pictures-") as folder:
        place = Path(folder) / "shop"
        with opened(place, lambda settings: guarded(settings, place)) as world:
            hire(world)
            served, waits = releases(world)
            with chromium() as browser:
                for shot in shots(world, served, waits):
                    for size in SIZES:
                        taken(world, browser, shot, size)


def guarded(settings: Settings, folder: Path) -> None:
    """Every release into production takes an approval; promotions that are always soon."""
    quick(settings)
    port = free_port()
    settings["gateway"] = {"public_url": f"http://127.0.0.1:{port}", "port": port}
    production = settings["environments"]["production"]
    production["channels"] = {"amazon-us": production["channels"]["amazon-us"]}
    production["checks"] |= {"windows": 2, "sql_above_rows": 0}
    production["canary"] = None
    production["approvals"] = {"signed": True, "releases": "always"}
    named = [one["name"] for one in yaml.safe_load(PROMOTIONS.read_text())["events"]]
    settings["calendar"] = {
        "time_zone": "Europe/Berlin", "files": ["promotions.yaml"], "without": named,
    }  # fmt: skip
    (folder / "promotions.yaml").write_text(yaml.safe_dump({"events": [*promotions()]}))


def promotions() -> Iterator[dict[str, object]]:
    for name, days in (("Spring sale", 24), ("Live show", 50)):
        day = datetime.now(UTC) + timedelta(days=days)
        yield {"name": name, "rule": {"kind": "fixed", "day": f"{day:%m-%d}", "days": 2}}


def hire(world: World) -> None:
    people = people_of(world)
    for name, role in STAFF.items():
        person = Person(name, name.capitalize(), (Grant(role),))
        people.add(person, f"{name} has a long password", "screenshots")


def people_of(world: World) -> People:
    return People(world.live.ledger_url, key_of(world.live.state))


def releases(world: World) -> tuple[UUID, UUID]:
    """The runs of the release that serves and of the one that waits."""
    served = world.start(reason="the shop as it is")
    assert runs.follow(served, RUN_SECONDS).waits
    approve(world, served)
    assert runs.follow(served, RUN_SECONDS).completed
    runs.follow(world.start(world.sample.branch("odd", "0004"), reason="quicker"), RUN_SECONDS)
    world.sample.switch("main")
    file = world.folder / "storefront" / "__init__.py"
    file.write_text(f"{file.read_text()}# gift notes\n")
    world.sample.commit("Gift notes")
    waits = world.start(reason="gift notes for December")
    assert runs.follow(waits, RUN_SECONDS).waits
    return served, waits


def approve(world: World, run: UUID) -> None:
    """By Bo, at the gateway, for the plan as it is."""
    (row,) = world.live.ledger.deployments.unfinished()
    (approval,) = world.live.ledger.approvals.of_deployment(row.id)
    answer = httpx.post(
        f"{door(world)}/api/flow_runs/{run}/resume",
        headers={"Origin": door(world)},
        cookies={"tradewind": people_of(world).begin("bo", "oidc", "127.0.0.1").token},
        json={"run_input": {"decision": "approve now", "plan": approval.plan_digest}},
        timeout=60,
    )
    answer.raise_for_status()


def door(world: World) -> str:
    assert world.live.shop.gateway is not None
    return world.live.shop.gateway.origin


def shots(world: World, served: UUID, waits: UUID) -> Iterator[Shot]:
    """In the order in which somebody meets them."""
    yield Shot("sign-in", "/gate/sign-in", heading("Sign in"), signed_in=False)
    yield Shot("dashboard", "/gate/dashboard", heading("What runs where"), whole=True)
    yield Shot("environments", "/gate/environments", heading("Environments"), whole=True)
    yield Shot("you", "/gate/", heading("Cy"))
    yield Shot("release-form", "/gate/start/release", said("Branch, tag or commit"))
    yield Shot("runs", "/gate/runs", said("→ production"))
    yield Shot("run-graph", f"/v2/runs/flow-run/{served}", said("Logs"))
    yield Shot("gate-form", f"/v2/runs/flow-run/{waits}", gate_form)
    yield Shot("report", f"/v2/artifacts/artifact/{report_of(served)}", said("asked for by"))


def heading(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("heading", name=name).first.wait_for()


def said(text: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_text(text).first.wait_for()


def gate_form(page: Page) -> None:
    page.get_by_role("button", name="Open menu").first.click()
    page.get_by_role("menuitem", name="Resume").click()
    page.get_by_role("dialog").get_by_label("Decision").wait_for()
    page.get_by_role("dialog").get_by_text("Asked for by").wait_for()


def taken(world: World, browser: Browser, shot: Shot, size: str) -> None:
    """One picture; a page on a desk is as high as the screen, a page of ours as it is long."""
    with opened_page(world, browser, shot, size) as page:
        page.goto(f"{door(world)}{shot.path}")
        shot.ready(page)
        page.wait_for_timeout(SETTLED_MS)  # graphs and charts draw themselves in
        picture = small(page.screenshot(full_page=shot.whole))
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{shot.name}-{size}.png").write_bytes(picture)


@contextmanager
def opened_page(world: World, browser: Browser, shot: Shot, size: str) -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    if shot.signed_in:
        token = people_of(world).begin("cy", "oidc", "127.0.0.1").token
        context.add_cookies([{"name": "tradewind", "value": token, "url": door(world)}])
    page = context.new_page()
    page.set_default_timeout(SHOWN_MS)
    yield page
    context.close()


def small(taken: bytes) -> bytes:
    """With few colours, which is all that such pages have; rare ones, as of marks, are kept."""
    kept = BytesIO()
    with Image.open(BytesIO(taken)) as picture:
        few = picture.convert("RGB").quantize(
            COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        few.save(kept, "PNG", optimize=True)
    assert len(kept.getvalue()) <= MOST_BYTES, f"{len(kept.getvalue()):,} of {MOST_BYTES:,} bytes"
    return kept.getvalue()


if __name__ == "__main__":
    main()
