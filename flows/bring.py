"""One leg of a route: prepared, decided where a person is needed, deployed, and arrived."""

from blocks.shop import Live
from flows.deploy import deploy
from flows.gate import decided
from tasks.deployment import executor
from tasks.ending import arrived
from tasks.prepare import Leg, prepare


def bring(live: Live, leg: Leg) -> None:
    """Into one environment; a resumed run finds in the ledger how far it is."""
    prepared = prepare(live, leg, executor(leg.flow_run))
    decided(live, prepared)
    row = prepared.deployment
    if not row.finished:
        deploy(live.shop.shop, row.id, leg.version, leg.environment, return_state=True)
    arrived(live, row.id)
