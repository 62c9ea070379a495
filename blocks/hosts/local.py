"""This machine as a host: the same agent, run as a child process."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain.errors import Failed, Fenced, Refused, Unavailable
from domain.host import Counts, Observed, Running, Served, Unit

AGENT = Path(__file__).with_name("agent.py")
MARGIN_SECONDS = 60.0
KINDS = {"fenced": Fenced, "refused": Refused, "failed": Failed}


class LocalHost:
    """See ``blocks.hosts.Host``; ``home`` is the host's folder."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home

    def prepare(self) -> None:
        beside = Path(sys.executable).parent
        tools = {name: str(beside / name) for name in ("supervisord", "envoy")}
        self._do("prepare", tools={**tools, "python": sys.executable})

    def receive(self, digest: str, path: Path, epoch: int) -> None:
        self._do("receive", digest=digest, path=str(path), epoch=epoch)

    def start(self, unit: Unit, role: str, epoch: int) -> None:
        self._do("start", unit=asdict(unit), role=role, epoch=epoch)

    def health(self, unit: str, path: str, limit_seconds: float) -> None:
        self._do("health", unit=unit, path=path, limit_seconds=limit_seconds)

    def smoke(self, service: str, version: str, paths: tuple[str, ...]) -> dict[str, int]:
        return self._do("smoke", service=service, version=version, paths=paths)

    def route(self, service: str, weights: Mapping[str, int], epoch: int) -> None:
        self._do("route", service=service, weights=dict(weights), epoch=epoch)

    def counts(self, service: str, cursor: int, slow_ms: float) -> Counts:
        found = self._do("counts", service=service, cursor=cursor, slow_ms=slow_ms)
        arms = {version: Served(**arm) for version, arm in found["arms"].items()}
        return Counts(found["cursor"], arms)

    def drain(self, service: str, version: str, limit_seconds: float) -> None:
        self._do("drain", service=service, version=version, limit_seconds=limit_seconds)

    def role(self, unit: str, role: str, epoch: int) -> dict[str, Any]:
        return self._do("role", unit=unit, role=role, epoch=epoch)

    def ask(self, unit: str, path: str) -> dict[str, Any]:
        return self._do("ask", unit=unit, path=path)

    def retire(self, unit: str, epoch: int) -> None:
        self._do("retire", unit=unit, epoch=epoch)

    def prune(self, epoch: int) -> None:
        self._do("prune", epoch=epoch)

    def observe(self) -> Observed:
        found = self._do("observe")
        units = {name: Running(**unit) for name, unit in found["units"].items()}
        return Observed(units, found["listeners"], found["epoch"])

    def shutdown(self, limit_seconds: float = 60) -> None:
        self._do("shutdown", limit_seconds=limit_seconds)

    def _do(self, verb: str, **asked: Any) -> dict[str, Any]:
        """One run of the agent; its refusals come back as our errors."""
        limit = asked.get("limit_seconds", 0) + MARGIN_SECONDS
        try:
            ran = subprocess.run(
                [sys.executable, str(AGENT), str(self.home)],
                input=json.dumps({"verb": verb, **asked}),
                capture_output=True, text=True, timeout=limit, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{self.name}: the agent's {verb} did not end: {error}") from error
        if ran.returncode:
            raise Unavailable(f"{self.name}: the agent's {verb} ended badly: {ran.stderr[-1500:]}")
        told: dict[str, Any] = json.loads(ran.stdout)
        if "refusal" in told:
            raise KINDS[told["refusal"]](f"{self.name}: {told['message']}")
        answer: dict[str, Any] = told["answer"]
        return answer
