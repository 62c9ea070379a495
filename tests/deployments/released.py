"""A small shop with a ledger of its own, and releases in it, for whoever reads figures."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from blocks.ledger import Cut
from blocks.shop import Live
from deployments.settings import write_secret
from domain.journal import Deployment
from domain.plan import Serving

PRICES = {"currency": "CNY", "compute_minute": 0.1, "storage_gb_month": 0.2, "registry_gb": 0.5}


def small_shop(folder: Path, ledger_url: str, **more: Any) -> Live:
    """One service, two environments of two hosts each; its ledger is empty."""
    state = folder / ".tradewind"
    write_secret(state / "databases" / "ledger", ledger_url)
    file = folder / "shop.yaml"
    file.write_text(yaml.safe_dump({**_declared(), **more}, sort_keys=False))
    live = Live(file, state)
    live.ledger.migrate()
    return live


def _declared() -> dict[str, Any]:
    service = {
        "kind": "worker", "paths": ["x"], "command": ["x"], "requirements": "r.lock",
        "test": {"command": ["x"], "requirements": "r.lock"},
    }  # fmt: skip
    places = ("staging", "production")
    hosts = {name: [{"name": f"{name}-{number}"} for number in range(2)] for name in places}
    return {
        "shop": "teashop", "repository": ".", "route": list(places), "services": {"web": service},
        "environments": {name: {"hosts": hosts[name]} for name in places},
    }  # fmt: skip


def released(live: Live, run: str, state: str = "done", place: str = "production") -> Deployment:
    """One release of everything, built, and to one environment, where it ends as told."""
    version = _built(live, run)
    row = live.ledger.deployments.open(version, place, "release", run, "ann")
    with live.ledger.exclusive(place, "test", 30, 1) as lease:
        journal = live.ledger.journal(f"deployment:{row.id}", lease)
        journal.once("prepare hosts", dict)
        journal.once("route web 10", dict)
        decision = "promote" if state == "done" else "restore"
        journal.once("watch web 10", lambda: {"decision": decision})
        if state in ("rolled back", "halted"):
            live.ledger.deployments.advance(row.id, "rolling back", lease, "sick")
        live.ledger.deployments.advance(row.id, state, lease)
        if state == "done":
            serving = {"web": Serving(version, f"sha256:{version}")}
            live.ledger.deployments.serve(row, serving, lease)
    return live.ledger.deployments.get(row.id)


def _built(live: Live, run: str) -> str:
    committed = datetime.now(UTC) - timedelta(hours=2)
    cut = Cut(run, "main", "c0ffee01", committed, "ann", "sale", ("web",), live.shop.route)
    version = live.ledger.releases.open(cut, date(2026, 11, 24)).version
    with live.ledger.exclusive(f"release {version}", "test", 30, 1) as lease:
        journal = live.ledger.journal(f"release:{version}", lease)
        journal.once("build web", lambda: {"size": 500_000_000, "reference": "registry/web"})
    part = {"service": "web", "kind": "worker", "digest": f"sha256:{version}",
            "version": version, "evidence": "", "reference": "registry/web"}  # fmt: skip
    record = {"version": version, "commit": "c0ffee01", "configuration": "", "migrations": ""}
    live.ledger.releases.record_manifest(version, {**record, "parts": [part]})
    return version
