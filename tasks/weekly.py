"""The weekly report: figures as a page and a picture, and a sentence for everybody."""

from datetime import datetime, timedelta

from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact

from blocks.shop import Live
from domain.figures.page import report, sentence
from domain.notices.messages import Facts
from tasks import week_chart
from tasks.figures import figures_of, zone_of
from tasks.notify import artifact_page, tell
from tasks.retries import STEP

REPORT, CHART = "weekly-report", "weekly-chart"
WEEK = timedelta(days=7)


@task(task_run_name="say how the week went", **STEP)
def say(live: Live, until: datetime) -> str:
    """How the last environment of the route did within seven days, in a sentence."""
    return sentence(figures_of(live, until - WEEK, until), live.shop.route[-1])


@task(task_run_name="report the week", **STEP)
def report_week(live: Live, until: datetime, said: str) -> None:
    """As many days as shop.yaml says: Markdown for people, and a picture of what moves."""
    days = live.shop.figures.period_days
    found = figures_of(live, until - timedelta(days=days), until)
    title = f"{live.shop.shop}: the last {days} days"
    page = report(found, title, said)
    create_markdown_artifact(page, key=REPORT, description=said[:200])
    create_image_artifact(week_chart.data_uri(found, title, zone_of(live)), key=CHART)


def tell_week(live: Live, said: str, flow_run: str) -> None:
    """Whoever wants to know, once for this run."""
    facts = Facts(live.shop.shop, outcome=said, link=artifact_page(live, REPORT))
    tell(live, "weekly", flow_run, facts)
