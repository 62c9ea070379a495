"""Drift of an environment: the ledger and shop.yaml on one side, every host on the other."""

from prefect import task
from prefect.artifacts import create_markdown_artifact

from blocks.hosts import Host
from blocks.shop import Live
from domain.drift import Drift, Expected, Found, drift, drift_report, warm
from domain.errors import TradewindError
from domain.host import Observed
from domain.journal import Deployment
from tasks.deployment import manifest_of, scope_of
from tasks.fleet import answers, asked
from tasks.retries import STEP

DRIFT = "drift"


def under_way(live: Live) -> frozenset[str]:
    """Environments that a deployment is changing now: they are as they should be when it ended."""
    return frozenset(row.environment for row in live.ledger.deployments.unfinished())


@task(task_run_name="drift of {environment}", **STEP)
def find_drift(live: Live, environment: str) -> tuple[Drift, ...]:
    """Everything that is not as it should be; a host that does not answer is one such thing."""
    done = live.ledger.deployments.done(environment)
    hosts = observed(live, environment)
    configuration = manifest_of(live, done[0].version).configuration if done else ""
    return drift(_expected(live, environment, done), Found(hosts, configuration))


def report_drift(live: Live) -> None:
    """An artifact when something in an environment that rests is not as it should be."""
    moving = under_way(live)
    resting = [place for place in live.shop.environments if place not in moving]
    found = [one for place in resting for one in find_drift(live, place)]
    if found:
        create_markdown_artifact(drift_report(found), key=DRIFT, description=f"{len(found)} found")


def _expected(live: Live, environment: str, done: tuple[Deployment, ...]) -> Expected:
    serving = live.ledger.deployments.serving(environment)
    return Expected(
        environment,
        serving,
        warm(serving, [row.previous for row in done]),
        {name: service.kind for name, service in live.shop.services.items()},
        frozenset(name for name, service in live.shop.services.items() if service.alone),
        _epoch(live, done[0]) if done else 0,
        live.configuration,
    )


def _epoch(live: Live, row: Deployment) -> int:
    """The one by which the deployment's last step met every host; 0 while it has not."""
    ends = [step for step in live.ledger.steps(scope_of(row)) if step.name == "retire older"]
    return ends[0].epoch if ends and ends[0].status == "done" else 0


def observed(live: Live, environment: str) -> dict[str, Observed | str]:
    """Every host of an environment as found, side by side; or why it does not answer."""
    return answers(asked(live.hosts(environment), _look))


def _look(host: Host) -> Observed | str:
    try:
        return host.observe()
    except TradewindError as error:
        return str(error)
