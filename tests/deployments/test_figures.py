"""Figures as people get them: the command, a release's cost, the weekly page and its picture."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from blocks.shop import Live
from deployments.cli import app
from deployments.figures import machine, reckoned
from domain.errors import BadInput, Refused
from domain.figures.page import report, sentence
from tasks.figures import cost_of, figures_of, zone_of
from tasks.week_chart import data_uri
from tests.deployments.released import PRICES, released, small_shop


@pytest.fixture
def live(tmp_path: Path, database_url: str) -> Live:
    prices = {"prices": PRICES, "time_zone": "Asia/Shanghai"}
    return small_shop(tmp_path, database_url, figures=prices)


def run(live: Live, *arguments: str) -> str:
    found = CliRunner().invoke(app, ["--shop", str(live.path), "figures", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


def test_before_the_first_release_every_way_says_so(live: Live) -> None:
    said = reckoned(live, "", 0)

    page = report(said, "teashop", sentence(said, "production"))
    picture = data_uri(said, "teashop", zone_of(live))

    assert "no release yet" in run(live)
    assert json.loads(run(live, "--json"))["figures"] == []
    assert "There has been no release yet." in page
    assert base64.b64decode(picture.partition(",")[2]).startswith(b"\x89PNG")


def test_the_command_tells_success_with_its_proof(live: Live) -> None:
    released(live, "run-1")
    released(live, "run-2", "rolled back")

    shown = run(live, "--environment", "production")
    (whole, web) = json.loads(run(live, "--json"))["figures"]

    assert "1 deployed, 1 safely rolled back" in " ".join(shown.split())
    assert (whole["service"], web["service"]) == ("", "web")
    assert (whole["failed"]["count"], whole["failed"]["of"]) == (1, 2)
    assert whole["success"]["needed"] == 2993
    assert whole["lead"]["median"] == pytest.approx(7200, abs=300)


def test_a_release_costs_what_it_took(live: Live) -> None:
    version = released(live, "run-1").version

    found = cost_of(live, version)

    assert found["currency"] == "CNY"
    assert found["registry_gb"] == 0.5 * (1 + 2)
    assert found["total"] == pytest.approx(0.75, abs=0.05)
    with pytest.raises(Refused, match="there is no release"):
        cost_of(live, "2020.1.1.1")


def test_what_there_is_not_is_named(live: Live) -> None:
    with pytest.raises(BadInput, match="environment is 'moon'"):
        reckoned(live, "moon", 0)
    with pytest.raises(BadInput, match="days is -1, it has to be 0 to 3660"):
        reckoned(live, "", -1)
    now = live.ledger.approvals.now()
    with pytest.raises(BadInput, match="has to be after since"):
        figures_of(live, now, now - timedelta(days=1))


def test_the_weekly_page_has_a_section_for_everything_that_happened(live: Live) -> None:
    for number, state in enumerate(("done", "rolled back", "done", "halted")):
        released(live, f"run-{number}", state)
    said = reckoned(live, "", 0)

    page = report(said, "teashop", sentence(said, "production"))
    told = machine(said, said.lines)

    assert zone_of(live) == ZoneInfo("Asia/Shanghai")
    assert "2 deployed, 1 rolled back, 1 not safe" in page
    assert "3 of 4 ended safely" in page
    assert "promote 2, restore 2" in page
    assert "CNY" in page
    assert {one["stage"] for one in told["stages"]} >= {"build", "route", "canary"}
